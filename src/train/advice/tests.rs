//! What the tests of all pitfalls share, and what all pitfalls have in common: each is said once, and each suggestion is a
//! key that an experiment takes.

use std::str::FromStr;

use super::*;
use crate::experiment::{self, Origin, Override};

/// A plain file; `train.phases` has one phase.
const PLAIN: &str = "
data: { train: t, val: v }
model: { backbone: squeezenet1_1, weights: random }
train: { phases: [ { name: head, optimizer: { adam: { lr: 1e-3 } } } ] }
";

/// The plain experiment with `changes`, keys as `--set` takes them, one a line.
pub(super) fn experiment(changes: &str) -> Experiment {
    let origin = Origin { shown: "a.yaml".into(), folder: "/".into(), stem: "a".into() };
    let changes: Vec<Override> =
        changes.lines().filter(|c| !c.is_empty()).map(|c| Override::from_str(c).unwrap()).collect();
    experiment::parse(PLAIN, &origin, &changes).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// An epoch of the first phase in which nothing is wrong.
pub(super) fn epoch(experiment: &Experiment) -> EpochEnd<'_> {
    EpochEnd {
        experiment,
        phase: 0,
        stretch: 0,
        lr: 1e-3,
        loss: 0.5,
        accuracy: 0.8,
        val_loss: 0.5,
        val_accuracy: 0.8,
        confusion: &[],
        classes: &[],
        samples: &[100, 100, 100],
        weights: &[],
    }
}

/// What was advised, and after which epochs (from 0).
#[derive(Debug)]
pub(super) struct Told {
    pub epochs: Vec<usize>,
    all: Vec<Advice>,
}

impl Told {
    pub fn of(answers: impl Iterator<Item = Option<Advice>>) -> Told {
        let (epochs, all): (Vec<usize>, Vec<Advice>) =
            answers.enumerate().filter_map(|(epoch, advice)| Some((epoch, advice?))).unzip();
        all.iter().for_each(|advice| is_accepted(advice, ""));
        Told { epochs, all }
    }

    pub fn first(&self) -> &Advice {
        &self.all[0]
    }
}

/// The suggestion changes the plain experiment with `changes`, which takes it.
#[track_caller]
pub(super) fn is_accepted(advice: &Advice, changes: &str) {
    let (key, value) = advice.suggestion.split_once(": ").unwrap_or_else(|| panic!("{}", advice.suggestion));
    let advised = experiment(&format!("{changes}\n{key}={value}"));
    assert_ne!(advised, experiment(changes), "{}", advice.suggestion);
    assert!(!advice.evidence.is_empty() && !advice.message.is_empty());
}

/// An epoch of a run that overfits more and more.
fn overfitting(number: u32, experiment: &Experiment, phase: usize) -> EpochEnd<'_> {
    let (loss, val_loss) = (0.4f64.powi(number as i32), 1.2f64.powi(number as i32));
    EpochEnd { phase, stretch: phase, loss, val_loss, accuracy: 0.9, ..epoch(experiment) }
}

#[test]
fn each_is_said_once_in_a_run_in_whatever_phase() {
    let experiment = experiment("");
    let mut advisers = Advisers::default();
    let mut said = Vec::new();
    for phase in [0, 1] {
        for number in 0..8 {
            // a checkpoint between any two epochs changes nothing
            advisers = serde_json::from_str(&serde_json::to_string(&advisers).unwrap()).unwrap();
            advisers.step(0.5);
            let all = advisers.epoch_end(&overfitting(number, &experiment, phase));
            said.extend(all.into_iter().map(|advice| (phase, number, advice.kind)));
        }
    }
    assert_eq!(said, [(0, 3, "overfitting".to_owned())]);
}

#[test]
fn a_phase_is_watched_from_its_own_beginning() {
    let experiment = experiment("");
    let mut advisers = Advisers::default();
    for phase in 0..4 {
        for number in 0..3 {
            let all = advisers.epoch_end(&overfitting(4 * phase as u32 + number, &experiment, phase));
            assert!(all.is_empty(), "{all:?}");
        }
    }
}

#[test]
fn rates_are_short_numbers() {
    for (optimizer, suggestion) in [
        ("adam: { lr: 3e-4 }", "train.phases.0.optimizer.adam.lr: 3e-5"),
        ("sgd: { lr: 0.25 }", "train.phases.0.optimizer.sgd.lr: 2.5e-2"),
        ("adamw: { lr: 5 }", "train.phases.0.optimizer.adamw.lr: 5e-1"),
        ("rmsprop: { lr: 1.23456e-3 }", "train.phases.0.optimizer.rmsprop.lr: 1.2e-4"),
    ] {
        let experiment = experiment(&format!("train.phases.0.optimizer={{ {optimizer} }}"));
        assert_eq!(rate_times(0.1, &experiment, 0), suggestion);
    }
}
