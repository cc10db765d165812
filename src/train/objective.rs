//! What training makes small: cross-entropy with targets that may be mixed or smoothed, each sample with the weight of
//! its class, and what the squares of some weights cost.
//!
//! Invariants: the graph and the figures say the same; the loss of a batch is the sum over its samples by their count,
//! whatever they weigh (Keras' `sum_over_batch_size`); a class' weight counts in training only, smoothing in both.

use candle_core::{Device, Result, Tensor};

use super::metrics::{self, Scored, Sums};
use super::optimizer::clip;
use crate::ops;

/// What the samples of a batch are to be taken for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Targets {
    /// The class of each.
    Labels(Vec<u32>),
    /// The share of each class in each, sample after sample; those of a sample sum up to 1. Of samples that were mixed.
    Shares { classes: usize, values: Vec<f32> },
}

impl Targets {
    /// How many samples they are of.
    pub fn len(&self) -> usize {
        match self {
            Targets::Labels(labels) => labels.len(),
            Targets::Shares { classes, values } => values.len() / (*classes).max(1),
        }
    }

    /// The class of each sample, or that which has the largest share in it (the first of equal ones, as Keras' `argmax`).
    pub fn labels(&self) -> Vec<u32> {
        match self {
            Targets::Labels(labels) => labels.clone(),
            Targets::Shares { classes, values } => {
                let largest = |row: &[f32]| (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b]));
                values.chunks((*classes).max(1)).map(|row| largest(row).unwrap_or(0) as u32).collect()
            }
        }
    }

    /// The shares of the sample number `sample`, where it is mixed.
    fn shares(&self, sample: usize) -> Option<&[f32]> {
        match self {
            Targets::Labels(_) => None,
            Targets::Shares { classes, values } => values.get(sample * classes..(sample + 1) * classes),
        }
    }
}

/// How losses are computed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Objective {
    /// Share of each target that is spread over all classes (Keras' `label_smoothing`).
    pub label_smoothing: f64,
    /// What a sample of each class weighs (Keras' `class_weight`); a class that is not there weighs 1.
    pub class_weights: Vec<f64>,
}

impl Objective {
    /// The same for samples that nothing is learned from: class weights do not count, as in Keras.
    pub fn of_validation(&self) -> Objective {
        Objective { class_weights: Vec::new(), ..self.clone() }
    }

    /// The loss of a batch from its logits `[batch, classes]`: a scalar of the graph.
    pub fn loss(&self, logits: &Tensor, targets: &Targets) -> Result<Tensor> {
        let losses = self.losses(logits, targets)?;
        if self.class_weights.is_empty() {
            return losses.mean_all();
        }
        let weights: Vec<f32> = targets.labels().iter().map(|&label| self.weight(label) as f32).collect();
        (losses * on(weights, &[targets.len()], logits.device())?)?.mean_all()
    }

    /// The same and what the squares of `penalized` weights cost.
    pub fn penalized_loss(&self, logits: &Tensor, targets: &Targets, penalized: &[(Tensor, f64)]) -> Result<Tensor> {
        penalized
            .iter()
            .try_fold(self.loss(logits, targets)?, |loss, (weights, cost)| loss + (weights.sqr()?.sum_all()? * *cost)?)
    }

    fn losses(&self, logits: &Tensor, targets: &Targets) -> Result<Tensor> {
        let device = logits.device();
        match targets {
            Targets::Labels(labels) => {
                let labels = Tensor::from_slice(labels, labels.len(), device)?;
                ops::cross_entropy_per_sample(logits, ops::Targets::Labels(&labels), self.label_smoothing)
            }
            Targets::Shares { classes, values } => {
                let shares = on(values.clone(), &[targets.len(), *classes], device)?;
                ops::cross_entropy_per_sample(logits, ops::Targets::Shares(&shares), self.label_smoothing)
            }
        }
    }

    /// The figures of a batch from its logits `[batch, classes]`: their sums, and those of each sample.
    pub fn score(&self, logits: &Tensor, targets: &Targets) -> Result<(Sums, Vec<Scored>)> {
        let (_, classes) = logits.dims2()?;
        let values = logits.flatten_all()?.to_vec1::<f32>()?;
        let labels = targets.labels();
        let rows = values.chunks(classes.max(1)).zip(&labels).enumerate();
        let scored: Vec<Scored> =
            rows.map(|(sample, (row, &label))| self.scored(row, label, targets.shares(sample))).collect();
        let mut sums = Sums::default();
        scored.iter().zip(labels).for_each(|(scored, label)| sums.add(scored, label));
        Ok((sums, scored))
    }

    /// The figures of a sample from its `logits`; `shares` where it is mixed, and then `label` has the largest.
    fn scored(&self, logits: &[f32], label: u32, shares: Option<&[f32]>) -> Scored {
        let scored = metrics::score(logits, label);
        if shares.is_none() && self.label_smoothing == 0.0 {
            return Scored { loss: self.weight(label) * scored.loss, ..scored };
        }
        let own = logits.get(label as usize).map_or(f64::NAN, |&logit| f64::from(logit));
        let log_sum = scored.loss + own;
        let of_class = |class: usize| log_sum - f64::from(logits[class]);
        let hard = match shares {
            None => scored.loss,
            Some(shares) => (0..logits.len()).map(|class| f64::from(shares[class]) * of_class(class)).sum(),
        };
        let spread = (0..logits.len()).map(of_class).sum::<f64>() / logits.len() as f64;
        let loss = (1.0 - self.label_smoothing) * hard + self.label_smoothing * spread;
        Scored { loss: self.weight(label) * loss, ..scored }
    }

    fn weight(&self, label: u32) -> f64 {
        self.class_weights.get(label as usize).copied().unwrap_or(1.0)
    }
}

/// What the squares of the weights cost, with the cost of a unit of each (Keras' `L2`).
pub(super) fn penalty(penalized: &[(Tensor, f64)]) -> Result<f64> {
    let squares = |(weights, cost): &(Tensor, f64)| Ok(cost * clip::norm([weights])?.powi(2));
    penalized.iter().map(squares).sum()
}

fn on(values: Vec<f32>, shape: &[usize], device: &Device) -> Result<Tensor> {
    Tensor::from_vec(values, shape, device)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [[f32; 3]; 3] = [[1.0, 3.0, 0.5], [0.0, 0.25, -1.0], [2.0, 2.0, 4.0]];

    fn logits() -> Tensor {
        Tensor::new(&LOGITS, &Device::Cpu).unwrap()
    }

    fn mixed() -> Targets {
        Targets::Shares { classes: 3, values: vec![0.0, 1.0, 0.0, 0.5, 0.0, 0.5, 0.2, 0.0, 0.8] }
    }

    /// `-log softmax` of a class of a row.
    fn cost(row: usize, class: usize) -> f64 {
        let sum: f64 = LOGITS[row].iter().map(|&x| f64::from(x).exp()).sum();
        sum.ln() - f64::from(LOGITS[row][class])
    }

    fn both(objective: &Objective, targets: &Targets) -> f64 {
        let (sums, scored) = objective.score(&logits(), targets).unwrap();
        let graph = objective.loss(&logits(), targets).unwrap().to_scalar::<f32>().unwrap();
        assert!((f64::from(graph) - sums.loss()).abs() < 1e-6, "{graph} {}", sums.loss());
        assert!((scored.iter().map(|s| s.loss).sum::<f64>() / 3.0 - sums.loss()).abs() < 1e-12);
        sums.loss()
    }

    #[test]
    fn a_weighted_loss_is_divided_by_the_samples_not_by_the_weights() {
        let objective = Objective { class_weights: vec![2.0, 0.5], ..Objective::default() };
        let labels = Targets::Labels(vec![1, 0, 2]);
        let expected = (0.5 * cost(0, 1) + 2.0 * cost(1, 0) + cost(2, 2)) / 3.0;
        assert!((both(&objective, &labels) - expected).abs() < 1e-9);
        let plain = (cost(0, 1) + cost(1, 0) + cost(2, 2)) / 3.0;
        assert!((both(&objective.of_validation(), &labels) - plain).abs() < 1e-9);
    }

    #[test]
    fn smoothing_spreads_a_share_over_all_classes() {
        let objective = Objective { label_smoothing: 0.3, ..Objective::default() };
        let smoothed =
            |row: usize, class: usize| 0.7 * cost(row, class) + 0.1 * (0..3).map(|class| cost(row, class)).sum::<f64>();
        let expected = (smoothed(0, 1) + smoothed(1, 0) + smoothed(2, 2)) / 3.0;
        assert!((both(&objective, &Targets::Labels(vec![1, 0, 2])) - expected).abs() < 1e-9);
        assert!((both(&objective.of_validation(), &Targets::Labels(vec![1, 0, 2])) - expected).abs() < 1e-9);
    }

    #[test]
    fn a_mixed_sample_costs_the_mixture_and_weighs_what_its_largest_share_does() {
        let expected = [cost(0, 1), 0.5 * cost(1, 0) + 0.5 * cost(1, 2), 0.2 * cost(2, 0) + 0.8 * cost(2, 2)];
        assert!((both(&Objective::default(), &mixed()) - expected.iter().sum::<f64>() / 3.0).abs() < 1e-7);
        let weighted = Objective { class_weights: vec![2.0, 1.0, 0.5], ..Objective::default() };
        let expected = (expected[0] + 2.0 * expected[1] + 0.5 * expected[2]) / 3.0;
        assert!((both(&weighted, &mixed()) - expected).abs() < 1e-7);
        assert_eq!((mixed().labels(), mixed().len()), (vec![1, 0, 2], 3));
    }

    #[test]
    fn a_penalty_is_the_sum_of_squares_by_its_cost_and_its_gradient_twice_the_weights() {
        let weights = [[1.0f32, -2.0], [0.5, 3.0]].map(|row| candle_core::Var::new(&row, &Device::Cpu).unwrap());
        let costs = [0.1, 0.01];
        let penalized: Vec<(Tensor, f64)> = weights.iter().map(|var| var.as_tensor().clone()).zip(costs).collect();
        let expected = 0.1 * 5.0 + 0.01 * 9.25;
        assert!((penalty(&penalized).unwrap() - expected).abs() < 1e-9);
        let (objective, targets) = (Objective::default(), Targets::Labels(vec![1, 0, 2]));
        let loss = objective.penalized_loss(&logits(), &targets, &penalized).unwrap();
        let plain = objective.loss(&logits(), &targets).unwrap().to_scalar::<f32>().unwrap();
        assert!((f64::from(loss.to_scalar::<f32>().unwrap() - plain) - expected).abs() < 1e-6);
        let gradients = loss.backward().unwrap();
        for (var, cost) in weights.iter().zip(costs) {
            let of_var = gradients.get(var).unwrap().to_vec1::<f32>().unwrap();
            let values = var.to_vec1::<f32>().unwrap();
            for (gradient, value) in of_var.into_iter().zip(values) {
                assert!((f64::from(gradient) - 2.0 * cost * f64::from(value)).abs() < 1e-7);
            }
        }
    }

    #[test]
    fn a_loss_that_is_no_number_shows_however_it_is_computed() {
        for value in [f32::NAN, f32::INFINITY] {
            let logits = Tensor::new(&[[0.0, value]], &Device::Cpu).unwrap();
            for label_smoothing in [0.0, 0.1] {
                let objective = Objective { label_smoothing, ..Objective::default() };
                for targets in [Targets::Labels(vec![0]), Targets::Shares { classes: 2, values: vec![0.5, 0.5] }] {
                    let (sums, _) = objective.score(&logits, &targets).unwrap();
                    assert!(!sums.loss().is_finite(), "{targets:?}");
                }
            }
        }
    }
}
