//! `model/`: what `predict` loads – weights, the classes' names, and the experiment that made them.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::Error;
use crate::base::durable;
use crate::experiment::{Experiment, Preprocessing};
use crate::model::{self, Found, Network};

/// Writes `model.safetensors` (with the preprocessing that the weights want), `labels.json` (an array of names, by
/// index) and `resolved.yaml` into `folder`; of an encoder also `config.json` and the tokenizer's files.
pub(super) fn write(
    folder: &Path,
    experiment: &Experiment,
    network: &Network,
    found: &Found,
    classes: &[String],
) -> Result<(), Error> {
    durable::ensure_dir(folder)?;
    let preprocessing = match network.preprocessing() {
        Preprocessing::Caffe => "caffe",
        Preprocessing::Torch => "torch",
    };
    let metadata = BTreeMap::from([("preprocessing".to_owned(), preprocessing.to_owned())]);
    let weights = network.merged()?;
    durable::write_with(&folder.join("model.safetensors"), |out| model::write_safetensors(out, &weights, &metadata))?;
    durable::write(&folder.join("labels.json"), serde_json::json!(classes).to_string().as_bytes())?;
    durable::write(&folder.join("resolved.yaml"), experiment.to_yaml().as_bytes())?;
    for path in found.side_files() {
        if let Some(name) = path.file_name() {
            durable::copy(&path, &folder.join(name))?;
        }
    }
    Ok(())
}
