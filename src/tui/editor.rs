//! A text in the person's editor, which has the terminal to itself meanwhile.
//!
//! Invariant: the editor works on a copy in a folder of its own, which goes with it unless somebody keeps it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Arc;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use futures_util::stream::{SelectAll, select_all};

use super::action::News;
use super::terminal;
use crate::base::durable;

/// Why there is no edited text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Copy(#[from] durable::Error),
    #[error("could not read the edited copy: {0}")]
    Read(io::Error),
    #[error("could not start `{editor}`: {error}")]
    Start { editor: String, error: io::Error },
    #[error("`{editor}` ended with {status}; nothing was changed")]
    Ended { editor: String, status: ExitStatus },
}

impl Error {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Error::Copy(_) => "choose another folder with the variable TMPDIR",
            Error::Read(_) | Error::Start { .. } | Error::Ended { .. } => "choose an editor with the variable EDITOR",
        }
    }
}

/// A copy of a text, in a folder of its own that goes with it, unless it is kept.
#[derive(Debug)]
pub struct Copy {
    folder: PathBuf,
    file: PathBuf,
}

impl Copy {
    /// Writes the copy, as a file called `name`.
    pub fn of(text: &[u8], name: &str) -> Result<Copy, Error> {
        let folder = new_folder()?;
        let copy = Copy { file: folder.join(name), folder };
        durable::write(&copy.file, text)?;
        Ok(copy)
    }

    /// The file that is edited.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What it holds now.
    pub fn read(&self) -> Result<Vec<u8>, Error> {
        durable::read(&self.file).map_err(Error::Read)
    }

    /// Leaves the file where it is, and says where.
    pub fn keep(mut self) -> PathBuf {
        self.folder = PathBuf::new();
        std::mem::take(&mut self.file)
    }

    /// Waits for `$VISUAL`, `$EDITOR` or vi to be done with it.
    pub fn edit(&self) -> Result<(), Error> {
        let named = |name| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty());
        let editor = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| "vi".to_owned());
        // As git does: the variable may hold arguments.
        let shell = format!("{editor} \"$1\"");
        match Command::new("/bin/sh").arg("-c").arg(shell).arg("sh").arg(&self.file).status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Error::Ended { editor, status }),
            Err(error) => Err(Error::Start { editor, error }),
        }
    }
}

/// A folder that was not there before.
fn new_folder() -> Result<PathBuf, durable::Error> {
    let mut number = 0;
    loop {
        let folder = std::env::temp_dir().join(format!("finetop-edit-{}-{number}", std::process::id()));
        match durable::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => number += 1,
            Err(error) => return Err(error),
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if !self.folder.as_os_str().is_empty() {
            let _ = durable::remove_dir_all(&self.folder);
        }
    }
}

/// A text to be edited, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub name: String,
    pub text: Arc<str>,
}

impl Edit {
    /// What the editor made of it; None where that is what it was.
    fn edited(&self) -> Result<Option<Arc<str>>, Error> {
        let copy = Copy::of(self.text.as_bytes(), &self.name)?;
        copy.edit()?;
        let now = copy.read()?;
        Ok((now != self.text.as_bytes()).then(|| String::from_utf8_lossy(&now).into()))
    }
}

/// Where the events of the terminal come from, unless an editor has it.
///
/// A selection of one: it asks when it was woken, and not whenever the loop is. Each needless question would give up the
/// processor some twenty times, since crossterm's own thread has the lock that the question tries to take.
pub struct Keyboard(Option<SelectAll<EventStream>>);

impl Keyboard {
    /// Listens.
    pub fn listen() -> Self {
        Keyboard(Some(select_all([EventStream::new()])))
    }

    /// The next event; none comes while an editor has the terminal.
    pub async fn next(&mut self) -> Option<io::Result<Event>> {
        match &mut self.0 {
            Some(events) => events.next().await,
            None => std::future::pending().await,
        }
    }

    /// Whether the terminal is ours.
    pub fn is_ours(&self) -> bool {
        self.0.is_some()
    }

    /// Gives the terminal to the editor, on a thread of its own, and says what it made of the text.
    pub fn lend(&mut self, edit: Edit, say: impl FnOnce(News) + Send + 'static) {
        // Whoever listens would take the editor's keys.
        self.0 = None;
        std::thread::spawn(move || {
            let edited = terminal::lent(|| edit.edited());
            say(News::Edited(edited.map_err(|error| format!("{error}; {}", error.hint()))));
        });
    }

    /// The editor is done: listens again.
    pub fn take_back(&mut self) {
        self.0.get_or_insert_with(|| select_all([EventStream::new()]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_goes_with_its_folder_and_no_two_share_one() {
        let (first, second) = (Copy::of(b"a", "x.yaml").unwrap(), Copy::of(b"b", "x.yaml").unwrap());
        assert_ne!(first.file(), second.file());
        assert_eq!((first.read().unwrap(), second.read().unwrap()), (b"a".to_vec(), b"b".to_vec()));
        let folder = first.folder.clone();
        drop(first);
        assert!(!folder.exists() && second.file().exists());
        let kept = second.keep();
        assert_eq!(std::fs::read(&kept).unwrap(), b"b");
        std::fs::remove_dir_all(kept.parent().unwrap()).unwrap();
    }
}
