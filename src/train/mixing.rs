//! Mixing the pictures of a training batch: mixup (Zhang, Cisse, Dauphin and Lopez-Paz 2018) and CutMix (Yun, Han, Oh, Chun,
//! Choe and Yoo 2019), each picture with the one before it in the batch, the first with the last, as torchvision's
//! `MixUp` and `CutMix` do. Batches are shuffled, so that is any other picture.
//!
//! Invariant: what is drawn is a function of (seed, epoch, number of the batch).

use candle_core::{Result, Tensor};

use super::feed::Input;
use super::objective::Targets;
use crate::base::random::{Purpose, Stream};
use crate::data::augment::Area;
use crate::experiment::Augment;

/// How the batches of a run are mixed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mixing {
    /// Parameters of the distributions that shares are drawn from; at least one is set.
    mixup: Option<f64>,
    cutmix: Option<f64>,
    classes: usize,
    seed: u64,
}

/// How a batch is mixed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mix {
    /// Each picture keeps this share of itself, everywhere.
    Blend(f64),
    /// Each picture has this area of the one before it.
    Paste(Area),
}

impl Mixing {
    /// As `augment` has it, if it mixes at all.
    pub fn of(augment: &Augment, classes: usize, seed: u64) -> Option<Mixing> {
        let Augment { mixup, cutmix, .. } = *augment;
        augment.mixes().then_some(Mixing { mixup, cutmix, classes, seed })
    }

    /// Mixes the pictures of the batch number `number` of `epoch`.
    pub fn mix(&self, input: Input, epoch: u32, number: u32) -> Result<Input> {
        let (batch, _, height, width) = input.x.dims4()?;
        let Targets::Labels(labels) = &input.targets else { return Ok(input) };
        if batch < 2 {
            return Ok(input);
        }
        let before = Tensor::cat(&[input.x.narrow(0, batch - 1, 1)?, input.x.narrow(0, 0, batch - 1)?], 0)?;
        let mix = self.draw([height, width], epoch, number);
        let x = mix.apply(&input.x, &before)?;
        let targets = shares(labels, mix.share([height, width]), self.classes);
        Ok(Input { x, targets, ..input })
    }

    fn draw(&self, size: [usize; 2], epoch: u32, number: u32) -> Mix {
        let mut stream = Stream::new(self.seed, Purpose::Mix, u64::from(epoch), u64::from(number));
        let first = stream.uniform() < 0.5;
        match (self.mixup, self.cutmix) {
            (Some(alpha), None) => Mix::Blend(stream.beta(alpha, alpha)),
            (Some(alpha), Some(_)) if first => Mix::Blend(stream.beta(alpha, alpha)),
            (_, alpha) => {
                let alpha = alpha.unwrap_or(1.0);
                Mix::Paste(area(size, stream.beta(alpha, alpha), &mut stream))
            }
        }
    }
}

/// A rectangle of the shape of a picture that leaves the share `kept` of it, around any pixel; what is outside of the
/// picture is cut off.
fn area([height, width]: [usize; 2], kept: f64, stream: &mut Stream) -> Area {
    let half = |length: usize| ((1.0 - kept).sqrt() / 2.0 * length as f64) as usize;
    let mut along = |length: usize| {
        let middle = stream.below(length);
        let end = (middle + half(length)).min(length);
        let start = middle.saturating_sub(half(length));
        (start, end - start)
    };
    let ((left, width), (top, height)) = (along(width), along(height));
    Area { top, left, height, width }
}

impl Mix {
    /// What each picture keeps of itself.
    fn share(self, [height, width]: [usize; 2]) -> f64 {
        match self {
            Mix::Blend(share) => share,
            Mix::Paste(area) => 1.0 - (area.height * area.width) as f64 / (height * width) as f64,
        }
    }

    /// Mixes the pictures `x`, `[batch, channels, height, width]`, with those `before` them.
    fn apply(self, x: &Tensor, before: &Tensor) -> Result<Tensor> {
        match self {
            Mix::Blend(share) => (x * share)? + (before * (1.0 - share))?,
            Mix::Paste(area) => {
                let (_, _, height, width) = x.dims4()?;
                let mut pasted = vec![0u8; height * width];
                area.indices(width).for_each(|at| pasted[at] = 1);
                let pasted = Tensor::from_vec(pasted, (1, 1, height, width), x.device())?;
                pasted.broadcast_as(x.shape())?.where_cond(before, x)
            }
        }
    }
}

/// `share` of each sample's class, and the rest of the class of the one before it.
fn shares(labels: &[u32], share: f64, classes: usize) -> Targets {
    let mut values = vec![0.0; labels.len() * classes];
    let before = labels.iter().cycle().skip(labels.len() - 1);
    for ((row, &own), &before) in values.chunks_exact_mut(classes.max(1)).zip(labels).zip(before) {
        row[own as usize] += share as f32;
        row[before as usize] += (1.0 - share) as f32;
    }
    Targets::Shares { classes, values }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn mixing(mixup: Option<f64>, cutmix: Option<f64>) -> Mixing {
        Mixing::of(&Augment { mixup, cutmix, ..Augment::NONE }, 3, 1).unwrap()
    }

    /// Pictures of one channel and 2 x 2 pixels, each of one level; their classes 0, 1, 2 …
    fn input(levels: &[f32]) -> Input {
        let values: Vec<f32> = levels.iter().flat_map(|&level| [level; 4]).collect();
        Input {
            x: Tensor::from_vec(values, (levels.len(), 1, 2, 2), &Device::Cpu).unwrap(),
            mask: None,
            targets: Targets::Labels((0..levels.len() as u32).collect()),
            samples: (0..levels.len()).collect(),
        }
    }

    fn pixels(x: &Tensor) -> Vec<f32> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn a_blend_is_of_each_picture_and_the_one_before() {
        let Input { x, .. } = input(&[8.0, 16.0, 32.0]);
        let before = input(&[32.0, 8.0, 16.0]).x;
        let mixed = pixels(&Mix::Blend(0.75).apply(&x, &before).unwrap());
        let levels = [8.0 * 0.75 + 32.0 * 0.25, 16.0 * 0.75 + 8.0 * 0.25, 32.0 * 0.75 + 16.0 * 0.25];
        assert_eq!(mixed, levels.iter().flat_map(|&level| [level; 4]).collect::<Vec<f32>>());
        let Targets::Shares { values, .. } = shares(&[0, 1, 2], 0.75, 3) else { panic!() };
        assert_eq!(values, [0.75, 0.0, 0.25, 0.25, 0.75, 0.0, 0.0, 0.25, 0.75]);
        let Targets::Shares { values, .. } = shares(&[1, 1], 0.75, 2) else { panic!() };
        assert_eq!(values, [0.0, 1.0, 0.0, 1.0], "two of one class are wholly of it");
    }

    #[test]
    fn a_paste_is_an_area_of_the_one_before_and_counts_by_its_pixels() {
        let Input { x, .. } = input(&[8.0, 16.0]);
        let before = input(&[16.0, 8.0]).x;
        let paste = Mix::Paste(Area { top: 1, left: 0, height: 1, width: 1 });
        let mixed = pixels(&paste.apply(&x, &before).unwrap());
        assert_eq!(mixed, [8.0, 8.0, 16.0, 8.0, 16.0, 16.0, 8.0, 16.0]);
        assert_eq!(paste.share([2, 2]), 0.75);
        assert_eq!(Mix::Paste(Area { top: 0, left: 0, height: 2, width: 2 }).share([2, 2]), 0.0);
    }

    /// The whole way: what is drawn for a batch is what its pictures and its targets are mixed by.
    #[test]
    fn pictures_and_targets_are_mixed_alike() {
        for mixing in [mixing(Some(0.8), None), mixing(None, Some(1.0)), mixing(Some(0.8), Some(1.0))] {
            for number in 0..20 {
                let mixed = mixing.mix(input(&[0.0, 1.0, 0.0]), 1, number).unwrap();
                let share = mixing.draw([2, 2], 1, number).share([2, 2]);
                let Targets::Shares { classes: 3, values } = &mixed.targets else { panic!() };
                assert!((f64::from(values[0]) - share).abs() < 1e-6);
                let second: f32 = pixels(&mixed.x)[4..8].iter().sum::<f32>() / 4.0;
                assert!((second - values[4]).abs() < 1e-6, "its level is its share: {second} {}", values[4]);
                assert_eq!(mixed.samples, [0, 1, 2]);
            }
        }
    }

    #[test]
    fn a_batch_of_one_stays_as_it_is() {
        let mixed = mixing(Some(1.0), None).mix(input(&[5.0]), 1, 0).unwrap();
        assert_eq!((pixels(&mixed.x), mixed.targets), (vec![5.0; 4], Targets::Labels(vec![0])));
        assert_eq!(Mixing::of(&Augment::NONE, 3, 1), None);
    }

    #[test]
    fn draws_differ_by_seed_epoch_and_batch_and_both_kinds_come_up() {
        let mixing = mixing(Some(1.0), Some(1.0));
        let one = mixing.draw([64, 64], 1, 0);
        assert_eq!(one, mixing.draw([64, 64], 1, 0));
        for other in [mixing.draw([64, 64], 2, 0), mixing.draw([64, 64], 1, 1)] {
            assert_ne!(one, other);
        }
        assert_ne!(one, Mixing { seed: 2, ..mixing }.draw([64, 64], 1, 0));
        let blends = (0..1_000).filter(|&number| matches!(mixing.draw([64, 64], 1, number), Mix::Blend(_))).count();
        assert!((440..560).contains(&blends), "{blends} of 1000");
    }

    /// Before its edges are cut off, a rectangle's share is that of the draw; where alpha is small, the share is mostly near
    /// 0 or 1.
    #[test]
    fn areas_are_in_the_picture_and_follow_alpha() {
        let shares = |alpha: f64| {
            let mixing = mixing(None, Some(alpha));
            (0..1_000).map(move |number| match mixing.draw([40, 60], 3, number) {
                Mix::Paste(area) => {
                    assert!(area.top + area.height <= 40 && area.left + area.width <= 60, "{area:?}");
                    Mix::Paste(area).share([40, 60])
                }
                Mix::Blend(_) => panic!("there is no mixup"),
            })
        };
        let middling = |alpha| shares(alpha).filter(|share| (0.2..0.8).contains(share)).count();
        assert!(middling(0.1) + 100 < middling(4.0), "{} {}", middling(0.1), middling(4.0));
        let blends = |alpha: f64| {
            let mixing = mixing(Some(alpha), None);
            (0..1_000).filter(|&n| (0.2..0.8).contains(&mixing.draw([4, 4], 3, n).share([4, 4]))).count()
        };
        assert!(blends(0.1) + 300 < blends(4.0), "{} {}", blends(0.1), blends(4.0));
        let mut stream = Stream::new(1, Purpose::Mix, 0, 0);
        let whole: Vec<Area> = (0..200).map(|_| area([40, 60], 0.75, &mut stream)).collect();
        assert!(whole.iter().all(|area| area.height <= 20 && area.width <= 30));
        assert!(whole.iter().any(|area| (area.height, area.width) == (20, 30)));
    }
}
