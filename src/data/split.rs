//! Holding out a share of each class, by seed.

use super::error::Error;
use crate::base::random::{Purpose, Stream};

/// Holds out `share` of each class: (train, val), both in the order of `classes`.
pub fn stratified<S>(
    of_classes: Vec<Vec<S>>,
    share: f64,
    seed: u64,
    classes: &[String],
) -> Result<(Vec<S>, Vec<S>), Error> {
    let (mut train, mut val) = (Vec::new(), Vec::new());
    for (class, (samples, name)) in of_classes.into_iter().zip(classes).enumerate() {
        let held_out =
            held_out(samples.len(), share, seed, class).ok_or_else(|| Error::TooFewToSplit { class: name.clone() })?;
        for (sample, held_out) in samples.into_iter().zip(held_out) {
            if held_out { val.push(sample) } else { train.push(sample) }
        }
    }
    Ok((train, val))
}

/// Which of a class' `count` samples are held out: `share` of them rounded, at least one, at most all but one. `None`
/// where there are fewer than two.
fn held_out(count: usize, share: f64, seed: u64, class: usize) -> Option<Vec<bool>> {
    let most = count.checked_sub(1).filter(|&most| most > 0)?;
    let wanted = ((count as f64 * share).round() as usize).clamp(1, most);
    let mut order: Vec<usize> = (0..count).collect();
    Stream::new(seed, Purpose::Split, 0, class as u64).shuffle(&mut order);
    let mut held_out = vec![false; count];
    order[..wanted].iter().for_each(|&at| held_out[at] = true);
    Some(held_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_picture_cannot_be_split() {
        assert_eq!(held_out(0, 0.5, 1, 0), None);
        assert_eq!(held_out(1, 0.5, 1, 0), None);
        assert_eq!(held_out(2, 0.001, 1, 0).map(|held| held.iter().filter(|&&h| h).count()), Some(1));
    }

    #[test]
    fn seeds_and_classes_hold_out_different_pictures() {
        let base = held_out(100, 0.2, 1, 0);
        assert_eq!(base, held_out(100, 0.2, 1, 0));
        assert_ne!(base, held_out(100, 0.2, 2, 0));
        assert_ne!(base, held_out(100, 0.2, 1, 1));
    }

    proptest! {
        #[test]
        fn the_share_is_held_and_both_sides_have_one(
            count in 2usize..400, share in 0.001f64..0.999, seed: u64, class in 0usize..50
        ) {
            let held = held_out(count, share, seed, class).unwrap();
            prop_assert_eq!(held.len(), count);
            let val = held.iter().filter(|&&held| held).count();
            prop_assert!(val >= 1 && val < count);
            prop_assert!((val as f64 - count as f64 * share).abs() <= 1.0);
        }
    }
}
