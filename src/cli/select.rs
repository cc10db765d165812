//! Stores and runs as they are named on the command line.

use std::path::Path;

use super::failure::Failure;
use crate::base::id::RunId;
use crate::record::select::{Facts, NoSelection, Word};
use crate::record::state::Status;
use crate::record::summary::Row;
use crate::record::{self, RunDir, Store, listing};

/// Some runs.
#[derive(Debug, Clone, clap::Args)]
pub struct Runs {
    /// Which: `7`, `7-12`, a name or its beginning, `group:G`, `state:failed`, `tag:T`, `name:emoji-*`. Several words add
    /// up; between commas all must hold, as in `group:G,state:failed`.
    #[arg(value_name = "RUN", required_unless_present = "group")]
    pub runs: Vec<String>,
    /// Only those of this group; all of them where nothing else is given.
    #[arg(short, long, value_name = "NAME")]
    pub group: Option<String>,
}

/// A run that is read, and whether to the end of what is there or of the run.
#[derive(Debug, clap::Args)]
pub struct Reading {
    /// Number, name, or a beginning that only one run has.
    #[arg(value_name = "ID")]
    pub run: String,
    /// Go on until the run is over.
    #[arg(short, long)]
    pub follow: bool,
}

/// Runs that were selected.
#[derive(Debug)]
pub struct Selected {
    pub store: Store,
    /// Each once, in the order in which they were named; at least one.
    pub runs: Vec<RunDir>,
    /// Whether they were named by what they have in common, so that some of them may be left out.
    pub is_broad: bool,
}

impl Runs {
    /// The runs that are meant.
    ///
    /// # Errors
    /// A word that means nothing or selects no run, a name that several runs have, a store that cannot be read.
    pub fn select(&self, store: &Path) -> Result<Selected, Failure> {
        let words = self.runs.iter().map(|text| Word::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let store = open(store, &self.texts())?;
        let all = Candidates::new(&store, self.group.is_some() || words.iter().any(Word::asks_for_more))?;
        let mut runs: Vec<RunDir> = Vec::new();
        for word in &words {
            let found = all.selected_by(word, &store)?;
            runs.extend(
                found.into_iter().filter(|index| self.is_in_group(&all.0[*index].1)).map(|n| all.0[n].0.clone()),
            );
        }
        if words.is_empty() {
            runs.extend(all.0.iter().filter(|(_, facts)| self.is_in_group(facts)).map(|(dir, _)| dir.clone()));
        }
        let mut seen = std::collections::BTreeSet::new();
        runs.retain(|run| seen.insert(run.id()));
        if runs.is_empty() {
            return Err(nothing(&self.texts().join(" "), &store));
        }
        let is_broad = self.group.is_some() || words.iter().any(|word| !is_of_one(word));
        Ok(Selected { store, runs, is_broad })
    }

    fn is_in_group(&self, run: &Facts) -> bool {
        self.group.is_none() || run.group == self.group
    }

    fn texts(&self) -> Vec<String> {
        self.runs.iter().cloned().chain(self.group.iter().map(|group| format!("--group {group}"))).collect()
    }
}

fn is_of_one(word: &Word) -> bool {
    word.one_name().is_some() || word.one_number().is_some()
}

/// All runs of a store, and what they can be selected by.
struct Candidates(Vec<(RunDir, Facts)>);

impl Candidates {
    /// Reads how the runs stand only where that is `asked` for.
    fn new(store: &Store, asked: bool) -> Result<Self, Failure> {
        if !asked {
            return Ok(Candidates(store.runs()?.into_iter().map(|dir| (dir.clone(), known(&dir))).collect()));
        }
        let listed = listing::rows(store)?;
        let with_dir = |row: Row| Some((RunDir::at(&row.place.path)?, Facts::of(&row)));
        Ok(Candidates(listed.into_iter().filter_map(with_dir).collect()))
    }

    /// The places of the runs that a word selects, at least one. A name must be that of one run alone.
    fn selected_by(&self, word: &Word, store: &Store) -> Result<Vec<usize>, Failure> {
        let place_of = |id: RunId| self.0.binary_search_by_key(&id, |(dir, _)| dir.id()).ok();
        if let Some(found) = word.one_number().and_then(place_of) {
            return Ok(vec![found]);
        }
        if is_of_one(word) {
            let dir = store.find(word.text())?;
            return Ok(place_of(dir.id()).into_iter().collect());
        }
        let found: Vec<usize> = (0..self.0.len()).filter(|&index| word.selects(&self.0[index].1)).collect();
        if found.is_empty() { Err(nothing(word.text(), store)) } else { Ok(found) }
    }
}

/// What a folder's name tells.
fn known(dir: &RunDir) -> Facts {
    Facts { id: dir.id(), name: dir.name().to_owned(), group: None, tags: Vec::new(), status: Status::Queued }
}

fn nothing(text: &str, store: &Store) -> Failure {
    Failure::usage(format!("`{text}` selects none of the runs in {}", store.root().display()))
        .hint("`finetop ls` lists them")
}

impl From<NoSelection> for Failure {
    fn from(error: NoSelection) -> Self {
        Failure::usage(error.to_string()).hint("`finetop help cancel` says how runs are named")
    }
}

impl From<record::Error> for Failure {
    fn from(error: record::Error) -> Self {
        let failure = match &error {
            record::Error::Read { .. }
            | record::Error::Write(_)
            | record::Error::NewerFormat { .. }
            | record::Error::NoFormat { .. } => Failure::failed(error.to_string()),
            record::Error::NoStore { .. }
            | record::Error::NotAFolder { .. }
            | record::Error::BadName { .. }
            | record::Error::NoSuchRun { .. }
            | record::Error::Ambiguous { .. } => Failure::usage(error.to_string()),
        };
        failure.maybe_hint(error.hint())
    }
}

/// The one run that `text` names.
pub fn run(store: &Path, text: &str) -> Result<RunDir, Failure> {
    Ok(open(store, &[text.to_owned()])?.find(text)?)
}

/// A store that is not there has no such run: the message names both.
fn open(store: &Path, texts: &[String]) -> Result<Store, Failure> {
    Store::open(store).map_err(|error| match error {
        record::Error::NoStore { path } => {
            let wanted = texts.join(", ");
            Failure::usage(format!("there is no run `{wanted}`: there is no store at {}", path.display()))
                .hint("choose the store with --store DIR, or queue an experiment with `finetop add`")
        }
        error => error.into(),
    })
}
