//! Dotted keys, as `--set` and `matrix` name them: `train.phases.0.epochs`, an item of a list by its number from 0.

use super::mistakes::{Finding, quoted};
use super::place::Place;
use super::tree::{Entry, Kind, Node};

/// A key with the way to it from the top of the file; it has at least one part and none is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dotted {
    parts: Vec<(String, Place)>,
    place: Place,
}

impl Dotted {
    /// The key `text`, typed at `place`; none if a part is empty.
    pub fn new(text: &str, place: Place) -> Option<Self> {
        let mut start = place.start;
        // Quotes and escapes move the parts about: then each is pointed at with the whole key.
        let is_as_typed = place.end - place.start == text.len();
        let parts = text.split('.').map(|part| {
            let own = Place { start, end: start + part.len(), ..place };
            start = own.end + 1;
            (part.trim().to_owned(), if is_as_typed { own } else { place })
        });
        Dotted::of(parts.collect(), place)
    }

    /// The key with these parts, each with its place, typed at `place`.
    pub fn of(parts: Vec<(String, Place)>, place: Place) -> Option<Self> {
        parts.iter().all(|(part, _)| !part.is_empty()).then_some(Dotted { parts, place })
    }

    /// Where it was typed.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The parts without their places.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.parts.iter().map(|(part, _)| &**part)
    }

    /// The parts with dots between them.
    pub fn text(&self) -> String {
        self.parts().collect::<Vec<_>>().join(".")
    }

    /// Whether `other` is this key or one inside it, so that setting this one replaces it.
    pub fn holds(&self, other: &Dotted) -> bool {
        self.parts.len() <= other.parts.len() && self.parts().zip(other.parts()).all(|(own, other)| own == other)
    }

    /// Puts `value` at this key of `root`. What stands in the way gives way: `optimizer: adam` becomes a map for
    /// `optimizer.adam.lr`.
    pub fn set(&self, root: &mut Node, value: Node) -> Result<(), Finding> {
        set(root, &self.parts, value)
    }
}

fn set(node: &mut Node, parts: &[(String, Place)], value: Node) -> Result<(), Finding> {
    let Some(((part, place), rest)) = parts.split_first() else {
        *node = value;
        return Ok(());
    };
    match &mut node.kind {
        Kind::List(items) => set(item(items, part, *place)?, rest, value),
        Kind::Map(entries) => set(entry(entries, part, *place), rest, value),
        Kind::Null | Kind::Scalar(_) => {
            let mut entries = Vec::new();
            let done = set(entry(&mut entries, part, *place), rest, value);
            *node = Node { place: *place, kind: Kind::Map(entries) };
            done
        }
    }
}

fn entry<'a>(entries: &'a mut Vec<Entry>, key: &str, key_place: Place) -> &'a mut Node {
    let empty = Node { place: key_place, kind: Kind::Null };
    let at = entries.iter().position(|entry| entry.key == key).unwrap_or(entries.len());
    if at == entries.len() {
        entries.push(Entry { key: key.to_owned(), key_place, value: empty });
    }
    &mut entries[at].value
}

fn item<'a>(items: &'a mut [Node], part: &str, place: Place) -> Result<&'a mut Node, Finding> {
    let count = items.len();
    let found = part.parse().ok().and_then(|index: usize| items.get_mut(index));
    found.ok_or_else(|| {
        let finding = Finding::new(place, format!("{} is no item of this list", quoted(part)));
        finding.hint(match count {
            0 => "the list is empty".to_owned(),
            1 => "its only item is 0".to_owned(),
            _ => format!("its items are 0 to {}", count - 1),
        })
    })
}
