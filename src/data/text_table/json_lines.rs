//! Tables with one JSON object a line (<https://jsonlines.org>). A text or a class may be a number or a boolean too.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::Reading;
use crate::data::error::Error;
use crate::experiment::Texts;

/// Reads every line of `content` that is not blank into `table`.
pub fn read(content: &str, table: &mut Reading) -> Result<(), Error> {
    let Texts { text_column, label_column, .. } = table.texts;
    let mut first_names: Option<Vec<String>> = None;
    let mut missing = [text_column, label_column].map(Some);
    for (line, json) in (1..).zip(content.split('\n')).filter(|(_, json)| !json.trim().is_empty()) {
        let object = match object(json) {
            Ok(object) => object,
            Err(reason) => {
                table.take(line, Err(reason));
                continue;
            }
        };
        first_names.get_or_insert_with(|| object.keys().cloned().collect());
        missing = missing.map(|name| name.filter(|&name| !object.contains_key(name)));
        match (field(&object, text_column), field(&object, label_column)) {
            (Ok(text), Ok(label)) => table.take(line, Ok((&text, &label))),
            (Err(reason), _) | (_, Err(reason)) => table.take(line, Err(reason)),
        }
    }
    match (missing.into_iter().flatten().next(), first_names) {
        (Some(name), Some(names)) => Err(table.no_column(name, names)),
        (_, None) if table.skipped.is_empty() => Err(Error::EmptyTable { path: table.path.to_owned() }),
        _ => Ok(()),
    }
}

/// The names of the fields of the first object of `content`.
pub fn columns(content: &str) -> Option<Vec<String>> {
    let object = content.lines().filter(|line| !line.trim().is_empty()).find_map(|line| object(line).ok())?;
    Some(object.keys().cloned().collect())
}

fn object(line: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(format!("{} where an object belongs", called(&other))),
        Err(error) => {
            let said = error.to_string();
            let said = said.split(" at line ").next().unwrap_or_default();
            Err(format!("not JSON at column {}: {said}", error.column()))
        }
    }
}

/// The field called `name` as text.
fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Cow<'a, str>, String> {
    match object.get(name) {
        None => Err(format!("there is no `{name}`")),
        Some(Value::String(text)) => Ok(text.into()),
        Some(Value::Null) => Ok("".into()),
        Some(plain @ (Value::Number(_) | Value::Bool(_))) => Ok(plain.to_string().into()),
        Some(other @ (Value::Array(_) | Value::Object(_))) => Err(format!("`{name}` is {}, not a text", called(other))),
    }
}

fn called(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
