//! A line of a log as a terminal would show it: colours are kept, whatever else a terminal would obey is left out.
//!
//! Invariant: no control character comes out, whatever bytes go in. The time is linear in the bytes.

use std::borrow::Cow;

use ratatui::style::Style;
use unicode_width::UnicodeWidthChar;

use super::sgr;
use crate::base::text::is_unsafe;
use crate::tui::styled::Styled;

/// Columns from one tabulator to the next.
const TAB: usize = 8;

/// The line with its colours, as the program that wrote it meant them.
pub fn decode(line: &[u8]) -> Styled {
    let mut screen = Screen::default();
    screen.show(&String::from_utf8_lossy(line));
    screen.line
}

/// What the line says, the same as [`decode`] has it.
pub fn text(line: &[u8]) -> Cow<'_, str> {
    let is_plain = line.iter().all(|byte| (0x20..0x7f).contains(byte));
    match std::str::from_utf8(line) {
        Ok(text) if is_plain => Cow::Borrowed(text),
        _ => Cow::Owned(decode(line).text().to_owned()),
    }
}

/// A terminal with one line and nothing but colours.
#[derive(Default)]
struct Screen {
    line: Styled,
    columns: usize,
    style: Style,
    /// The cursor is back at the beginning: what comes now replaces the line.
    returned: bool,
    /// No string that begins from here on has an end.
    endless: bool,
}

impl Screen {
    fn show(&mut self, text: &str) {
        let mut rest = text.chars();
        while let Some(letter) = rest.next() {
            match letter {
                '\x1b' => self.escape(&mut rest),
                '\u{9b}' => self.sequence(&mut rest),
                '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => self.string(&mut rest),
                '\r' => self.returned = true,
                '\x08' => self.back(),
                '\t' => self.put(&" ".repeat(TAB - self.columns % TAB), TAB - self.columns % TAB),
                letter if letter.is_control() => {}
                letter if is_unsafe(letter) => self.put("\u{FFFD}", 1),
                letter => self.put(letter.encode_utf8(&mut [0; 4]), letter.width().unwrap_or(0)),
            }
        }
    }

    fn put(&mut self, text: &str, columns: usize) {
        if std::mem::take(&mut self.returned) {
            self.line.clear();
            self.columns = 0;
        }
        self.line.push_safe(text, self.style);
        self.columns += columns;
    }

    fn back(&mut self) {
        let gone = self.line.pop().and_then(UnicodeWidthChar::width).unwrap_or(0);
        self.columns = self.columns.saturating_sub(gone);
    }

    /// What follows ESC.
    fn escape(&mut self, rest: &mut std::str::Chars) {
        match rest.as_str().bytes().next() {
            Some(b'[') => {
                rest.next();
                self.sequence(rest);
            }
            Some(b']' | b'P' | b'X' | b'^' | b'_') => {
                rest.next();
                self.string(rest);
            }
            Some(0x20..=0x2f) => {
                skip(rest, |byte| (0x20..=0x2f).contains(&byte));
                skip_one(rest, |byte| (0x30..=0x7e).contains(&byte));
            }
            Some(0x30..=0x7e) => drop(rest.next()),
            _ => {}
        }
    }

    /// What follows CSI: parameters, and a letter that says what they mean.
    fn sequence(&mut self, rest: &mut std::str::Chars) {
        let begin = rest.as_str();
        skip(rest, |byte| (0x30..=0x3f).contains(&byte));
        let parameters = &begin[..begin.len() - rest.as_str().len()];
        if rest.as_str().starts_with('m') {
            self.style = sgr::applied(self.style, parameters);
        }
        skip(rest, |byte| (0x20..=0x2f).contains(&byte));
        skip_one(rest, |byte| (0x40..=0x7e).contains(&byte));
    }

    /// A title, a link, a picture …, up to its end; one without an end is no reason to hide the rest of the line.
    fn string(&mut self, rest: &mut std::str::Chars) {
        if self.endless {
            return;
        }
        let text = rest.as_str();
        let ends = text.char_indices().filter(|(at, letter)| match letter {
            '\x07' | '\u{9c}' => true,
            '\\' => text[..*at].ends_with('\x1b'),
            _ => false,
        });
        match ends.map(|(at, letter)| at + letter.len_utf8()).next() {
            Some(end) => *rest = text[end..].chars(),
            None => self.endless = true,
        }
    }
}

fn skip(rest: &mut std::str::Chars, is_skipped: impl Fn(u8) -> bool) {
    while rest.as_str().bytes().next().is_some_and(&is_skipped) {
        rest.next();
    }
}

fn skip_one(rest: &mut std::str::Chars, is_skipped: impl Fn(u8) -> bool) {
    if rest.as_str().bytes().next().is_some_and(is_skipped) {
        rest.next();
    }
}

#[cfg(test)]
mod tests;
