//! Patterns for names.

use globset::Glob;

use crate::experiment::mistakes::{Finding, quoted};
use crate::experiment::place::Place;
use crate::experiment::section::{Section, text_of};
use crate::experiment::tree::Kind;

/// The list of patterns that the key `name` is, where it is given; it must have one at least.
pub(super) fn globs(section: &Section, name: &str) -> Option<Vec<String>> {
    let given = section.given(name)?;
    let Kind::List(items) = &given.node.kind else {
        section.wrong(given);
        return None;
    };
    if items.is_empty() {
        section.found(Finding::new(given.place, format!("`{name}` is empty, expected at least one name")));
    }
    let pattern = |item| {
        let Some(text) = text_of(item) else {
            let message = format!("a name is {}, expected a text such as `fire9*`", item.described());
            section.found(Finding::new(item.place, message));
            return None;
        };
        bad_glob(text, item.place).into_iter().for_each(|finding| section.found(finding));
        Some(text.to_owned())
    };
    Some(items.iter().filter_map(pattern).collect())
}

/// What is wrong with `text` as a pattern.
pub(super) fn bad_glob(text: &str, place: Place) -> Option<Finding> {
    let error = Glob::new(text).err()?;
    let message = format!("{} is no pattern: {}", quoted(text), error.kind());
    Some(
        Finding::new(place, message)
            .hint("`*` stands for anything, `?` for one character, `[ab]` for one of them, `{a,b}` for either"),
    )
}
