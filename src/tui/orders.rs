//! Requests to the runner, each on a thread of its own: a runner may be busy, and the dashboard is not.

use super::action::News;
use super::library;
use crate::base::id::RunId;
use crate::record::Store;
use crate::runner::protocol::{Added, Answer, Done};
use crate::runner::{Client, Request, Response, StartOptions};

/// What the runner is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    Add(library::Order),
    Cancel(Vec<RunId>),
    Retry { ids: Vec<RunId>, fresh: bool },
}

/// Carries `order` out and says how it went.
pub fn carry_out(order: Order, store: Store, start: StartOptions, say: impl FnOnce(News) + Send + 'static) {
    std::thread::spawn(move || say(News::Answered(answer(order, &store, &start))));
}

fn answer(order: Order, store: &Store, start: &StartOptions) -> Result<String, String> {
    let request = match order {
        Order::Add(order) => Request::Add(library::read(order)?),
        Order::Cancel(ids) => Request::Cancel { ids },
        Order::Retry { ids, fresh } => Request::Retry { ids, fresh },
    };
    let mut client = Client::connect_or_start(store, start).map_err(|error| error.to_string())?;
    match client.request(&request).map_err(|error| error.to_string())? {
        Response::Added { runs } => {
            let name = |run: &Added| format!("{} {}", run.id, run.name);
            Ok(match &*runs {
                [first, .., last] => format!("queued {} runs, {} to {}", runs.len(), name(first), name(last)),
                few => format!("queued {}", few.iter().map(name).collect::<Vec<_>>().join(", ")),
            })
        }
        Response::Answers { answers } => {
            answers.into_iter().map(in_words).collect::<Result<Vec<_>, _>>().map(|words| words.join(", "))
        }
        Response::Refused(refusal) => Err(with_hint(refusal.error, refusal.hint)),
        Response::Agreed => Ok("agreed".to_owned()),
        Response::Status(_) => Err("the runner answered something else than was asked".to_owned()),
    }
}

fn in_words(answer: Answer) -> Result<String, String> {
    let word = match answer.result {
        Err(refusal) => return Err(format!("{}: {}", answer.id, with_hint(refusal.error, refusal.hint))),
        Ok(Done::Cancelled) => "is cancelled",
        Ok(Done::Cancelling) => "is asked to stop at a checkpoint",
        Ok(Done::Paused) => "is paused",
        Ok(Done::Pausing) => "is asked to pause",
        Ok(Done::Queued) => "is queued again",
        Ok(Done::Running) => "is running",
        Ok(Done::Removed) => "is removed",
        Ok(Done::Removing) => "is being removed",
        Ok(Done::Moved) => "is moved",
        Ok(Done::Prioritized) => "has its priority",
        Ok(Done::Tagged) => "has its tags",
        Ok(Done::Edited) => "is changed",
    };
    Ok(format!("{} {word}", answer.id))
}

fn with_hint(error: String, hint: Option<String>) -> String {
    match hint {
        Some(hint) => format!("{error}; {hint}"),
        None => error,
    }
}
