//! The places of a document's nodes, read by saphyr-parser; what they mean is `values`' affair.
//!
//! Invariants: a [`Shape`] with its aliases followed is at most [`MAX_DEPTH`] levels deep and has at most [`MAX_VALUES`]
//! nodes and [`MAX_TEXT`] bytes, so that walking it is cheap and recursion is safe; it has no tags.

use std::collections::HashMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::mistakes::{Finding, quoted};
use super::place::Place;

/// The most levels of nesting.
pub(super) const MAX_DEPTH: usize = 64;
/// The most values of a file, each alias counted as what it stands for.
pub(super) const MAX_VALUES: usize = 20_000;
/// The most bytes of text of a file, each alias counted as what it stands for.
pub(super) const MAX_TEXT: usize = 4 << 20;

/// A node's place, and its children's.
#[derive(Debug)]
pub(super) struct Shape {
    pub place: Place,
    pub kind: ShapeKind,
    size: Size,
}

#[derive(Debug)]
pub(super) enum ShapeKind {
    /// The text as typed, without quotes and escapes.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Rc<Shape>>),
    Map(Vec<(Rc<Shape>, Rc<Shape>)>),
    Alias(Rc<Shape>),
}

/// What a node takes with its aliases followed.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    values: usize,
    text: usize,
    depth: usize,
}

impl Size {
    fn and(self, child: Size) -> Size {
        Size {
            values: self.values.saturating_add(child.values),
            text: self.text.saturating_add(child.text),
            depth: self.depth.max(child.depth + 1),
        }
    }
}

/// Reads the one document of `text`, which is a piece of source `source` that starts at byte `offset` of it; none if it
/// is empty.
///
/// # Errors
/// The first thing that is no YAML, or that a file may not have: tags, several documents, too many levels or values.
pub(super) fn read(text: &str, source: usize, offset: usize) -> Result<Option<Rc<Shape>>, Finding> {
    let mut builder =
        Builder { bytes: ByteIndex::of(text), source, offset, open: Vec::new(), anchors: HashMap::new(), root: None };
    let mut documents = 0;
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = next(&mut parser) {
        let (event, span) = event.map_err(|error| builder.not_yaml(&error))?;
        if let Event::DocumentStart(_) = event {
            documents += 1;
            if documents > 1 {
                let finding =
                    Finding::new(builder.place(span), "a file holds one experiment, here a second one begins");
                return Err(finding.hint("remove the `---`, or put the second experiment into a file of its own"));
            }
        }
        builder.take(event, span)?;
    }
    Ok(builder.root)
}

type Spanned<'a> = Result<(Event<'a>, Span), ScanError>;

fn next<'a>(parser: &mut Parser<'a, StrInput<'a>>) -> Option<Spanned<'a>> {
    parser.next_event()
}

/// From saphyr's character counts to bytes.
enum ByteIndex {
    Ascii(usize),
    Wide(Vec<usize>),
}

impl ByteIndex {
    fn of(text: &str) -> Self {
        if text.is_ascii() {
            return ByteIndex::Ascii(text.len());
        }
        ByteIndex::Wide(text.char_indices().map(|(at, _)| at).chain([text.len()]).collect())
    }

    fn byte(&self, character: usize) -> usize {
        match self {
            ByteIndex::Ascii(length) => character.min(*length),
            ByteIndex::Wide(starts) => starts.get(character).or(starts.last()).copied().unwrap_or(0),
        }
    }
}

/// A list or map whose end has not come yet.
struct Open {
    is_map: bool,
    anchor: usize,
    place: Place,
    children: Vec<Rc<Shape>>,
    size: Size,
}

struct Builder {
    bytes: ByteIndex,
    source: usize,
    offset: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Shape>>,
    root: Option<Rc<Shape>>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Finding> {
        let place = self.place(span);
        match event {
            Event::Scalar(.., Some(tag)) | Event::SequenceStart(_, Some(tag)) | Event::MappingStart(_, Some(tag)) => {
                let shown = if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() };
                let finding = Finding::new(place, format!("the tag {} is not supported", quoted(&shown)));
                Err(finding.hint("remove it: the type of a value follows from its key"))
            }
            Event::Scalar(text, style, anchor, None) => {
                let size = Size { values: 1, text: text.len(), depth: 0 };
                let kind = ShapeKind::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.close(Shape { place, kind, size }, anchor)
            }
            Event::SequenceStart(anchor, None) => self.begin(false, anchor, place),
            Event::MappingStart(anchor, None) => self.begin(true, anchor, place),
            Event::SequenceEnd | Event::MappingEnd => self.end(place),
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor).cloned() else {
                    return Err(Finding::new(place, "an alias stands inside the very value that it refers to"));
                };
                let size = target.size;
                self.close(Shape { place, kind: ShapeKind::Alias(target), size }, 0)
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd => Ok(()),
            Event::DocumentStart(_) | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, is_map: bool, anchor: usize, place: Place) -> Result<(), Finding> {
        if self.open.len() == MAX_DEPTH {
            return Err(too_deep(place));
        }
        let size = Size { values: 1, text: 0, depth: 1 };
        self.open.push(Open { is_map, anchor, place, children: Vec::new(), size });
        Ok(())
    }

    fn end(&mut self, end: Place) -> Result<(), Finding> {
        let Some(Open { is_map, anchor, place, children, size }) = self.open.pop() else { return Ok(()) };
        let last = children.last().map_or(end, |child| if end.end > end.start { end } else { child.place });
        let kind = if is_map { ShapeKind::Map(pairs(children)) } else { ShapeKind::List(children) };
        self.close(Shape { place: place.to(last), kind, size }, anchor)
    }

    /// Hands a finished node to the one that holds it.
    fn close(&mut self, shape: Shape, anchor: usize) -> Result<(), Finding> {
        if self.open.len() + shape.size.depth > MAX_DEPTH {
            return Err(too_deep(shape.place));
        }
        let shape = Rc::new(shape);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&shape));
        }
        match self.open.last_mut() {
            Some(parent) => {
                parent.size = parent.size.and(shape.size);
                if parent.size.values > MAX_VALUES || parent.size.text > MAX_TEXT {
                    return Err(too_large(shape.place));
                }
                parent.children.push(shape);
            }
            None => self.root = Some(shape),
        }
        Ok(())
    }

    fn place(&self, span: Span) -> Place {
        let start = self.offset + self.bytes.byte(span.start.index());
        let end = self.offset + self.bytes.byte(span.end.index());
        Place { source: self.source, start, end: end.max(start) }
    }

    fn not_yaml(&self, error: &ScanError) -> Finding {
        let start = self.offset + self.bytes.byte(error.marker().index());
        not_yaml(Place { source: self.source, start, end: start + 1 }, error.info())
    }
}

fn pairs(children: Vec<Rc<Shape>>) -> Vec<(Rc<Shape>, Rc<Shape>)> {
    let mut children = children.into_iter();
    let mut pairs = Vec::with_capacity(children.len() / 2);
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        pairs.push((key, value));
    }
    pairs
}

fn too_deep(place: Place) -> Finding {
    Finding::new(place, format!("the file is nested deeper than {MAX_DEPTH} levels"))
}

fn too_large(place: Place) -> Finding {
    let message = format!("the file grows beyond {MAX_VALUES} values when its aliases are followed");
    Finding::new(place, message).hint("write fewer aliases: an experiment needs some dozens of values")
}

/// What a YAML parser said, with what usually helps.
pub(super) fn not_yaml(place: Place, said: &str) -> Finding {
    if said.contains("recursion limit") {
        return too_deep(place);
    }
    let finding = Finding::new(place, format!("this is not YAML: {}", said.trim()));
    let hint = match said {
        said if said.contains("anchor") => "define it with `&name`, or put a text that starts with `*` in quotes",
        said if said.contains("tab") => "indent with spaces",
        said if said.contains("mapping values") => "put a text that holds `: ` in quotes, or begin a new line",
        said if said.contains("quoted scalar") => "close the quotes",
        said if said.contains("node content") || said.contains("flow") => "close every `[` and `{`",
        said if said.contains("unexpected character") || said.contains("cannot start") => {
            "put a text that starts with a special character in quotes"
        }
        _ => return finding,
    };
    finding.hint(hint)
}
