//! Writes `config.toml`: the settings in force, and a file of the defaults to begin with.

use super::Settings;
use super::table::{Entry, NOTIFY, TOP, list, quoted};
use crate::base::text::width;
use crate::tui::keymap::{Bound, Keymap, Scope};

/// Column in which what a key takes is said.
const ABOUT: usize = 25;
const ABOUT_NOTIFY: &str = "what happens while the dashboard is open is in its header in any case; N lists it";
const ABOUT_KEYS: &str = "an action's name, and its key or keys; [] leaves it without one";

/// All settings, with the keys that are others than by default.
pub fn in_force(settings: &Settings) -> String {
    let defaults = Keymap::default();
    let changed = settings.keymap.rows().iter().zip(defaults.rows()).filter(|(row, before)| row.keys != before.keys);
    let keys: String = changed.map(|(row, _)| key(row) + "\n").collect();
    values(settings) + "\n" + &line("[keys]", "those that are changed; --default lists them all") + &keys
}

/// The defaults with what they mean. Keys are written as comments, so that those of a later version are in force with it.
pub fn defaults() -> String {
    let settings = Settings::default();
    let mut text = values(&settings) + "\n" + &line("[keys]", ABOUT_KEYS);
    for scope in Scope::ALL {
        let rows = settings.keymap.of(scope).map(|row| line(&format!("# {}", key(row)), row.binding.help));
        let rows: String = rows.collect();
        if !rows.is_empty() {
            text += &format!("\n## {}\n{rows}", scope.title());
        }
    }
    text
}

/// What has a value.
pub fn values(settings: &Settings) -> String {
    let entry = |entry: &Entry| match (entry.write)(settings) {
        Some(value) => line(&format!("{} = {value}", entry.name), entry.about),
        None => line(&format!("# {} = \"…\"", entry.name), entry.about),
    };
    let (top, notify): (String, String) = (TOP.iter().map(entry).collect(), NOTIFY.iter().map(entry).collect());
    format!("{top}\n{}{notify}", line("[notify]", ABOUT_NOTIFY))
}

fn key(row: &Bound) -> String {
    let name = if row.name.contains('.') { quoted(&row.name) } else { row.name.clone() };
    let keys: Vec<String> = row.keys.iter().map(|key| key.name()).collect();
    match &*keys {
        [one] => format!("{name} = {}", quoted(one)),
        keys => format!("{name} = {}", list(keys.iter().map(String::as_str))),
    }
}

fn line(text: &str, about: &str) -> String {
    let gap = ABOUT.saturating_sub(width(text)).max(2);
    if about.is_empty() { format!("{text}\n") } else { format!("{text}{:gap$}# {about}\n", "") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &Settings, b: &Settings) {
        assert_eq!(values(a), values(b));
        assert_eq!(in_force(a), in_force(b));
    }

    #[test]
    fn the_default_file_is_read_back_as_the_defaults() {
        let text = defaults();
        same(&Settings::read(&text).unwrap(), &Settings::default());
        // Also with every key in force that is a comment in it.
        let uncommented: Vec<&str> =
            text.lines().map(|line| line.strip_prefix("# ").filter(|_| !line.contains('…')).unwrap_or(line)).collect();
        let settings = Settings::read(&uncommented.join("\n")).unwrap();
        same(&settings, &Settings::default());
        for row in settings.keymap.rows() {
            assert!(text.contains(&format!("# {}", key(row))), "{}", row.name);
        }
        for entry in TOP.iter().chain(NOTIFY) {
            assert!(text.contains(&format!("{} = ", entry.name)), "{}", entry.name);
        }
    }

    #[test]
    fn what_is_in_force_is_read_back_as_it_is() {
        let text = "theme = \"light\"\ncolors = \"16\"\nglyphs = \"ascii\"\npictures = \"none\"\nmouse = false\n\
                    frames_per_second = 7\n[notify]\nbell = true\ncommand = \"say \\\"\\u007f\\\\\\\" é\"\non = [\"advice\"]\n\
                    [keys]\ncancel = [\"x\", \"Ctrl-x\"]\n\"log.find\" = []\n";
        let settings = Settings::read(text).unwrap();
        let written = in_force(&settings);
        same(&Settings::read(&written).unwrap(), &settings);
        for said in ["theme = \"light\"", "cancel = [\"x\", \"Ctrl-x\"]", "\"log.find\" = []", "on = [\"advice\"]"] {
            assert!(written.contains(said), "{said}: {written}");
        }
        assert!(!written.contains("zoom"), "what is not changed is left out: {written}");
    }

    #[test]
    fn the_manual_has_the_defaults() {
        let manual = include_str!("../../../docs/dashboard.md");
        let values = values(&Settings::default());
        assert!(manual.contains(&format!("```toml\n{values}")), "docs/dashboard.md is to say\n{values}");
    }
}
