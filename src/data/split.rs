//! Holding out a share of each class, by seed.

use crate::base::random::{Purpose, Stream};

/// Which of a class' `count` pictures are held out: `share` of them rounded, at least one, at most all but one. `None`
/// where there are fewer than two.
pub fn held_out(count: usize, share: f64, seed: u64, class: usize) -> Option<Vec<bool>> {
    let most = count.checked_sub(1).filter(|&most| most > 0)?;
    let wanted = ((count as f64 * share).round() as usize).clamp(1, most);
    let mut order: Vec<usize> = (0..count).collect();
    Stream::new(seed, Purpose::Split, 0, class as u64).shuffle(&mut order);
    let mut held_out = vec![false; count];
    order[..wanted].iter().for_each(|&at| held_out[at] = true);
    Some(held_out)
}
