//! How a phase changes in its course: its rates, and what learns when.

use crate::base::text::learning_rate;
use crate::experiment::{By, Schedule};
use crate::record::words;
use crate::train::PhasePlan;

/// Epochs whose rates are told.
const MOST: usize = 12;

/// Lines about the schedule and the layers that are unfrozen; none where nothing changes.
pub fn lines(phase: &PhasePlan, schedule: &Schedule) -> Vec<String> {
    let mut lines = Vec::new();
    if *schedule != Schedule::CONSTANT {
        lines.push(format!("  schedule  {}", name(schedule)));
        lines.push(format!("            epochs begin with {}", rates(&phase.rates)));
    }
    let mut before: Vec<&String> = phase.layers.iter().filter(|l| l.trainable).map(|l| &l.name).collect();
    for (epoch, learns) in &phase.unfreezes {
        let fresh: Vec<String> = learns.iter().filter(|name| !before.contains(name)).cloned().collect();
        lines.push(format!("  unfreezes {} from epoch {epoch} of the phase", words::layers(&fresh)));
        before = learns.iter().collect();
    }
    lines
}

fn name(schedule: &Schedule) -> String {
    let by = |by| match by {
        By::Step => "by steps",
        By::Epoch => "by epochs",
    };
    let words = match *schedule {
        Schedule::Constant { .. } => "constant".to_owned(),
        Schedule::Step { every, factor, .. } => format!("times {factor} after each {every} epochs"),
        Schedule::Exponential { factor, by: at, .. } => format!("times {factor} an epoch, {}", by(at)),
        Schedule::Cosine { min_lr, cycles: 1, by: at, .. } => {
            format!("cosine to {}, {}", learning_rate(min_lr), by(at))
        }
        Schedule::Cosine { min_lr, cycles, by: at, .. } => {
            format!("{cycles} cosines to {}, {}", learning_rate(min_lr), by(at))
        }
        Schedule::Linear { min_lr, by: at, .. } => format!("linear to {}, {}", learning_rate(min_lr), by(at)),
        Schedule::Polynomial { power, min_lr, by: at, .. } => {
            format!("to {} by the power {power}, {}", learning_rate(min_lr), by(at))
        }
        Schedule::OneCycle { pct_start, div_factor, final_div_factor } => {
            format!(
                "one cycle, up from lr / {div_factor} in {pct_start} of the steps, down to that / {final_div_factor}"
            )
        }
    };
    match schedule.warmup_epochs() {
        0.0 => words,
        warmup => format!("{words}, after a warm-up of {warmup} epochs"),
    }
}

/// `1: 0.0, 2: 1.0e-3, …, 20: 1.0e-5`, as many as can be taken in.
fn rates(rates: &[f64]) -> String {
    let told = |index: usize| format!("{}: {}", index + 1, learning_rate(rates[index]));
    let each = rates.len().div_ceil(MOST).max(1);
    let mut shown: Vec<String> = (0..rates.len()).step_by(each).map(told).collect();
    let last = rates.len().saturating_sub(1);
    if last % each != 0 {
        shown.push(told(last));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LayerSummary;

    fn layer(name: &str, trainable: bool) -> LayerSummary {
        LayerSummary { name: name.into(), kind: "Fire", output_shape: vec![], parameters: 1, trainable }
    }

    fn plan(rates: Vec<f64>, unfreezes: Vec<(u32, Vec<String>)>) -> PhasePlan {
        PhasePlan {
            name: "head".into(),
            epochs: rates.len() as u32,
            steps_per_epoch: 2,
            lr: 1e-3,
            rates,
            layers: vec![layer("fire8", false), layer("fire9", false), layer("head.output", true)],
            layer_rates: vec![1.0; 3],
            unfreezes,
            trainable_parameters: 1,
            cached_layers: None,
        }
    }

    #[test]
    fn a_course_is_told_by_its_epochs() {
        assert_eq!(lines(&plan(vec![1e-3; 3], vec![]), &Schedule::CONSTANT), Vec::<String>::new());
        let warm = Schedule::Cosine { min_lr: 0.0, cycles: 2, by: By::Step, warmup_epochs: 0.5 };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let more = vec![(2, names(&["fire9", "head.output"])), (3, names(&["fire8", "fire9", "head.output"]))];
        let said = lines(&plan(vec![0.0, 1e-3, 5e-4], more), &warm);
        assert_eq!(said[0], "  schedule  2 cosines to 0, by steps, after a warm-up of 0.5 epochs");
        assert!(said[1].contains("1: 0") && said[1].contains("3: 5") && said[1].ends_with("e-4"), "{}", said[1]);
        assert_eq!(
            said[2..],
            ["  unfreezes fire9 from epoch 2 of the phase", "  unfreezes fire8 from epoch 3 of the phase"]
        );
    }

    #[test]
    fn of_many_epochs_some_are_told_and_the_last() {
        for count in [0, 1, 12, 13, 30, 1000] {
            let said = rates(&vec![1e-3; count]);
            assert!(said.split(", ").count() <= MOST + 1, "{said}");
            assert!(count == 0 || said.contains(&format!("{count}: ")), "{said}");
        }
    }
}
