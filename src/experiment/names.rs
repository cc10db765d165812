//! What people type for a name, and what they mean.

/// What Keras, PyTorch and habit call a thing, and what it is called here.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("learning_rate", "lr"),
    ("eps", "epsilon"),
    ("acc", "accuracy"),
    ("val_acc", "val_accuracy"),
    ("validation_split", "val_split"),
    ("validation", "val"),
    ("rotation_range", "rotation"),
    ("zoom_range", "zoom"),
    ("width_shift_range", "width_shift"),
    ("height_shift_range", "height_shift"),
    ("augmentation", "augment"),
    ("pooling", "pool"),
    ("average", "avg"),
    ("mean", "avg"),
    ("weightdecay", "weight_decay"),
    ("rho", "alpha"),
    ("global_clipnorm", "clip_norm"),
    ("clipnorm", "clip_norm"),
    ("max_grad_norm", "clip_norm"),
    ("shear_range", "shear"),
    ("brightness_range", "brightness"),
    ("channel_shift_range", "channel_shift"),
    ("randomerasing", "random_erasing"),
    ("roc_auc", "auroc"),
    ("auc", "auroc"),
    ("f1_score", "f1"),
    ("f1_macro", "f1"),
    ("precision_macro", "precision"),
    ("recall_macro", "recall"),
    ("calibration_error", "ece"),
    ("expected_calibration_error", "ece"),
    ("reducelronplateau", "reduce_lr_on_plateau"),
    ("earlystopping", "early_stopping"),
    ("gradient_accumulation_steps", "accumulate"),
    ("accumulate_grad_batches", "accumulate"),
    ("label_smoothing_factor", "label_smoothing"),
    ("kernel_regularizer", "l2"),
    ("lr_scheduler", "schedule"),
    ("lr_scheduler_type", "schedule"),
    ("scheduler", "schedule"),
    ("layerwise_lr_decay", "lr_decay"),
    ("gamma", "factor"),
    ("step_size", "every"),
    ("eta_min", "min_lr"),
    ("end_learning_rate", "min_lr"),
    ("num_cycles", "cycles"),
    ("warmup", "warmup_epochs"),
    ("onecycle", "one_cycle"),
];

/// `typed` as keys are written here: in small letters, with `_`, and by our name for it.
pub(super) fn our_name(typed: &str) -> String {
    let typed = typed.to_lowercase().replace('-', "_");
    OTHER_NAMES.iter().find(|(other, _)| *other == typed).map_or(typed, |(_, ours)| (*ours).to_owned())
}

/// The candidate that was most likely meant by `typed`, if any is near.
pub(super) fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = our_name(typed);
    let allowed = (typed.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&typed, &candidate.to_lowercase()), candidate))
        .filter(|&(distance, candidate)| distance <= allowed && distance < candidate.chars().count())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}
