//! One experiment without a runner: this process creates the run and supervises it, for `finetop run`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::chores::keep_summary;
use super::error::Error;
use super::lock::host;
use super::log::Log;
use super::options::{ServeOptions, WorkerCommand};
use super::outcome::Wish;
use super::process;
use super::protocol::NewExperiment;
use super::queue::capacity::Share;
use super::signals::Signals;
use super::supervisor::Supervisor;
use crate::record::life::{ExecutorKind, LifeEvent};
use crate::record::{NewRun, RunDir, Store, Watcher};

/// How often to look for news where the kernel does not tell.
const LOOK: Duration = Duration::from_secs(1);

/// Trains `experiment` as a new run of `store` and returns when it is over; `look` is called whenever there may be news.
/// SIGINT, SIGTERM and SIGHUP cancel it at a checkpoint, a second one kills it.
pub fn foreground(store: &Store, experiment: NewExperiment, look: &mut dyn FnMut(&RunDir)) -> Result<RunDir, Error> {
    let mut rules = ServeOptions::new(WorkerCommand::this_program()?).with_environment()?.rules;
    // A person waits for it: it is as important as any other command.
    rules.nice = 0;
    rules.with_parent = true;
    let log = Log::open(store)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::system("start"))?;
    runtime.block_on(async {
        let mut signals = Signals::open()?;
        let dir = create(store, experiment)?;
        let (wishes, wish) = watch::channel(Wish::Run);
        let its_log = log.clone();
        let supervisor =
            Supervisor { dir: dir.clone(), attempt: 1, executor: None, rules: Arc::new(rules), wish, log: its_log };
        let news = Arc::new(Notify::new());
        let wake = Arc::clone(&news);
        let _watcher = Watcher::new(dir.path(), move || wake.notify_one());
        let mut supervised = tokio::spawn(supervisor.start(Share::default()));
        loop {
            tokio::select! {
                _ = &mut supervised => break,
                () = signals.asked_to_end_or_hung_up() => {
                    let asked_before = *wishes.borrow() == Wish::Cancel;
                    wishes.send_replace(if asked_before { Wish::Kill } else { Wish::Cancel });
                }
                () = news.notified() => look(&dir),
                () = tokio::time::sleep(LOOK) => look(&dir),
            }
        }
        keep_summary(&dir, &log);
        look(&dir);
        Ok(dir)
    })
}

fn create(store: &Store, experiment: NewExperiment) -> Result<RunDir, Error> {
    let NewExperiment { name, text, resolved, needs, sweep } = experiment;
    let queued = LifeEvent::Queued { name: name.clone(), priority: 0, group: sweep, after: Vec::new(), needs };
    // In one piece with the first line, or a runner could find the run waiting and start it too. The process is this one:
    // it speaks for the run.
    let (executor, process) = (ExecutorKind::Foreground, process::own());
    let started = LifeEvent::Started { attempt: 1, executor, process, job_id: None, host: host(), gpu: None };
    let run = NewRun { name, experiment: text, resolved, life: vec![queued, started] };
    let mut made = store.create_runs(std::slice::from_ref(&run))?;
    made.pop().ok_or(Error::Gone)
}
