//! Metrics, what watches them, and mixed pictures, in whole runs: what is asked for is computed, acts and is shown, and
//! nothing depends on threads or on where a run was stopped.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod workplace;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use finetop::experiment::{self, Experiment, Origin};
use finetop::record::event::{Epoch, Event};
use finetop::train::{self, End, Job};
use workplace::{Workplace, tiny_text};

fn parse(here: &Workplace, text: &str) -> Experiment {
    let origin = Origin { shown: "a.yaml".into(), folder: here.folder().to_owned(), stem: "a".into() };
    experiment::parse(text, &origin, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Trains in `run`, asked to stop at its `most`-th step.
fn train_until(experiment: &Experiment, run: &Path, most: usize) -> (End, Vec<Event>) {
    let stop = AtomicBool::new(false);
    let (mut events, mut steps) = (Vec::new(), 0);
    let mut emit = |event: Event| {
        steps += usize::from(matches!(event, Event::Step(_)));
        stop.fetch_or(steps >= most, Ordering::Relaxed);
        events.push(event);
        Ok(())
    };
    let end = train::run(&Job { experiment, folder: run, attempt: 1 }, &mut emit, &stop).unwrap();
    (end, events)
}

fn train_whole(experiment: &Experiment) -> Vec<Event> {
    let run = tempfile::tempdir().unwrap();
    train_until(experiment, run.path(), usize::MAX).1
}

fn epochs(events: &[Event]) -> Vec<&Epoch> {
    events.iter().filter_map(|event| if let Event::Epoch(epoch) = event { Some(epoch) } else { None }).collect()
}

/// What must be equal whatever the clock says.
fn figures(events: &[Event]) -> Vec<String> {
    let timeless = |epoch: &&Epoch| Epoch { seconds: 0.0, samples_per_s: 0.0, ..(*epoch).clone() };
    epochs(events).iter().map(|epoch| format!("{:?}", timeless(epoch))).collect()
}

/// Texts of two classes, on which many epochs take no time.
fn of_texts(here: &Workplace, epochs: u32, train: &str) -> Experiment {
    parse(here, &format!("{}{train}", tiny_text("measured", epochs)))
}

#[test]
fn metrics_are_computed_as_the_confusion_matrix_says() {
    let here = Workplace::with_texts();
    let asked = "  metrics: [top_1, precision, recall_weighted, f1, f1_per_class, auroc, ece]\n";
    let events = train_whole(&of_texts(&here, 4, asked));
    let names = [
        "val_auroc",
        "val_ece",
        "val_f1",
        "val_f1/food",
        "val_f1/transport",
        "val_precision",
        "val_recall_weighted",
        "val_top_1",
    ];
    let matrices = events.iter().filter_map(|e| if let Event::Confusion(c) = e { Some(&c.counts) } else { None });
    let mut seen = 0;
    for (epoch, counts) in epochs(&events).into_iter().zip(matrices) {
        assert_eq!(epoch.metrics.keys().collect::<Vec<_>>(), names);
        let f1 = |class: usize| {
            let hits = counts[class][class] as f64;
            let others = (counts[class][1 - class] + counts[1 - class][class]) as f64;
            2.0 * hits / (2.0 * hits + others)
        };
        for (name, expected) in [
            ("val_f1/food", f1(0)),
            ("val_f1/transport", f1(1)),
            ("val_f1", (f1(0) + f1(1)) / 2.0),
            ("val_recall_weighted", epoch.val_accuracy),
            ("val_top_1", epoch.val_accuracy),
        ] {
            assert!((epoch.metrics[name] - expected).abs() < 1e-12, "{name}: {:?}, not {expected}", epoch.metrics);
        }
        assert!(epoch.metrics.values().all(|value| (0.0..=1.0).contains(value)), "{:?}", epoch.metrics);
        seen += 1;
    }
    assert_eq!(seen, 4);
    assert!(epochs(&train_whole(&of_texts(&here, 2, ""))).iter().all(|epoch| epoch.metrics.is_empty()));
}

#[test]
fn any_metric_can_be_watched() {
    let here = Workplace::with_texts();
    let watching = "  monitor: val_recall/food\n  early_stopping: { monitor: val_ece, patience: 50 }\n  \
                    reduce_lr_on_plateau: { monitor: val_auroc, patience: 1, min_delta: 2, factor: 0.5 }\n";
    let events = train_whole(&of_texts(&here, 6, watching));
    let epochs = epochs(&events);
    assert_eq!(epochs[0].metrics.keys().collect::<Vec<_>>(), ["val_auroc", "val_ece", "val_recall/food"]);
    let of = |name: &str| epochs.iter().map(|epoch| epoch.metrics[name]).collect::<Vec<f64>>();
    let best: Vec<_> =
        events.iter().filter_map(|e| if let Event::Best(best) = e { Some(best) } else { None }).collect();
    assert!(best.iter().all(|best| best.monitor == "val_recall/food"));
    assert_eq!(best.last().unwrap().value, of("val_recall/food").into_iter().fold(f64::MIN, f64::max), "the most");
    let stopping = epochs[5].callbacks.early_stopping.as_ref().unwrap();
    assert_eq!(stopping.best, Some(of("val_ece").into_iter().fold(f64::MAX, f64::min)), "the least");
    let changes: Vec<_> =
        events.iter().filter_map(|e| if let Event::LrChanged(change) = e { Some(change) } else { None }).collect();
    assert_eq!(changes.len(), 5, "no area grows by 2");
    assert!(changes.iter().all(|change| change.monitor.as_deref() == Some("val_auroc")));
    assert_eq!(changes[0].value, Some(of("val_auroc")[1]));
}

#[test]
fn metrics_are_shown_compared_and_exported_by_their_names() {
    let here = Workplace::with_texts();
    for (name, seed) in [("one", 1), ("two", 2)] {
        let text = format!(
            "seed: {seed}\n{}  metrics: [f1, recall_per_class]\n  save: {}\n",
            tiny_text(name, 2),
            ["last", "best"][seed - 1]
        );
        here.write(&format!("{name}.yaml"), text);
    }
    here.finetop(&["add", "one.yaml", "two.yaml", "--group", "g"]).succeeded();
    here.finetop(&["wait", "--group", "g"]).succeeded();
    let shown = here.json(&["show", "one", "--json"]);
    let f1 = shown["epochs"][1]["val_f1"].as_f64().unwrap();
    assert!(shown["epochs"][0]["val_recall/food"].is_number(), "{shown}");
    let text = here.finetop(&["show", "one"]).succeeded().stdout;
    assert!(text.contains("val_f1") && !text.contains("val_recall/food"), "{text}");
    let compared = here.json(&["compare", "one", "two", "--json"]);
    assert!(compared["rows"][0]["val_f1"]["mean"].is_number(), "{compared}");
    let table = here.finetop(&["compare", "one", "two"]).succeeded().stdout;
    assert!(table.contains("val_f1") && !table.contains("recall/food"), "{table}");
    let exported = here.json(&["export", "one", "--format", "json"]);
    assert_eq!(exported[1]["val_f1"].as_f64(), Some(f1));
    assert!(exported[1]["val_recall/transport"].is_number());
}

#[test]
fn a_metric_that_the_classes_do_not_have_is_a_mistake() {
    let here = Workplace::with_texts();
    for (metric, says) in [
        ("top_2", ["`train.metrics`: top_2 of 2 classes is always 1", "use a number below 2"]),
        ("f1/fod", ["`train.metrics`: f1/fod is of a class that is not there", "the classes are food, transport"]),
    ] {
        here.write("a.yaml", format!("{}  metrics: [{metric}]\n", tiny_text("a", 1)));
        here.finetop(&["check", "a.yaml"]).exited(2).says(&says);
        here.write("a.yaml", format!("{}  monitor: val_{metric}\n", tiny_text("a", 1)));
        here.finetop(&["check", "a.yaml"]).exited(2).says(&says);
    }
    here.write("a.yaml", format!("{}  monitor: val_f2\n", tiny_text("a", 1)));
    here.finetop(&["add", "a.yaml"]).exited(2).says(&["a.yaml:7", "did you mean `val_f1`?"]);
}

/// Two phases on pictures that are changed in every way that is drawn.
fn of_pictures(here: &Workplace, augment: &str) -> Experiment {
    parse(
        here,
        &format!(
            "data: {{ train: data/train, val: data/val, image_size: 32, augment: {augment} }}
model: {{ backbone: squeezenet1_1, weights: random }}
train:
  batch_size: 5
  accumulate: 2
  metrics: [auroc, f1]
  phases:
    - {{ name: head, epochs: 2, optimizer: {{ adam: {{ lr: 1e-2 }} }} }}
    - {{ name: fine_tune, epochs: 1, trainable: {{ from: fire9 }}, optimizer: {{ adam: {{ lr: 1e-4 }} }} }}
"
        ),
    )
}

const ALL: &str = "{ rotation: 10, shear: 5, zoom: 0.1, fill_mode: reflect, vertical_flip: true, channel_shift: 20, \
                   brightness: [0.8, 1.2], contrast: 0.2, random_erasing: {}, mixup: 0.4, cutmix: 1 }";

#[test]
fn mixed_runs_are_the_same_on_any_threads_and_wherever_they_were_stopped() {
    let here = Workplace::with_pictures();
    let mut experiment = of_pictures(&here, ALL);
    let whole = tempfile::tempdir().unwrap();
    experiment.data.loader_threads = 1;
    let (_, events) = train_until(&experiment, whole.path(), usize::MAX);
    let expected = figures(&events);
    assert_eq!(expected.len(), 3);
    let model = |run: &Path| std::fs::read(run.join("model/model.safetensors")).unwrap();
    experiment.data.loader_threads = 3;
    for stops in [vec![], vec![2], vec![1, 4], vec![7]] {
        let run = tempfile::tempdir().unwrap();
        for most in &stops {
            assert_eq!(train_until(&experiment, run.path(), *most).0, End::Stopped, "{stops:?}");
        }
        let (_, events) = train_until(&experiment, run.path(), usize::MAX);
        let resumed = figures(&events);
        assert_eq!(resumed[..], expected[expected.len() - resumed.len()..], "{stops:?}");
        assert!(model(run.path()) == model(whole.path()), "{stops:?}");
    }
}

#[test]
fn each_mixture_changes_what_is_trained() {
    let here = Workplace::with_pictures();
    let mut seen: Vec<Vec<String>> = Vec::new();
    for augment in
        ["{}", "{ mixup: 0.4 }", "{ mixup: 4 }", "{ cutmix: 0.4 }", "{ cutmix: 4 }", "{ mixup: 4, cutmix: 4 }"]
    {
        let events = train_whole(&of_pictures(&here, augment));
        assert!(epochs(&events).iter().all(|epoch| (0.0..=1.0).contains(&epoch.accuracy) && epoch.loss > 0.0));
        let figures = figures(&events);
        assert!(!seen.contains(&figures), "{augment} trains as another does");
        seen.push(figures);
    }
}

#[test]
fn check_says_that_mixed_pictures_keep_no_features() {
    let here = Workplace::with_pictures();
    let write = |augment: &str| {
        let text = workplace::tiny("a", 1, "1e-3");
        here.write("a.yaml", text.replace("image_size: 32", &format!("image_size: 32, augment: {augment}")));
        here.finetop(&["check", "a.yaml"]).succeeded()
    };
    let kept = "layers are computed once for each sample and kept";
    assert!(write("{ rotation: 5, views: 2 }").stdout.contains(kept));
    for augment in ["{ mixup: 0.2 }", "{ rotation: 5, views: 2, cutmix: 1 }"] {
        let ended = write(augment);
        assert!(!ended.stdout.contains(kept), "{}", ended.stdout);
        ended.says(&["mixes pictures anew in every batch"]);
    }
}
