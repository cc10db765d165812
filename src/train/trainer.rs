//! A run from its first event to the saved model: set up, resume, one phase after the other, finish.
//!
//! Invariants: what is trained is a function of the experiment alone, wherever it was stopped and resumed; weights that
//! no phase trains are never written to.

use candle_core::{Tensor, Var};

use super::Job;
use super::checkpoint::{self, Checkpoint, Latest, PhaseInProgress, Progress, RunBest};
use super::error::{Error, Stoppable};
use super::feature_cache::{FeatureCache, Side, Sizes};
use super::feed::Feed;
use super::memory;
use super::out::Out;
use super::phase::Phase;
use super::saved_model;
use super::saving::{BestNetwork, Saving};
use super::setup::{Setup, device_name};
use super::trained::Trained;
use crate::base::clock::Stopwatch;
use crate::base::durable;
use crate::experiment::Save;
use crate::model::Fetch;
use crate::record::event::{
    self, Best, Event, FinishReason, Finished, Level, Parameters, PhasePlan, ResumedFrom, RunStarted, Skipped,
};

/// A run in progress.
pub(super) struct Trainer<'j, 'o> {
    pub job: &'j Job<'j>,
    pub out: Out<'o>,
    pub setup: Setup,
    pub cache: FeatureCache,
    pub progress: Progress,
    pub best: Option<RunBest>,
    pub trained: Trained,
    /// Since the start of this attempt.
    clock: Stopwatch,
    saving: Saving,
}

/// Where the model goes, relative to the run's folder.
const MODEL: &str = "model";

/// Trains `job` to its end.
pub(super) fn train(job: &Job, mut out: Out) -> Stoppable<FinishReason> {
    let clock = Stopwatch::start();
    use_threads(job.experiment.threads)?;
    for folder in [checkpoint::FOLDER, MODEL] {
        durable::remove_leftovers(&job.folder.join(folder))?;
    }
    let setup = Setup::new(job.experiment, Fetch::Download, &mut out)?;
    out.check()?;
    let (mut trainer, resumed) = Trainer::new(job, out, setup, clock)?;
    let result = trainer.phases(resumed).and_then(|()| trainer.finish());
    // Whatever ended it, what is still being written is of a good state.
    let said = trainer.say_written();
    let reason = result?;
    said?;
    Ok(reason)
}

impl<'j, 'o> Trainer<'j, 'o> {
    /// Ready to train, from the beginning or from the last checkpoint; says so. The phase that the checkpoint was in the
    /// middle of comes with it.
    fn new(job: &'j Job, out: Out<'o>, setup: Setup, clock: Stopwatch) -> Stoppable<(Self, Option<PhaseInProgress>)> {
        let sizes = Sizes::of(job.experiment, &setup)?;
        let features = memory::feature_limit(job.experiment, &setup)?;
        let trained = Trained::of(&setup);
        let mut trainer = Trainer {
            job,
            out,
            setup,
            cache: FeatureCache::new(sizes, features),
            progress: Progress::default(),
            best: None,
            trained,
            clock,
            saving: Saving::new(job.folder, job.experiment.train.checkpoint_minutes),
        };
        let Latest { checkpoint, warnings } = checkpoint::latest(job.folder, &trainer.setup.device)?;
        let resumed_from = checkpoint.as_ref().map(|Checkpoint { progress, .. }| ResumedFrom {
            epoch: progress.epoch,
            step: progress.step,
            epoch_steps: progress.unfinished.steps,
        });
        let phase = match checkpoint {
            Some(checkpoint) => trainer.resume(checkpoint)?,
            None => None,
        };
        trainer.announce(resumed_from)?;
        for warning in warnings {
            trainer.out.log(Level::Warning, warning)?;
        }
        if resumed_from.is_none() {
            trainer.advise_at_start()?;
        }
        Ok((trainer, phase))
    }

    fn resume(&mut self, checkpoint: Checkpoint) -> Result<Option<PhaseInProgress>, Error> {
        let Checkpoint { progress, best, phase, weights } = checkpoint;
        self.trained.set(&weights)?;
        self.progress = progress;
        self.best = best;
        Ok(phase)
    }

    fn phases(&mut self, mut resumed: Option<PhaseInProgress>) -> Stoppable<()> {
        while self.progress.phase < self.job.experiment.train.phases.len() {
            self.phase(resumed.take())?;
        }
        Ok(())
    }

    fn announce(&mut self, resumed_from: Option<ResumedFrom>) -> Result<(), Error> {
        let experiment = self.job.experiment;
        let phases = experiment.train.phases.iter();
        let trainable = self.trained.elements();
        self.out.event(Event::RunStarted(RunStarted {
            attempt: self.job.attempt,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            device: device_name(&self.setup.device),
            threads: rayon::current_num_threads(),
            seed: experiment.seed,
            classes: self.setup.data.classes.clone(),
            train_samples: self.setup.data.train.len(),
            val_samples: self.setup.data.val.len(),
            parameters: Parameters { total: self.setup.network.parameter_count(), trainable },
            phases: phases.map(|phase| PhasePlan { name: phase.name.clone(), epochs: phase.epochs }).collect(),
            resumed_from,
        }))?;
        // A resumed run has said the rest before.
        if resumed_from.is_none_or(|from| from.epoch == 0) { self.say_setup() } else { Ok(()) }
    }

    fn say_setup(&mut self) -> Result<(), Error> {
        self.out.log(Level::Info, format!("weights: {}", self.setup.weights))?;
        let augment = self.job.experiment.data.augment();
        if let (false, Some(views)) = (augment.is_none(), augment.views) {
            let message = format!("augment.views: {views} fixed variants are drawn of each picture and taken in turn");
            self.out.log(Level::Info, message)?;
        }
        for skipped in &self.setup.data.skipped {
            let (source, reason) = (skipped.source.clone(), skipped.reason.clone());
            self.out.event(Event::Skipped(Skipped { source, reason }))?;
        }
        self.say_augmented()
    }

    /// The samples of a side, pictures each in the given random variant.
    pub fn inputs(&self, side: Side, variant: Option<u64>) -> Feed {
        let samples = match side {
            Side::Val => &self.setup.data.val,
            Side::Train => &self.setup.data.train,
        };
        Feed::new(samples.clone(), self.setup.preparation.clone(), variant, self.setup.device.clone())
    }

    /// Seconds spent on the run, by this attempt and those before it.
    fn seconds(&self) -> f64 {
        self.progress.seconds + self.clock.seconds()
    }

    /// To be called often while `phase` trains: says what was written, stops where somebody asked for it, and starts a
    /// checkpoint when it is time for one.
    pub fn attend(&mut self, phase: &Phase) -> Stoppable<()> {
        let written = self.saving.poll()?;
        self.say(written)?;
        self.out.check()?;
        if self.saving.is_due() { Ok(self.checkpoint(Some(phase))?) } else { Ok(()) }
    }

    /// Starts a checkpoint at the end of an epoch of `phase`, unless it would cost too much or one is being written.
    pub fn checkpoint_at_epoch_end(&mut self, phase: &Phase) -> Result<(), Error> {
        let written = self.saving.poll()?;
        self.say(written)?;
        if self.saving.is_due_at_epoch_end() { self.checkpoint(Some(phase)) } else { Ok(()) }
    }

    /// Starts to write a checkpoint of where training stands, in `phase` or between phases, as soon as the one before is
    /// written.
    pub fn checkpoint(&mut self, phase: Option<&Phase>) -> Result<(), Error> {
        self.say_written()?;
        let copying = Stopwatch::start();
        let checkpoint = Checkpoint {
            progress: Progress { seconds: self.seconds(), ..self.progress.clone() },
            best: self.best.clone(),
            phase: phase.map(Phase::in_progress).transpose()?,
            weights: self.trained.copy()?,
        };
        let unwritten = self.best.as_ref().filter(|best| !self.saving.has_best(best.epoch));
        let best = unwritten.map(|best| self.network_of(best));
        Ok(self.saving.begin(checkpoint, best, copying)?)
    }

    /// The whole network with the trained weights of `best`; the others never change.
    fn network_of(&self, best: &RunBest) -> BestNetwork {
        let of_best = |(name, var): (String, Var)| {
            let tensor = best.weights.get(&name).unwrap_or(var.as_tensor()).clone();
            (name, tensor)
        };
        let tensors: Vec<(String, Tensor)> = self.setup.network.tensors().into_iter().map(of_best).collect();
        BestNetwork { epoch: best.epoch, tensors }
    }

    /// Waits until nothing is being written any more, and says what was.
    pub fn say_written(&mut self) -> Result<(), Error> {
        let written = self.saving.wait()?;
        self.say(written)
    }

    fn say(&mut self, written: Vec<event::Checkpoint>) -> Result<(), Error> {
        Ok(written.into_iter().try_for_each(|written| self.out.event(Event::Checkpoint(written)))?)
    }

    /// Saves the model and says that the run is over.
    fn finish(&mut self) -> Stoppable<FinishReason> {
        let experiment = self.job.experiment;
        match (&self.best, experiment.train.save) {
            (Some(best), Save::Best) => self.trained.set(&best.weights)?,
            (None, Save::Best) => {
                let message = format!("no epoch had a {}: the last weights are saved", self.monitor());
                self.out.log(Level::Warning, message)?;
            }
            (_, Save::Last) => {}
        }
        let folder = self.job.folder.join(MODEL);
        let setup = &self.setup;
        saved_model::write(&folder, experiment, &setup.network, &setup.found, &setup.data.classes)?;
        self.say_written()?;
        let reason = match self.progress.early_stopped {
            true => FinishReason::EarlyStopped,
            false => FinishReason::Completed,
        };
        let monitor = self.monitor();
        let best = self.best.as_ref().map(|best| Best { epoch: best.epoch.epoch, monitor, value: best.epoch.value });
        let (epochs, seconds) = (self.progress.epoch, self.seconds());
        self.out.event(Event::Finished(Finished { reason, epochs, seconds, best }))?;
        Ok(reason)
    }

    /// What decides the best epoch of the run.
    pub fn monitor(&self) -> String {
        self.job.experiment.train.watch.monitor.name()
    }
}

/// Arithmetic on `threads` threads; 0 leaves it to the machine. A process has one such number, and the first wins.
pub(super) fn use_threads(threads: usize) -> Result<(), Error> {
    if threads == 0 {
        return Ok(());
    }
    // Asking for the number first would already start the pool with as many as there are cores.
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build_global() {
        Err(e) if rayon::current_num_threads() != threads => {
            Err(Error::Threads { asked: threads, reason: e.to_string() })
        }
        _ => Ok(()),
    }
}
