//! Errors as Python exceptions, which `dumpql._errors` defines.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// The exception for an error of the engine; `sql` is the text to which its position refers.
pub(crate) fn raised(py: Python<'_>, error: &engine::Error, sql: Option<&str>) -> PyErr {
    exception(py, error, sql).unwrap_or_else(|failed| failed)
}

fn exception(py: Python<'_>, error: &engine::Error, sql: Option<&str>) -> PyResult<PyErr> {
    let first = error.diagnostics().first();
    let message = first.map_or("", |d| d.message.as_str());
    let help = first.map_or(&[][..], |d| &d.help);
    let span = error.span().zip(sql).map(|(span, sql)| {
        let place = |at: u32| {
            let bytes = usize::try_from(at).unwrap_or(usize::MAX);
            sql.char_indices().take_while(|(start, _)| *start < bytes).count()
        };
        (place(span.start), place(span.end))
    });
    let make = py.import("dumpql._errors")?.getattr("_of")?;
    let (code, text) = (error.code().as_str(), error.render(None, false));
    let exception = make.call1((code, message, text, span, help.to_vec()))?;
    Ok(PyErr::from_value(exception))
}

/// The exception for a defect, or for a case that cannot occur.
pub(crate) fn defect(why: impl std::fmt::Display) -> PyErr {
    PyRuntimeError::new_err(why.to_string())
}
