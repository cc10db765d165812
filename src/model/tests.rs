//! Tests of whole networks: names, weights, freezing, gradients, saving.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor, Var};

use super::{Error, Fetch, Found, InputShape, Network, Origin, Pass, WeightReport, find, write_safetensors};
use crate::base::random::{Purpose, Stream};
use crate::experiment::{Activation, Backbone, HeadLayer, Model, Pool, Preprocessing, Trainable, Weights};
use crate::ops;

const CLASSES: usize = 3;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments").join(name)
}

fn spec(weights: Weights) -> Model {
    let dense = |units| HeadLayer::Dense { units, activation: Activation::Relu, l2: None };
    Model {
        backbone: Backbone::SqueezeNet1_1,
        weights,
        tokenizer: None,
        preprocessing: None,
        lora: None,
        pool: Pool::Avg,
        l2: 0.0,
        head: vec![dense(16), HeadLayer::Dropout(0.5), dense(8)],
    }
}

/// The network of `spec` on the CPU, with what the machine has of its weights.
fn build(spec: &Model, classes: usize, seed: u64) -> Result<(Network, WeightReport), Error> {
    let found = find(spec, Fetch::CacheOnly, &mut |_| true)?;
    Network::build(spec, &found, classes, seed, &Device::Cpu)
}

fn random_network() -> Network {
    build(&spec(Weights::Random), CLASSES, 42).unwrap().0
}

fn pixels(batch: usize, size: usize) -> Tensor {
    let mut stream = Stream::new(5, Purpose::Augment, 0, 0);
    let values = (0..batch * 3 * size * size).map(|_| stream.range(-2.0, 2.0) as f32).collect();
    Tensor::from_vec(values, (batch, 3, size, size), &Device::Cpu).unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The bits of every tensor, by name.
fn bits(network: &Network) -> BTreeMap<String, Vec<u32>> {
    let bits = |var: &Var| flat(var).into_iter().map(f32::to_bits).collect();
    network.tensors().iter().map(|(name, var)| (name.clone(), bits(var))).collect()
}

#[test]
fn layers_and_shapes_are_those_of_the_paper() {
    let network = random_network();
    let lines: Vec<_> = network
        .summary(InputShape::Picture { size: 128 })
        .unwrap()
        .into_iter()
        .map(|l| (l.name, l.output_shape, l.parameters))
        .collect();
    let wanted: [(&str, &[usize], usize); 17] = [
        ("conv1", &[64, 64, 64], 1_792),
        ("pool1", &[64, 32, 32], 0),
        ("fire2", &[128, 32, 32], 11_408),
        ("fire3", &[128, 32, 32], 12_432),
        ("pool3", &[128, 16, 16], 0),
        ("fire4", &[256, 16, 16], 45_344),
        ("fire5", &[256, 16, 16], 49_440),
        ("pool5", &[256, 8, 8], 0),
        ("fire6", &[384, 8, 8], 104_880),
        ("fire7", &[384, 8, 8], 111_024),
        ("fire8", &[512, 8, 8], 188_992),
        ("fire9", &[512, 8, 8], 197_184),
        ("avg_pool", &[512], 0),
        ("head.dense", &[16], 8_208),
        ("head.dropout", &[16], 0),
        ("head.dense_1", &[8], 136),
        ("head.output", &[3], 27),
    ];
    let wanted: Vec<_> = wanted.into_iter().map(|(n, s, p)| (n.to_owned(), s.to_vec(), p)).collect();
    assert_eq!(lines, wanted);
    assert_eq!(network.parameter_count(), 722_496 + 8_208 + 136 + 27);
    let names: Vec<String> = network.tensors().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names[..4], ["conv1.weight", "conv1.bias", "fire2.squeeze1x1.weight", "fire2.squeeze1x1.bias"]);
    assert_eq!(names[names.len() - 3..], ["head.dense_1.bias", "head.output.weight", "head.output.bias"]);
}

#[test]
fn a_picture_that_is_too_small_is_one_clear_error() {
    let error = random_network().summary(InputShape::Picture { size: 4 }).unwrap_err();
    assert!(error.to_string().contains("4×4 pixels do not fit squeezenet1_1"), "{error}");
    assert!(error.hint().unwrap().contains("image_size"));
}

#[test]
fn random_weights_belong_to_the_seed_and_stay_in_glorots_limits() {
    let build = |seed| bits(&build(&spec(Weights::Random), CLASSES, seed).unwrap().0);
    assert_eq!(build(1), build(1));
    let (one, two) = (build(1), build(2));
    assert!(one.iter().all(|(name, bits)| name.ends_with("bias") || *bits != two[name]));
    let network = random_network();
    for (name, var) in network.tensors() {
        let values = flat(&var);
        let largest = values.iter().fold(0f32, |m, v| m.max(v.abs()));
        let field: usize = var.dims().iter().skip(2).product();
        let limit = match *var.dims() {
            [out, inputs, ..] => (6.0 / ((out + inputs) * field) as f32).sqrt(),
            _ => 0.0,
        };
        assert!(largest <= limit, "{name}: {largest} above {limit}");
        if values.len() > 1000 && limit > 0.0 {
            assert!(largest > 0.99 * limit, "{name}: {largest} far below {limit}");
        }
    }
}

#[test]
fn a_range_and_the_rest_are_the_whole() {
    let network = random_network();
    let x = pixels(2, 40);
    for pass in [Pass::Eval, Pass::Train { seed: 3, step: 7 }] {
        let whole = flat(&network.forward(&x, None, &pass).unwrap());
        let count = network.layers().count();
        for k in [0, 1, 8, 12, 13, 15, count] {
            let half = network.forward_range(0..k, &x, None, &pass).unwrap();
            assert_eq!(flat(&network.forward_range(k..count, &half, None, &pass).unwrap()), whole, "{k}");
        }
    }
    let train = |step| flat(&network.forward(&x, None, &Pass::Train { seed: 3, step }).unwrap());
    assert_eq!(train(1), train(1));
    assert_ne!(train(1), train(2), "dropout masks follow the step");
}

#[test]
fn what_is_unfrozen_moves_and_what_is_frozen_is_equal_to_the_bit() {
    let names = |globs: &[&str]| Trainable::Names(globs.iter().map(|g| g.to_string()).collect());
    let cases = [
        (Trainable::Head, "head.dense.weight", 13),
        (Trainable::LastLayers(4), "fire6.squeeze1x1.weight", 8),
        (Trainable::LastLayers(5), "fire6.squeeze1x1.weight", 8),
        (Trainable::From("fire9".into()), "fire9.squeeze1x1.weight", 11),
        (names(&["fire3", "fire[78]"]), "fire3.squeeze1x1.weight", 3),
        (Trainable::All, "conv1.weight", 0),
    ];
    for (trainable, first, prefix) in cases {
        let mut network = random_network();
        network.freeze(&trainable).unwrap();
        let learning: Vec<String> = network.trainable().into_iter().map(|(name, _)| name).collect();
        assert_eq!((learning[0].as_str(), network.frozen_prefix()), (first, prefix), "{trainable:?}");
        let before = bits(&network);
        for step in 0..2 {
            descend(&network, step, first);
        }
        for (name, after) in bits(&network) {
            let moved = before[&name] != after;
            assert_eq!(moved, learning.contains(&name), "{name} with {trainable:?}");
        }
    }
}

/// One step of plain gradient descent; every tensor that learns must have a gradient, and that of `first` is not zero.
fn descend(network: &Network, step: u64, first: &str) {
    let labels = Tensor::new(&[0u32, 1, 2, 1], &Device::Cpu).unwrap();
    let logits = network.forward(&pixels(4, 47), None, &Pass::Train { seed: 1, step }).unwrap();
    let gradients = ops::cross_entropy(&logits, &labels).unwrap().backward().unwrap();
    for (name, var) in network.trainable() {
        let gradient = gradients.get(var.as_tensor()).unwrap_or_else(|| panic!("{name} has no gradient"));
        if name == first {
            assert!(flat(gradient).iter().any(|g| *g != 0.0), "the gradient of {name} is zero");
        }
        var.set(&(var.as_tensor() - (gradient * 0.5).unwrap()).unwrap().detach()).unwrap();
    }
    let learning = network.trainable();
    let frozen = network.tensors().into_iter().filter(|(name, _)| learning.iter().all(|(n, _)| n != name));
    for (name, var) in frozen {
        assert!(gradients.get(var.as_tensor()).is_none(), "{name} is frozen, yet a gradient was computed");
    }
}

#[test]
fn with_none_nothing_learns_and_only_dropout_ends_the_prefix() {
    let mut network = random_network();
    network.freeze(&Trainable::None).unwrap();
    assert!(network.trainable().is_empty());
    assert_eq!((network.frozen_prefix(), network.trainable_parameter_count()), (14, 0));
    let logits = network.forward(&pixels(1, 32), None, &Pass::Train { seed: 1, step: 1 }).unwrap();
    assert!(!logits.track_op());
}

#[test]
fn inference_tracks_nothing() {
    let network = random_network();
    assert!(!network.forward(&pixels(1, 32), None, &Pass::Eval).unwrap().track_op());
}

#[test]
fn unknown_layers_are_named_with_the_nearest() {
    let mut network = random_network();
    let mut refused = |trainable: Trainable| network.freeze(&trainable).unwrap_err();
    let names = |name: &str| Trainable::Names(vec![name.into()]);
    for (trainable, message, hint) in [
        (Trainable::LastLayers(13), "the last 13 layers cannot be trained: the backbone has 12", "last_layers: 12"),
        (Trainable::From("fire10".into()), "no layer `fire10`", "did you mean `fire"),
        (Trainable::From("block5_pool".into()), "no layer `block5_pool`", "its layers are conv1, pool1, fire2"),
        (names("fier6"), "no layer `fier6`", "did you mean `fire6`?"),
        (names("block*"), "no layer with weights matches `block*`", "its layers are conv1"),
        (names("pool*"), "no layer with weights matches `pool*`", "its layers are conv1"),
        (names("fire[6"), "`fire[6` is not a pattern", ""),
    ] {
        let error = refused(trainable);
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{:?}", error.hint());
    }
    let last = network.freeze(&Trainable::LastLayers(12));
    assert!(last.is_ok() && network.frozen_prefix() == 0);
}

fn to_safetensors(tensors: &[(String, Var)], metadata: &BTreeMap<String, String>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_safetensors(&mut bytes, tensors, metadata).unwrap();
    bytes
}

#[test]
fn saved_tensors_come_back_to_the_bit() {
    let network = random_network();
    let metadata = BTreeMap::from([("preprocessing".to_owned(), "torch".to_owned()), ("a".to_owned(), "b".to_owned())]);
    let bytes = to_safetensors(&network.tensors(), &metadata);
    assert_eq!(bytes, to_safetensors(&network.tensors(), &metadata));
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(header.metadata().clone().unwrap(), HashMap::from_iter(metadata));

    let folder = tempfile::tempdir().unwrap();
    let saved = |bytes: &[u8], classes| {
        std::fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
        let spec = spec(Weights::Random);
        let found = Found::saved(folder.path(), &spec).unwrap();
        Network::build(&spec, &found, classes, 1, &Device::Cpu)
    };
    assert_eq!(bits(&saved(&bytes, CLASSES).unwrap().0), bits(&network));
    let error = saved(&bytes, CLASSES + 1).unwrap_err();
    assert!(error.to_string().contains("head.output.weight is [3, 8] instead of [4, 8]"), "{error}");
    assert!(saved(&bytes[..1000], CLASSES).is_err());
}

#[test]
fn shipped_weights_load_without_a_rest() {
    let file = shipped("weights/squeezenet1_1.safetensors");
    let (network, report) = build(&spec(Weights::File(file.clone())), CLASSES, 42).unwrap();
    assert_eq!(network.preprocessing(), Preprocessing::Caffe, "as the file says");
    let origin = Origin::At(file.display().to_string());
    assert_eq!((report.origin, report.loaded.len(), report.unused.len()), (origin, 50, 0));
    assert!(report.initialized.iter().all(|name| name.starts_with("head.")) && report.initialized.len() == 6);
    let told = Model { preprocessing: Some(Preprocessing::Torch), ..spec(Weights::File(file)) };
    assert_eq!(build(&told, CLASSES, 42).unwrap().0.preprocessing(), Preprocessing::Torch);
}

#[test]
fn shipped_weights_see_the_reference_picture_as_numpy_does() {
    let text = std::fs::read_to_string(shipped("weights/squeezenet1_1.reference.json")).unwrap();
    let reference: serde_json::Value = serde_json::from_str(&text).unwrap();
    let size = reference["image_size"].as_u64().unwrap() as u32;
    let x = caffe_pixels(&shipped(reference["file"].as_str().unwrap()), size);
    let weights = Weights::File(shipped("weights/squeezenet1_1.safetensors"));
    let (network, _) = build(&spec(weights), CLASSES, 42).unwrap();
    let features = flat(&network.forward_range(0..13, &x, None, &Pass::Eval).unwrap());
    assert_eq!(features.len() as u64, reference["count"].as_u64().unwrap());
    let wanted = reference["features"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32);
    for (i, (found, wanted)) in features.iter().zip(wanted).enumerate() {
        assert!((found - wanted).abs() < 1e-3, "feature {i}: {found} instead of {wanted}");
    }
    let mean = features.iter().sum::<f32>() / features.len() as f32;
    assert!((f64::from(mean) - reference["mean"].as_f64().unwrap()).abs() < 1e-4, "mean {mean}");
}

/// The picture over white, bilinear with half-pixel centres, BGR less the means: as the reference was made.
fn caffe_pixels(path: &Path, size: u32) -> Tensor {
    let picture = image::open(path).unwrap().to_rgba8();
    let over_white = |x: u32, y: u32, c: usize| {
        let p = picture.get_pixel(x, y).0;
        let alpha = f32::from(p[3]) / 255.0;
        f32::from(p[c]) * alpha + 255.0 * (1.0 - alpha)
    };
    let place = |i: u32, n: u32| {
        let at = ((i as f32 + 0.5) * n as f32 / size as f32 - 0.5).clamp(0.0, n as f32 - 1.0);
        (at as u32, (at as u32 + 1).min(n - 1), at.fract())
    };
    let mut values = Vec::new();
    for (channel, mean) in [(2, 103.939), (1, 116.779), (0, 123.68)] {
        for y in 0..size {
            for x in 0..size {
                let ((x0, x1, fx), (y0, y1, fy)) = (place(x, picture.width()), place(y, picture.height()));
                let row = |y| over_white(x0, y, channel) * (1.0 - fx) + over_white(x1, y, channel) * fx;
                values.push(row(y0) * (1.0 - fy) + row(y1) * fy - mean);
            }
        }
    }
    Tensor::from_vec(values, (1, 3, size as usize, size as usize), &Device::Cpu).unwrap()
}

#[test]
fn weights_that_do_not_fit_are_one_error_that_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        crate::base::durable::write(&path, bytes).unwrap();
        path
    };
    let failed = |path: &Path| build(&spec(Weights::File(path.to_owned())), CLASSES, 1).unwrap_err();

    let one = Var::zeros((64, 3, 7, 7), DType::F32, &Device::Cpu).unwrap();
    let tensors = [("conv1.weight".to_owned(), one.clone()), ("classifier.weight".to_owned(), one)];
    let misfit = failed(&write("other.safetensors", &to_safetensors(&tensors, &BTreeMap::new())));
    let message = misfit.to_string();
    assert!(message.contains("other.safetensors do not fit squeezenet1_1"), "{message}");
    assert!(message.contains("49 of 50 tensors are missing (conv1.bias, fire2.squeeze1x1.weight"), "{message}");
    assert!(message.contains("conv1.weight is [64, 3, 7, 7] instead of [64, 3, 3, 3]"), "{message}");
    assert!(message.contains("and 43 more") && message.len() < 500, "{message}");
    assert!(misfit.hint().unwrap().contains("this one has classifier.weight"));

    let garbage = failed(&write("garbage.safetensors", b"not a tensor in here"));
    assert!(matches!(garbage, Error::NotSafetensors { .. }), "{garbage}");
    assert!(matches!(failed(&write("empty.safetensors", b"")), Error::NotSafetensors { .. }));
    assert!(matches!(failed(&folder.path().join("none.safetensors")), Error::Unreadable { .. }));

    let strange = BTreeMap::from([("preprocessing".to_owned(), "tf".to_owned())]);
    let path = write("tf.safetensors", &to_safetensors(&random_network().tensors(), &strange));
    let error = failed(&path);
    assert!(error.to_string().contains("`tf`") && error.hint().unwrap().contains("model.preprocessing"), "{error}");
    let told = Model { preprocessing: Some(Preprocessing::Caffe), ..spec(Weights::File(path)) };
    let (_, report) = build(&told, CLASSES, 1).unwrap();
    assert_eq!((report.loaded.len(), report.unused.len()), (50, 6), "the head of a saved model is not used");
}

#[test]
fn half_precision_weights_read_as_f32() {
    let source = random_network();
    for dtype in [DType::F16, DType::BF16, DType::F64] {
        let converted: HashMap<String, Tensor> =
            source.tensors().into_iter().map(|(name, var)| (name, var.to_dtype(dtype).unwrap())).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("half.safetensors");
        candle_core::safetensors::save(&converted, &path).unwrap();
        let (network, _) = build(&spec(Weights::File(path)), CLASSES, 42).unwrap();
        for (name, var) in network.tensors().into_iter().filter(|(name, _)| !name.starts_with("head.")) {
            assert_eq!(flat(&var), flat(&converted[&name].to_dtype(DType::F32).unwrap()), "{name}");
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit_of_a_step() {
    let step = || {
        let network = random_network();
        descend(&network, 1, "conv1.weight");
        bits(&network)
    };
    let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(step);
    assert_eq!(on(1), on(3));
}

#[test]
fn a_picture_looks_the_same_in_any_company() {
    let network = random_network();
    let x = pixels(9, 67);
    let features = |x: &Tensor| network.forward_range(0..13, x, None, &Pass::Eval).unwrap();
    let together = features(&x);
    for i in [0, 8] {
        assert_eq!(flat(&features(&x.narrow(0, i, 1).unwrap())), flat(&together.narrow(0, i, 1).unwrap()));
    }
}
