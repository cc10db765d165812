//! Pictures side by side, each with its caption.

use std::path::{Component, PathBuf};
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};

use super::{Slot, View, cell, confusion, matrix, names, samples};
use crate::record::event::Sample;
use crate::tui::app::App;
use crate::tui::paint::Row;
use crate::tui::picture::{Form, Picture, Placement, Protocol, Request, blocks};
use crate::tui::theme::{Role, Theme};

/// Lines below a picture: its label, and what it was taken for.
const CAPTION: u16 = 2;
/// Rows that a picture should have at least, and at most.
const ROWS: (u16, u16) = (3, 10);
/// Rows of a tile from which on a second row of tiles is better than larger pictures.
const ENOUGH: u16 = 9;

/// Tiles of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    area: Rect,
    pub columns: usize,
    pub rows: usize,
    picture: Size,
}

/// A sample's place on the screen.
#[derive(Debug)]
pub struct Tile<'a> {
    /// Its place among the samples.
    at: usize,
    sample: &'a Sample,
    picture: Rect,
    caption: Rect,
    is_chosen: bool,
}

impl Grid {
    /// As large pictures as fit in about as many rows as are easy to look at; None where there is no room for any.
    pub fn of(area: Rect) -> Option<Grid> {
        let rows = (area.height / ENOUGH).max(1);
        let height = (area.height / rows).checked_sub(CAPTION)?.min(ROWS.1);
        // A cell is about twice as high as wide.
        let width = 2 * height;
        let columns = (area.width + 1) / (width + 1);
        if height < ROWS.0 || columns == 0 {
            return None;
        }
        Some(Grid { area, columns: usize::from(columns), rows: usize::from(rows), picture: Size::new(width, height) })
    }

    /// A tile for each of the samples, which must not be more than fit.
    pub fn tiles<'a>(
        &self,
        samples: impl Iterator<Item = (usize, &'a Sample)>,
        chosen: Option<usize>,
    ) -> Vec<Tile<'a>> {
        let Size { width, height } = self.picture;
        let tile = |(place, (at, sample)): (usize, (usize, &'a Sample))| {
            let [column, row] = [place % self.columns, place / self.columns].map(|n| u16::try_from(n).unwrap_or(0));
            let picture = Rect {
                x: self.area.x + column * (width + 1),
                y: self.area.y + row * (height + CAPTION),
                width,
                height,
            };
            let caption = Rect { y: picture.y + height, height: CAPTION, ..picture };
            Tile { at, sample, picture, caption, is_chosen: chosen == Some(at) }
        };
        samples.take(self.columns * self.rows).enumerate().map(tile).collect()
    }
}

/// The tiles of the view that is shown in `area`.
pub fn of(app: &App, area: Rect) -> Vec<Tile<'_>> {
    match app.results.view {
        View::Misclassified | View::Augmented => samples::visible(app, area),
        View::Confusion => {
            let (Some(confusion), Some(run)) = (confusion(app), app.run()) else { return Vec::new() };
            let below = matrix::Plan::of(confusion, names(run), cell(app), area).below();
            samples::visible_of_cell(app, below)
        }
    }
}

/// The sample at a position of the screen.
pub fn at(tiles: &[Tile], position: Position) -> Option<usize> {
    tiles.iter().find(|tile| tile.picture.union(tile.caption).contains(position)).map(|tile| tile.at)
}

impl Tile<'_> {
    /// What is to be made ready for it; None where the record has no picture, or one outside of the run's folder.
    pub fn request(&self, app: &App) -> Option<Request> {
        let image = self.sample.image.as_ref()?;
        if !image.components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        let folder: &PathBuf = &app.runs.row(app.runs.chosen()?)?.place.path;
        let protocol = app.results.setting.protocol(&app.terminal);
        let request = Request::new(folder.join(image), self.picture.as_size(), protocol, &app.terminal);
        (protocol != Protocol::None).then_some(request)
    }

    fn ready(&self, app: &App) -> Option<(u32, Arc<Picture>, Rect)> {
        let Some(Slot::Ready(number, picture)) = app.results.album.get(&self.request(app)?) else { return None };
        let area = Rect::from((self.picture.as_position(), picture.size)).intersection(self.picture);
        Some((*number, Arc::clone(picture), area))
    }

    /// The picture, where it is not made of cells.
    pub fn placement(&self, app: &App) -> Option<Placement> {
        let (number, picture, area) = self.ready(app)?;
        (!matches!(picture.form, Form::Blocks(_))).then_some(Placement { area, number, picture })
    }
}

/// Draws them, but for the pictures that are not made of cells.
pub fn draw(theme: &Theme, buf: &mut Buffer, app: &App, tiles: &[Tile]) {
    for tile in tiles {
        match tile.ready(app).map(|(_, picture, area)| (picture, area)) {
            Some((picture, area)) => {
                if let Form::Blocks(pixels) = &picture.form {
                    blocks::draw(theme, area, buf, pixels);
                }
            }
            None => {
                let known = tile.request(app).and_then(|request| app.results.album.get(&request));
                let text = match known {
                    Some(Slot::Broken(reason)) => reason.as_str(),
                    Some(_) => theme.pick("…", "..."),
                    None => "no picture",
                };
                Row::new(buf, tile.picture, 0).put(text, theme.style(Role::Dim));
            }
        }
        captions(theme, buf, tile);
    }
}

fn captions(theme: &Theme, buf: &mut Buffer, tile: &Tile) {
    let Tile { sample, caption, .. } = tile;
    let mut row = Row::new(buf, *caption, 0);
    row.put(&sample.label, theme.style(Role::Good));
    if tile.is_chosen {
        Row::new(buf, *caption, 0).over(theme.selected());
    }
    let mut row = Row::new(buf, *caption, 1);
    if let Some(predicted) = &sample.predicted {
        let probability = sample.probability.map(samples::short).unwrap_or_default();
        let columns = row.left().saturating_sub(3 + u16::try_from(probability.len()).unwrap_or(0));
        row.put(theme.pick("→ ", "> "), theme.style(Role::Dim));
        row.put_within(predicted, columns, theme.style(Role::Bad)).gap(1).put(&probability, theme.style(Role::Plain));
    }
}
