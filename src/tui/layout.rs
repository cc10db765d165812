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

/// The parts of the screen that a person gave to the queue (of the width) and to the place at the bottom (of the height),
/// in thousandths; None is what the size suggests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Shares {
    pub queue: Option<u16>,
    pub bottom: Option<u16>,
}

/// A border between two places that can be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// At the right of the queue.
    Queue,
    /// Above the place at the bottom.
    Bottom,
}

/// Least columns and rows of a place.
const NARROWEST: u16 = 16;
const LOWEST: u16 = 4;

/// `part` of `whole`, as far as both parts keep their least.
fn between(whole: u16, part: u16, least: u16) -> u16 {
    let least = least.min(whole);
    part.clamp(least, (whole - least).max(least))
}

/// `share` thousandths of `whole`.
fn part(whole: u16, share: u16, least: u16) -> u16 {
    let part = u32::from(whole) * u32::from(share) / 1000;
    between(whole, u16::try_from(part).unwrap_or(whole), least)
}

/// How many thousandths of `whole` these are.
fn share(whole: u16, part: u16) -> u16 {
    // Rounded up, so that it leads to the same part again.
    u16::try_from((u32::from(part) * 1000).div_ceil(u32::from(whole.max(1)))).unwrap_or(1000).min(1000)
}

/// Divides the terminal.
pub fn layout(size: Size, focus: Focus, zoomed: bool, shares: Shares) -> Layout {
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
    let bottom_height = shares.bottom.map_or(bottom_height, |share| part(body.height, share, LOWEST));
    let queue_width = shares.queue.map_or(queue_width, |share| part(body.width, share, NARROWEST));
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
    /// The area of a place, where it is shown.
    pub fn area(&self, focus: Focus) -> Option<Rect> {
        match focus {
            Focus::Queue => self.queue,
            Focus::Run => self.run,
            Focus::Bottom => self.bottom,
        }
    }

    /// The place at a position of the terminal, and its area.
    pub fn at(&self, position: Position) -> Option<(Focus, Rect)> {
        let places = [(Focus::Queue, self.queue), (Focus::Run, self.run), (Focus::Bottom, self.bottom)];
        places
            .into_iter()
            .find_map(|(focus, area)| area.filter(|area| area.contains(position)).map(|area| (focus, area)))
    }

    /// The border at a position: the frames of both sides of it.
    pub fn edge(&self, position: Position) -> Option<Edge> {
        let (queue, run, bottom) = (self.queue?, self.run?, self.bottom?);
        let beside = position.x + 1 == run.x || position.x == run.x;
        // The title of the place at the bottom has clicks of its own, except at its ends.
        let above = position.y + 1 == bottom.y || (position.y == bottom.y && position.x + 1 == bottom.right());
        match (above, beside && queue.contains(Position { x: queue.x, ..position })) {
            (true, _) => Some(Edge::Bottom),
            (false, true) => Some(Edge::Queue),
            (false, false) => None,
        }
    }

    /// The shares after an edge is moved to a position.
    pub fn moved(&self, edge: Edge, to: Position, shares: Shares) -> Shares {
        let (Some(queue), Some(bottom)) = (self.queue, self.bottom) else { return shares };
        let (width, height) = (bottom.width, queue.height + bottom.height);
        match edge {
            Edge::Queue => {
                let columns = between(width, to.x.saturating_sub(queue.x).saturating_add(1), NARROWEST);
                Shares { queue: Some(share(width, columns)), ..shares }
            }
            Edge::Bottom => {
                let rows = between(height, bottom.bottom().saturating_sub(to.y.saturating_add(1)), LOWEST);
                Shares { bottom: Some(share(height, rows)), ..shares }
            }
        }
    }

    /// The shares after an edge is moved by so many columns to the right, or rows upwards.
    pub fn nudged(&self, edge: Edge, by: i16, shares: Shares) -> Shares {
        let (Some(run), Some(bottom)) = (self.run, self.bottom) else { return shares };
        let x = run.x.saturating_sub(1).saturating_add_signed(by);
        let y = bottom.y.saturating_sub(1).saturating_add_signed(-by);
        self.moved(edge, Position { x, y }, shares)
    }

    /// Rows inside of a place's frame.
    pub fn rows(&self, focus: Focus) -> usize {
        self.area(focus).map_or(1, |area| usize::from(area.height.saturating_sub(2)).max(1))
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
                    let layout = layout(Size { width, height }, focus, zoomed, Shares::default());
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
    fn an_edge_goes_where_it_is_moved_and_no_place_vanishes() {
        for size in [Size::new(60, 15), Size::new(80, 24), Size::new(200, 60)] {
            for (x, y) in [(0, 0), (30, 9), (size.width / 2, size.height / 2), (size.width, size.height), (u16::MAX, 3)]
            {
                for edge in [Edge::Queue, Edge::Bottom] {
                    let before = layout(size, Focus::Queue, false, Shares::default());
                    let shares = before.moved(edge, Position { x, y }, Shares::default());
                    let after = layout(size, Focus::Queue, false, shares);
                    let (queue, run, bottom) = (after.queue.unwrap(), after.run.unwrap(), after.bottom.unwrap());
                    assert!(queue.width >= NARROWEST && run.width >= NARROWEST, "{size} {edge:?} {x} {y}");
                    assert!(queue.height >= LOWEST && bottom.height >= LOWEST, "{size} {edge:?} {x} {y}");
                    assert_eq!(
                        after.moved(edge, Position { x: run.x - 1, y: bottom.y - 1 }, shares),
                        shares,
                        "{size} {edge:?}"
                    );
                }
            }
        }
        let before = layout(Size::new(120, 40), Focus::Queue, false, Shares::default());
        let run = before.run.unwrap();
        let at = Position { x: run.x, y: run.y + 3 };
        assert_eq!(before.edge(at), Some(Edge::Queue));
        let moved = before.moved(Edge::Queue, Position { x: 50, y: 7 }, Shares::default());
        assert_eq!(layout(Size::new(120, 40), Focus::Queue, false, moved).run.unwrap().x, 51);
        let nudged = before.nudged(Edge::Bottom, 2, Shares::default());
        let height = layout(Size::new(120, 40), Focus::Queue, false, nudged).bottom.unwrap().height;
        assert_eq!(height, before.bottom.unwrap().height + 2);
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
