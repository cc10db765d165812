//! The weights of a network whose parameters are listed by name, as sentences say: "conv = formula(k=1+k,
//! scale=sqrt(6/fan_in)); biases scale 0.05; batch-norm weight = 1 + formula(scale=0.1); the rest scale 0.25".

use std::collections::HashSet;

use super::error::Trouble;
use super::formula;
use super::prose::Prose;
use super::replay::Tensors;
use crate::model::Network;

/// Which tensors a clause is of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    /// Kernels of convolutions: four dimensions.
    Convolutions,
    Biases,
    /// Weights of norms: one dimension.
    NormWeights,
    /// One dimension.
    Vectors,
    /// Those whose names end so.
    Named(String),
    Rest,
}

/// A clause, read.
struct Draw<'a> {
    subject: Subject,
    prose: Prose<'a>,
    /// What is added to the formula.
    offset: f64,
}

/// Sets the tensors `names`, in whose order `first` counts up, as `weights` says; `ours` gives our names for theirs. No
/// parameter of the network may be left out.
pub(super) fn set(
    network: &Network,
    names: &[String],
    weights: Prose,
    first: u64,
    ours: fn(&str) -> String,
) -> Result<(), Trouble> {
    let tensors = Tensors::of(network);
    let draws = draws(weights, &tensors)?;
    for (theirs, k) in names.iter().zip(first..) {
        let variable = tensors.get(&ours(theirs), "names")?;
        let dims = variable.dims();
        let draw = draws.iter().find(|draw| draw.subject.is(theirs, dims.len()));
        let draw = draw.ok_or_else(|| weights.unclear(format_args!("it does not say how `{theirs}` is drawn")))?;
        let fan_in = dims.iter().skip(1).product::<usize>() as f64;
        let scale = draw.prose.scale(&[("fan_in", fan_in)])?;
        let values = formula::tensor(k, scale, dims, variable.device())?;
        variable.set(&(values + draw.offset)?)?;
    }
    let named: HashSet<String> = names.iter().map(|name| ours(name)).collect();
    match network.layers().flat_map(crate::model::Layer::parameters).find(|(name, _)| !named.contains(name)) {
        Some((name, _)) => Err(Trouble::field("names", format!("lacks `{name}` of the network"))),
        None => Ok(()),
    }
}

fn draws<'a>(weights: Prose<'a>, tensors: &Tensors) -> Result<Vec<Draw<'a>>, Trouble> {
    let list = weights.text.split_once(':').map_or(weights, |(_, list)| weights.part(list));
    let mut draws = Vec::new();
    for clause in list.clauses(&[';']) {
        let prose = weights.part(clause);
        if prose.says("running stat") {
            running_statistics(prose, tensors)?;
            continue;
        }
        let what = clause.split(['=']).next().unwrap_or(clause).split("scale").next().unwrap_or(clause).trim();
        let subject = Subject::of(what).ok_or_else(|| prose.unclear(format_args!("`{what}`")))?;
        draws.push(Draw { subject, prose, offset: prose.offset()? });
    }
    Ok(draws)
}

/// "running stats 0/1": means and variances at the start.
fn running_statistics(prose: Prose, tensors: &Tensors) -> Result<(), Trouble> {
    let word = prose.text.split_whitespace().last().unwrap_or_default();
    let numbers = word.split_once('/').and_then(|(mean, var)| Some((mean.parse().ok()?, var.parse().ok()?)));
    let (mean, var): (f64, f64) = numbers.ok_or_else(|| prose.unclear("it does not say mean and variance as `0/1`"))?;
    for (name, variable) in tensors.iter() {
        let value = match name.rsplit('.').next() {
            Some("running_mean") => mean,
            Some("running_var") => var,
            _ => continue,
        };
        variable.set(&variable.ones_like()?.affine(value, 0.0)?)?;
    }
    Ok(())
}

impl Subject {
    fn of(what: &str) -> Option<Subject> {
        let says = |word| what.contains(word);
        Some(match () {
            () if says("norm weight") => Subject::NormWeights,
            () if says("bias") && !says(".") => Subject::Biases,
            () if says("conv") && !says(".") => Subject::Convolutions,
            () if says("1-d") => Subject::Vectors,
            () if says("rest") || says("others") => Subject::Rest,
            () if says(".") && !says(" ") => Subject::Named(what.to_owned()),
            () => return None,
        })
    }

    fn is(&self, name: &str, dimensions: usize) -> bool {
        match self {
            Subject::Convolutions => dimensions == 4,
            Subject::Biases => name.ends_with("bias"),
            Subject::NormWeights => dimensions == 1 && name.ends_with("weight"),
            Subject::Vectors => dimensions == 1,
            Subject::Named(ending) => name.ends_with(ending),
            Subject::Rest => true,
        }
    }
}
