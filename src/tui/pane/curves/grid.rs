//! Where the charts go: as many as fit, the others a page away.

use ratatui::layout::Rect;

/// The smallest chart that is worth drawing beside others.
const LEAST: (u16, u16) = (36, 8);
/// Columns between two charts.
const GAP: u16 = 2;
/// How wide a chart is best for its height; a cell is about twice as high as wide.
const SHAPE: f64 = 3.0;

/// The areas of so many charts, of which the one at `chosen` is among those shown: the place of each and its area.
pub fn places(area: Rect, charts: usize, chosen: usize) -> Vec<(usize, Rect)> {
    if charts == 0 {
        return Vec::new();
    }
    let (across, down) = best(area, charts);
    let page = across * down;
    let first = chosen.min(charts - 1) / page * page;
    let last = (first + page).min(charts);
    let rows = (last - first).div_ceil(across);
    let mut places = Vec::with_capacity(last - first);
    for row in 0..rows {
        let begin = first + row * across;
        let here = begin..(begin + across).min(last);
        let (y, height) = part(area.height, 0, rows, row);
        let count = here.len();
        places.extend(here.enumerate().map(|(n, chart)| {
            let (x, width) = part(area.width, GAP, count, n);
            (chart, Rect { x: area.x + x, y: area.y + y, width, height })
        }));
    }
    places
}

/// Part `n` of `length` divided by `parts`: where it begins and how long it is.
fn part(length: u16, gap: u16, parts: usize, n: usize) -> (u16, u16) {
    let parts = u16::try_from(parts).unwrap_or(1).max(1);
    let n = u16::try_from(n).unwrap_or(0);
    let each = length.saturating_sub(gap * (parts - 1)) / parts;
    let begin = n * (each + gap);
    let is_last = n + 1 == parts;
    (begin.min(length), if is_last { length.saturating_sub(begin) } else { each })
}

/// How many charts across and down: as many as fit, in the shape that is best for them.
fn best(area: Rect, charts: usize) -> (usize, usize) {
    let most_across = usize::from(((area.width + GAP) / (LEAST.0 + GAP)).max(1));
    let most_down = usize::from((area.height / LEAST.1).max(1));
    let score = |&(across, down): &(usize, usize)| {
        let shown = (across * down).min(charts);
        let width = f64::from(area.width) / across as f64;
        let height = f64::from(area.height.max(1)) / down as f64;
        let off = (width / height / SHAPE).ln().abs();
        let empty = (across * down - shown) as f64;
        shown as f64 * 10.0 - off - empty * 0.3
    };
    let choices = (1..=most_across.min(charts))
        .flat_map(|across| (1..=most_down.min(charts.div_ceil(across))).map(move |down| (across, down)));
    choices.max_by(|a, b| score(a).total_cmp(&score(b))).unwrap_or((1, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(width: u16, height: u16, charts: usize) -> Vec<(u16, u16)> {
        places(Rect::new(0, 0, width, height), charts, 0).iter().map(|(_, area)| (area.width, area.height)).collect()
    }

    #[test]
    fn charts_fill_the_space() {
        assert_eq!(shape(51, 14, 3), [(51, 14)], "one at 80×24");
        assert_eq!(shape(84, 12, 2), [(41, 12), (41, 12)]);
        assert_eq!(shape(84, 24, 3), [(41, 12), (41, 12), (84, 12)]);
        assert_eq!(shape(150, 30, 4), [(74, 15); 4]);
    }

    #[test]
    fn the_chosen_chart_is_always_among_them_inside_and_apart() {
        for width in (0..200).step_by(7) {
            for height in (0..60).step_by(3) {
                for charts in 1..9 {
                    for chosen in 0..charts {
                        let area = Rect::new(3, 2, width, height);
                        let places = places(area, charts, chosen);
                        assert!(places.iter().any(|&(chart, _)| chart == chosen));
                        for (n, (_, place)) in places.iter().enumerate() {
                            assert_eq!(place.intersection(area), *place, "{width}x{height}");
                            assert!(places[n + 1..].iter().all(|(_, other)| place.intersection(*other).is_empty()));
                        }
                    }
                }
            }
        }
    }
}
