//! The folder of a run, and where in it each file is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::durable;
use crate::base::id::RunId;

/// A run's folder, `NNNN-name` in its store. Only the name is known to be right; the files may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    id: RunId,
    name: String,
    path: PathBuf,
}

impl RunDir {
    /// The folder of run `id` called `name` in the store at `root`.
    pub fn new(root: &Path, id: RunId, name: &str) -> Self {
        RunDir { id, name: name.to_owned(), path: root.join(format!("{id}-{name}")) }
    }

    /// Reads a folder's name: digits, a dash, a name. `None` for anything else, hidden folders included.
    pub fn at(path: &Path) -> Option<Self> {
        let (digits, name) = path.file_name()?.to_str()?.split_once('-')?;
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if !is_number || name.is_empty() {
            return None;
        }
        Some(RunDir { id: digits.parse().ok()?, name: name.to_owned(), path: path.to_owned() })
    }

    /// The run's number.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// The experiment's name, as the folder's name has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `NNNN-name`.
    pub fn folder_name(&self) -> String {
        format!("{}-{}", self.id, self.name)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of one of the run's files below the store's folder.
    pub(super) fn below_store<'a>(&self, file: &'a Path) -> &'a Path {
        self.path.parent().and_then(|store| file.strip_prefix(store).ok()).unwrap_or(file)
    }

    /// What the user wrote, byte for byte.
    pub fn experiment_yaml(&self) -> PathBuf {
        self.path.join("experiment.yaml")
    }

    /// What was really run.
    pub fn resolved_yaml(&self) -> PathBuf {
        self.path.join("resolved.yaml")
    }

    /// The life of the run, written by the runner.
    pub fn run_log(&self) -> PathBuf {
        self.path.join("run.jsonl")
    }

    /// The training, written by the worker.
    pub fn events(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    /// The worker's stdout and stderr.
    pub fn log_txt(&self) -> PathBuf {
        self.path.join("log.txt")
    }

    /// Folder of `last.safetensors`, `previous.safetensors` and `best.safetensors`.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Folder of the finished model.
    pub fn model(&self) -> PathBuf {
        self.path.join("model")
    }

    /// Folder of small pictures of samples.
    pub fn samples(&self) -> PathBuf {
        self.path.join("samples")
    }

    /// An error where a file or folder of the run is a symbolic link, which is not followed.
    pub fn refuse_links(&self) -> Result<(), durable::Error> {
        let files = [self.experiment_yaml(), self.resolved_yaml(), self.run_log(), self.events(), self.log_txt()];
        files.iter().try_for_each(|file| durable::refuse_link(file))?;
        for folder in [self.checkpoints(), self.model(), self.samples()] {
            durable::refuse_link(&folder)?;
            let inside = fs::read_dir(&folder).into_iter().flatten().flatten();
            inside.map(|entry| entry.path()).try_for_each(|path| durable::refuse_link(&path))?;
        }
        Ok(())
    }

    /// The cached fold of a run that is over.
    pub fn summary_json(&self) -> PathBuf {
        self.path.join("summary.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbered_folders_are_runs() {
        for (name, id) in
            [("0007-emoji", Some(7)), ("7-x", Some(7)), ("12345-a-b", Some(12345)), ("0001-grüße", Some(1))]
        {
            assert_eq!(RunDir::at(&Path::new("/runs").join(name)).map(|run| run.id().0), id);
        }
        for name in [".0007-emoji.tmp", "0007", "0007-", "-x", "+7-x", "emoji", "99999999999-x", "runner.lock"] {
            assert_eq!(RunDir::at(&Path::new("/runs").join(name)), None, "{name}");
        }
        let run = RunDir::new(Path::new("/runs"), RunId(7), "a-b");
        assert_eq!(RunDir::at(run.path()), Some(run.clone()));
        assert_eq!(run.folder_name(), "0007-a-b");
    }

    #[test]
    fn a_run_with_a_link_anywhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        fs::create_dir(&outside).unwrap();
        for link in ["events.jsonl", "resolved.yaml", "checkpoints", "samples", "model/model.safetensors"] {
            let run = RunDir::new(folder.path(), RunId(1), &link.replace('/', "-"));
            fs::create_dir_all(run.model()).unwrap();
            run.refuse_links().unwrap();
            std::os::unix::fs::symlink(&outside, run.path().join(link)).unwrap();
            assert!(run.refuse_links().unwrap_err().to_string().contains(link), "{link}");
        }
    }
}
