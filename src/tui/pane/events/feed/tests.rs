use proptest::prelude::*;

use super::*;
use crate::record::event::{Event, Level, Line, Log};
use crate::record::life::LifeEvent;
use crate::record::words;
use crate::tui::fixtures::Recording;

fn time(second: i64) -> Timestamp {
    Timestamp::from_millis(1000 * second)
}

fn note(run: &mut RunState, second: i64) {
    let seq = run.life.feed.len() as u64;
    run.life(Line { seq, time: time(second), event: LifeEvent::Note { text: format!("note {second}") } });
}

fn log(run: &mut RunState, second: i64) {
    let seq = run.training.feed.len() as u64;
    let event = Event::Log(Log { level: Level::Info, message: format!("log {second}") });
    run.training.take(Line { seq, time: time(second), event });
}

fn all(feed: &Feed, run: &RunState) -> Vec<String> {
    (0..feed.len()).map(|at| feed.get(run, at).unwrap().words()).collect()
}

#[test]
fn both_logs_are_in_order_of_time_also_where_lines_come_late() {
    let mut run = RunState::new(RunId(1), "a".into());
    let mut feed = Feed::default();
    note(&mut run, 1);
    log(&mut run, 2);
    log(&mut run, 6);
    assert_eq!(feed.refresh(&run, Kinds::all(), None), None);
    assert_eq!(all(&feed, &run), ["note 1", "log 2", "log 6"]);
    note(&mut run, 4);
    log(&mut run, 7);
    assert_eq!(feed.refresh(&run, Kinds::all(), Some(2)), Some(3), "the chosen line stays chosen");
    assert_eq!(all(&feed, &run), ["note 1", "log 2", "note 4", "log 6", "log 7"]);
    assert_eq!([0, 1, 3, 9].map(|second| feed.at_time(&run, time(second))), [None, Some(0), Some(1), Some(4)]);
}

#[test]
fn a_clock_that_goes_back_leaves_each_log_in_its_own_order() {
    let mut run = RunState::new(RunId(1), "a".into());
    let mut feed = Feed::default();
    for second in [5, 3, 8] {
        log(&mut run, second);
        note(&mut run, 9 - second);
        feed.refresh(&run, Kinds::all(), None);
    }
    let of = |what: &str| all(&feed, &run).into_iter().filter(|line| line.starts_with(what)).collect::<Vec<_>>();
    assert_eq!(of("log"), ["log 5", "log 3", "log 8"]);
    assert_eq!(of("note"), ["note 4", "note 6", "note 1"]);
}

#[test]
fn kinds_are_turned_on_and_off_and_the_chosen_line_stays_near() {
    let mut recording = Recording::training(1, "a");
    recording.epochs(1..=9).best(9, 0.24).lr_drop(9);
    let run = recording.run();
    let mut feed = Feed::default();
    feed.refresh(&run, Kinds::all(), None);
    let kind_of = |feed: &Feed, at: usize| match feed.get(&run, at).unwrap() {
        Happening::Training(line) => words::kind(&line.event),
        Happening::Life(_) => "life",
    };
    let epochs = Kinds::only(Kind::Epoch);
    let last = feed.len() - 1;
    let kept = feed.refresh(&run, epochs, Some(last));
    assert_eq!((feed.len(), kept), (9, Some(8)));
    assert!((0..9).all(|at| kind_of(&feed, at) == "epoch"));
    let kept = feed.refresh(&run, Kinds::all(), kept).unwrap();
    assert_eq!(kind_of(&feed, kept), "epoch");
    let mut none = epochs;
    none.turn(Kind::Epoch);
    assert_eq!((feed.refresh(&run, none, Some(kept)), feed.len()), (Some(0), 0));
    assert!(!Kinds::default().has(Kind::Saved) && Kinds::default().has(Kind::Run));
}

#[test]
fn a_log_that_began_anew_and_another_run_are_read_anew() {
    let mut feed = Feed::default();
    let mut run = RunState::new(RunId(1), "a".into());
    (1..5).for_each(|second| log(&mut run, second));
    feed.refresh(&run, Kinds::all(), None);
    let mut again = RunState::new(RunId(1), "a".into());
    (11..15).for_each(|second| log(&mut again, second));
    feed.refresh(&again, Kinds::all(), Some(3));
    assert_eq!(all(&feed, &again), ["log 11", "log 12", "log 13", "log 14"]);
    let mut shorter = RunState::new(RunId(1), "a".into());
    log(&mut shorter, 21);
    assert_eq!(feed.refresh(&shorter, Kinds::all(), Some(3)), None, "the chosen line is no more");
    let other = RunState::new(RunId(2), "b".into());
    assert_eq!((feed.refresh(&other, Kinds::all(), Some(3)), feed.len()), (None, 0));
}

proptest! {
    #[test]
    fn taken_bit_by_bit_it_is_what_it_is_taken_at_once(
        lines in proptest::collection::vec((any::<bool>(), 0i64..20), 0..40),
        every in 1usize..9,
    ) {
        let mut run = RunState::new(RunId(1), "a".into());
        let mut feed = Feed::default();
        for (number, &(is_life, second)) in lines.iter().enumerate() {
            if is_life { note(&mut run, second) } else { log(&mut run, second) }
            if number % every == 0 {
                feed.refresh(&run, Kinds::all(), None);
            }
        }
        feed.refresh(&run, Kinds::all(), None);
        prop_assert_eq!(feed.len(), lines.len());
        let mut words = all(&feed, &run);
        words.sort();
        let mut expected: Vec<String> = lines.iter().map(|(is_life, second)| {
            format!("{} {second}", if *is_life { "note" } else { "log" })
        }).collect();
        expected.sort();
        prop_assert_eq!(words, expected);
    }
}
