//! Work that the loop does not wait for: each piece on a thread of its own, and what comes out is news.

use std::path::Path;

use super::action::News;
use super::library::{self, Draft};
use super::picture::{Page, Request};
use crate::record::Store;

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Find the experiment files.
    List,
    /// Read and validate an experiment file.
    Check(Draft),
    /// Make pictures ready to be shown.
    Pictures(Vec<Request>),
}

impl Job {
    /// Does it, and calls `say` with what came out.
    pub fn start(self, store: Store, say: impl FnOnce(News) + Send + 'static) {
        std::thread::spawn(move || say(self.run(&store)));
    }

    fn run(self, _store: &Store) -> News {
        match self {
            Job::List => News::Experiments(library::files(Path::new("."))),
            Job::Pictures(requests) => News::Pictures(Page::make(requests)),
            Job::Check(draft) => {
                let check = library::check(&draft);
                News::Checked(draft, check)
            }
        }
    }
}
