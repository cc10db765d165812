//! What ends a command early: a message, what to do, and an exit code.

use std::process::ExitCode;

use super::output;

/// The end of a command that could not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
    hint: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Failed,
    Usage,
    Interrupted,
}

impl Failure {
    /// Something went wrong that was not the user's writing: exit code 1.
    pub fn failed(message: impl Into<String>) -> Self {
        Failure { kind: Kind::Failed, message: message.into(), hint: None }
    }

    /// Wrong usage or an invalid experiment: exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Failure { kind: Kind::Usage, ..Failure::failed(message) }
    }

    /// Stopped by Ctrl-C: exit code 130.
    pub fn interrupted(message: impl Into<String>) -> Self {
        Failure { kind: Kind::Interrupted, ..Failure::failed(message) }
    }

    /// Adds what a person can do about it.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Failure { hint: Some(hint.into()), ..self }
    }

    /// Adds a hint where there is one.
    pub fn maybe_hint(self, hint: Option<impl Into<String>>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// Prints the message to standard error and gives the exit code.
    pub fn report(self) -> ExitCode {
        output::error(&self.message);
        if let Some(hint) = &self.hint {
            output::hint(hint);
        }
        ExitCode::from(match self.kind {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Interrupted => 130,
        })
    }
}
