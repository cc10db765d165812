use super::hanging::Wall;
use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::Rgb;
use proptest::prelude::*;
use ratatui::buffer::Buffer;

use crate::tui::theme::{Colors, Theme};

/// Four quarters of different colours.
fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => Rgb([255, 0, 0]),
        (false, true) => Rgb([0, 255, 0]),
        (true, false) => Rgb([0, 0, 255]),
        (false, false) => Rgb([250, 240, 230]),
    })
}

fn request(protocol: Protocol, room: (u16, u16)) -> Request {
    Request { path: PathBuf::new(), room: Size::new(room.0, room.1), protocol, cell: (8, 16) }
}

fn placement(number: u32, at: (u16, u16), form: Form) -> Placement {
    let size = Size::new(4, 2);
    let area = Rect::new(at.0, at.1, size.width, size.height);
    Placement { area, number, picture: Arc::new(Picture { size, form }) }
}

/// The sequences between `start` and `end` in `bytes`, without them.
fn sequences<'a>(bytes: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    bytes.split(start).skip(1).map(|rest| rest.split_once(end).unwrap().0).collect()
}

fn pixels(png: &[u8]) -> RgbImage {
    image::load_from_memory(png).unwrap().into_rgb8()
}

#[test]
fn the_terminal_decides_unless_the_person_does() {
    let auto = Setting::Auto;
    for (name, kitty, multiplexed, expected) in [
        ("kitty(0.40.1)", None, false, Protocol::Kitty),
        ("ghostty 1.2.0", Some(true), false, Protocol::Kitty),
        ("WezTerm 20240203", None, false, Protocol::Kitty),
        ("WezTerm 20240203", Some(false), false, Protocol::Iterm2),
        ("iTerm2 3.5.0", None, false, Protocol::Iterm2),
        ("iTerm.app", None, false, Protocol::Iterm2),
        ("foot(1.16.2)", None, false, Protocol::Sixel),
        ("mlterm", None, false, Protocol::Sixel),
        ("XTerm(390)", None, false, Protocol::Blocks),
        ("", Some(true), false, Protocol::Kitty),
        ("", None, false, Protocol::Blocks),
        ("kitty", Some(true), true, Protocol::Blocks),
        ("tmux 3.4", None, true, Protocol::Blocks),
    ] {
        let terminal = Terminal { name: Some(name.into()), kitty, multiplexed, ..Terminal::default() };
        assert_eq!(auto.protocol(&terminal), expected, "{name} {kitty:?}");
        let wished = Setting::read("sixel").unwrap();
        assert_eq!(wished.protocol(&terminal), Protocol::Sixel);
    }
    assert_eq!(Setting::read("auto"), Ok(Setting::Auto));
    assert_eq!(Setting::read("none"), Ok(Setting::Always(Protocol::None)));
    assert!(Setting::read("Kitty ").unwrap_err().contains("`Kitty `"));
}

#[test]
fn a_picture_keeps_its_aspect() {
    for (picture, room, cell, size) in [
        ((96, 96), (20, 10), (8, 16), (20, 10)),
        ((96, 96), (40, 10), (8, 16), (20, 10)),
        ((96, 96), (10, 10), (8, 16), (10, 5)),
        ((200, 100), (20, 10), (8, 16), (20, 5)),
        ((1, 1000), (20, 10), (8, 16), (1, 10)),
        ((96, 96), (20, 10), (10, 10), (10, 10)),
    ] {
        let fitted = fitted(picture, Size::new(room.0, room.1), cell);
        assert_eq!(fitted, Some(Size::new(size.0, size.1)), "{picture:?} in {room:?}");
    }
    assert_eq!(fitted((9, 9), Size::new(0, 3), CELL), None);
}

#[test]
fn kitty_is_sent_a_picture_once() {
    let noise = RgbImage::from_fn(90, 80, |x, y| {
        Rgb(crate::base::random::mix(u64::from(x * 90 + y)).to_le_bytes()[..3].try_into().unwrap())
    });
    let Some(Picture { form: Form::Kitty(png), .. }) = made(&noise, &request(Protocol::Kitty, (20, 10))) else {
        panic!("another form")
    };
    assert!(png.len() > 4096, "several chunks");
    let mut wall = Wall::default();
    let mut shown = Buffer::empty(Rect::new(0, 0, 40, 20));
    let first = [placement(7, (3, 5), Form::Kitty(png.clone()))];
    let bytes = String::from_utf8(wall.hang(&first, &[])).unwrap();
    let all = sequences(&bytes, "\x1b_G", "\x1b\\");
    let (data, commands): (Vec<&str>, Vec<&str>) = all.iter().partition(|sequence| sequence.contains(';'));
    assert!(all.iter().all(|sequence| sequence.contains("q=2")), "no answer is wanted");
    let chunks: Vec<(&str, &str)> = data.iter().map(|sequence| sequence.split_once(';').unwrap()).collect();
    assert!(chunks.iter().all(|(_, chunk)| chunk.len() <= 4096));
    assert!(chunks[0].0.starts_with(&format!("a=t,f=100,i={},", kitty::id(7))));
    let (last, before) = chunks.split_last().unwrap();
    assert!(last.0.ends_with("m=0") && before.iter().all(|(head, _)| head.ends_with("m=1")));
    let decoded: String = chunks.iter().map(|(_, chunk)| *chunk).collect();
    assert_eq!(pixels(&STANDARD.decode(decoded).unwrap()), noise);
    assert!(commands[0].starts_with(&format!("a=p,i={},", kitty::id(7))) && commands[0].contains("c=4,r=2,C=1"));
    assert!(bytes.contains("\x1b[6;4H"), "where the cursor is");

    assert!(wall.take_down(&first, &mut shown).is_empty() && wall.hang(&first, &[]).is_empty(), "nothing changed");
    let moved = [placement(7, (3, 8), Form::Kitty(png))];
    let gone = wall.take_down(&moved, &mut shown);
    assert!(gone.contains(&format!("a=d,d=i,i={},", kitty::id(7))));
    let again = String::from_utf8(wall.hang(&moved, &[])).unwrap();
    assert!(!again.contains("a=t") && again.contains("a=p"), "{again:?}");
    assert_eq!(wall.clear(), kitty::ALL_AWAY);
    assert!(wall.clear().is_empty(), "nothing hangs");
    wall.hang(&moved, &[]);
    assert!(wall.take_down(&[], &mut shown).contains("a=d"));
    assert_eq!(shown, Buffer::empty(shown.area), "cells are not touched");
}

#[test]
fn iterm2_is_sent_a_file() {
    let picture = quarters(96, 96);
    let Some(Picture { form: Form::Iterm2(png), size }) = made(&picture, &request(Protocol::Iterm2, (20, 10))) else {
        panic!("another form")
    };
    let bytes = iterm2::show(&png, size);
    let sequence = sequences(&bytes, "\x1b]1337;File=", "\x07")[0];
    let (head, data) = sequence.split_once(':').unwrap();
    for part in ["inline=1", "width=20", "height=10", &format!("size={}", png.len())] {
        assert!(head.split(';').any(|has| has == part), "{part} in {head}");
    }
    assert_eq!(pixels(&STANDARD.decode(data).unwrap()), picture);
}

/// Draws what a terminal with sixel would.
fn decoded_sixel(bytes: &[u8]) -> RgbImage {
    let text = std::str::from_utf8(bytes).unwrap();
    let body = text.strip_prefix("\x1bP0;1;0q").unwrap().strip_suffix("\x1b\\").unwrap();
    let mut letters = body.chars().peekable();
    let numbers = |letters: &mut std::iter::Peekable<std::str::Chars>| {
        let mut all = vec![0u32];
        while let Some(letter) = letters.next_if(|letter| letter.is_ascii_digit() || *letter == ';') {
            match letter.to_digit(10) {
                Some(digit) => *all.last_mut().unwrap() = all.last().unwrap() * 10 + digit,
                None => all.push(0),
            }
        }
        all
    };
    assert_eq!(letters.next(), Some('"'));
    let raster = numbers(&mut letters);
    let mut picture = RgbImage::from_pixel(raster[2], raster[3], Rgb([1, 2, 3]));
    let mut palette = std::collections::HashMap::new();
    let (mut x, mut y, mut colour, mut repeat) = (0, 0, 0, 1);
    while let Some(letter) = letters.next() {
        match letter {
            '#' => match numbers(&mut letters)[..] {
                [place, 2, r, g, b] => drop(palette.insert(place, Rgb([r, g, b].map(|p| (p * 255 / 100) as u8)))),
                [place] => colour = place,
                ref other => panic!("{other:?}"),
            },
            '!' => repeat = numbers(&mut letters)[0],
            '$' => x = 0,
            '-' => (x, y) = (0, y + 6),
            '?'..='~' => {
                let bits = letter as u32 - '?' as u32;
                for _ in 0..std::mem::replace(&mut repeat, 1) {
                    (0..6)
                        .filter(|row| bits >> row & 1 == 1)
                        .for_each(|row| picture.put_pixel(x, y + row, palette[&colour]));
                    x += 1;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    picture
}

#[test]
fn sixels_are_the_picture() {
    for (width, height) in [(96, 96), (40, 13), (1, 1), (7, 6), (300, 20)] {
        let picture = quarters(width, height);
        let seen = decoded_sixel(&sixel::encode(&picture));
        assert_eq!(seen.dimensions(), picture.dimensions());
        let worst = seen.as_raw().iter().zip(picture.as_raw()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= 3, "{width}x{height}: off by {worst}");
    }
    let gradient = RgbImage::from_fn(64, 64, |x, y| Rgb([(x * 4) as u8, (y * 4) as u8, 128]));
    let seen = decoded_sixel(&sixel::encode(&gradient));
    let off: u64 = seen.as_raw().iter().zip(gradient.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    assert!(off / (64 * 64 * 3) < 8, "on average off by {}", off / (64 * 64 * 3));
}

#[test]
fn what_is_drawn_over_is_written_anew_and_what_goes_leaves_nothing() {
    let form = || Form::Sixel(b"\x1bPsixels\x1b\\".to_vec());
    let wanted = [placement(1, (2, 2), form())];
    let mut wall = Wall::default();
    let area = Rect::new(0, 0, 20, 10);
    let (mut shown, mut next) = (Buffer::empty(area), Buffer::empty(area));
    assert!(!wall.hang(&wanted, &[]).is_empty());
    next[(10, 8)].set_symbol("x");
    assert!(wall.hang(&wanted, &shown.diff(&next)).is_empty(), "elsewhere");
    next[(3, 3)].set_symbol("x");
    assert!(!wall.hang(&wanted, &shown.diff(&next)).is_empty(), "in the middle of it");
    wall.take_down(&[], &mut shown);
    let empty = Buffer::empty(area);
    assert_eq!(shown.diff(&empty).len(), 8, "all its cells");
}

#[test]
fn a_frame_takes_some_pictures_and_says_that_there_are_more() {
    let big = |number, x| placement(number, (x, 0), Form::Sixel(vec![b'x'; 10_000]));
    let wanted = [big(1, 0), big(2, 4), big(3, 8), big(4, 12)];
    let mut wall = Wall::default();
    let mut frames = 0;
    loop {
        let bytes = wall.hang(&wanted, &[]);
        assert!((10_000..30_000).contains(&bytes.len()));
        frames += 1;
        if !wall.unfinished {
            break;
        }
    }
    assert_eq!(frames, 2);
    assert!(wall.hang(&wanted, &[]).is_empty());
    wall.clear();
    assert!(!wall.hang(&wanted, &[]).is_empty(), "the screen was emptied");
}

#[test]
fn blocks_have_the_colours_of_the_picture_or_its_shades() {
    let Some(Picture { form: Form::Blocks(picture), size }) = made(&quarters(8, 8), &request(Protocol::Blocks, (4, 2)))
    else {
        panic!("another form")
    };
    assert_eq!((size, picture.dimensions()), (Size::new(4, 2), (4, 4)));
    let area = Rect::new(0, 0, 4, 2);
    let drawn = |theme: Theme| {
        let mut buf = Buffer::empty(area);
        blocks::draw(&theme, area, &mut buf, &picture);
        buf
    };
    let true_colour = drawn(crate::tui::fixtures::UNICODE);
    assert_eq!(true_colour[(0, 0)].symbol(), "▀");
    assert_eq!(true_colour[(0, 0)].fg, ratatui::style::Color::Rgb(255, 0, 0));
    assert_eq!(true_colour[(3, 1)].bg, ratatui::style::Color::Rgb(250, 240, 230));
    let shades = drawn(Theme { colors: Colors::Sixteen, ..crate::tui::fixtures::UNICODE });
    assert_eq!((shades[(0, 1)].symbol(), shades[(3, 1)].symbol()), (" ", "█"));
    let ascii = drawn(crate::tui::fixtures::ASCII);
    assert!(ascii.content().iter().all(|cell| cell.symbol().is_ascii()));
    assert_eq!(ascii[(3, 1)].symbol(), "@");
}

#[test]
fn a_file_is_shown_or_what_is_wrong_with_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let [good, bad, link] = ["good.png", "bad.png", "link.png"].map(|name| folder.path().join(name));
    quarters(30, 30).save(&good).unwrap();
    std::fs::write(&bad, "no picture").unwrap();
    std::os::unix::fs::symlink(&good, &link).unwrap();
    let of = |path: &PathBuf| Request { path: path.clone(), ..request(Protocol::Blocks, (10, 5)) };
    assert_eq!(render(&of(&good)).unwrap().size, Size::new(10, 5));
    for path in [&bad, &link, &folder.path().join("none.png")] {
        assert!(render(&of(path)).is_err(), "{path:?}");
    }
    let mut album = Album::default();
    let wanted = [of(&good), of(&bad), Request { room: Size::new(0, 5), ..of(&good) }];
    let missing = album.missing(&wanted);
    assert_eq!(missing, wanted[..2], "what has no room is not made");
    assert!(album.missing(&wanted).is_empty(), "somebody is at work on it");
    album.take(Page::make(missing));
    assert!(matches!(album.get(&wanted[0]), Some(Slot::Ready(1, _))));
    assert!(matches!(album.get(&wanted[1]), Some(Slot::Broken(_))));
}

proptest! {
    #[test]
    fn no_picture_leaves_its_room(
        picture in (1u32..200, 1u32..200), room in (0u16..30, 0u16..30), cell in (0u16..30, 0u16..30),
        form in prop::sample::select(vec![Protocol::Kitty, Protocol::Iterm2, Protocol::Blocks, Protocol::None]),
    ) {
        let wanted = Request { cell, ..request(form, room) };
        if let Some(made) = made(&quarters(picture.0, picture.1), &wanted) {
            prop_assert!((1..=room.0).contains(&made.size.width) && (1..=room.1).contains(&made.size.height));
        }
    }
}
