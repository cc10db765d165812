//! The line of a step, of which there may be a million, read without a JSON parser.
//!
//! Invariant: what is read here serde reads the same, to the last bit; of a line that is not of the very form in which the
//! worker writes it nothing is read here.

use super::event::Step;
use crate::base::clock::Timestamp;

/// A step as its line has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepLine<'a> {
    /// Milliseconds since 1970.
    pub time: i64,
    pub phase: &'a str,
    pub epoch: u32,
    pub step: u32,
    pub steps: u32,
    pub loss: f64,
    pub accuracy: f64,
    pub lr: f64,
    pub samples_per_s: f64,
}

impl StepLine<'_> {
    /// The same as an event, and its time.
    pub fn event(self) -> (Timestamp, Step) {
        let StepLine { time, phase, epoch, step, steps, loss, accuracy, lr, samples_per_s } = self;
        let step = Step { phase: phase.to_owned(), epoch, step, steps, loss, accuracy, lr, samples_per_s };
        (Timestamp::from_millis(time), step)
    }
}

/// The steps at the beginning of a stretch of lines, one after the other, up to the first line that is none.
#[derive(Debug)]
pub struct StepLines<'a> {
    rest: &'a [u8],
    /// The phase of the line before, which the next one mostly has too, and so its minute.
    phase: &'a str,
    minute: Minute,
    /// The text of the line's rate, and what it is.
    lr: (&'a [u8], f64),
}

impl<'a> StepLines<'a> {
    /// Those at the beginning of `lines`.
    pub fn of(lines: &'a [u8]) -> Self {
        StepLines {
            rest: lines,
            phase: "",
            minute: Minute { text: *b"1970-01-01T00:00", millis: 0 },
            lr: (b"null", f64::NAN),
        }
    }

    /// The lines that are still to be read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for StepLines<'a> {
    type Item = StepLine<'a>;

    #[inline]
    fn next(&mut self) -> Option<StepLine<'a>> {
        let mut at = Place(self.rest);
        at.pass(b"{\"seq\":")?;
        at.integer()?;
        at.pass(b",\"time\":\"")?;
        let time = at.time(&mut self.minute)?;
        at.pass(b"\",\"type\":\"step\",\"phase\":\"")?;
        let phase = at.text(self.phase)?;
        at.pass(b"\",\"epoch\":")?;
        let epoch = at.small()?;
        at.pass(b",\"step\":")?;
        let step = at.small()?;
        at.pass(b",\"steps\":")?;
        let steps = at.small()?;
        at.pass(b",\"loss\":")?;
        let loss = at.figure()?;
        at.pass(b",\"accuracy\":")?;
        let accuracy = at.figure()?;
        at.pass(b",\"lr\":")?;
        let lr = at.guessed(&mut self.lr)?;
        at.pass(b",\"samples_per_s\":")?;
        let samples_per_s = at.figure()?;
        at.pass(b"}\n")?;
        (self.rest, self.phase) = (at.0, phase);
        Some(StepLine { time, phase, epoch, step, steps, loss, accuracy, lr, samples_per_s })
    }
}

/// A minute, as `2025-11-25T04:41` and in milliseconds since 1970.
#[derive(Debug)]
struct Minute {
    text: [u8; 16],
    millis: i64,
}

impl Minute {
    fn read(text: &[u8; 16]) -> Option<Minute> {
        let mut at = Place(text);
        let year = at.number(4)?;
        at.pass(b"-")?;
        let month = at.number(2)?;
        at.pass(b"-")?;
        let day = at.number(2)?;
        at.pass(b"T")?;
        let hour = at.number(2)?;
        at.pass(b":")?;
        let minute = at.number(2)?;
        let is_date =
            (1970..=9998).contains(&year) && (1..=12).contains(&month) && day >= 1 && day <= days(year, month);
        if !is_date || hour > 23 || minute > 59 {
            return None;
        }
        let minutes = ((days_before(year, month) + day - 1) * 24 + hour) * 60 + minute;
        Some(Minute { text: *text, millis: minutes * 60_000 })
    }
}

/// What is still to be read.
struct Place<'a>(&'a [u8]);

/// Digits of a number below 2^63, whatever they are.
const DIGITS: usize = 18;

/// Powers of ten, as serde_json multiplies with them.
const POWERS: [f64; 40] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31, 1e32, 1e33, 1e34, 1e35, 1e36, 1e37, 1e38, 1e39,
];

impl<'a> Place<'a> {
    #[inline]
    fn pass<const N: usize>(&mut self, text: &[u8; N]) -> Option<()> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        (first == text).then_some(())
    }

    /// Takes `text` if it is next.
    fn has(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Adds the digits that are next to `number`; how many. Letter by letter, since the processor guesses the length of
    /// short numbers and works ahead.
    #[inline]
    fn digits(&mut self, number: &mut u64) -> usize {
        let mut count = 0;
        while let Some((digit @ b'0'..=b'9', rest)) = self.0.split_first() {
            *number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.0 = rest;
            count += 1;
        }
        count
    }

    /// As `digits`, for many: eight at once.
    #[inline]
    fn many_digits(&mut self, number: &mut u64) -> usize {
        let mut count = 0;
        while let Some((eight, rest)) = self.0.split_first_chunk() {
            let Some(value) = eight_digits(*eight) else { break };
            *number = number.wrapping_mul(100_000_000).wrapping_add(value);
            self.0 = rest;
            count += 8;
        }
        count + self.digits(number)
    }

    /// A whole number without a sign, as JSON has it.
    fn integer(&mut self) -> Option<u64> {
        let starts_with_zero = self.0.first() == Some(&b'0');
        let mut number = 0;
        let count = self.digits(&mut number);
        ((1..=DIGITS).contains(&count) && (count == 1 || !starts_with_zero)).then_some(number)
    }

    fn small(&mut self) -> Option<u32> {
        self.integer()?.try_into().ok()
    }

    /// A number, or null for one that is none. As serde_json computes it, whose last bit is not always the nearest.
    fn figure(&mut self) -> Option<f64> {
        if self.0.first() == Some(&b'n') {
            self.pass(b"null")?;
            return Some(f64::NAN);
        }
        let is_negative = self.has(b'-');
        let starts_with_zero = self.0.first() == Some(&b'0');
        let mut number = 0;
        let whole = self.digits(&mut number);
        if whole == 0 || (whole > 1 && starts_with_zero) {
            return None;
        }
        let has_point = self.has(b'.');
        // Zeros before the first digit that counts cost no room.
        let mut zeros = 0;
        while has_point && number == 0 && self.has(b'0') {
            zeros += 1;
        }
        let counting = if has_point { self.many_digits(&mut number) } else { 0 };
        let parts = zeros + counting;
        let has_exponent = self.has(b'e');
        if whole + counting > DIGITS || (has_point && parts == 0) || (is_negative && !has_point && !has_exponent) {
            return None;
        }
        let exponent = if has_exponent { self.exponent()? } else { 0 } - i32::try_from(parts).ok()?;
        let power = POWERS.get(exponent.unsigned_abs() as usize)?;
        // One of 18 digits has no need of the highest bit, and to turn it into a float is one instruction then.
        let number = number.cast_signed() as f64;
        let value = if exponent < 0 { number / power } else { number * power };
        Some(if is_negative { -value } else { value })
    }

    /// As `figure`, where it is mostly the one of the line before.
    #[inline]
    fn guessed(&mut self, known: &mut (&'a [u8], f64)) -> Option<f64> {
        if let Some(rest) = self.0.strip_prefix(known.0)
            && rest.first() == Some(&b',')
        {
            self.0 = rest;
            return Some(known.1);
        }
        let before = self.0;
        let figure = self.figure()?;
        *known = (before.get(..before.len() - self.0.len())?, figure);
        Some(figure)
    }

    fn exponent(&mut self) -> Option<i32> {
        let is_negative = self.has(b'-');
        let mut number = 0;
        let count = self.digits(&mut number);
        let number = if (1..=3).contains(&count) { i32::try_from(number).ok()? } else { return None };
        Some(if is_negative { -number } else { number })
    }

    /// A text without escapes, up to its quote; `guess` is what it mostly is.
    #[inline]
    fn text(&mut self, guess: &'a str) -> Option<&'a str> {
        if let Some(rest) = self.0.strip_prefix(guess.as_bytes())
            && rest.first() == Some(&b'"')
        {
            self.0 = rest;
            return Some(guess);
        }
        let end = self.0.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < b' ')?;
        let (text, rest) = self.0.split_at(end);
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    /// `2025-11-25T04:41:07.120Z`, in milliseconds since 1970; `known` is the minute that it mostly is in.
    #[inline]
    fn time(&mut self, known: &mut Minute) -> Option<i64> {
        let (minute, rest) = self.0.split_first_chunk()?;
        if *minute != known.text {
            *known = Minute::read(minute)?;
        }
        self.0 = rest;
        self.pass(b":")?;
        let second = self.number(2)?;
        self.pass(b".")?;
        let milli = self.number(3)?;
        self.pass(b"Z")?;
        (second < 60).then(|| known.millis + second * 1000 + milli)
    }

    /// Exactly so many digits.
    #[inline]
    fn number(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        let add = |number: i64, digit: &u8| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'));
        digits.iter().try_fold(0, add)
    }
}

/// The number that eight letters are, if all of them are digits: pairs of digits, fours, and the whole.
#[inline]
fn eight_digits(letters: [u8; 8]) -> Option<u64> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let digits = u64::from_le_bytes(letters) ^ (EACH * u64::from(b'0'));
    // What is above 9 comes to 128 or more with 118 added.
    if (digits | digits.wrapping_add(EACH * 118)) & (EACH * 128) != 0 {
        return None;
    }
    let pairs = (digits.wrapping_mul(1 + (10 << 8)) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(1 + (100 << 16)) >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(1 + (10_000 << 32)) >> 32)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month, from 1.
fn days(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970 to a month's first.
fn days_before(year: i64, month: i64) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let past = year - 1;
    let years = past * 365 + past / 4 - past / 100 + past / 400 - 719_162;
    let months = usize::try_from(month - 1).ok().and_then(|month| BEFORE.get(month)).copied().unwrap_or(0);
    years + months + i64::from(month > 2 && is_leap(year))
}

#[cfg(test)]
mod tests;
