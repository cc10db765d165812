//! Characters that are drawn as shapes, so that lines join and blocks touch in any font.

/// A cell's width and height, in pixels of the picture.
pub const CELL: (u16, u16) = (8, 16);

/// An area in pixels: left, top, width, height.
pub type Area = (u16, u16, u16, u16);

/// How a character is drawn in its cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Glyph {
    /// Areas that may touch those of the next cell.
    Blocks(Vec<Area>),
    /// The whole cell with this share of the colour.
    Shade(f32),
    /// Thin areas, which may be blurred where the picture is made smaller.
    Lines(Vec<Area>),
    /// The middles of dots.
    Dots(Vec<(u16, u16)>),
    /// A path of SVG that is filled.
    Filled(&'static str),
    /// A path of SVG that is stroked.
    Stroked(&'static str),
    /// A letter of the font, among others of its line.
    Letter,
    /// A letter that the font may lack, and another one have in another width.
    Sign,
}

pub fn glyph(c: char) -> Glyph {
    let (width, height) = CELL;
    match c {
        '▀' => Glyph::Blocks(vec![(0, 0, width, height / 2)]),
        '▁'..='█' => {
            let part = (c as u16 - '▀' as u16) * height / 8;
            Glyph::Blocks(vec![(0, height - part, width, part)])
        }
        '▉'..='▏' => Glyph::Blocks(vec![(0, 0, ('▐' as u16 - c as u16) * width / 8, height)]),
        '▐' => Glyph::Blocks(vec![(width / 2, 0, width / 2, height)]),
        '░' => Glyph::Shade(0.25),
        '▒' => Glyph::Shade(0.5),
        '▓' => Glyph::Shade(0.75),
        '▖'..='▟' => Glyph::Blocks(quarters(c)),
        '\u{2800}'..='\u{28FF}' => Glyph::Dots(braille(c)),
        '╌' => Glyph::Lines(vec![(0, 7, 3, 1), (4, 7, 3, 1)]),
        '┊' => Glyph::Lines([0, 4, 8, 12].map(|top| (3, top, 1, 3)).to_vec()),
        '\u{2500}'..='\u{257F}' => arms(c).map_or(Glyph::Sign, |arms| Glyph::Lines(lines(arms))),
        '●' => Glyph::Filled("M1 8a3 3 0 1 0 6 0a3 3 0 1 0-6 0z"),
        '○' => Glyph::Stroked("M1.5 8a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0z"),
        '■' => Glyph::Filled("M1 5h6v6h-6z"),
        '□' => Glyph::Stroked("M1.5 5.5h5v5h-5z"),
        '▲' => Glyph::Filled("M4 4.5l3.5 6.5h-7z"),
        '△' => Glyph::Stroked("M4 5.5l2.8 5h-5.6z"),
        '▼' => Glyph::Filled("M.5 5h7l-3.5 6.5z"),
        '▾' => Glyph::Filled("M1 6h6l-3 4.5z"),
        '▶' => Glyph::Filled("M1 4l6.5 4l-6.5 4z"),
        '▸' => Glyph::Filled("M2 5l4.5 3l-4.5 3z"),
        '◆' => Glyph::Filled("M4 4l3.5 4l-3.5 4l-3.5-4z"),
        '◇' => Glyph::Stroked("M4 5l2.7 3l-2.7 3l-2.7-3z"),
        '★' => Glyph::Filled("M4 3.8l1 3.1h3l-2.5 1.9l1 3.1l-2.5-1.9l-2.5 1.9l1-3.1l-2.5-1.9h3z"),
        '✓' => Glyph::Stroked("M1 8.5l2.2 3l3.8-7"),
        '✗' => Glyph::Stroked("M1.5 4.5l5 7m0-7l-5 7"),
        ' '..='\u{24F}' | '–' | '…' | '“' | '”' => Glyph::Letter,
        _ => Glyph::Sign,
    }
}

/// The quarters that a character covers, in the order of Unicode.
fn quarters(c: char) -> Vec<Area> {
    let (width, height) = (CELL.0 / 2, CELL.1 / 2);
    // top left, top right, bottom left, bottom right
    let covered: &[usize] = match c {
        '▖' => &[2],
        '▗' => &[3],
        '▘' => &[0],
        '▙' => &[0, 2, 3],
        '▚' => &[0, 3],
        '▛' => &[0, 1, 2],
        '▜' => &[0, 1, 3],
        '▝' => &[1],
        '▞' => &[1, 2],
        _ => &[1, 2, 3],
    };
    covered.iter().map(|&n| (n as u16 % 2 * width, n as u16 / 2 * height, width, height)).collect()
}

fn braille(c: char) -> Vec<(u16, u16)> {
    const PLACES: [(u16, u16); 8] = [(2, 2), (2, 6), (2, 10), (6, 2), (6, 6), (6, 10), (2, 14), (6, 14)];
    let dots = c as u32 - 0x2800;
    (0..8).filter(|bit| dots >> bit & 1 == 1).map(|bit| PLACES[bit]).collect()
}

/// How thick the arms of a box's line are (0 to 2): to the left, to the right, up, down.
fn arms(c: char) -> Option<[u16; 4]> {
    Some(match c {
        '─' => [1, 1, 0, 0],
        '━' => [2, 2, 0, 0],
        '│' => [0, 0, 1, 1],
        '┃' => [0, 0, 2, 2],
        '┌' | '╭' => [0, 1, 0, 1],
        '┐' | '╮' => [1, 0, 0, 1],
        '└' | '╰' => [0, 1, 1, 0],
        '┘' | '╯' => [1, 0, 1, 0],
        '┏' => [0, 2, 0, 2],
        '┓' => [2, 0, 0, 2],
        '┗' => [0, 2, 2, 0],
        '┛' => [2, 0, 2, 0],
        '├' => [0, 1, 1, 1],
        '┤' => [1, 0, 1, 1],
        '┬' => [1, 1, 0, 1],
        '┴' => [1, 1, 1, 0],
        '┼' => [1, 1, 1, 1],
        _ => return None,
    })
}

fn lines([left, right, up, down]: [u16; 4]) -> Vec<Area> {
    let (width, height) = CELL;
    let (x, y) = (width / 2 - 1, height / 2 - 1);
    let (across, along) = (up.max(down), left.max(right));
    let arms = [(0, y, x + across, left), (x, y, width - x, right), (x, 0, up, y + along), (x, y, down, height - y)];
    arms.into_iter().filter(|area| area.2 > 0 && area.3 > 0).collect()
}
