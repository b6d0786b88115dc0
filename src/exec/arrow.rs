//! Results as Arrow data: record batches, and the stream of the C data interface.

use polars::prelude::{Column, CompatLevel, PolarsResult};
use polars_arrow::array::{Array, PrimitiveArray, StructArray};
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::ffi::{ArrowArrayStream, export_iterator};
use polars_arrow::record_batch::RecordBatch;

use super::ResultSet;

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
    /// without a copy: an array of structures a batch. Text is `LargeUtf8`, which all readers know;
    /// timestamps state that they are in UTC.
    ///
    /// # Errors
    /// None that input can cause, as with the frame.
    pub fn to_arrow_stream(&self) -> PolarsResult<ArrowArrayStream> {
        self.stream(CompatLevel::oldest())
    }

    /// The same with text as `Utf8View`, which is how polars keeps it: nothing is copied, but some
    /// readers do not know it.
    ///
    /// # Errors
    /// None that input can cause, as with the frame.
    pub fn to_arrow_view_stream(&self) -> PolarsResult<ArrowArrayStream> {
        self.stream(CompatLevel::newest())
    }

    fn stream(&self, level: CompatLevel) -> PolarsResult<ArrowArrayStream> {
        let frame = self.to_data_frame()?;
        let columns = frame.columns().iter();
        let in_utc = |column: &Column| {
            let field = column.field().to_arrow(level);
            field.with_dtype(utc(&field.dtype).unwrap_or_else(|| field.dtype.clone()))
        };
        let dtype = ArrowDataType::Struct(columns.map(in_utc).collect());
        let array = |batch: RecordBatch| -> Box<dyn Array> {
            let rows = batch.len();
            let columns = batch.into_arrays().into_iter().map(stated).collect();
            StructArray::new(dtype.clone(), rows, columns, None).boxed()
        };
        let arrays: Vec<_> = frame.iter_chunks(level, false).map(array).map(Ok).collect();
        Ok(export_iterator(Box::new(arrays.into_iter()), Field::new("".into(), dtype, false)))
    }
}

/// The type of a timestamp in UTC: polars states no time zone unless it is built with their names.
fn utc(dtype: &ArrowDataType) -> Option<ArrowDataType> {
    let ArrowDataType::Timestamp(unit, None) = dtype else { return None };
    Some(ArrowDataType::Timestamp(*unit, Some("UTC".into())))
}

/// The array with the type that [`utc`] gives it.
fn stated(array: Box<dyn Array>) -> Box<dyn Array> {
    let times = array.as_any().downcast_ref::<PrimitiveArray<i64>>();
    match times.zip(utc(array.dtype())) {
        Some((times, dtype)) => times.clone().to(dtype).boxed(),
        None => array,
    }
}
