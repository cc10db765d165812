//! `finetop verify [DIR]`: whether this build, on this machine and device, computes what Keras and PyTorch do.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::failure::Failure;
use super::output::{self, line};
use crate::base::text::width;
use crate::train::verify::{self, Case, Measure, Report};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of figures; without it those that the program brings along.
    dir: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn main(args: Args) -> Result<ExitCode, Failure> {
    let files = match &args.dir {
        Some(dir) => verify::of_folder(dir).map_err(|e| Failure::usage(e.to_string()))?,
        None => verify::built_in(),
    };
    let (device, name) = verify::device().map_err(|e| Failure::failed(e.to_string()))?;
    let report = verify::replay(&files, &device);
    if args.json {
        output::json(&as_json(&report, &name));
    } else {
        print(&report, &name);
    }
    for (file, note) in &report.notes {
        output::warning(&format!("{file}: {note}"));
    }
    end(report, args.dir)
}

/// What the exit code says.
fn end(report: Report, dir: Option<PathBuf>) -> Result<ExitCode, Failure> {
    let beyond: Vec<String> = beyond(&report).map(|case| format!("{}: {}", case.file, case.name)).collect();
    let mut errors = report.errors.into_iter().map(|error| Failure::usage(error.to_string()));
    if let Some(first) = errors.next() {
        let last = errors.fold(first, |before, error| {
            before.report();
            error
        });
        return Err(last);
    }
    match (report.cases.len(), beyond.len()) {
        (0, _) => {
            let path = dir.unwrap_or_default();
            Err(Failure::usage(verify::Error::NoFigures { path }.to_string()))
        }
        (_, 0) => Ok(ExitCode::SUCCESS),
        (all, _) => Err(Failure::failed(format!(
            "{} of {all} are beyond their tolerance:\n  {}",
            beyond.len(),
            beyond.join("\n  ")
        ))),
    }
}

fn beyond(report: &Report) -> impl Iterator<Item = &Case> {
    report.cases.iter().filter(|case| !case.holds())
}

fn print(report: &Report, device: &str) {
    const HEAD: [&str; 5] = ["file", "figures", "largest error", "tolerance", ""];
    let rows: Vec<[String; 5]> = [HEAD.map(str::to_owned)].into_iter().chain(report.cases.iter().map(row)).collect();
    let widths: [usize; 5] = std::array::from_fn(|at| rows.iter().map(|row| width(&row[at])).max().unwrap_or(0));
    for row in &rows {
        // numbers are in line at their end
        let cells = row.iter().zip(widths).enumerate().map(|(at, (cell, wide))| {
            let gap = " ".repeat(wide - width(cell));
            if at == 2 { gap + cell } else { cell.clone() + &gap }
        });
        line(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    let holding = report.cases.iter().filter(|case| case.holds()).count();
    line(&format!("{holding} of {} within their tolerance on {device}", report.cases.len()));
}

fn row(case: &Case) -> [String; 5] {
    let number = |value: f64| match case.measure {
        Measure::Differing => value.to_string(),
        _ => format!("{value:.1e}"),
    };
    let tolerance = match case.measure {
        Measure::Absolute => number(case.tolerance),
        Measure::Relative => format!("{} relative", number(case.tolerance)),
        Measure::OfLargest => format!("{} of the largest", number(case.tolerance)),
        Measure::Differing => format!("{} that differ", number(case.tolerance)),
    };
    let verdict = if case.holds() { "ok" } else { "FAIL" };
    [case.file.clone(), case.name.clone(), number(case.error), tolerance, verdict.to_owned()]
}

fn as_json(report: &Report, device: &str) -> serde_json::Value {
    let cases = report.cases.iter().map(|case| {
        // a NaN is no JSON
        let error = if case.error.is_finite() { json!(case.error) } else { json!(case.error.to_string()) };
        json!({
            "file": case.file, "name": case.name, "error": error, "tolerance": case.tolerance,
            "measure": case.measure, "ok": case.holds(),
        })
    });
    let notes = report.notes.iter().map(|(file, note)| json!({ "file": file, "note": note }));
    json!({
        "device": device,
        "cases": cases.collect::<Vec<_>>(),
        "beyond": beyond(report).count(),
        "notes": notes.collect::<Vec<_>>(),
        "errors": report.errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
