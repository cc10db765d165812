//! What a run would say at its start, said before it is queued: layers that the network does not have, classes that the
//! data does not have.
//!
//! Invariant: what cannot be known without a download, or because data is not there at the moment, is no objection.

use std::path::{Path, PathBuf};

use super::error::Error;
use super::{metrics, setup};
use crate::data;
use crate::experiment::{
    self, ClassWeight, Experiment, Figure, Loaded, Measure, Metric, Mistakes, Model, Objection, Override, Phase,
    Trainable,
};
use crate::model::Network;

/// Reads the experiment file at `path` as [`experiment::load_all`] does, and looks at its layers and classes.
///
/// # Errors
/// Every mistake of the file, with its place.
pub fn load_all(path: &Path, overrides: &[Override]) -> Result<Vec<Loaded>, Mistakes> {
    load_text(path, &experiment::read_text(path)?, overrides)
}

/// Reads `text` as if it stood in the file at `path`, as [`load_all`] does.
///
/// # Errors
/// As of [`load_all`].
pub fn load_text(path: &Path, text: &str, overrides: &[Override]) -> Result<Vec<Loaded>, Mistakes> {
    let mut judge = Judge::default();
    experiment::load_text_with(path, text, overrides, &mut |experiment| judge.judge(experiment))
}

/// Looks at the runs of a file; what several have in common is looked at once.
#[derive(Default)]
struct Judge {
    /// None where it cannot be known yet.
    networks: Vec<(Model, Option<Network>)>,
    classes: Vec<(PathBuf, Option<Vec<String>>)>,
}

impl Judge {
    fn judge(&mut self, experiment: &Experiment) -> Vec<Objection> {
        let mut objections = self.of_layers(experiment);
        if names_classes(experiment)
            && let Some(classes) = self.classes_of(&experiment.data)
        {
            objections.extend(of_classes(experiment, &classes));
        }
        objections
    }

    fn of_layers(&mut self, experiment: &Experiment) -> Vec<Objection> {
        let model = &experiment.model;
        let at = match self.networks.iter().position(|(known, _)| known == model) {
            Some(at) => at,
            None => match Network::of_known_shapes(model) {
                Ok(network) => {
                    self.networks.push((model.clone(), network));
                    self.networks.len() - 1
                }
                Err(error) => return vec![objection("model.lora.layers".to_owned(), &error.into())],
            },
        };
        let Some(network) = &mut self.networks[at].1 else { return Vec::new() };
        let phases = experiment.train.phases.iter().enumerate();
        phases.flat_map(|(number, phase)| of_phase(network, number, phase)).collect()
    }

    fn classes_of(&mut self, data: &experiment::Data) -> Option<Vec<String>> {
        if let Some((_, classes)) = self.classes.iter().find(|(path, _)| *path == data.train) {
            return classes.clone();
        }
        let classes = data::class_names(data);
        self.classes.push((data.train.clone(), classes.clone()));
        classes
    }
}

fn of_phase(network: &mut Network, number: usize, phase: &Phase) -> Vec<Objection> {
    let key = |key: &str| format!("train.phases.{number}.{key}");
    let rates = network.rates(phase.lr_decay, &phase.lr_factors).map(|_| ());
    let rates = rates.map_err(|error| objection(key("lr_factors"), &error.into()));
    let learns = network.stretches(&phase.trainable, phase.epochs);
    let frozen = learns.and_then(|learns| learns.iter().try_for_each(|(_, learns)| network.freeze(learns)));
    let frozen = frozen.map_err(|error| objection(key(trainable_key(&phase.trainable)), &error.into()));
    rates.err().into_iter().chain(frozen.err()).collect()
}

/// Where it says what cannot be.
fn trainable_key(trainable: &Trainable) -> &'static str {
    match trainable {
        Trainable::LastLayers(_) => "trainable.last_layers",
        Trainable::From(_) => "trainable.from",
        Trainable::Names(_) => "trainable.names",
        Trainable::Gradual { .. } => "trainable.gradual.blocks",
        Trainable::Head | Trainable::All | Trainable::None => "trainable",
    }
}

/// Whether something is said of certain classes, or of how many there are.
fn names_classes(experiment: &Experiment) -> bool {
    let of_classes = |measure: &Measure| matches!(measure, Measure::One(Figure::TopK(_) | Figure::OfClass(..)));
    let weighs = matches!(experiment.train.class_weight, Some(ClassWeight::Of(_)));
    weighs || experiment.train.metrics.iter().any(of_classes)
}

fn of_classes(experiment: &Experiment, classes: &[String]) -> Vec<Objection> {
    let train = &experiment.train;
    let mut objections = Vec::new();
    if let Some(ClassWeight::Of(weights)) = &train.class_weight {
        let unknown = weights.keys().filter(|name| !classes.contains(name));
        objections.extend(
            unknown.map(|name| objection("train.class_weight".to_owned(), &setup::unknown_class(name, classes))),
        );
    }
    for measure in &train.metrics {
        if let Err(error) = metrics::check(std::slice::from_ref(measure), classes) {
            objections.push(objection(metric_key(experiment, measure), &error));
        }
    }
    objections
}

/// Where a metric is asked for: one that is watched may be listed nowhere else.
fn metric_key(experiment: &Experiment, measure: &Measure) -> String {
    let train = &experiment.train;
    let early_stopping = train.early_stopping.as_ref().map(|callback| &callback.watch);
    let reduce_lr = train.reduce_lr_on_plateau.as_ref().map(|callback| &callback.watch);
    let watched = [
        ("train.early_stopping.monitor", early_stopping),
        ("train.reduce_lr_on_plateau.monitor", reduce_lr),
        ("train.monitor", Some(&train.watch)),
    ];
    let is_it = |metric: &Metric| matches!(metric, Metric::Val(figure) if measure.gives(figure));
    let key = watched.into_iter().find(|(_, watch)| watch.is_some_and(|watch| is_it(&watch.monitor)));
    key.map_or("train.metrics", |(key, _)| key).to_owned()
}

fn objection(key: String, error: &Error) -> Objection {
    Objection { key, message: error.to_string(), hint: error.hint() }
}
