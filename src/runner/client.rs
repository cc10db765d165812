//! A client of the runner: one connection, a request and a response at a time.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::endpoint;
use super::error::Error;
use super::lock::{self, Holder};
use super::protocol::{LONGEST_REQUEST, Request, Response};
use crate::base::clock::Stopwatch;
use crate::record::Store;

/// How long a runner may take to answer: it may have to write many folders on a slow disk.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a runner may be without a socket: while it begins, and while it leaves.
const A_MOMENT: Duration = Duration::from_secs(1);

/// A connection to the runner of a store.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<UnixStream>,
    holder: Holder,
}

impl Client {
    /// Connects to the runner of `store`; None when none lives. One that holds the store but does not answer is an error;
    /// for a moment that is so of one that begins or leaves.
    pub fn connect(store: &Store) -> Result<Option<Client>, Error> {
        let watch = Stopwatch::start();
        loop {
            match Client::try_connect(store) {
                Err(Error::Silent(holder)) if holder.is_here() && watch.elapsed() < A_MOMENT => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                other => return other,
            }
        }
    }

    fn try_connect(store: &Store) -> Result<Option<Client>, Error> {
        let Some(holder) = lock::holder(store) else { return Ok(None) };
        if !endpoint::is_ours(&holder.socket) {
            return Err(Error::Silent(holder));
        }
        match UnixStream::connect(&holder.socket) {
            Ok(stream) => {
                let timed =
                    stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
                timed.map_err(Error::socket("use", &holder.socket))?;
                Ok(Some(Client { reader: BufReader::new(stream), holder }))
            }
            Err(_) => Err(Error::Silent(holder)),
        }
    }

    /// Who it is connected to.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    /// Asks, and waits for the answer.
    pub fn request(&mut self, request: &Request) -> Result<Response, Error> {
        let mut line = serde_json::to_vec(request).map_err(|e| Error::Garbled(e.to_string()))?;
        line.push(b'\n');
        let length = line.len() as u64;
        if length > LONGEST_REQUEST {
            return Err(Error::TooLong { length });
        }
        // A runner that ended takes the line or refuses it; either way there is no answer.
        self.reader.get_mut().write_all(&line).map_err(|_| Error::Gone)?;
        let mut answer = String::new();
        match self.reader.read_line(&mut answer) {
            Ok(_) if answer.ends_with('\n') => serde_json::from_str(&answer).map_err(|e| Error::Garbled(e.to_string())),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(Error::Silent(self.holder.clone()))
            }
            Ok(_) | Err(_) => Err(Error::Gone),
        }
    }
}

/// Waits until nobody holds `store`, at most for `patience`; whether that came true.
pub fn wait_until_gone(store: &Store, patience: Duration) -> bool {
    let watch = Stopwatch::start();
    while lock::holder(store).is_some() {
        if watch.elapsed() >= patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    true
}
