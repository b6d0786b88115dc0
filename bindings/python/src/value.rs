//! Values of the language as Python objects, and back.

use engine::{Blob, Format, PointerWidth, Value};
use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDelta, PyFloat, PyInt, PyString, PyTime, PyTzInfo,
};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Converts values to Python objects.
pub(crate) struct Objects<'py> {
    py: Python<'py>,
    /// 1970-01-01 in UTC.
    epoch: Bound<'py, PyDateTime>,
}

impl<'py> Objects<'py> {
    pub(crate) fn new(py: Python<'py>) -> PyResult<Self> {
        let utc = PyTzInfo::utc(py)?.to_owned();
        let epoch = PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&utc))?;
        Ok(Self { py, epoch })
    }

    /// Addresses are integers, points in time aware datetimes, days dates, intervals timedeltas, decimals `Decimal`s, blobs
    /// bytes. A point in time or a day outside the range of Python is its text, as are lists,
    /// structures, maps and UUIDs.
    pub(crate) fn of(&self, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        match value {
            Value::Null => Ok(py.None().into_bound(py)),
            Value::Bool(value) => value.into_bound_py_any(py),
            Value::Int(value) => value.into_bound_py_any(py),
            Value::Double(value) => value.into_bound_py_any(py),
            Value::Text(value) => Ok(PyString::new(py, value).into_any()),
            Value::Addr(value) => value.into_bound_py_any(py),
            Value::Time(time) => match self.epoch.add(delta(py, *time)?) {
                Err(why) if why.is_instance_of::<PyOverflowError>(py) => Ok(self.text(value)),
                time => time,
            },
            Value::Date(day) => match self.epoch.add(delta(py, *day)?) {
                Err(why) if why.is_instance_of::<PyOverflowError>(py) => Ok(self.text(value)),
                midnight => midnight?.call_method0("date"),
            },
            Value::TimeOfDay(within) if *within < DAY => {
                self.epoch.add(delta(py, *within)?)?.call_method0("time")
            }
            Value::Decimal(..) => {
                py.import("decimal")?.getattr("Decimal")?.call1((self.text(value),))
            }
            Value::Interval(value) => Ok(delta(py, *value)?.into_any()),
            Value::Blob(blob) => {
                Ok(PyBytes::new(py, &blob.bytes().collect::<Vec<u8>>()).into_any())
            }
            other => Ok(self.text(other)),
        }
    }

    fn text(&self, value: &Value<'_>) -> Bound<'py, PyAny> {
        let text = Format::Plain.render(value, PointerWidth::Bits64);
        PyString::new(self.py, &text).into_any()
    }
}

fn delta(py: Python<'_>, microseconds: i64) -> PyResult<Bound<'_, PyDelta>> {
    let (days, rest) = (microseconds.div_euclid(DAY), microseconds.rem_euclid(DAY));
    let part = |number: i64| i32::try_from(number).map_err(crate::error::defect);
    PyDelta::new(py, part(days)?, part(rest / SECOND)?, part(rest % SECOND)?, false)
}

/// Converts a Python object to a value: None, bool, int, float, str, bytes, datetime, date, time and timedelta,
/// and their subclasses. A datetime without time zone is in UTC.
pub(crate) fn value(object: &Bound<'_, PyAny>) -> PyResult<Value<'static>> {
    if object.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(value) = object.cast::<PyBool>() {
        return Ok(Value::Bool(value.is_true()));
    }
    if object.is_instance_of::<PyInt>() {
        return integer(object);
    }
    if let Ok(value) = object.cast::<PyFloat>() {
        return Ok(Value::Double(value.value()));
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Value::text(text.to_string_lossy().into_owned()));
    }
    if object.is_instance_of::<PyDate>() {
        return time(object);
    }
    if object.is_instance_of::<PyTime>() {
        let part = |name: &str| object.getattr(name)?.extract::<i64>();
        let seconds = (part("hour")? * 60 + part("minute")?) * 60 + part("second")?;
        return Ok(Value::TimeOfDay(seconds * SECOND + part("microsecond")?));
    }
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Value::Blob(Blob::new(bytes.as_bytes())));
    }
    if object.is_instance_of::<PyDelta>() {
        return Ok(Value::Interval(microseconds(object)?));
    }
    // Objects with `__index__` count as integers, such as those of numpy.
    if object.hasattr("__index__")? {
        return integer(&object.call_method0("__index__")?);
    }
    let name = object.get_type().name()?;
    Err(PyTypeError::new_err(format!("a query has no value of the type {name}")))
}

fn integer(object: &Bound<'_, PyAny>) -> PyResult<Value<'static>> {
    if let Ok(value) = object.extract::<i64>() {
        return Ok(Value::Int(value));
    }
    let address = object.extract::<u64>();
    address
        .map(Value::Addr)
        .map_err(|_| PyOverflowError::new_err("an integer of a query has 64 bits"))
}

fn time(object: &Bound<'_, PyAny>) -> PyResult<Value<'static>> {
    let py = object.py();
    let utc = PyTzInfo::utc(py)?.to_owned();
    let epoch = PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&utc))?;
    let is_date = !object.is_instance_of::<PyDateTime>();
    let at = if is_date {
        let part = |name: &str| object.getattr(name)?.extract::<u8>();
        let year = object.getattr("year")?.extract()?;
        PyDateTime::new(py, year, part("month")?, part("day")?, 0, 0, 0, 0, Some(&utc))?.into_any()
    } else if object.getattr("tzinfo")?.is_none() {
        let arguments = pyo3::types::PyDict::new(py);
        arguments.set_item("tzinfo", utc)?;
        object.call_method("replace", (), Some(&arguments))?
    } else {
        object.clone()
    };
    let since = microseconds(&at.sub(epoch)?)?;
    Ok(if is_date { Value::Date(since) } else { Value::Time(since) })
}

/// A timedelta in microseconds.
fn microseconds(delta: &Bound<'_, PyAny>) -> PyResult<i64> {
    let part = |name: &str| delta.getattr(name)?.extract::<i64>();
    let (days, seconds, rest) = (part("days")?, part("seconds")?, part("microseconds")?);
    let total = days.checked_mul(DAY).and_then(|t| t.checked_add(seconds * SECOND + rest));
    total.ok_or_else(|| {
        PyOverflowError::new_err("a duration of a query has 64 bits of microseconds")
    })
}
