//! Random numbers as a function of (seed, purpose, epoch, sample, counter), never of a global generator: the same on
//! any number of threads, and a resumed run draws what the uninterrupted one would have drawn.

mod beta;

/// What the numbers are drawn for; two purposes never share a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    Shuffle = 1,
    Augment = 2,
    Dropout = 3,
    InitialWeights = 4,
    Split = 5,
    Mix = 6,
}

/// The splitmix64 output function (Steele, Lea and Flood 2014) on the state `z`.
#[inline(always)]
pub const fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A stream of numbers that is fully determined by what it was made from.
#[derive(Debug, Clone)]
pub struct Stream {
    key: u64,
    counter: u64,
}

impl Stream {
    /// The stream for `purpose` at `(epoch, index)`; `index` is a sample, an element or a layer.
    pub fn new(seed: u64, purpose: Purpose, epoch: u64, index: u64) -> Self {
        let key = mix(mix(mix(mix(seed) ^ purpose as u64) ^ epoch) ^ index);
        Stream { key, counter: 0 }
    }

    /// The number at `counter`, without moving: for elements computed in any order.
    #[inline(always)]
    pub fn bits_at(&self, counter: u64) -> u64 {
        mix(self.key ^ mix(counter))
    }

    /// The uniform number in `0..1` at `counter`, without moving.
    #[inline(always)]
    pub fn uniform_at(&self, counter: u64) -> f64 {
        (self.bits_at(counter) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let bits = self.bits_at(self.counter);
        self.counter += 1;
        bits
    }

    /// The next number, uniform in `0..1`.
    pub fn uniform(&mut self) -> f64 {
        let value = self.uniform_at(self.counter);
        self.counter += 1;
        value
    }

    /// The next number, uniform in `low..high`.
    pub fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// The next number, uniform among `0..n`; 0 for `n` of 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Puts `items` in a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_its_published_first_numbers() {
        // The reference implementation seeded with 1234567 prints these first.
        let gamma = 0x9E37_79B9_7F4A_7C15u64;
        let seed = 1_234_567u64;
        assert_eq!(mix(seed), 6_457_827_717_110_365_317);
        assert_eq!(mix(seed.wrapping_add(gamma)), 3_203_168_211_198_807_973);
    }

    #[test]
    fn purposes_epochs_and_samples_have_streams_of_their_own() {
        let first = |seed, purpose, epoch, index| Stream::new(seed, purpose, epoch, index).bits();
        let base = first(42, Purpose::Shuffle, 1, 1);
        assert_eq!(base, first(42, Purpose::Shuffle, 1, 1));
        for other in [
            first(43, Purpose::Shuffle, 1, 1),
            first(42, Purpose::Augment, 1, 1),
            first(42, Purpose::Shuffle, 2, 1),
            first(42, Purpose::Shuffle, 1, 2),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn uniform_is_even_and_below_covers_all() {
        let mut stream = Stream::new(7, Purpose::Augment, 0, 0);
        let n = 20_000;
        let mean = (0..n).map(|_| stream.uniform()).sum::<f64>() / f64::from(n);
        assert!((mean - 0.5).abs() < 0.01, "mean {mean}");
        let mut counts = [0u32; 7];
        (0..7_000).for_each(|_| counts[stream.below(7)] += 1);
        assert!(counts.iter().all(|&c| (850..1_150).contains(&c)), "{counts:?}");
        assert_eq!(stream.below(0), 0);
    }

    #[test]
    fn shuffle_keeps_every_item() {
        let mut items: Vec<usize> = (0..100).collect();
        Stream::new(1, Purpose::Shuffle, 3, 0).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
