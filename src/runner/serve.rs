//! The life of the runner's process: it takes the store, detaches, recovers, answers, and leaves.

use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::daemon::Daemon;
use super::endpoint::Endpoint;
use super::error::Error;
use super::lock::{Holder, RunnerLock};
use super::log::Log;
use super::options::ServeOptions;
use super::server::{self, Call};
use super::signals::Signals;
use super::surroundings::Surroundings;
use crate::base::clock::{self, Stopwatch};
use crate::record::Store;

/// How long to look for a client that came while the socket was taken away.
const LAST_CALL: Duration = Duration::from_millis(50);

/// How long clients have to take their last answer.
const FAREWELL: Duration = Duration::from_secs(2);

/// Runs the runner of `store` until it is stopped or idle for long enough. Refused where another one has the store.
pub fn serve(store: &Store, options: ServeOptions) -> Result<(), Error> {
    if options.detach {
        rustix::process::setsid().map_err(|errno| Error::system("begin a session")(errno.into()))?;
    }
    let lock = RunnerLock::take(store)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Error::system("start"))?;
    let served = runtime.block_on(Service::open(store.clone(), lock, options)?.run());
    runtime.shutdown_background();
    served
}

/// A runner and the world around it.
struct Service {
    lock: RunnerLock,
    idle: Duration,
    daemon: Daemon,
    calls: (mpsc::Sender<Call>, mpsc::Receiver<Call>),
    connections: JoinSet<()>,
    /// Turns true when the runner leaves.
    leaving: watch::Sender<bool>,
}

impl Service {
    fn open(store: Store, lock: RunnerLock, options: ServeOptions) -> Result<Self, Error> {
        let log = Log::open(&store)?;
        let daemon = Daemon::new(store, options.capacity, options.rules, log);
        let (leaving, _) = watch::channel(false);
        let (calls, connections) = (mpsc::channel(16), JoinSet::new());
        Ok(Service { lock, idle: options.idle, daemon, calls, connections, leaving })
    }

    async fn run(mut self) -> Result<(), Error> {
        let mut signals = Signals::open()?;
        let mut endpoint = self.open_endpoint()?;
        let surroundings = Surroundings::watch(self.daemon.store.root(), endpoint.path());
        self.daemon.log.line(&format!("finetop {} serves", env!("CARGO_PKG_VERSION")));
        self.daemon.recover()?;
        let mut quiet = Stopwatch::start();
        let mut was_asked = false;
        loop {
            self.daemon.start_ready();
            if !self.daemon.is_idle() || !self.connections.is_empty() {
                quiet = Stopwatch::start();
            }
            if self.daemon.is_done() {
                break;
            }
            if quiet.elapsed() >= self.idle {
                match self.retire(endpoint).await? {
                    None => return self.leave().await,
                    Some(again) => endpoint = again,
                }
                continue;
            }
            let pause = self.next_look(&quiet, surroundings.patience());
            tokio::select! {
                stream = server::accept(&endpoint.listener), if self.connections.len() < server::MOST => {
                    self.welcome(stream);
                }
                Some(call) = self.calls.1.recv() => {
                    let response = self.daemon.answer(call.request);
                    let _ = call.reply.send(response);
                }
                () = self.daemon.one_ended() => {}
                Some(_) = self.connections.join_next() => {}
                () = signals.asked_to_end() => {
                    // Asked twice: the workers live on, and the next runner takes them over.
                    if std::mem::replace(&mut was_asked, true) {
                        break;
                    }
                    self.daemon.log.line("asked to end by a signal");
                    self.daemon.stop_runs(true);
                }
                () = surroundings.changed() => self.look_around(&mut endpoint)?,
                () = tokio::time::sleep(pause) => self.look_around(&mut endpoint)?,
            }
        }
        drop(endpoint);
        self.leave().await
    }

    fn open_endpoint(&mut self) -> Result<Endpoint, Error> {
        let endpoint = Endpoint::bind(&self.daemon.store)?;
        self.lock.sign(&Holder::this(endpoint.path().to_owned()))?;
        Ok(endpoint)
    }

    /// Leaves when the store is gone; opens the socket again where somebody took its file away.
    fn look_around(&mut self, endpoint: &mut Endpoint) -> Result<(), Error> {
        if !self.lock.is_there() && !self.daemon.stopping {
            self.daemon.log.line("the store is gone");
            self.daemon.stop_runs(true);
        } else if !endpoint.is_there() {
            *endpoint = self.open_endpoint()?;
        }
        Ok(())
    }

    /// Until the next moment at which something may have to be done unasked, at most `patience`.
    fn next_look(&self, quiet: &Stopwatch, patience: Duration) -> Duration {
        let now = clock::now();
        let retry = self.daemon.queue.next_ready(now).map(|time| time.since(now));
        let idle = self.daemon.is_idle().then(|| self.idle.saturating_sub(quiet.elapsed()));
        let next = retry.into_iter().chain(idle).fold(patience, Duration::min);
        next.max(Duration::from_millis(1))
    }

    fn welcome(&mut self, stream: UnixStream) {
        self.connections.spawn(server::converse(stream, self.calls.0.clone(), self.leaving.subscribe()));
    }

    /// Closes the socket for good, unless somebody came at the last moment.
    async fn retire(&mut self, endpoint: Endpoint) -> Result<Option<Endpoint>, Error> {
        endpoint.hide();
        match tokio::time::timeout(LAST_CALL, server::accept(&endpoint.listener)).await {
            Ok(stream) => {
                self.welcome(stream);
                self.open_endpoint().map(Some)
            }
            Err(_) => Ok(None),
        }
    }

    /// Lets clients take their last answers, and what is being written be written.
    async fn leave(&mut self) -> Result<(), Error> {
        self.daemon.log.line("ends");
        self.leaving.send_replace(true);
        let farewells = async {
            while self.connections.join_next().await.is_some() {}
            self.daemon.chores.done().await;
        };
        let _ = tokio::time::timeout(FAREWELL, farewells).await;
        Ok(())
    }
}
