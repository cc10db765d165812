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
