//! Talking to the runner, for every command that acts.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
use super::output;
use super::select::{Runs, Selected};
use crate::base::id::RunId;
use crate::record::{self, RunDir, Store};
use crate::runner::protocol::{Add, Added, Answer, Done, Refusal};
use crate::runner::{self, Client, Request, Response, StartOptions};

impl From<runner::Error> for Failure {
    fn from(error: runner::Error) -> Self {
        let hint = error.hint();
        Failure::failed(error.to_string()).maybe_hint(hint)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::failed(refusal.error).maybe_hint(refusal.hint)
    }
}

/// Queues `add` in the store, with a runner that is started where none lives.
pub fn add(store: &Path, add: Add, slots: Option<usize>) -> Result<(Store, Vec<Added>), Failure> {
    let store = Store::create(store)?;
    let mut client = connect_or_start(&store, slots)?;
    match client.request(&Request::Add(add))? {
        Response::Added { runs } => Ok((store, runs)),
        Response::Refused(refusal) => Err(refusal.into()),
        other => Err(unexpected(&other)),
    }
}

/// A connection to the runner that lives, if one does.
pub fn connect(store: &Path) -> Result<Option<Client>, Failure> {
    match Store::open(store) {
        Ok(store) => Ok(Client::connect(&store)?),
        Err(record::Error::NoStore { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A connection to the runner, which has as many slots as were asked for.
fn connect_or_start(store: &Store, slots: Option<usize>) -> Result<Client, Failure> {
    let options = StartOptions::this_program(store)?.with_slots(slots);
    let mut client = Client::connect_or_start(store, &options)?;
    if let Some(slots) = slots {
        client.request(&Request::Slots { slots })?;
    }
    Ok(client)
}

/// Asks the runner to do something with some runs, and says what became of each.
pub fn act(store: &Path, runs: &Runs, request: impl FnOnce(Vec<RunId>) -> Request) -> Result<ExitCode, Failure> {
    act_on(&runs.select(store)?, request)
}

/// The same with runs that were selected already.
pub fn act_on(selected: &Selected, request: impl FnOnce(Vec<RunId>) -> Request) -> Result<ExitCode, Failure> {
    let mut client = connect_or_start(&selected.store, None)?;
    match client.request(&request(selected.runs.iter().map(RunDir::id).collect()))? {
        Response::Answers { answers } => Ok(say(selected, &answers)),
        Response::Refused(refusal) => Err(refusal.into()),
        other => Err(unexpected(&other)),
    }
}

/// One line for each run; exit code 1 if one was refused. Of runs that were not named one by one those that the request does
/// not fit are left out with a note, unless it fits none.
fn say(selected: &Selected, answers: &[Answer]) -> ExitCode {
    let names: BTreeMap<RunId, String> = selected.runs.iter().map(|run| (run.id(), run.folder_name())).collect();
    let fits_some = answers.iter().any(|answer| answer.result.is_ok());
    let mut code = ExitCode::SUCCESS;
    for Answer { id, result } in answers {
        let name = names.get(id).cloned().unwrap_or_else(|| id.to_string());
        match result {
            Ok(done) => output::line(&format!("{} {name}", words(*done))),
            Err(refusal) if refusal.unfit && selected.is_broad && fits_some => {
                output::note(&format!("{name} left out: {}", refusal.error));
            }
            Err(refusal) => {
                output::error(&format!("{name}: {}", refusal.error));
                refusal.hint.iter().for_each(|hint| output::hint(hint));
                code = ExitCode::from(1);
            }
        }
    }
    code
}

fn words(done: Done) -> &'static str {
    match done {
        Done::Cancelled => "cancelled",
        Done::Cancelling => "cancelling",
        Done::Paused => "paused",
        Done::Pausing => "pausing",
        Done::Queued => "queued",
        Done::Running => "running",
        Done::Removed => "removed",
        Done::Removing => "removing",
        Done::Moved => "moved",
        Done::Prioritized => "prioritized",
        Done::Tagged => "tagged",
        Done::Edited => "edited",
    }
}

/// An answer to another question than was asked.
pub fn unexpected(response: &Response) -> Failure {
    Failure::failed(format!("the runner answered something else than was asked: {response:?}"))
        .hint("it may be of another version: `finetop runner stop`, and the next command starts this one")
}
