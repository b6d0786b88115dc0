//! Results as Arrow data: record batches, and the stream of the C data interface.

use polars::prelude::{CompatLevel, PolarsResult};
use polars_arrow::array::{
    Array, BinaryArray, PrimitiveArray, StructArray, Utf8Array, Utf8ViewArray,
};
use polars_arrow::datatypes::{ArrowDataType, Field, TimeUnit};
use polars_arrow::ffi::{ArrowArrayStream, export_iterator};
use polars_arrow::record_batch::RecordBatch;

use super::ResultSet;
use crate::catalog::{DecimalTy, Ty, Value};
use crate::time::DAY;

impl ResultSet {
    /// The rows as Arrow record batches, in the types and names of [`ResultSet::to_data_frame`].
    ///
    /// # Errors
    /// None that input can cause, as with the frame.
    pub fn record_batches(&self) -> PolarsResult<Vec<RecordBatch>> {
        let frame = self.to_data_frame()?;
        Ok(frame.iter_chunks(CompatLevel::newest(), false).collect())
    }

    /// The rows as a stream of the Arrow C data interface, which DuckDB, pyarrow and others read
    /// without a copy: one array of structures per batch. Text is `LargeUtf8`, which all readers
    /// know; timestamps state that they are in UTC; dates are `Date32`, times of day `Time64`, decimals `Decimal128`, bytes
    /// `LargeBinary`.
    ///
    /// # Errors
    /// None that input can cause, as with the frame.
    pub fn to_arrow_stream(&self) -> PolarsResult<ArrowArrayStream> {
        self.stream(CompatLevel::oldest())
    }

    /// The same with text as `Utf8View`, as polars stores it: nothing is copied, but some readers do
    /// not support it.
    ///
    /// # Errors
    /// None that input can cause, as with the frame.
    pub fn to_arrow_view_stream(&self) -> PolarsResult<ArrowArrayStream> {
        self.stream(CompatLevel::newest())
    }

    fn stream(&self, level: CompatLevel) -> PolarsResult<ArrowArrayStream> {
        let frame = self.frame_of(true)?;
        let columns = frame.columns().iter().zip(self.fields());
        let fields = columns.map(|(column, of)| {
            let field = column.field().to_arrow(level);
            field.with_dtype(stated(of.ty).unwrap_or_else(|| field.dtype.clone()))
        });
        let dtype = ArrowDataType::Struct(fields.collect());
        let array = |batch: RecordBatch| -> Box<dyn Array> {
            let rows = batch.len();
            let columns = batch.into_arrays().into_iter().zip(self.fields());
            let columns = columns.map(|(array, of)| converted(array, of.ty)).collect();
            StructArray::new(dtype.clone(), rows, columns, None).boxed()
        };
        let arrays: Vec<_> = frame.iter_chunks(level, false).map(array).map(Ok).collect();
        Ok(export_iterator(Box::new(arrays.into_iter()), Field::new("".into(), dtype, false)))
    }
}

/// The Arrow type of a type for which polars has another one.
fn stated(ty: Ty) -> Option<ArrowDataType> {
    Some(match ty {
        Ty::Time => ArrowDataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Ty::Date => ArrowDataType::Date32,
        Ty::TimeOfDay => ArrowDataType::Time64(TimeUnit::Microsecond),
        Ty::Blob => ArrowDataType::LargeBinary,
        // The widest decimals have any number of 64 bits.
        Ty::Decimal(of) => ArrowDataType::Decimal(
            if of.width() == DecimalTy::MAX_WIDTH { 19 } else { of.width().into() },
            of.scale().into(),
        ),
        _ => return None,
    })
}

/// The array with the type given by [`stated`].
fn converted(array: Box<dyn Array>, ty: Ty) -> Box<dyn Array> {
    let Some(dtype) = stated(ty) else { return array };
    let any = array.as_any();
    let blob = |text: Option<&str>| {
        let value = Value::parse(text?, ty)?;
        Some(value.as_blob()?.bytes().collect::<Vec<u8>>())
    };
    let texts = any.downcast_ref::<Utf8Array<i64>>().map(|texts| texts.iter().map(blob).collect());
    let views = any.downcast_ref::<Utf8ViewArray>().map(|texts| texts.iter().map(blob).collect());
    let blobs: Option<Vec<Option<Vec<u8>>>> = texts.or(views);
    match (any.downcast_ref::<PrimitiveArray<i64>>(), blobs) {
        (Some(days), _) if ty == Ty::Date => {
            let day = |micros: &i64| i32::try_from(micros.div_euclid(DAY)).unwrap_or(i32::MAX);
            let values: Vec<i32> = days.values().iter().map(day).collect();
            PrimitiveArray::new(dtype, values.into(), days.validity().cloned()).boxed()
        }
        (Some(digits), _) if matches!(ty, Ty::Decimal(_)) => {
            let values: Vec<i128> = digits.values().iter().map(|&v| v.into()).collect();
            PrimitiveArray::new(dtype, values.into(), digits.validity().cloned()).boxed()
        }
        (Some(times), _) => times.clone().to(dtype).boxed(),
        (_, Some(blobs)) => BinaryArray::<i64>::from_trusted_len_iter(blobs.into_iter()).boxed(),
        _ => array,
    }
}
