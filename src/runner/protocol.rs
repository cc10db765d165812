//! What a client and a runner say to each other: one JSON object on a line each way, over a Unix socket.
//!
//! One name for the request, its handler in [`super::command`] and the verb of the command line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::record::life::Needs;

/// Bytes of the longest request: some ten thousand experiments.
pub const LONGEST_REQUEST: u64 = 64 << 20;

/// What a client wants: `"status"`, `{"cancel":{"ids":["0007"]}}`. (With the kind as one field among others serde would
/// keep all of an unknown request in memory, at sixteen times its length.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Add(Add),
    Cancel {
        ids: Vec<RunId>,
    },
    /// Stops live runs at a checkpoint, and keeps waiting ones back.
    Pause {
        ids: Vec<RunId>,
    },
    Resume {
        ids: Vec<RunId>,
    },
    /// Queues ended runs again; they go on from their last checkpoint, or begin anew if `fresh`.
    Retry {
        ids: Vec<RunId>,
        #[serde(default)]
        fresh: bool,
    },
    /// Removes runs and their files; live ones only with `force`, which kills them first.
    Rm {
        ids: Vec<RunId>,
        force: bool,
    },
    Move {
        ids: Vec<RunId>,
        to: Place,
    },
    Priority {
        ids: Vec<RunId>,
        priority: i32,
    },
    /// Gives runs tags and takes some away.
    Tag {
        ids: Vec<RunId>,
        add: Vec<String>,
        remove: Vec<String>,
    },
    /// Replaces what a run that waits or is paused will run.
    Edit {
        id: RunId,
        /// The text of `resolved.yaml`.
        resolved: String,
        needs: Needs,
    },
    Slots {
        slots: usize,
    },
    Status,
    /// Ends the runner: after its live runs, or with them stopped at a checkpoint now. What waits stays queued.
    Stop {
        now: bool,
    },
}

impl Request {
    /// The verb and the runs of one that is about some.
    pub fn about(&self) -> Option<(&'static str, &[RunId])> {
        match self {
            Request::Cancel { ids } => Some(("cancel", ids)),
            Request::Pause { ids } => Some(("pause", ids)),
            Request::Resume { ids } => Some(("resume", ids)),
            Request::Retry { ids, .. } => Some(("retry", ids)),
            Request::Rm { ids, .. } => Some(("rm", ids)),
            Request::Move { ids, .. } => Some(("move", ids)),
            Request::Priority { ids, .. } => Some(("priority", ids)),
            Request::Tag { ids, .. } => Some(("tag", ids)),
            Request::Edit { id, .. } => Some(("edit", std::slice::from_ref(id))),
            Request::Add(_) | Request::Slots { .. } | Request::Status | Request::Stop { .. } => None,
        }
    }
}

/// New experiments, of which all are queued or none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Add {
    pub experiments: Vec<NewExperiment>,
    #[serde(default)]
    pub priority: i32,
    /// The group of all of them, in place of the sweeps that they are runs of.
    #[serde(default)]
    pub group: Option<String>,
    /// Start them only when all of these have finished well.
    #[serde(default)]
    pub after: Vec<RunId>,
    /// Keep them back until they are resumed.
    #[serde(default)]
    pub paused: bool,
}

/// An experiment that the client has read and validated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewExperiment {
    pub name: String,
    /// Byte for byte as the user wrote it.
    pub text: String,
    /// The text of `resolved.yaml`.
    pub resolved: String,
    #[serde(default)]
    pub needs: Needs,
    /// The sweep that it is a run of: its group, where none is asked for.
    #[serde(default)]
    pub sweep: Option<String>,
}

/// Where in the queue, among runs of the same priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    First,
    Last,
    /// Right before this run, which must have the same priority.
    Before(RunId),
}

/// What a runner answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "response", rename_all = "snake_case")]
pub enum Response {
    Added {
        runs: Vec<Added>,
    },
    /// One answer for each run that was named, in that order.
    Answers {
        answers: Vec<Answer>,
    },
    Status(Status),
    /// It will be as asked.
    Agreed,
    /// Nothing was done.
    Refused(Refusal),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    pub id: RunId,
    pub name: String,
    pub path: PathBuf,
}

/// What became of a request for one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub id: RunId,
    #[serde(flatten)]
    pub result: Result<Done, Refusal>,
}

/// What was done with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    Cancelled,
    /// Its worker was asked to stop; its end will be in the record.
    Cancelling,
    Paused,
    Pausing,
    Queued,
    /// It is live already.
    Running,
    Removed,
    /// Its worker is killed; its folder goes when it has ended.
    Removing,
    Moved,
    Prioritized,
    Tagged,
    Edited,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub error: String,
    pub hint: Option<String>,
    /// Whether it is only that the request does not fit how the run stands.
    #[serde(default)]
    pub unfit: bool,
}

impl Refusal {
    /// A refusal that says why, and what to do.
    pub fn new(error: impl Into<String>, hint: &str) -> Self {
        Refusal { error: error.into(), hint: Some(hint.to_owned()), unfit: false }
    }

    /// A refusal of what does not fit how a run stands.
    pub fn unfit(error: impl Into<String>, hint: &str) -> Self {
        Refusal { unfit: true, ..Refusal::new(error, hint) }
    }
}

/// How a runner is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub pid: u32,
    pub version: String,
    pub host: String,
    pub store: PathBuf,
    pub since: Timestamp,
    /// Whether it will end when its live runs have.
    pub stopping: bool,
    pub slots: usize,
    #[serde(default)]
    pub machine: Machine,
    pub runs: Runs,
}

/// What the machine has for runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub cores: usize,
    /// Threads of each run that is started now.
    pub threads: usize,
    /// Bytes of main memory that runs may need together; null for no limit.
    pub memory_budget: Option<u64>,
    /// Bytes of it that are kept for live runs.
    pub memory_kept: u64,
    pub gpus: Vec<String>,
    pub runs_per_gpu: usize,
}

/// The runs that are not over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runs {
    pub live: Vec<RunId>,
    /// The next one first.
    pub waiting: Vec<RunId>,
    pub paused: Vec<RunId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let ids = vec![RunId(7), RunId(8)];
        let experiment = NewExperiment {
            name: "a".into(),
            text: "x: 1\n# ü\n".into(),
            resolved: "y".into(),
            needs: Needs { memory: 1, gpu: true },
            sweep: Some("s".into()),
        };
        let add = Add {
            experiments: vec![experiment],
            priority: -1,
            group: Some("g".into()),
            after: ids.clone(),
            paused: true,
        };
        for request in [
            Request::Add(add),
            Request::Cancel { ids: ids.clone() },
            Request::Rm { ids: ids.clone(), force: true },
            Request::Move { ids, to: Place::First },
            Request::Status,
            Request::Stop { now: false },
        ] {
            let line = serde_json::to_string(&request).unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request);
        }
        let refused = Err(Refusal::new("no", "do this"));
        let answers =
            vec![Answer { id: RunId(1), result: Ok(Done::Cancelling) }, Answer { id: RunId(2), result: refused }];
        for response in [Response::Agreed, Response::Answers { answers }] {
            let line = serde_json::to_string(&response).unwrap();
            assert_eq!(serde_json::from_str::<Response>(&line).unwrap(), response, "{line}");
        }
    }
}
