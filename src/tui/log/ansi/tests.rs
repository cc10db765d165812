use proptest::prelude::*;
use ratatui::style::{Color, Modifier, Style};

use super::*;

#[test]
fn colours_stay_and_everything_else_goes() {
    for (line, shown) in [
        ("plain", "plain"),
        ("\x1b[1;31merror\x1b[0m: it", "error: it"),
        ("\x1b[2J\x1b[10;5Hgone\x1b[K", "gone"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://x.org\x1b\\link\x1b]8;;\x1b\\ end", "link end"),
        ("\x1bPq#0;2;0;0;0~-\x1b\\picture", "picture"),
        ("\u{9b}31mred\u{9d}0;t\u{9c}!", "red!"),
        ("\x1b]0;no end", "0;no end"),
        ("\x1b(Bascii\x1b=\x1b7", "ascii"),
        ("\x1b[31", ""),
        ("\x1b[3\x1b[1mx", "x"),
        ("\x1b", ""),
        ("10%\r20%\r30%", "30%"),
        ("windows\r", "windows"),
        ("\r\r", ""),
        ("b\x08bold \x1b[1mxy\x08\x08\x08!", "bold!"),
        ("a\tb\t\tc", "a       b               c"),
        ("bell\x07 nul\0 del\x7f", "bell nul del"),
        ("rtl\u{202e}gnp", "rtl\u{FFFD}gnp"),
        ("grüße 🍎", "grüße 🍎"),
    ] {
        assert_eq!(decode(line.as_bytes()).text(), shown, "{line:?}");
        assert_eq!(text(line.as_bytes()), shown, "{line:?}");
    }
    assert_eq!(decode(b"caf\xe9 \xff").text(), "caf\u{FFFD} \u{FFFD}");
}

#[test]
fn a_style_lasts_until_it_is_changed_also_over_a_return() {
    let red = Style::new().fg(Color::Red);
    let mut expected = Styled::plain("20%", red);
    expected.push(" done", red.add_modifier(Modifier::BOLD)).push(".", Style::new());
    assert_eq!(decode(b"10%\r\x1b[31m20%\x1b[1m done\x1b[m."), expected);
}

#[test]
fn many_strings_without_an_end_are_no_work() {
    let line = "\x1b]".repeat(200_000);
    let watch = crate::base::clock::Stopwatch::start();
    assert_eq!(decode(line.as_bytes()).text(), "");
    assert!(watch.seconds() < 10.0, "the square of this would take hours");
}

proptest! {
    #[test]
    fn no_control_character_comes_out(
        pieces in proptest::collection::vec(
            prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..8),
                "(\x1b[\\[\\]P^_( ]|\u{9b}|[0-9;:]{0,6}|m|\r|\t|\x08|\x07|é|🍎|a| )".prop_map(String::into_bytes),
            ],
            0..40,
        )
    ) {
        let bytes = pieces.concat();
        let line = decode(&bytes);
        prop_assert!(!line.text().contains(|letter: char| letter.is_control() || is_unsafe(letter)), "{:?}", line.text());
        prop_assert_eq!(&*text(&bytes), line.text());
    }
}
