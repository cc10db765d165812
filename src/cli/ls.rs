//! `finetop ls`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;
use serde::de::value::{Error as Unknown, StrDeserializer};

use super::failure::Failure;
use super::output;
use crate::base::text::{duration, metric, printable, truncated, width};
use crate::record::life::Cause;
use crate::record::select::{Facts, Word};
use crate::record::state::Status;
use crate::record::summary::Row;
use crate::record::{self, Store, listing};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these: numbers, ranges, beginnings of names, `tag:T`, `name:emoji-*` and others, as for `finetop cancel`.
    #[arg(value_name = "RUN")]
    runs: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Only runs of this group.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Only runs in this state, as `failed`; may be given several times.
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Vec<Status>,
}

fn state(text: &str) -> Result<Status, String> {
    Status::deserialize(StrDeserializer::<Unknown>::new(text)).map_err(|error| error.to_string())
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let words = args.runs.iter().map(|text| Word::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let mut rows = match Store::open(store) {
        Ok(store) => listing::rows(&store)?,
        Err(record::Error::NoStore { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let none_at_all = rows.is_empty();
    rows.retain(|row| args.wants(row) && (words.is_empty() || selected(&words, row)));
    if args.json {
        output::json(&rows);
    } else if none_at_all {
        output::note("no runs yet; queue one with `finetop add FILE.yaml`");
    } else if rows.is_empty() {
        output::note("no such runs");
    } else {
        let head = ["id", "name", "state", "epoch", "best", "time", "reason"].map(str::to_owned);
        let rows: Vec<[String; 7]> = std::iter::once(head).chain(rows.iter().map(cells)).collect();
        output::raw(&table(&rows));
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn wants(&self, row: &Row) -> bool {
        let group = self.group.as_ref().is_none_or(|group| row.place.group.as_ref() == Some(group));
        group && (self.state.is_empty() || self.state.contains(&row.state))
    }
}

fn selected(words: &[Word], row: &Row) -> bool {
    let facts = Facts::of(row);
    words.iter().any(|word| word.selects(&facts))
}

fn cells(row: &Row) -> [String; 7] {
    let epoch = match row.progress.planned_epochs {
        0 => String::new(),
        planned => format!("{}/{planned}", row.progress.epoch),
    };
    let best = row
        .best
        .as_ref()
        .map_or(String::new(), |best| truncated(&printable(&format!("{} {}", best.monitor, metric(best.value))), 40));
    let time = row.times.seconds.map_or(String::new(), |seconds| duration(Duration::from_secs_f64(seconds)));
    let reason = row.reason.map_or("", Cause::words);
    [
        row.id.to_string(),
        truncated(&printable(&row.name), 40),
        row.state.name().into(),
        epoch,
        best,
        time,
        reason.into(),
    ]
}

/// Rows of printable cells in columns as wide as their widest cell.
fn table(rows: &[[String; 7]]) -> String {
    let mut widths = [0; 7];
    for row in rows {
        row.iter().zip(&mut widths).for_each(|(cell, widest)| *widest = width(cell).max(*widest));
    }
    let mut text = String::new();
    for row in rows {
        for (cell, &column) in row.iter().zip(&widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', column - width(cell) + 2));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_in_line_also_with_wide_characters() {
        let head = ["id", "name", "state", "epoch", "best", "time", "reason"].map(str::to_owned);
        let row = |name: &str| ["0001", name, "queued", "", "", "", ""].map(str::to_owned);
        let text = table(&[head, row("grüße"), row("🍎🍎")]);
        let columns: Vec<usize> =
            text.lines().map(|line| width(&line[..line.find("state").or(line.find("queued")).unwrap()])).collect();
        assert_eq!(columns, [13, 13, 13]);
    }
}
