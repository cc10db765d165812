//! Whole runs on small generated pictures, with weights drawn by the seed: the order of events, figures that depend on
//! nothing but the experiment, exact resume, and what happens when it goes wrong.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod little;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use candle_core::Device;
use finetop::experiment;
use finetop::model::{Found, Network};
use finetop::record::event::{Event, FinishReason, Level, LrReason, SampleKind, Samples};
use finetop::record::life::Cause;
use finetop::train::{self, End, Error, Job};

use little::{Ending, figures, flat, in_attempts, model, parse, pictures, tensors, texts, train_until, train_whole};

/// Two phases; both drop their rate at the second epoch and stop early at the third, because nothing can improve by
/// `min_delta`.
const EARLY: &str = "
name: tiny
seed: 7
data: { train: train, val: val, image_size: 40, augment: { rotation: 20, horizontal_flip: true, views: 2 } }
model:
  backbone: squeezenet1_1
  weights: random
  head: [ { dense: { units: 8, activation: relu } }, { dropout: 0.25 } ]
train:
  batch_size: 8
  phases:
    - { name: head, epochs: 6, trainable: head, optimizer: { adam: { lr: 1e-2 } } }
    - { name: fine_tune, epochs: 6, trainable: { from: fire8 }, optimizer: { adam: { lr: 1e-3 } } }
  early_stopping: { monitor: val_loss, patience: 2, min_delta: 100, restore_best_weights: true }
  reduce_lr_on_plateau: { monitor: val_loss, factor: 0.5, patience: 1, min_delta: 100 }
";

/// A ResNet whose last stage learns with momentum, so that there are running statistics and velocities to go on with.
const RESNET: &str = "
name: tiny
data: { train: train, val: val, image_size: 40 }
model: { backbone: resnet18, weights: random }
train:
  batch_size: 8
  clip_norm: 1.0
  phases:
    - { name: head, epochs: 3, optimizer: { sgd: { lr: 1e-2, momentum: 0.9, nesterov: true } } }
    - { name: fine_tune, epochs: 2, trainable: { last_layers: 2 }, optimizer: { rmsprop: { lr: 1e-4 } } }
";

/// A BERT of a few thousand weights on texts of different lengths.
const BERT: &str = "
name: tiny
data: { train: train.csv, val_split: 0.3, max_length: 10 }
model: { backbone: bert, weights: random, tokenizer: vocab.txt, pool: cls, head: [ { dropout: 0.2 } ] }
train:
  batch_size: 8
  phases:
    - { name: head, epochs: 2, optimizer: { adam: { lr: 1e-2 } } }
    - { name: fine_tune, epochs: 3, trainable: { last_layers: 3 }, optimizer: { adamw: { lr: 1e-2 } } }
  early_stopping: { patience: 9, restore_best_weights: true }
";

/// One letter an event: enough to see the order.
fn order(events: &[Event]) -> String {
    let letter = |event: &Event| match event {
        Event::RunStarted(_) => "R",
        Event::PhaseStarted(_) => "\nP",
        Event::Step(_) => "s",
        Event::Epoch(_) => "E",
        Event::Confusion(_) => "c",
        Event::Best(_) => "b",
        Event::LrChanged(_) => "l",
        Event::EarlyStopped(_) => "!",
        Event::Samples(samples) if samples.kind == SampleKind::Augmented => "a",
        Event::Samples(_) => "m",
        Event::Finished(_) => "\nF",
        // These come when the clock says, or say how things are set up.
        Event::Stage(_) | Event::Checkpoint(_) | Event::Log(_) | Event::Advice(_) => "",
        other => panic!("unexpected {other:?}"),
    };
    events.iter().map(letter).collect()
}

#[test]
fn a_run_says_all_that_happens_in_order() {
    let (data, run) = (pictures(1), tempfile::tempdir().unwrap());
    let experiment = parse(EARLY, data.path());
    let events = train_whole(&experiment, run.path());
    // 33 pictures in batches of 8, the last of one: 5 steps. The very best of all epochs is the run's.
    let without_best = order(&events).replace('b', "");
    assert_eq!(without_best, "Ra\nPsssssEcsssssEclsssssEc!lm\nPlsssssEcsssssEclsssssEc!lm\nF");

    let Event::RunStarted(started) = events.iter().find(|e| matches!(e, Event::RunStarted(_))).unwrap() else {
        panic!()
    };
    assert_eq!((started.train_samples, started.val_samples), (33, 15));
    assert_eq!(started.classes, ["blue", "green", "red"]);
    assert_eq!(started.resumed_from, None);
    assert!(started.parameters.trainable < started.parameters.total);

    let changes: Vec<_> =
        events.iter().filter_map(|e| if let Event::LrChanged(c) = e { Some(c) } else { None }).collect();
    let short: Vec<_> = changes.iter().map(|c| (c.epoch, c.from, c.to, c.reason)).collect();
    let (plateau, phase) = (LrReason::ReduceLrOnPlateau, LrReason::Phase);
    assert_eq!(
        short,
        [
            (2, 0.01, 0.005, plateau),
            (3, 0.005, 0.0025, plateau),
            (4, 0.0025, 0.001, phase),
            (5, 0.001, 0.0005, plateau),
            (6, 0.0005, 0.00025, plateau)
        ]
    );
    assert_eq!(changes[0].waited, Some(1));
    assert!(changes[0].best.unwrap() > 0.0 && changes[0].value.unwrap() > 0.0);

    for event in &events {
        match event {
            Event::Confusion(confusion) => assert_eq!(confusion.counts.iter().flatten().sum::<u64>(), 15),
            Event::EarlyStopped(stop) => assert!(stop.restored && stop.waited == 2, "{stop:?}"),
            Event::Samples(samples) => are_to_be_seen(samples, run.path()),
            _ => {}
        }
    }
    let best = events.iter().filter_map(|e| if let Event::Epoch(e) = e { Some(e) } else { None });
    let best = best.min_by(|a, b| a.val_loss.total_cmp(&b.val_loss)).unwrap();
    let Some(Event::Finished(finished)) = events.last() else { panic!("{:?}", events.last()) };
    assert_eq!((finished.reason, finished.epochs), (FinishReason::EarlyStopped, 6));
    let finished_best = finished.best.as_ref().unwrap();
    assert_eq!((finished_best.epoch, finished_best.value), (best.epoch, best.val_loss));

    let labels = std::fs::read_to_string(run.path().join("model/labels.json")).unwrap();
    assert_eq!(labels, r#"["blue","green","red"]"#);
    let resolved = std::fs::read_to_string(run.path().join("model/resolved.yaml")).unwrap();
    assert_eq!(parse(&resolved, Path::new("/")), experiment);
}

/// Each with a picture as the network saw it; what is misclassified with what it was taken for, and how surely.
fn are_to_be_seen(samples: &Samples, run: &Path) {
    for sample in &samples.items {
        let picture = image::open(run.join(sample.image.as_ref().unwrap())).unwrap();
        assert_eq!((picture.width(), picture.height()), (40, 40), "{sample:?}");
        assert!(sample.source.contains(&sample.label) && sample.text.is_none(), "{sample:?}");
        match samples.kind {
            SampleKind::Augmented => assert_eq!((&sample.predicted, sample.probability), (&None, None)),
            SampleKind::Misclassified => {
                assert!(sample.predicted.is_some() && sample.predicted.as_ref() != Some(&sample.label), "{sample:?}");
                assert!(sample.probability.is_some_and(|p| (1.0 / 3.0 - 1e-6..=1.0).contains(&p)), "{sample:?}");
            }
        }
    }
    let labels: std::collections::BTreeSet<&String> = samples.items.iter().map(|sample| &sample.label).collect();
    assert!(samples.kind == SampleKind::Misclassified || (samples.items.len() == 24 && labels.len() == 3));
}

/// As [`EARLY`], but every epoch is trained and what is best is not the first epoch.
fn full(epochs: [u32; 2]) -> String {
    let text =
        EARLY.replace("min_delta: 100,", "").replace(", min_delta: 100", "").replace("patience: 2,", "patience: 9,");
    text.replacen("epochs: 6", &format!("epochs: {}", epochs[0]), 1)
        .replace("epochs: 6", &format!("epochs: {}", epochs[1]))
}

#[test]
fn figures_and_model_are_the_same_on_any_number_of_loader_threads() {
    let data = pictures(2);
    let mut experiment = parse(&full([3, 2]), data.path());
    let mut runs = Vec::new();
    // With views the cache is used, without them every epoch loads anew.
    for views in [Some(2), None] {
        let experiment::Inputs::Pictures(pictures) = &mut experiment.data.inputs else { panic!("they are pictures") };
        pictures.augment.views = views;
        for threads in [1, 3, 3] {
            experiment.data.loader_threads = threads;
            let run = tempfile::tempdir().unwrap();
            let events = train_whole(&experiment, run.path());
            runs.push((figures(&events), model(run.path())));
        }
    }
    assert_eq!(runs[0].0.len(), 5);
    assert!(runs[0] == runs[1] && runs[1] == runs[2], "{:#?}", runs.iter().map(|run| &run.0).collect::<Vec<_>>());
    assert!(runs[3] == runs[4] && runs[4] == runs[5]);
    assert_ne!(runs[0].0[2..], runs[3].0[2..], "the third epoch sees the first view again, or a new one");
}

#[test]
fn it_learns_and_saves_the_best_epoch() {
    let (data, run) = (pictures(3), tempfile::tempdir().unwrap());
    let mut experiment = parse(&full([12, 1]), data.path());
    experiment.model.head.clear();
    experiment.train.phases.truncate(1);
    experiment.train.phases[0].trainable = experiment::Trainable::All;
    let optimizer = &mut experiment.train.phases[0].optimizer;
    *optimizer = optimizer.with_lr(1e-3);
    experiment.train.reduce_lr_on_plateau = None;
    let events = train_whole(&experiment, run.path());
    let epochs: Vec<_> = events.iter().filter_map(|e| if let Event::Epoch(e) = e { Some(e) } else { None }).collect();
    let best = epochs.iter().map(|epoch| epoch.val_accuracy).fold(0.0, f64::max);
    assert!(best > 0.9, "three colours are easily told apart: {best}");

    // The saved model has the weights of the epoch that `best` names: what best.safetensors holds.
    let best_file = std::fs::read(run.path().join("checkpoints/best.safetensors")).unwrap();
    let (saved, of_best) = (tensors(&model(run.path())), tensors(&best_file));
    assert_eq!(saved.len(), of_best.len());
    assert!(saved.iter().all(|(name, tensor)| flat(tensor) == flat(&of_best[name])));
}

#[test]
fn what_is_frozen_is_equal_to_the_bit_and_the_rest_moved() {
    let data = pictures(4);
    for (phases, first_moved) in [(1, "head."), (2, "fire8")] {
        let run = tempfile::tempdir().unwrap();
        let mut experiment = parse(&full([2, 2]).replace("seed: 7", "seed: 7\n"), data.path());
        experiment.train.phases.truncate(phases);
        experiment.train.save = experiment::Save::Last;
        experiment.train.early_stopping = None;
        train_whole(&experiment, run.path());
        let (network, _) =
            Network::build(&experiment.model, &Found::random(), 3, experiment.seed, &Device::Cpu).unwrap();
        let trained = tensors(&model(run.path()));
        let mut is_learning = false;
        for (name, var) in network.tensors() {
            is_learning |= name.starts_with(first_moved);
            let is_equal = flat(var.as_tensor()) == flat(&trained[&name]);
            assert_eq!(is_equal, !is_learning, "{name} after {phases} phases");
        }
        assert!(is_learning);
    }
}

#[test]
fn stopped_or_killed_anywhere_and_resumed_it_ends_the_same() {
    let (data, texts) = (pictures(5), texts());
    let of_pictures = [EARLY.to_owned(), full([3, 2]), RESNET.to_owned()].map(|text| parse(&text, data.path()));
    for experiment in of_pictures.into_iter().chain([parse(BERT, texts.path())]) {
        let whole = tempfile::tempdir().unwrap();
        let (figures, _) = in_attempts(&experiment, whole.path(), &[]);
        for endings in [
            vec![Ending::Stop(4)],
            vec![Ending::Stop(9), Ending::Stop(9)],
            vec![Ending::Stop(17), Ending::Gone(12), Ending::Stop(3)],
            vec![Ending::Gone(20), Ending::Gone(30)],
            (0..6).map(|n| Ending::Stop(5 + n)).collect(),
        ] {
            let run = tempfile::tempdir().unwrap();
            let (resumed_figures, resumed) = in_attempts(&experiment, run.path(), &endings);
            assert_eq!(resumed_figures, figures, "{endings:?}");
            assert!(model(run.path()) == model(whole.path()), "{endings:?}");
            assert!(resumed[1..].iter().flatten().count() > 0, "{endings:?}: {resumed:?}");
        }
    }
}

#[test]
fn texts_are_learned_and_predicted_wherever_the_model_lies() {
    let (texts, run) = (texts(), tempfile::tempdir().unwrap());
    let experiment = parse(&BERT.replace("epochs: 3", "epochs: 12"), texts.path());
    let events = train_whole(&experiment, run.path());
    let accuracies = events.iter().filter_map(|e| if let Event::Epoch(e) = e { Some(e.val_accuracy) } else { None });
    assert!(accuracies.fold(0.0, f64::max) > 0.9, "{:?}", figures(&events));
    let Some(Event::Samples(samples)) = events.iter().find(|e| matches!(e, Event::Samples(_))) else { panic!() };
    assert!(!samples.items.is_empty(), "the first phase gets some wrong");
    for item in &samples.items {
        assert!(item.source.contains("train.csv:") && item.image.is_none(), "{item:?}");
        assert!(item.text.as_ref().is_some_and(|text| !text.is_empty() && !item.source.contains(text)), "{item:?}");
    }

    let elsewhere = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(run.path().join("model")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), elsewhere.path().join(file.file_name())).unwrap();
    }
    drop((texts, run));
    let predictor = train::Predictor::open(elsewhere.path()).unwrap();
    let line = |text: &str| ("line".to_owned(), text.to_owned());
    let asked =
        [line("the apple bread"), line("ship"), line("the rice the the the the the the the rice"), line("bus train")];
    let answers = predictor.texts(&asked).unwrap();
    let likeliest: Vec<&str> = answers.iter().map(|answer| &*answer.as_ref().unwrap().classes[0].0).collect();
    assert_eq!(likeliest, ["food", "transport", "food", "transport"]);
    for answer in &answers {
        let sum: f64 = answer.as_ref().unwrap().classes.iter().map(|(_, probability)| probability).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }
    assert!(predictor.pictures(&["a.png".into()]).is_err());
}

#[test]
fn pictures_are_predicted_as_they_were_validated() {
    let (data, run) = (pictures(3), tempfile::tempdir().unwrap());
    let events = train_whole(&parse(&full([4, 1]), data.path()), run.path());
    let Some(Event::Finished(finished)) = events.last() else { panic!() };
    let best = finished.best.as_ref().unwrap().epoch;
    let confusion = events.iter().find_map(|e| match e {
        Event::Confusion(confusion) if confusion.epoch == best => Some(confusion.counts.clone()),
        _ => None,
    });
    let mut paths = Vec::new();
    for class in ["blue", "green", "red"] {
        paths.extend((0..5).map(|number| data.path().join("val").join(class).join(format!("{number:02}.png"))));
    }
    paths.push(data.path().join("nowhere.png"));
    let predictor = train::Predictor::open(&run.path().join("model")).unwrap();
    let mut answers = predictor.pictures(&paths).unwrap();
    let unusable = answers.pop().unwrap().unwrap_err();
    assert!(unusable.source.ends_with("nowhere.png") && unusable.reason == "there is no such file", "{unusable:?}");
    let mut counts = vec![vec![0u64; 3]; 3];
    for (number, answer) in answers.iter().enumerate() {
        let classes = &answer.as_ref().unwrap().classes;
        assert!(classes.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        counts[number / 5][["blue", "green", "red"].iter().position(|class| *class == classes[0].0).unwrap()] += 1;
    }
    assert_eq!(Some(counts), confusion);
}

#[test]
fn a_loss_that_explodes_ends_the_run_and_leaves_the_last_good_checkpoint() {
    let (data, run) = (pictures(6), tempfile::tempdir().unwrap());
    let text = full([2, 3]).replace("lr: 1e-3", "lr: 1e3");
    let mut experiment = parse(&text, data.path());
    let optimizer = &mut experiment.train.phases[1].optimizer;
    *optimizer = optimizer.with_lr(1e30);
    let (result, events) = train_until(&experiment, run.path(), |_| false);
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 3, .. }), "{error}");
    assert_eq!(error.cause(), Cause::Diverged);
    assert!(error.to_string().contains("in epoch 3"), "{error}");
    assert!(error.hint().unwrap().contains("lower learning rate"));
    assert!(!matches!(events.last(), Some(Event::Finished(_))));

    // With a better rate the checkpoint of the first phase's end is gone on from.
    let experiment = parse(&full([2, 3]), data.path());
    let (result, events) = train_until(&experiment, run.path(), |_| false);
    result.unwrap();
    let started = events.iter().find_map(|e| if let Event::RunStarted(s) = e { Some(s) } else { None }).unwrap();
    assert_eq!(started.resumed_from.map(|from| (from.epoch, from.step)), Some((2, 10)));
}

#[test]
fn a_picture_that_cannot_be_read_is_skipped_and_named() {
    let (data, run) = (pictures(8), tempfile::tempdir().unwrap());
    std::fs::write(data.path().join("train/red/03.png"), b"no picture").unwrap();
    let mut experiment = parse(&full([1, 1]), data.path());
    experiment.train.phases.truncate(1);
    let events = train_whole(&experiment, run.path());
    let skipped: Vec<_> =
        events.iter().filter_map(|e| if let Event::Skipped(s) = e { Some(s) } else { None }).collect();
    assert_eq!(skipped.len(), 1);
    assert!(PathBuf::from(&skipped[0].source).ends_with("train/red/03.png"));
    assert!(!skipped[0].reason.is_empty());
}

#[test]
fn a_missing_folder_or_a_wrong_layer_is_the_experiments_fault() {
    let (data, run) = (pictures(9), tempfile::tempdir().unwrap());
    for (from, to) in [("train: train", "train: trian"), ("from: fire8", "from: fire88")] {
        let experiment = parse(&EARLY.replace(from, to), data.path());
        let error = train_until(&experiment, run.path(), |_| false).0.unwrap_err();
        assert_eq!(error.cause(), Cause::Experiment, "{error}");
        assert!(error.hint().is_some(), "{error}");
    }
    assert!(!run.path().join("checkpoints").exists());
}

#[test]
fn stopped_before_the_first_step_it_leaves_nothing_half_done() {
    let (data, run) = (pictures(10), tempfile::tempdir().unwrap());
    let experiment = parse(&full([1, 1]), data.path());
    let stop = AtomicBool::new(true);
    let end = train::run(&Job { experiment: &experiment, folder: run.path(), attempt: 1 }, &mut |_| Ok(()), &stop);
    assert_eq!(end.unwrap(), End::Stopped);
    assert!(!run.path().join("model").exists());
    let events = train_whole(&experiment, run.path());
    assert_eq!(figures(&events).len(), 2);
}

#[test]
fn fixed_views_are_said_so() {
    let (data, run) = (pictures(11), tempfile::tempdir().unwrap());
    let mut experiment = parse(&full([1, 1]), data.path());
    experiment.train.phases.truncate(1);
    let events = train_whole(&experiment, run.path());
    let said =
        |event: &Event| matches!(event, Event::Log(log) if log.level == Level::Info && log.message.contains("views"));
    assert!(events.iter().any(said));
}

#[test]
fn a_plan_says_what_would_be_trained() {
    let data = pictures(12);
    std::fs::write(data.path().join("val/green/00.png"), b"").unwrap();
    let plan = train::plan(&parse(EARLY, data.path())).unwrap();
    let classes: Vec<_> = plan.classes.iter().map(|class| (class.name.as_str(), class.train, class.val)).collect();
    assert_eq!(classes, [("blue", 11, 5), ("green", 11, 4), ("red", 11, 5)]);
    assert_eq!(plan.skipped.len(), 1);
    assert_eq!(plan.weights.origin, finetop::model::Origin::Seed);

    let [head, fine_tune] = &plan.phases[..] else { panic!("{:?}", plan.phases) };
    assert_eq!((head.epochs, head.steps_per_epoch, head.lr), (6, 5, 0.01));
    // 512 features into 8 units, 8 into 3 classes, with biases.
    assert_eq!(head.trainable_parameters, 512 * 8 + 8 + 8 * 3 + 3);
    let learning = |phase: &train::PhasePlan| {
        phase.layers.iter().filter(|layer| layer.trainable).map(|layer| layer.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(learning(head), ["head.dense", "head.output"]);
    assert_eq!(learning(fine_tune), ["fire8", "fire9", "head.dense", "head.output"]);
    let before = |phase: &train::PhasePlan, name| phase.layers.iter().position(|layer| layer.name == name);
    assert_eq!(head.cached_layers, before(head, "head.dense"));
    assert_eq!(fine_tune.cached_layers, before(fine_tune, "fire8"));
    assert!(plan.memory.features > 0 && plan.memory.total() > plan.memory.features);
    // before anything was read, the unusable picture counts too
    let ahead = train::memory::needed(&parse(EARLY, data.path()));
    assert!((1.0..1.01).contains(&(ahead as f64 / plan.memory.total() as f64)), "{ahead} {:?}", plan.memory);
}
