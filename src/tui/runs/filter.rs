//! What narrows the table: words and conditions, all of which must hold.
//!
//! `emoji` (in the name, id, group or a tag; letters in their order where nothing has it as it stands), `~emj`,
//! `"two words"`, `state:failed`, `state:live`, `tag:x`, `group:x`, `name:emoji-*`, `best.val_loss<0.3`,
//! `val_accuracy>=.9`, `epoch>5`, `elapsed>10m`; `!` before one of them: those that do not. Conditions can also be joined by
//! commas, as on the command line.

mod compare;
mod find;
mod parse;

use std::ops::Range;

use globset::GlobMatcher;

use self::compare::Comparison;
use super::run::Run;
use crate::record::state::Status;
use crate::record::summary::Row;
use crate::tui::fuzzy;

/// A filter as it was typed, and what it means.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
    /// What of it means nothing; the rest counts.
    problem: Option<String>,
}

#[derive(Debug, Clone)]
struct Term {
    negated: bool,
    test: Test,
    /// Nothing has it as it stands, so that less is asked for: letters in their order, the beginning of a label.
    loose: bool,
}

#[derive(Debug, Clone)]
enum Test {
    /// In small letters.
    Word(String),
    Fuzzy(String),
    /// The beginning of a state's name, of `live` or `over`.
    State(String),
    Tag(String),
    Group(String),
    Name(GlobMatcher),
    Compare(Comparison),
}

impl Filter {
    /// Reads a filter for these runs.
    pub fn new<'a>(text: &str, rows: impl Iterator<Item = &'a Row> + Clone) -> Filter {
        let (mut terms, mut problem) = parse::terms(text);
        for term in &mut terms {
            let exact = |row: &Row| term.test.takes(&Run::new(row, None), false).is_some();
            match &term.test {
                Test::Word(_) | Test::Tag(_) | Test::Group(_) => term.loose = !term.negated && !rows.clone().any(exact),
                Test::Compare(comparison) => {
                    problem = problem.or_else(|| comparison.figure_that_none_has(rows.clone()));
                }
                Test::Fuzzy(_) | Test::State(_) | Test::Name(_) => {}
            }
        }
        Filter { text: text.to_owned(), terms, problem }
    }

    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What of it means nothing.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Whether a run matches, and how well; more is better, and 0 is as well as can be where no letters are looked for.
    pub fn takes(&self, run: &Run) -> Option<i64> {
        self.terms.iter().try_fold(0, |sum, term| {
            let taken = term.test.takes(run, term.loose);
            match term.negated {
                false => taken.map(|score| sum + score),
                true if taken.is_some() => None,
                true => Some(sum),
            }
        })
    }

    /// The parts of a name that were asked for, as ranges of its bytes, in order and apart.
    pub fn hits(&self, name: &str) -> Vec<Range<usize>> {
        let mut hits: Vec<Range<usize>> = Vec::new();
        for term in self.terms.iter().filter(|term| !term.negated) {
            match &term.test {
                Test::Word(word) if !term.loose => hits.extend(find::word(name, word)),
                Test::Word(word) | Test::Fuzzy(word) => {
                    hits.extend(find::letters(name, word));
                }
                _ => {}
            }
        }
        hits.sort_by_key(|hit| hit.start);
        hits.dedup_by(|next, hit| {
            let overlaps = next.start <= hit.end;
            hit.end = if overlaps { hit.end.max(next.end) } else { hit.end };
            overlaps
        });
        hits
    }
}

impl Test {
    fn takes(&self, run: &Run, loose: bool) -> Option<i64> {
        let row = run.row;
        let holds = match self {
            Test::Word(word) if loose => return fuzzy::matched(word, &row.name).map(|found| found.score.into()),
            Test::Fuzzy(word) => return fuzzy::matched(word, &row.name).map(|found| found.score.into()),
            Test::Word(word) => {
                let labels = row.place.tags.iter().chain(&row.place.group);
                find::has(&row.name, word) || id_has(row, word) || labels.into_iter().any(|it| find::has(it, word))
            }
            Test::State(beginning) => states(row.state).any(|name| name.starts_with(beginning.as_str())),
            Test::Tag(tag) => row.place.tags.iter().any(|it| is_label(it, tag, loose)),
            Test::Group(group) => row.place.group.as_ref().is_some_and(|it| is_label(it, group, loose)),
            Test::Name(glob) => glob.is_match(&row.name),
            Test::Compare(comparison) => comparison.holds(run),
        };
        holds.then_some(0)
    }
}

fn id_has(row: &Row, word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit()) && row.id.to_string().contains(word)
}

fn is_label(label: &str, asked: &str, loose: bool) -> bool {
    label == asked || loose && label.starts_with(asked)
}

/// The words that a state can be asked for by.
fn states(state: Status) -> impl Iterator<Item = &'static str> {
    let live = state.is_live().then_some("live");
    let over = state.is_over().then_some("over");
    std::iter::once(state.name()).chain(live).chain(over)
}

#[cfg(test)]
mod tests;
