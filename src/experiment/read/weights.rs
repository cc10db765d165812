//! The key `model.weights`: `random`, the name of known weights, a place on a hub, or a file.

use std::path::Path;

use crate::experiment::keys;
use crate::experiment::mistakes::{Finding, Findings, quoted};
use crate::experiment::paths::{Paths, Wants};
use crate::experiment::section::{Given, Section};
use crate::experiment::{Backbone, KNOWN, KnownWeights, Weights};

/// Endings of files that can be read.
const ENDINGS: [&str; 4] = ["safetensors", "pth", "pt", "bin"];
/// What the names of files that list the parts of weights end with.
const INDEX: &str = ".index.json";
/// The longest name of an owner or a repository.
const LONGEST_NAME: usize = 96;

/// Reads the key; where it is wrong that is written down and the answer is `random`.
pub(super) fn weights(section: &Section, backbone: Option<Backbone>, paths: &Paths, findings: &Findings) -> Weights {
    let Some((text, given)) = section.text("weights") else { return Weights::Random };
    let read = match text.strip_prefix("hf:") {
        _ if text == "random" => Ok(Weights::Random),
        Some(place) => on_hub(place),
        None if ending(text).is_some_and(|ending| ENDINGS.contains(&ending)) => {
            return Weights::File(paths.resolve(text, given.node.place, Wants::File, findings));
        }
        None => match backbone {
            Some(backbone) => known(text, backbone),
            // What is wrong with the backbone is said by its own key.
            None if KNOWN.iter().any(|known| known.name == text) => return Weights::Random,
            None => Err(Wrong::expected("write the path of a file, or `hf:OWNER/REPO`")),
        },
    };
    read.unwrap_or_else(|wrong| {
        section.found(wrong.finding(text, given));
        Weights::Random
    })
}

/// Why a text names no weights, and what to do.
struct Wrong {
    /// None: what the key takes says enough.
    because: Option<String>,
    hint: String,
}

impl Wrong {
    fn expected(hint: impl Into<String>) -> Wrong {
        Wrong { because: None, hint: hint.into() }
    }

    fn because(because: impl Into<String>, hint: impl Into<String>) -> Wrong {
        Wrong { because: Some(because.into()), hint: hint.into() }
    }

    fn finding(self, text: &str, given: Given) -> Finding {
        let because = self.because.unwrap_or_else(|| format!("expected {}", given.key.expected()));
        Finding::new(given.node.place, format!("`weights` is {}, {because}", quoted(text))).hint(self.hint)
    }
}

fn ending(text: &str) -> Option<&str> {
    Path::new(text).extension().and_then(|ending| ending.to_str())
}

fn known(text: &str, backbone: Backbone) -> Result<Weights, Wrong> {
    if let Some(known) = KnownWeights::of(backbone, text) {
        return Ok(Weights::Known(known));
    }
    let names: Vec<&str> = KnownWeights::all_of(backbone).map(|known| known.name).collect();
    let listed = format!("known weights of {} are {}", backbone.name(), keys::listed(&names, "and"));
    if let Some(other) = KNOWN.iter().find(|known| known.name == text) {
        let because =
            format!("which are weights of {}, and the backbone is {}", other.backbone.name(), backbone.name());
        return Err(Wrong::because(because, listed));
    }
    Err(Wrong::expected(match (ending(text), keys::nearest(text, names.iter().copied())) {
        (_, Some(near)) => format!("did you mean `{near}`? {listed}"),
        (Some("h5" | "ckpt" | "keras"), _) => {
            "convert it: `safetensors.numpy.save_file({w.path: w.numpy() for w in model.weights}, \"w.safetensors\")` in \
             Python"
                .into()
        }
        _ if text.contains("huggingface.co/") => "write `hf:OWNER/REPO` instead of its address".into(),
        _ => listed,
    }))
}

/// `OWNER/REPO[@REVISION][/FILE]`.
fn on_hub(place: &str) -> Result<Weights, Wrong> {
    const FORM: &str = "write `hf:OWNER/REPO`, `hf:OWNER/REPO@REVISION` or `hf:OWNER/REPO/FILE.safetensors`";
    let mut parts = place.split('/');
    let (owner, repo) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (repo, revision) = repo.split_once('@').map_or((repo, None), |(repo, revision)| (repo, Some(revision)));
    if let Some(known) = KNOWN.iter().find(|known| known.name == place && known.name != "imagenet") {
        return Err(Wrong::because("which has no owner", format!("write `weights: {}`", known.name)));
    }
    if !is_name(owner) || !is_name(repo) {
        return Err(Wrong::because("which names no repository of a hub", FORM));
    }
    let mut revision = revision.map(str::to_owned);
    if let Some(revision) = revision.as_mut().filter(|revision| *revision == "refs") {
        // as in `refs/pr/3`
        parts.by_ref().take(2).for_each(|part| revision.extend(["/", part]));
    }
    let file: Vec<&str> = parts.collect();
    let is_right = |name: &str| name.split('/').all(is_name);
    if !revision.as_deref().is_none_or(is_right) {
        return Err(Wrong::because("whose revision is none", FORM));
    }
    let file = file.join("/");
    let is_weights = ending(&file).is_some_and(|ending| ENDINGS.contains(&ending)) || file.ends_with(INDEX);
    let is_file = is_right(&file) && is_weights;
    if !file.is_empty() && !is_file {
        return Err(Wrong::because(
            "whose file is none of weights",
            "weights are in a `.safetensors`, `.pth`, `.pt` or `.bin` file; leave the file out for `model.safetensors`",
        ));
    }
    Ok(Weights::Hub { repo: format!("{owner}/{repo}"), revision, file: (!file.is_empty()).then_some(file) })
}

/// Whether `name` can be a part of a path on a hub.
fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    (1..=LONGEST_NAME).contains(&name.len())
        && name.chars().all(is_plain)
        && !name.starts_with(['.', '-'])
        && !name.contains("..")
}
