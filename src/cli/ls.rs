//! `finetop ls`.

use std::path::Path;
use std::process::ExitCode;

use super::failure::Failure;
use super::output;
use crate::base::text::{duration, metric, printable, truncated, width};
use crate::record::summary::Row;
use crate::record::{self, RunState, Store, StoreView};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let view = match Store::open(store) {
        Ok(store) => StoreView::open(store),
        Err(record::Error::NoStore { .. }) => return none_yet(args.json),
        Err(error) => return Err(error.into()),
    };
    if let Some(problem) = view.problem {
        return Err(problem.into());
    }
    if args.json {
        let rows: Vec<Row> =
            view.runs.iter().filter_map(|(&id, run)| Some(Row::new(run, view.dir(id)?.path()))).collect();
        output::json(&rows);
        return Ok(ExitCode::SUCCESS);
    }
    if view.runs.is_empty() {
        return none_yet(false);
    }
    let rows: Vec<[String; 7]> = view.runs.values().map(|run| row(run)).collect();
    let head = ["id", "name", "state", "epoch", "best", "time", "reason"].map(str::to_owned);
    table(&head, &rows).lines().for_each(output::line);
    Ok(ExitCode::SUCCESS)
}

fn none_yet(json: bool) -> Result<ExitCode, Failure> {
    if json {
        output::json(&Vec::<Row>::new());
    } else {
        output::note("no runs yet; queue one with `finetop add FILE.yaml`");
    }
    Ok(ExitCode::SUCCESS)
}

fn row(run: &RunState) -> [String; 7] {
    let training = &run.training;
    let epoch = match (training.epochs.last(), training.planned_epochs()) {
        (_, 0) => String::new(),
        (last, planned) => format!("{}/{planned}", last.map_or(0, |epoch| epoch.epoch)),
    };
    let best = training.best.as_ref().map_or(String::new(), |best| format!("{} {}", best.monitor, metric(best.value)));
    let time = run.running_time(crate::base::clock::now()).map_or(String::new(), duration);
    let reason = run.cause().map_or("", |cause| cause.words());
    [run.id.to_string(), printable(&run.name), run.status().name().into(), epoch, best, time, reason.into()]
}

/// Rows in columns as wide as their widest cell, names cut at 40 columns.
fn table(head: &[String; 7], rows: &[[String; 7]]) -> String {
    let cut = |cell: &String| truncated(cell, 40);
    let widths: Vec<usize> = (0..head.len())
        .map(|column| rows.iter().chain([head]).map(|row| width(&cut(&row[column]))).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in [head].into_iter().chain(rows) {
        let mut line = String::new();
        for (cell, &column) in row.iter().map(cut).zip(&widths) {
            line.push_str(&cell);
            line.extend(std::iter::repeat_n(' ', column - width(&cell) + 2));
        }
        text.push_str(line.trim_end());
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
        let text = table(&head, &[row("grüße"), row("🍎🍎")]);
        let columns: Vec<usize> =
            text.lines().map(|line| width(&line[..line.find("state").or(line.find("queued")).unwrap()])).collect();
        assert_eq!(columns, [13, 13, 13]);
    }
}
