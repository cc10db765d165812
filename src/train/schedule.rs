//! How the learning rate goes on within a phase: what each step's rate is, as a share of the optimizer's `lr`.
//!
//! A rate is `lr × factor(step) × what a plateau left of it`: `reduce_lr_on_plateau` multiplies what the schedule says, and
//! its `min_lr` bounds the rate that the schedule starts from. In all but `one_cycle` the rate first rises as `step / warm-up`
//! (transformers' `get_*_schedule_with_warmup`: its first step has the rate 0); the rest goes by the share of the steps
//! behind the warm-up that are over. Where a rate moves by epochs, a step has the rate of the first step of its epoch.

use crate::experiment::{By, Schedule as Spec};

/// The schedule of a phase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Schedule {
    spec: Spec,
    /// The optimizer's own.
    lr: f64,
    epochs: u64,
    steps_per_epoch: u64,
}

impl Schedule {
    /// Of a phase of so many epochs of so many steps, whose optimizer has the rate `lr`.
    pub fn new(spec: Spec, lr: f64, epochs: u32, steps_per_epoch: u64) -> Schedule {
        Schedule { spec, lr, epochs: u64::from(epochs), steps_per_epoch: steps_per_epoch.max(1) }
    }

    pub fn steps_per_epoch(&self) -> u64 {
        self.steps_per_epoch
    }

    /// The rate of step number `step` of the phase (from 0), where a plateau made `lr` of the optimizer's rate. Past the end
    /// it is the last step's.
    pub fn rate(&self, step: u64, lr: f32) -> f32 {
        (f64::from(lr) * self.factor(step)) as f32
    }

    /// What step number `step` multiplies the optimizer's rate by.
    pub fn factor(&self, step: u64) -> f64 {
        let total = self.epochs * self.steps_per_epoch;
        let step = step.min(total.saturating_sub(1));
        if let Spec::OneCycle { pct_start, div_factor, final_div_factor } = self.spec {
            return one_cycle(step, total, pct_start, [div_factor, final_div_factor]);
        }
        let warmup = (self.spec.warmup_epochs() * self.steps_per_epoch as f64).round() as u64;
        if step < warmup {
            return step as f64 / warmup as f64;
        }
        self.behind_warmup(step, warmup, total)
    }

    fn behind_warmup(&self, step: u64, warmup: u64, total: u64) -> f64 {
        let at = |by| match by {
            By::Step => step - warmup,
            By::Epoch => (step - step % self.steps_per_epoch).saturating_sub(warmup),
        };
        let progress = |by| at(by) as f64 / total.saturating_sub(warmup).max(1) as f64;
        let down_to = |min_lr: f64, share: f64| min_lr / self.lr + (1.0 - min_lr / self.lr) * share;
        match self.spec {
            Spec::Constant { .. } | Spec::OneCycle { .. } => 1.0,
            // torch.optim.lr_scheduler.StepLR: gamma ** (epoch // step_size)
            Spec::Step { every, factor, .. } => {
                factor.powf((step / self.steps_per_epoch / u64::from(every.max(1))) as f64)
            }
            // torch.optim.lr_scheduler.ExponentialLR: gamma ** epoch
            // by steps keras.optimizers.schedules.ExponentialDecay(decay_steps=steps of an epoch)
            Spec::Exponential { factor, by, .. } => factor.powf(at(by) as f64 / self.steps_per_epoch as f64),
            // torch.optim.lr_scheduler.CosineAnnealingLR: eta_min + (lr - eta_min) * (1 + cos(pi * t / T_max)) / 2
            // transformers.get_cosine_with_hard_restarts_schedule_with_warmup: (num_cycles * progress) % 1 for t / T_max
            Spec::Cosine { min_lr, cycles, by, .. } => {
                let of_cycle = (f64::from(cycles) * progress(by)).fract();
                down_to(min_lr, (1.0 + (std::f64::consts::PI * of_cycle).cos()) / 2.0)
            }
            // transformers.get_linear_schedule_with_warmup: (total - step) / (total - warmup)
            Spec::Linear { min_lr, by, .. } => down_to(min_lr, 1.0 - progress(by)),
            // keras.optimizers.schedules.PolynomialDecay: (lr - end) * (1 - step / total) ** power + end
            Spec::Polynomial { power, min_lr, by, .. } => down_to(min_lr, (1.0 - progress(by)).powf(power)),
        }
    }
}

/// `torch.optim.lr_scheduler.OneCycleLR(anneal_strategy="cos", three_phase=False)`, for a `max_lr` of 1.
fn one_cycle(step: u64, total: u64, pct_start: f64, [div, final_div]: [f64; 2]) -> f64 {
    let (top, end) = (pct_start * total as f64 - 1.0, total as f64 - 1.0);
    let step = step as f64;
    let anneal = |from: f64, to: f64, share: f64| to + (from - to) / 2.0 * (1.0 + (std::f64::consts::PI * share).cos());
    let share = |begin: f64, end: f64| if end > begin { ((step - begin) / (end - begin)).min(1.0) } else { 1.0 };
    let low = 1.0 / div;
    if step <= top { anneal(low, 1.0, share(0.0, top)) } else { anneal(1.0, low / final_div, share(top, end)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The factors of all steps of a phase.
    fn factors(spec: Spec, epochs: u32, steps: u64) -> Vec<f64> {
        let schedule = Schedule::new(spec, 2.0, epochs, steps);
        (0..u64::from(epochs) * steps).map(|step| schedule.factor(step)).collect()
    }

    fn are(spec: Spec, epochs: u32, steps: u64, expected: &[f64]) {
        let factors = factors(spec, epochs, steps);
        assert_eq!(factors.len(), expected.len());
        let off = factors.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-9, "{spec:?}: {factors:?}, not {expected:?}");
    }

    const HALF: f64 = std::f64::consts::FRAC_1_SQRT_2;

    #[test]
    fn each_schedule_gives_the_numbers_of_its_formula() {
        are(Spec::CONSTANT, 2, 2, &[1.0; 4]);
        are(Spec::Constant { warmup_epochs: 1.5 }, 3, 2, &[0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0, 1.0, 1.0]);
        let step = Spec::Step { every: 2, factor: 0.1, warmup_epochs: 0.0 };
        are(step, 5, 2, &[1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01]);
        let by_epoch = Spec::Exponential { factor: 0.25, by: By::Epoch, warmup_epochs: 0.0 };
        are(by_epoch, 3, 2, &[1.0, 1.0, 0.25, 0.25, 0.0625, 0.0625]);
        let by_step = Spec::Exponential { factor: 0.25, by: By::Step, warmup_epochs: 0.0 };
        are(by_step, 3, 2, &[1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125]);
    }

    /// The rate is 2, so a `min_lr` of 0.5 is a quarter of it.
    #[test]
    fn a_cosine_falls_along_half_a_wave() {
        let cosine = |min_lr, cycles, by, warmup_epochs| Spec::Cosine { min_lr, cycles, by, warmup_epochs };
        let quarters = [1.0, (1.0 + HALF) / 2.0, 0.5, (1.0 - HALF) / 2.0];
        are(cosine(0.0, 1, By::Step, 0.0), 2, 2, &quarters);
        are(cosine(0.5, 1, By::Step, 0.0), 2, 2, &quarters.map(|share| 0.25 + 0.75 * share));
        are(cosine(0.0, 2, By::Step, 0.0), 4, 2, &[quarters, quarters].concat());
        are(cosine(0.0, 1, By::Epoch, 0.0), 2, 2, &[1.0, 1.0, 0.5, 0.5]);
        are(cosine(0.0, 1, By::Step, 1.0), 3, 2, &[0.0, 0.5, 1.0, (1.0 + HALF) / 2.0, 0.5, (1.0 - HALF) / 2.0]);
    }

    #[test]
    fn a_line_and_a_power_fall_by_what_is_left() {
        let linear = |min_lr, by, warmup_epochs| Spec::Linear { min_lr, by, warmup_epochs };
        are(linear(0.0, By::Step, 0.0), 2, 2, &[1.0, 0.75, 0.5, 0.25]);
        are(linear(1.0, By::Epoch, 0.0), 2, 2, &[1.0, 1.0, 0.75, 0.75]);
        // transformers: step / 2, then (6 - step) / (6 - 2)
        are(linear(0.0, By::Step, 1.0), 3, 2, &[0.0, 0.5, 1.0, 0.75, 0.5, 0.25]);
        let power = Spec::Polynomial { power: 2.0, min_lr: 0.0, by: By::Step, warmup_epochs: 0.0 };
        are(power, 2, 2, &[1.0, 0.5625, 0.25, 0.0625]);
    }

    /// `OneCycleLR(max_lr=1, total_steps=10)` rises in steps 0 to 2 and falls in 7 more: its own arithmetic.
    #[test]
    fn one_cycle_is_that_of_pytorch() {
        let cycle = Spec::OneCycle { pct_start: 0.3, div_factor: 25.0, final_div_factor: 1e4 };
        let factors = factors(cycle, 5, 2);
        let falling = |n: f64| 4e-6 + (1.0 - 4e-6) / 2.0 * (1.0 + (std::f64::consts::PI * n / 7.0).cos());
        let expected = [0.04, 0.52, 1.0, falling(1.0), falling(2.0)];
        for (factor, expected) in factors.iter().zip(expected) {
            assert!((factor - expected).abs() < 1e-9, "{factors:?}");
        }
        assert!((factors[9] - 4e-6).abs() < 1e-12 && factors[3..].is_sorted_by(|a, b| a > b));
        assert!(Schedule::new(cycle, 1.0, 1, 1).factor(0).is_finite());
    }

    #[test]
    fn a_rate_is_that_of_the_optimizer_by_the_plateau_and_the_schedule() {
        let schedule = Schedule::new(Spec::Linear { min_lr: 0.0, by: By::Step, warmup_epochs: 0.0 }, 0.01, 2, 2);
        assert_eq!(schedule.rate(1, 0.01), 0.0075);
        assert_eq!(schedule.rate(1, 0.001), 0.00075);
        assert_eq!(schedule.rate(99, 0.01), schedule.rate(3, 0.01));
        let constant = Schedule::new(Spec::CONSTANT, 0.1, 2, 2);
        assert_eq!(constant.rate(3, 0.1).to_bits(), 0.1f32.to_bits());
    }
}
