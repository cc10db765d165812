//! Printing: results to standard output, messages to standard error, nothing from a file ever obeyed by the terminal.

use std::io::{self, IsTerminal, Write};

use crate::base::text::printable;
use crate::experiment::Mistakes;

/// Prints a line of the result for people.
pub fn line(text: &str) {
    raw(&format!("{}\n", printable(text)));
}

/// Prints text for programs, as it is. A reader that went away (`| head`) ends the program quietly, as Unix tools do.
pub fn raw(text: &str) {
    let mut out = io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Prints a value as JSON on one line per value, or indented where a person reads it.
pub fn json(value: &impl serde::Serialize) {
    let text =
        if io::stdout().is_terminal() { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    match text {
        Ok(text) => raw(&(text + "\n")),
        Err(error) => self::error(&format!("could not write JSON: {error}")),
    }
}

/// `error: …` on standard error. The text may have several lines.
pub fn error(text: &str) {
    message("error", "\x1b[1;31m", text);
}

/// `hint: …` on standard error.
pub fn hint(text: &str) {
    message("hint", "\x1b[1;36m", text);
}

/// `note: …` on standard error.
pub fn note(text: &str) {
    message("note", "\x1b[1m", text);
}

/// `warning: …` on standard error.
pub fn warning(text: &str) {
    message("warning", "\x1b[1;33m", text);
}

/// The mistakes of an experiment file, with the lines they are in.
pub fn mistakes(mistakes: &Mistakes) {
    let _ = writeln!(io::stderr(), "{}", mistakes.render(colours()).trim_end());
}

/// A line on standard error without a label.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{}", lines_printable(text));
}

fn message(label: &str, colour: &str, text: &str) {
    let text = lines_printable(text);
    let mut stderr = io::stderr().lock();
    let _ = if colours() {
        writeln!(stderr, "{colour}{label}\x1b[0m: {text}")
    } else {
        writeln!(stderr, "{label}: {text}")
    };
}

fn lines_printable(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// Whether standard error takes colours (<https://no-color.org>).
pub fn colours() -> bool {
    io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
