//! Pictures in a terminal: by kitty's protocol, iTerm2's or sixel where it has one of them, else as half blocks.
//!
//! A [`Request`] is decoded, scaled and encoded by a thread ([`render`]) and kept in an [`Album`]; panes put [`Placement`]s
//! beside what they draw, and [`hanging::Wall`] writes what changed about them. Half blocks are cells like any others.
//!
//! Why not the crate ratatui-image: it puts escape sequences into the cells of the buffer, where by our rule none ever
//! are, asks the terminal and waits for its answer, and sends a picture anew whenever it moves.

mod album;
pub mod blocks;
pub mod hanging;
mod iterm2;
mod kitty;
mod sixel;

use std::path::PathBuf;
use std::sync::Arc;

use image::imageops::FilterType;
use image::{ImageFormat, RgbImage};
use ratatui::layout::{Rect, Size};

pub use album::{Album, Page, Slot};

use super::probe::Terminal;
use crate::base::durable;
use crate::data::decode;

/// Cells that are taken for this many pixels, wide and high, where nobody knows. Small, so that nothing overlaps.
const CELL: (u16, u16) = (8, 16);
/// Pixels of the longer side of what is sent to a terminal that scales by itself.
const LARGEST: u32 = 512;

/// How a terminal is given pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    Kitty,
    Iterm2,
    Sixel,
    Blocks,
    /// Not at all.
    None,
}

/// What the person wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Setting {
    #[default]
    Auto,
    Always(Protocol),
}

impl Setting {
    /// The variable of the environment that says it.
    pub const VARIABLE: &'static str = "FINETOP_PICTURES";

    /// All of them, as they are written.
    pub const NAMED: [(&str, Setting); 6] = [
        ("auto", Setting::Auto),
        ("kitty", Setting::Always(Protocol::Kitty)),
        ("iterm2", Setting::Always(Protocol::Iterm2)),
        ("sixel", Setting::Always(Protocol::Sixel)),
        ("blocks", Setting::Always(Protocol::Blocks)),
        ("none", Setting::Always(Protocol::None)),
    ];

    /// As it is written in the environment; else what is wrong.
    pub fn read(text: &str) -> Result<Setting, String> {
        let found = Setting::NAMED.into_iter().find(|(name, _)| *name == text || text.is_empty());
        found.map(|(_, setting)| setting).ok_or_else(|| {
            let known = "`auto`, `kitty`, `iterm2`, `sixel`, `blocks` or `none`";
            format!("{} is `{text}`, which should be {known}", Setting::VARIABLE)
        })
    }

    /// How this terminal is given pictures.
    pub fn protocol(self, terminal: &Terminal) -> Protocol {
        let Setting::Auto = self else { return self.always() };
        let name = terminal.name.as_deref().unwrap_or_default();
        let is = |names: &[&str]| names.iter().any(|known| name.starts_with(known));
        match terminal.kitty {
            _ if terminal.multiplexed => Protocol::Blocks,
            Some(true) => Protocol::Kitty,
            // Before it has answered, or where it need not be asked.
            None if is(&["kitty", "ghostty", "WezTerm"]) => Protocol::Kitty,
            // xterm has sixel only where it was started so, which its name does not tell.
            _ if is(&["iTerm", "WezTerm"]) => Protocol::Iterm2,
            _ if is(&["foot", "mlterm", "contour"]) => Protocol::Sixel,
            _ => Protocol::Blocks,
        }
    }

    fn always(self) -> Protocol {
        match self {
            Setting::Auto => Protocol::Blocks,
            Setting::Always(protocol) => protocol,
        }
    }
}

/// A picture to be made ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Request {
    pub path: PathBuf,
    /// Cells that it may take.
    pub room: Size,
    pub protocol: Protocol,
    /// Width and height of a cell, in pixels.
    pub cell: (u16, u16),
}

impl Request {
    /// The picture at `path` in at most so many cells of this terminal.
    pub fn new(path: PathBuf, room: Size, protocol: Protocol, terminal: &Terminal) -> Request {
        Request { path, room, protocol, cell: terminal.cell.unwrap_or(CELL) }
    }
}

/// A picture that can be shown.
#[derive(Debug, PartialEq)]
pub struct Picture {
    /// Cells that it takes.
    pub size: Size,
    pub form: Form,
}

/// In which form it is given to the terminal.
#[derive(Debug, PartialEq)]
pub enum Form {
    /// Two pixels a cell, one above the other.
    Blocks(RgbImage),
    /// A PNG file, for kitty's protocol.
    Kitty(Vec<u8>),
    /// A PNG file, for iTerm2's protocol.
    Iterm2(Vec<u8>),
    /// The escape sequence itself.
    Sixel(Vec<u8>),
}

/// A picture and where on the screen it is. It has the number that the album gave it.
#[derive(Debug, Clone)]
pub struct Placement {
    pub area: Rect,
    pub number: u32,
    pub picture: Arc<Picture>,
}

/// Decodes and scales; what is wrong is said in words.
pub fn render(request: &Request) -> Result<Picture, String> {
    durable::refuse_link(&request.path).map_err(|error| error.to_string())?;
    let picture = decode::open(&request.path).map_err(|defect| defect.to_string())?;
    made(&picture, request).ok_or_else(|| "there is no room for it".to_owned())
}

fn made(picture: &RgbImage, request: &Request) -> Option<Picture> {
    let size = fitted(picture.dimensions(), request.room, request.cell)?;
    let (columns, rows) = (u32::from(size.width), u32::from(size.height));
    let scaled = |width, height| image::imageops::resize(picture, width, height, FilterType::Triangle);
    let form = match request.protocol {
        Protocol::None => return None,
        Protocol::Blocks => Form::Blocks(scaled(columns, 2 * rows)),
        Protocol::Kitty => Form::Kitty(png(&bounded(picture))),
        Protocol::Iterm2 => Form::Iterm2(png(&bounded(picture))),
        Protocol::Sixel => {
            let (width, height) = (u32::from(request.cell.0), u32::from(request.cell.1));
            Form::Sixel(sixel::encode(&scaled(columns * width, rows * height)))
        }
    };
    Some(Picture { size, form })
}

/// Cells that a picture takes which fills `room` as far as its aspect lets it; None where there is no room.
fn fitted((width, height): (u32, u32), room: Size, cell: (u16, u16)) -> Option<Size> {
    if room.width == 0 || room.height == 0 || width == 0 || height == 0 || cell.0 == 0 || cell.1 == 0 {
        return None;
    }
    let [wide, high] = [f64::from(cell.0), f64::from(cell.1)];
    let scale =
        (f64::from(room.width) * wide / f64::from(width)).min(f64::from(room.height) * high / f64::from(height));
    let cells = |pixels: u32, cell: f64, most: u16| ((f64::from(pixels) * scale / cell).round() as u16).clamp(1, most);
    Some(Size::new(cells(width, wide, room.width), cells(height, high, room.height)))
}

fn bounded(picture: &RgbImage) -> RgbImage {
    let longer = picture.width().max(picture.height());
    if longer <= LARGEST {
        return picture.clone();
    }
    let part = |length: u32| (u64::from(length) * u64::from(LARGEST) / u64::from(longer)).max(1) as u32;
    image::imageops::resize(picture, part(picture.width()), part(picture.height()), FilterType::Triangle)
}

fn png(picture: &RgbImage) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    // Into memory, and of a size that PNG knows: it cannot fail.
    let _ = picture.write_to(&mut file, ImageFormat::Png);
    file.into_inner()
}

#[cfg(test)]
mod tests;
