//! Apache Parquet, read by polars into arrays of Arrow. Values without a corresponding type become
//! text: nested values as JSON, times of day, and bytes.

use std::io::Cursor;
use std::sync::atomic::{AtomicBool, Ordering};

use polars_arrow::array::{
    Array, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, ListArray, PrimitiveArray,
    StructArray, Utf8ViewArray,
};
use polars_arrow::datatypes::{ArrowDataType, TimeUnit};
use polars_io::SerReader as _;
use polars_io::parquet::read::{_internal::to_deserializer, FileMetadata, ParquetReader};

use super::delimited::{Error, MAX_BYTES, MAX_COLUMNS, MAX_VALUES};
use crate::catalog::{Absent, Blob, ColumnBuilder, ColumnData, Format, PointerWidth, Ty, Value};
use crate::time::DAY;

/// The columns of a file.
///
/// # Errors
///
/// If the file is not Parquet, damaged, or exceeds a limit.
pub(super) fn columns(bytes: &[u8], stop: &AtomicBool) -> Result<Vec<(String, ColumnData)>, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error(format!("more than {} MiB, the most that is read", MAX_BYTES >> 20)));
    }
    if !bytes.starts_with(b"PAR1") {
        return Err(Error("no Parquet file: it does not begin with PAR1".to_owned()));
    }
    let mut reader = ParquetReader::new(Cursor::new(bytes));
    let schema = reader.schema().map_err(|error| damaged("the footer", &error))?;
    let metadata = reader.get_metadata().map_err(|error| damaged("the footer", &error))?;
    if schema.len() > MAX_COLUMNS {
        return Err(Error(format!("more than {MAX_COLUMNS} columns")));
    }
    if metadata.num_rows.saturating_mul(schema.len()) > MAX_VALUES {
        return Err(Error(format!("more than {MAX_VALUES} values")));
    }
    let mut columns = Vec::with_capacity(schema.len());
    for (name, field) in schema.iter() {
        let mut builder = ColumnBuilder::new(ty(field.dtype()));
        for group in 0..metadata.row_groups.len() {
            if stop.load(Ordering::Relaxed) {
                return Err(Error("the query was cancelled".to_owned()));
            }
            let place = || format!("column `{name}`, row group {group}");
            let arrays = arrays(bytes, metadata, group, name, field)
                .ok_or_else(|| Error(format!("{}: it lies outside the file", place())))?
                .map_err(|error| damaged(&place(), &error))?;
            for array in arrays {
                for row in 0..array.len() {
                    push(&mut builder, &*array, row);
                }
            }
        }
        columns.push((name.to_string(), builder));
    }
    let rows = metadata.num_rows;
    if let Some((name, found)) =
        columns.iter().map(|(name, builder)| (name, builder.len())).find(|(_, len)| *len != rows)
    {
        return Err(Error(format!("column `{name}` has {found} values, the file {rows} rows")));
    }
    Ok(columns.into_iter().map(|(name, builder)| (name, builder.finish())).collect())
}

fn damaged(place: &str, error: &dyn std::fmt::Display) -> Error {
    Error(format!("{place} is damaged: {error}"))
}

type Arrays<E> = Result<Vec<Box<dyn Array>>, E>;

/// The values of a field in a row group; `None` if its bytes are incomplete.
fn arrays(
    bytes: &[u8],
    metadata: &FileMetadata,
    group: usize,
    name: &str,
    field: &polars_arrow::datatypes::Field,
) -> Option<Arrays<impl std::fmt::Display + use<>>> {
    let chunks = metadata.row_groups.get(group)?.columns_under_root_iter(name)?;
    let mut parts = Vec::new();
    for chunk in chunks {
        let range = chunk.byte_range();
        let (start, end) = (usize::try_from(range.start).ok()?, usize::try_from(range.end).ok()?);
        parts.push((chunk, bytes.get(start..end)?.to_vec().into()));
    }
    Some(to_deserializer(parts, field.clone(), None).map(|(arrays, _)| arrays))
}

/// The type of the column for values of an Arrow type.
fn ty(dtype: &ArrowDataType) -> Ty {
    use ArrowDataType as A;
    match dtype {
        A::Boolean => Ty::Bool,
        A::Int8 | A::Int16 | A::Int32 | A::Int64 | A::UInt8 | A::UInt16 | A::UInt32 => Ty::Int,
        A::UInt64 => Ty::Addr,
        A::Float32 | A::Float64 => Ty::Double,
        A::Decimal(width, scale) => Ty::of_decimals(*width, *scale),
        A::Timestamp(..) => Ty::Time,
        A::Date32 => Ty::Date,
        A::Time32(_) | A::Time64(_) => Ty::TimeOfDay,
        A::BinaryView | A::FixedSizeBinary(_) => Ty::Blob,
        A::Duration(_) => Ty::Interval,
        _ => Ty::Text,
    }
}

fn push(into: &mut ColumnBuilder, array: &dyn Array, row: usize) {
    if array.is_null(row) {
        return into.push_absent(Absent::NotApplicable);
    }
    match into.ty() {
        Ty::Bool => into.push_bool(get::<BooleanArray>(array).map(|a| a.value(row))),
        Ty::Int => into.push_int(integer(array, row)),
        Ty::Addr => into.push_addr(number::<u64>(array, row)),
        Ty::Double => into.push_double(double(array, row)),
        Ty::Decimal(_) => into.push_int(digits(array, row)),
        Ty::Time | Ty::Interval | Ty::Date | Ty::TimeOfDay => into.push_int(micros(array, row)),
        Ty::Blob => match bytes(array, row) {
            Some(bytes) => into.push_text(Ok(Blob::new(bytes).code())),
            None => into.push_absent(Absent::Unreadable),
        },
        _ => match text(array, row) {
            Some(text) => into.push_text(Ok(&text)),
            None => into.push_absent(Absent::Unreadable),
        },
    }
}

fn get<A: 'static>(array: &dyn Array) -> Result<&A, Absent> {
    array.as_any().downcast_ref::<A>().ok_or(Absent::Unreadable)
}

fn number<T: polars_arrow::types::NativeType>(array: &dyn Array, row: usize) -> Result<T, Absent> {
    get::<PrimitiveArray<T>>(array).map(|a| a.value(row))
}

fn integer(array: &dyn Array, row: usize) -> Result<i64, Absent> {
    use ArrowDataType as A;
    match array.dtype() {
        A::Int8 => number::<i8>(array, row).map(i64::from),
        A::Int16 => number::<i16>(array, row).map(i64::from),
        A::Int32 => number::<i32>(array, row).map(i64::from),
        A::UInt8 => number::<u8>(array, row).map(i64::from),
        A::UInt16 => number::<u16>(array, row).map(i64::from),
        A::UInt32 => number::<u32>(array, row).map(i64::from),
        _ => number::<i64>(array, row),
    }
}

fn double(array: &dyn Array, row: usize) -> Result<f64, Absent> {
    match array.dtype() {
        ArrowDataType::Float32 => number::<f32>(array, row).map(f64::from),
        ArrowDataType::Decimal(_, scale) => {
            let value = number::<i128>(array, row)?;
            // Parsing the text of the decimal gives the nearest double.
            format!("{value}e-{scale}").parse().map_err(|_| Absent::Unreadable)
        }
        _ => number::<f64>(array, row),
    }
}

/// A decimal as a whole number of its last digit.
fn digits(array: &dyn Array, row: usize) -> Result<i64, Absent> {
    i64::try_from(number::<i128>(array, row)?).map_err(|_| Absent::Unreadable)
}

/// A time or a duration in microseconds.
fn micros(array: &dyn Array, row: usize) -> Result<i64, Absent> {
    let (value, unit) = match array.dtype() {
        ArrowDataType::Date32 => {
            let days = i64::from(number::<i32>(array, row)?);
            return days.checked_mul(DAY).ok_or(Absent::Unreadable);
        }
        ArrowDataType::Timestamp(unit, _)
        | ArrowDataType::Duration(unit)
        | ArrowDataType::Time64(unit) => (number::<i64>(array, row)?, unit),
        ArrowDataType::Time32(unit) => (i64::from(number::<i32>(array, row)?), unit),
        _ => return Err(Absent::Unreadable),
    };
    let found = match unit {
        TimeUnit::Second => value.checked_mul(1_000_000),
        TimeUnit::Millisecond => value.checked_mul(1_000),
        TimeUnit::Microsecond => Some(value),
        TimeUnit::Nanosecond => Some(value.div_euclid(1_000)),
    };
    found.ok_or(Absent::Unreadable)
}

/// The text of a value; `None` if there is none.
fn text(array: &dyn Array, row: usize) -> Option<String> {
    use ArrowDataType as A;
    match array.dtype() {
        A::Utf8View => get::<Utf8ViewArray>(array).ok().map(|a| a.value(row).to_owned()),
        A::BinaryView | A::FixedSizeBinary(_) => {
            Some(shown(&Value::Blob(Blob::new(bytes(array, row)?))))
        }
        A::Time32(_) | A::Time64(_) => Some(shown(&Value::TimeOfDay(micros(array, row).ok()?))),
        _ => json(array, row, 0).map(|value| value.to_string()),
    }
}

/// Bytes of either layout.
fn bytes(array: &dyn Array, row: usize) -> Option<&[u8]> {
    match array.dtype() {
        ArrowDataType::BinaryView => get::<BinaryViewArray>(array).ok().map(|a| a.value(row)),
        _ => get::<FixedSizeBinaryArray>(array).ok().map(|a| a.value(row)),
    }
}

fn shown(value: &Value<'_>) -> String {
    Format::Plain.render(value, PointerWidth::Bits64)
}

/// The maximum nesting of values.
const MAX_DEPTH: usize = 64;

/// A value as JSON.
fn json(array: &dyn Array, row: usize, depth: usize) -> Option<serde_json::Value> {
    use serde_json::Value as Json;
    if depth > MAX_DEPTH {
        return None;
    }
    if array.is_null(row) {
        return Some(Json::Null);
    }
    let of_list = |items: Box<dyn Array>| -> Option<Json> {
        (0..items.len())
            .map(|item| json(&*items, item, depth + 1))
            .collect::<Option<_>>()
            .map(Json::Array)
    };
    Some(match array.dtype() {
        ArrowDataType::LargeList(_) => {
            return of_list(get::<ListArray<i64>>(array).ok()?.value(row));
        }
        ArrowDataType::Struct(_) => {
            let whole = get::<StructArray>(array).ok()?;
            let fields = whole.fields().iter().zip(whole.values());
            let fields = fields.map(|(field, values)| {
                Some((field.name.to_string(), json(&**values, row, depth + 1)?))
            });
            Json::Object(fields.collect::<Option<_>>()?)
        }
        dtype => match ty(dtype) {
            Ty::Bool => Json::Bool(get::<BooleanArray>(array).ok()?.value(row)),
            Ty::Int => Json::from(integer(array, row).ok()?),
            Ty::Addr => Json::from(number::<u64>(array, row).ok()?),
            Ty::Double | Ty::Decimal(_) => Json::from(double(array, row).ok()?),
            Ty::Time => Json::from(crate::time::render_timestamp(micros(array, row).ok()?)),
            Ty::Date => Json::from(crate::time::render_day(micros(array, row).ok()?)),
            Ty::Interval => Json::from(micros(array, row).ok()?),
            _ => match dtype {
                ArrowDataType::Utf8View
                | ArrowDataType::BinaryView
                | ArrowDataType::FixedSizeBinary(_)
                | ArrowDataType::Time32(_)
                | ArrowDataType::Time64(_) => Json::from(text(array, row)?),
                _ => return None,
            },
        },
    })
}
