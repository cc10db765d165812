//! LoRA: beside a frozen matrix W stand two that learn, and it acts as W + α / r · B A (Hu et al. 2021, arXiv 2106.09685).
//! Names, initial values and defaults are those of peft.
//!
//! Invariants: a network whose adapters have not learned yet computes what it would without them (B is zero); merged into
//! their matrices, they compute the same up to rounding.

use candle_core::{Result, Tensor, Var};
use globset::{Glob, GlobMatcher};

use super::error::Error;
use super::layer::Call;
use super::outline::Outline;
use crate::base::text::most_alike;
use crate::experiment::Lora;
use crate::ops;

/// What stands beside one matrix `[out, in]`.
#[derive(Debug)]
pub(crate) struct Adapter {
    /// `[rank, in]`
    a: Var,
    /// `[out, rank]`
    b: Var,
    /// α / rank
    scale: f64,
    /// Share of the input that is dropped out, in `0..1`.
    dropout: f64,
    /// The number of its dropout.
    place: u64,
}

/// Dropouts of a layer's own have smaller numbers.
const FIRST_PLACE: u64 = 16;

impl Adapter {
    /// The adapter number `number` of a network.
    pub fn new(a: Var, b: Var, spec: &Lora, number: usize) -> Adapter {
        let (scale, place) = (spec.alpha / spec.rank as f64, FIRST_PLACE + number as u64);
        Adapter { a, b, scale, dropout: spec.dropout, place }
    }

    /// What it adds to the product of `x`, `[…, in]`, with its matrix: `[…, out]`.
    pub fn forward(&self, x: &Tensor, call: &Call) -> Result<Tensor> {
        let dropout = call.dropout(self.place).filter(|_| call.is_learning() && self.dropout > 0.0);
        let x = match dropout {
            Some(stream) => ops::dropout(x, self.dropout, &stream)?,
            None => x.clone(),
        };
        let low = (ops::linear(&x, &call.adapter(&self.a), None)? * self.scale)?;
        ops::linear(&low, &call.adapter(&self.b), None)
    }

    /// [`Adapter::forward`] by its shapes, while it learns.
    pub fn outline(&self, x: &[usize], outline: &mut Outline) -> Result<Vec<usize>> {
        let x = if self.dropout > 0.0 { outline.like(x) } else { x.to_vec() };
        let low = outline.linear(&x, self.a.dim(0)?);
        let scaled = outline.like(&low);
        Ok(outline.linear(&scaled, self.b.dim(0)?))
    }

    /// Under the names that they have behind that of their matrix.
    pub fn tensors(&self) -> [(&'static str, &Var); 2] {
        [("lora_A.weight", &self.a), ("lora_B.weight", &self.b)]
    }

    /// `weight` with it: W + α / r · B A.
    pub fn merged(&self, weight: &Var) -> Result<Var> {
        let product = self.b.as_detached_tensor().matmul(&self.a.as_detached_tensor())?;
        Var::from_tensor(&(weight.as_detached_tensor() + (product * self.scale)?)?)
    }
}

/// Which matrices of a network get an adapter.
#[derive(Debug)]
pub(crate) struct Plan {
    pub spec: Lora,
    patterns: Vec<Pattern>,
    /// Matrices that got one.
    pub made: usize,
    /// Names of all that could have got one.
    known: Vec<String>,
}

#[derive(Debug)]
struct Pattern {
    text: String,
    glob: GlobMatcher,
    matched: bool,
}

impl Plan {
    pub fn new(spec: &Lora) -> std::result::Result<Plan, Error> {
        let pattern = |text: &String| match Glob::new(text) {
            Ok(glob) => Ok(Pattern { text: text.clone(), glob: glob.compile_matcher(), matched: false }),
            Err(e) => Err(Error::BadPattern { pattern: text.clone(), reason: e.kind().to_string() }),
        };
        let patterns = spec.layers.iter().map(pattern).collect::<std::result::Result<_, _>>()?;
        Ok(Plan { spec: spec.clone(), patterns, made: 0, known: Vec::new() })
    }

    /// Whether the matrix `name` gets one: a pattern is its name, or the end of it behind a dot (peft's `target_modules`).
    pub fn wants(&mut self, name: &str) -> bool {
        let ends = || std::iter::once(name).chain(name.match_indices('.').map(|(dot, _)| &name[dot + 1..]));
        let mut wanted = false;
        for pattern in &mut self.patterns {
            let matches = ends().any(|end| pattern.glob.is_match(end));
            pattern.matched |= matches;
            wanted |= matches;
        }
        self.known.push(name.to_owned());
        self.made += usize::from(wanted);
        wanted
    }

    /// Once all matrices are there.
    ///
    /// # Errors
    /// Where a pattern matches none of them.
    pub fn check(&self) -> std::result::Result<(), Error> {
        let Some(lost) = self.patterns.iter().find(|pattern| !pattern.matched) else { return Ok(()) };
        let known = self.parts();
        let ends = known.iter().flat_map(|part| [part.as_str(), part.rsplit('.').next().unwrap_or(part)]);
        let nearest = most_alike(&lost.text, ends).map(str::to_owned);
        Err(Error::NothingToAdapt { pattern: lost.text.clone(), nearest, known })
    }

    /// All names, with `*` for the numbers of layers.
    fn parts(&self) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        for name in &self.known {
            let part = name.split('.').map(|word| if word.parse::<u32>().is_ok() { "*" } else { word });
            let part = part.collect::<Vec<_>>().join(".");
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        parts
    }
}
