//! From a file to RGB: PNG, JPEG, WebP, BMP, and the first frame of a GIF, whatever the extension says. Transparency is
//! put on white, EXIF orientation is obeyed, 16-bit and grey pictures become 8-bit RGB.
//!
//! A file is untrusted: its size is bounded before it is read and its dimensions before anything is allocated for them.

use std::io::{self, Cursor};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage, RgbaImage};

use super::file::{self, Unreadable};
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
    #[error(transparent)]
    File(#[from] Unreadable),
    #[error("the file is empty")]
    Empty,
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
    decode(&file::read(path, MAX_FILE_BYTES)?)
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
        io::ErrorKind::UnexpectedEof => Defect::Truncated,
        _ => Defect::File(Unreadable::Failed(error)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixtures::{encoded, picture};
    use image::{Delay, Frame, GrayAlphaImage, ImageBuffer, Luma, LumaA, Rgb, Rgba};

    const ALL: [ImageFormat; 5] =
        [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Gif];
    const RED: Rgb<u8> = Rgb([255, 0, 0]);
    const GREEN: Rgb<u8> = Rgb([0, 255, 0]);
    const BLUE: Rgb<u8> = Rgb([0, 0, 255]);
    const WHITE: Rgb<u8> = Rgb([255, 255, 255]);

    /// 32x16 pixels: red and green above blue and white.
    fn quarters() -> RgbImage {
        RgbImage::from_fn(32, 16, |x, y| [[RED, GREEN], [BLUE, WHITE]][(y / 8) as usize][(x / 16) as usize])
    }

    /// The nearest of the four colours in the middle of each quarter, row by row.
    fn seen_quarters(picture: &RgbImage) -> [Rgb<u8>; 4] {
        let (w, h) = picture.dimensions();
        [(w / 4, h / 4), (3 * w / 4, h / 4), (w / 4, 3 * h / 4), (3 * w / 4, 3 * h / 4)].map(|(x, y)| {
            let seen = picture.get_pixel(x, y);
            let near = |colour: &Rgb<u8>| seen.0.iter().zip(colour.0).all(|(a, b)| a.abs_diff(b) < 16);
            [RED, GREEN, BLUE, WHITE].into_iter().find(near).unwrap_or(*seen)
        })
    }

    fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        picture.into().write_to(&mut file, ImageFormat::Png).unwrap();
        file.into_inner()
    }

    #[test]
    fn every_format_is_read_whatever_its_name() {
        for format in ALL {
            let read = decode(&encoded(&quarters(), format)).unwrap();
            assert_eq!(read.dimensions(), (32, 16));
            assert_eq!(seen_quarters(&read), [RED, GREEN, BLUE, WHITE], "{format:?}");
        }
        for lossless in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp] {
            let picture = picture(13, 7, 3);
            assert_eq!(decode(&encoded(&picture, lossless)).unwrap(), picture, "{lossless:?}");
        }
    }

    #[test]
    fn exif_orientation_is_obeyed() {
        let jpeg = encoded(&quarters(), ImageFormat::Jpeg);
        let upright = [
            [RED, GREEN, BLUE, WHITE],
            [GREEN, RED, WHITE, BLUE],
            [WHITE, BLUE, GREEN, RED],
            [BLUE, WHITE, RED, GREEN],
            [RED, BLUE, GREEN, WHITE],
            [BLUE, RED, WHITE, GREEN],
            [WHITE, GREEN, BLUE, RED],
            [GREEN, WHITE, RED, BLUE],
        ];
        for (orientation, expected) in (1u8..).zip(upright) {
            let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
            exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
            let length = (exif.len() as u16 + 2).to_be_bytes();
            let turned = [&jpeg[..2], &[0xFF, 0xE1], &length, &exif, &jpeg[2..]].concat();
            let read = decode(&turned).unwrap();
            assert_eq!(read.dimensions(), if orientation < 5 { (32, 16) } else { (16, 32) });
            assert_eq!(seen_quarters(&read), expected, "orientation {orientation}");
        }
    }

    #[test]
    fn transparency_is_put_on_white() {
        let mut colours = RgbaImage::from_pixel(2, 2, Rgba([10, 20, 30, 255]));
        colours.put_pixel(0, 0, Rgba([200, 0, 0, 0]));
        colours.put_pixel(1, 0, Rgba([0, 100, 255, 128]));
        let read = decode(&png(colours.clone())).unwrap();
        assert_eq!(read.get_pixel(0, 0), &WHITE);
        assert_eq!(read.get_pixel(1, 0), &Rgb([127, 177, 255]));
        assert_eq!(read.get_pixel(0, 1), &Rgb([10, 20, 30]));

        let grey = GrayAlphaImage::from_fn(2, 1, |x, _| LumaA([40, 255 * x as u8]));
        assert_eq!(decode(&png(grey)).unwrap().into_raw(), [255, 255, 255, 40, 40, 40]);

        colours.put_pixel(1, 0, Rgba([0, 100, 255, 0]));
        let read = decode(&gif(&[colours])).unwrap();
        assert_eq!([read.get_pixel(0, 0), read.get_pixel(1, 0)], [&WHITE; 2]);
    }

    #[test]
    fn grey_and_deep_pictures_become_rgb() {
        let grey = ImageBuffer::<Luma<u8>, _>::from_fn(2, 1, |x, _| Luma([100 + x as u8]));
        assert_eq!(decode(&png(grey)).unwrap().into_raw(), [100, 100, 100, 101, 101, 101]);
        let deep_grey = ImageBuffer::<Luma<u16>, _>::from_fn(2, 1, |x, _| Luma([257 * (100 + x as u16)]));
        assert_eq!(decode(&png(deep_grey)).unwrap().into_raw(), [100, 100, 100, 101, 101, 101]);
        let deep = ImageBuffer::<Rgb<u16>, _>::from_pixel(1, 1, Rgb([0, 32_896, 65_535]));
        assert_eq!(decode(&png(deep)).unwrap().into_raw(), [0, 128, 255]);
        let deep_glass = ImageBuffer::<Rgba<u16>, _>::from_pixel(1, 1, Rgba([0, 32_896, 65_535, 0]));
        assert_eq!(decode(&png(deep_glass)).unwrap().into_raw(), [255, 255, 255]);
    }

    fn gif(frames: &[RgbaImage]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut file);
        let frames = frames.iter().map(|f| Frame::from_parts(f.clone(), 0, 0, Delay::from_numer_denom_ms(50, 1)));
        encoder.encode_frames(frames).unwrap();
        drop(encoder);
        file
    }

    #[test]
    fn a_moving_gif_gives_its_first_frame() {
        let frames = [[255, 0, 0, 255], [0, 0, 255, 255]].map(|colour| RgbaImage::from_pixel(4, 4, Rgba(colour)));
        assert_eq!(decode(&gif(&frames)).unwrap(), RgbImage::from_pixel(4, 4, RED));
    }

    #[test]
    fn a_truncated_file_is_never_half_a_picture() {
        let picture = RgbImage::from_fn(64, 64, |x, y| {
            let noise = crate::base::random::mix(u64::from(x * 64 + y)).to_le_bytes();
            Rgb([noise[0], noise[1], noise[2]])
        });
        for format in ALL {
            let whole = encoded(&picture, format);
            assert!(decode(&whole).is_ok());
            for share in [5, 20, 50, 80, 95] {
                let result = decode(&whole[..whole.len() * share / 100]);
                let defect = result.expect_err(&format!("{format:?} cut at {share} %"));
                let words = defect.to_string();
                assert!(words.starts_with("truncated") || words.starts_with("corrupt"), "{format:?}: {words}");
                if share >= 50 && matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Bmp) {
                    assert!(matches!(defect, Defect::Truncated), "{format:?} cut at {share} %: {words}");
                }
            }
        }
    }

    #[test]
    fn a_jpeg_may_have_something_after_its_end() {
        let mut jpeg = encoded(&quarters(), ImageFormat::Jpeg);
        jpeg.extend([0xFF, 0xDA, 1, 2, 3]); // as the film of a motion photo may look
        assert!(decode(&jpeg).is_ok());
    }

    #[test]
    fn what_is_no_picture_is_told_in_words() {
        for (bytes, words) in [
            (&b""[..], "the file is empty"),
            (b"Hello, I am a text file.\n", "not a PNG, JPEG, WebP, BMP or GIF picture, by its first bytes"),
            (b"\0", "not a PNG, JPEG, WebP, BMP or GIF picture, by its first bytes"),
            (b"II*\0\x08\0\0\0\0\0\0\0\0\0\0\0", "not supported: "),
            (b"\x89PNG\r\n\x1a\n", "truncated: the file ends before the picture does"),
            (b"\x89PNG\r\n\x1a\nnothing of the kind but some text", "corrupt: "),
        ] {
            let said = decode(bytes).unwrap_err().to_string();
            assert!(said.starts_with(words), "{said}");
        }
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.png");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(matches!(open(&pipe), Err(Defect::File(Unreadable::NotAFile))));
        assert!(matches!(open(folder.path()), Err(Defect::File(Unreadable::NotAFile))));
        assert!(matches!(open(&folder.path().join("none.png")), Err(Defect::File(Unreadable::Missing))));
        let huge = folder.path().join("huge.png");
        std::fs::File::create(&huge).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap(); // sparse: takes no room
        assert_eq!(open(&huge).unwrap_err().to_string(), "the file is 512.0 MiB, more than 512.0 MiB");
    }

    /// A PNG that claims these dimensions, with a valid checksum, and a little compressed data.
    fn claiming_png(width: u32, height: u32) -> Vec<u8> {
        let chunk = |name: &[u8], data: &[u8]| {
            let body = [name, data].concat();
            let crc = body.iter().fold(u32::MAX, |crc, &byte| {
                (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
            });
            [&(data.len() as u32).to_be_bytes()[..], &body, &(!crc).to_be_bytes()].concat()
        };
        let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
        let data = [0x78, 0x9C, 0x63, 0, 0, 0, 1, 0, 1];
        [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &header), &chunk(b"IDAT", &data), &chunk(b"IEND", b"")].concat()
    }

    #[test]
    fn a_huge_picture_is_refused_by_its_header() {
        let mut jpeg = encoded(&quarters(), ImageFormat::Jpeg);
        let frame = jpeg.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
        jpeg[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xDC, 0xFF, 0xDC]);
        let mut bmp = encoded(&quarters(), ImageFormat::Bmp);
        bmp[18..22].copy_from_slice(&40_000u32.to_le_bytes());
        bmp[22..26].copy_from_slice(&40_000u32.to_le_bytes());
        let mut gif = encoded(&quarters(), ImageFormat::Gif);
        gif[6..10].copy_from_slice(&[0xFF; 4]);
        let mut webp = encoded(&quarters(), ImageFormat::WebP);
        let start = webp.windows(4).position(|w| w == b"VP8L").unwrap() + 9;
        webp[start..start + 4].copy_from_slice(&[0xFE, 0xBF, 0xFF, 0x0F]);
        for (bytes, said) in [
            (claiming_png(100_000, 100_000), "100000x100000 pixels"),
            (claiming_png(10_001, 10_000), "10001x10000 pixels"),
            (jpeg, "65500x65500 pixels"),
            (bmp, "40000x40000 pixels"),
            (gif, "65535x65535 pixels"),
            (webp, "16383x16383 pixels"),
        ] {
            assert_eq!(decode(&bytes).unwrap_err().to_string(), format!("{said} are more than 100 megapixels"));
        }
        let honest = decode(&claiming_png(100, 100)).unwrap_err().to_string();
        assert!(!honest.contains("megapixels"), "{honest}");
    }
}
