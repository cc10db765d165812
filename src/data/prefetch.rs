//! Work done on threads ahead of its use, handed out in order.
//!
//! Invariants: item `i` is `work(i)` whatever the number of threads; at most `ahead` items are done or being done and
//! not yet taken; a panic in `work` is that item's error and the threads go on; dropping the iterator waits for the
//! items being done and for no others.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

/// `work` panicked with this message.
#[derive(Debug, PartialEq, Eq)]
pub struct Panicked(pub String);

/// Iterates over `work(0)`, `work(1)` … `work(count - 1)`.
pub struct Prefetch<T> {
    shared: Arc<Shared<T>>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared<T> {
    work: Box<dyn Fn(usize) -> T + Send + Sync>,
    count: usize,
    ahead: usize,
    state: Mutex<State<T>>,
    /// The item to be taken next is done.
    next_is_done: Condvar,
    /// An item was taken, or nobody wants more.
    may_go_on: Condvar,
}

struct State<T> {
    claimed: usize,
    taken: usize,
    done: HashMap<usize, Result<T, Panicked>>,
    stopped: bool,
}

impl<T: Send + 'static> Prefetch<T> {
    /// Starts up to `threads` threads. Where the system gives none, the iterator does the work itself.
    pub fn start(
        count: usize,
        threads: usize,
        ahead: usize,
        work: impl Fn(usize) -> T + Send + Sync + 'static,
    ) -> Self {
        let state = State { claimed: 0, taken: 0, done: HashMap::new(), stopped: false };
        let shared = Arc::new(Shared {
            work: Box::new(work),
            count,
            ahead: ahead.max(1),
            state: Mutex::new(state),
            next_is_done: Condvar::new(),
            may_go_on: Condvar::new(),
        });
        let spawn = |_| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name("loader".into()).spawn(move || shared.serve()).ok()
        };
        let threads = (0..threads.min(count)).map_while(spawn).collect();
        Prefetch { shared, threads }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn serve(&self) {
        while let Some(index) = self.claim() {
            let done = self.run(index);
            let mut state = self.lock();
            state.done.insert(index, done);
            if index == state.taken {
                self.next_is_done.notify_one();
            }
        }
    }

    /// The next item to do, once there is room for it.
    fn claim(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.stopped || state.claimed == self.count {
                return None;
            }
            if state.claimed < state.taken + self.ahead {
                state.claimed += 1;
                return Some(state.claimed - 1);
            }
            state = self.may_go_on.wait(state).unwrap_or_else(|e| e.into_inner());
        }
    }

    fn run(&self, index: usize) -> Result<T, Panicked> {
        catch_unwind(AssertUnwindSafe(|| (self.work)(index))).map_err(|payload| Panicked(message(&*payload)))
    }

    /// Waits for the next item in order.
    fn take(&self) -> Option<Result<T, Panicked>> {
        let mut state = self.lock();
        if state.taken == self.count {
            return None;
        }
        loop {
            let next = state.taken;
            if let Some(item) = state.done.remove(&next) {
                state.taken += 1;
                self.may_go_on.notify_one();
                return Some(item);
            }
            state = self.next_is_done.wait(state).unwrap_or_else(|e| e.into_inner());
        }
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

impl<T> Iterator for Prefetch<T> {
    type Item = Result<T, Panicked>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.threads.is_empty() {
            let index = self.shared.claim()?;
            self.shared.lock().taken += 1;
            return Some(self.shared.run(index));
        }
        self.shared.take()
    }
}

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.may_go_on.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
