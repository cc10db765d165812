//! Every rule as it trains. The figures of Keras and PyTorch are in `train::verify`.

use candle_core::{Device, Tensor, Var};

use super::home::Home;
use super::rule::Rule;
use super::*;
use crate::experiment::Optimizer::{self as Spec, Adam as AdamSpec};

const RULES: [Spec; 7] = [
    AdamSpec { lr: 0.01, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, variant: AdamVariant::Keras },
    AdamSpec { lr: 0.01, beta_1: 0.8, beta_2: 0.99, epsilon: 1e-8, variant: AdamVariant::PyTorch },
    Spec::AdamW { lr: 0.01, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.1 },
    Spec::Sgd { lr: 0.1, momentum: 0.0, nesterov: false, weight_decay: 0.01, dampening: 0.0 },
    Spec::Sgd { lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.01, dampening: 0.0 },
    Spec::RmsProp { lr: 0.01, alpha: 0.9, epsilon: 1e-8, momentum: 0.0, weight_decay: 0.01 },
    Spec::RmsProp { lr: 0.01, alpha: 0.9, epsilon: 1e-8, momentum: 0.5, weight_decay: 0.0 },
];

fn values(seed: u64, shape: &[usize]) -> Tensor {
    let mut stream = crate::base::random::Stream::new(seed, crate::base::random::Purpose::InitialWeights, 0, 0);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| stream.uniform() as f32 - 0.5).collect();
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
fn restored_in_the_middle_each_goes_on_to_the_same_bits() {
    // more than one chunk, and no multiple of it
    let shape = [3, 50_001];
    for spec in RULES {
        let whole = Var::from_tensor(&values(1, &shape)).unwrap();
        let mut optimizer = build(&spec, vec![("w".into(), whole.clone())]).unwrap();
        let mut halves = None;
        for step in 0..6 {
            if step == 3 {
                let copy = Var::from_tensor(&whole.as_tensor().copy().unwrap()).unwrap();
                let slots: HashMap<String, Tensor> = optimizer.slots().unwrap().into_iter().collect();
                let mut resumed = build(&spec, vec![("w".into(), copy.clone())]).unwrap();
                let fresh_start = resumed.restore(3, &HashMap::new());
                assert_eq!(fresh_start.is_err(), !slots.is_empty(), "a missing slot is no fresh start: {spec:?}");
                resumed.restore(optimizer.steps(), &slots).unwrap();
                halves = Some((copy, resumed));
            }
            let gradient = values(11 + step, &shape);
            optimizer.step(&gradients(&whole, &gradient), 0.5).unwrap();
            if let Some((copy, resumed)) = &mut halves {
                resumed.step(&gradients(copy, &gradient), 0.5).unwrap();
            }
        }
        let (copy, _) = halves.unwrap();
        assert_eq!(flat(&whole), flat(&copy), "{spec:?}");
        assert_ne!(flat(&whole), flat(&values(1, &shape)), "{spec:?}");
    }
}

#[test]
fn a_slot_of_another_shape_is_refused() {
    let w = Var::from_tensor(&values(1, &[3])).unwrap();
    let mut optimizer = build(&RULES[4], vec![("w".into(), w)]).unwrap();
    let slots = HashMap::from([("velocity.w".to_owned(), values(1, &[4]))]);
    assert!(optimizer.restore(1, &slots).unwrap_err().to_string().contains("velocity.w"));
}

/// What joins late is moved as by an optimizer of its own, and what was there before as if nothing had happened.
#[test]
fn what_joins_late_begins_anew_and_the_rest_goes_on() {
    for spec in RULES {
        let fresh = |seed| Var::from_tensor(&values(seed, &[5])).unwrap();
        let [first, late] = [fresh(1), fresh(2)];
        let [alone, own] = [fresh(1), fresh(2)];
        let mut both = build(&spec, vec![("a".into(), first.clone())]).unwrap();
        let mut of_first = build(&spec, vec![("a".into(), alone.clone())]).unwrap();
        let mut of_late = build(&spec.with_lr(spec.lr() * 0.5), vec![("b".into(), own.clone())]).unwrap();
        for step in 0..6 {
            if step == 3 {
                let moved = Moved { name: "b".into(), variable: late.clone(), rate: 0.5 };
                both.add(vec![moved], 3).unwrap();
            }
            let [gradient, other] = [values(20 + step, &[5]), values(40 + step, &[5])];
            let product =
                |variable: &Var, gradient: &Tensor| (variable.as_tensor() * gradient).unwrap().sum_all().unwrap();
            let sum = (product(&first, &gradient) + product(&late, &other)).unwrap();
            both.step(&sum.backward().unwrap(), 1.0).unwrap();
            of_first.step(&gradients(&alone, &gradient), 1.0).unwrap();
            if step >= 3 {
                of_late.step(&gradients(&own, &other), 1.0).unwrap();
            }
        }
        assert_eq!(flat(&first), flat(&alone), "{spec:?}");
        let off = flat(&late).iter().zip(flat(&own)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-7 && flat(&late) != flat(&fresh(2)), "{spec:?}: {off}");
    }
}

#[test]
fn what_has_no_gradient_stays() {
    let [moved, stays] = [1, 2].map(|seed| Var::from_tensor(&values(seed, &[5])).unwrap());
    for spec in RULES {
        let before = flat(&moved);
        let mut optimizer = build(&spec, vec![("a".into(), moved.clone()), ("b".into(), stays.clone())]).unwrap();
        optimizer.step(&gradients(&moved, &values(3, &[5])), 1.0).unwrap();
        assert_ne!(flat(&moved), before, "{spec:?}");
        assert_eq!(flat(&stays), flat(&values(2, &[5])), "{spec:?}");
        assert_eq!(optimizer.variables().len(), 2);
    }
}

#[test]
fn the_scale_is_that_of_the_gradient() {
    for spec in RULES {
        let [one, other] = [(1.0, 0.25f32), (0.25, 1.0)].map(|(factor, scale)| {
            let variable = Var::from_tensor(&values(1, &[7])).unwrap();
            let mut optimizer = build(&spec, vec![("w".into(), variable.clone())]).unwrap();
            let gradient = (values(2, &[7]) * factor).unwrap();
            (0..3).for_each(|_| optimizer.step(&gradients(&variable, &gradient), scale).unwrap());
            flat(&variable)
        });
        assert_eq!(one, other, "{spec:?}");
    }
}

/// A few steps of `rule` in one pass over memory, and as tensors.
fn both_homes<R: Rule<N>, const N: usize>(rule: R) {
    let shape = [4, 9];
    let zeros = Tensor::zeros(&shape, candle_core::DType::F32, &Device::Cpu).unwrap();
    let [host, device] = [false, true].map(|on_device| {
        let variable = Var::from_tensor(&values(1, &shape)).unwrap();
        let mut home = Home::<N>::zero(&variable).unwrap();
        if on_device {
            home = Home::on_device(&variable, &[&zeros; N]).unwrap();
        }
        for step in 1..=5 {
            let gradient = values(10 + step, &shape);
            home.step::<R>(&variable, &gradient, 0.5, rule.scalars(0.01, step)).unwrap();
        }
        let mut all = flat(&variable);
        all.extend(home.tensors(&variable).unwrap().iter().flat_map(flat));
        all
    });
    assert_eq!(host.len(), (1 + N) * 36);
    let worst = host.iter().zip(&device).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-6, "{}: {worst}", R::NAME);
}

#[test]
fn the_pass_over_memory_and_the_tensors_agree() {
    let adam = |variant| Adam { betas: [0.9, 0.99], epsilon: 1e-3, variant };
    both_homes(adam(AdamVariant::Keras));
    both_homes(adam(AdamVariant::PyTorch));
    both_homes(AdamW { adam: adam(AdamVariant::PyTorch), weight_decay: 0.1 });
    let sgd = |nesterov| Sgd { momentum: 0.9, dampening: 0.2, nesterov, weight_decay: 0.1 };
    both_homes::<_, 0>(sgd(false));
    both_homes::<_, 1>(sgd(false));
    both_homes::<_, 1>(sgd(true));
    let rmsprop = || RmsProp { alpha: 0.9, epsilon: 1e-3, momentum: 0.5, weight_decay: 0.1 };
    both_homes::<_, 1>(rmsprop());
    both_homes::<_, 2>(rmsprop());
}
