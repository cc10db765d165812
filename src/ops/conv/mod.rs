//! 2-D convolution with any kernel, stride and padding, with or without a ReLU after it.

mod composed;
mod im2col;
mod plain;
mod points;
#[cfg(test)]
mod tests;
mod winograd;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, WithDType, bail};

use super::activation::{self, After};
use super::scratch::Scratch;
use super::storage::{Operand, by_type, values};
use super::window::{Rounding, Window};

/// Cross-correlates `x` `[batch, in, height, width]` with `weight` `[out, in, kernel height, kernel width]` and adds
/// `bias` `[out]`; gives `[batch, out, height', width']`. Source: PyTorch's `conv2d`.
///
/// # Errors
/// Where the shapes do not fit, or the kernel is larger than the padded input.
pub fn conv2d(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, stride: usize, padding: usize) -> Result<Tensor> {
    Conv2d { stride, padding, after: After::Nothing }.apply(x, weight, bias)
}

/// [`conv2d`], then [`relu`](super::relu), in one pass over the memory.
///
/// # Errors
/// As [`conv2d`].
pub fn conv2d_relu(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: usize,
    padding: usize,
) -> Result<Tensor> {
    Conv2d { stride, padding, after: After::Relu }.apply(x, weight, bias)
}

/// The shape that [`conv2d`] gives for tensors of these shapes, and the scratch space that it takes at its most, on its
/// way and on the way back.
///
/// # Errors
/// As [`conv2d`].
pub(crate) fn outline(x: &[usize], weight: &[usize], stride: usize, padding: usize) -> Result<(Vec<usize>, Scratch)> {
    let case = Case::new(x, weight, None, &Conv2d { stride, padding, after: After::Nothing })?;
    let scratch = if winograd::suits(&case) { winograd::scratch(&case) } else { plain::scratch(&case) };
    Ok((case.output_shape().into_dims(), scratch))
}

/// The sizes of one call.
#[derive(Debug, Clone, Copy)]
struct Case {
    batch: usize,
    channels: usize,
    out: usize,
    window: Window,
}

impl Case {
    fn new(x: &[usize], weight: &[usize], bias: Option<&[usize]>, conv: &Conv2d) -> Result<Case> {
        let (&[batch, channels, height, width], &[out, depth, kh, kw]) = (x, weight) else {
            bail!(
                "conv2d takes [batch, channels, height, width] and [out, in, height, width], got {x:?} and {weight:?}"
            );
        };
        if channels != depth {
            bail!("conv2d: the input has {channels} channels, the weight {depth}");
        }
        if let Some(bias) = bias.filter(|bias| *bias != [out]) {
            bail!("conv2d: {out} output channels take as many biases, got {bias:?}");
        }
        if batch == 0 || channels == 0 || out == 0 {
            bail!("conv2d of nothing: {x:?} and {weight:?}");
        }
        let window = Window::new((kh, kw), conv.stride, conv.padding, (height, width), Rounding::Floor)?;
        Ok(Case { batch, channels, out, window })
    }

    /// Elements of one sample.
    fn input_len(&self) -> usize {
        self.channels * self.window.input_len()
    }

    /// Elements of one sample's result.
    fn output_len(&self) -> usize {
        self.out * self.window.output_len()
    }

    fn weight_len(&self) -> usize {
        self.out * self.channels * self.window.taps()
    }

    fn input_shape(&self) -> Shape {
        Shape::from((self.batch, self.channels, self.window.input.0, self.window.input.1))
    }

    fn weight_shape(&self) -> Shape {
        Shape::from((self.out, self.channels, self.window.kernel.0, self.window.kernel.1))
    }

    fn output_shape(&self) -> Shape {
        Shape::from((self.batch, self.out, self.window.output.0, self.window.output.1))
    }
}

/// The operation as Candle's graph sees it.
#[derive(Debug, Clone, Copy)]
struct Conv2d {
    stride: usize,
    padding: usize,
    after: After,
}

impl Conv2d {
    const NAME: &str = "conv2d";

    fn apply(self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        let case = Case::new(x.dims(), weight.dims(), bias.map(Tensor::dims), &self)?;
        if !x.device().is_cpu() {
            let y = composed::conv2d(&case, x, weight, bias)?;
            return self.after.apply(y);
        }
        let (x, weight) = (x.contiguous()?, weight.contiguous()?);
        match bias {
            None => x.apply_op2(&weight, self),
            Some(bias) => x.apply_op3(&weight, &bias.contiguous()?, self),
        }
    }

    fn forward(&self, x: Operand, weight: Operand, bias: Option<Operand>) -> Result<(CpuStorage, Shape)> {
        let case = Case::new(x.1.dims(), weight.1.dims(), bias.map(|(_, layout)| layout.dims()), self)?;
        let storage = match x.0 {
            CpuStorage::F32(_) if winograd::suits(&case) => {
                let bias = bias.map(values).transpose()?;
                CpuStorage::F32(winograd::forward(&case, values(x)?, values(weight)?, bias, self.after))
            }
            storage => {
                let (case, after) = (&case, self.after);
                by_type!(storage, plain_forward(case, x, weight, bias, after))?
            }
        };
        Ok((storage, case.output_shape()))
    }

    /// The gradients of input, weight and bias, each only where something above it learns.
    fn gradients(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        y: &Tensor,
        gradient: &Tensor,
    ) -> Result<[Option<Tensor>; 3]> {
        let case = Case::new(x.dims(), weight.dims(), None, self)?;
        let mut gradient = gradient.contiguous()?;
        if self.after == After::Relu {
            gradient = activation::relu_gradient(y, &gradient)?;
        }
        let for_x = || gradient.apply_op2_no_bwd(weight, &InputGradient(case));
        let for_weight = || x.apply_op2_no_bwd(&gradient, &WeightGradient(case));
        let for_bias = || gradient.apply_op1_no_bwd(&BiasGradient(case));
        Ok([
            x.track_op().then(for_x).transpose()?,
            weight.track_op().then(for_weight).transpose()?,
            bias.filter(|bias| bias.track_op()).map(|_| for_bias()).transpose()?,
        ])
    }
}

fn plain_forward<T: WithDType>(
    case: &Case,
    x: Operand,
    weight: Operand,
    bias: Option<Operand>,
    after: After,
) -> Result<CpuStorage> {
    let bias = bias.map(values::<T>).transpose()?;
    Ok(T::to_cpu_storage_owned(plain::forward(case, values::<T>(x)?, values(weight)?, bias, after)))
}

impl CustomOp2 for Conv2d {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward((x, xl), (w, wl), None)
    }

    fn bwd(&self, x: &Tensor, w: &Tensor, y: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [for_x, for_w, _] = self.gradients(x, w, None, y, gradient)?;
        Ok((for_x, for_w))
    }
}

impl CustomOp3 for Conv2d {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
        b: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward((x, xl), (w, wl), Some((b, bl)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [for_x, for_w, for_b] = self.gradients(x, w, Some(b), y, gradient)?;
        Ok((for_x, for_w, for_b))
    }
}

/// (gradient of the result, weight) → gradient of the input.
struct InputGradient(Case);

impl CustomOp2 for InputGradient {
    fn name(&self) -> &'static str {
        "conv2d-input-gradient"
    }

    fn cpu_fwd(&self, g: &CpuStorage, gl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (case, gradient, weight) = (&self.0, (g, gl), (w, wl));
        let storage = match g {
            CpuStorage::F32(_) if winograd::suits(case) => {
                CpuStorage::F32(winograd::input_gradient(case, values(gradient)?, values(weight)?))
            }
            storage => by_type!(storage, plain_input_gradient(case, gradient, weight))?,
        };
        Ok((storage, case.input_shape()))
    }
}

fn plain_input_gradient<T: WithDType>(case: &Case, gradient: Operand, weight: Operand) -> Result<CpuStorage> {
    Ok(T::to_cpu_storage_owned(plain::input_gradient::<T>(case, values(gradient)?, values(weight)?)))
}

/// (input, gradient of the result) → gradient of the weight.
struct WeightGradient(Case);

impl CustomOp2 for WeightGradient {
    fn name(&self) -> &'static str {
        "conv2d-weight-gradient"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, g: &CpuStorage, gl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (case, x, gradient) = (&self.0, (x, xl), (g, gl));
        let storage = match g {
            CpuStorage::F32(_) if winograd::suits(case) => {
                CpuStorage::F32(winograd::weight_gradient(case, values(x)?, values(gradient)?))
            }
            storage => by_type!(storage, plain_weight_gradient(case, x, gradient))?,
        };
        Ok((storage, case.weight_shape()))
    }
}

fn plain_weight_gradient<T: WithDType>(case: &Case, x: Operand, gradient: Operand) -> Result<CpuStorage> {
    Ok(T::to_cpu_storage_owned(plain::weight_gradient::<T>(case, values(x)?, values(gradient)?)))
}

/// Gradient of the result → gradient of the bias.
struct BiasGradient(Case);

impl CustomOp1 for BiasGradient {
    fn name(&self) -> &'static str {
        "conv2d-bias-gradient"
    }

    fn cpu_fwd(&self, g: &CpuStorage, gl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (case, gradient) = (&self.0, (g, gl));
        Ok((by_type!(g, plain_bias_gradient(case, gradient))?, Shape::from(case.out)))
    }
}

fn plain_bias_gradient<T: WithDType>(case: &Case, gradient: Operand) -> Result<CpuStorage> {
    Ok(T::to_cpu_storage_owned(plain::bias_gradient::<T>(case, values(gradient)?)))
}
