//! Attention of Candle's operations, for devices for which we have no kernel.

use candle_core::{D, Result, Tensor};

use super::Sizes;
use crate::base::random::Stream;
use crate::ops::dropout;

/// Where there is no token: no score comes near it, and twice it is still finite in f16's wider kin.
const NEVER: f64 = -1e30;

pub(super) fn attention(
    sizes: &Sizes,
    qkv: &Tensor,
    mask: Option<&Tensor>,
    drop: Option<&(f64, Stream)>,
) -> Result<Tensor> {
    let Sizes { batch, tokens, heads, width } = *sizes;
    let parts = qkv.reshape((batch, tokens, 3, heads, width))?.permute((2, 0, 3, 1, 4))?;
    let part = |i: usize| parts.get(i)?.contiguous();
    let (queries, keys, values) = (part(0)?, part(1)?, part(2)?);
    let scores = (queries.matmul(&keys.t()?)? * sizes.scale())?;
    let probabilities = softmax(&scores, mask)?;
    let probabilities = match drop {
        None => probabilities,
        Some((rate, stream)) => dropout(&probabilities, *rate, stream)?,
    };
    probabilities.matmul(&values)?.transpose(1, 2)?.reshape((batch, tokens, heads * width))
}

/// Over the last dimension of `scores` `[batch, heads, tokens, tokens]`, where `mask` is not 0.
fn softmax(scores: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
    let Some(mask) = mask else {
        return exponentials(scores).and_then(|e| e.broadcast_div(&e.sum_keepdim(D::Minus1)?));
    };
    let (batch, tokens) = mask.dims2()?;
    let is_token = mask.detach().ne(0.0)?.reshape((batch, 1, 1, tokens))?.broadcast_as(scores.shape())?;
    let never = (scores.ones_like()?.detach() * NEVER)?;
    let one = is_token.to_dtype(scores.dtype())?;
    let exponentials = (exponentials(&is_token.where_cond(scores, &never)?)? * one)?;
    let sum = exponentials.sum_keepdim(D::Minus1)?;
    // a row of padding is 0 / 1
    let sum = (&sum + sum.detach().eq(0.0)?.to_dtype(sum.dtype())?)?;
    exponentials.broadcast_div(&sum)
}

/// The largest score only moves the numbers to where exp is exact: no gradient flows through it.
fn exponentials(scores: &Tensor) -> Result<Tensor> {
    scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?.detach())?.exp()
}
