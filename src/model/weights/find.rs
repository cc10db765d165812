//! Finds the weights that an experiment names, downloading them where need be.

use std::path::{Path, PathBuf};

use super::super::error::Error;
use super::found::{CONFIG, Found, Side, TOKENIZER_CONFIG, TOKENIZERS};
use super::hub::{self, Download, Hub, Repo};
use crate::experiment::{Backbone, Home, KnownInput, KnownWeights, Model, Task, Weights};

/// The weights that are part of the program.
static SQUEEZENET1_1: &[u8] = include_bytes!("../../../experiments/weights/squeezenet1_1.safetensors");

/// Files of weights in a repository, the best first; an index names the files that the weights are split into.
const WEIGHTS: [&str; 4] =
    ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"];

/// Whether weights may be downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    Download,
    /// The network is not touched.
    CacheOnly,
}

/// Finds the weights of `spec`, and for an encoder its configuration and its tokenizer. `progress` is called now and then
/// while something is downloaded; where it answers false the work stops.
///
/// # Errors
/// Where something that is needed is missing, or the hub does not give it; [`Error::is_stopped`] where it was stopped.
pub fn find(spec: &Model, fetch: Fetch, progress: &mut dyn FnMut(Download) -> bool) -> Result<Found, Error> {
    let is_text = spec.backbone.task() == Task::TextClassification;
    let mut found = match &spec.weights {
        Weights::Random => Found::random().with(spec.tokenizer.as_deref().map(Side::beside).unwrap_or_default()),
        Weights::File(path) => Found::at(path.display().to_string(), vec![path.clone()]).with(Side::beside(path)),
        Weights::Known(known) => self::known(known, spec, fetch, progress)?,
        Weights::Hub { repo, revision, file } => {
            let hub = Hub::from_env()?;
            let repo = hub.repo(repo, revision.as_deref());
            OnHub { repo, is_text, tokenizer_given: spec.tokenizer.is_some() }.found(
                file.as_deref(),
                fetch,
                progress,
            )?
        }
    };
    if !is_text {
        found.side = Side::default();
        return Ok(found);
    }
    if let Some(tokenizer) = &spec.tokenizer {
        found.side.tokenizer = Some(tokenizer.clone());
    }
    if found.side.tokenizer.is_none() && !found.is_missing() {
        return Err(Error::NoTokenizer { origin: found.origin().to_string() });
    }
    Ok(found)
}

fn known(
    known: &KnownWeights,
    spec: &Model,
    fetch: Fetch,
    progress: &mut dyn FnMut(Download) -> bool,
) -> Result<Found, Error> {
    let mut found = match known.home {
        Home::BuiltIn => built_in(known.backbone)?,
        Home::Hub(repo) => {
            let hub = Hub::from_env()?;
            let is_text = matches!(known.input, KnownInput::Texts(_));
            let on_hub = OnHub { repo: hub.repo(repo, None), is_text, tokenizer_given: spec.tokenizer.is_some() };
            on_hub.found(None, fetch, progress)?
        }
    };
    match known.input {
        KnownInput::Pictures(preprocessing) => found.preprocessing = Some(preprocessing),
        KnownInput::Texts(size) => found.side.size = Some(size),
    }
    Ok(found)
}

fn built_in(backbone: Backbone) -> Result<Found, Error> {
    match backbone {
        Backbone::SqueezeNet1_1 => Ok(Found::built_in(SQUEEZENET1_1)),
        other => Err(Error::NotBuiltIn { backbone: other.name() }),
    }
}

/// Weights in a repository of a hub.
struct OnHub<'h> {
    repo: Repo<'h>,
    is_text: bool,
    tokenizer_given: bool,
}

type Progress<'p> = &'p mut dyn FnMut(Download) -> bool;

impl OnHub<'_> {
    /// `file`, or the best that there is; from the cache where it has all that is needed.
    fn found(&self, file: Option<&str>, fetch: Fetch, progress: Progress) -> Result<Found, Error> {
        let names: Vec<&str> = file.map_or_else(|| WEIGHTS.to_vec(), |file| vec![file]);
        if let Some(found) = self.cached(&self.repo, &names)? {
            return Ok(found);
        }
        if fetch == Fetch::CacheOnly {
            let side = Side { config: self.repo.cached(CONFIG).filter(|_| self.is_text), ..Side::default() };
            return Ok(Found::away(self.repo.address(file)).with(side));
        }
        match self.downloaded(&names, progress) {
            Err(Error::Hub(error)) if error.is_offline() => match self.repo.any_cached_revision() {
                Some(repo) => match self.cached(&repo, &names)? {
                    Some(found) => Ok(found),
                    None => Err(error.into()),
                },
                None => Err(error.into()),
            },
            other => other,
        }
    }

    /// All that is needed from the cache of `repo`, if it is all there.
    fn cached(&self, repo: &Repo, names: &[&str]) -> Result<Option<Found>, Error> {
        let Some(weights) = names.iter().find_map(|name| repo.cached(name)) else { return Ok(None) };
        let mut paths = vec![weights];
        if let [index] = &paths[..]
            && is_index(index)
        {
            let parts = parts(index)?;
            let cached: Option<Vec<PathBuf>> = parts.iter().map(|part| repo.cached(part)).collect();
            let Some(cached) = cached else { return Ok(None) };
            paths = cached;
        }
        let tokenizer = TOKENIZERS.iter().find_map(|name| repo.cached(name));
        let config = repo.cached(CONFIG);
        let is_whole = !self.is_text || (config.is_some() && (self.tokenizer_given || tokenizer.is_some()));
        Ok(is_whole.then(|| Found::at(repo.origin(), paths).with(Side { config, size: None, tokenizer })))
    }

    /// All that is needed, from the hub; small files first, since they tell soonest that something is wrong.
    fn downloaded(&self, names: &[&str], progress: Progress) -> Result<Found, Error> {
        let mut side = Side::default();
        if self.is_text {
            side.config = self.first(&[CONFIG], progress)?;
            if !self.tokenizer_given {
                side.tokenizer = self.first(&TOKENIZERS, progress)?;
                if side.tokenizer.as_ref().is_some_and(|path| path.ends_with("vocab.txt")) {
                    self.first(&[TOKENIZER_CONFIG], progress)?;
                }
            }
        }
        let weights = self.first(names, progress)?.ok_or_else(|| self.repo.has_none_of(names))?;
        let paths = if is_index(&weights) {
            parts(&weights)?.iter().map(|part| self.part(part, progress)).collect::<Result<_, _>>()?
        } else {
            vec![weights]
        };
        Ok(Found::at(self.repo.origin(), paths).with(side))
    }

    /// The first of `names` that the repository has.
    fn first(&self, names: &[&str], progress: Progress) -> Result<Option<PathBuf>, Error> {
        for name in names {
            if let Some(path) = self.repo.get(name, progress)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    fn part(&self, name: &str, progress: Progress) -> Result<PathBuf, Error> {
        self.repo.get(name, progress)?.ok_or_else(|| self.repo.has_none_of(&[name]).into())
    }
}

fn is_index(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".index.json")
}

/// The files that the index at `path` names, each once.
fn parts(path: &Path) -> Result<Vec<String>, Error> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: std::collections::BTreeMap<String, String>,
    }
    let not = |reason: String| Error::BadIndex { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    let index: Index = serde_json::from_str(&text).map_err(|e| not(e.to_string()))?;
    let mut parts: Vec<String> = index.weight_map.into_values().collect();
    parts.sort();
    parts.dedup();
    match parts.iter().find(|part| !hub::is_plain(part)) {
        Some(strange) => Err(not(format!("`{}` is no name of a file", strange.escape_debug()))),
        None if parts.is_empty() => Err(not("it names no file".into())),
        None => Ok(parts),
    }
}
