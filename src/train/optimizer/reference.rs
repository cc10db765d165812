//! The Keras part of `tests/reference/optimizers.json` through the very optimizer that trains.

use candle_core::{Device, Tensor, Var};
use serde::Deserialize;

use super::*;
use crate::base::random::mix;

#[derive(Deserialize)]
struct Reference {
    shape: Vec<usize>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    library: String,
    optimizer: String,
    params_after_step: Vec<Vec<f64>>,
}

/// The file's formula: `f32(scale * (2u - 1))`, `u = (mix(k * 2^32 + i) >> 40) / 2^24`.
fn formula(k: u64, scale: f64, shape: &[usize]) -> Tensor {
    let values: Vec<f32> = (0..shape.iter().product::<usize>() as u64)
        .map(|i| (mix((k << 32) + i) >> 40) as f64 / (1u64 << 24) as f64)
        .map(|u| (scale * (2.0 * u - 1.0)) as f32)
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// Gradients of which `gradient` is that of `variable`: those of the sum of their product.
fn gradients(variable: &Var, gradient: &Tensor) -> GradStore {
    (variable.as_tensor() * gradient).unwrap().sum_all().unwrap().backward().unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn keras_adam_comes_out() {
    let text = include_str!("../../../tests/reference/optimizers.json");
    let reference: Reference = serde_json::from_str(text).unwrap();
    let cases: Vec<&Case> = reference.cases.iter().filter(|case| case.library.starts_with("keras")).collect();
    assert_eq!(cases.len(), 1);
    let case = cases[0];
    assert_eq!(case.optimizer, "adam lr=0.01 (epsilon 1e-7)");

    let spec = experiment::Optimizer::Adam { lr: 0.01, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 };
    let variable = Var::from_tensor(&formula(1, 0.5, &reference.shape)).unwrap();
    let mut optimizer = build(&spec, vec![("w".into(), variable.clone())]).unwrap();
    for (step, expected) in case.params_after_step.iter().enumerate() {
        let gradient = formula(11 + step as u64, 0.3, &reference.shape);
        optimizer.step(&gradients(&variable, &gradient)).unwrap();
        for (got, expected) in flat(&variable).iter().zip(expected) {
            assert!((f64::from(*got) - expected).abs() < 1e-6, "step {step}: {got} is not {expected}");
        }
    }
}

#[test]
fn restored_in_the_middle_it_goes_on_to_the_same_bits() {
    let spec = experiment::Optimizer::Adam { lr: 0.01, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 };
    // More than one chunk, and no multiple of it.
    let shape = [3, 50_001];
    let whole = Var::from_tensor(&formula(1, 0.5, &shape)).unwrap();
    let mut optimizer = build(&spec, vec![("w".into(), whole.clone())]).unwrap();
    let mut halves = None;
    for step in 0..6 {
        if step == 3 {
            let copy = Var::from_tensor(&whole.as_tensor().copy().unwrap()).unwrap();
            let slots: HashMap<String, Tensor> = optimizer.slots().unwrap().into_iter().collect();
            let mut resumed = build(&spec, vec![("w".into(), copy.clone())]).unwrap();
            assert!(resumed.restore(3, &HashMap::new()).is_err(), "a missing slot is no fresh start");
            resumed.restore(optimizer.steps(), &slots).unwrap();
            halves = Some((copy, resumed));
        }
        let gradient = formula(11 + step, 0.3, &shape);
        optimizer.step(&gradients(&whole, &gradient)).unwrap();
        if let Some((copy, resumed)) = &mut halves {
            resumed.step(&gradients(copy, &gradient)).unwrap();
        }
    }
    let (copy, _) = halves.unwrap();
    assert_eq!(flat(&whole), flat(&copy));
}
