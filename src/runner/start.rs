//! Starts a runner in the background when a client needs one.
//!
//! Invariant: the runner keeps nothing of the client's: no terminal, no stream, no session; the client waits until it
//! answers.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::client::Client;
use super::error::Error;
use super::lock;
use crate::base::clock::Stopwatch;
use crate::base::durable;
use crate::record::Store;

/// How a runner is started.
#[derive(Debug, Clone)]
pub struct StartOptions {
    /// What becomes the runner: it must call [`super::serve`] with `detach`.
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    /// How long it may take until it answers.
    pub patience: Duration,
}

impl StartOptions {
    /// `finetop --store ROOT runner serve`, by this very program.
    pub fn this_program(store: &Store) -> Result<Self, Error> {
        let program = super::options::this_program()?;
        let arguments = vec!["runner".into(), "serve".into(), "--store".into(), store.root().into()];
        Ok(StartOptions { program, arguments, patience: Duration::from_secs(20) })
    }

    /// With `--slots`, where a number is given.
    pub fn with_slots(mut self, slots: Option<usize>) -> Self {
        if let Some(slots) = slots {
            self.arguments.extend(["--slots".into(), slots.to_string().into()]);
        }
        self
    }
}

impl Client {
    /// Connects to the runner of `store`, and starts one first where none lives.
    pub fn connect_or_start(store: &Store, options: &StartOptions) -> Result<Client, Error> {
        if let Ok(Some(client)) = Client::connect(store) {
            return Ok(client);
        }
        let watch = Stopwatch::start();
        let mut child = None;
        loop {
            match Client::connect(store) {
                Ok(Some(client)) => {
                    child.into_iter().for_each(reap);
                    return Ok(client);
                }
                // Nobody has the store: it is ours to start, once.
                Ok(None) if child.is_none() => child = Some(Starting::spawn(store, options)?),
                Ok(None) if child.as_mut().is_some_and(Starting::has_ended) => return Err(not_started(store, child)),
                Ok(None) => {}
                // One that is just starting does not answer yet; one on another machine never will.
                Err(Error::Silent(holder)) if !holder.is_here() => return Err(Error::Silent(holder)),
                Err(_) => {}
            }
            if watch.elapsed() >= options.patience {
                return Err(match lock::holder(store) {
                    Some(holder) => Error::Silent(holder),
                    None => not_started(store, child),
                });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A runner that was started and has not answered yet.
struct Starting {
    child: Child,
    /// Bytes that the log had before.
    log_before: u64,
}

impl Starting {
    fn spawn(store: &Store, options: &StartOptions) -> Result<Starting, Error> {
        let log = durable::open_log(&store.runner_log())?;
        let log_before = log.metadata().map_or(0, |metadata| metadata.len());
        let mut command = Command::new(&options.program);
        command.args(&options.arguments).current_dir(store.root());
        // Not a group of its own: the leader of a group cannot begin a session, which the runner does first.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().map_err(Error::socket("start", &options.program))?;
        Ok(Starting { child, log_before })
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

/// Waits for the runner's end beside a client that lives long, or it would stay a zombie.
fn reap(mut starting: Starting) {
    std::thread::spawn(move || starting.child.wait());
}

/// What it said before it ended.
fn not_started(store: &Store, starting: Option<Starting>) -> Error {
    const MOST_LINES: usize = 5;
    let path = store.runner_log();
    let before = starting.map_or(0, |starting| starting.log_before);
    let bytes = durable::read(&path).unwrap_or_default();
    let said =
        String::from_utf8_lossy(bytes.get(usize::try_from(before).unwrap_or(0)..).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let log = lines[lines.len().saturating_sub(MOST_LINES)..].join("; ");
    match can_write(store) {
        // On a disk that is full it could not even say so.
        Err(error) if log.is_empty() => error.into(),
        _ => Error::NotStarted { log, path },
    }
}

fn can_write(store: &Store) -> Result<(), durable::Error> {
    let probe = store.root().join(".probe");
    durable::write(&probe, b"can be written\n")?;
    durable::remove_file(&probe)
}
