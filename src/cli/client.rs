//! Talking to the runner, for every command that acts.

use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
use super::{output, select};
use crate::base::id::RunId;
use crate::experiment::Loaded;
use crate::record::{RunDir, Store};
use crate::runner::protocol::{Add, Added, Answer, Done, NewExperiment, Refusal};
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

/// What the runner takes of an experiment that was read.
pub fn new_experiment(loaded: &Loaded) -> NewExperiment {
    let Loaded { experiment, text } = loaded;
    NewExperiment {
        name: experiment.name.clone(),
        text: text.clone(),
        resolved: experiment.to_yaml(),
        needs: Default::default(),
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

/// A connection to the runner, which has as many slots as were asked for.
fn connect_or_start(store: &Store, slots: Option<usize>) -> Result<Client, Failure> {
    let options = StartOptions::this_program(store)?.with_slots(slots);
    let mut client = Client::connect_or_start(store, &options)?;
    if let Some(slots) = slots {
        client.request(&Request::Slots { slots })?;
    }
    Ok(client)
}

/// Asks the runner to do something with the runs that `texts` name, and says what became of each.
pub fn act(store: &Path, texts: &[String], request: impl FnOnce(Vec<RunId>) -> Request) -> Result<ExitCode, Failure> {
    let (store, runs) = select::runs(store, texts)?;
    let mut client = connect_or_start(&store, None)?;
    match client.request(&request(runs.iter().map(RunDir::id).collect()))? {
        Response::Answers { answers } => Ok(say(&runs, &answers)),
        Response::Refused(refusal) => Err(refusal.into()),
        other => Err(unexpected(&other)),
    }
}

/// One line for each run; exit code 1 if one was refused.
fn say(runs: &[RunDir], answers: &[Answer]) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for answer in answers {
        let name = runs.iter().find(|run| run.id() == answer.id).map_or(answer.id.to_string(), RunDir::folder_name);
        match &answer.result {
            Ok(done) => output::line(&format!("{} {}", words(*done), name)),
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
