//! Batches of preprocessed pictures, made on threads ahead of training.

use std::borrow::Cow;
use std::sync::Arc;

use image::RgbImage;

use super::augment::Variant;
use super::decode;
use super::error::Error;
use super::prefetch::{Panicked, Prefetch};
use super::preprocess::{Planes, blank};
use super::resize::resize;
use super::samples::Picture;
use super::threads;
use crate::experiment::{Augment, Pictures, Preprocessing, Resize};

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
    /// The recipe of an experiment's pictures.
    pub fn new(spec: &Pictures, preprocessing: Preprocessing, seed: u64) -> Self {
        let Pictures { image_size, resize, augment } = *spec;
        Recipe { image_size, resize, augment, preprocessing, seed }
    }

    /// The `number`-th random change of a sample.
    fn variant(&self, sample: usize, number: u64) -> Variant {
        Variant::draw(&self.augment, self.image_size, self.seed, sample as u64, number)
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
    /// A loader with this many threads; 0 takes as many as compute. The number never changes a figure.
    pub fn new(recipe: Recipe, asked_threads: usize) -> Self {
        Loader { recipe, threads: threads(asked_threads) }
    }

    /// The picture as a network sees it, but before its channels are made what its weights expect.
    pub fn picture(&self, picture: &Picture, draw: Draw) -> Result<RgbImage, Error> {
        let mut image = image_of(&self.recipe, picture)?.into_owned();
        if let Some(variant) = draw.variant {
            let variant = self.recipe.variant(draw.sample, variant);
            let plain = image.clone();
            let channels: &mut [u8] = &mut image;
            variant.apply(&plain, blank(self.recipe.preprocessing), |at, rgb| {
                channels[3 * at..3 * at + 3].copy_from_slice(&rgb.map(|level| level.round() as u8));
            });
        }
        Ok(image)
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
            let variant = recipe.variant(draw.sample, variant);
            variant.apply(&image, blank(recipe.preprocessing), |at, rgb| planes.put(at, rgb));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixtures::{PICTURES, encoded, picture, spec, write_classes};
    use crate::data::picture_index;
    use image::ImageFormat;

    const CHANNELS: usize = 3;

    fn training_pictures(root: &std::path::Path) -> Arc<[Picture]> {
        write_classes(&root.join("train"), &[("a", 10), ("b", 9)]);
        picture_index::index(&spec(root), PICTURES, 1, &mut |_, _| true).unwrap().train.into()
    }

    fn loader(threads: usize) -> Loader {
        Loader::new(Recipe::new(&PICTURES, Preprocessing::Caffe, 7), threads)
    }

    /// The same pictures, not kept in memory.
    fn forgotten(pictures: &[Picture]) -> Arc<[Picture]> {
        pictures.iter().map(|picture| Picture::at(picture.source.clone(), picture.label)).collect()
    }

    #[test]
    fn figures_are_the_same_whatever_the_threads_and_what_is_kept() {
        let root = tempfile::tempdir().unwrap();
        let pictures = training_pictures(root.path());
        assert!(pictures.iter().all(|picture| picture.kept.is_some()));
        let draw =
            |i: usize| Draw { sample: (7 * i) % pictures.len(), variant: (!i.is_multiple_of(4)).then_some(i as u64) };
        let draws: Vec<Draw> = (0..50).map(draw).collect();
        let load = |pictures: &Arc<[Picture]>, threads, batch_size| {
            let batches = loader(threads).batches(pictures, draws.clone(), batch_size);
            batches.collect::<Result<Vec<Batch>, Error>>().unwrap()
        };
        let one = load(&pictures, 1, 8);
        assert_eq!(one.iter().map(|batch| batch.labels.len()).collect::<Vec<_>>(), [8, 8, 8, 8, 8, 8, 2]);
        assert_eq!(one[6].shape(), (2, CHANNELS, 8, 8));
        assert_eq!(one[6].pixels.len(), 2 * CHANNELS * 8 * 8);
        let samples: Vec<usize> = one.iter().flat_map(|batch| batch.samples.clone()).collect();
        assert_eq!(samples, draws.iter().map(|draw| draw.sample).collect::<Vec<_>>());
        for threads in [2, 5, 0] {
            assert_eq!(one, load(&pictures, threads, 8), "{threads} threads");
        }
        assert_eq!(one, load(&forgotten(&pictures), 3, 8), "decoded again");
        let pixels = |batches: Vec<Batch>| batches.into_iter().flat_map(|batch| batch.pixels).collect::<Vec<f32>>();
        assert_eq!(pixels(one), pixels(load(&pictures, 2, 13)), "whatever the batch size");
    }

    #[test]
    fn a_picture_as_it_is_holds_its_own_levels() {
        let root = tempfile::tempdir().unwrap();
        let source = root.path().join("1.png");
        let levels = picture(8, 8, 3);
        std::fs::write(&source, encoded(&levels, ImageFormat::Png)).unwrap();
        let pictures: Arc<[Picture]> = [Picture::at(source, 1)].into();
        let draws = vec![Draw { sample: 0, variant: None }, Draw { sample: 0, variant: Some(0) }];
        let batch = loader(1).batches(&pictures, draws, 2).next().unwrap().unwrap();
        assert_eq!(batch.labels, [1, 1]);
        let (plain, varied) = batch.pixels.split_at(CHANNELS * 64);
        for (at, pixel) in levels.pixels().enumerate() {
            for (channel, (colour, mean)) in [(2, 103.939), (1, 116.779), (0, 123.68)].into_iter().enumerate() {
                assert_eq!(plain[64 * channel + at], f32::from(pixel[colour]) - mean);
            }
        }
        assert_ne!(plain, varied);
    }

    #[test]
    fn a_picture_is_shown_as_the_network_sees_it() {
        let root = tempfile::tempdir().unwrap();
        let source = root.path().join("1.png");
        std::fs::write(&source, encoded(&picture(8, 8, 3), ImageFormat::Png)).unwrap();
        let pictures: Arc<[Picture]> = [Picture::at(source, 1)].into();
        for variant in [None, Some(0), Some(5)] {
            let draw = Draw { sample: 0, variant };
            let shown = loader(1).picture(&pictures[0], draw).unwrap();
            let seen = loader(1).batches(&pictures, vec![draw], 1).next().unwrap().unwrap().pixels;
            for (at, pixel) in shown.pixels().enumerate() {
                for (channel, (colour, mean)) in [(2, 103.939), (1, 116.779), (0, 123.68)].into_iter().enumerate() {
                    assert!((f32::from(pixel[colour]) - mean - seen[64 * channel + at]).abs() <= 0.5 + 1e-3);
                }
            }
        }
    }

    #[test]
    fn a_picture_that_vanishes_is_an_error_that_names_it_and_the_end() {
        let root = tempfile::tempdir().unwrap();
        let pictures = forgotten(&training_pictures(root.path()));
        std::fs::remove_file(&pictures[5].source).unwrap();
        let draws = (0..12).map(|sample| Draw { sample, variant: None }).collect();
        let mut batches = loader(2).batches(&pictures, draws, 4);
        assert_eq!(batches.remaining(), 3);
        assert_eq!(batches.next().unwrap().unwrap().samples, [0, 1, 2, 3]);
        let error = batches.next().unwrap().unwrap_err();
        let said = format!("could not use {} any more: the file is gone", pictures[5].source.display());
        assert_eq!(error.to_string(), said);
        assert!(error.hint().is_some());
        assert!(batches.next().is_none());
        assert_eq!(batches.remaining(), 0);
    }

    #[test]
    fn a_panic_in_a_thread_is_an_error_that_names_the_picture() {
        let odd = Picture { source: "odd.png".into(), label: 0, kept: Some(Arc::new(picture(50, 50, 0))) };
        let draws = vec![Draw { sample: 0, variant: None }];
        let mut batches = loader(2).batches(&[odd].into(), draws, 4);
        let said = batches.next().unwrap().unwrap_err().to_string();
        assert!(said.starts_with("a loader thread crashed on odd.png: "), "{said}");
    }

    #[test]
    fn dropping_half_used_batches_lets_go_of_the_pictures() {
        let root = tempfile::tempdir().unwrap();
        let pictures = training_pictures(root.path());
        let draws = (0..1_000).map(|i| Draw { sample: i % pictures.len(), variant: Some(i as u64) }).collect();
        let mut batches = loader(3).batches(&pictures, draws, 4);
        batches.next().unwrap().unwrap();
        drop(batches);
        assert_eq!(Arc::strong_count(&pictures), 1);
    }
}
