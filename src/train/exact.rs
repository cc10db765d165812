//! An f64 in JSON to the last bit, NaN and infinities included: as the text that reads back equal. (JSON numbers have
//! no NaN, and not every parser reads them to the last bit.)

use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

/// The same for a value that may be absent.
pub mod option {
    use super::*;

    pub fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
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
    }

    #[test]
    fn every_value_reads_back_to_the_bit() {
        for value in [0.1 + 0.2, 1.0 / 3.0, f64::NAN, f64::NEG_INFINITY, 5e-324, f64::MAX, -0.0] {
            let text = serde_json::to_string(&Both { value, option: Some(value) }).unwrap();
            let read: Both = serde_json::from_str(&text).unwrap();
            assert_eq!(read.value.to_bits(), value.to_bits());
            assert_eq!(read.option.unwrap().to_bits(), value.to_bits());
        }
        let read: Both = serde_json::from_str(r#"{"value":"1","option":null}"#).unwrap();
        assert_eq!(read.option, None);
    }
}
