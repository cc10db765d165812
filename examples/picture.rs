//! Makes the README's pictures from a real run: `cargo run --release --example picture`.
//!
//! It queues the experiments of the repository in a temporary store, opens the dashboard in a pseudo-terminal, waits for
//! what the picture should show, and writes the screen as SVG into `docs/pictures/`.

#![allow(clippy::disallowed_methods)] // no file of a store is written here

#[path = "../tests/terminal/mod.rs"]
mod terminal;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use terminal::Terminal;

const CELL: (f64, f64) = (8.4, 17.0);
const FOREGROUND: &str = "#d8dee9";
const BACKGROUND: &str = "#101418";
const SIXTEEN: [&str; 16] = [
    "#1d2229", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4", "#6b7280", "#ff7b86",
    "#b5e890", "#ffd98e", "#7cc4ff", "#dd9af0", "#6fd3df", "#ffffff",
];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = root.join("target/release/finetop");
    let built =
        Command::new(env!("CARGO")).args(["build", "--release"]).current_dir(root).status().expect("cargo runs");
    assert!(built.success(), "the program is built");
    let store = tempfile::tempdir().expect("a temporary store");
    let store = store.path().join("runs");
    let program = program.to_str().expect("a path in UTF-8");
    let environment = [("FINETOP_STORE", store.to_str().expect("a path in UTF-8"))];
    let names = ["emoji-overfit", "emoji-lr-1e-2", "emoji", "emoji-lr-1e-4"];
    let files = names.map(|name| format!("experiments/{name}.yaml"));
    let mut dashboard = Terminal::start(program, &files, (132, 38), root, &environment);
    dashboard.wait_for_text("2 done");
    // The running one is the first of the list.
    dashboard.type_keys("g");
    dashboard.wait_for("the last layers to be near a drop", |screen| {
        screen.contains("0003 emoji  fine_tune") && screen.contains("lr drops in 1")
    });
    settle(&dashboard);
    write(&dashboard, &root.join("docs/pictures/dashboard.svg"));
    dashboard.type_keys("q");
    dashboard.wait();
    let stopped = Command::new(program).args(["runner", "stop", "--now"]).env("FINETOP_STORE", &store).status();
    assert!(stopped.expect("finetop runs").success(), "the runner is stopped");
}

/// Waits for the end of the frame that is being written.
fn settle(dashboard: &Terminal) {
    let mut before = 0;
    while dashboard.bytes() != before {
        before = dashboard.bytes();
        std::thread::sleep(std::time::Duration::from_millis(15));
    }
}

fn write(dashboard: &Terminal, path: &Path) {
    let svg = dashboard.with_screen(svg);
    std::fs::write(path, svg).expect("the picture is written");
    println!("{}", path.display());
}

/// The screen as SVG, each run of cells of one style a text of fixed length, so that columns stay in line in any font.
fn svg(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let (width, height) = (f64::from(columns.get()) * CELL.0 + 20.0, f64::from(rows.get()) * CELL.1 + 20.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"'DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n"
    );
    for row in 0..rows.get() {
        let mut column = 0;
        while column < columns.get() {
            let style = style(screen, row, column);
            let start = column;
            let mut text = String::new();
            while column < columns.get() && self::style(screen, row, column) == style {
                let cell = screen.cell(row, column);
                match cell.map(|cell| cell.contents()) {
                    Some(contents) if !contents.is_empty() => text.push_str(contents),
                    _ if cell.is_some_and(|cell| cell.is_wide_continuation()) => {}
                    _ => text.push(' '),
                }
                column += 1;
            }
            span(&mut svg, row, start, column - start, &text, &style);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

#[derive(PartialEq)]
struct Style {
    foreground: String,
    background: Option<String>,
    bold: bool,
    dim: bool,
}

fn style(screen: &vt100::Screen, row: u16, column: u16) -> Style {
    let Some(cell) = screen.cell(row, column) else {
        return Style { foreground: FOREGROUND.into(), background: None, bold: false, dim: false };
    };
    let (foreground, background) = (colour(cell.fgcolor()), colour(cell.bgcolor()));
    let (foreground, background) = if cell.inverse() {
        (background.unwrap_or(BACKGROUND.into()), Some(foreground.unwrap_or(FOREGROUND.into())))
    } else {
        (foreground.unwrap_or(FOREGROUND.into()), background)
    };
    Style { foreground, background, bold: cell.bold(), dim: cell.dim() }
}

fn colour(colour: vt100::Color) -> Option<String> {
    match colour {
        vt100::Color::Default => None,
        vt100::Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
        vt100::Color::Idx(n @ 0..=15) => Some(SIXTEEN[usize::from(n)].to_owned()),
        vt100::Color::Idx(n @ 16..=231) => {
            let level = |v: u8| if v == 0 { 0 } else { 55 + 40 * v };
            let n = n - 16;
            Some(format!("#{:02x}{:02x}{:02x}", level(n / 36), level(n / 6 % 6), level(n % 6)))
        }
        vt100::Color::Idx(n) => Some(format!("#{0:02x}{0:02x}{0:02x}", 8 + 10 * (n - 232))),
    }
}

fn span(svg: &mut String, row: u16, column: u16, cells: u16, text: &str, style: &Style) {
    let (x, y, length) = (10.0 + f64::from(column) * CELL.0, 10.0 + f64::from(row) * CELL.1, f64::from(cells) * CELL.0);
    if let Some(background) = &style.background {
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{}\" fill=\"{background}\"/>",
            CELL.1
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let weight = if style.bold { " font-weight=\"bold\"" } else { "" };
    let opacity = if style.dim { " opacity=\"0.6\"" } else { "" };
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{length:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\" xml:space=\"preserve\"{weight}{opacity}>{escaped}</text>",
        y + CELL.1 * 0.78,
        style.foreground,
    );
}
