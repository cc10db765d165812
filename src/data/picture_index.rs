//! Finding all pictures of an experiment and decoding each once, so that what cannot be used is known before training.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::RgbImage;

use super::class_folders::{ClassFolders, Kind};
use super::decode::{self, Defect};
use super::error::Error;
use super::prefetch::{Panicked, Prefetch};
use super::resize::resize;
use super::samples::{Indexed, Picture, Skipped};
use super::split::stratified;
use super::threads;
use crate::experiment::{Data, Pictures};

/// Bytes of decoded pictures that are kept in memory.
const KEPT_BYTES: u64 = 1 << 30;

/// Lists the folders of `spec` and decodes every picture once, on loader threads. `progress` hears of every picture: how
/// many are done, of how many; it answers whether to go on.
pub(super) fn index(
    spec: &Data,
    pictures: Pictures,
    seed: u64,
    progress: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Indexed<Picture>, Error> {
    let list = |path: &Path| ClassFolders::of(Kind::Pictures, path);
    let train = list(&spec.train)?;
    let val = spec.val.as_deref().map(list).transpose()?;
    if let Some(val) = &val {
        train.check_same_classes(val)?;
        val.check()?;
    }
    train.check()?;
    let classes: Vec<String> = train.classes.iter().map(|class| class.name.clone()).collect();
    let folders: Vec<&ClassFolders> = [Some(&train), val.as_ref()].into_iter().flatten().collect();
    let mut decoded = Decoded::start(&folders, pictures, spec.loader_threads);
    let total = decoded.files.len() as u64;
    let mut skipped = Vec::new();
    let mut sides = Vec::new();
    for folder in folders {
        sides.push(usable(folder, &mut decoded, &mut skipped, &mut |done| progress(done, total))?);
    }
    let (train, val) = match (sides.pop(), sides.pop(), spec.val_split) {
        (Some(val), Some(train), _) => (train.concat(), val.concat()),
        (Some(train), None, Some(share)) => stratified(train, share, seed, &classes)?,
        _ => return Err(Error::NoValidation),
    };
    Ok(Indexed { classes, train, val, skipped })
}

/// Every file in turn, decoded on threads.
struct Decoded {
    files: Arc<[PathBuf]>,
    done: u64,
    results: Prefetch<Result<Option<RgbImage>, Defect>>,
}

impl Decoded {
    fn start(folders: &[&ClassFolders], spec: Pictures, loader_threads: usize) -> Self {
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
        let threads = threads(loader_threads);
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
    folder: &ClassFolders,
    decoded: &mut Decoded,
    skipped: &mut Vec<Skipped>,
    progress: &mut dyn FnMut(u64) -> bool,
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
                Some(Err(defect)) => {
                    skipped.push(Skipped { source: source.display().to_string(), reason: defect.to_string() })
                }
                None => break,
            }
            if !progress(decoded.done) {
                return Err(Error::Stopped);
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixtures::{PICTURES, encoded, picture, spec, spec_with_val, write, write_classes};
    use image::ImageFormat;

    fn index(spec: &Data) -> Result<Indexed<Picture>, Error> {
        super::index(spec, PICTURES, 1, &mut |_, _| true)
    }

    fn names(pictures: &[Picture]) -> Vec<String> {
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        pictures.iter().map(|picture| format!("{} {}", picture.label, name(&picture.source))).collect()
    }

    #[test]
    fn both_folders_are_read_with_one_numbering_and_progress() {
        let root = tempfile::tempdir().unwrap();
        write_classes(&root.path().join("train"), &[("b", 2), ("a", 3)]);
        write_classes(&root.path().join("val"), &[("a", 1), ("b", 1)]);
        let mut heard = Vec::new();
        let dataset = super::index(&spec_with_val(root.path()), PICTURES, 1, &mut |done, total| {
            heard.push((done, total));
            true
        })
        .unwrap();
        assert_eq!(dataset.classes, ["a", "b"]);
        assert_eq!(names(&dataset.train), ["0 00.png", "0 01.png", "0 02.png", "1 00.png", "1 01.png"]);
        assert_eq!(names(&dataset.val), ["0 00.png", "1 00.png"]);
        assert_eq!(heard, (1..=7).map(|done| (done, 7)).collect::<Vec<_>>());
        assert!(dataset.skipped.is_empty());
    }

    #[test]
    fn what_cannot_be_used_is_skipped_and_the_rest_goes_on() {
        let root = tempfile::tempdir().unwrap();
        let train = root.path().join("train");
        write_classes(&train, &[("a", 4), ("b", 4)]);
        let jpeg = encoded(&picture(40, 40, 1), ImageFormat::Jpeg);
        write(train.join("a/10_empty.png"), b"");
        write(train.join("a/11_text.png"), b"dear diary");
        write(train.join("a/12_cut.jpg"), &jpeg[..jpeg.len() / 2]);
        write(train.join("b/10_a_jpeg.png"), &jpeg);
        std::os::unix::fs::symlink("nowhere", train.join("b/11_dangling.png")).unwrap();
        let dataset = index(&spec(root.path())).unwrap();
        let prefix = format!("{}/", train.display());
        let skipped: Vec<_> = dataset
            .skipped
            .iter()
            .map(|skipped| (skipped.source.strip_prefix(&prefix).unwrap(), &*skipped.reason))
            .collect();
        assert_eq!(
            skipped,
            [
                ("a/10_empty.png", "the file is empty"),
                ("a/11_text.png", "not a PNG, JPEG, WebP, BMP or GIF picture, by its first bytes"),
                ("a/12_cut.jpg", "truncated: the file ends before the picture does"),
                ("b/11_dangling.png", "the file is gone"),
            ]
        );
        assert_eq!(dataset.train.len() + dataset.val.len(), 9);
        let all = [names(&dataset.train), names(&dataset.val)].concat();
        assert!(all.contains(&"1 10_a_jpeg.png".to_owned()), "the content counts, not the extension");
    }

    #[test]
    fn a_class_that_loses_all_its_pictures_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        write_classes(&root.path().join("train"), &[("a", 2), ("b", 2)]);
        write_classes(&root.path().join("val"), &[("a", 1)]);
        write(root.path().join("val/b/1.png"), b"");
        write(root.path().join("val/b/2.png"), b"text");
        let error = index(&spec_with_val(root.path())).unwrap_err();
        let said = error.to_string().replace(&*root.path().to_string_lossy(), "DIR");
        assert_eq!(
            said,
            "the class `b` has no usable sample left in DIR/val: all 2 were skipped, the first being DIR/val/b/1.png \
             (the file is empty)"
        );
    }

    #[test]
    fn classes_must_be_the_same_on_both_sides() {
        let root = tempfile::tempdir().unwrap();
        write_classes(&root.path().join("train"), &[("a", 1), ("b", 1)]);
        write_classes(&root.path().join("val"), &[("a", 1)]);
        let said = index(&spec_with_val(root.path())).unwrap_err().to_string();
        assert!(said.starts_with("the class `b` is in "), "{said}");
        std::fs::create_dir(root.path().join("val/b")).unwrap();
        let said = index(&spec_with_val(root.path())).unwrap_err().to_string();
        assert!(said.starts_with("the class `b` is empty"), "{said}");
    }

    #[test]
    fn a_split_is_stratified_by_seed_and_keeps_one_on_each_side() {
        let root = tempfile::tempdir().unwrap();
        write_classes(&root.path().join("train"), &[("few", 2), ("many", 12)]);
        let spec = spec(root.path());
        let (one, two) = (index(&spec).unwrap(), index(&spec).unwrap());
        let other = super::index(&spec, PICTURES, 2, &mut |_, _| true).unwrap();
        let count = |side: &[Picture], label| side.iter().filter(|picture| picture.label == label).count();
        for dataset in [&one, &other] {
            assert_eq!([count(&dataset.train, 0), count(&dataset.val, 0)], [1, 1]);
            assert_eq!([count(&dataset.train, 1), count(&dataset.val, 1)], [9, 3]);
        }
        assert_eq!(names(&one.val), names(&two.val));
        assert_ne!(names(&one.val), names(&other.val));
        write(root.path().join("train/lonely/1.png"), &encoded(&picture(9, 9, 1), ImageFormat::Png));
        let said = index(&spec).unwrap_err().to_string();
        assert_eq!(said, "the class `lonely` has only one usable sample, too few for `val_split` to hold one out");
    }
}
