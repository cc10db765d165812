//! An affine map around the centre (Keras' `apply_affine_transform`), bilinear, and mirrors.

use image::RgbImage;

use super::{place, within};
use crate::base::random::Stream;
use crate::experiment::{Augment, Fill};

/// Where the pixels of a picture go, in Keras' names. Keras swaps the axes of its matrix, so `tx` and `zx` act across the
/// columns and `ty` and `zy` across the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transform {
    /// Turn, in degrees.
    pub theta: f64,
    /// In degrees.
    pub shear: f64,
    /// Shifts, in pixels.
    pub tx: f64,
    pub ty: f64,
    /// Zoom factors; above 1 the picture shrinks.
    pub zx: f64,
    pub zy: f64,
    /// Mirrored left to right, after all else.
    pub flip_horizontal: bool,
    /// Mirrored top to bottom, after all else.
    pub flip_vertical: bool,
    /// What is moved in.
    pub fill: Fill,
}

impl Transform {
    /// No change at all.
    pub const STILL: Transform = Transform {
        theta: 0.0,
        shear: 0.0,
        tx: 0.0,
        ty: 0.0,
        zx: 1.0,
        zy: 1.0,
        flip_horizontal: false,
        flip_vertical: false,
        fill: Fill::Nearest,
    };

    /// `width_shift` moves sideways, as its name says; in Keras 3 the swapped axes make it move up and down.
    pub(super) fn draw(augment: &Augment, size: u32, stream: &Stream) -> Transform {
        let within = |at: u64, limit: f64| within(stream, at, limit);
        Transform {
            theta: within(place::THETA, augment.rotation),
            shear: within(place::SHEAR, augment.shear),
            tx: within(place::TX, augment.width_shift) * f64::from(size),
            ty: within(place::TY, augment.height_shift) * f64::from(size),
            zx: 1.0 + within(place::ZX, augment.zoom),
            zy: 1.0 + within(place::ZY, augment.zoom),
            flip_horizontal: augment.horizontal_flip && stream.uniform_at(place::HORIZONTAL_FLIP) < 0.5,
            flip_vertical: augment.vertical_flip && stream.uniform_at(place::VERTICAL_FLIP) < 0.5,
            fill: augment.fill_mode,
        }
    }

    /// Gives every pixel of the changed picture, as red, green and blue in 0…255, to `put` with its row-major index.
    pub fn apply(&self, picture: &RgbImage, mut put: impl FnMut(usize, [f32; 3])) {
        let source = padded(picture);
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let map = self.map(width as f64, height as f64);
        let row_axis = Axis::new(height, width, self.fill);
        let column_axis = Axis::new(width, 1, self.fill);
        for row in 0..height {
            let along = |line: [f64; 3]| (line[0] * row as f64 + line[2], line[1]);
            let ((row_start, row_slope), (column_start, column_slope)) = (along(map.row), along(map.column));
            for column in 0..width {
                let down = row_axis.between(row_start + row_slope * column as f64);
                let across = column_axis.between(column_start + column_slope * column as f64);
                let rgb = match (down, across) {
                    (Some(down), Some(across)) => pixel(&source, down, across),
                    _ => [0.0; 3],
                };
                let column = if self.flip_horizontal { width - 1 - column } else { column };
                let row = if self.flip_vertical { height - 1 - row } else { row };
                put(row * width + column, rgb);
            }
        }
    }

    /// Keras' matrix: turn, shift, shear and zoom multiplied in this order, around the centre, then both axes swapped.
    fn map(&self, width: f64, height: f64) -> Map {
        let (sin, cos) = self.theta.to_radians().sin_cos();
        // A shear moves the second axis on from where the turn has put it.
        let (sheared_sin, sheared_cos) = (self.theta + self.shear).to_radians().sin_cos();
        let [a, b, c, d] = [cos * self.zx, -sheared_sin * self.zy, sin * self.zx, sheared_cos * self.zy];
        let (x, y) = (height / 2.0 - 0.5, width / 2.0 - 0.5); // in Keras' order, which matters only off the square
        let shift_x = cos * self.tx - sin * self.ty + x - (a * x + b * y);
        let shift_y = sin * self.tx + cos * self.ty + y - (c * x + d * y);
        Map { row: [d, c, shift_y], column: [b, a, shift_x] }
    }
}

/// Where in the source a target pixel comes from: each coordinate is a product with (row, column, 1).
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
    fill: Fill,
}

/// Buffer offsets of two neighbours, and the share of the second.
type Between = (usize, usize, f32);

impl Axis {
    fn new(length: usize, stride: usize, fill: Fill) -> Self {
        let step = if length > 1 { stride } else { 0 };
        Axis { last: length as f64 - 1.0, lowest_of_last_pair: length.saturating_sub(2), stride, step, fill }
    }

    /// The two neighbours of `at`; None outside of the picture, where that is black.
    #[inline]
    fn between(&self, at: f64) -> Option<Between> {
        let at = match self.fill {
            Fill::Nearest => at.clamp(0.0, self.last),
            Fill::Reflect => self.mirrored(at).clamp(0.0, self.last),
            Fill::Constant if at < 0.0 || at > self.last => return None,
            Fill::Constant => at,
        };
        let low = (at as usize).min(self.lowest_of_last_pair);
        let offset = low * self.stride;
        Some((offset, offset + self.step, (at - low as f64) as f32))
    }

    /// Where `at` is in mirrors that stand half a pixel outside of the first and the last one (scipy's `reflect`).
    fn mirrored(&self, at: f64) -> f64 {
        let length = self.last + 1.0;
        let along = (at + 0.5).rem_euclid(2.0 * length);
        along.min(2.0 * length - along) - 0.5
    }
}

#[inline]
fn pixel(source: &[[f32; 4]], (above, below, down): Between, (left, right, across): Between) -> [f32; 3] {
    let top = mix(source[above + left], source[above + right], across);
    let bottom = mix(source[below + left], source[below + right], across);
    let [red, green, blue, _] = mix(top, bottom, down);
    [red, green, blue]
}

/// Four numbers a pixel, so that a pixel is one vector register.
fn padded(picture: &RgbImage) -> Vec<[f32; 4]> {
    picture.as_raw().chunks_exact(3).map(|rgb| [rgb[0].into(), rgb[1].into(), rgb[2].into(), 0.0]).collect()
}

#[inline]
fn mix(a: [f32; 4], b: [f32; 4], share: f32) -> [f32; 4] {
    std::array::from_fn(|c| a[c] + (b[c] - a[c]) * share)
}
