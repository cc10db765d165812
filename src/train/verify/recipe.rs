//! How figures were trained, read from sentences: `adamw lr=0.01 weight_decay=0.1`, "6 steps SGD lr 0.002 momentum 0.9,
//! all layers trainable", "even steps see images 0..5".

use super::error::Trouble;
use super::prose::Prose;
use crate::experiment::{AdamVariant, Optimizer, Trainable};

/// Whose defaults hold where a sentence says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Library {
    Keras,
    PyTorch,
}

impl Library {
    /// By a sentence that names it: "Keras 3.15.1", "torchvision resnet18, torch 2.15.0", "transformers 5.23.0".
    pub fn of(prose: Prose) -> Result<Library, Trouble> {
        match () {
            () if prose.says("keras") => Ok(Library::Keras),
            () if prose.says("torch") || prose.says("transformers") => Ok(Library::PyTorch),
            () => Err(prose.unclear("it names neither Keras nor PyTorch")),
        }
    }
}

/// An optimizer, and what gradients are clipped to before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Recipe {
    pub optimizer: Optimizer,
    pub clip_norm: Option<f64>,
}

/// Reads `text` that is nothing but an optimizer with its figures.
pub(super) fn alone(prose: Prose, library: Library) -> Result<Recipe, Trouble> {
    let words = words(prose.text);
    let mut figures = Figures { prose, rest: &words, given: Vec::new() };
    let recipe = figures.recipe(library)?;
    match figures.rest.first() {
        None => Ok(recipe),
        Some(word) => Err(prose.unclear(format_args!("`{word}`"))),
    }
}

/// Finds the optimizer in a sentence; what clips gradients may stand in any of its clauses.
pub(super) fn within(prose: Prose, library: Library) -> Result<Recipe, Trouble> {
    let words = words(prose.text);
    let start = words.iter().position(|word| rule_of(word).is_some());
    let start = start.ok_or_else(|| prose.unclear("it names no optimizer that is known here"))?;
    let mut figures = Figures { prose, rest: &words[start..], given: Vec::new() };
    let mut recipe = figures.recipe(library)?;
    // anything else here may be a figure that nobody heeds
    if let Some(word) = figures.rest.first().filter(|word| !["on", "with", ",", ";", "."].contains(&&***word)) {
        return Err(prose.unclear(format_args!("`{word}`")));
    }
    if prose.says("norm") && prose.says("clip") {
        let clip = prose.clauses(&[',', ';']).into_iter().map(|clause| prose.part(clause)).find(|c| c.says("clip"));
        recipe.clip_norm = Some(clip.unwrap_or(prose).after("norm")?.number()?);
    }
    Ok(recipe)
}

/// What is said to learn.
pub(super) fn trainable(prose: Prose) -> Result<Trainable, Trouble> {
    let words = words(prose.text);
    let last = words.windows(3).find(|words| words[0] == "last" && words[2].starts_with("layer"));
    match last.map(|words| words[1].parse()) {
        Some(Ok(layers)) => Ok(Trainable::LastLayers(layers)),
        Some(Err(_)) => Err(prose.unclear("how many of the last layers learn")),
        None if prose.says("all layers") || prose.says("every parameter") => Ok(Trainable::All),
        None if prose.says("on the head") || prose.says("head alone") => Ok(Trainable::Head),
        None => Err(prose.unclear("it does not say what learns")),
    }
}

/// The samples that even and odd steps see, of `count`: all, unless there is a word of it.
pub(super) fn turns(prose: Prose, count: usize) -> Result<[Vec<usize>; 2], Trouble> {
    if !prose.says("even") && !prose.says("odd") {
        return Ok([(0..count).collect(), (0..count).collect()]);
    }
    let turn = |word| -> Result<Vec<usize>, Trouble> {
        let samples: Vec<usize> = prose.after(word)?.range()?.collect();
        let are_there = !samples.is_empty() && samples.iter().all(|&sample| sample < count);
        if are_there { Ok(samples) } else { Err(prose.unclear(format_args!("there are {count} samples"))) }
    };
    Ok([turn("even")?, turn("odd")?])
}

/// Words and numbers, and the commas and semicolons between them; brackets and `=` only part them.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for piece in text.split(|c: char| c.is_whitespace() || "()=".contains(c)) {
        for part in piece.split_inclusive([',', ';']) {
            let word = part.trim_end_matches([',', ';']);
            words.extend([word, &part[word.len()..]].iter().filter(|word| !word.is_empty()).map(|w| w.to_lowercase()));
        }
    }
    words
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Adam,
    AdamW,
    Sgd,
    RmsProp,
}

fn rule_of(word: &str) -> Option<Rule> {
    match word {
        "adam" => Some(Rule::Adam),
        "adamw" => Some(Rule::AdamW),
        "sgd" => Some(Rule::Sgd),
        "rmsprop" => Some(Rule::RmsProp),
        _ => None,
    }
}

/// Our name of the figure that `word` names.
fn figure_of(word: &str) -> Option<&'static str> {
    Some(match word {
        "lr" | "learning_rate" => "lr",
        "momentum" => "momentum",
        "dampening" => "dampening",
        "weight_decay" => "weight_decay",
        "beta_1" | "beta1" => "beta_1",
        "beta_2" | "beta2" => "beta_2",
        "eps" | "epsilon" => "epsilon",
        "alpha" | "rho" => "alpha",
        "clip_norm" | "max_norm" | "global_clipnorm" => "clip_norm",
        _ => return None,
    })
}

/// The reading of an optimizer's figures, word after word.
struct Figures<'a> {
    prose: Prose<'a>,
    rest: &'a [String],
    given: Vec<(&'static str, f64)>,
}

impl Figures<'_> {
    fn recipe(&mut self, library: Library) -> Result<Recipe, Trouble> {
        let rule = self.rest.first().and_then(|word| rule_of(word));
        let rule = rule.ok_or_else(|| self.prose.unclear("it begins with no optimizer that is known here"))?;
        self.rest = &self.rest[1..];
        while self.figure()? {}
        let optimizer = self.optimizer(rule, library)?;
        let clip_norm = self.taken("clip_norm");
        match self.given.first() {
            None => Ok(Recipe { optimizer, clip_norm }),
            Some((name, _)) => Err(self.prose.unclear(format_args!("`{name}` of this optimizer"))),
        }
    }

    /// Reads the next figure, if there is one.
    fn figure(&mut self) -> Result<bool, Trouble> {
        let next = |at: usize| self.rest.get(at).map_or("", String::as_str);
        // a comma goes on with figures, or ends them
        let at = usize::from(next(0) == ",");
        let (word, length) = (next(at), at + 1);
        match word {
            "betas" => {
                let [one, two] = [self.number(length)?, self.number(length + 2)?];
                self.given.extend([("beta_1", one), ("beta_2", two)]);
                self.rest = &self.rest[length + 3..];
            }
            "nesterov" => {
                let said = next(length);
                self.given.push(("nesterov", f64::from(said != "false")));
                let is_said = ["true", "false"].contains(&said);
                self.rest = &self.rest[length + usize::from(is_said)..];
            }
            // "Adam (Keras defaults)"
            "keras" | "pytorch" | "torch" | "defaults" if at == 0 => self.rest = &self.rest[1..],
            _ => {
                let Some(name) = figure_of(word) else { return Ok(false) };
                self.given.push((name, self.number(length)?));
                self.rest = &self.rest[length + 1..];
            }
        }
        Ok(true)
    }

    fn number(&self, at: usize) -> Result<f64, Trouble> {
        let number = self.rest.get(at).and_then(|word| word.parse().ok()).filter(|value: &f64| value.is_finite());
        let before = self.rest.get(at.saturating_sub(1)).or(self.rest.last()).map_or("", String::as_str);
        number.ok_or_else(|| self.prose.unclear(format_args!("`{before}` has no number")))
    }

    fn taken(&mut self, name: &str) -> Option<f64> {
        let at = self.given.iter().position(|(given, _)| *given == name)?;
        Some(self.given.remove(at).1)
    }

    fn optimizer(&mut self, rule: Rule, library: Library) -> Result<Optimizer, Trouble> {
        let pytorch = library == Library::PyTorch;
        let default_lr = match rule {
            Rule::Adam | Rule::AdamW => 1e-3,
            Rule::Sgd if pytorch => 1e-3,
            Rule::Sgd | Rule::RmsProp => 1e-2,
        };
        let lr = self.taken("lr").unwrap_or(default_lr);
        let mut figure = |name, default| self.taken(name).unwrap_or(default);
        Ok(match rule {
            Rule::Adam => {
                let variant = if pytorch { AdamVariant::PyTorch } else { AdamVariant::Keras };
                let (beta_1, beta_2) = (figure("beta_1", 0.9), figure("beta_2", 0.999));
                Optimizer::Adam { lr, beta_1, beta_2, epsilon: figure("epsilon", variant.epsilon()), variant }
            }
            Rule::AdamW if pytorch => Optimizer::AdamW {
                lr,
                beta_1: figure("beta_1", 0.9),
                beta_2: figure("beta_2", 0.999),
                epsilon: figure("epsilon", 1e-8),
                weight_decay: figure("weight_decay", 0.01),
            },
            Rule::Sgd => Optimizer::Sgd {
                lr,
                momentum: figure("momentum", 0.0),
                nesterov: figure("nesterov", 0.0) != 0.0,
                weight_decay: figure("weight_decay", 0.0),
                dampening: figure("dampening", 0.0),
            },
            Rule::RmsProp if pytorch => Optimizer::RmsProp {
                lr,
                alpha: figure("alpha", 0.99),
                epsilon: figure("epsilon", 1e-8),
                momentum: figure("momentum", 0.0),
                weight_decay: figure("weight_decay", 0.0),
            },
            Rule::AdamW | Rule::RmsProp => {
                return Err(self.prose.unclear("of this optimizer there is PyTorch's here, not Keras'"));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, library: Library) -> Optimizer {
        let recipe = alone(Prose::new("optimizer", text), library).unwrap();
        assert_eq!(recipe.clip_norm, None);
        recipe.optimizer
    }

    #[test]
    fn optimizers_are_read_with_their_library_s_defaults() {
        let sgd = |lr, momentum, nesterov, weight_decay| Optimizer::Sgd {
            lr,
            momentum,
            nesterov,
            weight_decay,
            dampening: 0.0,
        };
        let adam = |epsilon, variant| Optimizer::Adam { lr: 0.01, beta_1: 0.9, beta_2: 0.999, epsilon, variant };
        for (text, library, wanted) in [
            ("sgd lr=0.1", Library::PyTorch, sgd(0.1, 0.0, false, 0.0)),
            ("sgd lr=0.1 momentum=0.9 nesterov weight_decay=0.01", Library::PyTorch, sgd(0.1, 0.9, true, 0.01)),
            ("SGD(lr=0.1, momentum=0.9, nesterov=True)", Library::Keras, sgd(0.1, 0.9, true, 0.0)),
            ("sgd nesterov=False momentum 0.5", Library::PyTorch, sgd(1e-3, 0.5, false, 0.0)),
            ("adam lr=0.01 (epsilon 1e-7)", Library::Keras, adam(1e-7, AdamVariant::Keras)),
            ("adam lr=0.01", Library::PyTorch, adam(1e-8, AdamVariant::PyTorch)),
            (
                "adamw lr=0.02 weight_decay=0.1 betas=(0.8, 0.99) eps=1e-6",
                Library::PyTorch,
                Optimizer::AdamW { lr: 0.02, beta_1: 0.8, beta_2: 0.99, epsilon: 1e-6, weight_decay: 0.1 },
            ),
            (
                "rmsprop lr=0.01 alpha=0.9",
                Library::PyTorch,
                Optimizer::RmsProp { lr: 0.01, alpha: 0.9, epsilon: 1e-8, momentum: 0.0, weight_decay: 0.0 },
            ),
        ] {
            assert_eq!(read(text, library), wanted, "{text}");
        }
    }

    #[test]
    fn what_nobody_would_heed_is_an_error() {
        for (text, library) in [
            ("adam lr=0.01 amsgrad", Library::PyTorch),
            ("adam lr=0.01 weight_decay=0.1", Library::PyTorch),
            ("sgd lr=0.1 alpha=0.9", Library::PyTorch),
            ("adam lr", Library::PyTorch),
            ("adamw betas=(0.9)", Library::PyTorch),
            ("adagrad lr=0.1", Library::PyTorch),
            ("rmsprop lr=0.1", Library::Keras),
            ("", Library::Keras),
        ] {
            assert!(alone(Prose::new("optimizer", text), library).is_err(), "{text}");
        }
        let odd = Prose::new("steps", "6 steps adam lr 1e-3 amsgrad, all layers trainable");
        assert!(within(odd, Library::PyTorch).is_err());
    }

    #[test]
    fn sentences_are_read() {
        let steps = Prose::new(
            "steps",
            "6 full-batch steps AdamW lr 1e-3 weight_decay 0.01 on every parameter, gradient clipped to global norm 0.5, \
             cross entropy",
        );
        let recipe = within(steps, Library::PyTorch).unwrap();
        assert_eq!((recipe.optimizer.lr(), recipe.clip_norm), (1e-3, Some(0.5)));
        assert_eq!(trainable(steps).unwrap(), Trainable::All);
        assert_eq!(turns(steps, 3).unwrap(), [vec![0, 1, 2], vec![0, 1, 2]]);

        let sgd = Prose::new("steps", "6 steps SGD lr 0.002 momentum 0.9, batch-norm in training mode");
        let recipe = within(sgd, Library::PyTorch).unwrap();
        assert!(
            matches!(recipe.optimizer, Optimizer::Sgd { lr: 0.002, momentum: 0.9, .. }) && recipe.clip_norm.is_none()
        );

        let last = Prose::new("steps", "a fresh Adam lr 1e-5 with the last 4 layers of the base unfrozen, 8 steps");
        assert_eq!(trainable(last).unwrap(), Trainable::LastLayers(4));
        let turn = Prose::new("steps", "even steps see images 0..2, odd ones 3..4; the rest");
        assert_eq!(turns(turn, 5).unwrap(), [vec![0, 1, 2], vec![3, 4]]);
        assert!(turns(turn, 4).is_err());
    }
}
