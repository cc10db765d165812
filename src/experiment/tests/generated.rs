//! Experiments of all kinds, for tests of what holds for any.

use std::path::PathBuf;

use proptest::prelude::*;

use crate::experiment::*;

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
fn measures() -> BoxedStrategy<Vec<Measure>> {
    let scores = prop::sample::select(Score::ALL.to_vec());
    let measure = prop_oneof![4 => figures().prop_map(Measure::One), 1 => scores.prop_map(Measure::PerClass)];
    let measures = prop::collection::vec(measure, 0..4).prop_map(|mut measures| {
        measures.sort_by_key(Measure::to_string);
        measures.dedup();
        measures
    });
    measures.boxed()
}

fn watches() -> BoxedStrategy<Watch> {
    let always = vec![Metric::Loss, Metric::Accuracy, Metric::ValLoss, Metric::ValAccuracy];
    (prop_oneof![prop::sample::select(always), figures().prop_map(Metric::Val)], any::<bool>())
        .prop_map(|(monitor, min)| Watch { monitor, mode: if min { Mode::Min } else { Mode::Max } })
        .boxed()
}

fn augments() -> BoxedStrategy<Augment> {
    let ranges = |low: f64, high: f64| (low..=high, low..=high).prop_map(|(a, b)| [a.min(b), a.max(b)]);
    let erasing = (0.001..=1.0, ranges(0.001, 1.0), ranges(0.001, 1e3))
        .prop_map(|(probability, scale, ratio)| RandomErasing { probability, scale, ratio });
    let moves = (0.0..=180.0, shares(), 0.0..90.0, shares(), shares());
    let fills = prop::sample::select(vec![Fill::Nearest, Fill::Reflect, Fill::Constant]);
    let colours = (0.0..=255.0, prop::option::of(ranges(0.0, 100.0)), 0.0..=1.0);
    let mixes = (prop::option::of(above_0()), prop::option::of(above_0()), prop::option::of(1u32..=1000));
    let flips = (any::<bool>(), any::<bool>());
    let all = (moves, fills, flips, colours, prop::option::of(erasing), mixes);
    all.prop_map(|(moves, fill_mode, flips, colours, random_erasing, (mixup, cutmix, views))| {
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
    })
    .boxed()
}

fn datas(task: Task) -> impl Strategy<Value = Data> {
    let validation =
        prop_oneof![paths().prop_map(|path| (Some(path), None)), (0.01..1.0).prop_map(|share| (None, Some(share)))];
    let pictures = (16u32..=4096, any::<bool>(), prop_oneof![Just(Augment::NONE), augments()].boxed()).prop_map(
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

fn loras() -> impl Strategy<Value = Option<Lora>> {
    let layers = prop::sample::select(vec!["query", "*dense", "encoder.layer.[01].*", "pooler.dense"]);
    let layers = prop::collection::vec(layers.prop_map(str::to_owned), 1..3);
    let lora = (1usize..=1024, above_0(), shares(), layers);
    prop::option::of(lora.prop_map(|(rank, alpha, dropout, layers)| Lora { rank, alpha, dropout, layers }))
}

fn models() -> BoxedStrategy<Model> {
    let weights = prop_oneof![
        Just(Weights::Random),
        (paths(), prop::sample::select(vec!["safetensors", "pth", "pt", "bin"]))
            .prop_map(|(path, ending)| Weights::File(PathBuf::from(format!("{}.{ending}", path.display())))),
        (0..KNOWN.len()).prop_map(|index| Weights::Known(&KNOWN[index])),
        hub_weights(),
    ];
    let layers = prop_oneof![
        (1usize..=65_536, any::<bool>(), prop::option::of(shares())).prop_map(|(units, relu, l2)| {
            HeadLayer::Dense { units, l2, activation: if relu { Activation::Relu } else { Activation::Linear } }
        }),
        shares().prop_map(HeadLayer::Dropout),
    ];
    let preprocessing = prop::sample::select(vec![None, Some(Preprocessing::Caffe), Some(Preprocessing::Torch)]);
    let backbones = vec![Backbone::SqueezeNet1_1, Backbone::Vgg16, Backbone::ResNet50, Backbone::Bert];
    let tokenizers = prop::option::of(paths());
    let backbones = prop::sample::select(backbones);
    let heads = (shares(), prop::collection::vec(layers, 0..4), loras());
    (backbones, weights, tokenizers, preprocessing, any::<bool>(), heads)
        .prop_map(|(backbone, weights, tokenizer, preprocessing, other_pool, (l2, head, lora))| {
            let backbone = if let Weights::Known(known) = &weights { known.backbone } else { backbone };
            let of_texts = backbone.task() == Task::TextClassification;
            let other = if of_texts { Pool::Cls } else { Pool::Max };
            let tokenizer = tokenizer.or_else(|| (weights == Weights::Random).then(|| "/vocab.txt".into()));
            Model {
                backbone,
                weights,
                tokenizer: tokenizer.filter(|_| of_texts),
                preprocessing: preprocessing.filter(|_| !of_texts),
                lora: lora.filter(|_| of_texts),
                pool: if other_pool { other } else { Pool::Avg },
                l2,
                head,
            }
        })
        .boxed()
}

fn optimizers() -> BoxedStrategy<Optimizer> {
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
    prop_oneof![adams, adamws, sgds, rmsprops].boxed()
}

fn phases() -> BoxedStrategy<Vec<Phase>> {
    let trainables = prop_oneof![
        Just(Trainable::Head),
        Just(Trainable::All),
        Just(Trainable::None),
        (1usize..=10_000).prop_map(Trainable::LastLayers),
        names().prop_map(Trainable::From),
        prop::collection::vec("[a-z0-9_*?]{1,8}", 1..3).prop_map(Trainable::Names),
        (1u32..=9, prop::option::of(1usize..=10_000)).prop_map(|(every, blocks)| Trainable::Gradual { every, blocks }),
    ];
    let factors = prop::collection::btree_map("[a-z0-9_*?]{1,8}", shares(), 0..3);
    let phase = (10u32..=100_000, trainables, optimizers(), (0.001..=1.0, factors), schedules());
    let named = prop::collection::hash_map(names(), phase, 1..4);
    named
        .prop_map(|phases| {
            let phase = |(name, (epochs, trainable, optimizer, (lr_decay, lr_factors), schedule))| {
                let schedule = below(schedule, Optimizer::lr(&optimizer));
                Phase { name, epochs, trainable, lr_decay, lr_factors, schedule, optimizer }
            };
            phases.into_iter().map(phase).collect()
        })
        .boxed()
}

fn schedules() -> BoxedStrategy<Schedule> {
    let (warmup, by) = (|| 0.0..10.0, || prop::sample::select(vec![By::Step, By::Epoch]));
    prop_oneof![
        warmup().prop_map(|warmup_epochs| Schedule::Constant { warmup_epochs }),
        (1u32..10, 0.001..0.999, warmup()).prop_map(|(every, factor, warmup_epochs)| Schedule::Step {
            every,
            factor,
            warmup_epochs
        }),
        (0.001..0.999, by(), warmup()).prop_map(|(factor, by, warmup_epochs)| Schedule::Exponential {
            factor,
            by,
            warmup_epochs
        }),
        (shares(), 1u32..9, by(), warmup()).prop_map(|(min_lr, cycles, by, warmup_epochs)| Schedule::Cosine {
            min_lr,
            cycles,
            by,
            warmup_epochs
        }),
        (shares(), by(), warmup()).prop_map(|(min_lr, by, warmup_epochs)| Schedule::Linear {
            min_lr,
            by,
            warmup_epochs
        }),
        (above_0(), shares(), by(), warmup()).prop_map(|(power, min_lr, by, warmup_epochs)| {
            Schedule::Polynomial { power, min_lr, by, warmup_epochs }
        }),
        (0.001..0.999, 1.0..1e6, 1.0..1e6).prop_map(|(pct_start, div_factor, final_div_factor)| {
            Schedule::OneCycle { pct_start, div_factor, final_div_factor }
        }),
    ]
    .boxed()
}

/// The same with no rate above `lr`.
fn below(mut schedule: Schedule, lr: f64) -> Schedule {
    if let Schedule::Cosine { min_lr, .. } | Schedule::Linear { min_lr, .. } | Schedule::Polynomial { min_lr, .. } =
        &mut schedule
    {
        *min_lr = min_lr.min(lr);
    }
    schedule
}

fn class_weights() -> BoxedStrategy<Option<ClassWeight>> {
    let map = prop::collection::btree_map("[a-z 0-9_:-]{1,8}", shares(), 1..3).prop_map(ClassWeight::Of);
    prop::option::of(prop_oneof![Just(ClassWeight::Balanced), map]).boxed()
}

fn trains() -> BoxedStrategy<Train> {
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
    let callbacks = (prop::option::of(early), prop::option::of(reduce));
    let losses = (1usize..=65_536, shares(), class_weights());
    ((1usize..=65_536, losses, measures()), phases(), clip_norms, callbacks, watches(), any::<bool>(), above_0())
        .prop_map(
            |(
                (batch_size, (accumulate, label_smoothing, class_weight), metrics),
                phases,
                clip_norm,
                (early_stopping, reduce_lr_on_plateau),
                watch,
                best,
                minutes,
            )| Train {
                batch_size,
                accumulate,
                label_smoothing,
                class_weight,
                checkpoint_minutes: minutes,
                phases,
                clip_norm,
                early_stopping,
                reduce_lr_on_plateau,
                metrics,
                watch,
                save: if best { Save::Best } else { Save::Last },
            },
        )
        .prop_map(with_watched)
        .boxed()
}

/// What is watched is computed too, in this order.
fn with_watched(mut train: Train) -> Train {
    let callbacks = [
        train.early_stopping.as_ref().map(|callback| &callback.watch),
        train.reduce_lr_on_plateau.as_ref().map(|callback| &callback.watch),
    ];
    for watch in callbacks.into_iter().flatten().chain([&train.watch]) {
        if let Metric::Val(figure) = &watch.monitor
            && !train.metrics.iter().any(|measure| measure.gives(figure))
        {
            train.metrics.push(Measure::One(figure.clone()));
        }
    }
    train
}

fn limits() -> impl Strategy<Value = Limits> {
    (0u32..=1000, prop::option::of(above_0()), prop::option::of(above_0()))
        .prop_map(|(retries, time_limit_minutes, memory_gib)| Limits { retries, time_limit_minutes, memory_gib })
}

/// Any experiment that a file can say.
pub(super) fn experiments() -> impl Strategy<Value = Experiment> {
    let devices = prop::sample::select(vec![Device::Auto, Device::Cpu, Device::Cuda, Device::Metal]);
    let of_one_task = models().prop_flat_map(|model| (datas(model.backbone.task()), Just(model)));
    (names(), any::<u64>(), 0usize..=1024, devices, limits(), of_one_task, trains()).prop_map(
        |(name, seed, threads, device, limits, (data, model), train)| {
            let task = model.backbone.task();
            // adapters that no phase lets learn are a mistake
            let learns = |phase: &Phase| !matches!(phase.trainable, Trainable::Head | Trainable::None);
            let lora = model.lora.filter(|_| train.phases.iter().any(learns));
            Experiment { name, task, seed, threads, device, limits, data, model: Model { lora, ..model }, train }
        },
    )
}
