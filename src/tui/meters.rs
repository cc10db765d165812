//! How busy the machine and the workers on it are, read on a thread of its own, while somebody wants to know.

mod gpus;
mod host;
mod workers;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

pub use gpus::Gpu;
pub use host::{Host, Rates};
pub use workers::Worker;

use self::gpus::Gpus;
use self::host::Hosts;
use self::workers::Workers;
use crate::base::clock::Stopwatch;
use crate::base::id::RunId;
use crate::record::life::ProcessId;

/// How often they are read.
const EVERY: Duration = Duration::from_secs(2);
/// The first reading counts from so short a time before.
const FIRST: Duration = Duration::from_millis(300);
/// Readings that are kept: the last five minutes.
const KEPT: usize = 150;

/// What the meters show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// Percent of one core: two busy cores are 200.
    pub cpu: u32,
    /// Bytes.
    pub memory_used: u64,
    pub memory_total: u64,
    pub host: Host,
    /// Of the live runs on this machine, in their order; none while nobody looks.
    pub workers: Vec<Worker>,
    pub gpus: Vec<Gpu>,
}

/// A live run on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub id: RunId,
    pub name: String,
    pub process: ProcessId,
    /// The GPU that it was given, as CUDA's variable names it.
    pub gpu: Option<String>,
}

/// What is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    Nothing,
    /// What is in the header.
    Host,
    /// The workers of these runs and the GPUs too.
    All(Vec<Live>),
}

/// The last readings, the newest at the end.
#[derive(Debug, Default)]
pub struct History(VecDeque<Arc<Reading>>);

impl History {
    /// Takes a reading.
    pub fn take(&mut self, reading: Reading) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Arc::new(reading));
    }

    /// Forgets them: what comes next is not the continuation.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The newest.
    pub fn last(&self) -> Option<&Arc<Reading>> {
        self.0.back()
    }

    /// A figure over time; where it was not read it is 0.
    pub fn series(&self, figure: impl Fn(&Reading) -> Option<f64>) -> Vec<f64> {
        self.0.iter().map(|reading| figure(reading).filter(|value| value.is_finite()).unwrap_or(0.0)).collect()
    }
}

/// The thread that reads.
#[derive(Debug)]
pub struct Meters(Sender<Wish>);

impl Meters {
    /// Starts it; `say` hears each reading. `store` is on the disk whose space is told.
    pub fn start(store: PathBuf, say: impl Fn(Reading) + Send + 'static) -> Self {
        let (wish, wishes) = mpsc::channel();
        std::thread::spawn(move || live(&wishes, store, say));
        Meters(wish)
    }

    /// What is to be read from now on.
    pub fn wish(&self, wish: Wish) {
        let _ = self.0.send(wish);
    }
}

fn live(wishes: &Receiver<Wish>, store: PathBuf, say: impl Fn(Reading)) {
    let mut instruments: Option<Instruments> = None;
    let mut wish = Wish::Nothing;
    let mut due = Duration::ZERO;
    loop {
        let news = match wish {
            Wish::Nothing => wishes.recv().map_err(|_| RecvTimeoutError::Disconnected),
            _ => wishes.recv_timeout(due),
        };
        match news {
            Ok(new) => {
                // What is new to be seen is read soon.
                due = FIRST;
                wish = wishes.try_iter().last().unwrap_or(new);
                if wish == Wish::Nothing {
                    instruments = None;
                } else {
                    instruments.get_or_insert_with(|| Instruments::start(&store));
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                due = EVERY;
                if let Some(instruments) = &mut instruments {
                    say(instruments.read(&wish));
                }
            }
        }
    }
}

/// What is read with. Rates are since the reading before.
struct Instruments {
    hosts: Hosts,
    workers: Workers,
    gpus: Option<Gpus>,
    since: Stopwatch,
}

impl Instruments {
    fn start(store: &std::path::Path) -> Self {
        Instruments {
            hosts: Hosts::start(store.to_owned()),
            workers: Workers::default(),
            gpus: None,
            since: Stopwatch::start(),
        }
    }

    fn read(&mut self, wish: &Wish) -> Reading {
        let seconds = std::mem::replace(&mut self.since, Stopwatch::start()).seconds().max(1e-3);
        let mut reading = self.hosts.read(seconds);
        if let Wish::All(live) = wish {
            reading.workers = self.workers.read(live, seconds);
            reading.gpus = self.gpus.get_or_insert_with(Gpus::start).read(live, &reading.workers);
        }
        reading
    }
}

#[cfg(test)]
mod tests;
