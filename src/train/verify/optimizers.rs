//! Optimizers of PyTorch and Keras, step by step on one variable.

use std::collections::BTreeMap;

use candle_core::{Device, Var};
use serde::Deserialize;

use super::case::{Case, Measure, compare, flat};
use super::error::Trouble;
use super::file::Common;
use super::formula::{self, Starts};
use super::prose::Prose;
use super::recipe::{self, Library};
use crate::train::{optimizer, step};

const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
pub(super) struct Figures {
    k: Starts,
    shape: Vec<usize>,
    start: String,
    gradient_at_step_s: String,
    cases: Vec<Steps>,
    #[serde(flatten)]
    common: Common,
}

#[derive(Deserialize)]
struct Steps {
    library: String,
    optimizer: String,
    params_after_step: Vec<Vec<f64>>,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

pub(super) fn replay(figures: Box<Figures>, device: &Device, notes: &mut Vec<String>) -> Result<Vec<Case>, Trouble> {
    figures.common.note(notes);
    figures.cases.iter().enumerate().map(|(number, steps)| case(number, steps, &figures, device)).collect()
}

fn case(number: usize, steps: &Steps, figures: &Figures, device: &Device) -> Result<Case, Trouble> {
    let field = format!("cases[{number}].optimizer");
    if let Some(unknown) = steps.rest.keys().next() {
        return Err(Trouble::field(&format!("cases[{number}].{unknown}"), "is not known here"));
    }
    let library = Library::of(Prose::new(&format!("cases[{number}].library"), &steps.library))?;
    let recipe = recipe::alone(Prose::new(&field, &steps.optimizer), library)?;
    let start = Prose::new("start", &figures.start).scale(&[])?;
    let scale = Prose::new("gradient_at_step_s", &figures.gradient_at_step_s).scale(&[])?;
    let variable = Var::from_tensor(&formula::tensor(figures.k.of("start")?, start, &figures.shape, device)?)?;
    let mut optimizer = optimizer::build(&recipe.optimizer, vec![("w".into(), variable.clone())])?;
    let first = figures.k.of("gradient_at_step_0")?;
    let mut ours = Vec::new();
    for step in 0..steps.params_after_step.len() as u64 {
        let gradient = formula::tensor(first.wrapping_add(step), scale, &figures.shape, device)?;
        // the gradient of the sum of a product is the other factor
        let gradients = (variable.as_tensor() * gradient)?.sum_all()?.backward()?;
        step::update(&mut *optimizer, &gradients, recipe.clip_norm)?;
        ours.extend(flat(&variable)?);
    }
    let name = format!("{} {}", steps.library, steps.optimizer);
    compare(&name, &field, &ours, &steps.params_after_step.concat(), (Measure::Absolute, TOLERANCE))
}
