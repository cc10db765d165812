//! A document as values with places: what `spans` and `values` read, held together, merges (`<<`) applied.
//!
//! Invariant: the two readings agree on every node, or the document is refused.

use std::rc::Rc;

use super::mistakes::{Finding, Findings, quoted};
use super::place::Place;
use super::spans::{self, Shape, ShapeKind};
use super::values::Value;

/// A value and where it was typed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub place: Place,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A scalar as it was typed and as YAML reads it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scalar {
    pub typed: String,
    pub value: ScalarValue,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum ScalarValue {
    Bool(bool),
    Whole(i128),
    Number(f64),
    Text,
}

/// A key with its value; the keys of a map are texts and differ.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub key: String,
    pub key_place: Place,
    pub value: Node,
}

impl Node {
    /// How many values it has, itself counted.
    pub fn values(&self) -> usize {
        match &self.kind {
            Kind::Null | Kind::Scalar(_) => 1,
            Kind::List(items) => 1 + items.iter().map(Node::values).sum::<usize>(),
            Kind::Map(entries) => 1 + entries.iter().map(|entry| entry.value.values()).sum::<usize>(),
        }
    }

    /// What stands at the dotted key, or the innermost of what it would stand in.
    pub fn nearest(&self, key: &str) -> &Node {
        let mut nearest = self;
        for part in key.split('.') {
            let inner = match &nearest.kind {
                Kind::List(items) => part.parse().ok().and_then(|index: usize| items.get(index)),
                Kind::Map(entries) => entries.iter().find(|entry| entry.key == part).map(|entry| &entry.value),
                Kind::Null | Kind::Scalar(_) => None,
            };
            let Some(inner) = inner else { break };
            nearest = inner;
        }
        nearest
    }

    /// What it is, for messages: `-1`, the text `ten`, a list …
    pub fn described(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a map".to_owned(),
            Kind::Scalar(Scalar { typed, value: ScalarValue::Text }) => format!("the text {}", quoted(typed)),
            Kind::Scalar(Scalar { typed, .. }) => quoted(typed),
        }
    }
}

/// Reads the one document of `text`, which starts at byte `offset` of source `source`; `Null` if it is empty. Keys that
/// are doubled or no texts, and wrong merges, are written to `findings`; the reading goes on without them.
///
/// # Errors
/// What keeps the whole from being read.
pub(super) fn read(text: &str, source: usize, offset: usize, findings: &Findings) -> Result<Node, Finding> {
    let (text, offset) = text.strip_prefix('\u{feff}').map_or((text, offset), |rest| (rest, offset + 3));
    refuse_unprintable(text, source, offset)?;
    let place = Place { source, start: offset, end: offset };
    let Some(shape) = spans::read(text, source, offset)? else { return Ok(Node { place, kind: Kind::Null }) };
    let value: Value = serde_yaml::from_str(text).map_err(|error| not_yaml(&error, text, place))?;
    let Some(typed) = Typed::join(&shape, value) else {
        return Err(Finding::new(shape.place, "YAML parsers read this in different ways").hint("write it more plainly"));
    };
    Ok(typed.merged(findings))
}

/// Characters that YAML forbids in a file, and line breaks that only some of its versions know: with them a person sees
/// another text than the parser.
fn refuse_unprintable(text: &str, source: usize, offset: usize) -> Result<(), Finding> {
    let forbidden = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    let Some((at, c)) = text.char_indices().find(|&(_, c)| forbidden(c)) else { return Ok(()) };
    let place = Place { source, start: offset + at, end: offset + at + c.len_utf8() };
    let finding = Finding::new(place, format!("the character U+{:04X} may not stand in a YAML file", c as u32));
    Err(finding.hint("remove it, or write it with an escape in double quotes"))
}

fn not_yaml(error: &serde_yaml::Error, text: &str, start: Place) -> Finding {
    let at = error.location().map_or(0, |location| byte_at(text, location.line(), location.column()));
    let place = Place { start: start.start + at, end: start.start + at + 1, ..start };
    let said = error.to_string();
    spans::not_yaml(place, said.split(" at line ").next().unwrap_or(&said))
}

/// The byte of `line` and `column`, both from 1.
fn byte_at(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = &text[before.min(text.len())..];
    before + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}

/// A node whose two readings agree; a map's keys may still be anything.
struct Typed {
    place: Place,
    kind: TypedKind,
}

enum TypedKind {
    Leaf(Kind),
    List(Vec<Typed>),
    Map(Vec<(Typed, Typed)>),
}

impl Typed {
    /// Holds the two readings together; none where they differ.
    fn join(shape: &Rc<Shape>, value: Value) -> Option<Typed> {
        let kind = match (&shape.kind, value) {
            (ShapeKind::Alias(target), value) => {
                let target = Typed::join(target, value)?;
                // A list or map is pointed at where its parts were typed; a scalar where it is used.
                return Some(match target.kind {
                    TypedKind::Leaf(kind) => Typed { place: shape.place, kind: TypedKind::Leaf(kind) },
                    _ => target,
                });
            }
            (ShapeKind::List(shapes), Value::List(values)) => TypedKind::List(
                same_length(shapes, values)?.map(|(shape, value)| Typed::join(shape, value)).collect::<Option<_>>()?,
            ),
            (ShapeKind::Map(shapes), Value::Map(values)) => TypedKind::Map(
                same_length(shapes, values)?
                    .map(|((key_shape, shape), (key, value))| {
                        Some((Typed::join(key_shape, key)?, Typed::join(shape, value)?))
                    })
                    .collect::<Option<_>>()?,
            ),
            (ShapeKind::Scalar { text, plain }, value) => TypedKind::Leaf(scalar(text, *plain, value)?),
            _ => return None,
        };
        Some(Typed { place: shape.place, kind })
    }

    fn merged(self, findings: &Findings) -> Node {
        let kind = match self.kind {
            TypedKind::Leaf(kind) => kind,
            TypedKind::List(items) => Kind::List(items.into_iter().map(|item| item.merged(findings)).collect()),
            TypedKind::Map(entries) => Kind::Map(merged(entries, findings)),
        };
        Node { place: self.place, kind }
    }
}

fn same_length<'a, A, B>(left: &'a [A], right: Vec<B>) -> Option<impl Iterator<Item = (&'a A, B)> + use<'a, A, B>> {
    (left.len() == right.len()).then(|| left.iter().zip(right))
}

fn scalar(text: &str, plain: bool, value: Value) -> Option<Kind> {
    let value = match value {
        Value::Null if plain => return Some(Kind::Null),
        Value::Bool(value) if plain => ScalarValue::Bool(value),
        Value::Whole(value) if plain => ScalarValue::Whole(value),
        Value::Number(value) if plain => ScalarValue::Number(value),
        Value::Text(value) if value == text => ScalarValue::Text,
        _ => return None,
    };
    Some(Kind::Scalar(Scalar { typed: text.to_owned(), value }))
}

/// The entries of a map: its own, then those merged in by `<<` that it does not have itself, earlier ones first.
fn merged(typed: Vec<(Typed, Typed)>, findings: &Findings) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::with_capacity(typed.len());
    let mut merges: Option<Entry> = None;
    for (key, value) in typed {
        let value = value.merged(findings);
        let Some(key_text) = key_text(&key, findings) else { continue };
        let entry = Entry { key: key_text, key_place: key.place, value };
        let first = if entry.key == "<<" { merges.as_ref() } else { find(&entries, &entry.key) };
        match first {
            Some(first) => {
                let finding =
                    Finding::new(entry.key_place, format!("the key {} stands here twice", quoted(&entry.key)));
                findings.push(finding.also(first.key_place, "first here").hint("keep one of the two"));
            }
            None if entry.key == "<<" => merges = Some(entry),
            None => entries.push(entry),
        }
    }
    for entry in merges.into_iter().flat_map(|merge| merged_in(merge, findings)) {
        if find(&entries, &entry.key).is_none() {
            entries.push(entry);
        }
    }
    entries
}

fn find<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.key == key)
}

fn key_text(key: &Typed, findings: &Findings) -> Option<String> {
    let described = match &key.kind {
        TypedKind::Leaf(Kind::Scalar(Scalar { typed, value: ScalarValue::Text })) => return Some(typed.clone()),
        TypedKind::Leaf(Kind::Scalar(Scalar { typed, .. })) => quoted(typed),
        TypedKind::Leaf(_) => "nothing".to_owned(),
        TypedKind::List(_) => "a list".to_owned(),
        TypedKind::Map(_) => "a map".to_owned(),
    };
    findings.push(Finding::new(key.place, format!("this key is {described}, expected the name of a key")));
    None
}

/// The entries that `<<` brings: of a map, or of each map of a list.
fn merged_in(merge: Entry, findings: &Findings) -> Vec<Entry> {
    let maps = match merge.value.kind {
        Kind::List(items) => items,
        kind => vec![Node { place: merge.value.place, kind }],
    };
    let mut entries = Vec::new();
    for map in maps {
        match map.kind {
            Kind::Map(brought) => entries.extend(brought),
            _ => {
                let message = format!("`<<` merges a map or a list of maps, this is {}", map.described());
                findings.push(Finding::new(map.place, message).hint("write `<<: *name` for a map marked with `&name`"));
            }
        }
    }
    entries
}
