//! Tables of fields with a byte between them: RFC 4180's CSV, and the same with tabs.

use std::io;

use csv::{ReaderBuilder, StringRecord};

use super::Reading;
use crate::data::error::Error;
use crate::data::file::{Unreadable, newlines};

/// Reads the header and every row of `content` into `table`.
pub fn read(content: &str, delimiter: u8, table: &mut Reading) -> Result<(), Error> {
    let mut records = Records::new(content, delimiter);
    let Some(header) = records.next(table)? else { return Err(Error::EmptyTable { path: table.path.to_owned() }) };
    let text = column(table, &table.texts.text_column, &header.fields)?;
    let label = column(table, &table.texts.label_column, &header.fields)?;
    while let Some(Record { line, fields, odd_quotes }) = records.next(table)? {
        let cells = match (fields.get(text), fields.get(label)) {
            _ if odd_quotes => Err("there is text behind a closing quote".to_owned()),
            (Some(text), Some(label)) if fields.len() == header.fields.len() => Ok((text, label)),
            _ => Err(format!("{}, but the header has {}", count(fields.len()), header.fields.len())),
        };
        table.take(line, cells);
    }
    Ok(())
}

/// The names in the header of `content`.
pub fn columns(content: &str, delimiter: u8) -> Option<Vec<String>> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(content.as_bytes());
    let header = reader.records().next()?.ok()?;
    Some(header.iter().map(|column| column.trim().to_owned()).collect())
}

fn count(fields: usize) -> String {
    if fields == 1 { "1 field".into() } else { format!("{fields} fields") }
}

/// Where the column called `name` is. Blanks around a name in the header do not count.
fn column(table: &Reading, name: &str, header: &StringRecord) -> Result<usize, Error> {
    let mut places = (0..header.len()).filter(|&at| header[at].trim() == name.trim());
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (Some(_), Some(_)) => Err(Error::TwoColumns { path: table.path.to_owned(), column: name.to_owned() }),
        (None, _) => Err(table.no_column(name, header.iter().map(|column| column.trim().to_owned()).collect())),
    }
}

struct Record {
    line: u64,
    fields: StringRecord,
    /// Something other than a separator follows a closing quote.
    odd_quotes: bool,
}

/// The records of a file with the lines that they begin in.
struct Records<'a> {
    content: &'a str,
    delimiter: u8,
    reader: csv::Reader<&'a [u8]>,
    /// The line at the byte `counted`.
    line: u64,
    counted: usize,
}

impl<'a> Records<'a> {
    fn new(content: &'a str, delimiter: u8) -> Self {
        let reader =
            ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(content.as_bytes());
        Records { content, delimiter, reader, line: 1, counted: 0 }
    }

    fn next(&mut self, table: &Reading) -> Result<Option<Record>, Error> {
        let failed = |error| Error::File { path: table.path.to_owned(), defect: Unreadable::Failed(error) };
        let mut fields = StringRecord::new();
        let before = self.reader.position().byte() as usize;
        if !self.reader.read_record(&mut fields).map_err(|error| failed(io::Error::from(error)))? {
            return Ok(None);
        }
        let bytes = &self.content.as_bytes()[before..self.reader.position().byte() as usize];
        // The reader leaves the line feed of a CRLF, and blank lines, to the next record.
        let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let line = self.line_at(before + blank);
        match quotes(&bytes[blank..], self.delimiter) {
            Quotes::Open { at } => {
                let line = self.line_at(before + blank + at);
                Err(Error::OpenQuote { path: table.path.to_owned(), line })
            }
            quotes => Ok(Some(Record { line, fields, odd_quotes: matches!(quotes, Quotes::Odd) })),
        }
    }

    /// The line of the byte `at`, which is not before the one that was asked for last.
    fn line_at(&mut self, at: usize) -> u64 {
        self.line += newlines(&self.content.as_bytes()[self.counted..at]);
        self.counted = at;
        self.line
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Quotes {
    Fine,
    /// Text follows a closing quote, where RFC 4180 allows a separator only.
    Odd,
    /// The quote at this byte is never closed, so that all of the file behind it is one field.
    Open {
        at: usize,
    },
}

/// What the quotes of a record are like.
fn quotes(record: &[u8], delimiter: u8) -> Quotes {
    enum In {
        FieldStart,
        Field,
        Quotes {
            since: usize,
        },
        /// After a quote in quotes: it ends the field, or the next one makes it a quote of the text.
        QuotesEnd {
            since: usize,
        },
    }
    let mut state = In::FieldStart;
    let mut odd = false;
    for (at, &byte) in record.iter().enumerate() {
        state = match (state, byte) {
            (In::FieldStart, b'"') => In::Quotes { since: at },
            (In::Quotes { since }, b'"') => In::QuotesEnd { since },
            (In::QuotesEnd { since }, b'"') => In::Quotes { since },
            (In::Quotes { since }, _) => In::Quotes { since },
            (_, b'\r' | b'\n') => In::FieldStart,
            (_, byte) if byte == delimiter => In::FieldStart,
            (In::QuotesEnd { .. }, _) => {
                odd = true;
                In::Field
            }
            (In::FieldStart | In::Field, _) => In::Field,
        };
    }
    match state {
        In::Quotes { since } => Quotes::Open { at: since },
        _ if odd => Quotes::Odd,
        _ => Quotes::Fine,
    }
}
