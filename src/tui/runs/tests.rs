use super::*;
use crate::tui::fixtures;

fn shown(runs: &Runs) -> Vec<u32> {
    let number = |entry: &Choice| match entry {
        Choice::Run(id) => id.0,
        Choice::Group(_) => 0,
    };
    runs.shown().iter().map(number).collect()
}

fn runs() -> Runs {
    let mut runs = Runs::default();
    runs.take(fixtures::store());
    runs
}

#[test]
fn running_then_queued_then_ended() {
    let runs = runs();
    assert_eq!(shown(&runs), [15, 16, 17, 14, 13, 12, 11]);
    assert_eq!(runs.totals(), Totals { running: 1, queued: 2, paused: 0, done: 2, failed: 1, cancelled: 1 });
    assert!(runs.any_live());
}

#[test]
fn a_filter_narrows_by_words_and_state() {
    for (filter, ids) in [
        ("", &[15, 16, 17, 14, 13, 12, 11][..]),
        ("state:failed", &[12]),
        ("state:q", &[16, 17]),
        ("SQUEEZE", &[15]),
        ("001 vgg", &[14, 12]),
        ("nothing", &[]),
    ] {
        let mut runs = runs();
        runs.set_filter(filter.to_owned());
        assert_eq!(shown(&runs), ids, "{filter}");
        assert_eq!(runs.chosen().map(|id| id.0), ids.first().copied(), "{filter}");
    }
}

#[test]
fn the_choice_stays_with_its_run_and_else_with_its_place() {
    let mut runs = runs();
    runs.choose(RunId(17));
    runs.take(fixtures::store());
    assert_eq!(runs.place(), 2);
    runs.take(Delta { gone: vec![RunId(17)], ..Delta::default() });
    assert_eq!(runs.chosen(), Some(RunId(14)));
    runs.take(Delta { gone: (0..20).map(RunId).collect(), ..Delta::default() });
    assert!(runs.chosen().is_none());
    runs.go(Motion::Down, 5);
    assert!(runs.chosen().is_none());
}

use proptest::prelude::*;

use crate::tui::fixtures::Recording;
use crate::tui::runs::sort::{Column, Sort};

/// A run of one of a few groups, in one of a few states.
fn any_run() -> impl Strategy<Value = RunState> {
    (1u32..30, 0usize..4, 0usize..5).prop_map(|(id, group, state)| {
        let group = ["", "a", "b", "c"][group];
        let mut run = match state {
            0 => Recording::queued(id, "waiting"),
            _ => Recording::training(id, "training lr=1"),
        };
        if !group.is_empty() {
            run.group(group);
        }
        match state {
            2 => drop(run.epochs(1..=3).best(3, f64::from(id) / 7.0)),
            3 => drop(run.best(1, 0.5).finished(crate::record::event::FinishReason::Completed, 3)),
            4 => drop(run.failed(crate::record::life::Cause::Crashed, "x", "y")),
            _ => {}
        }
        run.run()
    })
}

#[derive(Debug, Clone)]
enum Doing {
    Take(Vec<RunState>, Vec<u32>),
    Filter(&'static str),
    Sort(usize, bool),
    Go(Motion, usize),
    GoTo(usize),
    Choose(u32),
    Fold(bool),
    Mark,
    MarkRange,
    MarkAll,
}

fn any_doing() -> impl Strategy<Value = Doing> {
    let filters = vec!["", "lr", "state:f", "!group:a", "zzz", "val_loss<2", "trnng", "group:b"];
    let motions = vec![Motion::Up, Motion::Down, Motion::PageUp, Motion::PageDown, Motion::First, Motion::Last];
    prop_oneof![
        3 => (prop::collection::vec(any_run(), 0..8), prop::collection::vec(1u32..30, 0..4))
            .prop_map(|(runs, gone)| Doing::Take(runs, gone)),
        1 => prop::sample::select(filters).prop_map(Doing::Filter),
        1 => (0usize..14, any::<bool>()).prop_map(|(column, reversed)| Doing::Sort(column, reversed)),
        2 => (prop::sample::select(motions), 0usize..9).prop_map(|(motion, page)| Doing::Go(motion, page)),
        1 => (0usize..40).prop_map(Doing::GoTo),
        1 => (1u32..30).prop_map(Doing::Choose),
        2 => any::<bool>().prop_map(Doing::Fold),
        1 => Just(Doing::Mark),
        1 => Just(Doing::MarkRange),
        1 => Just(Doing::MarkAll),
    ]
}

fn run_it(runs: &mut Runs, doing: Doing) {
    match doing {
        Doing::Take(new, gone) => {
            let mut delta = fixtures::delta(new);
            delta.gone = gone.into_iter().map(RunId).filter(|id| delta.rows.iter().all(|row| row.id != *id)).collect();
            runs.take(delta);
        }
        Doing::Filter(filter) => runs.set_filter(filter.to_owned()),
        Doing::Sort(column, reversed) => {
            let columns = runs.columns();
            runs.set_sort(Sort { column: columns[column % columns.len()].clone(), reversed });
        }
        Doing::Go(motion, page) => runs.go(motion, page),
        Doing::GoTo(place) => drop(runs.go_to(place)),
        Doing::Choose(id) => runs.choose(RunId(id)),
        Doing::Fold(open) => drop(runs.fold(open)),
        Doing::Mark => runs.mark(),
        Doing::MarkRange => runs.mark_range(),
        Doing::MarkAll => runs.mark_all(),
    }
}

/// All that must hold of a table, whatever was done with it.
fn holds(runs: &Runs) {
    let shown = runs.shown();
    assert_eq!(runs.choice(), shown.get(runs.place()), "the choice is where it is said to be");
    assert_eq!(runs.choice().is_some(), !shown.is_empty());
    assert!(runs.chosen().is_some() == runs.choice().is_some());
    assert!(runs.marked().iter().all(|&id| runs.row(id).is_some()), "only runs that are there are marked");
    let mut seen = Vec::new();
    for entry in shown {
        match entry {
            Choice::Run(id) => seen.push(*id),
            Choice::Group(name) if !runs.is_open(name) => seen.extend(runs.runs_of(entry)),
            Choice::Group(name) => assert!(runs.members(name).count() > 1),
        }
    }
    seen.sort_unstable();
    let mut matching: Vec<RunId> = runs.known.rows().keys().copied().filter(|&id| runs.matches(id)).collect();
    matching.sort_unstable();
    assert_eq!(seen, matching, "each that matches is seen once, or folded into a head that is");
    let mut anew = Runs::default();
    let rows: Vec<_> = runs.known.rows().values().cloned().collect();
    let whole = rows.iter().filter_map(|row| runs.whole(row.id).cloned()).collect();
    anew.take(Delta { rows, whole, ..Delta::default() });
    assert_eq!(anew.totals(), runs.totals());
    assert_eq!(anew.queue().collect::<Vec<_>>(), runs.queue().collect::<Vec<_>>());
    anew.set_sort(runs.sort().clone());
    let (again, before): (Vec<_>, Vec<_>) = (anew.table.matching().collect(), runs.table.matching().collect());
    if runs.filter().is_empty() {
        assert_eq!(again, before, "by deltas or at once, the order is the same");
    }
    for name in ["a", "b", "c"] {
        assert_eq!(anew.group(name), runs.group(name), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_is_done_the_table_holds(doings in prop::collection::vec(any_doing(), 1..25)) {
        let mut runs = Runs::default();
        for doing in doings {
            run_it(&mut runs, doing);
            holds(&runs);
        }
    }
}

#[test]
fn every_column_sorts_and_those_without_a_value_are_last() {
    let order = |column: &str, reversed: bool| {
        let mut runs = runs();
        let chosen = runs.chosen();
        runs.set_sort(Sort { column: Column::named(column), reversed });
        assert_eq!(runs.chosen(), chosen, "the choice stays");
        shown(&runs)
    };
    for (column, reversed, ids) in [
        ("queue", false, [15, 16, 17, 14, 13, 12, 11]),
        ("queue", true, [11, 12, 13, 14, 17, 16, 15]),
        ("id", false, [11, 12, 13, 14, 15, 16, 17]),
        ("id", true, [17, 16, 15, 14, 13, 12, 11]),
        ("name", false, [17, 15, 16, 11, 13, 12, 14]),
        ("state", false, [16, 17, 15, 14, 13, 12, 11]),
        ("phase", false, [15, 14, 13, 12, 11, 16, 17]),
        ("progress", false, [15, 13, 14, 11, 12, 16, 17]),
        ("progress", true, [12, 11, 14, 13, 15, 16, 17]),
        ("best", false, [15, 14, 13, 16, 17, 12, 11]),
        ("val_loss", true, [11, 15, 14, 13, 16, 17, 12]),
        ("ended", false, [13, 14, 11, 12, 15, 16, 17]),
        ("priority", false, [15, 16, 17, 14, 13, 12, 11]),
        ("ETA", false, [15, 16, 17, 14, 13, 12, 11]),
    ] {
        assert_eq!(order(column, reversed), ids, "{column} {reversed}");
    }
}

#[test]
fn a_group_that_ends_stays_open_under_the_choice() {
    let mut runs = Runs::default();
    let run = |id: u32, over: bool| {
        let mut run = Recording::training(id, "member");
        run.group("g");
        if over {
            run.finished(crate::record::event::FinishReason::Completed, 1);
        }
        run.run()
    };
    runs.take(fixtures::delta([run(1, false), run(2, true)]));
    assert_eq!(runs.shown().len(), 3, "one that goes on is unfolded");
    runs.choose(RunId(1));
    runs.take(fixtures::delta([run(1, true)]));
    assert_eq!((runs.shown().len(), runs.chosen()), (3, Some(RunId(1))));
    let mut runs = Runs::default();
    runs.take(fixtures::delta([run(1, true), run(2, true)]));
    assert_eq!(runs.shown(), [Choice::Group("g".into())], "one that is over is folded");
    runs.choose(RunId(2));
    assert_eq!((runs.shown().len(), runs.choice()), (3, Some(&Choice::Run(RunId(2)))), "unfolded for its run");
    runs.take(Delta { gone: vec![RunId(1)], ..Delta::default() });
    assert_eq!(runs.shown(), [Choice::Run(RunId(2))], "one run alone needs no head");
}

#[test]
fn the_queue_is_numbered_and_its_time_is_estimated() {
    let mut runs = runs();
    assert_eq!([15, 16, 17].map(|id| runs.number_of(RunId(id))), [None, Some(1), Some(2)]);
    let (one, two) = (runs.time_left(1).unwrap(), runs.time_left(2).unwrap());
    assert!(one > two && two > runs.run(RunId(15)).unwrap().eta().unwrap(), "{one:?} {two:?}");
    runs.take(Delta { gone: vec![RunId(16)], ..Delta::default() });
    assert_eq!(runs.number_of(RunId(17)), Some(1));
    runs.take(Delta { gone: vec![RunId(15), RunId(17)], ..Delta::default() });
    assert_eq!(runs.time_left(1), None);
}
