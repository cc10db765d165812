//! Colours and glyphs, as rich as the terminal allows: true colour, the sixteen, or none; Unicode or ASCII.

pub mod palette;

use ratatui::style::{Color, Modifier, Style};

use self::palette::Palette;
use crate::record::event::Event;
use crate::record::state::RunState;
use crate::record::state::Status;

/// How many colours there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colors {
    True,
    /// 256 of them.
    Indexed,
    Sixteen,
    None,
}

/// How everything looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    pub colors: Colors,
    /// Only characters below 128.
    pub ascii: bool,
    pub palette: Palette,
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
        let many = value("TERM").is_some_and(|term| term.ends_with("-256color"));
        let colors = match (plain, rich, many) {
            (true, ..) => Colors::None,
            (false, true, _) => Colors::True,
            (false, false, true) => Colors::Indexed,
            (false, false, false) => Colors::Sixteen,
        };
        let locale = value("LC_ALL").or_else(|| value("LC_CTYPE")).or_else(|| value("LANG")).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        let light = value("COLORFGBG").is_some_and(|colors| is_light(&colors));
        let palette = Palette::on(light, false);
        Theme { colors, ascii: ascii || !(locale.contains("utf-8") || locale.contains("utf8")), palette }
    }

    /// One without colours, for what does not depend on them.
    pub fn plain() -> Theme {
        Theme { colors: Colors::None, ascii: false, palette: Palette::Dark }
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        let style = Style::new().fg(self.color(role));
        match role {
            Role::Strong | Role::Focus => style.add_modifier(Modifier::BOLD),
            Role::Dim | Role::Border | Role::Steps if !matches!(self.colors, Colors::True | Colors::Indexed) => {
                style.add_modifier(Modifier::DIM)
            }
            _ => style,
        }
    }

    fn color(&self, role: Role) -> Color {
        match self.colors {
            Colors::True | Colors::Indexed => self.palette.rgb(role).map_or(Color::Reset, |rgb| self.rich(rgb)),
            Colors::Sixteen => self.palette.sixteen(role),
            Colors::None => Color::Reset,
        }
    }

    /// This colour, or the nearest of 256.
    fn rich(&self, (r, g, b): (u8, u8, u8)) -> Color {
        if self.colors == Colors::Indexed { palette::indexed((r, g, b)) } else { Color::Rgb(r, g, b) }
    }

    /// The style of the chosen row, over that of its text.
    pub fn selected(&self) -> Style {
        match self.colors {
            Colors::True | Colors::Indexed => Style::new().bg(self.rich(self.palette.selected())),
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
            Status::Starting | Status::Running => (self.pick("▶", "~"), Role::Live),
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
            Event::RunStarted(_) | Event::PhaseStarted(_) | Event::Unfroze(_) => Role::Accent,
            Event::Stage(_) | Event::Step(_) | Event::Checkpoint(_) | Event::Confusion(_) => Role::Dim,
            Event::Samples(_) | Event::Unknown => Role::Dim,
            Event::Epoch(_) | Event::Log(_) => Role::Plain,
            Event::LrChanged(_) | Event::Advice(_) | Event::Skipped(_) => Role::Warning,
            Event::Best(_) | Event::Finished(_) | Event::EarlyStopped(_) => Role::Good,
            Event::Failed(_) => Role::Bad,
        }
    }
}

/// Whether the background that `COLORFGBG` names, the last of its numbers, is a light one.
fn is_light(colors: &str) -> bool {
    matches!(colors.rsplit(';').next().and_then(|number| number.parse().ok()), Some(7u8 | 9..=15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides() {
        type Case = (&'static [(&'static str, &'static str)], Colors, bool);
        let cases: [Case; 8] = [
            (&[("TERM", "xterm-256color"), ("LANG", "C.UTF-8")], Colors::Indexed, false),
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
            assert_eq!(
                Theme::detect(false, false, variable),
                Theme { colors, ascii, palette: Palette::Dark },
                "{variables:?}"
            );
        }
        let rich = |name: &str| (name == "LANG").then(|| "C.UTF-8".to_owned());
        assert_eq!(
            Theme::detect(true, true, rich),
            Theme { colors: Colors::None, ascii: true, palette: Palette::Dark }
        );
        for (value, palette) in [("15;0", Palette::Dark), ("0;15", Palette::Light), ("0;default;7", Palette::Light)] {
            let theme = Theme::detect(false, false, |name| (name == "COLORFGBG").then(|| value.to_owned()));
            assert_eq!(theme.palette, palette, "{value}");
        }
    }

    #[test]
    fn without_colour_no_style_has_one() {
        let theme = Theme { colors: Colors::None, ascii: false, palette: Palette::Dark };
        for role in [Role::Good, Role::Bad, Role::Train, Role::Val, Role::Dim, Role::Focus] {
            assert_eq!(theme.style(role).fg, Some(Color::Reset));
        }
    }
}
