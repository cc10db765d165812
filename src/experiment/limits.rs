//! What a run may take: tries, time, memory.

use serde::Serialize;

/// What a run may take; the keys stand at the top of the file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Limits {
    /// How often it is tried again after it was lost or crashed, 0 to 1000; 2 by default.
    pub retries: u32,
    /// Minutes that it may train, above 0; any by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_limit_minutes: Option<f64>,
    /// Main memory that it needs, in GiB, above 0; estimated by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_gib: Option<f64>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { retries: 2, time_limit_minutes: None, memory_gib: None }
    }
}
