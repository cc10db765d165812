//! Random changes of a picture, as Keras' `ImageDataGenerator` draws (`get_random_transform`) and applies them
//! (`apply_transform`): an affine map, a shift of all colours, mirrors, brightness; then contrast, and a rectangle that is
//! erased.
//!
//! A variant is a pure function of (seed, sample, n). Each parameter has its own place in the stream, so that turning
//! one kind of change on or off leaves the others as they were.

mod affine;
mod colours;
mod erasing;

use image::RgbImage;

use crate::base::random::{Purpose, Stream};
use crate::experiment::Augment;
pub use affine::Transform;
pub use colours::Colours;
pub use erasing::Area;

/// What is done to a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variant {
    pub transform: Transform,
    pub colours: Colours,
    pub erased: Option<Area>,
}

impl Variant {
    /// The `number`-th random change of sample number `sample`, a picture of `size` x `size`.
    pub fn draw(augment: &Augment, size: u32, seed: u64, sample: u64, number: u64) -> Variant {
        let stream = Stream::new(seed, Purpose::Augment, number, sample);
        Variant {
            transform: Transform::draw(augment, size, &stream),
            colours: Colours::draw(augment, &stream),
            erased: augment.random_erasing.and_then(|erasing| Area::draw(&erasing, size, &stream)),
        }
    }

    /// Gives every pixel of the changed picture, as red, green and blue in 0…255, to `put` with its row-major index; what
    /// is erased is `blank`.
    pub fn apply(&self, picture: &RgbImage, blank: [f32; 3], mut put: impl FnMut(usize, [f32; 3])) {
        if self.colours == Colours::SAME {
            self.transform.apply(picture, &mut put);
        } else {
            let mut pixels = vec![[0.0; 3]; picture.as_raw().len() / 3];
            self.transform.apply(picture, |at, rgb| pixels[at] = rgb);
            self.colours.apply(&mut pixels);
            pixels.into_iter().enumerate().for_each(|(at, rgb)| put(at, rgb));
        }
        if let Some(area) = self.erased {
            area.indices(picture.width() as usize).for_each(|at| put(at, blank));
        }
    }
}

/// Where each parameter stands in its stream; numbers are never given away anew.
mod place {
    pub const THETA: u64 = 0;
    pub const TX: u64 = 1;
    pub const TY: u64 = 2;
    pub const ZX: u64 = 3;
    pub const ZY: u64 = 4;
    pub const HORIZONTAL_FLIP: u64 = 5;
    pub const VERTICAL_FLIP: u64 = 6;
    pub const SHEAR: u64 = 7;
    pub const CHANNEL_SHIFT: u64 = 8;
    pub const BRIGHTNESS: u64 = 9;
    pub const CONTRAST: u64 = 10;
    pub const ERASING: u64 = 11;
    /// And all after it.
    pub const ERASED: u64 = 12;
}

/// The number of `stream` at `at`, from `-limit` to `limit`.
fn within(stream: &Stream, at: u64, limit: f64) -> f64 {
    (2.0 * stream.uniform_at(at) - 1.0) * limit
}

/// The number of `stream` at `at`, from `low` to `high`.
fn between(stream: &Stream, at: u64, [low, high]: [f64; 2]) -> f64 {
    low + (high - low) * stream.uniform_at(at)
}

#[cfg(test)]
mod tests;
