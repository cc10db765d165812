use proptest::prelude::*;

use super::*;
use crate::tui::fixtures::{ASCII, Recording, UNICODE, odd, running, text};
use crate::tui::theme::Colors;

/// Runs of different lengths that end at different losses.
fn runs(count: u32) -> Vec<RunState> {
    (1..=count)
        .map(|id| {
            let mut run = Recording::training(id, "run");
            for epoch in 1..=4 + id * 2 {
                run.epoch(epoch, 1.0 / f64::from(epoch), 0.1 * f64::from(id) + 1.0 / f64::from(epoch));
            }
            run.run()
        })
        .collect()
}

fn drawn(size: (u16, u16), theme: &Theme, runs: &[RunState], metric: &str, axis: XAxis, log: bool) -> Buffer {
    let lines: Vec<Line> = runs.iter().enumerate().map(|(slot, run)| Line { run, slot }).collect();
    let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    draw(theme, buf.area, &mut buf, &lines, metric, axis, log);
    buf
}

#[test]
fn eight_runs_over_each_other() {
    let runs = runs(8);
    let plain = Theme { colors: Colors::None, ..UNICODE };
    for (name, theme, axis, log) in [
        ("epochs", &UNICODE, XAxis::Epoch, false),
        ("time", &UNICODE, XAxis::Time, true),
        ("no_colour", &plain, XAxis::Epoch, false),
        ("ascii", &ASCII, XAxis::Step, false),
    ] {
        let drawn = text(&drawn((80, 20), theme, &runs, "val_loss", axis, log));
        assert!(runs.iter().all(|run| drawn.contains(&run.id.to_string())), "{drawn}");
        insta::assert_snapshot!(format!("overlay_{name}"), drawn);
    }
}

#[test]
fn runs_keep_their_colours() {
    let runs = runs(3);
    let buf = drawn((80, 20), &UNICODE, &runs, "val_loss", XAxis::Epoch, false);
    for slot in 0..3 {
        let (marker, style) = swatch(&UNICODE, slot);
        let cells = buf.content().iter().filter(|cell| Some(cell.fg) == style.fg);
        assert!(cells.clone().count() > 10, "{slot}");
        assert!(cells.clone().any(|cell| cell.symbol() == marker), "{slot}");
    }
}

#[test]
fn runs_without_epochs_say_so() {
    let queued = [Recording::queued(1, "next").run()];
    let drawn = text(&drawn((60, 10), &UNICODE, &queued, "loss", XAxis::Epoch, false));
    assert!(drawn.starts_with("no epoch of these runs is over that has loss"), "{drawn}");
}

#[test]
fn metrics_are_those_of_any_run() {
    assert_eq!(metrics([&running()]), ["val_loss", "val_accuracy", "loss", "accuracy", "lr", "samples_per_s"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_figures_and_no_size_panic(
        size in (0u16..120, 0u16..40),
        values in prop::collection::vec(prop::collection::vec(any::<f64>(), 0..6), 0..9),
        log in any::<bool>(),
    ) {
        let runs: Vec<RunState> = (1..).zip(&values).map(|(id, values)| odd(id, values)).collect();
        for axis in [XAxis::Step, XAxis::Epoch, XAxis::Time] {
            drawn(size, if log { &ASCII } else { &UNICODE }, &runs, "val_loss", axis, log);
        }
    }
}
