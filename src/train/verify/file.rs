//! Files of figures: those built in, and those of a folder.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{Error, Trouble};
use super::{bert, callbacks, optimizers, resnet, transforms, vgg};

/// A file of figures, not yet looked into.
#[derive(Debug, Clone)]
pub struct File {
    /// Without its ending.
    pub name: String,
    text: String,
}

/// Figures, by what they are of.
pub(super) enum Figures {
    Callbacks(Box<callbacks::Figures>),
    Optimizers(Box<optimizers::Figures>),
    Transforms(Box<transforms::Figures>),
    Vgg(Box<vgg::Figures>),
    ResNet(Box<resnet::Figures>),
    Bert(Box<bert::Figures>),
}

/// What a file of JSON turns out to be.
pub(super) enum Known {
    Figures(Figures),
    /// Of another kind altogether.
    Nothing,
}

/// What files of all kinds have beside their figures.
#[derive(Debug, Deserialize)]
pub(super) struct Common {
    formula: Option<String>,
    /// Says which draw it is; what follows from it is in `k`.
    #[serde(rename = "seed")]
    _seed: Option<Value>,
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// The formula as every file states it, in its parts.
const FORMULA: [&str; 3] = ["f32(scale * (2*u - 1))", "(mix(k * 2^32 + i) >> 40) / 2^24", "splitmix64"];

impl Common {
    /// Notes what of it is not known here.
    pub fn note(&self, notes: &mut Vec<String>) {
        notes.extend(self.rest.keys().map(|field| format!("the field `{field}` is not known here")));
        let formula = self.formula.as_deref().unwrap_or_default();
        if !FORMULA.iter().all(|part| formula.contains(part)) {
            notes.push("its `formula` is another than the one known here".to_owned());
        }
    }
}

/// The six files that the program brings along.
pub fn built_in() -> Vec<File> {
    const FILES: [(&str, &str); 6] = [
        ("callbacks", include_str!("../../../tests/reference/callbacks.json")),
        ("optimizers", include_str!("../../../tests/reference/optimizers.json")),
        ("transforms", include_str!("../../../tests/reference/transforms.json")),
        ("vgg16", include_str!("../../../tests/reference/vgg16.json")),
        ("resnet18", include_str!("../../../tests/reference/resnet18.json")),
        ("bert", include_str!("../../../tests/reference/bert.json")),
    ];
    FILES.map(|(name, text)| File { name: name.to_owned(), text: text.to_owned() }).into()
}

/// All `*.json` in `folder`, in the order of their names.
///
/// # Errors
/// Where the folder or a file cannot be read, or there is none.
pub fn of_folder(folder: &Path) -> Result<Vec<File>, Error> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Unreadable { path, source }
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        return Err(Error::NoFigures { path: folder.to_owned() });
    }
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).map_err(unreadable(path))?;
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        Ok(File { name, text })
    };
    paths.iter().map(read).collect()
}

impl File {
    /// Looks into it, by its fields.
    pub(super) fn figures(&self) -> Result<Known, Trouble> {
        let value: Value = serde_json::from_str(&self.text).map_err(|e| Trouble::NotJson(e.to_string()))?;
        let has = |field: &str| value.get(field).is_some();
        let of_cases = |field: &str| {
            value["cases"].as_array().is_some_and(|cases| cases.iter().any(|case| case.get(field).is_some()))
        };
        let figures = match () {
            () if of_cases("early_stopping") || of_cases("reduce_lr_on_plateau") => Figures::Callbacks(read(value)?),
            () if of_cases("params_after_step") || of_cases("optimizer") => Figures::Optimizers(read(value)?),
            () if of_cases("output_hwc") || of_cases("input_hwc") => Figures::Transforms(read(value)?),
            () if has("input_ids") || has("attention_mask") => Figures::Bert(read(value)?),
            () if has("logits_eval_before") || has("logits_eval_after") => Figures::ResNet(read(value)?),
            () if has("images") && has("losses") => Figures::Vgg(read(value)?),
            () if has("formula") => {
                return Err(Trouble::Malformed("its fields are those of no kind of figures that is known here".into()));
            }
            () => return Ok(Known::Nothing),
        };
        Ok(Known::Figures(figures))
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<Box<T>, Trouble> {
    serde_json::from_value(value).map(Box::new).map_err(|e| Trouble::Malformed(e.to_string()))
}
