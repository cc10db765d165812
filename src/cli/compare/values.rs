//! Which value of which key does best, as a table.

use crate::base::text::metric;
use crate::cli::output;
use crate::cli::table::{COLUMNS, Table};
use crate::record::compare::values::{Key, Outcome, Values};
use crate::record::settings::{labels, shown};

/// Columns of a bar.
const BAR: usize = 12;

/// Prints the table, if two values of any key can be told apart.
pub fn print(values: &Values) {
    let Some(monitor) = values.monitor.as_deref().filter(|_| values.keys.iter().any(|key| key.effect.is_some())) else {
        return;
    };
    output::line("");
    table(values, monitor).lines(COLUMNS).iter().for_each(|line| output::line(line));
    let better = if values.more_is_better { "more" } else { "less" };
    output::note(&format!(
        "mean and best {monitor} of the runs with each value, {better} is better; * marks the best mean"
    ));
}

fn table(values: &Values, monitor: &str) -> Table {
    let head = ["key", "value", &format!("mean {monitor}"), "", "best", "of run", "n"].map(str::to_owned).to_vec();
    let keys: Vec<String> = values.keys.iter().map(|key| key.key.clone()).collect();
    let of_key = |(key, label): (&Key, String)| {
        let first = std::iter::once(label).chain(std::iter::repeat(String::new()));
        key.values.iter().zip(first).map(|(outcome, label)| row(values, label, outcome)).collect::<Vec<_>>()
    };
    let rows = values.keys.iter().zip(labels(&keys)).flat_map(of_key).collect();
    Table::new(head, rows)
}

fn row(values: &Values, label: String, outcome: &Outcome) -> Vec<String> {
    let figure = |figure: Option<f64>| figure.map_or("–".to_owned(), metric);
    let bar = |mean: f64| "█".repeat(1 + (values.share(mean) * (BAR - 1) as f64).round() as usize);
    vec![
        label,
        shown(&outcome.value),
        figure(outcome.mean) + if outcome.is_best { "*" } else { "" },
        outcome.mean.map_or(String::new(), bar),
        figure(outcome.best),
        outcome.best_run.map_or(String::new(), |id| id.to_string()),
        outcome.n.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::RunId;

    #[test]
    fn each_value_has_a_line_and_the_best_a_mark() {
        let outcome = |value: f64, mean: Option<f64>, is_best: bool| Outcome {
            value: value.into(),
            n: 2,
            mean,
            best: mean,
            best_run: mean.map(|_| RunId(3)),
            is_best,
        };
        let values = vec![outcome(0.1, Some(0.5), false), outcome(0.2, Some(0.75), true), outcome(0.3, None, false)];
        let key = Key { key: "train.lr".into(), effect: Some(0.25), values };
        let values = Values { monitor: Some("val_accuracy".into()), more_is_better: true, keys: vec![key] };
        let lines = table(&values, "val_accuracy").lines(COLUMNS);
        assert_eq!(
            lines,
            [
                "key  value  mean val_accuracy                best   of run  n",
                "lr   0.1    .5000              █             .5000  0003    2",
                "     0.2    .7500*             ████████████  .7500  0003    2",
                "     0.3    –                                –              2",
            ]
        );
    }
}
