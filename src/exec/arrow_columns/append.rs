//! Appends the values of Arrow arrays, one function per type.

use polars_arrow::array::{
    Array, BinaryArray, BinaryViewArray, BooleanArray, DictionaryArray, DictionaryKey,
    FixedSizeBinaryArray, PrimitiveArray, Utf8Array, Utf8ViewArray,
};
use polars_arrow::datatypes::{ArrowDataType, IntegerType, TimeUnit};
use polars_arrow::types::NativeType;

use super::Problem;
use crate::catalog::{Absent, Blob, ColumnBuilder, Ty};
use crate::time::{DAY, midnight};

/// The reason of a host's NULL: nothing is missing from a dump.
pub(super) const NULL: Absent = Absent::NotApplicable;

pub(super) fn append(builder: &mut ColumnBuilder, array: &dyn Array) -> Result<(), Problem> {
    use ArrowDataType as A;
    match array.dtype().to_storage() {
        A::Null => (0..array.len()).for_each(|_| builder.push_absent(NULL)),
        A::Boolean => {
            for value in cast::<BooleanArray>(array)? {
                builder.push_bool(value.ok_or(NULL));
            }
        }
        A::Int8 => ints::<i8>(builder, array)?,
        A::Int16 => ints::<i16>(builder, array)?,
        A::Int32 => ints::<i32>(builder, array)?,
        A::Int64 => ints::<i64>(builder, array)?,
        A::UInt8 => ints::<u8>(builder, array)?,
        A::UInt16 => ints::<u16>(builder, array)?,
        A::UInt32 => ints::<u32>(builder, array)?,
        A::UInt64 => {
            for value in cast::<PrimitiveArray<u64>>(array)? {
                builder.push_addr(value.copied().ok_or(NULL));
            }
        }
        A::Float32 => doubles::<f32>(builder, array)?,
        A::Float64 => doubles::<f64>(builder, array)?,
        A::Decimal(_, scale) => decimals(builder, array, *scale)?,
        A::Utf8 => texts(builder, cast::<Utf8Array<i32>>(array)?.iter()),
        A::LargeUtf8 => texts(builder, cast::<Utf8Array<i64>>(array)?.iter()),
        A::Utf8View => texts(builder, cast::<Utf8ViewArray>(array)?.iter()),
        A::Timestamp(unit, _) | A::Duration(unit) => {
            let unit = *unit;
            times::<i64>(builder, array, |v| microseconds(v, unit))?;
        }
        A::Date32 => times::<i32>(builder, array, |v| v.checked_mul(DAY))?,
        A::Date64 => times::<i64>(builder, array, |v| v.checked_mul(1000).map(midnight))?,
        A::Time32(unit) => times::<i32>(builder, array, |v| microseconds(v, *unit))?,
        A::Time64(unit) => times::<i64>(builder, array, |v| microseconds(v, *unit))?,
        A::Binary => blobs(builder, cast::<BinaryArray<i32>>(array)?.iter()),
        A::LargeBinary => blobs(builder, cast::<BinaryArray<i64>>(array)?.iter()),
        A::BinaryView => blobs(builder, cast::<BinaryViewArray>(array)?.iter()),
        A::FixedSizeBinary(_) => blobs(builder, cast::<FixedSizeBinaryArray>(array)?.iter()),
        A::Dictionary(keys, ..) => match keys {
            IntegerType::Int8 => dictionary::<i8>(builder, array)?,
            IntegerType::Int16 => dictionary::<i16>(builder, array)?,
            IntegerType::Int32 => dictionary::<i32>(builder, array)?,
            IntegerType::Int64 => dictionary::<i64>(builder, array)?,
            IntegerType::UInt8 => dictionary::<u8>(builder, array)?,
            IntegerType::UInt16 => dictionary::<u16>(builder, array)?,
            IntegerType::UInt32 => dictionary::<u32>(builder, array)?,
            IntegerType::UInt64 => dictionary::<u64>(builder, array)?,
            _ => return Err(Problem::Type),
        },
        _ => return Err(Problem::Type),
    }
    Ok(())
}

fn ints<T: NativeType + Into<i64>>(
    builder: &mut ColumnBuilder,
    array: &dyn Array,
) -> Result<(), Problem> {
    for value in cast::<PrimitiveArray<T>>(array)? {
        builder.push_int(value.map(|v| (*v).into()).ok_or(NULL));
    }
    Ok(())
}

fn doubles<T: NativeType + Into<f64>>(
    builder: &mut ColumnBuilder,
    array: &dyn Array,
) -> Result<(), Problem> {
    for value in cast::<PrimitiveArray<T>>(array)? {
        builder.push_double(value.map(|v| (*v).into()).ok_or(NULL));
    }
    Ok(())
}

fn decimals(builder: &mut ColumnBuilder, array: &dyn Array, scale: usize) -> Result<(), Problem> {
    let exact = matches!(builder.ty(), Ty::Decimal(_));
    for value in cast::<PrimitiveArray<i128>>(array)? {
        match value {
            None => builder.push_absent(NULL),
            Some(v) if exact => {
                builder.push_int(Ok(i64::try_from(*v).map_err(|_| Problem::Range)?));
            }
            // Parsing the text of the decimal gives the nearest double.
            Some(v) => {
                let text = format!("{v}e-{scale}");
                builder.push_double(Ok(text.parse().map_err(|_| Problem::Range)?));
            }
        }
    }
    Ok(())
}

fn texts<'a>(builder: &mut ColumnBuilder, texts: impl Iterator<Item = Option<&'a str>>) {
    for text in texts {
        builder.push_text(text.ok_or(NULL));
    }
}

fn blobs<'a>(builder: &mut ColumnBuilder, blobs: impl Iterator<Item = Option<&'a [u8]>>) {
    for bytes in blobs {
        let blob = bytes.map(Blob::new);
        builder.push_text(blob.as_ref().map(Blob::code).ok_or(NULL));
    }
}

pub(super) fn times<T: NativeType + Into<i64>>(
    builder: &mut ColumnBuilder,
    array: &dyn Array,
    convert: impl Fn(i64) -> Option<i64>,
) -> Result<(), Problem> {
    for value in cast::<PrimitiveArray<T>>(array)? {
        let cell = match value {
            Some(value) => Ok(convert((*value).into()).ok_or(Problem::Range)?),
            None => Err(NULL),
        };
        builder.push_int(cell);
    }
    Ok(())
}

fn microseconds(value: i64, unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Second => value.checked_mul(1_000_000),
        TimeUnit::Millisecond => value.checked_mul(1000),
        TimeUnit::Microsecond => Some(value),
        TimeUnit::Nanosecond => Some(value.div_euclid(1000)),
    }
}

/// The values of a dictionary array: each key is replaced by its value.
fn dictionary<K: DictionaryKey>(
    builder: &mut ColumnBuilder,
    array: &dyn Array,
) -> Result<(), Problem> {
    let array = cast::<DictionaryArray<K>>(array)?;
    let mut values = ColumnBuilder::new(builder.ty());
    append(&mut values, &**array.values())?;
    let values = values.finish();
    for key in array.keys_iter() {
        match key.map(|key| values.value(key)) {
            Some(value) => builder.push_value(&value),
            None => builder.push_absent(NULL),
        }
    }
    Ok(())
}

/// Downcasts the array.
pub(super) fn cast<A: Array + 'static>(array: &dyn Array) -> Result<&A, Problem> {
    array.as_any().downcast_ref().ok_or(Problem::Type)
}
