use super::*;
use crate::tui::chart::points::alone;

fn text(raster: &Raster) -> Vec<String> {
    let mut rows = vec![vec![' '; raster.width]; raster.height];
    for (column, row, dots, _) in raster.cells() {
        rows[usize::from(row)][usize::from(column)] = raster.dots.character(dots, 'o');
    }
    rows.into_iter().map(|row| row.into_iter().collect()).collect()
}

fn scale(raster: &Raster, x: (f64, f64), y: (f64, f64)) -> Scale {
    Scale { x, y, log: false, dots: raster.dots() }
}

fn spots(points: &[(f64, f64)]) -> Vec<Spot> {
    points.iter().map(|&(x, y)| Spot { x, span: alone(y) }).collect()
}

const WHOLE: Dash = (1, 0);

#[test]
fn a_diagonal_of_each_kind_of_dots() {
    for (dots, size, drawn) in [
        (Dots::Braille, (2, 1), vec!["⡠⠊"]),
        (Dots::Blocks, (4, 2), vec!["  ▄▀", "▄▀  "]),
        (Dots::Ascii, (3, 3), vec!["  o", " o ", "o  "]),
    ] {
        let mut raster = Raster::new(size.0, size.1, dots);
        let scale = scale(&raster, (0.0, 3.0), (0.0, 3.0));
        raster.curve(&spots(&[(0.0, 0.0), (3.0, 3.0)]), &scale, Ink::Train, WHOLE);
        assert_eq!(text(&raster), drawn);
    }
}

#[test]
fn a_single_point_is_a_dot_and_equal_values_a_level() {
    let mut raster = Raster::new(3, 1, Dots::Braille);
    let scale = scale(&raster, (0.0, 1.0), (0.0, 1.0));
    raster.curve(&spots(&[(1.0, 1.0)]), &scale, Ink::Val, WHOLE);
    assert_eq!(text(&raster), ["  ⠈"]);
    let mut raster = Raster::new(3, 1, Dots::Braille);
    raster.curve(&spots(&[(0.0, 0.0), (0.5, 0.0), (1.0, 0.0)]), &scale, Ink::Val, WHOLE);
    assert_eq!(text(&raster), ["⣀⣀⣀"]);
}

#[test]
fn what_is_not_finite_breaks_the_line() {
    let mut raster = Raster::new(4, 1, Dots::Braille);
    let scale = scale(&raster, (0.0, 7.0), (0.0, 3.0));
    let points = [(0.0, 3.0), (1.0, 3.0), (3.0, f64::NAN), (4.0, f64::INFINITY), (6.0, 3.0), (7.0, 3.0)];
    raster.curve(&spots(&points), &scale, Ink::Train, WHOLE);
    assert_eq!(text(&raster), ["⠉  ⠉"]);
}

#[test]
fn what_has_no_logarithm_breaks_the_line() {
    let mut raster = Raster::new(4, 1, Dots::Braille);
    let scale = Scale { log: true, ..scale(&raster, (0.0, 7.0), (-3.0, 0.0)) };
    let points = [(0.0, 1.0), (1.0, 1.0), (3.0, 0.0), (4.0, -1.0), (6.0, 1e-3), (7.0, 1e-3)];
    raster.curve(&spots(&points), &scale, Ink::Train, WHOLE);
    assert_eq!(text(&raster), ["⠉  ⣀"]);
}

#[test]
fn a_span_is_one_stroke() {
    let mut raster = Raster::new(1, 2, Dots::Braille);
    let scale = scale(&raster, (0.0, 1.0), (0.0, 1.0));
    let span = Span { first: 0.5, last: 0.2, min: 0.0, max: 1.0 };
    raster.curve(&[Spot { x: 0.0, span: Some(span) }], &scale, Ink::Steps, WHOLE);
    assert_eq!(text(&raster), ["⡇", "⡇"]);
}

#[test]
fn a_dashed_line_has_gaps() {
    let mut raster = Raster::new(6, 1, Dots::Braille);
    let scale = scale(&raster, (0.0, 1.0), (0.0, 1.0));
    raster.curve(&spots(&[(0.0, 0.0), (1.0, 0.0)]), &scale, Ink::Val, (4, 2));
    assert_eq!(text(&raster), ["⣀⣀ ⣀⣀ "]);
}

#[test]
fn a_later_ink_covers_an_earlier_one() {
    let mut raster = Raster::new(1, 1, Dots::Braille);
    raster.dot(0, 0, Ink::Val);
    raster.dot(1, 0, Ink::Steps);
    assert_eq!(raster.cells().collect::<Vec<_>>(), [(0, 0, 0x01, Ink::Val)], "steps give way to a line");
    raster.dot(1, 3, Ink::Train);
    assert_eq!(raster.cells().collect::<Vec<_>>(), [(0, 0, 0x81, Ink::Val)], "lines share a cell");
}

#[test]
fn any_number_is_drawn_without_harm() {
    for dots in [Dots::Braille, Dots::Blocks, Dots::Ascii] {
        for log in [false, true] {
            for y in [(0.0, 0.0), (f64::MIN, f64::MAX), (1e-320, 2e-320), (f64::NAN, f64::INFINITY)] {
                let mut raster = Raster::new(3, 2, dots);
                let scale = Scale { log, ..scale(&raster, (0.0, 1.0), y) };
                let points = [(0.0, f64::MAX), (0.5, f64::MIN), (f64::NAN, 1.0), (1.0, 1e-321), (1e300, 0.0)];
                raster.curve(&spots(&points), &scale, Ink::Val, (3, 1));
            }
        }
        Raster::new(0, 0, dots).dot(0, 0, Ink::Val);
    }
}
