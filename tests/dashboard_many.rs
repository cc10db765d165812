//! What another shell does to a run that is over is seen soon, however many there are.

mod terminal;
mod workplace;

use std::time::{Duration, Instant};

use finetop::record::life::{Cause, Exited, LifeEvent, Outcome};
use finetop::record::{NewRun, Store, Writer};
use terminal::Terminal;
use workplace::{PROGRAM, Workplace};

const RUNS: u32 = 4000;
/// Not among the newest, and the last ones that are looked at unasked, after a minute and a half.
const TAGGED: u32 = 3900;
/// It takes a part of a second; a busy machine is slow.
const SOON: Duration = Duration::from_secs(40);

/// A store of runs that are over.
fn many(here: &Workplace) {
    let store = Store::create(&here.store()).unwrap();
    let queued =
        LifeEvent::Queued { name: "old".into(), priority: 0, group: None, after: vec![], needs: Default::default() };
    let run = NewRun { name: "old".into(), experiment: String::new(), resolved: String::new(), life: vec![queued] };
    let dir = store.create_runs(&[run]).unwrap().remove(0);
    let (outcome, cause) = (Outcome::Finished, Cause::Completed);
    let exit = Exited { attempt: 1, outcome, cause, exit_code: Some(0), signal: None, message: None };
    Writer::open(&dir.run_log()).unwrap().write(LifeEvent::Exited(exit)).unwrap();
    let life = std::fs::read(dir.run_log()).unwrap();
    (2..=RUNS).for_each(|id| drop(here.write(&format!("runs/{id:04}-old/run.jsonl"), &life)));
}

#[test]
fn a_tag_from_another_shell_is_seen_soon_among_thousands() {
    let here = Workplace::empty();
    many(&here);
    let root = here.store();
    let none: [&str; 0] = [];
    let mut terminal =
        Terminal::start(PROGRAM, &none, (120, 40), here.folder(), &[("FINETOP_STORE", root.to_str().unwrap())]);
    let all = format!("{RUNS} done");
    terminal.wait_for(&all, |screen| screen.contains(&all));
    terminal.type_keys("/tag:good\r");
    terminal.wait_for("none has the tag", |screen| !screen.contains("-old") && !screen.contains(" old "));
    // A runner that has to be started first looks at all runs, which takes a while.
    here.finetop(&["tag", "1", "--add", "other"]).succeeded();
    let began = Instant::now();
    here.finetop(&["tag", &TAGGED.to_string(), "--add", "good"]).succeeded();
    terminal.wait_for("the tagged one", |screen| screen.contains(&TAGGED.to_string()));
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}
