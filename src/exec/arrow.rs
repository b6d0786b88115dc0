//! Results as Arrow data: record batches, and the stream of the C data interface.

use polars::prelude::{CompatLevel, PolarsResult};
use polars_arrow::array::{Array, StructArray};
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
    /// without a copy: an array of structures a batch. Text is `LargeUtf8`, which all readers know.
    ///
    /// # Errors
    /// None that input can cause, as with the frame.
    pub fn to_arrow_stream(&self) -> PolarsResult<ArrowArrayStream> {
        let (frame, level) = (self.to_data_frame()?, CompatLevel::oldest());
        let columns = frame.columns().iter();
        let fields = columns.map(|column| column.field().to_arrow(level)).collect();
        let dtype = ArrowDataType::Struct(fields);
        let array = |batch: RecordBatch| -> Box<dyn Array> {
            let rows = batch.len();
            StructArray::new(dtype.clone(), rows, batch.into_arrays(), None).boxed()
        };
        let arrays: Vec<_> = frame.iter_chunks(level, false).map(array).map(Ok).collect();
        Ok(export_iterator(Box::new(arrays.into_iter()), Field::new("".into(), dtype, false)))
    }
}
