//! Whole runs in this process on small generated pictures and texts, in one attempt or in several.

#![allow(dead_code)] // each test file uses a part of it

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{Device, Tensor};
use finetop::base::durable;
use finetop::base::random::{Purpose, Stream};
use finetop::experiment::{self, Experiment, Origin};
use finetop::record::event::Event;
use finetop::train::{self, End, Error, Job};

/// A folder with pictures of three colours (and noise), as class folders.
pub fn pictures(seed: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (side, count) in [("train", 11), ("val", 5)] {
        for (class, colour) in [("blue", [40, 60, 200]), ("green", [50, 190, 60]), ("red", [210, 50, 40])] {
            let place = folder.path().join(side).join(class);
            std::fs::create_dir_all(&place).unwrap();
            for number in 0..count {
                let index = number + 100 * u64::from(side == "val") + 1000 * colour[0] as u64;
                let mut noise = Stream::new(seed, Purpose::Augment, 0, index);
                let picture = image::RgbImage::from_fn(40, 36, |_, _| {
                    image::Rgb(colour.map(|c: i32| (c + noise.range(-60.0, 60.0) as i32).clamp(0, 255) as u8))
                });
                picture.save(place.join(format!("{number:02}.png"))).unwrap();
            }
        }
    }
    folder
}

/// A table of texts that tell two classes apart by their words, a vocabulary, and the size of a small encoder.
pub fn texts() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut draw = Stream::new(3, Purpose::Augment, 0, 0);
    let mut table = String::from("text,label\n");
    for number in 0..80 {
        let (class, words) = if number % 2 == 0 {
            ("food", ["apple", "bread", "rice"])
        } else {
            ("transport", ["train", "ship", "bus"])
        };
        let count = 1 + draw.range(0.0, 6.0) as usize;
        let text: Vec<&str> =
            (0..count).map(|_| if draw.range(0.0, 1.0) < 0.5 { words[number % 3] } else { "the" }).collect();
        table.push_str(&format!("\"{}\",{class}\n", [&text[..], &[words[(number + 1) % 3]]].concat().join(" ")));
    }
    std::fs::write(folder.path().join("train.csv"), table).unwrap();
    let words = "[PAD] [UNK] [CLS] [SEP] the apple bread rice train ship bus";
    std::fs::write(folder.path().join("vocab.txt"), words.replace(' ', "\n")).unwrap();
    let config = r#"{ "model_type": "bert", "vocab_size": 11, "hidden_size": 16, "num_hidden_layers": 3,
        "num_attention_heads": 2, "intermediate_size": 24, "max_position_embeddings": 10 }"#;
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    folder
}

pub fn parse(text: &str, folder: &Path) -> Experiment {
    let origin = Origin { shown: "tiny.yaml".into(), folder: folder.to_owned(), stem: "tiny".into() };
    experiment::parse(text, &origin, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Trains in `run` until `is_enough`, which sees every event and may ask to stop.
pub fn train_until(
    experiment: &Experiment,
    run: &Path,
    mut is_enough: impl FnMut(&Event) -> bool,
) -> (Result<End, Error>, Vec<Event>) {
    let stop = AtomicBool::new(false);
    let mut events = Vec::new();
    let mut emit = |event: Event| {
        if is_enough(&event) {
            stop.store(true, Ordering::Relaxed);
        }
        events.push(event);
        Ok(())
    };
    let result = train::run(&Job { experiment, folder: run, attempt: 1 }, &mut emit, &stop);
    (result, events)
}

pub fn train_whole(experiment: &Experiment, run: &Path) -> Vec<Event> {
    let (result, events) = train_until(experiment, run, |_| false);
    result.unwrap();
    events
}

/// What must be equal whatever the clock says: every epoch's figures and counters.
pub fn figures(events: &[Event]) -> Vec<String> {
    let epochs = events.iter().filter_map(|event| match event {
        Event::Epoch(epoch) => {
            Some(finetop::record::event::Epoch { seconds: 0.0, samples_per_s: 0.0, ..epoch.clone() })
        }
        _ => None,
    });
    epochs.map(|epoch| format!("{epoch:?}")).collect()
}

pub fn model(run: &Path) -> Vec<u8> {
    std::fs::read(run.join("model/model.safetensors")).unwrap()
}

pub fn tensors(bytes: &[u8]) -> HashMap<String, Tensor> {
    candle_core::safetensors::load_buffer(bytes, &Device::Cpu).unwrap()
}

pub fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// How an attempt ends before its time.
#[derive(Debug, Clone, Copy)]
pub enum Ending {
    /// Asked to stop at the event with this number.
    Stop(usize),
    /// Gone at the event with this number, as a killed process is.
    Gone(usize),
}

/// Trains in attempts that each end as `endings` say, and then to the end. Gives the figures that a reader would keep.
pub fn in_attempts(experiment: &Experiment, run: &Path, endings: &[Ending]) -> (Vec<String>, Vec<Option<(u32, u64)>>) {
    let (mut kept, mut resumed) = (Vec::new(), Vec::new());
    for ending in endings.iter().copied().map(Some).chain([None]) {
        let stop = AtomicBool::new(false);
        let mut events = Vec::new();
        let mut emit = |event: Event| {
            events.push(event);
            match ending {
                Some(Ending::Stop(at)) if events.len() > at => stop.store(true, Ordering::Relaxed),
                Some(Ending::Gone(at)) if events.len() > at => return Err(nowhere()),
                _ => {}
            }
            Ok(())
        };
        let result = train::run(&Job { experiment, folder: run, attempt: 1 }, &mut emit, &stop);
        // How many events there are depends on the clock too: a quick machine may be through before its attempt ends.
        let is_over = matches!(result, Ok(End::Finished(_)));
        match ending {
            _ if is_over => {}
            Some(Ending::Stop(_)) => assert_eq!(result.unwrap(), End::Stopped),
            Some(Ending::Gone(_)) => assert!(matches!(result, Err(Error::Write(_)))),
            None => panic!("{result:?} after the last attempt"),
        }
        let from = events.iter().find_map(|event| match event {
            Event::RunStarted(started) => Some(started.resumed_from.map(|from| (from.epoch, from.step))),
            _ => None,
        });
        resumed.push(from.flatten());
        kept.truncate(from.flatten().map_or(0, |(epoch, _)| epoch as usize));
        kept.extend(figures(&events));
        if is_over {
            break;
        }
    }
    (kept, resumed)
}

/// An error as of a file that cannot be written.
pub fn nowhere() -> durable::Error {
    durable::write(Path::new("/nowhere/at/all"), b"").unwrap_err()
}
