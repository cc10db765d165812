//! What is to be seen after a key.

/// What a key's answer is. It was not there before the key.
pub enum Seen {
    /// The text stands on the screen.
    Comes(&'static str),
    /// The text stood on the screen, and does not any more.
    Goes(&'static str),
    /// The row, or whatever is highlighted, has the text.
    Chosen(&'static str),
    /// One row has both texts.
    Row(&'static str, &'static str),
    /// The text stands so many columns to the right, and so many rows further down.
    Moves(&'static str, i32, i32),
    /// None of these letters is left.
    Gone(fn(char) -> bool),
    /// The first and the last number below the charts were these, and are those.
    Axis(fn((f64, f64), (f64, f64)) -> bool),
    /// Something else than before.
    Changes,
    /// What the step before did is undone.
    Undone,
    /// In 80 columns the text comes; where there is more room the key changes nothing that is seen.
    Narrow(&'static str),
    /// Nothing that could be seen.
    Nothing,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Seen::Comes(text) => write!(f, "«{text}»"),
            Seen::Goes(text) => write!(f, "no «{text}» any more"),
            Seen::Chosen(text) => write!(f, "«{text}» chosen"),
            Seen::Row(one, other) => write!(f, "«{one}» and «{other}» in a row"),
            Seen::Moves(text, right, down) => write!(f, "«{text}» {right} to the right and {down} down"),
            Seen::Gone(_) => write!(f, "other letters"),
            Seen::Axis(_) => write!(f, "another stretch of the axis"),
            Seen::Changes => write!(f, "something else"),
            Seen::Undone => write!(f, "what was before the last step"),
            Seen::Narrow(text) => write!(f, "«{text}» where there is little room"),
            Seen::Nothing => write!(f, "nothing"),
        }
    }
}

impl Seen {
    /// Fails where what is to come is there already: the key would prove nothing.
    pub fn is_not_there(&self, what: &str, before: &str, chosen: &str) {
        let is_new = match self {
            Seen::Comes(text) => !before.contains(text),
            Seen::Goes(text) | Seen::Moves(text, ..) => before.contains(text),
            Seen::Chosen(text) => !chosen.contains(text),
            Seen::Row(one, other) => !has_row(before, one, other),
            Seen::Gone(letter) => before.contains(*letter),
            Seen::Axis(_) => axis(before).is_some(),
            Seen::Changes | Seen::Undone | Seen::Narrow(_) | Seen::Nothing => true,
        };
        assert!(is_new, "{what}, which is so before it:\n{before}\nchosen:\n{chosen}");
    }

    /// Whether it is there; `before_last` is the screen before the step before.
    pub fn is_there(&self, is_small: bool, before: &str, before_last: &str, now: &str, chosen: &str) -> bool {
        match self {
            Seen::Comes(text) => now.contains(text),
            Seen::Goes(text) => !now.contains(text),
            Seen::Chosen(text) => chosen.contains(text),
            Seen::Row(one, other) => has_row(now, one, other),
            Seen::Moves(text, right, down) => match (place(before, text), place(now, text)) {
                (Some(from), Some(to)) => to == (from.0 + right, from.1 + down),
                _ => false,
            },
            Seen::Gone(letter) => !now.contains(*letter),
            Seen::Axis(holds) => match (axis(before), axis(now)) {
                (Some(from), Some(to)) => holds(from, to),
                _ => false,
            },
            Seen::Changes => now != before,
            Seen::Undone => now == before_last,
            Seen::Narrow(text) => now.contains(text) == is_small,
            Seen::Nothing => true,
        }
    }
}

fn has_row(screen: &str, one: &str, other: &str) -> bool {
    screen.lines().any(|row| row.contains(one) && row.contains(other))
}

/// Column and row of a text.
fn place(screen: &str, text: &str) -> Option<(i32, i32)> {
    let (row, line) = (0..).zip(screen.lines()).find(|(_, line)| line.contains(text))?;
    Some((line.split(text).next()?.chars().count() as i32, row))
}

/// The first and the last number below the last chart.
fn axis(screen: &str) -> Option<(f64, f64)> {
    let below = screen.lines().skip_while(|line| !line.contains('└') || !line.contains('┃')).nth(1)?;
    let mut numbers = below.split([' ', '┃', '│']).filter_map(|word| word.parse().ok());
    let first = numbers.next()?;
    Some((first, numbers.next_back()?))
}

/// The rows of the screen.
pub fn screen_rows(screen: &vt100::Screen) -> String {
    let (_, columns) = screen.size();
    screen.rows(0, columns.get()).map(|row| row + "\n").collect()
}
