//! How much may be on its way to a terminal that is slow or far away.
//!
//! A pseudo-terminal takes bytes as fast as they are written: what a slow line has not carried yet waits in the buffers of
//! ssh and of the kernels, megabytes of it, and a key's effect comes after all of that. So a frame ends with a question
//! that every common terminal answers ([`QUESTION`]: its background colour), unless it and those before it since the last
//! question are small, and the answer says that the frame has arrived. Only so many bytes are on their way at once; the
//! next frame is drawn from the newest state when there is room. A terminal that answers nothing is not held back.

use std::collections::VecDeque;
use std::time::Duration;

/// Asks for the background colour (xterm's OSC 11), which is of no matter here.
pub const QUESTION: &[u8] = b"\x1b]11;?\x1b\\";

/// Bytes that may be on their way when another frame follows. A line of 5 kB/s takes a third of a second for them.
const WINDOW: usize = 1500;
/// Bytes that may follow each other without a question: each wakes the terminal and, with its answer, the loop.
const UNASKED: usize = 400;
/// The same while it is not known whether the terminal answers: its first frames are whole screens, and a person waits.
const FIRST_WINDOW: usize = 10_000;
/// How long a first answer is waited for before each frame that is beyond that, and in all.
const PATIENCE: Duration = Duration::from_millis(250);
const FIRST_ANSWER: Duration = Duration::from_secs(3);
/// An answer that takes longer is lost.
const LOST: Duration = Duration::from_secs(20);
/// How long the last answers are waited for: they would be typed into whatever has the terminal next.
const LAST_ANSWERS: Duration = Duration::from_millis(1500);

/// What is known to be on its way. Times are since the start of the dashboard.
#[derive(Debug, Default)]
pub struct Pacing {
    terminal: Terminal,
    on_the_way: VecDeque<Sent>,
    /// Bytes since the last question.
    unasked: usize,
    /// When the first frame was sent.
    began: Option<Duration>,
}

/// Whether the terminal answers.
#[derive(Debug, Default, PartialEq, Eq)]
enum Terminal {
    #[default]
    Unknown,
    Answers,
    Silent,
}

#[derive(Debug)]
struct Sent {
    bytes: usize,
    at: Duration,
}

impl Pacing {
    /// A frame of so many bytes was sent, which ends with the question, or not.
    pub fn sent(&mut self, bytes: usize, is_asked: bool, now: Duration) {
        self.began.get_or_insert(now);
        if self.terminal == Terminal::Silent {
            return;
        }
        self.unasked += bytes;
        if is_asked {
            self.on_the_way.push_back(Sent { bytes: std::mem::take(&mut self.unasked), at: now });
        }
    }

    /// The terminal has answered: the oldest frame has arrived. A silent one that speaks up is asked again.
    pub fn answered(&mut self) {
        self.terminal = Terminal::Answers;
        self.on_the_way.pop_front();
    }

    /// How long to wait for the answers that are still to come before another program gets the terminal.
    pub fn last_wait(&self) -> Duration {
        match (self.on_the_way.is_empty(), &self.terminal) {
            (true, _) | (_, Terminal::Silent) => Duration::ZERO,
            (false, Terminal::Unknown) => PATIENCE,
            (false, Terminal::Answers) => LAST_ANSWERS,
        }
    }

    /// The terminal is not to be asked.
    pub fn never_ask(&mut self) {
        self.terminal = Terminal::Silent;
    }

    /// Whether a frame of so many bytes is to end with the question.
    pub fn asks(&self, bytes: usize) -> bool {
        match self.terminal {
            Terminal::Silent => false,
            Terminal::Unknown => true,
            Terminal::Answers => self.unasked + bytes > UNASKED,
        }
    }

    fn bytes(&self) -> usize {
        self.on_the_way.iter().map(|sent| sent.bytes).sum::<usize>() + self.unasked
    }

    /// How long to wait for an answer before the next frame is sent; None where it may be sent now.
    pub fn wait(&mut self, now: Duration) -> Option<Duration> {
        let last = self.on_the_way.back()?.at;
        match self.terminal {
            Terminal::Silent => None,
            Terminal::Unknown => {
                if now.saturating_sub(self.began.unwrap_or(now)) >= FIRST_ANSWER {
                    self.terminal = Terminal::Silent;
                    self.on_the_way.clear();
                    return None;
                }
                (self.bytes() > FIRST_WINDOW)
                    .then(|| (last + PATIENCE).saturating_sub(now))
                    .filter(|left| !left.is_zero())
            }
            Terminal::Answers => {
                while self.on_the_way.front().is_some_and(|sent| now.saturating_sub(sent.at) >= LOST) {
                    self.on_the_way.pop_front();
                }
                let oldest = self.on_the_way.front()?.at;
                (self.bytes() > WINDOW).then(|| (oldest + LOST).saturating_sub(now))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_frame_waits_until_there_is_room_on_the_line() {
        let mut pacing = Pacing::default();
        assert_eq!(pacing.wait(ms(0)), None, "the first is sent at once");
        pacing.sent(8000, true, ms(0));
        assert_eq!(pacing.wait(ms(50)), None, "nothing is known of the terminal");
        pacing.sent(8000, true, ms(50));
        assert_eq!(pacing.wait(ms(100)), Some(ms(200)), "so much is not sent unheard");
        pacing.answered();
        pacing.answered();
        assert_eq!(pacing.wait(ms(200)), None);
        for n in 0..3 {
            pacing.sent(500, true, ms(200 + n));
            assert_eq!(pacing.wait(ms(210)), None, "small ones follow each other");
        }
        pacing.sent(500, true, ms(210));
        assert!(pacing.wait(ms(220)).is_some());
        pacing.answered();
        assert_eq!(pacing.wait(ms(230)), None);
    }

    #[test]
    fn a_terminal_that_answers_nothing_is_not_held_back_for_long() {
        let mut pacing = Pacing::default();
        pacing.sent(12_000, true, ms(1000));
        assert!(pacing.wait(ms(1100)).is_some());
        assert_eq!(pacing.wait(ms(1250)), None, "one frame is waited for so long");
        pacing.sent(8000, true, ms(1250));
        assert!(pacing.asks(1) && pacing.last_wait() == PATIENCE);
        assert_eq!(pacing.wait(ms(4000)), None);
        assert!(!pacing.asks(1) && pacing.last_wait().is_zero());
        pacing.sent(8000, true, ms(4000));
        assert_eq!(pacing.wait(ms(4001)), None);
        pacing.answered();
        assert!(pacing.asks(8000), "it only was slow");
        assert!(pacing.last_wait().is_zero(), "nothing is on its way");
    }

    #[test]
    fn an_answer_that_was_lost_does_not_stop_it() {
        let mut pacing = Pacing::default();
        pacing.sent(100, true, ms(0));
        pacing.answered();
        pacing.sent(8000, true, ms(10));
        assert_eq!(pacing.wait(ms(10)), Some(LOST));
        assert_eq!(pacing.wait(ms(10) + LOST), None);
        pacing.answered();
        pacing.answered();
        assert_eq!(pacing.wait(ms(30_000)), None, "more answers than questions do no harm");
    }

    #[test]
    fn small_frames_are_not_asked_for_one_by_one_and_count_all_the_same() {
        let mut pacing = Pacing::default();
        let send = |pacing: &mut Pacing, bytes, now| {
            let asks = pacing.asks(bytes);
            pacing.sent(bytes, asks, now);
            asks
        };
        assert!(send(&mut pacing, 40, ms(0)), "until it has answered once, it is asked");
        pacing.answered();
        let asked = (0..100).filter(|&n| send(&mut pacing, 50, ms(n))).count();
        assert!((5..=15).contains(&asked), "{asked} questions for 100 frames of 50 bytes");
        assert!(pacing.wait(ms(100)).is_some(), "5000 bytes are on their way");
        (0..asked).for_each(|_| pacing.answered());
        assert_eq!((pacing.wait(ms(100)), pacing.last_wait()), (None, Duration::ZERO));
    }
}
