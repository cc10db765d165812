//! What a run will need of its machine, as far as its experiment tells.

use super::protocol::NewExperiment;
use crate::experiment::{Device, Experiment, Loaded};
use crate::record::life::Needs;

impl NewExperiment {
    /// What the runner takes of an experiment that was read.
    pub fn of(loaded: &Loaded) -> Self {
        let Loaded { experiment, text } = loaded;
        let (name, text, resolved) = (experiment.name.clone(), text.clone(), experiment.to_yaml());
        NewExperiment { name, text, resolved, needs: needs(experiment) }
    }
}

/// What the run of an experiment will need: memory as the experiment says, and a GPU where its device is or may be one that
/// this program can use.
pub fn needs(experiment: &Experiment) -> Needs {
    const GIB: f64 = (1u64 << 30) as f64;
    // As many bytes as fit; a negative or undefined number is none.
    let memory = experiment.limits.memory_gib.map_or(0, |gib| (gib * GIB) as u64);
    let gpu = match experiment.device {
        Device::Cuda => true,
        Device::Auto => cfg!(feature = "cuda"),
        Device::Cpu | Device::Metal => false,
    };
    Needs { memory, gpu }
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
        assert_eq!(needs_of("").gpu, cfg!(feature = "cuda"));
    }
}
