//! When the next frame may be drawn.
//!
//! Invariant: over any longer while there are no more frames than the person wishes for. A key's effect need not wait for
//! its turn, but the frame after it waits the longer.

use std::time::Duration;

/// The beginnings of frames, in time since the start of the dashboard.
#[derive(Debug, Default)]
pub struct Rhythm {
    last: Option<Last>,
}

/// The last frame.
#[derive(Debug)]
struct Last {
    at: Duration,
    /// How much too early it was drawn.
    ahead: Duration,
}

impl Rhythm {
    /// A frame is drawn now, where the least time between two is `pause`.
    pub fn drawn(&mut self, now: Duration, pause: Duration) {
        let ahead = self.wait(now, pause, Duration::ZERO);
        self.last = Some(Last { at: now, ahead });
    }

    /// How long to wait for the next one, which may come so much too early.
    pub fn wait(&self, now: Duration, pause: Duration, early: Duration) -> Duration {
        let due = self.last.as_ref().map_or(Duration::ZERO, |last| last.at + last.ahead + pause);
        due.saturating_sub(early).saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_millis(33);

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_key_does_not_wait_and_what_comes_after_it_waits_longer() {
        let mut rhythm = Rhythm::default();
        assert_eq!(rhythm.wait(ms(0), PAUSE, ms(0)), ms(0), "the first is drawn at once");
        rhythm.drawn(ms(100), PAUSE);
        assert_eq!(rhythm.wait(ms(101), PAUSE, ms(0)), ms(32));
        assert_eq!(rhythm.wait(ms(101), PAUSE, PAUSE), ms(0), "a key");
        rhythm.drawn(ms(101), PAUSE);
        assert_eq!(rhythm.wait(ms(102), PAUSE, PAUSE), ms(31), "another key");
        assert_eq!(rhythm.wait(ms(102), PAUSE, ms(0)), ms(64));
        assert_eq!(rhythm.wait(ms(166), PAUSE, ms(0)), ms(0));
        assert_eq!(rhythm.wait(ms(102), ms(200), PAUSE), ms(198), "a slow terminal has its time");
    }

    #[test]
    fn keys_held_down_get_no_more_frames_than_are_wished_for() {
        let (mut rhythm, mut frames) = (Rhythm::default(), 0);
        for now in 0..3300 {
            if rhythm.wait(ms(now), PAUSE, PAUSE).is_zero() {
                rhythm.drawn(ms(now), PAUSE);
                frames += 1;
            }
        }
        assert!((100..=101).contains(&frames), "{frames} frames in 100 pauses");
    }
}
