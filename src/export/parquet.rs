//! Apache Parquet, written by polars: addresses as unsigned 64-bit numbers, times as microseconds in
//! UTC.

use std::io::{self, Write};

use polars_io::parquet::write::ParquetWriter;

use crate::exec::ResultSet;

pub(super) fn write(result: &ResultSet, out: &mut dyn Write) -> io::Result<()> {
    let broken = |error: polars::prelude::PolarsError| io::Error::other(error.to_string());
    let mut frame = result.to_data_frame().map_err(broken)?;
    // The Parquet writer needs a target that can be shared between threads, which `out` cannot.
    let mut file = Vec::new();
    ParquetWriter::new(&mut file).finish(&mut frame).map_err(broken)?;
    out.write_all(&file)
}
