//! Batch normalisation as Candle's graph sees it, on the CPU.

use candle_core::{CpuStorage, CustomOp1, CustomOp3, DType, Layout, Result, Shape, Tensor};

use super::kernel::{self, Affine, Backward, Planes, Slope, ThroughStatistics};
use crate::ops::After;
use crate::ops::real::Real;
use crate::ops::storage::{Operand, by_type, values};

/// Takes input, weight and bias.
pub(super) struct BatchNorm {
    /// Mean and biased variance of each channel.
    pub moments: Vec<(f64, f64)>,
    pub origin: Origin,
    pub epsilon: f64,
    pub after: After,
}

/// Where the statistics are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// They are constants.
    Running,
    /// The input itself, which has a gradient through them.
    Batch,
}

impl BatchNorm {
    fn inverse_deviation(&self, channel: usize) -> f64 {
        1.0 / (self.moments[channel].1 + self.epsilon).sqrt()
    }

    fn affine<T: Real>(&self, weight: &[T], bias: &[T]) -> Vec<Affine> {
        let of_channel = |channel: usize| {
            let scale = weight[channel].wide() * self.inverse_deviation(channel);
            Affine { mean: self.moments[channel].0, scale, shift: bias[channel].wide() }
        };
        (0..self.moments.len()).map(of_channel).collect()
    }

    /// From the sums over the gradient, where the statistics are the batch's; `count` values a channel.
    fn slopes(&self, weight: &[f64], sums: Option<&[(f64, f64)]>, count: f64) -> Vec<Slope> {
        let of_channel = |channel: usize| {
            let inverse = self.inverse_deviation(channel);
            let scale = weight[channel] * inverse;
            let through_statistics = sums.map(|sums| ThroughStatistics {
                mean: self.moments[channel].0,
                slope: scale * inverse * inverse * sums[channel].1 / count,
                offset: scale * sums[channel].0 / count,
            });
            Slope { scale, through_statistics }
        };
        (0..self.moments.len()).map(of_channel).collect()
    }

    /// For each channel `(Σ gradient, Σ gradient × (x - mean))`.
    fn sums(&self, x: &Tensor, y: &Tensor, gradient: &Tensor) -> Result<Vec<(f64, f64)>> {
        let means = self.moments.iter().map(|(mean, _)| *mean).collect();
        let sums = x.apply_op3_no_bwd(y, gradient, &GradientSums { means, after: self.after })?.to_vec2::<f64>()?;
        Ok(sums.into_iter().map(|pair| (pair[0], pair[1])).collect())
    }
}

impl CustomOp3 for BatchNorm {
    fn name(&self) -> &'static str {
        "batch-norm"
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
        let (norm, operand, weight, bias) = (self, (x, xl), (w, wl), (b, bl));
        Ok((by_type!(x, forward(norm, operand, weight, bias))?, xl.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let through_statistics = x.track_op() && self.origin == Origin::Batch;
        let parameters = weight.track_op() || bias.track_op();
        let sums = (through_statistics || parameters).then(|| self.sums(x, y, &gradient)).transpose()?;
        let for_x = || {
            let weight = weight.to_dtype(DType::F64)?.to_vec1::<f64>()?;
            let count = (x.elem_count() / weight.len()) as f64;
            let slopes = self.slopes(&weight, sums.as_deref().filter(|_| through_statistics), count);
            x.apply_op3_no_bwd(y, &gradient, &InputGradient { slopes, after: self.after })
        };
        let of_channels = |like: &Tensor, value: &dyn Fn(usize) -> f64| -> Result<Option<Tensor>> {
            let values: Vec<f64> = (0..self.moments.len()).map(value).collect();
            like.track_op().then(|| Tensor::new(values, like.device())?.to_dtype(like.dtype())).transpose()
        };
        let sum = |channel: usize| sums.as_ref().map_or((0.0, 0.0), |sums| sums[channel]);
        Ok((
            x.track_op().then(for_x).transpose()?,
            of_channels(weight, &|channel| sum(channel).1 * self.inverse_deviation(channel))?,
            of_channels(bias, &|channel| sum(channel).0)?,
        ))
    }
}

fn planes(layout: &Layout) -> Result<Planes> {
    let (_, channels, height, width) = layout.shape().dims4()?;
    Ok(Planes { channels, len: height * width })
}

fn forward<T: Real>(norm: &BatchNorm, x: Operand, weight: Operand, bias: Operand) -> Result<CpuStorage> {
    let affine = norm.affine::<T>(values(weight)?, values(bias)?);
    Ok(T::to_cpu_storage_owned(kernel::forward(planes(x.1)?, values::<T>(x)?, &affine, norm.after)))
}

/// Input → mean and biased variance of each channel: f64 `[channels, 2]`.
pub(super) struct Moments;

impl CustomOp1 for Moments {
    fn name(&self) -> &'static str {
        "batch-norm-moments"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let operand = (x, xl);
        pairs(by_type!(x, moments(operand))?)
    }
}

fn moments<T: Real>(x: Operand) -> Result<Vec<(f64, f64)>> {
    Ok(kernel::moments(planes(x.1)?, values::<T>(x)?))
}

fn pairs(pairs: Vec<(f64, f64)>) -> Result<(CpuStorage, Shape)> {
    let shape = Shape::from((pairs.len(), 2));
    Ok((CpuStorage::F64(pairs.into_iter().flat_map(|(a, b)| [a, b]).collect()), shape))
}

/// (input, result, gradient of the result) → f64 `[channels, 2]`.
struct GradientSums {
    means: Vec<f64>,
    after: After,
}

impl CustomOp3 for GradientSums {
    fn name(&self) -> &'static str {
        "batch-norm-gradient-sums"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        y: &CpuStorage,
        yl: &Layout,
        g: &CpuStorage,
        gl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (of, input, result, gradient) = (self, (x, xl), (y, yl), (g, gl));
        pairs(by_type!(x, gradient_sums(of, input, result, gradient))?)
    }
}

fn gradient_sums<T: Real>(of: &GradientSums, x: Operand, y: Operand, gradient: Operand) -> Result<Vec<(f64, f64)>> {
    let planes = planes(x.1)?;
    let of_values = Backward::<T> { x: values(x)?, y: values(y)?, gradient: values(gradient)?, after: of.after };
    Ok(kernel::gradient_sums(planes, of_values, &of.means))
}

/// (input, result, gradient of the result) → gradient of the input.
struct InputGradient {
    slopes: Vec<Slope>,
    after: After,
}

impl CustomOp3 for InputGradient {
    fn name(&self) -> &'static str {
        "batch-norm-input-gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        y: &CpuStorage,
        yl: &Layout,
        g: &CpuStorage,
        gl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (of, input, result, gradient) = (self, (x, xl), (y, yl), (g, gl));
        Ok((by_type!(x, input_gradient(of, input, result, gradient))?, xl.shape().clone()))
    }
}

fn input_gradient<T: Real>(of: &InputGradient, x: Operand, y: Operand, gradient: Operand) -> Result<CpuStorage> {
    let planes = planes(x.1)?;
    let of_values = Backward::<T> { x: values(x)?, y: values(y)?, gradient: values(gradient)?, after: of.after };
    Ok(T::to_cpu_storage_owned(kernel::input_gradient(planes, of_values, &of.slopes)))
}
