//! Kitty's graphics protocol: a picture is sent once, and shown and taken away by its number.
//! (<https://sw.kovidgoyal.net/kitty/graphics-protocol/>)
//!
//! `q=2` keeps the terminal from answering, which would come as keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ratatui::layout::Rect;

/// Letters of base64 in one sequence.
const CHUNK: usize = 4096;
/// Numbers of ours begin here, so that they are unlikely to be those of another program.
const FIRST: u32 = 0x6674_0000;

/// Takes all pictures away from the screen; their data stay.
pub const ALL_AWAY: &str = "\x1b_Ga=d,d=a,q=2\x1b\\";

/// Sends the PNG file `png` as picture `number`.
pub fn transmit(number: u32, png: &[u8]) -> String {
    let data = STANDARD.encode(png);
    let mut rest = data.as_str();
    let mut sequences = String::new();
    let mut head = format!("a=t,f=100,i={},q=2,", id(number));
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.len().min(CHUNK));
        let more = u8::from(!after.is_empty());
        sequences += &format!("\x1b_G{head}m={more};{chunk}\x1b\\");
        head = "q=2,".to_owned();
        rest = after;
    }
    sequences
}

/// Shows picture `number` where the cursor is, scaled to the size of `area`; the cursor stays.
pub fn place(number: u32, area: Rect) -> String {
    let (columns, rows) = (area.width, area.height);
    format!("\x1b_Ga=p,i={},p={},c={columns},r={rows},C=1,q=2\x1b\\", id(number), placement(area))
}

/// Takes picture `number` away from `area`; with `forget` its data too.
pub fn take_away(number: u32, area: Rect, forget: bool) -> String {
    match forget {
        true => format!("\x1b_Ga=d,d=I,i={},q=2\x1b\\", id(number)),
        false => format!("\x1b_Ga=d,d=i,i={},p={},q=2\x1b\\", id(number), placement(area)),
    }
}

/// The terminal's number of a picture.
pub fn id(number: u32) -> u32 {
    FIRST.wrapping_add(number)
}

/// One picture may be in several places, each of which has a number.
fn placement(area: Rect) -> u32 {
    1 + (u32::from(area.y) << 16 | u32::from(area.x))
}
