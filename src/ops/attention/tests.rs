//! Gradients, values and reproducibility of attention.

use candle_core::{DType, Device, Result, Tensor};

use super::{Sizes, attention, composed};
use crate::base::random::{Purpose, Stream};
use crate::ops::gradient_check::{gradient_check, gradients, relative_error, same_on_any_threads, values};

/// (batch, tokens, heads, width)
const CASES: [(usize, usize, usize, usize); 4] = [(2, 5, 2, 3), (1, 1, 1, 1), (3, 4, 1, 2), (2, 18, 3, 1)];

fn stream() -> Stream {
    Stream::new(1, Purpose::Dropout, 2, 3)
}

/// Padding at the end, within, everywhere.
fn mask(batch: usize, tokens: usize) -> Tensor {
    let of_text = |text: usize, token: usize| match text {
        0 => token < tokens.div_ceil(2),
        1 => token % 2 == 1,
        _ => false,
    };
    let mask: Vec<f32> = (0..batch * tokens).map(|i| f32::from(of_text(i / tokens, i % tokens))).collect();
    Tensor::from_vec(mask, (batch, tokens), &Device::Cpu).unwrap()
}

fn in_candles(qkv: &Tensor, mask: Option<&Tensor>, heads: usize, dropout: Option<&(f64, Stream)>) -> Result<Tensor> {
    composed::attention(&Sizes::new(qkv, mask, heads)?, qkv, mask, dropout)
}

#[test]
fn gradients_in_both_homes() {
    for (batch, tokens, heads, width) in CASES {
        let qkv = [values((batch, tokens, 3 * heads * width), 1)];
        let some = mask(batch, tokens);
        for mask in [None, Some(&some)] {
            for dropout in [None, Some((0.3, stream()))] {
                gradient_check(&qkv, |a| attention(&a[0], mask, heads, dropout.clone()));
                gradient_check(&qkv, |a| in_candles(&a[0], mask, heads, dropout.as_ref()));
            }
        }
    }
}

#[test]
fn arguments_need_not_lie_in_a_row() {
    let turned = [values((12, 5, 2), 1)];
    gradient_check(&turned, |a| {
        attention(&a[0].permute((2, 1, 0))?, Some(&mask(5, 2).t()?), 2, None)?.permute((1, 0, 2))
    });
}

#[test]
fn both_homes_agree_in_both_types() {
    for (batch, tokens, heads, width) in [(2, 40, 3, 32), (3, 7, 2, 5)] {
        let qkv = (values((batch, tokens, 3 * heads * width), 1) * 2.0).unwrap();
        let some = mask(batch, tokens);
        for mask in [None, Some(&some)] {
            for dropout in [None, Some((0.1, stream()))] {
                let run = |a: &[Tensor]| attention(&a[0], mask, heads, dropout.clone());
                let exact = [qkv.clone()];
                let single = [qkv.to_dtype(DType::F32).unwrap()];
                let theirs = in_candles(&qkv, mask, heads, dropout.as_ref()).unwrap();
                assert!(relative_error(&run(&exact).unwrap(), &theirs) < 1e-13);
                assert!(relative_error(&run(&single).unwrap(), &theirs) < 2e-6);
                let of =
                    |a: &[Tensor]| Tensor::new(gradients(a, &[true], &run).remove(0).unwrap(), &Device::Cpu).unwrap();
                assert!(relative_error(&of(&single), &of(&exact)) < 5e-6);
            }
        }
    }
}

/// Two tokens whose scores differ by ln 3: the second has three quarters, and without it the first has all.
#[test]
fn values_worked_out_by_hand() {
    let difference = 3.0f64.ln();
    let rows = [[1.0, 0.0, 10.0], [1.0, difference, 20.0]];
    let qkv = Tensor::new(&[rows], &Device::Cpu).unwrap();
    let first = |mask: Option<&Tensor>| attention(&qkv, mask, 1, None).unwrap().to_vec3::<f64>().unwrap()[0][0][0];
    assert!((first(None) - 17.5).abs() < 1e-12);
    let only_first = Tensor::new(&[[1.0f32, 0.0]], &Device::Cpu).unwrap();
    assert_eq!(first(Some(&only_first)), 10.0);
}

#[test]
fn padding_has_exactly_no_part_and_nothing_but_padding_is_zero() {
    type Home = fn(&Tensor, Option<&Tensor>, usize) -> Result<Tensor>;
    let homes: [Home; 2] = [|a, m, h| attention(a, m, h, None), |a, m, h| in_candles(a, m, h, None)];
    for (batch, tokens, heads, width) in [(3, 6, 2, 4), (3, 33, 1, 8)] {
        let qkv = (values((batch, tokens, 3 * heads * width), 1) * 50.0).unwrap().to_dtype(DType::F32).unwrap();
        let mask = mask(batch, tokens);
        let is_token = mask.to_vec2::<f32>().unwrap();
        // other padding, with large numbers in it
        let padding = (mask.affine(-1.0, 1.0).unwrap() * 1e4).unwrap().unsqueeze(2).unwrap();
        let other = qkv.broadcast_add(&padding).unwrap();
        for home in homes {
            let of = |qkv: &Tensor| home(qkv, Some(&mask), heads).unwrap().to_vec3::<f32>().unwrap();
            let (y, same) = (of(&qkv), of(&other));
            for text in 0..2 {
                for token in (0..tokens).filter(|token| is_token[text][*token] == 1.0) {
                    assert_eq!(y[text][token], same[text][token]);
                }
            }
            assert!(y[2].iter().flatten().all(|y| *y == 0.0), "no token, no NaN");
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let qkv = [values((3, 50, 3 * 96), 1).to_dtype(DType::F32).unwrap()];
    let mask = mask(3, 50);
    let run = |a: &[Tensor]| attention(&a[0], Some(&mask), 3, Some((0.1, stream())));
    same_on_any_threads(&qkv, run);
}

#[test]
fn a_nan_stays_one() {
    let mut elements = vec![0.5f32; 2 * 20 * 3 * 4];
    elements[5 * 12 + 5] = f32::NAN;
    let qkv = Tensor::from_vec(elements, (2, 20, 12), &Device::Cpu).unwrap();
    let y = attention(&qkv, None, 2, None).unwrap().to_vec3::<f32>().unwrap();
    // it is in a key of the first head of the first text
    let half = |y: &f32| (y - 0.5).abs() < 1e-6;
    assert!(y[0].iter().all(|row| row[..2].iter().all(|y| y.is_nan()) && row[2..].iter().all(half)), "{y:?}");
    assert!(y[1].iter().flatten().all(half));
}

#[test]
fn what_does_not_fit_is_an_error() {
    let qkv = values((2, 5, 12), 1);
    assert!(attention(&qkv, None, 3, None).is_err(), "12 is not 9 × width");
    assert!(attention(&qkv, None, 0, None).is_err());
    assert!(attention(&qkv, Some(&mask(2, 4)), 2, None).is_err());
    assert!(attention(&qkv, None, 2, Some((1.0, stream()))).is_err());
}
