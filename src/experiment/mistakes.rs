//! All that is wrong with an experiment, each with its place, and how it is shown: as rustc shows errors.
//!
//! Invariants: there is at least one mistake; they are in the order of the file, then of the overrides, and no two are
//! the same; nothing that was typed reaches the terminal as a control sequence.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::place::{Place, ShownLine, Source};
use crate::base::text::{printable, truncated};

/// The most mistakes that are shown in full; the rest is counted.
const SHOWN: usize = 100;

/// One mistake of an experiment file or of an override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Of the file, from 1; 1 for an override, which is a line of its own.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The path of the base (`extends`) that it is in; none for the file itself and for an override.
    pub base: Option<String>,
    /// Whether it is in an override.
    pub in_override: bool,
    /// What is wrong and what was expected, in one line.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    finding: Finding,
}

/// The mistakes of one experiment; as an error, it shows all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes {
    sources: Vec<Source>,
    list: Vec<Mistake>,
}

/// A mistake as it is found, before lines are counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    /// None where the file as a whole is meant.
    place: Option<Place>,
    message: String,
    hint: Option<String>,
    /// Another place that matters, and why.
    also: Option<(Place, &'static str)>,
}

impl Finding {
    /// At `place`, `message` is wrong.
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Finding { place: Some(place), message: message.into(), hint: None, also: None }
    }

    /// The file as a whole is wrong.
    pub fn whole(message: impl Into<String>) -> Self {
        Finding { place: None, message: message.into(), hint: None, also: None }
    }

    /// What is wrong with the file `shown` as a whole, said at `place`, which names it.
    pub fn within(self, place: Place, shown: &str) -> Self {
        match self.place {
            Some(_) => self,
            None => Finding { place: Some(place), message: format!("{shown}: {}", self.message), ..self },
        }
    }

    /// With what to do about it.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Finding { hint: Some(hint.into()), ..self }
    }

    /// With another place to look at.
    pub fn also(self, place: Place, label: &'static str) -> Self {
        Finding { also: Some((place, label)), ..self }
    }
}

/// Where the readers of a file write down what they find; they go on reading, so that every mistake is found at once. What
/// is found in each run of a sweep is found once.
#[derive(Debug, Default)]
pub(super) struct Findings(RefCell<BTreeSet<Finding>>);

impl Findings {
    /// Writes a finding down.
    pub fn push(&self, finding: Finding) {
        self.0.borrow_mut().insert(finding);
    }

    /// How many were found.
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// `value`, if nothing was found; else all that was found, as mistakes in `sources`.
    pub fn into_result<T>(self, sources: Vec<Source>, value: Option<T>) -> Result<T, Mistakes> {
        let found = self.0.into_inner();
        match value {
            Some(value) if found.is_empty() => Ok(value),
            _ => Err(Mistakes::new(sources, found.into_iter().collect())),
        }
    }
}

impl Mistakes {
    fn new(sources: Vec<Source>, found: Vec<Finding>) -> Self {
        let list = found.into_iter().map(|finding| Mistake::new(&sources, finding)).collect();
        Mistakes { sources, list }
    }

    /// The one mistake of a file that could not even be read.
    pub(super) fn unreadable(shown: &str, finding: Finding) -> Self {
        Mistakes::new(vec![Source::new(Some(shown.to_owned()), String::new())], vec![finding])
    }

    /// The mistakes in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Mistake> {
        self.list.iter()
    }

    /// All mistakes as rustc shows errors, with colours where asked. Safe for a terminal.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled().hyperlink(false) } else { Renderer::plain() };
        let mut shown: Vec<String> =
            self.list.iter().take(SHOWN).map(|mistake| renderer.render(&[self.report(mistake)])).collect();
        if self.list.len() > 1 {
            let file = self.sources.first().and_then(|source| source.path.as_deref()).unwrap_or_default();
            let total = format!("{} mistakes in {}", self.list.len(), printable(file));
            shown.push(renderer.render(&[Group::with_title(Level::ERROR.primary_title(total))]));
        }
        shown.join("\n\n")
    }

    fn report<'a>(&'a self, mistake: &'a Mistake) -> Group<'a> {
        let title = Level::ERROR.primary_title(printable(&mistake.message));
        let group = Group::with_title(title).elements(self.places(&mistake.finding));
        match &mistake.hint {
            Some(hint) => group.element(Level::HELP.with_name("hint").message(printable(hint))),
            None => group,
        }
    }

    fn places<'a>(&'a self, finding: &'a Finding) -> Vec<Element<'a>> {
        let Some(place) = finding.place else {
            let path = self.sources.first().and_then(|source| source.path.as_deref());
            return path.map(|path| Element::Origin(Origin::path(printable(path)))).into_iter().collect();
        };
        let Some(source) = self.sources.get(place.source) else { return Vec::new() };
        let kind = AnnotationKind::Primary;
        match finding.also {
            Some((also, label)) if also.source == place.source && source.line(also) == source.line(place) => {
                let shown = source.shown(place, &[also]);
                let kinds = [(kind, None), (AnnotationKind::Context, Some(label))];
                vec![element(source, shown, &kinds)]
            }
            Some((also, label)) => {
                let first = element(source, source.shown(place, &[]), &[(kind, None)]);
                let second = self
                    .sources
                    .get(also.source)
                    .map(|source| element(source, source.shown(also, &[]), &[(AnnotationKind::Context, Some(label))]));
                [first].into_iter().chain(second).collect()
            }
            None => vec![element(source, source.shown(place, &[]), &[(kind, None)])],
        }
    }
}

/// A line of `source` with its places marked, each in its way.
fn element<'a>(source: &'a Source, shown: ShownLine, marks: &[(AnnotationKind, Option<&'static str>)]) -> Element<'a> {
    let marked = shown.spans.into_iter().zip(marks).map(|(span, &(kind, label))| kind.span(span).label(label));
    let snippet = Snippet::source(shown.text).annotations(marked);
    match &source.path {
        Some(path) => snippet.path(printable(path)).line_start(shown.line).into(),
        None => snippet.line_numbering(false).into(),
    }
}

impl Mistake {
    fn new(sources: &[Source], finding: Finding) -> Self {
        let place = finding.place.unwrap_or(Place::FILE);
        let source = sources.get(place.source);
        let (line, column) = source.map_or((1, 1), |source| {
            let shown = source.shown(place, &[]);
            (shown.line, shown.column)
        });
        let base = source.filter(|_| place.source > 0).and_then(|source| source.path.clone());
        let in_override = source.is_some_and(|source| source.path.is_none());
        let (message, hint) = (finding.message.clone(), finding.hint.clone());
        Mistake { line, column, base, in_override, message, hint, finding }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Mistakes {}

/// `text` in backticks, safe and not too long for a message.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", truncated(&printable(&text.replace(['\n', '\r'], " ")), 60))
}
