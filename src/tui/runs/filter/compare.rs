//! Conditions on numbers: `best.val_loss<0.3`, `epoch>5`, `elapsed>10m`.

use super::super::run::{self, Run};
use crate::record::summary::Row;

/// A condition on a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    field: Field,
    sign: Sign,
    value: f64,
}

/// A number that a run has.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Id,
    /// Epochs that ended.
    Epoch,
    /// Epochs that are planned.
    Epochs,
    /// In percent.
    Progress,
    Priority,
    Attempts,
    /// In seconds.
    Elapsed,
    /// In seconds.
    Eta,
    /// Of whatever is monitored.
    Best,
    /// A figure of the best epoch.
    Figure(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    Other,
}

/// The longer ones first, since they begin with a shorter one.
const SIGNS: [(&str, Sign); 7] = [
    ("<=", Sign::AtMost),
    (">=", Sign::AtLeast),
    ("==", Sign::Equal),
    ("!=", Sign::Other),
    ("<", Sign::Less),
    (">", Sign::More),
    ("=", Sign::Equal),
];

impl Comparison {
    /// Reads a condition; None for what is none, as a name.
    pub fn parse(text: &str) -> Option<Result<Comparison, String>> {
        let at = text.find(['<', '>', '=', '!']).filter(|&at| at > 0)?;
        let (name, rest) = text.split_at(at);
        let (written, sign) = SIGNS.into_iter().find(|(written, _)| rest.starts_with(written))?;
        let field = Field::named(name);
        // Names of a sweep's runs have an equals sign, as `lr=0.1`.
        if written == "=" && matches!(field, Field::Figure(_)) {
            return None;
        }
        let value = rest[written.len()..].trim();
        Some(match value {
            "" => Err(format!("nothing comes after {name}{written}")),
            _ => field.value(value).map(|value| Comparison { field, sign, value }),
        })
    }

    /// Whether it holds for a run; it does not for one that has no such number.
    pub fn holds(&self, run: &Run) -> bool {
        let Some(number) = self.field.of(run) else { return false };
        match self.sign {
            Sign::Less => number < self.value,
            Sign::AtMost => number <= self.value,
            Sign::More => number > self.value,
            Sign::AtLeast => number >= self.value,
            Sign::Equal => (number - self.value).abs() < 1e-9,
            Sign::Other => (number - self.value).abs() >= 1e-9,
        }
    }

    /// What is wrong with a figure that no run has.
    pub fn figure_that_none_has<'a>(&self, rows: impl Iterator<Item = &'a Row> + Clone) -> Option<String> {
        let Field::Figure(name) = &self.field else { return None };
        let mut names = rows.flat_map(run::figures);
        let mut nearest: Option<(f64, &str)> = None;
        if names.any(|known| {
            let likeness = strsim::jaro_winkler(known, name);
            if likeness > nearest.map_or(0.8, |(best, _)| best) {
                nearest = Some((likeness, known));
            }
            known == name
        }) {
            return None;
        }
        let hint = nearest.map_or(String::new(), |(_, known)| format!("; did you mean {known}?"));
        Some(format!("no run has {name}{hint}"))
    }
}

impl Field {
    fn named(name: &str) -> Field {
        match name {
            "id" => Field::Id,
            "epoch" => Field::Epoch,
            "epochs" => Field::Epochs,
            "progress" => Field::Progress,
            "priority" => Field::Priority,
            "attempts" => Field::Attempts,
            "elapsed" | "time" => Field::Elapsed,
            "eta" | "ETA" => Field::Eta,
            "best" => Field::Best,
            name => Field::Figure(name.strip_prefix("best.").unwrap_or(name).to_owned()),
        }
    }

    fn of(&self, run: &Run) -> Option<f64> {
        let row = run.row;
        match self {
            Field::Id => Some(f64::from(row.id.0)),
            Field::Epoch => Some(f64::from(row.progress.epoch)),
            Field::Epochs => Some(f64::from(row.progress.planned_epochs)).filter(|&planned| planned > 0.0),
            Field::Progress => run.share().map(|share| 100.0 * share),
            Field::Priority => Some(f64::from(row.place.priority)),
            Field::Attempts => Some(f64::from(row.attempts)),
            Field::Elapsed => run.elapsed(None).map(|time| time.as_secs_f64()),
            Field::Eta => run.eta().map(|time| time.as_secs_f64()),
            Field::Best => run.best().map(|(_, value, _)| value),
            Field::Figure(name) => run.figure(name),
        }
    }

    fn value(&self, text: &str) -> Result<f64, String> {
        let value = match self {
            Field::Elapsed | Field::Eta => seconds(text),
            Field::Progress => text.trim_end_matches('%').parse().ok(),
            _ => text.parse().ok(),
        };
        let example = match self {
            Field::Elapsed | Field::Eta => "90s, 10m or 1h30m",
            _ => "5 or 0.3",
        };
        value.filter(|value: &f64| value.is_finite()).ok_or_else(|| format!("{text} is no number, as {example}"))
    }
}

/// Seconds of `90`, `90s`, `10m`, `1h30m`, `2d`.
fn seconds(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(seconds);
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let unit = rest[end..].chars().next()?;
        let length = match unit {
            's' => 1.0,
            'm' => 60.0,
            'h' => 3600.0,
            'd' => 86_400.0,
            _ => return None,
        };
        total += number * length;
        rest = &rest[end + unit.len_utf8()..];
    }
    Some(total)
}
