//! What the runner costs: `cargo bench --bench runner`. Medians, of a store with 10,000 runs that wait.
//!
//! This program is its own runner and its own worker, so that both write down the very moments at which they begin and
//! end; what is measured between them is all that a runner does, and the start of a process.

#![allow(clippy::disallowed_methods)] // files of a benchmark are not files of a store

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use finetop::record::life::LifeEvent;
use finetop::record::{NewRun, RunDir, Store};
use finetop::runner::{Client, Request, Response, ServeOptions, StartOptions, WorkerCommand, serve};
use rustix::time::{ClockId, clock_gettime};

/// As the binary's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs in the queue.
const QUEUED: usize = 10_000;

/// Ends of workers that are measured.
const ENDS: usize = 300;

/// For how long the runner at rest is looked at.
const REST: Duration = Duration::from_secs(20);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("serve") => run_the_runner(Path::new(&arguments[2])),
        Some("work") => work(Path::new(&arguments[2])),
        _ => measure(),
    }
}

fn run_the_runner(store: &Path) {
    let program = std::env::current_exe().unwrap();
    let mut options = ServeOptions::new(WorkerCommand { program, arguments: vec!["work".into()] });
    options.detach = true;
    serve(&Store::open(store).unwrap(), options).unwrap();
}

/// Nanoseconds of a clock that all processes share.
fn now() -> i128 {
    let time = clock_gettime(ClockId::Monotonic);
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

/// A worker that only says when it began and ended.
fn work(run: &Path) {
    let begin = now();
    let finished = r#"{"seq":0,"time":"2100-01-01T00:00:00.000Z","type":"finished","reason":"completed","epochs":1,"seconds":0,"best":null}"#;
    writeln!(File::create(run.join("events.jsonl")).unwrap(), "{finished}").unwrap();
    let mut times = OpenOptions::new().append(true).create(true).open(run.join("../../times")).unwrap();
    let line = format!("{begin} {}\n", now());
    times.write_all(line.as_bytes()).unwrap();
}

fn measure() {
    from_end_to_start();
    at_rest();
}

fn new_run(n: usize, life: &[LifeEvent]) -> NewRun {
    let name = format!("run{n}");
    let queued =
        LifeEvent::Queued { name: name.clone(), priority: 0, group: None, after: vec![], needs: Default::default() };
    let text = format!("name: {name}\n");
    NewRun { name, experiment: text.clone(), resolved: text, life: [&[queued], life].concat() }
}

/// A store with so many runs in a temporary folder, and the time that it took to make them.
fn store_with(life: &[LifeEvent]) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("runs")).unwrap();
    let runs: Vec<NewRun> = (0..QUEUED).map(|n| new_run(n, life)).collect();
    let watch = Instant::now();
    store.create_runs(&runs).unwrap();
    println!("{QUEUED} runs are made in {:.2} s", watch.elapsed().as_secs_f64());
    (folder, store)
}

fn start(store: &Store) -> Client {
    let arguments = vec!["serve".into(), store.root().into()];
    let options =
        StartOptions { program: std::env::current_exe().unwrap(), arguments, patience: Duration::from_secs(120) };
    let watch = Instant::now();
    let mut client = Client::connect_or_start(store, &options).unwrap();
    client.request(&Request::Status).unwrap();
    println!("the runner answers {:.2} s after it was started", watch.elapsed().as_secs_f64());
    client
}

fn pid(client: &mut Client) -> u32 {
    match client.request(&Request::Status).unwrap() {
        Response::Status(status) => status.pid,
        other => panic!("{other:?}"),
    }
}

/// Paused runs, a runner that has nothing to do, and one more run that is added.
fn at_rest() {
    let (folder, store) = store_with(&[LifeEvent::Paused]);
    let mut client = start(&store);
    let pid = pid(&mut client);
    drop(client);
    std::thread::sleep(Duration::from_secs(1));
    let before = ticks(pid);
    std::thread::sleep(REST);
    println!("at rest: {} ticks of 10 ms in {} s, {:.1} MiB", ticks(pid) - before, REST.as_secs(), megabytes(pid));

    let mut times: Vec<f64> = (0..9).map(|n| add(folder.path(), n)).collect();
    println!("`finetop add` of one run: {:.0} ms", 1000.0 * median(&mut times));
    println!("after that: {:.1} MiB", megabytes(pid));
    stop(&store);
}

/// Seconds that the command line takes to add one run that is kept back.
fn add(folder: &Path, n: usize) -> f64 {
    let data = folder.join("data");
    for class in ["a", "b"] {
        std::fs::create_dir_all(data.join(class)).unwrap();
    }
    let text = format!(
        "name: added{n}\ndata: {{ train: data, val_split: 0.2 }}\nmodel: {{ backbone: squeezenet1_1, weights: random }}\n"
    );
    let file = folder.join("added.yaml");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_finetop"));
    command.args([
        "add".as_ref(),
        "--paused".as_ref(),
        "--store".as_ref(),
        folder.join("runs").as_os_str(),
        file.as_os_str(),
    ]);
    let watch = Instant::now();
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    watch.elapsed().as_secs_f64()
}

/// From a worker's last moment to the first one of the next.
fn from_end_to_start() {
    let (folder, store) = store_with(&[]);
    drop(start(&store));
    let times = folder.path().join("times");
    while lines(&times).len() < ENDS {
        std::thread::sleep(Duration::from_millis(100));
    }
    stop(&store);
    let moments = lines(&times);
    let mut gaps: Vec<f64> = moments.windows(2).map(|pair| (pair[1].0 - pair[0].1) as f64 / 1e6).collect();
    let median = median(&mut gaps);
    let most = gaps[gaps.len() * 9 / 10];
    println!("a worker ends → the next one starts: {median:.1} ms, nine of ten within {most:.1} ms");
}

fn lines(times: &PathBuf) -> Vec<(i128, i128)> {
    let text = std::fs::read_to_string(times).unwrap_or_default();
    let moments = |line: &str| line.split_once(' ').map(|(begin, end)| (begin.parse().unwrap(), end.parse().unwrap()));
    text.lines().filter_map(moments).collect()
}

fn stop(store: &Store) {
    if let Ok(Some(mut client)) = Client::connect(store) {
        client.request(&Request::Stop { now: true }).unwrap();
    }
    assert!(finetop::runner::client::wait_until_gone(store, Duration::from_secs(60)));
    let runs: Vec<RunDir> = store.runs().unwrap();
    assert!(runs.len() >= QUEUED);
}

/// Clock ticks of a process, in user and in system mode.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// Resident memory of a process.
fn megabytes(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
