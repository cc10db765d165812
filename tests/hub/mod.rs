//! A model hub of a test alone: HTTP on 127.0.0.1, in the layout of the real one, with whatever can go wrong.

#![allow(dead_code)] // every test binary uses another part

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use sha2::{Digest, Sha256};

/// The commit that every repository is at.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What goes wrong with every file of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    #[default]
    None,
    /// The connection ends after this many bytes of the body.
    BreakOffAt(usize),
    /// This many bytes of the body come, and then nothing more until [`Hub::set`] is called.
    StallAt(usize),
    /// The body comes slowly.
    Slow,
    /// Such an answer, without anything else.
    Status(u16),
    /// What comes is not HTTP.
    NotHttp,
    /// A page of a web site.
    Page,
    /// Ranges are not known: always the whole file.
    NoRanges,
    /// Other bytes than announced.
    OtherBytes,
    /// The body is at another address of the same host.
    Redirect,
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    pub range: Option<String>,
    pub authorization: Option<String>,
}

#[derive(Default)]
struct State {
    /// By `OWNER/REPO/FILE`.
    files: BTreeMap<String, Arc<Vec<u8>>>,
    fault: Fault,
    requests: Vec<Request>,
}

/// A running hub.
pub struct Hub {
    port: u16,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Hub {
    pub fn start() -> Hub {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new((Mutex::default(), Condvar::new()));
        let hub = Hub { port, shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        hub
    }

    /// What `HF_ENDPOINT` must be.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn add(&self, repo: &str, file: &str, content: Vec<u8>) {
        self.state().files.insert(format!("{repo}/{file}"), Arc::new(content));
    }

    /// Adds every file of a folder, not of those in it.
    pub fn add_folder(&self, repo: &str, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            self.add(repo, &entry.file_name().to_string_lossy(), std::fs::read(entry.path()).unwrap());
        }
    }

    pub fn set(&self, fault: Fault) {
        self.state().fault = fault;
        self.shared.1.notify_all();
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// The ranges of bodies that were asked for, in order.
    pub fn ranges(&self, file: &str) -> Vec<String> {
        let requests = self.requests().into_iter().filter(|request| request.path.ends_with(file));
        requests.filter_map(|request| request.range).filter(|range| range != "bytes=0-0").collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap()
    }
}

fn serve(stream: TcpStream, shared: &(Mutex<State>, Condvar)) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = read(&mut reader) {
        let (file, fault) = {
            let mut state = shared.0.lock().unwrap();
            state.requests.push(request.clone());
            let file = request.path.replace(&format!("/resolve/{COMMIT}/"), "/").replace("/resolve/main/", "/");
            let content = state.files.get(file.trim_start_matches("/").trim_start_matches("elsewhere/")).cloned();
            let is_weights = !file.ends_with(".json") && !file.ends_with(".txt");
            (content, if is_weights { state.fault } else { Fault::None })
        };
        if answer(&stream, &request, file.as_deref(), fault, shared).is_err() {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut request = Request { path, range: None, authorization: None };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("range") => request.range = Some(value.to_owned()),
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                request.authorization = Some(value.to_owned());
            }
            Some(_) => {}
            None => return Some(request),
        }
    }
}

/// Answers; an error ends the connection.
fn answer(
    mut stream: &TcpStream,
    request: &Request,
    file: Option<&Vec<u8>>,
    fault: Fault,
    shared: &(Mutex<State>, Condvar),
) -> std::io::Result<()> {
    let end = || Err(std::io::ErrorKind::ConnectionAborted.into());
    match (fault, file) {
        (Fault::NotHttp, _) => {
            stream.write_all(b"\x16\x03\x01 what are you?\r\n\r\n")?;
            return end();
        }
        (Fault::Page, _) => return stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhi!\n"),
        (Fault::Status(status), _) => {
            return write!(stream, "HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
        }
        (_, None) => {
            return stream
                .write_all(b"HTTP/1.1 404 Not Found\r\nX-Error-Code: EntryNotFound\r\nContent-Length: 0\r\n\r\n");
        }
        _ => {}
    }
    let whole = file.expect("a file");
    let etag: String = Sha256::digest(whole).iter().map(|byte| format!("{byte:02x}")).collect();
    if fault == Fault::Redirect && !request.path.starts_with("/elsewhere") {
        let to = request.path.replace(&format!("/resolve/{COMMIT}/"), "/").replace("/resolve/main/", "/");
        return write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: /elsewhere{to}\r\nX-Repo-Commit: {COMMIT}\r\nX-Linked-Etag: \"{etag}\"\r\nX-Linked-Size: {}\r\nContent-Length: 0\r\n\r\n",
            whole.len()
        );
    }
    let range = request.range.as_deref().filter(|_| fault != Fault::NoRanges);
    let (from, to) = range.map_or((0, whole.len()), |range| {
        let (from, to) = range.trim_start_matches("bytes=").split_once('-').unwrap();
        (from.parse().unwrap(), to.parse::<usize>().map_or(whole.len(), |to| to + 1))
    });
    let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
    write!(stream, "HTTP/1.1 {status}\r\nETag: \"{etag}\"\r\nX-Repo-Commit: {COMMIT}\r\n")?;
    if range.is_some() {
        write!(stream, "Content-Range: bytes {from}-{}/{}\r\n", to - 1, whole.len())?;
    }
    write!(stream, "Content-Length: {}\r\n\r\n", to - from)?;
    let mut body = whole[from..to].to_vec();
    if body.len() > 1 && fault == Fault::OtherBytes {
        body.iter_mut().for_each(|byte| *byte ^= 1);
    }
    match fault {
        Fault::BreakOffAt(at) if body.len() > at => {
            stream.write_all(&body[..at])?;
            stream.flush()?;
            end()
        }
        Fault::StallAt(at) if body.len() > at => {
            stream.write_all(&body[..at])?;
            let state = shared.0.lock().unwrap();
            drop(shared.1.wait_while(state, |state| state.fault == fault).unwrap());
            stream.write_all(&body[at..])
        }
        Fault::Slow if body.len() > 1 => body.chunks(body.len().div_ceil(30)).try_for_each(|block| {
            std::thread::sleep(Duration::from_millis(20));
            stream.write_all(block)
        }),
        _ => stream.write_all(&body),
    }
}
