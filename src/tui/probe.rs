//! What the terminal can do: asked once, never waited for.
//!
//! The questions go out before the first frame. What comes back comes as keys: crossterm knows neither OSC, DCS nor APC,
//! and gives their beginning as a letter with Alt and the rest letter by letter, which would be obeyed as keys. So a
//! [`Sieve`] stands before the keymap.
//!
//! Invariants: of an answer no key is obeyed; what a person types is held back only while it begins just as an answer that
//! is still awaited, and is given on in order as soon as it does not. The answers to CSI questions (`CSI 16 t`, DA1) are
//! dropped by crossterm itself; the size of a cell is asked of the kernel instead.

mod sieve;

pub use sieve::{Heard, Question, Sieve};

/// The number of the picture that the question about kitty's protocol is about.
const ASKED: &str = "i=31";

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// Whether dark text reads better on it: its luma is over a half.
    pub fn is_light(self) -> bool {
        let Rgb(r, g, b) = self;
        299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b) > 127_500
    }
}

/// What the terminal answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The colour behind the text.
    Background(Rgb),
    /// Its name and version, as `kitty(0.40.1)`.
    Terminal(String),
    /// Whether it draws pictures by kitty's protocol.
    Kitty(bool),
}

/// What is known of the terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terminal {
    /// As it calls itself, or as the environment does.
    pub name: Option<String>,
    pub background: Option<Rgb>,
    pub kitty: Option<bool>,
    /// tmux or screen stands in between, and passes no pictures on.
    pub multiplexed: bool,
    /// Width and height of a cell in pixels, where the kernel knows it.
    pub cell: Option<(u16, u16)>,
}

impl Terminal {
    /// What the environment says.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Terminal {
        let value = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = value("TERM").unwrap_or_default();
        let multiplexed = value("TMUX").is_some()
            || value("STY").is_some()
            || ["tmux", "screen"].iter().any(|name| term.starts_with(name));
        // `LC_TERMINAL` goes through SSH where the others do not.
        let name = value("LC_TERMINAL").or_else(|| value("TERM_PROGRAM"));
        let of_term = ["kitty", "ghostty", "foot", "mlterm", "linux", "dumb"].iter().find(|name| term.contains(**name));
        let name = name.or_else(|| of_term.map(|name| (*name).to_owned()));
        Terminal { name, multiplexed, ..Terminal::default() }
    }

    /// Takes an answer.
    pub fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Background(rgb) => self.background = Some(rgb),
            // tmux answers for itself, as does what runs in it.
            Answer::Terminal(name) => {
                self.multiplexed |= name.starts_with("tmux") || name.starts_with("screen");
                self.name = Some(name);
            }
            Answer::Kitty(can) => self.kitty = Some(can),
        }
    }

    /// The questions, to be written before the first frame, which paints over what a terminal may make of them.
    pub fn questions(&self) -> String {
        let name = self.name.as_deref().unwrap_or_default();
        // The console of Linux would print what it does not know.
        if matches!(name, "linux" | "dumb") {
            return String::new();
        }
        let mut questions = "\x1b]11;?\x1b\\\x1b[>0q".to_owned();
        // tmux would take it for a title, Apple's terminal for text.
        if !self.multiplexed && name != "Apple_Terminal" {
            questions += &format!("\x1b_G{ASKED},s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\");
        }
        questions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_the_terminal() {
        type Case = (&'static [(&'static str, &'static str)], Option<&'static str>, bool);
        let cases: [Case; 8] = [
            (&[("TERM", "xterm-kitty")], Some("kitty"), false),
            (&[("TERM", "xterm-ghostty"), ("TERM_PROGRAM", "ghostty")], Some("ghostty"), false),
            (&[("TERM", "xterm-256color"), ("LC_TERMINAL", "iTerm2")], Some("iTerm2"), false),
            (&[("TERM", "foot-extra")], Some("foot"), false),
            (&[("TERM", "tmux-256color"), ("TERM_PROGRAM", "tmux")], Some("tmux"), true),
            (&[("TERM", "screen")], None, true),
            (&[("TERM", "xterm"), ("TMUX", "/tmp/tmux-0/default,1,0")], None, true),
            (&[("TERM", "xterm"), ("TERM_PROGRAM", "")], None, false),
        ];
        for (variables, name, multiplexed) in cases {
            let variable = |name: &str| variables.iter().find(|v| v.0 == name).map(|v| v.1.to_owned());
            let terminal = Terminal::detect(variable);
            assert_eq!((terminal.name.as_deref(), terminal.multiplexed), (name, multiplexed), "{variables:?}");
        }
    }

    #[test]
    fn it_is_asked_only_what_it_does_not_print() {
        let terminal =
            |name: &str, multiplexed| Terminal { name: Some(name.into()), multiplexed, ..Terminal::default() };
        assert_eq!(terminal("linux", false).questions(), "");
        assert!(!terminal("tmux", true).questions().contains("\x1b_"));
        assert!(!terminal("Apple_Terminal", false).questions().contains("\x1b_"));
        let all = Terminal::default().questions();
        assert!(all.contains("\x1b]11;?") && all.contains("\x1b[>0q") && all.contains("\x1b_Gi=31,"), "{all:?}");
    }

    #[test]
    fn light_and_dark() {
        for (rgb, is_light) in [
            (Rgb(0, 0, 0), false),
            (Rgb(255, 255, 255), true),
            (Rgb(253, 246, 227), true),
            (Rgb(0, 43, 54), false),
            (Rgb(0, 0, 255), false),
            (Rgb(255, 255, 0), true),
        ] {
            assert_eq!(rgb.is_light(), is_light, "{rgb:?}");
        }
    }

    #[test]
    fn answers_say_more_than_the_environment() {
        let mut terminal = Terminal::detect(|name| (name == "TERM").then(|| "xterm-256color".to_owned()));
        terminal.take(Answer::Terminal("tmux 3.4".into()));
        terminal.take(Answer::Background(Rgb(1, 2, 3)));
        assert!(terminal.multiplexed);
        assert_eq!(terminal.background, Some(Rgb(1, 2, 3)));
    }
}
