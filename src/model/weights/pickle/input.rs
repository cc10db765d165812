//! What a pickle is read from.

use std::io::Read;

use super::{Refused, malformed};

/// The bytes of a pickle, of which there are only so many.
pub(super) struct Input<'a> {
    input: &'a mut dyn Read,
    left: u64,
}

impl<'a> Input<'a> {
    pub fn new(input: &'a mut dyn Read, limit: u64) -> Input<'a> {
        Input { input, left: limit }
    }

    pub fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        let mut bytes = [0; N];
        self.left = self.left.checked_sub(N as u64).ok_or_else(|| malformed("it is too long"))?;
        self.input.read_exact(&mut bytes).map_err(|e| malformed(&e.to_string()))?;
        Ok(bytes)
    }

    pub fn byte(&mut self) -> Result<u8, Refused> {
        self.bytes::<1>().map(|[byte]| byte)
    }

    /// As many bytes as the pickle itself says.
    pub fn many(&mut self, count: u64) -> Result<Vec<u8>, Refused> {
        self.left = self.left.checked_sub(count).ok_or_else(|| malformed("a text is longer than the file"))?;
        let mut bytes = Vec::new();
        (&mut *self.input).take(count).read_to_end(&mut bytes).map_err(|e| malformed(&e.to_string()))?;
        if (bytes.len() as u64) < count {
            return Err(malformed("it is cut short"));
        }
        Ok(bytes)
    }

    pub fn text(&mut self, count: u64) -> Result<String, Refused> {
        String::from_utf8(self.many(count)?).map_err(|_| malformed("a text is not UTF-8"))
    }

    pub fn line(&mut self) -> Result<String, Refused> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return String::from_utf8(line).map_err(|_| malformed("a text is not UTF-8")),
                byte => line.push(byte),
            }
        }
    }
}
