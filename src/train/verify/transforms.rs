//! Random changes of pictures, as Keras' `ImageDataGenerator.apply_transform` makes them.

use image::RgbImage;
use serde::Deserialize;

use super::case::{Case, Measure, compare};
use super::error::Trouble;
use super::file::Common;
use crate::data::augment::Transform;

/// Grey levels of 255. The figures are rounded to a thousandth, and the file's positions are those of f64.
const TOLERANCE: f64 = 0.02;

#[derive(Deserialize)]
pub(super) struct Figures {
    #[serde(rename = "source")]
    _source: Option<String>,
    cases: Vec<Change>,
    #[serde(flatten)]
    common: Common,
}

/// A picture before and after, channels last.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    height: u32,
    width: u32,
    params: Params,
    input_hwc: Vec<f64>,
    output_hwc: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    theta: f64,
    tx: f64,
    ty: f64,
    zx: f64,
    zy: f64,
    flip_horizontal: bool,
}

pub(super) fn replay(figures: &Figures, notes: &mut Vec<String>) -> Result<Vec<Case>, Trouble> {
    figures.common.note(notes);
    figures.cases.iter().enumerate().map(|(number, change)| case(number, change)).collect()
}

fn case(number: usize, change: &Change) -> Result<Case, Trouble> {
    let field = format!("cases[{number}]");
    let level = |&level: &f64| (level.fract() == 0.0 && (0.0..=255.0).contains(&level)).then_some(level as u8);
    let levels: Option<Vec<u8>> = change.input_hwc.iter().map(level).collect();
    let levels = levels.ok_or_else(|| Trouble::field(&field, "has input that is no whole level of 0 to 255"))?;
    let wanted = 3 * u64::from(change.height) * u64::from(change.width);
    let fits = wanted > 0 && levels.len() as u64 == wanted;
    let picture = RgbImage::from_raw(change.width, change.height, levels).filter(|_| fits);
    let picture = picture.ok_or_else(|| Trouble::field(&field, "has input of another height and width"))?;
    let Params { theta, tx, ty, zx, zy, flip_horizontal } = change.params;
    let mut ours = vec![f64::NAN; change.input_hwc.len()];
    Transform { theta, tx, ty, zx, zy, flip_horizontal, ..Transform::STILL }.apply(&picture, |at, rgb| {
        ours[3 * at..][..3].copy_from_slice(&rgb.map(f64::from));
    });
    let name = format!("case {number} ({}×{})", change.height, change.width);
    compare(&name, &field, &ours, &change.output_hwc, (Measure::Absolute, TOLERANCE))
}
