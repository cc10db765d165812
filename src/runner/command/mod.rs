//! What clients can ask for, one file each, named as the request and the verb are.

mod add;
pub(super) mod cancel;
mod edit;
mod r#move;
mod pause;
mod priority;
mod resume;
mod retry;
mod rm;
mod slots;
mod status;
mod stop;
mod tag;

use super::daemon::Daemon;
use super::protocol::{Answer, Done, Refusal, Request, Response};
use crate::base::durable;
use crate::base::id::RunId;
use crate::record::{RunDir, RunState, view};

impl Daemon {
    /// Does what is asked.
    pub fn answer(&mut self, request: Request) -> Response {
        match request {
            Request::Add(add) => self.add(add),
            Request::Cancel { ids } => self.each(&ids, Daemon::cancel),
            Request::Pause { ids } => self.each(&ids, Daemon::pause),
            Request::Resume { ids } => self.each(&ids, Daemon::resume),
            Request::Retry { ids, fresh } => self.each(&ids, |daemon, dir, run| daemon.retry(dir, run, fresh)),
            Request::Rm { ids, force } => self.each(&ids, |daemon, dir, run| daemon.rm(dir, run, force)),
            Request::Move { ids, to } => self.move_all(&ids, to),
            Request::Priority { ids, priority } => {
                self.each(&ids, |daemon, dir, run| daemon.priority(dir, run, priority))
            }
            Request::Tag { ids, add, remove } => self.each(&ids, |_, dir, run| tag::tag(dir, run, &add, &remove)),
            Request::Edit { id, resolved, needs } => {
                self.each(&[id], |daemon, dir, run| daemon.edit(dir, run, &resolved, needs))
            }
            Request::Slots { slots } => self.slots(slots),
            Request::Status => Response::Status(self.status()),
            Request::Stop { now } => self.stop(now),
        }
    }

    /// Does `act` with each run that is named.
    fn each(
        &mut self,
        ids: &[RunId],
        mut act: impl FnMut(&mut Daemon, &RunDir, &RunState) -> Result<Done, Refusal>,
    ) -> Response {
        let mut answers: Vec<Answer> = Vec::with_capacity(ids.len());
        for &id in ids {
            if answers.iter().all(|answer| answer.id != id) {
                let found = self.dir(id).ok_or_else(|| no_such_run(id));
                let result = found.and_then(|dir| {
                    let run = view::load_life(&dir);
                    self.take_up_forsaken(&dir, &run);
                    act(self, &dir, &run)
                });
                answers.push(Answer { id, result });
            }
        }
        Response::Answers { answers }
    }
}

fn no_such_run(id: RunId) -> Refusal {
    Refusal::new(format!("there is no run {id}"), "`finetop ls` lists them")
}

impl From<durable::Error> for Refusal {
    fn from(error: durable::Error) -> Self {
        Refusal { error: error.to_string(), hint: error.hint().map(str::to_owned) }
    }
}

/// The refusal of what does not fit how a run stands.
fn does_not_fit(run: &RunState, hint: &str) -> Refusal {
    let how = match run.status() {
        status if status.is_over() => format!("has ended: {}", status.name()),
        status if status.is_live() => "is running".to_owned(),
        status => format!("is {}", status.name()),
    };
    Refusal::new(format!("run {} {how}", run.id), hint)
}
