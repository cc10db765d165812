//! Figures beside what they should be.

use serde::Serialize;

use super::error::Trouble;

/// One figure, or one row of them, and how far it is off.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Case {
    /// The file's name without its ending.
    pub file: String,
    pub name: String,
    /// The largest error.
    pub error: f64,
    pub tolerance: f64,
    pub measure: Measure,
}

/// What an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    Absolute,
    /// To the figure itself.
    Relative,
    /// To the largest figure of the row.
    OfLargest,
    /// How many figures differ.
    Differing,
}

impl Case {
    /// Whether the error is within the tolerance; a NaN is not.
    pub fn holds(&self) -> bool {
        self.error <= self.tolerance
    }
}

/// The largest error of `ours` beside `theirs`, the field `field` of the file.
pub(super) fn compare(
    name: &str,
    field: &str,
    ours: &[f64],
    theirs: &[f64],
    (measure, tolerance): (Measure, f64),
) -> Result<Case, Trouble> {
    if ours.len() != theirs.len() {
        return Err(Trouble::field(field, format!("has {} figures, and here there are {}", theirs.len(), ours.len())));
    }
    let largest = theirs.iter().fold(0.0, |largest: f64, theirs| largest.max(theirs.abs()));
    let errors = ours.iter().zip(theirs).map(|(ours, theirs)| match measure {
        Measure::Absolute => (ours - theirs).abs(),
        Measure::Relative => over((ours - theirs).abs(), theirs.abs()),
        Measure::OfLargest => over((ours - theirs).abs(), largest),
        Measure::Differing => f64::from(ours != theirs),
    });
    let error = match measure {
        Measure::Differing => errors.sum(),
        // unlike `f64::max`, a NaN stays
        _ => errors.fold(0.0, |worst: f64, error| if error.is_nan() || error > worst { error } else { worst }),
    };
    Ok(Case { file: String::new(), name: name.to_owned(), error, tolerance, measure })
}

/// A quotient in which nothing over nothing is nothing.
fn over(error: f64, of: f64) -> f64 {
    if error == 0.0 { 0.0 } else { error / of }
}

/// A tensor's values, row by row.
pub(super) fn flat(tensor: &candle_core::Tensor) -> candle_core::Result<Vec<f64>> {
    Ok(tensor.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f64::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_what_they_are_called() {
        let error =
            |ours: &[f64], theirs: &[f64], measure| compare("", "", ours, theirs, (measure, 0.0)).unwrap().error;
        assert_eq!(error(&[1.0, 3.5], &[1.5, 4.0], Measure::Absolute), 0.5);
        assert_eq!(error(&[1.0, 3.5, 0.0], &[2.0, 4.0, 0.0], Measure::Relative), 0.5);
        assert_eq!(error(&[1.0, 3.5], &[1.5, 4.0], Measure::OfLargest), 0.125);
        assert_eq!(error(&[1.0, 3.5, 2.0], &[1.0, 3.0, 1.0], Measure::Differing), 2.0);
        assert!(compare("", "", &[1.0], &[], (Measure::Absolute, 1.0)).is_err());
    }

    #[test]
    fn a_nan_never_holds() {
        for measure in [Measure::Absolute, Measure::Relative, Measure::OfLargest, Measure::Differing] {
            for ours in [[f64::NAN, 1.0], [1.0, f64::NAN]] {
                assert!(!compare("", "", &ours, &[1.0, 1.0], (measure, 0.5)).unwrap().holds(), "{measure:?}");
            }
        }
    }
}
