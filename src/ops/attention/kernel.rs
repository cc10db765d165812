//! The loops of attention, in f32 or f64: every head of every text a task of its own, whose sums have their own order.

use rayon::prelude::*;

use super::{Attention, Sizes};
use crate::ops::product::{Matrix, Onto, product};
use crate::ops::real::{LANES, Real, sums};
use crate::ops::vectorized::vectorized;

/// One head of one text.
#[derive(Clone, Copy)]
struct Head<'a, T> {
    attention: &'a Attention,
    qkv: &'a [T],
    text: usize,
    head: usize,
}

/// Which third of `qkv`.
#[derive(Debug, Clone, Copy)]
enum Part {
    Queries,
    Keys,
    Values,
}

impl<'a, T: Real> Head<'a, T> {
    /// Of task `index` in the order of texts, then heads.
    fn new(attention: &'a Attention, qkv: &'a [T], index: usize) -> Self {
        let heads = attention.sizes.heads;
        Head { attention, qkv, text: index / heads, head: index % heads }
    }

    /// The first `rows` tokens of a part: rows × width.
    fn part(&self, part: Part, rows: usize) -> Matrix<'a, T> {
        let Sizes { tokens, heads, width, .. } = self.attention.sizes;
        let hidden = heads * width;
        let first = self.text * tokens * 3 * hidden + part as usize * hidden + self.head * width;
        Matrix::strided(&self.qkv[first..], rows, width, 3 * hidden)
    }

    /// What is added to the scores of each key, up to the last that is a token.
    fn bias(&self) -> &'a [f32] {
        &self.attention.biases[self.text]
    }

    /// tokens × keys, before dropout.
    fn probabilities(&self) -> Vec<T> {
        let (tokens, keys) = (self.attention.sizes.tokens, self.bias().len());
        let mut scores = vec![T::zero(); tokens * keys];
        let (queries, of_keys) = (self.part(Part::Queries, tokens), self.part(Part::Keys, keys));
        product(queries, of_keys.transposed(), &mut scores, Onto::Fresh);
        let scale = T::near(self.attention.sizes.scale());
        softmax(&mut scores, scale, self.bias());
        scores
    }

    /// Drops out of tokens × keys.
    fn drop_out(&self, probabilities: &mut [T]) {
        let Some(dropped) = &self.attention.dropped else { return };
        let Sizes { tokens, heads, .. } = self.attention.sizes;
        for (row, probabilities) in probabilities.chunks_exact_mut(self.bias().len()).enumerate() {
            dropped.apply((((self.text * heads + self.head) * tokens + row) * tokens) as u64, probabilities);
        }
    }

    /// Writes tokens × width into `context`, which is zero.
    fn forward(&self, context: &mut [T]) {
        let keys = self.bias().len();
        if keys == 0 {
            return;
        }
        let mut probabilities = self.probabilities();
        self.drop_out(&mut probabilities);
        product(Matrix::new(&probabilities, keys), self.part(Part::Values, keys), context, Onto::Fresh);
    }

    /// Writes 3 × tokens × width into `result`, which is zero: the gradients of queries, keys and values.
    fn backward(&self, gradient: &[T], result: &mut [T]) {
        let Sizes { tokens, heads, width, .. } = self.attention.sizes;
        let (hidden, keys) = (heads * width, self.bias().len());
        if keys == 0 {
            return;
        }
        let first = self.text * tokens * hidden + self.head * width;
        let gradient = Matrix::strided(&gradient[first..], tokens, width, hidden);
        let mut probabilities = self.probabilities();
        let mut scores = vec![T::zero(); tokens * keys];
        product(gradient, self.part(Part::Values, keys).transposed(), &mut scores, Onto::Fresh);
        self.drop_out(&mut scores);
        through_softmax(&probabilities, T::near(self.attention.sizes.scale()), keys, &mut scores);
        self.drop_out(&mut probabilities);
        let (probabilities, scores) = (Matrix::new(&probabilities, keys), Matrix::new(&scores, keys));
        let (of_queries, rest) = result.split_at_mut(tokens * width);
        let (of_keys, of_values) = rest.split_at_mut(tokens * width);
        product(scores, self.part(Part::Keys, keys), of_queries, Onto::Fresh);
        let queries = self.part(Part::Queries, tokens);
        product(scores.transposed(), queries, &mut of_keys[..keys * width], Onto::Fresh);
        product(probabilities.transposed(), gradient, &mut of_values[..keys * width], Onto::Fresh);
    }
}

/// Of each row × scale + bias, in place. A bias is 0 or minus infinity, and one at least is 0.
fn softmax<T: Real>(scores: &mut [T], scale: T, bias: &[f32]) {
    vectorized(
        #[inline(always)]
        || {
            for row in scores.chunks_exact_mut(bias.len()) {
                for (score, bias) in row.iter_mut().zip(bias) {
                    *score = score.mul_add(scale, T::near(f64::from(*bias)));
                }
                let largest = largest(row);
                for score in row.iter_mut() {
                    *score = (*score - largest).exp_of_negative();
                }
                let [sum] = sums([row], |[e]| [e]);
                for score in row.iter_mut() {
                    *score /= sum;
                }
            }
        },
    )
}

/// Turns the gradients of the probabilities into those of the products of queries and keys.
fn through_softmax<T: Real>(probabilities: &[T], scale: T, keys: usize, gradients: &mut [T]) {
    vectorized(
        #[inline(always)]
        || {
            for (probabilities, gradients) in probabilities.chunks_exact(keys).zip(gradients.chunks_exact_mut(keys)) {
                let [along] = sums([probabilities, gradients], |[p, g]| [p * g]);
                for (g, p) in gradients.iter_mut().zip(probabilities) {
                    *g = *p * (*g - along) * scale;
                }
            }
        },
    )
}

/// A NaN need not win: it makes its row's sum one.
#[inline(always)]
fn largest<T: Real>(row: &[T]) -> T {
    let mut lanes = [row[0]; LANES];
    let larger = |best: T, value: T| if value > best { value } else { best };
    let chunks = row.chunks_exact(LANES);
    let rest = chunks.remainder();
    chunks.for_each(|chunk| lanes.iter_mut().zip(chunk).for_each(|(best, value)| *best = larger(*best, *value)));
    lanes.iter().chain(rest).fold(row[0], |best, value| larger(best, *value))
}

/// `[batch, tokens, hidden]`
pub(super) fn forward<T: Real>(attention: &Attention, qkv: &[T]) -> Vec<T> {
    by_head(&attention.sizes, 1, |index, context| Head::new(attention, qkv, index).forward(context))
}

/// `[batch, tokens, 3 × hidden]` from `[batch, tokens, hidden]`
pub(super) fn backward<T: Real>(attention: &Attention, qkv: &[T], gradient: &[T]) -> Vec<T> {
    by_head(&attention.sizes, 3, |index, result| Head::new(attention, qkv, index).backward(gradient, result))
}

/// Runs `work` for each head of each text on `parts` × tokens × width zeros, and puts what it wrote into
/// `[batch, tokens, parts, heads, width]`.
fn by_head<T: Real>(sizes: &Sizes, parts: usize, work: impl Fn(usize, &mut [T]) + Sync) -> Vec<T> {
    let Sizes { batch, tokens, heads, width } = *sizes;
    let len = parts * tokens * width;
    let mut heads_first = vec![T::zero(); batch * heads * len];
    heads_first.par_chunks_exact_mut(len).enumerate().for_each(|(index, part)| work(index, part));
    let mut result = vec![T::zero(); batch * heads * len];
    result.par_chunks_exact_mut(parts * heads * width).with_min_len(16).enumerate().for_each(|(row, result)| {
        let (text, token) = (row / tokens, row % tokens);
        for (i, to) in result.chunks_exact_mut(width).enumerate() {
            let (part, head) = (i / heads, i % heads);
            let from = (text * heads + head) * len + (part * tokens + token) * width;
            to.copy_from_slice(&heads_first[from..][..width]);
        }
    });
    result
}
