//! Wakes a reader when something in a store may have changed.
//!
//! Invariant: a watcher only says "look again"; what changed is read from the files, so a missed or needless wake costs
//! time and never a fact. A slow tick goes on beside the kernel's notices, for file systems that give none.

mod store;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

pub use self::store::{Changes, StoreWatcher};
use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

/// How often to look where the kernel's notices are refused (a limit was reached, or there is no inotify).
const POLL: Duration = Duration::from_secs(1);
/// How often to look all the same: a network file system tells nothing of other machines.
const TICK: Duration = Duration::from_secs(4);

type Wake = Arc<dyn Fn() + Send + Sync>;

/// Watches a folder until it is dropped.
pub struct Watcher {
    /// None where the kernel refused; the ticks are all there is then.
    notices: Option<RecommendedWatcher>,
    /// Dropping it ends the ticks; None for one without.
    _ticking: Option<Sender<()>>,
}

impl Watcher {
    /// Calls `wake` whenever something below `root` may have changed. It is called on other threads and must return at
    /// once; several changes may come as one call, and a call may find nothing new.
    pub fn new(root: &Path, wake: impl Fn() + Send + Sync + 'static) -> Watcher {
        let wake: Wake = Arc::new(wake);
        let notices = notices(&[root], RecursiveMode::Recursive, wake.clone()).ok();
        let _ticking = Some(tick(if notices.is_some() { TICK } else { POLL }, wake));
        Watcher { notices, _ticking }
    }

    /// Calls `wake` whenever one of `folders`, or what is directly in it, may have changed. It is for who looks now and
    /// then anyway: there are no ticks.
    pub fn shallow(folders: &[&Path], wake: impl Fn() + Send + Sync + 'static) -> Watcher {
        let notices = notices(folders, RecursiveMode::NonRecursive, Arc::new(wake)).ok();
        Watcher { notices, _ticking: None }
    }

    /// A watcher, and what receives its wakes: any number that nobody took are one.
    pub fn channel(root: &Path) -> (Watcher, Receiver<()>) {
        let (sender, receiver) = mpsc::sync_channel(1);
        let wake = move || {
            let _ = sender.try_send(());
        };
        (Watcher::new(root, wake), receiver)
    }

    /// Whether the kernel's notices were refused.
    pub fn is_polling(&self) -> bool {
        self.notices.is_none()
    }
}

fn notices(folders: &[&Path], mode: RecursiveMode, wake: Wake) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| match event {
        Ok(event) if !is_change(event.kind) => {}
        _ => wake(),
    })?;
    folders.iter().try_for_each(|folder| watcher.watch(folder, mode))?;
    Ok(watcher)
}

/// Our own reading is no change, or a reader would wake itself for ever.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    }
}

fn tick(period: Duration, wake: Wake) -> Sender<()> {
    let (alive, gone) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        while gone.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
            wake();
        }
    });
    alive
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_new_line_in_a_new_folder_wakes_and_reading_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let (watcher, woken) = Watcher::channel(root);
        let long = Duration::from_secs(20);
        fs::create_dir(root.join(".new")).unwrap();
        woken.recv_timeout(long).unwrap();
        fs::rename(root.join(".new"), root.join("0001-a")).unwrap();
        woken.recv_timeout(long).unwrap();
        let log = root.join("0001-a/events.jsonl");
        fs::write(&log, "a\n").unwrap();
        woken.recv_timeout(long).unwrap();
        if !watcher.is_polling() {
            let quiet = Duration::from_millis(200);
            while woken.recv_timeout(quiet).is_ok() {}
            fs::read(&log).unwrap();
            assert_eq!(woken.recv_timeout(quiet), Err(RecvTimeoutError::Timeout));
        }
    }

    #[test]
    fn a_shallow_watcher_sees_its_folder_and_nothing_below() {
        let folder = tempfile::tempdir().unwrap();
        let (root, below) = (folder.path().join("a"), folder.path().join("a/below"));
        fs::create_dir_all(&below).unwrap();
        let (sender, woken) = mpsc::channel();
        let watcher = Watcher::shallow(&[&root], move || sender.send(()).unwrap_or_default());
        if watcher.is_polling() {
            return;
        }
        fs::write(below.join("deep"), "").unwrap();
        assert_eq!(woken.recv_timeout(Duration::from_millis(200)), Err(RecvTimeoutError::Timeout));
        fs::rename(&root, folder.path().join("b")).unwrap();
        woken.recv_timeout(Duration::from_secs(20)).unwrap();
    }

    #[test]
    fn ticks_end_with_the_watcher() {
        let (sender, receiver) = mpsc::channel();
        let ticking = tick(Duration::from_millis(5), Arc::new(move || sender.send(()).unwrap_or_default()));
        receiver.recv_timeout(Duration::from_secs(20)).unwrap();
        drop(ticking);
        while receiver.recv_timeout(Duration::from_secs(20)).is_ok() {}
        assert_eq!(receiver.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    }
}
