//! The test that every operation must pass: its gradients against central finite differences, in f64.

use candle_core::{DType, Device, Result, Shape, Tensor, Var};

use crate::base::random::{Purpose, Stream};

/// Half the distance of two points of a difference; the error of f64 arithmetic is about 1e-16 over this.
const STEP: f64 = 1e-6;
/// Largest difference allowed, absolute and relative.
const TOLERANCE: f64 = 1e-7;

/// A tensor of f64 in -1..1, determined by `seed`.
pub(crate) fn values(shape: impl Into<Shape>, seed: u64) -> Tensor {
    let shape = shape.into();
    let mut stream = Stream::new(seed, Purpose::InitialWeights, 0, 0);
    let all: Vec<f64> = (0..shape.elem_count()).map(|_| stream.range(-1.0, 1.0)).collect();
    Tensor::from_vec(all, shape, &Device::Cpu).unwrap()
}

/// Asserts that the gradient of `operation` for each of `inputs` is what finite differences of a weighted sum of its
/// output say; then again with each input alone tracked, where the others must get no gradient.
#[track_caller]
pub(crate) fn gradient_check(inputs: &[Tensor], operation: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let differences: Vec<Vec<f64>> = (0..inputs.len()).map(|i| finite_differences(inputs, i, &operation)).collect();
    let all = vec![true; inputs.len()];
    let alone = (0..inputs.len()).map(|i| (0..inputs.len()).map(|j| i == j).collect());
    for tracked in std::iter::once(all).chain(alone) {
        for (i, found) in gradients(inputs, &tracked, &operation).into_iter().enumerate() {
            match found {
                Some(found) => assert_close(&found, &differences[i], &format!("argument {i}, tracked {tracked:?}")),
                None => assert!(!tracked[i], "argument {i} got no gradient"),
            }
        }
    }
}

/// The gradients of a weighted sum of the output for the tracked ones of `inputs`.
pub(crate) fn gradients(
    inputs: &[Tensor],
    tracked: &[bool],
    operation: &impl Fn(&[Tensor]) -> Result<Tensor>,
) -> Vec<Option<Vec<f64>>> {
    let vars: Vec<Var> = inputs.iter().map(|input| Var::from_tensor(input).unwrap()).collect();
    let arguments: Vec<Tensor> = vars
        .iter()
        .zip(tracked)
        .map(|(var, tracked)| if *tracked { var.as_tensor().clone() } else { var.as_detached_tensor() })
        .collect();
    let gradients = weighted_sum(&operation(&arguments).unwrap()).backward().unwrap();
    let flat = |t: &Tensor| t.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
    vars.iter().map(|var| gradients.get(var.as_tensor()).map(flat)).collect()
}

/// Asserts that one thread and three come to the same bits, forwards and backwards.
#[track_caller]
pub(crate) fn same_on_any_threads(inputs: &[Tensor], operation: impl Fn(&[Tensor]) -> Result<Tensor> + Sync) {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let y = operation(inputs).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            (y, gradients(inputs, &vec![true; inputs.len()], &operation))
        })
    };
    assert_eq!(on(1), on(3));
}

/// Different weights for all elements, so that no error can hide in a sum.
fn weighted_sum(y: &Tensor) -> Tensor {
    let weights = values(y.shape(), 99).to_dtype(y.dtype()).unwrap();
    (y * weights).unwrap().sum_all().unwrap()
}

fn finite_differences(inputs: &[Tensor], i: usize, operation: &impl Fn(&[Tensor]) -> Result<Tensor>) -> Vec<f64> {
    let base = inputs[i].flatten_all().unwrap().to_vec1::<f64>().unwrap();
    let at = |element: usize, by: f64| {
        let mut moved = base.clone();
        moved[element] += by;
        let mut arguments = inputs.to_vec();
        arguments[i] = Tensor::from_vec(moved, inputs[i].shape(), &Device::Cpu).unwrap();
        weighted_sum(&operation(&arguments).unwrap()).to_scalar::<f64>().unwrap()
    };
    (0..base.len()).map(|element| (at(element, STEP) - at(element, -STEP)) / (2.0 * STEP)).collect()
}

#[track_caller]
fn assert_close(found: &[f64], wanted: &[f64], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (at, (f, w)) in found.iter().zip(wanted).enumerate() {
        // written so that a NaN fails
        assert!((f - w).abs() <= TOLERANCE * (1.0 + w.abs()), "{what}, element {at}: {f} instead of {w}");
    }
}

/// The largest difference of `a` and `b` over the root mean square of `b`.
pub(crate) fn relative_error(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    let flat = |t: &Tensor| t.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
    let (a, b) = (flat(a), flat(b));
    let rms = (b.iter().map(|v| v * v).sum::<f64>() / b.len() as f64).sqrt();
    a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / rms
}

#[test]
fn finds_a_gradient_that_is_wrong() {
    // Candle's own max pool: a unique maximum gets a fraction of its gradient.
    let wrong = std::panic::catch_unwind(|| gradient_check(&[values((1, 1, 4, 4), 1)], |x| x[0].max_pool2d(2)));
    assert!(wrong.is_err());
    let cut = std::panic::catch_unwind(|| gradient_check(&[values(3, 1)], |x| x[0].detach() * 2.0));
    assert!(cut.is_err());
}
