//! Sixel: six rows of pixels at a time, one colour after the other (<https://vt100.net/docs/vt3xx-gp/chapter14.html>).

use std::fmt::Write;

use color_quant::NeuQuant;
use image::RgbImage;

/// Colours that every terminal with sixel can show at once.
const COLOURS: usize = 256;
/// 1 looks at every pixel to find them, 30 at a few.
const SAMPLING: i32 = 10;

/// The whole sequence that draws `picture` from the cursor on.
pub fn encode(picture: &RgbImage) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let (palette, places) = indexed(picture);
    // P2=1: what is not drawn stays as it is.
    let mut text = format!("\x1bP0;1;0q\"1;1;{width};{height}");
    for (place, rgb) in palette.iter().enumerate() {
        let [r, g, b] = rgb.map(|level| (u32::from(level) * 100 + 127) / 255);
        let _ = write!(text, "#{place};2;{r};{g};{b}");
    }
    for band in places.chunks(6 * width.max(1) as usize) {
        put_band(&mut text, band, width as usize);
        text.push('-');
    }
    text.push_str("\x1b\\");
    text.into_bytes()
}

/// At most 256 colours, and which of them each pixel has: its own where that is enough, else the nearest.
fn indexed(picture: &RgbImage) -> (Vec<[u8; 3]>, Vec<u8>) {
    let mut colours: Vec<[u8; 3]> = picture.pixels().map(|pixel| pixel.0).collect();
    colours.sort_unstable();
    colours.dedup();
    if colours.len() <= COLOURS {
        let place = |rgb: [u8; 3]| colours.binary_search(&rgb).unwrap_or(0) as u8;
        let places = picture.pixels().map(|pixel| place(pixel.0)).collect();
        return (colours, places);
    }
    let with_alpha = |[r, g, b]: [u8; 3]| [r, g, b, 255];
    let pixels: Vec<u8> = picture.pixels().flat_map(|pixel| with_alpha(pixel.0)).collect();
    let net = NeuQuant::new(SAMPLING, COLOURS, &pixels);
    let places = pixels.chunks_exact(4).map(|pixel| net.index_of(pixel) as u8).collect();
    let palette = net.color_map_rgb().chunks_exact(3).map(|rgb| [rgb[0], rgb[1], rgb[2]]).collect();
    (palette, places)
}

/// Draws up to six rows: for each colour that is in them a line of sixels.
fn put_band(text: &mut String, band: &[u8], width: usize) {
    let mut colours: Vec<u8> = band.to_vec();
    colours.sort_unstable();
    colours.dedup();
    for (n, colour) in colours.into_iter().enumerate() {
        if n > 0 {
            text.push('$');
        }
        let _ = write!(text, "#{colour}");
        let sixel = |column: usize| {
            let rows = band.iter().skip(column).step_by(width).enumerate();
            rows.fold(0u8, |bits, (row, &place)| bits | (u8::from(place == colour) << row))
        };
        put_runs(text, (0..width).map(sixel));
    }
}

/// Repeats are written as `!` and their number.
fn put_runs(text: &mut String, sixels: impl Iterator<Item = u8>) {
    let mut sixels = sixels.peekable();
    while let Some(bits) = sixels.next() {
        let mut count = 1;
        while sixels.next_if_eq(&bits).is_some() {
            count += 1;
        }
        let letter = char::from(b'?' + bits);
        // Nothing at the end of a line need be written.
        if bits == 0 && sixels.peek().is_none() {
            return;
        }
        match count {
            1..=3 => (0..count).for_each(|_| text.push(letter)),
            _ => drop(write!(text, "!{count}{letter}")),
        }
    }
}
