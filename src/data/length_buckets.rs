//! Batches of texts of similar length, so that little of a batch is padding.
//!
//! Invariant: the batches are a function of the order, the lengths and the stream alone; every sample is in one batch.

use crate::base::random::Stream;

/// Batches whose samples are sorted together: the more, the less padding, the fewer, the more chance.
const WINDOW_BATCHES: usize = 32;

/// Cuts `order`, which was shuffled before, into batches of `batch_size` samples of similar `length`: samples are sorted
/// by length within windows of 32 batches (the megabatches of transformers' `LengthGroupedSampler`), and the batches take
/// a random order. There are as few batches as can be; one of them, anywhere, may be smaller.
pub fn by_length(
    order: &[usize],
    length: impl Fn(usize) -> usize,
    batch_size: usize,
    mut stream: Stream,
) -> Vec<Vec<usize>> {
    let batch_size = batch_size.max(1);
    let mut batches = Vec::with_capacity(order.len().div_ceil(batch_size));
    for window in order.chunks(batch_size.saturating_mul(WINDOW_BATCHES)) {
        let mut window = window.to_vec();
        window.sort_by_key(|&sample| length(sample));
        batches.extend(window.chunks(batch_size).map(<[usize]>::to_vec));
    }
    stream.shuffle(&mut batches);
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Purpose;
    use proptest::prelude::*;

    fn stream(epoch: u64) -> Stream {
        Stream::new(7, Purpose::Shuffle, epoch, 1)
    }

    fn shuffled(n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        Stream::new(7, Purpose::Shuffle, 0, 0).shuffle(&mut order);
        order
    }

    /// Tokens that a network reads, padding included.
    fn padded(batches: &[Vec<usize>], lengths: &[usize]) -> usize {
        let longest = |batch: &[usize]| batch.iter().map(|&sample| lengths[sample]).max().unwrap_or(0);
        batches.iter().map(|batch| batch.len() * longest(batch)).sum()
    }

    #[test]
    fn samples_of_one_length_keep_their_order_and_the_batches_do_not() {
        let lengths = [5, 3, 5, 3, 9, 9, 1];
        let made = |epoch| by_length(&[5, 0, 1, 2, 3, 4, 6], |sample| lengths[sample], 2, stream(epoch));
        let mut sorted = made(0);
        sorted.sort();
        assert_eq!(sorted, [vec![2, 5], vec![3, 0], vec![4], vec![6, 1]]);
        assert!((1..20).any(|epoch| made(epoch) != made(0)));
    }

    #[test]
    fn there_is_far_less_padding_than_in_batches_by_chance() {
        let order = shuffled(2_000);
        let lengths: Vec<usize> = (0..2_000).map(|sample| 4 + sample % 97).collect();
        let random: Vec<Vec<usize>> = order.chunks(16).map(<[usize]>::to_vec).collect();
        let bucketed = by_length(&order, |sample| lengths[sample], 16, stream(1));
        let needed: usize = lengths.iter().sum();
        let waste = |batches| padded(batches, &lengths) as f64 / needed as f64 - 1.0;
        assert!(waste(&bucketed) < 0.1, "{}", waste(&bucketed));
        assert!(waste(&random) > 0.5, "{}", waste(&random));
    }

    proptest! {
        #[test]
        fn every_sample_is_in_one_batch_and_all_but_one_are_full(
            lengths in proptest::collection::vec(0usize..600, 0..700), batch_size in 1usize..40, epoch: u64
        ) {
            let order = shuffled(lengths.len());
            let batches = by_length(&order, |sample| lengths[sample], batch_size, stream(epoch));
            prop_assert_eq!(batches.len(), lengths.len().div_ceil(batch_size));
            let smaller = batches.iter().filter(|batch| batch.len() != batch_size).count();
            prop_assert_eq!(smaller, usize::from(!lengths.len().is_multiple_of(batch_size)));
            prop_assert!(batches.iter().all(|batch| (1..=batch_size).contains(&batch.len())));
            let mut all: Vec<usize> = batches.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..lengths.len()).collect::<Vec<_>>());
            let again = by_length(&order, |sample| lengths[sample], batch_size, stream(epoch));
            prop_assert_eq!(again, batches);
        }

        #[test]
        fn lengths_of_the_batches_of_a_window_do_not_overlap(
            lengths in proptest::collection::vec(0usize..600, 1..32), batch_size in 1usize..9
        ) {
            let order = shuffled(lengths.len().min(batch_size * WINDOW_BATCHES));
            let mut batches = by_length(&order, |sample| lengths[sample], batch_size, stream(0));
            let of = |batch: &[usize]| batch.iter().map(|&sample| lengths[sample]).collect::<Vec<_>>();
            batches.sort_by_key(|batch| (of(batch).into_iter().min(), of(batch).into_iter().max()));
            for pair in batches.windows(2) {
                prop_assert!(of(&pair[0]).iter().max() <= of(&pair[1]).iter().min());
            }
        }
    }
}
