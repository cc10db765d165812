//! Random changes of a picture, as Keras' `ImageDataGenerator` draws (`get_random_transform`) and applies them
//! (`apply_affine_transform`): an affine map around the centre, bilinear, the edge repeated outside.
//!
//! A variant is a pure function of (seed, sample, n). Each parameter has its own place in the stream, so that turning
//! one kind of change on or off leaves the others as they were.

use image::RgbImage;

use crate::base::random::{Purpose, Stream};
use crate::experiment::Augment;

/// What is done to a picture, in Keras' names. Keras swaps the axes of its matrix, so `tx` and `zx` act across the
/// columns and `ty` and `zy` across the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transform {
    /// Turn, in degrees.
    pub theta: f64,
    /// Shifts, in pixels.
    pub tx: f64,
    pub ty: f64,
    /// Zoom factors; above 1 the picture shrinks.
    pub zx: f64,
    pub zy: f64,
    /// Mirrored left to right, after all else.
    pub flip_horizontal: bool,
}

impl Transform {
    /// The `variant`-th random change of sample number `sample`, a picture of `size` x `size`.
    ///
    /// `width_shift` moves sideways, as its name says; in Keras 3 the swapped axes make it move up and down.
    pub fn draw(augment: &Augment, size: u32, seed: u64, sample: u64, variant: u64) -> Transform {
        let stream = Stream::new(seed, Purpose::Augment, variant, sample);
        let within = |at: u64, limit: f64| (2.0 * stream.uniform_at(at) - 1.0) * limit;
        Transform {
            theta: within(0, augment.rotation),
            tx: within(1, augment.width_shift) * f64::from(size),
            ty: within(2, augment.height_shift) * f64::from(size),
            zx: 1.0 + within(3, augment.zoom),
            zy: 1.0 + within(4, augment.zoom),
            flip_horizontal: augment.horizontal_flip && stream.uniform_at(5) < 0.5,
        }
    }

    /// Gives every pixel of the changed picture, as red, green and blue in 0…255, to `put` with its row-major index.
    pub fn apply(&self, picture: &RgbImage, mut put: impl FnMut(usize, [f32; 3])) {
        let source = picture.as_raw().as_slice();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let map = self.map(width as f64, height as f64);
        let row_axis = Axis::new(height, 3 * width);
        let column_axis = Axis::new(width, 3);
        for row in 0..height {
            for column in 0..width {
                let at = [row as f64, column as f64, 1.0];
                let (above, below, down) = row_axis.between(dot(map.row, at));
                let (left, right, across) = column_axis.between(dot(map.column, at));
                let step = right - left;
                let top = &source[above + left..][..step + 3];
                let bottom = &source[below + left..][..step + 3];
                let pixel = std::array::from_fn(|c| {
                    let top = mix(top[c], top[step + c], across);
                    let bottom = mix(bottom[c], bottom[step + c], across);
                    top + (bottom - top) * down
                });
                let column = if self.flip_horizontal { width - 1 - column } else { column };
                put(row * width + column, pixel);
            }
        }
    }

    /// Keras' matrix: turn, shift and zoom multiplied in this order, around the centre, then both axes swapped.
    fn map(&self, width: f64, height: f64) -> Map {
        let (sin, cos) = self.theta.to_radians().sin_cos();
        let [a, b, c, d] = [cos * self.zx, -sin * self.zy, sin * self.zx, cos * self.zy];
        let (x, y) = (height / 2.0 - 0.5, width / 2.0 - 0.5); // in Keras' order, which matters only off the square
        let shift_x = cos * self.tx - sin * self.ty + x - (a * x + b * y);
        let shift_y = sin * self.tx + cos * self.ty + y - (c * x + d * y);
        Map { row: [d, c, shift_y], column: [b, a, shift_x] }
    }
}

/// Where in the source a target pixel (row, column, 1) comes from.
struct Map {
    row: [f64; 3],
    column: [f64; 3],
}

/// One axis of the source: its last index, and the distance of neighbours in its pixels' buffer.
struct Axis {
    last: f64,
    lowest_of_last_pair: usize,
    stride: usize,
    step: usize,
}

impl Axis {
    fn new(length: usize, stride: usize) -> Self {
        let step = if length > 1 { stride } else { 0 };
        Axis { last: length as f64 - 1.0, lowest_of_last_pair: length.saturating_sub(2), stride, step }
    }

    /// Buffer offsets of the two neighbours of `at`, and the share of the second; outside the edge counts as the edge.
    #[inline]
    fn between(&self, at: f64) -> (usize, usize, f32) {
        let at = at.clamp(0.0, self.last);
        let low = (at as usize).min(self.lowest_of_last_pair);
        let offset = low * self.stride;
        (offset, offset + self.step, (at - low as f64) as f32)
    }
}

#[inline]
fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[inline]
fn mix(a: u8, b: u8, share: f32) -> f32 {
    let (a, b) = (f32::from(a), f32::from(b));
    a + (b - a) * share
}
