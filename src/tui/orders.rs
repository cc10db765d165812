//! What the runner is asked for, each order on a thread of its own: a runner may be busy, and the dashboard is not.

mod answer;
mod command;

pub use self::command::runs;

use std::collections::BTreeMap;

use super::action::News;
use super::library;
use crate::base::id::RunId;
use crate::record::Store;
use crate::runner::protocol::Place;
use crate::runner::{Client, Request, Response, StartOptions};

/// What the runner is asked for. It is done as the command line does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    Add(library::Order),
    Cancel(Vec<RunId>),
    Pause(Vec<RunId>),
    Resume(Vec<RunId>),
    Retry {
        ids: Vec<RunId>,
        fresh: bool,
    },
    Remove {
        ids: Vec<RunId>,
        force: bool,
    },
    Tag {
        ids: Vec<RunId>,
        add: Vec<String>,
        remove: Vec<String>,
    },
    /// Which runs get which priority.
    Priority(BTreeMap<i32, Vec<RunId>>),
    Move {
        ids: Vec<RunId>,
        to: Place,
    },
    Slots(usize),
}

impl Order {
    /// What is said to the runner.
    fn requests(self) -> Result<Vec<Request>, String> {
        Ok(vec![match self {
            Order::Add(order) => Request::Add(library::read(order)?),
            Order::Cancel(ids) => Request::Cancel { ids },
            Order::Pause(ids) => Request::Pause { ids },
            Order::Resume(ids) => Request::Resume { ids },
            Order::Retry { ids, fresh } => Request::Retry { ids, fresh },
            Order::Remove { ids, force } => Request::Rm { ids, force },
            Order::Tag { ids, add, remove } => Request::Tag { ids, add, remove },
            Order::Priority(levels) => {
                let request = |(priority, ids)| Request::Priority { ids, priority };
                return Ok(levels.into_iter().map(request).collect());
            }
            Order::Move { ids, to } => Request::Move { ids, to },
            Order::Slots(slots) => Request::Slots { slots },
        }])
    }
}

/// Carries `order` out and says how it went.
pub fn carry_out(order: Order, store: Store, start: StartOptions, say: impl FnOnce(News) + Send + 'static) {
    std::thread::spawn(move || say(News::Answered(answer(order, &store, &start))));
}

fn answer(order: Order, store: &Store, start: &StartOptions) -> Result<String, String> {
    let requests = order.requests()?;
    let mut client = Client::connect_or_start(store, start).map_err(|error| error.to_string())?;
    let ask = |request| client.request(request).map_err(|error| error.to_string());
    let responses = requests.iter().map(ask).collect::<Result<Vec<_>, String>>()?;
    answer::in_words(responses)
}

/// How many runs may train at once; None where no runner lives, or it does not answer.
pub fn slots(store: &Store) -> Option<usize> {
    match Client::connect(store).ok()??.request(&Request::Status).ok()? {
        Response::Status(status) => Some(status.slots),
        _ => None,
    }
}
