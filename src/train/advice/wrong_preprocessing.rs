//! Pictures that are not prepared as the pretrained weights want them. Two rules:
//!
//! - The weights say what they want (their file's metadata, their name, or the library whose names their tensors have), and
//!   `model.preprocessing` says something else.
//! - What goes into the first batch normalisation is of another scale than what it was trained on: over its channels the
//!   median of (variance in a batch / running variance) is above 100 or below a hundredth. Other pictures than ImageNet's
//!   change it by a few times; `torch` taken for `caffe` by 3,000.
//!
//! Without a batch normalisation and without a word of the weights nothing tells what they want, and nothing is said.

use serde_json::json;

use super::{rounded, warning};
use crate::experiment::Preprocessing;
use crate::record::event::Advice;

/// Times that the variance may be off.
const OFF: f64 = 100.0;

/// What is known of the input of a network that is pretrained.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a> {
    /// What is done.
    pub done: Preprocessing,
    /// What the weights say.
    pub wanted: Option<Preprocessing>,
    /// Of the channels of the first batch normalisation: variance in a batch / running variance.
    pub variances: &'a [f64],
}

pub(super) fn wrong_preprocessing(input: &Input) -> Option<Advice> {
    let ratio = median(input.variances);
    let is_off = ratio.is_some_and(|ratio| !(1.0 / OFF..=OFF).contains(&ratio));
    let other = match input.done {
        Preprocessing::Caffe => Preprocessing::Torch,
        Preprocessing::Torch => Preprocessing::Caffe,
    };
    let done = name(input.done);
    let (message, right) = match (input.wanted, ratio) {
        (Some(wanted), _) if wanted != input.done => {
            (format!("pictures are prepared as {done}, and the weights want {}", name(wanted)), wanted)
        }
        (_, Some(ratio)) if is_off => (
            format!(
                "pictures prepared as {done} vary {ratio:.0e} times as much in the first layer as those of pretraining"
            ),
            other,
        ),
        _ => return None,
    };
    let evidence = [
        ("preprocessing", json!(done)),
        ("weights_want", json!(input.wanted.map(name))),
        ("variance_ratio", ratio.map_or(json!(null), rounded)),
    ];
    Some(warning("wrong_preprocessing", message, evidence, format!("model.preprocessing: {}", name(right))))
}

fn name(preprocessing: Preprocessing) -> &'static str {
    match preprocessing {
        Preprocessing::Caffe => "caffe",
        Preprocessing::Torch => "torch",
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::super::tests::is_accepted;
    use super::*;
    use Preprocessing::{Caffe, Torch};

    fn told(done: Preprocessing, wanted: Option<Preprocessing>, variances: &[f64]) -> Option<String> {
        let advice = wrong_preprocessing(&Input { done, wanted, variances });
        advice.map(|advice| {
            is_accepted(&advice, "");
            advice.suggestion
        })
    }

    #[test]
    fn what_the_weights_say_counts_first() {
        let wants = |wanted| Some(format!("model.preprocessing: {wanted}"));
        assert_eq!(told(Torch, Some(Caffe), &[]), wants("caffe"));
        assert_eq!(told(Caffe, Some(Torch), &[3000.0; 5]), wants("torch"));
        for done in [Torch, Caffe] {
            assert_eq!(told(done, Some(done), &[]), None);
            assert_eq!(told(done, None, &[]), None, "nothing is known");
        }
    }

    #[test]
    fn a_first_layer_that_varies_by_another_scale_is_told_and_other_pictures_are_not() {
        assert_eq!(told(Caffe, None, &[2000.0, 3300.0, 5000.0]), Some("model.preprocessing: torch".to_owned()));
        assert_eq!(told(Torch, None, &[2e-4, 3e-4, 1.0]), Some("model.preprocessing: caffe".to_owned()));
        assert_eq!(told(Torch, None, &[0.02, 4.0, 30.0]), None, "flat drawings, not photographs");
        assert_eq!(told(Torch, None, &[0.5, 2.0, 1e6]), None, "a dead channel");
        assert_eq!(told(Torch, None, &[f64::NAN, f64::INFINITY]), None);
    }
}
