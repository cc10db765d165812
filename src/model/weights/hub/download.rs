//! Downloads a file into the cache: a part file that grows over attempts, checked when it is whole, and only then named.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::client::{About, Answer};
use super::error::Error;
use super::{Repo, is_plain};
use crate::base::clock::Stopwatch;
use crate::base::durable::{self, PartFile};

/// How far the download of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Download {
    /// In bytes, what earlier attempts left included.
    pub done: u64,
    /// In bytes.
    pub total: u64,
}

/// Bytes that are read at a time.
const BLOCK: usize = 128 << 10;
/// Between looks at a file that another process is downloading.
const LOOK: Duration = Duration::from_millis(100);
/// Another process that got no further in this time is not waited for.
const PATIENCE: Duration = Duration::from_secs(60);

type Progress<'p> = &'p mut dyn FnMut(Download) -> bool;

/// The file `file` of `repo`, in the cache; None where the repository does not have it.
pub(super) fn download(repo: &Repo, file: &str, progress: Progress) -> Result<Option<PathBuf>, Error> {
    let Some(wanted) = Wanted::ask(repo, file)? else { return Ok(None) };
    let blob = repo.in_cache().blob_path(&wanted.etag);
    if let Some(folder) = blob.parent() {
        durable::create_dir_all(folder)?;
    }
    if !blob.is_file() {
        let lock = wanted.lock(&blob, PATIENCE, progress)?;
        if !blob.is_file() {
            wanted.fetch(&blob, progress)?;
        }
        drop(lock);
    }
    repo.point(file, &wanted.commit, &blob).map(Some)
}

/// A file on the hub that the cache does not have.
struct Wanted<'a> {
    repo: &'a Repo<'a>,
    url: String,
    /// For messages.
    what: String,
    commit: String,
    etag: String,
    /// In bytes.
    size: u64,
}

impl<'a> Wanted<'a> {
    /// Asks the hub about the file; None where the repository does not have it.
    fn ask(repo: &'a Repo<'a>, file: &str) -> Result<Option<Wanted<'a>>, Error> {
        let (url, what) = (repo.url(file), repo.address(Some(file)));
        let Answer { status, about, .. } = repo.hub.client.get(&url, "bytes=0-0", &what)?;
        match (status, about.error.as_deref()) {
            (404, Some("RepoNotFound" | "RevisionNotFound")) => return Err(Error::NoRepo { what: repo.address(None) }),
            (404, _) => return Ok(None),
            (200 | 206, _) => {}
            _ => return Err(refused(repo, status, what)),
        }
        let garbage = |reason: &str| Error::Garbage { what: what.clone(), reason: reason.to_owned() };
        let About { commit, etag, size, .. } = about;
        let commit = commit.or_else(|| repo.revision.clone().filter(|revision| is_commit(revision)));
        let commit = commit.ok_or_else(|| garbage("it does not say which commit it is"))?;
        let etag = etag.ok_or_else(|| garbage("it does not say which version it is (no etag)"))?;
        let size = size.ok_or_else(|| garbage("it does not say how long it is"))?;
        if !is_plain(&commit) || !is_plain(&etag) {
            return Err(garbage("its commit or etag is none"));
        }
        Ok(Some(Wanted { repo, url, what, commit, etag, size }))
    }

    /// Waits until no other process downloads it, or stops waiting when that one gets no further for `patience`.
    fn lock(&self, blob: &Path, patience: Duration, progress: Progress) -> Result<File, Error> {
        let (path, part) = (blob.with_added_extension("lock"), part_of(blob));
        let (mut since, mut before) = (Stopwatch::start(), 0);
        loop {
            if let Some(lock) = durable::try_lock(&path)? {
                return Ok(lock);
            }
            let done = std::fs::metadata(&part).map_or(0, |metadata| metadata.len());
            if done != before {
                (since, before) = (Stopwatch::start(), done);
            }
            if since.elapsed() > patience {
                return Err(Error::Locked { what: self.what.clone() });
            }
            if !progress(Download { done, total: self.size }) {
                return Err(Error::Stopped);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Brings the file to `blob`, going on with what an earlier attempt left.
    fn fetch(&self, blob: &Path, progress: Progress) -> Result<(), Error> {
        let mut part = PartFile::open(&part_of(blob))?;
        if part.length() > self.size {
            part.restart()?;
        }
        if part.length() < self.size {
            self.go_on(&mut part, progress)?;
        }
        if let Err(reason) = self.check(&part)? {
            part.restart()?;
            return Err(Error::Damaged { what: self.what.clone(), reason });
        }
        Ok(part.finish(blob)?)
    }

    /// Asks for what is missing and adds it.
    fn go_on(&self, part: &mut PartFile, progress: Progress) -> Result<(), Error> {
        let mut answer = self.rest(part.length())?;
        if answer.status == 416 && part.length() > 0 {
            part.restart()?;
            answer = self.rest(0)?;
        }
        let garbage = |reason: &str| Error::Garbage { what: self.what.clone(), reason: reason.to_owned() };
        match (answer.status, answer.range) {
            (206, Some(range)) if range.start == part.length() && range.total == self.size => {}
            (206, _) => return Err(garbage("it gave another part than it was asked for")),
            // It does not know parts and begins at the beginning.
            (200, _) => part.restart()?,
            (status, _) => return Err(refused(self.repo, status, self.what.clone())),
        }
        let told = self.receive(&mut answer.body.into_reader(), part, progress);
        // What came is kept in any case.
        part.sync()?;
        told
    }

    fn rest(&self, from: u64) -> Result<Answer, Error> {
        self.repo.hub.client.get(&self.url, &format!("bytes={from}-"), &self.what)
    }

    fn receive(&self, body: &mut dyn Read, part: &mut PartFile, progress: Progress) -> Result<(), Error> {
        let mut block = vec![0; BLOCK];
        loop {
            if !progress(Download { done: part.length(), total: self.size }) {
                return Err(Error::Stopped);
            }
            // One byte more than is wanted would show that the file is longer.
            let room = (self.size - part.length()).saturating_add(1).min(BLOCK as u64) as usize;
            let came = match body.read(&mut block[..room]) {
                Ok(came) => came,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                // The connection may end unclean after the last byte.
                Err(_) if part.length() == self.size => return Ok(()),
                Err(error) => return Err(self.broke_off(part, error.to_string())),
            };
            if part.length() + came as u64 > self.size {
                part.restart()?;
                let reason = format!("it is longer than {} bytes", self.size);
                return Err(Error::Damaged { what: self.what.clone(), reason });
            }
            part.append(&block[..came])?;
            match came {
                0 if part.length() == self.size => return Ok(()),
                0 => return Err(self.broke_off(part, "the connection ended".into())),
                _ => {}
            }
        }
    }

    fn broke_off(&self, part: &PartFile, reason: String) -> Error {
        Error::BrokeOff { what: self.what.clone(), done: part.length(), total: self.size, reason }
    }

    /// Whether all is there as announced; the etag of a large file is its SHA-256.
    fn check(&self, part: &PartFile) -> Result<Result<(), String>, Error> {
        if part.length() != self.size {
            return Ok(Err(format!("{} bytes instead of {}", part.length(), self.size)));
        }
        if !is_sha256(&self.etag) {
            return Ok(Ok(()));
        }
        let unreadable = |source: std::io::Error| self.broke_off(part, source.to_string());
        let mut file = File::open(part.path()).map_err(unreadable)?;
        let (mut hash, mut block) = (Sha256::new(), vec![0; BLOCK]);
        loop {
            match file.read(&mut block).map_err(unreadable)? {
                0 => break,
                read => hash.update(&block[..read]),
            }
        }
        let found: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(if found == self.etag { Ok(()) } else { Err(format!("its SHA-256 is {found} instead of {}", self.etag)) })
    }
}

/// The part of a file that is to become `blob`. Not the name that hf-hub gives it: that crate adds to it whatever a server
/// answers.
fn part_of(blob: &Path) -> PathBuf {
    blob.with_added_extension("finetop.part")
}

fn refused(repo: &Repo, status: u16, what: String) -> Error {
    match status {
        401 | 403 => Error::Refused { what: repo.address(None), status, has_token: repo.hub.client.has_token() },
        404 => Error::NoRepo { what: repo.address(None) },
        _ => Error::Status { what, status },
    }
}

fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_sha256(etag: &str) -> bool {
    etag.len() == 64 && etag.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}
