//! `extends`: a file together with those that it starts from, as one tree.
//!
//! Invariants: a place's source is the number of its file, 0 the file itself, 1 its base, and so on; maps are merged key by
//! key, everything else is replaced by the file that is nearer; `extends` is followed and gone, and no base names the run.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::file::{self, MAX_BYTES, Origin};
use super::mistakes::{Finding, Findings};
use super::paths::{self, Wants};
use super::place::{Place, Source};
use super::section::text_of;
use super::tree::{self, Entry, Kind, Node};

/// The most files that one is made of.
const MOST_FILES: usize = 16;

const EXAMPLE: &str = "the least that it needs is `data: { train: DIR, val_split: 0.2 }` and \
                       `model: { backbone: squeezenet1_1, weights: FILE.safetensors }`";

/// What may be looked at beside the text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look<'a> {
    /// Files, the text's own being this one.
    AtFiles(&'a Path),
    AtNothing,
}

/// The files that were read, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub sources: Vec<Source>,
    /// What paths in each are relative to, absolute.
    pub folders: Vec<PathBuf>,
    /// Bytes of them all.
    pub bytes: usize,
}

impl Files {
    fn add(&mut self, text: &str, origin: &Origin) {
        self.sources.push(Source::new(Some(origin.shown.clone()), text.to_owned()));
        self.folders.push(origin.folder.clone());
        self.bytes += text.len();
    }
}

/// Reads `text`, which comes from `origin`, and what it extends, into `files` and one tree.
///
/// # Errors
/// What keeps one of the files from being read.
pub(super) fn read(
    text: &str,
    origin: &Origin,
    look: Look,
    files: &mut Files,
    findings: &Findings,
) -> Result<Node, Finding> {
    files.add(text, origin);
    let mut root = tree_of(text, 0, findings)?;
    let mut extends = base_of(&mut root)?;
    let Look::AtFiles(path) = look else {
        return match extends {
            Some((_, at)) => {
                Err(Finding::new(at, "`extends` cannot be followed here").hint("write out what it stands for"))
            }
            None => Ok(root),
        };
    };
    let mut bases = Vec::new();
    let mut path = path.to_owned();
    let mut seen = vec![real(&path)];
    while let Some((typed, at)) = extends {
        path = path.parent().unwrap_or(Path::new("")).join(&typed);
        may_be_base(&path, &typed, at, &mut seen)?;
        let of_base = |finding: Finding| finding.within(at, &path.to_string_lossy());
        let (text, origin) = file::read(&path).map_err(of_base)?;
        let number = files.sources.len();
        files.add(&text, &origin);
        let mut base = tree_of(&text, number, findings).and_then(if_map).map_err(of_base)?;
        extends = base_of(&mut base)?;
        taken(&mut base, "name");
        bases.push(base);
    }
    let farthest_first = bases.into_iter().rev();
    Ok(match farthest_first.reduce(merged) {
        Some(base) => merged(base, root),
        None => root,
    })
}

/// Remembers `path` in `seen`, unless it cannot be the next base.
fn may_be_base(path: &Path, typed: &str, at: Place, seen: &mut Vec<PathBuf>) -> Result<(), Finding> {
    if seen.len() == MOST_FILES {
        let message = format!("more than {} files extend each other one by one", MOST_FILES - 1);
        return Err(Finding::new(at, message).hint("put what they share into one base"));
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if let Some(finding) = paths::problem(absolute, typed, at, Wants::File) {
        return Err(finding);
    }
    let real = real(path);
    if seen.contains(&real) {
        let what =
            if seen.len() == 1 { "the file extends itself" } else { "these files extend each other in a circle" };
        return Err(Finding::new(at, what).hint("a base must not lead back"));
    }
    seen.push(real);
    Ok(())
}

/// The path without links, so that two names of one file are one.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// The path that `extends` of `root` has, and where; `root` loses the key.
fn base_of(root: &mut Node) -> Result<Option<(String, Place)>, Finding> {
    let Some(Entry { value, .. }) = taken(root, "extends").filter(|entry| entry.value.kind != Kind::Null) else {
        return Ok(None);
    };
    match text_of(&value) {
        Some("") => Err(Finding::new(value.place, "the path is empty, expected that of an experiment file")),
        Some(text) => Ok(Some((text.to_owned(), value.place))),
        None => {
            let message = format!("`extends` is {}, expected the path of an experiment file", value.described());
            Err(Finding::new(value.place, message).hint("a file extends one other, which may extend a third"))
        }
    }
}

/// The entry `key` of the map `node`, which loses it.
pub(super) fn taken(node: &mut Node, key: &str) -> Option<Entry> {
    let Kind::Map(entries) = &mut node.kind else { return None };
    let at = entries.iter().position(|entry| entry.key == key)?;
    Some(entries.remove(at))
}

/// The tree of one file.
fn tree_of(text: &str, source: usize, findings: &Findings) -> Result<Node, Finding> {
    if text.len() as u64 > MAX_BYTES {
        return Err(file::too_large(text.len() as u64));
    }
    let root = tree::read(text, source, 0, findings)?;
    if root.kind == Kind::Null {
        let what =
            if text.trim().is_empty() { "the file is empty" } else { "the file holds no experiment, only comments" };
        return Err(Finding::whole(what).hint(EXAMPLE));
    }
    Ok(root)
}

fn if_map(base: Node) -> Result<Node, Finding> {
    match base.kind {
        Kind::Map(_) => Ok(base),
        _ => Err(Finding::whole(format!("the file is {}, expected a map of keys", base.described()))),
    }
}

/// `nearer` on top of `base`.
fn merged(base: Node, nearer: Node) -> Node {
    let kind = match (base.kind, nearer.kind) {
        (Kind::Map(base), Kind::Map(nearer)) => Kind::Map(merged_entries(base, nearer)),
        (_, kind) => kind,
    };
    Node { place: nearer.place, kind }
}

/// In the order of the base, what is new after it.
fn merged_entries(base: Vec<Entry>, nearer: Vec<Entry>) -> Vec<Entry> {
    let mut nearer: Vec<Option<Entry>> = nearer.into_iter().map(Some).collect();
    let mut at: HashMap<String, usize> = HashMap::new();
    for (index, entry) in nearer.iter().flatten().enumerate() {
        at.insert(entry.key.clone(), index);
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(base.len() + nearer.len());
    for entry in base {
        entries.push(match at.get(&entry.key).and_then(|&index| nearer[index].take()) {
            Some(over) => Entry { value: merged(entry.value, over.value), ..over },
            None => entry,
        });
    }
    entries.extend(nearer.into_iter().flatten());
    entries
}
