//! The only place where the time is read.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// A moment of the wall clock, written as RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(jiff::Timestamp);

/// The wall clock now, cut to milliseconds so that a written time reads back equal.
#[allow(clippy::disallowed_methods)] // the one place that may ask
pub fn now() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}

impl Timestamp {
    /// The moment `millis` milliseconds after 1970-01-01T00:00:00Z; out of range is cut to the range.
    pub fn from_millis(millis: i64) -> Self {
        let fallback = if millis < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        Timestamp(jiff::Timestamp::from_millisecond(millis).unwrap_or(fallback))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Time from `earlier` to `self`; zero where the clock went back.
    pub fn since(self, earlier: Timestamp) -> Duration {
        let millis = self.as_millis().saturating_sub(earlier.as_millis());
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// The moment `time` after this one; cut to the range.
    pub fn plus(self, time: Duration) -> Timestamp {
        Timestamp::from_millis(self.as_millis().saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
    }

    /// `HH:MM:SS` in the local time zone, for panes.
    pub fn local_time(self) -> String {
        self.local().strftime("%H:%M:%S").to_string()
    }

    /// `YYYY-MM-DD HH:MM` in the local time zone, for tables.
    pub fn local_date_time(self) -> String {
        self.local().strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// The moment that a person means by `HH:MM`, `HH:MM:SS` (the latest one up to this moment) or `YYYY-MM-DD HH:MM`, in
    /// the local time zone.
    pub fn meant(self, typed: &str) -> Option<Timestamp> {
        let moment = |local: jiff::civil::DateTime| zone().to_timestamp(local).ok().map(Timestamp);
        if let Ok(local) = typed.parse::<jiff::civil::DateTime>() {
            return moment(local);
        }
        let time: jiff::civil::Time = typed.parse().ok()?;
        let today = self.local().date();
        let days = [Some(today), today.yesterday().ok()];
        days.into_iter().flatten().filter_map(|day| moment(day.to_datetime(time))).find(|&found| found <= self)
    }

    fn local(self) -> jiff::ZonedDateTime {
        self.0.to_zoned_datetime(zone())
    }
}

/// The zone of the machine; tests show the same everywhere.
fn zone() -> jiff::tz::TimeZone {
    if cfg!(test) { jiff::tz::TimeZone::UTC } else { jiff::tz::TimeZone::system() }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl std::str::FromStr for Timestamp {
    type Err = jiff::Error;

    /// Of RFC 3339.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Timestamp)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        jiff::Timestamp::deserialize(deserializer).map(Timestamp)
    }
}

/// Monotonic time since it was started.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// A stopwatch that starts now.
    pub fn start() -> Self {
        Stopwatch(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.elapsed().as_secs_f64()
    }
}

/// Seconds of a processor that the calling thread has used.
pub fn thread_seconds() -> f64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 * 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_time_reads_back_equal() {
        let written = serde_json::to_string(&Timestamp::from_millis(1_764_045_667_120)).unwrap();
        assert_eq!(written, "\"2025-11-25T04:41:07.120Z\"");
        let read: Timestamp = serde_json::from_str(&written).unwrap();
        assert_eq!(read.as_millis(), 1_764_045_667_120);
    }

    #[test]
    fn a_clock_that_went_back_gives_zero() {
        let (early, late) = (Timestamp::from_millis(1_000), Timestamp::from_millis(3_500));
        assert_eq!(late.since(early), Duration::from_millis(2_500));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
