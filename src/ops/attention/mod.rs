//! Self-attention over all heads (Vaswani et al. 2017).

mod composed;
mod kernel;
#[cfg(test)]
mod tests;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Layout, Result, Shape, Tensor, bail};

use super::dropout::Dropped;
use super::real::Real;
use super::scratch::Scratch;
use super::storage::{Operand, by_type, values};
use crate::base::random::Stream;

/// For each head `softmax(q kᵀ / √width) v`, where `qkv` `[batch, tokens, 3 × hidden]` holds queries, keys and values side
/// by side, each `heads` × width; gives `[batch, tokens, hidden]`. With `mask` `[batch, tokens]` (1 a token, 0 padding)
/// padding is never attended to; a row of nothing but padding gives zeros. With `dropout`, a rate in `0..1`, probabilities
/// are dropped out: the one from token `i` to `j` of head `h` by number `((row × heads + h) × tokens + i) × tokens + j` of
/// the stream. Source: PyTorch's `scaled_dot_product_attention`, transformers' `BertSelfAttention`.
///
/// # Errors
/// Where the shapes do not fit, or the rate lies outside.
pub fn attention(qkv: &Tensor, mask: Option<&Tensor>, heads: usize, dropout: Option<(f64, Stream)>) -> Result<Tensor> {
    let sizes = Sizes::new(qkv, mask, heads)?;
    if let Some((rate, _)) = dropout.as_ref().filter(|(rate, _)| !(0.0..1.0).contains(rate)) {
        bail!("a dropout rate lies in 0..1, got {rate}");
    }
    let dropout = dropout.filter(|(rate, _)| *rate > 0.0);
    if !qkv.device().is_cpu() || qkv.elem_count() == 0 {
        return composed::attention(&sizes, qkv, mask, dropout.as_ref());
    }
    let dropped = dropout.map(|(rate, stream)| Dropped::new(rate, stream));
    qkv.contiguous()?.apply_op1(Attention { sizes, biases: biases(&sizes, mask)?, dropped })
}

/// The most that [`attention`] takes for `batch` texts of as many tokens and hidden features, on its way back: all
/// gradients once more, and on each thread the probabilities of a head and their gradients.
pub(crate) fn scratch(batch: usize, tokens: usize, hidden: usize) -> Scratch {
    Scratch { shared: 3 * batch * tokens * hidden, per_thread: 2 * tokens * tokens }
}

/// The sizes of one call.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    batch: usize,
    tokens: usize,
    heads: usize,
    /// Features of one head.
    width: usize,
}

impl Sizes {
    fn new(qkv: &Tensor, mask: Option<&Tensor>, heads: usize) -> Result<Sizes> {
        let (batch, tokens, features) = qkv.dims3()?;
        if heads == 0 || features == 0 || features % (3 * heads) != 0 {
            bail!("attention of {heads} heads takes 3 × {heads} × width features, got {features}");
        }
        if let Some(mask) = mask.filter(|mask| mask.dims() != [batch, tokens]) {
            bail!("attention of {batch} × {tokens} tokens got a mask of {:?}", mask.dims());
        }
        Ok(Sizes { batch, tokens, heads, width: features / (3 * heads) })
    }

    /// What products of queries and keys are multiplied with.
    fn scale(&self) -> f64 {
        1.0 / (self.width as f64).sqrt()
    }
}

/// For each text what is added to the score of each key, 0 or minus infinity, up to the last that is a token: padding
/// after it costs nothing.
fn biases(sizes: &Sizes, mask: Option<&Tensor>) -> Result<Vec<Vec<f32>>> {
    let Some(mask) = mask else { return Ok(vec![vec![0.0; sizes.tokens]; sizes.batch]) };
    let of_text = |mask: Vec<f32>| {
        let keys = mask.iter().rposition(|mask| *mask != 0.0).map_or(0, |last| last + 1);
        mask.into_iter().take(keys).map(|mask| if mask == 0.0 { f32::NEG_INFINITY } else { 0.0 }).collect()
    };
    Ok(mask.to_dtype(DType::F32)?.to_vec2::<f32>()?.into_iter().map(of_text).collect())
}

/// The operation as Candle's graph sees it, on the CPU.
#[derive(Debug, Clone)]
struct Attention {
    sizes: Sizes,
    biases: Vec<Vec<f32>>,
    dropped: Option<Dropped>,
}

impl CustomOp1 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Sizes { batch, tokens, heads, width } = self.sizes;
        let (attention, operand) = (self, (qkv, layout));
        Ok((by_type!(qkv, forward(attention, operand))?, Shape::from((batch, tokens, heads * width))))
    }

    fn bwd(&self, qkv: &Tensor, _y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        qkv.apply_op2_no_bwd(&gradient.contiguous()?, &AttentionGradient(self.clone())).map(Some)
    }
}

fn forward<T: Real>(attention: &Attention, qkv: Operand) -> Result<CpuStorage> {
    Ok(T::to_cpu_storage_owned(kernel::forward(attention, values::<T>(qkv)?)))
}

/// (queries, keys and values, gradient of the result) → their gradient. Probabilities are computed again, not kept.
struct AttentionGradient(Attention);

impl CustomOp2 for AttentionGradient {
    fn name(&self) -> &'static str {
        "attention-gradient"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, ql: &Layout, g: &CpuStorage, gl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (attention, operand, gradient) = (&self.0, (qkv, ql), (g, gl));
        Ok((by_type!(qkv, backward(attention, operand, gradient))?, ql.shape().clone()))
    }
}

fn backward<T: Real>(attention: &Attention, qkv: Operand, gradient: Operand) -> Result<CpuStorage> {
    Ok(T::to_cpu_storage_owned(kernel::backward(attention, values::<T>(qkv)?, values(gradient)?)))
}
