//! Numbers as keys take them: in their range, and never NaN or infinite.

use std::ops::RangeBounds;

use super::keys::Takes;
use super::tree::{Scalar, ScalarValue};

/// The whole number that `value` is, if `takes` allows it.
pub(super) fn whole(takes: &Takes, value: &ScalarValue) -> Option<u64> {
    let (Takes::Whole(low, high), ScalarValue::Whole(value)) = (takes, value) else { return None };
    u64::try_from(*value).ok().filter(|value| (*low..=*high).contains(value))
}

/// The number that `value` is, if `takes` allows it.
pub(super) fn real(takes: &Takes, value: &ScalarValue) -> Option<f64> {
    let Takes::Number(low, high) = *takes else { return None };
    let value = match *value {
        ScalarValue::Number(value) => value,
        ScalarValue::Whole(value) => value as f64,
        ScalarValue::Bool(_) | ScalarValue::Text => return None,
    };
    // Minus zero is zero to every reader.
    (value.is_finite() && (low, high).contains(&value)).then_some(value + 0.0)
}

/// The two numbers that a default is typed as.
pub(super) fn range(typed: &str) -> Option<[f64; 2]> {
    let (low, high) = typed.strip_prefix('[')?.strip_suffix(']')?.split_once(',')?;
    Some([low.trim().parse().ok()?, high.trim().parse().ok()?])
}

/// What was probably meant where a number was expected.
pub(super) fn hint(takes: &Takes, scalar: &Scalar) -> Option<String> {
    let typed = scalar.typed.trim();
    match (&scalar.value, takes) {
        (ScalarValue::Text, _) => hint_for_text(typed),
        (&ScalarValue::Number(value), Takes::Whole(..)) if value.fract() == 0.0 => Some(format!("write `{value:.0}`")),
        _ => None,
    }
}

fn hint_for_text(typed: &str) -> Option<String> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
    if let Some(percent) = typed.strip_suffix('%').and_then(number) {
        return Some(format!("write `{}`", percent / 100.0));
    }
    let plain = typed.replace('_', "").replace(',', ".");
    number(&plain)?;
    let digits = plain.trim_start_matches('0');
    Some(match digits {
        digits if digits.len() < plain.len() && digits.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("write `{digits}`, without leading zeros")
        }
        _ if plain == typed => format!("write `{plain}` without quotes"),
        _ => format!("write `{plain}`"),
    })
}
