//! dumpql for Python: the native part. Programs import the package `dumpql` in `python/`.

#![allow(unsafe_code, reason = "streams of the Arrow C interface are moved out of capsules")]
#![allow(clippy::needless_pass_by_value, reason = "arguments of Python programs come by value")]

mod columns;
mod error;
mod result;
mod run;
mod session;
mod value;

use std::ffi::OsString;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The bytes of the sample, a dump of a hung server that is built in memory.
#[pyfunction]
fn sample_bytes(py: Python<'_>) -> Bound<'_, PyBytes> {
    PyBytes::new(py, &py.detach(engine::sample_file))
}

/// The shipped queries: name, title, description, and their parameters with type, default and text.
#[pyfunction]
fn library() -> Vec<(String, String, String, Vec<Parameter>)> {
    let each = engine::library::library().iter();
    each.map(|query| {
        let params = query.params.iter();
        let params =
            params.map(|p| (p.name.clone(), p.ty.clone(), p.default.clone(), p.doc.clone()));
        let (name, title) = (query.name.clone(), query.title.clone());
        (name, title, query.description.clone(), params.collect())
    })
    .collect()
}

/// Runs the program `dumpql` with its arguments, the first being its name; returns its exit code.
///
/// The interpreter is given back its handler of Ctrl+C only by ending: the program has its own.
#[pyfunction]
fn run_program(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| engine::internals::cli::main(arguments))
}

/// Name, type, default and description.
type Parameter = (String, String, Option<String>, String);

/// The native part of the package.
#[pymodule]
#[pyo3(name = "_dumpql")]
mod native {
    #[pymodule_export]
    use super::result::NativeResult;
    #[pymodule_export]
    use super::session::{CancelToken, NativeSession, saved};
    #[pymodule_export]
    use super::{library, run_program, sample_bytes};

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "the name that Python programs look for")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
