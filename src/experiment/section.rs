//! A map of the file with what its keys may hold ([`super::keys`]).
//!
//! Invariant: a reader whose value is missing or wrong writes a finding down and answers with the key's default (or a
//! stand-in), so that reading goes on; what was read is handed out only when nothing was found.

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as WordError, StrDeserializer};

use super::keys::{self, Key, Takes, Unset};
use super::meant::{elsewhere, wrong};
use super::mistakes::{Finding, Findings, quoted};
use super::number;
use super::place::Place;
use super::tree::{Entry, Kind, Node, Scalar, ScalarValue};

/// The map at `path`.
pub(super) struct Section<'a> {
    path: &'static str,
    /// Where to point when something is missing in it.
    place: Place,
    entries: &'a [Entry],
    /// It is no map, which was said already: nothing more is missed in it.
    broken: bool,
    findings: &'a Findings,
}

/// A key of a section with its value.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub key: &'static Key,
    pub place: Place,
    pub node: &'a Node,
}

/// One of several forms: a word alone, or a key with what belongs to it.
pub(super) enum Form<'a> {
    Word(&'a str),
    Key(&'static str, Section<'a>),
}

impl<'a> Section<'a> {
    /// The map `node` at `path`, whose key is at `place`.
    pub fn new(path: &'static str, node: &'a Node, place: Place, findings: &'a Findings) -> Self {
        let mut section = Section { path, place, entries: &[], broken: false, findings };
        match &node.kind {
            Kind::Map(entries) => {
                section.entries = entries;
                entries.iter().for_each(|entry| section.refuse_unknown(entry));
            }
            Kind::Null => {}
            _ => {
                section.broken = true;
                let (what, expected) = (keys::place_words(path), keys::listed(&keys::names(path), "and"));
                let message = format!("{what} is {}, expected a map with the keys {expected}", node.described());
                let finding = Finding::new(node.place, message);
                findings.push(match node.kind {
                    Kind::List(_) if !path.is_empty() => {
                        finding.hint("there can only be one: give its keys without `- ` and `[ ]`")
                    }
                    _ => finding,
                });
            }
        }
        section
    }

    /// The map at `path`, of which nothing is given: all defaults.
    pub fn defaults(&self, path: &'static str) -> Section<'a> {
        Section { path, place: self.place, entries: &[], broken: false, findings: self.findings }
    }

    fn refuse_unknown(&self, entry: &Entry) {
        let known = keys::names(self.path);
        if known.contains(&&*entry.key) {
            return;
        }
        let inside = if self.path.is_empty() { String::new() } else { format!(" in {}", keys::place_words(self.path)) };
        let finding = Finding::new(entry.key_place, format!("unknown key {}{inside}", quoted(&entry.key)));
        let near = keys::nearest(&entry.key, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let hint = near.or_else(|| elsewhere(&entry.key));
        self.findings
            .push(finding.hint(hint.unwrap_or_else(|| format!("the keys here are {}", keys::listed(&known, "and")))));
    }

    fn key(&self, name: &str) -> &'static Key {
        static NO_KEY: Key =
            Key { path: "?", takes: Takes::Text, unset: Unset::Means(""), about: "not in the table of keys" };
        let key = keys::of(self.path).find(|key| key.name() == name);
        debug_assert!(key.is_some(), "`{name}` of `{}` is not in the table of keys", self.path);
        key.unwrap_or(&NO_KEY)
    }

    /// The key `name` where it is given; a value of nothing counts as not given.
    pub fn given(&self, name: &str) -> Option<Given<'a>> {
        let key = self.key(name);
        let entry = self.entries.iter().find(|entry| entry.key == name)?;
        (entry.value.kind != Kind::Null).then_some(Given { key, place: entry.key_place, node: &entry.value })
    }

    /// The key `name`; where it is required and not given, that is written down.
    fn wanted(&self, name: &str) -> Result<Given<'a>, &'static Key> {
        let key = self.key(name);
        self.given(name).ok_or_else(|| {
            if let Unset::Required(example) = key.unset
                && !self.broken
            {
                let finding =
                    Finding::new(self.place_of(name), format!("missing `{}`, expected {}", key.path, key.expected()));
                self.findings.push(finding.hint(format!("add `{example}`")));
            }
            key
        })
    }

    /// Where to point about `name`: at the key, or at what lacks it.
    pub fn place_of(&self, name: &str) -> Place {
        self.entries.iter().find(|entry| entry.key == name).map_or(self.place, |entry| entry.key_place)
    }

    /// Writes down that `given` is not what its key takes.
    pub fn wrong(&self, given: Given) {
        self.findings.push(wrong(given));
    }

    /// Writes down something about this section.
    pub fn found(&self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Where this section is, for what it lacks.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Writes down each of the keys `names` that is given here, as they are for `others`.
    pub fn refuse(&self, names: &[&str], others: &str) {
        for given in names.iter().filter_map(|name| self.given(name)) {
            self.found(Finding::new(given.place, format!("`{}` is for {others}", given.key.path)).hint("remove it"));
        }
    }

    /// The text that holds where `name` is not given.
    pub fn default_text(&self, name: &str) -> &'static str {
        match self.key(name).unset {
            Unset::Value(value) => value,
            Unset::Required(_) | Unset::Means(_) => "",
        }
    }

    /// Whether it is no map, which was said already.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// The map under `name`, all defaults where it is not given.
    pub fn section(&self, name: &str) -> Section<'a> {
        match self.wanted(name) {
            Ok(given) => Section::new(given.key.path, given.node, given.place, self.findings),
            Err(key) => {
                let broken = self.broken || matches!(key.unset, Unset::Required(_));
                Section { broken, place: self.place_of(name), ..self.defaults(key.path) }
            }
        }
    }

    /// The map under `name`, where it is given.
    pub fn given_section(&self, name: &str) -> Option<Section<'a>> {
        self.given(name).map(|given| Section::new(given.key.path, given.node, given.place, self.findings))
    }

    /// The items under `name`, each as a section of `path`; none where it is not given or no list.
    pub fn items(&self, name: &str, path: &'static str) -> Option<Vec<Section<'a>>> {
        let given = self.given(name)?;
        let Kind::List(items) = &given.node.kind else {
            self.findings.push(wrong(given).hint("begin each item with `- `, or put them into `[ ]`"));
            return None;
        };
        Some(items.iter().map(|item| Section::new(path, item, item.place, self.findings)).collect())
    }

    /// The whole number under `name`.
    pub fn whole(&self, name: &str) -> u64 {
        self.number_or_default(name, number::whole)
    }

    /// The whole number under `name`, as a smaller type; the table of keys keeps it in range.
    pub fn small<T: TryFrom<u64> + Default>(&self, name: &str) -> T {
        T::try_from(self.whole(name)).unwrap_or_default()
    }

    /// The whole number under `name`, where it is given.
    pub fn given_small<T: TryFrom<u64>>(&self, name: &str) -> Option<T> {
        self.checked(self.given(name)?, number::whole).and_then(|value| T::try_from(value).ok())
    }

    /// The map under `name`, or the whole number that stands in short for the map with only its key `of`.
    pub fn section_or_short(&self, name: &str, of: &str) -> Result<Section<'a>, usize> {
        let Some(given) = self.given(name) else { return Ok(self.section(name)) };
        let Kind::Scalar(Scalar { value: ScalarValue::Whole(_) | ScalarValue::Number(_), .. }) = given.node.kind else {
            return Ok(self.section(name));
        };
        let key = keys::of(given.key.path).find(|key| key.name() == of).unwrap_or(given.key);
        let value = self.checked(Given { key, ..given }, number::whole).unwrap_or_default();
        Err(usize::try_from(value).unwrap_or_default())
    }

    /// The number under `name`.
    pub fn number(&self, name: &str) -> f64 {
        self.number_or_default(name, number::real)
    }

    /// The number under `name`, where it is given.
    pub fn given_number(&self, name: &str) -> Option<f64> {
        self.checked(self.given(name)?, number::real)
    }

    /// The two numbers under `name`, the lower one first, where they are given or there is a default.
    pub fn range(&self, name: &str) -> Option<[f64; 2]> {
        let Some(given) = self.given(name) else { return number::range(self.default_text(name)) };
        let Takes::Range(low, high) = given.key.takes else { return None };
        let bound = Takes::Number(low, high);
        let read = |node: &Node| match &node.kind {
            Kind::Scalar(scalar) => number::real(&bound, &scalar.value),
            _ => None,
        };
        let two = match &given.node.kind {
            Kind::List(items) if items.len() == 2 => read(&items[0]).zip(read(&items[1])),
            _ => None,
        };
        match two {
            Some((low, high)) if low > high => {
                let message = format!("`{name}` goes from {low} down to {high}, expected the lower number first");
                self.found(Finding::new(given.node.place, message).hint(format!("write [{high}, {low}]")));
            }
            Some((low, high)) => return Some([low, high]),
            None => self.wrong(given),
        }
        None
    }

    fn number_or_default<T: std::str::FromStr + Default>(
        &self,
        name: &str,
        read: fn(&Takes, &ScalarValue) -> Option<T>,
    ) -> T {
        match self.wanted(name) {
            Ok(given) => self.checked(given, read).unwrap_or_default(),
            Err(key) => match key.unset {
                Unset::Value(text) => text.parse().unwrap_or_default(),
                Unset::Required(_) | Unset::Means(_) => T::default(),
            },
        }
    }

    fn checked<T>(&self, given: Given, read: fn(&Takes, &ScalarValue) -> Option<T>) -> Option<T> {
        let value = match &given.node.kind {
            Kind::Scalar(scalar) => read(&given.key.takes, &scalar.value),
            _ => None,
        };
        if value.is_none() {
            self.wrong(given);
        }
        value
    }

    /// Whether `name` is true.
    pub fn flag(&self, name: &str) -> bool {
        match self.wanted(name) {
            Ok(Given {
                node: Node { kind: Kind::Scalar(Scalar { value: ScalarValue::Bool(flag), .. }), .. }, ..
            }) => *flag,
            Ok(given) => {
                self.wrong(given);
                false
            }
            Err(key) => matches!(key.unset, Unset::Value("true")),
        }
    }

    /// The text under `name`, where it is given.
    pub fn given_text(&self, name: &str) -> Option<(&'a str, Given<'a>)> {
        let given = self.given(name)?;
        let text = text_of(given.node);
        if text.is_none() {
            self.wrong(given);
        }
        Some((text?, given))
    }

    /// The required text under `name`.
    pub fn text(&self, name: &str) -> Option<(&'a str, Given<'a>)> {
        self.wanted(name).ok()?;
        self.given_text(name)
    }

    /// The word under `name`, where it is given.
    pub fn given_word<T: Deserialize<'static>>(&self, name: &str) -> Option<T> {
        let given = self.given(name)?;
        let Takes::Words(words) = given.key.takes else { return None };
        let word = text_of(given.node).and_then(|text| words.iter().find(|word| **word == text));
        if word.is_none() {
            self.wrong(given);
        }
        read_word(word?)
    }

    /// The word under `name`, or `stand_in` where a required one is missing or it is wrong.
    pub fn word<T: Deserialize<'static>>(&self, name: &str, stand_in: T) -> T {
        let word = match self.wanted(name).map_err(|key| key.unset) {
            Ok(_) => self.given_word(name),
            Err(Unset::Value(word)) => read_word(word),
            Err(Unset::Required(_) | Unset::Means(_)) => None,
        };
        word.unwrap_or(stand_in)
    }

    /// The form under `name`: one of its words, or a map of one of its keys. None where it is not given or wrong.
    pub fn form(&self, name: &str) -> Option<Form<'a>> {
        let given = self.given(name)?;
        let Takes::Choice(words) = given.key.takes else { return None };
        match &given.node.kind {
            Kind::Map(_) => {
                let section = Section::new(given.key.path, given.node, given.place, self.findings);
                section.only_key().map(|name| Form::Key(name, section))
            }
            _ => match text_of(given.node).filter(|text| words.contains(text)) {
                Some(word) => Some(Form::Word(word)),
                None => {
                    self.wrong(given);
                    None
                }
            },
        }
    }

    /// The name of the one key of this section; where there is none or more, that is written down.
    pub fn only_key(&self) -> Option<&'static str> {
        let known = keys::names(self.path);
        let mut given = self.entries.iter().filter(|entry| known.contains(&&*entry.key));
        match (given.next(), given.next()) {
            (Some(one), None) => self.with_value(one),
            (Some(one), Some(other)) => {
                let expected = keys::listed(&known, "or");
                let message = format!("{} holds more than one key, expected {expected}", keys::place_words(self.path));
                self.found(Finding::new(other.key_place, message).also(one.key_place, "this is one already"));
                None
            }
            (None, _) => {
                // An unknown key was said already.
                if self.entries.is_empty() && !self.broken {
                    let expected = keys::listed(&known, "or");
                    let message = format!("{} is empty, expected {expected}", keys::place_words(self.path));
                    self.found(Finding::new(self.place, message));
                }
                None
            }
        }
    }

    /// The name of `entry`, unless it has no value and needs one.
    fn with_value(&self, entry: &Entry) -> Option<&'static str> {
        let key = keys::of(self.path).find(|key| key.name() == entry.key)?;
        if entry.value.kind == Kind::Null && !matches!(key.takes, Takes::Map | Takes::MapOrUnits) {
            self.wrong(Given { key, place: entry.key_place, node: &entry.value });
            return None;
        }
        Some(key.name())
    }
}

/// The text that `node` is.
pub(super) fn text_of(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar(Scalar { typed, value: ScalarValue::Text }) => Some(typed),
        _ => None,
    }
}

fn read_word<T: Deserialize<'static>>(word: &'static str) -> Option<T> {
    let reader: StrDeserializer<'static, WordError> = word.into_deserializer();
    T::deserialize(reader).ok()
}
