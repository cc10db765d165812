//! Files of weights, changed or made up: a network or an error, and no more memory than the file and the network take.

use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

use candle_core::Device;
use finetop::experiment::{self, Experiment, Origin};
use finetop::model::{Fetch, Network, find};
use proptest::prelude::*;

use super::change::{changed, changes};
use super::memory::peak_of;
use crate::workplace::{Workplace, tiny_text};

/// A trained model, and where it and what it needs lie.
fn model() -> &'static (Workplace, Vec<u8>) {
    static MODEL: OnceLock<(Workplace, Vec<u8>)> = OnceLock::new();
    MODEL.get_or_init(|| {
        let here = Workplace::with_texts();
        here.write("tiny.yaml", tiny_text("tiny", 2));
        here.finetop(&["run", "tiny.yaml"]).succeeded();
        let bytes = std::fs::read(here.run_folder(1).join("model/model.safetensors")).unwrap();
        (here, bytes)
    })
}

/// The experiment that starts from the weights in `file`.
fn starting_from(folder: &Path, file: &str) -> Experiment {
    let text = tiny_text("tiny", 2).replace("weights: random", &format!("weights: {file}"));
    let origin = Origin { shown: "tiny.yaml".into(), folder: folder.to_owned(), stem: "tiny".into() };
    experiment::parse(&text, &origin, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Builds a network from `bytes` under `name`; its error, if it has one, is in words.
fn build(name: &str, bytes: &[u8]) -> Result<(), String> {
    let (here, _) = model();
    let folder = tempfile::tempdir().unwrap();
    for beside in ["config.json", "vocab.txt", "train.csv"] {
        std::fs::copy(here.path(beside), folder.path().join(beside)).unwrap();
    }
    std::fs::write(folder.path().join(name), bytes).unwrap();
    let spec = starting_from(folder.path(), name).model;
    let (built, peak) = peak_of(|| {
        let found = find(&spec, Fetch::CacheOnly, &mut |_| true)?;
        Network::build(&spec, &found, 2, 0, &Device::Cpu).map(drop)
    });
    assert!(peak < 8 << 20, "{peak} bytes for {}", bytes.len());
    built.map_err(|error| error.to_string())
}

/// An archive as `torch.save` makes them, with `pickle` in it.
fn archive(pickle: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in [("w/data.pkl", pickle), ("w/data/0", &[0; 64][..])] {
        zip.start_file(name, stored).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Out of the codes of a pickle, those with lengths and numbers of their own above all.
fn pickles() -> impl Strategy<Value = Vec<u8>> {
    let length = prop::sample::select(vec![0u32, 1, 255, 65536, i32::MAX as u32, u32::MAX]);
    let code = prop_oneof![
        6 => prop::sample::select(b"}(].tQRubsaeqXKJMNcX)\x85\x86\x87\x88\x89\x8a\x81\x94012he".to_vec()).prop_map(|code| vec![code]),
        2 => (prop::sample::select(b"XTBJjr\x8b".to_vec()), length.clone()).prop_map(|(code, length)| {
            [vec![code], length.to_le_bytes().to_vec()].concat()
        }),
        1 => (prop::sample::select(b"\x8d\x8e\x96\x95".to_vec()), any::<u64>()).prop_map(|(code, length)| {
            [vec![code], length.to_le_bytes().to_vec()].concat()
        }),
        2 => prop::sample::select(vec!["ctorch._utils\n_rebuild_tensor_v2\n", "ctorch\nFloatStorage\n", "cos\nsystem\n", "X\x07\0\0\0storage", "X\x01\0\0\x000", "h\0", "q\0"])
            .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(code, 0..60).prop_map(|codes| [b"\x80\x02".to_vec(), codes.concat(), b".".to_vec()].concat())
}

#[test]
fn the_model_is_fine_unchanged() {
    build("model.safetensors", &model().1).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_safetensors_are_weights_or_errors(changes in changes()) {
        if let Err(error) = build("model.safetensors", &changed(&model().1, &changes)) {
            prop_assert!(!error.is_empty());
        }
    }

    #[test]
    fn made_up_pickles_are_errors(pickle in pickles()) {
        prop_assert!(build("model.pth", &archive(&pickle)).is_err());
    }

    #[test]
    fn changed_archives_are_errors(pickle in pickles(), changes in changes()) {
        prop_assert!(build("model.pth", &changed(&archive(&pickle), &changes)).is_err());
    }
}
