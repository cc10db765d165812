//! What a file's keys mean: from what was typed to an [`Experiment`].

mod data;
mod globs;
mod metrics;
mod model;
mod numbers;
mod optimizer;
mod schedule;
mod train;
mod weights;

use super::mistakes::{Finding, Findings, quoted};
use super::paths::Paths;
use super::place::Place;
use super::section::Section;
use super::tree::Node;
use super::{Backbone, Experiment, Limits, Task, Trainable};
use crate::base::text::printable;

/// In characters.
pub(super) const LONGEST_NAME: usize = 64;
/// So that a folder can have the name.
pub(super) const MOST_BYTES_OF_NAME: usize = 200;

/// Reads the experiment that `root` is; `stem` names it where the file does not. It is handed out only where nothing
/// was found.
pub(super) fn experiment(root: &Node, stem: &str, paths: &Paths, findings: &Findings) -> Experiment {
    let file = Section::new("", root, Place::FILE, findings);
    let backbone = model::backbone(&file.section("model"));
    let task = backbone.map(Backbone::task);
    let experiment = Experiment {
        name: run_name(&file, stem),
        task: checked_task(&file, task),
        seed: file.whole("seed"),
        threads: file.small("threads"),
        device: file.word("device", super::Device::Auto),
        limits: Limits {
            retries: file.small("retries"),
            time_limit_minutes: file.given_number("time_limit_minutes"),
            memory_gib: file.given_number("memory_gib"),
        },
        data: data::data(&file.section("data"), task, paths, findings),
        model: model::model(&file.section("model"), backbone, paths, findings),
        train: train::train(&file.section("train"), findings),
    };
    want_adapters_to_learn(&file, &experiment);
    experiment
}

/// Adapters that never learn are a mistake.
fn want_adapters_to_learn(file: &Section, experiment: &Experiment) {
    let learn = |phase: &super::Phase| !matches!(phase.trainable, Trainable::Head | Trainable::None);
    if experiment.model.lora.is_some() && !experiment.train.phases.iter().any(learn) {
        let place = file.section("model").place_of("lora");
        let message = "no phase lets the adapters of `model.lora` learn: all of them train the head alone";
        file.found(Finding::new(place, message).hint("add a phase with `trainable: all`, or remove `lora`"));
    }
}

/// The name alone; whatever is wrong with it is found where the experiment is read.
pub(super) fn name_of(root: &Node, stem: &str) -> String {
    run_name(&Section::new("", root, Place::FILE, &Findings::default()), stem)
}

/// The task of the backbone, which a `task` that is given must agree with.
fn checked_task(file: &Section, of_backbone: Option<Task>) -> Task {
    let typed = file.given_word::<Task>("task");
    if let (Some(typed), Some(meant), Some(given)) = (typed, of_backbone, file.given("task"))
        && typed != meant
    {
        let (what, takes) = match meant {
            Task::ImageClassification => ("image_classification", "pictures"),
            Task::TextClassification => ("text_classification", "texts"),
        };
        let finding = Finding::new(given.node.place, format!("the backbone takes {takes}, expected `{what}`"));
        file.found(finding.hint("remove `task`, which follows from the backbone"));
    }
    of_backbone.or(typed).unwrap_or(Task::ImageClassification)
}

fn run_name(file: &Section, stem: &str) -> String {
    if file.given("name").is_some() {
        return name(file).unwrap_or_default();
    }
    if let Some(problem) = name_problem(stem)
        && !file.is_broken()
    {
        let message = format!("the file's name {} cannot name the run: {problem}", quoted(stem));
        file.found(Finding::new(file.place(), message).hint("add `name: …`, or rename the file"));
    }
    stem.to_owned()
}

/// The key `name` of `section`, where it is given and can be used as a name.
fn name(section: &Section) -> Option<String> {
    let (text, given) = section.given_text("name")?;
    match name_problem(text) {
        None => Some(text.to_owned()),
        Some(problem) => {
            let message = format!("{} cannot be a name: {problem}", quoted(text));
            section.found(Finding::new(given.node.place, message));
            None
        }
    }
}

/// Why `name` cannot be a part of a folder's name, if it cannot.
fn name_problem(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("it is empty")
    } else if name.chars().count() > LONGEST_NAME {
        Some("it is longer than 64 characters")
    } else if name.len() > MOST_BYTES_OF_NAME {
        Some("it is longer than 200 bytes")
    } else if name.contains(['/', '\\']) {
        Some("it would be a path, and a name has no `/` or `\\`")
    } else if name.contains("..") {
        Some("it has `..` in it")
    } else if name.starts_with(['-', '.']) {
        Some("it starts with a dash or a dot")
    } else if name.trim() != name {
        Some("it starts or ends with a space")
    } else if printable(name) != name {
        Some("it has control characters in it")
    } else {
        None
    }
}
