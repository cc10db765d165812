//! Notices where the dashboard is not looked at: a bell, a desktop notice through the terminal (so through SSH too), or a
//! command of the person's.
//!
//! Invariant: what a name or a message holds is made printable before it goes into a sequence, and reaches a command only
//! through variables of its environment.

use std::process::{Command, Stdio};

use super::notices::{Kind, Told};
use super::probe::Terminal;
use crate::base::text::{printable, truncated};

/// What the person wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wishes {
    pub bell: bool,
    pub desktop: bool,
    /// For the shell; knows of the notice by the variables `FINETOP_NOTICE`, `FINETOP_RUN` and `FINETOP_TEXT`.
    pub command: Option<String>,
    pub on: Vec<Kind>,
}

impl Default for Wishes {
    fn default() -> Self {
        Wishes { bell: false, desktop: false, command: None, on: vec![Kind::Finished, Kind::Failed] }
    }
}

/// The longest text of a desktop notice, in columns.
const LONGEST: usize = 160;

impl Wishes {
    /// Those that are wished for.
    pub fn wanted<'t>(&self, told: &'t [Told]) -> Vec<&'t Told> {
        told.iter().filter(|one| self.on.contains(&one.kind)).collect()
    }

    /// What the terminal is sent for these.
    pub fn bytes(&self, told: &[&Told], terminal: &Terminal) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.desktop {
            for one in told {
                bytes.extend_from_slice(desktop(&one.text, terminal).as_bytes());
            }
        }
        if self.bell && !told.is_empty() {
            bytes.push(0x07);
        }
        bytes
    }

    /// Starts the command for each, and waits for none.
    pub fn run(&self, told: &[&Told]) {
        let Some(command) = &self.command else { return };
        for one in told {
            let started = Command::new("/bin/sh")
                .args(["-c", command])
                .env("FINETOP_NOTICE", one.kind.name())
                .env("FINETOP_RUN", one.id.0.to_string())
                .env("FINETOP_TEXT", printable(&one.text))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            if let Ok(mut child) = started {
                std::thread::spawn(move || child.wait());
            }
        }
    }
}

/// OSC 777 for those who know only that, OSC 9 for the rest; tmux hands on what is wrapped.
fn desktop(text: &str, terminal: &Terminal) -> String {
    let text = truncated(&printable(text), LONGEST).replace(';', ",");
    let knows_777 = terminal.name.as_deref().is_some_and(|name| {
        let name = name.to_ascii_lowercase();
        ["foot", "rxvt", "vte"].iter().any(|known| name.contains(known))
    });
    let sequence = match knows_777 {
        true => format!("\x1b]777;notify;finetop;{text}\x1b\\"),
        false => format!("\x1b]9;{text}\x07"),
    };
    match terminal.multiplexed {
        true => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
        false => sequence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::RunId;

    fn told(kind: Kind, text: &str) -> Told {
        Told { id: RunId(7), kind, time: None, text: text.to_owned() }
    }

    #[test]
    fn only_what_is_wished_for_is_said_and_nothing_is_obeyed() {
        let all = [told(Kind::Finished, "a;b\x1b]0;x\x07"), told(Kind::Advice, "c")];
        let wishes = Wishes { bell: true, desktop: true, ..Wishes::default() };
        let wanted = wishes.wanted(&all);
        assert_eq!(wanted, [&all[0]]);
        let foot = Terminal { name: Some("foot(1.2)".into()), ..Terminal::default() };
        let tmux = Terminal { multiplexed: true, ..Terminal::default() };
        let text = "a,b\u{FFFD}]0,x\u{FFFD}";
        for (terminal, expected) in [
            (Terminal::default(), format!("\x1b]9;{text}\x07\x07")),
            (foot, format!("\x1b]777;notify;finetop;{text}\x1b\\\x07")),
            (tmux, format!("\x1bPtmux;\x1b\x1b]9;{text}\x07\x1b\\\x07")),
        ] {
            assert_eq!(String::from_utf8(wishes.bytes(&wanted, &terminal)).unwrap(), expected);
        }
        assert_eq!(Wishes::default().bytes(&wanted, &Terminal::default()), b"");
        assert_eq!(wishes.bytes(&[], &Terminal::default()), b"");
    }
}
