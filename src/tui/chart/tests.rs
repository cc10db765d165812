use proptest::prelude::*;
use ratatui::style::Color;

use super::*;
use crate::base::text::metric;
use crate::tui::fixtures::{ASCII, UNICODE, text};
use crate::tui::theme::Colors;

type Series = Vec<(f64, f64)>;

fn falling(n: usize, from: f64, rate: f64) -> Series {
    (1..=n).map(|i| (i as f64, from * (-(i as f64) * rate).exp() + 0.1)).collect()
}

/// A chart of loss with noisy steps, in an area of that size.
fn drawn(size: (u16, u16), theme: &Theme, change: impl FnOnce(&mut Chart)) -> Buffer {
    let steps: Series = (1..=4_000)
        .map(|i| {
            let at = f64::from(i) / 200.0;
            (at, 1.3 * (-at * 0.2).exp() + 0.1 + 0.15 * f64::from(i * 37 % 101) / 101.0)
        })
        .collect();
    let (train, val) = (falling(20, 1.2, 0.2), falling(20, 1.0, 0.12));
    let lines = [
        Line { name: "steps", points: &steps, ink: Ink::Steps, smoothing: 0.0 },
        Line { name: "train", points: &train, ink: Ink::Train, smoothing: 0.0 },
        Line { name: "val", points: &val, ink: Ink::Val, smoothing: 0.0 },
    ];
    let mark = |x, kind, text| MarkAt { x, kind, text };
    let marks = [
        mark(10.0, Kind::Phase, "fine_tune"),
        mark(10.0, Kind::LrDrop, "lr 3e-4"),
        mark(10.0, Kind::EarlyStop, "early stop"),
        mark(18.0, Kind::Best, "best .2398"),
    ];
    let mut chart = Chart {
        title: "loss",
        lines: &lines,
        axis: XAxis::Epoch,
        window: (0.0, 24.0),
        measure: Measure::Linear,
        dots: Dots::Braille,
        marks: &marks,
        cursor: None,
        chosen: true,
    };
    change(&mut chart);
    let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    chart.draw(theme, buf.area, &mut buf);
    buf
}

const NO_COLOUR: Theme = Theme { colors: Colors::None, ..UNICODE };

#[test]
fn charts_at_several_sizes() {
    for (width, height) in [(150, 40), (84, 24), (51, 14), (36, 8), (24, 6)] {
        insta::assert_snapshot!(format!("chart_{width}x{height}"), text(&drawn((width, height), &UNICODE, |_| {})));
    }
}

#[test]
fn charts_of_each_kind() {
    let size = (60, 14);
    insta::assert_snapshot!("no_colour", text(&drawn(size, &NO_COLOUR, |_| {})));
    let ascii = text(&drawn(size, &ASCII, |_| {}));
    assert!(ascii.is_ascii(), "{ascii}");
    insta::assert_snapshot!("ascii", ascii);
    insta::assert_snapshot!("blocks", text(&drawn(size, &UNICODE, |chart| chart.dots = Dots::Blocks)));
    insta::assert_snapshot!("blocks_no_colour", text(&drawn(size, &NO_COLOUR, |chart| chart.dots = Dots::Blocks)));
    insta::assert_snapshot!("log", text(&drawn(size, &UNICODE, |chart| chart.measure = Measure::Log)));
    insta::assert_snapshot!("zoomed", text(&drawn(size, &UNICODE, |chart| chart.window = (9.0, 11.0))));
    let cursor = Some(Cursor { from: 11.0, x: 12.0 });
    insta::assert_snapshot!("crosshair", text(&drawn(size, &UNICODE, |chart| chart.cursor = cursor)));
}

/// The colours of the cells that are drawn in `area`.
fn colours(buf: &Buffer, area: Rect) -> Vec<Color> {
    let cells = (area.y..area.bottom()).flat_map(|y| (area.x..area.right()).map(move |x| (x, y)));
    cells.map(|at| &buf[at]).filter(|cell| cell.symbol() != " ").map(|cell| cell.fg).collect()
}

#[test]
fn lines_and_band_have_their_colours() {
    let buf = drawn((60, 14), &UNICODE, |_| {});
    let plot = colours(&buf, Rect::new(6, 1, 40, 11));
    for ink in [Ink::Steps, Ink::Train, Ink::Val] {
        let colour = look::of(&UNICODE, ink).style.fg.unwrap();
        assert!(plot.contains(&colour), "{ink:?}");
    }
    let buf = drawn((60, 14), &NO_COLOUR, |_| {});
    assert!(colours(&buf, buf.area).iter().all(|&colour| colour == Color::Reset));
}

#[test]
fn marks_on_one_epoch_are_all_seen() {
    let drawn = text(&drawn((84, 24), &UNICODE, |_| {}));
    let axis = drawn.lines().find(|line| line.contains('└')).unwrap();
    for glyph in ["┊", "▼", "■", "★"] {
        assert!(axis.contains(glyph), "{axis}");
    }
}

#[test]
fn the_crosshair_shows_what_is_exactly_there() {
    let cursor = Some(Cursor { from: 11.0, x: 12.0 });
    let drawn = text(&drawn((84, 24), &UNICODE, |chart| chart.cursor = cursor));
    let title = drawn.lines().next().unwrap();
    let train = metric(falling(20, 1.2, 0.2)[11].1);
    assert!(title.contains("steps .") && title.contains('–'), "{title}");
    assert!(title.contains(&format!("train {train}")), "{title}");
}

#[test]
fn eight_lines_have_eight_labels() {
    let series: Vec<Series> = (0..8).map(|n| falling(20, 1.0 + 0.001 * f64::from(n), 0.2)).collect();
    let names: Vec<String> = (0..8).map(|n| format!("run{n}")).collect();
    let lines: Vec<Line> =
        (0..8).map(|n| Line { name: &names[n], points: &series[n], ink: Ink::Run(n), smoothing: 0.0 }).collect();
    let (axis, measure, dots) = (XAxis::Epoch, Measure::Linear, Dots::Braille);
    let chart = Chart {
        title: "val_loss",
        lines: &lines,
        axis,
        window: (0.0, 20.0),
        measure,
        dots,
        marks: &[],
        cursor: None,
        chosen: false,
    };
    for theme in [&UNICODE, &NO_COLOUR, &ASCII] {
        let mut buf = Buffer::empty(Rect::new(0, 0, 80, 20));
        chart.draw(theme, buf.area, &mut buf);
        let drawn = text(&buf);
        assert!(names.iter().all(|name| drawn.contains(name)), "{drawn}");
    }
}

fn any_series() -> impl Strategy<Value = Series> {
    prop::collection::vec((any::<f64>(), any::<f64>()), 0..30).prop_map(|mut points: Series| {
        points.retain(|point| point.0.is_finite());
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    })
}

fn any_window() -> impl Strategy<Value = (f64, f64)> {
    prop_oneof![Just((0.0, 1.0)), (-10.0f64..10.0, 0.0f64..20.0).prop_map(|(a, b)| (a, a + b)), any::<(f64, f64)>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_figures_and_no_size_panic(
        size in (0u16..90, 0u16..40),
        series in prop::collection::vec(any_series(), 3),
        window in any_window(),
        at in any::<f64>(),
        (log, ascii, dots, smoothing) in (any::<bool>(), any::<bool>(), 0u8..3, 0.0f64..0.99),
    ) {
        let inks = [Ink::Steps, Ink::Val, Ink::Run(3)];
        let lines: Vec<Line> = series
            .iter()
            .zip(inks)
            .map(|(points, ink)| Line { name: "line", points, ink, smoothing })
            .collect();
        let marks = [MarkAt { x: at, kind: Kind::Best, text: "best" }, MarkAt { x: 0.5, kind: Kind::Phase, text: "🍎" }];
        let chart = Chart {
            title: "any",
            lines: &lines,
            axis: [XAxis::Step, XAxis::Epoch, XAxis::Time][usize::from(dots)],
            window,
            measure: if log { Measure::Log } else { Measure::Linear },
            dots: [Dots::Braille, Dots::Blocks, Dots::Ascii][usize::from(dots)],
            marks: &marks,
            cursor: Some(Cursor { from: 0.0, x: at }),
            chosen: true,
        };
        let theme = if ascii { ASCII } else { UNICODE };
        let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
        chart.draw(&theme, buf.area, &mut buf);
        if let Some(plot) = chart.plot(&theme, buf.area) {
            prop_assert!(plot.intersection(buf.area) == plot);
        }
    }
}
