//! Figures of an epoch by their names: what `train.metrics` lists, and what can be watched.
//!
//! Invariant: a name reads back as what wrote it, and says nothing else.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Mode;

/// A figure of an epoch that can be watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Metric {
    Loss,
    Accuracy,
    ValLoss,
    ValAccuracy,
    /// One of [`Measure`], of the validation samples.
    Val(Figure),
}

/// What `train.metrics` takes beside loss and accuracy, which are always there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum Measure {
    One(Figure),
    /// One figure for each class.
    PerClass(Score),
}

/// A figure of the validation samples: one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figure {
    /// Share of the samples whose class is among the K most probable ones (scikit-learn's `top_k_accuracy_score`).
    TopK(usize),
    /// The mean over the classes (scikit-learn's `average="macro"`).
    Macro(Score),
    /// The mean over the classes, each weighing as much as it has samples (scikit-learn's `average="weighted"`).
    Weighted(Score),
    /// Of the class of this name.
    OfClass(Score, String),
    /// Area under the receiver operating characteristic (scikit-learn's `roc_auc_score`).
    Auroc,
    /// Expected calibration error (Guo et al. 2017).
    Ece,
}

/// A figure that each class has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Score {
    Precision,
    Recall,
    F1,
}

/// The names that `train.metrics` takes, of which `top_K` stands for one of each number.
pub(super) const MEASURES: [&str; 12] = [
    "top_K",
    "precision",
    "precision_weighted",
    "precision_per_class",
    "recall",
    "recall_weighted",
    "recall_per_class",
    "f1",
    "f1_weighted",
    "f1_per_class",
    "auroc",
    "ece",
];

/// What stands before the name of a figure of the validation samples.
const OF_VALIDATION: &str = "val_";
/// What stands between a score and the class that it is of.
const OF_CLASS: char = '/';

impl Metric {
    /// The name in files and events.
    pub fn name(&self) -> String {
        self.to_string()
    }

    /// The direction in which it gets better: what `mode: auto` means.
    pub fn mode(&self) -> Mode {
        match self {
            Metric::Loss | Metric::ValLoss | Metric::Val(Figure::Ece) => Mode::Min,
            Metric::Accuracy | Metric::ValAccuracy | Metric::Val(_) => Mode::Max,
        }
    }

    /// The direction in which the figure of this name gets better, where that is known.
    pub fn mode_of(name: &str) -> Option<Mode> {
        Some(name.parse::<Metric>().ok()?.mode())
    }
}

impl Measure {
    /// Whether it gives `figure`.
    pub fn gives(&self, figure: &Figure) -> bool {
        match (self, figure) {
            (Measure::One(one), figure) => one == figure,
            (Measure::PerClass(score), Figure::OfClass(of, _)) => score == of,
            (Measure::PerClass(_), _) => false,
        }
    }
}

/// A text is no name of what it was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no figure has this name")]
pub struct NoSuchFigure;

impl FromStr for Metric {
    type Err = NoSuchFigure;

    fn from_str(name: &str) -> Result<Self, NoSuchFigure> {
        Ok(match name {
            "loss" => Metric::Loss,
            "accuracy" => Metric::Accuracy,
            "val_loss" => Metric::ValLoss,
            "val_accuracy" => Metric::ValAccuracy,
            name => Metric::Val(name.strip_prefix(OF_VALIDATION).ok_or(NoSuchFigure)?.parse()?),
        })
    }
}

impl FromStr for Measure {
    type Err = NoSuchFigure;

    fn from_str(name: &str) -> Result<Self, NoSuchFigure> {
        match name.strip_suffix("_per_class").and_then(Score::named) {
            Some(score) => Ok(Measure::PerClass(score)),
            None => name.parse().map(Measure::One),
        }
    }
}

impl FromStr for Figure {
    type Err = NoSuchFigure;

    fn from_str(name: &str) -> Result<Self, NoSuchFigure> {
        if let Some(k) = name.strip_prefix("top_") {
            let read = k.parse().ok().filter(|&read: &usize| read > 0 && read.to_string() == k);
            return read.map(Figure::TopK).ok_or(NoSuchFigure);
        }
        if let Some((score, class)) = name.split_once(OF_CLASS) {
            let score = Score::named(score).filter(|_| !class.is_empty()).ok_or(NoSuchFigure)?;
            return Ok(Figure::OfClass(score, class.to_owned()));
        }
        match name {
            "auroc" => Ok(Figure::Auroc),
            "ece" => Ok(Figure::Ece),
            name => match name.strip_suffix("_weighted") {
                Some(score) => Score::named(score).map(Figure::Weighted),
                None => Score::named(name).map(Figure::Macro),
            }
            .ok_or(NoSuchFigure),
        }
    }
}

impl Score {
    /// Every one.
    pub const ALL: [Score; 3] = [Score::Precision, Score::Recall, Score::F1];

    fn named(name: &str) -> Option<Score> {
        Score::ALL.into_iter().find(|score| score.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Score::Precision => "precision",
            Score::Recall => "recall",
            Score::F1 => "f1",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Metric::Loss => f.write_str("loss"),
            Metric::Accuracy => f.write_str("accuracy"),
            Metric::ValLoss => f.write_str("val_loss"),
            Metric::ValAccuracy => f.write_str("val_accuracy"),
            Metric::Val(figure) => write!(f, "{OF_VALIDATION}{figure}"),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Measure::One(figure) => write!(f, "{figure}"),
            Measure::PerClass(score) => write!(f, "{}_per_class", score.name()),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Figure::TopK(k) => write!(f, "top_{k}"),
            Figure::Macro(score) => f.write_str(score.name()),
            Figure::Weighted(score) => write!(f, "{}_weighted", score.name()),
            Figure::OfClass(score, class) => write!(f, "{}{OF_CLASS}{class}", score.name()),
            Figure::Auroc => f.write_str("auroc"),
            Figure::Ece => f.write_str("ece"),
        }
    }
}

impl From<Metric> for String {
    fn from(metric: Metric) -> String {
        metric.to_string()
    }
}

impl TryFrom<String> for Metric {
    type Error = NoSuchFigure;

    fn try_from(name: String) -> Result<Metric, NoSuchFigure> {
        name.parse()
    }
}

impl From<Measure> for String {
    fn from(measure: Measure) -> String {
        measure.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_what_they_are() {
        let measures = MEASURES.map(|name| name.replace('K', "5"));
        for name in
            measures.iter().map(String::as_str).chain(["top_1", "f1/a cat", "recall/a/b", "precision/_weighted"])
        {
            let measure: Measure = name.parse().unwrap();
            assert_eq!(measure.to_string(), name);
            if let Measure::One(figure) = &measure {
                assert_eq!(name.parse(), Ok(figure.clone()));
                assert_eq!(format!("val_{name}").parse(), Ok(Metric::Val(figure.clone())));
            }
        }
        for name in ["loss", "accuracy", "val_loss", "val_accuracy"] {
            assert_eq!(name.parse::<Metric>().unwrap().name(), name);
        }
        for name in
            ["", "top_", "top_0", "top_05", "top_-1", "top_K", "f2", "f1/", "/cat", "auroc/cat", "F1", "f1_macro", "lr"]
        {
            assert!(name.parse::<Measure>().is_err() && format!("val_{name}").parse::<Metric>().is_err(), "{name}");
        }
        for name in ["f1", "ece", "val_f1_per_class", "val_lr"] {
            assert!(name.parse::<Metric>().is_err(), "{name}");
        }
    }

    #[test]
    fn only_losses_and_the_calibration_error_are_better_when_small() {
        for (name, mode) in [
            ("loss", Mode::Min),
            ("val_loss", Mode::Min),
            ("val_ece", Mode::Min),
            ("accuracy", Mode::Max),
            ("val_accuracy", Mode::Max),
            ("val_top_3", Mode::Max),
            ("val_f1_weighted", Mode::Max),
            ("val_recall/loss", Mode::Max),
            ("val_auroc", Mode::Max),
        ] {
            assert_eq!(Metric::mode_of(name), Some(mode), "{name}");
        }
        assert_eq!(Metric::mode_of("val_f2"), None);
    }

    #[test]
    fn a_figure_of_a_class_is_among_those_of_all_classes() {
        let of = |score| Figure::OfClass(score, "cat".into());
        assert!(Measure::PerClass(Score::F1).gives(&of(Score::F1)));
        assert!(!Measure::PerClass(Score::F1).gives(&of(Score::Recall)));
        assert!(!Measure::PerClass(Score::F1).gives(&Figure::Macro(Score::F1)));
        assert!(Measure::One(Figure::Auroc).gives(&Figure::Auroc));
    }
}
