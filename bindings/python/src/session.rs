//! Open dumps.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::library::{Library, SavedQuery, typed_parameters};
use engine::{Image, Options, Params, Prepared, Session, Value};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict};

use crate::columns::{of_objects, of_stream};
use crate::error::raised;
use crate::result::NativeResult;
use crate::run::run;
use crate::value::value;

/// Cancels queries from another thread: a query with the token as `cancel=` raises
/// `dumpql.CancelledError` soon after `cancel()` was called.
#[pyclass(frozen, module = "dumpql")]
#[derive(Default)]
pub(crate) struct CancelToken(engine::CancelToken);

#[pymethods]
impl CancelToken {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Cancels the queries that have the token, and those that get it later.
    fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether the token was cancelled.
    #[getter]
    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// The native part of a session.
#[pyclass(frozen, module = "dumpql._dumpql")]
pub(crate) struct NativeSession {
    /// `None` after it was closed.
    engine: Mutex<Option<Arc<Session>>>,
    timeout: Option<f64>,
}

/// The limits of one query, and its cancel token and progress callback.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Limits {
    timeout: Option<f64>,
    memory: Option<usize>,
    strict: Option<bool>,
    cancel: Option<Py<CancelToken>>,
    progress: Option<Py<PyAny>>,
}

fn seconds(timeout: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(timeout).map_err(|why| PyValueError::new_err(why.to_string()))
}

impl NativeSession {
    fn engine(&self) -> PyResult<Arc<Session>> {
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        engine.clone().ok_or_else(|| PyValueError::new_err("the session is closed"))
    }

    fn limited<'s>(&self, mut prepared: Prepared<'s>, limits: &Limits) -> PyResult<Prepared<'s>> {
        if let Some(timeout) = limits.timeout.or(self.timeout) {
            prepared = prepared.timeout(seconds(timeout)?);
        }
        if let Some(memory) = limits.memory {
            prepared = prepared.memory(memory);
        }
        if let Some(strict) = limits.strict {
            prepared = prepared.strict(strict);
        }
        if let Some(token) = &limits.cancel {
            prepared = prepared.cancel(&token.get().0);
        }
        Ok(prepared)
    }

    fn run(
        &self,
        py: Python<'_>,
        sql: &str,
        params: &Params,
        limits: &Limits,
    ) -> PyResult<NativeResult> {
        let engine = self.engine()?;
        let prepared = engine.prepare(sql).map_err(|error| raised(py, &error, Some(sql)))?;
        let prepared = self.limited(prepared.with(params), limits)?;
        let rows = run(py, prepared, limits.progress.as_ref(), sql)?;
        Ok(NativeResult::new(rows, Arc::downgrade(&engine)))
    }
}

/// The library, with the saved query that `text` is.
fn library_with(py: Python<'_>, name: &str, text: Option<&str>) -> PyResult<Library> {
    let mut library = Library::default();
    if let Some(text) = text {
        let parsed = SavedQuery::parse(name, text).map_err(engine::Error::from);
        library.add(parsed.map_err(|error| raised(py, &error, Some(text)))?);
    }
    Ok(library)
}

/// What is known of a saved query before it runs.
#[derive(IntoPyObject)]
pub(crate) struct Saved {
    name: String,
    text: String,
    /// The tables that it reads, those first without which it has nothing to say.
    tables: Vec<String>,
    /// Whether it runs over each dump by itself, rather than once over all.
    of_each_dump: bool,
}

/// A query of the library by its name or as a debugger command, or the saved query that `text` is.
#[pyfunction]
#[pyo3(signature = (name, text=None))]
pub(crate) fn saved(py: Python<'_>, name: &str, text: Option<&str>) -> PyResult<Saved> {
    let library = library_with(py, name, text)?;
    let query = library.find(name).map_err(|error| raised(py, &error, None))?.query;
    let mut tables = query.needs.clone();
    tables.extend(query.optional.iter().filter(|table| !query.needs.contains(table)).cloned());
    Ok(Saved {
        name: query.name.clone(),
        text: query.text.clone(),
        tables,
        of_each_dump: SavedQuery::is_of_each_dump(&query.text),
    })
}

fn params(given: &Bound<'_, PyDict>) -> PyResult<Params> {
    let mut params = Params::new();
    for (name, object) in given {
        params.insert(name.extract()?, value(&object)?);
    }
    Ok(params)
}

#[pymethods]
impl NativeSession {
    /// Opens dumps, by their paths or their bytes.
    #[staticmethod]
    #[pyo3(signature = (paths, buffers, *, symbols, offline, pool_tags, cache, strict, memory,
                        timeout, files, urls))]
    #[allow(
        clippy::too_many_arguments,
        clippy::fn_params_excessive_bools,
        reason = "the package has one keyword for each"
    )]
    fn open(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        buffers: Vec<(String, Bound<'_, PyBytes>)>,
        symbols: Vec<PathBuf>,
        offline: bool,
        pool_tags: Option<PathBuf>,
        cache: Option<PathBuf>,
        strict: bool,
        memory: Option<usize>,
        timeout: Option<f64>,
        files: bool,
        urls: bool,
    ) -> PyResult<Self> {
        let mut options = Options::default()
            .symbols(symbols)
            .offline(offline)
            .strict(strict)
            .files(files)
            .urls(urls);
        if let Some(file) = pool_tags {
            options = options.pool_tags(file);
        }
        if let Some(folder) = cache {
            options = options.cache(folder);
        }
        if let Some(bytes) = memory {
            options = options.memory(bytes);
        }
        timeout.map(seconds).transpose()?;
        let held = buffers.iter().map(|(name, bytes)| Image::from_bytes(name, bytes.as_bytes()));
        let mut held: Vec<Image> = held.collect();
        let opened = py.detach(|| {
            let mapped = paths.iter().map(|path| match path.to_str().filter(|_| urls) {
                Some(url) if engine::is_url(url) => Image::open_url(url),
                _ => Image::open(path),
            });
            let mut images = mapped.collect::<Result<Vec<_>, _>>()?;
            images.append(&mut held);
            Session::from_images(images, &options)
        });
        let engine = opened.map_err(|error| raised(py, &error, None))?;
        Ok(Self { engine: Mutex::new(Some(Arc::new(engine))), timeout })
    }

    /// Runs SQL with values for its parameters.
    fn sql(
        &self,
        py: Python<'_>,
        sql: &str,
        given: &Bound<'_, PyDict>,
        limits: Limits,
    ) -> PyResult<NativeResult> {
        self.run(py, sql, &params(given)?, &limits)
    }

    /// Runs a query of the library by its name, a debugger command, or the saved query that `text` is;
    /// with `describe` the result is its columns, and no dump is read.
    #[pyo3(signature = (name, given, limits, text=None, describe=false))]
    fn query(
        &self,
        py: Python<'_>,
        name: &str,
        given: &Bound<'_, PyDict>,
        limits: Limits,
        text: Option<&str>,
        describe: bool,
    ) -> PyResult<NativeResult> {
        let library = library_with(py, name, text)?;
        let called = library.find(name).map_err(|error| raised(py, &error, None))?;
        let mut values: Params =
            called.given.into_iter().map(|(name, text)| (name, Value::text(text))).collect();
        values.extend(params(given)?);
        let sql = &called.query.text;
        let typed = typed_parameters(called.query, &values);
        let typed = typed.map_err(|error| raised(py, &error, Some(sql)))?;
        if describe {
            return self.run(py, &format!("DESCRIBE {sql}"), &typed, &limits);
        }
        self.run(py, sql, &typed, &limits)
    }

    /// The names of the tables, in the order of the documentation.
    fn tables(&self) -> PyResult<Vec<String>> {
        Ok(self.engine()?.catalog().tables().iter().map(|t| t.name.to_owned()).collect())
    }

    /// The names of the open dumps, as the column `dump` shows them.
    fn sources(&self) -> PyResult<Vec<String>> {
        Ok(self.engine()?.source_names())
    }

    /// Adds a table of the rows of an Arrow stream in a capsule.
    fn register_stream(
        &self,
        py: Python<'_>,
        name: &str,
        stream: &Bound<'_, PyCapsule>,
    ) -> PyResult<()> {
        let columns = of_stream(py, stream)?;
        let attached = self.engine()?.attach_rows(name, columns);
        attached.map_err(|error| raised(py, &error, None))
    }

    /// Adds a table of columns of Python objects.
    fn register_columns(
        &self,
        py: Python<'_>,
        name: &str,
        columns: Vec<(String, Vec<Bound<'_, PyAny>>)>,
    ) -> PyResult<()> {
        let column = |(name, objects): (String, Vec<_>)| {
            let data = of_objects(&name, &objects)?;
            Ok((name, data))
        };
        let columns = columns.into_iter().map(column).collect::<PyResult<_>>()?;
        let attached = self.engine()?.attach_rows(name, columns);
        attached.map_err(|error| raised(py, &error, None))
    }

    /// Closes the dumps as soon as running queries are finished.
    fn close(&self) {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
