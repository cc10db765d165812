//! The learning-rate range test (Smith 2015, "Cyclical Learning Rates for Training Neural Networks"), swept and smoothed as
//! fastai's `lr_find`: the rate rises exponentially from step to step, and the loss says where learning begins and where
//! it ends.
//!
//! Invariant: the network lives in memory alone; nothing is written, and the figures are a function of the experiment.

use std::sync::atomic::AtomicBool;

use super::epoch::shuffled;
use super::error::{Error, Interrupt, Stoppable};
use super::feature_cache::{FeatureCache, Key, Side, Sizes};
use super::feed::Feed;
use super::memory;
use super::mixing::Mixing;
use super::optimizer::{self, Moved};
use super::out::Out;
use super::setup::Setup;
use super::step::{Batch, Gathered, Stepped};
use super::trainer::use_threads;
use crate::experiment::Experiment;
use crate::model::{Fetch, Pass};

/// What is left of the running mean in each step (fastai's `beta`).
const SMOOTHING: f64 = 0.98;
/// So many times the best smoothed loss ends the sweep (fastai).
const BLOWN_UP: f64 = 4.0;

/// Which rates are tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sweep {
    /// Optimizer steps, at least 2.
    pub steps: usize,
    pub from: f64,
    pub to: f64,
}

impl Sweep {
    /// The rate of step number `step`, from 0.
    fn rate(&self, step: usize) -> f64 {
        self.from * (self.to / self.from).powf(step as f64 / (self.steps.max(2) - 1) as f64)
    }
}

/// What a sweep came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The rate of each step that was taken.
    pub lrs: Vec<f64>,
    /// The loss of each, before its update.
    pub losses: Vec<f64>,
    /// The running mean of the losses, its start corrected for.
    pub smoothed: Vec<f64>,
    /// The rate at which the loss blew up: it was NaN, infinite, or several times the best.
    pub blew_up: Option<f64>,
}

/// A rate to train with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suggestion {
    pub lr: f64,
    /// Where the smoothed loss falls most steeply over the logarithm of the rate.
    pub steepest: f64,
}

/// Sweeps the rate in the first epochs of the phase number `phase` of `experiment`, from the weights that the run would
/// start from. `progress` hears how many steps were taken.
///
/// # Errors
/// As training has them; a loss that blows up is none.
pub fn find(
    experiment: &Experiment,
    phase: usize,
    sweep: Sweep,
    progress: &mut dyn FnMut(usize),
) -> Result<Curve, Error> {
    let stop = AtomicBool::new(false);
    let mut ignored = |_| Ok(());
    let mut out = Out::new(&mut ignored, &stop);
    use_threads(experiment.threads)?;
    let setup = Setup::new(experiment, Fetch::Download, &mut out)?;
    let mut finder = Finder::new(experiment, setup, phase, sweep.steps)?;
    finder.sweep(phase, sweep, &mut out, progress).map_err(|interrupt| match interrupt {
        Interrupt::Failed(error) => error,
        Interrupt::Stopped => crate::data::Error::Stopped.into(),
    })
}

struct Finder<'e> {
    experiment: &'e Experiment,
    setup: Setup,
    /// Of the layers that the phase leaves frozen, if computing all samples once is no more than the sweep would compute.
    cache: FeatureCache,
    prefix: usize,
}

impl<'e> Finder<'e> {
    /// For a sweep of so many `steps` of `phase`.
    fn new(experiment: &'e Experiment, mut setup: Setup, phase: usize, steps: usize) -> Result<Self, Error> {
        let stretch = &setup.stretches[setup.stretch(phase, 0)];
        let (learns, prefix) = (stretch.learns.clone(), stretch.frozen_prefix);
        setup.network.freeze(&learns)?;
        let sizes = Sizes::of(experiment, &setup)?;
        let all = sizes.train_samples.saturating_mul(sizes.train_views.map_or(usize::MAX, |views| views as usize));
        let computed = steps.saturating_mul(experiment.train.batch_size * experiment.train.accumulate);
        let mut cache = FeatureCache::new(sizes, memory::feature_limit(experiment, &setup)?);
        if all <= computed {
            cache.begin_phase(&[prefix]);
        }
        Ok(Finder { experiment, setup, cache, prefix })
    }

    fn sweep(
        &mut self,
        phase: usize,
        sweep: Sweep,
        out: &mut Out,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Curve, Interrupt> {
        let spec = &self.experiment.train.phases[phase];
        let rates = self.setup.network.rates(spec.lr_decay, &spec.lr_factors)?;
        let mut optimizer = optimizer::empty(&spec.optimizer);
        let moved = self.setup.network.trainable_at(&rates).into_iter();
        optimizer.add(moved.map(|(name, variable, rate)| Moved { name, variable, rate }).collect(), 0)?;
        let mut meter = Meter::default();
        for epoch in 1.. {
            let feed = self.feed(epoch, out)?;
            let (seed, train) = (self.experiment.seed, &self.experiment.train);
            let batches = shuffled(&feed, seed, epoch, train.batch_size);
            let mixing = Mixing::of(&self.experiment.data.augment(), self.setup.data.classes.len(), seed);
            let mut inputs = feed.inputs(&batches).zip(0..).map(|(input, number)| match &mixing {
                Some(mixing) => Ok(mixing.mix(input?, epoch, number)?),
                None => input,
            });
            for group in batches.chunks(train.accumulate) {
                let step = meter.curve.lrs.len();
                if step >= sweep.steps {
                    return Ok(meter.curve);
                }
                let lr = sweep.rate(step);
                optimizer.set_learning_rate(lr as f32);
                let mut gathered = Gathered::of(group.iter().map(Vec::len).sum());
                for (input, number) in inputs.by_ref().take(group.len()).zip(0..) {
                    let input = input?;
                    let batch = Batch {
                        x: &input.x,
                        mask: input.mask.as_ref(),
                        targets: &input.targets,
                        first_layer: feed.start(),
                    };
                    let pass = Pass::Train { seed, step: (step * train.accumulate) as u64 + number };
                    gathered.add(&self.setup.network, &*optimizer, &self.setup.objective, batch, &pass)?;
                }
                let Stepped { sums, diverged } = gathered.update(&mut *optimizer, train.clip_norm)?;
                progress(step + 1);
                if diverged.is_some() {
                    meter.curve.blew_up = Some(lr);
                    return Ok(meter.curve);
                }
                if meter.blows_up(lr, sums.loss()) {
                    return Ok(meter.curve);
                }
            }
        }
        Ok(meter.curve)
    }

    /// The training samples as they are in `epoch`, past the frozen layers where those are computed once.
    fn feed(&mut self, epoch: u32, out: &mut Out) -> Stoppable<Feed> {
        let (setup, augment) = (&self.setup, self.experiment.data.augment());
        let turn = u64::from(epoch - 1);
        let variant = augment.views.map_or(turn, |views| turn % u64::from(views.max(1)));
        let variant = (!augment.is_none()).then_some(variant);
        let feed = Feed::new(setup.data.train.clone(), setup.preparation.clone(), variant, setup.device.clone());
        if !self.cache.is_admitted(Side::Train, self.prefix) {
            return Ok(feed);
        }
        let key = Key { side: Side::Train, layer: self.prefix, view: variant.unwrap_or(0) as u32 };
        let rows = self.cache.rows(key, &feed, &setup.network, out)?;
        Ok(feed.with_rows(rows, self.prefix))
    }
}

/// The curve while it is measured.
struct Meter {
    curve: Curve,
    mean: f64,
    best: f64,
}

impl Default for Meter {
    fn default() -> Self {
        let curve = Curve { lrs: Vec::new(), losses: Vec::new(), smoothed: Vec::new(), blew_up: None };
        Meter { curve, mean: 0.0, best: f64::INFINITY }
    }
}

impl Meter {
    /// Takes the loss of the next step, and says whether it is the last.
    fn blows_up(&mut self, lr: f64, loss: f64) -> bool {
        self.mean = SMOOTHING * self.mean + (1.0 - SMOOTHING) * loss;
        let steps = self.curve.lrs.len() as i32 + 1;
        let smoothed = self.mean / (1.0 - SMOOTHING.powi(steps));
        self.best = self.best.min(smoothed);
        self.curve.lrs.push(lr);
        self.curve.losses.push(loss);
        self.curve.smoothed.push(smoothed);
        if smoothed > BLOWN_UP * self.best {
            self.curve.blew_up = Some(lr);
        }
        self.curve.blew_up.is_some()
    }
}

/// Over so many decades of the rate, to each side, a slope is fitted: neighbouring losses differ by noise.
const HALF_WINDOW: f64 = 0.25;

impl Curve {
    /// Where the loss falls most steeply, and at most a tenth of the rate at which it blew up. None where it never falls.
    pub fn suggestion(&self) -> Option<Suggestion> {
        let y = &self.smoothed;
        // the first steps are of few losses, and behind the lowest loss it rises
        let first = (y.len() / 10).max(1);
        let lowest = (first..y.len()).min_by(|a, b| y[*a].total_cmp(&y[*b]))?;
        let inner = (first..lowest).filter_map(|at| Some((at, self.slope(at, lowest)?)));
        let (steepest, slope) = inner.min_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let steepest = self.lrs[steepest];
        let lr = self.blew_up.map_or(steepest, |blew_up| steepest.min(blew_up / 10.0));
        (slope < 0.0).then_some(Suggestion { lr, steepest })
    }

    /// What a decade of the rate does to the smoothed loss around step `at`: the line of least squares through the steps
    /// within half a decade, its neighbours at least, none of them behind step `last`.
    fn slope(&self, at: usize, last: usize) -> Option<f64> {
        let x = |step: usize| self.lrs[step].log10();
        let is_near = |step: usize| step.abs_diff(at) <= 1 || (x(step) - x(at)).abs() <= HALF_WINDOW;
        let near: Vec<usize> = (0..=last).filter(|&step| is_near(step)).collect();
        let mean = |of: &dyn Fn(usize) -> f64| near.iter().map(|&step| of(step)).sum::<f64>() / near.len() as f64;
        let (mean_x, mean_y) = (mean(&x), mean(&|step| self.smoothed[step]));
        let spread = mean(&|step| (x(step) - mean_x).powi(2));
        (spread > 0.0).then(|| mean(&|step| (x(step) - mean_x) * (self.smoothed[step] - mean_y)) / spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)], blew_up: Option<f64>) -> Curve {
        let (lrs, smoothed): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        Curve { losses: smoothed.clone(), lrs, smoothed, blew_up }
    }

    const POINTS: [(f64, f64); 7] =
        [(1e-6, 2.0), (1e-5, 2.0), (1e-4, 1.9), (1e-3, 1.5), (1e-2, 0.9), (1e-1, 0.8), (1.0, 4.0)];

    #[test]
    fn the_steepest_descent_is_suggested_and_a_decade_below_the_blow_up_at_most() {
        // slopes a decade: 0, -.05, -.25, -.5, -.35 up to the lowest
        let of = |blew_up| curve(&POINTS, blew_up).suggestion();
        assert_eq!(of(Some(1.0)), Some(Suggestion { lr: 1e-3, steepest: 1e-3 }));
        assert_eq!(of(Some(1e-3)), Some(Suggestion { lr: 1e-4, steepest: 1e-3 }));
        assert_eq!(of(None), Some(Suggestion { lr: 1e-3, steepest: 1e-3 }));
    }

    /// Losses that jump by a tenth from step to step, and fall by 1.5 between 1e-4 and 1e-2.
    #[test]
    fn noise_between_neighbours_is_no_descent() {
        let points: Vec<(f64, f64)> = (0..=120)
            .map(|step| {
                let decade = -7.0 + step as f64 / 20.0;
                let noise = if step % 7 == 3 { 0.1 } else { 0.0 };
                (10f64.powf(decade), 2.0 - 1.5 * ((decade + 4.0) / 2.0).clamp(0.0, 1.0) + noise)
            })
            .collect();
        let steepest = curve(&points, None).suggestion().unwrap().steepest;
        assert!((1e-4..1e-2).contains(&steepest), "{steepest:e}");
    }

    #[test]
    fn nothing_is_suggested_where_nothing_falls() {
        for points in
            [&[][..], &[(1e-3, 1.0)], &[(1e-3, 1.0), (1e-2, 1.0), (1e-1, 1.0)], &[(0.1, 1.0), (0.2, 2.0), (0.3, 3.0)]]
        {
            assert_eq!(curve(points, None).suggestion(), None, "{points:?}");
        }
    }

    #[test]
    fn rates_rise_by_the_same_factor() {
        let sweep = Sweep { steps: 5, from: 1e-4, to: 1.0 };
        for (step, expected) in [1e-4, 1e-3, 1e-2, 1e-1, 1.0].into_iter().enumerate() {
            assert!((sweep.rate(step) / expected - 1.0).abs() < 1e-12, "{step}");
        }
    }

    /// Of constant losses the corrected mean is that constant; four times the best ends it.
    #[test]
    fn the_mean_is_corrected_and_the_end_is_seen() {
        let mut meter = Meter::default();
        (0..50).for_each(|_| assert!(!meter.blows_up(1e-3, 2.0)));
        assert!(meter.curve.smoothed.iter().all(|mean| (mean - 2.0).abs() < 1e-12));
        assert!(!meter.blows_up(1e-2, 8.0), "one step is no blow-up yet");
        assert!((0..99).any(|_| meter.blows_up(1e-1, 80.0)));
        assert_eq!(meter.curve.blew_up, Some(1e-1));
    }
}
