//! Run ids: numbers, never reused, written with at least four digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The number of a run in its store, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u32);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

impl FromStr for RunId {
    type Err = std::num::ParseIntError;

    /// Reads `7` and `0007` alike.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(RunId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_short_forms() {
        for (text, id) in [("7", 7), ("0007", 7), ("12345", 12345)] {
            assert_eq!(text.parse::<RunId>().unwrap(), RunId(id));
        }
        assert_eq!(RunId(7).to_string(), "0007");
        assert_eq!(RunId(12345).to_string(), "12345");
        assert!("-7".parse::<RunId>().is_err());
    }
}
