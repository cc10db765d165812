//! From text to the ids of tokens, as transformers does it: a `tokenizer.json`, or the `vocab.txt` of a BERT.
//!
//! Invariants: an encoding has at least one token and at most `max_length`; every id is below
//! [`Tokenizer::vocabulary_size`]. What the file says about padding and truncation does not count.

use std::path::Path;

use serde::Deserialize;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Model, PostProcessor, TruncationParams};

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
        let encoding =
            self.inner.encode_fast(text, true).map_err(|error| Error::NotEncoded { reason: error.to_string() })?;
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
    let bad = |reason: String| Error::Tokenizer { path: path.to_owned(), reason };
    let failed = |error: tokenizers::Error| bad(error.to_string());
    let vocabulary = WordPiece::read_bytes(read(path)?.as_bytes()).map_err(failed)?;
    let missing: Vec<_> = NEEDED.into_iter().filter(|&token| !vocabulary.contains_key(token)).collect();
    if !missing.is_empty() {
        return Err(bad(format!("it has no {}", missing.join(", no "))));
    }
    let model = WordPiece::builder().vocab(vocabulary).build().map_err(failed)?;
    around(model, &BertConfig::beside(path)?).map_err(failed)
}

fn around(model: WordPiece, config: &BertConfig) -> tokenizers::Result<tokenizers::Tokenizer> {
    let known = |token: &'static str| model.token_to_id(token).map(|id| (token, id));
    let ends = TemplateProcessing::builder()
        .try_single("[CLS] $A [SEP]")?
        .special_tokens(["[CLS]", "[SEP]"].into_iter().filter_map(known).collect::<Vec<_>>())
        .build()?;
    let special = NEEDED.into_iter().chain(["[MASK]"]).filter_map(known);
    let special: Vec<_> = special.map(|(token, _)| AddedToken::from(token, true)).collect();
    let BertConfig { do_lower_case, strip_accents, tokenize_chinese_chars } = *config;
    let normalizer = BertNormalizer::new(true, tokenize_chinese_chars, strip_accents, do_lower_case);
    let mut tokenizer = tokenizers::Tokenizer::new(model);
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
        let path = vocabulary.with_file_name("tokenizer_config.json");
        match file::read_text(&path, MAX_BYTES) {
            Ok(json) => {
                serde_json::from_str(&json).map_err(|error| Error::Tokenizer { path, reason: error.to_string() })
            }
            Err(Unreadable::Missing) => Ok(BertConfig::default()),
            Err(defect) => Err(Error::File { path, defect }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::fs;

    const TOKENS: &str = "[PAD] [UNK] [CLS] [SEP] [MASK] red apple ##s un ##aff ##able cafe 苹 果 🍎 ! ? ' - , . 1 ##2 a ##b \
                          grusse Red Café";
    const CASED: &str = r#"{"do_lower_case": false}"#;

    /// The tokenizer.json of the same vocabulary, with padding and truncation that are to be ignored.
    fn json_of(tokens: &[&str], lowercase: bool) -> Value {
        let vocabulary: serde_json::Map<String, Value> =
            tokens.iter().zip(0..).map(|(&token, id)| (token.to_owned(), json!(id))).collect();
        let special = |(token, id): (&&str, usize)| json!({"id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
        let id = |token: &str| tokens.iter().position(|&other| other == token);
        json!({
            "version": "1.0",
            "truncation": {"direction": "Left", "max_length": 4, "strategy": "LongestFirst", "stride": 1},
            "padding": {"strategy": {"Fixed": 12}, "direction": "Left", "pad_to_multiple_of": 8, "pad_id": 999_999, "pad_type_id": 0, "pad_token": "[PAD]"},
            "added_tokens": tokens.iter().zip(0..).filter(|(token, _)| token.starts_with('[')).map(special).collect::<Vec<_>>(),
            "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": lowercase},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", id("[SEP]")], "cls": ["[CLS]", id("[CLS]")]},
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocabulary},
        })
    }

    /// One vocabulary as a `vocab.txt` and as a `tokenizer.json`.
    fn both(config: Option<&str>, lowercase: bool, max_length: usize) -> [Tokenizer; 2] {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let tokens: Vec<&str> = TOKENS.split_whitespace().collect();
        fs::write(path("vocab.txt"), tokens.join("\n") + "\n").unwrap();
        fs::write(path("tokenizer.json"), json_of(&tokens, lowercase).to_string()).unwrap();
        config.into_iter().for_each(|config| fs::write(path("tokenizer_config.json"), config).unwrap());
        ["vocab.txt", "tokenizer.json"].map(|name| Tokenizer::open(&path(name), max_length).unwrap())
    }

    fn words(tokenizer: &Tokenizer, text: &str) -> String {
        let tokens: Vec<&str> = TOKENS.split_whitespace().collect();
        let ids = tokenizer.encode(text).unwrap();
        ids.iter().map(|&id| tokens[id as usize]).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn both_files_of_a_vocabulary_give_the_tokens_of_bert() {
        for tokenizer in both(None, true, 32) {
            for (text, tokens) in [
                ("red apple", "[CLS] red apple [SEP]"),
                ("  RED\t\u{a0}Apples!\n", "[CLS] red apple ##s ! [SEP]"),
                ("unaffable", "[CLS] un ##aff ##able [SEP]"),
                ("Café, cafe\u{301}", "[CLS] cafe , cafe [SEP]"),
                ("苹果🍎", "[CLS] 苹 果 🍎 [SEP]"),
                ("🍎 苹", "[CLS] 🍎 苹 [SEP]"),
                ("12 1 zebra's", "[CLS] 1 ##2 1 [UNK] ' [UNK] [SEP]"),
                ("a\0\u{fffd}\u{200d}b", "[CLS] a ##b [SEP]"),
                ("a-b?", "[CLS] a - [UNK] ? [SEP]"),
                ("", "[CLS] [SEP]"),
                ("red [SEP] [MASK]", "[CLS] red [SEP] [MASK] [SEP]"),
                (&"a".repeat(101), "[CLS] [UNK] [SEP]"),
            ] {
                assert_eq!(words(&tokenizer, text), tokens, "{text:?}");
            }
            assert_eq!((tokenizer.pad_id(), tokenizer.vocabulary_size()), (0, TOKENS.split_whitespace().count()));
        }
    }

    #[test]
    fn case_counts_where_the_config_says_so() {
        for tokenizer in both(Some(CASED), false, 32) {
            assert_eq!(words(&tokenizer, "Red red Café cafe APPLE"), "[CLS] Red red Café cafe [UNK] [SEP]");
        }
        let [lower, _] =
            both(Some(r#"{"model_max_length": 512, "do_lower_case": true, "strip_accents": false}"#), true, 32);
        assert_eq!(words(&lower, "RED Café cafe"), "[CLS] red [UNK] cafe [SEP]");
        let [no_chinese, _] = both(Some(r#"{"tokenize_chinese_chars": false}"#), true, 32);
        assert_eq!(words(&no_chinese, "苹果"), "[CLS] [UNK] [SEP]");
    }

    #[test]
    fn long_texts_are_cut_but_keep_the_mark_of_their_end() {
        for (max_length, tokens) in [
            (3, "[CLS] red [SEP]"),
            (5, "[CLS] red apple ##s [SEP]"),
            (6, "[CLS] red apple ##s ! [SEP]"),
            (9, "[CLS] red apple ##s ! [SEP]"),
        ] {
            for tokenizer in both(None, true, max_length) {
                assert_eq!(words(&tokenizer, "red apples!"), tokens);
                assert_eq!(tokenizer.encode(&"apples ".repeat(5_000)).unwrap().len(), max_length);
            }
        }
    }

    fn opened(
        name: &str,
        content: &[u8],
        config: Option<&[u8]>,
        max_length: usize,
    ) -> Result<Tokenizer, (String, Option<&'static str>)> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), content).unwrap();
        config.into_iter().for_each(|config| fs::write(folder.path().join("tokenizer_config.json"), config).unwrap());
        Tokenizer::open(&folder.path().join(name), max_length)
            .map_err(|error| (error.to_string().replace(&*folder.path().to_string_lossy(), "DIR"), error.hint()))
    }

    #[test]
    fn what_is_no_tokenizer_is_refused() {
        let vocabulary = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n";
        for (name, content, config, words) in [
            (
                "spiece.model",
                &b"x"[..],
                None,
                "DIR/spiece.model is no tokenizer that can be read: a tokenizer.json and a vocab.txt are",
            ),
            (
                "vocab.txt",
                b"[UNK]\n[CLS]\nred\n",
                None,
                "could not make a tokenizer of DIR/vocab.txt: it has no [PAD], no [SEP]",
            ),
            ("vocab.txt", b"[PAD]\n\xFF\n", None, "could not read DIR/vocab.txt: line 2 is not UTF-8"),
            (
                "vocab.txt",
                vocabulary,
                Some(&b"{\"do_lower_case\": 1}"[..]),
                "could not make a tokenizer of DIR/tokenizer_config.json: invalid type: integer `1`, expected a boolean at line 1 column 19",
            ),
            (
                "tokenizer.json",
                b"{\"version\": \"1.0\"}",
                None,
                "could not make a tokenizer of DIR/tokenizer.json: Model missing. at line 1 column 18",
            ),
            (
                "tokenizer.json",
                b"{",
                None,
                "could not make a tokenizer of DIR/tokenizer.json: EOF while parsing an object at line 1 column 1",
            ),
        ] {
            let (said, hint) = opened(name, content, config, 16).unwrap_err();
            assert_eq!(said, words);
            assert!(hint.is_some());
        }
        let (said, hint) = opened("vocab.txt", vocabulary, None, 2).unwrap_err();
        assert_eq!(
            (&*said, hint),
            ("2 tokens leave no room for a text: DIR/vocab.txt puts 2 around each", Some("raise `data.max_length`"))
        );
        let error = Tokenizer::open(Path::new("nowhere/vocab.txt"), 16).unwrap_err();
        assert_eq!(error.to_string(), "the tokenizer nowhere/vocab.txt does not exist");
    }

    #[test]
    fn a_tokenizer_without_pads_and_ends_pads_with_its_first_token_and_refuses_what_has_none() {
        let tokens = ["[UNK]", "red"];
        let mut json = json_of(&tokens, true);
        for part in ["padding", "truncation", "post_processor"] {
            json[part] = Value::Null;
        }
        let tokenizer = opened("tokenizer.json", json.to_string().as_bytes(), None, 2).unwrap();
        assert_eq!((tokenizer.pad_id(), tokenizer.vocabulary_size()), (0, 2));
        assert_eq!(tokenizer.encode("red red blue").unwrap(), [1, 1]);
        let error = tokenizer.encode("\0").unwrap_err();
        assert_eq!(error.to_string(), "could not make tokens of a text: it has no tokens");
    }

    #[test]
    fn ids_that_only_the_ends_have_count_for_the_size() {
        let tokens: Vec<&str> = TOKENS.split_whitespace().collect();
        let mut json = json_of(&tokens, true);
        json["post_processor"]["sep"][1] = json!(77);
        json["padding"]["pad_token"] = json!("red");
        let tokenizer = opened("tokenizer.json", json.to_string().as_bytes(), None, 16).unwrap();
        assert_eq!(tokenizer.encode("red").unwrap(), [2, 5, 77]);
        assert_eq!((tokenizer.pad_id(), tokenizer.vocabulary_size()), (5, 78));
    }

    #[test]
    fn threads_may_share_a_tokenizer() {
        fn shared<T: Send + Sync>(_: &T) {}
        let [tokenizer, _] = both(None, true, 16);
        shared(&tokenizer);
        let one = tokenizer.encode("red apples").unwrap();
        std::thread::scope(|scope| {
            let encode = || (0..50).map(|_| tokenizer.encode("red apples").unwrap()).collect::<Vec<_>>();
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(encode)).collect();
            threads.into_iter().for_each(|thread| assert!(thread.join().unwrap().iter().all(|ids| *ids == one)));
        });
    }

    proptest! {
        #[test]
        fn both_files_agree_on_any_text(
            pieces in proptest::collection::vec(prop_oneof![
                Just("red".to_owned()), Just("Apples".to_owned()), Just("é".to_owned()), Just("e\u{301}".to_owned()), Just("ß".to_owned()),
                Just("苹".to_owned()), Just("🍎".to_owned()), Just("👩\u{200d}🚀".to_owned()), Just(" ".to_owned()), Just("[MASK]".to_owned()),
                Just("İ".to_owned()), "\\PC{0,6}", any::<String>(),
            ], 0..8),
            max_length in 3usize..20,
        ) {
            let text = pieces.concat();
            let [vocabulary, json] = both(None, true, max_length);
            let ids = vocabulary.encode(&text).unwrap();
            prop_assert_eq!(&ids, &json.encode(&text).unwrap());
            prop_assert!((2..=max_length).contains(&ids.len()));
            prop_assert_eq!((ids[0], ids[ids.len() - 1]), (2, 3));
            prop_assert!(ids.iter().all(|&id| (id as usize) < vocabulary.vocabulary_size()));
        }
    }
}
