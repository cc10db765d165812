//! Random erasing (Zhong, Zheng, Kang, Li and Yang 2020), as torchvision's `RandomErasing` draws it.

use super::{between, place};
use crate::base::random::Stream;
use crate::experiment::RandomErasing;

/// A rectangle of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    pub top: usize,
    pub left: usize,
    pub height: usize,
    pub width: usize,
}

/// A rectangle that is too large is drawn again, at most so often in all.
const TRIES: u64 = 10;

impl Area {
    /// What is erased of a picture of `size` x `size`; nothing by chance, or where no rectangle was smaller than the
    /// picture in ten tries.
    pub(super) fn draw(erasing: &RandomErasing, size: u32, stream: &Stream) -> Option<Area> {
        if stream.uniform_at(place::ERASING) >= erasing.probability {
            return None;
        }
        (0..TRIES).find_map(|number| Area::attempt(erasing, size, stream, place::ERASED + 4 * number))
    }

    fn attempt(erasing: &RandomErasing, size: u32, stream: &Stream, at: u64) -> Option<Area> {
        let area = f64::from(size).powi(2) * between(stream, at, erasing.scale);
        let ratio = between(stream, at + 1, erasing.ratio.map(f64::ln)).exp();
        let (height, width) = ((area * ratio).sqrt().round() as usize, (area / ratio).sqrt().round() as usize);
        let size = size as usize;
        let anywhere = |at: u64, length: usize| (stream.uniform_at(at) * (size - length + 1) as f64) as usize;
        (height < size && width < size).then(|| Area {
            top: anywhere(at + 2, height),
            left: anywhere(at + 3, width),
            height,
            width,
        })
    }

    /// The row-major indices of its pixels in a picture of this width.
    pub fn indices(self, width: usize) -> impl Iterator<Item = usize> {
        let rows = self.top..self.top + self.height;
        rows.flat_map(move |row| (self.left..self.left + self.width).map(move |column| row * width + column))
    }
}
