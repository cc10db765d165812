//! Pooling over the tokens of a text.

use candle_core::{Result, Tensor, bail};

/// The mean of `x` `[batch, tokens, hidden]` over the tokens where `mask` `[batch, tokens]` is 1 (not 0, padding); gives
/// `[batch, hidden]`, zeros where there is no token. Source: sentence-transformers' mean pooling.
///
/// # Errors
/// Where the shapes do not fit.
pub fn masked_mean(x: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let (batch, tokens, _) = x.dims3()?;
    if mask.dims() != [batch, tokens] {
        bail!("the mean over {batch} × {tokens} tokens got a mask of {:?}", mask.dims());
    }
    composed(x, mask)
}

/// The same of Candle's operations.
fn composed(x: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let mask = mask.detach().to_dtype(x.dtype())?.unsqueeze(2)?;
    let count = mask.sum(1)?;
    let count = (&count + count.eq(0.0)?.to_dtype(count.dtype())?)?;
    x.broadcast_mul(&mask)?.sum(1)?.broadcast_div(&count)
}
