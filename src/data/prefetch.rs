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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn items_come_in_order_whatever_the_number_of_threads() {
        for threads in [0, 1, 2, 5, 64] {
            for count in [0, 1, 100] {
                let doubled: Vec<_> = Prefetch::start(count, threads, 3, |i| 2 * i).collect();
                assert_eq!(doubled, (0..count).map(|i| Ok(2 * i)).collect::<Vec<_>>(), "{threads} threads");
            }
        }
    }

    #[test]
    fn a_panic_is_the_error_of_its_item() {
        for threads in [0, 3] {
            let work = |i| if i == 2 { panic!("item {i} is bad") } else { i };
            let items: Vec<_> = Prefetch::start(5, threads, 2, work).collect();
            assert_eq!(items, [Ok(0), Ok(1), Err(Panicked("item 2 is bad".into())), Ok(3), Ok(4)]);
        }
    }

    #[test]
    fn no_more_than_ahead_is_done_and_dropping_stops_the_threads() {
        const AHEAD: usize = 4;
        let started = Arc::new(AtomicUsize::new(0));
        let work = {
            let started = Arc::clone(&started);
            move |i| {
                started.fetch_add(1, Ordering::SeqCst);
                i
            }
        };
        let mut items = Prefetch::start(1_000, 2, AHEAD, work);
        for taken in 1..=20 {
            items.next();
            assert!(started.load(Ordering::SeqCst) <= taken + AHEAD);
        }
        drop(items);
        assert!(started.load(Ordering::SeqCst) <= 20 + AHEAD);
        assert_eq!(Arc::strong_count(&started), 1, "no thread holds the work any more");
    }
}
