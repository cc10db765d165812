//! Ranges, ticks and their labels.

use serde::{Deserialize, Serialize};

use super::XAxis;

/// A range that holds all finite `values` and is never empty: equal values get some room above and below. None where
/// nothing is finite.
pub fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return None;
    }
    let room = (low.abs() * 0.1).max(1e-3);
    Some(if high - low > low.abs() * 1e-12 { (low, high) } else { (low - room, high + room) })
}

/// A value of the axis that is named.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// In what the axis measures: the logarithm, where it has logarithms.
    pub at: f64,
    pub label: String,
}

/// Whether an axis measures values or their logarithms.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    #[default]
    Linear,
    Log,
}

/// Round numbers inside of a range, with what lies between two.
#[derive(Debug, Clone, PartialEq)]
struct Round {
    at: Vec<f64>,
    step: f64,
}

/// At most `most` round numbers (1, 2 or 5 times a power of ten apart) inside of `low..=high`.
fn round((low, high): (f64, f64), most: usize) -> Round {
    let span = high / 2.0 - low / 2.0;
    if most == 0 || !span.is_finite() || span <= 0.0 {
        return Round { at: Vec::new(), step: 0.0 };
    }
    let least = span / most as f64 * 2.0;
    let power = 10f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0, 20.0].map(|times| times * power);
    every(least, &steps, (low, high), most)
}

/// The multiples of the smallest of `steps` that is no smaller than `least` and gives at most `most` of them.
fn every(least: f64, steps: &[f64], (low, high): (f64, f64), most: usize) -> Round {
    let fits = |step: f64| ((high / step + 1e-9).floor() - (low / step - 1e-9).ceil()) < most as f64;
    let found = steps.iter().copied().find(|&step| step >= least * 0.999_999 && fits(step));
    let step = found.unwrap_or_else(|| steps.last().copied().unwrap_or(1.0) * 2.5);
    let first = (low / step - 1e-9).ceil();
    let at = (0..most).map(|i| (first + i as f64) * step).take_while(|&at| at <= high + step * 1e-9);
    Round { at: at.filter(|at| at.is_finite()).collect(), step }
}

/// At most `most` ticks of a vertical axis from `low` to `high`.
pub fn values(range: (f64, f64), measure: Measure, most: usize) -> Vec<Tick> {
    let ticks = match measure {
        Measure::Linear => {
            let round = round(range, most);
            round.at.iter().map(|&at| Tick { at, label: label(at, round.step) }).collect()
        }
        Measure::Log => logarithms(range, most),
    };
    rising(ticks)
}

/// Without those that are as good as the one before, in a range so small that numbers end.
fn rising(mut ticks: Vec<Tick>) -> Vec<Tick> {
    ticks.dedup_by(|tick, before| tick.at <= before.at);
    ticks
}

/// Powers of ten; where there are few, their halves and fifths too, or any round numbers.
fn logarithms((low, high): (f64, f64), most: usize) -> Vec<Tick> {
    // Beyond these no number has a logarithm.
    let is_usual = low.abs() < 400.0 && high.abs() < 400.0;
    if most == 0 || !is_usual {
        return Vec::new();
    }
    let powers = (low - 1e-9).ceil() as i64..(high + 1e-9).floor() as i64 + 1;
    let count = usize::try_from(powers.end.saturating_sub(powers.start)).unwrap_or(0);
    if count >= 2 {
        let stride = count.div_ceil(most);
        return powers.step_by(stride).map(|power| Tick { at: power as f64, label: power_of_ten(power) }).collect();
    }
    let bounds = (10f64.powf(low), 10f64.powf(high));
    let power = 10f64.powf(low.floor());
    let parts = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0].map(|part| part * power);
    let inside: Vec<f64> =
        parts.into_iter().filter(|&part| part >= bounds.0 * 0.999_999 && part <= bounds.1 * 1.000_001).collect();
    if (2..=most).contains(&inside.len()) {
        let name = |at: f64| if at < 0.01 { short(at) } else { label(at, at) };
        return inside.into_iter().map(|at| Tick { at: at.log10(), label: name(at) }).collect();
    }
    let round = round(bounds, most);
    let ticks = round.at.iter().filter(|&&at| at > 0.0);
    ticks.map(|&at| Tick { at: at.log10(), label: label(at, round.step) }).collect()
}

fn power_of_ten(power: i64) -> String {
    match power {
        -2..=4 => label(10f64.powi(power as i32), 10f64.powi(power as i32)),
        _ => format!("1e{power}"),
    }
}

/// A tick's label, with as many decimals as its step needs and without the leading zero: `.95`, `1.2`, `40`, `2e-5`.
pub fn label(value: f64, step: f64) -> String {
    if value.abs() < step * 1e-9 {
        return "0".into();
    }
    if value.abs() >= 1e5 || step < 0.999e-4 {
        let digits = (value.abs().log10().floor() - (step * 1.000_001).log10().floor()).clamp(0.0, 3.0) as usize;
        return format!("{value:.digits$e}");
    }
    let decimals = (-(step * 1.000_001).log10().floor()).clamp(0.0, 5.0) as usize;
    let text = format!("{value:.decimals$}");
    match text.strip_prefix("0.") {
        Some(rest) => format!(".{rest}"),
        None => text.strip_prefix("-0.").map_or(text.clone(), |rest| format!("-.{rest}")),
    }
}

/// A small number such as a learning rate in short: `3e-4`, `2.5e-5`, `1.25e-5`.
pub fn short(value: f64) -> String {
    format!("{value:.2e}").replace(".00e", "e").replace("0e", "e")
}

/// At most `most` ticks of a horizontal axis.
pub fn across(axis: XAxis, window: (f64, f64), most: usize) -> Vec<Tick> {
    let ticks = match axis {
        XAxis::Epoch => epochs(window, most),
        XAxis::Step => {
            let round = whole(window, most);
            let is_named = |at: &&f64| **at > 0.0 || window.0 < 0.0;
            round.at.iter().filter(is_named).map(|&at| Tick { at, label: count(at, round.step) }).collect()
        }
        XAxis::Time => times(window, most),
    };
    rising(ticks)
}

/// Round numbers that are whole, as long as the range holds two.
fn whole((low, high): (f64, f64), most: usize) -> Round {
    let round = round((low, high), most);
    if round.step >= 1.0 || (high - low < 2.0 && low > 0.0) {
        return round;
    }
    every(1.0, &[1.0, 2.0], (low, high), most)
}

/// The first epoch, round ones, the last.
fn epochs((low, high): (f64, f64), most: usize) -> Vec<Tick> {
    let Round { mut at, step } = whole((low, high), most);
    at.retain(|&at| at > 0.0);
    if low < 1.0 && step > 1.0 {
        at.insert(0, 1.0);
    }
    let last = high.floor();
    if step >= 1.0 && at.last().is_some_and(|&before| last - before >= step * 0.6) {
        at.push(last);
    }
    if at.is_empty() && step >= 1.0 && low < 1.0 && high >= 1.0 {
        at.push(1.0);
    }
    at.into_iter().map(|at| Tick { at, label: label(at, step.min(1.0)).replace(".0", "") }).collect()
}

/// A count in short: `950`, `1.5k`, `2M`.
fn count(value: f64, step: f64) -> String {
    let (unit, name) = match value.abs() {
        1e9.. => (1e9, "G"),
        1e6.. => (1e6, "M"),
        1e4.. => (1e3, "k"),
        1e3.. if step >= 100.0 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let decimals = (-(step / unit * 1.000_001).log10().floor()).clamp(0.0, 3.0) as usize;
    let text = format!("{:.decimals$}", value / unit);
    let text = if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{name}")
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

fn times((low, high): (f64, f64), most: usize) -> Vec<Tick> {
    const STEPS: [f64; 20] = [
        1.0,
        2.0,
        5.0,
        10.0,
        15.0,
        30.0,
        MINUTE,
        2.0 * MINUTE,
        5.0 * MINUTE,
        10.0 * MINUTE,
        15.0 * MINUTE,
        30.0 * MINUTE,
        HOUR,
        2.0 * HOUR,
        3.0 * HOUR,
        6.0 * HOUR,
        12.0 * HOUR,
        DAY,
        2.0 * DAY,
        5.0 * DAY,
    ];
    let least = (high - low) / most.max(1) as f64;
    let is_usual = (0.5..5.0 * DAY).contains(&least) && most > 0;
    let round = if is_usual { every(least, &STEPS, (low, high), most) } else { round((low, high), most) };
    let ticks = round.at.iter().filter(|&&at| at > 0.0);
    ticks.map(|&at| Tick { at, label: time(at, round.step) }).collect()
}

/// Seconds as `0:30`, `2:00`, `1h`, `1h30`, `2d`; `step` says how exact.
pub fn time(seconds: f64, step: f64) -> String {
    if step < 1.0 {
        return format!("{}s", label(seconds, step));
    }
    let all = seconds.round().clamp(0.0, 1e15) as u64;
    let (days, hours, minutes, seconds) = (all / 86_400, all / 3_600, all / 60 % 60, all % 60);
    match (step, hours) {
        (DAY.., _) => format!("{days}d"),
        (_, 0) => format!("{minutes}:{seconds:02}"),
        (HOUR.., _) => format!("{hours}h"),
        (MINUTE.., _) if minutes == 0 => format!("{hours}h"),
        (MINUTE.., _) => format!("{hours}h{minutes:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests;
