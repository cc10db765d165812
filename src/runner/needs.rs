//! What a run will need of its machine, as far as its experiment tells.

use super::protocol::NewExperiment;
use crate::experiment::{Device, Experiment, Loaded};
use crate::record::life::Needs;
use crate::train::memory;

impl NewExperiment {
    /// What the runner takes of an experiment that was read.
    pub fn of(loaded: &Loaded) -> Self {
        NewExperiment::new(loaded, needs(&loaded.experiment))
    }

    /// The same of several; data that they share is looked at once.
    pub fn of_each(loaded: &[Loaded]) -> Vec<Self> {
        let memory = memory::needed_by_each(loaded.iter().map(|loaded| &loaded.experiment));
        let needs = |loaded: &Loaded, memory| Needs { memory, gpu: wants_gpu(&loaded.experiment) };
        loaded.iter().zip(memory).map(|(loaded, memory)| NewExperiment::new(loaded, needs(loaded, memory))).collect()
    }

    fn new(loaded: &Loaded, needs: Needs) -> Self {
        let Loaded { experiment, text, .. } = loaded;
        NewExperiment { name: experiment.name.clone(), text: text.clone(), resolved: experiment.to_yaml(), needs }
    }
}

/// What the run of an experiment will need: as much memory as it says or as is estimated, and a GPU where its device is or
/// may be one that this program can use.
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
        assert!(unsaid.memory > 0, "it is estimated");
    }
}
