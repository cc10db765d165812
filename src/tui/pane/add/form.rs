//! What is typed beside the choice of a file: a filter, overrides, and how it is queued.

use crate::base::id::RunId;
use crate::experiment::{Key, Takes, keys_of};
use crate::record::select::is_label;
use crate::tui::action::Action as Any;
use crate::tui::library::{Draft, Order};

/// A line that can be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Which files are shown.
    Filter,
    /// `KEY=VALUE …`.
    Changes,
    Group,
    Priority,
    /// Numbers of runs.
    After,
}

/// What was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    texts: [String; 5],
    /// The line that takes the keys, and what it was before.
    typed: Option<(Field, String)>,
}

impl Form {
    /// What stands in a line.
    pub fn text(&self, field: Field) -> &str {
        &self.texts[field as usize]
    }

    /// Puts something there.
    pub fn set(&mut self, field: Field, text: String) {
        self.texts[field as usize] = text;
    }

    /// The line that takes the keys.
    pub fn typed(&self) -> Option<Field> {
        self.typed.as_ref().map(|&(field, _)| field)
    }

    /// Lets a line take the keys.
    pub fn begin(&mut self, field: Field) {
        if field == Field::Filter {
            self.set(field, String::new());
        }
        let before = self.text(field).to_owned();
        self.typed = Some((field, before));
    }

    /// Keeps the line, or makes it what it was.
    pub fn end(&mut self, keep: bool) {
        if let Some((field, before)) = self.typed.take().filter(|_| !keep) {
            self.set(field, before);
        }
    }

    /// Changes the line that takes the keys.
    pub fn edit(&mut self, action: &Any) {
        let Some(field) = self.typed() else { return };
        let line = &mut self.texts[field as usize];
        match action {
            Any::Type(letter) => line.push(*letter),
            Any::Paste(text) => line.push_str(text.lines().next().unwrap_or_default()),
            Any::Erase => drop(line.pop()),
            _ if field == Field::Changes => line.push_str(&completion(line)),
            _ => {}
        }
    }

    /// What is to be queued, or why a line cannot be meant.
    pub fn order(&self, draft: Draft) -> Result<Order, String> {
        let group = Some(self.text(Field::Group).trim().to_owned()).filter(|group| !group.is_empty());
        if group.as_ref().is_some_and(|group| !is_label(group)) {
            return Err("the group's name cannot have spaces or commas".to_owned());
        }
        let priority = match self.text(Field::Priority).trim() {
            "" => 0,
            text => text.parse().map_err(|_| format!("the priority `{text}` is no whole number"))?,
        };
        let number = |text: &str| text.parse::<RunId>().map_err(|_| format!("`{text}` is no number of a run"));
        let after = self.text(Field::After).split_whitespace().map(number).collect::<Result<_, _>>()?;
        Ok(Order { draft, group, priority, after })
    }
}

/// The key that is typed last, where its value is not.
fn typed_key(line: &str) -> Option<&str> {
    let start = line.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    Some(&line[start..]).filter(|key| !key.contains('='))
}

/// The keys that the last one of `line` may become, and how much of their name is there.
pub fn candidates(line: &str) -> (Vec<&'static Key>, usize) {
    let Some(typed) = typed_key(line) else { return (Vec::new(), 0) };
    // What stands after `matrix.` is itself a key.
    let typed = typed.strip_prefix("matrix.").unwrap_or(typed);
    let (parent, part) = typed.rsplit_once('.').unwrap_or(("", typed));
    let parent = parent.split('.').fold(String::new(), |path, part| match part.parse::<usize>() {
        Ok(_) => format!("{path}[]"),
        Err(_) if path.is_empty() => part.to_owned(),
        Err(_) => format!("{path}.{part}"),
    });
    (keys_of(&parent).filter(|key| key.name().starts_with(part)).collect(), part.len())
}

/// What can only come next in the key that is typed last.
fn completion(line: &str) -> String {
    let (keys, typed) = candidates(line);
    let Some((first, others)) = keys.split_first() else { return String::new() };
    let shared = others.iter().fold(first.name(), |shared, key| {
        let same = shared.bytes().zip(key.name().bytes()).take_while(|(a, b)| a == b).count();
        &shared[..same]
    });
    let rest = &shared[typed..];
    let end = match (others, first.takes) {
        ([_, ..], _) | ([], Takes::Choice(_) | Takes::MapOrUnits) => "",
        ([], Takes::Map | Takes::Matrix) => ".",
        ([], Takes::List | Takes::Singles) => ".0.",
        ([], _) => "=",
    };
    format!("{rest}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_completed_as_far_as_it_is_clear() {
        for (line, completed) in [
            ("see", "seed="),
            ("train.batch", "train.batch_size="),
            ("seed=1 train.ph", "seed=1 train.phases.0."),
            ("train.phases.0.ep", "train.phases.0.epochs="),
            ("matrix.train.batch", "matrix.train.batch_size="),
            ("mod", "model."),
            ("t", "t"),
            ("ti", "time_limit_minutes="),
            ("nothing.like.it", "nothing.like.it"),
            ("seed=", "seed="),
            ("", ""),
        ] {
            assert_eq!(format!("{line}{}", completion(line)), completed, "{line}");
        }
    }

    #[test]
    fn what_is_typed_says_how_it_is_queued() {
        let draft = || Draft::of("a.yaml".into());
        let mut form = Form::default();
        assert_eq!(form.order(draft()), Ok(Order { draft: draft(), group: None, priority: 0, after: vec![] }));
        form.set(Field::Group, " night ".into());
        form.set(Field::Priority, "-3".into());
        form.set(Field::After, "7 0012".into());
        let order = form.order(draft()).unwrap();
        assert_eq!(
            (order.group.as_deref(), order.priority, &*order.after),
            (Some("night"), -3, &[RunId(7), RunId(12)][..])
        );
        for (field, text, problem) in [
            (Field::Group, "a b", "cannot have spaces"),
            (Field::Priority, "high", "`high` is no whole number"),
            (Field::After, "7 x", "`x` is no number of a run"),
        ] {
            let mut form = form.clone();
            form.set(field, text.into());
            assert!(form.order(draft()).unwrap_err().contains(problem), "{text}");
        }
    }
}
