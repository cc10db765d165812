//! What a person means who names runs: `7`, `7-12`, `emoji`, `group:sweep`, `state:failed,tag:old`, `name:emoji-*`.
//!
//! Invariant: a selection is a list of words, each of which adds runs; the parts of a word, between commas, must all hold.
//! Pure: how runs stand is told by whoever asks ([`Facts`]).

use globset::{GlobBuilder, GlobMatcher};

use super::state::Status;
use super::summary::Row;
use crate::base::id::RunId;

/// What can be selected by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub id: RunId,
    pub name: String,
    pub group: Option<String>,
    pub tags: Vec<String>,
    pub status: Status,
}

impl Facts {
    /// What a line of the listing says.
    pub fn of(row: &Row) -> Self {
        let (group, tags) = (row.place.group.clone(), row.place.tags.clone());
        Facts { id: row.id, name: row.name.clone(), group, tags, status: row.state }
    }
}

/// A word that selects runs.
#[derive(Debug, Clone)]
pub struct Word {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    /// The run of this number.
    Number(RunId),
    /// The runs from the one number to the other, both included.
    Range(RunId, RunId),
    /// One run's name, or the beginning of its name or its folder's name.
    Named(String),
    Group(String),
    Tag(String),
    State(State),
    Name(GlobMatcher),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Is(Status),
    /// A worker may be alive.
    Live,
    /// Nothing more will happen by itself.
    Over,
}

/// A word that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` selects no runs: {problem}")]
pub struct NoSelection {
    pub word: String,
    pub problem: String,
}

impl Word {
    /// Reads a word as it was typed.
    pub fn parse(text: &str) -> Result<Word, NoSelection> {
        let failed = |problem: String| NoSelection { word: text.to_owned(), problem };
        let parts = text.split(',').map(Part::parse).collect::<Result<Vec<_>, String>>().map_err(failed)?;
        Ok(Word { text: text.to_owned(), parts })
    }

    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name, or beginning of one, that must mean one run alone, where the word is nothing else.
    pub fn one_name(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Named(name)] => Some(name),
            _ => None,
        }
    }

    /// The number of the one run that is meant, where the word is nothing else.
    pub fn one_number(&self) -> Option<RunId> {
        match self.parts.as_slice() {
            [Part::Number(id)] => Some(*id),
            _ => None,
        }
    }

    /// Whether more than a run's number and name is asked for.
    pub fn asks_for_more(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Group(_) | Part::Tag(_) | Part::State(_)))
    }

    /// Whether it selects a run.
    pub fn selects(&self, run: &Facts) -> bool {
        self.parts.iter().all(|part| part.selects(run))
    }
}

impl Part {
    fn parse(text: &str) -> Result<Part, String> {
        let text = text.trim().trim_end_matches('/');
        if text.is_empty() {
            return Err("a part of it is empty".to_owned());
        }
        if let Some((key, value)) = text.split_once(':') {
            return Part::filter(key, value);
        }
        if let Ok(id) = text.parse() {
            return Ok(Part::Number(id));
        }
        let range = text.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
        match range {
            Some((from, to)) if from > to => Err(format!("the range ends before it begins; did you mean {to}-{from}?")),
            Some((from, to)) => Ok(Part::Range(from, to)),
            None => Ok(Part::Named(text.to_owned())),
        }
    }

    fn filter(key: &str, value: &str) -> Result<Part, String> {
        if value.is_empty() {
            return Err(format!("nothing comes after `{key}:`"));
        }
        match key {
            "group" => Ok(Part::Group(value.to_owned())),
            "tag" => Ok(Part::Tag(value.to_owned())),
            "state" => State::parse(value).map(Part::State),
            "name" => {
                let glob = GlobBuilder::new(value).literal_separator(false).build();
                glob.map(|glob| Part::Name(glob.compile_matcher())).map_err(|error| error.to_string())
            }
            _ => Err(format!("`{key}:` is none of `group:`, `state:`, `tag:` and `name:`")),
        }
    }

    fn selects(&self, run: &Facts) -> bool {
        match self {
            Part::Number(id) => run.id == *id,
            Part::Range(from, to) => (*from..=*to).contains(&run.id),
            Part::Named(text) => run.name.starts_with(text) || format!("{}-{}", run.id, run.name).starts_with(text),
            Part::Group(group) => run.group.as_ref() == Some(group),
            Part::Tag(tag) => run.tags.contains(tag),
            Part::State(State::Is(status)) => run.status == *status,
            Part::State(State::Live) => run.status.is_live(),
            Part::State(State::Over) => run.status.is_over(),
            Part::Name(glob) => glob.is_match(&run.name),
        }
    }
}

impl State {
    fn parse(text: &str) -> Result<State, String> {
        match text {
            "live" => Ok(State::Live),
            "over" => Ok(State::Over),
            _ => Status::ALL.into_iter().find(|status| status.name() == text).map(State::Is).ok_or_else(|| {
                let names: Vec<&str> = Status::ALL.into_iter().map(Status::name).collect();
                format!("there is no state `{text}`, only {}, live and over", names.join(", "))
            }),
        }
    }
}

/// Characters of the longest name of a group or a tag.
const LONGEST_LABEL: usize = 64;

fn is_no_part_of_a_label(c: char) -> bool {
    c == ',' || c.is_whitespace() || c.is_control()
}

/// Whether a text can be the name of a group or a tag, so that it can be selected by.
pub fn is_label(text: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&text.chars().count()) && !text.contains(is_no_part_of_a_label)
}

/// The name of an experiment as a label: what cannot be in one is a dash.
pub fn as_label(name: &str) -> String {
    let plain = |c: char| if is_no_part_of_a_label(c) { '-' } else { c };
    name.chars().take(LONGEST_LABEL).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: u32, name: &str, status: Status, group: Option<&str>, tags: &[&str]) -> Facts {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        Facts { id: RunId(id), name: name.into(), group: group.map(str::to_owned), tags, status }
    }

    #[test]
    fn words_select_runs() {
        let runs = [
            run(1, "emoji", Status::Finished, Some("night"), &["best"]),
            run(2, "emoji-lr", Status::Failed, Some("night"), &[]),
            run(7, "vgg16", Status::Running, None, &["old", "best"]),
            run(12, "7-x", Status::Queued, Some("day"), &["old"]),
        ];
        for (word, expected) in [
            ("7", vec![7]),
            ("0007", vec![7]),
            ("2-7", vec![2, 7]),
            ("0002-0012", vec![2, 7, 12]),
            ("emoji", vec![1, 2]),
            ("0002-em", vec![2]),
            ("group:night", vec![1, 2]),
            ("state:failed", vec![2]),
            ("state:live", vec![7]),
            ("state:over", vec![1, 2]),
            ("tag:best", vec![1, 7]),
            ("tag:best,state:finished", vec![1]),
            ("1-7,group:night,state:failed", vec![2]),
            ("name:emoji*", vec![1, 2]),
            ("name:emoji", vec![1]),
            ("name:*-?r", vec![2]),
            ("name:{vgg,x}16", vec![]),
            ("99", vec![]),
            ("tag:none", vec![]),
        ] {
            let Ok(parsed) = Word::parse(word) else {
                assert!(expected.is_empty(), "{word}");
                continue;
            };
            let selected: Vec<u32> = runs.iter().filter(|run| parsed.selects(run)).map(|run| run.id.0).collect();
            assert_eq!(selected, expected, "{word}");
        }
    }

    #[test]
    fn what_means_nothing_is_said_so() {
        for (word, problem) in [
            ("", "empty"),
            ("7,,8", "empty"),
            ("12-7", "did you mean 0007-0012?"),
            ("state:done", "no state `done`, only queued, starting"),
            ("colour:red", "none of `group:`, `state:`"),
            ("group:", "nothing comes after `group:`"),
            ("name:[", "unclosed"),
        ] {
            let error = Word::parse(word).unwrap_err().to_string();
            assert!(error.contains(problem), "{word}: {error}");
        }
    }

    #[test]
    fn one_run_or_many() {
        assert_eq!(Word::parse("emoji").unwrap().one_name(), Some("emoji"));
        assert_eq!(Word::parse("7").unwrap().one_number(), Some(RunId(7)));
        for many in ["7-9", "group:x", "7,state:failed"] {
            let word = Word::parse(many).unwrap();
            assert!(word.one_name().is_none() && word.one_number().is_none(), "{many}");
        }
        assert!(!Word::parse("7-9").unwrap().asks_for_more() && Word::parse("7-9,tag:x").unwrap().asks_for_more());
    }

    #[test]
    fn labels_can_be_selected_by() {
        for good in ["a", "night-2", "größe", "a:b"] {
            assert!(is_label(good), "{good}");
        }
        for bad in ["", "a b", "a,b", "a\n", "\u{1b}[2J", &"x".repeat(65)] {
            assert!(!is_label(bad), "{bad:?}");
        }
        for (name, label) in [("emoji", "emoji"), ("my sweep, 2", "my-sweep--2"), (&"é".repeat(70), &"é".repeat(64))]
        {
            assert_eq!(as_label(name), label);
            assert!(is_label(label));
        }
    }
}
