//! How long a frame of the curves takes, and how much of it is allocated: a batch that arrives live on charts of
//! 100,000
//! steps, and one of 1,000,000.
//!
//! `cargo bench --bench dashboard_charts`

#![allow(clippy::disallowed_methods)] // a stopwatch of a measurement is not the program's clock

use std::alloc::{GlobalAlloc, Layout};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use finetop::base::clock::Timestamp;
use finetop::base::id::RunId;
use finetop::record::event::{Callbacks, Epoch, Event, Line, Parameters, PhasePlan, PhaseStarted, RunStarted, Step};
use finetop::record::state::RunState;
use finetop::record::summary::Row;
use finetop::tui::action::News;
use finetop::tui::app::App;
use finetop::tui::layout::Focus;
use finetop::tui::pane::curves;
use finetop::tui::runs::Delta;
use finetop::tui::theme::palette::Palette;
use finetop::tui::theme::{Colors, Theme};
use finetop::tui::update::hear;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

/// The binary's allocator, which counts.
struct Counting(mimalloc::MiMalloc);

static BYTES: AtomicUsize = AtomicUsize::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: what is asked of it is asked of the allocator below.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { self.0.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting(mimalloc::MiMalloc);

/// Steps of an epoch.
const EPOCH: u32 = 1_000;
/// Steps that arrive between two frames.
const BATCH: u32 = 10;
const THEME: Theme = Theme { colors: Colors::True, ascii: false, palette: Palette::Dark };

fn main() {
    for steps in [1_000, 100_000, 1_000_000] {
        let mut run = started();
        (0..steps).for_each(|n| step(&mut run, n));
        let mut app = App::new(Size::new(200, 60), None);
        app.screen.focus = Focus::Run;
        // Four charts: loss, accuracy, learning rate and speed.
        app.curves.look.hidden.clear();
        show(&mut app, &run);
        let mut buf = Buffer::empty(Rect::new(0, 0, 200, 60));
        measured(&format!("{steps} steps, four charts on 200×60: a frame"), || draw(&app, &mut buf));
        let mut next = steps;
        measured(&format!("{steps} steps, four charts on 200×60: {BATCH} steps arrive, a frame"), || {
            (next..next + BATCH).for_each(|n| step(&mut run, n));
            next += BATCH;
            show(&mut app, &run);
            draw(&app, &mut buf);
        });
        app.curves.look.smoothing = app.curves.look.smoothing.next();
        measured(&format!("{steps} steps, four charts on 200×60: a frame, smoothed"), || draw(&app, &mut buf));
    }
}

fn draw(app: &App, buf: &mut Buffer) {
    buf.reset();
    curves::draw(&THEME, buf.area, buf, app, true);
}

fn show(app: &mut App, run: &RunState) {
    let rows = vec![Arc::new(Row::new(run, Path::new("/store")))];
    let delta = Delta { rows, whole: vec![Arc::new(run.clone())], ..Delta::default() };
    hear(app, News::Runs(delta));
}

fn started() -> RunState {
    let mut run = RunState::new(RunId(1), "bench".into());
    take(
        &mut run,
        0,
        Event::RunStarted(RunStarted {
            attempt: 1,
            version: "0".into(),
            host: "here".into(),
            device: "cpu".into(),
            threads: 1,
            seed: 1,
            classes: vec!["one".into()],
            train_samples: 100,
            val_samples: 10,
            parameters: Parameters { total: 1, trainable: 1 },
            phases: vec![PhasePlan { name: "all".into(), epochs: 1_200 }],
            resumed_from: None,
        }),
    );
    take(
        &mut run,
        0,
        Event::PhaseStarted(PhaseStarted {
            phase: "all".into(),
            index: 0,
            epochs: 1_200,
            trainable: Vec::new(),
            trainable_parameters: 1,
            optimizer: "adam".into(),
            lr: 1e-3,
        }),
    );
    run
}

fn step(run: &mut RunState, n: u32) {
    let loss = 1.0 / (1.0 + f64::from(n) * 1e-4) + 0.1 * f64::from(n.wrapping_mul(37) % 101) / 101.0;
    take(
        run,
        n + 1,
        Event::Step(Step {
            phase: "all".into(),
            epoch: n / EPOCH + 1,
            step: n % EPOCH + 1,
            steps: EPOCH,
            loss,
            accuracy: 1.0 - loss / 2.0,
            lr: 1e-3 / (1.0 + f64::from(n) * 1e-5),
            samples_per_s: 300.0 + f64::from(n % 17),
        }),
    );
    if n % EPOCH == EPOCH - 1 {
        epoch(run, n);
    }
}

/// The end of an epoch.
fn epoch(run: &mut RunState, n: u32) {
    let loss = 1.0 / (1.0 + f64::from(n) * 1e-4);
    let end = Epoch {
        phase: "all".into(),
        epoch: n / EPOCH + 1,
        phase_epoch: n / EPOCH + 1,
        phase_epochs: 1_200,
        lr: 1e-3,
        loss,
        accuracy: 1.0 - loss / 2.0,
        val_loss: loss * 1.1,
        val_accuracy: 1.0 - loss / 1.9,
        seconds: 100.0,
        samples_per_s: 310.0,
        callbacks: Callbacks::default(),
        metrics: Default::default(),
    };
    take(run, n + 1, Event::Epoch(end));
}

fn take(run: &mut RunState, n: u32, event: Event) {
    let time = Timestamp::from_millis(1_764_063_667_000 + 100 * i64::from(n));
    run.training.take(Line { seq: u64::from(n), time, event });
}

/// The median of many times, and what is allocated each time.
fn measured(what: &str, mut act: impl FnMut()) {
    const TIMES: usize = 200;
    act();
    let before = BYTES.load(Ordering::Relaxed);
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            let start = Instant::now();
            act();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    let bytes = (BYTES.load(Ordering::Relaxed) - before) / TIMES;
    times.sort_by(f64::total_cmp);
    println!("{:>7.3} ms  {:>7} bytes  {what}", times[TIMES / 2], bytes);
}
