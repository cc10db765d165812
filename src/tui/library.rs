//! The experiment files that can be added, and what each would do.

use std::path::{Path, PathBuf};

use crate::base::text::printable;
use crate::experiment::{self, Experiment, Inputs, Loaded, Mistakes};
use crate::runner::protocol::NewExperiment;

/// What reading a file showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// It can be queued; a few lines about it.
    Good(Vec<String>),
    /// Its mistakes, a line or two each.
    Mistaken(Vec<String>),
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

/// Reads and validates an experiment file.
pub fn check(path: &Path) -> Check {
    match experiment::load_all(path, &[]) {
        Ok(runs) => Check::Good(runs.first().map_or_else(Vec::new, |first| preview(&first.experiment, &runs))),
        Err(mistakes) => Check::Mistaken(lines(&mistakes)),
    }
}

/// What the runner takes of an experiment file: one experiment, or those of a sweep.
pub fn read(path: &Path) -> Result<Vec<NewExperiment>, String> {
    match experiment::load_all(path, &[]) {
        Ok(runs) => Ok(NewExperiment::of_each(&runs)),
        Err(mistakes) => Err(lines(&mistakes).join("; ")),
    }
}

/// A few lines about the first run of a file, and how many there are where it is a sweep.
fn preview(experiment: &Experiment, runs: &[Loaded]) -> Vec<String> {
    let inputs = match &experiment.data.inputs {
        Inputs::Pictures(pictures) => format!("{} pixels", pictures.image_size),
        Inputs::Texts(texts) => format!("up to {} tokens", texts.max_length),
    };
    let (name, backbone) = (&experiment.name, experiment.model.backbone.name());
    let mut lines = vec![format!("{name}, {backbone}, {inputs}, batches of {}", experiment.train.batch_size)];
    if runs.len() > 1 {
        lines.insert(0, format!("a sweep of {} runs, the first:", runs.len()));
    }
    let phases = experiment.train.phases.iter();
    lines.extend(phases.map(|phase| {
        format!(
            "{}: {} epochs, lr {}",
            phase.name,
            phase.epochs,
            crate::base::text::learning_rate(phase.optimizer.lr())
        )
    }));
    let callbacks = [
        experiment
            .train
            .early_stopping
            .as_ref()
            .map(|stop| format!("stops early: {}, patience {}", stop.watch.monitor.name(), stop.patience)),
        experiment.train.reduce_lr_on_plateau.as_ref().map(|reduce| {
            format!(
                "lr × {} on a plateau of {}, patience {}",
                reduce.factor,
                reduce.watch.monitor.name(),
                reduce.patience
            )
        }),
    ];
    lines.extend(callbacks.into_iter().flatten());
    lines.extend(experiment.notes());
    lines
}

fn lines(mistakes: &Mistakes) -> Vec<String> {
    let mut lines = Vec::new();
    for mistake in mistakes.iter() {
        let base = mistake.base.as_ref().map_or(String::new(), |base| format!("{base}, "));
        lines.push(printable(&format!("{base}line {}: {}", mistake.line, mistake.message)));
        lines.extend(mistake.hint.iter().map(|hint| format!("  {}", printable(hint))));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_of_the_folder_and_its_folders_are_found_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in
            ["b.yaml", "a.yml", "c.txt", "experiments/x.yaml", "target/no.yaml", ".hidden/no.yaml", "deep/er/no.yaml"]
        {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = files(folder.path());
        let names: Vec<_> =
            found.iter().map(|path| path.strip_prefix(folder.path()).unwrap().display().to_string()).collect();
        assert_eq!(names, ["a.yml", "b.yaml", "experiments/x.yaml"]);
    }

    #[test]
    fn mistakes_are_said_with_their_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.yaml");
        fs::write(&path, "data: { train: ., val: . }\nmodel: { backbon: squeezenet1_1, weights: random }\n").unwrap();
        let Check::Mistaken(lines) = check(&path) else { panic!("it has a mistake") };
        assert!(lines.iter().any(|line| line.starts_with("line 2") && line.contains("backbon")), "{lines:?}");
        assert!(read(&path).unwrap_err().contains("backbon"));
    }
}
