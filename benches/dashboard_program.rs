//! What a person at the dashboard waits for, and what the dashboard costs: the real program in a pseudo-terminal.
//!
//! `cargo bench --bench dashboard_program [PART…]`, where PART is one of `start`, `steps`, `rest`, `live`, `keys` and
//! `redraw`; all of them take about a minute and a half. Times are from a key, or the program's start, to the screen of
//! the terminal that reads it; processor time is that of all of the program's threads, as the kernel counts it.

#![allow(clippy::disallowed_methods)] // files of a measurement are not files of a store

#[path = "program/load.rs"]
mod load;
mod stores;
#[path = "../tests/terminal/mod.rs"]
mod terminal;

use std::path::Path;
use std::time::{Duration, Instant};

use finetop::record::life::{Cause, Exited, LifeEvent, Outcome};
use finetop::record::{RunDir, Store, Writer, listing};
use load::{Busy, Live};
use stores::Result;
use terminal::Terminal;

/// How long the dashboard is looked at where nothing is typed.
const WHILE: Duration = Duration::from_secs(20);
/// How often each thing is done.
const ROUNDS: usize = 9;

type Part = (&'static str, fn(&Path) -> Result<()>);
const PARTS: [Part; 6] =
    [("start", start), ("steps", steps), ("rest", rest), ("live", live), ("keys", keys), ("redraw", redraw)];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if arguments.first().is_some_and(|first| first == load::SPIN) {
        load::spin();
    }
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dashboard-program-bench-{}", std::process::id()));
    let wanted = PARTS.iter().filter(|(name, _)| arguments.is_empty() || arguments.iter().any(|a| a == name));
    println!("| what | figure | aim |\n|---|---|---|");
    let measured = wanted.into_iter().try_for_each(|(name, part)| part(&place.join(name)));
    std::fs::remove_dir_all(&place)?;
    measured
}

fn row(what: &str, figure: String, aim: &str) {
    println!("| {what} | {figure} | {aim} |");
}

/// The dashboard of a store, in a terminal that answers as most do.
fn open(store: &Store, size: (u16, u16)) -> Terminal {
    let none: [&str; 0] = [];
    let root = store.root().to_string_lossy();
    let folder = store.root().parent().unwrap_or(store.root());
    // What another one kept of how it was is not to be found.
    let _ = std::fs::remove_dir_all(folder.join(".state"));
    let terminal = Terminal::start(env!("CARGO_BIN_EXE_finetop"), &none, size, folder, &[("FINETOP_STORE", &root)]);
    terminal.answer();
    terminal
}

fn has_curve(screen: &str) -> bool {
    screen.chars().filter(|dot| ('\u{2801}'..='\u{28FF}').contains(dot)).count() > 8
}

/// Waits until it writes nothing more.
fn settle(terminal: &Terminal) {
    let (mut bytes, mut since) = (terminal.bytes(), Instant::now());
    while since.elapsed() < Duration::from_millis(300) {
        std::thread::sleep(Duration::from_millis(10));
        if terminal.bytes() != bytes {
            (bytes, since) = (terminal.bytes(), Instant::now());
        }
    }
}

/// Processor time of a process' threads that live.
fn processor(terminal: &Terminal) -> Result<Duration> {
    let mut all = 0;
    for thread in std::fs::read_dir(format!("/proc/{}/task", terminal.process_id()))? {
        // One that has ended meanwhile has none.
        let text = std::fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        all += text.split_whitespace().next().map_or(Ok(0), str::parse::<u64>)?;
    }
    Ok(Duration::from_nanos(all))
}

/// A line of `/proc/PID/status`, in MiB.
fn memory(terminal: &Terminal, line: &str) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{}/status", terminal.process_id()))?;
    let found = text.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':')).ok_or("it is told")?;
    Ok(found.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The value below which so many of a hundred are.
fn at(share: usize, values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) * share / 100]
}

fn middle_and_most(mut values: Vec<f64>) -> String {
    let (middle, most) = (at(50, &mut values), at(100, &mut values));
    format!("{middle:.0} ms, {most:.0} ms at most")
}

/// From the start to the first frame with the runs and the curves of the chosen one.
fn start(place: &Path) -> Result<()> {
    let stores = [
        ("1,000 runs of 1,000 epochs", 1_000, 1_000, "50 ms"),
        ("10,000 runs that are over", 10_000, 3, "300 ms, 60 MB"),
    ];
    for (what, count, epochs, aim) in stores {
        let store = Store::create(&place.join(count.to_string()).join("runs"))?;
        stores::finished(&store, count, epochs)?;
        listing::rows(&store)?;
        let (mut times, mut spent, mut kept, mut most) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let terminal = open(&store, (120, 40));
            terminal.wait_for(what, |screen| screen.contains(&format!("{count} done")) && has_curve(screen));
            times.push(ms(began.elapsed()));
            spent.push(ms(processor(&terminal)?));
            kept.push(memory(&terminal, "VmRSS")?);
            most.push(memory(&terminal, "VmHWM")?);
        }
        let memory = format!("{:.0} MiB, {:.0} MiB at most", at(50, &mut kept), at(50, &mut most));
        let spent = at(50, &mut spent);
        row(&format!("{what}: start to first whole frame"), middle_and_most(times), aim);
        row("the same, processor time and memory", format!("{spent:.0} ms, {memory}"), "");
        if count == 10_000 {
            page(&store)?;
        }
    }
    Ok(())
}

/// A page of ten thousand rows down, with what the newly chosen run has.
fn page(store: &Store) -> Result<()> {
    let mut terminal = open(store, (120, 40));
    terminal.wait_for("all runs", |screen| screen.contains("10000 done"));
    settle(&terminal);
    let mut times = Vec::new();
    for _ in 0..60 {
        times.push(ms(to_frame(&mut terminal, "\x06")));
        settle(&terminal);
    }
    let (middle, late) = (at(50, &mut times), at(95, &mut times));
    row("10,000 rows: a page down, key to screen", format!("{middle:.1} ms, {late:.1} ms at the 95th percentile"), "");
    Ok(())
}

/// From a key to the next frame, where nothing else is drawn.
fn to_frame(terminal: &mut Terminal, key: &str) -> Duration {
    let (before, began) = (terminal.frames(), Instant::now());
    terminal.type_keys(key);
    terminal.wait_for_frame(before);
    began.elapsed()
}

/// A run of a million steps: chosen, and then looked at.
fn steps(place: &Path) -> Result<()> {
    let store = Store::create(&place.join("runs"))?;
    let dirs = stores::runs(&store, 2)?;
    let [long, _] = &*dirs else { return Err("there are two runs".into()) };
    stores::start(long)?;
    stores::write_steps(long, 0, 1_000_000)?;
    over(long)?;
    let (mut times, mut spent, mut most) = (Vec::new(), Vec::new(), Vec::new());
    let mut frame = 0.0;
    for round in 0..ROUNDS {
        let mut terminal = open(&store, (120, 40));
        // The one that waits is chosen at first.
        terminal.wait_for("the runs", |screen| screen.contains("1 done"));
        settle(&terminal);
        let before = processor(&terminal)?;
        let began = Instant::now();
        terminal.type_keys("j");
        terminal.wait_for("its curves", has_curve);
        times.push(ms(began.elapsed()));
        spent.push(ms(processor(&terminal)?.saturating_sub(before)));
        most.push(memory(&terminal, "VmHWM")?);
        if round == 0 {
            settle(&terminal);
            terminal.type_keys("\t");
            settle(&terminal);
            let before = processor(&terminal)?;
            for n in 0..100 {
                to_frame(&mut terminal, if n % 2 == 0 { "+" } else { "-" });
            }
            frame = ms(processor(&terminal)?.saturating_sub(before)) / 100.0;
        }
    }
    row("a run of 1,000,000 steps: key to its curves", middle_and_most(times), "150 ms");
    let (spent, most) = (at(50, &mut spent), at(50, &mut most));
    row("the same, processor time and memory", format!("{spent:.0} ms, {most:.0} MiB at most"), "");
    row("then zoomed in or out: processor time of the whole program", format!("{frame:.2} ms"), "1 ms a frame");
    Ok(())
}

/// Ends a run.
fn over(dir: &RunDir) -> Result<()> {
    let (outcome, cause) = (Outcome::Finished, Cause::Completed);
    let exit = Exited { attempt: 1, outcome, cause, exit_code: Some(0), signal: None, message: None };
    Writer::open(&dir.run_log())?.write(LifeEvent::Exited(exit))?;
    // A reader finds its row there.
    Ok(finetop::record::summary::save(dir)?)
}

/// Nothing runs and nothing is typed.
fn rest(place: &Path) -> Result<()> {
    let open = |count: usize| -> Result<Terminal> {
        let store = Store::create(&place.join(count.to_string()).join("runs"))?;
        stores::finished(&store, count, 3)?;
        listing::rows(&store)?;
        let terminal = open(&store, (120, 40));
        terminal.wait_for("all runs", |screen| screen.contains(&format!("{count} done")) && has_curve(screen));
        Ok(terminal)
    };
    let terminals = [open(10)?, open(10_000)?];
    terminals.iter().for_each(settle);
    let before = [processor(&terminals[0])?, processor(&terminals[1])?];
    let bytes = terminals.each_ref().map(Terminal::bytes);
    std::thread::sleep(WHILE);
    for (n, what) in ["10 runs", "10,000 runs"].into_iter().enumerate() {
        let share = (processor(&terminals[n])?.saturating_sub(before[n])).as_secs_f64() / WHILE.as_secs_f64();
        let written = terminals[n].bytes() - bytes[n];
        let figure = format!("{written} bytes, {:.3} % of a core", 100.0 * share);
        row(&format!("{what}, none live, for {} s", WHILE.as_secs()), figure, "0 bytes, 0.1 %");
    }
    Ok(())
}

/// One run is live: a thread of this program writes the lines that a worker would, ten steps a second.
fn live(place: &Path) -> Result<()> {
    let (_live, store) = live_runs(place, 1)?;
    let terminal = open(&store, (120, 40));
    terminal.wait_for("a curve", has_curve);
    std::thread::sleep(Duration::from_secs(2));
    let (spent, bytes, frames) = (processor(&terminal)?, terminal.bytes(), terminal.frames());
    std::thread::sleep(WHILE);
    let seconds = WHILE.as_secs_f64();
    let share = processor(&terminal)?.saturating_sub(spent).as_secs_f64() / seconds;
    let (bytes, frames) = ((terminal.bytes() - bytes) as f64 / seconds, (terminal.frames() - frames) as f64 / seconds);
    let figure = format!("{:.2} kB/s, {frames:.1} frames/s, {:.2} % of a core", bytes / 1e3, 100.0 * share);
    row("one run live at 10 steps/s, 120×40", figure, "3 kB/s, 1 %");
    Ok(())
}

/// A store with so many live runs, which have trained for a while.
fn live_runs(place: &Path, count: usize) -> Result<(Vec<Live>, Store)> {
    let store = Store::create(&place.join("runs"))?;
    let live = stores::runs(&store, count)?.iter().map(Live::start).collect::<Result<_>>()?;
    Ok((live, store))
}

/// Keys, while three runs are live and three processes as nice as workers use all cores.
fn keys(place: &Path) -> Result<()> {
    let (_live, store) = live_runs(place, 3)?;
    let mut terminal = open(&store, (120, 40));
    terminal.wait_for("a curve", has_curve);
    let _busy = Busy::start(3)?;
    settle_for(Duration::from_secs(1));
    let mut down = Vec::new();
    for n in 0..150_u64 {
        let (key, run) = if n % 2 == 0 { ("j", "0002 ") } else { ("k", "0001 ") };
        down.push(shown(&mut terminal, key, |screen| title(screen).is_some_and(|title| title.contains(run))));
        settle_for(Duration::from_millis(20 + n * 7 % 40));
    }
    let mut tab = Vec::new();
    for n in 0..150_u64 {
        let corner = corners(&terminal.text());
        tab.push(shown(&mut terminal, "\t", |screen| corners(screen) != corner));
        settle_for(Duration::from_millis(20 + n * 7 % 40));
    }
    for (what, mut times) in [("j and k", down), ("Tab", tab)] {
        let (middle, late) = (at(50, &mut times), at(99, &mut times));
        let figure = format!("{middle:.1} ms, {late:.1} ms at the 99th percentile");
        row(&format!("{what}, key to screen while 3 processes use all cores"), figure, "30 ms");
    }
    Ok(())
}

fn settle_for(time: Duration) {
    std::thread::sleep(time);
}

/// From a key to a screen that shows what it did.
fn shown(terminal: &mut Terminal, key: &str, is_done: impl Fn(&str) -> bool) -> f64 {
    let began = Instant::now();
    terminal.type_keys(key);
    terminal.wait_for(key, is_done);
    ms(began.elapsed())
}

/// The second row, where the panes have their titles.
fn title(screen: &str) -> Option<&str> {
    screen.lines().nth(1)?.rsplit(['┌', '┏']).next()
}

/// Where the panes have which corners: the one that the keys are for has others.
fn corners(screen: &str) -> Vec<char> {
    screen.chars().filter(|letter| ['┌', '┏'].contains(letter)).collect()
}

/// All panes are drawn anew, and all of the screen is written.
fn redraw(place: &Path) -> Result<()> {
    const TIMES: u32 = 100;
    let store = Store::create(&place.join("runs"))?;
    stores::finished(&store, 100, 100)?;
    let mut terminal = open(&store, (200, 60));
    terminal.wait_for("a curve", has_curve);
    settle(&terminal);
    let (before, bytes) = (processor(&terminal)?, terminal.bytes());
    let mut times: Vec<f64> = (0..TIMES).map(|_| ms(to_frame(&mut terminal, "\x0c"))).collect();
    let spent = ms(processor(&terminal)?.saturating_sub(before)) / f64::from(TIMES);
    let each = (terminal.bytes() - bytes) / u64::from(TIMES);
    let figure = format!("{spent:.2} ms, {each} bytes, {:.0} ms from key to screen", at(50, &mut times));
    row("all panes anew on 200×60: processor time of the whole program", figure, "2 ms");
    Ok(())
}
