//! Samples for people to look at: what augmentation makes of the training pictures, and what the network is most wrong
//! about. Small pictures of them go into the run's folder, so that they are there wherever the record is.
//!
//! They end no run: one that cannot be made or written is left out.

use std::collections::HashMap;
use std::path::Path;

use image::{ImageFormat, RgbImage};

use super::epoch::Validated;
use super::error::Error;
use super::feed::Preparation;
use super::trainer::Trainer;
use crate::base::durable;
use crate::data::{self, Draw, Loader, resize::resize};
use crate::experiment::Resize;
use crate::record::event::{Event, Level, Sample, SampleKind, Samples};

/// Where the pictures go, relative to the run's folder.
const FOLDER: &str = "samples";
/// How many training pictures are shown as they are augmented.
const AUGMENTED: usize = 24;
/// How many misclassified samples are shown.
const MISCLASSIFIED: usize = 64;
/// Height and width of a small picture, in pixels.
const SIZE: u32 = 96;
/// Letters of the longest text that is kept.
const LONGEST_TEXT: usize = 2000;

impl Trainer<'_, '_> {
    /// Shows training pictures in their first variants, some of all classes, where they are augmented at all.
    pub(super) fn say_augmented(&mut self) -> Result<(), Error> {
        if self.job.experiment.data.augment().is_none() || self.loader().is_none() {
            return Ok(());
        }
        let train = &self.setup.data.train;
        let shown = AUGMENTED.min(train.len());
        let places = (0..shown).map(|i| i * train.len() / shown);
        let items = places.map(|sample| (sample, self.sample(train, sample))).collect();
        self.say_samples(SampleKind::Augmented, "augmented", items, Some(0))
    }

    /// Shows the validation samples that are most surely taken for something else, surest first.
    pub(super) fn say_misclassified(&mut self, validated: &Validated) -> Result<(), Error> {
        let val = &self.setup.data.val;
        let is_wrong = |sample: &usize| validated.scored[*sample].predicted != val.label(*sample) as usize;
        let wrong = (0..validated.scored.len()).filter(is_wrong).map(|sample| {
            let scored = validated.scored[sample];
            Wrong { sample, label: val.label(sample), predicted: scored.predicted, probability: scored.probability }
        });
        let item = |wrong: Wrong| {
            let predicted = self.setup.data.classes.get(wrong.predicted).cloned();
            let sample = Sample { predicted, probability: Some(wrong.probability), ..self.sample(val, wrong.sample) };
            (wrong.sample, sample)
        };
        let items = worst(wrong.collect(), MISCLASSIFIED).into_iter().map(item).collect();
        self.say_samples(SampleKind::Misclassified, &format!("misclassified-{}", self.progress.phase), items, None)
    }

    /// What is known of a sample without the network.
    fn sample(&self, side: &data::Samples, sample: usize) -> Sample {
        let text = side.text(sample).map(|text| text.chars().take(LONGEST_TEXT).collect());
        let label = self.setup.data.classes.get(side.label(sample) as usize).cloned().unwrap_or_default();
        Sample { source: side.source(sample), label, predicted: None, probability: None, image: None, text }
    }

    fn say_samples(
        &mut self,
        kind: SampleKind,
        name: &str,
        items: Vec<(usize, Sample)>,
        variant: Option<u64>,
    ) -> Result<(), Error> {
        let mut unwritten = None;
        let with_picture = |(place, (number, sample)): (usize, (usize, Sample))| {
            let file = Path::new(FOLDER).join(format!("{name}-{place:02}.png"));
            let image = match self.picture(kind, Draw { sample: number, variant }) {
                Some(picture) => match write(&self.job.folder.join(&file), &picture) {
                    Ok(()) => Some(file),
                    Err(error) => {
                        unwritten.get_or_insert(error);
                        None
                    }
                },
                None => None,
            };
            Sample { image, ..sample }
        };
        let items = items.into_iter().enumerate().map(with_picture).collect();
        if let Some(error) = unwritten {
            self.out.log(Level::Warning, format!("pictures of samples are not kept: {error}"))?;
        }
        Ok(self.out.event(Event::Samples(Samples { epoch: self.progress.epoch, kind, items }))?)
    }

    fn loader(&self) -> Option<&Loader> {
        match &self.setup.preparation {
            Preparation::Pictures(loader) => Some(loader),
            Preparation::Texts { .. } => None,
        }
    }

    /// The picture as the network sees it, but small.
    fn picture(&self, kind: SampleKind, draw: Draw) -> Option<RgbImage> {
        let side = match kind {
            SampleKind::Augmented => &self.setup.data.train,
            SampleKind::Misclassified => &self.setup.data.val,
        };
        let data::Samples::Pictures(pictures) = side else { return None };
        let picture = self.loader()?.picture(&pictures[draw.sample], draw).ok()?;
        let size = SIZE.min(picture.width());
        Some(resize(picture, size, Resize::Bilinear))
    }
}

/// A sample that is taken for something else.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Wrong {
    sample: usize,
    label: u32,
    predicted: usize,
    /// Of what it is taken for.
    probability: f64,
}

/// `most` of them, surest first: one of each mistake (what is taken for what) before a second of any.
fn worst(mut wrong: Vec<Wrong>, most: usize) -> Vec<Wrong> {
    let surest_first = |a: &Wrong, b: &Wrong| b.probability.total_cmp(&a.probability);
    wrong.sort_by(surest_first);
    let mut seen: HashMap<(u32, usize), usize> = HashMap::new();
    let mut ranked: Vec<(usize, Wrong)> = wrong
        .into_iter()
        .map(|wrong| {
            let rank = seen.entry((wrong.label, wrong.predicted)).or_default();
            *rank += 1;
            (*rank, wrong)
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut chosen: Vec<Wrong> = ranked.into_iter().take(most).map(|(_, wrong)| wrong).collect();
    chosen.sort_by(surest_first);
    chosen
}

fn write(path: &Path, picture: &RgbImage) -> Result<(), durable::Error> {
    let mut file = std::io::Cursor::new(Vec::new());
    // Into memory, and of a size that PNG knows: it cannot fail.
    let _ = picture.write_to(&mut file, ImageFormat::Png);
    if let Some(folder) = path.parent() {
        durable::ensure_dir(folder)?;
    }
    durable::write_cache(path, &file.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_are_of_all_kinds_and_the_surest_of_each() {
        let wrong = |sample, label, predicted, probability| Wrong { sample, label, predicted, probability };
        let all = vec![
            wrong(0, 0, 1, 0.9),
            wrong(1, 0, 1, 0.99),
            wrong(2, 0, 1, 0.95),
            wrong(3, 1, 0, 0.4),
            wrong(4, 2, 0, 0.5),
            wrong(5, 2, 0, f64::NAN),
        ];
        let chosen = |most| worst(all.clone(), most).iter().map(|wrong| wrong.sample).collect::<Vec<_>>();
        assert_eq!(chosen(10).len(), 6);
        assert_eq!(chosen(3).len(), 3);
        assert!(chosen(3).contains(&1) && chosen(3).contains(&3), "one of each mistake: {:?}", chosen(3));
        assert!(chosen(0).is_empty());
        let sure: Vec<Wrong> = all.iter().copied().filter(|wrong| !wrong.probability.is_nan()).collect();
        assert_eq!(worst(sure, 4).iter().map(|wrong| wrong.sample).collect::<Vec<_>>(), [1, 2, 4, 3]);
    }

    #[test]
    fn a_small_picture_is_written_with_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FOLDER).join("a.png");
        let picture = RgbImage::from_fn(5, 4, |x, y| image::Rgb([x as u8 * 50, y as u8 * 60, 7]));
        write(&path, &picture).unwrap();
        assert_eq!(image::open(&path).unwrap().into_rgb8(), picture);
    }
}
