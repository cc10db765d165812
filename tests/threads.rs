//! `threads:` decides how many threads compute. A test of its own, because a process decides that once.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

use std::sync::atomic::AtomicBool;

use finetop::experiment::{self, Origin};
use finetop::record::event::Event;
use finetop::train::{self, Error, Job};

#[test]
fn arithmetic_uses_the_threads_that_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for (class, colour) in [("dark", 30), ("light", 220)] {
        for side in ["train", "val"] {
            let place = folder.path().join(side).join(class);
            std::fs::create_dir_all(&place).unwrap();
            for number in 0..6 {
                let picture = image::RgbImage::from_pixel(40, 40, image::Rgb([colour; 3]));
                picture.save(place.join(format!("{number}.png"))).unwrap();
            }
        }
    }
    let text = "
threads: 3
data: { train: train, val: val, image_size: 40, augment: { rotation: 5 } }
model: { backbone: squeezenet1_1, weights: random }
train: { batch_size: 1, phases: [ { name: head, epochs: 1, trainable: head } ] }
";
    let origin = Origin { shown: "a.yaml".into(), folder: folder.path().to_owned(), stem: "a".into() };
    let mut experiment = experiment::parse(text, &origin, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let (mut threads, mut loaders) = (None, None);
    let mut emit = |event| {
        match event {
            Event::RunStarted(started) => threads = Some(started.threads),
            // With most of the epoch still to come, they wait for room.
            Event::Step(_) => loaders = loaders.or(Some(threads_named("loader"))),
            _ => {}
        }
        Ok(())
    };
    let run = folder.path().join("run");
    std::fs::create_dir(&run).unwrap();
    train::run(&Job { experiment: &experiment, folder: &run, attempt: 1 }, &mut emit, &AtomicBool::new(false)).unwrap();
    assert_eq!(threads, Some(3));
    assert_eq!(loaders, Some(3), "as many pictures are prepared at once");

    experiment.threads = 2;
    let again = train::run(
        &Job { experiment: &experiment, folder: &run, attempt: 2 },
        &mut |_| Ok(()),
        &AtomicBool::new(false),
    );
    assert!(matches!(again, Err(Error::Threads { asked: 2, .. })));
}

fn threads_named(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks.filter(|task| std::fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim() == name)).count()
}
