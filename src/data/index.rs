//! Finding all pictures of an experiment and decoding each once, so that what cannot be used is known before training.

use std::path::PathBuf;
use std::sync::Arc;

use image::RgbImage;

use super::decode::{self, Defect};
use super::error::Error;
use super::image_folder::ImageFolder;
use super::prefetch::{Panicked, Prefetch};
use super::resize::resize;
use super::split::held_out;
use super::{Dataset, Picture, SkippedFile, threads};
use crate::experiment::Data;

/// Bytes of decoded pictures that are kept in memory.
const KEPT_BYTES: u64 = 1 << 30;

impl Dataset {
    /// Lists the folders of `spec` and decodes every picture once, on loader threads. `progress` hears of every picture:
    /// how many are done, of how many.
    pub fn index(spec: &Data, seed: u64, progress: &mut dyn FnMut(u64, u64)) -> Result<Dataset, Error> {
        let train = ImageFolder::list(&spec.train)?;
        let val = spec.val.as_deref().map(ImageFolder::list).transpose()?;
        if let Some(val) = &val {
            train.check_same_classes(val)?;
            val.check()?;
        }
        train.check()?;
        let classes: Vec<String> = train.classes.iter().map(|class| class.name.clone()).collect();
        let folders: Vec<&ImageFolder> = [Some(&train), val.as_ref()].into_iter().flatten().collect();
        let mut decoded = Decoded::start(&folders, spec);
        let total = decoded.files.len() as u64;
        let mut skipped = Vec::new();
        let mut sides = Vec::new();
        for folder in folders {
            sides.push(usable(folder, &mut decoded, &mut skipped, &mut |done| progress(done, total))?);
        }
        let (train, val) = match (sides.pop(), sides.pop(), spec.val_split) {
            (Some(val), Some(train), _) => (train.concat(), val.concat()),
            (Some(train), None, Some(share)) => split(train, share, seed, &classes)?,
            _ => return Err(Error::NoValidation),
        };
        Ok(Dataset { classes, train: train.into(), val: val.into(), skipped })
    }
}

/// Every file in turn, decoded on threads.
struct Decoded {
    files: Arc<[PathBuf]>,
    done: u64,
    results: Prefetch<Result<Option<RgbImage>, Defect>>,
}

impl Decoded {
    fn start(folders: &[&ImageFolder], spec: &Data) -> Self {
        let files = folders.iter().flat_map(|folder| &folder.classes).flat_map(|class| class.files.iter().cloned());
        let files: Arc<[PathBuf]> = files.collect();
        let (size, how) = (spec.image_size, spec.resize);
        let kept = (KEPT_BYTES / (3 * u64::from(size).pow(2)).max(1)) as usize;
        let work = {
            let files = Arc::clone(&files);
            move |i: usize| {
                let image = decode::open(&files[i])?;
                Ok((i < kept).then(|| resize(image, size, how)))
            }
        };
        let threads = threads(spec.loader_threads);
        let results = Prefetch::start(files.len(), threads, 16 * threads, work);
        Decoded { files, done: 0, results }
    }

    fn next(&mut self) -> Option<Result<Option<RgbImage>, Defect>> {
        let result = self.results.next()?;
        self.done += 1;
        Some(result.unwrap_or_else(|Panicked(message)| Err(Defect::DecoderCrash(message))))
    }
}

/// The usable pictures of `folder` by class; what is not usable goes to `skipped`.
fn usable(
    folder: &ImageFolder,
    decoded: &mut Decoded,
    skipped: &mut Vec<SkippedFile>,
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<Vec<Picture>>, Error> {
    let mut classes = Vec::with_capacity(folder.classes.len());
    for (label, class) in folder.classes.iter().enumerate() {
        let mut pictures = Vec::with_capacity(class.files.len());
        let skipped_before = skipped.len();
        for source in &class.files {
            let source = source.clone();
            match decoded.next() {
                Some(Ok(image)) => {
                    pictures.push(Picture { source, label: label as u32, kept: image.map(Arc::new) });
                }
                Some(Err(defect)) => skipped.push(SkippedFile { source, reason: defect.to_string() }),
                None => break,
            }
            progress(decoded.done);
        }
        if let ([], [first, ..]) = (&*pictures, &skipped[skipped_before..]) {
            return Err(Error::ClassLost {
                class: class.name.clone(),
                folder: folder.path.clone(),
                lost: class.files.len(),
                first: first.clone(),
            });
        }
        classes.push(pictures);
    }
    Ok(classes)
}

/// Holds out a share of each class: (train, val).
fn split(
    sides: Vec<Vec<Picture>>,
    share: f64,
    seed: u64,
    classes: &[String],
) -> Result<(Vec<Picture>, Vec<Picture>), Error> {
    let (mut train, mut val) = (Vec::new(), Vec::new());
    for (class, (pictures, name)) in sides.into_iter().zip(classes).enumerate() {
        let held_out =
            held_out(pictures.len(), share, seed, class).ok_or_else(|| Error::TooFewToSplit { class: name.clone() })?;
        for (picture, held_out) in pictures.into_iter().zip(held_out) {
            if held_out { val.push(picture) } else { train.push(picture) }
        }
    }
    Ok((train, val))
}
