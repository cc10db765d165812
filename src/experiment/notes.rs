//! What is no mistake but may not be meant: `finetop check` says it.

use super::{
    Activation, Augment, EarlyStopping, Experiment, HeadLayer, Metric, Model, Phase, Schedule, Trainable, Watch,
    Weights,
};
use super::{ReduceLrOnPlateau, Train};
use crate::base::text::printable;

impl Experiment {
    /// One sentence for each thing that acts in another way than it looks; safe for a terminal.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let augment = self.data.augment();
        if augment.views.is_some() && augment.is_none() {
            notes.push("data.augment.views does nothing: no augmentation is set beside it".to_owned());
        }
        notes.extend(mixing_note(&augment, &self.train.phases));
        notes.extend(head_notes(&self.model));
        notes.extend(weights_note(&self.model, &self.train.phases));
        self.train.phases.iter().for_each(|phase| notes.extend(phase_notes(phase)));
        notes.extend(watch_note("train", &self.train.watch));
        if let Some(callback) = &self.train.early_stopping {
            notes.extend(early_stopping_notes(callback, &self.train));
        }
        if let Some(callback) = &self.train.reduce_lr_on_plateau {
            notes.extend(reduce_lr_notes(callback, &self.train));
        }
        notes.iter().map(|note| printable(note)).collect()
    }
}

fn mixing_note(augment: &Augment, phases: &[Phase]) -> Option<String> {
    let key = match (augment.mixup, augment.cutmix) {
        (Some(_), _) => "mixup",
        (None, Some(_)) => "cutmix",
        (None, None) => return None,
    };
    phases.iter().any(|phase| phase.trainable != Trainable::All).then(|| {
        format!(
            "data.augment.{key} mixes pictures anew in every batch: frozen layers are computed again in every epoch"
        )
    })
}

fn head_notes(model: &Model) -> Option<String> {
    let linear = |layer: &HeadLayer| matches!(layer, HeadLayer::Dense { activation: Activation::Linear, .. });
    model.head.iter().any(linear).then(|| {
        "model.head: a dense layer without activation is linear, and with the output layer no more than one linear \
         layer; `activation: relu` is usual"
            .to_owned()
    })
}

fn weights_note(model: &Model, phases: &[Phase]) -> Option<String> {
    let backbone_learns = |phase: &Phase| !matches!(phase.trainable, Trainable::Head | Trainable::None);
    let none_used = model.weights == Weights::Random && !phases.iter().any(backbone_learns);
    none_used.then(|| "model.weights is random and the backbone never learns: its features stay noise".to_owned())
}

fn phase_notes(phase: &Phase) -> Vec<String> {
    let Phase { name, epochs, trainable, schedule, .. } = phase;
    let mut notes = Vec::new();
    match trainable {
        Trainable::None => {
            notes.push(format!("phase {name} trains nothing: `trainable: none` freezes the head too"));
        }
        Trainable::Gradual { every, .. } if every >= epochs => {
            notes.push(format!(
                "phase {name} unfreezes nothing: it has {epochs} epochs, and a block more learns after {every}"
            ));
        }
        Trainable::Head if phase.lr_decay < 1.0 => {
            notes.push(format!("phase {name}: `lr_decay` does nothing where only the head learns"));
        }
        _ => {}
    }
    if let Schedule::Step { every, .. } = schedule
        && every >= epochs
    {
        notes.push(format!("phase {name}: the rate never drops, it has {epochs} epochs and drops after {every}"));
    }
    notes
}

fn watch_note(key: &str, watch: &Watch) -> Option<String> {
    (watch.mode != watch.monitor.mode())
        .then(|| format!("{key}.mode: {} is held to be better when it is worse", watch.monitor.name()))
}

fn early_stopping_notes(callback: &EarlyStopping, train: &Train) -> Vec<String> {
    const KEY: &str = "train.early_stopping";
    let longest = longest_phase(train);
    let mut notes: Vec<String> = watch_note(KEY, &callback.watch).into_iter().collect();
    if callback.patience == 0 {
        notes.push(format!("{KEY}.patience: 0 acts like 1, as in Keras"));
    }
    if matches!(callback.watch.monitor, Metric::Loss | Metric::Accuracy) {
        let (watched, better) = (callback.watch.monitor.name(), "val_loss");
        notes
            .push(format!("{KEY}.monitor: {watched} is a training figure and blind to overfitting; {better} is usual"));
    }
    if callback.start_from_epoch >= longest {
        notes.push(format!("{KEY}.start_from_epoch: no phase has more than {longest} epochs, so nothing is watched"));
    } else if callback.patience >= longest - callback.start_from_epoch {
        notes
            .push(format!("{KEY}.patience: {} epochs never pass, no phase has more than {longest}", callback.patience));
    }
    notes
}

fn reduce_lr_notes(callback: &ReduceLrOnPlateau, train: &Train) -> Vec<String> {
    const KEY: &str = "train.reduce_lr_on_plateau";
    let longest = longest_phase(train);
    let mut notes: Vec<String> = watch_note(KEY, &callback.watch).into_iter().collect();
    if callback.patience == 0 {
        notes.push(format!("{KEY}.patience: 0 acts like 1, as in Keras"));
    }
    if callback.cooldown == 1 {
        notes.push(format!("{KEY}.cooldown: 1 acts like 0, as in Keras"));
    }
    if callback.patience >= longest {
        notes
            .push(format!("{KEY}.patience: {} epochs never pass, no phase has more than {longest}", callback.patience));
    } else if let Some(stop) = &train.early_stopping
        && stop.watch == callback.watch
        && stop.start_from_epoch == 0
        && stop.patience <= callback.patience
    {
        notes.push(format!(
            "{KEY}.patience: early stopping (patience {}) ends a phase before the rate drops",
            stop.patience
        ));
    }
    let highest = train.phases.iter().map(|phase| phase.optimizer.lr()).fold(0.0, f64::max);
    if callback.min_lr >= highest {
        notes.push(format!("{KEY}.min_lr: no phase starts above {:e}, so the rate never drops", callback.min_lr));
    }
    notes
}

fn longest_phase(train: &Train) -> u32 {
    train.phases.iter().map(|phase| phase.epochs).max().unwrap_or(0)
}
