//! What clients can ask for, one file each, named as the request and the verb are.

mod add;
mod cancel;
mod edit;
mod r#move;
mod page;
mod pause;
mod priority;
mod resume;
mod retry;
mod rm;
mod slots;
mod status;
mod stop;
mod tag;

use std::collections::{BTreeMap, BTreeSet};

use page::Page;
pub(super) use page::{FEW, Pen};

use super::daemon::Daemon;
use super::protocol::{Answer, Done, Refusal, Request, Response};
use super::supervisor::append;
use crate::base::durable;
use crate::base::id::RunId;
use crate::record::life::{Cause, Exited, LifeEvent, Outcome};
use crate::record::select::is_label;
use crate::record::{self, RunDir, RunState, runner_log, view};

/// In which order the runs of a request have their turn. Their answers come as they were named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    AsNamed,
    LastFirst,
    /// By number, so that what others wait for comes before them.
    Oldest,
    /// By number, so that those that wait come before what they wait for.
    Newest,
}

impl Turn {
    fn arrange(self, ids: &[RunId]) -> Vec<RunId> {
        let mut seen = BTreeSet::new();
        let mut ids: Vec<RunId> = ids.iter().copied().filter(|&id| seen.insert(id)).collect();
        match self {
            Turn::AsNamed => {}
            Turn::LastFirst => ids.reverse(),
            Turn::Oldest => ids.sort_unstable(),
            Turn::Newest => ids.sort_unstable_by_key(|&id| std::cmp::Reverse(id)),
        }
        ids
    }
}

impl Daemon {
    /// Does what is asked. Asked twice, it answers the same and does nothing more.
    pub fn answer(&mut self, request: Request) -> Response {
        let about = request.about().map(|(verb, ids)| format!("{verb} {}", runner_log::names(ids)));
        let response = self.carry_out(request);
        // Readers look at these runs, which they do not at all that are over.
        about.iter().for_each(|line| self.log.line(line));
        response
    }

    fn carry_out(&mut self, request: Request) -> Response {
        match request {
            Request::Add(add) => self.add(add),
            Request::Cancel { ids } => self.each(&ids, Turn::AsNamed, Daemon::cancel),
            Request::Pause { ids } => self.each(&ids, Turn::AsNamed, Daemon::pause),
            Request::Resume { ids } => self.each(&ids, Turn::AsNamed, Daemon::resume),
            Request::Retry { ids, fresh } => self.each(&ids, Turn::Oldest, |daemon, page| daemon.retry(page, fresh)),
            Request::Rm { ids, force } => self.each(&ids, Turn::Newest, |daemon, page| daemon.rm(page, force)),
            Request::Move { ids, to } => self.move_all(&ids, to),
            Request::Priority { ids, priority } => {
                self.each(&ids, Turn::AsNamed, |daemon, page| daemon.priority(page, priority))
            }
            Request::Tag { add, .. } if !add.iter().all(|tag| is_label(tag)) => Response::Refused(bad_tag(&add)),
            Request::Tag { ids, add, remove } => {
                self.each(&ids, Turn::AsNamed, |_, page| tag::tag(page, &add, &remove))
            }
            Request::Edit { id, resolved, needs } => {
                self.each(&[id], Turn::AsNamed, |daemon, page| daemon.edit(page, &resolved, needs))
            }
            Request::Slots { slots } => self.slots(slots),
            Request::Status => Response::Status(self.status()),
            Request::Stop { now } => self.stop(now),
        }
    }

    /// Does `act` with each run that is named, once.
    fn each(
        &mut self,
        ids: &[RunId],
        turn: Turn,
        mut act: impl FnMut(&mut Daemon, &Page) -> Result<Done, Refusal>,
    ) -> Response {
        let mut results: BTreeMap<RunId, Result<Done, Refusal>> = BTreeMap::new();
        let pen = Pen::of(ids.len());
        for id in turn.arrange(ids) {
            let found = self.dir(id).ok_or_else(|| no_such_run(id));
            let result = found.and_then(|dir| {
                let run = view::load_life(&dir);
                self.take_up_forsaken(&dir, &run);
                act(self, &Page { dir, run, pen: &pen })
            });
            results.insert(id, result);
        }
        if let Err(error) = pen.settle(self.store.root()) {
            let refusal = Refusal::from(error);
            results.values_mut().for_each(|result| *result = Err(refusal.clone()));
        }
        let answer = |id| results.remove(&id).map(|result| Answer { id, result });
        Response::Answers { answers: Turn::AsNamed.arrange(ids).into_iter().filter_map(answer).collect() }
    }
}

/// Writes down the end of a run that has no worker.
pub(super) fn ended_unstarted(dir: &RunDir, cause: Cause, message: Option<String>) -> Result<(), durable::Error> {
    append(dir, cancelled(view::load_life(dir).life.attempts, cause, message))
}

/// The end of a run that has no worker, after so many attempts.
pub(super) fn cancelled(attempt: u32, cause: Cause, message: Option<String>) -> impl Iterator<Item = LifeEvent> {
    let (outcome, exit_code, signal) = (Outcome::Cancelled, None, None);
    let exited = LifeEvent::Exited(Exited { attempt, outcome, cause, exit_code, signal, message });
    let asked = (cause == Cause::User).then_some(LifeEvent::CancelRequested);
    asked.into_iter().chain([exited])
}

fn no_such_run(id: RunId) -> Refusal {
    Refusal::new(format!("there is no run {id}"), "`finetop ls` lists them")
}

fn bad_tag(tags: &[String]) -> Refusal {
    let bad = tags.iter().find(|tag| !is_label(tag)).map_or("", String::as_str);
    Refusal::new(
        format!("`{bad}` cannot be a tag"),
        "take 1 to 64 characters without spaces, commas and control characters",
    )
}

impl From<durable::Error> for Refusal {
    fn from(error: durable::Error) -> Self {
        Refusal { error: error.to_string(), hint: error.hint().map(str::to_owned), unfit: false }
    }
}

impl From<record::Error> for Refusal {
    fn from(error: record::Error) -> Self {
        Refusal { error: error.to_string(), hint: error.hint(), unfit: false }
    }
}

/// The refusal of what does not fit how a run stands.
fn does_not_fit(run: &RunState, hint: &str) -> Refusal {
    let how = match run.status() {
        status if status.is_over() => format!("has ended: {}", status.name()),
        status if status.is_live() => "is running".to_owned(),
        status => format!("is {}", status.name()),
    };
    Refusal::unfit(format!("run {} {how}", run.id), hint)
}
