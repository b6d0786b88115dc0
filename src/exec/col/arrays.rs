//! Takes rows of arrays by index or by mask.

use polars::prelude::{
    BooleanChunked, ChunkFilter, ChunkTake, ChunkedArray, PlSmallStr, PolarsDataType,
};
use polars_arrow::array::PrimitiveArray;
use polars_arrow::bitmap::Bitmap;
use polars_arrow::types::NativeType;

use super::prim;

fn wrap<T>(array: &T::Array) -> ChunkedArray<T>
where
    T: PolarsDataType,
    T::Array: Clone,
{
    ChunkedArray::with_chunk(PlSmallStr::EMPTY, array.clone())
}

fn unwrap<T>(chunked: &ChunkedArray<T>) -> T::Array
where
    T: PolarsDataType,
    T::Array: Clone,
{
    chunked.rechunk().downcast_as_array().clone()
}

/// The engine computes the indices, and they lie within the column; polars checks them again.
pub(super) fn take_view<T>(array: &T::Array, rows: &[u32]) -> T::Array
where
    T: PolarsDataType,
    T::Array: Clone,
    for<'a> ChunkedArray<T>: ChunkTake<&'a [u32]>,
{
    let chunked = wrap::<T>(array);
    unwrap(&chunked.take(&rows).unwrap_or_else(|_| chunked.slice(0, 0)))
}

pub(super) fn take_prim<T: NativeType>(
    array: &PrimitiveArray<T>,
    rows: &[u32],
) -> PrimitiveArray<T> {
    let values = array.values().as_slice();
    let taken = rows.iter().map(|&row| values[row as usize]).collect();
    let validity = array.validity().filter(|v| v.unset_bits() > 0);
    let validity = validity.map(|v| rows.iter().map(|&row| v.get_bit(row as usize)).collect());
    prim(taken, validity)
}

pub(super) fn filtered<T>(array: &T::Array, keep: &Bitmap) -> T::Array
where
    T: PolarsDataType,
    T::Array: Clone,
    ChunkedArray<T>: ChunkFilter<T>,
{
    let mask = BooleanChunked::from_bitmap(PlSmallStr::EMPTY, keep.clone());
    let chunked = wrap::<T>(array);
    unwrap(&chunked.filter(&mask).unwrap_or_else(|_| chunked.slice(0, 0)))
}
