//! The queue's core in a world of its own: a record, workers, a clock, and runners that die. Random commands and accidents
//! happen to it, and after each everything that the module promises is looked at.

mod world;

use proptest::prelude::*;

use self::world::World;
use super::*;
use crate::record::state::Status;

/// What happens next. Numbers stand for runs, counted around those there are.
#[derive(Debug, Clone)]
enum Step {
    Add {
        priority: i32,
        needs: Needs,
        after: Vec<usize>,
        paused: bool,
    },
    Cancel(usize),
    Pause(usize),
    Resume(usize),
    Retry(usize),
    Remove(usize),
    Priority(usize, i32),
    Move(usize, Option<usize>),
    Edit(usize, Needs),
    Slots(usize),
    WorkerEnds(usize, End),
    RunnerDies,
    TimePasses(u64),
    /// Somebody sets the clock, by seconds.
    ClockJumps(i64),
}

/// How a worker ends that nobody asked to.
#[derive(Debug, Clone, Copy)]
enum End {
    Finished,
    Failed,
    /// It is tried again, after so many seconds.
    Crashed(u64),
    Lost(u64),
}

impl World {
    /// Looks at everything that is promised.
    fn check(&self) {
        self.check_places();
        self.check_shares();
        self.check_nobody_waits_needlessly();
    }

    /// Everything is in one place, the one that its record says; another runner would find the same.
    fn check_places(&self) {
        let queue = &self.queue;
        let live: Vec<RunId> = queue.live().collect();
        let places = queue.waiting().into_iter().chain(queue.paused()).chain(live.clone());
        let mut ids: Vec<RunId> = places.collect();
        ids.sort_unstable();
        let open = self.record.iter().filter(|(_, run)| !run.life.status.is_over()).map(|(&id, _)| id);
        assert_eq!(ids, open.collect::<Vec<_>>(), "each of them once");
        assert_eq!(live, self.workers.keys().copied().collect::<Vec<_>>());
        for id in ids {
            let is_as_written = match queue.stage(id) {
                Some(Stage::Waiting { .. }) => self.life(id).status == Status::Queued,
                Some(Stage::Paused) => self.life(id).status == Status::Paused,
                Some(Stage::Live) => self.life(id).status == Status::Starting,
                None => false,
            };
            assert!(is_as_written, "{id} is {:?} and {:?}", queue.stage(id), self.life(id).status);
        }
        let mut other = Queue::new(queue.capacity().clone());
        self.record.iter().for_each(|(&id, run)| other.take_up(id, &run.life));
        assert_eq!((other.waiting(), other.paused()), (queue.waiting(), queue.paused()));
        assert_eq!(other.live().collect::<Vec<_>>(), live);
        assert_eq!((other.orphan(), other.memory_kept()), (None, queue.memory_kept()));
        live.iter().for_each(|&id| assert_eq!(other.share(id).unwrap().gpu, queue.share(id).unwrap().gpu));
    }

    fn check_shares(&self) {
        for gpu in &self.queue.capacity().gpus {
            let has_it = |id: &RunId| self.queue.share(*id).is_some_and(|share| share.gpu.as_ref() == Some(gpu));
            assert!(
                self.queue.live().filter(has_it).count() <= self.queue.capacity().runs_per_gpu,
                "GPU {gpu} is overbooked"
            );
        }
        assert!(self.queue.memory_kept() <= 10 || self.queue.live().len() == 1, "memory is overbooked");
    }

    /// By the rules as the module says them, worked out the long way round.
    fn check_nobody_waits_needlessly(&self) {
        let queue = &self.queue;
        if queue.live().len() >= queue.capacity().slots {
            return;
        }
        let is_gpu_free = queue.capacity().gpus.iter().any(|gpu| {
            let has_it = |id: &RunId| queue.share(*id).and_then(|share| share.gpu.as_ref()) == Some(gpu);
            queue.live().filter(has_it).count() < queue.capacity().runs_per_gpu
        });
        let may_start = |id: &RunId| {
            let entry = queue.entry(*id).expect("it waits");
            // A clock that was set may end a pause early, and never late.
            let is_ready = entry.stage == Stage::Waiting { not_before: None };
            (is_ready || self.due.get(id).is_none_or(|&due| due <= self.passed))
                && entry.after.iter().all(|&other| self.has_finished(other))
                && (is_gpu_free || !self.life(*id).needs.gpu)
        };
        if let Some(first) = queue.waiting().into_iter().find(may_start) {
            let memory = queue.memory_kept() + self.life(first).needs.memory;
            assert!(queue.live().len() > 0 && memory > 10, "{first} could start");
        }
    }
}

fn any_needs() -> impl Strategy<Value = Needs> {
    (prop_oneof![3 => 0..6u64, 1 => 6..14u64], prop::bool::weighted(0.4))
        .prop_map(|(memory, gpu)| Needs { memory, gpu })
}

fn any_step() -> impl Strategy<Value = Step> {
    let run = || 0..64usize;
    let end = prop_oneof![
        3 => Just(End::Finished),
        1 => Just(End::Failed),
        1 => (0..90u64).prop_map(End::Crashed),
        1 => (0..90u64).prop_map(End::Lost),
    ];
    let after = prop::collection::vec(run(), 0..3);
    prop_oneof![
        6 => (-1..2i32, any_needs(), after, prop::bool::weighted(0.1))
            .prop_map(|(priority, needs, after, paused)| Step::Add { priority, needs, after, paused }),
        6 => (run(), end).prop_map(|(index, end)| Step::WorkerEnds(index, end)),
        1 => run().prop_map(Step::Cancel),
        1 => run().prop_map(Step::Pause),
        1 => run().prop_map(Step::Resume),
        1 => run().prop_map(Step::Retry),
        1 => run().prop_map(Step::Remove),
        1 => (run(), -1..2i32).prop_map(|(index, priority)| Step::Priority(index, priority)),
        1 => (run(), prop::option::of(run())).prop_map(|(index, before)| Step::Move(index, before)),
        1 => (run(), any_needs()).prop_map(|(index, needs)| Step::Edit(index, needs)),
        1 => (1..6usize).prop_map(Step::Slots),
        1 => Just(Step::RunnerDies),
        2 => (0..60u64).prop_map(Step::TimePasses),
        1 => (-4000..4000i64).prop_map(Step::ClockJumps),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn the_promises_hold_whatever_happens(runs_per_gpu in 1..3usize, steps in prop::collection::vec(any_step(), 1..120)) {
        let mut world = World::new(runs_per_gpu);
        for step in steps {
            world.take(step);
            world.settle();
            world.check();
        }
    }
}
