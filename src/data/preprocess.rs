//! From colours to a network's input.

use crate::experiment::Preprocessing;

/// A picture on its way to the network: channels first, `[3, pixels]`, preprocessed as it is written.
pub struct Planes {
    values: Vec<f32>,
    pixels: usize,
    channels: [Channel; 3],
}

/// How one output channel follows from a colour: `scale * colour + offset`.
#[derive(Clone, Copy)]
struct Channel {
    /// 0 red, 1 green, 2 blue.
    colour: usize,
    scale: f32,
    offset: f32,
}

impl Planes {
    /// Room for `pixels` pixels.
    pub fn new(pixels: usize, preprocessing: Preprocessing) -> Self {
        Planes { values: vec![0.0; 3 * pixels], pixels, channels: channels(preprocessing) }
    }

    /// Sets the pixel number `at` (row-major) from red, green and blue in 0…255.
    #[inline]
    pub fn put(&mut self, at: usize, rgb: [f32; 3]) {
        for (plane, channel) in self.values.chunks_exact_mut(self.pixels).zip(&self.channels) {
            plane[at] = channel.scale * rgb[channel.colour] + channel.offset;
        }
    }

    /// The values, `[3, height, width]`.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }
}

/// The colour that becomes 0, as red, green and blue in 0…255: the mean of the pictures that the weights were trained on.
pub fn blank(preprocessing: Preprocessing) -> [f32; 3] {
    let mut rgb = [0.0; 3];
    channels(preprocessing).iter().for_each(|channel| rgb[channel.colour] = -channel.offset / channel.scale);
    rgb
}

/// Keras' `preprocess_input` in mode `caffe`, torchvision's `Normalize` after `ToTensor`.
fn channels(preprocessing: Preprocessing) -> [Channel; 3] {
    match preprocessing {
        Preprocessing::Caffe => [(2, 103.939), (1, 116.779), (0, 123.68)].map(|(colour, mean)| Channel {
            colour,
            scale: 1.0,
            offset: -mean,
        }),
        Preprocessing::Torch => [(0, 0.485, 0.229), (1, 0.456, 0.224), (2, 0.406, 0.225)].map(
            |(colour, mean, deviation): (usize, f32, f32)| Channel {
                colour,
                scale: 1.0 / (255.0 * deviation),
                offset: -mean / deviation,
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blank_colour_becomes_0() {
        for preprocessing in [Preprocessing::Caffe, Preprocessing::Torch] {
            let mut planes = Planes::new(1, preprocessing);
            let blank = blank(preprocessing);
            planes.put(0, blank);
            assert!(planes.into_values().iter().all(|value| value.abs() < 1e-6));
            for (level, mean) in blank.into_iter().zip([123.68, 116.779, 103.939]) {
                assert!((level - mean).abs() < 0.6, "red, green, blue: {blank:?}");
            }
        }
    }

    #[test]
    fn channels_come_first_and_in_the_order_of_the_weights() {
        let planes = |preprocessing| {
            let mut planes = Planes::new(2, preprocessing);
            planes.put(0, [255.0, 0.0, 51.0]);
            planes.put(1, [0.0, 255.0, 102.0]);
            planes.into_values()
        };
        let blue_first =
            [51.0 - 103.939, 102.0 - 103.939, 0.0 - 116.779, 255.0 - 116.779, 255.0 - 123.68, 0.0 - 123.68];
        assert_eq!(planes(Preprocessing::Caffe), blue_first);
        let red_first = [
            (1.0 - 0.485) / 0.229,
            -0.485 / 0.229,
            -0.456 / 0.224,
            (1.0 - 0.456) / 0.224,
            (0.2 - 0.406) / 0.225,
            (0.4 - 0.406) / 0.225,
        ];
        for (ours, theirs) in planes(Preprocessing::Torch).iter().zip(red_first) {
            assert!((ours - theirs).abs() < 1e-6, "{ours} {theirs}");
        }
    }
}
