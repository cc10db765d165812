//! How long a run trained by the times of its lines: what passes between two attempts does not count.

use crate::base::clock::Timestamp;

/// Runs from the first line of an attempt.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timer {
    /// When the attempt began; None before the first line.
    began: Option<Timestamp>,
    /// Seconds that the attempts before it trained, of which something is left.
    before: f64,
}

impl Timer {
    /// An attempt begins at `time`, with so many seconds of training behind it.
    pub fn go_on(&mut self, time: Timestamp, before: f64) {
        *self = Timer { began: Some(time), before };
    }

    /// Seconds trained at `time`; a log that does not say when its attempt began does so with the first line asked for.
    pub fn seconds(&mut self, time: Timestamp) -> f64 {
        let began = *self.began.get_or_insert(time);
        let millis = time.as_millis().saturating_sub(began.as_millis()).max(0);
        self.before + millis as f64 / 1000.0
    }
}
