//! Anything on the runner's socket: it answers or hangs up, and stays alive, quick and small.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use finetop::base::clock::Stopwatch;
use finetop::record::Store;
use finetop::runner::protocol::Status;
use finetop::runner::{Client, Request, Response, lock};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::change::{changed, changes};
use crate::workplace::{Workplace, tiny_text};

/// A real runner with one run, which is kept back.
struct Served {
    here: Workplace,
    store: Store,
    socket: PathBuf,
}

impl Served {
    fn start() -> Served {
        let here = Workplace::with_texts();
        here.write("kept.yaml", tiny_text("kept", 2));
        here.finetop(&["add", "--paused", "kept.yaml"]).succeeded();
        let store = Store::open(&here.store()).unwrap();
        let socket = lock::holder(&store).expect("a runner").socket;
        Served { here, store, socket }
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Says `bytes` and no more; what is answered until the runner hangs up, which it must.
    fn say(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(std::net::Shutdown::Write));
        let mut answers = Vec::new();
        match stream.read_to_end(&mut answers) {
            Err(error) => assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "it neither answers nor hangs up"),
            Ok(_) => assert!(answers.is_empty() || answers.ends_with(b"\n")),
        }
        answers
    }

    fn status(&self) -> (Status, f64) {
        let watch = Stopwatch::start();
        let mut client = Client::connect(&self.store).unwrap().expect("the runner lives");
        let Response::Status(status) = client.request(&Request::Status).unwrap() else { panic!("no status") };
        (status, watch.seconds())
    }

    /// It is the same runner, its run is as it was, and it answers at once.
    fn assert_well(&self, pid: u32) {
        let (status, seconds) = self.status();
        assert_eq!(status.pid, pid);
        assert_eq!(status.runs.paused.len(), 1);
        assert!(seconds < 10.0, "it took {seconds} s to answer");
    }

    /// The most memory that it ever had, in bytes (`VmHWM`).
    fn most_memory(&self, pid: u32) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
    }
}

/// Requests that harm nothing if they come through.
fn requests() -> Vec<Vec<u8>> {
    let ids = vec!["1".parse().unwrap(), "77".parse().unwrap()];
    let requests = [
        Request::Status,
        Request::Pause { ids: ids.clone() },
        Request::Priority { ids: ids.clone(), priority: 7 },
        Request::Tag { ids, add: vec!["a".into()], remove: vec![] },
    ];
    requests.iter().map(|request| [serde_json::to_vec(request).unwrap(), b"\n".to_vec()].concat()).collect()
}

#[test]
fn any_bytes_are_answered_or_hung_up_on() {
    let served = Served::start();
    let pid = served.status().0.pid;
    let mut random = TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() });
    let requests = requests();
    let said = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4000),
        (prop::sample::select(requests), changes()).prop_map(|(request, changes)| changed(&request, &changes)),
        (0..40usize).prop_map(|depth| [b"[".repeat(1 << (depth / 2)), b"\n".to_vec()].concat()),
    ];
    random
        .run(&said, |bytes| {
            let answers = served.say(&bytes);
            for answer in answers.split(|&byte| byte == b'\n').filter(|answer| !answer.is_empty()) {
                serde_json::from_slice::<Response>(answer).map_err(|error| TestCaseError::fail(error.to_string()))?;
            }
            Ok(())
        })
        .unwrap();
    served.assert_well(pid);
}

#[test]
fn many_slow_and_silent_clients_hold_nobody_up() {
    let served = Served::start();
    let pid = served.status().0.pid;
    let half = b"{\"cancel\":{\"ids\":[";
    let mut clients: Vec<UnixStream> = (0..100).map(|_| served.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate().filter(|(number, _)| number % 2 == 0) {
        client.write_all(&half[..number % half.len()]).unwrap();
    }
    // One that asks and asks, and never takes an answer.
    let mut deaf = served.connect();
    deaf.set_nonblocking(true).unwrap();
    while deaf.write_all(b"\"status\"\n").is_ok() {}
    let mut took: Vec<f64> = (0..20).map(|_| served.status().1).collect();
    took.sort_by(f64::total_cmp);
    assert!(took[10] < 1.0, "{took:?}");
    served.assert_well(pid);
    drop((clients, deaf));
    served.here.finetop(&["resume", "1"]).succeeded();
    served.here.finetop(&["wait", "1"]).succeeded();
}

/// Each sends what no request may be, at once: lines without an end, and numbers without end in a request.
#[test]
fn endless_lines_take_a_bounded_part_of_the_memory() {
    let served = Served::start();
    let pid = served.status().0.pid;
    let before = served.most_memory(pid);
    let refused = Mutex::new(0);
    std::thread::scope(|scope| {
        for number in 0..6 {
            let (served, refused) = (&served, &refused);
            scope.spawn(move || {
                let mut stream = served.connect();
                let (start, block) =
                    if number % 2 == 0 { ("", vec![b'x'; 1 << 20]) } else { ("{\"x\":[0", b",0".repeat(1 << 19)) };
                let _ = stream.write_all(start.as_bytes());
                let sent = (0..100).take_while(|_| stream.write_all(&block).is_ok()).count();
                assert!(sent < 100, "it took {sent} MiB");
                *refused.lock().unwrap() += 1;
            });
        }
        // Meanwhile others are served.
        served.assert_well(pid);
    });
    assert_eq!(*refused.lock().unwrap(), 6);
    served.assert_well(pid);
    let more = served.most_memory(pid) - before;
    assert!(more < 400 << 20, "{more} bytes more");
}

#[test]
fn a_long_request_of_numbers_is_not_kept_in_memory() {
    let served = Served::start();
    let pid = served.status().0.pid;
    let before = served.most_memory(pid);
    let line = [b"{\"from_the_future\":[0".to_vec(), b",0".repeat(30 << 20), b"]}\n".to_vec()].concat();
    let answer = String::from_utf8(served.say(&line)).unwrap();
    assert!(answer.contains("did not understand"), "{answer}");
    let more = served.most_memory(pid) - before;
    assert!(more < 250 << 20, "{more} bytes more");
}
