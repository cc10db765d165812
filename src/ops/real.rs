//! The two element types of our kernels, as numbers.

use candle_core::WithDType;

/// f32 or f64, with the arithmetic that Candle's trait lacks; all of it inlines into loops that vectorise.
pub(crate) trait Real: WithDType {
    fn wide(self) -> f64;
    /// The nearest.
    fn near(value: f64) -> Self;
    /// `self × factor + term`, rounded once.
    fn mul_add(self, factor: Self, term: Self) -> Self;
}

impl Real for f32 {
    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn near(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        f32::mul_add(self, factor, term)
    }
}

impl Real for f64 {
    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    #[inline(always)]
    fn near(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        f64::mul_add(self, factor, term)
    }
}

/// Numbers that a sum keeps apart, so that it vectorises and rounds less.
const LANES: usize = 16;

/// The sums of `terms(0)` to `terms(len - 1)`, in an order that `len` alone decides.
#[inline(always)]
pub(crate) fn sums<T: Real, const N: usize>(len: usize, terms: impl Fn(usize) -> [T; N]) -> [T; N] {
    let mut lanes = [[T::zero(); LANES]; N];
    let whole = len - len % LANES;
    for first in (0..whole).step_by(LANES) {
        for lane in 0..LANES {
            let terms = terms(first + lane);
            (0..N).for_each(|n| lanes[n][lane] += terms[n]);
        }
    }
    for at in whole..len {
        let terms = terms(at);
        (0..N).for_each(|n| lanes[n][at - whole] += terms[n]);
    }
    lanes.map(folded)
}

/// The sum of the lanes, by halves.
#[inline(always)]
fn folded<T: Real>(mut lanes: [T; LANES]) -> T {
    for half in [8, 4, 2, 1] {
        (0..half).for_each(|lane| {
            let other = lanes[lane + half];
            lanes[lane] += other;
        });
    }
    lanes[0]
}
