//! Why a hub did not give what it was asked for.

use crate::base::durable;

/// What came between an experiment and its weights on a hub.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{what} is not in the cache, and HF_HUB_OFFLINE says not to ask the hub")]
    Offline { what: String },
    #[error("could not reach {endpoint}: {reason}")]
    Unreachable { endpoint: String, reason: String },
    #[error("the hub refused {what} ({status})")]
    Refused { what: String, status: u16, has_token: bool },
    #[error("{what} has none of {}", files.join(", "))]
    NotThere { what: String, files: Vec<String> },
    #[error("{what} is not on the hub")]
    NoRepo { what: String },
    #[error("the hub could not give {what}: it answered {status}")]
    Status { what: String, status: u16 },
    #[error("the hub's answer for {what} makes no sense: {reason}")]
    Garbage { what: String, reason: String },
    #[error("the download of {what} broke off after {done} of {total} bytes: {reason}")]
    BrokeOff { what: String, done: u64, total: u64, reason: String },
    #[error("{what} did not arrive as the hub announced it: {reason}")]
    Damaged { what: String, reason: String },
    #[error("another process holds {what} and does not get on with it")]
    Locked { what: String },
    #[error("could not keep what was downloaded: {0}")]
    Write(#[from] durable::Error),
    #[error("there is no place for downloads: neither HF_HOME nor a home folder is known")]
    NoHome,
    #[error("the download was stopped")]
    Stopped,
}

impl Error {
    /// Whether the hub could not be asked at all.
    pub(in crate::model::weights) fn is_offline(&self) -> bool {
        matches!(self, Error::Offline { .. } | Error::Unreachable { .. })
    }

    /// Whether trying again later may help.
    pub fn is_passing(&self) -> bool {
        match self {
            Error::Unreachable { .. } | Error::BrokeOff { .. } | Error::Damaged { .. } | Error::Locked { .. } => true,
            Error::Status { status, .. } => *status >= 500 || *status == 429,
            _ => false,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::Offline { .. } => "unset HF_HUB_OFFLINE to download it, or give the path of a file",
            Error::Unreachable { .. } => {
                "check the network and HF_ENDPOINT; without a network, weights in the cache (HF_HOME) and files can be used"
            }
            Error::Refused { has_token: false, .. } => {
                "it may be misspelt, or private: then set HF_TOKEN to a token that may read it"
            }
            Error::Refused { has_token: true, .. } => {
                "the token in HF_TOKEN (or HF_HOME/token) may not read it: accept its terms on the hub, or use another token"
            }
            Error::NotThere { .. } => "check the name, or name a file of weights as `hf:OWNER/REPO/FILE.safetensors`",
            Error::NoRepo { .. } => "check the owner, the name and the revision",
            Error::Garbage { .. } => "check HF_ENDPOINT: it must be the address of a model hub",
            Error::BrokeOff { .. } => "try again: it goes on from where it broke off",
            Error::Damaged { .. } => "what came was dropped: try again",
            Error::Locked { .. } => "wait for the other download, or end that process",
            Error::Status { .. } if self.is_passing() => "try again later",
            Error::Status { .. } => "check the name of the repository and HF_ENDPOINT",
            Error::Write(error) if error.is_full() => {
                "the disk is full: free some space, or set HF_HOME to a folder on another disk"
            }
            Error::Write(_) => "set HF_HOME to a folder that can be written",
            Error::NoHome => "set HF_HOME to a folder",
            Error::Stopped => return None,
        };
        Some(hint.to_owned())
    }
}
