//! Adapters in whole small runs: what each key of `model.lora` does to the weights that are saved, worked out by hand.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store
#![allow(dead_code)] // of what the tests share

mod little;

use std::collections::HashMap;
use std::path::Path;

use finetop::record::event::{Event, PhaseStarted};
use finetop::train::Predictor;

use little::{Ending, flat, in_attempts, model, parse, tensors, texts, train_whole};

/// A BERT of 16 features in three layers.
const TEXTS: &str = "
name: tiny
threads: 1
data: { train: train.csv, val_split: 0.3, max_length: 10 }
model: { backbone: bert, weights: random, tokenizer: vocab.txt, LORA }
train:
  batch_size: 64
  save: last
  phases: [ PHASE ]
";

/// One step by plain descent, of all 56 texts at once.
const STEP: &str = "{ epochs: 1, trainable: all, optimizer: { sgd: { lr: 0.5 } } }";

type Saved = HashMap<String, Vec<f32>>;

/// What a run says, and the weights that it saves.
fn trained(lora: &str, phase: &str, folder: &Path) -> (Vec<Event>, Saved) {
    let run = tempfile::tempdir().unwrap();
    let text = TEXTS.replace("LORA", lora).replace("PHASE", phase);
    let events = train_whole(&parse(&text, folder), run.path());
    (events, tensors(&model(run.path())).into_iter().map(|(name, tensor)| (name, flat(&tensor))).collect())
}

/// What the run of one step does to each tensor of the backbone that it changes.
fn moved(lora: &str, folder: &Path) -> HashMap<String, Vec<f32>> {
    let (_, before) = trained("pool: avg", "{ epochs: 1, trainable: none }", folder);
    let (_, after) = trained(lora, STEP, folder);
    assert_eq!(names(&before), names(&after), "a saved model is an ordinary one");
    let difference = |(name, values): (String, Vec<f32>)| {
        let moved: Vec<f32> = values.iter().zip(&before[&name]).map(|(after, before)| after - before).collect();
        (name, moved)
    };
    let differences = after.into_iter().filter(|(name, _)| !name.starts_with("head.")).map(difference);
    differences.filter(|(_, moved)| moved.iter().any(|&by| by != 0.0)).collect()
}

fn names<T>(of: &HashMap<String, T>) -> Vec<&str> {
    let mut names: Vec<&str> = of.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, value| most.max(value.abs()))
}

const QUERY: &str = "encoder.layer.1.attention.self.query.weight";

#[test]
fn the_layers_that_are_named_change_and_nothing_else_of_the_backbone() {
    let texts = texts();
    let changed =
        |lora: &str| names(&moved(lora, texts.path())).iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let of_all = |part: &str| (0..3).map(|layer| format!("encoder.layer.{layer}.{part}.weight")).collect::<Vec<_>>();
    let mut usual = [of_all("attention.self.query"), of_all("attention.self.value")].concat();
    usual.sort_unstable();
    assert_eq!(changed("lora: {}"), usual, "query and value where nothing is said");
    assert_eq!(changed("lora: { layers: [encoder.layer.1.*query] }"), [QUERY]);
    let mut dense = [of_all("attention.output.dense"), of_all("intermediate.dense"), of_all("output.dense")].concat();
    dense.sort_unstable();
    assert_eq!(changed("lora: { layers: [dense] }"), dense);
}

/// A matrix of rank 1 has no minor of two rows and columns that is not zero.
#[test]
fn what_changes_is_of_the_rank() {
    let texts = texts();
    let minor = |rank: usize| {
        let moved = moved(&format!("lora: {{ rank: {rank}, layers: [query] }}"), texts.path()).remove(QUERY).unwrap();
        let at = |row: usize, column: usize| f64::from(moved[16 * row + column]);
        let minors = (0..15).flat_map(|row| (0..15).map(move |column| (row, column)));
        let most =
            minors.map(|(r, c)| (at(r, c) * at(r + 1, c + 1) - at(r, c + 1) * at(r + 1, c)).abs()).fold(0.0, f64::max);
        most / f64::from(largest(&moved)).powi(2)
    };
    let (one, two) = (minor(1), minor(2));
    assert!(one < 1e-3 && two > 1e-2, "{one} {two}");
}

/// The first step moves B alone, by -lr s dW Aᵀ, and so the matrix by -lr s² dW Aᵀ A.
#[test]
fn twice_the_alpha_moves_a_matrix_four_times_as_far() {
    let texts = texts();
    let of = |alpha: f64| {
        moved(&format!("lora: {{ alpha: {alpha}, layers: [query] }}"), texts.path()).remove(QUERY).unwrap()
    };
    let (once, twice) = (of(8.0), of(16.0));
    let off = once.iter().zip(&twice).map(|(once, twice)| (4.0 * once - twice).abs()).fold(0.0, f32::max);
    assert!(off < 1e-2 * largest(&twice), "{off} of {}", largest(&twice));
}

#[test]
fn dropout_is_of_the_adapters() {
    let texts = texts();
    let of = |dropout: f64| moved(&format!("lora: {{ dropout: {dropout} }}"), texts.path()).remove(QUERY).unwrap();
    let (none, half) = (of(0.0), of(0.5));
    let off = none.iter().zip(&half).map(|(none, half)| (none - half).abs()).fold(0.0, f32::max);
    assert!(off > 1e-2 * largest(&none), "{off} of {}", largest(&none));
}

/// 16 features and rank 3: 96 scalars a matrix, two matrices in each of three layers; the head has 16 × 2 + 2.
#[test]
fn the_record_counts_what_learns_and_the_model_is_used_as_any_other() {
    let texts = texts();
    let run = tempfile::tempdir().unwrap();
    let phases = "{ name: head, epochs: 1 }, { name: last, epochs: 2, trainable: { last_layers: 1 } }, { name: all, epochs: 8, trainable: all, optimizer: { adam: { lr: 1e-2 } } }";
    let text = TEXTS.replace("LORA", "lora: { rank: 3 }").replace("PHASE", phases).replace("64", "8");
    let events = train_whole(&parse(&text, texts.path()), run.path());
    let started = |event: &Event| match event {
        Event::PhaseStarted(PhaseStarted { trainable_parameters, trainable, .. }) => {
            Some((*trainable_parameters, trainable.len()))
        }
        _ => None,
    };
    // the head's pooling has nothing to learn
    assert_eq!(events.iter().filter_map(started).collect::<Vec<_>>(), [(34, 1), (34 + 2 * 96, 2), (34 + 6 * 96, 4)]);
    let losses: Vec<f64> =
        events.iter().filter_map(|e| if let Event::Epoch(e) = e { Some(e.loss) } else { None }).collect();
    assert!(losses[10] < 0.6 * losses[0], "{losses:?}");

    let predictor = Predictor::open(&run.path().join("model")).unwrap();
    let asked = [("1".to_owned(), "the apple bread".to_owned()), ("2".to_owned(), "the ship".to_owned())];
    let likeliest = predictor.texts(&asked).unwrap().into_iter().map(|answer| answer.unwrap().classes[0].0.clone());
    assert_eq!(likeliest.collect::<Vec<_>>(), ["food", "transport"]);
    std::fs::copy(run.path().join("model/model.safetensors"), texts.path().join("tuned.safetensors")).unwrap();
    let again =
        TEXTS.replace("weights: random", "weights: tuned.safetensors").replace("LORA", "lora: { layers: [key] }");
    let again = train_whole(&parse(&again.replace("PHASE", STEP), texts.path()), tempfile::tempdir().unwrap().path());
    assert!(again.iter().any(|event| matches!(event, Event::Finished(_))));
}

#[test]
fn stopped_or_killed_anywhere_adapters_go_on_to_the_same_bytes() {
    let texts = texts();
    let phase = "{ epochs: 4, trainable: gradual, optimizer: { adam: { lr: 1e-2 } } }";
    let text =
        TEXTS.replace("LORA", "lora: { rank: 2, dropout: 0.3, layers: [value, '*dense'] }").replace("PHASE", phase);
    let experiment = parse(
        &text.replace("64", "12").replace("save: last", "early_stopping: { patience: 9, restore_best_weights: true }"),
        texts.path(),
    );
    let whole = tempfile::tempdir().unwrap();
    let (expected, _) = in_attempts(&experiment, whole.path(), &[]);
    assert_eq!(expected.len(), 4);
    let once = (4..22).step_by(4).map(|at| vec![Ending::Stop(at)]);
    for endings in once.chain([vec![Ending::Stop(9), Ending::Gone(12), Ending::Stop(3)]]) {
        let run = tempfile::tempdir().unwrap();
        let (resumed, _) = in_attempts(&experiment, run.path(), &endings);
        assert_eq!(resumed, expected, "{endings:?}");
        assert!(model(run.path()) == model(whole.path()), "{endings:?}");
    }
}
