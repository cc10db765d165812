//! Options of the training, each in whole small runs against a figure that is worked out in another way.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

mod little;

use std::collections::HashMap;
use std::path::Path;

use finetop::record::event::{Epoch, Event, LrReason, Step};
use finetop::train;

use little::{Ending, flat, in_attempts, model, parse, pictures, tensors, texts, train_until, train_whole};

/// A small BERT on texts: 56 to train on, one block of layers each for its embeddings and three encoders.
const TEXTS: &str = "
name: tiny
threads: 1
data: { train: train.csv, val_split: 0.3, max_length: 10 }
model: { backbone: bert, weights: random, tokenizer: vocab.txt }
train:
  batch_size: 8
  save: last
  phases: [ PHASE ]
";

fn of_texts(phase: &str) -> String {
    TEXTS.replace("PHASE", phase)
}

/// Everything learns in one step, by plain descent.
const ONE_STEP: &str = "{ epochs: 1, trainable: all, optimizer: { sgd: { lr: 0.1 } } }";

/// Events and the weights at the end of a run of `text`.
fn trained(text: &str, folder: &Path) -> (Vec<Event>, HashMap<String, Vec<f32>>) {
    let run = tempfile::tempdir().unwrap();
    let events = train_whole(&parse(text, folder), run.path());
    let weights = tensors(&model(run.path())).into_iter().map(|(name, tensor)| (name, flat(&tensor))).collect();
    (events, weights)
}

/// The weights before the first step, which the seed draws: those of a run that trains nothing.
fn untrained(folder: &Path) -> HashMap<String, Vec<f32>> {
    trained(&of_texts("{ epochs: 1, trainable: none }"), folder).1
}

fn epochs(events: &[Event]) -> Vec<&Epoch> {
    events.iter().filter_map(|event| if let Event::Epoch(epoch) = event { Some(epoch) } else { None }).collect()
}

fn steps(events: &[Event]) -> Vec<&Step> {
    events.iter().filter_map(|event| if let Event::Step(step) = event { Some(step) } else { None }).collect()
}

/// The largest difference between two sets of weights.
fn apart(one: &HashMap<String, Vec<f32>>, other: &HashMap<String, Vec<f32>>) -> f32 {
    assert_eq!(one.len(), other.len());
    let of = |(name, values): (&String, &Vec<f32>)| {
        values.iter().zip(&other[name]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    one.iter().map(of).fold(0.0, f32::max)
}

/// 33 pictures: two groups of three batches of four, and one of four, four and one.
#[test]
fn batches_that_are_gathered_train_as_one_of_all_their_samples() {
    let data = pictures(1);
    let text = |batches: &str| {
        format!(
            "name: tiny\ndata: {{ train: train, val: val, image_size: 40 }}\nmodel: {{ backbone: squeezenet1_1, weights: random, \
             l2: 0.01 }}\ntrain: {{ {batches}, save: last, label_smoothing: 0.1, clip_norm: 0.5, class_weight: {{ red: 2 }}, \
             phases: [ {{ epochs: 3, optimizer: {{ sgd: {{ lr: 0.3, momentum: 0.9 }} }} }} ] }}\n"
        )
    };
    let (at_once, expected) = trained(&text("batch_size: 12"), data.path());
    let (events, weights) = trained(&text("batch_size: 4, accumulate: 3"), data.path());
    assert!(apart(&weights, &expected) < 1e-5, "{}", apart(&weights, &expected));
    let shown = |events: &[Event]| steps(events).iter().map(|step| (step.step, step.steps)).collect::<Vec<_>>();
    assert_eq!(shown(&events), shown(&at_once));
    assert_eq!(shown(&events)[..4], [(1, 3), (2, 3), (3, 3), (1, 3)]);
    for (one, other) in epochs(&events).iter().zip(epochs(&at_once)) {
        assert!((one.loss - other.loss).abs() < 1e-5 && one.accuracy == other.accuracy, "{one:?} {other:?}");
    }
    let (_, small) = trained(&text("batch_size: 4"), data.path());
    assert!(apart(&small, &expected) > 1e-3, "batches that are not gathered train otherwise");
}

/// Nothing learns, so that every epoch has the same loss but for what is asked of it.
fn losses(folder: &Path, model: &str, train: &str) -> (f64, f64) {
    let text = of_texts("{ epochs: 1, trainable: none }")
        .replace("tokenizer: vocab.txt", &format!("tokenizer: vocab.txt{model}"))
        .replace("save: last", &format!("save: last{train}"));
    let (events, _) = trained(&text, folder);
    (epochs(&events)[0].loss, epochs(&events)[0].val_loss)
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-6
}

#[test]
fn a_class_weight_multiplies_the_loss_of_training_alone() {
    let texts = texts();
    let (loss, val_loss) = losses(texts.path(), "", "");
    let (thrice, val) = losses(texts.path(), "", "\n  class_weight: { food: 3, transport: 3 }");
    assert!(near(thrice, 3.0 * loss) && near(val, val_loss), "{thrice} {loss}, {val} {val_loss}");
    let [food, transport] =
        ["food", "transport"].map(|other| losses(texts.path(), "", &format!("\n  class_weight: {{ {other}: 0 }}")).0);
    assert!(near(food + transport, loss), "a class that is not named weighs 1: {food} {transport} {loss}");
    assert!(near(losses(texts.path(), "", "\n  class_weight: balanced").0, loss), "there are as many of each");

    let unknown = parse(&of_texts(ONE_STEP).replace("save: last", "class_weight: { fod: 2 }"), texts.path());
    let run = tempfile::tempdir().unwrap();
    let error = train_until(&unknown, run.path(), |_| false).0.unwrap_err();
    assert_eq!(error.hint().unwrap(), "did you mean `food`?", "{error}");
}

/// Nine of one class and 33 of the other: 42 / (2 × 9) and 42 / (2 × 33).
#[test]
fn balanced_weights_are_those_of_scikit_learn() {
    let texts = texts();
    let rows: String = std::iter::once("text,label\n".to_owned())
        .chain(
            (0..60).map(|n| if n % 5 == 0 { "apple the,food\n".into() } else { format!("bus ship train,transport\n") }),
        )
        .collect();
    std::fs::write(texts.path().join("train.csv"), rows).unwrap();
    let train = parse(&of_texts(ONE_STEP), texts.path());
    let counts: Vec<f64> = train::plan(&train).unwrap().classes.iter().map(|class| class.train as f64).collect();
    let [food, transport] = [counts[0], counts[1]].map(|count| (counts[0] + counts[1]) / (2.0 * count));
    assert!(food > 2.0 && transport < 0.7, "{counts:?}");
    let by_hand = format!("\n  class_weight: {{ food: {food}, transport: {transport} }}");
    let (balanced, _) = losses(texts.path(), "", "\n  class_weight: balanced");
    assert!(near(balanced, losses(texts.path(), "", &by_hand).0));
    assert!(!near(balanced, losses(texts.path(), "", "").0));
}

/// With two classes the loss of the other class is the loss of the same texts with their labels exchanged.
#[test]
fn smoothing_takes_its_share_of_every_class() {
    let (texts, exchanged) = (texts(), self::texts());
    let table = std::fs::read_to_string(texts.path().join("train.csv")).unwrap();
    let table = table.replace(",food", ",x").replace(",transport", ",food").replace(",x", ",transport");
    std::fs::write(exchanged.path().join("train.csv"), table).unwrap();
    // all are in one batch and on one side of the split, or the split would not be of the same texts
    let whole = |folder: &Path, train: &str| {
        let text = of_texts("{ epochs: 1, trainable: none }")
            .replace("val_split: 0.3", "val: train.csv")
            .replace("save: last", &format!("save: last{train}"));
        let (events, _) = trained(&text, folder);
        (epochs(&events)[0].loss, epochs(&events)[0].val_loss)
    };
    let ((own, own_val), (other, _)) = (whole(texts.path(), ""), whole(exchanged.path(), ""));
    assert!(near(own, own_val) && !near(own, other));
    let (smoothed, smoothed_val) = whole(texts.path(), "\n  label_smoothing: 0.3");
    let expected = 0.7 * own + 0.3 * (own + other) / 2.0;
    assert!(near(smoothed, expected) && near(smoothed_val, expected), "{smoothed} {expected}");
}

#[test]
fn squared_weights_of_dense_layers_cost_what_l2_says_and_pull_them_to_zero() {
    let texts = texts();
    let head = ", head: [ { dense: 8 }, { dense: { units: 4, l2: 0.5 } } ]";
    let ((loss, val_loss), (more, more_val)) =
        (losses(texts.path(), head, ""), losses(texts.path(), &format!("{head}, l2: 0.1"), ""));
    let text =
        of_texts(ONE_STEP).replace("batch_size: 8", "batch_size: 99").replace("vocab.txt", &format!("vocab.txt{head}"));
    let none = text.replace(ONE_STEP, "{ epochs: 1, trainable: none }");
    let before = trained(&none, texts.path()).1;
    let squares = |layer: &str| -> f64 { before[layer].iter().map(|w| f64::from(*w).powi(2)).sum() };
    let costs = 0.1 * (squares("head.dense.weight") + squares("head.output.weight"));
    assert!(costs > 0.01 && near(more - loss, costs) && near(more_val - val_loss, costs), "{more} {loss} {costs}");

    // one step of descent takes `lr * 2 * l2 * w` more
    let with = |text: &str| trained(text, texts.path()).1;
    let (plain, pulled) = (with(&text), with(&text.replace("vocab.txt,", "vocab.txt, l2: 0.1,")));
    for (name, values) in &before {
        let l2 = if ["head.dense.weight", "head.output.weight"].contains(&name.as_str()) { 0.1 } else { 0.0 };
        for ((w, plain), pulled) in values.iter().zip(&plain[name]).zip(&pulled[name]) {
            assert!((plain - pulled - 0.1 * 2.0 * l2 * w).abs() < 1e-6, "{name}");
        }
    }
}

/// Seven steps an epoch; a plateau halves what the schedule says after every epoch but the first.
#[test]
fn a_schedule_goes_by_steps_and_a_plateau_multiplies_it() {
    let texts = texts();
    let phase = "{ epochs: 4, optimizer: { sgd: { lr: 0.01 } }, schedule: { linear: { warmup_epochs: 1 } } }";
    let text = of_texts(phase)
        .replace("save: last", "save: last\n  reduce_lr_on_plateau: { factor: 0.5, patience: 1, min_delta: 100 }");
    let (events, _) = trained(&text, texts.path());
    let rate = |step: usize, halved: i32| {
        let share = if step < 7 { step as f64 / 7.0 } else { (28 - step) as f64 / 21.0 };
        0.01 * 0.5f64.powi(halved) * share
    };
    let lrs: Vec<f64> = steps(&events).iter().map(|step| step.lr).collect();
    let expected: Vec<f64> = (0..28).map(|step| rate(step, (step as i32 / 7 - 1).max(0))).collect();
    assert_eq!(lrs.len(), expected.len());
    let off = lrs.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off < 1e-8, "{lrs:?}");

    let changes: Vec<_> =
        events.iter().filter_map(|e| if let Event::LrChanged(c) = e { Some(c) } else { None }).collect();
    let (schedule, plateau) = (LrReason::Schedule, LrReason::ReduceLrOnPlateau);
    let short: Vec<_> = changes.iter().map(|change| (change.epoch, change.reason)).collect();
    assert_eq!(short, [(1, schedule), (2, schedule), (2, plateau), (3, schedule), (3, plateau), (4, plateau)]);
    for (change, [from, to]) in changes.iter().zip([
        [rate(0, 0), rate(7, 0)],
        [rate(7, 0), rate(14, 0)],
        [rate(14, 0), rate(14, 1)],
        [rate(14, 1), rate(21, 1)],
        [rate(21, 1), rate(21, 2)],
    ]) {
        assert!((change.from - from).abs() < 1e-8 && (change.to - to).abs() < 1e-8, "{change:?}: {from} {to}");
    }
    let last: Vec<f64> = epochs(&events).iter().map(|epoch| epoch.lr).collect();
    assert_eq!(last, [lrs[6], lrs[13], lrs[20], lrs[27]], "an epoch tells the rate of its last step");
}

/// Of plain descent a step is as long as its rate: embeddings lie four blocks below the head, encoders three to one.
#[test]
fn layers_learn_at_rates_of_their_own() {
    let texts = texts();
    let before = untrained(texts.path());
    let step = |more: &str| {
        let text = of_texts(&ONE_STEP.replace("{ epochs", &format!("{{ {more}epochs")))
            .replace("batch_size: 8", "batch_size: 99");
        trained(&text, texts.path()).1
    };
    let (even, uneven) = (step(""), step("lr_decay: 0.5, lr_factors: { '*layer.1': 0, 'head.*': 3, '*output': 2 }, "));
    let mut seen = 0;
    for (name, values) in &before {
        let rate = match name {
            name if name.starts_with("head.") => 6.0,
            name if name.starts_with("encoder.layer.2") => 0.5,
            name if name.starts_with("encoder.layer.1") => 0.0,
            name if name.starts_with("encoder.layer.0") => 0.125,
            _ => 0.0625,
        };
        for ((w, even), uneven) in values.iter().zip(&even[name]).zip(&uneven[name]) {
            let expected = rate * (even - w);
            assert!((uneven - w - expected).abs() < 1e-6 + 1e-3 * expected.abs(), "{name}: {} {expected}", uneven - w);
            seen += usize::from(expected.abs() > 1e-5);
        }
    }
    assert!(seen > 100, "{seen} weights moved");
    let wrong = parse(&of_texts("{ lr_factors: { 'fire*': 0.5 } }"), texts.path());
    assert!(train::plan(&wrong).unwrap_err().to_string().contains("fire*"));
}

const GRADUAL: &str =
    "{ epochs: 5, trainable: { gradual: { every: 2, blocks: 2 } }, optimizer: { sgd: { lr: 0.05 } } }";

/// Plain descent remembers nothing, so phases with ever more layers are the same training.
#[test]
fn gradual_unfreezing_trains_as_phases_with_ever_more_layers_do() {
    let texts = texts();
    let phase = |name: &str, epochs: u32, layers: &str| {
        format!("{{ name: {name}, epochs: {epochs}, trainable: {layers}, optimizer: {{ sgd: {{ lr: 0.05 }} }} }}")
    };
    let phases =
        [phase("a", 2, "head"), phase("b", 2, "{ from: encoder.layer.2 }"), phase("c", 1, "{ from: encoder.layer.1 }")];
    let (in_phases, expected) = trained(&of_texts(&phases.join(", ")), texts.path());
    let (events, weights) = trained(&of_texts(GRADUAL), texts.path());
    assert!(weights == expected, "apart by {}", apart(&weights, &expected));
    let shown = |events: &[Event]| {
        epochs(events).iter().map(|e| (e.loss, e.accuracy, e.val_loss, e.val_accuracy)).collect::<Vec<_>>()
    };
    assert_eq!(shown(&events), shown(&in_phases));
    let before = untrained(texts.path());
    for (name, values) in &before {
        let learned = ["head.", "encoder.layer.2", "encoder.layer.1"].iter().any(|layer| name.starts_with(layer));
        // what softmax takes no notice of may stay where it was
        assert!(learned || weights[name] == *values, "{name}");
    }

    let unfroze: Vec<_> =
        events.iter().filter_map(|e| if let Event::Unfroze(u) = e { Some(u) } else { None }).collect();
    let short: Vec<_> = unfroze.iter().map(|u| (u.epoch, u.layers.join(" "))).collect();
    assert_eq!(short, [(3, "encoder.layer.2".to_owned()), (5, "encoder.layer.1".to_owned())]);
    let experiment = parse(&of_texts(GRADUAL), texts.path());
    let plan = train::plan(&experiment).unwrap();
    let counts: Vec<usize> = plan.phases[0].unfreezes.iter().map(|(epoch, _)| *epoch as usize).collect();
    assert_eq!(counts, [3, 5]);
    assert!(unfroze[0].trainable_parameters > plan.phases[0].trainable_parameters);
}

/// Momentum, moments of layers that joined late, rates in the middle of a schedule, groups of batches: all go on.
#[test]
fn stopped_or_killed_anywhere_options_go_on_to_the_same_bytes() {
    let texts = texts();
    let adam = "optimizer: { adam: { lr: 0.01 } }, lr_decay: 0.8";
    let phase = format!(
        "{{ name: more, epochs: 4, trainable: gradual, {adam}, schedule: {{ cosine: {{ warmup_epochs: 0.7, cycles: 2 }} }} }}, \
         {{ name: cycle, epochs: 2, trainable: all, {adam}, schedule: one_cycle }}"
    );
    let text = of_texts(&phase)
        .replace("batch_size: 8", "batch_size: 4\n  accumulate: 3\n  label_smoothing: 0.1\n  class_weight: balanced")
        .replace("vocab.txt", "vocab.txt, l2: 0.01, head: [ { dropout: 0.2 } ]")
        .replace("save: last", "reduce_lr_on_plateau: { patience: 1, factor: 0.5, min_delta: 100 }");
    let experiment = parse(&text, texts.path());
    let whole = tempfile::tempdir().unwrap();
    let (expected, _) = in_attempts(&experiment, whole.path(), &[]);
    assert_eq!(expected.len(), 6);
    // 56 texts in groups of 12: five steps, an epoch and what it says; the second epoch unfreezes
    for endings in (4..26).step_by(3).map(|at| vec![Ending::Stop(at)]).chain([
        vec![Ending::Stop(9), Ending::Gone(12), Ending::Stop(3)],
        (0..8).map(|n| Ending::Stop(5 + n)).collect(),
    ]) {
        let run = tempfile::tempdir().unwrap();
        let (resumed, _) = in_attempts(&experiment, run.path(), &endings);
        assert_eq!(resumed, expected, "{endings:?}");
        assert!(model(run.path()) == model(whole.path()), "{endings:?}");
    }
}
