//! What the layers of ResNet and BERT cost beside the same of Candle's own operations, in one run.
//!
//!     cargo bench --bench layers [WORD]
//!
//! Times are the best of several rounds, in milliseconds a call, on all threads that rayon takes (RAYON_NUM_THREADS);
//! with a WORD, only of what has it in its name.

use std::hint::black_box;

use candle_core::{D, DType, Device, Result, Tensor, Var};
use finetop::base::clock::Stopwatch;
use finetop::base::random::{Purpose, Stream};
use finetop::ops::{self, After, Norm};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 7;
const IMAGES: usize = 8;

fn main() -> Result<()> {
    println!("{} threads, best of {ROUNDS}, ms a call", rayon::current_num_threads());
    println!(
        "\n{:<34} {:>9} {:>9} {:>6}   {:>9} {:>9} {:>6}",
        "", "forward", "Candle", "ratio", "+backward", "Candle", "ratio"
    );
    // the first is the yardstick of how busy the machine is
    for (rows, depth, out) in
        [(1024, 1024, 1024), (32, 512, 256), (4096, 384, 1152), (4096, 384, 1536), (4096, 1536, 384)]
    {
        linear(rows, depth, out)?;
    }
    for (name, tokens) in [("32×64×384", 64), ("32×128×384", 128)] {
        of_text(name, 32, tokens, 384, 12)?;
    }
    for (name, channels, size) in [("stem 64@112", 64, 112), ("layer1 64@56", 64, 56), ("layer4 512@7", 512, 7)] {
        norms(name, channels, size)?;
    }
    pool("max pool 64@112")?;
    for (name, x, kernel, stride) in CONVOLUTIONS {
        convolution(name, x, kernel, stride)?;
    }
    encoder_layer("BERT layer 32×64×384", 32, 64)?;
    encoder_layer("BERT layer 32×128×384", 32, 128)?;
    resnet18()
}

/// (name, [in, height, width], [out, kernel], stride): every shape of convolution in ResNet18 that is not 3×3 stride 1.
const CONVOLUTIONS: [(&str, [usize; 3], [usize; 2], usize); 7] = [
    ("conv1 7×7/2", [3, 224, 224], [64, 7], 2),
    ("layer2.0.conv1 3×3/2", [64, 56, 56], [128, 3], 2),
    ("layer2.0.downsample 1×1/2", [64, 56, 56], [128, 1], 2),
    ("layer3.0.conv1 3×3/2", [128, 28, 28], [256, 3], 2),
    ("layer3.0.downsample 1×1/2", [128, 28, 28], [256, 1], 2),
    ("layer4.0.conv1 3×3/2", [256, 14, 14], [512, 3], 2),
    ("layer1.0.conv1 3×3", [64, 56, 56], [64, 3], 1),
];

fn wanted(name: &str) -> bool {
    std::env::args().skip(1).filter(|word| !word.starts_with("--")).all(|word| name.contains(&word))
}

/// The best time of `work`, in milliseconds.
fn best(mut work: impl FnMut() -> Result<Tensor>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let watch = Stopwatch::start();
        black_box(work()?);
        best = best.min(watch.seconds());
    }
    Ok(best * 1e3)
}

fn values(shape: &[usize], seed: u64) -> Result<Tensor> {
    let mut stream = Stream::new(seed, Purpose::InitialWeights, 0, 0);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| stream.range(-1.0, 1.0) as f32).collect();
    Tensor::from_vec(values, shape, &Device::Cpu)
}

fn variable(shape: &[usize], seed: u64) -> Result<Tensor> {
    Ok(Var::from_tensor(&values(shape, seed)?)?.into_inner())
}

/// Prints a line for `ours` and `candles`, forward and with the gradients of a weighted sum.
fn beside(name: &str, ours: impl Fn() -> Result<Tensor>, candles: impl Fn() -> Result<Tensor>) -> Result<()> {
    if !wanted(name) {
        return Ok(());
    }
    let gradient = values(ours()?.dims(), 4)?;
    let with_backward = |y: Result<Tensor>| {
        let sum = (y? * &gradient)?.sum_all()?;
        black_box(sum.backward()?);
        Ok(sum)
    };
    let (f, cf) = (best(&ours)?, best(&candles)?);
    let (b, cb) = (best(|| with_backward(ours()))?, best(|| with_backward(candles()))?);
    println!("{name:<34} {f:9.3} {cf:9.3} {:6.2}   {b:9.3} {cb:9.3} {:6.2}", cf / f, cb / b);
    Ok(())
}

fn candles_linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let leading = &x.dims()[..x.rank() - 1];
    let y = x.flatten_to(D::Minus2)?.matmul(&weight.t()?)?.broadcast_add(bias)?;
    y.reshape([leading, &[weight.dim(0)?]].concat())
}

fn candles_layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(D::Minus1)? + 1e-12)?.sqrt()?;
    centred.broadcast_div(&deviation)?.broadcast_mul(weight)?.broadcast_add(bias)
}

fn candles_attention(qkv: &Tensor, mask: &Tensor, heads: usize) -> Result<Tensor> {
    let (batch, tokens, features) = qkv.dims3()?;
    let width = features / 3 / heads;
    let parts = qkv.reshape((batch, tokens, 3, heads, width))?.permute((2, 0, 3, 1, 4))?;
    let (q, k, v) = (parts.get(0)?.contiguous()?, parts.get(1)?.contiguous()?, parts.get(2)?.contiguous()?);
    let bias = ((mask - 1.0)? * 1e9)?.reshape((batch, 1, 1, tokens))?;
    let scores = (q.matmul(&k.t()?)? / (width as f64).sqrt())?.broadcast_add(&bias)?;
    let exponentials = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?.detach())?.exp()?;
    let probabilities = exponentials.broadcast_div(&exponentials.sum_keepdim(D::Minus1)?)?;
    probabilities.matmul(&v)?.transpose(1, 2)?.reshape((batch, tokens, heads * width))
}

fn candles_batch_norm(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let (count, shape) = ((batch * height * width) as f64, (1, channels, 1, 1));
    let centred = x.broadcast_sub(&(x.sum_keepdim((0, 2, 3))? / count)?)?;
    let variance = (centred.sqr()?.sum_keepdim((0, 2, 3))? / count)?;
    let normal = centred.broadcast_div(&(variance + 1e-5)?.sqrt()?)?;
    normal.broadcast_mul(&weight.reshape(shape)?)?.broadcast_add(&bias.reshape(shape)?)
}

fn linear(rows: usize, depth: usize, out: usize) -> Result<()> {
    let (x, weight, bias) = (variable(&[rows, depth], 1)?, variable(&[out, depth], 2)?, variable(&[out], 3)?);
    beside(
        &format!("linear {rows}×{depth}→{out}"),
        || ops::linear(&x, &weight, Some(&bias)),
        || candles_linear(&x, &weight, &bias),
    )
}

fn of_text(name: &str, batch: usize, tokens: usize, hidden: usize, heads: usize) -> Result<()> {
    let x = variable(&[batch, tokens, hidden], 1)?;
    let wide = variable(&[batch, tokens, 4 * hidden], 1)?;
    let qkv = variable(&[batch, tokens, 3 * hidden], 2)?;
    let (weight, bias) = (variable(&[hidden], 3)?, variable(&[hidden], 4)?);
    let mask = Tensor::ones((batch, tokens), DType::F32, &Device::Cpu)?;
    let stream = Stream::new(1, Purpose::Dropout, 2, 3);
    beside(
        &format!("attention {name}"),
        || ops::attention(&qkv, Some(&mask), heads, None),
        || candles_attention(&qkv, &mask, heads),
    )?;
    beside(
        &format!("attention, dropout {name}"),
        || ops::attention(&qkv, Some(&mask), heads, Some((0.1, stream.clone()))),
        || candles_attention(&qkv, &mask, heads),
    )?;
    beside(&format!("gelu {name}×4"), || ops::gelu(&wide), || wide.gelu_erf())?;
    beside(&format!("gelu tanh {name}×4"), || ops::gelu_tanh(&wide), || wide.gelu())?;
    beside(
        &format!("layer norm {name}"),
        || ops::layer_norm(&x, &weight, &bias, 1e-12),
        || candles_layer_norm(&x, &weight, &bias),
    )?;
    beside(&format!("dropout {name}"), || ops::dropout(&x, 0.1, &stream), || candle_nn::ops::dropout(&x, 0.1))?;
    beside(
        &format!("masked mean {name}"),
        || ops::masked_mean(&x, &mask),
        || x.broadcast_mul(&mask.unsqueeze(2)?)?.sum(1)?.broadcast_div(&mask.sum_keepdim(1)?),
    )?;
    let table = variable(&[30_522, hidden], 5)?;
    let ids: Vec<u32> = (0..(batch * tokens) as u64).map(|i| (stream.uniform_at(i) * 30_522.0) as u32).collect();
    let ids = Tensor::from_vec(ids, (batch, tokens), &Device::Cpu)?;
    beside(
        &format!("embedding {name}"),
        || ops::embedding(&ids, &table),
        || table.index_select(&ids.flatten_all()?, 0)?.reshape((batch, tokens, hidden)),
    )
}

fn norms(name: &str, channels: usize, size: usize) -> Result<()> {
    let x = variable(&[IMAGES, channels, size, size], 1)?;
    let other = variable(&[IMAGES, channels, size, size], 2)?;
    let (weight, bias) = (variable(&[channels], 3)?, variable(&[channels], 4)?);
    let (mean, variance) = (values(&[channels], 5)?, values(&[channels], 6)?.sqr()?);
    let norm = Norm { weight: &weight, bias: &bias, mean: &mean, variance: &variance, epsilon: 1e-5 };
    let shape = (1, channels, 1, 1);
    beside(
        &format!("batch norm, relu {name}"),
        || ops::batch_norm(&x, &norm, After::Relu),
        || {
            let normal =
                x.broadcast_sub(&mean.reshape(shape)?)?.broadcast_div(&(&variance + 1e-5)?.sqrt()?.reshape(shape)?)?;
            normal.broadcast_mul(&weight.reshape(shape)?)?.broadcast_add(&bias.reshape(shape)?)?.relu()
        },
    )?;
    beside(
        &format!("batch norm train, relu {name}"),
        || Ok(ops::batch_norm_train(&x, &weight, &bias, 1e-5, After::Relu)?.0),
        || candles_batch_norm(&x, &weight, &bias)?.relu(),
    )?;
    beside(&format!("add, relu {name}"), || ops::add_relu(&x, &other), || (&x + &other)?.relu())
}

/// Candle has no padded pool and no right gradient of one, so its side is an unpadded 2×2.
fn pool(name: &str) -> Result<()> {
    let x = variable(&[IMAGES, 64, 112, 112], 1)?;
    let name = format!("{name} (3×3/2, beside 2×2/2)");
    beside(&name, || ops::max_pool2d(&x, 3, 2, 1, false), || x.max_pool2d(2))
}

fn convolution(name: &str, [channels, h, w]: [usize; 3], [out, kernel]: [usize; 2], stride: usize) -> Result<()> {
    let x = if channels == 3 { values(&[IMAGES, 3, h, w], 1)? } else { variable(&[IMAGES, channels, h, w], 1)? };
    let weight = variable(&[out, channels, kernel, kernel], 2)?;
    let padding = kernel / 2;
    // Candle's backward of a strided convolution fails on even sizes: there it is given what the windows use
    let cut = |y: &Tensor, size: usize| y.narrow(2, 0, size)?.narrow(3, 0, size);
    beside(
        name,
        || ops::conv2d(&x, &weight, None, stride, padding),
        || {
            let padded = x.pad_with_zeros(2, padding, padding)?.pad_with_zeros(3, padding, padding)?;
            let used = ((h + 2 * padding - kernel) / stride) * stride + kernel;
            cut(&padded, used)?.conv2d(&weight, 0, stride, 1, 1)
        },
    )
}

/// A layer of transformers' `BertLayer` without dropout, 384 wide with 12 heads.
fn encoder_layer(name: &str, batch: usize, tokens: usize) -> Result<()> {
    let hidden = 384;
    let small = |shape: &[usize], seed| {
        Ok::<_, candle_core::Error>(Var::from_tensor(&(values(shape, seed)? * 0.05)?)?.into_inner())
    };
    let x = variable(&[batch, tokens, hidden], 1)?;
    let mask = Tensor::ones((batch, tokens), DType::F32, &Device::Cpu)?;
    let dense = |depth: usize, out: usize, seed| {
        Ok::<_, candle_core::Error>((small(&[out, depth], seed)?, small(&[out], seed + 1)?))
    };
    let (qkv, output) = (dense(hidden, 3 * hidden, 2)?, dense(hidden, hidden, 4)?);
    let (up, down) = (dense(hidden, 4 * hidden, 6)?, dense(4 * hidden, hidden, 8)?);
    let norm = (variable(&[hidden], 10)?, variable(&[hidden], 11)?);
    let ours = || {
        let linear = |x: &Tensor, (weight, bias): &(Tensor, Tensor)| ops::linear(x, weight, Some(bias));
        let normal = |x: &Tensor| ops::layer_norm(x, &norm.0, &norm.1, 1e-12);
        let attended = ops::attention(&linear(&x, &qkv)?, Some(&mask), 12, None)?;
        let x = normal(&(linear(&attended, &output)? + &x)?)?;
        normal(&(linear(&ops::gelu(&linear(&x, &up)?)?, &down)? + &x)?)
    };
    let candles = || {
        let linear = |x: &Tensor, (weight, bias): &(Tensor, Tensor)| candles_linear(x, weight, bias);
        let normal = |x: &Tensor| candles_layer_norm(x, &norm.0, &norm.1);
        let attended = candles_attention(&linear(&x, &qkv)?, &mask, 12)?;
        let x = normal(&(linear(&attended, &output)? + &x)?)?;
        normal(&(linear(&linear(&x, &up)?.gelu_erf()?, &down)? + &x)?)
    };
    beside(name, ours, candles)
}

/// A convolution without bias and the weight and bias of the batch norm after it.
struct Unit {
    weight: Tensor,
    norm: [Tensor; 2],
    stride: usize,
}

impl Unit {
    fn new(channels: usize, out: usize, kernel: usize, stride: usize) -> Result<Unit> {
        let scale = (6.0 / (channels * kernel * kernel) as f64).sqrt();
        let weight = Var::from_tensor(&(values(&[out, channels, kernel, kernel], 1)? * scale)?)?.into_inner();
        let one = Var::ones(out, DType::F32, &Device::Cpu)?.into_inner();
        Ok(Unit { weight, norm: [one, Var::zeros(out, DType::F32, &Device::Cpu)?.into_inner()], stride })
    }

    fn forward(&self, x: &Tensor, after: After, mode: Mode) -> Result<Tensor> {
        let padding = self.weight.dim(2)? / 2;
        let y = ops::conv2d(x, &self.weight, None, self.stride, padding)?;
        let [weight, bias] = &self.norm;
        match mode {
            Mode::Train => Ok(ops::batch_norm_train(&y, weight, bias, 1e-5, after)?.0),
            Mode::Eval => {
                let norm = Norm { weight, bias, mean: &bias.detach(), variance: &weight.detach(), epsilon: 1e-5 };
                ops::batch_norm(&y, &norm, after)
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Mode {
    Train,
    Eval,
}

fn resnet18() -> Result<()> {
    if !wanted("ResNet18") {
        return Ok(());
    }
    let stem = Unit::new(3, 64, 7, 2)?;
    let mut blocks = Vec::new();
    for (channels, out, stride) in [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)] {
        let downsample = (stride == 2).then(|| Unit::new(channels, out, 1, 2)).transpose()?;
        blocks.push((Unit::new(channels, out, 3, stride)?, Unit::new(out, out, 3, 1)?, downsample));
        blocks.push((Unit::new(out, out, 3, 1)?, Unit::new(out, out, 3, 1)?, None));
    }
    let (weight, bias) = (variable(&[1000, 512], 2)?, variable(&[1000], 3)?);
    let images = values(&[IMAGES, 3, 224, 224], 4)?;
    let labels = Tensor::from_vec((0..IMAGES as u32).collect::<Vec<_>>(), IMAGES, &Device::Cpu)?;
    let logits = |mode: Mode| {
        let mut x = ops::max_pool2d(&stem.forward(&images, After::Relu, mode)?, 3, 2, 1, false)?;
        for (first, second, downsample) in &blocks {
            let residual = match downsample {
                None => x.clone(),
                Some(unit) => unit.forward(&x, After::Nothing, mode)?,
            };
            let y = second.forward(&first.forward(&x, After::Relu, mode)?, After::Nothing, mode)?;
            x = ops::add_relu(&y, &residual)?;
        }
        ops::linear(&ops::global_avg_pool2d(&x)?, &weight, Some(&bias))
    };
    let step = || {
        let loss = ops::cross_entropy(&logits(Mode::Train)?, &labels)?;
        black_box(loss.backward()?);
        Ok(loss)
    };
    let (forward, step) = (best(|| logits(Mode::Eval))?, best(step)?);
    let image = IMAGES as f64;
    println!(
        "\nResNet18 at 224, batch {IMAGES}, ms an image: forward {:.2}, forward and backward {:.2}",
        forward / image,
        step / image
    );
    Ok(())
}
