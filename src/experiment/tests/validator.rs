//! A validator for the JSON schema of experiment files: exactly the keywords that it uses; another one is a failure.

use serde_json::{Map, Value};

/// Whether `value` is what `root` describes.
pub(super) fn is_valid(root: &Value, value: &Value) -> bool {
    Validator { root }.takes(root, value)
}

struct Validator<'a> {
    root: &'a Value,
}

/// The patterns of the schema, and what they mean.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        r"^(?![-.])(?!.*\.\.)[^/\\]*$" => {
            !text.starts_with(['-', '.']) && !text.contains("..") && !text.contains(['/', '\\'])
        }
        "^top_[1-9][0-9]*$" | "^val_top_[1-9][0-9]*$" => {
            let number = text.trim_start_matches("val_").strip_prefix("top_").unwrap_or_default();
            number.starts_with(|c: char| ('1'..='9').contains(&c)) && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        "^(precision|recall|f1)/." | "^val_(precision|recall|f1)/." => {
            let name = if pattern.starts_with("^val_") { text.strip_prefix("val_").unwrap_or_default() } else { text };
            let class = name.split_once('/').filter(|(score, _)| ["precision", "recall", "f1"].contains(score));
            class.is_some_and(|(_, class)| !class.is_empty())
        }
        "^hf:" => text.starts_with("hf:"),
        r"\.(safetensors|pth|pt|bin)$" => [".safetensors", ".pth", ".pt", ".bin"].iter().any(|end| text.ends_with(end)),
        other => panic!("the pattern {other} is not known"),
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not known"),
    }
}

/// Numbers in order, whole ones exactly.
fn order(a: &Value, b: &Value) -> std::cmp::Ordering {
    let whole = |value: &Value| value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_f64().unwrap().total_cmp(&b.as_f64().unwrap()),
    }
}

impl Validator<'_> {
    fn takes(&self, schema: &Value, value: &Value) -> bool {
        match schema {
            Value::Bool(any) => *any,
            Value::Object(schema) => schema.iter().all(|(keyword, means)| self.holds(keyword, means, schema, value)),
            other => panic!("{other} is no schema"),
        }
    }

    fn all<'v>(&self, schemas: &Value, value: &'v Value) -> impl Iterator<Item = bool> + use<'_, 'v> {
        let taken: Vec<bool> = schemas.as_array().unwrap().iter().map(|schema| self.takes(schema, value)).collect();
        taken.into_iter()
    }

    fn holds(&self, keyword: &str, means: &Value, schema: &Map<String, Value>, value: &Value) -> bool {
        let count = || usize::try_from(means.as_u64().unwrap()).unwrap();
        let text = |holds: &dyn Fn(&str) -> bool| value.as_str().is_none_or(holds);
        let number = |holds: fn(std::cmp::Ordering) -> bool| !value.is_number() || holds(order(value, means));
        let list = |holds: &dyn Fn(&Vec<Value>) -> bool| value.as_array().is_none_or(holds);
        let map = |holds: &dyn Fn(&Map<String, Value>) -> bool| value.as_object().is_none_or(holds);
        match keyword {
            "$schema" | "title" | "description" | "default" | "examples" | "then" => true,
            "$ref" => self.takes(self.root.pointer(means.as_str().unwrap().trim_start_matches('#')).unwrap(), value),
            "if" => !self.takes(means, value) || self.takes(&schema["then"], value),
            "not" => !self.takes(means, value),
            "allOf" => self.all(means, value).all(|taken| taken),
            "anyOf" => self.all(means, value).any(|taken| taken),
            "type" => match means {
                Value::Array(kinds) => kinds.iter().any(|kind| is_of(kind.as_str().unwrap(), value)),
                kind => is_of(kind.as_str().unwrap(), value),
            },
            "enum" => means.as_array().unwrap().contains(value),
            "minimum" => number(std::cmp::Ordering::is_ge),
            "maximum" => number(std::cmp::Ordering::is_le),
            "exclusiveMinimum" => number(std::cmp::Ordering::is_gt),
            "exclusiveMaximum" => number(std::cmp::Ordering::is_lt),
            "minLength" => text(&|text| text.chars().count() >= count()),
            "maxLength" => text(&|text| text.chars().count() <= count()),
            "pattern" => text(&|text| matches(means.as_str().unwrap(), text)),
            "maxItems" => list(&|items| items.len() <= count()),
            "minItems" => list(&|items| items.len() >= count()),
            "items" => list(&|items| items.iter().all(|item| self.takes(means, item))),
            "minProperties" => map(&|map| map.len() >= count()),
            "maxProperties" => map(&|map| map.len() <= count()),
            "required" => {
                map(&|map| means.as_array().unwrap().iter().all(|name| map.contains_key(name.as_str().unwrap())))
            }
            "properties" => map(&|map| {
                let known = means.as_object().unwrap();
                map.iter().all(|(name, value)| known.get(name).is_none_or(|schema| self.takes(schema, value)))
            }),
            "additionalProperties" => map(&|map| {
                let known = schema.get("properties").and_then(Value::as_object);
                let mut others = map.iter().filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)));
                others.all(|(_, value)| self.takes(means, value))
            }),
            other => panic!("the keyword {other} is not known"),
        }
    }
}

#[test]
fn each_keyword_refuses_and_takes() {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    for (schema, good, bad) in [
        (r#"{"type":["integer","null"]}"#, "3", "3.5"),
        (r#"{"type":"boolean"}"#, "true", "1"),
        (r#"{"enum":["a",null]}"#, "null", "\"b\""),
        (r#"{"minimum":0,"maximum":18446744073709551614}"#, "18446744073709551614", "18446744073709551615"),
        (r#"{"exclusiveMinimum":0.0,"exclusiveMaximum":1.0}"#, "0.5", "1"),
        (r#"{"minLength":1,"maxLength":2}"#, "\"é🍎\"", "\"abc\""),
        (r#"{"pattern":"^hf:"}"#, "\"hf:a\"", "\"a\""),
        (r#"{"minItems":1,"items":{"type":"number"}}"#, "[1]", "[\"a\"]"),
        (r#"{"minItems":1}"#, "[1]", "[]"),
        (r#"{"maxItems":1}"#, "[1]", "[1,2]"),
        (r#"{"minProperties":1,"maxProperties":1}"#, "{\"a\":1}", "{\"a\":1,\"b\":2}"),
        (r#"{"required":["a"]}"#, "{\"a\":null}", "{}"),
        (r#"{"properties":{"a":{"type":"null"}},"additionalProperties":false}"#, "{\"a\":null}", "{\"b\":1}"),
        (r#"{"properties":{"a":{"type":"null"}}}"#, "{\"b\":1}", "{\"a\":1}"),
        (r#"{"not":{"allOf":[{"type":"number"},{"minimum":3}]}}"#, "2", "3"),
        (r#"{"anyOf":[{"type":"null"},{"enum":["x"]}]}"#, "\"x\"", "1"),
        (r#"{"if":{"type":"number"},"then":{"minimum":1}}"#, "\"x\"", "0"),
        (r##"{"properties":{"a":{"type":"null"},"b":{"$ref":"#/properties/a"}}}"##, "{\"b\":null}", "{\"b\":1}"),
    ] {
        assert!(is_valid(&read(schema), &read(good)), "{schema} takes {good}");
        assert!(!is_valid(&read(schema), &read(bad)), "{schema} refuses {bad}");
    }
}
