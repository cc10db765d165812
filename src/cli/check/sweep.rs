//! The runs of a sweep: which there are, and which of them have the same data and layers.

use std::collections::HashMap;

use crate::cli::table::{COLUMNS, Table};
use crate::experiment::{Experiment, Loaded};
use crate::record::settings::{Settings, differing, labels, shown};

/// A table of the runs with what differs in them.
pub fn table(runs: &[Loaded]) -> Vec<String> {
    let settings: Vec<Settings> = runs.iter().map(|run| Settings::of(&run.experiment.to_yaml())).collect();
    let mut keys = differing(&settings.iter().collect::<Vec<_>>());
    keys.retain(|key| key != "name");
    // As in a comparison: what was chosen comes before chance.
    keys.sort_by_key(|key| key == "seed");
    let head = std::iter::once("run".to_owned()).chain(labels(&keys)).collect();
    let row = |(run, settings): (&Loaded, &Settings)| {
        let values = keys.iter().map(|key| settings.get(key).map_or("–".to_owned(), shown));
        std::iter::once(run.experiment.name.clone()).chain(values).collect()
    };
    Table::new(head, runs.iter().zip(&settings).map(row).collect()).lines(COLUMNS)
}

/// The first run of each kind, with how many others are like it: of the same data, network, layers that learn and metrics.
pub fn kinds(runs: &[Loaded]) -> Vec<(&Experiment, usize)> {
    let mut kinds: Vec<(&Experiment, usize)> = Vec::new();
    let mut at: HashMap<String, usize> = HashMap::new();
    for Loaded { experiment, .. } in runs {
        let learns: Vec<_> = experiment.train.phases.iter().map(|phase| &phase.trainable).collect();
        let Experiment { task, device, data, model, train, .. } = experiment;
        let kind = format!("{:?}", (task, device, data, model, learns, &train.metrics));
        match at.get(&kind) {
            Some(&index) => kinds[index].1 += 1,
            None => {
                at.insert(kind, kinds.len());
                kinds.push((experiment, 0));
            }
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Origin, parse_all};

    fn runs(matrix: &str) -> Vec<Loaded> {
        let text = format!(
            "data: {{ train: a, val: b }}\nmodel: {{ backbone: squeezenet1_1, weights: random }}\nmatrix: {matrix}\n"
        );
        let origin = Origin { shown: "x.yaml".into(), folder: "/".into(), stem: "x".into() };
        let runs = parse_all(&text, &origin, &[]).unwrap();
        runs.into_iter().map(|experiment| Loaded { experiment, text: text.clone(), sweep: Some("x".into()) }).collect()
    }

    #[test]
    fn runs_that_share_data_and_layers_are_of_a_kind() {
        let runs = runs("{ seed: [1, 2], model.pool: [avg, max], train.batch_size: [1, 2] }");
        let kinds = kinds(&runs);
        let seen: Vec<_> = kinds.iter().map(|(run, alike)| (&*run.name, *alike)).collect();
        assert_eq!(seen, [("x-seed-1-pool-avg-batch_size-1", 3), ("x-seed-1-pool-max-batch_size-1", 3)]);
    }

    #[test]
    fn the_table_has_what_differs() {
        let lines = table(&runs("{ seed: [1, 2], train.clip_norm: [null, 0.5] }"));
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["run", "clip_norm", "seed"]);
        assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ["x-seed-1-clip_norm-none", "–", "1"]);
        assert_eq!(lines[4].split_whitespace().collect::<Vec<_>>(), ["x-seed-2-clip_norm-0.5", "0.5", "2"]);
    }
}
