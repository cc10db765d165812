//! What a terminal sends for a key.

/// The bytes of a key as the help page writes it.
pub fn bytes(key: &str) -> String {
    let named = match key {
        "Space" => " ",
        "Enter" => "\r",
        "Esc" => "\x1b",
        "Tab" => "\t",
        "Shift-Tab" => "\x1b[Z",
        "Up" => "\x1b[A",
        "Down" => "\x1b[B",
        "Right" => "\x1b[C",
        "Left" => "\x1b[D",
        "Ctrl-Up" => "\x1b[1;5A",
        "Ctrl-Down" => "\x1b[1;5B",
        "Ctrl-Right" => "\x1b[1;5C",
        "Ctrl-Left" => "\x1b[1;5D",
        "Home" => "\x1b[H",
        "End" => "\x1b[F",
        "PgUp" => "\x1b[5~",
        "PgDn" => "\x1b[6~",
        "Backspace" => "\x7f",
        "F1" => "\x1bOP",
        key => match key.strip_prefix("Ctrl-").map(str::as_bytes) {
            Some(&[letter]) => return char::from(letter & 0x1f).to_string(),
            _ => key,
        },
    };
    assert!(named.chars().count() == 1 || named.starts_with('\x1b'), "{key} is not known to this test");
    named.to_owned()
}
