//! Work that the loop does not wait for: each piece on a thread of its own, and what comes out is news.

use std::path::{Path, PathBuf};

use super::action::News;
use super::library::{self, Draft};
use super::pane::compare::Asked;
use super::picture::{Page, Request};
use super::{orders, pane};
use crate::base::id::RunId;
use crate::base::text::counted;
use crate::record::export::{self, Format, What};
use crate::record::{RunDir, Store};

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Find the experiment files.
    List,
    /// Read and validate an experiment file.
    Check(Draft),
    /// Read what runs ran, and compare them.
    Compare(Asked),
    /// Write the epochs of the runs in these folders into a file.
    Export { runs: Vec<PathBuf>, file: PathBuf },
    /// Look for something in the events of a run.
    Seek(Box<pane::events::Seeking>),
    /// Make pictures ready to be shown.
    Pictures(Vec<Request>),
    /// Ask the runner, if one lives, how many runs may train at once.
    Slots,
    /// Read the configuration of a run.
    Config(RunId),
}

impl Job {
    /// Does it, and calls `say` with what came out.
    pub fn start(self, store: Store, say: impl FnOnce(News) + Send + 'static) {
        std::thread::spawn(move || say(self.run(&store)));
    }

    fn run(self, store: &Store) -> News {
        match self {
            Job::Slots => News::Slots(orders::slots(store)),
            Job::List => News::Experiments(library::files(Path::new("."))),
            Job::Compare(asked) => News::Compared(Box::new(asked.compare())),
            Job::Export { runs, file } => News::Exported(exported(&runs, &file)),
            Job::Seek(seeking) => News::Sought(seeking.seek()),
            Job::Pictures(requests) => News::Pictures(Page::make(requests)),
            Job::Check(draft) => {
                let check = library::check(&draft);
                News::Checked(draft, check)
            }
            Job::Config(id) => News::Config(pane::config::News { id, texts: pane::config::Texts::read(store, id) }),
        }
    }
}

/// As `finetop export` does it; what was written, or why not.
fn exported(runs: &[PathBuf], file: &Path) -> Result<String, String> {
    let dirs: Vec<RunDir> = runs.iter().filter_map(|path| RunDir::at(path)).collect();
    let count = export::to_file(&dirs, What::Epochs, Format::of(file), file).map_err(|error| error.to_string())?;
    let runs = counted(count.runs as u64, "run");
    Ok(format!("{} of {runs} are in {}", What::Epochs.counted(count.rows), file.display()))
}
