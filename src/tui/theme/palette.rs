//! The colours of the roles, for dark and for light backgrounds, each also with more contrast.
//!
//! Invariants: the background is the terminal's own; text is at least 4.5 times as bright (or as dark) as it by WCAG's
//! measure, 7 times with more contrast; training and validation are blue and orange, which nearly everybody tells apart.

use ratatui::style::Color;

use super::Role;

/// For which background the colours are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    #[default]
    Dark,
    Light,
    DarkContrast,
    LightContrast,
}

/// Red, green and blue.
type Rgb = (u8, u8, u8);

impl Palette {
    /// The one for a light or a dark background, with more contrast or as usual.
    pub fn on(light: bool, contrast: bool) -> Palette {
        match (light, contrast) {
            (false, false) => Palette::Dark,
            (true, false) => Palette::Light,
            (false, true) => Palette::DarkContrast,
            (true, true) => Palette::LightContrast,
        }
    }

    /// Whether it is for a light background.
    pub fn is_light(self) -> bool {
        matches!(self, Palette::Light | Palette::LightContrast)
    }

    fn place(self) -> usize {
        match self {
            Palette::Dark => 0,
            Palette::Light => 1,
            Palette::DarkContrast => 2,
            Palette::LightContrast => 3,
        }
    }

    /// The colour of a role; None where it is the terminal's own.
    pub fn rgb(self, role: Role) -> Option<Rgb> {
        let all: [u32; 4] = match role {
            Role::Plain | Role::Strong => return None,
            Role::Dim => [0x8a94a3, 0x5c6570, 0xc0c6d0, 0x3a4048],
            Role::Border => [0x4b5563, 0xb0b6be, 0x8f98a6, 0x6b7280],
            Role::Focus | Role::Accent => [0x7aa2f7, 0x1f56c4, 0x9ecbff, 0x00398f],
            Role::Good => [0x8fc87a, 0x2a731c, 0x56e0b0, 0x00543a],
            Role::Warning => [0xe5b95f, 0x8a5600, 0xffd54f, 0x6b4200],
            Role::Bad => [0xf07178, 0xb81c28, 0xff9a80, 0x8f1d00],
            Role::Live => [0x5fcfd8, 0x006b7a, 0x7fe5ff, 0x004f5c],
            Role::Train => [0x5fa8f5, 0x005fb3, 0x79c0ff, 0x00478f],
            Role::Val => [0xf5a95f, 0xa84a00, 0xffb34d, 0x7a3500],
            Role::Steps => [0x3c526e, 0xb3c6dd, 0x6a83a3, 0x7f96b3],
        };
        Some(parts(all[self.place()]))
    }

    /// One of the sixteen colours, which the terminal's own settings decide about. Yellow and cyan are not seen on white.
    pub fn sixteen(self, role: Role) -> Color {
        match (role, self.is_light()) {
            (Role::Plain | Role::Strong | Role::Dim | Role::Border | Role::Steps, _) => Color::Reset,
            (Role::Focus | Role::Accent | Role::Train, _) => Color::Blue,
            (Role::Good, _) => Color::Green,
            (Role::Bad, _) => Color::Red,
            (Role::Warning | Role::Val, false) => Color::Yellow,
            (Role::Warning | Role::Val, true) => Color::Magenta,
            (Role::Live, false) => Color::Cyan,
            (Role::Live, true) => Color::Blue,
        }
    }

    /// What is behind the chosen row.
    pub fn selected(self) -> Rgb {
        parts([0x2a3344, 0xdbe4f2, 0x33415c, 0xc3d4ee][self.place()])
    }
}

/// Red, green and blue of a number as `0xrrggbb`.
pub fn parts(rgb: u32) -> Rgb {
    let [_, r, g, b] = rgb.to_be_bytes();
    (r, g, b)
}

/// The nearest of the 240 colours above the sixteen: a cube of six levels, and greys.
pub fn indexed((r, g, b): Rgb) -> Color {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let level = |part: u8| (0..6).min_by_key(|&level| LEVELS[level].abs_diff(part)).unwrap_or(0);
    let cube = [level(r), level(g), level(b)];
    let grey = (0..24u8).min_by_key(|&step| distance((r, g, b), grey_of(step))).unwrap_or(0);
    let of_cube = (LEVELS[cube[0]], LEVELS[cube[1]], LEVELS[cube[2]]);
    if distance((r, g, b), of_cube) <= distance((r, g, b), grey_of(grey)) {
        Color::Indexed(16 + u8::try_from(36 * cube[0] + 6 * cube[1] + cube[2]).unwrap_or(0))
    } else {
        Color::Indexed(232 + grey)
    }
}

fn grey_of(step: u8) -> Rgb {
    let level = 8 + 10 * step;
    (level, level, level)
}

fn distance(one: Rgb, other: Rgb) -> u32 {
    let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    square(one.0, other.0) + square(one.1, other.1) + square(one.2, other.2)
}

/// Relative luminance as WCAG defines it.
#[cfg(test)]
fn luminance((r, g, b): Rgb) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// How much brighter one is than the other, by WCAG's measure.
#[cfg(test)]
pub fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_readable_on_the_background() {
        for (palette, least) in
            [(Palette::Dark, 4.5), (Palette::Light, 4.5), (Palette::DarkContrast, 7.0), (Palette::LightContrast, 7.0)]
        {
            let background = if palette.is_light() { (0xf6, 0xf6, 0xf6) } else { (0x1c, 0x1c, 0x1c) };
            for role in [
                Role::Dim,
                Role::Focus,
                Role::Good,
                Role::Warning,
                Role::Bad,
                Role::Live,
                Role::Train,
                Role::Val,
                Role::Accent,
            ] {
                let ratio = contrast(palette.rgb(role).unwrap(), background);
                assert!(ratio >= least, "{palette:?} {role:?}: {ratio:.2}");
            }
            for (role, least) in [(Role::Border, 1.5), (Role::Steps, 1.5)] {
                let ratio = contrast(palette.rgb(role).unwrap(), background);
                assert!(ratio >= least, "{palette:?} {role:?}: {ratio:.2}");
            }
        }
    }

    #[test]
    fn the_nearest_of_256_colours_is_near() {
        for (rgb, color) in [((0, 0, 0), 16), ((255, 255, 255), 231), ((128, 128, 128), 244), ((95, 135, 175), 67)] {
            assert_eq!(indexed(rgb), Color::Indexed(color), "{rgb:?}");
        }
    }
}
