//! A terminal's screen as SVG, cell by cell as it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::glyph::{Area, CELL, Glyph, glyph};

/// The colours of the terminal whose screen it is. The background is what [`super::terminal`] answers when it is asked.
const FOREGROUND: Color = [0xd8, 0xde, 0xe9];
const BACKGROUND: Color = [0x1e, 0x1e, 0x2e];
const SIXTEEN: [u32; 16] = [
    0x45475a, 0xe06c75, 0x98c379, 0xe5c07b, 0x61afef, 0xc678dd, 0x56b6c2, 0xc8ccd4, 0x6b7280, 0xff7b86, 0xb5e890,
    0xffd98e, 0x7cc4ff, 0xdd9af0, 0x6fd3df, 0xffffff,
];

/// Around the screen, in pixels.
const MARGIN: u16 = 10;
/// From the top of a cell to the foot of its letters, in pixels.
const BASELINE: u16 = 12;

type Color = [u8; 3];

#[derive(Clone, Copy, PartialEq)]
struct Style {
    foreground: Color,
    background: Color,
    bold: bool,
    italic: bool,
    underlined: bool,
}

/// Letters of one style in one row, from a column on.
struct Words {
    row: u16,
    column: u16,
    cells: u16,
    text: String,
    style: Style,
}

/// Colour, path, and whether it is filled.
type Sign = (Color, &'static str, bool);

/// What is drawn, by layer and colour; signs at their cells' corners.
#[derive(Default)]
struct Layers {
    backgrounds: BTreeMap<Color, Vec<Area>>,
    blocks: BTreeMap<Color, Vec<Area>>,
    lines: BTreeMap<Color, Vec<Area>>,
    dots: BTreeMap<Color, Vec<(u16, u16)>>,
    signs: BTreeMap<Sign, Vec<(u16, u16)>>,
    words: Vec<Words>,
}

/// The screen, with a title for those who do not see it.
pub fn svg(screen: &vt100::Screen, title: &str) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let mut layers = Layers::default();
    for row in 0..rows {
        for column in 0..columns {
            if let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) {
                layers.add(cell, row, column);
            }
        }
    }
    let (width, height) = (columns * CELL.0 + 2 * MARGIN, rows * CELL.1 + 2 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n<title>{}</title>\n<style>text{{font:13.3px 'DejaVu Sans Mono',Menlo,Consolas,monospace}}\
         .b{{font-weight:bold}}.i{{font-style:italic}}.u{{text-decoration:underline}}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{}\"/>\n\
         <g transform=\"translate({MARGIN} {MARGIN})\">\n",
        escaped(title),
        hex(BACKGROUND),
    );
    layers.write(&mut svg);
    svg.push_str("</g>\n</svg>\n");
    svg
}

impl Layers {
    fn add(&mut self, cell: &vt100::Cell, row: u16, column: u16) {
        let style = style(cell);
        let (x, y) = (column * CELL.0, row * CELL.1);
        let cells = if cell.is_wide() { 2 } else { 1 };
        if style.background != BACKGROUND {
            self.backgrounds.entry(style.background).or_default().push((x, y, cells * CELL.0, CELL.1));
        }
        let contents = cell.contents();
        let mut characters = contents.chars();
        let glyph = match (characters.next(), characters.next()) {
            (None, _) => Glyph::Letter,
            (Some(c), None) => glyph(c),
            (Some(_), Some(_)) => Glyph::Sign,
        };
        let color = style.foreground;
        let placed = |areas: Vec<Area>| areas.into_iter().map(move |(left, top, w, h)| (x + left, y + top, w, h));
        match glyph {
            Glyph::Blocks(areas) => self.blocks.entry(color).or_default().extend(placed(areas)),
            Glyph::Shade(share) => {
                let color = mixed(color, style.background, share);
                self.blocks.entry(color).or_default().push((x, y, CELL.0, CELL.1));
            }
            Glyph::Lines(areas) => self.lines.entry(color).or_default().extend(placed(areas)),
            Glyph::Dots(dots) => {
                self.dots.entry(color).or_default().extend(dots.into_iter().map(|(left, top)| (x + left, y + top)));
            }
            Glyph::Filled(path) => self.signs.entry((color, path, true)).or_default().push((x, y)),
            Glyph::Stroked(path) => self.signs.entry((color, path, false)).or_default().push((x, y)),
            Glyph::Letter => self.letter(if contents.is_empty() { " " } else { contents }, row, column, style),
            Glyph::Sign => self.words.push(Words { row, column, cells, text: contents.to_owned(), style }),
        }
    }

    /// Adds a letter to the words before it, or begins others. Two spaces end them.
    fn letter(&mut self, letter: &str, row: u16, column: u16, style: Style) {
        let last = self.words.last_mut().filter(|words| {
            words.row == row
                && words.column + words.cells == column
                && words.style == style
                && words.text.chars().count() == usize::from(words.cells)
                && words.text.chars().all(|c| glyph(c) == Glyph::Letter)
        });
        let blank = letter == " " && !style.underlined;
        match last {
            Some(words) if !(blank && words.text.ends_with(' ')) => {
                words.text.push_str(letter);
                words.cells += 1;
            }
            _ if blank => {}
            _ => self.words.push(Words { row, column, cells: 1, text: letter.to_owned(), style }),
        }
    }

    fn write(&self, svg: &mut String) {
        // Blocks that touch leave no gap between them, at whatever size they are shown.
        svg.push_str("<g shape-rendering=\"crispEdges\">\n");
        write_areas(svg, &self.backgrounds);
        write_areas(svg, &self.blocks);
        svg.push_str("</g>\n");
        write_areas(svg, &self.lines);
        for (&color, dots) in &self.dots {
            let path: String = dots.iter().map(|(x, y)| format!("M{x} {y}h0")).collect();
            let stroke = hex(color);
            let _ =
                writeln!(svg, "<path stroke=\"{stroke}\" stroke-width=\"2.6\" stroke-linecap=\"round\" d=\"{path}\"/>");
        }
        for (&(color, path, is_filled), places) in &self.signs {
            let color = hex(color);
            let paint = match is_filled {
                true => format!("fill=\"{color}\""),
                false => format!("fill=\"none\" stroke=\"{color}\" stroke-width=\"1.2\""),
            };
            for (x, y) in places {
                let _ = writeln!(svg, "<path {paint} transform=\"translate({x} {y})\" d=\"{path}\"/>");
            }
        }
        for words in &self.words {
            words.write(svg);
        }
    }
}

impl Words {
    fn write(&self, svg: &mut String) {
        let text = self.text.strip_suffix(' ').filter(|_| !self.style.underlined).unwrap_or(&self.text);
        let cells = self.cells - if text.len() < self.text.len() { 1 } else { 0 };
        let (x, y, length) = (self.column * CELL.0, self.row * CELL.1 + BASELINE, cells * CELL.0);
        let kinds = [(self.style.bold, "b"), (self.style.italic, "i"), (self.style.underlined, "u")];
        let kinds: Vec<&str> = kinds.iter().filter(|(is, _)| *is).map(|(_, class)| *class).collect();
        let class = if kinds.is_empty() { String::new() } else { format!(" class=\"{}\"", kinds.join(" ")) };
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{y}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\" \
             fill=\"{}\"{class}>{}</text>",
            hex(self.style.foreground),
            escaped(text),
        );
    }
}

fn write_areas(svg: &mut String, layer: &BTreeMap<Color, Vec<Area>>) {
    for (&color, areas) in layer {
        let path: String = joined(areas).iter().map(|(x, y, w, h)| format!("M{x} {y}h{w}v{h}h-{w}z")).collect();
        let _ = writeln!(svg, "<path fill=\"{}\" d=\"{path}\"/>", hex(color));
    }
}

/// Areas that touch in a row as one, and then those that lie on each other.
fn joined(areas: &[Area]) -> Vec<Area> {
    let mut sorted = areas.to_vec();
    sorted.sort_by_key(|&(x, y, _, h)| (y, h, x));
    let mut rows: Vec<Area> = Vec::new();
    for area in sorted {
        match rows.last_mut() {
            Some(last) if (last.1, last.3) == (area.1, area.3) && last.0 + last.2 >= area.0 => {
                last.2 = last.2.max(area.0 + area.2 - last.0);
            }
            _ => rows.push(area),
        }
    }
    rows.sort_by_key(|&(x, y, w, _)| (x, w, y));
    let mut joined: Vec<Area> = Vec::new();
    for area in rows {
        match joined.last_mut() {
            Some(last) if (last.0, last.2) == (area.0, area.2) && last.1 + last.3 >= area.1 => {
                last.3 = last.3.max(area.1 + area.3 - last.1);
            }
            _ => joined.push(area),
        }
    }
    joined
}

fn style(cell: &vt100::Cell) -> Style {
    let (mut foreground, mut background) =
        (color(cell.fgcolor()).unwrap_or(FOREGROUND), color(cell.bgcolor()).unwrap_or(BACKGROUND));
    if cell.inverse() {
        std::mem::swap(&mut foreground, &mut background);
    }
    if cell.dim() {
        foreground = mixed(foreground, background, 0.6);
    }
    Style { foreground, background, bold: cell.bold(), italic: cell.italic(), underlined: cell.underline() }
}

fn color(color: vt100::Color) -> Option<Color> {
    match color {
        vt100::Color::Default => None,
        vt100::Color::Rgb(r, g, b) => Some([r, g, b]),
        vt100::Color::Idx(n @ 0..=15) => {
            let [_, rgb @ ..] = SIXTEEN[usize::from(n)].to_be_bytes();
            Some(rgb)
        }
        vt100::Color::Idx(n @ 16..=231) => {
            let level = |v: u8| if v == 0 { 0 } else { 55 + 40 * v };
            let n = n - 16;
            Some([level(n / 36), level(n / 6 % 6), level(n % 6)])
        }
        vt100::Color::Idx(n) => Some([8 + 10 * (n - 232); 3]),
    }
}

/// `share` of the one colour, the rest of the other.
fn mixed(one: Color, other: Color, share: f32) -> Color {
    std::array::from_fn(|n| (f32::from(one[n]) * share + f32::from(other[n]) * (1.0 - share)).round() as u8)
}

fn hex([r, g, b]: Color) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
