//! Gradients, values and reproducibility of convolutions.

use candle_core::Tensor;

use super::{After, Case, Conv2d, composed, conv2d, conv2d_relu};
use crate::ops::gradient_check::{gradient_check, gradients, relative_error, same_on_any_threads, values};
use candle_core::DType;

/// ([batch, in, height, width], [out, kernel height, kernel width], stride, padding)
const CASES: [([usize; 4], [usize; 3], usize, usize); 15] = [
    // those of ResNet: its stem, its strided blocks, their shortcuts
    ([1, 3, 12, 10], [2, 7, 7], 2, 3),
    ([2, 2, 8, 6], [3, 3, 3], 2, 1),
    ([2, 3, 6, 8], [2, 1, 1], 2, 0),
    ([2, 3, 8, 7], [4, 3, 3], 2, 1),
    ([2, 3, 8, 7], [4, 3, 3], 2, 0),
    ([1, 2, 7, 8], [3, 3, 3], 1, 1),
    ([3, 2, 5, 6], [2, 3, 3], 1, 0),
    ([2, 4, 6, 5], [3, 1, 1], 1, 0),
    ([2, 2, 7, 5], [3, 1, 1], 2, 0),
    ([1, 2, 6, 9], [2, 1, 3], 1, 1),
    ([1, 2, 9, 9], [2, 5, 5], 3, 2),
    ([2, 1, 4, 4], [1, 4, 4], 1, 0),
    ([9, 1, 3, 3], [2, 3, 3], 1, 2),
    ([1, 3, 1, 1], [2, 3, 3], 1, 1),
    ([1, 1, 5, 2], [1, 2, 2], 3, 1),
];

fn arguments(x: [usize; 4], [out, kh, kw]: [usize; 3]) -> [Tensor; 3] {
    [values(x.to_vec(), 1), values((out, x[1], kh, kw), 2), values(out, 3)]
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for (x, kernel, stride, padding) in CASES {
        let all = arguments(x, kernel);
        gradient_check(&all, |a| conv2d(&a[0], &a[1], Some(&a[2]), stride, padding));
        gradient_check(&all[..2], |a| conv2d(&a[0], &a[1], None, stride, padding));
        gradient_check(&all, |a| conv2d_relu(&a[0], &a[1], Some(&a[2]), stride, padding));
    }
}

#[test]
fn gradients_of_the_composition_are_right_too() {
    for (x, kernel, stride, padding) in CASES {
        let all = arguments(x, kernel);
        gradient_check(&all, |a| {
            let conv = Conv2d { stride, padding, after: After::Nothing };
            let case = Case::new(a[0].dims(), a[1].dims(), None, &conv)?;
            composed::conv2d(&case, &a[0], &a[1], Some(&a[2]))
        });
    }
}

#[test]
fn arguments_need_not_lie_in_a_row() {
    let transposed = [values((7, 8, 3, 2), 1), values((3, 3, 3, 4), 2), values(4, 3)];
    gradient_check(&transposed, |a| {
        conv2d(&a[0].permute((3, 2, 1, 0))?, &a[1].permute((3, 2, 1, 0))?, Some(&a[2]), 2, 1)?.permute((1, 3, 0, 2))
    });
}

#[test]
fn forward_is_candles() {
    for (x, kernel, stride, padding) in CASES {
        let [x, weight, bias] = arguments(x, kernel);
        let ours = conv2d(&x, &weight, Some(&bias), stride, padding).unwrap();
        let bias = bias.reshape((1, bias.elem_count(), 1, 1)).unwrap();
        let candles = x.conv2d(&weight, padding, stride, 1, 1).unwrap().broadcast_add(&bias).unwrap();
        assert!(relative_error(&ours, &candles) < 1e-12, "{x:?} {weight:?} {stride} {padding}");
    }
}

/// Sizes of real layers, and some that divide into no tile.
const FAST_CASES: [([usize; 4], [usize; 3], usize, usize); 14] = [
    ([2, 3, 38, 34], [16, 7, 7], 2, 3),
    ([2, 16, 14, 14], [24, 3, 3], 2, 1),
    ([3, 16, 14, 12], [24, 1, 1], 2, 0),
    ([2, 9, 7, 5], [10, 3, 3], 1, 2),
    ([2, 8, 7, 9], [8, 3, 3], 1, 0),
    ([40, 8, 5, 5], [16, 3, 3], 1, 1),
    ([3, 20, 2, 2], [18, 3, 3], 1, 1),
    ([3, 3, 33, 31], [64, 3, 3], 2, 1),
    ([2, 16, 31, 32], [64, 3, 3], 1, 1),
    ([2, 48, 7, 8], [192, 3, 3], 1, 1),
    ([9, 64, 8, 8], [17, 3, 3], 1, 1),
    ([2, 5, 13, 6], [3, 3, 3], 1, 0),
    ([2, 128, 16, 15], [16, 1, 1], 1, 0),
    ([1, 1, 2, 1], [1, 3, 3], 1, 1),
];

fn as_f32(tensors: &[Tensor; 3]) -> [Tensor; 3] {
    tensors.each_ref().map(|t| t.to_dtype(DType::F32).unwrap())
}

#[test]
fn f32_agrees_with_f64() {
    for (x, kernel, stride, padding) in FAST_CASES {
        let run = |a: &[Tensor]| conv2d(&a[0], &a[1], Some(&a[2]), stride, padding);
        let exact = arguments(x, kernel);
        let fast = as_f32(&exact);
        let error = relative_error(&run(&fast).unwrap(), &run(&exact).unwrap());
        assert!(error < 4e-5, "forward {x:?} {kernel:?}: {error:e}");
        let of = |a: &[Tensor; 3]| gradients(a, &[true; 3], &run);
        for (argument, (fast, exact)) in of(&fast).into_iter().zip(of(&exact)).enumerate() {
            let tensor = |v: Option<Vec<f64>>| v.map(|v| Tensor::new(v, &candle_core::Device::Cpu).unwrap()).unwrap();
            let error = relative_error(&tensor(fast), &tensor(exact));
            assert!(error < 5e-5, "gradient {argument} of {x:?} {kernel:?}: {error:e}");
        }
    }
}

#[test]
fn neither_threads_nor_other_samples_change_a_bit() {
    for (x, kernel, stride, padding) in FAST_CASES {
        let all = as_f32(&arguments(x, kernel));
        let run = |a: &[Tensor]| conv2d(&a[0], &a[1], Some(&a[2]), stride, padding);
        same_on_any_threads(&all, run);
        let whole = run(&all).unwrap();
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let last = x[0] - 1;
        let alone = run(&[all[0].narrow(0, last, 1).unwrap(), all[1].clone(), all[2].clone()]).unwrap();
        assert_eq!(flat(&alone), flat(&whole.narrow(0, last, 1).unwrap()));
    }
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    let [x, weight, _] = arguments([1, 3, 4, 4], [2, 3, 3]);
    assert!(conv2d(&x.narrow(1, 0, 2).unwrap(), &weight, None, 1, 0).is_err(), "channels");
    assert!(conv2d(&x.narrow(2, 0, 2).unwrap(), &weight, None, 1, 0).is_err(), "kernel larger than the input");
    assert!(conv2d(&x, &weight, Some(&values(3, 1)), 1, 1).is_err(), "bias");
    assert!(conv2d(&x.squeeze(0).unwrap(), &weight, None, 1, 1).is_err(), "rank");
}
