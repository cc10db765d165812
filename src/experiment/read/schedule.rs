//! The key `schedule` of a phase, and what goes with it.

use crate::experiment::mistakes::Finding;
use crate::experiment::section::{Form, Section};
use crate::experiment::{By, Schedule};

/// The schedule of a phase of so many `epochs` that starts with the rate `lr`.
pub(super) fn schedule(phase: &Section, epochs: u32, lr: f64) -> Schedule {
    let of_word = |word| match word {
        "cosine" => cosine(&phase.defaults("train.phases[].schedule.cosine")),
        "linear" => linear(&phase.defaults("train.phases[].schedule.linear")),
        "polynomial" => polynomial(&phase.defaults("train.phases[].schedule.polynomial")),
        "one_cycle" => one_cycle(&phase.defaults("train.phases[].schedule.one_cycle")),
        _ => Schedule::CONSTANT,
    };
    match phase.form("schedule") {
        None => Schedule::CONSTANT,
        Some(Form::Word(word)) => of_word(word),
        Some(Form::Key(name, section)) => {
            let section = section.section(name);
            let schedule = of(name, &section);
            check(&section, &schedule, epochs, lr);
            schedule
        }
    }
}

fn of(name: &str, section: &Section) -> Schedule {
    match name {
        "step" => Schedule::Step {
            every: section.small("every"),
            factor: section.number("factor"),
            warmup_epochs: section.number("warmup_epochs"),
        },
        "exponential" => Schedule::Exponential {
            factor: section.number("factor"),
            by: section.word("by", By::Epoch),
            warmup_epochs: section.number("warmup_epochs"),
        },
        "cosine" => cosine(section),
        "linear" => linear(section),
        "polynomial" => polynomial(section),
        "one_cycle" => one_cycle(section),
        _ => Schedule::Constant { warmup_epochs: section.number("warmup_epochs") },
    }
}

fn cosine(section: &Section) -> Schedule {
    Schedule::Cosine {
        min_lr: section.number("min_lr"),
        cycles: section.small("cycles"),
        by: section.word("by", By::Step),
        warmup_epochs: section.number("warmup_epochs"),
    }
}

fn linear(section: &Section) -> Schedule {
    Schedule::Linear {
        min_lr: section.number("min_lr"),
        by: section.word("by", By::Step),
        warmup_epochs: section.number("warmup_epochs"),
    }
}

fn polynomial(section: &Section) -> Schedule {
    Schedule::Polynomial {
        power: section.number("power"),
        min_lr: section.number("min_lr"),
        by: section.word("by", By::Step),
        warmup_epochs: section.number("warmup_epochs"),
    }
}

fn one_cycle(section: &Section) -> Schedule {
    Schedule::OneCycle {
        pct_start: section.number("pct_start"),
        div_factor: section.number("div_factor"),
        final_div_factor: section.number("final_div_factor"),
    }
}

/// What a schedule says against its own phase.
fn check(section: &Section, schedule: &Schedule, epochs: u32, lr: f64) {
    let warmup = schedule.warmup_epochs();
    if warmup > f64::from(epochs) {
        let message = format!("a warm-up of {warmup} epochs is longer than the phase, which has {epochs}");
        section.found(Finding::new(section.place_of("warmup_epochs"), message).hint("use fewer, or parts of an epoch"));
    }
    if let Some(min_lr) = schedule.min_lr().filter(|min_lr| *min_lr > lr) {
        let message = format!("`min_lr` is {min_lr:e}, above the phase's rate of {lr:e}");
        section.found(Finding::new(section.place_of("min_lr"), message).hint("a schedule goes down from `lr`"));
    }
}
