//! A trained model at work: what `finetop predict` asks. It stands on the folder `model/` alone, wherever that lies.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};

use super::error::Error;
use super::feed::{Feed, Preparation};
use super::metrics;
use super::setup;
use crate::data::{Picture, Samples, Text, Tokenizer};
use crate::experiment::{self, Experiment, Inputs, Origin, Task};
use crate::model::{Found, Network, Pass};

/// Samples that go through the network at once.
const BATCH: usize = 32;

/// A saved model, ready.
pub struct Predictor {
    experiment: Experiment,
    classes: Vec<String>,
    network: Network,
    preparation: Preparation,
    tokenizer: Option<Tokenizer>,
    device: Device,
}

/// What the model makes of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    pub source: String,
    /// Every class with its probability, likeliest first.
    pub classes: Vec<(String, f64)>,
}

/// A sample that could not be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    pub source: String,
    pub reason: String,
}

impl Predictor {
    /// The model in `folder`: `model.safetensors`, `labels.json` and `resolved.yaml`, and for texts the tokenizer.
    pub fn open(folder: &Path) -> Result<Predictor, Error> {
        let experiment = experiment(folder)?;
        let classes = labels(folder)?;
        let device = setup::device(experiment.device)?;
        let found = Found::saved(folder, &experiment.model)?;
        let (network, _) = Network::build(&experiment.model, &found, classes.len(), experiment.seed, &device)?;
        let tokenizer = setup::tokenizer(&experiment, &found)?;
        let preparation = setup::preparation(&experiment, &network, tokenizer.as_ref());
        Ok(Predictor { experiment, classes, network, preparation, tokenizer, device })
    }

    /// What it takes.
    pub fn task(&self) -> Task {
        self.experiment.task
    }

    /// The classes of each of the pictures at `paths`, or why one cannot be used.
    pub fn pictures(&self, paths: &[PathBuf]) -> Result<Vec<Result<Prediction, Unusable>>, Error> {
        let Inputs::Pictures(spec) = &self.experiment.data.inputs else { return Err(self.takes("texts")) };
        let open = |path: &PathBuf| {
            Picture::open(path, spec).map_err(|defect| {
                let reason = if path.exists() { defect.to_string() } else { "there is no such file".to_owned() };
                Unusable { source: path.display().to_string(), reason }
            })
        };
        let name = |picture: &Picture| picture.source.display().to_string();
        self.in_portions(paths, open, name, |pictures| Samples::Pictures(pictures.into()))
    }

    /// The classes of each of `texts`, each with the place that it is from.
    pub fn texts(&self, texts: &[(String, String)]) -> Result<Vec<Result<Prediction, Unusable>>, Error> {
        let Some(tokenizer) = &self.tokenizer else { return Err(self.takes("pictures")) };
        let open = |(source, text): &(String, String)| {
            let tokens = tokenizer.encode(text);
            let tokens = tokens.map_err(|e| Unusable { source: source.clone(), reason: e.to_string() })?;
            Ok(Text { source: source.clone(), label: 0, text: text.as_str().into(), tokens: tokens.into() })
        };
        self.in_portions(texts, open, |text| text.source.clone(), |texts| Samples::Texts(texts.into()))
    }

    fn takes(&self, what: &'static str) -> Error {
        Error::SavedModel { path: PathBuf::new(), reason: format!("it takes {what}") }
    }

    /// Opens and predicts a portion of `items` after the other, so that memory holds one.
    fn in_portions<I, S>(
        &self,
        items: &[I],
        open: impl Fn(&I) -> Result<S, Unusable>,
        name: impl Fn(&S) -> String,
        samples: impl Fn(Vec<S>) -> Samples,
    ) -> Result<Vec<Result<Prediction, Unusable>>, Error> {
        let mut all = Vec::with_capacity(items.len());
        for portion in items.chunks(BATCH) {
            let opened: Vec<Result<S, Unusable>> = portion.iter().map(&open).collect();
            let mut places: Vec<Result<String, Unusable>> = Vec::with_capacity(opened.len());
            let mut usable = Vec::new();
            for sample in opened {
                places.push(sample.map(|sample| {
                    let name = name(&sample);
                    usable.push(sample);
                    name
                }));
            }
            let mut predicted = self.predict(samples(usable))?.into_iter();
            all.extend(
                places.into_iter().map(|place| {
                    place.map(|source| Prediction { source, classes: predicted.next().unwrap_or_default() })
                }),
            );
        }
        Ok(all)
    }

    fn predict(&self, samples: Samples) -> Result<Vec<Vec<(String, f64)>>, Error> {
        if samples.is_empty() {
            return Ok(Vec::new());
        }
        let feed = Feed::new(samples, self.preparation.clone(), None, self.device.clone());
        let mut all = vec![Vec::new(); feed.len()];
        for input in feed.inputs(&feed.in_order(BATCH)) {
            let input = input?;
            let logits = self.network.forward(&input.x, input.mask.as_ref(), &Pass::Eval)?;
            for (&sample, row) in input.samples.iter().zip(rows(&logits)?) {
                all[sample] = self.ranked(&row);
            }
        }
        Ok(all)
    }

    /// Every class with its probability, likeliest first; of equals the first by name.
    fn ranked(&self, logits: &[f32]) -> Vec<(String, f64)> {
        let probabilities = metrics::softmax(logits);
        let mut ranked: Vec<(String, f64)> = self.classes.iter().cloned().zip(probabilities).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }
}

fn rows(logits: &Tensor) -> Result<Vec<Vec<f32>>, Error> {
    Ok(logits.to_vec2::<f32>()?)
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path)
        .map_err(|e| Error::SavedModel { path: path.to_owned(), reason: format!("could not read it: {e}") })
}

/// The experiment that made the model; what it names need not be there any more.
fn experiment(folder: &Path) -> Result<Experiment, Error> {
    let path = folder.join("resolved.yaml");
    let text = read(&path)?;
    let broken = |reason: String| Error::SavedModel { path: path.clone(), reason };
    let origin = Origin::of(&path).map_err(|e| broken(e.to_string()))?;
    experiment::parse(&text, &origin, &[]).map_err(|mistakes| broken(mistakes.to_string()))
}

fn labels(folder: &Path) -> Result<Vec<String>, Error> {
    let path = folder.join("labels.json");
    let broken = |e: serde_json::Error| Error::SavedModel { path: path.clone(), reason: e.to_string() };
    serde_json::from_str(&read(&path)?).map_err(broken)
}
