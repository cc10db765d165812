//! A run from its first event to the saved model: set up, resume, one phase after the other, finish.
//!
//! Invariants: what is trained is a function of the experiment alone, wherever it was stopped and resumed; weights that
//! no phase trains are never written to.

use candle_core::{Tensor, Var};

use super::Job;
use super::checkpoint::{self, BestEpoch, Checkpoint, PhaseInProgress, Progress, Weights};
use super::error::{Error, Stoppable};
use super::feature_cache::{FeatureCache, Side, Sizes};
use super::feed::Feed;
use super::memory;
use super::out::Out;
use super::phase::Phase;
use super::saved_model;
use super::setup::{Setup, device_name};
use crate::base::clock::Stopwatch;
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
    /// The tensors that some phase trains.
    trained: Vec<(String, Var)>,
    /// Since the start of this attempt.
    clock: Stopwatch,
    saving: Saving,
}

/// The best epoch of the run, with its weights.
pub(super) struct RunBest {
    pub epoch: BestEpoch,
    pub weights: Weights,
    /// Whether `best.safetensors` holds it.
    pub is_written: bool,
}

/// When the latest checkpoint was written, and what it cost.
#[derive(Default)]
struct Saving {
    since: Option<Stopwatch>,
    seconds: f64,
}

/// Checkpoints at epochs' ends may take this share of the time.
const CHECKPOINT_SHARE: f64 = 0.05;

/// Trains `job` to its end.
pub(super) fn train(job: &Job, mut out: Out) -> Stoppable<FinishReason> {
    let clock = Stopwatch::start();
    use_threads(job.experiment.threads)?;
    let setup = Setup::new(job.experiment, Fetch::Download, &mut out)?;
    out.check()?;
    let (mut trainer, mut resumed) = Trainer::new(job, out, setup, clock)?;
    while trainer.progress.phase < job.experiment.train.phases.len() {
        trainer.phase(resumed.take())?;
    }
    trainer.finish()
}

impl<'j, 'o> Trainer<'j, 'o> {
    /// Ready to train, from the beginning or from the last checkpoint; says so. The phase that the checkpoint was in the
    /// middle of comes with it.
    fn new(job: &'j Job, out: Out<'o>, setup: Setup, clock: Stopwatch) -> Stoppable<(Self, Option<PhaseInProgress>)> {
        let sizes = Sizes::of(job.experiment, &setup)?;
        let features = memory::feature_limit(job.experiment, &setup)?;
        let names = setup.trained_tensors();
        let trained = setup.network.tensors().into_iter().filter(|(name, _)| names.contains(name.as_str())).collect();
        let mut trainer = Trainer {
            job,
            out,
            setup,
            cache: FeatureCache::new(sizes, features),
            progress: Progress::default(),
            best: None,
            trained,
            clock,
            saving: Saving::default(),
        };
        let checkpoint = Checkpoint::read(job.folder, &trainer.setup.device)?;
        let resumed_from = checkpoint
            .as_ref()
            .map(|checkpoint| ResumedFrom { epoch: checkpoint.progress.epoch, step: checkpoint.progress.step });
        let phase = match checkpoint {
            Some(checkpoint) => trainer.resume(checkpoint)?,
            None => None,
        };
        trainer.announce(resumed_from)?;
        Ok((trainer, phase))
    }

    fn resume(&mut self, checkpoint: Checkpoint) -> Result<Option<PhaseInProgress>, Error> {
        self.put_back(&checkpoint.weights)?;
        self.progress = checkpoint.progress;
        let written = checkpoint::read_best(self.job.folder, &self.setup.device)?;
        if let (Some(epoch), Some((of_file, mut tensors))) = (checkpoint.best, written)
            && of_file.epoch == epoch.epoch
        {
            let names = self.trained.iter().map(|(name, _)| name);
            let weights = names.filter_map(|name| Some((name.clone(), tensors.remove(name)?))).collect();
            self.best = Some(RunBest { epoch, weights, is_written: true });
        }
        Ok(checkpoint.phase)
    }

    fn announce(&mut self, resumed_from: Option<ResumedFrom>) -> Result<(), Error> {
        let experiment = self.job.experiment;
        let phases = experiment.train.phases.iter();
        let trainable = self.trained.iter().map(|(_, var)| var.elem_count()).sum();
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
        Ok(())
    }

    /// Copies of the weights that some phase trains.
    pub fn snapshot(&self) -> Result<Weights, Error> {
        let copy = |(name, var): &(String, Var)| Ok((name.clone(), var.as_tensor().copy()?));
        self.trained.iter().map(copy).collect()
    }

    /// Sets the weights that some phase trains.
    pub fn put_back(&self, weights: &Weights) -> Result<(), Error> {
        let misfit = |reason: String| Error::Checkpoint { file: checkpoint::LAST, reason };
        if weights.len() != self.trained.len() {
            return Err(misfit(format!("it has {} trained tensors, not {}", weights.len(), self.trained.len())));
        }
        for (name, var) in &self.trained {
            let tensor = weights.iter().find(|(of, _)| of == name).map(|(_, tensor)| tensor);
            let tensor = tensor.filter(|tensor| tensor.shape() == var.shape());
            var.set(tensor.ok_or_else(|| misfit(format!("{name} is missing or of another shape")))?)?;
        }
        Ok(())
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

    /// Whether a checkpoint now would not take too large a share of the time.
    pub fn is_checkpoint_due(&self) -> bool {
        self.saving.since.is_none_or(|since| since.seconds() * CHECKPOINT_SHARE >= self.saving.seconds)
    }

    /// Writes the checkpoints of where training stands, in `phase` or between phases.
    pub fn checkpoint(&mut self, phase: Option<&Phase>) -> Result<(), Error> {
        let clock = Stopwatch::start();
        self.checkpoint_best()?;
        let last = Checkpoint {
            progress: Progress { seconds: self.seconds(), ..self.progress.clone() },
            best: self.best.as_ref().map(|best| best.epoch),
            phase: phase.map(Phase::in_progress).transpose()?,
            weights: self.snapshot()?,
        };
        let bytes = last.write(self.job.folder)?;
        self.saving = Saving { since: Some(Stopwatch::start()), seconds: clock.seconds() };
        self.say_written(checkpoint::LAST, bytes, self.progress.epoch, clock.seconds())
    }

    fn checkpoint_best(&mut self) -> Result<(), Error> {
        let Some(best) = self.best.as_mut().filter(|best| !best.is_written) else { return Ok(()) };
        let clock = Stopwatch::start();
        let all: Weights = self
            .setup
            .network
            .tensors()
            .into_iter()
            .map(|(name, var)| {
                let of_best = best.weights.iter().find(|(of, _)| *of == name);
                let tensor =
                    of_best.map_or_else(|| var.as_tensor().clone(), |(_, tensor): &(String, Tensor)| tensor.clone());
                (name, tensor)
            })
            .collect();
        let bytes = checkpoint::write_best(self.job.folder, best.epoch, &all)?;
        best.is_written = true;
        let epoch = best.epoch.epoch;
        self.say_written(checkpoint::BEST, bytes, epoch, clock.seconds())
    }

    fn say_written(&mut self, file: &str, bytes: u64, epoch: u32, seconds: f64) -> Result<(), Error> {
        let step = self.progress.step;
        Ok(self.out.event(Event::Checkpoint(event::Checkpoint { epoch, step, file: file.into(), bytes, seconds }))?)
    }

    /// Saves the model and says that the run is over.
    fn finish(mut self) -> Stoppable<FinishReason> {
        let experiment = self.job.experiment;
        match (&self.best, experiment.train.save) {
            (Some(best), Save::Best) => self.put_back(&best.weights)?,
            (None, Save::Best) => {
                let message = format!("no epoch had a {}: the last weights are saved", self.monitor());
                self.out.log(Level::Warning, message)?;
            }
            (_, Save::Last) => {}
        }
        let folder = self.job.folder.join("model");
        let setup = &self.setup;
        saved_model::write(&folder, experiment, &setup.network, &setup.found, &setup.data.classes)?;
        let reason = match self.progress.early_stopped {
            true => FinishReason::EarlyStopped,
            false => FinishReason::Completed,
        };
        let monitor = self.monitor().to_owned();
        let best = self.best.as_ref().map(|best| Best { epoch: best.epoch.epoch, monitor, value: best.epoch.value });
        let (epochs, seconds) = (self.progress.epoch, self.seconds());
        self.out.event(Event::Finished(Finished { reason, epochs, seconds, best }))?;
        Ok(reason)
    }

    /// What decides the best epoch of the run.
    pub fn monitor(&self) -> &'static str {
        self.job.experiment.train.watch.monitor.name()
    }
}

/// Arithmetic on `threads` threads; 0 leaves it to the machine. A process has one such number, and the first wins.
fn use_threads(threads: usize) -> Result<(), Error> {
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
