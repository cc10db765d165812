//! The bytes that turn what a terminal shows into what it is to show, as few as may be.
//!
//! Invariants: they begin and end with the pen as a fresh terminal has it; the cursor is believed to be where a letter of
//! one column left it, and set anew after anything else, since terminals disagree about the width of the rest.

use std::io::{self, Write};

use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::style::{Color, Modifier};

/// Writes what is different in `next`, which has the area of `shown`. Nothing for nothing; `shown` went through
/// [`mark_halves`].
pub fn difference(bytes: &mut Vec<u8>, shown: &Buffer, next: &Buffer) -> io::Result<()> {
    let mut pen = Pen::default();
    let mut cursor: Option<(u16, u16)> = None;
    for (x, y, cell) in shown.diff_iter(next) {
        match cursor {
            Some(at) if at == (x, y) => {}
            Some((column, row)) if row == y && column < x => write!(bytes, "\x1b[{}C", x - column)?,
            _ => write!(bytes, "\x1b[{};{}H", y + 1, x + 1)?,
        }
        pen.take(bytes, cell)?;
        bytes.extend_from_slice(cell.symbol().as_bytes());
        let is_plain = CellWidth::cell_width(cell) == 1 && cell.symbol().chars().count() == 1;
        // Behind the last column terminals disagree as well.
        cursor = (is_plain && x + 1 < next.area.width).then_some((x + 1, y));
    }
    if pen != Pen::default() {
        bytes.extend_from_slice(b"\x1b[m");
    }
    Ok(())
}

/// Marks the second halves of wide letters in what is shown: what is left of one when the other half is written over is
/// never what is wanted there, although the buffer has a space in both.
pub fn mark_halves(shown: &mut Buffer) {
    let width = usize::from(shown.area.width.max(1));
    for place in 1..shown.content.len() {
        let before = &shown.content[place - 1];
        if place % width != 0 && may_be_wide(before.symbol()) && CellWidth::cell_width(before) > 1 {
            // No letter is that, and no style has every modifier.
            shown.content[place].set_symbol("\u{FFFE}").modifier = Modifier::all();
        }
    }
}

/// False for most of what is on a screen: ASCII, frames (U+2500 to U+257F) and braille (U+2800 to U+28FF).
fn may_be_wide(symbol: &str) -> bool {
    symbol.len() > 1 && !matches!(symbol.as_bytes(), [0xE2, 0x94 | 0x95 | 0xA0..=0xA3, _])
}

/// How the terminal draws a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

/// The modifiers and their numbers.
const MODIFIERS: [(Modifier, u8); 9] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::RAPID_BLINK, 6),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

impl Pen {
    /// Becomes the pen of `cell`.
    fn take(&mut self, bytes: &mut Vec<u8>, cell: &Cell) -> io::Result<()> {
        let wanted = Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
        if *self == wanted {
            return Ok(());
        }
        bytes.extend_from_slice(b"\x1b[");
        let mut parameters = Parameters { bytes, is_first: true };
        // What was switched on is only switched off all at once, so that bold and dim are not mixed up.
        if !wanted.modifier.contains(self.modifier) {
            parameters.put(format_args!("0"))?;
            *self = Pen::default();
        }
        for (modifier, number) in MODIFIERS {
            if (wanted.modifier - self.modifier).contains(modifier) {
                parameters.put(format_args!("{number}"))?;
            }
        }
        if wanted.fg != self.fg {
            parameters.color(wanted.fg, 30)?;
        }
        if wanted.bg != self.bg {
            parameters.color(wanted.bg, 40)?;
        }
        bytes.push(b'm');
        *self = wanted;
        Ok(())
    }
}

/// The numbers of a sequence.
struct Parameters<'b> {
    bytes: &'b mut Vec<u8>,
    is_first: bool,
}

impl Parameters<'_> {
    fn put(&mut self, number: std::fmt::Arguments) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_first, false) {
            self.bytes.push(b';');
        }
        self.bytes.write_fmt(number)
    }

    /// `base` is 30 for letters and 40 for what is behind them.
    fn color(&mut self, color: Color, base: u8) -> io::Result<()> {
        let sixteen = |number: u8| if number < 8 { base + number } else { base + 52 + number };
        let number = match color {
            Color::Reset => base + 9,
            Color::Black => sixteen(0),
            Color::Red => sixteen(1),
            Color::Green => sixteen(2),
            Color::Yellow => sixteen(3),
            Color::Blue => sixteen(4),
            Color::Magenta => sixteen(5),
            Color::Cyan => sixteen(6),
            Color::Gray => sixteen(7),
            Color::DarkGray => sixteen(8),
            Color::LightRed => sixteen(9),
            Color::LightGreen => sixteen(10),
            Color::LightYellow => sixteen(11),
            Color::LightBlue => sixteen(12),
            Color::LightMagenta => sixteen(13),
            Color::LightCyan => sixteen(14),
            Color::White => sixteen(15),
            Color::Indexed(index) => return self.put(format_args!("{};5;{index}", base + 8)),
            Color::Rgb(r, g, b) => return self.put(format_args!("{};2;{r};{g};{b}", base + 8)),
        };
        self.put(format_args!("{number}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    /// What a terminal shows after `bytes`, letter by letter with its colours.
    fn seen(parser: &vt100::Parser, area: Rect) -> Vec<(String, vt100::Color, vt100::Color, bool, bool)> {
        let cells = (0..area.height).flat_map(|y| (0..area.width).map(move |x| (y, x)));
        cells
            .map(|(y, x)| {
                let cell = parser.screen().cell(y, x).unwrap();
                let text = if cell.has_contents() { cell.contents() } else { " " };
                // Neither colour nor weight of an empty cell is seen, except what is behind it.
                let is_seen = text != " " || cell.inverse();
                let fg = if is_seen { cell.fgcolor() } else { vt100::Color::Default };
                (text.to_owned(), fg, cell.bgcolor(), cell.bold() && is_seen, cell.inverse())
            })
            .collect()
    }

    fn terminal(area: Rect) -> vt100::Parser {
        let nonzero = |n| std::num::NonZeroU16::new(n).unwrap();
        vt100::Parser::new(nonzero(area.height), nonzero(area.width), 0)
    }

    fn any_style() -> impl Strategy<Value = Style> {
        let color = prop_oneof![
            Just(Color::Reset),
            Just(Color::Red),
            Just(Color::LightCyan),
            any::<u8>().prop_map(Color::Indexed),
            any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Color::Rgb(r, g, b)),
        ];
        let modifier = prop_oneof![Just(Modifier::empty()), Just(Modifier::BOLD), Just(Modifier::REVERSED)];
        (color.clone(), color, modifier)
            .prop_map(|(fg, bg, modifier)| Style::new().fg(fg).bg(bg).add_modifier(modifier))
    }

    fn any_buffer() -> impl Strategy<Value = Buffer> {
        let put = ((0u16..14), (0u16..4), "[a-c 日🍎é]{0,6}", any_style());
        prop::collection::vec(put, 0..8).prop_map(|puts| {
            let mut buf = Buffer::empty(Rect::new(0, 0, 14, 4));
            for (x, y, text, style) in puts {
                buf.set_stringn(x, y, text, usize::from(14 - x), style);
            }
            buf
        })
    }

    proptest! {
        #[test]
        fn the_difference_leads_to_what_is_wanted(frames in prop::collection::vec(any_buffer(), 1..5)) {
            let area = frames[0].area;
            let mut terminal = terminal(area);
            let mut shown = Buffer::empty(area);
            for next in frames {
                let mut bytes = Vec::new();
                difference(&mut bytes, &shown, &next).unwrap();
                prop_assert!(!bytes.is_empty() || shown.diff_iter(&next).next().is_none());
                terminal.process(&bytes);
                let mut whole = self::terminal(area);
                let mut bytes = Vec::new();
                difference(&mut bytes, &Buffer::empty(area), &next).unwrap();
                whole.process(&bytes);
                for (place, (step, whole)) in seen(&terminal, area).into_iter().zip(seen(&whole, area)).enumerate() {
                    prop_assert_eq!(step, whole, "cell {}", place);
                }
                shown = next;
                mark_halves(&mut shown);
            }
        }
    }

    #[test]
    fn what_is_taken_for_narrow_is_narrow() {
        let narrow = |c: &char| !may_be_wide(&c.to_string());
        for c in (' '..=char::MAX).filter(narrow) {
            assert!(crate::base::text::width(&c.to_string()) <= 1, "{c}");
        }
        assert!(may_be_wide("日") && may_be_wide("🍎") && !may_be_wide("│") && !may_be_wide("⣿"));
    }

    #[test]
    fn a_frame_is_as_short_as_it_can_be() {
        let area = Rect::new(0, 0, 20, 2);
        let shown = Buffer::empty(area);
        let mut next = shown.clone();
        next.set_string(3, 1, "ab", Style::new().fg(Color::Green));
        next.set_string(7, 1, "c", Style::new().fg(Color::Green).add_modifier(Modifier::BOLD));
        next.set_string(8, 1, "d", Style::new());
        let mut bytes = Vec::new();
        difference(&mut bytes, &shown, &next).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "\x1b[2;4H\x1b[32mab\x1b[2C\x1b[1mc\x1b[0md");
    }
}
