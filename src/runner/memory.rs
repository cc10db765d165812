//! How much main memory runs may take together.

use std::ffi::OsString;

use crate::base::machine;

/// Says how much runs may take together, where it should not be decided here: bytes, or `8G`, `512MiB`.
pub const BUDGET: &str = "FINETOP_MEMORY_BUDGET";

/// What stays for everything else: a tenth, and this.
const RESERVE: u64 = 512 << 20;

/// Bytes that runs may take together: what [`BUDGET`] says, else what this machine or its control group has without a
/// reserve for the rest. [`u64::MAX`] where nobody says.
pub fn budget() -> u64 {
    asked().ok().flatten().unwrap_or_else(|| machine::memory().map_or(u64::MAX, of_machine))
}

/// What [`BUDGET`] says; where that is no size, the text itself.
pub fn asked() -> Result<Option<u64>, OsString> {
    let Some(text) = std::env::var_os(BUDGET).filter(|text| !text.is_empty()) else { return Ok(None) };
    text.to_str().and_then(bytes).map(Some).ok_or(text)
}

/// Of a machine with so many bytes; half of a small one at least.
fn of_machine(total: u64) -> u64 {
    (total - total / 10).saturating_sub(RESERVE).max(total / 2)
}

/// The bytes that `text` says: a number, and maybe K, M, G or T for powers of 1024, with or without `iB` or `B`.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_suffix('b').map_or(&*text, |text| text.strip_suffix('i').unwrap_or(text));
    let (number, power) = match text.char_indices().last()? {
        (at, unit @ ('k' | 'm' | 'g' | 't')) => (&text[..at], 1 + "kmgt".find(unit)?),
        _ => (text, 0),
    };
    let number: f64 = number.trim().parse().ok()?;
    let bytes = number * 1024f64.powi(i32::try_from(power).ok()?);
    (bytes.is_finite() && bytes >= 1.0).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, expected) in [
            ("1024", Some(1024)),
            ("8G", Some(8 << 30)),
            ("8g", Some(8 << 30)),
            (" 1.5 GiB ", Some(3 << 29)),
            ("512MB", Some(512 << 20)),
            ("4k", Some(4096)),
            ("2T", Some(2 << 40)),
            ("100b", Some(100)),
            ("", None),
            ("G", None),
            ("0", None),
            ("-4G", None),
            ("nan", None),
            ("inf", None),
            ("8 apples", None),
        ] {
            assert_eq!(bytes(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_rest_of_the_machine_keeps_something() {
        for (total, expected) in [
            (0, 0),
            (1 << 30, 1 << 29),
            (8 << 30, (8 << 30) - (8 << 30) / 10 - RESERVE),
            (64 << 30, (64 << 30) - (64 << 30) / 10 - RESERVE),
        ] {
            assert_eq!(of_machine(total), expected, "{total}");
        }
        assert!(budget() > 0);
    }
}
