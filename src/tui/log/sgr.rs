//! Colours and kinds of letters, as ECMA-48's SGR and xterm have them.

use ratatui::style::{Color, Modifier, Style};

use crate::tui::theme::Colors;

/// `style` after the sequence with these parameters (`1;31`, `38:2::255:0:0`).
pub fn applied(mut style: Style, parameters: &str) -> Style {
    if parameters.starts_with(['<', '=', '>', '?']) {
        return style;
    }
    let mut fields = parameters.split(';');
    while let Some(field) = fields.next() {
        let (code, below) = match field.split_once(':') {
            Some((code, below)) => (number(code), Some(below)),
            None => (number(field), None),
        };
        match code {
            38 => style.fg = color(below, &mut fields).or(style.fg),
            48 => style.bg = color(below, &mut fields).or(style.bg),
            58 => drop(color(below, &mut fields)),
            4 if below == Some("0") => style = without(style, Modifier::UNDERLINED),
            code => style = simple(style, code),
        }
    }
    style
}

/// A parameter that is not there is a 0; one that is no number is none that is known.
fn number(field: &str) -> u16 {
    if field.is_empty() { 0 } else { field.parse().unwrap_or(u16::MAX) }
}

fn simple(style: Style, code: u16) -> Style {
    let with = |modifier: Modifier| style.add_modifier(modifier);
    match code {
        0 => Style::new(),
        1 => with(Modifier::BOLD),
        2 => with(Modifier::DIM),
        3 => with(Modifier::ITALIC),
        4 | 21 => with(Modifier::UNDERLINED),
        7 => with(Modifier::REVERSED),
        9 => with(Modifier::CROSSED_OUT),
        22 => without(style, Modifier::BOLD | Modifier::DIM),
        23 => without(style, Modifier::ITALIC),
        24 => without(style, Modifier::UNDERLINED),
        27 => without(style, Modifier::REVERSED),
        29 => without(style, Modifier::CROSSED_OUT),
        30..=37 => style.fg(SIXTEEN[usize::from(code - 30)]),
        39 => Style { fg: None, ..style },
        40..=47 => style.bg(SIXTEEN[usize::from(code - 40)]),
        49 => Style { bg: None, ..style },
        90..=97 => style.fg(SIXTEEN[usize::from(code - 82)]),
        100..=107 => style.bg(SIXTEEN[usize::from(code - 92)]),
        _ => style,
    }
}

fn without(mut style: Style, modifier: Modifier) -> Style {
    style.add_modifier.remove(modifier);
    style
}

/// What follows 38, 48 or 58: `5;N`, `2;R;G;B`, or the same behind colons, there with or without a colour space.
fn color<'a>(below: Option<&'a str>, fields: &mut impl Iterator<Item = &'a str>) -> Option<Color> {
    if let Some(below) = below {
        let parts: Vec<&str> = below.split(':').collect();
        return match *parts {
            ["5", index, ..] => indexed(index),
            ["2", red, green, blue] | ["2", _, red, green, blue, ..] => rgb(red, green, blue),
            _ => None,
        };
    }
    match fields.next()? {
        "5" => indexed(fields.next()?),
        "2" => rgb(fields.next()?, fields.next()?, fields.next()?),
        _ => None,
    }
}

fn indexed(index: &str) -> Option<Color> {
    let index = u8::try_from(number(index)).ok()?;
    Some(SIXTEEN.get(usize::from(index)).copied().unwrap_or(Color::Indexed(index)))
}

fn rgb(red: &str, green: &str, blue: &str) -> Option<Color> {
    let part = |text: &str| u8::try_from(number(text)).ok();
    Some(Color::Rgb(part(red)?, part(green)?, part(blue)?))
}

/// The colours that every terminal has, in the order of their numbers.
const SIXTEEN: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

/// `style` in the colours that there are.
pub fn shown(style: Style, colors: Colors) -> Style {
    let color = |color: Color| match (colors, color) {
        (Colors::None, _) => None,
        (Colors::Sixteen, Color::Rgb(red, green, blue)) => Some(nearest(red, green, blue)),
        (Colors::Sixteen, Color::Indexed(index)) => {
            let (red, green, blue) = of_index(index);
            Some(nearest(red, green, blue))
        }
        (_, color) => Some(color),
    };
    Style { fg: style.fg.and_then(color), bg: style.bg.and_then(color), ..style }
}

/// What xterm shows for the colours from 16 on: a cube of 6 × 6 × 6, and greys.
fn of_index(index: u8) -> (u8, u8, u8) {
    let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    match index {
        232.. => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
        _ => {
            let cube = index.saturating_sub(16);
            (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
    }
}

/// The one of the sixteen that has its hue, bright where it is.
fn nearest(red: u8, green: u8, blue: u8) -> Color {
    let most = red.max(green).max(blue);
    let least = red.min(green).min(blue);
    if most - least < 32 {
        return match most {
            0..48 => Color::Black,
            48..128 => Color::DarkGray,
            128..208 => Color::Gray,
            _ => Color::White,
        };
    }
    let is_in = |part: u8| usize::from(part - least > (most - least) / 2);
    let hue = is_in(red) + 2 * is_in(green) + 4 * is_in(blue);
    SIXTEEN[hue + if most > 208 { 8 } else { 0 }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_change_what_they_name() {
        let red = Style::new().fg(Color::Red);
        for (before, parameters, after) in [
            (red, "", Style::new()),
            (red, "0", Style::new()),
            (red, "1", red.add_modifier(Modifier::BOLD)),
            (red, "1;22", red),
            (red, "39", Style::new()),
            (Style::new(), "01;31", red.add_modifier(Modifier::BOLD)),
            (Style::new(), "94;105", Style::new().fg(Color::LightBlue).bg(Color::LightMagenta)),
            (Style::new(), "38;5;1", red),
            (Style::new(), "38;5;208", Style::new().fg(Color::Indexed(208))),
            (Style::new(), "38;2;1;2;3", Style::new().fg(Color::Rgb(1, 2, 3))),
            (Style::new(), "38:2::1:2:3", Style::new().fg(Color::Rgb(1, 2, 3))),
            (Style::new(), "38:2:1:2:3", Style::new().fg(Color::Rgb(1, 2, 3))),
            (Style::new(), "48:5:1;3", Style::new().bg(Color::Red).add_modifier(Modifier::ITALIC)),
            (Style::new(), "58;5;9;31", red),
            (Style::new(), "4:3", Style::new().add_modifier(Modifier::UNDERLINED)),
            (Style::new(), "4;4:0", Style::new()),
            (red, "38;5", red),
            (red, "38;2;1;2;999", red),
            (red, "?25", red),
            (red, "99999999999", red),
        ] {
            assert_eq!(applied(before, parameters), after, "{parameters}");
        }
    }

    #[test]
    fn colours_are_those_that_there_are() {
        let orange = Style::new().fg(Color::Rgb(255, 140, 0)).bg(Color::Indexed(16));
        assert_eq!(shown(orange, Colors::True), orange);
        assert_eq!(shown(orange, Colors::Sixteen), Style::new().fg(Color::LightYellow).bg(Color::Black));
        assert_eq!(shown(orange.add_modifier(Modifier::BOLD), Colors::None), Style::new().add_modifier(Modifier::BOLD));
        for (index, color) in [(196, Color::LightRed), (22, Color::Green), (240, Color::DarkGray), (255, Color::White)]
        {
            assert_eq!(shown(Style::new().fg(Color::Indexed(index)), Colors::Sixteen).fg, Some(color), "{index}");
        }
    }
}
