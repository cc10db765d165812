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
        let source = padded(picture);
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let map = self.map(width as f64, height as f64);
        let row_axis = Axis::new(height, width);
        let column_axis = Axis::new(width, 1);
        for row in 0..height {
            let along = |line: [f64; 3]| (line[0] * row as f64 + line[2], line[1]);
            let ((row_start, row_slope), (column_start, column_slope)) = (along(map.row), along(map.column));
            for column in 0..width {
                let (above, below, down) = row_axis.between(row_start + row_slope * column as f64);
                let (left, right, across) = column_axis.between(column_start + column_slope * column as f64);
                let top = mix(source[above + left], source[above + right], across);
                let bottom = mix(source[below + left], source[below + right], across);
                let [red, green, blue, _] = mix(top, bottom, down);
                let column = if self.flip_horizontal { width - 1 - column } else { column };
                put(row * width + column, [red, green, blue]);
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

/// Four numbers a pixel, so that a pixel is one vector register.
fn padded(picture: &RgbImage) -> Vec<[f32; 4]> {
    picture.as_raw().chunks_exact(3).map(|rgb| [rgb[0].into(), rgb[1].into(), rgb[2].into(), 0.0]).collect()
}

#[inline]
fn mix(a: [f32; 4], b: [f32; 4], share: f32) -> [f32; 4] {
    std::array::from_fn(|c| a[c] + (b[c] - a[c]) * share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixtures::{AUGMENT, picture};

    fn applied(transform: &Transform, picture: &RgbImage) -> Vec<f32> {
        let mut out = vec![f32::NAN; picture.as_raw().len()];
        transform.apply(picture, |at, rgb| out[3 * at..][..3].copy_from_slice(&rgb));
        out
    }

    #[test]
    fn shifts_move_as_they_are_named_and_repeat_the_edge() {
        let source = picture(8, 8, 5);
        let still = Transform { theta: 0.0, tx: 0.0, ty: 0.0, zx: 1.0, zy: 1.0, flip_horizontal: false };
        let sideways = applied(&Transform { tx: 2.0, ..still }, &source);
        let upwards = applied(&Transform { ty: 2.0, ..still }, &source);
        for (x, y, pixel) in source.enumerate_pixels() {
            let at = |x: u32, y: u32| source.get_pixel(x.min(7), y.min(7)).0.map(f32::from);
            let index = 3 * (8 * y + x) as usize;
            assert_eq!(sideways[index..][..3], at(x + 2, y));
            assert_eq!(upwards[index..][..3], at(x, y + 2));
            assert_eq!(applied(&still, &source)[index..][..3], pixel.0.map(f32::from));
        }
    }

    #[test]
    fn one_pixel_wide_pictures_do_not_fail() {
        let all = Transform { theta: 33.0, tx: 2.0, ty: -1.0, zx: 0.5, zy: 1.5, flip_horizontal: true };
        for (width, height) in [(1, 1), (1, 5), (5, 1)] {
            assert!(applied(&all, &picture(width, height, 1)).iter().all(|v| (0.0..=255.0).contains(v)));
        }
    }

    #[test]
    fn draws_are_within_their_ranges_and_cover_them() {
        let drawn: Vec<Transform> = (0..4_000).map(|n| Transform::draw(&AUGMENT, 100, 1, n % 50, n / 50)).collect();
        let check = |name: &str, value: fn(&Transform) -> f64, low: f64, high: f64| {
            let values: Vec<f64> = drawn.iter().map(value).collect();
            let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(a, b), &v| (a.min(v), b.max(v)));
            let edge = (high - low) * 0.01;
            assert!(
                least >= low && least < low + edge && most <= high && most > high - edge,
                "{name}: {least}..{most}"
            );
        };
        check("theta", |t| t.theta, -20.0, 20.0);
        check("tx", |t| t.tx, -10.0, 10.0);
        check("ty", |t| t.ty, -10.0, 10.0);
        check("zx", |t| t.zx, 0.8, 1.2);
        check("zy", |t| t.zy, 0.8, 1.2);
        let flipped = drawn.iter().filter(|t| t.flip_horizontal).count();
        assert!((1_850..2_150).contains(&flipped), "{flipped} of 4000 flipped");
    }

    #[test]
    fn a_variant_depends_on_seed_sample_and_number_and_on_its_own_kind_of_change_only() {
        let draw = |seed, sample, variant| Transform::draw(&AUGMENT, 100, seed, sample, variant);
        let one = draw(1, 2, 3);
        assert_eq!(one, draw(1, 2, 3));
        for other in [draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4)] {
            assert_ne!(one, other);
        }
        let without_turns = Transform::draw(&Augment { rotation: 0.0, ..AUGMENT }, 100, 1, 2, 3);
        assert_eq!(without_turns, Transform { theta: 0.0, ..one });
        let wide = Augment { width_shift: 0.5, height_shift: 0.0, ..AUGMENT };
        let moved = Transform::draw(&wide, 100, 1, 2, 3);
        assert!(moved.ty == 0.0 && (moved.tx - 5.0 * one.tx).abs() < 1e-9, "width_shift moves sideways");
    }
}
