//! Events in words: one line each, the same on the command line and in the dashboard.

use super::event::{
    Advice, Best, Checkpoint, EarlyStopped, Epoch, Event, FinishReason, Finished, Level, LrChanged, LrReason,
    PhaseStarted, RunStarted, Stage, Unfroze,
};
use crate::base::text::{bytes, counted, grouped, learning_rate, metric, seconds};

/// The kind of an event in at most six letters, for a column.
pub fn kind(event: &Event) -> &'static str {
    match event {
        Event::RunStarted(_) => "start",
        Event::Stage(_) => "stage",
        Event::PhaseStarted(_) => "phase",
        Event::Step(_) => "step",
        Event::Epoch(_) => "epoch",
        Event::LrChanged(_) => "lr",
        Event::Unfroze(_) => "thaw",
        Event::Best(_) => "best",
        Event::EarlyStopped(_) => "stop",
        Event::Checkpoint(_) => "saved",
        Event::Confusion(_) => "matrix",
        Event::Samples(_) => "sample",
        Event::Advice(_) => "advice",
        Event::Skipped(_) => "skip",
        Event::Log(log) => match log.level {
            Level::Info => "info",
            Level::Warning => "warn",
        },
        Event::Finished(_) => "done",
        Event::Failed(_) => "failed",
        Event::Unknown => "?",
    }
}

/// What the event says. The text may hold names from files: it is to be made printable where it is shown.
pub fn words(event: &Event) -> String {
    match event {
        Event::RunStarted(started) => run_started(started),
        Event::Stage(stage) => self::stage(stage),
        Event::PhaseStarted(phase) => phase_started(phase),
        Event::Step(step) => format!(
            "{} epoch {} step {}/{}  loss {}  accuracy {}",
            step.phase,
            step.epoch,
            step.step,
            step.steps,
            metric(step.loss),
            metric(step.accuracy)
        ),
        Event::Epoch(epoch) => self::epoch(epoch),
        Event::LrChanged(change) => lr_changed(change),
        Event::Unfroze(unfroze) => self::unfroze(unfroze),
        Event::Best(best) => self::best(best),
        Event::EarlyStopped(stop) => early_stopped(stop),
        Event::Checkpoint(checkpoint) => self::checkpoint(checkpoint),
        Event::Confusion(confusion) => {
            let total: u64 = confusion.counts.iter().flatten().sum();
            let right: u64 = confusion.counts.iter().enumerate().filter_map(|(class, row)| row.get(class)).sum();
            format!("epoch {}  {right} of {total} right", confusion.epoch)
        }
        Event::Samples(samples) => format!("epoch {}  {} samples", samples.epoch, samples.items.len()),
        Event::Advice(advice) => self::advice(advice),
        Event::Skipped(skipped) => format!("{}: {}", skipped.source, skipped.reason),
        Event::Log(log) => log.message.clone(),
        Event::Finished(finished) => self::finished(finished),
        Event::Failed(failed) => match &failed.hint {
            Some(hint) => format!("{}; {hint}", failed.error),
            None => failed.error.clone(),
        },
        Event::Unknown => String::new(),
    }
}

fn run_started(started: &RunStarted) -> String {
    let from = started.resumed_from.map_or(String::new(), |from| format!(", goes on after epoch {}", from.epoch));
    format!(
        "{} classes, {} training and {} validation samples, {} of {} parameters learn, on {} with {}{from}",
        started.classes.len(),
        started.train_samples,
        started.val_samples,
        grouped(started.parameters.trainable),
        grouped(started.parameters.total),
        started.device,
        counted(started.threads, "thread"),
    )
}

fn stage(stage: &Stage) -> String {
    format!("{} {}", stage.name, progress(stage))
}

/// `340/488 samples`, `45.2 MiB of 86.3 MiB`.
pub fn progress(stage: &Stage) -> String {
    let Stage { done, total, unit, .. } = stage;
    match unit.as_str() {
        "bytes" => format!("{} of {}", bytes(*done), bytes(*total)),
        unit => format!("{done}/{total} {unit}"),
    }
}

fn phase_started(phase: &PhaseStarted) -> String {
    format!(
        "{}: at most {} epochs, {}, lr {}, {} parameters learn",
        phase.phase,
        phase.epochs,
        phase.optimizer,
        learning_rate(phase.lr),
        grouped(phase.trainable_parameters)
    )
}

fn epoch(epoch: &Epoch) -> String {
    let further: String = epoch.overall().map(|(name, value)| format!("  {name} {}", metric(value))).collect();
    format!(
        "epoch {}  {} {}/{}  loss {}  accuracy {}  val_loss {}  val_accuracy {}{further}  lr {}  {:.1} s",
        epoch.epoch,
        epoch.phase,
        epoch.phase_epoch,
        epoch.phase_epochs,
        metric(epoch.loss),
        metric(epoch.accuracy),
        metric(epoch.val_loss),
        metric(epoch.val_accuracy),
        learning_rate(epoch.lr),
        epoch.seconds,
    )
}

fn lr_changed(change: &LrChanged) -> String {
    let step = format!("{} → {}", learning_rate(change.from), learning_rate(change.to));
    match (change.reason, &change.monitor, change.value, change.best) {
        (LrReason::ReduceLrOnPlateau, Some(monitor), Some(value), Some(best)) => format!(
            "{step}   {monitor} {}, no better than {} for {}",
            metric(value),
            metric(best),
            epochs(change.waited.unwrap_or(0))
        ),
        (LrReason::ReduceLrOnPlateau, ..) => format!("{step}   plateau"),
        (LrReason::Schedule, ..) => format!("{step}   schedule"),
        (LrReason::Phase, ..) => format!("{step}   new phase"),
    }
}

fn unfroze(unfroze: &Unfroze) -> String {
    let parameters = grouped(unfroze.trainable_parameters);
    format!("{} from epoch {}, {parameters} parameters learn", layers(&unfroze.layers), unfroze.epoch)
}

/// `fire8`, `block4_conv1 to block4_pool`.
pub fn layers(names: &[String]) -> String {
    match names {
        [] => "nothing more".to_owned(),
        [one] => one.clone(),
        [first, .., last] => format!("{first} to {last}"),
    }
}

fn best(best: &Best) -> String {
    format!("epoch {}  {} {}", best.epoch, best.monitor, metric(best.value))
}

fn early_stopped(stop: &EarlyStopped) -> String {
    let best = match (stop.best, stop.best_epoch) {
        (Some(best), Some(epoch)) => format!(", no better than {} of epoch {epoch}", metric(best)),
        _ => String::new(),
    };
    let restored = if stop.restored { "; best weights restored" } else { "" };
    format!(
        "{} stopped early at epoch {}: {}{best} for {}{restored}",
        stop.phase,
        stop.epoch,
        stop.monitor,
        epochs(stop.waited)
    )
}

fn checkpoint(checkpoint: &Checkpoint) -> String {
    format!("epoch {}  {} ({})", checkpoint.epoch, checkpoint.file.display(), bytes(checkpoint.bytes))
}

fn advice(advice: &Advice) -> String {
    format!("{}: {}; try {}", advice.kind.replace('_', " "), advice.message, advice.suggestion)
}

fn finished(finished: &Finished) -> String {
    let reason = match finished.reason {
        FinishReason::Completed => "completed",
        FinishReason::EarlyStopped => "stopped early",
    };
    let best = finished.best.as_ref().map_or(String::new(), |best| format!(", best {}", self::best(best)));
    let time = seconds(finished.seconds);
    format!("{reason} after {} in {time}{best}", epochs(finished.epochs))
}

fn epochs(n: u32) -> String {
    counted(n, "epoch")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_read_as_sentences() {
        let change = LrChanged {
            epoch: 9,
            from: 1e-3,
            to: 3e-4,
            reason: LrReason::ReduceLrOnPlateau,
            monitor: Some("val_loss".into()),
            value: Some(0.2412),
            best: Some(0.2398),
            waited: Some(3),
        };
        assert_eq!(
            words(&Event::LrChanged(change)),
            "1.0e-3 → 3.0e-4   val_loss .2412, no better than .2398 for 3 epochs"
        );
        let layers = ["block4_conv1", "block4_conv2", "block4_pool"].map(String::from).to_vec();
        let unfroze = Unfroze { epoch: 5, phase: "more".into(), layers, trainable_parameters: 1_234_567 };
        assert_eq!(
            words(&Event::Unfroze(unfroze)),
            "block4_conv1 to block4_pool from epoch 5, 1,234,567 parameters learn"
        );
        let stop = EarlyStopped {
            epoch: 12,
            phase: "head".into(),
            monitor: "val_loss".into(),
            best: Some(0.2398),
            best_epoch: Some(7),
            waited: 5,
            restored: true,
        };
        assert_eq!(
            words(&Event::EarlyStopped(stop)),
            "head stopped early at epoch 12: val_loss, no better than .2398 of epoch 7 for 5 epochs; best weights restored"
        );
        let finished = Finished {
            reason: FinishReason::EarlyStopped,
            epochs: 18,
            seconds: 61.2,
            best: Some(Best { epoch: 13, monitor: "val_accuracy".into(), value: 0.9024 }),
        };
        assert_eq!(
            words(&Event::Finished(finished)),
            "stopped early after 18 epochs in 1:01, best epoch 13  val_accuracy .9024"
        );
    }

    #[test]
    fn an_epoch_says_its_metrics_but_not_those_of_each_class() {
        let metrics = [("val_f1", 0.75), ("val_f1/cat", 0.5), ("val_ece", 0.125)];
        let epoch = Epoch {
            phase: "head".into(),
            epoch: 3,
            phase_epoch: 3,
            phase_epochs: 20,
            lr: 1e-3,
            loss: 0.5,
            accuracy: 0.75,
            val_loss: 0.25,
            val_accuracy: 0.5,
            seconds: 1.5,
            samples_per_s: 10.0,
            callbacks: Default::default(),
            metrics: metrics.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        assert_eq!(
            words(&Event::Epoch(epoch)),
            "epoch 3  head 3/20  loss .5000  accuracy .7500  val_loss .2500  val_accuracy .5000  val_ece .1250  \
             val_f1 .7500  lr 1.0e-3  1.5 s"
        );
    }
}
