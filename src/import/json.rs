//! JSON: an array of objects, a sequence of objects, or one object per line. The fields of the
//! objects are columns; nested values become their JSON text.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::delimited::{Error, MAX_BYTES, MAX_COLUMNS, MAX_VALUES};
use super::infer::{Guess, value};
use crate::catalog::{Absent, ColumnBuilder, ColumnData, Ty, Value};

/// Objects between two checks for cancellation.
const ROWS_BETWEEN_LOOKS: usize = 4_096;

/// An object: its fields, with the JSON text of their values.
struct Row<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// Called for each object.
type Each<'e> = &'e mut dyn FnMut(Row<'_>) -> Result<(), Error>;

/// The columns of a file.
///
/// # Errors
///
/// If the text is invalid, with the position, or exceeds a limit.
pub(super) fn columns(bytes: &[u8], stop: &AtomicBool) -> Result<Vec<(String, ColumnData)>, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error(format!(
            "more than {} MiB of text, the most that is read",
            MAX_BYTES >> 20
        )));
    }
    let text = match bytes {
        [0xef, 0xbb, 0xbf, body @ ..] => body,
        _ => bytes,
    };
    let mut shape = Shape::default();
    each(text, stop, &mut |row| shape.add(&row))?;
    let types: Vec<Ty> = shape.kinds.iter().map(Kind::ty).collect();
    let mut builders: Vec<ColumnBuilder> = types.iter().map(|ty| ColumnBuilder::new(*ty)).collect();
    let mut rows = 0;
    each(text, stop, &mut |row| {
        for (name, raw) in &row.0 {
            let place = shape.places.get(&name.to_lowercase());
            // If a name occurs several times in an object, the last value is used.
            if let Some(builder) = place.and_then(|place| builders.get_mut(*place))
                && builder.len() == rows
            {
                push(builder, raw);
            }
        }
        rows += 1;
        for builder in builders.iter_mut().filter(|builder| builder.len() < rows) {
            builder.push_absent(Absent::NotApplicable);
        }
        Ok(())
    })?;
    if shape.names.is_empty() {
        return Err(Error("no object with fields".to_owned()));
    }
    let data = builders.into_iter().map(ColumnBuilder::finish);
    Ok(shape.names.into_iter().zip(data).collect())
}

/// The columns that are known so far.
#[derive(Default)]
struct Shape {
    names: Vec<String>,
    places: BTreeMap<String, usize>,
    kinds: Vec<Kind>,
    rows: usize,
}

impl Shape {
    fn add(&mut self, row: &Row<'_>) -> Result<(), Error> {
        self.rows += 1;
        for (name, raw) in &row.0 {
            let key = name.to_lowercase();
            let place = if let Some(place) = self.places.get(&key) {
                *place
            } else {
                self.places.insert(key, self.names.len());
                self.names.push(name.chars().take(200).collect());
                self.kinds.push(Kind::new());
                self.names.len() - 1
            };
            if let Some(kind) = self.kinds.get_mut(place) {
                kind.see(raw);
            }
        }
        if self.names.len() > MAX_COLUMNS {
            return Err(Error(format!("more than {MAX_COLUMNS} columns")));
        }
        if self.rows.saturating_mul(self.names.len()) > MAX_VALUES {
            return Err(Error(format!("more than {MAX_VALUES} values")));
        }
        Ok(())
    }
}

/// The types of a column's values so far.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each flag is a kind of value that has occurred")]
struct Kind {
    bools: bool,
    ints: bool,
    doubles: bool,
    texts: bool,
    others: bool,
    text: Guess,
}

impl Kind {
    const fn new() -> Self {
        Self {
            bools: false,
            ints: false,
            doubles: false,
            texts: false,
            others: false,
            text: Guess::new(),
        }
    }

    fn see(&mut self, raw: &RawValue) {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'n') | None => {}
            Some(b't' | b'f') => self.bools = true,
            Some(b'"') => {
                self.texts = true;
                self.text.see(&unquoted(text));
            }
            Some(b'{' | b'[') => self.others = true,
            _ if text.parse::<i64>().is_ok() => self.ints = true,
            _ if text.contains(['.', 'e', 'E']) => self.doubles = true,
            // An integer that fits no type keeps its text.
            _ => self.others = true,
        }
    }

    fn ty(&self) -> Ty {
        match (self.bools, self.ints, self.doubles, self.texts, self.others) {
            (true, false, false, false, false) => Ty::Bool,
            (false, true, false, false, false) => Ty::Int,
            (false, _, true, false, false) => Ty::Double,
            (false, false, false, true, false) => match self.text.ty() {
                ty @ (Ty::Time | Ty::Date | Ty::TimeOfDay | Ty::Addr) => ty,
                _ => Ty::Text,
            },
            _ => Ty::Text,
        }
    }
}

fn unquoted(text: &str) -> Cow<'_, str> {
    serde_json::from_str::<String>(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn push(builder: &mut ColumnBuilder, raw: &RawValue) {
    let text = raw.get();
    let quoted = text.starts_with('"');
    let plain = if quoted { unquoted(text) } else { Cow::Borrowed(text) };
    if text == "null" {
        return builder.push_absent(Absent::NotApplicable);
    }
    match (builder.ty(), value(&plain, builder.ty())) {
        (Ty::Text, _) => builder.push_text(Ok(&plain)),
        (Ty::Int, _) => builder.push_int(text.parse().map_err(|_| Absent::Unreadable)),
        (Ty::Double, _) => builder.push_double(text.parse().map_err(|_| Absent::Unreadable)),
        (_, found) => builder.push_value(&found.unwrap_or(Value::Null)),
    }
}

/// Passes every object to `receive`.
fn each(text: &[u8], stop: &AtomicBool, receive: Each<'_>) -> Result<(), Error> {
    let mut source = Source { receive, stop, rows: 0, failed: None };
    let is_array = text.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
    let outcome = if is_array {
        let mut reader = serde_json::Deserializer::from_slice(text);
        reader.deserialize_seq(Objects(&mut source)).and_then(|()| reader.end())
    } else {
        objects(text, &mut source)
    };
    match (source.failed, outcome) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(Error(error.to_string())),
        (None, Ok(())) => Ok(()),
    }
}

/// A sequence of objects.
fn objects(text: &[u8], source: &mut Source<'_>) -> Result<(), serde_json::Error> {
    for value in serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>() {
        let value = value?;
        if !value.get().starts_with('{') {
            source.failed = Some(Error(format!("value {} is no object", source.rows + 1)));
            return Ok(());
        }
        (&mut *source).deserialize(&mut serde_json::Deserializer::from_str(value.get()))?;
    }
    Ok(())
}

/// Receives objects until one is rejected.
struct Source<'e> {
    receive: Each<'e>,
    stop: &'e AtomicBool,
    rows: usize,
    failed: Option<Error>,
}

struct Objects<'s, 'e>(&'s mut Source<'e>);

impl<'de> Visitor<'de> for Objects<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(&mut *self.0)?.is_some() {}
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut Source<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Source<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry::<Name<'de>, &'de RawValue>()? {
            fields.push((field.0.0, field.1));
        }
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS_BETWEEN_LOOKS) && self.stop.load(Ordering::Relaxed) {
            self.failed = Some(Error("the query was cancelled".to_owned()));
        } else if let Err(error) = (self.receive)(Row(fields)) {
            self.failed = Some(error);
        }
        match &self.failed {
            Some(error) => Err(serde::de::Error::custom(&error.0)),
            None => Ok(()),
        }
    }
}

/// The name of a field.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Data;

    fn read(text: &str) -> Result<Vec<(String, ColumnData)>, Error> {
        columns(text.as_bytes(), &AtomicBool::new(false))
    }

    fn shape(text: &str) -> Vec<(String, Ty)> {
        read(text).unwrap().into_iter().map(|(name, data)| (name, data.ty)).collect()
    }

    #[test]
    fn fields_are_columns_of_the_narrowest_type() {
        let text = r#"[{"a": 1, "b": "x", "c": true, "d": 1.5, "e": [1, 2], "t": "2024-05-01 10:00:00"},
                       {"a": null, "b": "y", "d": 2, "f": "0x10"}]"#;
        let types = ["a", "b", "c", "d", "e", "t", "f"].into_iter().map(str::to_owned);
        let expected =
            [Ty::Int, Ty::Text, Ty::Bool, Ty::Double, Ty::Text, Ty::Time, Ty::Addr].into_iter();
        assert_eq!(shape(text), types.zip(expected).collect::<Vec<_>>());
    }

    #[test]
    fn lines_and_single_objects_are_read() {
        let found = read("{\"a\": 1}\n{\"a\": 2}\n\n{\"A\": 3}\n").unwrap();
        assert_eq!(found[0].1.data, Data::Int(vec![1, 2, 3]));
        assert_eq!(read("{\"a\": {\"b\": 1}}").unwrap()[0].1.ty, Ty::Text);
    }

    #[test]
    fn errors_have_a_position() {
        let line = |text: &str| read(text).unwrap_err().0;
        assert!(
            line("{\"a\": 1}\n{\"a\": }\n").contains("line 2"),
            "{}",
            line("{\"a\": 1}\n{\"a\": }\n")
        );
        assert!(line("[{\"a\": 1}, 5]").contains("an object"), "{}", line("[{\"a\": 1}, 5]"));
        assert!(line("[{\"a\": 1}").contains("line 1"));
        assert!(read("").is_err() && read("[]").is_err() && read("\u{0}").is_err());
    }

    #[test]
    fn numbers_out_of_range_become_text() {
        let found = read(r#"[{"a": 18446744073709551616}, {"a": 1}]"#).unwrap();
        assert_eq!(found[0].1.ty, Ty::Text);
    }
}
