use super::*;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use ratatui::layout::Size;

use crate::base::id::RunId;
use crate::record::event::{Event, Sample, SampleKind, Samples};
use crate::record::summary;
use crate::tui::action::News;
use crate::tui::fixtures::{self, ASCII, Recording, UNICODE, press, text};
use crate::tui::picture::Protocol;
use crate::tui::probe::Answer;
use crate::tui::runs::Delta;
use crate::tui::theme::Colors;
use crate::tui::update::hear;

const NONE: Theme = Theme { colors: Colors::None, ascii: false, ..crate::tui::fixtures::UNICODE };

fn wrong(label: &str, predicted: &str, probability: f64, image: Option<&str>) -> Sample {
    Sample {
        source: format!("val/{label}/1f34e.png"),
        label: label.into(),
        predicted: Some(predicted.into()),
        probability: Some(probability),
        image: image.map(Into::into),
        text: None,
    }
}

/// A run that finished an epoch and got these samples wrong.
fn run(misclassified: Vec<Sample>) -> Recording {
    let mut run = Recording::training(15, "emoji-squeezenet");
    run.epochs(1..=2);
    let counts = vec![vec![50, 2, 2], vec![1, 48, 6], vec![0, 3, 52]];
    run.event(Event::Confusion(Confusion { epoch: 2, counts }));
    run.event(Event::Samples(Samples { epoch: 2, kind: SampleKind::Misclassified, items: misclassified }));
    run
}

fn pictures() -> Vec<Sample> {
    vec![
        wrong("food", "transport", 0.93, Some("samples/misclassified-0-00.png")),
        wrong("food", "transport", 0.71, Some("samples/misclassified-0-01.png")),
        wrong("transport", "food", 0.5, Some("samples/misclassified-0-02.png")),
    ]
}

/// A dashboard with that run in `folder`, its results zoomed.
fn app(size: (u16, u16), run: &Recording, folder: &Path) -> App {
    let run = Arc::new(run.run());
    let rows = vec![Arc::new(summary::Row::new(&run, folder))];
    let mut app = fixtures::app(size, Delta { rows, whole: vec![run], ..Delta::default() });
    press(&mut app, "4z");
    app
}

fn drawn(app: &App, theme: &Theme) -> Buffer {
    let area = Rect::new(0, 0, app.screen.size.width, app.screen.size.height);
    let mut buf = Buffer::empty(area);
    draw(theme, app.layout().bottom.unwrap_or_default(), &mut buf, app, true);
    buf
}

/// Writes the pictures of [`pictures`] into `folder`.
fn write(folder: &Path) {
    std::fs::create_dir_all(folder.join("samples")).unwrap();
    for (n, sample) in pictures().iter().enumerate() {
        let colour = |x: u32, y: u32| image::Rgb([(x * 10) as u8, (y * 10) as u8, 90 * n as u8]);
        image::RgbImage::from_fn(24, 24, colour).save(folder.join(sample.image.as_ref().unwrap())).unwrap();
    }
}

/// Does the work that was asked for, and tells the dashboard.
fn do_all(app: &mut App, effects: Vec<Effect>) -> usize {
    let jobs = effects.into_iter().filter_map(|effect| match effect {
        Effect::Do(Job::Pictures(requests)) => Some(requests),
        _ => None,
    });
    let mut made = 0;
    for requests in jobs {
        made += requests.len();
        hear(app, News::Pictures(Page::make(requests)));
    }
    made
}

#[test]
fn the_matrix_and_its_figures() {
    let app = app((100, 16), &run(vec![]), Path::new("/store"));
    for (name, theme) in [("true", UNICODE), ("none", NONE), ("ascii", ASCII)] {
        insta::assert_snapshot!(format!("matrix_{name}"), text(&drawn(&app, &theme)));
    }
    let heat = drawn(&app, &UNICODE);
    let at = |count: &str| heat.content().iter().position(|cell| cell.symbol() == count).map(|at| &heat.content()[at]);
    // The 5 of 50, all right, and the 6 of food that was taken for transport.
    let [right, mistaken] = ["5", "6"].map(|count| at(count).unwrap().bg);
    let green = |colour| matches!(colour, ratatui::style::Color::Rgb(r, g, _) if g > r);
    assert!(green(right) && !green(mistaken), "{right:?} {mistaken:?}");
}

#[test]
fn keys_go_about_the_matrix_and_the_views() {
    let mut app = app((100, 30), &run(pictures()), Path::new("/store"));
    assert_eq!(cell(&app), (1, 2), "the commonest mistake");
    press(&mut app, "kl");
    assert_eq!(cell(&app), (0, 2), "not beyond the edge");
    press(&mut app, "llGk<Left>");
    assert_eq!(cell(&app), (1, 1));
    press(&mut app, "]");
    assert_eq!(app.results.view, View::Misclassified);
    press(&mut app, "l");
    assert_eq!(app.results.sample, 1);
    press(&mut app, "G");
    assert_eq!(app.results.sample, 2);
    press(&mut app, "l");
    assert_eq!(app.results.sample, 2);
    press(&mut app, "]]");
    assert_eq!((app.results.view, app.results.sample), (View::Confusion, 0));
    press(&mut app, "[");
    assert_eq!(app.results.view, View::Augmented);
    assert!(text(&drawn(&app, &UNICODE)).contains("no training pictures are augmented"));
}

#[test]
fn a_click_chooses_a_cell_or_a_sample() {
    let mut app = app((100, 30), &run(pictures()), Path::new("/store"));
    let area = app.layout().bottom.unwrap();
    let find = |app: &App, wanted: &str| {
        let lines = text(&drawn(app, &ASCII));
        let (row, line) = lines.lines().enumerate().find(|(_, line)| line.contains(wanted)).unwrap();
        Position::new(line.find(wanted).unwrap() as u16, row as u16)
    };
    let position = find(&app, "48");
    click(&mut app, area, position);
    assert_eq!(cell(&app), (1, 1));
    press(&mut app, "]");
    let position = find(&app, "transport ");
    click(&mut app, area, position);
    assert_eq!(app.results.sample, 2);
    click(&mut app, area, Position::new(0, 0));
    assert_eq!(app.results.sample, 2);
}

#[test]
fn pictures_of_the_page_are_asked_for_once_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let mut app = app((80, 24), &run(pictures()), folder.path());
    let effects = press(&mut app, "]");
    assert!(text(&drawn(&app, &UNICODE)).contains('…'), "they are not there yet");
    assert_eq!(do_all(&mut app, effects), 3);
    assert!(follow(&mut app).is_empty());
    let buf = drawn(&app, &UNICODE);
    assert!(buf.content().iter().filter(|cell| cell.symbol() == "▀").count() > 250);
    insta::assert_snapshot!("misclassified_ascii", text(&drawn(&app, &ASCII)));
    press(&mut app, "[");
    assert!(pictures_of(&app).is_empty(), "half blocks are cells");
}

fn pictures_of(app: &App) -> Vec<Placement> {
    super::pictures(app, app.layout().bottom.unwrap())
}

#[test]
fn the_cell_below_the_cursor_shows_its_samples() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let mut app = app((100, 30), &run(pictures()), folder.path());
    press(&mut app, "h");
    assert!(text(&drawn(&app, &UNICODE)).contains("food predicted right: 48 of 55"));
    app.results.album.clear();
    let effects = press(&mut app, "l");
    assert_eq!(do_all(&mut app, effects), 2, "two of food were taken for transport, and are told");
    insta::assert_snapshot!("cell_ascii", text(&drawn(&app, &ASCII)));
}

#[test]
fn a_terminal_with_a_protocol_is_given_pictures_beside_the_cells_unless_something_lies_over_them() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let mut app = app((80, 24), &run(pictures()), folder.path());
    app.terminal.take(Answer::Kitty(true));
    let effects = press(&mut app, "]");
    do_all(&mut app, effects);
    let placements = crate::tui::view::pictures(&app);
    assert_eq!(placements.len(), 3);
    let buf = drawn(&app, &UNICODE);
    for Placement { area, .. } in &placements {
        assert!(area.positions().all(|at| buf[at].symbol() == " "), "nothing is written there");
        assert_eq!(area.intersection(buf.area), *area);
    }
    press(&mut app, "?");
    assert!(crate::tui::view::pictures(&app).is_empty());
    press(&mut app, "<Esc>5");
    assert!(crate::tui::view::pictures(&app).is_empty(), "another tab");
}

#[test]
fn texts_are_read_line_by_line() {
    let mut sentence = wrong("food", "animals", 0.875, None);
    sentence.source = "names.csv:12".into();
    sentence.text = Some("a hot dog\n with \x1b[31mmustard and a bun that is long enough to be broken".into());
    let mut app = app((60, 12), &run(vec![sentence, wrong("transport", "food", 0.5, None)]), Path::new("/store"));
    press(&mut app, "]");
    insta::assert_snapshot!("texts", text(&drawn(&app, &UNICODE)));
    press(&mut app, "j");
    let lines = text(&drawn(&app, &UNICODE));
    assert!(lines.lines().nth(2).unwrap().contains("transport → food 50%"), "{lines}");
}

#[test]
fn a_picture_outside_of_the_run_is_not_opened() {
    for path in ["../x.png", "/etc/x.png", "samples/../../x.png", ""] {
        let mut app = app((80, 24), &run(vec![wrong("food", "animals", 0.5, Some(path))]), Path::new("/store"));
        press(&mut app, "]");
        let requests: Vec<_> =
            tiles::of(&app, inside(area(&app).unwrap())).iter().filter_map(|t| t.request(&app)).collect();
        assert!(requests.iter().all(|request| path.is_empty() && request.path == Path::new("/store/")), "{path}");
    }
}

#[test]
fn a_person_may_want_no_pictures() {
    let mut app = app((80, 24), &run(pictures()), Path::new("/store"));
    app.results.setting = Setting::Always(Protocol::None);
    assert!(press(&mut app, "]").is_empty());
    assert!(text(&drawn(&app, &UNICODE)).contains("val/food/1f34e.png"));
}

#[test]
fn another_run_begins_anew() {
    let mut app = app((80, 24), &run(pictures()), Path::new("/store"));
    press(&mut app, "jl]");
    hear(&mut app, News::Runs(fixtures::delta([fixtures::in_a_stage()])));
    app.runs.choose(RunId(21));
    chosen(&mut app);
    assert_eq!((app.results.cell, app.results.sample), (None, 0));
}

fn many_classes(classes: usize) -> Recording {
    let mut run = run(vec![]);
    let count = |label: usize, predicted: usize| if label == predicted { 90 } else { ((label + predicted) % 3) as u64 };
    let counts = (0..classes).map(|label| (0..classes).map(|predicted| count(label, predicted)).collect()).collect();
    run.event(Event::Confusion(Confusion { epoch: 3, counts }));
    run
}

#[test]
fn a_hundred_classes_scroll_to_the_chosen_cell() {
    let mut app = app((80, 24), &many_classes(100), Path::new("/store"));
    press(&mut app, &format!("{}G", "l".repeat(70)));
    assert_eq!(cell(&app), (99, 72));
    let lines = text(&drawn(&app, &UNICODE));
    assert!(lines.contains("99 taken for 72: 0 of"), "{lines}");
    assert!(lines.lines().any(|line| line.contains("99") && line.contains("[ ·")), "{lines}");
}

proptest! {
    #[test]
    fn no_size_and_no_counts_are_too_odd(
        width in 0u16..130, height in 0u16..50,
        counts in prop::collection::vec(prop::collection::vec(prop_oneof![0u64..200, Just(u64::MAX)], 0..6), 0..6),
        keys in "[\\]\\[hjklgG]{0,12}", ascii: bool,
    ) {
        let mut run = run(pictures());
        run.event(Event::Confusion(Confusion { epoch: 3, counts }));
        let mut app = app((130, 50), &run, Path::new("/store"));
        app.terminal.take(Answer::Kitty(!ascii));
        press(&mut app, &keys);
        app.screen.size = Size::new(width, height);
        press(&mut app, &keys);
        for theme in [UNICODE, NONE, ASCII] {
            let buf = drawn(&app, &theme);
            prop_assert!(buf.content().iter().all(|cell| !cell.symbol().contains(char::is_control)));
        }
        for placement in crate::tui::view::pictures(&app) {
            prop_assert_eq!(placement.area.intersection(Rect::new(0, 0, width, height)), placement.area);
        }
    }
}
