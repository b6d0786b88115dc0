//! Results.

use std::path::PathBuf;
use std::sync::Weak;

use engine::output::{FileFormat, Sheet, write, write_file};
use engine::polars_arrow::ffi::{ArrowArrayStreamReader, export_field_to_c};
use engine::{ResultSet, Session};
use pyo3::exceptions::{PyOSError, PyPermissionError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyList, PyTuple};

use crate::error::defect;
use crate::value::Objects;

/// The native part of a result.
#[pyclass(frozen, module = "dumpql._dumpql")]
pub(crate) struct NativeResult {
    rows: ResultSet,
    /// The session of the result, whose dumps are never written to.
    session: Weak<Session>,
}

impl NativeResult {
    pub(crate) const fn new(rows: ResultSet, session: Weak<Session>) -> Self {
        Self { rows, session }
    }

    /// The existing rows from `start` up to `stop`.
    fn between(&self, start: usize, stop: usize) -> std::ops::Range<usize> {
        let stop = stop.min(self.rows.len());
        start.min(stop)..stop
    }
}

/// The format with this name: a file name extension, or `excel` for CSV that Excel opens directly.
fn format(name: &str) -> PyResult<FileFormat> {
    if name == "excel" {
        return Ok(FileFormat::ExcelCsv);
    }
    let found = FileFormat::from_extension(name);
    found.ok_or_else(|| PyValueError::new_err(format!("there is no format called {name:?}")))
}

#[pymethods]
impl NativeResult {
    fn __len__(&self) -> usize {
        self.rows.len()
    }

    /// Names and types of the columns, as selected.
    fn fields(&self) -> Vec<(String, &'static str)> {
        self.rows.fields().iter().map(|f| (f.name.clone(), f.ty.name())).collect()
    }

    /// Rows as tuples.
    fn tuples<'py>(
        &self,
        py: Python<'py>,
        start: usize,
        stop: usize,
    ) -> PyResult<Bound<'py, PyList>> {
        let objects = Objects::new(py)?;
        let columns: Vec<_> =
            (0..self.rows.fields().len()).map(|index| self.rows.column(index)).collect();
        let list = PyList::empty(py);
        for row in self.between(start, stop) {
            let cells = columns.iter().map(|column| objects.of(&column.get(row)));
            list.append(PyTuple::new(py, cells.collect::<PyResult<Vec<_>>>()?)?)?;
        }
        Ok(list)
    }

    /// Rows as texts, in the form of every output; None for NULL.
    fn texts(&self, start: usize, stop: usize) -> Vec<Vec<Option<String>>> {
        let columns = 0..self.rows.fields().len();
        let cell = |row: usize, column: usize| {
            let is_null = self.rows.value(row, column).is_null();
            (!is_null).then(|| self.rows.text(row, column))
        };
        let rows = self.between(start, stop);
        rows.map(|row| columns.clone().map(|column| cell(row, column)).collect()).collect()
    }

    /// The values of a column.
    fn column<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyList>> {
        let (objects, column) = (Objects::new(py)?, self.rows.column(index));
        let values = (0..self.rows.len()).map(|row| objects.of(&column.get(row)));
        PyList::new(py, values.collect::<PyResult<Vec<_>>>()?)
    }

    /// Table, column, reason and count of absent values.
    fn footnotes(&self) -> Vec<(&'static str, &'static str, &'static str, usize)> {
        let each = self.rows.footnotes().iter();
        each.map(|note| (note.table, note.column, note.reason.as_str(), note.count)).collect()
    }

    /// Tables that a saved query did without, with the reason.
    fn unread(&self) -> Vec<(&'static str, Vec<String>)> {
        self.rows.unread().iter().map(|u| (u.table, u.because.clone())).collect()
    }

    /// The rows as a stream of the Arrow C stream interface, with text as views if that is wanted.
    #[pyo3(signature = (views=false))]
    fn stream<'py>(&self, py: Python<'py>, views: bool) -> PyResult<Bound<'py, PyCapsule>> {
        let rows = &self.rows;
        let stream = if views { rows.to_arrow_view_stream() } else { rows.to_arrow_stream() };
        let stream = stream.map_err(defect)?;
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// The schema of the stream.
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let stream = Box::new(self.rows.to_arrow_stream().map_err(defect)?);
        // SAFETY: the stream is the engine's own.
        let reader = unsafe { ArrowArrayStreamReader::try_new(stream) }.map_err(defect)?;
        PyCapsule::new_with_value(py, export_field_to_c(reader.field()), c"arrow_schema")
    }

    /// Writes a file.
    fn write(&self, py: Python<'_>, path: PathBuf, name: &str, title: &str) -> PyResult<()> {
        let format = format(name)?;
        if self.session.upgrade().is_some_and(|session| session.is_open(&path)) {
            let message = format!("{} is open as a dump: nothing is written there", path.display());
            return Err(PyPermissionError::new_err(message));
        }
        let sheet = Sheet::new(title, "", &self.rows);
        let written = py.detach(|| write_file(&path, |out| write(format, &[sheet], &[], out)));
        written.map_err(|why| PyOSError::new_err(format!("{}: {why}", path.display())))
    }

    /// The bytes that the file would have.
    fn bytes<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        title: &str,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let format = format(name)?;
        let sheet = Sheet::new(title, "", &self.rows);
        let written = py.detach(|| {
            let mut out = Vec::new();
            write(format, &[sheet], &[], &mut out).map(|()| out)
        });
        Ok(PyBytes::new(py, &written.map_err(PyErr::from)?))
    }
}
