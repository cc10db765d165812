//! Gradients, values and reproducibility of batch normalisation.

use candle_core::{DType, Device, Result, Tensor, Var};

use super::{Norm, batch_norm, batch_norm_train, composed};
use crate::ops::After;
use crate::ops::gradient_check::{gradient_check, gradients, relative_error, same_on_any_threads, values};

const SHAPES: [[usize; 4]; 4] = [[2, 3, 5, 7], [3, 1, 1, 1], [1, 2, 4, 5], [5, 4, 1, 3]];

/// Weight, bias, mean and variance of so many channels.
fn of_channels(channels: usize) -> [Tensor; 4] {
    [
        values(channels, 2),
        values(channels, 3),
        values(channels, 4),
        ((values(channels, 5) + 1.5).unwrap() * 2.0).unwrap(),
    ]
}

fn inference(a: &[Tensor], [_, _, mean, variance]: &[Tensor; 4], after: After) -> Result<Tensor> {
    batch_norm(&a[0], &Norm { weight: &a[1], bias: &a[2], mean, variance, epsilon: 1e-3 }, after)
}

#[test]
fn gradients_of_inference_in_both_homes() {
    for shape in SHAPES {
        let all = of_channels(shape[1]);
        let inputs = [values(shape.to_vec(), 1), all[0].clone(), all[1].clone()];
        gradient_check(&inputs, |a| inference(a, &all, After::Nothing));
        gradient_check(&inputs, |a| inference(a, &all, After::Relu));
        gradient_check(&inputs, |a| {
            let norm = Norm { weight: &a[1], bias: &a[2], mean: &all[2], variance: &all[3], epsilon: 1e-3 };
            composed::batch_norm(&a[0], &norm)
        });
    }
}

#[test]
fn gradients_of_training_in_both_homes() {
    for shape in SHAPES {
        let all = of_channels(shape[1]);
        let inputs = [values(shape.to_vec(), 1), all[0].clone(), all[1].clone()];
        for after in [After::Nothing, After::Relu] {
            gradient_check(&inputs, |a| Ok(batch_norm_train(&a[0], &a[1], &a[2], 1e-2, after)?.0));
        }
        gradient_check(&inputs, |a| Ok(composed::batch_norm_train(&a[0], &a[1], &a[2], 1e-2)?.0));
    }
}

#[test]
fn arguments_need_not_lie_in_a_row() {
    let all = of_channels(3);
    let inputs = [values((4, 3, 5, 2), 1), all[0].clone(), all[1].clone()];
    let turned = |a: &[Tensor]| -> Result<[Tensor; 3]> {
        let column = |t: &Tensor| t.reshape((3, 1))?.repeat((1, 2))?.narrow(1, 1, 1)?.squeeze(1);
        Ok([a[0].permute((3, 1, 0, 2))?, column(&a[1])?, column(&a[2])?])
    };
    gradient_check(&inputs, |a| inference(&turned(a)?, &all, After::Relu)?.permute((3, 2, 0, 1)));
    gradient_check(&inputs, |a| {
        let [x, weight, bias] = turned(a)?;
        batch_norm_train(&x, &weight, &bias, 1e-2, After::Relu)?.0.permute((1, 0, 3, 2))
    });
}

#[test]
fn both_homes_agree() {
    for shape in SHAPES {
        let [weight, bias, mean, variance] = of_channels(shape[1]);
        let x = values(shape.to_vec(), 1);
        let norm = Norm { weight: &weight, bias: &bias, mean: &mean, variance: &variance, epsilon: 1e-5 };
        let ours = batch_norm(&x, &norm, After::Nothing).unwrap();
        assert!(relative_error(&ours, &composed::batch_norm(&x, &norm).unwrap()) < 1e-14);
        let (ours, statistics) = batch_norm_train(&x, &weight, &bias, 1e-5, After::Nothing).unwrap();
        let (theirs, wanted) = composed::batch_norm_train(&x, &weight, &bias, 1e-5).unwrap();
        assert!(relative_error(&ours, &theirs) < 1e-12);
        assert!(relative_error(&statistics.mean, &wanted.mean) < 1e-13);
        assert!(relative_error(&statistics.variance, &wanted.variance) < 1e-13);
    }
}

/// Worked out by hand: 1, 2, 3, 6 have mean 3 and squares of 14; 14/4 normalises, 14/3 goes into the running variance.
#[test]
fn the_running_variance_is_the_unbiased_one() {
    let x = Tensor::new(&[1.0f32, 2.0, 3.0, 6.0], &Device::Cpu).unwrap().reshape((2, 1, 1, 2)).unwrap();
    let one = Tensor::ones(1, DType::F32, &Device::Cpu).unwrap();
    let (y, statistics) = batch_norm_train(&x, &one, &one, 0.0, After::Nothing).unwrap();
    assert_eq!(statistics.mean.to_vec1::<f32>().unwrap(), [3.0]);
    assert_eq!(statistics.variance.to_vec1::<f32>().unwrap(), [14.0 / 3.0]);
    let last = y.flatten_all().unwrap().to_vec1::<f32>().unwrap()[3];
    assert!((last - (1.0 + 3.0 / 3.5f32.sqrt())).abs() < 1e-6);
    assert!(
        batch_norm_train(&x.narrow(0, 0, 1).unwrap().narrow(3, 0, 1).unwrap(), &one, &one, 0.0, After::Nothing)
            .is_err()
    );
    let two = Tensor::ones(2, DType::F32, &Device::Cpu).unwrap();
    assert!(batch_norm_train(&x, &two, &one, 0.0, After::Nothing).is_err());
}

/// Far from zero, where the naive `E[x²] - E[x]²` has no digit left.
#[test]
fn f32_agrees_with_f64() {
    for (shape, away) in [([4, 5, 33, 31], 0.0), ([8, 16, 7, 7], 300.0)] {
        let x = (values(shape.to_vec(), 1) + away).unwrap().to_dtype(DType::F32).unwrap();
        let all = of_channels(shape[1]);
        let exact = [x.to_dtype(DType::F64).unwrap(), all[0].clone(), all[1].clone()];
        let fast = exact.each_ref().map(|t| t.to_dtype(DType::F32).unwrap());
        let run = |a: &[Tensor]| Ok(batch_norm_train(&a[0], &a[1], &a[2], 1e-5, After::Relu)?.0);
        let tolerance = 2e-6 + away * 3e-7;
        assert!(relative_error(&run(&fast).unwrap(), &run(&exact).unwrap()) < tolerance);
        let of = |a: &[Tensor; 3]| gradients(a, &[true; 3], &run);
        for (argument, (fast, exact)) in of(&fast).into_iter().zip(of(&exact)).enumerate() {
            let tensor = |v: Option<Vec<f64>>| Tensor::new(v.unwrap(), &Device::Cpu).unwrap();
            let error = relative_error(&tensor(fast), &tensor(exact));
            // an element whose sign the rounding turns moves a whole gradient
            assert!(error < if away == 0.0 { 1e-5 } else { 1e-1 }, "gradient {argument} of {shape:?}: {error:e}");
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let all = of_channels(6);
    let inputs = [values((7, 6, 60, 55), 1), all[0].clone(), all[1].clone()];
    let inputs = inputs.map(|t| t.to_dtype(DType::F32).unwrap());
    let run = |a: &[Tensor]| Ok(batch_norm_train(&a[0], &a[1], &a[2], 1e-5, After::Relu)?.0);
    same_on_any_threads(&inputs, run);
}

#[test]
fn a_nan_stays_one() {
    let mut elements = vec![1.0f32, -2.0, 3.0, 4.0];
    elements[1] = f32::NAN;
    let x = Var::from_vec(elements, (1, 2, 1, 2), &Device::Cpu).unwrap();
    let one = Tensor::ones(2, DType::F32, &Device::Cpu).unwrap();
    let norm = Norm { weight: &one, bias: &one, mean: &one, variance: &one, epsilon: 0.0 };
    let found =
        |y: Tensor| y.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().map(|v| v.is_nan()).collect::<Vec<_>>();
    assert_eq!(found(batch_norm(&x, &norm, After::Relu).unwrap()), [false, true, false, false]);
    let (y, statistics) = batch_norm_train(&x, &one, &one, 0.0, After::Relu).unwrap();
    assert_eq!(found(y), [true, true, false, false]);
    assert_eq!(found(statistics.mean), [true, false]);
}
