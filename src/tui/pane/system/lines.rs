//! What the lines of the pane say.

use ratatui::style::Style;

use super::spark::{bar, spark};
use crate::base::id::RunId;
use crate::base::text::{bytes, counted};
use crate::tui::app::App;
use crate::tui::meters::{Gpu, Host, Rates, Reading, Worker};
use crate::tui::paint::Row;
use crate::tui::theme::{Role, Theme};

/// Columns of what stands before a bar.
const LABEL: u16 = 9;
/// Share of memory, of a disk or of a GPU's memory from which on it is scarce.
const SCARCE: f64 = 0.9;

/// A line: what it is about, how it was, how it is.
#[derive(Debug, PartialEq)]
pub struct Line {
    label: String,
    history: Bars,
    /// With the role of each.
    parts: Vec<(String, Role)>,
}

#[derive(Debug, PartialEq)]
enum Bars {
    /// A figure over time, up to the most that it can be.
    Over(Vec<f64>, f64),
    /// Figures side by side.
    Beside(Vec<f64>, f64),
}

impl Line {
    fn new(label: impl Into<String>, history: Bars) -> Line {
        Line { label: label.into(), history, parts: Vec::new() }
    }

    fn and(mut self, text: impl Into<String>, role: Role) -> Line {
        self.parts.push((text.into(), role));
        self
    }

    /// What it says after its bars, and in which role.
    #[cfg(test)]
    pub fn parts(&self) -> Vec<(String, Role)> {
        self.parts.clone()
    }

    /// Draws it.
    pub fn draw(&self, theme: &Theme, row: &mut Row) {
        let width = row.left();
        let columns = usize::from((width / 4).clamp(4, 40));
        row.gap(1).put_within(&self.label, LABEL, theme.style(Role::Dim));
        let after = row.left().saturating_sub(width.saturating_sub(LABEL + 2));
        row.gap(after);
        let bars = match &self.history {
            Bars::Over(values, most) => spark(theme, values, *most, columns),
            Bars::Beside(values, most) => {
                let bars: String = values.iter().take(columns).map(|&value| bar(theme, value, *most)).collect();
                format!("{bars:<columns$}")
            }
        };
        row.put(&bars, theme.style(Role::Live));
        for (text, role) in &self.parts {
            let style: Style = theme.style(*role);
            row.gap(2).put(text, style);
        }
    }
}

/// The lines of the pane; none before the first reading.
pub fn of(app: &App) -> Vec<Line> {
    let history = &app.system.history;
    let Some(now) = history.last() else { return Vec::new() };
    let over = |figure: &dyn Fn(&Reading) -> Option<f64>| history.series(figure);
    let mut lines = machine(now, &over);
    lines.extend(now.gpus.iter().map(|gpu| self::gpu(gpu, &over)));
    lines.extend(now.workers.iter().map(|worker| self::worker(worker, now, &over)));
    lines
}

type Over<'a> = dyn Fn(&dyn Fn(&Reading) -> Option<f64>) -> Vec<f64> + 'a;

fn machine(now: &Reading, over: &Over) -> Vec<Line> {
    let Host { cores, load, swap_used, swap_total, space, disk, network } = &now.host;
    let all = 100.0 * cores.len() as f64;
    let mut cpu = Line::new("cpu", Bars::Over(over(&|reading| Some(f64::from(reading.cpu))), all))
        .and(format!("{}%", now.cpu), Role::Strong)
        .and(format!("of {} cores", cores.len()), Role::Dim);
    if let Some([one, five, fifteen]) = load {
        cpu = cpu.and(format!("load {one:.2} {five:.2} {fifteen:.2}"), Role::Plain);
    }
    let each = Line::new("cores", Bars::Beside(cores.iter().map(|&core| f64::from(core)).collect(), 100.0))
        .and(percents(cores), Role::Dim);
    let total = now.memory_total as f64;
    let memory = Line::new("memory", Bars::Over(over(&|reading| Some(reading.memory_used as f64)), total))
        .and(bytes(now.memory_used), scarce(now.memory_used, now.memory_total, Role::Strong))
        .and(format!("of {}", bytes(now.memory_total)), Role::Dim)
        .and(format!("swap {} of {}", bytes(*swap_used), bytes(*swap_total)), Role::Plain);
    let mut disks = rates("disk", over(&|reading| reading.host.disk.map(both)), *disk, ["read", "written"]);
    if let Some((free, of)) = space {
        let role = scarce(of.saturating_sub(*free), *of, Role::Plain);
        disks = disks.and(format!("{} free of {}", bytes(*free), bytes(*of)), role);
    }
    let networks = rates("network", over(&|reading| reading.host.network.map(both)), *network, ["in", "out"]);
    vec![cpu, each, memory, disks, networks]
}

fn gpu(gpu: &Gpu, over: &Over) -> Line {
    let busy = |reading: &Reading| reading.gpus.iter().find(|other| other.index == gpu.index)?.busy.map(f64::from);
    let mut line = Line::new(format!("gpu {}", gpu.index), Bars::Over(over(&busy), 100.0));
    if let Some(busy) = gpu.busy {
        line = line.and(format!("{busy}%"), Role::Strong);
    }
    if let Some((used, total)) = gpu.memory {
        line = line.and(format!("{} of {}", bytes(used), bytes(total)), scarce(used, total, Role::Plain));
    }
    if let Some(degrees) = gpu.temperature {
        line = line.and(format!("{degrees} C"), Role::Plain);
    }
    if let Some((watts, most)) = gpu.power {
        let most = most.map(|most| format!(" of {most:.0}")).unwrap_or_default();
        line = line.and(format!("{watts:.0}{most} W"), Role::Plain);
    }
    let runs: Vec<String> = gpu.runs.iter().map(RunId::to_string).collect();
    let line = if runs.is_empty() { line.and("no run", Role::Dim) } else { line.and(runs.join(" "), Role::Live) };
    line.and(gpu.name.clone(), Role::Dim)
}

fn worker(worker: &Worker, now: &Reading, over: &Over) -> Line {
    let cpu = |reading: &Reading| {
        reading.workers.iter().find(|other| other.id == worker.id).map(|worker| f64::from(worker.cpu))
    };
    let most = 100.0 * now.host.cores.len().max(1) as f64;
    let line = Line::new(worker.id.to_string(), Bars::Over(over(&cpu), most))
        .and(format!("{}%", worker.cpu), Role::Strong)
        .and(bytes(worker.memory), Role::Plain)
        .and(worker.name.clone(), Role::Live);
    let line = match worker.threads {
        Some(threads) => line.and(counted(threads, "thread"), Role::Plain),
        None => line,
    };
    line.and(format!("read {}  written {}", rate(worker.disk.read), rate(worker.disk.written)), Role::Plain)
}

fn rates(label: &str, values: Vec<f64>, now: Option<Rates>, [read, written]: [&str; 2]) -> Line {
    let most = values.iter().copied().fold(0.0, f64::max);
    let line = Line::new(label, Bars::Over(values, most));
    match now {
        Some(now) => line
            .and(format!("{read} {}", rate(now.read)), Role::Plain)
            .and(format!("{written} {}", rate(now.written)), Role::Plain),
        None => line.and("not told by this system", Role::Dim),
    }
}

fn both(rates: Rates) -> f64 {
    rates.read + rates.written
}

fn rate(bytes_per_s: f64) -> String {
    format!("{}/s", bytes(bytes_per_s.max(0.0) as u64))
}

/// Of the first few cores.
fn percents(cores: &[u32]) -> String {
    const MOST: usize = 16;
    let mut texts: Vec<String> = cores.iter().take(MOST).map(u32::to_string).collect();
    if cores.len() > MOST {
        texts.push("…".into());
    }
    texts.join(" ")
}

fn scarce(used: u64, of: u64, role: Role) -> Role {
    if of > 0 && used as f64 / of as f64 >= SCARCE { Role::Bad } else { role }
}
