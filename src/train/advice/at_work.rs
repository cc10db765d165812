//! Where a run's figures come from for those who watch it, and where what they say goes to.

use super::EpochEnd;
use super::duplicate_samples::{self, Found};
use super::frozen_layers::frozen_layers;
use super::partial_weights::partial_weights;
use super::random_weights::random_weights;
use super::wrong_preprocessing::{self, wrong_preprocessing};
use crate::base::text;
use crate::data::Samples;
use crate::experiment::{Metric, Weights};
use crate::model::{Layer, Pass};
use crate::record::event::{Advice, Event, Level};
use crate::train::error::{Error, Stoppable};
use crate::train::feature_cache::Side;
use crate::train::phase::{Figures, Phase};
use crate::train::setup::Setup;
use crate::train::trainer::Trainer;

/// Weights that are looked at to see whether they move, or one of each tensor.
const LOOKED_AT: usize = 256;
/// Samples whose statistics are taken.
const SAMPLES: usize = 32;

impl Trainer<'_, '_> {
    /// Says what can be said before the first step: of the data, the weights, and what will learn.
    pub fn advise_at_start(&mut self) -> Stoppable<()> {
        let (experiment, setup) = (self.job.experiment, &self.setup);
        let duplicates = duplicate_samples::duplicates(&setup.data, self.out.stop());
        let pairs = match &duplicates {
            Found::Pairs(pairs) => &**pairs,
            Found::TooLarge(_) => &[],
        };
        let [frozen, layers] = frozen_backbone(setup);
        let all = [
            frozen_layers(experiment, &trainable(setup)),
            random_weights(experiment, frozen, layers),
            partial_weights(experiment, &setup.weights.left_out, setup.weights.loaded.len()),
            self.preprocessing()?,
            duplicate_samples::duplicate_samples(experiment, &setup.data, pairs),
        ];
        if let Found::TooLarge(bytes) = duplicates {
            let message =
                format!("whether pictures are on both sides was not looked at: {} to read", text::bytes(bytes));
            self.out.log(Level::Info, message)?;
        }
        self.out.check()?;
        for advice in all.into_iter().flatten() {
            if self.progress.advice.is_new(&advice) {
                self.out.event(Event::Advice(advice))?;
            }
        }
        Ok(())
    }

    fn preprocessing(&self) -> Result<Option<Advice>, Error> {
        let setup = &self.setup;
        let is_pretrained = self.job.experiment.model.weights != Weights::Random;
        if !is_pretrained || matches!(setup.data.train, Samples::Texts(_)) {
            return Ok(None);
        }
        let variances = self.variances()?;
        let (done, wanted) = (setup.network.preprocessing(), setup.weights.preprocessing);
        Ok(wrong_preprocessing(&wrong_preprocessing::Input { done, wanted, variances: &variances }))
    }

    /// Of each channel of the first batch normalisation: its variance in a batch / its running variance. None where there
    /// is no such layer.
    fn variances(&self) -> Result<Vec<f64>, Error> {
        let network = &self.setup.network;
        let Some(at) = network.layers().position(|layer| layer.kind().starts_with("BatchNorm2d")) else {
            return Ok(Vec::new());
        };
        let named = |layer: &Layer| layer.tensors().into_iter().find(|(name, _)| name.ends_with("running_var"));
        let Some((_, running)) = network.layers().nth(at).and_then(named) else { return Ok(Vec::new()) };
        let feed = self.inputs(Side::Val, None);
        // evenly over the classes, which come one after the other
        let every = feed.len().div_ceil(SAMPLES);
        let batches = [(0..feed.len()).step_by(every.max(1)).collect()];
        let Some(input) = feed.inputs(&batches).next() else { return Ok(Vec::new()) };
        let maps = network.forward_range(0..at, &input?.x, None, &Pass::Eval)?;
        let channels = maps.transpose(0, 1)?.flatten_from(1)?.to_dtype(candle_core::DType::F32)?;
        let of_batch = channels.var(1)?.to_vec1::<f32>()?;
        let running = running.as_tensor().to_vec1::<f32>()?;
        Ok(of_batch.iter().zip(running).map(|(of_batch, running)| f64::from(of_batch / running)).collect())
    }

    /// Says what is new after an epoch of `phase`.
    pub fn advise(&mut self, phase: &Phase, figures: &Figures, lr: f32) -> Result<(), Error> {
        let data = &self.setup.data;
        let mut samples = vec![0; data.classes.len()];
        data.train.labels().for_each(|label| samples[label as usize] += 1);
        let end = EpochEnd {
            experiment: self.job.experiment,
            phase: self.progress.phase,
            stretch: phase.stretch,
            lr: crate::train::phase::shown(lr),
            loss: figures.of(&Metric::Loss),
            accuracy: figures.of(&Metric::Accuracy),
            val_loss: figures.of(&Metric::ValLoss),
            val_accuracy: figures.of(&Metric::ValAccuracy),
            confusion: &figures.validated.confusion(data.classes.len()),
            classes: &data.classes,
            samples: &samples,
            weights: &self.some_weights()?,
        };
        let advice = self.progress.advice.epoch_end(&end);
        Ok(advice.into_iter().try_for_each(|advice| self.out.event(Event::Advice(advice)))?)
    }

    /// Some of the weights that learn, from the middle of each tensor; none where nothing does.
    fn some_weights(&self) -> Result<Vec<f32>, Error> {
        let tensors = self.setup.network.trainable();
        let of_each = (LOOKED_AT / tensors.len().max(1)).max(1);
        let mut all = Vec::new();
        for (_, tensor) in tensors {
            let (count, flat) = (of_each.min(tensor.elem_count()), tensor.as_detached_tensor().flatten_all()?);
            all.extend(flat.narrow(0, (tensor.elem_count() - count) / 2, count)?.to_vec1::<f32>()?);
        }
        Ok(all)
    }
}

/// Of each phase, the most scalars that learn at once.
fn trainable(setup: &Setup) -> Vec<usize> {
    let phases = setup.stretches.last().map_or(0, |last| last.phase + 1);
    let of_phase = |phase| setup.stretches.iter().filter(move |stretch| stretch.phase == phase);
    (0..phases).map(|phase| of_phase(phase).map(|stretch| stretch.trainable_parameters).max().unwrap_or(0)).collect()
}

/// How many layers of the backbone that have weights never learn, and how many there are.
fn frozen_backbone(setup: &Setup) -> [usize; 2] {
    let layers = || setup.network.layers().filter(|layer| layer.is_backbone() && layer.parameter_count() > 0);
    let learns = |name: &str| setup.stretches.iter().any(|stretch| stretch.trainable.iter().any(|other| other == name));
    [layers().filter(|layer| !learns(layer.name())).count(), layers().count()]
}
