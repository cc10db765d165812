//! For each key two small experiments that differ in it alone.

use Base::{Pictures, Texts};

/// What an experiment begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    Pictures,
    Texts,
}

/// A key with the overrides of its two runs: some of both, and further ones of the second.
#[derive(Debug)]
pub struct Pair {
    pub key: &'static str,
    pub base: Base,
    pub without: &'static [&'static str],
    pub with: &'static [&'static str],
}

const fn pair(key: &'static str, without: &'static [&'static str], with: &'static [&'static str]) -> Pair {
    Pair { key, base: Pictures, without, with }
}

const fn of_texts(key: &'static str, without: &'static [&'static str], with: &'static [&'static str]) -> Pair {
    Pair { key, base: Texts, without, with }
}

/// Nothing gets better by as much, so that callbacks count from the second epoch on.
const PLATEAU: &str = "train.reduce_lr_on_plateau={ patience: 1, min_delta: 100, factor: 0.5 }";
const STOPPING: &str = "train.early_stopping={ patience: 2 }";
const LORA: &str = "model.lora={ layers: [query] }";

/// Keys whose effect is not in the training of one run: key, file, test.
pub const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("name", "tests/whole_way.rs", "runs_are_found_by_number_name_and_prefix_and_removed"),
    ("extends", "src/experiment/tests/extends.rs", "maps_are_merged_and_the_rest_replaced"),
    ("task", "src/experiment/tests/mistakes.rs", "every_mistake_is_shown_with_its_place"),
    ("threads", "tests/threads.rs", "arithmetic_uses_the_threads_that_were_asked_for"),
    ("retries", "src/runner/tests/causes.rs", "retries_are_those_of_the_experiment"),
    ("time_limit_minutes", "tests/causes.rs", "a_time_limit"),
    ("memory_gib", "src/runner/needs.rs", "memory_and_gpu_are_what_the_experiment_says"),
    ("data.loader_threads", "src/data/loader.rs", "figures_are_the_same_whatever_the_threads_and_what_is_kept"),
    ("train.checkpoint_minutes", "tests/every_key/main.rs", "checkpoints_within_an_epoch_come_as_often_as_is_said"),
    ("matrix.include", "src/experiment/tests/sweeps.rs", "combinations_are_left_out_and_added"),
    ("matrix.exclude", "src/experiment/tests/sweeps.rs", "combinations_are_left_out_and_added"),
];

pub const PAIRS: &[Pair] = &[
    pair("seed", &[], &["seed=1"]),
    pair("device", &[], &["device=cuda"]),
    pair("data.train", &[], &["data.train=val"]),
    pair("data.val", &[], &["data.val=train"]),
    pair("data.val_split", &["data.val=null", "data.val_split=0.3"], &["data.val_split=0.5"]),
    pair("data.image_size", &[], &["data.image_size=48"]),
    pair("data.resize", &["data.image_size=44"], &["data.resize=nearest"]),
    pair("data.augment.rotation", &[], &["data.augment.rotation=30"]),
    pair("data.augment.zoom", &[], &["data.augment.zoom=0.3"]),
    pair("data.augment.width_shift", &[], &["data.augment.width_shift=0.3"]),
    pair("data.augment.height_shift", &[], &["data.augment.height_shift=0.3"]),
    pair("data.augment.shear", &[], &["data.augment.shear=20"]),
    pair("data.augment.fill_mode", &["data.augment.width_shift=0.3"], &["data.augment.fill_mode=constant"]),
    pair("data.augment.horizontal_flip", &[], &["data.augment.horizontal_flip=true"]),
    pair("data.augment.vertical_flip", &[], &["data.augment.vertical_flip=true"]),
    pair("data.augment.channel_shift", &[], &["data.augment.channel_shift=50"]),
    pair("data.augment.brightness", &[], &["data.augment.brightness=[0.5, 0.6]"]),
    pair("data.augment.contrast", &[], &["data.augment.contrast=0.5"]),
    pair(
        "data.augment.random_erasing.probability",
        &["data.augment.random_erasing={ probability: 1 }"],
        &["data.augment.random_erasing.probability=0.2"],
    ),
    pair(
        "data.augment.random_erasing.scale",
        &["data.augment.random_erasing={ probability: 1 }"],
        &["data.augment.random_erasing.scale=[0.3, 0.33]"],
    ),
    pair(
        "data.augment.random_erasing.ratio",
        &["data.augment.random_erasing={ probability: 1 }"],
        &["data.augment.random_erasing.ratio=[0.3, 0.31]"],
    ),
    pair("data.augment.mixup", &[], &["data.augment.mixup=1"]),
    pair("data.augment.cutmix", &[], &["data.augment.cutmix=1"]),
    pair("data.augment.views", &["data.augment.rotation=30"], &["data.augment.views=1"]),
    of_texts("data.text_column", &[], &["data.text_column=label"]),
    of_texts("data.label_column", &[], &["data.label_column=text"]),
    of_texts("data.max_length", &[], &["data.max_length=4"]),
    pair("model.backbone", &["model.weights=random"], &["model.backbone=resnet18"]),
    pair("model.weights", &[], &["model.weights=random"]),
    of_texts("model.tokenizer", &[], &["model.tokenizer=other.txt"]),
    pair("model.preprocessing", &[], &["model.preprocessing=torch"]),
    of_texts("model.lora.rank", &[LORA], &["model.lora.rank=2"]),
    of_texts("model.lora.alpha", &[LORA], &["model.lora.alpha=32"]),
    of_texts("model.lora.dropout", &[LORA], &["model.lora.dropout=0.5"]),
    of_texts("model.lora.layers", &[LORA], &["model.lora.layers=[key]"]),
    pair("model.pool", &[], &["model.pool=max"]),
    pair("model.l2", &[], &["model.l2=0.1"]),
    pair("model.head[].dense.units", &[], &["model.head.0.dense.units=4"]),
    pair("model.head[].dense.activation", &[], &["model.head.0.dense.activation=linear"]),
    pair("model.head[].dense.l2", &[], &["model.head.0.dense.l2=0.1"]),
    pair("model.head[].dropout", &[], &["model.head.1.dropout=0.6"]),
    of_texts("train.batch_size", &[], &["train.batch_size=4"]),
    of_texts("train.accumulate", &[], &["train.accumulate=2"]),
    of_texts("train.label_smoothing", &[], &["train.label_smoothing=0.2"]),
    of_texts("train.class_weight", &[], &["train.class_weight={ food: 3 }"]),
    of_texts("train.phases[].name", &[], &["train.phases.0.name=other"]),
    of_texts("train.phases[].epochs", &[], &["train.phases.0.epochs=1"]),
    of_texts(
        "train.phases[].trainable.last_layers",
        &["train.phases.0.trainable={ last_layers: 1 }"],
        &["train.phases.0.trainable={ last_layers: 3 }"],
    ),
    of_texts(
        "train.phases[].trainable.from",
        &["train.phases.0.trainable={ from: encoder.layer.2 }"],
        &["train.phases.0.trainable={ from: encoder.layer.1 }"],
    ),
    of_texts(
        "train.phases[].trainable.names",
        &["train.phases.0.trainable={ names: [encoder.layer.2] }"],
        &["train.phases.0.trainable={ names: [encoder.layer.1] }"],
    ),
    of_texts(
        "train.phases[].trainable.gradual.every",
        &["train.phases.0.trainable={ gradual: {} }"],
        &["train.phases.0.trainable.gradual.every=2"],
    ),
    of_texts(
        "train.phases[].trainable.gradual.blocks",
        &["train.phases.0.trainable={ gradual: {} }"],
        &["train.phases.0.trainable.gradual.blocks=1"],
    ),
    of_texts("train.phases[].lr_decay", &[], &["train.phases.0.lr_decay=0.5"]),
    of_texts("train.phases[].lr_factors", &[], &["train.phases.0.lr_factors={ encoder.layer.2: 0.1 }"]),
    of_texts(
        "train.phases[].schedule.constant.warmup_epochs",
        &[],
        &["train.phases.0.schedule.constant.warmup_epochs=1"],
    ),
    of_texts(
        "train.phases[].schedule.step.every",
        &["train.phases.0.schedule={ step: { every: 1 } }"],
        &["train.phases.0.schedule.step.every=2"],
    ),
    of_texts(
        "train.phases[].schedule.step.factor",
        &["train.phases.0.schedule={ step: { every: 1 } }"],
        &["train.phases.0.schedule.step.factor=0.5"],
    ),
    of_texts(
        "train.phases[].schedule.step.warmup_epochs",
        &["train.phases.0.schedule={ step: { every: 1 } }"],
        &["train.phases.0.schedule.step.warmup_epochs=1"],
    ),
    of_texts(
        "train.phases[].schedule.exponential.factor",
        &["train.phases.0.schedule={ exponential: { factor: 0.5 } }"],
        &["train.phases.0.schedule.exponential.factor=0.9"],
    ),
    of_texts(
        "train.phases[].schedule.exponential.by",
        &["train.phases.0.schedule={ exponential: { factor: 0.5 } }"],
        &["train.phases.0.schedule.exponential.by=step"],
    ),
    of_texts(
        "train.phases[].schedule.exponential.warmup_epochs",
        &["train.phases.0.schedule={ exponential: { factor: 0.5 } }"],
        &["train.phases.0.schedule.exponential.warmup_epochs=1"],
    ),
    of_texts(
        "train.phases[].schedule.cosine.min_lr",
        &["train.phases.0.schedule=cosine"],
        &["train.phases.0.schedule.cosine.min_lr=5e-3"],
    ),
    of_texts(
        "train.phases[].schedule.cosine.cycles",
        &["train.phases.0.schedule=cosine"],
        &["train.phases.0.schedule.cosine.cycles=2"],
    ),
    of_texts(
        "train.phases[].schedule.cosine.by",
        &["train.phases.0.schedule=cosine"],
        &["train.phases.0.schedule.cosine.by=epoch"],
    ),
    of_texts(
        "train.phases[].schedule.cosine.warmup_epochs",
        &["train.phases.0.schedule=cosine"],
        &["train.phases.0.schedule.cosine.warmup_epochs=1"],
    ),
    of_texts(
        "train.phases[].schedule.linear.min_lr",
        &["train.phases.0.schedule=linear"],
        &["train.phases.0.schedule.linear.min_lr=5e-3"],
    ),
    of_texts(
        "train.phases[].schedule.linear.by",
        &["train.phases.0.schedule=linear"],
        &["train.phases.0.schedule.linear.by=epoch"],
    ),
    of_texts(
        "train.phases[].schedule.linear.warmup_epochs",
        &["train.phases.0.schedule=linear"],
        &["train.phases.0.schedule.linear.warmup_epochs=1"],
    ),
    of_texts(
        "train.phases[].schedule.polynomial.power",
        &["train.phases.0.schedule=polynomial"],
        &["train.phases.0.schedule.polynomial.power=2"],
    ),
    of_texts(
        "train.phases[].schedule.polynomial.min_lr",
        &["train.phases.0.schedule=polynomial"],
        &["train.phases.0.schedule.polynomial.min_lr=5e-3"],
    ),
    of_texts(
        "train.phases[].schedule.polynomial.by",
        &["train.phases.0.schedule=polynomial"],
        &["train.phases.0.schedule.polynomial.by=epoch"],
    ),
    of_texts(
        "train.phases[].schedule.polynomial.warmup_epochs",
        &["train.phases.0.schedule=polynomial"],
        &["train.phases.0.schedule.polynomial.warmup_epochs=1"],
    ),
    of_texts(
        "train.phases[].schedule.one_cycle.pct_start",
        &["train.phases.0.schedule=one_cycle"],
        &["train.phases.0.schedule.one_cycle.pct_start=0.6"],
    ),
    of_texts(
        "train.phases[].schedule.one_cycle.div_factor",
        &["train.phases.0.schedule=one_cycle"],
        &["train.phases.0.schedule.one_cycle.div_factor=5"],
    ),
    of_texts(
        "train.phases[].schedule.one_cycle.final_div_factor",
        &["train.phases.0.schedule=one_cycle"],
        &["train.phases.0.schedule.one_cycle.final_div_factor=5"],
    ),
    of_texts("train.phases[].optimizer.adam.lr", &[], &["train.phases.0.optimizer.adam.lr=3e-3"]),
    of_texts("train.phases[].optimizer.adam.beta_1", &[], &["train.phases.0.optimizer.adam.beta_1=0.5"]),
    of_texts("train.phases[].optimizer.adam.beta_2", &[], &["train.phases.0.optimizer.adam.beta_2=0.9"]),
    of_texts("train.phases[].optimizer.adam.epsilon", &[], &["train.phases.0.optimizer.adam.epsilon=1e-3"]),
    of_texts("train.phases[].optimizer.adam.variant", &[], &["train.phases.0.optimizer.adam.variant=pytorch"]),
    of_texts(
        "train.phases[].optimizer.adamw.lr",
        &["train.phases.0.optimizer=adamw"],
        &["train.phases.0.optimizer.adamw.lr=3e-3"],
    ),
    of_texts(
        "train.phases[].optimizer.adamw.beta_1",
        &["train.phases.0.optimizer=adamw"],
        &["train.phases.0.optimizer.adamw.beta_1=0.5"],
    ),
    of_texts(
        "train.phases[].optimizer.adamw.beta_2",
        &["train.phases.0.optimizer=adamw"],
        &["train.phases.0.optimizer.adamw.beta_2=0.9"],
    ),
    of_texts(
        "train.phases[].optimizer.adamw.epsilon",
        &["train.phases.0.optimizer=adamw"],
        &["train.phases.0.optimizer.adamw.epsilon=1e-3"],
    ),
    of_texts(
        "train.phases[].optimizer.adamw.weight_decay",
        &["train.phases.0.optimizer=adamw"],
        &["train.phases.0.optimizer.adamw.weight_decay=0.3"],
    ),
    of_texts(
        "train.phases[].optimizer.sgd.lr",
        &["train.phases.0.optimizer=sgd"],
        &["train.phases.0.optimizer.sgd.lr=0.1"],
    ),
    of_texts(
        "train.phases[].optimizer.sgd.momentum",
        &["train.phases.0.optimizer=sgd"],
        &["train.phases.0.optimizer.sgd.momentum=0.9"],
    ),
    of_texts(
        "train.phases[].optimizer.sgd.nesterov",
        &["train.phases.0.optimizer={ sgd: { momentum: 0.9 } }"],
        &["train.phases.0.optimizer.sgd.nesterov=true"],
    ),
    of_texts(
        "train.phases[].optimizer.sgd.weight_decay",
        &["train.phases.0.optimizer=sgd"],
        &["train.phases.0.optimizer.sgd.weight_decay=0.1"],
    ),
    of_texts(
        "train.phases[].optimizer.sgd.dampening",
        &["train.phases.0.optimizer={ sgd: { momentum: 0.9 } }"],
        &["train.phases.0.optimizer.sgd.dampening=0.5"],
    ),
    of_texts(
        "train.phases[].optimizer.rmsprop.lr",
        &["train.phases.0.optimizer=rmsprop"],
        &["train.phases.0.optimizer.rmsprop.lr=3e-3"],
    ),
    of_texts(
        "train.phases[].optimizer.rmsprop.alpha",
        &["train.phases.0.optimizer=rmsprop"],
        &["train.phases.0.optimizer.rmsprop.alpha=0.5"],
    ),
    of_texts(
        "train.phases[].optimizer.rmsprop.epsilon",
        &["train.phases.0.optimizer=rmsprop"],
        &["train.phases.0.optimizer.rmsprop.epsilon=1e-3"],
    ),
    of_texts(
        "train.phases[].optimizer.rmsprop.momentum",
        &["train.phases.0.optimizer=rmsprop"],
        &["train.phases.0.optimizer.rmsprop.momentum=0.5"],
    ),
    of_texts(
        "train.phases[].optimizer.rmsprop.weight_decay",
        &["train.phases.0.optimizer=rmsprop"],
        &["train.phases.0.optimizer.rmsprop.weight_decay=0.1"],
    ),
    of_texts("train.clip_norm", &[], &["train.clip_norm=0.1"]),
    of_texts("train.early_stopping.monitor", &[STOPPING], &["train.early_stopping.monitor=loss"]),
    of_texts("train.early_stopping.mode", &[STOPPING], &["train.early_stopping.mode=max"]),
    of_texts("train.early_stopping.patience", &[STOPPING], &["train.early_stopping.patience=9"]),
    of_texts("train.early_stopping.min_delta", &[STOPPING], &["train.early_stopping.min_delta=100"]),
    of_texts("train.early_stopping.baseline", &[STOPPING], &["train.early_stopping.baseline=1e-9"]),
    of_texts("train.early_stopping.start_from_epoch", &[STOPPING], &["train.early_stopping.start_from_epoch=9"]),
    of_texts(
        "train.early_stopping.restore_best_weights",
        &["train.early_stopping={ patience: 9, mode: max }", "train.save=last"],
        &["train.early_stopping.restore_best_weights=true"],
    ),
    of_texts("train.reduce_lr_on_plateau.monitor", &[PLATEAU], &["train.reduce_lr_on_plateau.monitor=loss"]),
    of_texts(
        "train.reduce_lr_on_plateau.mode",
        &[PLATEAU, "train.reduce_lr_on_plateau.min_delta=0"],
        &["train.reduce_lr_on_plateau.mode=max"],
    ),
    of_texts("train.reduce_lr_on_plateau.factor", &[PLATEAU], &["train.reduce_lr_on_plateau.factor=0.2"]),
    of_texts("train.reduce_lr_on_plateau.patience", &[PLATEAU], &["train.reduce_lr_on_plateau.patience=9"]),
    of_texts("train.reduce_lr_on_plateau.min_delta", &[PLATEAU], &["train.reduce_lr_on_plateau.min_delta=0"]),
    of_texts("train.reduce_lr_on_plateau.cooldown", &[PLATEAU], &["train.reduce_lr_on_plateau.cooldown=3"]),
    of_texts("train.reduce_lr_on_plateau.min_lr", &[PLATEAU], &["train.reduce_lr_on_plateau.min_lr=8e-3"]),
    of_texts("train.metrics", &[], &["train.metrics=[f1]"]),
    of_texts("train.monitor", &[], &["train.monitor=loss"]),
    of_texts("train.mode", &["train.monitor=val_loss"], &["train.mode=max"]),
    of_texts("train.save", &["train.monitor=val_loss", "train.mode=max"], &["train.save=last"]),
];
