//! Small pictures and folders for the tests of this room.

#![cfg(test)]

use std::fs;
use std::path::Path;

use image::{ImageFormat, Rgb, RgbImage};

use crate::experiment::{Augment, Data, Inputs, Pictures, Resize};

pub const AUGMENT: Augment =
    Augment { rotation: 20.0, zoom: 0.2, width_shift: 0.1, height_shift: 0.1, horizontal_flip: true, ..Augment::NONE };

/// At 8x8 pixels.
pub const PICTURES: Pictures = Pictures { image_size: 8, resize: Resize::Bilinear, augment: AUGMENT };

/// A picture without symmetry, different for each `n`.
pub fn picture(width: u32, height: u32, n: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 9 + n) as u8, (y * 11 + 3 * n) as u8, (x * y + 7 * n) as u8]))
}

/// `picture` as the bytes of a file.
pub fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// Writes a file and the folders above it.
pub fn write(path: impl AsRef<Path>, bytes: &[u8]) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Writes `count` PNG pictures `00.png` … into each class folder below `root`.
pub fn write_classes(root: &Path, classes: &[(&str, u32)]) {
    for (k, (class, count)) in classes.iter().enumerate() {
        for n in 0..*count {
            let picture = picture(12 + n % 3, 10, 40 * k as u32 + n);
            write(root.join(class).join(format!("{n:02}.png")), &encoded(&picture, ImageFormat::Png));
        }
    }
}

/// What to read: the folder `train` below `root`, a quarter held out, at 8x8 pixels.
pub fn spec(root: &Path) -> Data {
    Data {
        train: root.join("train"),
        val: None,
        val_split: Some(0.25),
        inputs: Inputs::Pictures(PICTURES),
        loader_threads: 2,
    }
}

/// The same with the folder `val` to validate on.
pub fn spec_with_val(root: &Path) -> Data {
    Data { val: Some(root.join("val")), val_split: None, ..spec(root) }
}
