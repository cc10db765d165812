//! What goes on beside the dashboard while it is measured.

use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use finetop::record::event::Event;
use finetop::record::{RunDir, Writer};

use crate::stores::{self, Result};

/// Steps of an epoch: ten seconds.
const EPOCH: u32 = 100;
/// Epochs that were trained before.
const TRAINED: u32 = 20;
const STEP: Duration = Duration::from_millis(100);
/// The argument with which this program is only busy.
pub const SPIN: &str = "spin";
/// As the runner starts its workers.
const NICENESS: i32 = 5;

/// A run whose lines a thread writes, until it is dropped.
pub struct Live {
    stop: Arc<AtomicBool>,
    writing: Option<JoinHandle<()>>,
}

impl Live {
    pub fn start(dir: &RunDir) -> Result<Live> {
        stores::start(dir)?;
        let mut writer = Writer::open(&dir.events())?;
        writer.write_all_unsynced(stores::begin(1000))?;
        (0..TRAINED * EPOCH).try_for_each(|n| writer.write_all_unsynced(lines(n)))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let writing = std::thread::spawn(move || {
            let began = Instant::now();
            for n in 0.. {
                std::thread::sleep((STEP * n).saturating_sub(began.elapsed()));
                if stopped.load(Ordering::Relaxed) || writer.write_all_unsynced(lines(TRAINED * EPOCH + n)).is_err() {
                    return;
                }
            }
        });
        Ok(Live { stop, writing: Some(writing) })
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.writing.take().map(JoinHandle::join);
    }
}

/// What a worker writes after a step.
fn lines(n: u32) -> Vec<Event> {
    let step = Event::Step(stores::step(n, EPOCH));
    let end = (n % EPOCH == EPOCH - 1).then(|| stores::epoch(n / EPOCH + 1));
    std::iter::once(step).chain(end.into_iter().flatten()).collect()
}

/// Processes that use all cores, until they are dropped.
pub struct Busy(Vec<Child>);

impl Busy {
    pub fn start(count: usize) -> Result<Busy> {
        let mut busy = Busy(Vec::new());
        for _ in 0..count {
            busy.0.push(Command::new(std::env::current_exe()?).arg(SPIN).spawn()?);
        }
        Ok(busy)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill().and_then(|()| child.wait());
        }
    }
}

/// Works for nothing.
pub fn spin() -> ! {
    let _ = rustix::process::setpriority_process(None, NICENESS);
    loop {
        std::hint::black_box(0);
    }
}
