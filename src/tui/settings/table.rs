//! One table of the keys of `config.toml` that have a value: how each is read, how it is written, what it takes.

use super::read::{Text, Value};
use super::{Look, Mistake, Settings};
use crate::tui::notices::Kind;
use crate::tui::picture::Setting;
use crate::tui::theme::Colors;

/// A key and its value.
pub struct Entry {
    pub name: &'static str,
    /// What it takes, for the default file.
    pub about: &'static str,
    pub read: fn(&Text, &Entry, &Value, &mut Settings) -> Result<(), Mistake>,
    /// The value in TOML; None where it has none.
    pub write: fn(&Settings) -> Option<String>,
}

const LOOKS: [(&str, Look); 4] =
    [("auto", Look::Auto), ("dark", Look::Dark), ("light", Look::Light), ("contrast", Look::Contrast)];

const COLORS: [(&str, Option<Colors>); 5] = [
    ("auto", None),
    ("true", Some(Colors::True)),
    ("256", Some(Colors::Indexed)),
    ("16", Some(Colors::Sixteen)),
    ("none", Some(Colors::None)),
];

const GLYPHS: [(&str, Option<bool>); 3] = [("auto", None), ("unicode", Some(false)), ("ascii", Some(true))];

/// The keys outside of any table.
pub const TOP: &[Entry] = &[
    Entry {
        name: "theme",
        about: "auto (the terminal's background decides), dark, light, contrast",
        read: |text, entry, value, settings| text.one_of(entry, value, &LOOKS).map(|look| settings.look = look),
        write: |settings| named(&LOOKS, &settings.look),
    },
    Entry {
        name: "colors",
        about: "auto (NO_COLOR, COLORTERM and TERM decide), true, 256, 16, none",
        read: |text, entry, value, settings| text.one_of(entry, value, &COLORS).map(|colors| settings.colors = colors),
        write: |settings| named(&COLORS, &settings.colors),
    },
    Entry {
        name: "glyphs",
        about: "auto (the locale decides), unicode, ascii",
        read: |text, entry, value, settings| text.one_of(entry, value, &GLYPHS).map(|ascii| settings.ascii = ascii),
        write: |settings| named(&GLYPHS, &settings.ascii),
    },
    Entry {
        name: "pictures",
        about: "auto, kitty, iterm2, sixel, blocks, none",
        read: |text, entry, value, settings| {
            text.one_of(entry, value, &Setting::NAMED).map(|pictures| settings.pictures = pictures)
        },
        write: |settings| named(&Setting::NAMED, &settings.pictures),
    },
    Entry {
        name: "mouse",
        about: "false leaves it to the terminal",
        read: |text, entry, value, settings| text.yes_or_no(entry, value).map(|mouse| settings.mouse = mouse),
        write: |settings| Some(settings.mouse.to_string()),
    },
    Entry {
        name: "frames_per_second",
        about: "1 to 120",
        read: |text, entry, value, settings| {
            let number = value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
            let number = number.filter(|number| (1..=120).contains(number));
            settings.frames_per_second =
                number.ok_or_else(|| text.at(value, format!("`{}` is a number from 1 to 120", entry.name)))?;
            Ok(())
        },
        write: |settings| Some(settings.frames_per_second.to_string()),
    },
];

/// The keys of `[notify]`.
pub const NOTIFY: &[Entry] = &[
    Entry {
        name: "bell",
        about: "",
        read: |text, entry, value, settings| text.yes_or_no(entry, value).map(|bell| settings.notify.bell = bell),
        write: |settings| Some(settings.notify.bell.to_string()),
    },
    Entry {
        name: "desktop",
        about: "through the terminal, so through SSH too: OSC 777 for foot, rxvt and VTE, OSC 9 for others",
        read: |text, entry, value, settings| {
            text.yes_or_no(entry, value).map(|desktop| settings.notify.desktop = desktop)
        },
        write: |settings| Some(settings.notify.desktop.to_string()),
    },
    Entry {
        name: "command",
        about: "for sh; FINETOP_NOTICE, FINETOP_RUN and FINETOP_TEXT say what it is about",
        read: |text, entry, value, settings| {
            let command = value.get_ref().as_str().map(str::to_owned);
            let command = command.ok_or_else(|| text.at(value, format!("`{}` is a line for the shell", entry.name)));
            command.map(|command| settings.notify.command = Some(command))
        },
        write: |settings| settings.notify.command.as_deref().map(quoted),
    },
    Entry {
        name: "on",
        about: "finished, failed, advice",
        read: |text, entry, value, settings| {
            let list = value.get_ref().as_array();
            let list = list.ok_or_else(|| text.at(value, format!("`{}` is a list of names", entry.name)))?;
            let kinds = Kind::ALL.map(|kind| (kind.name(), kind));
            settings.notify.on = list.iter().map(|one| text.one_of(entry, one, &kinds)).collect::<Result<_, _>>()?;
            Ok(())
        },
        write: |settings| Some(list(settings.notify.on.iter().map(|kind| kind.name()))),
    },
];

fn named<T: PartialEq>(names: &[(&str, T)], value: &T) -> Option<String> {
    names.iter().find(|(_, known)| known == value).map(|(name, _)| quoted(name))
}

/// A text in TOML, whose basic strings are JSON's but for a character.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// Texts in TOML.
pub fn list<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    format!("[{}]", texts.map(quoted).collect::<Vec<_>>().join(", "))
}
