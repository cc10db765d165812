//! Real runs that fall into a pitfall, and are told, and runs that do not, and are not.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{Device, Tensor};
use finetop::base::random::{Purpose, Stream};
use finetop::experiment::{self, Experiment, Origin, Override};
use finetop::record::event::{Advice, Event, Severity};
use finetop::record::life::Cause;
use finetop::train::{self, End, Error, Job};

/// How the pictures of a class look: noise around a colour, all over or in the middle of grey.
struct Class {
    name: &'static str,
    colour: [i32; 3],
    train: u64,
    val: u64,
}

const fn class(name: &'static str, colour: [i32; 3], train: u64, val: u64) -> Class {
    Class { name, colour, train, val }
}

const THREE: [Class; 3] =
    [class("blue", [40, 60, 200], 12, 6), class("green", [50, 190, 60], 12, 6), class("red", [210, 50, 40], 12, 6)];

/// A folder with `train` and `val`. Only the square of `size` pixels in the middle has the colour.
fn pictures(classes: &[Class], noise: f64, size: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (index, class) in (0..).zip(classes) {
        for (side, count) in [("train", class.train), ("val", class.val)] {
            let place = folder.path().join(side).join(class.name);
            std::fs::create_dir_all(&place).unwrap();
            for number in 0..count {
                let number = number + 1000 * u64::from(side == "val");
                let mut draw = Stream::new(1, Purpose::Augment, index, number);
                let picture = image::RgbImage::from_fn(32, 32, |x, y| {
                    let is_inside = x.abs_diff(16) < size.div_ceil(2) && y.abs_diff(16) < size.div_ceil(2);
                    let colour = if is_inside { class.colour } else { [128; 3] };
                    image::Rgb(colour.map(|c| (c + draw.range(-noise, noise) as i32).clamp(0, 255) as u8))
                });
                picture.save(place.join(format!("{number:04}.png"))).unwrap();
            }
        }
    }
    folder
}

/// Three colours that are easily told apart.
fn colours() -> tempfile::TempDir {
    pictures(&THREE, 40.0, 32)
}

const PLAIN: &str = "
name: tiny
seed: 7
data: { train: train, val: val, image_size: 32 }
model: { backbone: squeezenet1_1, weights: random }
train:
  batch_size: 8
  phases: [ { name: head, epochs: 4, optimizer: { adam: { lr: 1e-3 } } } ]
";

/// [`PLAIN`] with `changes` as `--set` takes them.
fn experiment(folder: &Path, changes: &[&str]) -> Experiment {
    let origin = Origin { shown: "tiny.yaml".into(), folder: folder.to_owned(), stem: "tiny".into() };
    let changes: Vec<Override> = changes.iter().map(|change| change.parse().unwrap()).collect();
    experiment::parse(PLAIN, &origin, &changes).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Trains until `is_enough`, which sees every event, and gives what was advised.
fn advised_until(
    experiment: &Experiment,
    run: &Path,
    mut is_enough: impl FnMut(&Event) -> bool,
) -> (Result<End, Error>, Vec<Advice>) {
    let stop = AtomicBool::new(false);
    let mut advised = Vec::new();
    let mut emit = |event: Event| {
        stop.fetch_or(is_enough(&event), Ordering::Relaxed);
        if let Event::Advice(advice) = event {
            advised.push(advice);
        }
        Ok(())
    };
    let result = train::run(&Job { experiment, folder: run, attempt: 1 }, &mut emit, &stop);
    (result, advised)
}

fn advised(experiment: &Experiment) -> Vec<Advice> {
    let run = tempfile::tempdir().unwrap();
    let (result, advised) = advised_until(experiment, run.path(), |_| false);
    assert!(matches!(result, Ok(End::Finished(_))), "{result:?}");
    advised
}

/// What is advised beside that the weights are random, which they are in most tests.
fn kinds(folder: &Path, changes: &[&str]) -> Vec<String> {
    let advised = advised(&experiment(folder, changes)).into_iter();
    advised.map(|advice| advice.kind).filter(|kind| kind != "random_weights").collect()
}

/// The weights of the repository, which say `caffe`.
fn pretrained() -> String {
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/weights/squeezenet1_1.safetensors");
    format!("model.weights={}", weights.display())
}

#[test]
fn a_plain_run_is_told_nothing_but_that_its_weights_are_random() {
    let data = colours();
    let advised = advised(&experiment(data.path(), &["train.phases.0.epochs=10"]));
    assert_eq!(advised.len(), 1, "{advised:?}");
    assert_eq!((&*advised[0].kind, advised[0].severity), ("random_weights", Severity::Warning));
    assert_eq!(advised[0].suggestion, "model.weights: imagenet");
    assert!(advised[0].message.contains("9 of the backbone's 9 layers never learn"), "{}", advised[0].message);
}

#[test]
fn a_rate_that_is_too_high_or_too_low_is_told() {
    let data = colours();
    let at = |lr: &str| kinds(data.path(), &[&format!("train.phases.0.optimizer.adam.lr={lr}")]);
    assert_eq!(at("30"), ["learning_rate_too_high"]);
    assert_eq!(at("1e-8"), ["learning_rate_too_low"]);
    assert!(at("1e-2").is_empty());
}

#[test]
fn a_phase_too_fast_for_what_was_learned_is_told() {
    let data = colours();
    let phases = |lr: &str| {
        let head = "{ name: head, epochs: 3, optimizer: { adam: { lr: 1e-3 } } }";
        let tuned = format!(
            "{{ name: tune, epochs: 3, trainable: {{ last_layers: 2 }}, optimizer: {{ adam: {{ lr: {lr} }} }} }}"
        );
        kinds(data.path(), &[&pretrained(), &format!("train.phases=[ {head}, {tuned} ]")])
    };
    assert_eq!(phases("1"), ["learning_rate_too_high"]);
    assert!(phases("1e-5").is_empty());
}

/// Noise without anything to know: the training pictures are learned by heart.
#[test]
fn overfitting_is_told() {
    let noise = pictures(&THREE.map(|class| Class { colour: [128; 3], ..class }), 120.0, 32);
    let head = "model.head=[ { dense: { units: 64, activation: relu } } ]";
    let told = |epochs: u32| {
        let epochs = format!("train.phases.0.epochs={epochs}");
        kinds(noise.path(), &[&pretrained(), "train.batch_size=36", head, &epochs])
    };
    assert_eq!(told(60), ["overfitting"]);
    assert!(told(8).is_empty(), "before it does");
}

#[test]
fn frozen_layers_are_told() {
    let data = colours();
    assert_eq!(kinds(data.path(), &["train.phases.0.trainable=none"]), ["frozen_layers"]);
}

/// Few of a class that looks like another are taken for that one.
#[test]
fn a_rare_class_that_is_not_found_is_told() {
    let of = |rare| {
        let [blue, green, _] = THREE;
        let like_blue = class("violet", [70, 60, 200], rare, 6);
        pictures(&[Class { train: 24, ..blue }, Class { train: 24, ..green }, like_blue], 40.0, 32)
    };
    let (rare, even) = (of(3), of(24));
    let faster = ["train.phases.0.epochs=8", "train.phases.0.optimizer.adam.lr=3e-3"];
    let advised = advised(&experiment(rare.path(), &faster));
    let imbalance = advised.iter().find(|advice| advice.kind == "class_imbalance");
    let message = &imbalance.unwrap_or_else(|| panic!("{advised:?}")).message;
    assert!(message.starts_with("class violet has 3 training samples, the largest 24"), "{message}");
    assert!(kinds(rare.path(), &[&faster[..], &["train.class_weight=balanced"]].concat()).is_empty());
    assert!(!kinds(even.path(), &faster).contains(&"class_imbalance".to_owned()));
}

#[test]
fn a_picture_on_both_sides_is_told() {
    let data = colours();
    std::fs::copy(data.path().join("train/red/0003.png"), data.path().join("val/red/again.png")).unwrap();
    let told = advised(&experiment(data.path(), &["train.phases.0.epochs=1"]));
    let duplicates =
        told.iter().find(|advice| advice.kind == "duplicate_samples").unwrap_or_else(|| panic!("{told:?}"));
    assert_eq!(duplicates.evidence["duplicates"], 1);
    assert!(duplicates.message.contains("again.png") && duplicates.message.contains("0003.png"), "{duplicates:?}");
}

#[test]
fn an_augmentation_that_hides_what_matters_is_told() {
    let many = THREE.map(|class| Class { train: 24, val: 12, ..class });
    let small = pictures(&many, 20.0, 12);
    let changed = |shift: &str| {
        let shift = format!("data.augment={{ width_shift: {shift}, height_shift: {shift} }}");
        kinds(
            small.path(),
            &[&shift, &pretrained(), "train.phases.0.epochs=6", "train.phases.0.optimizer.adam.lr=1e-2"],
        )
    };
    assert_eq!(changed("0.9"), ["augmentation_too_strong"]);
    assert!(changed("0.05").is_empty());
}

/// The tensors of a model that was trained a little, without a word on what they want as input.
fn tensors(data: &Path, changes: &[&str]) -> HashMap<String, Tensor> {
    let run = tempfile::tempdir().unwrap();
    let experiment = experiment(data, &[changes, &["train.phases.0.epochs=1"]].concat());
    advised_until(&experiment, run.path(), |_| false).0.unwrap();
    candle_core::safetensors::load(run.path().join("model/model.safetensors"), &Device::Cpu).unwrap()
}

#[test]
fn weights_of_which_a_part_is_left_out_are_told_and_whole_ones_are_not() {
    let data = colours();
    let mut tensors = tensors(data.path(), &[]);
    let file = data.path().join("weights.safetensors");
    candle_core::safetensors::save(&tensors, &file).unwrap();
    let from_file = ["model.weights=weights.safetensors", "train.phases.0.epochs=1"];
    assert!(advised(&experiment(data.path(), &from_file)).is_empty());
    // as if the file were of a network with a block more
    tensors.insert("fire10.squeeze1x1.weight".to_owned(), tensors["fire9.squeeze1x1.weight"].copy().unwrap());
    candle_core::safetensors::save(&tensors, &file).unwrap();
    let told = advised(&experiment(data.path(), &from_file));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].message.contains("1 tensors") && told[0].message.contains("fire10.squeeze1x1.weight"));
}

#[test]
fn preprocessing_against_what_the_weights_say_is_told() {
    let data = colours();
    let weights = pretrained();
    let told = |more: &[&str]| kinds(data.path(), &[&[&*weights, "train.phases.0.epochs=1"], more].concat());
    assert_eq!(told(&["model.preprocessing=torch"]), ["wrong_preprocessing"]);
    assert!(told(&["model.preprocessing=caffe"]).is_empty() && told(&[]).is_empty());
}

/// Nothing in the file says what the weights want; the running statistics of their first batch normalisation do.
#[test]
fn preprocessing_against_the_first_batch_statistics_is_told() {
    let data = colours();
    let resnet = ["model.backbone=resnet18", "train.phases.0.epochs=1"];
    let tensors = tensors(data.path(), &resnet[..1]);
    candle_core::safetensors::save(&tensors, data.path().join("weights.safetensors")).unwrap();
    let told = |more: &str| kinds(data.path(), &[&resnet[..], &["model.weights=weights.safetensors", more]].concat());
    assert_eq!(told("model.preprocessing=caffe"), ["wrong_preprocessing"]);
    assert!(told("model.preprocessing=torch").is_empty());
}

/// Wherever it was stopped: what a rule has seen and what was said is in the checkpoint.
#[test]
fn a_run_that_was_stopped_and_resumed_is_told_the_same_once() {
    let data = colours();
    let experiment = experiment(data.path(), &["train.phases.0.optimizer.adam.lr=1e-8"]);
    let whole = advised(&experiment);
    assert_eq!(whole.len(), 2, "{whole:?}");
    for stops in [vec![3], vec![7, 9], vec![1, 1, 1, 1, 1, 1, 1], vec![12, 6]] {
        let run = tempfile::tempdir().unwrap();
        let mut told = Vec::new();
        for steps in stops {
            let mut seen = 0;
            let (result, advised) = advised_until(&experiment, run.path(), |event| {
                seen += usize::from(matches!(event, Event::Step(_)));
                seen >= steps
            });
            assert_eq!(result.unwrap(), End::Stopped);
            told.extend(advised);
        }
        told.extend(advised_until(&experiment, run.path(), |_| false).1);
        assert_eq!(told, whole);
    }
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_and_the_hint_names_the_rate() {
    let data = colours();
    let experiment =
        experiment(data.path(), &["train.phases.0.trainable=all", "train.phases.0.optimizer={ sgd: { lr: 1e30 } }"]);
    let run = tempfile::tempdir().unwrap();
    let (result, _) = advised_until(&experiment, run.path(), |_| false);
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Diverged { epoch: 1, .. }) && error.cause() == Cause::Diverged, "{error}");
    assert!(
        error.to_string().contains("step ") && error.hint().unwrap().contains("learning rate than 1000"),
        "{error}: {:?}",
        error.hint()
    );
}
