//! Ranges, ticks and their labels.

/// A range that holds all finite `values` and is never empty: equal values get some room above and below. None where
/// nothing is finite.
pub fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return None;
    }
    let room = (low.abs() * 0.1).max(1e-3);
    Some(if high - low > low.abs() * 1e-12 { (low, high) } else { (low - room, high + room) })
}

/// Round numbers inside of a range, with what lies between two.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticks {
    pub at: Vec<f64>,
    pub step: f64,
}

/// At most `most` round numbers (1, 2 or 5 times a power of ten apart) inside of `low..=high`.
pub fn ticks((low, high): (f64, f64), most: usize) -> Ticks {
    let span = high / 2.0 - low / 2.0;
    if most == 0 || !span.is_finite() || span <= 0.0 {
        return Ticks { at: Vec::new(), step: 0.0 };
    }
    let step = round_step(span / most as f64 * 2.0, low, high, most);
    let first = (low / step - 1e-9).ceil();
    let at = (0..most).map(|i| (first + i as f64) * step).take_while(|&at| at <= high + step * 1e-9);
    Ticks { at: at.filter(|at| at.is_finite()).collect(), step }
}

/// The smallest round step that is no smaller than `least` and gives at most `most` ticks.
fn round_step(least: f64, low: f64, high: f64, most: usize) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let fits = |step: f64| ((high / step + 1e-9).floor() - (low / step - 1e-9).ceil()) < most as f64;
    let steps = [1.0, 2.0, 5.0, 10.0, 20.0].map(|times| times * power);
    steps.into_iter().find(|&step| step >= least * 0.999_999 && fits(step)).unwrap_or(50.0 * power)
}

/// A tick's label, with as many decimals as its step needs and without the leading zero: `.95`, `1.2`, `40`.
pub fn label(value: f64, step: f64) -> String {
    if value.abs() >= 1e5 || step < 1e-4 {
        return if value == 0.0 { "0".into() } else { format!("{value:.1e}") };
    }
    let decimals = (-(step * 1.000_001).log10().floor()).clamp(0.0, 5.0) as usize;
    let text = format!("{value:.decimals$}");
    match text.strip_prefix("0.") {
        Some(rest) => format!(".{rest}"),
        None => text.strip_prefix("-0.").map_or(text.clone(), |rest| format!("-.{rest}")),
    }
}

/// Epochs to be named under a plot of `columns` columns that ends with epoch `last`: the first, round ones, the last.
pub fn epochs(last: u32, columns: u16) -> Vec<u32> {
    let most = (usize::from(columns) / 6).max(1);
    let round = ticks((0.0, f64::from(last)), most);
    let step = round.step.max(1.0);
    let mut named: Vec<u32> = vec![1];
    named.extend((1..).map(|i| (f64::from(i) * step) as u32).take_while(|&epoch| epoch <= last).filter(|&e| e > 1));
    if named.last().is_some_and(|&epoch| f64::from(last - epoch.min(last)) >= step * 0.6) {
        named.push(last);
    }
    named.retain(|&epoch| epoch <= last);
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_never_empty() {
        assert_eq!(range([1.0, f64::NAN, 3.0, f64::INFINITY].into_iter()), Some((1.0, 3.0)));
        assert_eq!(range([f64::NAN].into_iter()), None);
        for same in [0.0, 1.0, -2.5, 1e9, 1e-9] {
            let (low, high) = range([same, same].into_iter()).unwrap();
            assert!(low < same && same < high, "{same}: {low}..{high}");
        }
    }

    #[test]
    fn ticks_are_round_and_inside() {
        for (range, most, at) in [
            ((0.0, 1.0), 3, vec![0.0, 0.5, 1.0]),
            ((0.2, 1.23), 4, vec![0.5, 1.0]),
            ((0.551, 0.953), 5, vec![0.6, 0.7, 0.8, 0.9]),
            ((-1.0, 1.0), 3, vec![-1.0, 0.0, 1.0]),
            ((3.0, 3.0), 3, vec![]),
        ] {
            let found = ticks(range, most);
            assert_eq!(found.at.len(), at.len(), "{range:?}: {found:?}");
            assert!(found.at.iter().zip(&at).all(|(a, b)| (a - b).abs() < 1e-9), "{range:?}: {found:?}");
        }
    }

    #[test]
    fn any_range_gives_at_most_that_many_ticks() {
        for low in [-1e300, -5.0, 0.0, 1e-12, 0.3] {
            for span in [1e-13, 1e-3, 0.7, 12.0, 1e300] {
                for most in 1..9 {
                    let found = ticks((low, low + span), most);
                    assert!(found.at.len() <= most);
                    assert!(found.at.iter().all(|at| at.is_finite()));
                }
            }
        }
    }

    #[test]
    fn labels_have_the_decimals_of_their_step() {
        for (value, step, text) in [
            (0.95, 0.05, ".95"),
            (1.2, 0.2, "1.2"),
            (40.0, 20.0, "40"),
            (-0.5, 0.5, "-.5"),
            (0.0, 0.5, ".0"),
            (0.0, 1e-6, "0"),
            (3e7, 1e7, "3.0e7"),
            (2e-5, 1e-5, "2.0e-5"),
        ] {
            assert_eq!(label(value, step), text);
        }
    }

    #[test]
    fn epochs_are_named_at_round_places() {
        assert_eq!(epochs(1, 40), [1]);
        assert_eq!(epochs(3, 40), [1, 2, 3]);
        assert_eq!(epochs(18, 30), [1, 5, 10, 15, 18]);
        assert_eq!(epochs(20, 30), [1, 5, 10, 15, 20]);
        assert!(epochs(100_000, 12).len() <= 4);
        assert_eq!(epochs(0, 10), Vec::<u32>::new());
    }
}
