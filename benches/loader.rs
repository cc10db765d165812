//! How long indexing and one augmented epoch of small pictures take: 500 PNG of 64x64 with transparency, at 128x128.
//!
//! `cargo bench --bench loader [THREADS]`

#![allow(clippy::disallowed_methods)] // no file of a store is written here

use std::path::Path;
use std::time::Instant;

use finetop::data::{Dataset, Draw, Loader, Recipe, Samples};
use finetop::experiment::{Augment, Data, Inputs, Pictures, Preprocessing, Resize};
use image::{Rgba, RgbaImage};

/// As the binary's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PICTURES: u32 = 500;
const ROUNDS: usize = 7;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let threads = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(0);
    let folder = std::env::temp_dir().join(format!("finetop-loader-bench-{}", std::process::id()));
    write_pictures(&folder)?;
    let result = measure(&folder, threads);
    std::fs::remove_dir_all(&folder)?;
    result
}

fn measure(folder: &Path, threads: usize) -> Result<(), Box<dyn std::error::Error>> {
    let augment = Augment {
        rotation: 20.0,
        zoom: 0.2,
        width_shift: 0.1,
        height_shift: 0.1,
        horizontal_flip: true,
        ..Augment::NONE
    };
    let pictures = Pictures { image_size: 128, resize: Resize::Bilinear, augment };
    let spec = Data {
        train: folder.to_owned(),
        val: None,
        val_split: Some(0.01),
        inputs: Inputs::Pictures(pictures),
        loader_threads: threads,
    };
    let dataset = best("index", || Dataset::index(&spec, None, 1, &mut |_, _| true))?;
    let loader = Loader::new(Recipe::new(&pictures, Preprocessing::Caffe, 1), threads);
    let Samples::Pictures(train) = &dataset.train else { return Err("they are pictures".into()) };
    for (name, variant) in [("augment and preprocess", Some(0)), ("preprocess", None)] {
        let draws: Vec<Draw> = (0..train.len()).map(|sample| Draw { sample, variant }).collect();
        best(name, || loader.batches(train, draws.clone(), 32).collect::<Result<Vec<_>, _>>().map(|b| b.len()))?;
    }
    Ok(())
}

/// Prints the shortest and the median time of some rounds.
fn best<T, E>(name: &str, mut work: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let mut times = Vec::new();
    loop {
        let start = Instant::now();
        let result = work()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        if times.len() == ROUNDS {
            times.sort_by(f64::total_cmp);
            println!("{name}: best {:.1} ms, median {:.1} ms", times[0], times[ROUNDS / 2]);
            return Ok(result);
        }
    }
}

fn write_pictures(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    for class in ["a", "b"] {
        std::fs::create_dir_all(folder.join(class))?;
    }
    for n in 0..PICTURES {
        let picture = RgbaImage::from_fn(64, 64, |x, y| {
            let inside = x.abs_diff(32).pow(2) + y.abs_diff(32).pow(2) < 900;
            let shade = (x * 3 + y * 5 + n * 7 + x * y / 9) as u8;
            Rgba([shade, shade.wrapping_mul(3), 255 - shade, if inside { 255 } else { 0 }])
        });
        picture.save(folder.join(["a", "b"][n as usize % 2]).join(format!("{n:04}.png")))?;
    }
    Ok(())
}
