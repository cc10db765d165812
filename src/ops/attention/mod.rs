//! Self-attention over all heads (Vaswani et al. 2017).

mod composed;

use candle_core::{Result, Tensor, bail};

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
    composed::attention(&sizes, qkv, mask, dropout.as_ref())
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
