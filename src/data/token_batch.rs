//! Texts of a batch side by side, padded to the longest of them.

use super::samples::Text;

/// A batch of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenBatch {
    /// `[batch, tokens]`, row by row.
    pub ids: Vec<u32>,
    /// As `ids`: 1 for a token, 0 for padding.
    pub mask: Vec<f32>,
    /// Of each text, its own and the padding.
    pub tokens: usize,
}

impl TokenBatch {
    /// Of `texts`, padded with `pad`.
    pub fn of<'a>(texts: impl Iterator<Item = &'a Text> + Clone, pad: u32) -> TokenBatch {
        let tokens = texts.clone().map(|text| text.tokens.len()).max().unwrap_or(0);
        let mut batch = TokenBatch { ids: Vec::new(), mask: Vec::new(), tokens };
        for (row, text) in (1..).zip(texts) {
            batch.ids.extend_from_slice(&text.tokens);
            batch.mask.resize(batch.ids.len(), 1.0);
            batch.ids.resize(row * tokens, pad);
            batch.mask.resize(row * tokens, 0.0);
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_padded_to_the_longest() {
        let text = |tokens: &[u32]| Text { source: "a:1".into(), label: 0, text: "".into(), tokens: tokens.into() };
        let texts = [text(&[7, 8, 9]), text(&[5])];
        let batch = TokenBatch::of(texts.iter(), 3);
        assert_eq!(batch.ids, [7, 8, 9, 5, 3, 3]);
        assert_eq!(batch.mask, [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(batch.tokens, 3);
        assert_eq!(TokenBatch::of(texts[..0].iter(), 3).tokens, 0);
    }
}
