//! What a run amounts to, in the few words that a row or a header has room for.

use std::time::Duration;

use crate::base::text::{counted, duration, learning_rate, metric};
use crate::experiment::{Metric, Mode};
use crate::record::event::{Callbacks, Epoch, FinishReason, Step};
use crate::record::life::Cause;
use crate::record::state::{RunState, Status, Training};

/// Epochs whose durations the remaining time is estimated from.
const RECENT: usize = 3;

/// Whether the run finished by early stopping.
pub fn stopped_early(run: &RunState) -> bool {
    run.cause() == Some(Cause::EarlyStopped) || matches!(run.training.finished, Some((FinishReason::EarlyStopped, _)))
}

/// A cause in one word.
pub fn short(cause: Cause) -> &'static str {
    match cause {
        Cause::Completed => "done",
        Cause::EarlyStopped => "early",
        Cause::Experiment => "invalid",
        Cause::Diverged => "NaN",
        Cause::OutOfMemory => "memory",
        Cause::Crashed => "crashed",
        Cause::TimeLimit => "time",
        Cause::DiskFull => "disk",
        Cause::Network => "network",
        Cause::Start => "start",
        Cause::User => "user",
        Cause::Preempted => "preempted",
        Cause::WorkerGone => "vanished",
        Cause::NodeFailed => "node",
        Cause::HostRestarted => "restart",
        Cause::Dependency => "needed",
    }
}

/// Share of the planned epochs that is trained, steps included; None before the plan is known.
pub fn percent(training: &Training) -> Option<u32> {
    let planned = training.planned_epochs();
    if planned == 0 {
        return None;
    }
    let done = training.epochs.last().map_or(0, |epoch| epoch.epoch);
    let trained = f64::from(skipped(training) + done) + training.step.as_ref().map_or(0.0, share);
    Some((100.0 * trained / f64::from(planned)).clamp(0.0, 100.0) as u32)
}

/// Epochs that were planned but never trained, because a phase before the present one stopped early.
fn skipped(training: &Training) -> u32 {
    let plan = training.plan.as_ref().map_or(&[][..], |plan| &plan.phases);
    let before = training.phases.last().map_or(0, |(_, phase)| phase.index);
    let first = training.phases.last().map_or(1, |(first, _)| *first);
    plan.iter().take(before).map(|phase| phase.epochs).sum::<u32>().saturating_sub(first.saturating_sub(1))
}

fn share(step: &Step) -> f64 {
    f64::from(step.step) / f64::from(step.steps.max(1))
}

/// The epoch that would be the last if no phase stopped early any more: the right end of the charts.
pub fn last_epoch(run: &RunState) -> u32 {
    let trained = run.training.epochs.last().map_or(0, |epoch| epoch.epoch);
    if run.status().is_over() {
        return trained.max(1);
    }
    run.training.planned_epochs().saturating_sub(skipped(&run.training)).max(trained).max(1)
}

/// Time until the last planned epoch ends, from how long epochs and steps of this phase took by the clock, validation
/// included; None before enough was measured. It is about right: later phases may be slower or faster.
pub fn eta(run: &RunState) -> Option<Duration> {
    let training = &run.training;
    let trained = f64::from(training.epochs.last().map_or(0, |epoch| epoch.epoch));
    let left = f64::from(last_epoch(run)) - trained - training.step.as_ref().map_or(0.0, share);
    Duration::try_from_secs_f64(left.max(0.0) * epoch_seconds(training)?).ok()
}

/// Seconds of an epoch of the present phase.
fn epoch_seconds(training: &Training) -> Option<f64> {
    let present = training.phases.last().map_or(1, |(first, _)| *first);
    let of_phase = training.epochs.iter().rev().take_while(|epoch| epoch.epoch >= present).count();
    // The first epoch of a phase fills caches: it says little as soon as there is another.
    let counted = of_phase.saturating_sub(usize::from(of_phase > 1)).min(RECENT);
    let total = training.epochs.len();
    match counted {
        0 => from_steps(training),
        n => {
            let took = training.epochs[total - n..].iter().map(|epoch| epoch.seconds).filter(|took| took.is_finite());
            Some(took.sum::<f64>() / n as f64)
        }
    }
}

/// Share of a training step's time that a sample takes in validation, which only goes forward.
const FORWARD: f64 = 1.0 / 3.0;
/// Steps of a phase from which on its speed is known.
const MEASURED: usize = 4;

/// Seconds of an epoch from the later half of the steps of a phase whose first epoch is not over.
fn from_steps(training: &Training) -> Option<f64> {
    let steps = &training.steps;
    let begin = f64::from(training.phases.last().map_or(1, |(first, _)| *first)) - 1.0;
    let first = steps.place().partition_point(|place| place <= begin);
    let last = steps.len().checked_sub(1)?;
    if last < first + MEASURED {
        return None;
    }
    let middle = first + (last - first) / 2;
    let seconds = steps.seconds().get(last)? - steps.seconds().get(middle)?;
    let epochs = steps.place().get(last)? - steps.place().get(middle)?;
    let samples = training.plan.as_ref().map_or(0.0, |plan| plan.val_samples as f64 / plan.train_samples.max(1) as f64);
    Some(seconds / epochs * (1.0 + FORWARD * samples)).filter(|took| took.is_finite())
}

/// What the title of a run's pane says after its name.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Progress {
    pub phase: Option<String>,
    pub epoch: Option<String>,
    pub step: Option<String>,
    pub speed: Option<String>,
    pub eta: Option<String>,
}

/// How far a run is, and how fast it goes.
pub fn progress(run: &RunState) -> Progress {
    let training = &run.training;
    let trained = training.epochs.last().map_or(0, |epoch| epoch.epoch);
    let epoch = training.step.as_ref().map_or(trained, |step| step.epoch);
    let step = training.step.as_ref().filter(|_| run.status() == Status::Running);
    let eta = eta(run).filter(|_| run.status() == Status::Running && training.stage.is_none());
    Progress {
        phase: training.phase().map(str::to_owned),
        epoch: (epoch > 0).then(|| format!("epoch {epoch}/{}", last_epoch(run))),
        step: step.map(|step| format!("step {}/{}", step.step, step.steps)),
        speed: step.map(|step| format!("{:.0}/s", step.samples_per_s)),
        eta: eta.map(|eta| format!("ETA about {}", duration(eta))),
    }
}

/// The figures of an epoch, named.
pub fn figures(epoch: &Epoch) -> String {
    let further: String = epoch.overall().map(|(name, value)| format!("  {name} {}", metric(value))).collect();
    format!(
        "loss {}  accuracy {}  val_loss {}  val_accuracy {}{further}  lr {}",
        metric(epoch.loss),
        metric(epoch.accuracy),
        metric(epoch.val_loss),
        metric(epoch.val_accuracy),
        learning_rate(epoch.lr)
    )
}

/// How near the callbacks are to act: `stops in 2 epochs unless val_loss < .2398 · lr drops in 1`.
pub fn nearness(callbacks: &Callbacks, separator: &str) -> String {
    let stop = callbacks.early_stopping.as_ref().map(|stopping| {
        let left = left(stopping.patience, stopping.waited);
        match stopping.best {
            Some(best) => format!("stops in {} unless {}", epochs(left), better(&stopping.monitor, best)),
            None => format!("stops in {} unless {} improves", epochs(left), stopping.monitor),
        }
    });
    let drop = callbacks.reduce_lr_on_plateau.as_ref().map(|reduce| match reduce.cooldown {
        0 => format!("lr drops in {}", left(reduce.patience, reduce.waited)),
        cooldown => format!("lr cools down for {}", epochs(cooldown)),
    });
    stop.into_iter().chain(drop).collect::<Vec<_>>().join(&format!(" {separator} "))
}

/// Epochs until a callback acts; a patience of 0 acts like 1, as in Keras.
fn left(patience: u32, waited: u32) -> u32 {
    patience.max(1).saturating_sub(waited).max(1)
}

/// What would be an improvement.
fn better(monitor: &str, best: f64) -> String {
    let sign = if Metric::mode_of(monitor) == Some(Mode::Min) { '<' } else { '>' };
    format!("{monitor} {sign} {}", metric(best))
}

/// `1 epoch`, `2 epochs`.
pub fn epochs(n: u32) -> String {
    counted(n, "epoch")
}

/// How a run ended and why, in words; None while it has not.
pub fn ending(run: &RunState) -> Option<String> {
    let status = run.status();
    let exit = run.life.exit.as_ref().filter(|_| status.is_over() || status == Status::Lost)?;
    let reason = match (&run.training.failed, &exit.message) {
        (Some(failed), _) if status == Status::Failed => format!(": {}", failed.error),
        (_, Some(message)) if status == Status::Failed || status == Status::Lost => format!(": {message}"),
        _ => String::new(),
    };
    Some(format!("{}: {}{reason}", status.name(), exit.cause.words()))
}

/// Best epoch, epochs and time of a run that is over.
pub fn summary(run: &RunState, separator: &str) -> String {
    let training = &run.training;
    let best = training.best.as_ref();
    let best = best.map(|best| format!("best epoch {} {} {}", best.epoch, best.monitor, metric(best.value)));
    let trained = training.epochs.last().map(|epoch| epochs(epoch.epoch));
    let seconds = match (run.life.started, run.life.ended) {
        (Some(started), Some(ended)) => Some(duration(ended.since(started))),
        _ => None,
    };
    let parts: Vec<String> = best.into_iter().chain(trained).chain(seconds).collect();
    parts.join(&format!(" {separator} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_improvement_is_in_the_direction_of_the_metric() {
        for (monitor, words) in [
            ("val_loss", "val_loss < .2500"),
            ("val_ece", "val_ece < .2500"),
            ("val_f1", "val_f1 > .2500"),
            ("val_recall/loss", "val_recall/loss > .2500"),
            ("unknown", "unknown > .2500"),
        ] {
            assert_eq!(better(monitor, 0.25), words);
        }
    }
}
