//! A phase: its optimizer and callbacks, its epochs, and what happens at their ends. Two phases are as two calls of
//! Keras' `fit`.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::advice::Overfitting;
use super::callback::{EarlyStopping, ReduceLrOnPlateau, Reduction, Verdict};
use super::checkpoint::{BestEpoch, PhaseInProgress, PhaseState, RunBest, Unfinished, Weights};
use super::epoch::{Trained, Validated};
use super::error::{Error, Interrupt, Stoppable};
use super::optimizer::{self, Moved, Optimizer};
use super::schedule::Schedule;
use super::trainer::Trainer;
use crate::base::text;
use crate::experiment::{self, Metric};
use crate::record::event::{
    self, Best, Callbacks, Confusion, EarlyStopped, Event, Level, LrChanged, LrReason, PhaseStarted, Unfroze,
};

/// A phase in progress.
pub(super) struct Phase {
    pub spec: experiment::Phase,
    pub optimizer: Box<dyn Optimizer>,
    pub schedule: Schedule,
    /// The rate that the schedule multiplies: the optimizer's own, and what plateaus made of it.
    lr: f32,
    /// The last of the setup's stretches that `optimizer` moves.
    pub stretch: usize,
    early_stopping: Option<EarlyStopping>,
    reduce_lr: Option<ReduceLrOnPlateau>,
    overfitting: Overfitting,
    /// The weights of the phase's best epoch, where early stopping restores them.
    restorable: Option<Weights>,
}

/// What an epoch came to.
struct Figures {
    trained: Trained,
    validated: Validated,
    /// The metrics of `validated` that are asked for, by their names in the record.
    further: BTreeMap<String, f64>,
}

impl Figures {
    fn of(&self, metric: &Metric) -> f64 {
        match metric {
            Metric::Loss => self.trained.sums.loss(),
            Metric::Accuracy => self.trained.sums.accuracy(),
            Metric::ValLoss => self.validated.sums.loss(),
            Metric::ValAccuracy => self.validated.sums.accuracy(),
            Metric::Val(_) => self.further.get(&metric.name()).copied().unwrap_or(f64::NAN),
        }
    }
}

impl Phase {
    /// What a checkpoint must hold of it.
    pub fn in_progress(&self) -> Result<PhaseInProgress, Error> {
        let state = PhaseState {
            lr: self.lr,
            optimizer_steps: self.optimizer.steps(),
            early_stopping: self.early_stopping.as_ref().map(|callback| callback.state().clone()),
            reduce_lr: self.reduce_lr.as_ref().map(|callback| callback.state().clone()),
            overfitting: self.overfitting.clone(),
        };
        let optimizer = self.optimizer.slots()?.into_iter().collect();
        Ok(PhaseInProgress { state, optimizer, restorable: self.restorable.clone() })
    }

    /// Takes over what a checkpoint held.
    fn take_over(&mut self, resumed: PhaseInProgress) -> Result<(), Error> {
        let slots: HashMap<_, _> = resumed.optimizer.iter().cloned().collect();
        self.optimizer.restore(resumed.state.optimizer_steps, &slots)?;
        self.lr = resumed.state.lr;
        self.set_rate();
        if let (Some(callback), Some(state)) = (&mut self.early_stopping, resumed.state.early_stopping) {
            *callback = EarlyStopping::resume(callback.spec(), state);
        }
        if let (Some(callback), Some(state)) = (&mut self.reduce_lr, resumed.state.reduce_lr) {
            *callback = ReduceLrOnPlateau::resume(callback.spec(), state);
        }
        self.overfitting = resumed.state.overfitting;
        self.restorable = resumed.restorable;
        Ok(())
    }

    /// Gives the optimizer the rate of its next step.
    pub fn set_rate(&mut self) {
        let rate = self.rate(self.optimizer.steps());
        self.optimizer.set_learning_rate(rate);
    }

    /// The rate of step number `step` of the phase, as things are.
    fn rate(&self, step: u64) -> f32 {
        self.schedule.rate(step, self.lr)
    }

    fn counters(&self) -> Callbacks {
        Callbacks {
            early_stopping: self.early_stopping.as_ref().map(EarlyStopping::counters),
            reduce_lr_on_plateau: self.reduce_lr.as_ref().map(ReduceLrOnPlateau::counters),
        }
    }
}

impl Trainer<'_, '_> {
    /// Trains the phase that is next, or goes on with it. Stopped in the middle, it leaves a checkpoint.
    pub fn phase(&mut self, resumed: Option<PhaseInProgress>) -> Stoppable<()> {
        let mut phase = self.begin_phase(resumed)?;
        let result = self.epochs(&mut phase).and_then(|last| self.end_phase(&phase, last));
        if let Err(Interrupt::Stopped) = result {
            self.checkpoint(Some(&phase))?;
            self.say_written()?;
        }
        result
    }

    fn begin_phase(&mut self, resumed: Option<PhaseInProgress>) -> Result<Phase, Error> {
        let train = &self.job.experiment.train;
        let spec = train.phases[self.progress.phase].clone();
        let steps = self.setup.steps_per_epoch(train);
        let mut phase = Phase {
            optimizer: optimizer::empty(&spec.optimizer),
            schedule: Schedule::new(spec.schedule, spec.optimizer.lr(), spec.epochs, steps),
            lr: spec.optimizer.lr() as f32,
            stretch: self.setup.stretch(self.progress.phase, 0),
            early_stopping: train.early_stopping.as_ref().map(EarlyStopping::new),
            reduce_lr: train.reduce_lr_on_plateau.as_ref().map(ReduceLrOnPlateau::new),
            overfitting: Overfitting::default(),
            restorable: None,
            spec,
        };
        self.unfreeze(&mut phase)?;
        // what is unfrozen where an epoch begins is unfrozen when it does
        let at_its_beginning = self.progress.unfinished.steps == 0;
        let begun = self.progress.phase_epoch.saturating_sub(u32::from(at_its_beginning));
        while phase.stretch < self.setup.stretch(self.progress.phase, begun) {
            phase.stretch += 1;
            self.unfreeze(&mut phase)?;
        }
        match resumed {
            Some(resumed) => phase.take_over(resumed)?,
            None => self.progress.early_stopped = false,
        }
        phase.set_rate();
        self.say_started(&phase)?;
        self.admit_features(&phase)?;
        Ok(phase)
    }

    /// Index of the stretch that is trained now.
    fn stretch(&self) -> usize {
        self.setup.stretch(self.progress.phase, self.progress.phase_epoch)
    }

    /// Lets the layers of the phase's stretch learn; the optimizer keeps the state of those that did before.
    fn unfreeze(&mut self, phase: &mut Phase) -> Result<(), Error> {
        let stretch = &self.setup.stretches[phase.stretch];
        self.setup.network.freeze(&stretch.learns)?;
        let rates = self.setup.network.rates(phase.spec.lr_decay, &phase.spec.lr_factors)?;
        let known: HashSet<_> = phase.optimizer.variables().into_iter().map(|variable| variable.id()).collect();
        let fresh = self.setup.network.trainable_at(&rates).into_iter();
        let fresh = fresh.filter(|(_, variable, _)| !known.contains(&variable.id()));
        let moved = |(name, variable, rate)| Moved { name, variable, rate };
        let after = u64::from(stretch.after) * phase.schedule.steps_per_epoch();
        Ok(phase.optimizer.add(fresh.map(moved).collect(), after)?)
    }

    /// Unfreezes what is to learn from this epoch on, and says so.
    fn unfreeze_due(&mut self, phase: &mut Phase) -> Result<(), Error> {
        let due = self.stretch();
        if self.setup.stretches[due].after == 0 || self.setup.stretches[due].after < self.progress.phase_epoch {
            return Ok(());
        }
        if phase.stretch < due {
            phase.stretch = due;
            self.unfreeze(phase)?;
            self.admit_features(phase)?;
        }
        let [before, now] = [due - 1, due].map(|index| &self.setup.stretches[index]);
        let fresh = now.trainable.iter().filter(|name| !before.trainable.contains(name));
        let unfroze = Unfroze {
            epoch: self.progress.epoch + 1,
            phase: phase.spec.name.clone(),
            layers: fresh.cloned().collect(),
            trainable_parameters: now.trainable_parameters,
        };
        Ok(self.out.event(Event::Unfroze(unfroze))?)
    }

    fn say_started(&mut self, phase: &Phase) -> Result<(), Error> {
        let (index, lr) = (self.progress.phase, phase.rate(0));
        let shape = &self.setup.stretches[phase.stretch];
        self.out.event(Event::PhaseStarted(PhaseStarted {
            phase: phase.spec.name.clone(),
            index,
            epochs: phase.spec.epochs,
            trainable: shape.trainable.clone(),
            trainable_parameters: shape.trainable_parameters,
            optimizer: phase.optimizer.name().to_owned(),
            lr: shown(phase.lr),
        }))?;
        match self.progress.lr {
            Some(from) if from != lr && self.progress.phase_epoch == 0 => {
                let epoch = self.progress.epoch + 1;
                self.say_lr(epoch, [from, lr], LrReason::Phase, None)
            }
            _ => Ok(()),
        }
    }

    /// `why`: what was watched, and its value, where a plateau is the reason.
    fn say_lr(
        &mut self,
        epoch: u32,
        [from, to]: [f32; 2],
        reason: LrReason,
        why: Option<(&Metric, f64, Reduction)>,
    ) -> Result<(), Error> {
        Ok(self.out.event(Event::LrChanged(LrChanged {
            epoch,
            from: shown(from),
            to: shown(to),
            reason,
            monitor: why.map(|(metric, ..)| metric.name()),
            value: why.map(|(_, value, _)| value),
            best: why.and_then(|(.., reduction)| reduction.best),
            waited: why.map(|(.., reduction)| reduction.waited),
        }))?)
    }

    /// Decides what the feature cache keeps, and says where it cannot.
    fn admit_features(&mut self, phase: &Phase) -> Result<(), Error> {
        let ahead = self.setup.stretches[phase.stretch..].iter();
        let prefixes: Vec<usize> = ahead.map(|stretch| stretch.frozen_prefix).collect();
        if let Some(bytes) = self.cache.begin_phase(&prefixes) {
            let message = format!(
                "the outputs of the frozen layers would take {}, more than memory allows: they are computed anew in \
                 every epoch (fewer `augment.views`, a smaller `image_size` or `max_length` would need less)",
                text::bytes(bytes)
            );
            self.out.log(Level::Warning, message)?;
        }
        Ok(())
    }

    /// Trains the phase's epochs that are left; answers with the validation of the last, if any was trained.
    fn epochs(&mut self, phase: &mut Phase) -> Stoppable<Option<Validated>> {
        let mut last = None;
        while !self.progress.early_stopped && self.progress.phase_epoch < phase.spec.epochs {
            self.unfreeze_due(phase)?;
            let trained = self.train_epoch(phase)?;
            let validated = self.validate(phase)?;
            let further = validated.further(&self.job.experiment.train.metrics, &self.setup.data.classes);
            let figures = Figures { trained, validated, further };
            self.epoch_end(phase, &figures)?;
            last = Some(figures.validated);
        }
        Ok(last)
    }

    fn epoch_end(&mut self, phase: &mut Phase, figures: &Figures) -> Result<(), Error> {
        self.progress.epoch += 1;
        self.progress.phase_epoch += 1;
        let seconds = std::mem::take(&mut self.progress.unfinished).seconds + figures.validated.seconds;
        let (epoch, phase_epoch) = (self.progress.epoch, self.progress.phase_epoch);
        let lr = phase.rate(phase.optimizer.steps().saturating_sub(1));

        let verdict = match &mut phase.early_stopping {
            Some(callback) => callback.epoch_end(epoch, phase_epoch, figures.of(&callback.spec().watch.monitor)),
            None => Verdict::GoOn,
        };
        let base = phase.lr;
        let reduction = phase.reduce_lr.as_mut().and_then(|callback| {
            let value = figures.of(&callback.spec().watch.monitor);
            Some((value, callback.epoch_end(value, base)?))
        });
        let is_last = verdict == Verdict::Stop || phase_epoch == phase.spec.epochs;
        let steps = phase.optimizer.steps();
        let before = [steps.saturating_sub(phase.schedule.steps_per_epoch()), steps].map(|step| phase.rate(step));
        if let Some((_, reduction)) = reduction {
            phase.lr = reduction.to;
        }
        let after = phase.rate(steps);
        self.progress.lr = Some(after);

        self.say_epoch(phase, figures, lr, seconds)?;
        self.keep_best(phase, figures, verdict)?;
        if verdict == Verdict::Stop {
            self.progress.early_stopped = true;
            self.say_stopped(phase)?;
        }
        let [begun, next] = before;
        if !is_last && begun != next {
            self.say_lr(epoch, before, LrReason::Schedule, None)?;
        }
        if let (Some((value, reduction)), Some(callback)) = (reduction, &phase.reduce_lr) {
            let why = (&callback.spec().watch.monitor, value, reduction);
            self.say_lr(epoch, [next, after], LrReason::ReduceLrOnPlateau, Some(why))?;
        }
        let (loss, val_loss) = (figures.of(&Metric::Loss), figures.of(&Metric::ValLoss));
        if let Some(advice) = phase.overfitting.epoch_end(loss, val_loss, self.job.experiment) {
            self.out.event(Event::Advice(advice))?;
        }
        if is_last { Ok(()) } else { self.checkpoint_at_epoch_end(phase) }
    }

    fn say_epoch(&mut self, phase: &Phase, figures: &Figures, lr: f32, seconds: f64) -> Result<(), Error> {
        let epoch = self.progress.epoch;
        self.out.event(Event::Epoch(event::Epoch {
            phase: phase.spec.name.clone(),
            epoch,
            phase_epoch: self.progress.phase_epoch,
            phase_epochs: phase.spec.epochs,
            lr: shown(lr),
            loss: figures.of(&Metric::Loss),
            accuracy: figures.of(&Metric::Accuracy),
            val_loss: figures.of(&Metric::ValLoss),
            val_accuracy: figures.of(&Metric::ValAccuracy),
            seconds,
            samples_per_s: figures.trained.samples_per_s,
            callbacks: phase.counters(),
            metrics: figures.further.clone(),
        }))?;
        let counts = figures.validated.confusion(self.setup.data.classes.len());
        Ok(self.out.event(Event::Confusion(Confusion { epoch, counts }))?)
    }

    /// Copies the weights if this is the best epoch of the phase, to be restored, or of the run, to be saved.
    fn keep_best(&mut self, phase: &mut Phase, figures: &Figures, verdict: Verdict) -> Result<(), Error> {
        let watch = &self.job.experiment.train.watch;
        let value = figures.of(&watch.monitor);
        let is_run_best = value.is_finite()
            && self.best.as_ref().is_none_or(|best| watch.mode.improves(value, best.epoch.value, 0.0));
        let is_restorable =
            verdict == Verdict::Best && phase.early_stopping.as_ref().is_some_and(|c| c.spec().restore_best_weights);
        if !is_run_best && !is_restorable {
            return Ok(());
        }
        let weights = self.trained.copy()?;
        if is_restorable {
            phase.restorable = Some(weights.clone());
        }
        if is_run_best {
            let epoch = self.progress.epoch;
            self.best = Some(RunBest { epoch: BestEpoch { epoch, value }, weights });
            self.out.event(Event::Best(Best { epoch, monitor: watch.monitor.name(), value }))?;
        }
        Ok(())
    }

    fn say_stopped(&mut self, phase: &Phase) -> Result<(), Error> {
        let Some(callback) = &phase.early_stopping else { return Ok(()) };
        Ok(self.out.event(Event::EarlyStopped(EarlyStopped {
            epoch: self.progress.epoch,
            phase: phase.spec.name.clone(),
            monitor: callback.spec().watch.monitor.name(),
            best: callback.state().best,
            best_epoch: callback.state().best_epoch,
            waited: callback.state().waited,
            restored: phase.restorable.is_some(),
        }))?)
    }

    /// Restores the best weights where that is asked for, shows what is still got wrong, and leaves a checkpoint between
    /// phases. `last` is the validation of the last epoch, if this attempt trained it.
    fn end_phase(&mut self, phase: &Phase, last: Option<Validated>) -> Stoppable<()> {
        if let Some(weights) = &phase.restorable {
            self.trained.set(weights)?;
        }
        let best_epoch = phase.early_stopping.as_ref().and_then(|callback| callback.state().best_epoch);
        let is_last_best = phase.restorable.is_none() || best_epoch == Some(self.progress.epoch);
        let validated = match last {
            Some(last) if is_last_best => last,
            _ => self.validate(phase)?,
        };
        self.say_misclassified(&validated)?;
        self.progress.phase += 1;
        self.progress.phase_epoch = 0;
        self.progress.unfinished = Unfinished::default();
        Ok(self.checkpoint(None)?)
    }
}

/// An f32 rate as the decimal number that people know it by: 0.0003, not 0.0003000000142492354.
pub(super) fn shown(lr: f32) -> f64 {
    lr.to_string().parse().unwrap_or(f64::from(lr))
}
