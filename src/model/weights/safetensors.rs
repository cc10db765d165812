//! Files in the safetensors format: the header is read, tensors are left where they lie.

use std::collections::BTreeMap;
use std::io::{self, Write};

use candle_core::{DType, Var};
use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::stored::{Bytes, Number, Stored};

/// The longest header that is read, in bytes: the format's own limit.
const LONGEST_HEADER: u64 = 100_000_000;

/// What a file holds.
#[derive(Debug)]
pub(super) struct Contents {
    pub tensors: BTreeMap<String, Stored>,
    /// What the file says that its weights want as input.
    pub preprocessing: Option<String>,
}

/// Reads the header of `bytes`, or says why there is none.
pub(super) fn open(bytes: &Bytes) -> Result<Contents, String> {
    let length = bytes.length().map_err(|e| e.to_string())?;
    let start = bytes.range(0, 8).map_err(|_| "it is too short".to_owned())?;
    let header = start.try_into().map_or(u64::MAX, u64::from_le_bytes);
    if header > LONGEST_HEADER.min(length - 8) {
        return Err(format!("its header would have {header} bytes, and the file has {length}"));
    }
    let text = bytes.range(8, header as usize).map_err(|e| e.to_string())?;
    let metadata: Metadata = serde_json::from_slice(&text).map_err(|e| format!("its header is none: {e}"))?;
    let data = 8 + header;
    let mut tensors = BTreeMap::new();
    for (name, info) in metadata.tensors() {
        let (from, to) = info.data_offsets;
        let number = number(info.dtype);
        let there = info.shape.iter().try_fold(info.dtype.bitsize(), |bits, size| bits.checked_mul(*size));
        if to < from || there != (to - from).checked_mul(8) {
            return Err(format!("the tensor {name} has another size than its shape"));
        }
        if data + to as u64 > length {
            return Err(format!("it is cut short: {length} bytes, and {name} ends at {}", data + to as u64));
        }
        tensors.insert(name, Stored::in_a_row(bytes.clone(), data + from as u64, number, info.shape.clone()));
    }
    let preprocessing = metadata.metadata().as_ref().and_then(|all| all.get("preprocessing")).cloned();
    Ok(Contents { tensors, preprocessing })
}

fn number(dtype: Dtype) -> Number {
    match dtype {
        Dtype::F32 => Number::F32,
        Dtype::F16 => Number::F16,
        Dtype::BF16 => Number::BF16,
        Dtype::F64 => Number::F64,
        _ => Number::Other,
    }
}

/// Writes a safetensors file of f32 tensors in the order given, one after the other, so that no more than one of them is in
/// memory twice. Done by hand, since the crate keeps metadata in a map of random order, and a resumed run must end with the
/// same bytes as one that was not interrupted.
pub(crate) fn write(
    out: &mut dyn Write,
    tensors: &[(String, Var)],
    metadata: &BTreeMap<String, String>,
) -> io::Result<()> {
    let mut header = serde_json::Map::new();
    if !metadata.is_empty() {
        header.insert("__metadata__".into(), serde_json::json!(metadata));
    }
    let mut end = 0;
    for (name, var) in tensors {
        let start = end;
        end += var.elem_count() * size_of::<f32>();
        let entry = serde_json::json!({ "dtype": "F32", "shape": var.dims(), "data_offsets": [start, end] });
        header.insert(name.clone(), entry);
    }
    let mut header = serde_json::Value::Object(header).to_string();
    // the data starts at a multiple of eight
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    tensors.iter().try_for_each(|(_, var)| write_values(out, var))
}

/// Values that are turned into bytes at once.
const PORTION: usize = 1 << 14;

fn write_values(out: &mut dyn Write, var: &Var) -> io::Result<()> {
    let values = var.flatten_all().and_then(|flat| flat.to_dtype(DType::F32)?.to_vec1::<f32>());
    let mut bytes = Vec::with_capacity(PORTION * size_of::<f32>());
    for values in values.map_err(io::Error::other)?.chunks(PORTION) {
        bytes.clear();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        out.write_all(&bytes)?;
    }
    Ok(())
}
