//! Convolution 3×3 with stride 1 as Winograd F(4×4, 3×3), in f32: a quarter of the multiplications (Lavin and Gray 2015).
//!
//! With `⊗` for the product of transformed tiles, an output tile of 4×4 is `Aᵀ(GwGᵀ ⊗ BᵀdB)A`, where `d` is the input
//! tile of 6×6 and `w` the filter. At each of the 36 points, the sum over channels is a matrix product over all tiles.
//! The gradient of the weight is the adjoint, `Gᵀ(AgAᵀ ⊗ BᵀdB)G`; that of the input is the convolution of the result's
//! gradient with the turned filters.
//!
//! Layouts: weights `[out][point][in]`, inputs `[in][point][tile]` and gradients `[out][point][tile]` are written by
//! channel, products `[point][out][…]` by point, so that threads share no row. Tiles stand in lanes: every transform is
//! arithmetic on sixteen tiles at once.

use rayon::prelude::*;

use super::points::{filter_to_points, input_to_points, output_to_points, points_to_filter, points_to_output};
use super::{After, Case};
use crate::ops::Scratch;
use crate::ops::product::{Matrix, Onto, product};
use crate::ops::vectorized::vectorized;
use crate::ops::window::Window;

/// Points of a transformed tile.
const POINTS: usize = 36;
/// Tiles (or channels) that a transform takes at once.
const LANES: usize = 16;
/// Tiles that are in flight together: enough for a good matrix product, few enough for the cache.
const TILES: usize = 128;

type Lanes = [f32; LANES];

/// Whether a convolution is quicker this way. The batch has no say, or a sample's result would depend on its company.
pub(super) fn suits(case: &Case) -> bool {
    let Window { kernel, stride, padding, .. } = case.window;
    let fits = kernel == (3, 3) && stride == 1 && padding <= 2;
    // tiles that reach over the edge, and transforms for few channels, eat up what is won
    let multiplications = POINTS * Tiling::of(case, 1).count();
    fits && case.channels.min(case.out) >= 8 && 3 * multiplications < 2 * 9 * case.window.output_len()
}

/// `[batch, out, height', width']` from input, weight and bias.
pub(super) fn forward(case: &Case, x: &[f32], weight: &[f32], bias: Option<&[f32]>, after: After) -> Vec<f32> {
    let filters = transformed_weight(weight, case.out, case.channels);
    let mut y = vec![0.0; case.batch * case.output_len()];
    let images = images_together(case);
    let groups = y.par_chunks_mut(images * case.output_len()).zip(x.par_chunks(images * case.input_len()));
    groups.for_each(|(y, x)| {
        let tiling = Tiling::of(case, x.len() / case.input_len());
        let inputs = transformed_inputs(case, &tiling, x);
        let products = point_products(&filters, case.channels, &inputs, tiling.padded(), case.out);
        outputs(case, &tiling, &products, bias, after, y);
    });
    y
}

/// The gradient of the input from that of the result.
pub(super) fn input_gradient(case: &Case, gradient: &[f32], weight: &[f32]) -> Vec<f32> {
    let mut turned = vec![0.0; weight.len()];
    for (i, filter) in weight.chunks_exact(9).enumerate() {
        let (out, channel) = (i / case.channels, i % case.channels);
        let place = &mut turned[(channel * case.out + out) * 9..][..9];
        place.iter_mut().zip(filter.iter().rev()).for_each(|(to, from)| *to = *from);
    }
    let window = Window {
        padding: 2 - case.window.padding,
        input: case.window.output,
        output: case.window.input,
        ..case.window
    };
    let backwards = Case { batch: case.batch, channels: case.out, out: case.channels, window };
    forward(&backwards, gradient, &turned, None, After::Nothing)
}

/// The gradient of the weight from that of the result.
pub(super) fn weight_gradient(case: &Case, x: &[f32], gradient: &[f32]) -> Vec<f32> {
    let mut sums = vec![0.0; POINTS * case.out * case.channels];
    let images = images_together(case);
    // one group after the other, so that the sum has one order
    for (x, gradient) in x.chunks(images * case.input_len()).zip(gradient.chunks(images * case.output_len())) {
        let tiling = Tiling::of(case, x.len() / case.input_len());
        let tiles = tiling.padded();
        let inputs = transformed_inputs(case, &tiling, x);
        let gradients = transformed_gradients(case, &tiling, gradient);
        sums.par_chunks_exact_mut(case.out * case.channels).enumerate().for_each(|(point, sum)| {
            let left = Matrix::strided(&gradients[point * tiles..], case.out, tiles, POINTS * tiles);
            let right = Matrix::strided(&inputs[point * tiles..], case.channels, tiles, POINTS * tiles);
            product(left, right.transposed(), sum, Onto::Sum);
        });
    }
    weight_from_points(&sums, case.out, case.channels)
}

/// The most that one of the functions here takes: transformed filters (turned ones too, on the way back), and on each
/// thread the transformed inputs and products of the images that go together.
pub(super) fn scratch(case: &Case) -> Scratch {
    let tiles = Tiling::of(case, images_together(case)).padded();
    Scratch { shared: (POINTS + 9) * case.out * case.channels, per_thread: POINTS * tiles * (case.channels + case.out) }
}

/// Images whose tiles are in flight together.
fn images_together(case: &Case) -> usize {
    (TILES / Tiling::of(case, 1).count()).clamp(1, case.batch)
}

/// How the results of some images fall into tiles of 4×4.
#[derive(Debug, Clone, Copy)]
struct Tiling {
    images: usize,
    rows: usize,
    columns: usize,
}

impl Tiling {
    fn of(case: &Case, images: usize) -> Tiling {
        let (height, width) = case.window.output;
        Tiling { images, rows: height.div_ceil(4), columns: width.div_ceil(4) }
    }

    fn count(&self) -> usize {
        self.images * self.rows * self.columns
    }

    /// The tiles, rounded up to whole lanes; those beyond [`Tiling::count`] are zero.
    fn padded(&self) -> usize {
        self.count().next_multiple_of(LANES)
    }

    /// Image, row and column of the tiles that fill the lanes from `first` on.
    fn places(self, first: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        let of_image = self.rows * self.columns;
        let tiles = first..self.count().min(first + LANES);
        tiles.map(move |tile| (tile / of_image, tile % of_image / self.columns, tile % self.columns))
    }
}

/// `M t Mᵀ` for the tiles in all lanes, where `transform` multiplies a vector by `M`.
#[inline(always)]
fn sandwich<const N: usize, const M: usize>(
    tile: &[[Lanes; N]; N],
    transform: impl Fn([f32; N]) -> [f32; M],
) -> [[Lanes; M]; M] {
    let mut half = [[[0.0; LANES]; N]; M];
    for column in 0..N {
        for lane in 0..LANES {
            let result = transform(std::array::from_fn(|row| tile[row][column][lane]));
            (0..M).for_each(|row| half[row][column][lane] = result[row]);
        }
    }
    let mut whole = [[[0.0; LANES]; M]; M];
    for (half, whole) in half.iter().zip(&mut whole) {
        for lane in 0..LANES {
            let result = transform(std::array::from_fn(|column| half[column][lane]));
            (0..M).for_each(|column| whole[column][lane] = result[column]);
        }
    }
    whole
}

/// Filters `[out, in, 3, 3]` as `[out][point][in]`.
fn transformed_weight(weight: &[f32], out: usize, channels: usize) -> Vec<f32> {
    let mut filters = vec![0.0; out * POINTS * channels];
    let rows = filters.par_chunks_exact_mut(POINTS * channels).zip(weight.par_chunks_exact(9 * channels));
    rows.with_min_len(8).for_each(|(points, filters)| filters_to_points(filters, points));
    filters
}

fn filters_to_points(filters: &[f32], points: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            let channels = filters.len() / 9;
            for first in (0..channels).step_by(LANES) {
                let count = LANES.min(channels - first);
                let mut tile = [[[0.0; LANES]; 3]; 3];
                for (lane, filter) in filters[first * 9..].chunks_exact(9).take(count).enumerate() {
                    (0..9).for_each(|i| tile[i / 3][i % 3][lane] = filter[i]);
                }
                let result = sandwich(&tile, filter_to_points);
                for (row, lanes) in points.chunks_exact_mut(channels).zip(result.as_flattened()) {
                    row[first..first + count].copy_from_slice(&lanes[..count]);
                }
            }
        },
    )
}

/// The adjoint of [`transformed_weight`]: `[point][out][in]` to `[out, in, 3, 3]`.
fn weight_from_points(points: &[f32], out: usize, channels: usize) -> Vec<f32> {
    let mut weight = vec![0.0; out * channels * 9];
    weight.par_chunks_exact_mut(9 * channels).with_min_len(8).enumerate().for_each(|(row, filters)| {
        points_to_filters(&points[row * channels..], out * channels, filters);
    });
    weight
}

fn points_to_filters(points: &[f32], stride: usize, filters: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            for (block, filters) in filters.chunks_mut(9 * LANES).enumerate() {
                let count = filters.len() / 9;
                let mut tile = [[[0.0; LANES]; 6]; 6];
                for (point, lanes) in tile.as_flattened_mut().iter_mut().enumerate() {
                    lanes[..count].copy_from_slice(&points[point * stride + block * LANES..][..count]);
                }
                let result = sandwich(&tile, points_to_filter);
                for (lane, filter) in filters.chunks_exact_mut(9).enumerate() {
                    (0..9).for_each(|i| filter[i] = result[i / 3][i % 3][lane]);
                }
            }
        },
    )
}

/// Input planes of some images as `[in][point][tile]`.
fn transformed_inputs(case: &Case, tiling: &Tiling, x: &[f32]) -> Vec<f32> {
    let grid = Grid { size: case.window.input, margin: case.window.padding, overlap: 2 };
    transformed_planes::<6>(tiling, &grid, x, case.channels, input_to_points)
}

/// Planes of the result's gradient of some images as `[out][point][tile]`.
fn transformed_gradients(case: &Case, tiling: &Tiling, gradient: &[f32]) -> Vec<f32> {
    let grid = Grid { size: case.window.output, margin: 0, overlap: 0 };
    transformed_planes::<4>(tiling, &grid, gradient, case.out, output_to_points)
}

/// Planes that are read in tiles.
struct Grid {
    /// Height and width of a plane.
    size: (usize, usize),
    /// Zeros above and to the left of it.
    margin: usize,
    /// How far a tile reaches into the next.
    overlap: usize,
}

fn transformed_planes<const N: usize>(
    tiling: &Tiling,
    grid: &Grid,
    planes: &[f32],
    channels: usize,
    transform: impl Fn([f32; N]) -> [f32; 6] + Copy + Sync,
) -> Vec<f32> {
    let len = grid.size.0 * grid.size.1;
    let mut points = vec![0.0; channels * POINTS * tiling.padded()];
    points.par_chunks_exact_mut(POINTS * tiling.padded()).with_min_len(4).enumerate().for_each(|(channel, points)| {
        let padded = padded_planes(tiling, grid, planes.chunks_exact(len).skip(channel).step_by(channels));
        planes_to_points(tiling, grid, &padded, transform, points);
    });
    points
}

/// Planes with zeros around them, up to whole tiles.
fn padded_planes<'a>(tiling: &Tiling, grid: &Grid, planes: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
    let (height, width) = (4 * tiling.rows + grid.overlap, 4 * tiling.columns + grid.overlap);
    let mut padded = vec![0.0; tiling.images * height * width];
    for (padded, plane) in padded.chunks_exact_mut(height * width).zip(planes) {
        let rows = padded.chunks_exact_mut(width).skip(grid.margin);
        for (to, from) in rows.zip(plane.chunks_exact(grid.size.1)) {
            to[grid.margin..grid.margin + from.len()].copy_from_slice(from);
        }
    }
    padded
}

fn planes_to_points<const N: usize>(
    tiling: &Tiling,
    grid: &Grid,
    padded: &[f32],
    transform: impl Fn([f32; N]) -> [f32; 6],
    points: &mut [f32],
) {
    vectorized(
        #[inline(always)]
        || {
            let (height, width) = (4 * tiling.rows + grid.overlap, 4 * tiling.columns + grid.overlap);
            for first in (0..tiling.count()).step_by(LANES) {
                let mut tile = [[[0.0; LANES]; N]; N];
                for (lane, place) in tiling.places(first).enumerate() {
                    let (image, row, column) = place;
                    let corner = &padded[(image * height + row * 4) * width + column * 4..];
                    for i in 0..N {
                        let line = &corner[i * width..][..N];
                        (0..N).for_each(|j| tile[i][j][lane] = line[j]);
                    }
                }
                let result = sandwich(&tile, &transform);
                for (row, lanes) in points.chunks_exact_mut(tiling.padded()).zip(result.as_flattened()) {
                    row[first..first + LANES].copy_from_slice(lanes);
                }
            }
        },
    )
}

/// At each point, filters `[out][in]` times inputs `[in][tile]`: `[point][out][tile]`.
fn point_products(filters: &[f32], channels: usize, inputs: &[f32], tiles: usize, out: usize) -> Vec<f32> {
    let mut products = vec![0.0; POINTS * out * tiles];
    products.par_chunks_exact_mut(out * tiles).enumerate().for_each(|(point, result)| {
        let left = Matrix::strided(&filters[point * channels..], out, channels, POINTS * channels);
        let right = Matrix::strided(&inputs[point * tiles..], channels, tiles, POINTS * tiles);
        product(left, right, result, Onto::Fresh);
    });
    products
}

/// From `[point][out][tile]` to the planes of `y`, with bias and what comes after.
fn outputs(case: &Case, tiling: &Tiling, products: &[f32], bias: Option<&[f32]>, after: After, y: &mut [f32]) {
    let mut by_channel: Vec<Vec<&mut [f32]>> = (0..case.out).map(|_| Vec::with_capacity(tiling.images)).collect();
    for (i, plane) in y.chunks_exact_mut(case.window.output_len()).enumerate() {
        by_channel[i % case.out].push(plane);
    }
    by_channel.par_iter_mut().with_min_len(4).enumerate().for_each(|(channel, planes)| {
        let points = &products[channel * tiling.padded()..];
        let bias = bias.map_or(0.0, |bias| bias[channel]);
        let finish = |value: f32| match after {
            After::Nothing => value + bias,
            // not `max`, which swallows a NaN
            After::Relu => {
                if value + bias <= 0.0 {
                    0.0
                } else {
                    value + bias
                }
            }
        };
        let stride = case.out * tiling.padded();
        points_to_planes(tiling, case.window.output, points, stride, finish, planes);
    });
}

fn points_to_planes<F: Fn(f32) -> f32>(
    tiling: &Tiling,
    output: (usize, usize),
    points: &[f32],
    stride: usize,
    finish: F,
    planes: &mut [&mut [f32]],
) {
    vectorized(
        #[inline(always)]
        || {
            let (height, width) = output;
            for first in (0..tiling.count()).step_by(LANES) {
                let mut tile = [[[0.0; LANES]; 6]; 6];
                for (point, lanes) in tile.as_flattened_mut().iter_mut().enumerate() {
                    lanes.copy_from_slice(&points[point * stride + first..][..LANES]);
                }
                let mut result = sandwich(&tile, points_to_output);
                result.as_flattened_mut().as_flattened_mut().iter_mut().for_each(|value| *value = finish(*value));
                for (lane, place) in tiling.places(first).enumerate() {
                    let (image, row, column) = place;
                    let columns = 4.min(width - column * 4);
                    for i in 0..4.min(height - row * 4) {
                        let line = &mut planes[image][(row * 4 + i) * width + column * 4..][..columns];
                        line.iter_mut().enumerate().for_each(|(j, to)| *to = result[i][j][lane]);
                    }
                }
            }
        },
    )
}
