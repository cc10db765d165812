//! Batches of preprocessed pictures, made on threads ahead of training.

use std::borrow::Cow;
use std::sync::Arc;

use image::RgbImage;

use super::augment::Transform;
use super::decode;
use super::error::Error;
use super::prefetch::{Panicked, Prefetch};
use super::preprocess::Planes;
use super::resize::resize;
use super::{Picture, threads};
use crate::experiment::{Augment, Data, Preprocessing, Resize};

/// Batches that may wait to be taken.
const BATCHES_AHEAD: usize = 2;

/// How a picture becomes a network's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// Height and width, in pixels.
    pub image_size: u32,
    pub resize: Resize,
    pub augment: Augment,
    pub preprocessing: Preprocessing,
    /// Decides the random variants.
    pub seed: u64,
}

impl Recipe {
    /// The recipe of an experiment's data.
    pub fn new(spec: &Data, preprocessing: Preprocessing, seed: u64) -> Self {
        Recipe { image_size: spec.image_size, resize: spec.resize, augment: spec.augment, preprocessing, seed }
    }
}

/// A picture to load: which, and in which random variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// Its place among the pictures.
    pub sample: usize,
    /// `None`: the picture as it is; `Some(n)`: its n-th variant, a function of (seed, sample, n).
    pub variant: Option<u64>,
}

/// Pictures in the order they were drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Preprocessed, `[batch, 3, height, width]` in row-major order.
    pub pixels: Vec<f32>,
    /// Height and width.
    pub image_size: usize,
    pub labels: Vec<u32>,
    /// Each picture's place among the pictures.
    pub samples: Vec<usize>,
}

impl Batch {
    /// `[batch, 3, height, width]`.
    pub fn shape(&self) -> (usize, usize, usize, usize) {
        (self.labels.len(), 3, self.image_size, self.image_size)
    }
}

/// Makes batches by one recipe.
#[derive(Debug, Clone)]
pub struct Loader {
    recipe: Recipe,
    threads: usize,
}

impl Loader {
    /// A loader with this many threads; 0 takes as many as there are cores. The number never changes a figure.
    pub fn new(recipe: Recipe, asked_threads: usize) -> Self {
        Loader { recipe, threads: threads(asked_threads) }
    }

    /// Starts to load `draws` from `pictures` in batches of `batch_size`, the last one maybe smaller.
    pub fn batches(&self, pictures: &Arc<[Picture]>, draws: Vec<Draw>, batch_size: usize) -> Batches {
        let batch_size = batch_size.max(1);
        let draws: Arc<[Draw]> = draws.into();
        let recipe = self.recipe;
        let work = {
            let (pictures, draws) = (Arc::clone(pictures), Arc::clone(&draws));
            move |i: usize| {
                let draw: Draw = draws[i];
                prepare(&recipe, &pictures[draw.sample], draw)
            }
        };
        let ahead = BATCHES_AHEAD * batch_size;
        let prepared = Prefetch::start(draws.len(), self.threads, ahead, work);
        Batches { prepared, pictures: Arc::clone(pictures), draws, next: 0, batch_size, image_size: recipe.image_size }
    }
}

fn prepare(recipe: &Recipe, picture: &Picture, draw: Draw) -> Result<Vec<f32>, Error> {
    let image = image_of(recipe, picture)?;
    let mut planes = Planes::new((recipe.image_size as usize).pow(2), recipe.preprocessing);
    match draw.variant {
        Some(variant) => {
            let sample = draw.sample as u64;
            Transform::draw(&recipe.augment, recipe.image_size, recipe.seed, sample, variant)
                .apply(&image, |at, rgb| planes.put(at, rgb));
        }
        None => {
            for (at, rgb) in image.chunks_exact(3).enumerate() {
                planes.put(at, [rgb[0], rgb[1], rgb[2]].map(f32::from));
            }
        }
    }
    Ok(planes.into_values())
}

fn image_of<'a>(recipe: &Recipe, picture: &'a Picture) -> Result<Cow<'a, RgbImage>, Error> {
    if let Some(kept) = &picture.kept {
        return Ok(Cow::Borrowed(kept));
    }
    let image = decode::open(&picture.source).map_err(|defect| Error::Lost { path: picture.source.clone(), defect })?;
    Ok(Cow::Owned(resize(image, recipe.image_size, recipe.resize)))
}

/// Iterates over batches in order; ends after the first error. Dropping it stops the threads.
pub struct Batches {
    prepared: Prefetch<Result<Vec<f32>, Error>>,
    pictures: Arc<[Picture]>,
    draws: Arc<[Draw]>,
    next: usize,
    batch_size: usize,
    image_size: u32,
}

impl Batches {
    /// Batches still to come.
    pub fn remaining(&self) -> usize {
        (self.draws.len() - self.next).div_ceil(self.batch_size)
    }

    fn gather(&mut self, draws: &[Draw]) -> Result<Batch, Error> {
        let image_size = self.image_size as usize;
        let mut batch = Batch {
            pixels: Vec::with_capacity(draws.len() * 3 * image_size * image_size),
            image_size,
            labels: Vec::with_capacity(draws.len()),
            samples: Vec::with_capacity(draws.len()),
        };
        for (draw, prepared) in draws.iter().zip(&mut self.prepared) {
            let picture = &self.pictures[draw.sample];
            let values = prepared
                .unwrap_or_else(|Panicked(message)| Err(Error::Crashed { path: picture.source.clone(), message }))?;
            batch.pixels.extend_from_slice(&values);
            batch.labels.push(picture.label);
            batch.samples.push(draw.sample);
        }
        Ok(batch)
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let draws = Arc::clone(&self.draws);
        let end = draws.len().min(self.next + self.batch_size);
        let range = self.next..end;
        if range.is_empty() {
            return None;
        }
        let batch = self.gather(&draws[range]);
        self.next = if batch.is_ok() { end } else { draws.len() };
        Some(batch)
    }
}
