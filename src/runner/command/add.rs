use crate::base::id::RunId;
use crate::record::NewRun;
use crate::record::life::LifeEvent;
use crate::runner::daemon::Daemon;
use crate::runner::protocol::{Add, Added, NewExperiment, Refusal, Response};
use crate::runner::queue::{Claim, Stage};

impl Daemon {
    /// Queues experiments, all of them or none.
    pub(super) fn add(&mut self, add: Add) -> Response {
        if self.stopping {
            let hint = "wait for its live runs, or `finetop runner stop --now`; the next `finetop add` starts another";
            return Response::Refused(Refusal::new("the runner is about to end and takes no more runs", hint));
        }
        let stage = if add.paused { Stage::Paused } else { Stage::Waiting { not_before: None } };
        let Add { experiments, priority, group, after, paused } = add;
        let runs: Vec<NewRun> = experiments
            .into_iter()
            .map(|experiment| new_run(experiment, priority, group.clone(), after.clone(), paused))
            .collect();
        match self.store.create_runs(&runs) {
            Ok(dirs) => {
                for dir in &dirs {
                    self.queue.put(dir.id(), Claim { priority, order: i64::from(dir.id().0) }, stage);
                }
                let added = |dir: &crate::record::RunDir| Added {
                    id: dir.id(),
                    name: dir.name().to_owned(),
                    path: dir.path().to_owned(),
                };
                Response::Added { runs: dirs.iter().map(added).collect() }
            }
            Err(error) => Response::Refused(Refusal { error: error.to_string(), hint: error.hint() }),
        }
    }
}

fn new_run(experiment: NewExperiment, priority: i32, group: Option<String>, after: Vec<RunId>, paused: bool) -> NewRun {
    let NewExperiment { name, text, resolved, needs } = experiment;
    let queued = LifeEvent::Queued { name: name.clone(), priority, group, after, needs };
    let life = std::iter::once(queued).chain(paused.then_some(LifeEvent::Paused)).collect();
    NewRun { name, experiment: text, resolved, life }
}
