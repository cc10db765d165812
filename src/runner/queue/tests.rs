use super::*;

const READY: Stage = Stage::Waiting { not_before: None };

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn entry(priority: i32, order: i64) -> Entry {
    Entry { claim: Claim { priority, order }, stage: READY, needs: Needs::default(), after: Vec::new() }
}

fn needing(memory: u64, gpu: bool) -> Entry {
    Entry { needs: Needs { memory, gpu }, ..entry(0, 0) }
}

fn after(ids: &[u32]) -> Entry {
    Entry { after: ids.iter().copied().map(RunId).collect(), ..entry(0, 0) }
}

fn queue_of(capacity: Capacity, entries: impl IntoIterator<Item = (u32, Entry)>) -> Queue {
    let mut queue = Queue::new(capacity);
    entries.into_iter().for_each(|(id, entry)| queue.put(RunId(id), entry));
    queue
}

fn next(queue: &mut Queue) -> Option<u32> {
    queue.take_next(at(0)).map(|(id, _)| id.0)
}

fn all(queue: &mut Queue) -> Vec<u32> {
    std::iter::from_fn(|| next(queue)).collect()
}

#[test]
fn priority_then_order_then_age() {
    let entries = [(1, 0, 1), (2, 0, 2), (3, 5, 3), (4, 0, 0), (5, 0, 2)].map(|(id, p, o)| (id, entry(p, o)));
    let mut queue = queue_of(Capacity::new(9, 8), entries);
    assert_eq!(queue.waiting(), [3, 4, 1, 2, 5].map(RunId));
    assert_eq!(all(&mut queue), [3, 4, 1, 2, 5]);
    assert_eq!(queue.live().map(|id| id.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_retry_waits_for_its_time_and_lets_others_by() {
    let mut queue = queue_of(Capacity::new(1, 1), [(1, entry(9, 1)), (2, entry(0, 2))]);
    queue.set_stage(RunId(1), Stage::Waiting { not_before: Some(at(10)) });
    assert_eq!(queue.next_ready(at(3)), Some(at(10)));
    assert_eq!(queue.take_next(at(3)).map(|(id, _)| id.0), Some(2));
    assert_eq!(queue.take_next(at(11)), None, "the only slot is taken");
    queue.finished(RunId(2));
    assert_eq!(queue.take_next(at(11)).map(|(id, _)| id.0), Some(1));
    assert_eq!(queue.next_ready(at(11)), None);
}

#[test]
fn a_clock_that_is_set_back_makes_no_pause_longer() {
    let mut queue = queue_of(Capacity::new(1, 1), [(1, entry(0, 1))]);
    queue.set_stage(RunId(1), Stage::Waiting { not_before: Some(at(5010)) });
    assert_eq!(queue.take_next(at(5000)), None);
    assert_eq!(queue.take_next(at(1000)), None, "an hour back");
    assert_eq!(queue.next_ready(at(1000)), Some(at(1010)));
    assert_eq!(queue.take_next(at(1010)).map(|(id, _)| id.0), Some(1));
}

#[test]
fn cores_are_shared_out_among_the_slots() {
    for (slots, cores, threads) in [(1, 8, 8), (2, 8, 4), (3, 8, 2), (8, 8, 1), (9, 8, 1)] {
        let mut queue = queue_of(Capacity::new(slots, cores), [(1, entry(0, 0))]);
        assert_eq!(queue.take_next(at(0)).unwrap().1.threads, threads, "{slots} slots on {cores} cores");
    }
    let mut queue = queue_of(Capacity::new(1, 8), [(1, entry(0, 0)), (2, entry(0, 1))]);
    assert_eq!(queue.take_next(at(0)).unwrap().1.threads, 8);
    queue.set_slots(4);
    assert_eq!(queue.take_next(at(0)).unwrap().1.threads, 2);
}

#[test]
fn memory_is_kept_and_a_large_run_is_not_overtaken() {
    let capacity = Capacity { memory: Some(10), ..Capacity::new(9, 9) };
    let entries = [(1, 6), (2, 3), (3, 5), (4, 1)].map(|(id, memory)| (id, needing(memory, false)));
    let mut queue = queue_of(capacity, entries);
    assert_eq!(all(&mut queue), [1, 2], "the fourth would fit, but the third is before it");
    assert_eq!(queue.memory_kept(), 9);
    queue.finished(RunId(2));
    assert_eq!(all(&mut queue), [] as [u32; 0]);
    queue.remove(RunId(1));
    assert_eq!(all(&mut queue), [3, 4]);
}

#[test]
fn what_never_fits_is_started_alone_and_stays_alone() {
    let capacity = Capacity { memory: Some(10), ..Capacity::new(9, 9) };
    let entries = [(1, 1), (2, 11), (3, 0)].map(|(id, memory)| (id, needing(memory, false)));
    let mut queue = queue_of(capacity, entries);
    assert_eq!(all(&mut queue), [1]);
    queue.finished(RunId(1));
    assert_eq!(all(&mut queue), [2]);
    queue.finished(RunId(2));
    assert_eq!(all(&mut queue), [3]);
}

#[test]
fn a_gpu_has_as_many_runs_as_it_may_and_cpu_runs_pass() {
    let gpus = || vec!["0".to_owned(), "1".to_owned()];
    let entries = || (1..=6).map(|id| (id, needing(0, id != 5)));
    let mut queue = queue_of(Capacity { gpus: gpus(), ..Capacity::new(9, 9) }, entries());
    let taken: Vec<_> = std::iter::from_fn(|| queue.take_next(at(0))).map(|(id, share)| (id.0, share.gpu)).collect();
    assert_eq!(taken, [(1, Some("0".into())), (2, Some("1".into())), (5, None)]);
    queue.finished(RunId(2));
    assert_eq!(queue.take_next(at(0)).unwrap().1.gpu.as_deref(), Some("1"));
    let mut shared = queue_of(Capacity { gpus: gpus(), runs_per_gpu: 2, ..Capacity::new(9, 9) }, entries());
    assert_eq!(all(&mut shared), [1, 2, 3, 4, 5]);
    let mut none = queue_of(Capacity::new(9, 9), entries());
    assert_eq!(all(&mut none).len(), 6, "where there is no GPU nobody waits for one");
}

#[test]
fn a_run_taken_over_keeps_its_gpu_and_memory() {
    let capacity = Capacity { memory: Some(10), gpus: vec!["0".into()], ..Capacity::new(9, 9) };
    let mut queue = queue_of(capacity, [(2, needing(4, true))]);
    queue.adopt(RunId(1), needing(7, true), Some("0".into()));
    assert_eq!((queue.stage(RunId(1)), queue.memory_kept()), (Some(Stage::Live), 7));
    assert_eq!(next(&mut queue), None);
    queue.finished(RunId(1));
    assert_eq!(next(&mut queue), Some(2));
}

#[test]
fn a_run_starts_after_all_that_it_waits_for_finished() {
    let mut queue = queue_of(
        Capacity::new(9, 9),
        [(1, entry(0, 1)), (2, entry(0, 2)), (3, Entry { claim: entry(9, 0).claim, ..after(&[1, 2]) })],
    );
    assert_eq!(all(&mut queue), [1, 2]);
    assert_eq!(queue.dependants(RunId(1)), [RunId(3)]);
    queue.finished(RunId(2));
    assert_eq!(next(&mut queue), None);
    assert!(queue.is_at_rest(), "nothing happens by itself");
    queue.finished(RunId(1));
    assert_eq!((queue.orphan(), next(&mut queue)), (None, Some(3)));
    assert!(queue.dependants(RunId(1)).is_empty(), "who has started waits for nobody");
}

#[test]
fn who_waits_for_a_run_that_did_not_finish_follows_it() {
    let mut queue =
        queue_of(Capacity::new(9, 9), [(1, entry(0, 1)), (2, after(&[1])), (3, after(&[2])), (4, after(&[9]))]);
    assert_eq!(queue.orphan(), Some((RunId(4), RunId(9))), "it waits for one that is not there");
    queue.remove(RunId(4));
    queue.set_stage(RunId(2), Stage::Paused);
    assert_eq!((queue.orphan(), next(&mut queue)), (None, Some(1)));
    queue.remove(RunId(1));
    assert_eq!(queue.orphan(), Some((RunId(2), RunId(1))), "also one that is paused");
    assert_eq!(next(&mut queue), None);
    queue.remove(RunId(2));
    assert_eq!(queue.orphan(), Some((RunId(3), RunId(2))));
    queue.remove(RunId(3));
    assert_eq!((queue.orphan(), queue.waiting().len()), (None, 0));
}

#[test]
fn a_run_that_is_queued_again_is_waited_for_again() {
    let mut queue = queue_of(Capacity::new(9, 9), [(1, entry(0, 1)), (2, after(&[1]))]);
    queue.remove(RunId(1));
    queue.put(RunId(1), entry(0, 1));
    assert_eq!((queue.orphan(), all(&mut queue)), (None, vec![1]));
    queue.finished(RunId(1));
    assert_eq!(next(&mut queue), Some(2));
    queue.finished(RunId(1));
    queue.remove(RunId(1));
    queue.put(RunId(3), after(&[1]));
    assert_eq!(queue.orphan(), Some((RunId(3), RunId(1))), "one that was removed cannot be waited for");
}

#[test]
fn ten_thousand_runs_start_as_fast_as_ten() {
    let mut queue = Queue::new(Capacity { memory: Some(100), gpus: vec!["0".into()], ..Capacity::new(4, 4) });
    // Half of them wait for the one GPU in front of the others: they must not be looked through for each start.
    for id in 0..10_000 {
        let gpu = id < 5_000;
        queue.put(RunId(id), Entry { needs: Needs { memory: 1, gpu }, ..entry(0, i64::from(id)) });
    }
    let watch = crate::base::clock::Stopwatch::start();
    let mut started = 0;
    while let Some((id, _)) = queue.take_next(at(0)) {
        started += 1;
        if id != RunId(0) {
            queue.finished(id);
        }
    }
    assert_eq!(started, 5_001);
    assert!(watch.seconds() < 5.0, "{} s for {started} starts", watch.seconds());
}

mod placing {
    use proptest::prelude::*;

    use super::*;

    fn apply(queue: &mut Queue, id: u32, before: Option<u32>) -> usize {
        let orders = queue.orders_before(RunId(id), before.map(RunId));
        for &(id, order) in &orders {
            let claim = queue.entry(id).unwrap().claim;
            queue.set_claim(id, Claim { order, ..claim });
        }
        orders.len()
    }

    #[test]
    fn a_run_goes_right_before_another_and_asked_twice_stays() {
        let mut queue = queue_of(Capacity::new(1, 1), (1..=6).map(|id| (id, entry(0, i64::from(id)))));
        for (id, before, expected) in [
            (5, Some(2), [1, 5, 2, 3, 4, 6]),
            (6, Some(2), [1, 5, 6, 2, 3, 4]),
            (1, Some(3), [5, 6, 2, 1, 3, 4]),
            (5, None, [6, 2, 1, 3, 4, 5]),
            (4, Some(6), [4, 6, 2, 1, 3, 5]),
        ] {
            assert!(apply(&mut queue, id, before) >= 1);
            assert_eq!(queue.waiting(), expected.map(RunId), "{id} before {before:?}");
            assert_eq!(apply(&mut queue, id, before), 0, "it is there already");
        }
    }

    proptest! {
        #[test]
        fn nobody_else_changes_place(
            orders in prop::collection::vec(-3..3i64, 2..12),
            moves in prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(any::<prop::sample::Index>())), 1..20),
        ) {
            let count = orders.len();
            let entries = (0..).zip(&orders).map(|(id, &order)| (id, entry(0, order)));
            let mut queue = queue_of(Capacity::new(1, 1), entries);
            queue.put(RunId(99), entry(1, 0));
            for (moved, before) in moves {
                let moved = moved.index(count) as u32;
                let before = before.map(|index| index.index(count) as u32).filter(|&before| before != moved);
                let mut expected: Vec<RunId> = queue.waiting().into_iter().filter(|&id| id != RunId(moved)).collect();
                let place = before.and_then(|before| expected.iter().position(|&id| id == RunId(before)));
                expected.insert(place.unwrap_or(expected.len()), RunId(moved));
                apply(&mut queue, moved, before);
                prop_assert_eq!(queue.waiting(), expected);
                prop_assert_eq!(apply(&mut queue, moved, before), 0);
            }
        }
    }
}
