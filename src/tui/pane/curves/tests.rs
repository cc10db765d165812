use proptest::prelude::*;
use ratatui::buffer::Buffer;

use super::*;
use crate::record::state::RunState;
use crate::tui::chart::XAxis;
use crate::tui::fixtures::{self, ASCII, UNICODE, app, delta, frame, press, running, text};
use crate::tui::layout::Focus;

/// A dashboard of one run with the focus on its curves.
fn curves(size: (u16, u16), run: RunState) -> App {
    let mut app = app(size, delta([run]));
    app.screen.focus = Focus::Run;
    app
}

/// The pane alone, in an area of that size.
fn pane(size: (u16, u16), app: &App, theme: &Theme) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    draw(theme, buf.area, &mut buf, app, true);
    buf
}

#[test]
fn panes_at_several_sizes() {
    for size in [(150, 40), (88, 25), (53, 17), (33, 11), (20, 6)] {
        let app = curves((120, 40), running());
        let (width, height) = size;
        insta::assert_snapshot!(format!("pane_{width}x{height}"), text(&pane(size, &app, &UNICODE)));
    }
    let ascii = text(&pane((88, 25), &curves((120, 40), running()), &ASCII));
    insta::assert_snapshot!("pane_88x25_ascii", ascii);
}

#[test]
fn looks_that_keys_choose() {
    for (name, keys) in [
        ("log", "y"),
        ("time", "X"),
        ("steps", "XX"),
        ("smooth", "mm"),
        ("blocks", "b"),
        ("alone", "<Enter>"),
        ("zoomed", "+++"),
        ("crosshair", "x<Left><Left>"),
        ("all_charts", "V"),
    ] {
        let mut app = curves((120, 40), running());
        press(&mut app, keys);
        insta::assert_snapshot!(format!("keys_{name}"), text(&pane((88, 25), &app, &UNICODE)));
    }
}

#[test]
fn charts_are_chosen_hidden_and_shown_again() {
    let mut app = curves((80, 24), running());
    let title = |app: &App| app.curves.look.chart.clone();
    for (keys, chart) in
        [("]", "accuracy"), ("<Right>", "lr"), ("]", "loss"), ("[", "lr"), ("v", "accuracy"), ("]", "loss")]
    {
        press(&mut app, keys);
        assert_eq!(title(&app), chart, "after {keys}");
    }
    press(&mut app, "V]]");
    assert_eq!(title(&app), "lr", "it is shown again");
    press(&mut app, "]");
    assert_eq!(title(&app), "samples_per_s");
    press(&mut app, "vvvvvvv");
    assert_eq!(app.curves.sheets(&running()).0.len(), 1, "the last chart stays");
}

#[test]
fn enter_shows_one_chart_and_back() {
    let mut app = curves((120, 40), running());
    let charts = |app: &App| text(&frame(app, &UNICODE)).matches("└──").count();
    press(&mut app, "<Enter>");
    assert!(app.screen.zoomed && app.curves.alone);
    assert_eq!(charts(&app), 1);
    press(&mut app, "<Enter>");
    assert!(!app.screen.zoomed);
    press(&mut app, "z");
    assert_eq!(charts(&app), 3, "z shows all of them");
}

#[test]
fn zooming_panning_and_following() {
    let mut app = curves((120, 40), running());
    let ends = |app: &App| {
        let run = app.run().cloned().unwrap();
        app.curves.view(&run, &[]).ends()
    };
    assert_eq!(ends(&app), (0.0, 17.0));
    press(&mut app, "+");
    let (left, right) = ends(&app);
    assert!((right - left - 17.0 / 1.5).abs() < 1e-9 && right >= 11.5, "it follows the newest: {left}..{right}");
    press(&mut app, "<");
    assert!(ends(&app).0 < left, "panned away");
    press(&mut app, "0");
    assert_eq!(ends(&app), (0.0, 17.0));
    let area = app.layout().run.unwrap();
    let at = Position { x: area.x + area.width / 4, y: area.y + area.height / 4 };
    wheel(&mut app, area, at, Motion::Up);
    let (left, right) = ends(&app);
    assert!(left > 0.0 && right < 17.0, "zoomed around the mouse: {left}..{right}");
    wheel(&mut app, area, at, Motion::Down);
    assert_eq!(ends(&app), (0.0, 17.0));
}

#[test]
fn a_click_chooses_a_chart_and_moves_the_crosshair() {
    let mut app = curves((120, 40), running());
    press(&mut app, "x");
    let area = app.layout().run.unwrap();
    let run = app.run().cloned().unwrap();
    let places = draw::places(&app, &UNICODE, area, &run);
    let (sheet, place) = places.last().unwrap();
    click(&mut app, area, Position { x: place.x + place.width / 2, y: place.y + 2 });
    assert_eq!(app.curves.look.chart, sheet.name);
    let epoch = app.curves.cursor_epoch().unwrap();
    assert!((4..=11).contains(&epoch), "{epoch}");
}

#[test]
fn the_crosshair_goes_to_an_epoch_and_says_which() {
    let mut app = curves((120, 40), running());
    assert_eq!(app.curves.cursor_epoch(), None);
    press(&mut app, "++++++");
    app.curves.show_epoch(3);
    assert_eq!(app.curves.cursor_epoch(), Some(3));
    let run = app.run().cloned().unwrap();
    let (left, right) = app.curves.view(&run, &[]).ends();
    assert!(left < 3.0 && right > 3.0, "it is brought into view: {left}..{right}");
    let drawn = text(&pane((88, 25), &app, &UNICODE));
    assert!(drawn.contains("epoch 3  steps 9–12"), "{drawn}");
    press(&mut app, "n");
    assert_eq!(app.curves.cursor_epoch(), Some(9), "the next mark");
    press(&mut app, "0<Left>");
    assert_eq!(app.curves.cursor_epoch(), Some(8));
    press(&mut app, "x");
    assert_eq!(app.curves.cursor_epoch(), None);
}

#[test]
fn another_run_is_seen_whole_but_looked_at_alike() {
    let mut app = app((120, 40), fixtures::store());
    app.screen.focus = Focus::Run;
    press(&mut app, "Xy++x");
    assert!(app.curves.sight.cursor.is_some());
    press(&mut app, "2");
    app.screen.focus = Focus::Run;
    assert!(app.curves.sight.cursor.is_some(), "another tab changes nothing");
    press(&mut app, "jjj");
    assert_eq!(app.curves.sight, Sight::of(app.runs.chosen()));
    assert_eq!(app.curves.look.axis, XAxis::Time);
    assert!(app.curves.look.other_measure.contains("loss"));
}

#[test]
fn odd_runs_have_sensible_charts() {
    for (name, values) in [("one_epoch", vec![1.0]), ("equal", vec![0.5; 3]), ("nan", vec![f64::NAN; 2])] {
        let app = curves((120, 40), fixtures::odd(31, &values));
        insta::assert_snapshot!(format!("odd_{name}"), text(&pane((60, 16), &app, &UNICODE)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_key_and_no_size_panics(
        size in (0u16..200, 0u16..60),
        values in prop::collection::vec(any::<f64>(), 0..8),
        keys in prop::collection::vec(0..KEYS.len(), 0..16),
        at in (0u16..200, 0u16..60),
    ) {
        let mut app = curves(size, fixtures::odd(3, &values));
        for key in keys {
            press(&mut app, &fixtures::written(KEYS[key].keys[0]));
            let area = Rect::new(0, 0, size.0, size.1);
            let position = Position { x: at.0, y: at.1 };
            click(&mut app, area, position);
            wheel(&mut app, area, position, if key % 2 == 0 { Motion::Up } else { Motion::Down });
            pane(size, &app, if key % 3 == 0 { &ASCII } else { &UNICODE });
        }
    }
}
