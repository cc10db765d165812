//! Where the samples to train on and to validate on are.

use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use super::unusable;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::data::{Survey, survey};

/// What was found.
pub struct Sides {
    pub train: PathBuf,
    /// None: a share of `train` is held out.
    pub val: Option<PathBuf>,
    /// Of a table: where the text and the class are.
    pub columns: Option<[String; 2]>,
    /// Of what is trained on.
    pub survey: Survey,
}

const TRAIN: [&str; 2] = ["train", "training"];
const VAL: [&str; 6] = ["val", "valid", "validation", "dev", "eval", "test"];
const TABLES: [&str; 4] = ["csv", "tsv", "jsonl", "ndjson"];
/// What columns are called, the likeliest first.
const TEXT: [&str; 10] =
    ["text", "sentence", "content", "review", "message", "body", "question", "title", "name", "description"];
const LABEL: [&str; 8] = ["label", "class", "category", "target", "labels", "sentiment", "topic", "y"];

impl Sides {
    /// What is at `path`; `asked` names the columns of a table.
    pub fn find(path: &Path, asked: [Option<&str>; 2]) -> Result<Sides, Failure> {
        let (train, val) = split(path)?;
        let sides = if train.is_dir() {
            if asked.iter().any(Option::is_some) {
                return Err(Failure::usage("`--text` and `--label` name columns of a table, and this is a folder"));
            }
            let survey = Survey::of_folder(&train).map_err(unusable)?;
            Sides { train, val, columns: None, survey }
        } else {
            let columns = columns(&train, asked)?;
            let survey = Survey::of_table(&train, &columns[0], &columns[1]).map_err(unusable)?;
            Sides { train, val, columns: Some(columns), survey }
        };
        sides.checked()
    }

    /// Refuses what could not be split.
    fn checked(self) -> Result<Sides, Failure> {
        let lonely = self.survey.classes.iter().find(|(_, count)| *count < 2);
        match (&self.val, lonely) {
            (None, Some((class, _))) => {
                let message =
                    format!("the class `{class}` has only one sample, too few to hold one out to validate on");
                Err(Failure::usage(message).hint("add samples to it, or put some to validate on beside, as `val`"))
            }
            _ => Ok(self),
        }
    }
}

/// The one to train on, and the one to validate on where there is one.
fn split(path: &Path) -> Result<(PathBuf, Option<PathBuf>), Failure> {
    let path = path.canonicalize().map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    if !path.is_dir() {
        let beside = |name: &&str| path.with_file_name(name).with_extension(path.extension().unwrap_or_default());
        let is_train = path.file_stem().is_some_and(|stem| TRAIN.iter().any(|name| stem == *name));
        let val = VAL.iter().map(beside).find(|other| is_train && other.is_file());
        return Ok((path, val));
    }
    let below = |names: &[&str]| names.iter().map(|name| path.join(name)).find(|path| path.is_dir());
    if let Some(train) = below(&TRAIN) {
        return Ok((train, below(&VAL)));
    }
    let table = |names: &[&str]| {
        let files = names.iter().flat_map(|name| TABLES.map(|end| path.join(format!("{name}.{end}"))));
        files.into_iter().find(|path| path.is_file())
    };
    match table(&TRAIN) {
        Some(train) => Ok((train, table(&VAL))),
        None => {
            let val = path
                .parent()
                .filter(|_| path.ends_with("train"))
                .and_then(|parent| VAL.iter().map(|name| parent.join(name)).find(|path| path.is_dir()));
            Ok((path, val))
        }
    }
}

/// The columns of the table at `path`: those that were asked for, those that are called so, or whatever is left.
fn columns(path: &Path, [text, label]: [Option<&str>; 2]) -> Result<[String; 2], Failure> {
    let all = survey::columns(path).map_err(unusable)?;
    let [text_guess, label_guess] = guess(&all);
    let text = column(&all, text, text_guess, "text")?;
    let label = column(&all, label, label_guess, "label")?;
    if text == label {
        return Err(Failure::usage(format!("`{text}` cannot be the text and its class"))
            .hint("name the columns with `--text COLUMN` and `--label COLUMN`"));
    }
    Ok([text, label])
}

/// Which of `all` have the text and the class, as far as their names tell.
fn guess(all: &[String]) -> [Option<String>; 2] {
    let called = |names: &[&str]| {
        let column = |name: &&str| all.iter().find(|column| column.eq_ignore_ascii_case(name)).cloned();
        names.iter().find_map(column)
    };
    let other = |one: &Option<String>| match all {
        [a, b] => one.as_ref().map(|one| if one == a { b.clone() } else { a.clone() }),
        _ => None,
    };
    let (text, label) = (called(&TEXT), called(&LABEL));
    [text.clone().or_else(|| other(&label)), label.or_else(|| other(&text))]
}

fn column(all: &[String], asked: Option<&str>, guess: Option<String>, what: &str) -> Result<String, Failure> {
    let listed = || all.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ");
    let found = asked.map(str::to_owned).or(guess).or_else(|| answer(what, &listed()));
    match found {
        Some(column) if all.contains(&column) => Ok(column),
        Some(column) => Err(Failure::usage(format!("there is no column `{column}`; the columns are {}", listed()))),
        None => Err(Failure::usage(format!("which column is the {what}? The columns are {}", listed()))
            .hint(format!("say so with `--{what} COLUMN`"))),
    }
}

/// What a person at a terminal says.
fn answer(what: &str, listed: &str) -> Option<String> {
    if !io::stdin().is_terminal() {
        return None;
    }
    output::say(&format!("Which column is the {what}? ({listed})"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).ok()?;
    Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_their_names() {
        for (all, text, label) in [
            (&["text", "label"][..], Some("text"), Some("label")),
            (&["id", "Label", "Review"], Some("Review"), Some("Label")),
            (&["stars", "review"], Some("review"), Some("stars")),
            (&["a", "b"], None, None),
            (&["a", "b", "text"], Some("text"), None),
        ] {
            let all: Vec<String> = all.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(guess(&all), [text, label].map(|name| name.map(str::to_owned)), "{all:?}");
        }
    }
}
