//! What is an answer of the terminal and what is a key.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{ASKED, Answer, Rgb};
use crate::base::clock::Stopwatch;

/// How long answers are looked for; over a line that is slower than this they are keys.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long after Esc the other letters of an answer may begin, which follow at once.
const AT_ONCE: Duration = Duration::from_millis(30);
/// Letters of the longest answer.
const LONGEST: usize = 256;

/// What came from the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Event(Event),
    Answer(Answer),
}

/// Tells answers from keys.
#[derive(Debug)]
pub struct Sieve {
    began: Stopwatch,
    /// What is still awaited, and since when.
    awaited: Vec<(Question, Duration)>,
    state: State,
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    Background,
    Name,
    Kitty,
}

/// Where in a stream of events it is.
#[derive(Debug, Default)]
enum State {
    #[default]
    Outside,
    /// After Esc alone. It was given on: crossterm makes one of a person's and of that of an answer right behind it, and
    /// of an answer's own only where a read ended just there.
    AfterEsc { since: Duration },
    /// What came looks like an answer; `held` is given on if it turns out to be none.
    Begun { question: Question, text: String, held: Vec<Event> },
    /// It is an answer.
    Sure { question: Question, text: String, esc: bool },
}

impl Question {
    pub const ALL: [Question; 3] = [Question::Background, Question::Name, Question::Kitty];

    /// The letter after Esc that begins its answer.
    fn introducer(self) -> char {
        match self {
            Question::Background => ']',
            Question::Name => 'P',
            Question::Kitty => '_',
        }
    }

    /// What follows in every answer to it.
    fn prefix(self) -> String {
        match self {
            Question::Background => "11;rgb".to_owned(),
            Question::Name => ">|".to_owned(),
            Question::Kitty => format!("G{ASKED};"),
        }
    }

    fn answer(self, text: &str) -> Option<Answer> {
        let value = text.strip_prefix(&self.prefix())?;
        match self {
            Question::Background => colour(value).map(Answer::Background),
            Question::Name if value.is_empty() => None,
            Question::Name => Some(Answer::Terminal(value.to_owned())),
            Question::Kitty => Some(Answer::Kitty(value == "OK")),
        }
    }
}

impl Sieve {
    /// Every question goes out now.
    pub fn start() -> Self {
        let awaited = Question::ALL.map(|question| (question, Duration::ZERO)).to_vec();
        Sieve { began: Stopwatch::start(), awaited, state: State::Outside }
    }

    /// A question goes out once more.
    pub fn asked(&mut self, question: Question) {
        self.awaited.push((question, self.began.elapsed()));
    }

    /// Takes an event, and gives on what is known by then.
    pub fn take(&mut self, event: Event) -> Vec<Heard> {
        self.sift(event, self.began.elapsed())
    }

    /// Takes an event that comes `now`, a time since the beginning.
    fn sift(&mut self, event: Event, now: Duration) -> Vec<Heard> {
        let Some(key) = pressed(&event) else { return vec![Heard::Event(event)] };
        self.awaited.retain(|(_, asked)| now.saturating_sub(*asked) < PATIENCE);
        match std::mem::take(&mut self.state) {
            State::Sure { question, text, esc } => self.go_on(question, text, esc, event),
            State::Begun { question, text, held } => self.compare(question, text, held, event),
            State::Outside => self.begin(key, false, event, now),
            State::AfterEsc { since } => self.begin(key, now.saturating_sub(since) <= AT_ONCE, event, now),
        }
    }

    fn begin(&mut self, key: KeyEvent, after_esc: bool, event: Event, now: Duration) -> Vec<Heard> {
        let is_introduced = after_esc || key.modifiers.contains(KeyModifiers::ALT);
        let question = Question::ALL.into_iter().find(|question| {
            let is_awaited = self.awaited.iter().any(|(awaited, _)| awaited == question);
            is_introduced && is_awaited && key.code == KeyCode::Char(question.introducer())
        });
        if let Some(question) = question {
            self.state = State::Begun { question, text: String::new(), held: vec![event] };
            return Vec::new();
        }
        if key.code == KeyCode::Esc {
            self.state = State::AfterEsc { since: now };
        }
        vec![Heard::Event(event)]
    }

    fn compare(&mut self, question: Question, mut text: String, mut held: Vec<Event>, event: Event) -> Vec<Heard> {
        let letter = pressed(&event).and_then(letter);
        let prefix = question.prefix();
        held.push(event);
        text.extend(letter);
        if letter.is_none() || !prefix.starts_with(&text) {
            return held.into_iter().map(Heard::Event).collect();
        }
        self.state = match text == prefix {
            true => State::Sure { question, text, esc: false },
            false => State::Begun { question, text, held },
        };
        Vec::new()
    }

    fn go_on(&mut self, question: Question, mut text: String, esc: bool, event: Event) -> Vec<Heard> {
        let Some(key) = pressed(&event) else { return vec![Heard::Event(event)] };
        let is_bell = key.code == KeyCode::Char('g') && key.modifiers == KeyModifiers::CONTROL;
        let is_backslash = key.code == KeyCode::Char('\\');
        if is_bell || (is_backslash && (esc || key.modifiers.contains(KeyModifiers::ALT))) {
            if let Some(at) = self.awaited.iter().position(|(awaited, _)| *awaited == question) {
                self.awaited.remove(at);
            }
            return question.answer(&text).map(Heard::Answer).into_iter().collect();
        }
        text.extend(letter(key));
        // Something this long is no answer, but was asked for: none of it is a key.
        if text.len() < LONGEST {
            self.state = State::Sure { question, text, esc: key.code == KeyCode::Esc };
        }
        Vec::new()
    }
}

fn pressed(event: &Event) -> Option<KeyEvent> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(*key),
        _ => None,
    }
}

/// The letter that a key is without Alt and Ctrl.
fn letter(key: KeyEvent) -> Option<char> {
    match key.code {
        KeyCode::Char(letter) if (key.modifiers - KeyModifiers::SHIFT).is_empty() => Some(letter),
        _ => None,
    }
}

/// Reads what follows `rgb` in `rgb:1e1e/1e1e/1e1e` and `rgba:…`; one to four digits each.
fn colour(text: &str) -> Option<Rgb> {
    let parts = text.strip_prefix("a:").or_else(|| text.strip_prefix(':'))?;
    let channel = |digits: &str| {
        let value = u32::from_str_radix(digits, 16).ok().filter(|_| (1..=4).contains(&digits.len()))?;
        u8::try_from(value * 255 / ((1 << (4 * digits.len())) - 1)).ok()
    };
    let mut channels = parts.split('/').map(channel);
    Some(Rgb(channels.next()??, channels.next()??, channels.next()??))
}

#[cfg(test)]
mod tests;
