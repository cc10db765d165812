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
use crate::base::clock::{self, Stopwatch};
use crate::record::Store;

/// How often to see whether the store is still there, and clients can still find the socket.
const LOOK_AROUND: Duration = Duration::from_secs(2);

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
            let pause = self.next_look(&quiet);
            tokio::select! {
                stream = server::accept(&endpoint.listener) => self.welcome(stream),
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
                () = tokio::time::sleep(pause) => {
                    if !self.lock.is_there() && !self.daemon.stopping {
                        self.daemon.log.line("the store is gone");
                        self.daemon.stop_runs(true);
                    } else if !endpoint.is_there() {
                        endpoint = self.open_endpoint()?;
                    }
                }
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

    /// Until the next moment at which something may have to be done unasked.
    fn next_look(&self, quiet: &Stopwatch) -> Duration {
        let now = clock::now();
        let retry = self.daemon.queue.next_ready(now).map_or(LOOK_AROUND, |time| time.since(now));
        let idle = if self.daemon.is_idle() { self.idle.saturating_sub(quiet.elapsed()) } else { LOOK_AROUND };
        LOOK_AROUND.min(retry).min(idle).max(Duration::from_millis(1))
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

    /// Lets clients take their last answers.
    async fn leave(&mut self) -> Result<(), Error> {
        self.daemon.log.line("ends");
        self.leaving.send_replace(true);
        let farewells = async { while self.connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(FAREWELL, farewells).await;
        Ok(())
    }
}
