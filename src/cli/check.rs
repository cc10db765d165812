//! `finetop check PATH…`: what would run, without training it.

use std::path::Path;
use std::process::ExitCode;

mod course;
mod memory;
mod sweep;

use super::failure::Failure;
use super::load::Files;
use super::output::{self, line};
use crate::base::text::{grouped, learning_rate};
use crate::experiment::{self, AdamVariant, Experiment, Loaded, Optimizer, Task};
use crate::model::LayerSummary;
use crate::record::life::Cause;
use crate::train::{self, PhasePlan, Plan};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    files: Files,
}

pub fn main(args: Args) -> Result<ExitCode, Failure> {
    let files = args.files.load_each()?;
    let mut checked = Checked::default();
    for file in &files {
        match &*file.runs {
            [one] => checked.in_full(&one.experiment, 0),
            runs => checked.sweep(&file.path, runs),
        }
    }
    all(checked.failures, checked.experiments)
}

/// Kinds of runs of a sweep that are looked at; each takes as long as reading the data and building the network.
const MOST_KINDS: usize = 12;

#[derive(Default)]
struct Checked {
    failures: Vec<Failure>,
    /// How many were looked at.
    experiments: usize,
    has_printed: bool,
}

impl Checked {
    fn in_full(&mut self, experiment: &Experiment, alike: usize) {
        if let Some(plan) = self.plan(experiment, alike) {
            self.paragraph();
            print(experiment, &plan);
        }
    }

    /// Which runs it is, then the first one in full, then what those are like that share not even data and layers with it.
    fn sweep(&mut self, path: &Path, runs: &[Loaded]) {
        self.paragraph();
        line(&format!("{}  a sweep of {} runs", path.display(), grouped(runs.len())));
        sweep::table(runs).iter().for_each(|text| line(text));
        memory::of_sweep(runs);
        let kinds = sweep::kinds(runs);
        let Some(((first, alike), others)) = kinds.split_first() else { return };
        self.in_full(first, *alike);
        for (experiment, alike) in others.iter().take(MOST_KINDS - 1) {
            if let Some(plan) = self.plan(experiment, *alike) {
                self.paragraph();
                print_short(experiment, &plan, *alike);
            }
        }
        if kinds.len() > MOST_KINDS {
            let rest = kinds.len() - MOST_KINDS;
            output::note(&format!(
                "{rest} further kinds of runs, of other data or layers, were not looked at in detail"
            ));
        }
    }

    /// What `experiment` would do, and as many runs that are like it; where it would not run, that is kept for the end.
    fn plan(&mut self, experiment: &Experiment, alike: usize) -> Option<Plan> {
        self.experiments += 1;
        match train::plan(experiment) {
            Ok(plan) => return Some(plan),
            Err(error) if error.is_before_download() => {
                self.paragraph();
                line(&format!("{}  {error}", experiment.name));
            }
            Err(error) => self.failures.push(failure(experiment, &error, alike)),
        }
        None
    }

    /// An empty line between two of them.
    fn paragraph(&mut self) {
        if std::mem::replace(&mut self.has_printed, true) {
            line("");
        }
    }
}

/// One failure is told as it is; of several each, and then how many.
fn all(mut failures: Vec<Failure>, experiments: usize) -> Result<ExitCode, Failure> {
    let wrong = failures.len();
    if wrong <= 1 {
        return failures.pop().map_or(Ok(ExitCode::SUCCESS), Err);
    }
    for failure in failures {
        failure.report();
    }
    Err(Failure::usage(format!("{wrong} of {experiments} experiments would not run")))
}

fn failure(experiment: &Experiment, error: &train::Error, alike: usize) -> Failure {
    let message = format!("{}{}: {error}", experiment.name, and_alike(alike));
    let failure = if error.cause() == Cause::Experiment { Failure::usage(message) } else { Failure::failed(message) };
    failure.maybe_hint(error.hint())
}

fn and_alike(alike: usize) -> String {
    match alike {
        0 => String::new(),
        1 => " and 1 run like it".to_owned(),
        n => format!(" and {n} runs like it"),
    }
}

/// The weights and the memory, and what learns in each phase.
fn print_short(experiment: &Experiment, plan: &Plan, alike: usize) {
    line(&format!("{}{}  on {}", experiment.name, and_alike(alike), plan.device));
    line(&format!("  weights   {}", plan.weights));
    memory::of_run(experiment, &plan.memory);
    for phase in &plan.phases {
        line(&format!("  phase     {}: {} parameters learn", phase.name, grouped(phase.trainable_parameters)));
    }
}

fn print(experiment: &Experiment, plan: &Plan) {
    line(&format!("{}  on {}", experiment.name, plan.device));
    data(experiment, plan);
    line(&format!("  weights   {}", plan.weights));
    memory::of_run(experiment, &plan.memory);
    experiment.notes().iter().for_each(|note| output::note(note));
    if let Some(norm) = experiment.train.clip_norm {
        line(&format!("  clipping  gradients of a norm above {norm} are shortened to it"));
    }
    if experiment.train.accumulate > 1 {
        let (batches, size) = (experiment.train.accumulate, experiment.train.batch_size);
        line(&format!("  steps     of {batches} batches of {size}"));
    }
    for (phase, spec) in plan.phases.iter().zip(&experiment.train.phases) {
        line("");
        self::phase(phase, spec);
    }
}

fn data(experiment: &Experiment, plan: &Plan) {
    let sum = |count: fn(&train::ClassCount) -> usize| plan.classes.iter().map(count).sum::<usize>();
    line(&format!(
        "  data      {} training and {} validation {}",
        sum(|class| class.train),
        sum(|class| class.val),
        match experiment.task {
            Task::ImageClassification => "pictures",
            Task::TextClassification => "texts",
        }
    ));
    for class in &plan.classes {
        line(&format!("            {:<20} {:>7} {:>7}", class.name, grouped(class.train), grouped(class.val)));
    }
    for skipped in &plan.skipped {
        output::warning(&format!("{} is left out: {}", skipped.source, skipped.reason));
    }
}

/// As Keras' `model.summary()` has it.
fn phase(phase: &PhasePlan, spec: &experiment::Phase) {
    line(&format!(
        "phase {}: at most {} epochs of {} steps, lr {}, {}",
        phase.name,
        phase.epochs,
        phase.steps_per_epoch,
        learning_rate(phase.lr),
        optimizer(&spec.optimizer)
    ));
    course::lines(phase, &spec.schedule).iter().for_each(|text| line(text));
    line(&format!("  {:<16} {:<22} {:<15} {:>12}  {}", "layer", "type", "output shape", "parameters", "learns"));
    for (layer, rate) in phase.layers.iter().zip(&phase.layer_rates) {
        self::layer(layer, *rate);
    }
    let total: usize = phase.layers.iter().map(|layer| layer.parameters).sum();
    let learns = phase.trainable_parameters;
    line(&format!(
        "  total {}, learns {}, frozen {}",
        grouped(total),
        grouped(learns),
        grouped(total.saturating_sub(learns))
    ));
    if let Some(layers @ 1..) = phase.cached_layers {
        line(&format!("  the first {layers} layers are computed once for each sample and kept"));
    }
}

/// The rule and its figures but the rate; what is 0 is left out.
fn optimizer(optimizer: &Optimizer) -> String {
    let moments = |beta_1, beta_2, epsilon| format!("betas {beta_1} and {beta_2}, epsilon {epsilon:e}");
    let unless_0 = |name: &str, value: f64| if value == 0.0 { String::new() } else { format!(", {name} {value}") };
    match *optimizer {
        Optimizer::Adam { beta_1, beta_2, epsilon, variant, .. } => {
            let whose = match variant {
                AdamVariant::Keras => "Keras",
                AdamVariant::PyTorch => "PyTorch",
            };
            format!("adam (as in {whose}), {}", moments(beta_1, beta_2, epsilon))
        }
        Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay, .. } => {
            format!("adamw, {}{}", moments(beta_1, beta_2, epsilon), unless_0("weight decay", weight_decay))
        }
        Optimizer::Sgd { momentum, nesterov, weight_decay, dampening, .. } => {
            let momentum = unless_0(if nesterov { "Nesterov momentum" } else { "momentum" }, momentum);
            format!("sgd{momentum}{}{}", unless_0("dampening", dampening), unless_0("weight decay", weight_decay))
        }
        Optimizer::RmsProp { alpha, epsilon, momentum, weight_decay, .. } => {
            let rest = unless_0("momentum", momentum) + &unless_0("weight decay", weight_decay);
            format!("rmsprop, alpha {alpha}, epsilon {epsilon:e}{rest}")
        }
    }
}

/// `rate`: what its learning rate is multiplied by.
fn layer(layer: &LayerSummary, rate: f64) {
    let shape: Vec<String> = layer.output_shape.iter().map(ToString::to_string).collect();
    let learns = match (layer.parameters, layer.trainable) {
        (0, _) => String::new(),
        (_, true) if rate == 1.0 => "yes".to_owned(),
        (_, true) => format!("yes, lr × {}", (rate * 1e4).round() / 1e4),
        (_, false) => "frozen".to_owned(),
    };
    let shape = format!("({})", shape.join(", "));
    let text =
        format!("  {:<16} {:<22} {shape:<15} {:>12}  {learns}", layer.name, layer.kind, grouped(layer.parameters));
    line(text.trim_end());
}
