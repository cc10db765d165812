//! The key `train`.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::globs::{bad_glob, globs};
use super::numbers::{Numbers, numbers};
use crate::experiment::mistakes::{Finding, Findings, quoted};
use crate::experiment::place::Place;
use crate::experiment::section::{Form, Section};
use crate::experiment::{
    ClassWeight, EarlyStopping, Metric, Mode, Phase, ReduceLrOnPlateau, Save, Train, Trainable, Watch,
};

use super::metrics::{measures, monitor};

pub(super) fn train(section: &Section, findings: &Findings) -> Train {
    let early_stopping = section.given_section("early_stopping").map(|section| early_stopping(&section));
    let reduce_lr_on_plateau = section.given_section("reduce_lr_on_plateau").map(|section| reduce_lr(&section));
    let watch = run_watch(section, early_stopping.as_ref().map(|callback| &callback.watch));
    let of_callbacks = [early_stopping.as_ref().map(|c| &c.watch), reduce_lr_on_plateau.as_ref().map(|c| &c.watch)];
    let watched = of_callbacks.into_iter().flatten().chain([&watch]).map(|watch| &watch.monitor);
    Train {
        metrics: measures(section, watched),
        batch_size: section.small("batch_size"),
        accumulate: section.small("accumulate"),
        label_smoothing: section.number("label_smoothing"),
        class_weight: class_weight(section),
        checkpoint_minutes: section.number("checkpoint_minutes"),
        phases: phases(section, findings),
        clip_norm: section.given_number("clip_norm"),
        reduce_lr_on_plateau,
        watch,
        save: section.word("save", Save::Best),
        early_stopping,
    }
}

const PHASE: &str = "train.phases[]";

fn phases(section: &Section, findings: &Findings) -> Vec<Phase> {
    let Some(items) = section.items("phases", PHASE) else {
        return vec![Phase { name: "head".into(), ..phase(&section.defaults(PHASE), 1) }];
    };
    if items.is_empty() {
        section.found(Finding::new(section.place_of("phases"), "`phases` is empty, expected at least one phase"));
    }
    let phases: Vec<Phase> = items.iter().zip(1..).map(|(item, number)| phase(item, number)).collect();
    let places = items.iter().map(|item| item.given("name").map_or(item.place(), |name| name.node.place));
    names_differ(&phases, places, findings);
    phases
}

fn names_differ(phases: &[Phase], places: impl Iterator<Item = Place>, findings: &Findings) {
    let mut first_places = HashMap::new();
    for (phase, place) in phases.iter().zip(places) {
        match first_places.get(&*phase.name) {
            None => {
                first_places.insert(&*phase.name, place);
            }
            Some(&first) if first == place => {
                // One map merged into several phases brings its name along.
                let message = format!("two phases are called {}, as both take the name from here", quoted(&phase.name));
                findings.push(Finding::new(place, message).hint("give each phase a `name` of its own"));
            }
            Some(&first) => {
                let message = format!("two phases are called {}, expected names that differ", quoted(&phase.name));
                findings.push(Finding::new(place, message).also(first, "first here"));
            }
        }
    }
}

fn phase(section: &Section, number: usize) -> Phase {
    let (epochs, optimizer) = (section.small("epochs"), super::optimizer::optimizer(section));
    Phase {
        name: super::name(section).unwrap_or_else(|| format!("phase_{number}")),
        epochs,
        trainable: trainable(section),
        lr_decay: section.number("lr_decay"),
        lr_factors: lr_factors(section),
        schedule: super::schedule::schedule(section, epochs, optimizer.lr()),
        optimizer,
    }
}

fn class_weight(section: &Section) -> Option<ClassWeight> {
    Some(match numbers(section, "class_weight", |_| None)? {
        Numbers::Word => ClassWeight::Balanced,
        Numbers::Map(weights) => ClassWeight::Of(weights),
    })
}

fn lr_factors(section: &Section) -> BTreeMap<String, f64> {
    match numbers(section, "lr_factors", |entry| bad_glob(&entry.key, entry.key_place)) {
        Some(Numbers::Map(factors)) => factors,
        Some(Numbers::Word) | None => BTreeMap::new(),
    }
}

fn trainable(phase: &Section) -> Trainable {
    match phase.form("trainable") {
        Some(Form::Word("gradual")) => gradual(&phase.defaults("train.phases[].trainable.gradual")),
        Some(Form::Key("gradual", section)) => gradual(&section.section("gradual")),
        Some(Form::Word("all")) => Trainable::All,
        Some(Form::Word("none")) => Trainable::None,
        Some(Form::Key("last_layers", section)) => Trainable::LastLayers(section.small("last_layers")),
        Some(Form::Key("from", section)) => Trainable::From(layer_name(&section)),
        Some(Form::Key(_, section)) => Trainable::Names(globs(&section, "names").unwrap_or_default()),
        Some(Form::Word(_)) | None => Trainable::Head,
    }
}

fn gradual(section: &Section) -> Trainable {
    Trainable::Gradual { every: section.small("every"), blocks: section.given_small("blocks") }
}

fn layer_name(section: &Section) -> String {
    let Some((text, given)) = section.given_text("from") else { return String::new() };
    if text.trim().is_empty() {
        section.found(Finding::new(given.node.place, "`from` is empty, expected the name of a layer"));
    }
    text.to_owned()
}

fn early_stopping(section: &Section) -> EarlyStopping {
    EarlyStopping {
        watch: watch(section),
        patience: section.small("patience"),
        min_delta: section.number("min_delta"),
        baseline: section.given_number("baseline"),
        start_from_epoch: section.small("start_from_epoch"),
        restore_best_weights: section.flag("restore_best_weights"),
    }
}

fn reduce_lr(section: &Section) -> ReduceLrOnPlateau {
    ReduceLrOnPlateau {
        watch: watch(section),
        factor: section.number("factor"),
        patience: section.small("patience"),
        min_delta: section.number("min_delta"),
        cooldown: section.small("cooldown"),
        min_lr: section.number("min_lr"),
    }
}

/// `mode` as it is typed.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum TypedMode {
    Auto,
    Min,
    Max,
}

impl TypedMode {
    fn of(self, monitor: &Metric) -> Mode {
        match self {
            TypedMode::Auto => monitor.mode(),
            TypedMode::Min => Mode::Min,
            TypedMode::Max => Mode::Max,
        }
    }
}

fn watch(section: &Section) -> Watch {
    let monitor = monitor(section).unwrap_or(Metric::ValLoss);
    Watch { mode: section.word("mode", TypedMode::Auto).of(&monitor), monitor }
}

/// What the whole run watches: as typed, else what early stopping does.
fn run_watch(section: &Section, early_stopping: Option<&Watch>) -> Watch {
    let inherited = early_stopping.cloned().unwrap_or(Watch { monitor: Metric::ValLoss, mode: Mode::Min });
    let monitor = monitor(section);
    match section.given_word("mode") {
        Some(mode) => {
            let monitor = monitor.unwrap_or(inherited.monitor);
            Watch { mode: TypedMode::of(mode, &monitor), monitor }
        }
        None => monitor.map_or(inherited, |monitor| Watch { mode: monitor.mode(), monitor }),
    }
}
