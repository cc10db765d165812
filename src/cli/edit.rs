//! `finetop edit ID`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::failure::Failure;
use super::load::{self, Changes};
use super::select::Selected;
use super::{client, output, select};
use crate::base::durable;
use crate::experiment::Experiment;
use crate::record::state::Status;
use crate::record::{RunDir, Store, view};
use crate::runner::Request;
use crate::runner::needs::needs;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Number, name, or a beginning that only one run has. `finetop pause` keeps it from starting meanwhile.
    #[arg(value_name = "ID")]
    run: String,
    /// Without --set, `$VISUAL` or `$EDITOR` opens all that the run will do.
    #[command(flatten)]
    changes: Changes,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let dir = select::run(store, &args.run)?;
    let status = view::load_life(&dir).status();
    if !matches!(status, Status::Queued | Status::Paused) {
        return Err(Failure::failed(format!("{} is {}", dir.folder_name(), status.name()))
            .hint("only a queued or paused one can be edited"));
    }
    let edited = if args.changes.is_empty() {
        match Copy::of(&dir)?.edited()? {
            Some(experiment) => experiment,
            None => {
                output::note("nothing was changed");
                return Ok(ExitCode::SUCCESS);
            }
        }
    } else {
        read(&dir.resolved_yaml(), &args.changes)?
    };
    if edited.name != view::load_life(&dir).name {
        return Err(Failure::usage("the name of a run cannot be changed").hint("`finetop add` queues another one"));
    }
    let (id, resolved, needs) = (dir.id(), edited.to_yaml(), needs(&edited));
    let selected = Selected { store: Store::open(store)?, runs: vec![dir], is_broad: false };
    client::act_on(&selected, |_| Request::Edit { id, resolved, needs })
}

/// The one experiment that a file is, with some changes. Its mistakes are printed.
fn read(path: &Path, changes: &Changes) -> Result<Experiment, Failure> {
    let mut loaded = load::all(&[path.to_owned()], changes)?;
    match (loaded.pop(), loaded.is_empty()) {
        (Some(loaded), true) => Ok(loaded.experiment),
        _ => Err(Failure::usage("a run is one experiment, and cannot become several")),
    }
}

/// A copy of what a run will do, in a folder of its own that goes with it.
struct Copy {
    folder: PathBuf,
    file: PathBuf,
    before: Vec<u8>,
}

impl Copy {
    fn of(dir: &RunDir) -> Result<Self, Failure> {
        let before = std::fs::read(dir.resolved_yaml())
            .map_err(|error| Failure::failed(format!("could not read {}: {error}", dir.resolved_yaml().display())))?;
        let folder = std::env::temp_dir().join(format!("finetop-edit-{}-{}", dir.id(), std::process::id()));
        durable::create_dir(&folder).map_err(cannot_write)?;
        let copy = Copy { file: folder.join(format!("{}.yaml", dir.name())), folder, before };
        durable::write(&copy.file, &copy.before).map_err(cannot_write)?;
        Ok(copy)
    }

    /// What the editor made of it; None where that is what it was. One with mistakes is opened again, if somebody is there
    /// to be asked.
    fn edited(&self) -> Result<Option<Experiment>, Failure> {
        loop {
            self.open()?;
            if std::fs::read(&self.file).is_ok_and(|now| now == self.before) {
                return Ok(None);
            }
            match read(&self.file, &Changes::default()) {
                Ok(experiment) => return Ok(Some(experiment)),
                Err(failure) if !wants_to_try_again() => return Err(failure),
                Err(_) => {}
            }
        }
    }

    fn open(&self) -> Result<(), Failure> {
        let named = |name| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty());
        let editor = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| "vi".to_owned());
        // As git does: the variable may hold arguments.
        let ended =
            Command::new("/bin/sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(&self.file).status();
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failure::failed(format!("`{editor}` ended with {status}; nothing was changed"))
                .hint("choose an editor with the variable EDITOR, or change keys with --set KEY=VALUE")),
            Err(error) => Err(Failure::failed(format!("could not start `{editor}`: {error}"))),
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = durable::remove_dir_all(&self.folder);
    }
}

fn cannot_write(error: durable::Error) -> Failure {
    Failure::failed(error.to_string()).hint("choose another folder with the variable TMPDIR")
}

fn wants_to_try_again() -> bool {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    output::say("edit it again? [Y/n]");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer).unwrap_or(0);
    read > 0 && !answer.trim().eq_ignore_ascii_case("n")
}
