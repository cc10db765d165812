//! The machine that pickles are programs of.

use std::collections::HashMap;

use super::input::Input;
use super::{Global, Id, Refused, Value, allowed, malformed};

/// CPython's machine for pickles, with values in the place of objects.
pub(super) struct Machine<'a> {
    input: Input<'a>,
    values: Vec<Value>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    /// Items that may still be put into containers: no more than the pickle has bytes.
    room: u64,
}

impl<'a> Machine<'a> {
    /// Before the first opcode; containers may hold `room` items in all.
    pub fn new(input: Input<'a>, room: u64) -> Machine<'a> {
        Machine { input, values: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new(), room }
    }

    /// All that was made.
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// Takes one opcode; the pickle as a whole where it was the last.
    pub fn step(&mut self) -> Result<Option<Id>, Refused> {
        match self.input.byte()? {
            0x80 => drop(self.input.byte()?),          // PROTO
            0x95 => drop(self.input.bytes::<8>()?),    // FRAME
            b'.' => return self.pop().map(Some),       // STOP
            b'(' => self.marks.push(self.stack.len()), // MARK
            b'0' => drop(self.pop()?),                 // POP
            b'1' => drop(self.above_mark()?),          // POP_MARK
            b'2' => {
                let top = self.top()?; // DUP
                self.stack.push(top);
            }
            code @ (b'q' | b'r' | 0x94) => self.remember(code)?,
            code @ (b'h' | b'j') => self.recall(code)?,
            b'c' => {
                let (module, name) = (self.input.line()?, self.input.line()?); // GLOBAL
                self.global(&module, &name)?;
            }
            0x93 => {
                let (name, module) = (self.pop_text()?, self.pop_text()?); // STACK_GLOBAL
                self.global(&module, &name)?;
            }
            b'i' => {
                let (module, name) = (self.input.line()?, self.input.line()?); // INST: a call
                self.global(&module, &name)?;
                return Err(malformed("an object of an old kind"));
            }
            code @ (b'R' | 0x81) => self.call(code)?,
            b'b' => drop(self.pop()?), // BUILD: attributes of a dictionary, which are not needed
            b'Q' => {
                let id = self.pop()?; // BINPERSID
                self.push(Value::Persistent(id));
            }
            code => self.literal(code)?,
        }
        Ok(None)
    }

    fn literal(&mut self, code: u8) -> Result<(), Refused> {
        let value = match code {
            b'N' => Value::None,
            0x88 => Value::Int(1),
            0x89 => Value::Int(0),
            b'K' => Value::Int(self.input.byte()?.into()),
            b'M' => Value::Int(u16::from_le_bytes(self.input.bytes()?).into()),
            b'J' => Value::Int(i32::from_le_bytes(self.input.bytes()?).into()),
            0x8a => self.long()?,
            b'G' => {
                self.input.bytes::<8>()?;
                Value::Other
            }
            b'X' => Value::Text(self.counted_text::<4>()?),
            0x8c => Value::Text(self.counted_text::<1>()?),
            0x8d => Value::Text(self.counted_text::<8>()?),
            b'T' | b'B' => self.counted_bytes::<4>()?,
            b'U' | b'C' => self.counted_bytes::<1>()?,
            _ => return self.container(code),
        };
        self.push(value);
        Ok(())
    }

    fn container(&mut self, code: u8) -> Result<(), Refused> {
        let value = match code {
            b')' => Value::Tuple(Vec::new()),
            0x85..=0x87 => {
                let count = usize::from(code - 0x84);
                let at = self.stack.len().checked_sub(count).filter(|at| *at >= self.floor());
                Value::Tuple(self.stack.split_off(at.ok_or_else(|| malformed("its stack is empty"))?))
            }
            b't' => Value::Tuple(self.above_mark()?),
            b']' | 0x8f => Value::List(Vec::new()),
            b'l' => Value::List(self.above_mark()?),
            b'}' => Value::Dict(Vec::new()),
            b'd' => Value::Dict(pairs(self.above_mark()?)?),
            b'a' => {
                let item = self.pop()?;
                return self.extend(vec![item]);
            }
            b'e' | 0x90 => {
                let items = self.above_mark()?;
                return self.extend(items);
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                return self.insert(vec![(key, value)]);
            }
            b'u' => {
                let items = pairs(self.above_mark()?)?;
                return self.insert(items);
            }
            code => return Err(malformed(&format!("its opcode {code:#04x} is not one that weights need"))),
        };
        self.push(value);
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), Refused> {
        let global = allowed(module, name).ok_or_else(|| Refused::Global(format!("{module}.{name}")))?;
        self.push(Value::Global(global));
        Ok(())
    }

    /// REDUCE and NEWOBJ: notes the call, and makes only dictionaries and parameters, which are their tensors.
    fn call(&mut self, code: u8) -> Result<(), Refused> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        let Some(Value::Global(of)) = self.values.get(callable).cloned() else {
            return Err(malformed(&format!("its opcode {code:#04x} calls what is no function")));
        };
        let first = match self.values.get(arguments) {
            Some(Value::Tuple(items)) => items.first().copied(),
            _ => return Err(malformed("a call without arguments")),
        };
        match (of, first) {
            (Global::Dict, _) => self.push(Value::Dict(Vec::new())),
            (Global::RebuildParameter, Some(tensor)) => self.stack.push(tensor),
            _ => self.push(Value::Call { of, arguments }),
        }
        Ok(())
    }

    fn remember(&mut self, code: u8) -> Result<(), Refused> {
        let key = match code {
            b'q' => self.input.byte()?.into(),
            b'r' => u32::from_le_bytes(self.input.bytes()?).into(),
            _ => self.memo.len() as u64,
        };
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, code: u8) -> Result<(), Refused> {
        let key = match code {
            b'h' => self.input.byte()?.into(),
            _ => u32::from_le_bytes(self.input.bytes()?).into(),
        };
        let id = self.memo.get(&key).ok_or_else(|| malformed("it names a value that it does not have"))?;
        self.stack.push(*id);
        Ok(())
    }

    fn extend(&mut self, items: Vec<Id>) -> Result<(), Refused> {
        self.make_room(items.len())?;
        let top = self.top()?;
        match self.values.get_mut(top) {
            Some(Value::List(list)) => list.extend(items),
            Some(Value::Call { .. } | Value::Other) => {}
            _ => return Err(malformed("it adds to what is no list")),
        }
        Ok(())
    }

    fn insert(&mut self, items: Vec<(Id, Id)>) -> Result<(), Refused> {
        self.make_room(items.len())?;
        let top = self.top()?;
        match self.values.get_mut(top) {
            Some(Value::Dict(entries)) => entries.extend(items),
            Some(Value::Call { .. } | Value::Other) => {}
            _ => return Err(malformed("it adds to what is no dictionary")),
        }
        Ok(())
    }

    fn make_room(&mut self, items: usize) -> Result<(), Refused> {
        self.room = self.room.checked_sub(items as u64).ok_or_else(|| malformed("it has too many items"))?;
        Ok(())
    }

    /// A whole number of as many bytes as the next one says; of more than eight bytes it is some other thing.
    fn long(&mut self) -> Result<Value, Refused> {
        let count = self.input.byte()?;
        let bytes = self.input.many(count.into())?;
        if bytes.len() > 8 {
            return Ok(Value::Other);
        }
        let filler = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
        let mut all = [filler; 8];
        all[..bytes.len()].copy_from_slice(&bytes);
        Ok(Value::Int(i64::from_le_bytes(all)))
    }

    /// A length of N bytes.
    fn length<const N: usize>(&mut self) -> Result<u64, Refused> {
        let mut all = [0; 8];
        all[..N].copy_from_slice(&self.input.bytes::<N>()?);
        Ok(u64::from_le_bytes(all))
    }

    fn counted_text<const N: usize>(&mut self) -> Result<String, Refused> {
        let count = self.length::<N>()?;
        self.input.text(count)
    }

    /// Bytes, or a text of Python 2, which names of tensors are in very old files.
    fn counted_bytes<const N: usize>(&mut self) -> Result<Value, Refused> {
        let count = self.length::<N>()?;
        Ok(String::from_utf8(self.input.many(count)?).map_or(Value::Other, Value::Text))
    }

    fn push(&mut self, value: Value) {
        self.values.push(value);
        self.stack.push(self.values.len() - 1);
    }

    /// Below this the stack belongs to what is left of the last mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Id, Refused> {
        if self.stack.len() <= self.floor() {
            return Err(malformed("its stack is empty"));
        }
        self.stack.pop().ok_or_else(|| malformed("its stack is empty"))
    }

    fn pop_text(&mut self) -> Result<String, Refused> {
        let id = self.pop()?;
        match self.values.get(id) {
            Some(Value::Text(text)) => Ok(text.clone()),
            _ => Err(malformed("the name of a function is no text")),
        }
    }

    fn top(&self) -> Result<Id, Refused> {
        self.stack.last().copied().ok_or_else(|| malformed("its stack is empty"))
    }

    fn above_mark(&mut self) -> Result<Vec<Id>, Refused> {
        let mark = self.marks.pop().ok_or_else(|| malformed("it has no mark"))?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }
}

fn pairs(items: Vec<Id>) -> Result<Vec<(Id, Id)>, Refused> {
    match items.as_chunks::<2>() {
        (pairs, []) => Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect()),
        _ => Err(malformed("a key has no value")),
    }
}
