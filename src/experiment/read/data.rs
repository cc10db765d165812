//! The key `data`.

use std::path::PathBuf;

use crate::base::text::printable;
use crate::experiment::mistakes::{Finding, Findings};
use crate::experiment::paths::{Paths, Wants};
use crate::experiment::section::{Given, Section};
use crate::experiment::{Augment, Data, Fill, Inputs, Pictures, RandomErasing, Resize, Task, Texts};

/// The key `data` of an experiment of `task`; None where that is not known, as the backbone is none.
pub(super) fn data(section: &Section, task: Option<Task>, paths: &Paths, findings: &Findings) -> Data {
    let wants = if task == Some(Task::ImageClassification) { Wants::Folder } else { Wants::Either };
    let path = |(text, given): (&str, Given)| paths.resolve(text, given.node.place, wants, findings);
    let data = Data {
        train: section.text("train").map_or_else(PathBuf::new, path),
        val: section.given_text("val").map(path),
        val_split: section.given_number("val_split"),
        inputs: inputs(section, task),
        loader_threads: section.small("loader_threads"),
    };
    validation_is_given_once(section);
    data
}

const OF_PICTURES: [&str; 3] = ["image_size", "resize", "augment"];
const OF_TEXTS: [&str; 3] = ["text_column", "label_column", "max_length"];

fn inputs(section: &Section, task: Option<Task>) -> Inputs {
    let pictures = Pictures {
        image_size: section.small("image_size"),
        resize: section.word("resize", Resize::Bilinear),
        augment: section.given_section("augment").map_or(Augment::NONE, |section| augment(&section)),
    };
    let texts = Texts {
        text_column: column(section, "text_column"),
        label_column: column(section, "label_column"),
        max_length: section.small("max_length"),
    };
    match task {
        Some(Task::ImageClassification) => section.refuse(&OF_TEXTS, "texts, and the backbone takes pictures"),
        Some(Task::TextClassification) => section.refuse(&OF_PICTURES, "pictures, and the backbone takes texts"),
        None => {}
    }
    if task == Some(Task::TextClassification) { Inputs::Texts(texts) } else { Inputs::Pictures(pictures) }
}

fn column(section: &Section, key: &str) -> String {
    let Some((text, given)) = section.given_text(key) else { return section.default_text(key).to_owned() };
    if text.is_empty() {
        section.found(Finding::new(given.node.place, format!("`{key}` is empty, expected the name of a column")));
    } else if printable(text) != text {
        let message = format!("`{key}` has control characters in it, expected the name of a column");
        section.found(Finding::new(given.node.place, message));
    }
    text.to_owned()
}

fn validation_is_given_once(section: &Section) {
    match (section.given("val"), section.given("val_split")) {
        (Some(val), Some(split)) => {
            let (first, second) = if val.place < split.place { (val, split) } else { (split, val) };
            let finding = Finding::new(second.place, "both `val` and `val_split` are given, expected one of them");
            let finding = finding.also(first.place, "this is the other");
            section.found(finding.hint(if first.place.source == second.place.source {
                "keep `val` for a folder of its own, `val_split` to hold out a share of `train`"
            } else {
                "take out what another file says by giving it no value: `val_split:` or `val:`"
            }));
        }
        (None, None) if !section.is_broken() => {
            let finding =
                Finding::new(section.place(), "nothing to validate on, expected `data.val` or `data.val_split`");
            section.found(finding.hint("add `val: data/val`, or `val_split: 0.2` to hold out a share of `train`"));
        }
        _ => {}
    }
}

fn augment(section: &Section) -> Augment {
    Augment {
        rotation: section.number("rotation"),
        zoom: section.number("zoom"),
        width_shift: section.number("width_shift"),
        height_shift: section.number("height_shift"),
        shear: section.number("shear"),
        fill_mode: section.word("fill_mode", Fill::Nearest),
        horizontal_flip: section.flag("horizontal_flip"),
        vertical_flip: section.flag("vertical_flip"),
        channel_shift: section.number("channel_shift"),
        brightness: section.range("brightness"),
        contrast: section.number("contrast"),
        random_erasing: section.given_section("random_erasing").map(|section| random_erasing(&section)),
        mixup: section.given_number("mixup"),
        cutmix: section.given_number("cutmix"),
        views: section.given_small("views"),
    }
}

fn random_erasing(section: &Section) -> RandomErasing {
    RandomErasing {
        probability: section.number("probability"),
        scale: section.range("scale").unwrap_or_default(),
        ratio: section.range("ratio").unwrap_or_default(),
    }
}
