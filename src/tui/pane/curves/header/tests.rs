use super::*;
use crate::base::id::RunId;
use crate::record::event::FinishReason;
use crate::record::life::{Exited, LifeEvent, Needs, Outcome};
use crate::tui::fixtures::{Recording, UNICODE, app, delta, running};

/// What is said of a run among others.
fn of(run: RunState, others: Vec<RunState>) -> Vec<String> {
    let id = run.id;
    let app = app((120, 40), delta(others.into_iter().chain([run])));
    let run = app.runs.whole(id).cloned().unwrap();
    said(&UNICODE, &app, &run).into_iter().map(|(words, _)| words).collect()
}

fn queued(after: Vec<RunId>, needs: Needs) -> RunState {
    let mut run = Recording::queued(40, "next");
    run.life(LifeEvent::Queued { name: "next".into(), priority: 0, group: None, after, needs });
    run.run()
}

#[test]
fn a_run_that_waits_says_for_what() {
    let nothing = Needs::default();
    for (run, others, words) in [
        (queued(vec![], nothing), vec![running()], vec!["waits for a free slot: 1 run is live"]),
        (
            queued(vec![], nothing),
            vec![],
            vec!["waits for the runner: `finetop runner status` says whether one is there"],
        ),
        (queued(vec![RunId(15)], nothing), vec![running()], vec!["waits for 0015 emoji-squeezenet (running)"]),
        (queued(vec![RunId(77)], nothing), vec![], vec!["waits for 0077, which is not here"]),
        (
            queued(vec![], Needs { memory: 40 << 30, gpu: true }),
            vec![running()],
            vec![
                "waits for a free slot: 1 run is live",
                "needs a GPU of its own and about 40.0 GiB of memory, of which 21.9 GiB are free",
            ],
        ),
    ] {
        assert_eq!(of(run, others), words);
    }
}

#[test]
fn a_run_that_is_tried_again_says_when_and_why() {
    let mut run = Recording::training(41, "flaky");
    run.epochs(1..=2).failed(Cause::Network, "no route to the hub", "see to the connection");
    run.life(LifeEvent::RetryScheduled { attempt: 2, after_s: 3_600 });
    let said = of(run.run(), vec![]);
    assert!(said[0].starts_with("is tried again in ") && said[0].ends_with("(attempt 2)"), "{said:?}");
    assert_eq!(said[1], "attempt 1 failed: no route to the hub");
}

#[test]
fn a_run_that_trains_says_how_near_its_callbacks_are() {
    assert_eq!(of(running(), vec![]), ["stops in 2 epochs unless val_loss < .2398 · lr drops in 1"]);
    let mut asked = Recording::training(42, "asked");
    asked.epochs(1..=2).life(LifeEvent::CancelRequested);
    assert_eq!(of(asked.run(), vec![])[0], "it ends as soon as its step is done");
}

#[test]
fn a_run_that_ended_says_why_and_what_to_do() {
    let mut diverged = Recording::training(43, "diverged");
    diverged.epochs(1..=2).failed(Cause::Diverged, "the loss became NaN in epoch 3", "use a lower learning rate");
    let said = of(diverged.run(), vec![]);
    assert_eq!(said[0], "failed: the loss became NaN or infinite: the loss became NaN in epoch 3");
    assert_eq!(said.last().unwrap(), "hint: use a lower learning rate");

    let mut killed = Recording::training(44, "killed");
    let (outcome, cause) = (Outcome::Failed, Cause::OutOfMemory);
    let message = Some("its worker was killed".to_owned());
    killed.epochs(1..=2);
    killed.life(LifeEvent::Exited(Exited { attempt: 1, outcome, cause, exit_code: None, signal: Some(9), message }));
    let said = of(killed.run(), vec![]);
    assert_eq!(said[0], "failed: out of memory: its worker was killed");
    assert_eq!(said[1], "it ended by signal 9");
    assert!(said.last().unwrap().starts_with("hint: use a smaller `train.batch_size`"), "{said:?}");

    let mut finished = Recording::training(45, "finished");
    finished.epochs(1..=10).best(9, 0.2398).finished(FinishReason::Completed, 10);
    let said = of(finished.run(), vec![]);
    assert_eq!(said[0], "finished: all epochs were trained");
    assert!(!said.iter().any(|line| line.contains("hint")), "{said:?}");
}
