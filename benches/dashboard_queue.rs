//! How long the table of 10,000 runs takes to scroll, to draw, to take a change and to filter.
//!
//! `cargo bench --bench dashboard_queue`

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use finetop::base::id::RunId;
use finetop::record::event::Best;
use finetop::record::state::{RunState, Status};
use finetop::record::summary::Row;
use finetop::tui::action::{Action, Motion, News};
use finetop::tui::app::App;
use finetop::tui::pane;
use finetop::tui::runs::Delta;
use finetop::tui::runs::sort::{Column, Sort};
use finetop::tui::theme::palette::Palette;
use finetop::tui::theme::{Colors, Theme};
use finetop::tui::update::{hear, update};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

/// As the binary's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: u32 = 10_000;
const AREA: Rect = Rect { x: 0, y: 1, width: 200, height: 58 };
const THEME: Theme = Theme { colors: Colors::True, ascii: false, palette: Palette::Dark };

fn main() {
    let rows: Vec<Arc<Row>> = (1..=RUNS).map(|id| Arc::new(row(id, 0.0))).collect();
    let mut app = App::new(Size::new(200, 60), None);
    measure("10,000 runs are heard of", 5, |_| {
        app = App::new(Size::new(200, 60), None);
        app.screen.zoomed = true;
        hear(&mut app, News::Runs(Delta { rows: rows.clone(), ..Delta::default() }));
    });
    measure("a page is scrolled and drawn", 150, |n| {
        update(&mut app, Action::Go(if n < 100 { Motion::PageDown } else { Motion::PageUp }));
        draw(&app);
    });
    measure("one row down, drawn", 150, |_| {
        update(&mut app, Action::Go(Motion::Down));
        draw(&app);
    });
    for (what, sort) in [("in the order of the queue", Column::Queue), ("sorted by the best", Column::Best)] {
        app.runs.set_sort(Sort::by(sort));
        measure(&format!("a row's change, {what}, is taken and drawn"), 150, |n| {
            let rows = vec![Arc::new(row(RUNS, f64::from(n)))];
            hear(&mut app, News::Runs(Delta { rows, ..Delta::default() }));
            draw(&app);
        });
    }
    measure("another order is asked for", 30, |n| {
        app.runs.set_sort(Sort::by(if n % 2 == 0 { Column::Name } else { Column::Ended }));
    });
    app.runs.set_sort(Sort::default());
    for filter in ["r", "resnet-lr", "rsntlr", "state:finished best.val_loss<0.3"] {
        measure(&format!("the filter {filter} is typed"), 30, |_| {
            app.runs.set_filter(String::new());
            app.runs.set_filter(filter.to_owned());
        });
    }
}

/// A run of a store as it grows: most are over, in groups of twenty; some wait, and a few are live.
fn row(id: u32, value: f64) -> Row {
    let mut run = RunState::new(RunId(id), format!("resnet18-lr={}e-4-seed={}", id % 97, id % 13));
    run.life.status = match id {
        9_991.. => Status::Starting,
        9_001.. => Status::Queued,
        _ if id.is_multiple_of(19) => Status::Failed,
        _ => Status::Finished,
    };
    run.life.group = (!id.is_multiple_of(3)).then(|| format!("sweep-{}", id / 20));
    let value = 0.2 + f64::from(id % 641) / 1000.0 + value / 1e6;
    run.training.best = (id <= 9_000 || id > 9_990).then(|| Best { epoch: 3, monitor: "val_loss".into(), value });
    Row::new(&run, Path::new("runs"))
}

fn draw(app: &App) {
    let mut buf = Buffer::empty(Rect::new(0, 0, 200, 60));
    pane::queue::draw(&THEME, AREA, &mut buf, app, true);
    std::hint::black_box(buf);
}

/// Says how long it takes, in the middle and at the 95th percentile.
fn measure(what: &str, rounds: u32, mut once: impl FnMut(u32)) {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|round| {
            let start = Instant::now();
            once(round);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
    println!("{what:<70} {:>8.3} ms, {:>8.3} ms at the 95th percentile", at(50), at(95));
}
