//! Numbers that are not uniform.

use super::Stream;

impl Stream {
    /// The next number, normal with mean 0 and deviation 1 (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        // 1 - u is never 0, and its logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// The next number in 0…1 of the distribution Beta(`alpha`, `beta`), both above 0: X / (X + Y) of two gamma ones. However
    /// small the parameters are, it is a number.
    pub fn beta(&mut self, alpha: f64, beta: f64) -> f64 {
        let (x, y) = (self.log_gamma(alpha), self.log_gamma(beta));
        1.0 / (1.0 + (y - x).exp())
    }

    /// The logarithm of the next number of the gamma distribution of this shape and scale 1: Marsaglia and Tsang 2000,
    /// whose boost for shapes below 1 would fall to 0 if it were not a logarithm.
    fn log_gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = (1.0 - self.uniform()).ln() / shape;
            return self.log_gamma(shape + 1.0) + boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            let u = 1.0 - self.uniform();
            if v > 0.0 && u.ln() < x * x / 2.0 + d - d * v + d * v.ln() {
                return d.ln() + v.ln();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Purpose, Stream};

    const N: usize = 40_000;

    /// Mean and variance of many numbers, each the first of its stream.
    fn moments(draw: impl Fn(&mut Stream) -> f64) -> (f64, f64) {
        let drawn: Vec<f64> = (0..N as u64).map(|index| draw(&mut Stream::new(5, Purpose::Mix, 1, index))).collect();
        let mean = drawn.iter().sum::<f64>() / N as f64;
        (mean, drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / N as f64)
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let (mean, variance) = moments(Stream::normal);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }

    /// Mean a / (a + b), variance a b / ((a + b)² (a + b + 1)).
    #[test]
    fn beta_numbers_have_their_mean_and_variance() {
        for (a, b) in [(0.2, 0.2), (0.4, 0.4), (1.0, 1.0), (2.0, 2.0), (8.0, 8.0), (0.5, 1.5), (3.0, 1.0), (0.05, 0.1)]
        {
            let (mean, variance) = moments(|stream| stream.beta(a, b));
            let sum: f64 = a + b;
            let (expected, spread) = (a / sum, a * b / (sum * sum * (sum + 1.0)));
            assert!((mean - expected).abs() < 0.01, "Beta({a}, {b}): mean {mean}, not {expected}");
            assert!((variance - spread).abs() < 0.05 * spread, "Beta({a}, {b}): variance {variance}, not {spread}");
        }
    }

    #[test]
    fn beta_numbers_of_any_parameters_are_shares() {
        for alpha in [f64::MIN_POSITIVE, 1e-9, 1e-3, 1.0, 1e3, 1e12, f64::MAX] {
            let mut stream = Stream::new(1, Purpose::Mix, 0, 0);
            for _ in 0..100 {
                let drawn = stream.beta(alpha, alpha);
                assert!((0.0..=1.0).contains(&drawn), "{alpha}: {drawn}");
            }
        }
    }
}
