//! Reads numbers out of sentences that were written for people.

use super::error::Trouble;
use super::expression;

/// A field that is a sentence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prose<'a> {
    pub field: &'a str,
    pub text: &'a str,
}

impl<'a> Prose<'a> {
    pub fn new(field: &'a str, text: &'a str) -> Self {
        Prose { field, text }
    }

    /// A part of it.
    pub fn part(self, text: &'a str) -> Self {
        Prose { text, ..self }
    }

    pub fn unclear(&self, reason: impl std::fmt::Display) -> Trouble {
        Trouble::field(self.field, format!("is not understood: {reason} (in \"{}\")", self.text.trim()))
    }

    /// Whether `phrase` is in it, in small or capital letters.
    pub fn says(&self, phrase: &str) -> bool {
        self.text.to_lowercase().contains(&phrase.to_lowercase())
    }

    /// What stands between the separators `separators`, outside of brackets.
    pub fn clauses(&self, separators: &'static [char]) -> Vec<&'a str> {
        let (mut clauses, mut start, mut depth) = (Vec::new(), 0, 0);
        for (at, c) in self.text.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                c if depth == 0 && separators.contains(&c) => {
                    clauses.push(self.text[start..at].trim());
                    start = at + c.len_utf8();
                }
                _ => {}
            }
        }
        clauses.push(self.text[start..].trim());
        clauses.retain(|clause| !clause.is_empty());
        clauses
    }

    /// What follows the first `word`.
    pub fn after(&self, word: &str) -> Result<Prose<'a>, Trouble> {
        match self.text.split_once(word) {
            Some((_, rest)) => Ok(self.part(rest)),
            None => Err(self.unclear(format_args!("it does not say `{word}`"))),
        }
    }

    /// The number that it begins with, whatever signs stand before it.
    pub fn number(&self) -> Result<f64, Trouble> {
        let text = self.text.trim_start_matches(|c: char| c.is_whitespace() || "=(".contains(c));
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || ".+-_".contains(c))).unwrap_or(text.len());
        let word = text[..end].trim_end_matches(['.', '-']);
        word.parse().map_err(|_| self.unclear(format_args!("`{word}` is no number")))
    }

    /// The whole number that it begins with.
    pub fn count(&self) -> Result<usize, Trouble> {
        let text = self.text.trim_start();
        let digits = &text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())];
        digits.parse().map_err(|_| self.unclear("it does not begin with a whole number"))
    }

    /// The first and last of `0..5`, the first such range in it.
    pub fn range(&self) -> Result<std::ops::RangeInclusive<usize>, Trouble> {
        let range = self.text.split_whitespace().find_map(|word| {
            let (from, to) = word.trim_end_matches([',', ';', '.']).split_once("..")?;
            Some(from.parse().ok()?..=to.parse().ok()?)
        });
        range.ok_or_else(|| self.unclear("it does not say from where to where, as in `0..5`"))
    }

    /// What `scale` is, or equals: a formula in which `names` stand for numbers.
    pub fn scale(&self, names: &[(&str, f64)]) -> Result<f64, Trouble> {
        let rest = self.after("scale")?.text.trim_start_matches([' ', '=']);
        expression::value(first_argument(rest), names).map_err(|reason| self.unclear(reason))
    }

    /// What is added to `formula(…)`, before or after it; 0 if nothing is.
    pub fn offset(&self) -> Result<f64, Trouble> {
        let Some((before, after)) = self.text.split_once("formula") else { return Ok(0.0) };
        let text = match (before.trim_end().strip_suffix('+'), behind_bracket(after).trim_start().strip_prefix('+')) {
            (Some(before), _) => before.rsplit(['=', '(']).next().unwrap_or(before),
            (None, Some(after)) => first_argument(after),
            (None, None) => return Ok(0.0),
        };
        expression::value(text, &[]).map_err(|reason| self.unclear(reason))
    }

    /// The shape that `formula((8,3,64,64), …` begins with.
    pub fn shape(&self) -> Result<Vec<usize>, Trouble> {
        let unclear = || self.unclear("it does not say of which shape, as in `formula((8,3,64,64), …`");
        let (_, rest) = self.text.split_once("formula((").ok_or_else(unclear)?;
        let (shape, _) = rest.split_once(')').ok_or_else(unclear)?;
        let sizes = shape.split(',').map(|size| size.trim().parse().ok()).collect::<Option<Vec<usize>>>();
        sizes.filter(|sizes| sizes.iter().all(|size| (1..=1 << 20).contains(size))).ok_or_else(unclear)
    }

    /// Labels of `count` samples: `labels i % 3`.
    pub fn labels(&self, count: usize) -> Result<Vec<u32>, Trouble> {
        let rule = self.after("labels")?;
        let classes = rule.after("%")?.count()? as u32;
        if !rule.text.trim_start().starts_with('i') || classes == 0 {
            return Err(self.unclear("labels other than `i % N`"));
        }
        Ok((0..count as u32).map(|i| i % classes).collect())
    }
}

/// `text` up to the comma or the bracket that ends it.
fn first_argument(text: &str) -> &str {
    let mut depth = 0;
    let end = text.find(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth < 0 || depth == 0 && ",;".contains(c)
    });
    text[..end.unwrap_or(text.len())].trim()
}

/// What follows the bracket that `text` begins with.
fn behind_bracket(text: &str) -> &str {
    let mut depth = 0;
    let end = text.find(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ')' && depth == 0
    });
    end.map_or("", |end| &text[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prose(text: &str) -> Prose<'_> {
        Prose::new("weights", text)
    }

    #[test]
    fn formulas_are_read() {
        let images = prose("round(formula((12,32,32,3), k=101, scale=127.5)+127.5), RGB; labels i % 3");
        assert_eq!(images.shape().unwrap(), [12, 32, 32, 3]);
        assert_eq!((images.scale(&[]).unwrap(), images.offset().unwrap()), (127.5, 127.5));
        assert_eq!(images.labels(4).unwrap(), [0, 1, 2, 0]);
        let norm = prose("batch-norm weight = 1 + formula(k=1+k, scale=0.1)");
        assert_eq!((norm.scale(&[]).unwrap(), norm.offset().unwrap()), (0.1, 1.0));
        let conv = prose("conv = formula(k=1+k, scale=sqrt(6/fan_in), for conv 0 divided by 60)");
        assert_eq!((conv.scale(&[("fan_in", 6.0)]).unwrap(), conv.offset().unwrap()), (1.0, 0.0));
        assert_eq!(prose("other 1-d tensors scale 0.05").scale(&[]).unwrap(), 0.05);
    }

    #[test]
    fn numbers_and_ranges_are_read() {
        assert_eq!(prose("clipped to global norm 1.0, cross").after("norm").unwrap().number().unwrap(), 1.0);
        assert_eq!(prose("lr=1e-3 x").after("lr").unwrap().number().unwrap(), 1e-3);
        assert_eq!(prose("even see 0..5, odd ones 6..11;").after("odd").unwrap().range().unwrap(), 6..=11);
        assert_eq!(prose("a (b, c), d; e").clauses(&[',', ';']), ["a (b, c)", "d", "e"]);
    }

    #[test]
    fn what_is_not_there_is_named_with_its_field() {
        let errors = [
            prose("no number").scale(&[]).unwrap_err(),
            prose("scale=wide").scale(&[]).unwrap_err(),
            prose("formula(3)").shape().unwrap_err(),
            prose("labels by chance % 3").labels(3).unwrap_err(),
            prose("one to three").range().unwrap_err(),
        ];
        for error in errors {
            let said = error.of("x.json").to_string();
            assert!(said.starts_with("x.json: `weights` is not understood: "), "{said}");
        }
    }
}
