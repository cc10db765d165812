//! The memory that runs take, and what to change where this machine has less.

use crate::base::text::{bytes, grouped};
use crate::cli::output::{self, line};
use crate::experiment::{Experiment, Loaded, Task};
use crate::runner;
use crate::train::{Memory, memory};

/// A line of what a run takes, and a warning where it takes more than runs may have together.
pub fn of_run(experiment: &Experiment, memory: &Memory) {
    let parts = format!(
        "weights and optimizer {}, a step {}, samples {}, kept features {}, the program {}",
        bytes(memory.weights),
        bytes(memory.activations),
        bytes(memory.samples),
        bytes(memory.features),
        bytes(memory.program)
    );
    let asked = memory::asked(experiment);
    match asked {
        Some(asked) => line(&format!("  memory    {} by `memory_gib`, {parts}", bytes(asked))),
        None => line(&format!("  memory    about {}: {parts}", bytes(memory.total()))),
    }
    let needed = asked.unwrap_or(memory.total());
    let budget = runner::memory::budget();
    if needed > budget {
        let (needed, budget) = (bytes(needed), bytes(budget));
        output::warning(&format!("{} needs {needed}, and runs may take {budget} here", experiment.name));
        output::hint(remedy(experiment, memory));
    }
}

/// A line of what the runs of a sweep take, and a warning where some take more than runs may have together.
pub fn of_sweep(runs: &[Loaded]) {
    let needed = memory::needed_by_each(runs.iter().map(|run| &run.experiment));
    let (Some(least), Some(most)) = (needed.iter().min(), needed.iter().max()) else { return };
    match least == most {
        true => line(&format!("  memory    about {} a run", bytes(*most))),
        false => line(&format!("  memory    from about {} to about {} a run", bytes(*least), bytes(*most))),
    }
    let budget = runner::memory::budget();
    let too_large = needed.iter().filter(|needed| **needed > budget).count();
    if too_large > 0 {
        let (count, all) = (grouped(too_large), grouped(runs.len()));
        output::warning(&format!("{count} of {all} runs need more than the {} that runs may take here", bytes(budget)));
    }
}

/// What makes the largest part of `memory` smaller.
fn remedy(experiment: &Experiment, memory: &Memory) -> &'static str {
    let is_of_texts = experiment.task == Task::TextClassification;
    let [step, samples] = match is_of_texts {
        true => ["use a smaller `train.batch_size` or `data.max_length`", "use fewer texts"],
        false => [
            "use a smaller `train.batch_size` or `data.image_size`",
            "use a smaller `data.image_size` or fewer pictures",
        ],
    };
    let parts = [
        (memory.activations, step),
        (memory.samples, samples),
        (memory.weights, "let fewer layers learn (`trainable`), or take a smaller backbone"),
        (memory.features, "use fewer `data.augment.views`"),
    ];
    parts.into_iter().max_by_key(|(bytes, _)| *bytes).map_or(step, |(_, remedy)| remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Origin, parse};

    #[test]
    fn the_remedy_is_for_the_largest_part() {
        let text = "data: { train: a, val: b }\nmodel: { backbone: resnet18, weights: random }\n";
        let origin = Origin { shown: "x.yaml".into(), folder: "/".into(), stem: "x".into() };
        let experiment = parse(text, &origin, &[]).unwrap();
        for (memory, word) in [
            (Memory { activations: 2, weights: 1, ..Memory::default() }, "batch_size"),
            (Memory { activations: 1, weights: 2, ..Memory::default() }, "trainable"),
            (Memory { samples: 9, features: 8, ..Memory::default() }, "image_size"),
            (Memory { samples: 8, features: 9, ..Memory::default() }, "views"),
        ] {
            assert!(remedy(&experiment, &memory).contains(word), "{memory:?}");
        }
    }
}
