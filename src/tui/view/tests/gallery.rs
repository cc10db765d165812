//! Every pane, and whatever lies over the panes: at four sizes, with ASCII alone, and in which styles with true colour, 256
//! colours, sixteen and none. A file each, so that a change of its look is seen in one place.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use crate::record::event::{Confusion, Event, Sample, SampleKind, Samples};
use crate::record::life::{ExecutorKind, LifeEvent, ProcessId};
use crate::tui::action::{Effect, News};
use crate::tui::app::App;
use crate::tui::fixtures::{self, Recording, UNICODE, frame, press};
use crate::tui::job::Job;
use crate::tui::library::{Check, Preview, Verdict};
use crate::tui::meters::{Host, Rates, Reading, Worker};
use crate::tui::pane;
use crate::tui::runs::Delta;
use crate::tui::theme::{Colors, Theme};
use crate::tui::update::hear;

const SIZES: [(u16, u16); 4] = [(200, 60), (120, 40), (80, 24), (60, 15)];

/// The size at which letters and colours are looked at.
const SMALL: (u16, u16) = (80, 24);

/// What is shown, and the keys that lead there; at a bar what was asked for has been answered.
const SHOWN: [(&str, &str); 16] = [
    ("queue", "jj j"),
    ("curves", "<Tab>"),
    ("compare", "GC"),
    ("values", "GC|v"),
    ("events", "1j"),
    ("log", "2"),
    ("config", "3"),
    ("results", "j4"),
    ("misclassified", "j4]"),
    ("system", "5"),
    ("add", "a"),
    ("sort", "sj"),
    ("question", "c"),
    ("palette", ":show"),
    ("help", "?"),
    ("notices", "N"),
];

#[test]
fn gallery() {
    let folder = tempfile::tempdir().unwrap();
    for (name, keys) in SHOWN {
        let mut pictures = String::new();
        for size in SIZES {
            let (app, area) = shown(size, keys, folder.path());
            pictures += &titled(size, "", &letters(&frame(&app, &UNICODE), area));
        }
        let (app, area) = shown(SMALL, keys, folder.path());
        let ascii = letters(&frame(&app, &Theme { ascii: true, ..UNICODE }), area);
        assert!(ascii.is_ascii(), "{ascii}");
        pictures += &titled(SMALL, ", ASCII", &ascii);
        pictures += &titled(SMALL, ", styles", &styles(&app, area));
        insta::assert_snapshot!(format!("gallery_{name}"), pictures);
    }
}

fn titled((width, height): (u16, u16), what: &str, picture: &str) -> String {
    format!("{width}×{height}{what}\n{picture}\n")
}

/// A dashboard after these keys, and where what they lead to is.
fn shown(size: (u16, u16), keys: &str, folder: &Path) -> (App, Rect) {
    let mut app = fixtures::app(size, runs(folder));
    hear(&mut app, News::Runs(Delta { gone: vec![], ..fixtures::delta([failed()]) }));
    for keys in keys.split('|') {
        let mut effects = press(&mut app, keys);
        while let Some(effect) = effects.pop() {
            effects.extend(answer(&mut app, effect));
        }
    }
    if keys.starts_with('2') {
        pane::log::tests::say(&mut app, LOG);
        press(&mut app, "/epoch<Enter><Esc>");
    }
    (1..=9).for_each(|n| drop(hear(&mut app, News::Meters(reading(n)))));
    let area = match (&app.overlay, app.layout().area(app.screen.focus)) {
        (None, Some(area)) => area,
        _ => thick(&frame(&app, &UNICODE)),
    };
    (app, area)
}

const LOG: &str = "2025-11-25T09:41:07.120Z  start   3 classes, 488 training and 164 validation samples, on cpu with 2 threads\n\
    \x1b[33mwarning\x1b[0m: 🍎 a picture that is wider than it is high was cut on both of its sides, as if nothing were there\n\
    10%\r50%\r100% done\n2025-11-25T09:41:58.120Z  epoch   epoch 1  loss .7012  val_loss .2398\n";

/// What a thread would answer.
fn answer(app: &mut App, effect: Effect) -> Vec<Effect> {
    let news = match effect {
        Effect::Do(Job::Compare(asked)) => News::Compared(Box::new(asked.compare())),
        Effect::Do(Job::Config(id)) => {
            let texts = pane::config::Texts::of(RESOLVED, TYPED);
            News::Config(pane::config::News { id, texts: Ok(texts) })
        }
        Effect::Do(Job::List) => News::Experiments(["bert.yaml", "experiments/emoji.yaml"].map(Into::into).to_vec()),
        Effect::Do(Job::Check(draft)) => {
            let runs = ["lr-1e-3", "lr-1e-4"].map(|lr| format!("bert-{lr}")).to_vec();
            let about = ["bert, bert-base, up to 64 tokens, batches of 32", "head: 20 epochs, lr 1.0e-3"];
            let notes = vec!["train.early_stopping waits for longer than the phase".to_owned()];
            let about = about.map(str::to_owned).to_vec();
            let preview = Preview { runs, about, notes, ..Preview::default() };
            News::Checked(draft, Check { text: TYPED.into(), verdict: Verdict::Good(preview) })
        }
        _ => return Vec::new(),
    };
    hear(app, news)
}

const TYPED: &str = "name: emoji\ndata: { train: emoji/train, image_size: 160 }   # pixels\n";
const RESOLVED: &str = "name: emoji\nseed: 42\ndata:\n  train: /data/emoji/train\n  image_size: 160\nmodel:\n  \
    backbone: squeezenet1_1\ntrain:\n  batch_size: 32\n  phases:\n  - name: head\n    epochs: 10\n    optimizer:\n      \
    adam:\n        lr: 0.001\n";

/// The store of the fixtures, with a sweep; the run that is shown has results, and lives here.
fn runs(folder: &Path) -> Delta {
    let mut store = fixtures::store();
    let mut live = Recording::training(19, "emoji-🍎-squeezenet");
    let process = ProcessId { pid: 42, start_ticks: 7, boot_id: "b".into() };
    live.life(LifeEvent::Started {
        attempt: 1,
        executor: ExecutorKind::Local,
        process: Some(process),
        job_id: None,
        host: "lab".into(),
        gpu: None,
    });
    live.epochs(1..=9).best(9, 0.2398).lr_drop(9).phase(1, "fine_tune", 8, 1e-4).epochs(10..=11).step(12, 2, 0.2);
    let counts = vec![vec![50, 2, 2], vec![1, 48, 6], vec![0, 3, 52]];
    live.event(Event::Confusion(Confusion { epoch: 11, counts }));
    let items =
        [("food", "transport", 0.93), ("animals", "food", 0.61)].map(|(label, predicted, probability)| Sample {
            source: format!("val/{label}.csv:7"),
            label: label.into(),
            predicted: Some(predicted.into()),
            probability: Some(probability),
            image: None,
            text: Some("the bread that is made of the apples of last year, and that nobody has bought so far".into()),
        });
    live.event(Event::Samples(Samples { epoch: 11, kind: SampleKind::Misclassified, items: items.to_vec() }));
    let sweep = [(7, 1e-2, 0.41), (8, 1e-3, 0.26), (9, 1e-4, 0.33)].map(|(id, lr, best)| {
        let mut run = Recording::training(id, &format!("lr-{lr}"));
        run.group("rates").epochs(1..=8).best(8, best).finished(crate::record::event::FinishReason::Completed, 8);
        let path = folder.join(format!("{id:04}-lr-{lr}"));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("resolved.yaml"), format!("name: lr-{lr}\ntrain: {{ lr: {lr} }}\n")).unwrap();
        run.run()
    });
    let more = fixtures::delta(sweep.into_iter().chain([live.run()]));
    store.rows.extend(more.rows);
    store.whole.extend(more.whole);
    for row in &mut store.rows {
        let row = Arc::make_mut(row);
        row.place.path = folder.join(format!("{}-{}", row.id, row.name));
    }
    store
}

/// A run that has failed since the dashboard was opened.
fn failed() -> crate::record::state::RunState {
    let mut run = Recording::queued(16, "resnet18-lr3e-4");
    run.failed(crate::record::life::Cause::OutOfMemory, "the batch needs 3.2 GiB", "use a smaller batch");
    run.run()
}

/// The `n`-th reading of a machine that gets busier.
fn reading(n: u32) -> Reading {
    Reading {
        cpu: 20 * n,
        memory_used: u64::from(n) << 30,
        memory_total: 16 << 30,
        host: Host {
            cores: vec![10 * n, 10 * n, 0, 100],
            load: Some([1.5, 0.25, 0.0]),
            swap_used: 0,
            swap_total: 2 << 30,
            space: Some((5 << 30, 100 << 30)),
            disk: Some(Rates { read: f64::from(n) * 1e6, written: 300.0 }),
            network: None,
        },
        workers: vec![Worker { cpu: 18 * n, ..Worker::idle(crate::base::id::RunId(19), "emoji-🍎".into()) }],
        gpus: Vec::new(),
    }
}

/// Where the frame with thick lines is: that of what lies over the panes.
fn thick(buf: &Buffer) -> Rect {
    let corner = |symbol: &str| buf.area.positions().find(|&position| buf[position].symbol() == symbol).unwrap();
    let (from, to) = (corner("┏"), corner("┛"));
    Rect { x: from.x, y: from.y, width: to.x - from.x + 1, height: to.y - from.y + 1 }
}

/// The letters of a part of a frame.
fn letters(buf: &Buffer, area: Rect) -> String {
    let is_wide = |x: u16, y: u16| crate::base::text::width(buf[(x, y)].symbol()) > 1;
    // What is behind the first half of a wide letter is the other half.
    let symbol = |x: u16, y: u16| if x > area.x && is_wide(x - 1, y) { "" } else { buf[(x, y)].symbol() };
    rows(area, |x, y| symbol(x, y).to_owned())
}

fn rows(area: Rect, cell: impl Fn(u16, u16) -> String) -> String {
    let row = |y| (area.left()..area.right()).map(|x| cell(x, y)).collect::<String>();
    (area.top()..area.bottom()).map(|y| format!("{}\n", row(y).trim_end())).collect()
}

/// Which letters have which style: each style has a letter, and below stands what it is with each kind of colours.
fn styles(app: &App, area: Rect) -> String {
    const KINDS: [Colors; 4] = [Colors::True, Colors::Indexed, Colors::Sixteen, Colors::None];
    let frames = KINDS.map(|colors| frame(app, &Theme { colors, ..UNICODE }));
    let style = |x: u16, y: u16| frames.each_ref().map(|buf| words(buf, x, y));
    let mut all: BTreeMap<[String; 4], char> = BTreeMap::new();
    let is_blank = |x: u16, y: u16| {
        frames.iter().all(|buf| {
            let cell = &buf[(x, y)];
            cell.symbol() == " " && cell.bg == Color::Reset && !cell.modifier.contains(Modifier::REVERSED)
        })
    };
    for position in area.positions().filter(|position| !is_blank(position.x, position.y)) {
        let next = char::from_u32('a' as u32 + all.len() as u32).unwrap();
        all.entry(style(position.x, position.y)).or_insert(next);
    }
    let map = rows(area, |x, y| match is_blank(x, y) {
        true => " ".to_owned(),
        false => all[&style(x, y)].to_string(),
    });
    let mut legend: Vec<(char, [String; 4])> = all.into_iter().map(|(style, letter)| (letter, style)).collect();
    legend.sort();
    let line = |(letter, kinds): &(char, [String; 4])| format!("{letter}: {}\n", kinds.join(" | "));
    map + &legend.iter().map(line).collect::<String>()
}

/// The style of a cell in words.
fn words(buf: &Buffer, x: u16, y: u16) -> String {
    let cell = &buf[(x, y)];
    let named = |color: Color| color.to_string().to_lowercase();
    let mut words = vec![if cell.fg == Color::Reset { "plain".to_owned() } else { named(cell.fg) }];
    if cell.bg != Color::Reset {
        words.push(format!("on {}", named(cell.bg)));
    }
    words.extend(cell.modifier.iter_names().map(|(name, _)| name.to_lowercase()));
    words.join(" ")
}
