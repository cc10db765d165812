use crate::base::id::RunId;
use crate::record::NewRun;
use crate::record::life::{LifeEvent, Needs};
use crate::record::select::is_label;
use crate::runner::daemon::Daemon;
use crate::runner::protocol::{Add, Added, NewExperiment, Refusal, Response};
use crate::runner::queue::{Claim, Entry, Stage};

impl Daemon {
    /// Queues experiments, all of them or none.
    pub(super) fn add(&mut self, add: Add) -> Response {
        match self.may_add(&add).and_then(|()| self.add_all(add)) {
            Ok(runs) => Response::Added { runs },
            Err(refusal) => Response::Refused(refusal),
        }
    }

    fn may_add(&mut self, add: &Add) -> Result<(), Refusal> {
        if self.stopping {
            let hint = "wait for its live runs, or `finetop runner stop --now`; the next `finetop add` starts another";
            return Err(Refusal::new("the runner is about to end and takes no more runs", hint));
        }
        let sweeps = add.experiments.iter().filter_map(|experiment| experiment.sweep.as_ref());
        if let Some(group) = sweeps.chain(&add.group).find(|group| !is_label(group)) {
            let hint = "take 1 to 64 characters without spaces, commas and control characters";
            return Err(Refusal::new(format!("`{group}` cannot be the name of a group"), hint));
        }
        self.can_wait_for(&add.after)
    }

    fn add_all(&mut self, add: Add) -> Result<Vec<Added>, Refusal> {
        let needs: Vec<Needs> = add.experiments.iter().map(|experiment| experiment.needs).collect();
        let Add { experiments, priority, group, after, paused } = add;
        let new = |experiment| new_run(experiment, priority, group.clone(), after.clone(), paused);
        let runs: Vec<NewRun> = experiments.into_iter().map(new).collect();
        let stage = if paused { Stage::Paused } else { Stage::Waiting { not_before: None } };
        let mut added = Vec::with_capacity(runs.len());
        for (dir, needs) in self.store.create_runs(&runs)?.into_iter().zip(needs) {
            let claim = Claim { priority, order: i64::from(dir.id().0) };
            self.queue.put(dir.id(), Entry { claim, stage, needs, after: after.clone() });
            added.push(Added { id: dir.id(), name: dir.name().to_owned(), path: dir.path().to_owned() });
            self.dirs.learn(dir);
        }
        Ok(added)
    }
}

fn new_run(experiment: NewExperiment, priority: i32, group: Option<String>, after: Vec<RunId>, paused: bool) -> NewRun {
    let NewExperiment { name, text, resolved, needs, sweep } = experiment;
    let group = group.or(sweep);
    let queued = LifeEvent::Queued { name: name.clone(), priority, group, after, needs };
    let life = std::iter::once(queued).chain(paused.then_some(LifeEvent::Paused)).collect();
    NewRun { name, experiment: text, resolved, life }
}
