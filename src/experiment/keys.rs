//! Every key of an experiment file, as data: it finds unknown keys, checks values, fills in defaults, words what was
//! expected, and is the table of `docs/experiment.md`.

use std::ops::Bound::{self, Excluded, Included, Unbounded};

use super::metric::MEASURES;
pub(super) use super::names::{nearest, our_name};

/// A key: where it stands, what it takes, what it means when it is not given.
#[derive(Debug)]
pub struct Key {
    /// Dotted; `[]` stands for each item of a list.
    pub path: &'static str,
    pub takes: Takes,
    pub unset: Unset,
    /// What it means, and whose meaning that is.
    pub about: &'static str,
}

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// Further keys.
    Map,
    /// A list of maps, whose keys have `[]` in their path.
    List,
    /// A list of maps with exactly one key each, which have `[]` in their path.
    Singles,
    /// A list of texts with wildcards.
    Globs,
    Text,
    /// A text that can be part of a folder's name.
    Name,
    /// A folder, or a table of texts; relative to the file's own.
    Samples,
    /// A file; relative to the experiment's.
    File,
    /// `random`, known weights, a place on a hub, or a file.
    Weights,
    Flag,
    Whole(u64, u64),
    Number(Bound<f64>, Bound<f64>),
    /// One of these.
    Words(&'static [&'static str]),
    /// One of these words, or a map with exactly one of its keys.
    Choice(&'static [&'static str]),
    /// A map, or a whole number that stands for its first key.
    MapOrUnits,
    /// A map from names, which are not keys, to numbers of at least 0; or one of these words.
    Numbers(&'static [&'static str]),
    /// A map from dotted keys to lists of values.
    Matrix,
    /// A list of maps from dotted keys to values.
    Combinations,
    /// A list of figures of the validation samples.
    Measures,
    /// A figure that can be watched.
    Metric,
    /// A list of two numbers within these bounds, the lower one first.
    Range(Bound<f64>, Bound<f64>),
}

/// What holds where a key is not given.
#[derive(Debug, Clone, Copy)]
pub enum Unset {
    /// It must be given, for example so.
    Required(&'static str),
    /// This value, as one would type it.
    Value(&'static str),
    /// No value, which means this.
    Means(&'static str),
}

impl Key {
    /// The last part of its path.
    pub fn name(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }

    /// The path of the map that it stands in; empty for the top level.
    pub fn parent(&self) -> &'static str {
        self.path.rsplit_once('.').map_or("", |(parent, _)| parent)
    }

    /// What it takes in words, as in "expected …".
    pub fn expected(&self) -> String {
        match self.takes {
            Takes::Choice(words) => {
                let keys = listed(&names(self.path), "or");
                format!("{}, or a map with the key {keys}", listed(words, "or"))
            }
            takes => takes.words(),
        }
    }
}

/// The names of the keys that may stand in the map at `path`.
pub(super) fn names(path: &str) -> Vec<&'static str> {
    of(path).map(Key::name).collect()
}

/// The map at `path` in a sentence.
pub(super) fn place_words(path: &str) -> String {
    match path.strip_suffix("[]") {
        Some(list) => format!("an item of `{list}`"),
        None if path.is_empty() => "the file".into(),
        None => format!("`{path}`"),
    }
}

/// The keys that may stand in the map at `path`.
pub fn of(path: &str) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |key| key.parent() == path)
}

impl Takes {
    fn words(&self) -> String {
        match *self {
            Takes::Map => "a map of keys".into(),
            Takes::List | Takes::Singles => "a list".into(),
            Takes::Globs => "a list of texts, in which `*` stands for anything".into(),
            Takes::Text => "a text".into(),
            Takes::Name => "a name of 1 to 64 characters".into(),
            Takes::Samples => "the path of a folder, or of a table of texts".into(),
            Takes::File => "the path of a file".into(),
            Takes::Weights => {
                "`random`, known weights as `imagenet`, `hf:OWNER/REPO`, or the path of a `.safetensors` or `.pth` file"
                    .into()
            }
            Takes::Flag => "`true` or `false`".into(),
            Takes::Whole(0, u64::MAX) => "a whole number from 0".into(),
            Takes::Whole(low, high) => format!("a whole number from {low} to {high}"),
            Takes::Number(low, high) => number_words(low, high),
            Takes::Words(words) | Takes::Choice(words) => listed(words, "or"),
            Takes::MapOrUnits => "a map of keys, or the number of units".into(),
            Takes::Numbers([]) => "a map from names to numbers".into(),
            Takes::Numbers(words) => format!("{}, or a map from names to numbers", listed(words, "or")),
            Takes::Matrix => "a map of dotted keys, each with a list of values".into(),
            Takes::Combinations => "a list of maps of dotted keys, each with a value".into(),
            Takes::Range(low, high) => {
                format!("a list of two numbers, the lower one first, each {}", number_words(low, high))
            }
            Takes::Measures => format!("a list of {}, or a score of one class as `f1/CLASS`", listed(&MEASURES, "and")),
            Takes::Metric => {
                "`loss`, `accuracy`, `val_loss`, `val_accuracy`, or `val_` and a metric as `val_f1`".into()
            }
        }
    }
}

fn number_words(low: Bound<f64>, high: Bound<f64>) -> String {
    match (low, high) {
        (Unbounded, _) => "a finite number".into(),
        (Included(low), Included(high)) => format!("a number from {low} to {high}"),
        (Included(low), Excluded(high)) => format!("a number from {low} to below {high}"),
        (Included(low), Unbounded) => format!("a number of at least {low}"),
        (Excluded(low), Unbounded) => format!("a number above {low}"),
        (Excluded(low), Included(high)) => format!("a number above {low}, at most {high}"),
        (Excluded(low), Excluded(high)) => format!("a number between {low} and {high}, both excluded"),
    }
}

/// "`a`, `b` or `c`", with `last` before the last.
pub(super) fn listed(words: &[&str], last: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match &*quoted {
        [] => "nothing".into(),
        [one] => one.clone(),
        [others @ .., final_one] => format!("{} {last} {final_one}", others.join(", ")),
    }
}

const fn key(path: &'static str, takes: Takes, unset: Unset, about: &'static str) -> Key {
    Key { path, takes, unset, about }
}

use Takes::{
    Choice, Combinations, File, Flag, Globs, List, Map, MapOrUnits, Matrix, Measures, Metric, Name, Number, Numbers,
    Range, Samples, Singles, Text, Weights, Whole, Words,
};
use Unset::{Means, Required, Value};

/// From 0 to below 1.
const SHARE: Takes = Number(Included(0.0), Excluded(1.0));
/// Above 0 and below 1.
const PROPER_SHARE: Takes = Number(Excluded(0.0), Excluded(1.0));
const ABOVE_0: Takes = Number(Excluded(0.0), Unbounded);
const FROM_0: Takes = Number(Included(0.0), Unbounded);
const EPOCHS: u64 = 100_000;
const BY: Takes = Words(&["step", "epoch"]);
const BY_ABOUT: &str = "Whether it moves at every step, or in one go at the end of each epoch.";
const WARMUP: &str =
    "Epochs, or parts of one, in which the rate rises from 0 in a straight line, step by step (transformers' warm-up).";
const MODES: Takes = Words(&["auto", "min", "max"]);

/// Every key, in the order of the reference.
#[rustfmt::skip]
pub static KEYS: &[Key] = &[
    key("name", Name, Means("the file's name without its ending"), "What the run is called; it becomes part of its folder's name."),
    key("extends", File, Means("nothing"), "Another experiment file to start from, relative to this one: its keys hold where this file does not give them. See [below](#from-another-file)."),
    key("task", Words(&["image_classification", "text_classification"]), Means("what the backbone is for"), "What is learned."),
    key("seed", Whole(0, u64::MAX), Value("42"), "Decides shuffles, augmentation, dropout, initial weights and the split. The same file gives the same figures."),
    key("threads", Whole(0, 1024), Value("0"), "Threads for arithmetic; 0 takes every core that the run may use."),
    key("device", Words(&["auto", "cpu", "cuda", "metal"]), Value("auto"), "Where the arithmetic runs; `auto` takes an accelerator that this build knows and that is there, else the CPU."),
    key("retries", Whole(0, 1000), Value("2"), "How often the run is tried again, from its last checkpoint, after it was lost or crashed."),
    key("time_limit_minutes", ABOVE_0, Means("no limit"), "Minutes that the run may train; then it stops at a checkpoint and has failed."),
    key("memory_gib", ABOVE_0, Means("estimated from the shapes"), "Main memory in GiB that the run needs; the queue starts no runs together that do not fit together."),

    key("data", Map, Required("data: { train: data/train, val_split: 0.2 }"), "What is learned from, and how it is prepared."),
    key("data.train", Samples, Required("train: data/train"), "Folder with one folder per class, as Keras' `flow_from_directory` takes it: of pictures, or of `.txt` files. For texts also a table: `.csv`, `.tsv` or `.jsonl`. Relative to the experiment file."),
    key("data.val", Samples, Means("this or `val_split` must be given"), "The same with the same classes, to validate on. Relative to the experiment file."),
    key("data.val_split", PROPER_SHARE, Means("this or `val` must be given"), "Share of each class of `train` that is held out to validate on, drawn by the seed (stratified)."),
    key("data.image_size", Whole(16, 4096), Value("224"), "Pictures: height and width that each is resized to, in pixels."),
    key("data.resize", Words(&["bilinear", "nearest"]), Value("bilinear"), "Pictures: how they are resized, `bilinear` with antialiasing, or `nearest` as Keras' `flow_from_directory` does by default."),
    key("data.augment", Map, Means("no augmentation"), "Pictures: random changes of those that are trained on, as Keras' `ImageDataGenerator` makes them."),
    key("data.augment.rotation", Number(Included(0.0), Included(180.0)), Value("0"), "Largest turn in degrees, either way (Keras' `rotation_range`)."),
    key("data.augment.zoom", SHARE, Value("0"), "The zoom of each axis is drawn from 1 - zoom to 1 + zoom; above 1 shrinks the picture (Keras' `zoom_range`)."),
    key("data.augment.width_shift", SHARE, Value("0"), "Largest shift as a share of the width, either way (Keras' `width_shift_range` below 1)."),
    key("data.augment.height_shift", SHARE, Value("0"), "Largest shift as a share of the height, either way (Keras' `height_shift_range` below 1)."),
    key("data.augment.shear", Number(Included(0.0), Excluded(90.0)), Value("0"), "Largest shear in degrees, either way (Keras' `shear_range`)."),
    key("data.augment.fill_mode", Words(&["nearest", "reflect", "constant"]), Value("nearest"), "What is moved in from outside: the `nearest` pixel, the picture's mirror image, or black (Keras)."),
    key("data.augment.horizontal_flip", Flag, Value("false"), "Mirrors every other picture left to right, by chance (Keras)."),
    key("data.augment.vertical_flip", Flag, Value("false"), "Mirrors every other picture top to bottom, by chance (Keras)."),
    key("data.augment.channel_shift", Number(Included(0.0), Included(255.0)), Value("0"), "The most that is added to all levels of a picture, or taken from them, of 255; they stay within what the picture had (Keras' `channel_shift_range`)."),
    key("data.augment.brightness", Range(Included(0.0), Included(100.0)), Means("off"), "What all levels of a picture are multiplied by is drawn from here, as `[0.8, 1.2]`; they end at 255 (Keras' `brightness_range`)."),
    key("data.augment.contrast", Number(Included(0.0), Included(1.0)), Value("0"), "What each level's distance from the mean of its colour is multiplied by is drawn from 1 - contrast to 1 + contrast (Keras' `RandomContrast`)."),
    key("data.augment.random_erasing", Map, Means("off; `{}` turns it on with its defaults"), "Puts a rectangle of the mean colour that the weights' preprocessing knows over part of a picture (Zhong et al. 2020; torchvision's `RandomErasing` after `Normalize`)."),
    key("data.augment.random_erasing.probability", Number(Excluded(0.0), Included(1.0)), Value("0.5"), "Share of the pictures that it is done to (torchvision's `p`)."),
    key("data.augment.random_erasing.scale", Range(Excluded(0.0), Included(1.0)), Value("[0.02, 0.33]"), "The rectangle's share of the picture's area (torchvision)."),
    key("data.augment.random_erasing.ratio", Range(Excluded(0.0), Unbounded), Value("[0.3, 3.3]"), "The rectangle's height over its width (torchvision)."),
    key("data.augment.mixup", ABOVE_0, Means("off"), "Blends each picture of a batch, and its class, with the one before it: the share is drawn for each batch from Beta(α, α), and this is α, as 0.2 (Zhang et al. 2018). See [below](#mixed-pictures)."),
    key("data.augment.cutmix", ABOVE_0, Means("off"), "Pastes a rectangle of the picture before it in the batch into each, and mixes their classes by its area: the share is drawn from Beta(α, α), and this is α, as 1 (Yun et al. 2019). With `mixup` too, each batch takes one of the two by chance."),
    key("data.augment.views", Whole(1, 1000), Means("every epoch draws anew"), "Draws this many fixed variants of each picture and takes one per epoch in turn, so that frozen layers are computed once for each."),
    key("data.text_column", Text, Value("text"), "Texts: the column of the table, or the field of each line of JSON, that has the text."),
    key("data.label_column", Text, Value("label"), "Texts: the column or field that has the class."),
    key("data.max_length", Whole(4, 8192), Value("128"), "Texts: tokens that each is cut to, those that mark its ends included (transformers' `max_length`)."),
    key("data.loader_threads", Whole(0, 1024), Value("0"), "Threads that decode and augment ahead of training; 0 takes as many as compute. Never changes a figure."),

    key("model", Map, Required("model: { backbone: squeezenet1_1, weights: imagenet }"), "The network: a pretrained backbone, a pooling, a new head; the output layer follows from the classes."),
    key("model.backbone", Words(&["squeezenet1_1", "vgg16", "vgg19", "resnet18", "resnet34", "resnet50", "bert", "distilbert"]), Required("backbone: squeezenet1_1"), "The pretrained architecture, without its own classifier."),
    key("model.weights", Weights, Required("weights: imagenet"), "The backbone's weights. Known ones by name: `imagenet` for pictures, `bert-base-uncased`, `all-MiniLM-L6-v2` and others for texts. `hf:OWNER/REPO[@REVISION][/FILE]` from a model hub. A file, relative to the experiment's: `.safetensors`, or `.pth`, `.pt`, `.bin` of PyTorch. `random` for nothing pretrained."),
    key("model.tokenizer", File, Means("the one beside the weights"), "Texts: a `tokenizer.json`, or the `vocab.txt` of a BERT. Relative to the experiment file."),
    key("model.preprocessing", Words(&["caffe", "torch"]), Means("what the weights are known to want"), "Pictures: what the weights want as input, `caffe` is BGR minus channel means (Keras' VGG16 `preprocess_input`), `torch` is RGB in 0 to 1, normalized (torchvision)."),
    key("model.lora", Map, Means("off; `{}` turns it on with its defaults"), "Texts: low-rank adapters beside matrices of the backbone, whose own weights then never learn; `trainable` says of which layers the adapters do (Hu et al. 2021; peft's `LoraConfig`). See [below](#adapters)."),
    key("model.lora.rank", Whole(1, 1024), Value("8"), "Width between the two matrices of an adapter (peft's `r`)."),
    key("model.lora.alpha", ABOVE_0, Value("8"), "An adapter's product counts `alpha / rank` times (peft's `lora_alpha`)."),
    key("model.lora.dropout", SHARE, Value("0"), "Share of an adapter's input that is set to zero while it learns (peft's `lora_dropout`)."),
    key("model.lora.layers", Globs, Means("query and value of each attention: `[query, value]`, with `distilbert` `[q_lin, v_lin]`"), "The attention and dense layers that get an adapter: their names, or what these end with behind a dot (peft's `target_modules`)."),
    key("model.pool", Words(&["avg", "max", "cls"]), Value("avg"), "From the feature map to a vector (Keras' `pooling`). For texts `avg` is the mean over the tokens, and `cls` the first token's state, through BERT's pooler; `max` is for pictures."),
    key("model.l2", FROM_0, Value("0"), "Adds this times the sum of the squared weights of each dense layer of the head, the output layer's included, to the loss (Keras' `kernel_regularizer=L2(l2)`; biases are left alone). As in Keras the losses that are reported have it in them, `val_loss` too. Not the same as an optimizer's `weight_decay`."),
    key("model.head", Singles, Means("no layer between pooling and output"), "Layers between pooling and the output layer, each a map of one key."),
    key("model.head[].dense", MapOrUnits, Means("one of `dense` and `dropout` per layer"), "A fully connected layer (Keras' `Dense`, Glorot-uniform). `dense: 256` is short for `dense: { units: 256 }`."),
    key("model.head[].dense.units", Whole(1, 65_536), Required("units: 256"), "Number of outputs."),
    key("model.head[].dense.activation", Words(&["linear", "relu"]), Value("linear"), "What follows the layer; nothing by default (Keras)."),
    key("model.head[].dense.l2", FROM_0, Means("`model.l2`"), "The same for this layer alone (Keras' `kernel_regularizer`)."),
    key("model.head[].dropout", SHARE, Means("one of `dense` and `dropout` per layer"), "Share of the inputs that is set to zero while training, the rest is scaled up (Keras' `Dropout`)."),

    key("train", Map, Means("every key's default"), "How it is trained."),
    key("train.batch_size", Whole(1, 65_536), Value("32"), "Samples per optimizer step (Keras)."),
    key("train.accumulate", Whole(1, 65_536), Value("1"), "Batches per optimizer step: N batches of b samples come to the gradient of one of N times b, each sample of the step counts the same, also in an epoch's last step, which may have fewer (transformers' `gradient_accumulation_steps`). Steps, the rate's schedule and `clip_norm` go by optimizer steps; batch norms see one batch at a time."),
    key("train.label_smoothing", SHARE, Value("0"), "Share of each target that is spread evenly over all classes, in `loss` and `val_loss` (Keras' `CategoricalCrossentropy(label_smoothing=…)`)."),
    key("train.class_weight", Numbers(&["balanced"]), Means("every class weighs 1"), "What a training sample of each class weighs in the loss, by the class' name; a class that is not named weighs 1. `balanced` is samples / (classes × samples of the class), as scikit-learn has it. The loss of a batch is still divided by its samples, not by their weights, and `val_loss` is not weighted (Keras' `class_weight`)."),
    key("train.checkpoint_minutes", ABOVE_0, Value("5"), "Minutes of training after which a checkpoint is written also within an epoch. At the end of an epoch one is written wherever that costs less than a hundredth of the time, at the end of a phase always."),
    key("train.phases", List, Means("one phase `head` with the defaults below"), "Stretches of epochs, one after the other, as several calls of Keras' `fit`: each has a fresh optimizer and its callbacks start over; the best weights carry over."),
    key("train.phases[].name", Name, Means("`phase_1`, `phase_2` …"), "What the phase is called; names differ."),
    key("train.phases[].epochs", Whole(1, EPOCHS), Value("10"), "The most epochs of the phase; early stopping may end it sooner."),
    key("train.phases[].trainable", Choice(&["head", "all", "none", "gradual"]), Value("head"), "Which layers learn: `head` alone, `all`, `none`, `gradual`ly more, or one of the keys below. With them the head learns too."),
    key("train.phases[].trainable.last_layers", Whole(1, 10_000), Means("one of the four"), "The last N layers of the backbone, counted as Keras counts `base.layers[-N:]`, pools and activations included."),
    key("train.phases[].trainable.from", Text, Means("one of the four"), "This layer of the backbone and all after it; `finetop check` lists the names."),
    key("train.phases[].trainable.names", Globs, Means("one of the four"), "Layers of the backbone whose names match one of these, as in `[fire8*, fire9*]`."),
    key("train.phases[].trainable.gradual", Map, Means("one of the four"), "Gradual unfreezing (Howard and Ruder 2018, ULMFiT): first the head alone, then one block of the backbone more at a time, from the top down. A block is a stage of VGG, a residual block, a fire module, a layer of an encoder; `finetop check` says which learns when. What has learned before keeps its optimizer's state."),
    key("train.phases[].trainable.gradual.every", Whole(1, EPOCHS), Value("1"), "Epochs after each of which one block more learns."),
    key("train.phases[].trainable.gradual.blocks", Whole(1, 10_000), Means("all that the epochs suffice for"), "The most blocks that learn in the end, counted from the top."),
    key("train.phases[].lr_decay", Number(Excluded(0.0), Included(1.0)), Value("1"), "Layers learn the slower the deeper they lie: the rate of the backbone's last block is this times the head's, that of the block below it this times that, and so on (discriminative fine-tuning, ULMFiT, where it is 1/2.6; layer-wise decay, ELECTRA and BEiT)."),
    key("train.phases[].lr_factors", Numbers(&[]), Means("1 for every layer"), "What the rate of layers is multiplied by, by patterns of their names as in `{ \"layer4.*\": 0.5, \"head.*\": 2 }`; a layer that matches several takes all of them (PyTorch's parameter groups)."),
    key("train.phases[].schedule", Choice(&["constant", "cosine", "linear", "polynomial", "one_cycle"]), Value("constant"), "How the rate goes on from the optimizer's `lr`: a name alone, or with its keys. `reduce_lr_on_plateau` multiplies what the schedule says."),
    key("train.phases[].schedule.constant", Map, Means("its defaults"), "The rate stays (transformers' `constant_with_warmup`)."),
    key("train.phases[].schedule.constant.warmup_epochs", FROM_0, Value("0"), WARMUP),
    key("train.phases[].schedule.step", Map, Means("its defaults"), "The rate drops every few epochs (PyTorch's `StepLR`)."),
    key("train.phases[].schedule.step.every", Whole(1, EPOCHS), Required("every: 3"), "Epochs after each of which it drops (PyTorch's `step_size`)."),
    key("train.phases[].schedule.step.factor", PROPER_SHARE, Value("0.1"), "What it is multiplied by (PyTorch's `gamma`)."),
    key("train.phases[].schedule.step.warmup_epochs", FROM_0, Value("0"), WARMUP),
    key("train.phases[].schedule.exponential", Map, Means("its defaults"), "The rate falls by the same factor in every epoch (PyTorch's `ExponentialLR`; by `step` Keras' `ExponentialDecay`)."),
    key("train.phases[].schedule.exponential.factor", PROPER_SHARE, Required("factor: 0.9"), "What it is multiplied by in an epoch (PyTorch's `gamma`)."),
    key("train.phases[].schedule.exponential.by", BY, Value("epoch"), BY_ABOUT),
    key("train.phases[].schedule.exponential.warmup_epochs", FROM_0, Value("0"), WARMUP),
    key("train.phases[].schedule.cosine", Map, Means("its defaults"), "The rate falls from `lr` to `min_lr` along half a cosine (Loshchilov and Hutter 2017; PyTorch's `CosineAnnealingLR`, transformers' `cosine`)."),
    key("train.phases[].schedule.cosine.min_lr", FROM_0, Value("0"), "Where it ends (PyTorch's `eta_min`)."),
    key("train.phases[].schedule.cosine.cycles", Whole(1, EPOCHS), Value("1"), "How often it does so in the phase, from `lr` each time (transformers' `cosine_with_restarts`)."),
    key("train.phases[].schedule.cosine.by", BY, Value("step"), BY_ABOUT),
    key("train.phases[].schedule.cosine.warmup_epochs", FROM_0, Value("0"), WARMUP),
    key("train.phases[].schedule.linear", Map, Means("its defaults"), "The rate falls from `lr` to `min_lr` in a straight line (transformers' `linear`)."),
    key("train.phases[].schedule.linear.min_lr", FROM_0, Value("0"), "Where it ends (transformers: 0)."),
    key("train.phases[].schedule.linear.by", BY, Value("step"), BY_ABOUT),
    key("train.phases[].schedule.linear.warmup_epochs", FROM_0, Value("0"), WARMUP),
    key("train.phases[].schedule.polynomial", Map, Means("its defaults"), "The rate falls to `min_lr` by a power of what is left of the phase (Keras' `PolynomialDecay`, transformers' `polynomial`)."),
    key("train.phases[].schedule.polynomial.power", ABOVE_0, Value("1"), "The power; 1 is a straight line (Keras)."),
    key("train.phases[].schedule.polynomial.min_lr", FROM_0, Value("0"), "Where it ends (Keras' `end_learning_rate`, transformers' `lr_end`)."),
    key("train.phases[].schedule.polynomial.by", BY, Value("step"), BY_ABOUT),
    key("train.phases[].schedule.polynomial.warmup_epochs", FROM_0, Value("0"), WARMUP),
    key("train.phases[].schedule.one_cycle", Map, Means("its defaults"), "The rate rises to `lr` along half a cosine and falls far below where it began along another (Smith and Topin 2018; PyTorch's `OneCycleLR` of which `lr` is the `max_lr`; momentum stays as it is)."),
    key("train.phases[].schedule.one_cycle.pct_start", PROPER_SHARE, Value("0.3"), "Share of the phase's steps in which it rises (PyTorch)."),
    key("train.phases[].schedule.one_cycle.div_factor", Number(Included(1.0), Unbounded), Value("25"), "It begins at `lr` divided by this (PyTorch)."),
    key("train.phases[].schedule.one_cycle.final_div_factor", Number(Included(1.0), Unbounded), Value("1e4"), "It ends at what it began with, divided by this (PyTorch)."),
    key("train.phases[].optimizer", Choice(&["adam", "adamw", "sgd", "rmsprop"]), Value("adam"), "The rule of the update: a name alone, or with its keys."),
    key("train.phases[].optimizer.adam", Map, Means("its defaults"), "Adam (Kingma and Ba 2015)."),
    key("train.phases[].optimizer.adam.lr", ABOVE_0, Value("1e-3"), "Learning rate that the phase starts with (Keras' `learning_rate`)."),
    key("train.phases[].optimizer.adam.beta_1", SHARE, Value("0.9"), "Decay of the first moment (Keras)."),
    key("train.phases[].optimizer.adam.beta_2", SHARE, Value("0.999"), "Decay of the second moment (Keras)."),
    key("train.phases[].optimizer.adam.epsilon", ABOVE_0, Means("1e-7, or 1e-8 with `variant: pytorch`"), "Keeps the division finite (Keras, PyTorch)."),
    key("train.phases[].optimizer.adam.variant", Words(&["keras", "pytorch"]), Value("keras"), "Whose Adam: `keras` adds epsilon outside of the bias correction, `pytorch` to the root of the corrected second moment."),
    key("train.phases[].optimizer.adamw", Map, Means("its defaults"), "PyTorch's `AdamW`: its Adam, and every parameter shrinks by lr times `weight_decay` a step."),
    key("train.phases[].optimizer.adamw.lr", ABOVE_0, Value("1e-3"), "Learning rate that the phase starts with (PyTorch)."),
    key("train.phases[].optimizer.adamw.beta_1", SHARE, Value("0.9"), "Decay of the first moment (PyTorch)."),
    key("train.phases[].optimizer.adamw.beta_2", SHARE, Value("0.999"), "Decay of the second moment (PyTorch)."),
    key("train.phases[].optimizer.adamw.epsilon", ABOVE_0, Value("1e-8"), "Keeps the division finite (PyTorch)."),
    key("train.phases[].optimizer.adamw.weight_decay", FROM_0, Value("0.01"), "Decoupled weight decay, of every parameter, biases and norms included (PyTorch)."),
    key("train.phases[].optimizer.sgd", Map, Means("its defaults"), "PyTorch's `SGD`."),
    key("train.phases[].optimizer.sgd.lr", ABOVE_0, Value("1e-2"), "Learning rate that the phase starts with (Keras' default; PyTorch has 1e-3)."),
    key("train.phases[].optimizer.sgd.momentum", SHARE, Value("0"), "What is left of the velocity after a step (PyTorch)."),
    key("train.phases[].optimizer.sgd.nesterov", Flag, Value("false"), "Nesterov's momentum: looks a step ahead; needs `momentum` and no `dampening` (PyTorch)."),
    key("train.phases[].optimizer.sgd.weight_decay", FROM_0, Value("0"), "Added to the gradient for each unit of the weight (PyTorch)."),
    key("train.phases[].optimizer.sgd.dampening", SHARE, Value("0"), "Share of the gradient that does not go into the velocity, from the second step on (PyTorch)."),
    key("train.phases[].optimizer.rmsprop", Map, Means("its defaults"), "PyTorch's `RMSprop`."),
    key("train.phases[].optimizer.rmsprop.lr", ABOVE_0, Value("1e-2"), "Learning rate that the phase starts with (PyTorch)."),
    key("train.phases[].optimizer.rmsprop.alpha", SHARE, Value("0.99"), "Decay of the mean square of the gradient (PyTorch; Keras' `rho`)."),
    key("train.phases[].optimizer.rmsprop.epsilon", ABOVE_0, Value("1e-8"), "Keeps the division finite (PyTorch)."),
    key("train.phases[].optimizer.rmsprop.momentum", SHARE, Value("0"), "What is left of the velocity after a step (PyTorch)."),
    key("train.phases[].optimizer.rmsprop.weight_decay", FROM_0, Value("0"), "Added to the gradient for each unit of the weight (PyTorch)."),
    key("train.clip_norm", ABOVE_0, Means("off"), "The most that the norm of all gradients together may be; longer ones are shortened (Keras' `global_clipnorm`, PyTorch's `clip_grad_norm_`)."),

    key("train.early_stopping", Map, Means("off; `{}` turns it on with its defaults"), "Keras' `EarlyStopping`: ends a phase when what it watches no longer gets better."),
    key("train.early_stopping.monitor", Metric, Value("val_loss"), "What is watched (Keras). A metric that `train.metrics` does not list is computed too."),
    key("train.early_stopping.mode", MODES, Value("auto"), "Which direction is better; `auto` knows by the metric's name (Keras)."),
    key("train.early_stopping.patience", Whole(0, EPOCHS), Value("0"), "Epochs without improvement after which the phase ends (Keras; 0 acts like 1, as there)."),
    key("train.early_stopping.min_delta", FROM_0, Value("0"), "An improvement is one by more than this (Keras)."),
    key("train.early_stopping.baseline", Number(Unbounded, Unbounded), Means("none"), "A value that must be beaten before an epoch counts as an improvement (Keras)."),
    key("train.early_stopping.start_from_epoch", Whole(0, EPOCHS), Value("0"), "Epochs of the phase, counted from 0, before which nothing is watched (Keras)."),
    key("train.early_stopping.restore_best_weights", Flag, Value("false"), "Puts back the weights of the best epoch at the end of the phase, with or without an early stop (Keras 3; false is its default, true is what one mostly wants)."),

    key("train.reduce_lr_on_plateau", Map, Means("off; `{}` turns it on with its defaults"), "Keras' `ReduceLROnPlateau`: lowers the learning rate when what it watches no longer gets better."),
    key("train.reduce_lr_on_plateau.monitor", Metric, Value("val_loss"), "What is watched (Keras). A metric that `train.metrics` does not list is computed too."),
    key("train.reduce_lr_on_plateau.mode", MODES, Value("auto"), "Which direction is better; `auto` knows by the metric's name (Keras)."),
    key("train.reduce_lr_on_plateau.factor", PROPER_SHARE, Value("0.1"), "What the learning rate is multiplied by (Keras)."),
    key("train.reduce_lr_on_plateau.patience", Whole(0, EPOCHS), Value("10"), "Epochs without improvement after which it is lowered (Keras; 0 acts like 1, as there)."),
    key("train.reduce_lr_on_plateau.min_delta", FROM_0, Value("1e-4"), "An improvement is one by more than this (Keras)."),
    key("train.reduce_lr_on_plateau.cooldown", Whole(0, EPOCHS), Value("0"), "Epochs after a drop in which nothing is counted (Keras; 1 acts like 0, as there)."),
    key("train.reduce_lr_on_plateau.min_lr", FROM_0, Value("0"), "The learning rate does not fall below this (Keras)."),

    key("train.metrics", Measures, Means("loss and accuracy alone"), "Further figures of the validation samples, each in the record as `val_` and its name. See [below](#metrics)."),
    key("train.monitor", Metric, Means("what early stopping watches, else `val_loss`"), "What the best epoch of the whole run is the best by. A metric that `train.metrics` does not list is computed too."),
    key("train.mode", MODES, Value("auto"), "Which direction is better; `auto` knows by the metric's name."),
    key("train.save", Words(&["best", "last"]), Value("best"), "Which weights end up in the run's `model/`: those of the best epoch of the whole run, or the last ones."),

    key("matrix", Matrix, Means("one run"), "Makes a sweep: one run for each combination of these values. See [below](#one-file-many-runs)."),
    key("matrix.include", Combinations, Means("no more runs"), "Further runs, each with the keys of one map."),
    key("matrix.exclude", Combinations, Means("all combinations"), "Combinations that are left out: those that have all values of one map."),
];
