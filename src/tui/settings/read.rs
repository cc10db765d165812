//! Reads `config.toml` with the place of every key and value.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::{Entry, NOTIFY, TOP};
use super::{Mistake, Settings};
use crate::base::text::printable;
use crate::tui::keymap::key::Key;
use crate::tui::keymap::{Keymap, Scope};

pub type Value<'t> = Spanned<DeValue<'t>>;
type Name<'t> = Spanned<Cow<'t, str>>;

/// The settings that `text` says.
pub fn settings(text: &str) -> Result<Settings, Mistake> {
    let text = Text(text);
    let table = DeTable::parse(text.0).map_err(|error| {
        let place = error.span().map_or(0, |span| span.start);
        text.mistake(place, error.message().to_owned())
    })?;
    let mut settings = Settings::default();
    for (key, value) in table.get_ref() {
        match key.get_ref().as_ref() {
            "keys" => text.keys(value, &mut settings.keymap)?,
            "notify" => {
                let table = value.get_ref().as_table();
                let table = table.ok_or_else(|| text.at(value, "`notify` is a table".to_owned()))?;
                for (key, value) in table {
                    text.entry(NOTIFY, key, value, &mut settings)?;
                }
            }
            _ => text.entry(TOP, key, value, &mut settings)?,
        }
    }
    Ok(settings)
}

/// What is read, for the lines of its places.
pub struct Text<'t>(&'t str);

impl Text<'_> {
    fn mistake(&self, place: usize, message: String) -> Mistake {
        let line = self.0.as_bytes().iter().take(place).filter(|&&byte| byte == b'\n').count() + 1;
        Mistake { line, message: printable(&message) }
    }

    pub fn at(&self, value: &Value, message: String) -> Mistake {
        self.mistake(value.span().start, message)
    }

    fn unknown<S: AsRef<str>>(&self, place: usize, name: &str, known: &[S]) -> Mistake {
        let nearest = known
            .iter()
            .map(|known| (strsim::damerau_levenshtein(known.as_ref(), name), known.as_ref()))
            .min()
            .filter(|(distance, _)| *distance <= 3.max(name.len() / 3));
        let hint = nearest.map_or(String::new(), |(_, known)| format!("; did you mean `{known}`?"));
        self.mistake(place, format!("`{name}` is not known here{hint}"))
    }

    pub fn yes_or_no(&self, entry: &Entry, value: &Value) -> Result<bool, Mistake> {
        value.get_ref().as_bool().ok_or_else(|| self.at(value, format!("`{}` is true or false", entry.name)))
    }

    /// The value whose name is there.
    pub fn one_of<T: Clone>(&self, entry: &Entry, value: &Value, named: &[(&str, T)]) -> Result<T, Mistake> {
        let said = value.get_ref().as_str().and_then(|said| named.iter().find(|(name, _)| *name == said));
        said.map(|(_, value)| value.clone()).ok_or_else(|| {
            let names: Vec<&str> = named.iter().map(|(name, _)| *name).collect();
            self.at(value, format!("`{}` is one of \"{}\"", entry.name, names.join("\", \"")))
        })
    }

    /// Takes the value of a key that has one.
    fn entry(&self, table: &[Entry], key: &Name, value: &Value, settings: &mut Settings) -> Result<(), Mistake> {
        let name = key.get_ref().as_ref();
        match table.iter().find(|entry| entry.name == name) {
            Some(entry) => (entry.read)(self, entry, value, settings),
            None => {
                let tables: &[&str] = if std::ptr::eq(table, TOP) { &["keys", "notify"] } else { &[] };
                let known: Vec<&str> = table.iter().map(|entry| entry.name).chain(tables.iter().copied()).collect();
                Err(self.unknown(key.span().start, name, &known))
            }
        }
    }

    fn keys(&self, value: &Value, keymap: &mut Keymap) -> Result<(), Mistake> {
        let table = value.get_ref().as_table().ok_or_else(|| self.at(value, "`keys` is a table".to_owned()))?;
        let mut bound: Vec<(String, usize)> = Vec::new();
        self.bind(table, "", keymap, &mut bound)?;
        // Only what the file says can be wrong; in the table itself no key has two rows.
        for (name, place) in &bound {
            let Some(row) = keymap.rows().iter().find(|row| row.name == *name) else { continue };
            let is_beside = |other: Scope| other == row.binding.scope;
            let others = keymap.rows().iter().filter(|other| other.name != *name && is_beside(other.binding.scope));
            let twice = others.flat_map(|other| other.keys.iter().map(move |key| (key, other)));
            if let Some((key, other)) = twice.into_iter().find(|(key, _)| row.keys.contains(key)) {
                let message = format!("{key} is the key of `{name}` and of `{}`; give one of them another", other.name);
                return Err(self.mistake(*place, message));
            }
        }
        Ok(())
    }

    /// `log.search` can also be written as a table of its own.
    fn bind(
        &self,
        table: &DeTable,
        before: &str,
        keymap: &mut Keymap,
        bound: &mut Vec<(String, usize)>,
    ) -> Result<(), Mistake> {
        for (key, value) in table {
            let name = format!("{before}{}", key.get_ref());
            if let Some(inner) = value.get_ref().as_table() {
                self.bind(inner, &format!("{name}."), keymap, bound)?;
                continue;
            }
            let keys = self.keys_of(&name, value)?;
            if !keymap.bind(&name, keys) {
                let known: Vec<&str> = keymap.rows().iter().map(|row| row.name.as_str()).collect();
                return Err(self.unknown(key.span().start, &name, &known));
            }
            bound.push((name, key.span().start));
        }
        Ok(())
    }

    fn keys_of(&self, name: &str, value: &Value) -> Result<Vec<Key>, Mistake> {
        let read = |value: &Value| {
            let text = value.get_ref().as_str();
            let text = text.ok_or_else(|| self.at(value, format!("`{name}` is a key, or a list of keys")))?;
            text.parse::<Key>().map_err(|error| self.at(value, error.to_string()))
        };
        match value.get_ref().as_array() {
            Some(list) => list.iter().map(read).collect(),
            None => Ok(vec![read(value)?]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Look;
    use super::*;
    use crate::tui::fixtures;
    use crate::tui::notices::Kind;
    use crate::tui::picture::Setting;
    use crate::tui::theme::Colors;
    use proptest::prelude::*;

    #[test]
    fn what_is_said_is_taken() {
        let text = r#"
            theme = "contrast"
            colors = "256"
            glyphs = "ascii"
            pictures = "sixel"
            mouse = false
            frames_per_second = 10

            [keys]
            cancel = ["x", "Ctrl-x"]
            zoom = "Z"
            help.close = []
            "show-log" = "L"

            [notify]
            bell = true
            desktop = true
            command = "notify-send"
            on = ["failed", "advice"]
        "#;
        let text = text.replace("help.close", "\"help.back\"");
        let settings = settings(&text).unwrap();
        assert_eq!((settings.look, settings.colors), (Look::Contrast, Some(Colors::Indexed)));
        assert_eq!((settings.ascii, settings.mouse, settings.frames_per_second), (Some(true), false, 10));
        assert_eq!(settings.pictures, Setting::read("sixel").unwrap());
        assert_eq!(settings.notify.on, [Kind::Failed, Kind::Advice]);
        assert!(settings.notify.bell && settings.notify.desktop);
        let keys = |name: &str| settings.keymap.rows().iter().find(|row| row.name == name).unwrap().keys();
        assert_eq!([keys("cancel"), keys("zoom"), keys("help.back"), keys("show-log")], ["x Ctrl-x", "Z", "", "L"]);
        let mut app = fixtures::app((80, 24), fixtures::store());
        app.keymap = settings.keymap.clone();
        fixtures::press(&mut app, "zfc");
        assert!(!app.screen.zoomed && app.overlay.is_none(), "the old keys do nothing");
        fixtures::press(&mut app, "Z");
        assert!(app.screen.zoomed);
    }

    #[test]
    fn mistakes_have_their_line_and_the_nearest_name() {
        for (text, line, message) in [
            ("mouse = true\nthem = \"dark\"\n", 2, "`them` is not known here; did you mean `theme`?"),
            ("theme = \"drak\"\n", 1, "`theme` is one of \"auto\", \"dark\", \"light\", \"contrast\""),
            ("\n[keys]\ncancle = \"x\"\n", 3, "`cancle` is not known here; did you mean `cancel`?"),
            ("[keys]\ncancel = \"Crtl-x\"\n", 2, "`Crtl-x` is no key"),
            ("[keys]\ncancel = 7\n", 2, "`cancel` is a key, or a list of keys"),
            ("[keys]\nzoom = \"c\"\n", 2, "c is the key of `zoom` and of `cancel`; give one of them another"),
            ("[notify]\nbel = true\n", 2, "did you mean `bell`?"),
            ("[notify]\non = [\"failed\",\n \"never\"]\n", 3, "`on` is one of"),
            ("frames_per_second = 0\n", 1, "`frames_per_second` is a number from 1 to 120"),
            ("mouse = \n", 1, ""),
        ] {
            let mistake = settings(text).unwrap_err();
            assert_eq!(mistake.line, line, "{text}: {mistake}");
            assert!(mistake.message.contains(message), "{text}: {mistake}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\[?(keys|notify|theme|\"log.search\"|x)\\]?( = )?(\"[a-zC-]{0,6}\"|\\[|\\]|7|\n){0,4}\n?){0,6}") {
            if let Err(mistake) = settings(&text) {
                prop_assert!(mistake.line >= 1 && !mistake.message.contains(char::is_control));
            }
        }

        #[test]
        fn not_even_any_text_panics(text in "\\PC{0,60}") {
            let _ = settings(&text);
        }
    }
}
