//! The key `optimizer` of a phase.

use crate::experiment::mistakes::Finding;
use crate::experiment::section::{Form, Section};
use crate::experiment::{AdamVariant, Optimizer};

pub(super) fn optimizer(phase: &Section) -> Optimizer {
    match phase.form("optimizer") {
        Some(Form::Key(name, section)) => of(name, &section.section(name)),
        Some(Form::Word("adamw")) => adamw(&phase.defaults("train.phases[].optimizer.adamw")),
        Some(Form::Word("sgd")) => sgd(&phase.defaults("train.phases[].optimizer.sgd")),
        Some(Form::Word("rmsprop")) => rmsprop(&phase.defaults("train.phases[].optimizer.rmsprop")),
        Some(Form::Word(_)) | None => adam(&phase.defaults("train.phases[].optimizer.adam")),
    }
}

fn of(name: &str, section: &Section) -> Optimizer {
    match name {
        "adamw" => adamw(section),
        "sgd" => sgd(section),
        "rmsprop" => rmsprop(section),
        _ => adam(section),
    }
}

fn adam(section: &Section) -> Optimizer {
    let variant = section.word("variant", AdamVariant::Keras);
    Optimizer::Adam {
        lr: section.number("lr"),
        beta_1: section.number("beta_1"),
        beta_2: section.number("beta_2"),
        epsilon: section.given_number("epsilon").unwrap_or(variant.epsilon()),
        variant,
    }
}

fn adamw(section: &Section) -> Optimizer {
    Optimizer::AdamW {
        lr: section.number("lr"),
        beta_1: section.number("beta_1"),
        beta_2: section.number("beta_2"),
        epsilon: section.number("epsilon"),
        weight_decay: section.number("weight_decay"),
    }
}

fn sgd(section: &Section) -> Optimizer {
    let (momentum, nesterov) = (section.number("momentum"), section.flag("nesterov"));
    let dampening = section.number("dampening");
    if nesterov && (momentum == 0.0 || dampening != 0.0) {
        let message = "`nesterov` needs `momentum` above 0 and no `dampening`";
        section.found(Finding::new(section.place_of("nesterov"), message).hint("add `momentum: 0.9`"));
    }
    Optimizer::Sgd {
        lr: section.number("lr"),
        momentum,
        nesterov,
        weight_decay: section.number("weight_decay"),
        dampening,
    }
}

fn rmsprop(section: &Section) -> Optimizer {
    Optimizer::RmsProp {
        lr: section.number("lr"),
        alpha: section.number("alpha"),
        epsilon: section.number("epsilon"),
        momentum: section.number("momentum"),
        weight_decay: section.number("weight_decay"),
    }
}
