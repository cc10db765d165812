//! Colours and glyphs, as rich as the terminal allows: true colour, the sixteen, or none; Unicode or ASCII.

use ratatui::style::{Color, Modifier, Style};

use crate::record::event::Event;
use crate::record::state::RunState;
use crate::record::state::Status;

/// How many colours there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colors {
    True,
    Sixteen,
    None,
}

/// How everything looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    pub colors: Colors,
    /// Only characters below 128.
    pub ascii: bool,
}

/// What a text is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Plain,
    Strong,
    Dim,
    Border,
    Focus,
    Good,
    Warning,
    Bad,
    Live,
    Train,
    Val,
    Steps,
    Accent,
}

impl Theme {
    /// What the environment says the terminal can do (<https://no-color.org>, `COLORTERM`, `TERM`, the locale).
    pub fn detect(no_color: bool, ascii: bool, variable: impl Fn(&str) -> Option<String>) -> Theme {
        let value = |name: &str| variable(name).filter(|value| !value.is_empty());
        let plain = no_color || value("NO_COLOR").is_some() || value("TERM").is_some_and(|term| term == "dumb");
        let rich = value("COLORTERM").is_some_and(|term| term == "truecolor" || term == "24bit");
        let colors = match (plain, rich) {
            (true, _) => Colors::None,
            (false, true) => Colors::True,
            (false, false) => Colors::Sixteen,
        };
        let locale = value("LC_ALL").or_else(|| value("LC_CTYPE")).or_else(|| value("LANG")).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        Theme { colors, ascii: ascii || !(locale.contains("utf-8") || locale.contains("utf8")) }
    }

    /// One without colours, for what does not depend on them.
    pub fn plain() -> Theme {
        Theme { colors: Colors::None, ascii: false }
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        let style = Style::new().fg(self.color(role));
        match role {
            Role::Strong | Role::Focus => style.add_modifier(Modifier::BOLD),
            Role::Dim | Role::Border | Role::Steps if self.colors != Colors::True => style.add_modifier(Modifier::DIM),
            _ => style,
        }
    }

    fn color(&self, role: Role) -> Color {
        let (rgb, sixteen) = match role {
            Role::Plain | Role::Strong => return Color::Reset,
            Role::Dim => ((0x7d, 0x87, 0x95), Color::Reset),
            Role::Border => ((0x4b, 0x55, 0x63), Color::Reset),
            Role::Focus | Role::Accent => ((0x7a, 0xa2, 0xf7), Color::Blue),
            Role::Good => ((0x8f, 0xc8, 0x7a), Color::Green),
            Role::Warning => ((0xe5, 0xb9, 0x5f), Color::Yellow),
            Role::Bad => ((0xf0, 0x71, 0x78), Color::Red),
            Role::Live => ((0x5f, 0xcf, 0xd8), Color::Cyan),
            Role::Train => ((0x5f, 0xa8, 0xf5), Color::Blue),
            Role::Val => ((0xf5, 0xa9, 0x5f), Color::Yellow),
            Role::Steps => ((0x3c, 0x52, 0x6e), Color::Reset),
        };
        match self.colors {
            Colors::True => Color::Rgb(rgb.0, rgb.1, rgb.2),
            Colors::Sixteen => sixteen,
            Colors::None => Color::Reset,
        }
    }

    /// The style of the chosen row, over that of its text.
    pub fn selected(&self) -> Style {
        match self.colors {
            Colors::True => Style::new().bg(Color::Rgb(0x2a, 0x33, 0x44)),
            Colors::Sixteen | Colors::None => Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    /// `unicode`, or `ascii` where that is all there is.
    pub fn pick(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.ascii { ascii } else { unicode }
    }

    /// The glyph of a run's state, and its role.
    pub fn state(&self, run: &RunState) -> (&'static str, Role) {
        self.status(run.status(), super::format::stopped_early(run))
    }

    /// The glyph of a state, and its role.
    pub fn status(&self, status: Status, stopped_early: bool) -> (&'static str, Role) {
        match status {
            Status::Starting | Status::Running => (self.pick("▶", ">"), Role::Live),
            Status::Queued => (self.pick("·", "."), Role::Dim),
            Status::Paused => (self.pick("‖", "="), Role::Warning),
            Status::Lost => (self.pick("?", "?"), Role::Warning),
            Status::Finished if stopped_early => (self.pick("■", "#"), Role::Good),
            Status::Finished => (self.pick("✓", "+"), Role::Good),
            Status::Failed => (self.pick("✗", "x"), Role::Bad),
            Status::Cancelled => (self.pick("⊘", "-"), Role::Dim),
        }
    }

    /// The role of an event's kind.
    pub fn event(&self, event: &Event) -> Role {
        match event {
            Event::RunStarted(_) | Event::PhaseStarted(_) => Role::Accent,
            Event::Stage(_) | Event::Step(_) | Event::Checkpoint(_) | Event::Confusion(_) => Role::Dim,
            Event::Samples(_) | Event::Unknown => Role::Dim,
            Event::Epoch(_) | Event::Log(_) => Role::Plain,
            Event::LrChanged(_) | Event::Advice(_) | Event::Skipped(_) => Role::Warning,
            Event::Best(_) | Event::Finished(_) | Event::EarlyStopped(_) => Role::Good,
            Event::Failed(_) => Role::Bad,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides() {
        type Case = (&'static [(&'static str, &'static str)], Colors, bool);
        let cases: [Case; 7] = [
            (&[("COLORTERM", "truecolor"), ("LANG", "C.UTF-8")], Colors::True, false),
            (&[("TERM", "xterm"), ("LC_ALL", "de_DE.utf8")], Colors::Sixteen, false),
            (&[("NO_COLOR", "1"), ("COLORTERM", "24bit"), ("LANG", "en_US.UTF-8")], Colors::None, false),
            (&[("NO_COLOR", ""), ("LC_CTYPE", "UTF-8")], Colors::Sixteen, false),
            (&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")], Colors::Sixteen, true),
            (&[("TERM", "dumb")], Colors::None, true),
            (&[], Colors::Sixteen, true),
        ];
        for (variables, colors, ascii) in cases {
            let variable = |name: &str| variables.iter().find(|v| v.0 == name).map(|v| v.1.to_owned());
            assert_eq!(Theme::detect(false, false, variable), Theme { colors, ascii }, "{variables:?}");
        }
        let rich = |name: &str| (name == "LANG").then(|| "C.UTF-8".to_owned());
        assert_eq!(Theme::detect(true, true, rich), Theme { colors: Colors::None, ascii: true });
    }

    #[test]
    fn without_colour_no_style_has_one() {
        let theme = Theme { colors: Colors::None, ascii: false };
        for role in [Role::Good, Role::Bad, Role::Train, Role::Val, Role::Dim, Role::Focus] {
            assert_eq!(theme.style(role).fg, Some(Color::Reset));
        }
    }
}
