//! `matrix`: from one experiment to a sweep.
//!
//! Invariants: the runs are the cross product of the axes in the order typed, the last one fastest, less what `exclude`
//! matches, and then one for each of `include`; each has its place for every value, so that a wrong one is found once; no
//! key of a run replaces another of its keys.

mod names;
mod read;

pub(super) use read::read;

use super::dotted::Dotted;
use super::mistakes::Findings;
use super::place::Place;
use super::tree::{Kind, Node, Scalar, ScalarValue};

/// The most runs of a sweep, those that are excluded counted too.
pub const MAX_RUNS: usize = 10_000;

/// A key that differs between runs, with all values that it has in any of them.
#[derive(Debug)]
struct Axis {
    key: Dotted,
    values: Vec<Node>,
}

/// What a run sets: an axis and which of its values.
type Setting = (usize, usize);

/// A sweep as it was typed.
#[derive(Debug)]
pub(super) struct Sweep {
    /// Where `matrix` stands.
    pub place: Place,
    axes: Vec<Axis>,
    pub runs: Vec<Run>,
}

/// One run of a sweep.
#[derive(Debug)]
pub(super) struct Run {
    settings: Vec<Setting>,
    /// Where the run as such was typed: its entry of `include`, or `matrix`.
    pub place: Place,
}

impl Sweep {
    /// What `run` is, made of what the file says beside its matrix.
    pub fn tree(&self, run: &Run, file: &Node, findings: &Findings) -> Node {
        let mut root = file.clone();
        for &(axis, value) in &run.settings {
            let Axis { key, values } = &self.axes[axis];
            if let Err(finding) = key.set(&mut root, values[value].clone()) {
                findings.push(finding);
            }
        }
        root
    }
}

/// Whether both mean the same, however it was typed.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Null, Kind::Null) => true,
        (Kind::Scalar(a), Kind::Scalar(b)) => same_scalar(a, b),
        (Kind::List(a), Kind::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Kind::Map(a), Kind::Map(b)) => {
            let in_b = |key: &str| b.iter().find(|entry| entry.key == key);
            a.len() == b.len() && a.iter().all(|a| in_b(&a.key).is_some_and(|b| same(&a.value, &b.value)))
        }
        _ => false,
    }
}

fn same_scalar(a: &Scalar, b: &Scalar) -> bool {
    match (&a.value, &b.value) {
        (ScalarValue::Text, ScalarValue::Text) => a.typed == b.typed,
        (ScalarValue::Whole(a), ScalarValue::Number(b)) | (ScalarValue::Number(b), ScalarValue::Whole(a)) => {
            *a as f64 == *b
        }
        (a, b) => *a != ScalarValue::Text && a == b,
    }
}
