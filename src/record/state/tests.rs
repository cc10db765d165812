mod prefixes;

use super::*;
use crate::record::event::*;
use crate::record::life::ExecutorKind;

fn at<E>(seconds: i64, event: E) -> Line<E> {
    Line { seq: 0, time: Timestamp::from_millis(seconds * 1000), event }
}

fn new_run() -> RunState {
    RunState::new(RunId(7), "seven".into())
}

fn lived(events: &[LifeEvent]) -> RunState {
    let mut run = new_run();
    (0..).zip(events).for_each(|(n, event)| run.life(at(n, event.clone())));
    run
}

fn started(attempt: u32) -> LifeEvent {
    let process = ProcessId { pid: 42, start_ticks: 1, boot_id: "b".into() };
    LifeEvent::Started {
        attempt,
        executor: ExecutorKind::Local,
        process: Some(process),
        job_id: None,
        host: "here".into(),
        gpu: None,
    }
}

fn exited(attempt: u32, outcome: Outcome, cause: Cause) -> LifeEvent {
    LifeEvent::Exited(Exited { attempt, outcome, cause, exit_code: None, signal: None, message: None })
}

fn run_started(attempt: u32, resumed_epoch: Option<u32>) -> Event {
    Event::RunStarted(RunStarted {
        attempt,
        version: "0".into(),
        host: "here".into(),
        device: "cpu".into(),
        threads: 1,
        seed: 1,
        classes: vec![],
        train_samples: 1,
        val_samples: 1,
        parameters: Parameters { total: 1, trainable: 1 },
        phases: vec![
            PhasePlan { name: "head".into(), epochs: 4 },
            PhasePlan { name: "fine_tune".into(), epochs: u32::MAX },
        ],
        resumed_from: resumed_epoch.map(|epoch| ResumedFrom { epoch, step: 0, epoch_steps: 0 }),
    })
}

fn unfroze(epoch: u32) -> Event {
    Event::Unfroze(Unfroze { epoch, phase: "head".into(), layers: vec!["fire9".into()], trainable_parameters: 1 })
}

fn phase(index: usize) -> Event {
    Event::PhaseStarted(PhaseStarted {
        phase: ["head", "fine_tune"][index % 2].into(),
        index,
        epochs: 4,
        trainable: vec![],
        trainable_parameters: 1,
        optimizer: "adam".into(),
        lr: 1e-3,
    })
}

fn step(epoch: u32, step: u32) -> Event {
    Event::Step(Step {
        phase: "head".into(),
        epoch,
        step,
        steps: 2,
        loss: 1.0,
        accuracy: 0.5,
        lr: 1e-3,
        samples_per_s: 1.0,
    })
}

fn epoch(epoch: u32) -> Event {
    Event::Epoch(Epoch {
        phase: "head".into(),
        epoch,
        phase_epoch: epoch,
        phase_epochs: 4,
        lr: 1e-3,
        loss: 1.0,
        accuracy: 0.5,
        val_loss: 1.0,
        val_accuracy: 0.5,
        seconds: 1.0,
        samples_per_s: 1.0,
        callbacks: Callbacks::default(),
        metrics: Default::default(),
    })
}

fn best(epoch: u32) -> Event {
    Event::Best(Best { epoch, monitor: "val_loss".into(), value: 1.0 / f64::from(epoch.max(1)) })
}

fn train(run: &mut RunState, events: &[Event]) {
    events.iter().for_each(|event| run.training.take(at(100, event.clone())));
}

#[test]
fn a_life_goes_its_ways() {
    let queued =
        || LifeEvent::Queued { name: "x".into(), priority: 3, group: None, after: vec![], needs: Default::default() };
    let lost = || exited(1, Outcome::Lost, Cause::WorkerGone);
    let retry = || LifeEvent::RetryScheduled { attempt: 2, after_s: 10 };
    let cancelled = || exited(1, Outcome::Cancelled, Cause::User);
    for (events, status) in [
        (vec![], Status::Queued),
        (vec![queued()], Status::Queued),
        (vec![queued(), LifeEvent::Paused], Status::Paused),
        (vec![queued(), LifeEvent::Paused, LifeEvent::Resumed], Status::Queued),
        (vec![queued(), LifeEvent::CancelRequested, exited(0, Outcome::Cancelled, Cause::User)], Status::Cancelled),
        (vec![queued(), started(1)], Status::Starting),
        (vec![queued(), started(1), LifeEvent::CancelRequested], Status::Starting),
        (vec![queued(), started(1), LifeEvent::CancelRequested, cancelled()], Status::Cancelled),
        (vec![queued(), started(1), exited(1, Outcome::Finished, Cause::Completed)], Status::Finished),
        (vec![queued(), started(1), lost()], Status::Lost),
        (vec![queued(), started(1), lost(), retry()], Status::Queued),
        (vec![queued(), started(1), lost(), retry(), started(2)], Status::Starting),
        (vec![queued(), started(1), lost(), retry(), started(2), lost()], Status::Starting),
        (vec![queued(), started(1), LifeEvent::Resumed, retry(), LifeEvent::Paused], Status::Starting),
        (vec![queued(), exited(3, Outcome::Failed, Cause::Start), LifeEvent::Unknown], Status::Failed),
        (vec![queued(), started(1), cancelled(), LifeEvent::CancelRequested, LifeEvent::Resumed], Status::Queued),
    ] {
        let run = lived(&events);
        assert_eq!(run.status(), status, "{events:?}");
        assert_legal(&run);
    }
    let waiting = lived(&[queued(), started(1), lost(), retry()]);
    assert_eq!((waiting.life.priority, waiting.life.tries.retries, waiting.name.as_str()), (3, 1, "x"));
    assert_eq!(waiting.life.retry_at, Some(Timestamp::from_millis(13_000)));
    assert_eq!(lived(&[queued(), started(1), lost(), retry(), started(2)]).life.retry_at, None);
    let asked = [queued(), LifeEvent::CancelRequested, started(1)];
    assert_eq!(
        lived(&asked).life.asked,
        Some(Asked::Cancel),
        "a wish that came while the worker was being started stands"
    );
    let asked_again = lived(&[started(1), lost(), retry(), started(2), cancelled(), LifeEvent::Resumed]);
    assert_eq!(
        asked_again.life.tries.retries, 1,
        "a stale end does not stop the second attempt, so nothing was resumed"
    );
}

#[test]
fn tries_are_counted_until_a_person_asks_anew() {
    let end = |attempt, outcome, cause| exited(attempt, outcome, cause);
    let retry = |after_s| LifeEvent::RetryScheduled { attempt: 2, after_s };
    let tries = |retries, preemptions, ran| Tries { retries, preemptions, ran: Duration::from_secs(ran) };
    let preempted = || end(1, Outcome::Paused, Cause::Preempted);
    for (events, expected) in [
        (vec![started(1), end(1, Outcome::Failed, Cause::Crashed), retry(10)], tries(1, 0, 1)),
        (vec![started(1), end(1, Outcome::Lost, Cause::HostRestarted), retry(10)], tries(1, 0, 0)),
        (vec![started(1), preempted(), retry(10)], tries(0, 1, 1)),
        (vec![started(1), preempted(), retry(0)], tries(0, 0, 1)),
        (vec![started(1), end(1, Outcome::Paused, Cause::User), LifeEvent::Resumed], tries(0, 0, 1)),
        (vec![started(1), end(1, Outcome::Failed, Cause::TimeLimit)], tries(0, 0, 1)),
        (vec![started(1), end(1, Outcome::Failed, Cause::TimeLimit), LifeEvent::Resumed], tries(0, 0, 0)),
    ] {
        assert_eq!(lived(&events).life.tries, expected, "{events:?}");
    }
    let asked = |events: &[LifeEvent]| lived(events).life.asked;
    assert_eq!(asked(&[started(1), LifeEvent::PauseRequested]), Some(Asked::Pause));
    assert_eq!(asked(&[started(1), LifeEvent::CancelRequested, LifeEvent::PauseRequested]), Some(Asked::Cancel));
    assert_eq!(asked(&[started(1), LifeEvent::PauseRequested, end(1, Outcome::Paused, Cause::User)]), None);
}

#[test]
fn a_worker_runs_once_it_has_spoken_in_this_attempt() {
    let mut run = lived(&[started(1)]);
    assert_eq!(run.status(), Status::Starting);
    run.training.take(at(1, Event::Stage(Stage { name: "index".into(), done: 0, total: 2, unit: "files".into() })));
    assert_eq!(run.status(), Status::Running);
    run.training.take(at(2, run_started(1, None)));
    run.life(at(10, exited(1, Outcome::Lost, Cause::WorkerGone)));
    run.life(at(10, LifeEvent::RetryScheduled { attempt: 2, after_s: 0 }));
    run.life(at(11, started(2)));
    assert_eq!(run.status(), Status::Starting, "what the first attempt said does not count");
    run.training.take(at(12, run_started(2, None)));
    assert_eq!(run.status(), Status::Running);
}

#[test]
fn what_is_unfrozen_is_there_once_however_often_it_is_told() {
    let mut run = new_run();
    train(&mut run, &[run_started(1, None), phase(0), epoch(1), unfroze(2), epoch(2), unfroze(3), step(3, 1)]);
    let firsts = |run: &RunState| run.training.unfreezings.iter().map(|more| more.epoch).collect::<Vec<_>>();
    assert_eq!(firsts(&run), [2, 3]);
    train(&mut run, &[run_started(2, Some(2)), phase(0)]);
    assert_eq!(firsts(&run), [2], "the third epoch begins again");
    train(&mut run, &[unfroze(3), step(3, 1), epoch(3)]);
    assert_eq!(firsts(&run), [2, 3]);
}

#[test]
fn a_resumed_attempt_keeps_what_its_checkpoint_has() {
    let mut run = new_run();
    let first = [
        run_started(1, None),
        phase(0),
        step(1, 1),
        step(1, 2),
        epoch(1),
        best(1),
        epoch(2),
        best(2),
        phase(1),
        step(3, 1),
        step(3, 2),
        epoch(3),
        step(4, 1),
    ];
    train(&mut run, &first);
    train(&mut run, &[epoch(4), best(4)]);
    let firsts = |run: &RunState| run.training.phases.iter().map(|(first, _)| *first).collect::<Vec<_>>();
    assert_eq!(firsts(&run), [1, 3]);
    train(&mut run, &[run_started(2, Some(3)), phase(1)]);
    assert_eq!(run.training.epochs.last().map(|epoch| epoch.epoch), Some(3));
    assert_eq!(run.training.steps.len(), 4);
    assert_eq!(run.training.best.as_ref().map(|best| best.epoch), Some(2), "the best of the epochs that are kept");
    assert_eq!(firsts(&run), [1, 3], "a phase that goes on began where it began");
    train(&mut run, &[run_started(3, None)]);
    assert!(run.training.epochs.is_empty() && run.training.steps.is_empty() && run.training.best.is_none());
    assert_eq!(run.training.phase(), None);
    assert_eq!(run.training.planned_epochs(), u32::MAX);
}

#[test]
fn an_attempt_that_goes_on_amid_an_epoch_keeps_the_steps_before() {
    let amid = |epoch, epoch_steps| {
        let mut event = run_started(2, Some(epoch));
        if let Event::RunStarted(RunStarted { resumed_from: Some(from), .. }) = &mut event {
            from.epoch_steps = epoch_steps;
        }
        event
    };
    let trained = [step(1, 1), step(1, 2), epoch(1), step(2, 1), step(2, 2), epoch(2)];
    for (epoch, epoch_steps, kept) in [(0, 1, 1), (0, 2, 2), (1, 0, 2), (1, 1, 3), (1, 2, 4), (2, 0, 4), (2, 1, 4)] {
        let mut run = new_run();
        train(&mut run, &trained);
        train(&mut run, &[amid(epoch, epoch_steps)]);
        assert_eq!(run.training.steps.len(), kept, "{epoch} epochs and {epoch_steps} steps");
    }
}

/// Whether the fold says of a run what can be.
pub(crate) fn assert_legal(run: &RunState) {
    let life = &run.life;
    let says = |outcome| life.exit.as_ref().is_some_and(|exit| exit.outcome == outcome);
    match life.status {
        Status::Queued => assert!(life.exit.is_none()),
        Status::Starting => assert!(life.exit.is_none() && life.attempts > 0 && life.started.is_some()),
        Status::Running => panic!("only the training makes a run running"),
        Status::Paused => assert!(life.exit.is_none() || says(Outcome::Paused)),
        Status::Finished => assert!(says(Outcome::Finished)),
        Status::Failed => assert!(says(Outcome::Failed)),
        Status::Cancelled => assert!(says(Outcome::Cancelled)),
        Status::Lost => assert!(says(Outcome::Lost)),
    }
    assert!(life.process.is_none() || life.status.is_live());
    assert_eq!(life.exit.is_some(), life.ended.is_some());
    assert!(life.asked.is_none() || !life.status.is_over());
    assert!(run.training.phases.is_sorted_by_key(|(first, _)| *first));
    assert!(run.training.epochs.is_sorted_by_key(|epoch| epoch.epoch));
    assert!(run.training.best.as_ref().is_none_or(|best| best.value.is_finite()));
}
