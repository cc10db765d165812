//! Text made safe for a terminal, and numbers made short for people.

use std::fmt::Display;
use std::time::Duration;

use unicode_width::UnicodeWidthChar;

/// Replaces what a terminal would obey instead of show: control characters (C0, DEL, C1) and the marks that change
/// writing direction. A tab becomes four spaces, anything else `U+FFFD`.
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => safe.push_str("    "),
            c if is_unsafe(c) => safe.push('\u{FFFD}'),
            c => safe.push(c),
        }
    }
    safe
}

/// Whether a terminal would obey `c` instead of showing it.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// Columns that `text` takes on a terminal.
pub fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// Cuts `text` to at most `columns` columns, with `…` where something was cut.
pub fn truncated(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > columns {
            break;
        }
        used += w;
        cut.push(c);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

/// `text` as one word of a shell, in quotes where it needs them.
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,@%+".contains(c);
    match text.chars().all(is_plain) && !text.is_empty() {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// A duration as `0:07`, `12:34`, `3:02:01` or `2d 03:04`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}:{:02}", seconds % 60),
        (0, _) => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
        _ => format!("{days}d {hours:02}:{minutes:02}"),
    }
}

/// A time in seconds as [`duration`] shows it; `?` for what is none, since a damaged record may say anything.
pub fn seconds(time: f64) -> String {
    Duration::try_from_secs_f64(time).map_or_else(|_| "?".to_owned(), duration)
}

/// A count of bytes as `512 B`, `1.4 MiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// `1 epoch`, `2 epochs`.
pub fn counted<N: Display + PartialEq + From<u8>>(count: N, what: &str) -> String {
    let plural = if count == N::from(1) { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// A whole number with commas, as `7,079,424`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A metric for a table: four significant decimals without the leading zero (`.2398`, `1.203`), or `NaN`, `inf`.
pub fn metric(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN".into()
        } else if value > 0.0 {
            "inf".into()
        } else {
            "-inf".into()
        };
    }
    if value.abs() >= 1e5 || (value != 0.0 && value.abs() < 5e-5) {
        return learning_rate(value);
    }
    let digits = match value.abs() {
        v if v < 1.0 => 4,
        v if v < 100.0 => 3,
        _ => 1,
    };
    let text = format!("{value:.digits$}");
    match text.strip_prefix("0.") {
        Some(decimals) => format!(".{decimals}"),
        None => match text.strip_prefix("-0.") {
            Some(decimals) => format!("-.{decimals}"),
            None => text,
        },
    }
}

/// A learning rate as `1.0e-3`; none is `0`.
pub fn learning_rate(value: f64) -> String {
    if value == 0.0 { "0".to_owned() } else { format!("{value:.1e}") }
}

/// That of `known` which is most like `name`, if any is half like it: what was probably meant.
pub fn most_alike<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let alike = known.into_iter().map(|other| (strsim::normalized_damerau_levenshtein(other, name), other));
    let most = alike.filter(|(likeness, _)| *likeness >= 0.5).max_by(|a, b| a.0.total_cmp(&b.0));
    most.map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_for_a_shell_where_it_must_be() {
        for (text, word) in [
            ("train.batch_size=64", "train.batch_size=64"),
            ("", "''"),
            ("a b", "'a b'"),
            ("matrix.seed=[1, 2]", "'matrix.seed=[1, 2]'"),
            ("it's $HOME", r"'it'\''s $HOME'"),
            ("~", "'~'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }

    #[test]
    fn what_is_no_time_is_not_shown_as_one() {
        for (time, shown) in
            [(61.9, "1:01"), (0.0, "0:00"), (1e300, "?"), (-1.0, "?"), (f64::NAN, "?"), (f64::INFINITY, "?")]
        {
            assert_eq!(seconds(time), shown);
        }
    }

    #[test]
    fn nothing_printable_is_obeyed() {
        for (hostile, shown) in [
            ("a\x1b[31mb", "a\u{FFFD}[31mb"),
            ("x\u{9b}2J", "x\u{FFFD}2J"),
            ("tab\tend", "tab    end"),
            ("rtl\u{202E}gnp", "rtl\u{FFFD}gnp"),
            ("grüße 🍎", "grüße 🍎"),
        ] {
            assert_eq!(printable(hostile), shown);
        }
    }

    #[test]
    fn truncation_counts_columns() {
        for (text, columns, cut) in [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("🍎🍎🍎", 4, "🍎…"), ("abc", 0, "")]
        {
            assert_eq!(truncated(text, columns), cut);
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(duration(Duration::from_secs(7)), "0:07");
        assert_eq!(duration(Duration::from_secs(3 * 3600 + 2 * 60 + 1)), "3:02:01");
        assert_eq!(duration(Duration::from_secs(2 * 86_400 + 3 * 3600 + 4 * 60)), "2d 03:04");
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1_468_006), "1.4 MiB");
        assert_eq!(grouped(7_079_424), "7,079,424");
        assert_eq!(grouped(42), "42");
        for (value, text) in [
            (0.23984, ".2398"),
            (1.2034, "1.203"),
            (-0.5, "-.5000"),
            (f64::NAN, "NaN"),
            (3e-7, "3.0e-7"),
            (1.0, "1.000"),
            (0.99999, "1.0000"),
        ] {
            assert_eq!(metric(value), text);
        }
        assert_eq!(learning_rate(1e-3), "1.0e-3");
        assert_eq!(learning_rate(0.0), "0");
    }
}
