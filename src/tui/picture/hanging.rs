//! Pictures on their way to the terminal, beside the cells.
//!
//! Invariants: a picture that goes leaves nothing behind, and one that stays is not sent again, unless cells were
//! written over it; in one frame no more bytes of pictures go out than a slow line takes in good time, but at least one
//! picture.

use std::collections::BTreeSet;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};

use super::{Form, Placement, iterm2, kitty};

/// Bytes of pictures after which a frame takes no further one.
const ENOUGH: usize = 16 << 10;
/// So many pictures may lie in a terminal's memory before those that go are forgotten there too.
const MOST_KEPT: usize = 100;

/// What hangs on the screen.
#[derive(Debug, Default)]
pub struct Wall {
    hung: Vec<Placement>,
    /// Numbers of the pictures that a terminal with kitty's protocol has.
    sent: BTreeSet<u32>,
    /// Some did not fit into the last frame.
    pub unfinished: bool,
}

impl Wall {
    /// The screen is emptied, and with it the pictures, for which some terminals want to be told.
    pub fn clear(&mut self) -> &'static str {
        let has_kitty = self.hung.iter().any(|hung| matches!(hung.picture.form, Form::Kitty(_)));
        self.hung.clear();
        if has_kitty { kitty::ALL_AWAY } else { "" }
    }

    /// Takes away what is not wanted any more. Where pictures are the terminal's cells, their places in `shown` become
    /// different from anything, so that they are written anew.
    pub fn take_down(&mut self, wanted: &[Placement], shown: &mut Buffer) -> String {
        let stays = |hung: &Placement| wanted.iter().any(|wanted| is_same(wanted, hung));
        let (stay, go): (Vec<_>, Vec<_>) = std::mem::take(&mut self.hung).into_iter().partition(stays);
        self.hung = stay;
        let mut bytes = String::new();
        for gone in go {
            match gone.picture.form {
                Form::Kitty(_) => {
                    let is_elsewhere = self.hung.iter().any(|hung| hung.number == gone.number);
                    let forget = self.sent.len() > MOST_KEPT && !is_elsewhere;
                    if forget {
                        self.sent.remove(&gone.number);
                    }
                    bytes += &kitty::take_away(gone.number, gone.area, forget);
                }
                Form::Iterm2(_) | Form::Sixel(_) => spoil(shown, gone.area),
                Form::Blocks(_) => {}
            }
        }
        bytes
    }

    /// Hangs what is wanted and does not hang yet, or was written over by `changes`.
    pub fn hang(&mut self, wanted: &[Placement], changes: &[(u16, u16, &Cell)]) -> Vec<u8> {
        self.hung.retain(|hung| matches!(hung.picture.form, Form::Kitty(_)) || !is_touched(hung.area, changes));
        self.unfinished = false;
        let mut bytes = Vec::new();
        for placement in wanted {
            if self.hung.iter().any(|hung| is_same(hung, placement)) {
                continue;
            }
            if bytes.len() >= ENOUGH {
                self.unfinished = true;
                break;
            }
            self.put(placement, &mut bytes);
            self.hung.push(placement.clone());
        }
        bytes
    }

    fn put(&mut self, placement: &Placement, bytes: &mut Vec<u8>) {
        let Placement { area, number, picture } = placement;
        bytes.extend(format!("\x1b[{};{}H", area.y + 1, area.x + 1).into_bytes());
        match &picture.form {
            Form::Kitty(png) => {
                if self.sent.insert(*number) {
                    bytes.extend(kitty::transmit(*number, png).into_bytes());
                }
                bytes.extend(kitty::place(*number, *area).into_bytes());
            }
            Form::Iterm2(png) => bytes.extend(iterm2::show(png, area.as_size()).into_bytes()),
            Form::Sixel(sequence) => bytes.extend(sequence),
            Form::Blocks(_) => {}
        }
    }
}

fn is_same(a: &Placement, b: &Placement) -> bool {
    (a.number, a.area) == (b.number, b.area)
}

fn is_touched(area: Rect, changes: &[(u16, u16, &Cell)]) -> bool {
    changes.iter().any(|&(x, y, _)| area.contains(Position { x, y }))
}

fn spoil(shown: &mut Buffer, area: Rect) {
    let area = area.intersection(shown.area);
    for position in area.positions() {
        // A private character: no frame has it.
        shown[position].set_symbol("\u{F8FF}");
    }
}
