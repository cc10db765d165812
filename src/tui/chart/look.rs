//! How each ink looks: colours that people with any eyes tell apart, and what tells the lines apart without colour.

use ratatui::style::{Color, Modifier, Style};

use super::raster::{Dash, Dots, Ink};
use crate::tui::theme::palette::{indexed, parts};
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
    /// On a dark ground, and on a light one.
    rgb: [u32; 2],
    sixteen: [Color; 2],
    marker: &'static str,
    letter: (char, &'static str),
    dash: Dash,
}

const fn slot(
    rgb: [u32; 2],
    sixteen: [Color; 2],
    marker: &'static str,
    letter: (char, &'static str),
    dash: Dash,
) -> Slot {
    Slot { rgb, sixteen, marker, letter, dash }
}

/// How many runs can be told apart.
pub const SLOTS: usize = 8;

/// The colours are those of Okabe and Ito, on a dark ground the dark ones lighter, on a light one the light ones darker.
const RUNS: [Slot; SLOTS] = [
    slot([0x56b4e9, 0x0088c4], [Color::Cyan, Color::Cyan], "●", ('o', "o"), (1, 0)),
    slot([0xe69f00, 0xa86f00], [Color::Yellow, Color::Yellow], "■", ('x', "x"), (6, 3)),
    slot([0x00b380, 0x007a55], [Color::Green, Color::Green], "▲", ('+', "+"), (2, 2)),
    slot([0xcc79a7, 0xaf4f86], [Color::Magenta, Color::Magenta], "◆", ('*', "*"), (9, 2)),
    slot([0xd0cc40, 0x6f6600], [Color::LightYellow, Color::LightMagenta], "○", ('#', "#"), (3, 4)),
    slot([0xe06622, 0xc02800], [Color::Red, Color::Red], "□", ('@', "@"), (12, 4)),
    slot([0x3d8bd4, 0x1b4f9c], [Color::Blue, Color::Blue], "△", ('%', "%"), (1, 3)),
    slot([0x999999, 0x5f5f5f], [Color::Gray, Color::DarkGray], "◇", ('&', "&"), (5, 6)),
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
    let ground = usize::from(theme.palette.is_light());
    let (style, dash) = match theme.colors {
        Colors::True => {
            let (r, g, b) = parts(slot.rgb[ground]);
            (Style::new().fg(Color::Rgb(r, g, b)), WHOLE)
        }
        Colors::Indexed => (Style::new().fg(indexed(parts(slot.rgb[ground]))), WHOLE),
        Colors::Sixteen => (Style::new().fg(slot.sixteen[ground]), WHOLE),
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
    use crate::tui::theme::palette::{Palette, contrast};
    use std::collections::HashSet;

    /// As the terminal shows one of the upper 240 of its 256 colours.
    fn shown(color: Color) -> (u8, u8, u8) {
        const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
        match color {
            Color::Rgb(r, g, b) => (r, g, b),
            Color::Indexed(grey @ 232..) => (8 + 10 * (grey - 232), 8 + 10 * (grey - 232), 8 + 10 * (grey - 232)),
            Color::Indexed(cube) => {
                let cube = usize::from(cube - 16);
                (LEVELS[cube / 36], LEVELS[cube / 6 % 6], LEVELS[cube % 6])
            }
            other => panic!("{other:?} is the terminal's own"),
        }
    }

    #[test]
    fn every_run_is_seen_on_its_ground() {
        let grounds = [(Palette::Dark, (0x1c, 0x1c, 0x1c)), (Palette::Light, (0xff, 0xff, 0xff))];
        for (palette, ground) in grounds {
            for colors in [Colors::True, Colors::Indexed] {
                let theme = Theme { colors, palette, ..crate::tui::fixtures::UNICODE };
                let looks: Vec<_> =
                    (0..SLOTS).map(|slot| shown(of(&theme, Ink::Run(slot)).style.fg.unwrap())).collect();
                for (slot, rgb) in looks.iter().enumerate() {
                    let ratio = contrast(*rgb, ground);
                    assert!(ratio >= 3.0, "{slot} on {palette:?} in {colors:?}: {ratio:.2}");
                }
                assert_eq!(looks.iter().collect::<HashSet<_>>().len(), SLOTS, "{palette:?} {colors:?}");
            }
        }
    }

    #[test]
    fn eight_runs_differ_with_and_without_colour() {
        for colors in [Colors::True, Colors::Sixteen, Colors::None] {
            for ascii in [false, true] {
                let palette = if ascii { Palette::Light } else { Palette::Dark };
                let theme = Theme { colors, ascii, palette };
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
