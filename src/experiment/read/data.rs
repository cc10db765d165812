//! The key `data`.

use std::path::PathBuf;

use crate::experiment::mistakes::{Finding, Findings};
use crate::experiment::paths::{Paths, Wants};
use crate::experiment::section::{Given, Section};
use crate::experiment::{Augment, Data, Resize};

pub(super) fn data(section: &Section, paths: &Paths, findings: &Findings) -> Data {
    let folder = |(text, given): (&str, Given)| paths.resolve(text, given.node.place, Wants::Folder, findings);
    let data = Data {
        train: section.text("train").map_or_else(PathBuf::new, folder),
        val: section.given_text("val").map(folder),
        val_split: section.given_number("val_split"),
        image_size: section.small("image_size"),
        resize: section.word("resize", Resize::Bilinear),
        augment: section.given_section("augment").map_or(Augment::NONE, |section| augment(&section)),
        loader_threads: section.small("loader_threads"),
    };
    validation_is_given_once(section);
    data
}

fn validation_is_given_once(section: &Section) {
    match (section.given("val"), section.given("val_split")) {
        (Some(val), Some(split)) => {
            let (first, second) = if val.place < split.place { (val, split) } else { (split, val) };
            let finding = Finding::new(second.place, "both `val` and `val_split` are given, expected one of them");
            let finding = finding.also(first.place, "this is the other");
            section
                .found(finding.hint("keep `val` for a folder of its own, `val_split` to hold out a share of `train`"));
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
        horizontal_flip: section.flag("horizontal_flip"),
        views: section.given_small("views"),
    }
}
