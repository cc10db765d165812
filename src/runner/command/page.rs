use std::cell::RefCell;
use std::path::Path;

use crate::base::durable::{self, Batch};
use crate::base::id::RunId;
use crate::record::life::LifeEvent;
use crate::record::{RunDir, RunState, Writer};
use crate::runner::supervisor::append;

/// A run that is asked about, and what its record is written with.
pub(in crate::runner) struct Page<'a> {
    pub dir: RunDir,
    pub run: RunState,
    pub pen: &'a Pen,
}

impl Page<'_> {
    /// The run's number.
    pub fn id(&self) -> RunId {
        self.dir.id()
    }

    /// Appends to the run's life.
    pub fn append(&self, events: impl IntoIterator<Item = LifeEvent>) -> Result<(), durable::Error> {
        self.pen.append(&self.dir, events)
    }
}

/// How what a request changes comes to the disk. Nobody is told of it before it is there, and nothing starts by it.
pub(in crate::runner) enum Pen {
    /// Line by line.
    AtOnce,
    /// With one wait for the disk for all of it.
    Together(RefCell<Batch>),
}

/// For so many runs each can be waited for, and summed up at once.
pub(in crate::runner) const FEW: usize = 24;

impl Pen {
    /// For a request about so many runs.
    pub fn of(runs: usize) -> Self {
        if runs > FEW { Pen::together() } else { Pen::AtOnce }
    }

    /// For as many as there will be.
    pub fn together() -> Self {
        Pen::Together(RefCell::default())
    }

    /// Appends to the life of a run.
    pub fn append(&self, dir: &RunDir, events: impl IntoIterator<Item = LifeEvent>) -> Result<(), durable::Error> {
        match self {
            Pen::AtOnce => append(dir, events),
            Pen::Together(batch) => {
                Writer::open(&dir.run_log())?.write_all_unsynced(events)?;
                batch.borrow_mut().changed(dir.run_log());
                Ok(())
            }
        }
    }

    /// Removes a run's folder.
    pub fn remove(&self, dir: &RunDir) -> Result<(), durable::Error> {
        match self {
            Pen::AtOnce => durable::remove_dir_all(dir.path()),
            Pen::Together(batch) => {
                durable::remove_dir_all_unsynced(dir.path())?;
                batch.borrow_mut().changed(dir.path().parent().unwrap_or(dir.path()).to_owned());
                Ok(())
            }
        }
    }

    /// Waits until all that was written in the store at `root` is on the disk.
    pub fn settle(self, root: &Path) -> Result<(), durable::Error> {
        match self {
            Pen::AtOnce => Ok(()),
            Pen::Together(batch) => batch.into_inner().sync(root),
        }
    }
}
