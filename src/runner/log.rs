//! What the runner itself has to say: `runner.log`.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use crate::base::{clock, durable};
use crate::record::Store;

/// The runner's log, shared by its tasks.
#[derive(Debug, Clone)]
pub struct Log(Arc<File>);

impl Log {
    /// Opens the log of the runner of `store`.
    pub fn open(store: &Store) -> Result<Log, durable::Error> {
        durable::open_log(&store.runner_log()).map(|file| Log(Arc::new(file)))
    }

    /// Adds a line. A disk that is full is no reason to end.
    pub fn line(&self, text: &str) {
        let text = text.replace('\n', "\\n");
        let _ = (&*self.0).write_all(format!("{} {text}\n", clock::now()).as_bytes());
    }
}
