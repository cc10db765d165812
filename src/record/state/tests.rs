use proptest::prelude::*;

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

fn any_life() -> impl Strategy<Value = LifeEvent> {
    let outcomes = prop::sample::select(vec![
        Outcome::Finished,
        Outcome::Failed,
        Outcome::Cancelled,
        Outcome::Paused,
        Outcome::Lost,
    ]);
    prop_oneof![
        any::<i32>().prop_map(|priority| LifeEvent::Queued {
            name: "x".into(),
            priority,
            group: None,
            after: vec![],
            needs: Default::default()
        }),
        any::<i64>().prop_map(|order| LifeEvent::Moved { order }),
        any::<i32>().prop_map(|priority| LifeEvent::Prioritized { priority }),
        (1..4u32).prop_map(started),
        Just(LifeEvent::PauseRequested),
        Just(LifeEvent::Paused),
        Just(LifeEvent::Resumed),
        Just(LifeEvent::CancelRequested),
        (0..4u32, outcomes).prop_map(|(attempt, outcome)| exited(attempt, outcome, Cause::User)),
        any::<u64>().prop_map(|after_s| LifeEvent::RetryScheduled { attempt: 2, after_s }),
        Just(LifeEvent::Note { text: "n".into() }),
        Just(LifeEvent::Unknown),
    ]
}

/// What a worker could say in one attempt: epochs in order, anything else anywhere.
fn any_training() -> impl Strategy<Value = Vec<Event>> {
    let resumed = prop::option::of(0..6u32);
    let attempt = (1..4u32, resumed, 0..5u32).prop_map(|(attempt, resumed, epochs)| {
        let first = resumed.unwrap_or(0);
        let mut events = vec![run_started(attempt, resumed), phase(0)];
        for n in first + 1..=first + epochs {
            events.extend([step(n, 1), step(n, 2), epoch(n), best(n)]);
        }
        events.push(phase(1));
        events
    });
    let others = prop_oneof![
        (0..3u64).prop_map(|done| Event::Stage(Stage { name: "i".into(), done, total: 2, unit: "u".into() })),
        (0..3u32).prop_map(|epoch| step(epoch, 0)),
        Just(Event::Log(Log { level: Level::Warning, message: "m".into() })),
        Just(Event::Confusion(Confusion { epoch: 2, counts: vec![] })),
        Just(Event::Samples(Samples { epoch: 2, kind: SampleKind::Augmented, items: vec![] })),
        Just(Event::Skipped(Skipped { source: "s".into(), reason: "r".into() })),
        Just(Event::Finished(Finished { reason: FinishReason::Completed, epochs: 1, seconds: 1.0, best: None })),
        Just(Event::Checkpoint(Checkpoint { epoch: 1, step: 1, file: "f".into(), bytes: 1, seconds: 0.0 })),
        Just(Event::Advice(Advice {
            kind: "k".into(),
            severity: Severity::Info,
            message: "m".into(),
            evidence: Default::default(),
            suggestion: "s".into()
        })),
        (0..6u32).prop_map(|epoch| Event::LrChanged(LrChanged {
            epoch,
            from: 1.0,
            to: 0.3,
            reason: LrReason::Phase,
            monitor: None,
            value: None,
            best: None,
            waited: None
        })),
        Just(Event::Unknown),
    ];
    let attempts = prop::collection::vec(attempt, 0..4);
    (attempts, prop::collection::vec((any::<prop::sample::Index>(), others), 0..10)).prop_map(|(attempts, others)| {
        let mut events: Vec<Event> = attempts.into_iter().flatten().collect();
        others.into_iter().for_each(|(at, event)| events.insert(at.index(events.len() + 1), event));
        events
    })
}

proptest! {
    #[test]
    fn the_fold_of_any_prefix_is_legal(life in prop::collection::vec(any_life(), 0..20), training in any_training()) {
        let mut run = new_run();
        assert_legal(&run);
        for (n, event) in (0..).zip(&life) {
            run.life(at(n, event.clone()));
            assert_legal(&run);
        }
        for (n, event) in (0..).zip(&training) {
            run.training.take(at(n, event.clone()));
            assert_legal(&run);
            let status = run.status();
            prop_assert_eq!(status.is_live(), run.life.status.is_live());
        }
        // Folding in one go or event by event, a reader that comes late sees the same.
        let mut late = new_run();
        (0..).zip(&training).for_each(|(n, event)| late.training.take(at(n, event.clone())));
        (0..).zip(&life).for_each(|(n, event)| late.life(at(n, event.clone())));
        prop_assert_eq!(format!("{late:?}"), format!("{run:?}"));
    }

    #[test]
    fn stretches_of_a_log_are_folded_as_their_lines_are(
        training in any_training(),
        times in prop::collection::vec(0..50i64, 1..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let lines: Vec<Line<Event>> =
            training.into_iter().zip(times.iter().cycle()).map(|(event, &time)| at(time, event)).collect();
        let texts: Vec<String> = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        let (mut by_line, mut by_stretch) = (Training::default(), Training::default());
        for text in &texts {
            by_line.take(serde_json::from_str(text).unwrap());
        }
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(texts.len() + 1)).chain([texts.len()]).collect();
        ends.sort_unstable();
        let mut begin = 0;
        for end in ends {
            by_stretch.take_batch(Batch::read(texts[begin..end].concat().as_bytes()));
            begin = end;
        }
        prop_assert_eq!(format!("{by_stretch:?}"), format!("{by_line:?}"));
    }
}
