use super::*;
use crate::experiment::{Origin, parse};

const MIB: u64 = 1 << 20;

fn write(path: PathBuf, content: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// A folder with `train` and `val`, of two classes with so many pictures each, which nobody looks at.
fn pictures(train: usize, val: usize) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (side, count) in [("train", train), ("val", val)] {
        for number in 0..count {
            write(root.path().join(format!("{side}/a/{number}.png")), b"");
            write(root.path().join(format!("{side}/b/{number}.png")), b"");
        }
    }
    root
}

fn experiment(root: &Path, data: &str, model: &str, train: &str) -> Experiment {
    let text = format!(
        "threads: 2\ndata: {{ train: train, val: val, {data} }}\nmodel: {{ weights: random, {model} }}\ntrain: {{ {train} }}\n"
    );
    let origin = Origin { shown: "x.yaml".into(), folder: root.to_owned(), stem: "x".into() };
    parse(&text, &origin, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn phases(trainable: &str) -> String {
    format!("phases: [{{ trainable: {trainable} }}]")
}

fn estimated(experiment: &Experiment) -> Memory {
    estimate(experiment, &mut Counted::default(), u64::MAX).unwrap()
}

#[test]
fn weights_are_those_of_the_network_and_what_stands_beside_them() {
    let root = pictures(2, 1);
    let weights = |model, train: &str| estimated(&experiment(root.path(), "image_size: 64", model, train)).weights;
    let largest = 512 * 512 * 3 * 3;
    // with running statistics and a head of two classes
    let all = 11_176_512 + 9_600 + 512 * 2 + 2 + 2 * largest;
    let head = 512 * 2 + 2;
    for (train, scalars) in [
        (phases("none"), all),
        (phases("head"), all + 2 * head + 5 * head),
        (format!("{}, early_stopping: {{ restore_best_weights: true }}", phases("head")), all + 8 * head),
        ("phases: [{ trainable: head, optimizer: { sgd: { lr: 0.1 } } }]".into(), all + 3 * head),
    ] {
        assert_eq!(weights("backbone: resnet18", &train), 4 * scalars as u64, "{train}");
    }
}

#[test]
fn a_step_grows_with_the_batch_the_pictures_and_what_learns() {
    let root = pictures(16, 1);
    let step = |size: usize, batch: usize, trainable: &str| {
        let train = format!("batch_size: {batch}, {}", phases(trainable));
        let data = format!("image_size: {size}, augment: {{ rotation: 5 }}");
        estimated(&experiment(root.path(), &data, "backbone: vgg16", &train)).activations
    };
    // 64 channels of 64 × 64 in f32 for each of 8 samples: the two results of the first block alone
    let first_block = 2 * 8 * 64 * 64 * 64 * 4;
    let small = step(64, 8, "all");
    assert!(small > 2 * first_block, "{small}");
    let doubled = step(64, 16, "all");
    // filters in Winograd's form take the same, whatever the batch
    assert!((1.4..2.0).contains(&(doubled as f64 / small as f64)), "{doubled} {small}");
    let larger = step(128, 8, "all");
    assert!((2.0..4.0).contains(&(larger as f64 / small as f64)), "{larger} {small}");
    let frozen = step(64, 8, "head");
    assert!(frozen < small, "{frozen} {small}");
}

#[test]
fn features_are_those_of_the_samples_that_were_counted() {
    let (few, many) = (pictures(2, 1), pictures(40, 10));
    let of = |root: &tempfile::TempDir, data: &str| {
        let data = format!("image_size: 64{data}");
        let train = format!("batch_size: 1, {}", phases("head"));
        estimated(&experiment(root.path(), &data, "backbone: resnet18", &train))
    };
    assert_eq!(of(&few, "").features, 6 * 512 * 4);
    assert_eq!(of(&many, "").features, 100 * 512 * 4);
    assert_eq!(of(&many, ", augment: { rotation: 5, views: 3 }").features, (80 * 3 + 20) * 512 * 4);
    assert_eq!(of(&many, ", augment: { rotation: 5 }").features, 20 * 512 * 4);
    let kept = of(&many, "").samples - of(&few, "").samples;
    assert_eq!(kept, 94 * (3 * 64 * 64 + NAME));
}

#[test]
fn texts_are_as_long_as_their_table_allows() {
    let root = tempfile::tempdir().unwrap();
    write(root.path().join("train"), b"text,label\nred apple,food\nant,animal\nbee,animal\n");
    write(root.path().join("val"), b"text,label\npear,food\n");
    write(root.path().join("vocab.txt"), b"[UNK]\n");
    let tokenizer = root.path().join("vocab.txt");
    let model = format!("backbone: distilbert, tokenizer: {}", tokenizer.display());
    let experiment = experiment(root.path(), "max_length: 64", &model, &phases("head"));
    let outlook = Counted::default().of(&experiment.data);
    let expected = Outlook { train: 4, val: 2, classes: 16, input: InputShape::Text { tokens: 16 } };
    assert_eq!(outlook, expected);
    // the base model of the family
    let base = 66_362_880 + 2 * 30_522 * 768;
    assert!(estimated(&experiment).weights.abs_diff(4 * base) < 1 << 20);
}

#[test]
fn what_an_experiment_says_itself_counts() {
    let root = pictures(1, 1);
    let mut experiment = experiment(root.path(), "image_size: 64", "backbone: resnet50", &phases("all"));
    let each = needed_by_each([&experiment, &experiment]);
    assert_eq!(each, [needed(&experiment); 2]);
    assert!(each[0] > 23_000_000 * 4 * 4, "{each:?}");
    experiment.limits.memory_gib = Some(1.5);
    assert_eq!(needed(&experiment), 1536 * MIB);
}

#[test]
fn what_cannot_be_estimated_needs_the_program() {
    let nowhere = experiment(
        Path::new("/nowhere"),
        "image_size: 16",
        "backbone: squeezenet1_1",
        &phases("{ from: no_such_layer }"),
    );
    assert_eq!(needed(&nowhere), PROGRAM);
}

#[test]
fn features_get_what_is_left_of_the_reserved() {
    let root = pictures(40, 10);
    let data = "image_size: 64, augment: { rotation: 5, views: 50 }";
    let experiment = experiment(root.path(), data, "backbone: resnet18", &phases("{ last_layers: 1 }"));
    let mut counted = Counted::default();
    let outlook = counted.of(&experiment.data);
    let mut network = Network::of_shapes(&experiment.model, outlook.classes).unwrap();
    let stretches = stretches(&mut network, &experiment).unwrap();
    let outlines = network.outline(outlook.input, 1).unwrap();
    let sizes = Sizes::new(&experiment, outlook.input, &outlines, [outlook.train, outlook.val]);
    let run = Run { experiment: &experiment, network: &network, stretches: &stretches, input: outlook.input, sizes };
    let room = |reserved, machine| run.feature_limit(reserved, machine).unwrap();

    let all = run.memory(u64::MAX).unwrap();
    assert!(all.features > 16 * MIB);
    assert_eq!(room(Some(all.total()), None), all.features, "as much as was estimated");
    assert_eq!(room(Some(all.total() - MIB), None), all.features - MIB);
    assert_eq!(room(Some(1), None), 0);
    for (machine, expected) in [(None, 1 << 30), (Some(8 << 30), 2 << 30), (Some(64 << 30), 4 << 30)] {
        assert_eq!(room(None, machine), expected, "{machine:?}");
    }
    let less = run.memory(all.features - 1).unwrap();
    assert!(less.features < all.features, "what does not fit is not kept");
}
