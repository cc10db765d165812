//! `--since TIME`: what is older is left out.

use crate::base::clock::{self, Timestamp};

/// Where reading begins.
#[derive(Debug, clap::Args)]
#[group(id = "since")]
pub struct Since {
    /// Only what was written at this time or later: `09:41` (the last time it was that), `2026-01-31 09:41`, `10m` ago (`s`,
    /// `m`, `h`, `d`), or RFC 3339.
    #[arg(long = "since", value_name = "TIME", value_parser = parse)]
    pub time: Option<Timestamp>,
}

fn parse(text: &str) -> Result<Timestamp, String> {
    meant(text, clock::now()).ok_or_else(|| "expected a time as 09:41, 2026-01-31 09:41, 10m or RFC 3339".to_owned())
}

/// What a person means by `text` at `now`.
fn meant(text: &str, now: Timestamp) -> Option<Timestamp> {
    ago(text, now).or_else(|| text.parse().ok()).or_else(|| now.meant(text))
}

/// `10m` before `now`.
fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let count: i64 = text[..text.len() - 1].parse().ok().filter(|&count| count >= 0)?;
    Some(Timestamp::from_millis(now.as_millis().saturating_sub(count.saturating_mul(unit * 1000))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_meant_as_people_write_them() {
        let now: Timestamp = "2026-01-31T09:00:00Z".parse().unwrap();
        for (text, meant_time) in [
            ("10m", Some("2026-01-31T08:50:00.000Z")),
            ("36h", Some("2026-01-29T21:00:00.000Z")),
            ("0s", Some("2026-01-31T09:00:00.000Z")),
            ("08:30", Some("2026-01-31T08:30:00.000Z")),
            ("09:41", Some("2026-01-30T09:41:00.000Z")),
            ("2026-01-01 10:00", Some("2026-01-01T10:00:00.000Z")),
            ("2025-11-25T04:41:07.120Z", Some("2025-11-25T04:41:07.120Z")),
            ("99999999999999999999d", None),
            ("-5m", None),
            ("soon", None),
            ("é", None),
            ("", None),
        ] {
            assert_eq!(meant(text, now).map(|time| time.to_string()).as_deref(), meant_time, "{text}");
        }
    }
}
