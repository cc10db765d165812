//! From a file to RGB: PNG, JPEG, WebP, BMP, and the first frame of a GIF, whatever the extension says. Transparency is
//! put on white, EXIF orientation is obeyed, 16-bit and grey pictures become 8-bit RGB.
//!
//! A file is untrusted: its size is bounded before it is read and its dimensions before anything is allocated for them.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage, RgbaImage};

use crate::base::text;

/// Largest picture, in pixels.
pub const MAX_PIXELS: u64 = 100_000_000;
/// Largest file, in bytes.
pub const MAX_FILE_BYTES: u64 = 512 << 20;
/// Most that a decoder may allocate, in bytes: the largest picture with four channels of 16 bits fits.
const MAX_ALLOCATION: u64 = 1 << 30;

/// Why a file is no usable picture, in words.
#[derive(Debug, thiserror::Error)]
pub enum Defect {
    #[error("the file is gone")]
    Missing,
    #[error("could not be read: {0}")]
    Unreadable(io::Error),
    #[error("not a regular file")]
    NotAFile,
    #[error("the file is empty")]
    Empty,
    #[error("the file is {}, more than {}", text::bytes(*.0), text::bytes(MAX_FILE_BYTES))]
    HugeFile(u64),
    #[error("not a PNG, JPEG, WebP, BMP or GIF picture, by its first bytes")]
    NotAPicture,
    #[error("{width}x{height} pixels are more than 100 megapixels")]
    Oversized { width: u32, height: u32 },
    #[error("it would take more than {} to decode", text::bytes(MAX_ALLOCATION))]
    Bomb,
    #[error("truncated: the file ends before the picture does")]
    Truncated,
    #[error("not supported: {0}")]
    Unsupported(String),
    #[error("corrupt: {0}")]
    Corrupt(String),
    /// The decoder panicked, which only a damaged file makes it do.
    #[error("corrupt: the decoder crashed on it ({0})")]
    DecoderCrash(String),
}

/// Reads and decodes the file at `path`, upright.
pub fn open(path: &Path) -> Result<RgbImage, Defect> {
    decode(&read(path)?)
}

fn read(path: &Path) -> Result<Vec<u8>, Defect> {
    let metadata = fs::metadata(path).map_err(io_defect)?;
    if !metadata.is_file() {
        return Err(Defect::NotAFile); // opening a pipe would wait for a writer
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(Defect::HugeFile(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    File::open(path).and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut bytes)).map_err(io_defect)?;
    Ok(bytes)
}

/// Decodes the bytes of a file, upright.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, Defect> {
    if bytes.is_empty() {
        return Err(Defect::Empty);
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(io_defect)?;
    let format = reader.format().ok_or(Defect::NotAPicture)?;
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(defect)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Defect::Oversized { width, height });
    }
    // A broken EXIF block does not spoil the picture.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(defect)?;
    if format == ImageFormat::Jpeg && !jpeg_is_whole(bytes) {
        return Err(Defect::Truncated);
    }
    picture.apply_orientation(orientation);
    Ok(on_white(picture))
}

fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_ALLOCATION);
    limits
}

fn io_defect(error: io::Error) -> Defect {
    match error.kind() {
        io::ErrorKind::NotFound => Defect::Missing,
        io::ErrorKind::UnexpectedEof => Defect::Truncated,
        _ => Defect::Unreadable(error),
    }
}

fn defect(error: ImageError) -> Defect {
    match error {
        ImageError::IoError(error) => io_defect(error),
        ImageError::Limits(_) => Defect::Bomb,
        ImageError::Unsupported(error) => Defect::Unsupported(error.to_string()),
        other => Defect::Corrupt(other.to_string()),
    }
}

/// The colours of `picture` as seen before white.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let seen: RgbaImage = picture.into_rgba8();
    let (width, height) = seen.dimensions();
    let mut flat = RgbImage::new(width, height);
    for (out, pixel) in flat.chunks_exact_mut(3).zip(seen.chunks_exact(4)) {
        let alpha = u32::from(pixel[3]);
        for (out, &colour) in out.iter_mut().zip(pixel) {
            *out = ((u32::from(colour) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        }
    }
    flat
}

/// Whether the end marker of a JPEG is there: its decoder fills what is missing with grey and says nothing.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[first, marker]) = bytes.get(at..at + 2) {
        at += match (first, marker) {
            (0xFF, 0xD9) => return true,
            (0xFF, 0xFF) => 1, // fill bytes before a marker
            // Among a scan's bytes: an escaped 0xFF, or a restart, which has no length.
            (0xFF, 0x00 | 0x01 | 0xD0..=0xD7) => 2,
            (0xFF, _) => match bytes.get(at + 2..at + 4) {
                Some(&[high, low]) => 2 + usize::from(u16::from_be_bytes([high, low])),
                _ => return false,
            },
            _ => 1,
        };
    }
    false
}
