//! What a person wishes of the dashboard, as `config.toml` says it.
//!
//! Invariants: every key and every value is known, or the dashboard does not open; no key does two things in one place.

mod read;
mod table;
mod write;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::announce::Wishes;
use super::keymap::Keymap;
use super::picture::Setting;
use super::theme::palette::Palette;
use super::theme::{Colors, Theme};

/// The variable that names another file.
pub const VARIABLE: &str = "FINETOP_CONFIG";

/// The wishes; those that are not said are as these defaults.
#[derive(Debug, Clone)]
pub struct Settings {
    pub keymap: Keymap,
    pub look: Look,
    /// None is what the terminal can do.
    pub colors: Option<Colors>,
    pub ascii: Option<bool>,
    pub pictures: Setting,
    pub mouse: bool,
    pub notify: Wishes,
    pub frames_per_second: u16,
}

/// Which colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Look {
    /// As the terminal's background asks for.
    #[default]
    Auto,
    Dark,
    Light,
    Contrast,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            keymap: Keymap::default(),
            look: Look::Auto,
            colors: None,
            ascii: None,
            pictures: Setting::Auto,
            mouse: true,
            notify: Wishes::default(),
            frames_per_second: 30,
        }
    }
}

/// Why the dashboard is not opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not read {path}: {error}")]
    Read { path: String, error: io::Error },
    #[error("{path}, {mistake}")]
    Mistaken { path: String, mistake: Mistake },
}

/// What is wrong in a text, and in which line (from 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Mistake {
    pub line: usize,
    pub message: String,
}

impl Settings {
    /// Reads the file, if there is one; one that is named by [`VARIABLE`] has to be.
    pub fn load(variable: impl Fn(&str) -> Option<String>) -> Result<Settings, Error> {
        let Some(path) = path(&variable) else { return Ok(Settings::default()) };
        let shown = crate::base::text::printable(&path.display().to_string());
        match std::fs::read_to_string(&path) {
            Ok(text) => Settings::read(&text).map_err(|mistake| Error::Mistaken { path: shown, mistake }),
            Err(error) if error.kind() == io::ErrorKind::NotFound && variable(VARIABLE).is_none() => {
                Ok(Settings::default())
            }
            Err(error) => Err(Error::Read { path: shown, error }),
        }
    }

    /// Reads the text of the file.
    pub fn read(text: &str) -> Result<Settings, Mistake> {
        read::settings(text)
    }

    /// As `config.toml` would say them; of the keys those that are others than by default.
    pub fn in_force(&self) -> String {
        write::in_force(self)
    }

    /// A file with all defaults, and what they mean.
    pub fn default_file() -> String {
        write::defaults()
    }

    /// How everything looks; `light` is what the terminal says of its background, None before it has.
    pub fn theme(&self, light: Option<bool>, variable: impl Fn(&str) -> Option<String>) -> Theme {
        let found = Theme::detect(false, false, variable);
        let light = light.unwrap_or(found.palette == Palette::Light);
        let palette = match self.look {
            Look::Auto => Palette::on(light, false),
            Look::Dark => Palette::Dark,
            Look::Light => Palette::Light,
            Look::Contrast => Palette::on(light, true),
        };
        Theme { colors: self.colors.unwrap_or(found.colors), ascii: self.ascii.unwrap_or(found.ascii), palette }
    }

    /// Least time between two frames.
    pub fn frame(&self) -> Duration {
        Duration::from_secs(1) / u32::from(self.frames_per_second.max(1))
    }
}

/// Where the file is.
pub fn path(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let value = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = || value("XDG_CONFIG_HOME").or_else(|| Some(value("HOME")?.join(".config")));
    value(VARIABLE).or_else(|| Some(folder()?.join("finetop/config.toml")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_where_the_environment_says() {
        type Case = (&'static [(&'static str, &'static str)], Option<&'static str>);
        let cases: [Case; 4] = [
            (&[("FINETOP_CONFIG", "/a.toml"), ("HOME", "/h")], Some("/a.toml")),
            (&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")], Some("/x/finetop/config.toml")),
            (&[("XDG_CONFIG_HOME", ""), ("HOME", "/h")], Some("/h/.config/finetop/config.toml")),
            (&[], None),
        ];
        for (variables, expected) in cases {
            let variable = |name: &str| variables.iter().find(|v| v.0 == name).map(|v| v.1.to_owned());
            assert_eq!(path(variable), expected.map(PathBuf::from), "{variables:?}");
        }
    }

    #[test]
    fn a_file_that_is_named_has_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().display().to_string();
        assert!(Settings::load(|name| (name == "HOME").then(|| home.clone())).is_ok());
        let named = format!("{home}/none.toml");
        assert!(matches!(Settings::load(|name| (name == VARIABLE).then(|| named.clone())), Err(Error::Read { .. })));
        std::fs::write(&named, "mouse = 1\n").unwrap();
        let error = Settings::load(|name| (name == VARIABLE).then(|| named.clone())).unwrap_err();
        assert_eq!(error.to_string(), format!("{named}, line 1: `mouse` is true or false"));
    }

    #[test]
    fn the_look_follows_the_wish_and_else_the_terminal() {
        for (look, light, palette) in [
            (Look::Auto, None, Palette::Dark),
            (Look::Auto, Some(true), Palette::Light),
            (Look::Dark, Some(true), Palette::Dark),
            (Look::Contrast, Some(true), Palette::LightContrast),
        ] {
            let settings = Settings { look, ..Settings::default() };
            assert_eq!(settings.theme(light, |_| None).palette, palette, "{look:?} {light:?}");
        }
    }
}
