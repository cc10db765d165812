//! One conversation with a client: a request a line, a response a line.
//!
//! Invariants: whatever clients send, and however slowly, they take a bounded part of the memory and hold up nobody else
//! for long; what is no request is answered, and what does not come or is not taken in time ends the conversation.

use std::time::Duration;

use rustix::process::getuid;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::protocol::{LONGEST_REQUEST, Refusal, Request, Response};
use crate::base::text;

/// Conversations at once; who comes later waits until one has ended.
pub const MOST: usize = 128;

/// Bytes of a request that every client may send at once; of longer ones one is read at a time.
const SHORT: u64 = 1 << 20;

static LONG: Semaphore = Semaphore::const_new(1);

/// How long a client may take to send a request, and to take an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request, and where its answer goes.
#[derive(Debug)]
pub struct Call {
    pub request: Request,
    pub reply: oneshot::Sender<Response>,
}

/// The next client of ours. May be given up and called again.
pub async fn accept(listener: &UnixListener) -> UnixStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) if is_ours(&stream) => return stream,
            Ok(_) => {}
            // Too many open files, for one: it would come back at once.
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

fn is_ours(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == getuid().as_raw() || peer.uid() == 0)
}

/// Answers a client until it hangs up, tries the patience, or the runner leaves.
pub async fn converse(stream: UnixStream, calls: mpsc::Sender<Call>, mut leaving: watch::Receiver<bool>) {
    let (read, mut write) = stream.into_split();
    let mut reader = BufReader::new(read);
    loop {
        let heard = tokio::select! {
            heard = timeout(PATIENCE, hear(&mut reader)) => heard,
            _ = leaving.wait_for(|&leaving| leaving) => return,
        };
        let (response, is_last) = match heard {
            Ok(Heard::Request { line, turn: _turn }) => match answer(&line, &calls).await {
                Some(response) => (response, false),
                None => return,
            },
            Ok(Heard::TooLong) => (Response::Refused(too_long()), true),
            Ok(Heard::Nothing) | Err(_) => return,
        };
        let Ok(mut bytes) = serde_json::to_vec(&response) else { return };
        bytes.push(b'\n');
        if !matches!(timeout(PATIENCE, write.write_all(&bytes)).await, Ok(Ok(()))) || is_last {
            return;
        }
    }
}

/// What a client said.
enum Heard {
    Request {
        line: Vec<u8>,
        /// Held by a long one until it is answered.
        turn: Option<SemaphorePermit<'static>>,
    },
    TooLong,
    /// It hung up, perhaps in the middle.
    Nothing,
}

async fn hear(reader: &mut (impl AsyncBufRead + Unpin)) -> Heard {
    let mut line = Vec::new();
    let mut turn = None;
    for most in [SHORT, LONGEST_REQUEST - SHORT] {
        if most > SHORT {
            turn = LONG.acquire().await.ok();
        }
        match (&mut *reader).take(most).read_until(b'\n', &mut line).await {
            Ok(_) if line.ends_with(b"\n") => return Heard::Request { line, turn },
            Ok(length) if length as u64 == most => {}
            Ok(_) | Err(_) => return Heard::Nothing,
        }
    }
    Heard::TooLong
}

async fn answer(line: &[u8], calls: &mpsc::Sender<Call>) -> Option<Response> {
    let request = match serde_json::from_slice(line) {
        Ok(request) => request,
        Err(error) => return Some(Response::Refused(misunderstood(&error))),
    };
    let (reply, response) = oneshot::channel();
    calls.send(Call { request, reply }).await.ok()?;
    response.await.ok()
}

fn too_long() -> Refusal {
    let most = text::bytes(LONGEST_REQUEST);
    Refusal::new(format!("the request is longer than {most}"), "queue fewer experiments at once")
}

fn misunderstood(error: &serde_json::Error) -> Refusal {
    let version = env!("CARGO_PKG_VERSION");
    Refusal::new(
        format!("the runner, finetop {version}, did not understand the request: {error}"),
        "if it is of another version: `finetop runner stop`, and the next command starts the new one",
    )
}
