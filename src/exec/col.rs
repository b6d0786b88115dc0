//! One column while a query runs: a contiguous arrow array of a physical type.
//!
//! It can be sliced, gathered, filtered and concatenated. It does not know its SQL type (a
//! timestamp is an integer); expressions and plans hold that.

mod arrays;

use arrays::{filtered, take_prim, take_view};
use std::borrow::Cow;

use polars::prelude::{
    BooleanChunked, BooleanType, Column, DataType, IntoColumn, PlSmallStr, Series, StringType,
};
use polars_arrow::array::{
    Array, BooleanArray, MutableBinaryViewArray, PrimitiveArray, StaticArray, Utf8ViewArray,
};
use polars_arrow::bitmap::{Bitmap, BitmapBuilder};
use polars_arrow::compute::concatenate::concatenate;
use polars_arrow::datatypes::ArrowDataType;
use polars_arrow::types::NativeType;

use crate::catalog::{ColumnData, Data, Physical, Ty, Value};

/// The row index that stands for "no row" in [`Col::take_opt`].
pub(super) const NO_ROW: u32 = u32::MAX;

/// A column of one physical type, in one contiguous array.
#[derive(Debug, Clone)]
pub(super) enum Col {
    /// A number of NULLs, of any type.
    Null(usize),
    /// Truth values.
    Bool(BooleanArray),
    /// Integers, points in time, durations.
    Int(PrimitiveArray<i64>),
    /// Floating-point numbers.
    Double(PrimitiveArray<f64>),
    /// Addresses.
    Addr(PrimitiveArray<u64>),
    /// Text, and what is kept as text (see [`Value::as_code`]).
    Text(Utf8ViewArray),
}

pub(super) fn prim<T: NativeType>(values: Vec<T>, validity: Option<Bitmap>) -> PrimitiveArray<T> {
    let dtype = ArrowDataType::from(T::PRIMITIVE);
    PrimitiveArray::new(dtype, values.into(), validity.filter(|v| v.unset_bits() > 0))
}

pub(super) fn boolean(values: Bitmap, validity: Option<Bitmap>) -> Col {
    let validity = validity.filter(|v| v.unset_bits() > 0);
    Col::Bool(BooleanArray::new(ArrowDataType::Boolean, values, validity))
}

/// A bitmap of truth values.
pub(super) fn bits(values: impl IntoIterator<Item = bool>) -> Bitmap {
    values.into_iter().collect()
}

impl Col {
    pub(super) fn int(values: Vec<i64>, validity: Option<Bitmap>) -> Self {
        Self::Int(prim(values, validity))
    }

    pub(super) fn double(values: Vec<f64>, validity: Option<Bitmap>) -> Self {
        Self::Double(prim(values, validity))
    }

    pub(super) fn addr(values: Vec<u64>, validity: Option<Bitmap>) -> Self {
        Self::Addr(prim(values, validity))
    }

    /// Text from an iterator of values that may be absent.
    pub(super) fn text<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Self {
        let mut out = MutableBinaryViewArray::<str>::with_capacity(values.size_hint().0);
        for value in values {
            out.push(value);
        }
        Self::Text(out.into())
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Null(len) => *len,
            Self::Bool(a) => a.len(),
            Self::Int(a) => a.len(),
            Self::Double(a) => a.len(),
            Self::Addr(a) => a.len(),
            Self::Text(a) => a.len(),
        }
    }

    /// Which rows have a value; `None` when all have. [`Col::Null`] has none (see [`Col::valid`]).
    pub(super) fn validity(&self) -> Option<Cow<'_, Bitmap>> {
        let validity = match self {
            Self::Null(len) => return Some(Cow::Owned(Bitmap::new_zeroed(*len))),
            Self::Bool(a) => a.validity(),
            Self::Int(a) => a.validity(),
            Self::Double(a) => a.validity(),
            Self::Addr(a) => a.validity(),
            Self::Text(a) => a.validity(),
        };
        validity.filter(|v| v.unset_bits() > 0).map(Cow::Borrowed)
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Null(_) => true,
            Self::Bool(a) => a.is_null(row),
            Self::Int(a) => a.is_null(row),
            Self::Double(a) => a.is_null(row),
            Self::Addr(a) => a.is_null(row),
            Self::Text(a) => a.is_null(row),
        }
    }

    /// The value of a row as a SQL value.
    pub(super) fn get(&self, row: usize, ty: Ty) -> Value<'_> {
        if self.is_null(row) {
            return Value::Null;
        }
        match self {
            Self::Null(_) => Value::Null,
            Self::Bool(a) => Value::Bool(a.value(row)),
            Self::Int(a) => Value::of_number(a.value(row), ty),
            Self::Double(a) => Value::Double(a.value(row)),
            Self::Addr(a) => Value::Addr(a.value(row)),
            Self::Text(a) => Value::of_code(Cow::Borrowed(a.value(row)), ty),
        }
    }

    /// A column with the same value in every row.
    pub(super) fn constant(value: &Value<'_>, rows: usize) -> Self {
        match value {
            Value::Null => Self::Null(rows),
            Value::Bool(v) => boolean(Bitmap::new_with_value(*v, rows), None),
            Value::Int(v)
            | Value::Time(v)
            | Value::Interval(v)
            | Value::Decimal(v, _)
            | Value::Date(v)
            | Value::TimeOfDay(v) => Self::int(vec![*v; rows], None),
            Value::Double(v) => Self::double(vec![*v; rows], None),
            Value::Addr(v) => Self::addr(vec![*v; rows], None),
            Value::Text(_)
            | Value::Blob(_)
            | Value::Uuid(_)
            | Value::List(_)
            | Value::Struct(_)
            | Value::Map(_) => Self::constant_text(value.as_code().unwrap_or_default(), rows),
        }
    }

    fn constant_text(text: &str, rows: usize) -> Self {
        let mut out = MutableBinaryViewArray::<str>::with_capacity(rows);
        out.extend_constant(rows, Some(text));
        Self::Text(out.into())
    }

    /// A column of values that were computed one by one; values of another type become NULL.
    pub(super) fn from_values(values: &[Value<'_>], ty: Ty) -> Self {
        fn collect<'v, 'a: 'v, T: NativeType>(
            values: &'v [Value<'a>],
            pick: impl Fn(&'v Value<'a>) -> Option<T>,
        ) -> PrimitiveArray<T> {
            let mut validity = BitmapBuilder::with_capacity(values.len());
            let mut out = Vec::with_capacity(values.len());
            for value in values {
                let picked = pick(value);
                validity.push(picked.is_some());
                out.push(picked.unwrap_or_default());
            }
            prim(out, Some(validity.freeze()))
        }
        match ty.physical() {
            Physical::Null => Self::Null(values.len()),
            Physical::Bool => {
                let mut validity = BitmapBuilder::with_capacity(values.len());
                let mut out = BitmapBuilder::with_capacity(values.len());
                for value in values {
                    validity.push(value.as_bool().is_some());
                    out.push(value.as_bool() == Some(true));
                }
                boolean(out.freeze(), Some(validity.freeze()))
            }
            Physical::Int => Self::Int(collect(values, Value::as_number)),
            Physical::Double => Self::Double(collect(values, Value::as_double)),
            Physical::Addr => Self::Addr(collect(values, Value::as_addr)),
            Physical::Text => {
                Self::text(values.iter().map(|v| v.as_code().filter(|_| v.ty() == ty)))
            }
        }
    }

    /// The column of a scan; numbers are moved, text is copied into views.
    pub(super) fn from_data(data: ColumnData) -> Self {
        let validity =
            (!data.absent.is_empty()).then(|| bits(data.absent.iter().map(|&code| code == 0)));
        match data.data {
            Data::Bool(values) => boolean(bits(values), validity),
            Data::Int(values) => Self::int(values, validity),
            Data::Double(values) => Self::double(values, validity),
            Data::Addr(values) => Self::addr(values, validity),
            Data::Text { bytes, ends } => {
                let mut out = MutableBinaryViewArray::<str>::with_capacity(ends.len());
                let mut start = 0usize;
                for end in ends {
                    out.push_value_ignore_validity(bytes.get(start..end).unwrap_or_default());
                    start = end;
                }
                let array: Utf8ViewArray = out.into();
                Self::Text(array.with_validity(validity.filter(|v| v.unset_bits() > 0)))
            }
        }
    }

    /// `len` rows from `offset` on, without copying.
    pub(super) fn slice(&self, offset: usize, len: usize) -> Self {
        match self {
            Self::Null(_) => Self::Null(len),
            Self::Bool(a) => Self::Bool(a.clone().sliced(offset, len)),
            Self::Int(a) => Self::Int(a.clone().sliced(offset, len)),
            Self::Double(a) => Self::Double(a.clone().sliced(offset, len)),
            Self::Addr(a) => Self::Addr(a.clone().sliced(offset, len)),
            Self::Text(a) => Self::Text(a.clone().sliced(offset, len)),
        }
    }

    /// The rows with these indices, in this order.
    pub(super) fn take(&self, rows: &[u32]) -> Self {
        match self {
            Self::Null(_) => Self::Null(rows.len()),
            Self::Bool(a) => Self::Bool(take_view::<BooleanType>(a, rows)),
            Self::Int(a) => Self::Int(take_prim(a, rows)),
            Self::Double(a) => Self::Double(take_prim(a, rows)),
            Self::Addr(a) => Self::Addr(take_prim(a, rows)),
            Self::Text(a) => Self::Text(take_view::<StringType>(a, rows)),
        }
    }

    /// The rows with these indices; [`NO_ROW`] gives NULL.
    pub(super) fn take_opt(&self, rows: &[u32]) -> Self {
        if self.len() == 0 {
            return Self::Null(rows.len());
        }
        let safe: Vec<u32> = rows.iter().map(|&r| if r == NO_ROW { 0 } else { r }).collect();
        let there = bits(rows.iter().map(|&r| r != NO_ROW));
        self.take(&safe).mask(&there)
    }

    /// The same values, NULL where `keep` is not set.
    pub(super) fn mask(self, keep: &Bitmap) -> Self {
        if keep.unset_bits() == 0 {
            return self;
        }
        let both = |old: Option<&Bitmap>| Some(old.map_or_else(|| keep.clone(), |old| old & keep));
        match self {
            Self::Null(len) => Self::Null(len),
            Self::Bool(a) => Self::Bool(a.clone().with_validity_typed(both(a.validity()))),
            Self::Int(a) => Self::Int(a.clone().with_validity_typed(both(a.validity()))),
            Self::Double(a) => Self::Double(a.clone().with_validity_typed(both(a.validity()))),
            Self::Addr(a) => Self::Addr(a.clone().with_validity_typed(both(a.validity()))),
            Self::Text(a) => {
                let validity = both(a.validity());
                Self::Text(a.with_validity(validity))
            }
        }
    }

    /// The rows whose bit is set.
    pub(super) fn filter(&self, keep: &Bitmap) -> Self {
        match self {
            Self::Null(_) => Self::Null(keep.set_bits()),
            Self::Bool(a) => Self::Bool(filtered::<BooleanType>(a, keep)),
            Self::Int(a) => Self::Int(filtered::<polars::prelude::Int64Type>(a, keep)),
            Self::Double(a) => Self::Double(filtered::<polars::prelude::Float64Type>(a, keep)),
            Self::Addr(a) => Self::Addr(filtered::<polars::prelude::UInt64Type>(a, keep)),
            Self::Text(a) => Self::Text(filtered::<StringType>(a, keep)),
        }
    }

    /// The columns one after the other. They have one physical type, or are all NULL.
    pub(super) fn concat(parts: &[Self]) -> Self {
        if let [only] = parts {
            return only.clone();
        }
        let rows = parts.iter().map(Self::len).sum();
        let Some(dtype) = parts.iter().find_map(Self::dtype) else { return Self::Null(rows) };
        let arrays: Vec<Box<dyn Array>> = parts.iter().map(|p| p.as_array(&dtype)).collect();
        let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        let Ok(joined) = concatenate(&arrays) else { return Self::Null(rows) };
        Self::from_array(joined.as_ref()).unwrap_or(Self::Null(rows))
    }

    fn dtype(&self) -> Option<ArrowDataType> {
        Some(match self {
            Self::Null(_) => return None,
            Self::Bool(_) => ArrowDataType::Boolean,
            Self::Int(_) => ArrowDataType::Int64,
            Self::Double(_) => ArrowDataType::Float64,
            Self::Addr(_) => ArrowDataType::UInt64,
            Self::Text(_) => ArrowDataType::Utf8View,
        })
    }

    /// The array; [`Col::Null`] becomes NULLs of the requested type.
    fn as_array(&self, dtype: &ArrowDataType) -> Box<dyn Array> {
        match self {
            Self::Null(len) => polars_arrow::array::new_null_array(dtype.clone(), *len),
            Self::Bool(a) => a.clone().boxed(),
            Self::Int(a) => a.clone().boxed(),
            Self::Double(a) => a.clone().boxed(),
            Self::Addr(a) => a.clone().boxed(),
            Self::Text(a) => a.clone().boxed(),
        }
    }

    fn from_array(array: &dyn Array) -> Option<Self> {
        let any = array.as_any();
        Some(if let Some(a) = any.downcast_ref::<PrimitiveArray<i64>>() {
            Self::Int(a.clone())
        } else if let Some(a) = any.downcast_ref::<PrimitiveArray<f64>>() {
            Self::Double(a.clone())
        } else if let Some(a) = any.downcast_ref::<PrimitiveArray<u64>>() {
            Self::Addr(a.clone())
        } else if let Some(a) = any.downcast_ref::<Utf8ViewArray>() {
            Self::Text(a.clone())
        } else {
            Self::Bool(any.downcast_ref::<BooleanArray>()?.clone())
        })
    }

    /// The column as a polars column, in the physical form of `ty`.
    pub(super) fn into_column(self, name: PlSmallStr, ty: Ty) -> Column {
        let rows = self.len();
        let null = |dtype: DataType| Series::full_null(name.clone(), rows, &dtype).into_column();
        match self {
            Self::Null(_) => null(match ty.physical() {
                Physical::Bool => DataType::Boolean,
                Physical::Int => DataType::Int64,
                Physical::Double => DataType::Float64,
                Physical::Addr => DataType::UInt64,
                Physical::Text | Physical::Null => DataType::String,
            }),
            Self::Bool(a) => BooleanChunked::with_chunk(name, a).into_column(),
            Self::Int(a) => polars::prelude::Int64Chunked::with_chunk(name, a).into_column(),
            Self::Double(a) => polars::prelude::Float64Chunked::with_chunk(name, a).into_column(),
            Self::Addr(a) => polars::prelude::UInt64Chunked::with_chunk(name, a).into_column(),
            Self::Text(a) => polars::prelude::StringChunked::with_chunk(name, a).into_column(),
        }
    }

    /// The inverse of [`Col::into_column`]; a type that the engine does not have becomes NULLs.
    pub(super) fn from_column(column: &Column) -> Self {
        let series = column.as_materialized_series().rechunk();
        let array = series.chunks().first().and_then(|a| Self::from_array(a.as_ref()));
        array.unwrap_or(Self::Null(column.len()))
    }

    /// The approximate memory of the column, with shared buffers counted in full.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Null(_) => 0,
            Self::Bool(a) => a.len() / 8,
            Self::Text(a) => a.len() * 16 + a.total_bytes_len(),
            other => other.len() * 8,
        }
    }

    /// Hands over where each of its buffers is, and roughly its size.
    pub(super) fn each_buffer(&self, each: &mut dyn FnMut(usize, usize)) {
        fn prim<T: NativeType>(array: &PrimitiveArray<T>, each: &mut dyn FnMut(usize, usize)) {
            each(array.values().storage_ptr() as usize, array.len() * size_of::<T>());
        }
        match self {
            Self::Null(_) => {}
            Self::Bool(a) => each(a.values().as_slice().0.as_ptr() as usize, a.len() / 8),
            Self::Int(a) => prim(a, each),
            Self::Double(a) => prim(a, each),
            Self::Addr(a) => prim(a, each),
            Self::Text(a) => {
                each(a.views().storage_ptr() as usize, a.len() * 16);
                for buffer in a.data_buffers().iter() {
                    each(buffer.storage_ptr() as usize, buffer.len());
                }
            }
        }
    }
}
