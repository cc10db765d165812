//! What suits the data, and why.

use std::path::Path;

use super::{Args, Sides};
use crate::base::text::{bytes, grouped};
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::data::Kind;
use crate::experiment::{self, Backbone, Home, KnownWeights, Task};
use crate::runner;
use crate::train;

/// What was decided.
pub struct Plan {
    pub backbone: Backbone,
    pub weights: String,
    pub tokenizer: Option<String>,
    /// Pixels of a picture's side, or tokens of a text.
    pub size: usize,
    pub batch: usize,
    /// Of the head alone, and of the finer tuning.
    pub epochs: [u32; 2],
    pub patience: u32,
    pub is_balanced: bool,
    /// What was decided, and why.
    pub reasons: Vec<(&'static str, String)>,
}

/// So many times larger than the smallest may the largest class be.
const BALANCED: f64 = 3.0;

impl Plan {
    /// For what was found, with what `args` ask for.
    pub fn new(sides: &Sides, args: &Args) -> Result<Plan, Failure> {
        let (survey, samples) = (&sides.survey, sides.survey.samples());
        let mut reasons = Vec::new();
        let mut because = |what: &'static str, why: String| reasons.push((what, why));
        let what = format!("{} {} of {} classes", grouped(samples), survey.kind, survey.classes.len());
        because("task", format!("{}, {what} in {}", task_name(survey.kind), sides.train.display()));
        because(
            "validation",
            match &sides.val {
                Some(val) => val.display().to_string(),
                None => "a fifth of each class is held out, as there is no `val` beside".into(),
            },
        );
        if let Some([text, label]) = &sides.columns {
            because("columns", format!("the text is `{text}`, the class is `{label}`"));
        }
        let (backbone, why) = backbone(survey.kind, samples, args)?;
        because("backbone", format!("{}, {why}", backbone.name()));
        let weights = weights(backbone, args)?;
        because("weights", home(backbone, &weights));
        let size = size(survey.kind, survey.size);
        because(
            "size",
            match survey.kind {
                Kind::Pictures => {
                    format!("{size} pixels a side; half of the pictures have {} or less", shown(survey.size))
                }
                Kind::Texts => format!("{size} tokens; nearly all texts have {} bytes or less", shown(survey.size)),
            },
        );
        let epochs = epochs(samples);
        let patience = (epochs[0] / 4).max(3);
        because("epochs", format!("{} of the head, {} of the finer tuning; patience {patience}", epochs[0], epochs[1]));
        let is_balanced = survey.imbalance() >= BALANCED;
        if is_balanced {
            let times = survey.imbalance();
            because("class_weight", format!("balanced, as the largest class is {times:.1} times the smallest"));
        }
        let tokenizer = args.tokenizer.as_deref().map(absolute).transpose()?;
        let batch = batch(samples);
        Ok(Plan { backbone, weights, tokenizer, size, batch, epochs, patience, is_balanced, reasons })
    }
}

fn task_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Pictures => "image_classification",
        Kind::Texts => "text_classification",
    }
}

fn shown(size: Option<usize>) -> String {
    size.map_or_else(|| "an unknown number of".into(), grouped)
}

/// A path that holds wherever the experiment lies.
fn absolute(path: &Path) -> Result<String, Failure> {
    let path = path.canonicalize().map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    Ok(path.to_string_lossy().into_owned())
}

fn backbone(kind: Kind, samples: usize, args: &Args) -> Result<(Backbone, &'static str), Failure> {
    if let Some(asked) = args.backbone {
        let is_of_texts = asked.task() == Task::TextClassification;
        if is_of_texts != (kind == Kind::Texts) {
            return Err(Failure::usage(format!("the data are {kind}, which {} does not take", asked.name())));
        }
        return Ok((asked, "as asked for"));
    }
    Ok(match (kind, samples) {
        (Kind::Pictures, ..2_000) => (Backbone::SqueezeNet1_1, "small and quick, for a few pictures"),
        (Kind::Pictures, ..20_000) => (Backbone::ResNet18, "for some thousands of pictures"),
        (Kind::Pictures, _) => (Backbone::ResNet50, "for many pictures"),
        (Kind::Texts, ..10_000) => (Backbone::Bert, "as MiniLM of six layers: quick, for a few texts"),
        (Kind::Texts, _) => (Backbone::DistilBert, "for many texts"),
    })
}

fn weights(backbone: Backbone, args: &Args) -> Result<String, Failure> {
    match &args.weights {
        Some(weights) if Path::new(weights).is_file() => absolute(Path::new(weights)),
        Some(weights) => Ok(weights.clone()),
        None if backbone == Backbone::Bert => Ok("all-MiniLM-L6-v2".into()),
        None => Ok(KnownWeights::all_of(backbone).next().map_or("random", |known| known.name).to_owned()),
    }
}

fn home(backbone: Backbone, weights: &str) -> String {
    match KnownWeights::of(backbone, weights).map(|known| known.home) {
        Some(Home::BuiltIn) => format!("{weights}, which are part of finetop"),
        Some(Home::Hub(repo)) => format!("{weights}, from {repo} on the hub at the first run, then kept"),
        None => weights.to_owned(),
    }
}

fn size(kind: Kind, of_samples: Option<usize>) -> usize {
    match (kind, of_samples) {
        (Kind::Pictures, Some(..48)) => 64,
        (Kind::Pictures, Some(48..96)) => 128,
        (Kind::Pictures, Some(96..160)) => 160,
        (Kind::Pictures, _) => 224,
        // a token has some four letters; two mark the ends
        (Kind::Texts, bytes) => (bytes.unwrap_or(512) / 3 + 2).next_power_of_two().clamp(16, 256),
    }
}

/// At least four steps an epoch where there are so few samples.
fn batch(samples: usize) -> usize {
    let most = (samples / 4).max(4);
    [32, 16, 8].into_iter().find(|batch| *batch <= most).unwrap_or(4)
}

fn epochs(samples: usize) -> [u32; 2] {
    match samples {
        ..2_000 => [20, 10],
        2_000..20_000 => [10, 6],
        _ => [4, 4],
    }
}

/// What stands for the batch size in a text that is being written.
pub const BATCH: &str = "batch_size: ";

/// `text`, which is to stand at `path`, with a batch that the memory suffices for.
///
/// # Errors
/// Every mistake of the text, as that weights which were asked for are none.
pub fn fitted(path: &Path, mut text: String) -> Result<String, Failure> {
    loop {
        let loaded = experiment::load_text(path, &text, &[]).map_err(|mistakes| {
            output::mistakes(&mistakes);
            Failure::usage("no experiment was written")
        })?;
        let Some(run) = loaded.first() else { return Ok(text) };
        let batch = run.experiment.train.batch_size;
        let (needed, budget) = (train::memory::needed(&run.experiment), runner::memory::budget());
        if needed <= budget {
            return Ok(text);
        }
        if batch <= 4 {
            output::warning(&format!("it needs {}, and runs may take {} here", bytes(needed), bytes(budget)));
            return Ok(text);
        }
        text = text.replacen(&format!("{BATCH}{batch}"), &format!("{BATCH}{}", batch / 2), 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_go_by_the_samples() {
        for (kind, of_samples, expected) in [
            (Kind::Pictures, Some(32), 64),
            (Kind::Pictures, Some(64), 128),
            (Kind::Pictures, Some(128), 160),
            (Kind::Pictures, Some(2_000), 224),
            (Kind::Pictures, None, 224),
            (Kind::Texts, Some(9), 16),
            (Kind::Texts, Some(200), 128),
            (Kind::Texts, Some(100_000), 256),
        ] {
            assert_eq!(size(kind, of_samples), expected, "{kind} {of_samples:?}");
        }
        assert_eq!([1, 24, 64, 10_000].map(batch), [4, 4, 16, 32]);
    }
}
