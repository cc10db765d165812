//! Small formulas in sentences: `sqrt(6/(9*in))`.

/// The value of `text`, in which `names` stand for numbers; or why it has none.
pub(super) fn value(text: &str, names: &[(&str, f64)]) -> Result<f64, String> {
    let mut reader = Reader { rest: text.trim(), names };
    let value = reader.sum()?;
    match reader.rest.trim_start() {
        "" => Ok(value),
        rest => Err(format!("`{rest}` of `{text}` is not understood")),
    }
}

struct Reader<'a> {
    rest: &'a str,
    names: &'a [(&'a str, f64)],
}

impl Reader<'_> {
    fn sum(&mut self) -> Result<f64, String> {
        let mut value = self.product()?;
        loop {
            match self.next_of(&['+', '-']) {
                Some('+') => value += self.product()?,
                Some(_) => value -= self.product()?,
                None => return Ok(value),
            }
        }
    }

    fn product(&mut self) -> Result<f64, String> {
        let mut value = self.factor()?;
        loop {
            match self.next_of(&['*', '/']) {
                Some('*') => value *= self.factor()?,
                Some(_) => value /= self.factor()?,
                None => return Ok(value),
            }
        }
    }

    fn factor(&mut self) -> Result<f64, String> {
        if self.next_of(&['-']).is_some() {
            return Ok(-self.factor()?);
        }
        if self.next_of(&['(']).is_some() {
            let value = self.sum()?;
            return self.next_of(&[')']).map(|_| value).ok_or_else(|| "a `(` is not closed".to_owned());
        }
        let is_part = |c: char| c.is_alphanumeric() || c == '.' || c == '_';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (mut word, mut rest) = self.rest.split_at(end);
        // the sign of an exponent
        if word.ends_with(['e', 'E']) && word.starts_with(|c: char| c.is_ascii_digit()) && rest.starts_with(['-', '+'])
        {
            let end = 1 + rest[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - 1);
            (word, rest) = self.rest.split_at(word.len() + end);
        }
        self.rest = rest;
        if word == "sqrt" {
            return self.factor().map(f64::sqrt);
        }
        if let Some((_, value)) = self.names.iter().find(|(name, _)| *name == word) {
            return Ok(*value);
        }
        word.parse().map_err(|_| format!("`{word}{rest}` is no number"))
    }

    fn next_of(&mut self, wanted: &[char]) -> Option<char> {
        let rest = self.rest.trim_start();
        let found = rest.chars().next().filter(|c| wanted.contains(c));
        self.rest = if found.is_some() { rest[1..].trim_start() } else { rest };
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_have_their_value() {
        let names = [("in", 64.0), ("fan_in", 6.0)];
        for (text, wanted) in [
            ("0.08", 0.08),
            ("1e-3", 1e-3),
            ("1 + 2*3 - 4/8", 6.5),
            ("sqrt(6/(9*in))", (6.0f64 / 576.0).sqrt()),
            ("sqrt(6 / fan_in)", 1.0),
            ("-(2 + 1)*-2", 6.0),
            ("2e-1*10", 2.0),
        ] {
            assert_eq!(value(text, &names).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_none_is_said() {
        for text in ["", "in", "sqrt(6", "2 3", "6/", "x*2", "1e", "é"] {
            assert!(value(text, &[]).is_err(), "{text}");
        }
    }
}
