//! Rows as CSV or JSON.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::Format;
use crate::base::clock::Timestamp;

/// What is in a column of a row.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    Whole(u32),
    Number(f64),
    Text(&'a str),
    Time(Timestamp),
}

/// A table that is being written.
pub struct Sink<'a> {
    columns: Vec<String>,
    out: Out<'a>,
    rows: usize,
}

enum Out<'a> {
    Csv(Box<csv::Writer<&'a mut dyn Write>>),
    Json(&'a mut dyn Write),
}

impl Cell<'_> {
    /// As it stands in CSV; what is no finite number is empty.
    fn text(self) -> String {
        match self {
            Cell::Whole(number) => number.to_string(),
            Cell::Number(number) if number.is_finite() => number.to_string(),
            Cell::Number(_) => String::new(),
            Cell::Text(text) => text.to_owned(),
            Cell::Time(time) => time.to_string(),
        }
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::Whole(number) => serializer.serialize_u32(*number),
            // No finite number is written as null.
            Cell::Number(number) => serializer.serialize_f64(*number),
            Cell::Text(text) => serializer.serialize_str(text),
            Cell::Time(time) => time.serialize(serializer),
        }
    }
}

/// A row as an object, in the order of the columns.
struct Object<'a>(&'a [String], Vec<Cell<'a>>);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().zip(&self.1))
    }
}

impl<'a> Sink<'a> {
    /// Writes what stands before the rows.
    pub fn begin(format: Format, columns: Vec<String>, out: &'a mut dyn Write) -> io::Result<Sink<'a>> {
        let out = match format {
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(&columns)?;
                Out::Csv(Box::new(csv))
            }
            Format::Json => {
                out.write_all(b"[")?;
                Out::Json(out)
            }
        };
        Ok(Sink { columns, out, rows: 0 })
    }

    /// Writes a row, which has a cell for each column.
    pub fn row<'c>(&mut self, cells: impl Iterator<Item = Cell<'c>>) -> io::Result<()> {
        self.rows += 1;
        match &mut self.out {
            Out::Csv(csv) => Ok(csv.write_record(cells.map(Cell::text))?),
            Out::Json(out) => {
                out.write_all(if self.rows == 1 { b"\n" } else { b",\n" })?;
                Ok(serde_json::to_writer(out, &Object(&self.columns, cells.collect()))?)
            }
        }
    }

    /// Writes what stands after the rows; how many there were.
    pub fn end(self) -> io::Result<usize> {
        match self.out {
            Out::Csv(mut csv) => csv.flush()?,
            Out::Json(out) => out.write_all(b"\n]\n")?,
        }
        Ok(self.rows)
    }
}
