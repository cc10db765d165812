//! From a file to its experiments: the one function between what was typed and what it means.

use std::collections::HashMap;
use std::path::Path;

use super::extends::{self, Files, Look, taken};
use super::file::{self, Origin};
use super::matrix::{self, Sweep};
use super::mistakes::{Finding, Findings, Mistakes};
use super::overrides::Override;
use super::paths::Paths;
use super::tree::Node;
use super::{Experiment, read};
use crate::base::text;

/// After this many mistakes the runs of a sweep are not read any further.
const ENOUGH_MISTAKES: usize = 1_000;
/// The most bytes that all runs of a sweep have as text.
const MAX_SWEEP_BYTES: usize = 64 << 20;
/// The most values that all runs of a sweep have.
const MAX_SWEEP_VALUES: usize = 4_000_000;

/// An experiment together with the text of its file, byte for byte as typed; the runs of a sweep all have the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    pub experiment: Experiment,
    pub text: String,
    /// What the sweep is called that it is one of several runs of.
    pub sweep: Option<String>,
}

/// Reads the experiment file at `path`, and looks whether the folders and files that it names are there. Of one with a
/// `matrix` these are all runs of the sweep, in the order in which they are to be run.
///
/// # Errors
/// Every mistake of the file, of those that it extends and of `overrides`; or why the file cannot be read.
pub fn load_all(path: &Path, overrides: &[Override]) -> Result<Vec<Loaded>, Mistakes> {
    load_text(path, &read_text(path)?, overrides)
}

/// Reads `text` as if it stood in the file at `path`, as [`load_all`] does.
///
/// # Errors
/// As of [`load_all`].
pub fn load_text(path: &Path, text: &str, overrides: &[Override]) -> Result<Vec<Loaded>, Mistakes> {
    load_text_with(path, text, overrides, &mut |_| Vec::new())
}

/// What is wrong with an experiment that is right by itself, for somebody who knows more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The dotted key that it is about, items of lists by their numbers.
    pub key: String,
    pub message: String,
    pub hint: Option<String>,
}

/// Reads `text` as [`load_text`] does, and asks `judge` about each experiment that nothing is wrong with so far.
///
/// # Errors
/// As of [`load_text`]; and what `judge` objects to, with the places of its keys.
pub fn load_text_with(
    path: &Path,
    text: &str,
    overrides: &[Override],
    judge: &mut dyn FnMut(&Experiment) -> Vec<Objection>,
) -> Result<Vec<Loaded>, Mistakes> {
    let shown = path.to_string_lossy();
    let origin = Origin::of(path).map_err(|error| Mistakes::unreadable(&shown, Finding::whole(error.to_string())))?;
    let Understood { experiments, sweep } = understand(text, &origin, overrides, Look::AtFiles(path), judge)?;
    let loaded = |experiment| Loaded { experiment, text: text.to_owned(), sweep: sweep.clone() };
    Ok(experiments.into_iter().map(loaded).collect())
}

/// The text of the file at `path`, which may be no experiment at all.
///
/// # Errors
/// Why it cannot be read as a text.
pub fn read_text(path: &Path) -> Result<String, Mistakes> {
    let read = file::read(path).map(|(text, _)| text);
    read.map_err(|finding| Mistakes::unreadable(&path.to_string_lossy(), finding))
}

/// Reads the one experiment in the file at `path`, as [`load_all`] does.
///
/// # Errors
/// As of [`load_all`]; and that the file is a sweep of several runs, or of none.
pub fn load(path: &Path, overrides: &[Override]) -> Result<Loaded, Mistakes> {
    only(load_all(path, overrides)?, &path.to_string_lossy())
}

/// Reads the experiments that `text` is, without looking at any file.
///
/// # Errors
/// Every mistake of the text and of `overrides`; that it extends a file is one.
pub fn parse_all(text: &str, origin: &Origin, overrides: &[Override]) -> Result<Vec<Experiment>, Mistakes> {
    understand(text, origin, overrides, Look::AtNothing, &mut |_| Vec::new()).map(|understood| understood.experiments)
}

/// Reads the one experiment that `text` is, as [`parse_all`] does.
///
/// # Errors
/// As of [`parse_all`]; and that the text is a sweep of several runs.
pub fn parse(text: &str, origin: &Origin, overrides: &[Override]) -> Result<Experiment, Mistakes> {
    only(parse_all(text, origin, overrides)?, &origin.shown)
}

fn only<T>(mut runs: Vec<T>, shown: &str) -> Result<T, Mistakes> {
    let count = runs.len();
    runs.pop().filter(|_| count == 1).ok_or_else(|| {
        let finding = Finding::whole(format!("the file is a sweep of {count} runs, expected one experiment"));
        Mistakes::unreadable(shown, finding.hint("`finetop add` queues all of them"))
    })
}

/// What a text means.
struct Understood {
    experiments: Vec<Experiment>,
    /// What several of them are called together.
    sweep: Option<String>,
}

fn understand(
    text: &str,
    origin: &Origin,
    overrides: &[Override],
    look: Look,
    judge: &mut dyn FnMut(&Experiment) -> Vec<Objection>,
) -> Result<Understood, Mistakes> {
    let findings = Findings::default();
    let mut files = Files::default();
    let understood = match extends::read(text, origin, look, &mut files, &findings) {
        Ok(root) => {
            let paths = Paths::new(&files.folders);
            let mut reader = Reader { stem: &origin.stem, paths: &paths, findings: &findings, judge };
            let understood = reader.experiments(root, overrides, &files);
            if let Look::AtFiles(_) = look {
                paths.check(&findings);
            }
            Some(understood)
        }
        Err(finding) => {
            findings.push(finding);
            None
        }
    };
    let sources = files.sources.into_iter().chain(overrides.iter().map(Override::source)).collect();
    findings.into_result(sources, understood)
}

struct Reader<'a> {
    stem: &'a str,
    paths: &'a Paths<'a>,
    findings: &'a Findings,
    judge: &'a mut dyn FnMut(&Experiment) -> Vec<Objection>,
}

impl Reader<'_> {
    /// The experiments of the tree `root` with the overrides applied.
    fn experiments(&mut self, mut root: Node, overrides: &[Override], files: &Files) -> Understood {
        let numbered = overrides.iter().zip(files.sources.len()..);
        let sets: Vec<_> = numbered.filter_map(|(set, source)| set.apply(&mut root, source, self.findings)).collect();
        let sweep = taken(&mut root, "matrix").and_then(|matrix| matrix::read(matrix, &sets, self.findings));
        match sweep {
            Some(sweep) if self.is_small(&sweep, &root, files.bytes) => self.runs(&sweep, &root),
            _ => Understood { experiments: vec![self.experiment(&root)], sweep: None },
        }
    }

    fn experiment(&mut self, root: &Node) -> Experiment {
        let experiment = read::experiment(root, self.stem, self.paths, self.findings);
        if self.findings.len() == 0 {
            for Objection { key, message, hint } in (self.judge)(&experiment) {
                let finding = Finding::new(root.nearest(&key).place, message);
                self.findings.push(hint.into_iter().fold(finding, Finding::hint));
            }
        }
        experiment
    }

    fn runs(&mut self, sweep: &Sweep, root: &Node) -> Understood {
        let mut experiments = Vec::with_capacity(sweep.runs.len());
        for run in &sweep.runs {
            experiments.push(self.experiment(&sweep.tree(run, root, self.findings)));
            if self.findings.len() >= ENOUGH_MISTAKES {
                break;
            }
        }
        let together = (experiments.len() > 1).then(|| read::name_of(root, self.stem));
        if self.findings.len() == 0 {
            sweep.name(&mut experiments);
            self.all_differ(sweep, &experiments);
        }
        Understood { experiments, sweep: together }
    }

    /// Two runs that come to the same, however they were typed, would only be waited for twice.
    fn all_differ(&self, sweep: &Sweep, experiments: &[Experiment]) {
        let mut first: HashMap<String, &str> = HashMap::with_capacity(experiments.len());
        for (experiment, run) in experiments.iter().zip(&sweep.runs) {
            let meaning = format!("{:?}", Experiment { name: String::new(), ..experiment.clone() });
            if let Some(other) = first.insert(meaning, &experiment.name) {
                let message = format!("the runs `{other}` and `{}` are the same experiment", experiment.name);
                let finding = Finding::new(run.place, message);
                self.findings.push(finding.hint("vary something in which they differ, or exclude one of them"));
            }
        }
    }

    /// Whether all runs together are no more than a machine holds.
    fn is_small(&self, sweep: &Sweep, root: &Node, bytes: usize) -> bool {
        let runs = sweep.runs.len();
        let values = root.values();
        let is_small = runs.saturating_mul(bytes) <= MAX_SWEEP_BYTES && runs.saturating_mul(values) <= MAX_SWEEP_VALUES;
        if !is_small {
            let size = format!("{runs} runs of a file with {} and {values} values", text::bytes(bytes as u64));
            let finding = Finding::new(sweep.place, format!("the sweep is too large: it has {size}"));
            self.findings.push(finding.hint("vary fewer keys at once, or write a shorter file"));
        }
        is_small
    }
}
