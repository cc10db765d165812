//! Files that `torch.save` writes: zip archives, and the older ones of pickles in a row. Of both the pickle is read as
//! data, and tensors are left where they lie.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use super::pickle::{Global, Id, Pickle, Refused, Value};
use super::stored::{Bytes, Number, Stored, span};

/// What an old file begins with: a pickle of PyTorch's magic number.
const MAGIC: &[u8] = &[0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.'];
/// The longest pickle that is read, in bytes.
const LONGEST_PICKLE: u64 = 256 << 20;
/// Under which keys training scripts keep the weights beside other things.
const NESTED: [&str; 6] = ["state_dict", "model_state_dict", "model", "module", "net", "weights"];

type Tensors = BTreeMap<String, Stored>;

/// The tensors of the file by name.
pub(super) fn open(file: File) -> Result<Tensors, Refused> {
    let mut start = [0; MAGIC.len()];
    let mut reader = &file;
    let read = reader.read(&mut start).map_err(|e| malformed(&e))?;
    if start.starts_with(b"PK") {
        of_zip(file)
    } else if read == MAGIC.len() && start == MAGIC {
        of_pickles(file)
    } else {
        Err(Refused::Malformed("it is neither a zip archive nor one of PyTorch's older files".into()))
    }
}

fn malformed(reason: &dyn std::fmt::Display) -> Refused {
    Refused::Malformed(reason.to_string())
}

/// Where the numbers of a storage are.
#[derive(Debug, Clone, Copy)]
struct Room {
    start: u64,
    bytes: u64,
}

fn of_zip(file: File) -> Result<Tensors, Refused> {
    let mut archive = zip::ZipArchive::new(BufReader::new(&file)).map_err(|e| malformed(&e))?;
    let mut folder = None;
    let mut rooms = HashMap::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|e| malformed(&e))?;
        let name = entry.name().map_err(|e| malformed(&e))?.into_owned();
        if entry.compression() != zip::CompressionMethod::Stored {
            return Err(malformed(&format!("{name} in it is compressed, which `torch.save` never does")));
        }
        let start = entry.data_start().ok_or_else(|| malformed(&format!("{name} in it is nowhere")))?;
        if let Some(before) = name.strip_suffix("data.pkl") {
            folder = Some((before.to_owned(), Room { start, bytes: entry.size() }));
        }
        rooms.insert(name, Room { start, bytes: entry.size() });
    }
    let Some((folder, place)) = folder else { return Err(malformed(&"it has no data.pkl")) };
    if rooms.keys().any(|name| name.ends_with("constants.pkl")) {
        return Err(malformed(&"it is a TorchScript archive, a program rather than weights"));
    }
    drop(archive);
    let mut reader = BufReader::new(&file);
    reader.seek(SeekFrom::Start(place.start)).map_err(|e| malformed(&e))?;
    let pickle = Pickle::read(&mut reader, place.bytes.min(LONGEST_PICKLE))?;
    let bytes = Bytes::File(Arc::new(file));
    let room = |key: &str| rooms.get(&format!("{folder}data/{key}")).copied();
    StateDict { pickle: &pickle, bytes, room: &room }.tensors()
}

/// The magic number, the version of the protocol, the system's sizes, the weights, the keys of the storages, and then
/// the storages themselves, each after its count of numbers.
fn of_pickles(file: File) -> Result<Tensors, Refused> {
    let length = file.metadata().map_err(|e| malformed(&e))?.len();
    let mut reader = BufReader::new(&file);
    reader.seek(SeekFrom::Start(MAGIC.len() as u64)).map_err(|e| malformed(&e))?;
    let mut next = || Pickle::read(&mut reader, length.min(LONGEST_PICKLE));
    let (_version, _system, pickle, keys) = (next()?, next()?, next()?, next()?);
    let mut at = reader.stream_position().map_err(|e| malformed(&e))?;
    drop(reader);
    let sizes = sizes_of_numbers(&pickle);
    let bytes = Bytes::File(Arc::new(file));
    let mut rooms = HashMap::new();
    for key in keys.items(keys.root()).unwrap_or_default() {
        let Some(key) = keys.text(*key) else { return Err(malformed(&"a key of its storages is no text")) };
        let count = bytes.range(at, 8).ok().and_then(|count| count.try_into().ok()).map(u64::from_le_bytes);
        let size = sizes.get(key).ok_or_else(|| malformed(&format!("its storage {key} belongs to no tensor")))?;
        let room = count.and_then(|count| count.checked_mul(*size)).map(|bytes| Room { start: at + 8, bytes });
        let end = room.and_then(|room| room.start.checked_add(room.bytes)).filter(|end| *end <= length);
        let (Some(room), Some(end)) = (room, end) else { return Err(malformed(&"it is cut short")) };
        rooms.insert(key.to_owned(), room);
        at = end;
    }
    let room = |key: &str| rooms.get(key).copied();
    StateDict { pickle: &pickle, bytes, room: &room }.tensors()
}

/// Bytes of a number in each storage that the pickle names.
fn sizes_of_numbers(pickle: &Pickle) -> HashMap<&str, u64> {
    let storages = pickle.values().filter_map(|value| if let Value::Persistent(id) = value { Some(*id) } else { None });
    storages.filter_map(|id| Storage::of(pickle, id)).map(|storage| (storage.key, storage.size)).collect()
}

/// A storage as a pickle names it.
struct Storage<'a> {
    key: &'a str,
    number: Number,
    /// Bytes of a number.
    size: u64,
}

impl<'a> Storage<'a> {
    /// Of the persistent id `("storage", class, key, device, count)`.
    fn of(pickle: &'a Pickle, id: Id) -> Option<Storage<'a>> {
        let [kind, class, key, _device, _count, view @ ..] = pickle.items(id)? else { return None };
        let Value::Global(Global::Storage(class)) = pickle.get(*class) else { return None };
        let is_whole = view.iter().all(|view| matches!(pickle.get(*view), Value::None));
        if pickle.text(*kind)? != "storage" || !is_whole {
            return None;
        }
        let (number, size) = match *class {
            "Float" => (Number::F32, 4),
            "Half" => (Number::F16, 2),
            "BFloat16" => (Number::BF16, 2),
            "Double" => (Number::F64, 8),
            "Byte" | "Char" | "Bool" => (Number::Other, 1),
            "Short" => (Number::Other, 2),
            "Int" => (Number::Other, 4),
            "ComplexDouble" => (Number::Other, 16),
            _ => (Number::Other, 8),
        };
        Some(Storage { key: pickle.text(*key)?, number, size })
    }
}

/// The dictionary of weights in a pickle, with the storages that its tensors lie in.
struct StateDict<'a> {
    pickle: &'a Pickle,
    bytes: Bytes,
    room: &'a dyn Fn(&str) -> Option<Room>,
}

impl StateDict<'_> {
    fn tensors(&self) -> Result<Tensors, Refused> {
        let mut id = self.pickle.root();
        // `{"model": {"state_dict": {…}}}` is as deep as scripts go
        for _ in 0..4 {
            let entries = self.pickle.entries(id).ok_or_else(|| malformed(&"it is no dictionary of tensors"))?;
            let mut tensors = Tensors::new();
            for (name, value) in entries {
                if let (Some(name), Some(arguments)) = (self.pickle.text(*name), self.tensor(*value)) {
                    tensors.insert(name.to_owned(), self.stored(name, arguments)?);
                }
            }
            if !tensors.is_empty() {
                return Ok(tensors);
            }
            let of = |key: &str| entries.iter().rev().find(|(name, _)| self.pickle.text(*name) == Some(key));
            let nested = NESTED.iter().filter_map(|key| of(key));
            let Some((_, inner)) = nested.into_iter().find(|(_, id)| self.pickle.entries(*id).is_some()) else { break };
            id = *inner;
        }
        Err(malformed(&"it has no tensors under names"))
    }

    /// The arguments of the call that makes a tensor, if `id` is one.
    fn tensor(&self, id: Id) -> Option<&[Id]> {
        match self.pickle.get(id) {
            Value::Call { of: Global::RebuildTensor, arguments } => self.pickle.items(*arguments),
            _ => None,
        }
    }

    /// The tensor of `(storage, offset, shape, strides, …)`, the offset and the strides in numbers.
    fn stored(&self, name: &str, arguments: &[Id]) -> Result<Stored, Refused> {
        let wrong = |what: &str| malformed(&format!("its tensor {name} {what}"));
        let [storage, offset, shape, strides, ..] = arguments else { return Err(wrong("lacks its shape")) };
        let counts = |id: Id| -> Option<Vec<usize>> {
            self.pickle.items(id)?.iter().map(|item| self.pickle.count(*item)).collect()
        };
        let (Some(offset), Some(shape), Some(strides)) = (self.pickle.count(*offset), counts(*shape), counts(*strides))
        else {
            return Err(wrong("has a shape that is none"));
        };
        let storage = match self.pickle.get(*storage) {
            Value::Persistent(id) => Storage::of(self.pickle, *id),
            _ => None,
        };
        let storage = storage.ok_or_else(|| wrong("has a storage that is none"))?;
        let room = (self.room)(storage.key).ok_or_else(|| wrong("has its numbers nowhere"))?;
        let end = (offset as u64).saturating_add(span(&shape, &strides) as u64).saturating_mul(storage.size);
        if shape.len() != strides.len() || end > room.bytes {
            return Err(wrong("ends outside of its storage"));
        }
        let start = room.start + offset as u64 * storage.size;
        Ok(Stored::strided(self.bytes.clone(), start, storage.number, shape, strides))
    }
}
