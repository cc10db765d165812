//! The pictures of the README: that what draws them draws a screen cell by cell, and that they are what it made.

#[path = "../examples/pictures/glyph.rs"]
mod glyph;
#[path = "../examples/pictures/svg.rs"]
mod svg;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;
use std::path::Path;

use proptest::prelude::*;

use glyph::{CELL, Glyph, glyph};

/// What a reader of the SVG sees: the colour of each pixel that an area covers, the letters of each cell.
struct Seen {
    pixels: BTreeMap<(u16, u16), String>,
    letters: BTreeMap<(u16, u16), (char, String)>,
}

fn attribute<'a>(line: &'a str, name: &str) -> &'a str {
    let rest = line.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("no {name} in {line}")).1;
    rest.split('"').next().unwrap()
}

fn number(text: &str) -> u16 {
    text.parse().unwrap_or_else(|_| panic!("a number, not {text}"))
}

/// Reads the lines of an SVG, each of which is one element of a kind that is known.
fn see(svg: &str) -> Seen {
    let mut seen = Seen { pixels: BTreeMap::new(), letters: BTreeMap::new() };
    for line in svg.lines().skip_while(|line| !line.starts_with("<g")) {
        if line.starts_with("<text ") {
            let (column, row) = (number(attribute(line, "x")) / CELL.0, number(attribute(line, "y")) / CELL.1);
            let text = line.split_once('>').unwrap().1.strip_suffix("</text>").unwrap();
            let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            assert!(number(attribute(line, "textLength")) >= CELL.0);
            for (n, c) in text.chars().enumerate() {
                let colour = attribute(line, "fill").to_owned();
                assert!(seen.letters.insert((row, column + n as u16), (c, colour)).is_none(), "drawn twice: {line}");
            }
        } else if line.starts_with("<path ") {
            if !line.contains(" transform=") && !line.contains(" stroke=") {
                paint(&mut seen.pixels, attribute(line, "d"), attribute(line, "fill"));
            }
        } else {
            assert!(line.starts_with("<g ") || ["</g>", "</svg>"].contains(&line), "unknown: {line}");
        }
    }
    seen
}

/// Paints the areas of a path: `M` left, top, `h` width, `v` height, back.
fn paint(pixels: &mut BTreeMap<(u16, u16), String>, path: &str, colour: &str) {
    for area in path.split('M').skip(1) {
        let parts: Vec<u16> = area.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).map(number).collect();
        let [left, top, width, height, back] = parts[..] else { panic!("an area, not {area}") };
        assert_eq!(width, back);
        for y in top..top + height {
            for x in left..left + width {
                pixels.insert((x, y), colour.to_owned());
            }
        }
    }
}

/// The quarters of a cell that are of the letter's colour: top left, top right, bottom left, bottom right.
const BLOCKS: [(char, [bool; 4]); 11] = [
    ('█', [true; 4]),
    ('▀', [true, true, false, false]),
    ('▄', [false, false, true, true]),
    ('▌', [true, false, true, false]),
    ('▐', [false, true, false, true]),
    ('▘', [true, false, false, false]),
    ('▝', [false, true, false, false]),
    ('▖', [false, false, true, false]),
    ('▗', [false, false, false, true]),
    ('▚', [true, false, false, true]),
    ('▟', [false, true, true, true]),
];

#[derive(Debug, Clone)]
struct Cell {
    text: char,
    /// A letter where there is none, as in a run of words.
    block: Option<[bool; 4]>,
    colours: [u8; 2],
    is_inverse: bool,
}

fn cells(count: usize) -> impl Strategy<Value = Vec<Cell>> {
    let block = proptest::sample::select(BLOCKS.to_vec()).prop_map(|(c, quarters)| (c, Some(quarters)));
    let letter = proptest::sample::select("ab <&>éß…  ".chars().collect::<Vec<_>>()).prop_map(|c| (c, None));
    let cell = (prop_oneof![block, letter], [1u8..4, 5u8..8], any::<bool>());
    let cell = cell.prop_map(|((text, block), colours, is_inverse)| Cell { text, block, colours, is_inverse });
    proptest::collection::vec(cell, count)
}

fn screen(columns: u16, rows: u16, output: &str) -> vt100::Parser {
    let mut parser = vt100::Parser::new(NonZeroU16::new(rows).unwrap(), NonZeroU16::new(columns).unwrap(), 0);
    parser.process(output.as_bytes());
    parser
}

proptest! {
    /// Colours are told apart by their red part alone.
    #[test]
    fn each_cell_is_drawn_as_the_terminal_has_it(cells in cells(7 * 5)) {
        let mut output = String::new();
        for (n, cell) in cells.iter().enumerate() {
            let [fore, back] = cell.colours;
            let inverse = if cell.is_inverse { "\x1b[7m" } else { "" };
            let (row, column) = (n / 7 + 1, n % 7 + 1);
            output += &format!("\x1b[{row};{column}H\x1b[0;38;2;{fore};0;0;48;2;{back};0;0m{inverse}{}", cell.text);
        }
        let seen = see(&svg::svg(screen(7, 5, &output).screen(), "cells"));
        for (n, cell) in cells.iter().enumerate() {
            let (row, column) = (n as u16 / 7, n as u16 % 7);
            let [fore, back] = if cell.is_inverse { [cell.colours[1], cell.colours[0]] } else { cell.colours };
            let colour = |red: u8| format!("#{red:02x}0000");
            for (quarter, is_fore) in cell.block.unwrap_or_default().into_iter().enumerate() {
                let x = column * CELL.0 + if quarter % 2 == 1 { 6 } else { 1 };
                let y = row * CELL.1 + if quarter > 1 { 13 } else { 2 };
                prop_assert_eq!(&seen.pixels[&(x, y)], &colour(if is_fore { fore } else { back }));
            }
            let letter = seen.letters.get(&(row, column));
            match (cell.block, cell.text) {
                (None, ' ') => prop_assert!(letter.is_none_or(|(c, _)| *c == ' ')),
                (None, text) => prop_assert_eq!(letter, Some(&(text, colour(fore)))),
                (Some(_), _) => prop_assert_eq!(letter, None),
            }
        }
    }
}

#[test]
fn lines_reach_the_next_cell() {
    // The edges that a character's line touches: left, right, top, bottom.
    for (c, edges) in [
        ('─', [true, true, false, false]),
        ('┃', [false, false, true, true]),
        ('┌', [false, true, false, true]),
        ('┛', [true, false, true, false]),
        ('┤', [true, false, true, true]),
        ('┼', [true; 4]),
    ] {
        let Glyph::Lines(areas) = glyph(c) else { panic!("{c} is a line") };
        let touches = |edge: fn(&glyph::Area) -> bool| areas.iter().any(edge);
        let touched = [
            touches(|a| a.0 == 0),
            touches(|a| a.0 + a.2 == CELL.0),
            touches(|a| a.1 == 0),
            touches(|a| a.1 + a.3 == CELL.1),
        ];
        assert_eq!(touched, edges, "{c}");
    }
}

#[test]
fn braille_and_shades_are_drawn_and_what_a_font_may_lack_stands_alone() {
    assert_eq!(glyph('⠁'), Glyph::Dots(vec![(2, 2)]));
    assert_eq!(glyph('⢀'), Glyph::Dots(vec![(6, 14)]));
    assert_eq!(glyph('▒'), Glyph::Shade(0.5));
    let drawn = svg::svg(screen(8, 1, "ab↻日c").screen(), "<&>");
    let texts: Vec<&str> = drawn.lines().filter(|line| line.starts_with("<text")).collect();
    assert_eq!(texts.len(), 4, "{drawn}");
    assert_eq!(attribute(texts[2], "textLength"), (2 * CELL.0).to_string(), "a wide one has two cells");
    assert!(drawn.contains("<title>&lt;&amp;&gt;</title>"));
}

/// Every picture is shown, is made by the script, is of the kind that it makes, and is small; every one shown is there.
#[test]
fn the_pictures_are_those_that_the_documents_show() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut shown = BTreeSet::new();
    for (document, folder) in
        [("README.md", "docs/pictures/"), ("docs/dashboard.md", "pictures/"), ("docs/pitfalls.md", "pictures/")]
    {
        for link in read(document).split(&format!("]({folder}")).skip(1) {
            shown.insert(link.split(')').next().unwrap().to_owned());
        }
    }
    let script = read("examples/pictures/scenes.rs") + &read("examples/pictures/pitfalls.rs");
    for name in &shown {
        let svg = read(&format!("docs/pictures/{name}"));
        assert!(svg.len() < 150_000, "{name}: {} bytes", svg.len());
        assert!(!see(&svg).letters.is_empty(), "{name} has letters");
        let name = name.strip_suffix(".svg").unwrap();
        assert!(script.contains(&format!(".picture(\"{name}\"")), "{name} is made by the script");
    }
    let files = std::fs::read_dir(root.join("docs/pictures")).unwrap();
    let files: BTreeSet<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, shown);
}
