//! CSV (RFC 4180) and TSV: detects the delimiter and the header line, and reads the columns.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

use csv::{ByteRecord, ReaderBuilder};

use super::infer::{Guess, value};
use crate::catalog::{Absent, ColumnBuilder, ColumnData, Ty, Value};

/// The maximum number of columns of a file.
pub(super) const MAX_COLUMNS: usize = 4_096;

/// The maximum number of values of a file.
pub(super) const MAX_VALUES: usize = 40_000_000;

/// The maximum number of bytes of a file.
pub(super) const MAX_BYTES: usize = 512 << 20;

/// Options for reading a file; a `None` is detected from the contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The delimiter of fields.
    pub delimiter: Option<u8>,
    /// Whether the first line contains the column names.
    pub header: Option<bool>,
    /// The names of the columns from the left.
    pub names: Vec<String>,
    /// Types of columns by name.
    pub types: Vec<(String, Ty)>,
    /// Whether all columns are text.
    pub all_varchar: bool,
    /// Texts that mean NULL, in addition to the empty text.
    pub nulls: Vec<String>,
    /// The number of lines at the start that are skipped.
    pub skip: usize,
    /// Whether the path of the file is added as a column.
    pub filename: bool,
    /// Whether columns of several files are matched by name.
    pub by_name: bool,
}

/// What is wrong with a file, as the end of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(pub String);

/// The columns of a file. `tabs`: the file name says that tabs are the delimiter.
///
/// # Errors
///
/// If the text is invalid or exceeds a limit.
pub(super) fn columns(
    bytes: &[u8],
    tabs: bool,
    options: &Options,
    stop: &AtomicBool,
) -> Result<Vec<(String, ColumnData)>, Error> {
    if bytes.len() > MAX_BYTES {
        let mib = MAX_BYTES >> 20;
        return Err(Error(format!("more than {mib} MiB of text, the most that is read")));
    }
    let text = utf8(bytes)?;
    let text = after_lines(&text, options.skip);
    let delimiter = options.delimiter.unwrap_or_else(|| if tabs { b'\t' } else { sniff(text) });
    let file = File { text, delimiter, skipped: options.skip as u64, options, stop };
    let seen = file.look()?;
    let header = options.header.unwrap_or_else(|| seen.looks_headed());
    let (names, types) = seen.schema(header, options)?;
    let mut builders: Vec<ColumnBuilder> = types.iter().map(|ty| ColumnBuilder::new(*ty)).collect();
    let mut skip = header;
    file.each(&mut |line, record| {
        if std::mem::take(&mut skip) {
            return Ok(());
        }
        for (index, builder) in builders.iter_mut().enumerate() {
            let field = String::from_utf8_lossy(record.get(index).unwrap_or_default());
            if file.is_null(&field) {
                builder.push_absent(Absent::NotApplicable);
            } else if !push(builder, &field) {
                let name = names.get(index).map_or("", String::as_str);
                let short: String = field.chars().take(60).collect();
                return Err(Error(format!(
                    "line {line}: `{short}` in column `{name}` is not of type {}",
                    builder.ty()
                )));
            }
        }
        Ok(())
    })?;
    Ok(names.into_iter().zip(builders.into_iter().map(ColumnBuilder::finish)).collect())
}

/// Appends a value; returns whether it is valid for the type or empty.
fn push(builder: &mut ColumnBuilder, field: &str) -> bool {
    let found = value(trimmed(field, builder.ty()), builder.ty());
    let fits = found.is_some() || field.trim().is_empty();
    builder.push_value(&found.unwrap_or(Value::Null));
    fits
}

/// The text after this number of lines.
fn after_lines(text: &[u8], lines: usize) -> &[u8] {
    let mut rest = text;
    for _ in 0..lines {
        let Some(end) = rest.iter().position(|b| *b == b'\n') else { return &[] };
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    rest
}

/// Blanks around a number are ignored; those around text are part of it.
fn trimmed(field: &str, ty: Ty) -> &str {
    if ty == Ty::Text { field } else { field.trim() }
}

/// The text as UTF-8. Excel saves "Unicode text" as UTF-16.
fn utf8(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    let units = |read: fn([u8; 2]) -> u16, body: &[u8]| {
        let (pairs, _) = body.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| read(*pair)).collect();
        Cow::Owned(String::from_utf16_lossy(&units).into_bytes())
    };
    match bytes {
        [0xff, 0xfe, body @ ..] => Ok(units(u16::from_le_bytes, body)),
        [0xfe, 0xff, body @ ..] => Ok(units(u16::from_be_bytes, body)),
        [0xef, 0xbb, 0xbf, body @ ..] => Ok(Cow::Borrowed(body)),
        _ if bytes.iter().take(4_096).any(|b| *b == 0) => {
            Err(Error("binary data, expected lines of separated values".to_owned()))
        }
        _ => Ok(Cow::Borrowed(bytes)),
    }
}

/// The delimiter that is most frequent in the first line, outside quotes.
fn sniff(text: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0usize), (b';', 0), (b'\t', 0), (b'|', 0)];
    for byte in text.iter().take(1 << 16) {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if quoted => {}
            _ => counts.iter_mut().filter(|(mark, _)| mark == byte).for_each(|(_, n)| *n += 1),
        }
    }
    // The first of the most frequent delimiters.
    counts.iter().rev().max_by_key(|(_, n)| *n).map_or(b',', |(mark, _)| *mark)
}

struct File<'a> {
    text: &'a [u8],
    delimiter: u8,
    /// The number of skipped lines.
    skipped: u64,
    options: &'a Options,
    stop: &'a AtomicBool,
}

/// Records between two checks for cancellation.
const ROWS_BETWEEN_LOOKS: u64 = 4_096;

/// The result of a first pass over a file.
struct Survey {
    first: Vec<String>,
    /// The types of the columns in all lines except the first.
    rest: Vec<Guess>,
    rows: usize,
}

impl File<'_> {
    /// Passes every record with its line number to `receive`.
    fn each(
        &self,
        receive: &mut dyn FnMut(u64, &ByteRecord) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut reader = ReaderBuilder::new()
            .delimiter(self.delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(self.text);
        let mut record = ByteRecord::new();
        let mut count = 0u64;
        loop {
            count += 1;
            if count.is_multiple_of(ROWS_BETWEEN_LOOKS) && self.stop.load(Ordering::Relaxed) {
                return Err(Error("the query was cancelled".to_owned()));
            }
            let more = reader.read_byte_record(&mut record);
            if !more.map_err(|error| Error(error.to_string()))? {
                return Ok(());
            }
            let line = record.position().map_or(0, csv::Position::line);
            receive(line.saturating_add(self.skipped), &record)?;
        }
    }

    /// Whether a field means NULL.
    fn is_null(&self, field: &str) -> bool {
        self.options.nulls.iter().any(|null| null == field)
    }

    fn look(&self) -> Result<Survey, Error> {
        let mut seen = Survey { first: Vec::new(), rest: Vec::new(), rows: 0 };
        self.each(&mut |line, record| {
            if seen.rows == 0 {
                seen.first = record.iter().map(|f| String::from_utf8_lossy(f).into()).collect();
                seen.rest = vec![Guess::new(); seen.first.len()];
                if seen.first.len() > MAX_COLUMNS {
                    return Err(Error(format!("more than {MAX_COLUMNS} columns")));
                }
            } else {
                seen.add(line, record, self)?;
            }
            seen.rows += 1;
            if seen.rows.saturating_mul(seen.rest.len()) > MAX_VALUES {
                return Err(Error(format!("more than {MAX_VALUES} values")));
            }
            Ok(())
        })?;
        if seen.rows == 0 {
            return Err(Error("no line of values".to_owned()));
        }
        Ok(seen)
    }
}

impl Survey {
    fn add(&mut self, line: u64, record: &ByteRecord, file: &File<'_>) -> Result<(), Error> {
        // A delimiter at the end of a line adds an unintended empty field.
        let extra = record.iter().skip(self.rest.len()).find(|field| !field.is_empty());
        if extra.is_some() {
            let (found, expected) = (record.len(), self.rest.len());
            return Err(Error(format!(
                "line {line} has {found} fields, the first line {expected}"
            )));
        }
        for (guess, field) in self.rest.iter_mut().zip(record) {
            let field = String::from_utf8_lossy(field);
            if !file.is_null(&field) {
                guess.see(field.trim());
            }
        }
        Ok(())
    }

    /// Whether the first line contains column names: all fields are text, and they are distinct or
    /// the values below have another type.
    fn looks_headed(&self) -> bool {
        let name = |field: &String| {
            let mut guess = Guess::new();
            guess.see(field.trim());
            !field.trim().is_empty() && guess.ty() == Ty::Text
        };
        let unlike = |(i, field): (usize, &String)| {
            self.first.iter().skip(i + 1).take(64).all(|other| !other.eq_ignore_ascii_case(field))
        };
        let above_values = || self.rest.iter().any(|guess| guess.ty() != Ty::Text);
        self.first.iter().all(name) && (self.first.iter().enumerate().all(unlike) || above_values())
    }

    /// The names and types of the columns.
    fn schema(&self, header: bool, options: &Options) -> Result<(Vec<String>, Vec<Ty>), Error> {
        if let Some(extra) = options.names.get(self.first.len()) {
            let count = self.first.len();
            return Err(Error(format!(
                "there are {count} columns, and none for the name `{extra}`"
            )));
        }
        let mut names: Vec<String> = Vec::with_capacity(self.first.len());
        let mut known = std::collections::BTreeSet::new();
        for (index, field) in self.first.iter().enumerate() {
            let field = field.trim();
            let base = if let Some(name) = options.names.get(index) {
                name.clone()
            } else if header && !field.is_empty() {
                field.chars().take(200).collect()
            } else {
                format!("column{index}")
            };
            let mut name = base.clone();
            let mut n = 1;
            while !known.insert(name.to_lowercase()) {
                name = format!("{base}_{n}");
                n += 1;
            }
            names.push(name);
        }
        let types = self.rest.iter().zip(&self.first).map(|(guess, first)| {
            let mut guess = *guess;
            if !header && !options.nulls.iter().any(|null| null == first) {
                guess.see(first.trim());
            }
            if options.all_varchar { Ty::Text } else { guess.ty() }
        });
        let mut types: Vec<Ty> = types.collect();
        for (column, given) in &options.types {
            let place = names.iter().position(|name| name.eq_ignore_ascii_case(column));
            match place.and_then(|place| types.get_mut(place)) {
                Some(ty) => *ty = *given,
                None => return Err(Error(format!("there is no column `{column}`"))),
            }
        }
        Ok((names, types))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Data;

    fn columns_of(
        bytes: &[u8],
        tabs: bool,
        options: &Options,
    ) -> Result<Vec<(String, ColumnData)>, Error> {
        columns(bytes, tabs, options, &AtomicBool::new(false))
    }

    fn read(text: &str) -> Vec<(String, ColumnData)> {
        columns_of(text.as_bytes(), false, &Options::default()).unwrap()
    }

    fn shape(text: &str) -> Vec<(String, Ty)> {
        read(text).into_iter().map(|(name, data)| (name, data.ty)).collect()
    }

    fn texts(data: &ColumnData) -> Vec<String> {
        let Data::Text { bytes, ends } = &data.data else { panic!("no text") };
        let mut start = 0;
        let mut cut = |end: &usize| bytes[std::mem::replace(&mut start, *end)..*end].to_owned();
        ends.iter().map(&mut cut).collect()
    }

    #[test]
    fn columns_are_named_and_typed() {
        let found = shape("name,base,n\nnt,0xfffff80100000000,1\n\"a,\"\"b\"\"\",0x10,\n");
        let expected = [("name", Ty::Text), ("base", Ty::Addr), ("n", Ty::Int)];
        assert_eq!(found, expected.map(|(name, ty)| (name.to_owned(), ty)));
    }

    #[test]
    fn quoted_fields_may_contain_delimiters_and_line_ends() {
        let found = read("a;b\r\n\"x;y\nz\";\"\"\"q\"\"\"\r\n");
        assert_eq!(texts(&found[0].1), ["x;y\nz"]);
        assert_eq!(texts(&found[1].1), ["\"q\""]);
    }

    #[test]
    fn a_first_line_of_values_is_not_a_header() {
        assert_eq!(shape("1,a\n2,b\n")[0], ("column0".to_owned(), Ty::Int));
        assert_eq!(shape("a,a\nb,c\n")[1].0, "column1");
        assert_eq!(shape("a,a,b\n1,2,3\n")[1], ("a_1".to_owned(), Ty::Int));
        let options = Options { header: Some(true), ..Options::default() };
        let found = columns_of(b"a,a,\n1,2,3\n", false, &options).unwrap();
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "a_1", "column2"]);
    }

    #[test]
    fn short_lines_are_padded_with_null_and_long_ones_are_an_error() {
        let found = read("a,b\n1,x\n2\n");
        assert_eq!(found[1].1.absent(1), Some(Absent::NotApplicable));
        assert_eq!(shape("a,b\n1,2,\n").len(), 2);
        let error = columns_of(b"a,b\n1,2\n1,2,3\n", false, &Options::default()).unwrap_err();
        assert_eq!(error.0, "line 3 has 3 fields, the first line 2");
    }

    #[test]
    fn other_encodings_are_read() {
        let utf16: Vec<u8> =
            "\u{feff}a\tb\n\u{fc}\t2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let found = columns_of(&utf16, true, &Options::default()).unwrap();
        assert_eq!(texts(&found[0].1), ["\u{fc}"]);
        assert_eq!(found[1].1.data, Data::Int(vec![2]));
        assert!(columns_of(b"a\0b", false, &Options::default()).is_err());
        assert!(columns_of(b"", false, &Options::default()).is_err());
        assert_eq!(
            texts(&columns_of(b"a\n\xff\n", false, &Options::default()).unwrap()[0].1),
            ["\u{fffd}"]
        );
    }
}
