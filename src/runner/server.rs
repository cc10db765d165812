//! One conversation with a client: a request a line, a response a line.

use std::time::Duration;

use rustix::process::getuid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot, watch};

use super::protocol::{Refusal, Request, Response};

/// The longest request: many experiments of a MiB each.
const LONGEST: u64 = 256 << 20;

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

/// Answers a client until it hangs up or the runner leaves.
pub async fn converse(stream: UnixStream, calls: mpsc::Sender<Call>, mut leaving: watch::Receiver<bool>) {
    let (read, mut write) = stream.into_split();
    let mut reader = BufReader::new(read);
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut reader).take(LONGEST);
        let read = tokio::select! {
            read = limited.read_until(b'\n', &mut line) => read,
            _ = leaving.wait_for(|&leaving| leaving) => return,
        };
        if !matches!(read, Ok(length) if length > 0) || !line.ends_with(b"\n") {
            return;
        }
        let Some(response) = answer(&line, &calls).await else { return };
        let Ok(mut bytes) = serde_json::to_vec(&response) else { return };
        bytes.push(b'\n');
        if write.write_all(&bytes).await.is_err() {
            return;
        }
    }
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

fn misunderstood(error: &serde_json::Error) -> Refusal {
    let version = env!("CARGO_PKG_VERSION");
    Refusal::new(
        format!("the runner, finetop {version}, did not understand the request: {error}"),
        "if it is of another version: `finetop runner stop`, and the next command starts the new one",
    )
}
