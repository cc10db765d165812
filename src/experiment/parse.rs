//! From a file to an experiment: the one function between what was typed and what it means.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::mistakes::{Finding, Findings, Mistakes};
use super::overrides::Override;
use super::paths::Paths;
use super::place::Source;
use super::tree::{self, Kind, Node};
use super::{Experiment, read};
use crate::base::text;

/// The largest experiment file, in bytes.
pub const MAX_BYTES: u64 = 1 << 20;

const EXAMPLE: &str = "the least that it needs is `data: { train: DIR, val_split: 0.2 }` and \
                       `model: { backbone: squeezenet1_1, weights: FILE.safetensors }`";

/// An experiment together with the file's text, byte for byte as typed.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    pub experiment: Experiment,
    pub text: String,
}

/// Where a text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What the file is called in messages: its path as the user typed it.
    pub shown: String,
    /// The file's folder, absolute: what paths in it are relative to.
    pub folder: PathBuf,
    /// The file's name without its ending: what the experiment is called where it does not say.
    pub stem: String,
}

impl Origin {
    /// The file at `path`.
    ///
    /// # Errors
    /// If the working folder is gone and `path` is relative.
    pub fn of(path: &Path) -> io::Result<Self> {
        let absolute = std::path::absolute(path)?;
        Ok(Origin {
            shown: path.to_string_lossy().into_owned(),
            folder: absolute.parent().unwrap_or(&absolute).to_owned(),
            stem: absolute.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        })
    }
}

/// Reads the experiment file at `path`, and looks whether the folders and files that it names are there.
///
/// # Errors
/// Every mistake of the file and of `overrides`; or why the file cannot be read.
pub fn load(path: &Path, overrides: &[Override]) -> Result<Loaded, Mistakes> {
    let unreadable = |finding| Mistakes::unreadable(&path.to_string_lossy(), finding);
    let text = read_text(path).map_err(unreadable)?;
    let origin = Origin::of(path).map_err(|error| unreadable(Finding::whole(error.to_string())))?;
    let experiment = understand(&text, &origin, overrides, |paths, findings| paths.check(findings))?;
    Ok(Loaded { experiment, text })
}

/// Reads the experiment that `text` is, without looking at any file.
///
/// # Errors
/// Every mistake of the text and of `overrides`.
pub fn parse(text: &str, origin: &Origin, overrides: &[Override]) -> Result<Experiment, Mistakes> {
    understand(text, origin, overrides, |_, _| {})
}

fn understand(
    text: &str,
    origin: &Origin,
    overrides: &[Override],
    check_paths: fn(Paths<'_>, &Findings),
) -> Result<Experiment, Mistakes> {
    let findings = Findings::default();
    let paths = Paths::new(&origin.folder);
    let experiment = match tree_of(text, overrides, &findings) {
        Ok(root) => {
            let experiment = read::experiment(&root, &origin.stem, &paths, &findings);
            check_paths(paths, &findings);
            Some(experiment)
        }
        Err(finding) => {
            findings.push(finding);
            None
        }
    };
    let file = Source::new(Some(origin.shown.clone()), text.to_owned());
    let sources = std::iter::once(file).chain(overrides.iter().map(Override::source)).collect();
    findings.into_result(sources, experiment)
}

/// The file's tree with the overrides applied.
fn tree_of(text: &str, overrides: &[Override], findings: &Findings) -> Result<Node, Finding> {
    if text.len() as u64 > MAX_BYTES {
        return Err(too_large(text.len() as u64));
    }
    let mut root = tree::read(text, 0, 0, findings)?;
    if root.kind == Kind::Null {
        let what =
            if text.trim().is_empty() { "the file is empty" } else { "the file holds no experiment, only comments" };
        return Err(Finding::whole(what).hint(EXAMPLE));
    }
    for (set, source) in overrides.iter().zip(1..) {
        set.apply(&mut root, source, findings);
    }
    Ok(root)
}

fn too_large(bytes: u64) -> Finding {
    let message = format!("the file has {}, an experiment has at most {}", text::bytes(bytes), text::bytes(MAX_BYTES));
    Finding::whole(message).hint("is this the right file?")
}

fn read_text(path: &Path) -> Result<String, Finding> {
    let failed = |error: io::Error| Finding::whole(format!("could not read the file: {error}"));
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(Finding::whole("this is a folder, expected an experiment file").hint("name a .yaml file in it"));
    }
    if !metadata.is_file() {
        return Err(Finding::whole("this is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large(metadata.len().max(MAX_BYTES + 1)));
    }
    decoded(bytes)
}

fn decoded(bytes: Vec<u8>) -> Result<String, Finding> {
    if bytes.contains(&0) {
        return Err(Finding::whole("the file is binary, expected YAML text in UTF-8").hint("is this the right file?"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let message = format!("the file is not UTF-8: line {line} holds a byte that is no text");
        Finding::whole(message).hint("save it as UTF-8")
    })
}
