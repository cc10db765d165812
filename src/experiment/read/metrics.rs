//! The keys `train.metrics` and `monitor`.

use crate::base::text::printable;
use crate::experiment::meant;
use crate::experiment::mistakes::{Finding, quoted};
use crate::experiment::section::{Section, text_of};
use crate::experiment::tree::{Kind, Node};
use crate::experiment::{Measure, Metric};

/// What is watched, where it is said.
pub(super) fn monitor(section: &Section) -> Option<Metric> {
    let given = section.given("monitor")?;
    let metric = text_of(given.node).filter(|text| is_shown_as_it_is(text)).and_then(|text| text.parse().ok());
    if metric.is_none() {
        section.wrong(given);
    }
    metric
}

/// What `train.metrics` lists, and what is `watched` beside it.
pub(super) fn measures<'w>(train: &Section, watched: impl Iterator<Item = &'w Metric>) -> Vec<Measure> {
    let mut measures = typed(train);
    for metric in watched {
        if let Metric::Val(figure) = metric
            && !measures.iter().any(|measure| measure.gives(figure))
        {
            measures.push(Measure::One(figure.clone()));
        }
    }
    measures
}

fn typed(train: &Section) -> Vec<Measure> {
    let Some(given) = train.given("metrics") else { return Vec::new() };
    let Kind::List(items) = &given.node.kind else {
        train.wrong(given);
        return Vec::new();
    };
    let mut measures: Vec<(Measure, &Node)> = Vec::new();
    for item in items {
        let Some(text) = text_of(item) else {
            let message = format!("a metric is {}, expected a name as `f1`", item.described());
            train.found(Finding::new(item.place, message));
            continue;
        };
        let Some(measure) = text.parse::<Measure>().ok().filter(|_| is_shown_as_it_is(text)) else {
            train.found(unknown(text, item));
            continue;
        };
        match measures.iter().find(|(other, _)| *other == measure) {
            Some((_, first)) => {
                let finding = Finding::new(item.place, format!("{} is listed twice", quoted(text)));
                train.found(finding.also(first.place, "first here"));
            }
            None => measures.push((measure, item)),
        }
    }
    measures.into_iter().map(|(measure, _)| measure).collect()
}

fn unknown(text: &str, item: &Node) -> Finding {
    let finding = Finding::new(item.place, format!("no metric is called {}", quoted(text)));
    let always = ["loss", "accuracy", "val_loss", "val_accuracy"].contains(&text);
    match (text.strip_prefix("val_").map(str::parse::<Measure>), meant::measure(text)) {
        _ if always => finding.hint("loss and accuracy are always there: remove it"),
        (Some(Ok(measure)), _) => finding.hint(format!("write `{measure}`: all of them are of validation")),
        (_, Some(near)) => finding.hint(format!("did you mean `{near}`?")),
        (_, None) => finding.hint(format!("the metrics are {}", meant::measures())),
    }
}

/// A class's name goes into the record and onto terminals.
fn is_shown_as_it_is(text: &str) -> bool {
    printable(text) == text
}
