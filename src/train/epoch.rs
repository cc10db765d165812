//! One epoch: every training sample once, in an order drawn by (seed, epoch), then the validation samples.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::error::{Error, Stoppable};
use super::feature_cache::{Key, Side};
use super::feed::{Feed, Input};
use super::inference;
use super::metrics::{self, Outcome, Scored, Sums};
use super::mixing::Mixing;
use super::objective;
use super::out::Progress;
use super::phase::{Phase, shown};
use super::step::{Batch, Diverged, Gathered, Stepped};
use super::trainer::Trainer;
use crate::base::clock::Stopwatch;
use crate::base::random::{Purpose, Stream};
use crate::experiment::Measure;
use crate::model::Pass;
use crate::record::event::{Event, Step};

/// What training for an epoch came to.
pub(super) struct Trained {
    /// Over the batches, each with the weights that it met, as Keras shows them.
    pub sums: Sums,
    /// Features that were computed meanwhile included.
    pub samples_per_s: f64,
}

/// What the network made of the validation samples.
pub(super) struct Validated {
    pub sums: Sums,
    /// In the order of the samples.
    pub scored: Vec<Scored>,
    labels: Vec<u32>,
    /// Of all classes, `[samples, classes]`; empty where no metric takes them.
    probabilities: Vec<f32>,
    pub seconds: f64,
}

impl Validated {
    /// `counts[true][predicted]`.
    pub fn confusion(&self, classes: usize) -> Vec<Vec<u64>> {
        let predicted = self.scored.iter().map(|scored| scored.predicted);
        metrics::confusion(classes, self.labels.iter().copied().zip(predicted))
    }

    /// The figures that `measures` give, by their names in the record.
    pub fn further(&self, measures: &[Measure], classes: &[String]) -> BTreeMap<String, f64> {
        let Validated { labels, scored, probabilities, .. } = self;
        metrics::further(measures, &Outcome { classes, labels, scored, probabilities })
    }
}

impl Trainer<'_, '_> {
    /// Trains what is left of the next epoch. Stopped, it leaves in `progress` what a checkpoint needs to go on there.
    pub fn train_epoch(&mut self, phase: &mut Phase) -> Stoppable<Trained> {
        let epoch = self.progress.epoch + 1;
        let whole = Stopwatch::start();
        let before = self.progress.unfinished.seconds;
        let feed = self.train_feed(phase, epoch)?;
        let train = &self.job.experiment.train;
        let (seed, accumulate) = (self.job.experiment.seed, train.accumulate);
        let batches = shuffled(&feed, seed, epoch, train.batch_size);
        let done = (self.progress.unfinished.steps as usize).saturating_mul(accumulate);
        let left = &batches[done.min(batches.len())..];
        let steps = batches.len().div_ceil(accumulate) as u32;
        let mixing = Mixing::of(&self.job.experiment.data.augment(), self.setup.data.classes.len(), seed);
        let mut inputs = feed.inputs(left).zip(done as u32..).map(|(input, number)| match &mixing {
            Some(mixing) => Ok(mixing.mix(input?, epoch, number)?),
            None => input,
        });
        let mut clock = Stopwatch::start();
        for group in left.chunks(accumulate) {
            self.attend(phase)?;
            let inputs = &mut inputs.by_ref().take(group.len());
            let samples = group.iter().map(Vec::len).sum();
            let of_step = self.step(phase, inputs, samples, feed.start(), steps, &clock)?;
            self.progress.unfinished.sums.merge(&of_step);
            self.progress.unfinished.steps += 1;
            self.progress.unfinished.seconds = before + whole.seconds();
            clock = Stopwatch::start();
        }
        self.progress.unfinished.seconds = before + whole.seconds();
        let samples_per_s = per_second(left.iter().map(Vec::len).sum(), whole.seconds());
        Ok(Trained { sums: self.progress.unfinished.sums, samples_per_s })
    }

    /// One step of the optimizer on `inputs` of so many `samples`, which go into layer `start`. `clock` runs since the step
    /// before.
    fn step(
        &mut self,
        phase: &mut Phase,
        inputs: &mut dyn Iterator<Item = Result<Input, Error>>,
        samples: usize,
        start: usize,
        steps: u32,
        clock: &Stopwatch,
    ) -> Result<Sums, Error> {
        let train = &self.job.experiment.train;
        let mut gathered = Gathered::of(samples);
        phase.set_rate();
        for (input, number) in inputs.zip(0..) {
            let input = input?;
            let batch = Batch { x: &input.x, mask: input.mask.as_ref(), targets: &input.targets, first_layer: start };
            // each batch drops out others
            let step = self.progress.step * train.accumulate as u64 + number;
            let pass = Pass::Train { seed: self.job.experiment.seed, step };
            gathered.add(&self.setup.network, &*phase.optimizer, &self.setup.objective, batch, &pass)?;
        }
        let Stepped { sums, diverged } = gathered.update(&mut *phase.optimizer, train.clip_norm)?;
        self.trained.moved();
        self.progress.advice.step(sums.loss());
        self.progress.step += u64::from(diverged.is_none());
        let step = self.progress.unfinished.steps + 1;
        self.out.event(Event::Step(Step {
            phase: phase.spec.name.clone(),
            epoch: self.progress.epoch + 1,
            step,
            steps,
            loss: sums.loss(),
            accuracy: sums.accuracy(),
            lr: shown(phase.optimizer.learning_rate()),
            samples_per_s: per_second(samples, clock.seconds()),
        }))?;
        match diverged {
            None => Ok(sums),
            Some(Diverged { what, value }) => Err(self.diverged(phase, what, value, step, steps)),
        }
    }

    fn diverged(&self, phase: &Phase, what: &'static str, value: f64, step: u32, steps: u32) -> Error {
        let (epoch, lr) = (self.progress.epoch + 1, phase.optimizer.learning_rate());
        Error::Diverged { what, value, epoch, step, steps, phase: phase.spec.name.clone(), lr }
    }

    /// Puts every validation sample through the network.
    pub fn validate(&mut self, phase: &Phase) -> Stoppable<Validated> {
        let clock = Stopwatch::start();
        let feed = self.feed(phase, Side::Val, 0, None)?;
        let objective = self.setup.objective.of_validation();
        let mut sums = Sums::default();
        let mut scored = vec![Scored::NONE; feed.len()];
        let classes = self.setup.data.classes.len();
        let takes_probabilities = metrics::takes_probabilities(&self.job.experiment.train.metrics);
        let mut probabilities = vec![0.0; if takes_probabilities { feed.len() * classes } else { 0 }];
        let mut done = 0;
        let mut progress = Progress::new("validation", "samples");
        for input in feed.inputs(&feed.in_order(self.job.experiment.train.batch_size)) {
            self.attend(phase)?;
            let input = input?;
            let range = feed.start()..usize::MAX;
            let logits = inference::forward(&self.setup.network, range, &input, &self.out)?;
            let (batch, of_batch) = objective.score(&logits, &input.targets)?;
            sums.merge(&batch);
            done += of_batch.len();
            input.samples.iter().zip(of_batch).for_each(|(&sample, of_sample)| scored[sample] = of_sample);
            if takes_probabilities {
                put_probabilities(&mut probabilities, &input.samples, &logits)?;
            }
            if let Some(event) = progress.at(done as u64, feed.len() as u64) {
                self.out.event(event)?;
            }
        }
        sums.penalize(objective::penalty(&self.setup.network.penalized(&Pass::Eval))?);
        if !sums.loss().is_finite() {
            let steps = self.progress.unfinished.steps;
            return Err(self.diverged(phase, "val_loss", sums.loss(), steps, steps).into());
        }
        Ok(Validated { sums, scored, labels: feed.labels(), probabilities, seconds: clock.seconds() })
    }

    /// The training samples as `epoch` sees them: as they are, in the view whose turn it is, or in variants of its own.
    fn train_feed(&mut self, phase: &Phase, epoch: u32) -> Stoppable<Feed> {
        let augment = self.job.experiment.data.augment();
        let turn = epoch - 1;
        match augment.views {
            _ if augment.is_none() => self.feed(phase, Side::Train, 0, None),
            Some(views) => {
                let view = turn % views.max(1);
                self.feed(phase, Side::Train, view, Some(u64::from(view)))
            }
            None => self.feed(phase, Side::Train, 0, Some(u64::from(turn))),
        }
    }

    /// The samples of `side` from the cache where they are kept there, else as they are, pictures in `variant`.
    fn feed(&mut self, phase: &Phase, side: Side, view: u32, variant: Option<u64>) -> Stoppable<Feed> {
        let inputs = self.inputs(side, variant);
        let layer = self.setup.stretches[phase.stretch].frozen_prefix;
        if !self.cache.is_admitted(side, layer) {
            return Ok(inputs);
        }
        let rows = self.cache.rows(Key { side, layer, view }, &inputs, &self.setup.network, &mut self.out)?;
        Ok(inputs.with_rows(rows, layer))
    }
}

/// All samples in batches of `size`, as `epoch` takes them.
pub(super) fn shuffled(feed: &Feed, seed: u64, epoch: u32, size: usize) -> Vec<Vec<usize>> {
    let stream = |number| Stream::new(seed, Purpose::Shuffle, u64::from(epoch), number);
    let mut order: Vec<usize> = (0..feed.len()).collect();
    stream(0).shuffle(&mut order);
    feed.shuffled(&order, size, stream(1))
}

/// Puts the probabilities of `logits` `[batch, classes]` into the rows of `samples`.
fn put_probabilities(rows: &mut [f32], samples: &[usize], logits: &Tensor) -> candle_core::Result<()> {
    for (&sample, logits) in samples.iter().zip(logits.to_vec2::<f32>()?) {
        let row = &mut rows[sample * logits.len()..][..logits.len()];
        row.iter_mut().zip(metrics::softmax(&logits)).for_each(|(at, probability)| *at = probability as f32);
    }
    Ok(())
}

fn per_second(count: usize, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}
