//! When checkpoints are written, and writing them beside the training.
//!
//! Invariants: training waits for copies of its tensors, not for the disk, unless the one before is still being written;
//! one is written at a time; what could not be written ends the run; a checkpoint is told of only when it is durable.

use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use candle_core::Tensor;

use super::checkpoint::{self, BestEpoch, Checkpoint};
use super::tensor_file::Error;
use crate::base::clock::{self, Stopwatch};
use crate::base::durable;
use crate::record::{RunDir, event};

/// Checkpoints at epochs' ends may take this share of the time, that of the processor which writes them included.
const SHARE: f64 = 0.01;

/// When the latest checkpoint was handed on, what the one before cost, and the writing that is under way.
pub(super) struct Saving {
    run: PathBuf,
    /// Within an epoch.
    every: Duration,
    /// Since the latest, or since the attempt began.
    since: Stopwatch,
    cost: Option<Cost>,
    /// What `best.safetensors` holds, or will when the writing is done.
    best: Option<BestEpoch>,
    under_way: Option<JoinHandle<Result<Written, Error>>>,
}

/// The whole network of an epoch, for `best.safetensors`.
pub(super) struct BestNetwork {
    pub epoch: BestEpoch,
    pub tensors: Vec<(String, Tensor)>,
}

/// Seconds that a checkpoint took from the training.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Cost {
    /// While it waited for the copies.
    copying: f64,
    /// Of the processor, beside it.
    writing: f64,
}

struct Written {
    files: Vec<event::Checkpoint>,
    processor_seconds: f64,
}

impl Saving {
    /// For the run in the folder `run`, with a checkpoint every `minutes` within an epoch.
    pub fn new(run: &Path, minutes: f64) -> Saving {
        let every = Duration::try_from_secs_f64(minutes * 60.0).unwrap_or(Duration::MAX);
        let (run, since) = (run.to_owned(), Stopwatch::start());
        Saving { run, every, since, cost: None, best: None, under_way: None }
    }

    /// Whether it is time for one within an epoch.
    pub fn is_due(&self) -> bool {
        self.under_way.is_none() && self.since.elapsed() >= self.every
    }

    /// Whether one at the end of an epoch would not take too large a share of the time.
    pub fn is_due_at_epoch_end(&self) -> bool {
        let is_cheap = |cost: Cost| self.since.seconds() * SHARE >= cost.copying + cost.writing;
        self.is_due() || (self.under_way.is_none() && self.cost.is_none_or(is_cheap))
    }

    /// Whether `best.safetensors` holds, or will hold, the epoch `best`.
    pub fn has_best(&self, best: BestEpoch) -> bool {
        self.best == Some(best)
    }

    /// Starts to write; nothing may be under way. `copying`: since the training waits for the copies of its tensors.
    pub fn begin(
        &mut self,
        checkpoint: Checkpoint,
        best: Option<BestNetwork>,
        copying: Stopwatch,
    ) -> Result<(), Error> {
        self.best = best.as_ref().map(|best| best.epoch).or(self.best);
        self.since = Stopwatch::start();
        let run = self.run.clone();
        let writer = thread::Builder::new().name("checkpoint".into());
        let started = writer.spawn(move || write(&run, &checkpoint, best.as_ref()));
        self.under_way = Some(started.map_err(|e| Error::Crashed(e.to_string()))?);
        self.cost = Some(Cost { copying: copying.seconds(), writing: 0.0 });
        Ok(())
    }

    /// What became durable since the last time, without waiting.
    pub fn poll(&mut self) -> Result<Vec<event::Checkpoint>, Error> {
        match &self.under_way {
            Some(writing) if writing.is_finished() => self.wait(),
            _ => Ok(Vec::new()),
        }
    }

    /// What became durable since the last time, when nothing is under way any more.
    pub fn wait(&mut self) -> Result<Vec<event::Checkpoint>, Error> {
        let Some(writing) = self.under_way.take() else { return Ok(Vec::new()) };
        let written = writing.join().unwrap_or_else(|panic| Err(Error::Crashed(message(&*panic))))?;
        self.cost.get_or_insert_default().writing = written.processor_seconds;
        Ok(written.files)
    }
}

impl Drop for Saving {
    /// What is under way is of a good state, whatever ended the training.
    fn drop(&mut self) {
        let _ = self.wait();
    }
}

fn write(run: &Path, checkpoint: &Checkpoint, best: Option<&BestNetwork>) -> Result<Written, Error> {
    // What a reader keeps of the epochs before a checkpoint must be on the disk before it.
    if let Some(dir) = RunDir::at(run) {
        durable::sync_file(&dir.events())?;
    }
    let (epoch, step) = (checkpoint.progress.epoch, checkpoint.progress.step);
    let mut files = Vec::new();
    let mut add = |file: &str, epoch, work: &dyn Fn() -> Result<u64, Error>| -> Result<(), Error> {
        let clock = Stopwatch::start();
        let bytes = work()?;
        files.push(event::Checkpoint { epoch, step, file: file.into(), bytes, seconds: clock.seconds() });
        Ok(())
    };
    add(checkpoint::LAST, epoch, &|| checkpoint.write(run))?;
    if let Some(best) = best {
        add(checkpoint::BEST, best.epoch.epoch, &|| checkpoint::write_best(run, best.epoch, &best.tensors))?;
    }
    Ok(Written { files, processor_seconds: clock::thread_seconds() })
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without a message").to_owned()
}
