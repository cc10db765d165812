//! `finetop predict RUN FILE…`: what a trained model makes of pictures or of lines of text.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::failure::Failure;
use super::output::{self, line};
use super::select;
use crate::experiment::Task;
use crate::train::{self, Prediction, Predictor, Unusable};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run, by number, name or prefix of its folder; or the folder of a model, from anywhere.
    #[arg(value_name = "RUN|FOLDER")]
    model: String,
    /// Pictures; or for a model of texts, files with a text on each line. `-` reads lines from standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Show the likeliest classes, up to this many.
    #[arg(long, default_value_t = 1, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
    /// Print a JSON array.
    #[arg(long)]
    json: bool,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let folder = model_folder(&args.model, store)?;
    let predictor = Predictor::open(&folder).map_err(failed)?;
    let results = match predictor.task() {
        Task::ImageClassification => predictor.pictures(&args.files).map_err(failed)?,
        Task::TextClassification => predictor.texts(&lines(&args.files)?).map_err(failed)?,
    };
    let (predictions, unusable) = parted(results);
    if args.json {
        output::json(&json(&predictions, args.top as usize));
    } else {
        predictions.iter().for_each(|prediction| print(prediction, args.top as usize));
    }
    unusable.iter().for_each(|one| output::warning(&format!("{}: {}", one.source, one.reason)));
    Ok(if unusable.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The `model/` of a run, or a folder that is one or has one.
fn model_folder(named: &str, store: &Path) -> Result<PathBuf, Failure> {
    let path = Path::new(named);
    let is_model = |folder: &Path| folder.join("labels.json").is_file();
    let candidates = [path.to_owned(), path.join("model")];
    if let Some(folder) = candidates.into_iter().find(|folder| is_model(folder)) {
        return Ok(folder);
    }
    let run = select::run(store, named)?;
    run.refuse_links().map_err(|error| Failure::failed(error.to_string()).maybe_hint(error.hint()))?;
    let folder = run.model();
    if is_model(&folder) {
        return Ok(folder);
    }
    Err(Failure::failed(format!("run {named} has no model yet")).hint("a model is saved when a run has finished"))
}

/// Every line that is not empty, with its place.
fn lines(files: &[PathBuf]) -> Result<Vec<(String, String)>, Failure> {
    let mut all = Vec::new();
    for file in files {
        let shown = if is_stdin(file) { "<stdin>".to_owned() } else { file.display().to_string() };
        let text = read(file).map_err(|e| {
            Failure::usage(format!("could not read {shown}: {e}"))
                .hint("this model takes texts: name files with one on each line")
        })?;
        let numbered = (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty());
        all.extend(numbered.map(|(number, text): (usize, &str)| (format!("{shown}:{number}"), text.to_owned())));
    }
    Ok(all)
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

fn read(file: &Path) -> std::io::Result<String> {
    if !is_stdin(file) {
        return std::fs::read_to_string(file);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

fn parted(results: Vec<Result<Prediction, Unusable>>) -> (Vec<Prediction>, Vec<Unusable>) {
    let (mut predictions, mut unusable) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(prediction) => predictions.push(prediction),
            Err(one) => unusable.push(one),
        }
    }
    (predictions, unusable)
}

fn print(prediction: &Prediction, top: usize) {
    let words = |(name, probability): &(String, f64)| format!("{name} {}", share(*probability));
    let best: Vec<String> = prediction.classes.iter().take(top).map(words).collect();
    line(&format!("{}  {}", prediction.source, best.join("  ")));
}

/// `.987`, and 1 as `1.000`.
fn share(probability: f64) -> String {
    let text = format!("{probability:.3}");
    text.strip_prefix('0').map_or(text.clone(), str::to_owned)
}

fn json(predictions: &[Prediction], top: usize) -> serde_json::Value {
    let one = |prediction: &Prediction| {
        let classes = prediction.classes.iter().take(top);
        let classes: Vec<_> =
            classes.map(|(label, p)| serde_json::json!({ "label": label, "probability": p })).collect();
        let best = prediction.classes.first();
        serde_json::json!({
            "source": prediction.source,
            "label": best.map(|(label, _)| label),
            "probability": best.map(|(_, probability)| probability),
            "top": classes,
        })
    };
    predictions.iter().map(one).collect()
}

fn failed(error: train::Error) -> Failure {
    Failure::failed(error.to_string()).maybe_hint(error.hint())
}
