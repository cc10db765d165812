//! The life of a run as the runner saw it: the lines of `run.jsonl`.

use serde::{Deserialize, Serialize};

use crate::base::id::RunId;

/// An event in the life of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LifeEvent {
    Queued {
        name: String,
        priority: i32,
        group: Option<String>,
        /// Runs that must have finished well before it starts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        after: Vec<RunId>,
        #[serde(default)]
        needs: Needs,
    },
    /// Its `resolved.yaml` was replaced while it waited.
    Edited {
        needs: Needs,
    },
    Moved {
        order: i64,
    },
    Prioritized {
        priority: i32,
    },
    Started {
        attempt: u32,
        executor: ExecutorKind,
        process: Option<ProcessId>,
        job_id: Option<String>,
        host: String,
        /// The GPU that it was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gpu: Option<String>,
    },
    PauseRequested,
    Paused,
    /// A person put it back in the queue, after a pause or an end; it goes on from its last checkpoint.
    Resumed,
    CancelRequested,
    Exited(Exited),
    /// The runner put it back in the queue.
    RetryScheduled {
        attempt: u32,
        after_s: u64,
    },
    Note {
        text: String,
    },
    Tagged {
        tags: Vec<String>,
    },
    /// A type that this version does not know; ignored.
    #[serde(other)]
    Unknown,
}

/// What a run takes of its machine while it is live.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Bytes of main memory; 0 where that is not known.
    pub memory: u64,
    /// Whether it wants a GPU of its own.
    pub gpu: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutorKind {
    Local,
    /// `finetop run`: no runner, the process of the command itself.
    Foreground,
}

/// A pid alone is not an identity: it is one together with when the process started and on which boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    pub pid: i32,
    /// Field 22 of `/proc/PID/stat`.
    pub start_ticks: u64,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
}

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    pub attempt: u32,
    pub outcome: Outcome,
    pub cause: Cause,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub message: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Finished,
    Failed,
    Cancelled,
    Paused,
    Lost,
}

/// Why an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Completed,
    EarlyStopped,
    /// Data, weights or configuration: it would fail again.
    Experiment,
    /// NaN or infinite loss.
    Diverged,
    OutOfMemory,
    /// A panic or a signal.
    Crashed,
    TimeLimit,
    DiskFull,
    /// Weights could not be downloaded now; later they may be.
    Network,
    /// The worker could not even be started.
    Start,
    User,
    Preempted,
    WorkerGone,
    NodeFailed,
    HostRestarted,
    /// A run that it was to start after did not finish well.
    Dependency,
}

impl Cause {
    /// In words, for people.
    pub fn words(self) -> &'static str {
        match self {
            Cause::Completed => "all epochs were trained",
            Cause::EarlyStopped => "early stopping",
            Cause::Experiment => "the experiment's data, weights or configuration",
            Cause::Diverged => "the loss became NaN or infinite",
            Cause::OutOfMemory => "out of memory",
            Cause::Crashed => "the worker crashed",
            Cause::TimeLimit => "the time limit was reached",
            Cause::DiskFull => "the disk is full",
            Cause::Network => "the weights could not be downloaded",
            Cause::Start => "the worker could not be started",
            Cause::User => "asked by the user",
            Cause::Preempted => "preempted",
            Cause::WorkerGone => "the worker vanished",
            Cause::NodeFailed => "the node failed",
            Cause::HostRestarted => "the host restarted",
            Cause::Dependency => "a run that it waits for did not finish",
        }
    }

    /// What a person can do about it; None where there is nothing to be done.
    pub fn advice(self) -> Option<&'static str> {
        Some(match self {
            Cause::Completed | Cause::EarlyStopped => return None,
            Cause::Experiment => "mend what the error names, then `finetop retry` it",
            Cause::Diverged => "use a lower learning rate, or `train.clip_norm: 1`",
            Cause::OutOfMemory => {
                "use a smaller `train.batch_size`, `data.image_size` or `data.max_length`, or fewer slots"
            }
            Cause::Crashed => "`finetop logs` has its last words; `finetop retry` goes on from its last checkpoint",
            Cause::TimeLimit => "`finetop retry` goes on from its checkpoint with as much time again",
            Cause::DiskFull => "free some space, then `finetop retry` goes on from its last checkpoint",
            Cause::Network => "see to the connection, then `finetop retry` it",
            Cause::Start => "mend what the error names, then `finetop retry` it",
            Cause::User => "`finetop resume` a paused run, `finetop retry` a cancelled one",
            Cause::Preempted => "it goes on from its checkpoint by itself",
            Cause::WorkerGone | Cause::NodeFailed | Cause::HostRestarted => {
                "`finetop retry` goes on from its last checkpoint"
            }
            Cause::Dependency => "`finetop retry` the run that it waits for, then this one",
        })
    }
}
