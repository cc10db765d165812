//! What SqueezeNet 1.1 costs at 128×128, and each of its convolutions beside Candle's own, in one run.
//!
//!     cargo bench --bench squeezenet
//!
//! Times are the best of several rounds, in milliseconds a picture, on all threads that rayon takes (RAYON_NUM_THREADS).

use std::hint::black_box;

use candle_core::{Device, Result, Tensor, Var};
use finetop::base::clock::Stopwatch;
use finetop::base::random::{Purpose, Stream};
use finetop::experiment::{Activation, Backbone, HeadLayer, Model, Pool, Trainable, Weights};
use finetop::model::{Found, Network, Pass};
use finetop::ops;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 32;
const ROUNDS: usize = 7;

/// (name, [in, height, width], [out, kernel], stride): every shape of convolution in the network.
const CONVOLUTIONS: [(&str, [usize; 3], [usize; 2], usize); 13] = [
    ("conv1", [3, 128, 128], [64, 3], 2),
    ("fire2.squeeze1x1", [64, 32, 32], [16, 1], 1),
    ("fire2.expand1x1", [16, 32, 32], [64, 1], 1),
    ("fire2.expand3x3", [16, 32, 32], [64, 3], 1),
    ("fire4.squeeze1x1", [128, 16, 16], [32, 1], 1),
    ("fire4.expand1x1", [32, 16, 16], [128, 1], 1),
    ("fire4.expand3x3", [32, 16, 16], [128, 3], 1),
    ("fire6.squeeze1x1", [256, 8, 8], [48, 1], 1),
    ("fire6.expand1x1", [48, 8, 8], [192, 1], 1),
    ("fire6.expand3x3", [48, 8, 8], [192, 3], 1),
    ("fire8.squeeze1x1", [384, 8, 8], [64, 1], 1),
    ("fire8.expand3x3", [64, 8, 8], [256, 3], 1),
    ("vgg16 block4_conv2", [512, 28, 28], [512, 3], 1),
];

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    println!("{} threads, batch {BATCH}, best of {ROUNDS}, ms a picture", rayon::current_num_threads());
    network()?;
    println!(
        "\n{:<20} {:>9} {:>9} {:>6}   {:>9} {:>9} {:>6}",
        "", "forward", "Candle", "ratio", "+backward", "Candle", "ratio"
    );
    for (name, x, kernel, stride) in CONVOLUTIONS {
        convolution(name, x, kernel, stride)?;
    }
    Ok(())
}

/// The best time of `work`, in milliseconds a picture.
fn best(batch: usize, mut work: impl FnMut() -> Result<Tensor>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let watch = Stopwatch::start();
        black_box(work()?);
        best = best.min(watch.seconds());
    }
    Ok(best * 1e3 / batch as f64)
}

fn values(shape: &[usize], seed: u64) -> Result<Tensor> {
    let mut stream = Stream::new(seed, Purpose::InitialWeights, 0, 0);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| stream.range(-1.0, 1.0) as f32).collect();
    Tensor::from_vec(values, shape, &Device::Cpu)
}

fn network() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let spec = Model {
        backbone: Backbone::SqueezeNet1_1,
        weights: Weights::Random,
        tokenizer: None,
        preprocessing: None,
        lora: None,
        pool: Pool::Avg,
        l2: 0.0,
        head: vec![HeadLayer::Dense { units: 256, activation: Activation::Relu, l2: None }, HeadLayer::Dropout(0.5)],
    };
    let (mut network, _) = Network::build(&spec, &Found::random(), 3, 42, &Device::Cpu)?;
    network.freeze(&Trainable::LastLayers(4))?;
    let prefix = network.frozen_prefix();
    let x = values(&[BATCH, 3, 128, 128], 1)?;
    let labels = Tensor::from_vec(vec![1u32; BATCH], BATCH, &Device::Cpu)?;
    let forward =
        |range, x: &Tensor, pass| network.forward_range(range, x, None, &pass).map_err(candle_core::Error::wrap);
    let all = best(BATCH, || forward(0..usize::MAX, &x, Pass::Eval))?;
    let frozen = best(BATCH, || forward(0..prefix, &x, Pass::Eval))?;
    let features = forward(0..prefix, &x, Pass::Eval)?;
    let train = Pass::Train { seed: 1, step: 1 };
    let rest = best(BATCH, || forward(prefix..usize::MAX, &features, train))?;
    let step = best(BATCH, || {
        let loss = ops::cross_entropy(&forward(prefix..usize::MAX, &features, train)?, &labels)?;
        black_box(loss.backward()?);
        Ok(loss)
    })?;
    println!("forward, whole network          {all:8.3}");
    println!("forward, conv1 to pool5         {frozen:8.3}");
    println!("forward, fire6 to output        {rest:8.3}");
    println!("forward and backward, the same  {step:8.3}");
    Ok(())
}

fn convolution(name: &str, [channels, h, w]: [usize; 3], [out, kernel]: [usize; 2], stride: usize) -> Result<()> {
    let batch = if channels >= 512 { 4 } else { BATCH };
    let padding = kernel / 2;
    let x = Var::from_tensor(&values(&[batch, channels, h, w], 1)?)?;
    let weight = Var::from_tensor(&values(&[out, channels, kernel, kernel], 2)?)?;
    let bias = Var::from_tensor(&values(&[out], 3)?)?;
    let ours = || ops::conv2d(&x, &weight, Some(&bias), stride, padding);
    let candles = || x.conv2d(&weight, padding, stride, 1, 1)?.broadcast_add(&bias.reshape((1, out, 1, 1))?);
    let gradient = values(ours()?.dims(), 4)?;
    let with_backward = |y: Result<Tensor>| {
        let sum = (y? * &gradient)?.sum_all()?;
        black_box(sum.backward()?);
        Ok(sum)
    };
    let (f, cf) = (best(batch, ours)?, best(batch, candles)?);
    let (b, cb) = (best(batch, || with_backward(ours()))?, best(batch, || with_backward(candles()))?);
    println!("{name:<20} {f:9.4} {cf:9.4} {:6.2}   {b:9.4} {cb:9.4} {:6.2}", cf / f, cb / b);
    Ok(())
}
