use super::*;
use crate::record::life::{Cause, ExecutorKind, Exited, LifeEvent, Needs, Outcome, ProcessId};

fn line<E>(event: E) -> Line<E> {
    Line { seq: 7, time: Timestamp::from_millis(1_764_045_667_120), event }
}

fn epoch() -> Epoch {
    Epoch {
        phase: "head".into(),
        epoch: 3,
        phase_epoch: 3,
        phase_epochs: 20,
        lr: 1e-3,
        loss: 0.25,
        accuracy: 0.9,
        val_loss: 0.5,
        val_accuracy: 0.8,
        seconds: 1.5,
        samples_per_s: 300.0,
        callbacks: Callbacks {
            early_stopping: Some(EarlyStoppingCounters {
                monitor: "val_loss".into(),
                waited: 1,
                patience: 5,
                best: Some(0.4),
                best_epoch: Some(2),
            }),
            reduce_lr_on_plateau: None,
        },
        metrics: BTreeMap::from([("val_f1".into(), 0.75)]),
    }
}

/// One of each, with every optional field in both ways.
fn all() -> Vec<Event> {
    let best = Best { epoch: 2, monitor: "val_loss".into(), value: 0.4 };
    let change = LrChanged {
        epoch: 3,
        from: 1e-3,
        to: 3e-4,
        reason: LrReason::ReduceLrOnPlateau,
        monitor: Some("val_loss".into()),
        value: Some(0.5),
        best: Some(0.4),
        waited: Some(3),
    };
    vec![
        Event::RunStarted(RunStarted {
            attempt: 2,
            version: "0.1.0".into(),
            host: "here".into(),
            device: "cpu".into(),
            threads: 2,
            seed: u64::MAX,
            classes: vec!["a".into(), "grüße".into()],
            train_samples: 488,
            val_samples: 164,
            parameters: Parameters { total: 10, trainable: 4 },
            phases: vec![PhasePlan { name: "head".into(), epochs: 20 }],
            resumed_from: Some(ResumedFrom { epoch: 2, step: 30, epoch_steps: 3 }),
        }),
        Event::Stage(Stage { name: "index".into(), done: 1, total: 2, unit: "pictures".into() }),
        Event::PhaseStarted(PhaseStarted {
            phase: "head".into(),
            index: 0,
            epochs: 20,
            trainable: vec!["head.dense_1".into()],
            trainable_parameters: 4,
            optimizer: "adam".into(),
            lr: 1e-3,
        }),
        Event::Step(Step {
            phase: "head".into(),
            epoch: 1,
            step: 1,
            steps: 16,
            loss: 1.1,
            accuracy: 0.3,
            lr: 1e-3,
            samples_per_s: 250.5,
        }),
        Event::Epoch(epoch()),
        Event::LrChanged(LrChanged {
            reason: LrReason::Phase,
            monitor: None,
            value: None,
            best: None,
            waited: None,
            ..change.clone()
        }),
        Event::LrChanged(change),
        Event::Unfroze(Unfroze {
            epoch: 3,
            phase: "head".into(),
            layers: vec!["fire9".into()],
            trainable_parameters: 9,
        }),
        Event::Best(best.clone()),
        Event::EarlyStopped(EarlyStopped {
            epoch: 7,
            phase: "head".into(),
            monitor: "val_loss".into(),
            best: Some(0.4),
            best_epoch: None,
            waited: 5,
            restored: true,
        }),
        Event::Checkpoint(Checkpoint {
            epoch: 2,
            step: 32,
            file: "checkpoints/last.safetensors".into(),
            bytes: 1 << 40,
            seconds: 0.1,
        }),
        Event::Confusion(Confusion { epoch: 2, counts: vec![vec![1, 2], vec![3, 4]] }),
        Event::Samples(Samples {
            epoch: 2,
            kind: SampleKind::Misclassified,
            items: vec![Sample {
                source: "a/x.png".into(),
                label: "a".into(),
                predicted: Some("b".into()),
                probability: Some(0.75),
                image: Some("samples/misclassified-0-00.png".into()),
                text: Some("a sentence".into()),
            }],
        }),
        Event::Advice(Advice {
            kind: "overfitting".into(),
            severity: Severity::Warning,
            message: "val_loss rose".into(),
            evidence: BTreeMap::from([("epochs".into(), serde_json::json!([1, 2.5, "x", null]))]),
            suggestion: "model.head.dropout: 0.5".into(),
        }),
        Event::Skipped(Skipped { source: "a/\u{1b}[31m.png".into(), reason: "not a picture".into() }),
        Event::Log(Log { level: Level::Info, message: "line\nbreak".into() }),
        Event::Finished(Finished { reason: FinishReason::EarlyStopped, epochs: 7, seconds: 9.5, best: Some(best) }),
        Event::Failed(Failed {
            cause: Cause::Experiment,
            error: "no pictures".into(),
            causes: vec!["x".into()],
            hint: None,
        }),
    ]
}

#[test]
fn every_event_reads_back_equal_on_one_line() {
    for event in all() {
        let line = line(event);
        let text = serde_json::to_string(&line).unwrap();
        assert!(!text.contains('\n'));
        assert!(text.starts_with("{\"seq\":7,\"time\":\"2025-11-25T04:41:07.120Z\",\"type\":\""), "{text}");
        assert_eq!(serde_json::from_str::<Line<Event>>(&text).unwrap(), line, "{text}");
    }
}

#[test]
fn every_life_event_reads_back_equal() {
    let process = ProcessId { pid: 42, start_ticks: u64::MAX, boot_id: "b".into() };
    for event in [
        LifeEvent::Queued { name: "a".into(), priority: -3, group: None, after: vec![], needs: Default::default() },
        LifeEvent::Moved { order: i64::MIN },
        LifeEvent::Prioritized { priority: 9 },
        LifeEvent::Started {
            attempt: 1,
            executor: ExecutorKind::Local,
            process: Some(process),
            job_id: None,
            host: "here".into(),
            gpu: Some("1".into()),
        },
        LifeEvent::Edited { needs: Needs { memory: 7, gpu: true } },
        LifeEvent::CancelRequested,
        LifeEvent::Exited(Exited {
            attempt: 1,
            outcome: Outcome::Failed,
            cause: Cause::Crashed,
            exit_code: None,
            signal: Some(9),
            message: None,
        }),
        LifeEvent::RetryScheduled { attempt: 2, after_s: 10 },
        LifeEvent::Tagged { tags: vec!["x".into()] },
    ] {
        let line = line(event);
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(serde_json::from_str::<Line<LifeEvent>>(&text).unwrap(), line, "{text}");
    }
}

#[test]
fn what_a_later_version_adds_does_not_hide_a_line() {
    for event in all() {
        let mut value = serde_json::to_value(line(event.clone())).unwrap();
        let fields = value.as_object_mut().unwrap();
        fields.insert("new_text".into(), "x".into());
        fields.insert("new_object".into(), serde_json::json!({"a": [1]}));
        fields.insert("new_flag".into(), true.into());
        let read: Line<Event> = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(read, line(event), "{value}");
    }
    let unknown = r#"{"seq":1,"time":"2025-11-25T04:41:07.120Z","type":"from_the_future","epoch":[{}]}"#;
    assert_eq!(serde_json::from_str::<Line<Event>>(unknown).unwrap().event, Event::Unknown);
}

#[test]
fn numbers_that_json_lacks_are_null_and_read_back_as_nan() {
    let mut bad = Epoch { loss: f64::NAN, val_loss: f64::INFINITY, samples_per_s: f64::NAN, ..epoch() };
    bad.metrics.insert("val_f1".into(), f64::NAN);
    let text = serde_json::to_string(&line(Event::Epoch(bad))).unwrap();
    for field in ["\"loss\":null", "\"val_loss\":null", "\"val_f1\":null", "\"samples_per_s\":null"] {
        assert!(text.contains(field), "{text}");
    }
    let Event::Epoch(read) = serde_json::from_str::<Line<Event>>(&text).unwrap().event else { panic!("{text}") };
    assert!(read.loss.is_nan() && read.val_loss.is_nan() && read.samples_per_s.is_nan());
    assert_eq!(read.metrics.keys().collect::<Vec<_>>(), ["val_f1"], "seq, time and type are no metrics");
    assert!(read.metrics["val_f1"].is_nan());
    assert_eq!(read.accuracy, 0.9);
}
