//! A fully connected layer.

use candle_core::{Result, Tensor, bail};

/// `x weightᵀ + bias` for `x` `[…, in]` of rank 2 or more, `weight` `[out, in]` and `bias` `[out]`; gives `[…, out]`.
/// Source: PyTorch's `nn.functional.linear`.
///
/// # Errors
/// Where the shapes do not fit.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (out, depth) = weight.dims2()?;
    let Some((&features, leading)) = x.dims().split_last().filter(|(_, leading)| !leading.is_empty()) else {
        bail!("linear takes [\u{2026}, in] of rank 2 or more, got {:?}", x.dims());
    };
    if features != depth {
        bail!("linear: the input has {features} features, the weight takes {depth}");
    }
    if let Some(bias) = bias.filter(|bias| bias.dims() != [out]) {
        bail!("linear: {out} outputs take as many biases, got {:?}", bias.dims());
    }
    let shape = [leading, &[out]].concat();
    composed(x, weight, bias)?.reshape(shape)
}

/// The same of Candle's operations, as rows.
fn composed(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let rows = x.reshape(((), weight.dim(1)?))?;
    let y = rows.matmul(&weight.t()?)?;
    match bias {
        None => Ok(y),
        Some(bias) => y.broadcast_add(bias),
    }
}
