//! From text to the ids of tokens, as transformers does it: a `tokenizer.json`, or the `vocab.txt` of a BERT.
//!
//! Invariants: an encoding has at least one token and at most `max_length`; every id is below
//! [`Tokenizer::vocabulary_size`]. What the file says about padding and truncation does not count.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, PostProcessor, TruncationParams};

use super::error::Error;
use super::file::{self, Unreadable};

/// Largest file, in bytes; those of models for a hundred languages take 20 MB.
const MAX_BYTES: u64 = 256 << 20;
/// What pads a batch, in the vocabularies of BERT and of RoBERTa.
const PADS: [&str; 2] = ["[PAD]", "<pad>"];
/// The tokens that a BERT cannot do without.
const NEEDED: [&str; 4] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];

/// Makes the ids of tokens out of texts, on any number of threads.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    pad_id: u32,
    vocabulary_size: usize,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`, or a `vocab.txt` with one token of WordPiece a line. Beside a `vocab.txt`, a
    /// `tokenizer_config.json` decides on lower case and accents as it does for transformers' `BertTokenizer`: lower case
    /// without accents unless it says otherwise.
    ///
    /// Texts are cut to `max_length` tokens, those that mark their ends included.
    pub fn open(path: &Path, max_length: usize) -> Result<Tokenizer, Error> {
        let bad = |reason: String| Error::Tokenizer { path: path.to_owned(), reason };
        let mut inner = match &*path.extension().unwrap_or_default().to_string_lossy().to_lowercase() {
            "json" => read(path)?.parse().map_err(|error: tokenizers::Error| bad(error.to_string()))?,
            "txt" => bert(path)?,
            _ => return Err(Error::UnknownTokenizer { path: path.to_owned() }),
        };
        let ends = inner.get_post_processor().map_or(0, |ends| ends.added_tokens(false));
        if max_length <= ends {
            return Err(Error::NoRoom { path: path.to_owned(), max_length, ends });
        }
        let truncation = TruncationParams { max_length, ..TruncationParams::default() };
        let configured_pad = inner.get_padding().map(|padding| padding.pad_token.clone());
        inner.with_padding(None).with_truncation(Some(truncation)).map_err(|error| bad(error.to_string()))?;
        let pads = configured_pad.iter().map(|pad| &**pad).chain(PADS);
        // A model that was trained without padding has no token for it; masked, any will do.
        let pad_id = pads.filter_map(|pad| inner.token_to_id(pad)).next().unwrap_or(0);
        let mut tokenizer = Tokenizer { inner, pad_id, vocabulary_size: 0 };
        tokenizer.vocabulary_size = tokenizer.count().map_err(|error| bad(error.to_string()))?;
        Ok(tokenizer)
    }

    /// The ids of the tokens of `text`, with those that mark its ends; at least one, at most `max_length`. Of a longer text
    /// the end is cut off, but not its mark.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        let encoding = self.inner.encode_fast(text, true).map_err(|error| Error::NotEncoded { reason: error.to_string() })?;
        match encoding.get_ids() {
            [] => Err(Error::NotEncoded { reason: "it has no tokens".into() }),
            ids => Ok(ids.to_vec()),
        }
    }

    /// What shorter texts of a batch are filled up with.
    pub fn pad_id(&self) -> u32 {
        self.pad_id
    }

    /// Rows that an embedding needs: one more than the highest id.
    pub fn vocabulary_size(&self) -> usize {
        self.vocabulary_size
    }

    fn count(&self) -> tokenizers::Result<usize> {
        // The marks of the ends have ids of their own, which the vocabulary may not have.
        let ends = self.inner.encode_fast("", true)?;
        let ids = self.inner.get_vocab(true).into_values().chain(ends.get_ids().iter().copied());
        Ok(ids.max().map_or(0, |highest| highest as usize + 1))
    }
}

fn read(path: &Path) -> Result<String, Error> {
    file::read_text(path, MAX_BYTES).map_err(|defect| match defect {
        Unreadable::Missing => Error::MissingTokenizer { path: path.to_owned() },
        defect => Error::File { path: path.to_owned(), defect },
    })
}

/// The tokenizer of the BERT whose tokens are the lines of the file.
fn bert(path: &Path) -> Result<tokenizers::Tokenizer, Error> {
    let vocabulary: HashMap<String, u32> = read(path)?.lines().map(|line| line.trim_end().to_owned()).zip(0..).collect();
    let missing: Vec<_> = NEEDED.into_iter().filter(|&token| !vocabulary.contains_key(token)).collect();
    if !missing.is_empty() {
        return Err(Error::Tokenizer { path: path.to_owned(), reason: format!("there is no line {}", missing.join(", ")) });
    }
    let config = BertConfig::beside(path)?;
    let bad = |error: tokenizers::Error| Error::Tokenizer { path: path.to_owned(), reason: error.to_string() };
    wordpiece(vocabulary, &config).map_err(bad)
}

fn wordpiece(vocabulary: HashMap<String, u32>, config: &BertConfig) -> tokenizers::Result<tokenizers::Tokenizer> {
    let id = |token: &str| vocabulary.get(token).copied().unwrap_or_default();
    let ends = TemplateProcessing::builder()
        .try_single("[CLS] $A [SEP]")?
        .special_tokens(vec![("[CLS]", id("[CLS]")), ("[SEP]", id("[SEP]"))])
        .build()?;
    let special = NEEDED.into_iter().chain(["[MASK]"]).filter(|&token| vocabulary.contains_key(token));
    let special: Vec<_> = special.map(|token| AddedToken::from(token, true)).collect();
    let model = WordPiece::builder().vocab(vocabulary.into_iter().collect::<Vocabulary>()).build()?;
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    let BertConfig { do_lower_case, strip_accents, tokenize_chinese_chars } = *config;
    let normalizer = BertNormalizer::new(true, tokenize_chinese_chars, strip_accents, do_lower_case);
    tokenizer.with_normalizer(Some(normalizer))?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer)).with_post_processor(Some(ends));
    tokenizer.add_special_tokens(special)?;
    Ok(tokenizer)
}

/// What `tokenizer_config.json` says to transformers' `BertTokenizer`.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct BertConfig {
    do_lower_case: bool,
    /// As with `do_lower_case` where it is not given.
    strip_accents: Option<bool>,
    tokenize_chinese_chars: bool,
}

impl Default for BertConfig {
    fn default() -> Self {
        BertConfig { do_lower_case: true, strip_accents: None, tokenize_chinese_chars: true }
    }
}

impl BertConfig {
    fn beside(vocabulary: &Path) -> Result<BertConfig, Error> {
        let path: PathBuf = vocabulary.with_file_name("tokenizer_config.json");
        match file::read_text(&path, MAX_BYTES) {
            Ok(json) => {
                serde_json::from_str(&json).map_err(|error| Error::Tokenizer { path, reason: error.to_string() })
            }
            Err(Unreadable::Missing) => Ok(BertConfig::default()),
            Err(defect) => Err(Error::File { path, defect }),
        }
    }
}
