//! Columns of Python objects and Arrow streams as tables of a session.

use engine::extend::ArrowColumns;
use engine::polars_arrow::ffi::{ArrowArrayStream, ArrowArrayStreamReader};
use engine::{ColumnBuilder, ColumnData, Ty, Value};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::error::raised;
use crate::value::value;

/// Named columns, as a session attaches them.
pub(crate) type Columns = Vec<(String, ColumnData)>;

/// The columns of a capsule with an Arrow stream, which is consumed.
pub(crate) fn of_stream(py: Python<'_>, capsule: &Bound<'_, PyCapsule>) -> PyResult<Columns> {
    let pointer = capsule.pointer_checked(Some(c"arrow_array_stream"))?;
    // SAFETY: a capsule with this name holds a stream of the C stream interface; the consumer moves
    // it out and leaves a released one behind, as the interface requires.
    let stream = unsafe { pointer.cast::<ArrowArrayStream>().replace(ArrowArrayStream::empty()) };
    let failed = |why: &dyn std::fmt::Display| PyValueError::new_err(why.to_string());
    // SAFETY: as above.
    let reader = unsafe { ArrowArrayStreamReader::try_new(Box::new(stream)) };
    let mut reader = reader.map_err(|why| failed(&why))?;
    let refused = |error| raised(py, &engine::Error::from(error), None);
    let mut columns = ArrowColumns::new(reader.field().dtype()).map_err(refused)?;
    // SAFETY: as above.
    while let Some(array) = unsafe { reader.next() } {
        columns.push(&*array.map_err(|why| failed(&why))?).map_err(refused)?;
    }
    Ok(columns.finish())
}

/// The column of a list of objects, whose type follows from them.
pub(crate) fn of_objects(name: &str, objects: &[Bound<'_, PyAny>]) -> PyResult<ColumnData> {
    let values = objects.iter().map(value).collect::<PyResult<Vec<_>>>()?;
    let mut ty = Ty::Null;
    for value in &values {
        ty = common(ty, value.ty()).ok_or_else(|| {
            let other = value.ty();
            PyTypeError::new_err(format!("column {name:?} holds both {ty} and {other}"))
        })?;
    }
    let mut builder = ColumnBuilder::new(ty);
    for value in values {
        push(&mut builder, ty, value).ok_or_else(|| {
            PyTypeError::new_err(format!("column {name:?} holds integers of more than 64 bits"))
        })?;
    }
    Ok(builder.finish())
}

/// The type that holds the values of both types.
fn common(a: Ty, b: Ty) -> Option<Ty> {
    match (a, b) {
        (Ty::Null, other) | (other, Ty::Null) => Some(other),
        (a, b) if a == b => Some(a),
        (Ty::Int, Ty::Double) | (Ty::Double, Ty::Int) => Some(Ty::Double),
        (Ty::Int, Ty::Addr) | (Ty::Addr, Ty::Int) => Some(Ty::Addr),
        (Ty::Date, Ty::Time) | (Ty::Time, Ty::Date) => Some(Ty::Time),
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "integers beside floating-point numbers become such")]
fn push(builder: &mut ColumnBuilder, ty: Ty, value: Value<'static>) -> Option<()> {
    match (ty, value) {
        (Ty::Double, Value::Int(value)) => builder.push_double(Ok(value as f64)),
        (Ty::Addr, Value::Int(value)) => builder.push_addr(Ok(u64::try_from(value).ok()?)),
        (_, other) => builder.push_value(&other),
    }
    Some(())
}
