use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::draw;
use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::record::state::RunState;
use crate::tui::action::News;
use crate::tui::app::{App, Measure, Notice, Overlay, Picker, Tab};
use crate::tui::fixtures;
use crate::tui::layout::Focus;
use crate::tui::library::Check;
use crate::tui::meters::Reading;
use crate::tui::runs::AllRuns;
use crate::tui::theme::{Colors, Theme};
use crate::tui::update::hear;

const UNICODE: Theme = Theme { colors: Colors::True, ascii: false };
const ASCII: Theme = Theme { colors: Colors::None, ascii: true };
const SIZES: [(u16, u16); 5] = [(200, 60), (120, 40), (80, 24), (60, 15), (50, 10)];

fn app(size: (u16, u16), runs: AllRuns) -> App {
    let mut app = App::new(Size::new(size.0, size.1), None);
    hear(&mut app, News::Runs(runs));
    let memory_total = 24 << 30;
    app.meters = Some(Reading { cpu: 187, memory_used: 2_254_857_830, memory_total });
    app.clock = Some(Timestamp::from_millis(1_764_063_667_000 + 600_000));
    app
}

fn one(run: RunState) -> AllRuns {
    AllRuns::from([(run.id, Arc::new(run))])
}

fn frame(app: &App, theme: &Theme) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, app.screen.size.width, app.screen.size.height));
    draw(app, theme, &mut buf);
    buf
}

fn text(buf: &Buffer) -> String {
    let row = |y| (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect::<String>();
    (0..buf.area.height).map(|y| format!("{}\n", row(y).trim_end())).collect()
}

#[test]
fn frames_at_every_size() {
    for (width, height) in SIZES {
        let app = app((width, height), fixtures::store());
        insta::assert_snapshot!(format!("frame_{width}x{height}"), text(&frame(&app, &UNICODE)));
    }
    let app = app((80, 24), fixtures::store());
    let ascii = text(&frame(&app, &ASCII));
    assert!(ascii.is_ascii(), "{ascii}");
    insta::assert_snapshot!("frame_80x24_ascii", ascii);
}

/// One place on the whole screen.
fn zoomed(size: (u16, u16), focus: Focus, run: u32) -> App {
    let mut app = app(size, fixtures::store());
    app.screen.focus = focus;
    app.screen.zoomed = true;
    app.runs.choose(RunId(run));
    app
}

#[test]
fn panes_at_three_sizes() {
    for (width, height) in [(120, 30), (80, 22), (40, 10)] {
        for (name, focus, run) in [
            ("queue", Focus::Queue, 15),
            ("run_running", Focus::Run, 15),
            ("run_queued", Focus::Run, 16),
            ("run_finished", Focus::Run, 14),
            ("run_early", Focus::Run, 13),
            ("run_failed", Focus::Run, 12),
            ("run_cancelled", Focus::Run, 11),
            ("events", Focus::Bottom, 13),
        ] {
            let app = zoomed((width, height), focus, run);
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), text(&frame(&app, &UNICODE)));
        }
        let mut app = zoomed((width, height), Focus::Bottom, 15);
        app.bottom.tab = Tab::Log;
        app.bottom.log = Some((RunId(15), Arc::new((0..50).map(|n| format!("line {n} of the log")).collect())));
        app.bottom.scroll = 3;
        insta::assert_snapshot!(format!("log_{width}x{height}"), text(&frame(&app, &UNICODE)));
    }
}

fn picker() -> Picker {
    let files =
        ["experiments/emoji.yaml", "experiments/emoji-overfit.yaml", "mistaken.yaml"].map(PathBuf::from).to_vec();
    let good = Check::Good(vec!["emoji, 160 pixels, batches of 32".into(), "head: 20 epochs, lr 1.0e-3".into()]);
    let bad =
        Check::Mistaken(vec!["line 10: there is no key `batchsize`".into(), "  did you mean `batch_size`?".into()]);
    Picker { checks: [(files[0].clone(), good), (files[2].clone(), bad)].into(), files: Some(files), place: 2 }
}

#[test]
fn what_lies_over_the_panes_at_three_sizes() {
    for (width, height) in [(120, 40), (80, 24), (60, 15)] {
        let overlays = [
            ("help", Overlay::Help(0)),
            ("help_scrolled", Overlay::Help(1000)),
            ("picker", Overlay::Picker(picker())),
            ("question", Overlay::Cancel(RunId(15))),
            ("filter", Overlay::Filter),
        ];
        for (name, overlay) in overlays {
            let mut app = app((width, height), fixtures::store());
            if name == "filter" {
                app.runs.set_filter("state:f".into());
            }
            app.overlay = Some(overlay);
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), text(&frame(&app, &UNICODE)));
        }
    }
}

#[test]
fn runs_of_the_odd_kinds() {
    for (name, run) in [
        ("stage", fixtures::in_a_stage()),
        ("one_epoch", fixtures::odd(31, &[1.0])),
        ("equal_values", fixtures::odd(32, &[0.5, 0.5, 0.5])),
        ("all_nan", fixtures::odd(33, &[f64::NAN, f64::NAN])),
        ("hostile", fixtures::hostile()),
    ] {
        insta::assert_snapshot!(name, text(&frame(&app((100, 30), one(run)), &UNICODE)));
    }
    insta::assert_snapshot!("empty_store", text(&frame(&app((100, 30), AllRuns::new()), &UNICODE)));
}

#[test]
fn nothing_from_a_record_is_obeyed() {
    let id = fixtures::hostile().id;
    for focus in [Focus::Queue, Focus::Run, Focus::Bottom] {
        for tab in [Tab::Events, Tab::Log] {
            let mut app = app((120, 40), one(fixtures::hostile()));
            app.screen.focus = focus;
            app.bottom.tab = tab;
            app.bottom.log = Some((id, Arc::new(vec!["a\x1b[2Jb\x07\u{9b}1m".into()])));
            app.notice = Some(Notice::Wrong("x\x1b[31m".into()));
            app.overlay = (focus == Focus::Run).then_some(Overlay::Cancel(id));
            let buf = frame(&app, &UNICODE);
            assert!(buf.content().iter().all(|cell| !cell.symbol().contains(char::is_control)));
        }
    }
}

#[test]
fn the_chosen_row_is_seen_without_colour() {
    let buf = frame(&app((80, 24), fixtures::store()), &ASCII);
    let reversed = |y: u16| buf[(3, y)].modifier.contains(ratatui::style::Modifier::REVERSED);
    assert!(reversed(2) && !reversed(3));
}

fn overlays() -> impl Strategy<Value = Option<Overlay>> {
    prop_oneof![
        Just(None),
        Just(Some(Overlay::Filter)),
        Just(Some(Overlay::Picker(Picker::default()))),
        Just(Some(Overlay::Picker(picker()))),
        (0u32..20).prop_map(|id| Some(Overlay::Cancel(RunId(id)))),
        (0usize..100).prop_map(|scroll| Some(Overlay::Help(scroll))),
    ]
}

fn any_runs() -> impl Strategy<Value = AllRuns> {
    prop_oneof![
        Just(AllRuns::new()),
        Just(fixtures::store()),
        Just(one(fixtures::in_a_stage())),
        Just(one(fixtures::hostile())),
        prop::collection::vec(prop::num::f64::ANY, 0..6).prop_map(|values| one(fixtures::odd(3, &values))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_state_and_no_size_panics(
        size in (1u16..220, 1u16..70),
        runs in any_runs(),
        overlay in overlays(),
        focus in prop::sample::select(vec![Focus::Queue, Focus::Run, Focus::Bottom]),
        (zoomed, log, ascii, accuracy) in any::<(bool, bool, bool, bool)>(),
        (place, scroll) in (0usize..9, 0usize..90),
    ) {
        let mut app = app(size, runs);
        app.overlay = overlay;
        app.screen.focus = focus;
        app.screen.zoomed = zoomed;
        app.screen.chart = if accuracy { Measure::Accuracy } else { Measure::Loss };
        app.bottom.tab = if log { Tab::Log } else { Tab::Events };
        app.bottom.scroll = scroll;
        app.runs.go_to(place);
        if let Some(run) = app.runs.chosen() {
            app.bottom.log = Some((run.id, Arc::new(vec!["one".into(), "🍎".repeat(200)])));
        }
        frame(&app, if ascii { &ASCII } else { &UNICODE });
    }
}
