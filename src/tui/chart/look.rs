//! How each ink looks: colours that people with any eyes tell apart, and what tells the lines apart without colour.

use ratatui::style::{Color, Modifier, Style};

use super::raster::{Dash, Dots, Ink};
use crate::tui::theme::{Colors, Role, Theme};

/// How an ink looks.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub style: Style,
    /// Where dots cannot be drawn.
    pub letter: char,
    /// What stands on the line now and then; empty where nothing does.
    pub marker: &'static str,
    pub dash: Dash,
}

/// The looks of runs over each other.
struct Slot {
    rgb: (u8, u8, u8),
    sixteen: Color,
    marker: &'static str,
    letter: (char, &'static str),
    dash: Dash,
}

const fn slot(
    rgb: (u8, u8, u8),
    sixteen: Color,
    marker: &'static str,
    letter: (char, &'static str),
    dash: Dash,
) -> Slot {
    Slot { rgb, sixteen, marker, letter, dash }
}

/// How many runs can be told apart.
pub const SLOTS: usize = 8;

/// The colours are those of Okabe and Ito, the dark ones lighter, so that they are seen on dark and on light ground.
const RUNS: [Slot; SLOTS] = [
    slot((0x56, 0xb4, 0xe9), Color::Cyan, "●", ('o', "o"), (1, 0)),
    slot((0xe6, 0x9f, 0x00), Color::Yellow, "■", ('x', "x"), (6, 3)),
    slot((0x00, 0xb3, 0x80), Color::Green, "▲", ('+', "+"), (2, 2)),
    slot((0xcc, 0x79, 0xa7), Color::Magenta, "◆", ('*', "*"), (9, 2)),
    slot((0xc9, 0xbb, 0x2b), Color::LightYellow, "○", ('#', "#"), (3, 4)),
    slot((0xe0, 0x66, 0x22), Color::Red, "□", ('@', "@"), (12, 4)),
    slot((0x3d, 0x8b, 0xd4), Color::LightBlue, "△", ('%', "%"), (1, 3)),
    slot((0x99, 0x99, 0x99), Color::Gray, "◇", ('&', "&"), (5, 6)),
];

const WHOLE: Dash = (1, 0);

/// The look of an ink.
pub fn of(theme: &Theme, ink: Ink) -> Look {
    let plain = |role, letter, dash| Look { style: theme.style(role), letter, marker: "", dash };
    let dim = |look: Look| Look { style: look.style.add_modifier(Modifier::DIM), ..look };
    let val = if theme.colors == Colors::None { (5, 2) } else { WHOLE };
    match ink {
        Ink::Steps => plain(Role::Steps, '.', WHOLE),
        Ink::RawTrain => dim(plain(Role::Train, '.', WHOLE)),
        Ink::RawVal => dim(plain(Role::Val, ',', WHOLE)),
        Ink::Smooth => plain(Role::Live, '~', (3, 1)),
        Ink::Train => plain(Role::Train, 'o', WHOLE),
        Ink::Val => plain(Role::Val, 'x', val),
        Ink::Run(slot) => run(theme, slot),
    }
}

fn run(theme: &Theme, slot: usize) -> Look {
    let slot = &RUNS[slot % SLOTS];
    let (style, dash) = match theme.colors {
        Colors::True => (Style::new().fg(Color::Rgb(slot.rgb.0, slot.rgb.1, slot.rgb.2)), WHOLE),
        Colors::Indexed => (Style::new().fg(crate::tui::theme::palette::indexed(slot.rgb)), WHOLE),
        Colors::Sixteen => (Style::new().fg(slot.sixteen), WHOLE),
        Colors::None => (Style::new(), slot.dash),
    };
    Look { style, letter: slot.letter.0, marker: theme.pick(slot.marker, slot.letter.1), dash }
}

/// What stands for the ink in a legend of charts that are drawn with these dots.
pub fn swatch(theme: &Theme, dots: Dots, ink: Ink) -> &'static str {
    let theme = &Theme { ascii: theme.ascii || dots == Dots::Ascii, ..*theme };
    match ink {
        Ink::Steps if dots == Dots::Blocks => theme.pick("░", "."),
        Ink::Steps => theme.pick("⣿", "."),
        Ink::RawTrain | Ink::RawVal => theme.pick("─", "."),
        Ink::Smooth => theme.pick("╌", "~"),
        Ink::Train => theme.pick("─", "o"),
        Ink::Val if theme.colors == Colors::None => theme.pick("╌", "x"),
        Ink::Val => theme.pick("─", "x"),
        Ink::Run(slot) => {
            let slot = &RUNS[slot % SLOTS];
            theme.pick(slot.marker, slot.letter.1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn eight_runs_differ_with_and_without_colour() {
        for colors in [Colors::True, Colors::Sixteen, Colors::None] {
            for ascii in [false, true] {
                let theme = Theme { colors, ascii, ..crate::tui::fixtures::UNICODE };
                let looks: Vec<Look> = (0..SLOTS).map(|slot| of(&theme, Ink::Run(slot))).collect();
                assert_eq!(looks.iter().map(|look| look.marker).collect::<HashSet<_>>().len(), SLOTS);
                assert_eq!(looks.iter().map(|look| look.letter).collect::<HashSet<_>>().len(), SLOTS);
                let told_apart = looks.iter().map(|look| (look.style.fg, look.dash)).collect::<HashSet<_>>();
                assert_eq!(told_apart.len(), SLOTS, "{colors:?}");
                assert!(!ascii || looks.iter().all(|look| look.marker.is_ascii()));
            }
        }
    }
}
