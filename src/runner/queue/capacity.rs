//! What the machine has for runs, and who has what of it.
//!
//! Invariants: the live runs together need no more memory than the budget, but for one that is alone; no GPU has more runs
//! than it may. What was taken over from another runner, or was live before the capacity shrank, may be beyond that.

use std::collections::BTreeMap;

use crate::base::id::RunId;
use crate::record::life::Needs;

/// What the machine has for runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacity {
    /// Runs that may be live at once, at least one.
    pub slots: usize,
    /// Cores to compute on, at least one.
    pub cores: usize,
    /// Bytes of main memory that runs may need together; None for no limit.
    pub memory: Option<u64>,
    /// The GPUs by the names that `CUDA_VISIBLE_DEVICES` knows them by.
    pub gpus: Vec<String>,
    /// Runs that may share a GPU, at least one.
    pub runs_per_gpu: usize,
}

impl Capacity {
    /// Slots on this many cores, without a limit of memory and without GPUs.
    pub fn new(slots: usize, cores: usize) -> Self {
        Capacity { slots: slots.max(1), cores: cores.max(1), memory: None, gpus: Vec::new(), runs_per_gpu: 1 }
    }

    /// Threads for each run, so that all slots together have no more than there are cores.
    pub fn threads(&self) -> usize {
        (self.cores / self.slots.max(1)).max(1)
    }
}

/// What a run has of the machine while it is live.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Share {
    /// Threads to compute on; 0 for one on every core.
    pub threads: usize,
    /// The one GPU that it may use; None for one that wants none, or where there is none.
    pub gpu: Option<String>,
    /// Bytes of main memory that are kept for it; 0 where its need is unknown.
    pub memory: u64,
}

/// The shares of the live runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Shares(BTreeMap<RunId, Share>);

impl Shares {
    /// Whether a run with a GPU could start as far as GPUs go. Where there is none it starts all the same: it falls back on
    /// the CPU, or says itself what it misses.
    pub fn has_gpu(&self, capacity: &Capacity) -> bool {
        capacity.gpus.is_empty() || self.freest_gpu(capacity).is_some()
    }

    /// The share that a run with these needs can have now; None where memory or GPUs are short.
    pub fn offer(&self, needs: Needs, capacity: &Capacity) -> Option<Share> {
        if !self.fits(needs.memory, capacity) || (needs.gpu && !self.has_gpu(capacity)) {
            return None;
        }
        let gpu = if needs.gpu { self.freest_gpu(capacity).map(str::to_owned) } else { None };
        Some(Share { threads: capacity.threads(), gpu, memory: needs.memory })
    }

    fn fits(&self, memory: u64, capacity: &Capacity) -> bool {
        self.0.is_empty() || capacity.memory.is_none_or(|budget| self.memory().saturating_add(memory) <= budget)
    }

    /// The GPU with the fewest runs that has room for one; of several the first.
    fn freest_gpu<'a>(&self, capacity: &'a Capacity) -> Option<&'a str> {
        let runs = |gpu: &str| self.0.values().filter(|share| share.gpu.as_deref() == Some(gpu)).count();
        let counted = capacity.gpus.iter().map(|gpu| (runs(gpu), gpu.as_str()));
        counted
            .filter(|&(runs, _)| runs < capacity.runs_per_gpu.max(1))
            .min_by_key(|&(runs, _)| runs)
            .map(|(_, gpu)| gpu)
    }

    /// Bytes that are kept for the live runs together.
    pub fn memory(&self) -> u64 {
        self.0.values().fold(0, |sum, share| sum.saturating_add(share.memory))
    }

    /// Gives a run its share.
    pub fn give(&mut self, id: RunId, share: Share) {
        self.0.insert(id, share);
    }

    /// Takes back what a run has, if it has anything.
    pub fn take_back(&mut self, id: RunId) {
        self.0.remove(&id);
    }

    /// Live runs, by number.
    pub fn runs(&self) -> impl ExactSizeIterator<Item = RunId> {
        self.0.keys().copied()
    }

    /// What a run has.
    pub fn of(&self, id: RunId) -> Option<&Share> {
        self.0.get(&id)
    }
}
