//! What operations take beside their operands and results while they run.

/// Scalars of scratch space.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scratch {
    /// Taken once, whatever the threads.
    pub shared: usize,
    /// Taken on each thread.
    pub per_thread: usize,
}

impl Scratch {
    /// Scalars on this many threads.
    pub fn on(self, threads: usize) -> usize {
        self.shared + self.per_thread * threads
    }

    /// Enough for either.
    pub fn or(self, other: Scratch) -> Scratch {
        Scratch { shared: self.shared.max(other.shared), per_thread: self.per_thread.max(other.per_thread) }
    }
}
