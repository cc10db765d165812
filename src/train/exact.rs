//! A float in JSON to the last bit, NaN and infinities included: as the text that reads back equal. (JSON numbers have
//! no NaN, and not every parser reads them to the last bit.) A number is read too, as earlier versions wrote some.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Written::deserialize(deserializer)?.read()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(serde_json::Number),
}

impl Written {
    fn read<T: FromStr<Err: Display>, E: Error>(self) -> Result<T, E> {
        let text = match self {
            Written::Text(text) => text,
            Written::Number(number) => number.to_string(),
        };
        text.parse().map_err(E::custom)
    }
}

/// The same for a value that may be absent.
pub mod option {
    use super::*;

    pub fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        Option::<Written>::deserialize(deserializer)?.map(Written::read).transpose()
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Both {
        #[serde(with = "super")]
        value: f64,
        #[serde(with = "super::option")]
        option: Option<f64>,
        #[serde(with = "super")]
        single: f32,
    }

    #[test]
    fn every_value_reads_back_to_the_bit() {
        for value in [0.1 + 0.2, 1.0 / 3.0, f64::NAN, f64::NEG_INFINITY, 5e-324, f64::MAX, -0.0] {
            let single = value as f32;
            let text = serde_json::to_string(&Both { value, option: Some(value), single }).unwrap();
            let read: Both = serde_json::from_str(&text).unwrap();
            assert_eq!(read.value.to_bits(), value.to_bits());
            assert_eq!(read.option.unwrap().to_bits(), value.to_bits());
            assert_eq!(read.single.to_bits(), single.to_bits());
        }
        let read: Both = serde_json::from_str(r#"{"value":"1","option":null,"single":0.0003}"#).unwrap();
        assert_eq!((read.option, read.single), (None, 0.0003));
        assert!(serde_json::from_str::<Both>(r#"{"value":"one","option":null,"single":1}"#).is_err());
    }
}
