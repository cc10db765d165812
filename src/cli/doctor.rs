//! `finetop doctor`.

use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
use super::output;
use crate::base::durable;
use crate::record::Store;
use crate::record::doctor::{self, Fault, Finding};
use crate::runner::lock::{self, Holder, RunnerLock};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Mend what can be mended.
    #[arg(long)]
    fix: bool,
}

/// Exit code 1 if something is left that is wrong.
pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let store = Store::open(store)?;
    let socket = lock::dead_socket(&store).map(|place| Finding { place, fault: Fault::Socket });
    // Held to the end: no runner may begin a run that is being mended.
    let _held = if args.fix { Some(hold(&store)?) } else { None };
    let mut findings = doctor::checkup(&store, durable::mask())?;
    findings.extend(socket);
    let left = findings.iter().filter(|finding| !see_to(finding, &store, args.fix)).count();
    match (findings.len(), left) {
        (0, _) => output::line("nothing is wrong"),
        (_, 0) => output::line("all of it is mended"),
        (_, 1) => output::line("1 thing is left"),
        (_, left) => output::line(&format!("{left} things are left")),
    }
    let is_mendable = findings.iter().any(|finding| finding.fault.remedy().is_some());
    if !args.fix && is_mendable {
        output::hint("`finetop doctor --fix` mends what can be mended");
    }
    Ok(ExitCode::from(u8::from(left > 0)))
}

fn hold(store: &Store) -> Result<RunnerLock, Failure> {
    let mut held = RunnerLock::take(store).map_err(|error| {
        Failure::failed(format!("nothing was mended: {error}"))
            .hint("`finetop runner stop` lets its runs finish and ends it; then try again")
    })?;
    held.sign(&Holder::this(std::path::PathBuf::new()))?;
    Ok(held)
}

/// Says what is wrong, and mends it where that is asked; whether it is mended.
fn see_to(finding: &Finding, store: &Store, fix: bool) -> bool {
    let place = finding.place.strip_prefix(store.root()).unwrap_or(&finding.place).display();
    let mended = if fix { finding.mend(store, durable::mask()) } else { Ok(false) };
    let said = match (&mended, finding.fault.remedy()) {
        (Ok(true), Some(remedy)) => format!("{place}: {}: {remedy}", finding.fault),
        _ => format!("{place}: {}", finding.fault),
    };
    output::line(&said);
    match mended {
        Ok(done) => done,
        Err(error) => {
            output::error(&error.to_string());
            false
        }
    }
}
