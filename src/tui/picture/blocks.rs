//! A picture in cells: upper half blocks in two colours, or shades where there are no colours to choose freely.

use image::{Rgb, RgbImage};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

use crate::tui::theme::{Colors, Theme};

/// From dark to light on a dark background.
const SHADES: [&str; 5] = [" ", "░", "▒", "▓", "█"];
const ASCII: [&str; 10] = [" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"];

/// Draws `picture`, two pixels a cell, at the upper left of `area`.
pub fn draw(theme: &Theme, area: Rect, buf: &mut Buffer, picture: &RgbImage) {
    let area = area.intersection(buf.area);
    for row in 0..area.height.min(u16::try_from(picture.height() / 2).unwrap_or(u16::MAX)) {
        for column in 0..area.width.min(u16::try_from(picture.width()).unwrap_or(u16::MAX)) {
            let pixel = |half: u32| *picture.get_pixel(u32::from(column), 2 * u32::from(row) + half);
            let (upper, lower) = (pixel(0), pixel(1));
            let cell = &mut buf[(area.x + column, area.y + row)];
            match theme.colors {
                Colors::True if !theme.ascii => {
                    cell.set_symbol("▀").set_fg(color(upper)).set_bg(color(lower));
                }
                _ => {
                    let light = (luma(upper) + luma(lower)) / 2;
                    let shades: &[&'static str] = if theme.ascii { &ASCII } else { &SHADES };
                    let place = light as usize * shades.len() / 256;
                    cell.set_symbol(shades[place.min(shades.len() - 1)]);
                }
            }
        }
    }
}

fn color(Rgb([r, g, b]): Rgb<u8>) -> Color {
    Color::Rgb(r, g, b)
}

/// How light a colour is, in 0…255 (Rec. 601).
fn luma(Rgb([r, g, b]): Rgb<u8>) -> u32 {
    (299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b)) / 1000
}
