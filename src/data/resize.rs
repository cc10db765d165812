//! From any size to the square that the network sees. The aspect is not kept, as in Keras.

use image::RgbImage;

use crate::experiment::Resize;

/// Resizes `picture` to `size` x `size` pixels.
pub fn resize(picture: RgbImage, size: u32, how: Resize) -> RgbImage {
    match how {
        _ if picture.dimensions() == (size, size) => picture,
        Resize::Bilinear => bilinear(&picture, size),
        Resize::Nearest => nearest(&picture, size),
    }
}

/// The source pixel under each target pixel's centre, as Pillow's `NEAREST`, which `flow_from_directory` uses.
fn nearest(picture: &RgbImage, size: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let under = |i: u32, length: u32| ((2 * u64::from(i) + 1) * u64::from(length) / (2 * u64::from(size))) as u32;
    RgbImage::from_fn(size, size, |x, y| *picture.get_pixel(under(x, width), under(y, height)))
}

/// A triangle filter as wide as a target pixel but at least as a source pixel, with half-pixel centres: Pillow's
/// `BILINEAR` and TensorFlow's `resize(antialias=True)`, without Pillow's rounding between the two axes.
///
/// Source rows go by one at a time, so that nothing larger than the result is allocated, whatever the aspect.
fn bilinear(picture: &RgbImage, size: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let columns = taps(width, size);
    let rows = taps(height, size);
    let row_length = 3 * size as usize;
    let mut sums = vec![0f32; row_length * size as usize];
    let mut narrow = vec![0f32; row_length];
    let mut first = 0; // target rows before it are done
    for (y, row) in picture.chunks_exact(3 * width as usize).enumerate() {
        narrow_row(row, &columns, &mut narrow);
        first += rows[first..].iter().take_while(|taps| taps.end() <= y).count();
        for (target, taps) in rows.iter().enumerate().skip(first).take_while(|(_, taps)| taps.start <= y) {
            let weight = taps.weights[y - taps.start];
            let sums = &mut sums[target * row_length..][..row_length];
            sums.iter_mut().zip(&narrow).for_each(|(sum, value)| *sum += weight * value);
        }
    }
    let pixels = sums.iter().map(|sum| (sum + 0.5) as u8).collect();
    RgbImage::from_raw(size, size, pixels).unwrap_or_default()
}

fn narrow_row(row: &[u8], columns: &[Taps], narrow: &mut [f32]) {
    for (out, taps) in narrow.chunks_exact_mut(3).zip(columns) {
        let mut sum = [0f32; 3];
        for (pixel, weight) in row[3 * taps.start..3 * taps.end()].chunks_exact(3).zip(&taps.weights) {
            for (sum, &value) in sum.iter_mut().zip(pixel) {
                *sum += weight * f32::from(value);
            }
        }
        out.copy_from_slice(&sum);
    }
}

/// The source pixels that make up a target pixel along one axis; the weights add up to 1.
struct Taps {
    start: usize,
    weights: Vec<f32>,
}

impl Taps {
    fn end(&self) -> usize {
        self.start + self.weights.len()
    }
}

fn taps(source: u32, target: u32) -> Vec<Taps> {
    let scale = f64::from(source) / f64::from(target);
    let support = scale.max(1.0);
    let tap = |i: u32| {
        let centre = (f64::from(i) + 0.5) * scale;
        let start = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(source as usize);
        let weight = |k: usize| (1.0 - ((k as f64 + 0.5 - centre) / support).abs()).max(0.0);
        let total: f64 = (start..end).map(weight).sum();
        Taps { start, weights: (start..end).map(|k| (weight(k) / total) as f32).collect() }
    };
    (0..target).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn bytes(value: &Value) -> Vec<u8> {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn agrees_with_pillow() {
        let reference = include_str!("../../tests/reference/resize.json");
        let reference: Value = serde_json::from_str(reference).unwrap();
        let cases = reference["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 16);
        for case in cases {
            let dimension = |key: &str| case[key].as_u64().unwrap() as u32;
            let picture =
                RgbImage::from_raw(dimension("width"), dimension("height"), bytes(&case["input_hwc"])).unwrap();
            // Pillow rounds between the two axes, which may move the result by one level.
            let (how, tolerance) = match case["resize"].as_str().unwrap() {
                "nearest" => (Resize::Nearest, 0),
                _ => (Resize::Bilinear, 1),
            };
            let ours = resize(picture, dimension("size"), how).into_raw();
            let theirs = bytes(&case["output_hwc"]);
            assert_eq!(ours.len(), theirs.len());
            let worst = ours.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(worst <= tolerance, "{how:?} {}x{}: {worst}", dimension("height"), dimension("width"));
        }
    }

    #[test]
    fn one_colour_stays_that_colour_whatever_the_aspect() {
        for (width, height) in [(1, 1), (300_000, 1), (1, 300_000), (640, 480), (9, 7)] {
            let picture = RgbImage::from_pixel(width, height, image::Rgb([255, 128, 0]));
            let small = resize(picture, 8, Resize::Bilinear);
            assert_eq!(small, RgbImage::from_pixel(8, 8, image::Rgb([255, 128, 0])), "{width}x{height}");
        }
    }
}
