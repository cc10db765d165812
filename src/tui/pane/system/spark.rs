//! The last minutes of a figure in one line.

use crate::tui::theme::Theme;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['_', '.', ',', '-', '=', '+', '*', '#'];

/// The last `columns` of `values`, the newest at the right, as bars from 0 to `most`; of nothing at all it shows nothing.
pub fn spark(theme: &Theme, values: &[f64], most: f64, columns: usize) -> String {
    let shown = &values[values.len().saturating_sub(columns)..];
    let bars: String = shown.iter().map(|&value| bar(theme, value, most)).collect();
    format!("{bars:>columns$}")
}

/// A bar as high as `value` is of `most`.
pub fn bar(theme: &Theme, value: f64, most: f64) -> char {
    let share = if most > 0.0 { (value / most).clamp(0.0, 1.0) } else { 0.0 };
    let bars = if theme.ascii { ASCII } else { BARS };
    // What is not quite nothing is told from nothing.
    bars[((share * 7.0).ceil() as usize).min(7)]
}
