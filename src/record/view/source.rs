//! One run, read from its two logs.
//!
//! Invariant: a run's life is read before its training, and the runner writes an end after the worker's last line; so
//! a run that is over here was read to its end, and only its life is looked at from then on.

use std::sync::Arc;

use crate::record::event::Event;
use crate::record::life::LifeEvent;
use crate::record::run_dir::RunDir;
use crate::record::seen::Seen;
use crate::record::state::{Batch, RunState, Training};
use crate::record::tail::{Tail, Told};

/// Reads the life of a run alone, which is short, and nothing of its training.
pub fn load_life(dir: &RunDir) -> RunState {
    let mut state = Arc::new(RunState::new(dir.id(), dir.name().to_owned()));
    Source::new(dir.clone()).read_life(&mut state);
    Arc::unwrap_or_clone(state)
}

/// Reads one run as it stands.
pub fn load(dir: &RunDir) -> RunState {
    Arc::unwrap_or_clone(Source::read(dir.clone()).1)
}

/// The two logs of a run, each at its place.
#[derive(Debug)]
pub(in crate::record) struct Source {
    dir: RunDir,
    life: Tail<LifeEvent>,
    training: Tail<Event>,
    is_complete: bool,
}

impl Source {
    fn new(dir: RunDir) -> Self {
        let (life, training) = (Tail::new(dir.run_log()), Tail::new(dir.events()));
        Source { dir, life, training, is_complete: false }
    }

    /// A run as it stands, and the places in its logs.
    pub fn read(dir: RunDir) -> (Source, Arc<RunState>) {
        let mut state = Arc::new(RunState::new(dir.id(), dir.name().to_owned()));
        let mut source = Source::new(dir);
        source.read_into(&mut state);
        (source, state)
    }

    /// The run's folder.
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// What the life and the training looked like when they were read.
    pub fn seen(&self) -> [Option<Seen>; 2] {
        [self.life.seen(), self.training.seen()]
    }

    /// Folds what is new into `state`, which is copied first where others have it too; whether anything was.
    pub fn read_into(&mut self, state: &mut Arc<RunState>) -> bool {
        let life_changed = self.read_life(state);
        if self.is_complete && !life_changed {
            return false;
        }
        let training_changed = self.read_training(state);
        if !state.life.status.is_live() {
            self.training.let_go();
        }
        self.is_complete = state.life.status.is_over();
        life_changed | training_changed
    }

    fn read_life(&mut self, state: &mut Arc<RunState>) -> bool {
        let news = self.life.read();
        self.life.let_go();
        let Ok(news) = news else { return false };
        if news.is_empty() {
            return false;
        }
        let state = Arc::make_mut(state);
        if news.restarted {
            let training = std::mem::take(&mut state.training);
            *state = RunState { training, ..RunState::new(self.dir.id(), self.dir.name().to_owned()) };
        }
        news.lines.into_iter().for_each(|line| state.life(line));
        true
    }

    fn read_training(&mut self, state: &mut Arc<RunState>) -> bool {
        let mut changed = false;
        // What cannot be read now may be the next time; what was read up to there counts.
        let _ = self.training.read_with(Batch::read, |told| {
            if let Told::Part(batch) = &told
                && batch.is_empty()
            {
                return;
            }
            changed = true;
            let training = &mut Arc::make_mut(state).training;
            match told {
                Told::Restart => *training = Training::default(),
                Told::Part(batch) => training.take_batch(batch),
            }
        });
        changed
    }
}
