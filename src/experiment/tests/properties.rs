//! What holds for any text and any experiment.

use std::path::PathBuf;

use proptest::prelude::*;

use super::{LEAST, origin, read};
use crate::experiment::mistakes::Findings;
use crate::experiment::tree::{self, Kind, Node, Scalar, ScalarValue};
use crate::experiment::*;

/// What serde_yaml alone makes of a text, merges applied.
fn by_serde(text: &str) -> Option<serde_yaml::Value> {
    let mut value: serde_yaml::Value = serde_yaml::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    value.apply_merge().ok()?;
    Some(value)
}

fn as_serde(node: &Node) -> serde_yaml::Value {
    match &node.kind {
        Kind::Null => serde_yaml::Value::Null,
        Kind::Scalar(Scalar { typed, value }) => match *value {
            ScalarValue::Text => typed.as_str().into(),
            ScalarValue::Bool(value) => value.into(),
            ScalarValue::Number(value) => value.into(),
            ScalarValue::Whole(value) => i64::try_from(value).map_or_else(|_| (value as u64).into(), Into::into),
        },
        Kind::List(items) => items.iter().map(as_serde).collect(),
        Kind::Map(entries) => {
            let map = entries.iter().map(|entry| (entry.key.as_str().into(), as_serde(&entry.value)));
            serde_yaml::Value::Mapping(map.collect())
        }
    }
}

/// Every place must hold what was typed: for plain scalars of one line that can be seen. (Blocks begin at their text.)
fn places_hold_what_was_typed(node: &Node, text: &str) {
    let typed_at = |start: usize, end: usize| text[start..end].trim_end();
    match &node.kind {
        Kind::Scalar(Scalar { typed, .. }) => {
            let there = typed_at(node.place.start, node.place.end);
            let is_plain = !there.starts_with(['"', '\'', '*', '&']) && !text.contains(['|', '>']);
            assert!(!is_plain || there.contains('\n') || there == typed, "{typed:?} is at {there:?} of {text:?}");
        }
        Kind::Null => {}
        Kind::List(items) => items.iter().for_each(|item| places_hold_what_was_typed(item, text)),
        Kind::Map(entries) => entries.iter().for_each(|entry| places_hold_what_was_typed(&entry.value, text)),
    }
}

/// Holds the two readings together on one text.
fn readings_agree(text: &str) {
    let findings = Findings::default();
    let Ok(node) = tree::read(text, 0, 0, &findings) else { return };
    places_hold_what_was_typed(&node, text);
    if let (Ok(node), Some(value)) = (findings.into_result(Vec::new(), Some(node)), by_serde(text)) {
        assert_eq!(as_serde(&node), value, "{text:?}");
    }
}

#[test]
fn the_two_readings_agree_on_these() {
    for text in [
        super::EXAMPLE,
        LEAST,
        "a: 1\nb: [x, 'y', \"z\\n\", ~, null, '', true, False, 0x1f, 0o17, -3, 1e-3, .5, .inf, 1_0, 010, yes]\n",
        "? a\n: b\nc: |\n  lines\n  of text\nd: >-\n  folded\n  text\n",
        "a: &a {b: 1}\nc: *a\nd:\n  <<: *a\n  e: 2\nf: [*a, *a]\n",
        "é: ü # ö\nlist:\n- a\n-\n  - b\n- {c: d, 'e': f}\n- [g, h: i]\n",
        "plain: a text\n  of two lines\nquoted: 'it''s'\n\"k\": \"\\u00e9 \\x41\"\n",
        "--- \na: b\n...\n",
        "%YAML 1.2\n---\na: b\n",
        "a:\r\n  - b\r\n  - c: d\r\n",
        "model: {\n  pool: avg\n}\nhead: [\n  {a: 1},\n  b,\n]\n",
        "a:   # note\n  b: c#d   # note\n\n\n# end",
        "a: {b: [c, {d: e}], \"f\":g}\n",
        "url: http://a:80/b?c=d&e\npath: ../a b/c\ntime: 12:30\n",
        "{}",
        "[]",
        "big: 18446744073709551615\nneg: -9223372036854775808\n",
    ] {
        assert!(by_serde(text).is_some(), "{text:?}");
        assert!(tree::read(text, 0, 0, &Findings::default()).is_ok(), "{text:?}");
        readings_agree(text);
    }
}

/// Either an experiment, or at least one mistake, each within the lines of the text; and showing them never fails.
fn is_understood(text: &str) {
    if let Err(mistakes) = read(text) {
        assert!(mistakes.iter().len() > 0);
        let lines = text.matches('\n').count() + 1;
        for mistake in mistakes.iter() {
            assert!((1..=lines).contains(&mistake.line) && mistake.column >= 1, "{mistake:?} of {text:?}");
        }
        let shown = mistakes.to_string();
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
    }
}

/// Texts out of the pieces that YAML is made of.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just("\n".to_owned()),
        2 => Just("\n  ".to_owned()),
        2 => Just("\n    ".to_owned()),
        1 => Just("\r\n".to_owned()),
        3 => Just(": ".to_owned()),
        2 => Just("- ".to_owned()),
        2 => prop::sample::select(vec!["{", "}", "[", "]", ", ", "? ", "'", "\"", "|", ">", "#", " #", "---", "...", "\t", "%", "!", "!!str ", "@", "`", "\\", " "]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["&a ", "*a", "&b ", "*b", "<<: ", "<<: *a", "<<: [*a, *b]"]).prop_map(str::to_owned),
        4 => prop::sample::select(KEYS.iter().map(Key::name).collect::<Vec<_>>()).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["1", "-1", "0.5", "1e-3", ".nan", ".inf", "true", "null", "~", "adam", "head", "squeezenet1_1", "random", "é", "🍎", "\u{85}", "\u{2028}", "\u{feff}", "\u{7f}"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A right experiment with pieces replaced.
fn almost_right() -> impl Strategy<Value = String> {
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), yaml_like(), any::<bool>()).prop_map(
        |(from, to, new, long)| {
            let text = if long { super::EXAMPLE } else { LEAST };
            let (from, to) = (from.index(text.len()), to.index(text.len()));
            format!("{}{new}{}", &text[..from.min(to)], &text[from.max(to)..])
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_understood(text in any::<String>()) {
        is_understood(&text);
    }

    #[test]
    fn any_bytes_are_understood(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        std::fs::write(&path, bytes).unwrap();
        if let Err(mistakes) = load(&path, &[]) {
            prop_assert!(!mistakes.to_string().is_empty());
        }
    }

    #[test]
    fn what_looks_like_yaml_is_understood(text in yaml_like()) {
        is_understood(&text);
        readings_agree(&text);
    }

    #[test]
    fn what_is_almost_right_is_understood(text in almost_right()) {
        is_understood(&text);
        readings_agree(&text);
    }

    #[test]
    fn any_override_is_understood(key in "[a-z.0-9\\[\\]éx]{1,20}", value in yaml_like()) {
        if let Ok(set) = format!("{key}={value}").parse::<Override>()
            && let Err(mistakes) = parse(super::EXAMPLE, &origin(), &[set])
        {
            prop_assert!(!mistakes.to_string().is_empty());
        }
    }

    #[test]
    fn what_is_written_reads_back_equal(experiment in experiments()) {
        let written = experiment.to_yaml();
        let read = parse(&written, &origin(), &[]);
        prop_assert!(read.is_ok(), "{}\n{written}", read.unwrap_err());
        prop_assert_eq!(read.unwrap(), experiment);
    }
}

fn names() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "true", "null", "~", "1e-3", "7", "0x1f", "yes", "a: b", "a #b", "é🍎", "'", "\"", "*a", "&a", "!a", "#", "%",
        "@", "`", "a\u{a0}b", "<<",
    ]);
    prop_oneof![odd.prop_map(str::to_owned), "[^\\p{Cc}\\p{Cf}\\p{Z}/\\\\.-][^\\p{Cc}\\p{Cf}\\p{Z}/\\\\.]{0,20}"]
}

fn paths() -> impl Strategy<Value = PathBuf> {
    prop::collection::vec(names(), 1..4)
        .prop_map(|names| names.iter().fold(PathBuf::from("/"), |path, name| path.join(name)))
}

fn above_0() -> impl Strategy<Value = f64> {
    prop_oneof![1e-12..1.0, Just(1e-3), Just(1e-7), Just(f64::MIN_POSITIVE), Just(f64::MAX), Just(3.0)]
}

fn shares() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..1.0, Just(0.0), Just(0.1 + 0.2)]
}

fn figures() -> impl Strategy<Value = Figure> {
    let scores = || prop::sample::select(Score::ALL.to_vec());
    prop_oneof![
        (1usize..1000).prop_map(Figure::TopK),
        scores().prop_map(Figure::Macro),
        scores().prop_map(Figure::Weighted),
        (scores(), names()).prop_map(|(score, class)| Figure::OfClass(score, class)),
        Just(Figure::Auroc),
        Just(Figure::Ece),
    ]
}

/// Each once, and what is watched too.
fn measures() -> impl Strategy<Value = Vec<Measure>> {
    let scores = prop::sample::select(Score::ALL.to_vec());
    let measure = prop_oneof![4 => figures().prop_map(Measure::One), 1 => scores.prop_map(Measure::PerClass)];
    prop::collection::vec(measure, 0..4).prop_map(|mut measures| {
        measures.sort_by_key(Measure::to_string);
        measures.dedup();
        measures
    })
}

fn watches() -> impl Strategy<Value = Watch> {
    let always = vec![Metric::Loss, Metric::Accuracy, Metric::ValLoss, Metric::ValAccuracy];
    (prop_oneof![prop::sample::select(always), figures().prop_map(Metric::Val)], any::<bool>())
        .prop_map(|(monitor, min)| Watch { monitor, mode: if min { Mode::Min } else { Mode::Max } })
}

fn augments() -> impl Strategy<Value = Augment> {
    let ranges = |low: f64, high: f64| (low..=high, low..=high).prop_map(|(a, b)| [a.min(b), a.max(b)]);
    let erasing = (0.001..=1.0, ranges(0.001, 1.0), ranges(0.001, 1e3))
        .prop_map(|(probability, scale, ratio)| RandomErasing { probability, scale, ratio });
    let moves = (0.0..=180.0, shares(), 0.0..90.0, shares(), shares());
    let fills = prop::sample::select(vec![Fill::Nearest, Fill::Reflect, Fill::Constant]);
    let colours = (0.0..=255.0, prop::option::of(ranges(0.0, 100.0)), 0.0..=1.0);
    let mixes = (prop::option::of(above_0()), prop::option::of(above_0()), prop::option::of(1u32..=1000));
    let flips = (any::<bool>(), any::<bool>());
    (moves, fills, flips, colours, prop::option::of(erasing), mixes).prop_map(
        |(moves, fill_mode, flips, colours, random_erasing, (mixup, cutmix, views))| {
            let (rotation, zoom, shear, width_shift, height_shift) = moves;
            let (horizontal_flip, vertical_flip) = flips;
            let (channel_shift, brightness, contrast) = colours;
            Augment {
                rotation,
                zoom,
                shear,
                width_shift,
                height_shift,
                fill_mode,
                horizontal_flip,
                vertical_flip,
                channel_shift,
                brightness,
                contrast,
                random_erasing,
                mixup,
                cutmix,
                views,
            }
        },
    )
}

fn datas(task: Task) -> impl Strategy<Value = Data> {
    let augments = augments();
    let validation =
        prop_oneof![paths().prop_map(|path| (Some(path), None)), (0.01..1.0).prop_map(|share| (None, Some(share)))];
    let pictures = (16u32..=4096, any::<bool>(), prop_oneof![Just(Augment::NONE), augments.boxed()].boxed()).prop_map(
        |(image_size, nearest, augment)| {
            let resize = if nearest { Resize::Nearest } else { Resize::Bilinear };
            Inputs::Pictures(Pictures { image_size, resize, augment })
        },
    );
    let texts = ("[a-z ]{1,9}", "[^\\p{C}\\p{Zl}\\p{Zp}]{1,9}", 4usize..=8192).prop_map(
        |(text_column, label_column, max_length)| Inputs::Texts(Texts { text_column, label_column, max_length }),
    );
    let inputs = if task == Task::TextClassification { texts.boxed() } else { pictures.boxed() };
    (paths(), validation, inputs, 0usize..=1024).prop_map(|(train, (val, val_split), inputs, loader_threads)| Data {
        train,
        val,
        val_split,
        inputs,
        loader_threads,
    })
}

fn hub_weights() -> impl Strategy<Value = Weights> {
    let name = || "[a-zA-Z0-9][a-zA-Z0-9_-]{0,8}(\\.[a-z0-9]{1,3})?";
    let revisions = prop_oneof![name().prop_map(|name| name), (0u32..99).prop_map(|n| format!("refs/pr/{n}"))];
    let files = prop_oneof![
        name().prop_map(|name| format!("{name}.safetensors")),
        (name(), name()).prop_map(|(folder, name)| format!("{folder}/{name}.bin")),
    ];
    let place = (name(), name(), prop::option::of(revisions), prop::option::of(files));
    place.prop_map(|(owner, repo, revision, file)| Weights::Hub { repo: format!("{owner}/{repo}"), revision, file })
}

fn models() -> impl Strategy<Value = Model> {
    let weights = prop_oneof![
        Just(Weights::Random),
        (paths(), prop::sample::select(vec!["safetensors", "pth", "pt", "bin"]))
            .prop_map(|(path, ending)| Weights::File(PathBuf::from(format!("{}.{ending}", path.display())))),
        (0..KNOWN.len()).prop_map(|index| Weights::Known(&KNOWN[index])),
        hub_weights(),
    ];
    let layers = prop_oneof![
        (1usize..=65_536, any::<bool>()).prop_map(|(units, relu)| HeadLayer::Dense {
            units,
            activation: if relu { Activation::Relu } else { Activation::Linear },
        }),
        shares().prop_map(HeadLayer::Dropout),
    ];
    let preprocessing = prop::sample::select(vec![None, Some(Preprocessing::Caffe), Some(Preprocessing::Torch)]);
    let backbones = vec![Backbone::SqueezeNet1_1, Backbone::Vgg16, Backbone::ResNet50, Backbone::Bert];
    let tokenizers = prop::option::of(paths());
    let backbones = prop::sample::select(backbones);
    (backbones, weights, tokenizers, preprocessing, any::<bool>(), prop::collection::vec(layers, 0..4)).prop_map(
        |(backbone, weights, tokenizer, preprocessing, other_pool, head)| {
            let backbone = if let Weights::Known(known) = &weights { known.backbone } else { backbone };
            let of_texts = backbone.task() == Task::TextClassification;
            let other = if of_texts { Pool::Cls } else { Pool::Max };
            let tokenizer = tokenizer.or_else(|| (weights == Weights::Random).then(|| "/vocab.txt".into()));
            Model {
                backbone,
                weights,
                tokenizer: tokenizer.filter(|_| of_texts),
                preprocessing: preprocessing.filter(|_| !of_texts),
                pool: if other_pool { other } else { Pool::Avg },
                head,
            }
        },
    )
}

fn optimizers() -> impl Strategy<Value = Optimizer> {
    let variants = prop::sample::select(vec![AdamVariant::Keras, AdamVariant::PyTorch]);
    let adams = (above_0(), shares(), shares(), above_0(), variants)
        .prop_map(|(lr, beta_1, beta_2, epsilon, variant)| Optimizer::Adam { lr, beta_1, beta_2, epsilon, variant });
    let adamws =
        (above_0(), shares(), shares(), above_0(), shares()).prop_map(|(lr, beta_1, beta_2, epsilon, weight_decay)| {
            Optimizer::AdamW { lr, beta_1, beta_2, epsilon, weight_decay }
        });
    let sgds = (above_0(), shares(), any::<bool>(), shares(), shares()).prop_map(
        |(lr, momentum, nesterov, weight_decay, dampening)| {
            let nesterov = nesterov && momentum > 0.0;
            let dampening = if nesterov { 0.0 } else { dampening };
            Optimizer::Sgd { lr, momentum, nesterov, weight_decay, dampening }
        },
    );
    let rmsprops = (above_0(), shares(), above_0(), shares(), shares()).prop_map(
        |(lr, alpha, epsilon, momentum, weight_decay)| Optimizer::RmsProp {
            lr,
            alpha,
            epsilon,
            momentum,
            weight_decay,
        },
    );
    prop_oneof![adams, adamws, sgds, rmsprops]
}

fn phases() -> impl Strategy<Value = Vec<Phase>> {
    let trainables = prop_oneof![
        Just(Trainable::Head),
        Just(Trainable::All),
        Just(Trainable::None),
        (1usize..=10_000).prop_map(Trainable::LastLayers),
        names().prop_map(Trainable::From),
        prop::collection::vec("[a-z0-9_*?]{1,8}", 1..3).prop_map(Trainable::Names),
    ];
    let phase = (1u32..=100_000, trainables, optimizers());
    let named = prop::collection::hash_map(names(), phase, 1..4);
    named.prop_map(|phases| {
        let phases = phases.into_iter();
        phases.map(|(name, (epochs, trainable, optimizer))| Phase { name, epochs, trainable, optimizer }).collect()
    })
}

fn trains() -> impl Strategy<Value = Train> {
    let count = || 0u32..=100_000;
    let finite = prop_oneof![-1e9..1e9, Just(0.5)];
    let early = (watches(), count(), shares(), prop::option::of(finite), count(), any::<bool>()).prop_map(
        |(watch, patience, min_delta, baseline, start_from_epoch, restore_best_weights)| EarlyStopping {
            watch,
            patience,
            min_delta,
            baseline,
            start_from_epoch,
            restore_best_weights,
        },
    );
    let reduce = (watches(), 0.001..1.0, count(), shares(), count(), shares()).prop_map(
        |(watch, factor, patience, min_delta, cooldown, min_lr)| ReduceLrOnPlateau {
            watch,
            factor,
            patience,
            min_delta,
            cooldown,
            min_lr,
        },
    );
    let clip_norms = prop::option::of(above_0());
    let callbacks = (prop::option::of(early).boxed(), prop::option::of(reduce).boxed());
    let watched = (measures(), watches()).boxed();
    (1usize..=65_536, phases().boxed(), clip_norms, callbacks, watched, any::<bool>(), above_0()).prop_map(
        |(batch_size, phases, clip_norm, (early_stopping, reduce_lr_on_plateau), (metrics, watch), best, minutes)| {
            Train {
                metrics: with_watched(
                    metrics,
                    [
                        early_stopping.as_ref().map(|c: &EarlyStopping| &c.watch),
                        reduce_lr_on_plateau.as_ref().map(|c: &ReduceLrOnPlateau| &c.watch),
                        Some(&watch),
                    ],
                ),
                batch_size,
                checkpoint_minutes: minutes,
                phases,
                clip_norm,
                early_stopping,
                reduce_lr_on_plateau,
                watch,
                save: if best { Save::Best } else { Save::Last },
            }
        },
    )
}

fn with_watched(mut metrics: Vec<Measure>, watches: [Option<&Watch>; 3]) -> Vec<Measure> {
    for watch in watches.into_iter().flatten() {
        if let Metric::Val(figure) = &watch.monitor
            && !metrics.iter().any(|measure| measure.gives(figure))
        {
            metrics.push(Measure::One(figure.clone()));
        }
    }
    metrics
}

fn limits() -> impl Strategy<Value = Limits> {
    (0u32..=1000, prop::option::of(above_0()), prop::option::of(above_0()))
        .prop_map(|(retries, time_limit_minutes, memory_gib)| Limits { retries, time_limit_minutes, memory_gib })
}

fn experiments() -> impl Strategy<Value = Experiment> {
    let devices = prop::sample::select(vec![Device::Auto, Device::Cpu, Device::Cuda, Device::Metal]);
    let of_one_task = models().prop_flat_map(|model| (datas(model.backbone.task()), Just(model)));
    (names(), any::<u64>(), 0usize..=1024, devices, limits(), of_one_task.boxed(), trains().boxed()).prop_map(
        |(name, seed, threads, device, limits, (data, model), train)| Experiment {
            name,
            task: model.backbone.task(),
            seed,
            threads,
            device,
            limits,
            data,
            model,
            train,
        },
    )
}
