//! `finetop new DIR|FILE`: looks at data and writes a commented experiment that runs as it is.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod plan;
mod sides;
mod write;

use super::failure::Failure;
use super::output::{self, line};
use super::schema;
use crate::base::durable;
use crate::base::text::shell_word;
use crate::data;
use crate::experiment::Backbone;
use plan::Plan;
use sides::Sides;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder with one folder per class (of pictures, or of .txt files), or with `train` and `val` of such; or a .csv,
    /// .tsv or .jsonl with a text and its class in each row.
    #[arg(value_name = "DIR|FILE")]
    data: PathBuf,
    /// Where the experiment goes; by default here, called as the data.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// The column of a table that has the text.
    #[arg(long, value_name = "COLUMN")]
    text: Option<String>,
    /// The column of a table that has the class.
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// The network; by default by the task and the number of samples.
    #[arg(long, value_name = "NAME", value_parser = backbone)]
    backbone: Option<Backbone>,
    /// Its weights, as `model.weights` takes them.
    #[arg(long, value_name = "WEIGHTS")]
    weights: Option<String>,
    /// A tokenizer for texts, where none comes with the weights.
    #[arg(long, value_name = "FILE")]
    tokenizer: Option<PathBuf>,
}

/// Lies beside the experiment, so that an editor finds it without a network.
const SCHEMA: &str = ".finetop-schema.json";

pub fn main(args: Args) -> Result<ExitCode, Failure> {
    let sides = Sides::find(&args.data, [args.text.as_deref(), args.label.as_deref()])?;
    let path = match &args.output {
        Some(path) => path.clone(),
        None => PathBuf::from(format!("{}.yaml", name(&args.data))),
    };
    if path.symlink_metadata().is_ok() {
        return Err(Failure::usage(format!("{} is there already, and is left as it is", path.display()))
            .hint("give another place with `-o PATH`"));
    }
    let folder = folder(&path)?;
    let plan = Plan::new(&sides, &args)?;
    let text = write::experiment(&sides, &plan, &folder, SCHEMA);
    let text = plan::fitted(&path, text)?;
    durable::write(&folder.join(SCHEMA), schema::text().as_bytes()).map_err(unwritten)?;
    durable::write(&path, text.as_bytes()).map_err(unwritten)?;
    line(&format!("{}", path.display()));
    plan.reasons.iter().for_each(|(what, why)| line(&format!("  {what:<12}{why}")));
    let word = shell_word(&path.to_string_lossy());
    output::hint(&format!("`finetop check {word}` says what would run, `finetop run {word}` trains it"));
    Ok(ExitCode::SUCCESS)
}

fn unwritten(error: durable::Error) -> Failure {
    Failure::failed(error.to_string()).maybe_hint(error.hint())
}

fn unusable(error: data::Error) -> Failure {
    let hint = error.hint();
    Failure::usage(error.to_string()).maybe_hint(hint)
}

/// The folder that `path` is to be in, absolute.
fn folder(path: &Path) -> Result<PathBuf, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.canonicalize().map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))
}

/// What data at `path` are called, in letters that any file and run can have.
fn name(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let says_nothing = |name: &str| ["train", "data", "training"].contains(&name);
    let parents = path.ancestors().skip(1).filter_map(Path::file_name);
    let names = path.file_stem().into_iter().chain(parents).map(|name| name.to_string_lossy().into_owned());
    let name = names.take(3).find(|name| !says_nothing(name)).unwrap_or_default();
    let plain: String = name.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '-' }).take(40).collect();
    match plain.trim_matches('-') {
        "" => "experiment".into(),
        plain => plain.to_owned(),
    }
}

fn backbone(text: &str) -> Result<Backbone, String> {
    serde_json::from_value(text.into()).map_err(|_| {
        let all = crate::experiment::keys_of("model").find(|key| key.path == "model.backbone");
        format!("expected {}", all.map(crate::experiment::Key::expected).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_experiment_is_called_as_its_data() {
        for (path, expected) in [
            ("/a/flowers", "flowers"),
            ("/a/flowers/train", "flowers"),
            ("/a/flowers/data/train.csv", "flowers"),
            ("/a/my reviews.tsv", "my-reviews"),
            ("/data/train", "experiment"),
            ("/-x-", "x"),
        ] {
            assert_eq!(name(Path::new(path)), expected, "{path}");
        }
    }
}
