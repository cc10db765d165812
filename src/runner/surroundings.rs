//! What the runner stands on: its store, and the socket that clients find it by. The kernel tells when either may have
//! changed, so that a runner at rest sleeps.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::record::Watcher;

/// How often to look all the same: a network file system tells nothing, nor does the loss of a folder further up.
const SELDOM: Duration = Duration::from_secs(60);

/// How often to look where the kernel tells nothing at all.
const OFTEN: Duration = Duration::from_secs(2);

/// A watch on the folders of the store and of the socket.
pub struct Surroundings {
    watcher: Watcher,
    news: Arc<Notify>,
}

impl Surroundings {
    /// Watches `store` and the folder of `socket` from now on.
    pub fn watch(store: &Path, socket: &Path) -> Self {
        let news = Arc::new(Notify::new());
        let wake = Arc::clone(&news);
        let folders: Vec<&Path> = std::iter::once(store).chain(socket.parent()).collect();
        let watcher = Watcher::shallow(&folders, move || wake.notify_one());
        Surroundings { watcher, news }
    }

    /// Waits until something may have changed.
    pub async fn changed(&self) {
        self.news.notified().await;
    }

    /// How long to wait for that before looking unasked.
    pub fn patience(&self) -> Duration {
        if self.watcher.is_polling() { OFTEN } else { SELDOM }
    }
}
