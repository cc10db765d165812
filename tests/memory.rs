//! The memory that was estimated for a run, against what a real worker took at its peak.

#![allow(clippy::disallowed_methods)] // files of a test are not files of a store

use std::path::Path;
use std::process::{Command, Stdio};

use finetop::experiment::{self, Origin};
use finetop::train::memory::needed;

fn pictures(folder: &Path) {
    for (side, count) in [("train", 16), ("val", 4)] {
        for (class, colour) in [("dark", 30), ("light", 220)] {
            let place = folder.join(side).join(class);
            std::fs::create_dir_all(&place).unwrap();
            for number in 0..count {
                let picture = image::RgbImage::from_pixel(96, 96, image::Rgb([colour; 3]));
                picture.save(place.join(format!("{number}.png"))).unwrap();
            }
        }
    }
}

/// Trains the run at `folder` with a worker of its own; the most bytes that were in memory.
fn peak(folder: &Path) -> u64 {
    let mut worker =
        Command::new(env!("CARGO_BIN_EXE_finetop")).arg("worker").arg(folder).stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", worker.id());
    let mut peak = 0;
    // Looked at until it is over: the kernel keeps the peak, but not of the dead.
    let ended = loop {
        if let Some(ended) = worker.try_wait().unwrap() {
            break ended;
        }
        peak = std::fs::read_to_string(&status).ok().and_then(|text| high_water(&text)).unwrap_or(0).max(peak);
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    assert!(ended.success(), "{}", std::fs::read_to_string(folder.join("events.jsonl")).unwrap_or_default());
    peak
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[test]
fn a_worker_takes_about_as_much_as_was_estimated() {
    let root = tempfile::tempdir().unwrap();
    pictures(root.path());
    for (number, (name, backbone, batch, trainable)) in
        [("all", "squeezenet1_1", 16, "all"), ("head", "resnet18", 16, "head")].into_iter().enumerate()
    {
        let text = format!(
            "threads: 2
data: {{ train: {train}, val: {val}, image_size: 96 }}
model: {{ backbone: {backbone}, weights: random }}
train: {{ batch_size: {batch}, phases: [ {{ epochs: 1, trainable: {trainable} }} ] }}
",
            train = root.path().join("train").display(),
            val = root.path().join("val").display(),
        );
        let origin = Origin { shown: "a.yaml".into(), folder: root.path().to_owned(), stem: "a".into() };
        let experiment = experiment::parse(&text, &origin, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let folder = root.path().join(format!("{number:04}-{name}"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("resolved.yaml"), experiment.to_yaml()).unwrap();
        let (estimated, taken) = (needed(&experiment), peak(&folder));
        let ratio = estimated as f64 / taken as f64;
        assert!((0.9..1.7).contains(&ratio), "{name}: {} MiB estimated, {} taken", estimated >> 20, taken >> 20);
    }
}
