//! Replays figures of Keras, PyTorch and transformers through the code that trains: the layers, optimizers, callbacks,
//! random changes of pictures and the step of training themselves, none of them written a second time here.
//!
//! A file of figures is JSON. `formula` gives every tensor's values and `k` says where each begins in it; what `k` does not
//! say (scales, rates, counts) is read from the fields that are sentences for people. Kinds of files are told apart by
//! their fields.
//!
//! Invariants: whatever a figure depends on is taken from its file; a field that is not known here and a clause that is
//! not understood are told, not passed over.

mod bert;
mod callbacks;
mod case;
mod error;
mod expression;
mod file;
mod formula;
mod optimizers;
mod parameters;
mod prose;
mod recipe;
mod replay;
mod resnet;
mod transforms;
mod vgg;

use candle_core::Device;

pub use case::{Case, Measure};
pub use error::Error;
pub use file::{File, built_in, of_folder};

use super::setup;
use crate::experiment;
use error::Trouble;
use file::{Figures, Known};

/// What a replay came to.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order of the files.
    pub cases: Vec<Case>,
    /// What was not understood and has no part in any case, by file.
    pub notes: Vec<(String, String)>,
    /// Files that could not be replayed.
    pub errors: Vec<Error>,
}

/// The device that experiments train on by default: an accelerator that this build knows and that is there, else the CPU.
///
/// # Errors
/// Where the accelerator cannot be used.
pub fn device() -> Result<(Device, String), super::Error> {
    let device = setup::device(experiment::Device::Auto)?;
    let name = setup::device_name(&device);
    Ok((device, name))
}

/// Replays all `files` on `device`.
pub fn replay(files: &[File], device: &Device) -> Report {
    let mut report = Report::default();
    for file in files {
        match of_file(file, device, &mut report) {
            Ok(cases) => report.cases.extend(cases),
            Err(trouble) => report.errors.push(trouble.of(&file.name)),
        }
    }
    report
}

fn of_file(file: &File, device: &Device, report: &mut Report) -> Result<Vec<Case>, Trouble> {
    let mut notes = Vec::new();
    let cases = match file.figures()? {
        Known::Figures(figures) => replayed(figures, device, &mut notes),
        Known::Nothing => {
            notes.push("it holds no figures that are known here, and is left out".to_owned());
            Ok(Vec::new())
        }
    };
    report.notes.extend(notes.into_iter().map(|note| (file.name.clone(), note)));
    let cases = cases?.into_iter();
    Ok(cases.map(|case| Case { file: file.name.clone(), ..case }).collect())
}

fn replayed(figures: Figures, device: &Device, notes: &mut Vec<String>) -> Result<Vec<Case>, Trouble> {
    match figures {
        Figures::Callbacks(figures) => callbacks::replay(&figures, notes),
        Figures::Optimizers(figures) => optimizers::replay(figures, device, notes),
        Figures::Transforms(figures) => transforms::replay(&figures, notes),
        Figures::Vgg(figures) => vgg::replay(figures, device, notes),
        Figures::ResNet(figures) => resnet::replay(figures, device, notes),
        Figures::Bert(figures) => bert::replay(figures, device, notes),
    }
}

#[cfg(test)]
mod tests;
