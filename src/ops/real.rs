//! The two element types of our kernels, as numbers.

use candle_core::WithDType;
use candle_core::cpu::erf::erfc_f64;

/// f32 or f64, with the arithmetic that Candle's trait lacks; all of it inlines into loops that vectorise.
pub(crate) trait Real: WithDType {
    fn wide(self) -> f64;
    /// The nearest.
    fn near(value: f64) -> Self;
    /// `self × factor + term`, rounded once.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// `e^self` of a number that is not above 0; a NaN stays one.
    fn exp_of_negative(self) -> Self;
    /// The standard normal distribution function Φ and its density, both to the last digits also far out on the left.
    fn normal(self) -> (Self, Self);
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

    /// `2ⁿ e^r` with `r` at most half of ln 2, whose power series is cut off at 5e-9 (Cody and Waite 1980).
    #[inline(always)]
    fn exp_of_negative(self) -> Self {
        /// Below it the result is no normal number any more, and 0 here.
        const LOWEST: f32 = -87.336_54;
        /// Added to a small number, its last bits are the nearest integer.
        const SHIFT: f32 = 12_582_912.0;
        /// ln 2 in two parts, the first of few bits.
        const LN_2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);
        const SERIES: [f32; 7] = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0];
        let x = if self < LOWEST { LOWEST } else { self };
        let shifted = x * std::f32::consts::LOG2_E + SHIFT;
        let n = shifted - SHIFT;
        let r = n.mul_add(-LN_2.1, n.mul_add(-LN_2.0, x));
        let series = polynomial(&SERIES, r).mul_add(r, 1.0);
        let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
        if self < LOWEST { 0.0 } else { series * power }
    }

    /// On the left `Φ(-t) = e^(-t²/2) P(u) / (t + 3.5)` with `u = (t - 3.5) / (t + 3.5)`, the form of Shepherd and
    /// Laframboise (1981); P is the Chebyshev fit of degree 10, off by 1.2e-8 at most.
    #[inline(always)]
    fn normal(self) -> (Self, Self) {
        const P: [f32; 11] = [
            -4.976_689e-5,
            3.463_520_1e-5,
            4.526_939_2e-4,
            -4.177_686e-4,
            -3.178_985_9e-3,
            6.465_234e-3,
            1.740_606e-2,
            -1.160_490_5e-1,
            3.154_250_6e-1,
            -5.655_619e-1,
            7.444_161e-1,
        ];
        const DENSITY: f32 = 0.398_942_3;
        let t = self.abs();
        let t = if t > 20.0 { 20.0 } else { t };
        // what rounding takes from t² would show in the digits of the exponential
        let square = t * t;
        let rest = t.mul_add(t, -square);
        let exponential = (-0.5 * square).exp_of_negative();
        let exponential = exponential.mul_add(-0.5 * rest, exponential);
        let inverse = 1.0 / (t + 3.5);
        let tail = exponential * inverse * polynomial(&P, inverse.mul_add(-7.0, 1.0));
        (if self < 0.0 { tail } else { 1.0 - tail }, DENSITY * exponential)
    }
}

/// By Horner, the highest power first.
#[inline(always)]
fn polynomial<const N: usize>(coefficients: &[f32; N], x: f32) -> f32 {
    coefficients.iter().skip(1).fold(coefficients[0], |sum, c| sum.mul_add(x, *c))
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

    #[inline(always)]
    fn exp_of_negative(self) -> Self {
        self.exp()
    }

    #[inline(always)]
    fn normal(self) -> (Self, Self) {
        let density = (-0.5 * self * self).exp() / (2.0 * std::f64::consts::PI).sqrt();
        (0.5 * erfc_f64(-self * std::f64::consts::FRAC_1_SQRT_2), density)
    }
}

/// Numbers that a sum keeps apart, so that it vectorises and rounds less.
pub(crate) const LANES: usize = 16;

/// The sums of `terms` of the elements that the slices, all of one length, have at each place; in an order that the
/// length alone decides.
#[inline(always)]
pub(crate) fn sums<T: Real, S: Real, const K: usize, const N: usize>(
    slices: [&[T]; K],
    terms: impl Fn([T; K]) -> [S; N],
) -> [S; N] {
    let mut lanes = [[S::zero(); LANES]; N];
    let len = slices[0].len();
    let whole = len - len % LANES;
    for first in (0..whole).step_by(LANES) {
        let mut chunks = [[T::zero(); LANES]; K];
        for (chunk, slice) in chunks.iter_mut().zip(slices) {
            chunk.copy_from_slice(&slice[first..first + LANES]);
        }
        let mut results = [[S::zero(); LANES]; N];
        for lane in 0..LANES {
            let terms = terms(std::array::from_fn(|k| chunks[k][lane]));
            (0..N).for_each(|n| results[n][lane] = terms[n]);
        }
        for (lanes, results) in lanes.iter_mut().zip(results) {
            lanes.iter_mut().zip(results).for_each(|(lane, result)| *lane += result);
        }
    }
    for at in whole..len {
        let terms = terms(slices.map(|slice| slice[at]));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_of_f32() {
        for i in 0..=870_000 {
            let x = -(i as f32) * 1e-4;
            let exact = f64::from(x).exp();
            let error = (f64::from(x.exp_of_negative()) - exact) / exact;
            assert!(error.abs() < 1.3e-7, "{x}: {error:e}");
        }
        assert_eq!(0.0f32.exp_of_negative(), 1.0);
        for x in [-88.0, -1e30, f32::NEG_INFINITY] {
            assert_eq!(x.exp_of_negative(), 0.0);
        }
        assert!(f32::NAN.exp_of_negative().is_nan());
    }

    #[test]
    fn normal_distribution_of_f32() {
        for i in -1_250_000..=1_250_000 {
            let x = i as f32 * 1e-5;
            let (distribution, density) = x.normal();
            let (exact, exact_density) = f64::from(x).normal();
            let error = (f64::from(distribution) - exact) / exact;
            assert!(error.abs() < 5e-7, "{x}: {error:e}");
            let error = (f64::from(density) - exact_density) / exact_density;
            assert!(error.abs() < 3e-7, "density at {x}: {error:e}");
        }
        assert_eq!(f32::INFINITY.normal(), (1.0, 0.0));
        assert_eq!(f32::NEG_INFINITY.normal(), (0.0, 0.0));
        assert!(f32::NAN.normal().0.is_nan());
    }

    /// Worked out in 30 digits.
    #[test]
    fn normal_distribution_of_f64() {
        for (x, exact) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (-1.0, 0.158_655_253_931_457_05),
            (-5.0, 2.866_515_718_791_939e-7),
            (-10.0, 7.619_853_024_160_526e-24),
        ] {
            let error: f64 = (f64::normal(x).0 - exact) / exact;
            assert!(error.abs() < 1e-14, "{x}: {error:e}");
        }
    }

    #[test]
    fn sums_take_every_term_once() {
        for len in [0usize, 1, 15, 16, 17, 100] {
            let numbers: Vec<f64> = (0..len).map(|i| i as f64).collect();
            let [ones, numbers] = sums([&numbers, &numbers], |[a, b]| [1.0 + a - b, a]);
            assert_eq!((ones, numbers), (len as f64, (len * len.saturating_sub(1) / 2) as f64));
        }
    }
}
