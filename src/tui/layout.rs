//! Where everything goes, as a function of the terminal's size and what has the focus.
//!
//! Invariant: all areas lie inside of the terminal's, whatever its size.

use ratatui::layout::{Position, Rect, Size};

/// What the keys go to, one of three places on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    Queue,
    Run,
    Bottom,
}

impl Focus {
    /// The next one, or the one before.
    pub fn turned(self, forward: bool) -> Focus {
        match (self, forward) {
            (Focus::Queue, true) | (Focus::Bottom, false) => Focus::Run,
            (Focus::Run, true) | (Focus::Queue, false) => Focus::Bottom,
            (Focus::Bottom, true) | (Focus::Run, false) => Focus::Queue,
        }
    }
}

/// How much fits on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Queue, both charts and events.
    Wide,
    /// Queue, one chart and events.
    Narrow,
    /// One thing at a time, at first a list.
    List,
}

/// The areas; a place that is not shown has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    pub room: Room,
    pub totals: Rect,
    pub queue: Option<Rect>,
    pub run: Option<Rect>,
    pub bottom: Option<Rect>,
    pub footer: Rect,
}

/// Divides the terminal.
pub fn layout(size: Size, focus: Focus, zoomed: bool) -> Layout {
    let room = room(size);
    let all = Rect::new(0, 0, size.width, size.height);
    let totals = Rect { height: 1.min(all.height), ..all };
    let footer_height = if all.height >= 4 { 1 } else { 0 };
    let footer = Rect { y: all.height - footer_height, height: footer_height, ..all };
    let body = Rect { y: totals.height, height: all.height - totals.height - footer_height, ..all };
    let empty = Layout { room, totals, queue: None, run: None, bottom: None, footer };
    if zoomed || room == Room::List {
        return match focus {
            Focus::Queue => Layout { queue: Some(body), ..empty },
            Focus::Run => Layout { run: Some(body), ..empty },
            Focus::Bottom => Layout { bottom: Some(body), ..empty },
        };
    }
    let bottom_height = if room == Room::Wide { (body.height / 3).clamp(8, 18) } else { (body.height / 4).max(4) };
    let queue_width = if room == Room::Wide { (body.width / 4).clamp(32, 44) } else { 27 };
    let top = Rect { height: body.height - bottom_height, ..body };
    Layout {
        queue: Some(Rect { width: queue_width, ..top }),
        run: Some(Rect { x: queue_width, width: top.width - queue_width, ..top }),
        bottom: Some(Rect { y: top.y + top.height, height: bottom_height, ..body }),
        ..empty
    }
}

fn room(size: Size) -> Room {
    match (size.width, size.height) {
        (..60, _) | (_, ..15) => Room::List,
        (..100, _) | (_, ..28) => Room::Narrow,
        _ => Room::Wide,
    }
}

impl Layout {
    /// The place at a position of the terminal, and its area.
    pub fn at(&self, position: Position) -> Option<(Focus, Rect)> {
        let places = [(Focus::Queue, self.queue), (Focus::Run, self.run), (Focus::Bottom, self.bottom)];
        places
            .into_iter()
            .find_map(|(focus, area)| area.filter(|area| area.contains(position)).map(|area| (focus, area)))
    }

    /// Rows inside of a place's frame.
    pub fn rows(&self, focus: Focus) -> usize {
        let area = match focus {
            Focus::Queue => self.queue,
            Focus::Run => self.run,
            Focus::Bottom => self.bottom,
        };
        area.map_or(1, |area| usize::from(area.height.saturating_sub(2)).max(1))
    }
}

/// The first of the rows to show, so that the chosen one is among them, near the middle.
pub fn first_row(rows: usize, chosen: usize, height: usize) -> usize {
    chosen.saturating_sub(height / 2).min(rows.saturating_sub(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_inside_and_do_not_overlap_at_any_size() {
        for width in 0..140 {
            for height in 0..70 {
                for (focus, zoomed) in [(Focus::Queue, false), (Focus::Run, false), (Focus::Bottom, true)] {
                    let all = Rect::new(0, 0, width, height);
                    let layout = layout(Size { width, height }, focus, zoomed);
                    let places = [Some(layout.totals), layout.queue, layout.run, layout.bottom, Some(layout.footer)];
                    let places: Vec<Rect> = places.into_iter().flatten().collect();
                    for (i, place) in places.iter().enumerate() {
                        assert_eq!(place.intersection(all), *place, "{width}x{height}");
                        assert!(places[i + 1..].iter().all(|other| place.intersection(*other).is_empty()));
                    }
                    assert_eq!(places.iter().map(|place| place.area()).sum::<u32>(), all.area(), "no gap");
                }
            }
        }
    }

    #[test]
    fn sizes_of_the_design() {
        for (width, height, expected) in [
            (200, 60, Room::Wide),
            (120, 40, Room::Wide),
            (80, 24, Room::Narrow),
            (60, 15, Room::Narrow),
            (59, 40, Room::List),
            (200, 14, Room::List),
        ] {
            assert_eq!(room(Size { width, height }), expected, "{width}x{height}");
        }
    }

    #[test]
    fn the_chosen_row_is_always_shown() {
        for rows in 1..30 {
            for height in 1..12 {
                for chosen in 0..rows {
                    let first = first_row(rows, chosen, height);
                    assert!((first..first + height).contains(&chosen));
                    assert!(first + height <= rows || first == 0);
                }
            }
        }
    }
}
