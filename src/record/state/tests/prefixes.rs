//! Whatever is told in whatever order, and wherever it breaks off: the fold is a legal state.

use proptest::prelude::*;

use super::*;

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
