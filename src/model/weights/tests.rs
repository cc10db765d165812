//! Tests of reading weights: every kind of file, every style of names, and files that are damaged or hostile.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use proptest::prelude::*;

use super::checkpoint::Checkpoint;
use super::stored::Number;
use super::{Fetch, Found, Origin, find};
use crate::base::random::{Purpose, Stream};
use crate::experiment::{Backbone, Model, Pool, Preprocessing, Weights};
use crate::model::{Error, Network};

fn spec(backbone: Backbone, weights: Weights) -> Model {
    Model {
        backbone,
        weights,
        tokenizer: None,
        preprocessing: None,
        lora: None,
        pool: Pool::Avg,
        l2: 0.0,
        head: vec![],
    }
}

fn write(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    crate::base::durable::write(&path, content).unwrap();
    path
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Pickles as Python writes them, by hand.
#[derive(Default)]
struct Pickler(Vec<u8>);

impl Pickler {
    fn op(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn text(self, text: &str) -> Self {
        self.op(b"X").op(&(text.len() as u32).to_le_bytes()).op(text.as_bytes())
    }

    fn int(self, value: usize) -> Self {
        self.op(b"J").op(&(value as u32).to_le_bytes())
    }

    fn tuple(self, values: &[usize]) -> Self {
        values.iter().fold(self.op(b"("), |pickler, value| pickler.int(*value)).op(b"t")
    }

    /// A tensor in the storage `key`; a parameter of a module where asked.
    fn tensor(self, storage: &str, key: &str, offset: usize, shape: &[usize], strides: &[usize], wrap: bool) -> Self {
        let pickler = if wrap { self.op(b"ctorch._utils\n_rebuild_parameter\n(") } else { self };
        let count = shape.iter().product();
        let pickler = pickler.op(b"ctorch._utils\n_rebuild_tensor_v2\n((").text("storage").op(b"ctorch\n");
        let pickler = pickler.op(storage.as_bytes()).op(b"\n").text(key).text("cpu").int(count).op(b"tQ");
        let pickler = pickler.int(offset).tuple(shape).tuple(strides).op(b"\x89ccollections\nOrderedDict\n)RtR");
        if wrap { pickler.op(b"\x88ccollections\nOrderedDict\n)RtR") } else { pickler }
    }
}

/// A file as `torch.save` writes it today.
fn archive(pickle: &[u8], storages: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("weights/data.pkl", stored).unwrap();
    zip.write_all(pickle).unwrap();
    for (key, bytes) in storages {
        zip.start_file(format!("weights/data/{key}"), stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn f32s(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

/// The pickle of a training script's checkpoint: tensors of all kinds below `state_dict`, other things beside them.
fn checkpoint_of_a_script() -> Vec<u8> {
    let pickler = Pickler::default().op(b"\x80\x02}(").text("epoch").int(3).text("lr").op(b"G").op(&[0; 8]);
    let pickler = pickler.text("state_dict").op(b"ccollections\nOrderedDict\n)R(");
    let pickler = pickler.text("a").tensor("FloatStorage", "0", 0, &[2, 3], &[3, 1], true);
    let pickler = pickler.text("turned").tensor("FloatStorage", "0", 0, &[3, 2], &[1, 3], false);
    let pickler = pickler.text("half").tensor("HalfStorage", "1", 1, &[2], &[1], false);
    let pickler = pickler.text("b16").tensor("BFloat16Storage", "2", 0, &[1], &[1], false);
    let pickler = pickler.text("double").tensor("DoubleStorage", "3", 0, &[], &[], false);
    let pickler = pickler.text("count").tensor("LongStorage", "4", 0, &[], &[], false);
    pickler.op(b"u}").text("_metadata").op(b"Nsbu.").0
}

fn script() -> Vec<u8> {
    let halves = [9.0, 1.5, -2.0].into_iter().flat_map(|v| half::f16::from_f32(v).to_le_bytes()).collect();
    let storages = [
        ("0", f32s((0..6u8).map(f32::from))),
        ("1", halves),
        ("2", half::bf16::from_f32(0.5).to_le_bytes().to_vec()),
        ("3", 2.25f64.to_le_bytes().to_vec()),
        ("4", 7i64.to_le_bytes().to_vec()),
    ];
    archive(&checkpoint_of_a_script(), &storages)
}

#[test]
fn a_file_of_torch_is_read_with_all_its_kinds_of_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let read = Checkpoint::open(&write(folder.path(), "a.pth", &script())).unwrap().tensors;
    let values = |name: &str| flat(&read[name].read().unwrap());
    assert_eq!(values("a"), [0., 1., 2., 3., 4., 5.]);
    assert_eq!((&*read["turned"].shape, values("turned")), (&[3, 2][..], vec![0., 3., 1., 4., 2., 5.]));
    assert_eq!((values("half"), values("b16"), values("double")), (vec![1.5, -2.0], vec![0.5], vec![2.25]));
    assert_eq!(read["count"].number, Number::Other);
    assert_eq!(read.len(), 6);
}

#[test]
fn what_a_file_of_torch_must_not_do_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (pickle, global) in [
        (&b"\x80\x02cposix\nsystem\nX\x04\0\0\0true\x85R."[..], "posix.system"),
        (b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.", "builtins.eval"),
        (b"(S'true'\nios\nsystem\n.", "os.system"),
        (b"(ios\nsystem\n.", "os.system"),
        (b"\x80\x02ctorch.storage\n_load_from_bytes\n)R.", "torch.storage._load_from_bytes"),
        (b"\x80\x02c__builtin__\ngetattr\n)R.", "__builtin__.getattr"),
        (b"\x80\x02c__torch__.net\nModule\n)\x81.", "__torch__.net.Module"),
    ] {
        let path = write(folder.path(), "a.pth", &archive(pickle, &[]));
        match Checkpoint::open(&path).unwrap_err() {
            Error::Malicious { global: found, .. } => assert_eq!(found, global),
            // An opcode that is not read comes before.
            Error::NotTorch { reason, .. } => {
                assert!(pickle.starts_with(b"(S") && reason.contains("opcode"), "{reason}")
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn damaged_files_of_torch_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let reason = |name: &str, content: &[u8]| match Checkpoint::open(&write(folder.path(), name, content)).unwrap_err()
    {
        Error::NotTorch { reason, .. } => reason,
        other => panic!("{other}"),
    };
    assert!(reason("empty.pth", b"").contains("neither"));
    assert!(reason("text.pt", b"no weights at all").contains("neither"));
    assert!(reason("cut.bin", &script()[..200]).len() > 3);
    assert!(reason("none.pth", &archive(b"\x80\x02}.", &[])).contains("no tensors"));
    assert!(reason("list.pth", &archive(b"\x80\x02].", &[])).contains("no dictionary"));
    let one = |key: &str, offset, shape: &[usize], strides: &[usize], bytes: usize| {
        let pickle = Pickler::default().op(b"\x80\x02}(").text("x");
        let pickle = pickle.tensor("FloatStorage", key, offset, shape, strides, false).op(b"u.").0;
        reason("one.pth", &archive(&pickle, &[("0", vec![0; bytes])]))
    };
    assert!(one("0", 0, &[2], &[1], 7).contains("outside"));
    assert!(one("0", 1, &[2], &[1], 8).contains("outside"));
    assert!(one("0", 0, &[2, 2], &[usize::MAX >> 33, 1], 16).contains("outside"));
    assert!(one("0", 0, &[2, 2], &[1], 16).contains("outside"));
    assert!(one("../0", 0, &[2], &[1], 8).contains("nowhere"));
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(
        "w/constants.pkl",
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored),
    )
    .unwrap();
    zip.start_file(
        "w/data.pkl",
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored),
    )
    .unwrap();
    assert!(reason("script.pt", &zip.finish().unwrap().into_inner()).contains("TorchScript"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_a_file_is_a_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        for (name, mut content) in [("a.pth", script()), ("a.safetensors", small_safetensors())] {
            let at = at.index(content.len());
            content[at] = byte;
            if cut {
                content.truncate(at);
            }
            if let Ok(read) = Checkpoint::open(&write(folder.path(), name, &content)) {
                read.tensors.values().for_each(|stored| drop(stored.read()));
            }
        }
    }

    #[test]
    fn no_pickle_is_a_panic(codes in prop::collection::vec(prop::sample::select(b"\x80\x02}(].tQRubsaehqXKJNcX)\x85\x86\x87\x88\x89\x8a\x81\x94012".to_vec()), 0..60)) {
        let _ = super::pickle::Pickle::read(&mut &codes[..], codes.len() as u64);
    }
}

fn small_safetensors() -> Vec<u8> {
    let vars = [("a", vec![2, 3]), ("b", vec![4])];
    let vars =
        vars.map(|(name, shape)| (name.to_owned(), candle_core::Var::ones(shape, DType::F32, &Device::Cpu).unwrap()));
    let mut bytes = Vec::new();
    super::write(&mut bytes, &vars, &BTreeMap::from([("preprocessing".into(), "torch".into())])).unwrap();
    bytes
}

#[test]
fn damaged_safetensors_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let reason = |content: &[u8]| match Checkpoint::open(&write(folder.path(), "a.safetensors", content)).unwrap_err() {
        Error::NotSafetensors { reason, .. } => reason,
        other => panic!("{other}"),
    };
    let whole = small_safetensors();
    assert!(reason(&whole[..whole.len() - 1]).contains("cut short"));
    assert!(reason(&whole[..4]).contains("too short"));
    assert!(reason(&u64::MAX.to_le_bytes()).contains("header"));
    let header = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes(), &[0; 8]].concat();
    assert!(reason(&header(r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#)).contains("header"));
    assert!(
        reason(&header(r#"{"a":{"dtype":"F32","shape":[4294967295,4294967295,4294967295],"data_offsets":[0,8]}}"#))
            .contains("header")
    );
}

/// Values for every tensor of `backbone`, drawn.
fn drawn(network: &Network) -> BTreeMap<String, Tensor> {
    let mut stream = Stream::new(3, Purpose::InitialWeights, 0, 9);
    let values = network.tensors().into_iter().map(|(name, var)| {
        let values: Vec<f32> = (0..var.elem_count()).map(|_| stream.range(-1.0, 1.0) as f32).collect();
        (name, Tensor::from_vec(values, var.dims(), &Device::Cpu).unwrap())
    });
    values.collect()
}

/// Holds that a file with `tensors` of `backbone` under the names that `named` makes gives the same network.
fn reads_back(backbone: Backbone, wanted: Option<Preprocessing>, named: impl Fn(&str, &Tensor) -> (String, Tensor)) {
    let random = spec(backbone, Weights::Random);
    let (network, _) = Network::build(&random, &Found::random(), 2, 1, &Device::Cpu).unwrap();
    let tensors = drawn(&network);
    let mut file: HashMap<String, Tensor> = tensors
        .iter()
        .filter(|(name, _)| !name.starts_with("head."))
        .map(|(name, tensor)| named(name, tensor))
        .map(|(name, tensor)| (name, tensor.contiguous().unwrap()))
        .collect();
    file.insert("old_output.weight".into(), Tensor::zeros((2, 2), DType::F32, &Device::Cpu).unwrap());
    file.insert("steps".into(), Tensor::zeros(2, DType::I64, &Device::Cpu).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    candle_core::safetensors::save(&file, &path).unwrap();
    let spec = spec(backbone, Weights::File(path));
    let found = find(&spec, Fetch::CacheOnly, &mut |_| true).unwrap();
    let (network, report) = Network::build(&spec, &found, 2, 1, &Device::Cpu).unwrap();
    for (name, var) in network.tensors().into_iter().filter(|(name, _)| !name.starts_with("head.")) {
        assert!(flat(&var) == flat(&tensors[&name]), "{name}");
    }
    assert_eq!((report.loaded.len() + 2, report.initialized.len()), (tensors.len(), 2));
    assert_eq!(report.unused, ["old_output.weight"]);
    assert_eq!(network.preprocessing(), wanted.unwrap_or(Preprocessing::Torch));
}

#[test]
fn keras_kernels_are_turned_and_want_caffes_input() {
    reads_back(Backbone::Vgg16, Some(Preprocessing::Caffe), |name, tensor| {
        let (layer, part) = name.split_once('.').unwrap();
        match part {
            "weight" => (format!("{layer}/kernel:0"), tensor.permute([2, 3, 1, 0]).unwrap()),
            _ => (format!("{layer}/bias:0"), tensor.clone()),
        }
    });
}

#[test]
fn torchvisions_files_are_read_in_whatever_wrapper() {
    let index = |name: &str| {
        let convs = [(1, 2), (2, 2), (3, 3), (4, 3), (5, 3)];
        let all =
            convs.iter().flat_map(|(block, count)| (1..=*count).map(move |conv| format!("block{block}_conv{conv}")));
        let at = all.zip([0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]).find(|(layer, _)| layer == name);
        at.unwrap().1
    };
    reads_back(Backbone::Vgg16, Some(Preprocessing::Torch), |name, tensor| {
        let (layer, part) = name.split_once('.').unwrap();
        (format!("features.{}.{part}", index(layer)), tensor.clone())
    });
    reads_back(Backbone::ResNet18, None, |name, tensor| (format!("module.{name}"), tensor.clone()));
}

#[test]
fn weights_of_the_program_are_those_of_the_file() {
    let known = crate::experiment::KnownWeights::of(Backbone::SqueezeNet1_1, "imagenet").unwrap();
    let spec = spec(Backbone::SqueezeNet1_1, Weights::Known(known));
    let found = find(&spec, Fetch::CacheOnly, &mut |_| panic!("nothing is downloaded")).unwrap();
    let (network, report) = Network::build(&spec, &found, 2, 1, &Device::Cpu).unwrap();
    assert_eq!((report.loaded.len(), network.preprocessing()), (50, Preprocessing::Caffe));
    assert_eq!(report.origin, Origin::At("the program itself".into()));
}

/// A file of the real components, or None where they are not here.
fn real(name: &str) -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/real");
    let path = std::env::var_os("FINETOP_REAL").map_or(default, PathBuf::from).join(name);
    if path.is_file() {
        return Some(path);
    }
    assert!(std::env::var_os("FINETOP_REQUIRE_REAL").is_none(), "required here: tests/real/fetch.sh");
    println!("skipped: {} is not here; tests/real/fetch.sh brings it", path.display());
    None
}

/// Of the first kernel, at the places that the test names.
const STEM: [f32; 6] = [-1.110_336_1, -0.296_026_83, -2.116_202_4, 0.920_811_95, -1.308_770_4, 2.235_174_2e-8];

/// The figures are those that Python's own `pickle` gives.
#[test]
fn a_real_pth_is_listed_whole() {
    let Some(path) = real("efficientnet-lite0.pth") else { return };
    let tensors = Checkpoint::open(&path).unwrap().tensors;
    assert_eq!(tensors.len(), 296);
    let floats = || tensors.values().filter(|stored| stored.number == Number::F32);
    assert_eq!(floats().count(), 247);
    assert_eq!(floats().map(|stored| stored.shape.iter().product::<usize>()).sum::<usize>(), 4_694_024);
    let stem = flat(&tensors["_conv_stem.weight"].read().unwrap());
    let at = |out: usize, input: usize, y: usize, x: usize| stem[((out * 3 + input) * 3 + y) * 3 + x];
    assert_eq!(tensors["_conv_stem.weight"].shape, [32, 3, 3, 3]);
    assert_eq!([at(0, 0, 0, 0), at(1, 0, 0, 0), at(0, 1, 0, 0), at(0, 0, 1, 0), at(0, 0, 0, 1), at(31, 2, 2, 2)], STEM);
    let bias: f64 = flat(&tensors["_fc.bias"].read().unwrap()).into_iter().map(f64::from).sum();
    let weight: f64 = flat(&tensors["_fc.weight"].read().unwrap()).into_iter().map(f64::from).sum();
    assert!((bias + 0.04981697298353538).abs() < 1e-9 && (weight + 470.63256730128705).abs() < 1e-6, "{bias} {weight}");
    for stored in floats() {
        stored.read().unwrap();
    }
}

#[test]
fn real_weights_of_an_encoder_load_without_a_rest() {
    let Some(path) = real("sentence-transformers/all-MiniLM-L6-v2/model.safetensors") else { return };
    for (pool, loaded, unused) in
        [(Pool::Cls, 103, vec![]), (Pool::Avg, 101, vec!["pooler.dense.bias", "pooler.dense.weight"])]
    {
        let spec = Model { pool, ..spec(Backbone::Bert, Weights::File(path.clone())) };
        let found = find(&spec, Fetch::CacheOnly, &mut |_| true).unwrap();
        assert!(found.tokenizer().unwrap().ends_with("tokenizer.json") && found.side_files().len() == 3);
        let (_, report) = Network::build(&spec, &found, 3, 1, &Device::Cpu).unwrap();
        assert_eq!((report.loaded.len(), report.initialized.len()), (loaded, 2));
        assert_eq!(report.unused, unused);
    }
}
