//! Pictures of every format, changed, and files that claim to be more than they are.

use std::io::Cursor;
use std::sync::OnceLock;

use finetop::data::decode;
use image::{DynamicImage, ImageFormat, RgbaImage};
use proptest::prelude::*;

use super::change::{changed, changes};
use super::memory::peak_of;

/// The largest picture, 100 megapixels, in its deepest form and as RGB.
const MOST: u64 = 1 << 30;

const FORMATS: [ImageFormat; 5] =
    [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Bmp];

fn pictures() -> &'static [Vec<u8>] {
    static PICTURES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    PICTURES.get_or_init(|| {
        let picture = RgbaImage::from_fn(24, 16, |x, y| image::Rgba([x as u8 * 9, y as u8 * 15, (x * y) as u8, 200]));
        FORMATS.iter().map(|&format| encoded(&DynamicImage::from(picture.clone()), format)).collect()
    })
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = if format == ImageFormat::Jpeg { picture.to_rgb8().into() } else { picture.clone() };
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_pictures_are_pictures_or_errors(format in 0..FORMATS.len(), changes in changes()) {
        let bytes = changed(&pictures()[format], &changes);
        let (picture, peak) = peak_of(|| decode::decode(&bytes));
        prop_assert!(peak <= MOST, "{} bytes", peak);
        if let Err(defect) = picture {
            prop_assert!(!defect.to_string().is_empty());
        }
    }
}

#[test]
fn the_pictures_are_fine_unchanged() {
    for (format, bytes) in FORMATS.iter().zip(pictures()) {
        assert_eq!(decode::decode(bytes).unwrap().dimensions(), (24, 16), "{format:?}");
    }
}

/// `bytes` with big-endian `values` at `at`.
fn with(bytes: &[u8], at: usize, values: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + values.len()].copy_from_slice(values);
    bytes
}

/// The header of a PNG that claims to be of a size, its checksum right.
fn claiming_png(width: u32, height: u32) -> Vec<u8> {
    let mut png = with(&pictures()[0], 16, &[width.to_be_bytes(), height.to_be_bytes()].concat());
    let sum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&sum.to_be_bytes());
    png
}

/// CRC-32 of IEEE 802.3, as the PNG specification asks for it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 })
    })
}

#[test]
fn what_claims_to_be_huge_is_refused_before_it_takes_memory() {
    let [png, jpeg, webp, gif, bmp] = pictures() else { panic!("five formats") };
    let sof = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0] || pair == [0xFF, 0xC2]).unwrap();
    assert!(webp.starts_with(b"RIFF") && &png[12..16] == b"IHDR");
    for (name, bytes) in [
        ("png", claiming_png(100_000, 100_000)),
        ("png, largest", claiming_png(i32::MAX as u32, i32::MAX as u32)),
        ("jpeg", with(jpeg, sof + 5, &[0xFF, 0xFF, 0xFF, 0xFF])),
        ("gif", with(gif, 6, &[0xFF, 0xFF, 0xFF, 0xFF])),
        ("bmp", with(bmp, 18, &[100_000u32.to_le_bytes(), 100_000u32.to_le_bytes()].concat())),
    ] {
        let (picture, peak) = peak_of(|| decode::decode(&bytes));
        assert!(picture.is_err(), "{name}");
        assert!(peak < 16 << 20, "{name}: {peak} bytes");
    }
}

/// A chunk of text that unpacks to 256 MiB; nobody asked for it.
#[test]
fn a_compressed_text_in_a_png_is_not_unpacked_without_end() {
    let png = &pictures()[0];
    let packed = packed_zeros(1 << 28);
    let data = [b"Comment\0\0".as_slice(), &packed].concat();
    let body = [b"zTXt".as_slice(), &data].concat();
    let chunk = [&(data.len() as u32).to_be_bytes()[..], &body, &crc32(&body).to_be_bytes()].concat();
    let bytes = [&png[..33], &chunk, &png[33..]].concat();
    let (_, peak) = peak_of(|| decode::decode(&bytes));
    assert!(peak < 64 << 20, "{peak} bytes");
}

/// A zlib stream (RFC 1950 and 1951, fixed codes) of a zero and then matches of 258 bytes at distance 1.
fn packed_zeros(length: usize) -> Vec<u8> {
    let (mut bytes, mut held, mut count) = (vec![0x78, 0x01], 0u32, 0);
    let mut put = |code: &str| {
        for bit in code.bytes() {
            held |= u32::from(bit - b'0') << count;
            count += 1;
            if count == 8 {
                bytes.push(held as u8);
                (held, count) = (0, 0);
            }
        }
    };
    put("110"); // the last block, of fixed codes
    put("00110000"); // the byte 0
    let matches = (length - 1) / 258;
    (0..matches).for_each(|_| put("1100010100000"));
    put("0000000");
    put("0000000"); // to the end of a byte
    let sum = (((1 + 258 * matches) % 65521) as u32) << 16 | 1; // Adler-32 of zeros
    bytes.extend(sum.to_be_bytes());
    bytes
}
