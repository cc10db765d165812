//! Changes of a picture's colours.

use super::{between, place, within};
use crate::base::random::Stream;
use crate::experiment::Augment;

/// What is done to the colours of a picture, in this order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Colours {
    /// Added to every level (Keras' `apply_channel_shift`).
    pub shift: f32,
    /// What every level is multiplied by.
    pub brightness: f32,
    /// What every level's distance from its channel's mean is multiplied by.
    pub contrast: f32,
}

impl Colours {
    /// No change at all.
    pub const SAME: Colours = Colours { shift: 0.0, brightness: 1.0, contrast: 1.0 };

    pub(super) fn draw(augment: &Augment, stream: &Stream) -> Colours {
        let brightness = augment.brightness.map(|range| between(stream, place::BRIGHTNESS, range));
        Colours {
            shift: within(stream, place::CHANNEL_SHIFT, augment.channel_shift) as f32,
            brightness: brightness.unwrap_or(1.0) as f32,
            contrast: (1.0 + within(stream, place::CONTRAST, augment.contrast)) as f32,
        }
    }

    /// Changes `pixels`, all of a picture, levels in 0…255.
    pub fn apply(&self, pixels: &mut [[f32; 3]]) {
        if self.shift != 0.0 {
            shift(pixels, self.shift);
        }
        if self.brightness != 1.0 {
            // Keras goes through Pillow's `ImageEnhance.Brightness`, which cuts off to whole levels.
            levels(pixels).for_each(|level| *level = (*level * self.brightness).clamp(0.0, 255.0));
        }
        if self.contrast != 1.0 {
            contrast(pixels, self.contrast);
        }
    }
}

/// Keras' `apply_channel_shift`: no level leaves the range that the picture had, over all channels.
fn shift(pixels: &mut [[f32; 3]], by: f32) {
    let (low, high) =
        levels(pixels).fold((f32::MAX, f32::MIN), |(low, high), level| (low.min(*level), high.max(*level)));
    levels(pixels).for_each(|level| *level = (*level + by).min(high).max(low));
}

/// Keras' `RandomContrast`: `(x - mean) * factor + mean`, the mean of each channel.
fn contrast(pixels: &mut [[f32; 3]], factor: f32) {
    let count = pixels.len() as f64;
    let mean = |channel: usize| (pixels.iter().map(|rgb| f64::from(rgb[channel])).sum::<f64>() / count) as f32;
    let means = [mean(0), mean(1), mean(2)];
    for rgb in pixels {
        for (level, mean) in rgb.iter_mut().zip(means) {
            *level = ((*level - mean) * factor + mean).clamp(0.0, 255.0);
        }
    }
}

fn levels(pixels: &mut [[f32; 3]]) -> impl Iterator<Item = &mut f32> {
    pixels.iter_mut().flatten()
}
