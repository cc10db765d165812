//! A model hub, and its cache on this machine, in the layout that Python's `huggingface_hub` shares:
//! `models--OWNER--REPO/{blobs/ETAG, snapshots/COMMIT/FILE → blobs, refs/REVISION}`.
//!
//! Invariants:
//! - What is in the cache is used as it is, and the network is not asked again.
//! - A blob has its name only once all of it is there, of the length and (where the hub tells one) the SHA-256 that the
//!   hub announced; until then it is a part file, which the next attempt goes on with.
//! - What the hub answers is data: nothing of it is ever taken for a path without being checked.

mod client;
mod download;
mod error;

use std::path::{Path, PathBuf};

use hf_hub::{Cache, RepoType};

pub use download::Download;
pub use error::Error;

use crate::base::durable;
use client::Client;

/// Where the hub is, where nothing else is said.
const ENDPOINT: &str = "https://huggingface.co";
/// The revision where none is given.
const MAIN: &str = "main";

/// A hub, and the cache of what came from it.
#[derive(Debug)]
pub(super) struct Hub {
    client: Client,
    cache: Cache,
    /// Set by HF_HUB_OFFLINE: it is not asked.
    is_offline: bool,
}

impl Hub {
    /// As the environment has it: `HF_HOME` (the cache), `HF_ENDPOINT`, `HF_TOKEN` (or the file `token` in `HF_HOME`) and
    /// `HF_HUB_OFFLINE`.
    ///
    /// # Errors
    /// Where no cache can be: neither `HF_HOME` nor a home folder is known.
    pub fn from_env() -> Result<Hub, Error> {
        let said = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let home = match said("HF_HOME") {
            Some(home) => PathBuf::from(home),
            None => std::env::home_dir().ok_or(Error::NoHome)?.join(".cache/huggingface"),
        };
        let cache = Cache::new(home.join("hub"));
        let token = said("HF_TOKEN").map(|token| token.trim().to_owned()).or_else(|| cache.token());
        let endpoint = said("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
        let is_offline = said("HF_HUB_OFFLINE")
            .is_some_and(|value| matches!(value.to_lowercase().as_str(), "1" | "true" | "yes" | "on"));
        Ok(Hub { client: Client::new(endpoint.trim_end_matches('/').to_owned(), token), cache, is_offline })
    }

    /// The repository `name` (`OWNER/REPO`) at `revision`, a branch, a tag or a commit.
    pub fn repo(&self, name: &str, revision: Option<&str>) -> Repo<'_> {
        Repo { hub: self, name: name.to_owned(), revision: revision.map(str::to_owned), note: None }
    }
}

/// A repository at a revision.
#[derive(Debug)]
pub(super) struct Repo<'h> {
    hub: &'h Hub,
    name: String,
    /// None: `main`.
    revision: Option<String>,
    /// What is to be said of it beside where it is.
    note: Option<&'static str>,
}

impl<'h> Repo<'h> {
    /// The file in the cache, where it is there.
    pub fn cached(&self, file: &str) -> Option<PathBuf> {
        let path = self.in_cache().pointer_path(&self.commit()?).join(file);
        path.is_file().then_some(path)
    }

    /// The file from the cache, or from the hub into the cache; None where the repository does not have it.
    ///
    /// # Errors
    /// Where the hub cannot be reached or does not give it, or it cannot be written.
    pub fn get(&self, file: &str, progress: &mut dyn FnMut(Download) -> bool) -> Result<Option<PathBuf>, Error> {
        match self.cached(file) {
            Some(path) => Ok(Some(path)),
            None if self.hub.is_offline => Err(Error::Offline { what: self.address(Some(file)) }),
            None => download::download(self, file, progress),
        }
    }

    /// The same repository at a revision that is in the cache, for where the hub cannot be asked for the newest; None
    /// where a revision was asked for.
    pub fn any_cached_revision(&self) -> Option<Repo<'h>> {
        if self.revision.is_some() {
            return None;
        }
        let snapshots = self.in_cache().pointer_path("");
        let mut commits: Vec<_> = std::fs::read_dir(snapshots).ok()?.flatten().collect();
        commits.sort_by_key(|entry| entry.metadata().and_then(|metadata| metadata.modified()).ok());
        let revision = commits.pop()?.file_name().into_string().ok()?;
        let note = Some("the hub could not be asked for a newer one");
        Some(Repo { hub: self.hub, name: self.name.clone(), revision: Some(revision), note })
    }

    /// Where it is, as an experiment names it.
    pub fn address(&self, file: Option<&str>) -> String {
        let at = self.revision.as_ref().map(|revision| format!("@{revision}")).unwrap_or_default();
        let file = file.map(|file| format!("/{file}")).unwrap_or_default();
        format!("hf:{}{at}{file}", self.name)
    }

    /// Where it is, with the commit that is in the cache.
    pub fn origin(&self) -> String {
        let mut origin = format!("hf:{}", self.name);
        if let Some(commit) = self.commit() {
            origin.extend(["@", commit.get(..12).unwrap_or(&commit)]);
        }
        if let Some(note) = self.note {
            origin.extend([" (", note, ")"]);
        }
        origin
    }

    /// That it has none of `files`.
    pub fn has_none_of(&self, files: &[&str]) -> Error {
        let files = files.iter().map(|file| (*file).to_owned()).collect();
        Error::NotThere { what: self.address(None), files }
    }

    fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or(MAIN)
    }

    /// The commit that the cache has for the revision.
    fn commit(&self) -> Option<String> {
        let folder = self.in_cache().pointer_path("");
        let of_ref = std::fs::read_to_string(self.ref_path()).ok().map(|commit| commit.trim().to_owned());
        let commit = of_ref.unwrap_or_else(|| self.revision().to_owned());
        (is_plain(&commit) && folder.join(&commit).is_dir()).then_some(commit)
    }

    fn in_cache(&self) -> hf_hub::CacheRepo {
        self.hub.cache.repo(self.id())
    }

    fn id(&self) -> hf_hub::Repo {
        hf_hub::Repo::with_revision(self.name.clone(), RepoType::Model, self.revision().to_owned())
    }

    fn ref_path(&self) -> PathBuf {
        self.hub.cache.path().join(self.id().folder_name()).join("refs").join(self.revision())
    }

    /// Its address on the hub.
    fn url(&self, file: &str) -> String {
        let id = self.id();
        format!("{}/{}/resolve/{}/{file}", self.hub.client.endpoint(), id.url(), id.url_revision())
    }

    /// Makes the blob that is whole known as `file` of `commit`, and the commit as what the revision is.
    fn point(&self, file: &str, commit: &str, blob: &Path) -> Result<PathBuf, Error> {
        let pointer = self.in_cache().pointer_path(commit).join(file);
        if let Some(folder) = pointer.parent() {
            durable::create_dir_all(folder)?;
        }
        let up = "../".repeat(2 + file.matches('/').count());
        let name = blob.file_name().unwrap_or_default();
        durable::symlink(&Path::new(&format!("{up}blobs")).join(name), &pointer)?;
        if self.revision() != commit {
            let path = self.ref_path();
            if let Some(folder) = path.parent() {
                durable::create_dir_all(folder)?;
            }
            durable::write(&path, commit.as_bytes())?;
        }
        Ok(pointer)
    }
}

/// Whether `name` can be the name of a file: letters, digits, dots, dashes and underscores, and no way out of a folder.
pub(super) fn is_plain(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && !name.starts_with('.')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}
