//! The experiment files that can be added, what each would do, and what is added of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fuzzy;
use crate::base::id::RunId;
use crate::base::text::{learning_rate, printable, shell_word};
use crate::experiment::{self, Experiment, Inputs, Loaded, Mistake, Mistakes, Override};
use crate::record::select::as_label;
use crate::runner::protocol::{Add, NewExperiment};
use crate::train;

/// What is to be read as an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub path: PathBuf,
    /// What stands in the place of the file's own text.
    pub text: Option<Arc<str>>,
    /// Overrides as they were typed, `KEY=VALUE` with spaces between them.
    pub changes: String,
}

/// A draft to be queued, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub draft: Draft,
    pub group: Option<String>,
    pub priority: i32,
    pub after: Vec<RunId>,
}

/// What reading a draft showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its text; empty where it cannot be read.
    pub text: Arc<str>,
    pub verdict: Verdict,
}

/// Whether it can be queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Good(Preview),
    Mistaken(Vec<Problem>),
}

/// What it would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// The names of its runs: one, or those of a sweep.
    pub runs: Vec<String>,
    /// The group that they are put into where no other is asked for.
    pub group: Option<String>,
    /// A few lines about the first of them.
    pub about: Vec<String>,
    /// What may not be meant.
    pub notes: Vec<String>,
}

/// A mistake, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Of the file itself, from 1; None where it is elsewhere.
    pub line: Option<usize>,
    /// What is wrong, and where.
    pub words: String,
    pub hint: Option<String>,
}

/// Folders that are never looked into for experiments.
const SKIPPED: [&str; 3] = ["target", "runs", "node_modules"];

/// Experiment files in `folder` and the folders in it, in order; hidden ones are left out.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = yaml_in(folder);
    let mut folders: Vec<PathBuf> = entries(folder).into_iter().filter(|path| path.is_dir()).collect();
    folders.sort();
    let is_skipped = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with('.') || SKIPPED.contains(&&*name)
    };
    found.extend(folders.iter().filter(|path| !is_skipped(path)).flat_map(|path| yaml_in(path)));
    found.iter().map(|path| path.strip_prefix("./").unwrap_or(path).to_owned()).collect()
}

fn yaml_in(folder: &Path) -> Vec<PathBuf> {
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml" || end == "yml") && path.is_file();
    let mut found: Vec<PathBuf> = entries(folder).into_iter().filter(is_yaml).collect();
    found.sort();
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Reads and validates a draft.
pub fn check(draft: &Draft) -> Check {
    let text = match draft.text() {
        Ok(text) => text,
        Err(problems) => return Check { text: "".into(), verdict: Verdict::Mistaken(problems) },
    };
    let verdict = match runs_of(draft, &text) {
        Ok(runs) => Verdict::Good(Preview::of(&runs)),
        Err(problems) => Verdict::Mistaken(problems),
    };
    Check { text, verdict }
}

/// What the runner takes of an order, whose files are read now.
pub fn read(order: Order) -> Result<Add, String> {
    let Order { draft, group, priority, after } = order;
    let runs = draft.text().and_then(|text| runs_of(&draft, &text)).map_err(|problems| in_a_line(&problems))?;
    Ok(Add { experiments: NewExperiment::of_each(&runs), priority, group, after, paused: false })
}

fn runs_of(draft: &Draft, text: &str) -> Result<Vec<Loaded>, Vec<Problem>> {
    let overrides = draft.overrides()?;
    train::load_text(&draft.path, text, &overrides).map_err(|mistakes| problems(&mistakes))
}

fn in_a_line(problems: &[Problem]) -> String {
    problems.iter().map(|problem| problem.words.as_str()).collect::<Vec<_>>().join("; ")
}

impl Draft {
    /// A file as it is.
    pub fn of(path: PathBuf) -> Self {
        Draft { path, text: None, changes: String::new() }
    }

    fn text(&self) -> Result<Arc<str>, Vec<Problem>> {
        match &self.text {
            Some(text) => Ok(Arc::clone(text)),
            None => experiment::read_text(&self.path).map(Arc::from).map_err(|mistakes| problems(&mistakes)),
        }
    }

    fn overrides(&self) -> Result<Vec<Override>, Vec<Problem>> {
        let (mut overrides, mut wrong) = (Vec::new(), Vec::new());
        for word in words(&self.changes) {
            match word.parse::<Override>() {
                Ok(set) => overrides.push(set),
                Err(error) => {
                    let words = format!("`{}`: {error}", printable(&word));
                    wrong.push(Problem { line: None, words, hint: None });
                }
            }
        }
        if wrong.is_empty() { Ok(overrides) } else { Err(wrong) }
    }
}

impl Order {
    /// The command line that does the same.
    pub fn command(&self) -> String {
        let mut words = vec!["finetop".to_owned(), "add".to_owned(), shell_word(&self.draft.path.to_string_lossy())];
        let mut option = |name: &str, value: &str| words.extend([name.to_owned(), shell_word(value)]);
        self::words(&self.draft.changes).iter().for_each(|set| option("--set", set));
        self.group.iter().for_each(|group| option("--group", group));
        if self.priority != 0 {
            option("--priority", &self.priority.to_string());
        }
        self.after.iter().for_each(|id| option("--after", &id.0.to_string()));
        words.join(" ")
    }
}

/// Parts a line of overrides at the spaces that are in no brackets and no quotes.
pub fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut depth, mut quote, mut before) = (0usize, None, ' ');
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            // Within a word it is an apostrophe.
            (None, '\'' | '"') if "=[{,: ".contains(before) => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        match words.last_mut() {
            Some(word) if !(c.is_whitespace() && depth == 0 && quote.is_none()) => word.push(c),
            _ => words.push(String::new()),
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Preview {
    fn of(runs: &[Loaded]) -> Self {
        let Some(Loaded { experiment, sweep, .. }) = runs.first() else { return Preview::default() };
        let names = runs.iter().map(|run| run.experiment.name.clone()).collect();
        let group = sweep.as_deref().map(as_label);
        Preview { runs: names, group, about: about(experiment), notes: experiment.notes() }
    }
}

fn about(experiment: &Experiment) -> Vec<String> {
    let inputs = match &experiment.data.inputs {
        Inputs::Pictures(pictures) => format!("{} pixels", pictures.image_size),
        Inputs::Texts(texts) => format!("up to {} tokens", texts.max_length),
    };
    let (name, backbone) = (&experiment.name, experiment.model.backbone.name());
    let mut lines = vec![format!("{name}, {backbone}, {inputs}, batches of {}", experiment.train.batch_size)];
    let phases = experiment.train.phases.iter();
    lines.extend(
        phases.map(|phase| {
            format!("{}: {} epochs, lr {}", phase.name, phase.epochs, learning_rate(phase.optimizer.lr()))
        }),
    );
    let stop = experiment.train.early_stopping.as_ref();
    lines.extend(stop.map(|stop| format!("stops early: {}, patience {}", stop.watch.monitor.name(), stop.patience)));
    let reduce = experiment.train.reduce_lr_on_plateau.as_ref();
    lines.extend(reduce.map(|reduce| {
        let monitor = reduce.watch.monitor.name();
        format!("lr × {} on a plateau of {monitor}, patience {}", reduce.factor, reduce.patience)
    }));
    lines
}

fn problems(mistakes: &Mistakes) -> Vec<Problem> {
    mistakes.iter().map(Problem::of).collect()
}

impl Problem {
    fn of(mistake: &Mistake) -> Self {
        let line = (mistake.base.is_none() && !mistake.in_override).then_some(mistake.line);
        let place = match (&mistake.base, line) {
            (Some(base), _) => format!("{base}, line {}: ", mistake.line),
            (None, Some(line)) => format!("line {line}: "),
            (None, None) => "override: ".to_owned(),
        };
        let words = printable(&format!("{place}{}", mistake.message));
        Problem { line, words, hint: mistake.hint.as_deref().map(printable) }
    }
}

/// The files that have the letters of `filter` in this order, the best matches first.
pub fn matching(files: &[PathBuf], filter: &str) -> Vec<PathBuf> {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    fuzzy::ranked(filter, files, text).into_iter().map(|(path, _)| path.clone()).collect()
}

#[cfg(test)]
mod tests;
