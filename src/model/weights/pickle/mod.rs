//! Python's pickles, as far as PyTorch writes weights with them (the opcodes of CPython's `pickletools`).
//!
//! Invariants: nothing is ever executed; a global that no file of weights needs is refused by name before anything is
//! made of it; a malformed pickle is an error, never a panic, and takes no more memory than a multiple of its length.

mod input;
mod machine;

use std::io::Read;

use input::Input;
use machine::Machine;

/// A value by its place among all that a pickle makes; values that are shared stay shared.
pub(super) type Id = usize;

/// What a pickle makes.
#[derive(Debug, Clone)]
pub(super) enum Value {
    None,
    Int(i64),
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    /// What stands for a storage in a file of PyTorch's: its persistent id.
    Persistent(Id),
    /// A call that was not made.
    Call {
        of: Global,
        arguments: Id,
    },
    /// What weights do not need: numbers and bytes of other kinds.
    Other,
}

/// A class or function by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    RebuildTensor,
    RebuildParameter,
    /// A storage of numbers; its name without `Storage`.
    Storage(&'static str),
    Dict,
    /// Takes one tuple and is it.
    Size,
    /// Harmless, and not needed.
    Ignored,
}

/// Why a pickle is not read.
#[derive(Debug)]
pub(super) enum Refused {
    /// It would call this.
    Global(String),
    Malformed(String),
}

/// What files of weights are made of, and no more; all is made by this reader, none by Python.
fn allowed(module: &str, name: &str) -> Option<Global> {
    const STORAGES: [&str; 12] = [
        "Float",
        "Double",
        "Half",
        "BFloat16",
        "Byte",
        "Char",
        "Short",
        "Int",
        "Long",
        "Bool",
        "ComplexFloat",
        "ComplexDouble",
    ];
    match (module, name) {
        ("torch._utils", "_rebuild_tensor_v2") => Some(Global::RebuildTensor),
        ("torch._utils", "_rebuild_parameter") => Some(Global::RebuildParameter),
        ("collections", "OrderedDict" | "defaultdict" | "Counter") => Some(Global::Dict),
        ("torch", "Size") => Some(Global::Size),
        ("torch", "float32" | "float16" | "bfloat16" | "float64" | "int64" | "device" | "strided") => {
            Some(Global::Ignored)
        }
        ("__builtin__" | "builtins", "set" | "int" | "float" | "bool" | "complex" | "bytearray") => {
            Some(Global::Ignored)
        }
        ("_codecs", "encode") => Some(Global::Ignored),
        ("torch" | "torch.storage" | "torch.cuda", name) => {
            let kind = name.strip_suffix("Storage")?;
            STORAGES.iter().find(|storage| **storage == kind).map(|storage| Global::Storage(storage))
        }
        _ => None,
    }
}

/// The values of one pickle.
#[derive(Debug)]
pub(super) struct Pickle {
    values: Vec<Value>,
    root: Id,
}

impl Pickle {
    /// Reads one pickle, up to its `STOP`; `limit` is the most bytes that it may have.
    pub fn read(input: &mut dyn Read, limit: u64) -> Result<Pickle, Refused> {
        let mut machine = Machine::new(Input::new(input, limit), limit);
        let root = loop {
            if let Some(root) = machine.step()? {
                break root;
            }
        };
        Ok(Pickle { values: machine.into_values(), root })
    }

    /// What the pickle as a whole is.
    pub fn root(&self) -> Id {
        self.root
    }

    /// All that it makes, in order.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.values.iter()
    }

    pub fn get(&self, id: Id) -> &Value {
        self.values.get(id).unwrap_or(&Value::None)
    }

    /// The text that `id` is.
    pub fn text(&self, id: Id) -> Option<&str> {
        if let Value::Text(text) = self.get(id) { Some(text) } else { None }
    }

    /// The number that `id` is, if it is not negative.
    pub fn count(&self, id: Id) -> Option<usize> {
        if let Value::Int(value) = self.get(id) { usize::try_from(*value).ok() } else { None }
    }

    /// The items of the tuple or list that `id` is.
    pub fn items(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Value::Call { of: Global::Size, arguments } => match self.get(*self.list(*arguments)?.first()?) {
                Value::Tuple(items) => Some(items),
                _ => None,
            },
            _ => self.list(id),
        }
    }

    fn list(&self, id: Id) -> Option<&[Id]> {
        if let Value::Tuple(items) | Value::List(items) = self.get(id) { Some(items) } else { None }
    }

    /// The entries of the dictionary that `id` is; a later one stands before an earlier one of the same key.
    pub fn entries(&self, id: Id) -> Option<&[(Id, Id)]> {
        if let Value::Dict(entries) = self.get(id) { Some(entries) } else { None }
    }
}

fn malformed(reason: &str) -> Refused {
    Refused::Malformed(reason.to_owned())
}
