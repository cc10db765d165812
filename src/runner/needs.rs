//! What a run will need of its machine, before it runs.

use super::protocol::NewExperiment;
use crate::experiment::{Device, Experiment, Loaded};
use crate::record::life::Needs;
use crate::record::select::as_label;
use crate::train::memory;

impl NewExperiment {
    /// What the runner takes of an experiment that was read.
    pub fn of(loaded: &Loaded) -> Self {
        NewExperiment::needing(loaded, needs(&loaded.experiment))
    }

    /// The same of several, whose data is looked at once.
    pub fn of_each(loaded: &[Loaded]) -> Vec<Self> {
        let memory = memory::needed_by_each(loaded.iter().map(|loaded| &loaded.experiment));
        let of = |(loaded, memory): (&Loaded, u64)| {
            NewExperiment::needing(loaded, Needs { memory, gpu: wants_gpu(&loaded.experiment) })
        };
        loaded.iter().zip(memory).map(of).collect()
    }

    fn needing(loaded: &Loaded, needs: Needs) -> Self {
        let Loaded { experiment, text, sweep } = loaded;
        let (name, text, resolved) = (experiment.name.clone(), text.clone(), experiment.to_yaml());
        NewExperiment { name, text, resolved, needs, sweep: sweep.as_deref().map(as_label) }
    }
}

/// What the run of an experiment will need: memory as the experiment says or as its shapes do, and a GPU where its device
/// is or may be one that this program can use.
pub fn needs(experiment: &Experiment) -> Needs {
    Needs { memory: memory::needed(experiment), gpu: wants_gpu(experiment) }
}

fn wants_gpu(experiment: &Experiment) -> bool {
    match experiment.device {
        Device::Cuda => true,
        Device::Auto => cfg!(feature = "cuda"),
        Device::Cpu | Device::Metal => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{self, Origin};

    fn needs_of(keys: &str) -> Needs {
        let text =
            format!("{keys}data: {{ train: a, val: b }}\nmodel: {{ backbone: squeezenet1_1, weights: random }}\n");
        let origin = Origin { shown: "x.yaml".into(), folder: "/".into(), stem: "x".into() };
        needs(&experiment::parse(&text, &origin, &[]).unwrap())
    }

    #[test]
    fn memory_and_gpu_are_what_the_experiment_says() {
        assert_eq!(needs_of("device: cuda\nmemory_gib: 1.5\n"), Needs { memory: 3 << 29, gpu: true });
        assert_eq!(needs_of("device: cpu\nmemory_gib: 2\n"), Needs { memory: 2 << 30, gpu: false });
        let unsaid = needs_of("");
        assert_eq!(unsaid.gpu, cfg!(feature = "cuda"));
        assert!(unsaid.memory > 10 << 20, "estimated");
    }
}
