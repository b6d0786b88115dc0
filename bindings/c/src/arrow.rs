//! Arrow data in both directions: results, and tables of the host program.

use std::ffi::{c_char, c_int, c_void};
use std::ptr::NonNull;

use engine::Code;
use engine::extend::{ArrowBatches, ArrowColumns, ArrowTable};
use engine::polars_arrow::array::{Array, StructArray};
use engine::polars_arrow::datatypes::{ArrowDataType, Field};
use engine::polars_arrow::ffi::{
    ArrowArray, ArrowArrayStream, ArrowArrayStreamReader, ArrowSchema, export_array_to_c,
    export_field_to_c, import_field_from_c,
};

use crate::error::dumpql_error;
use crate::guard::{Failure, guard, null, object, text};
use crate::result::dumpql_result;
use crate::session::dumpql_session;

/// Starts a scan of a table of the host program. The callback fills `out` with a stream of batches
/// that have the columns of the table's schema, and returns 0. If it returns another number, it
/// leaves `out` alone and the query fails.
///
/// It is called once per scan, by any thread and by several threads at the same time; the same
/// thread reads and releases the stream. An error of the stream ends the query with the error's
/// text.
pub type dumpql_scan_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, out: *mut ArrowArrayStream) -> c_int>;

/// Frees the `user` pointer of a callback.
pub type dumpql_free_callback = Option<unsafe extern "C" fn(user: *mut c_void)>;

fn internal(error: impl std::fmt::Display) -> Failure {
    Failure::of(Code::Internal, error)
}

/// The rows as a stream of the Arrow C stream interface, which the caller releases. Columns with a
/// repeated name get `_1`, `_2`, …; addresses are unsigned integers, points in time are
/// microseconds in UTC, text has 64-bit offsets. The stream does not need the result any more.
/// Returns false on an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_result_stream(
    result: *const dumpql_result,
    out: *mut ArrowArrayStream,
    error: *mut *mut dumpql_error,
) -> bool {
    let body = || {
        // SAFETY: the header requires a live result.
        let result = unsafe { object(result, "result") }?;
        let out = NonNull::new(out).ok_or_else(|| null("out"))?;
        let stream = result.rows.to_arrow_stream().map_err(internal)?;
        // SAFETY: the header requires a place to write to, which holds nothing to be released.
        unsafe { out.write(stream) };
        Ok(true)
    };
    // SAFETY: the header requires NULL or a place to write to.
    unsafe { guard(error, false, body) }
}

/// The rows as one array of structures of the Arrow C data interface, with its schema. The caller
/// releases both; otherwise as `dumpql_result_stream`. Returns false on an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_result_array(
    result: *const dumpql_result,
    schema: *mut ArrowSchema,
    array: *mut ArrowArray,
    error: *mut *mut dumpql_error,
) -> bool {
    let body = || {
        // SAFETY: the header requires a live result.
        let result = unsafe { object(result, "result") }?;
        let schema = NonNull::new(schema).ok_or_else(|| null("schema"))?;
        let array = NonNull::new(array).ok_or_else(|| null("array"))?;
        let rows = one_array(&result.rows)?;
        let field = Field::new("".into(), rows.dtype().clone(), false);
        // SAFETY: the header requires places to write to, which hold nothing to be released.
        unsafe {
            schema.write(export_field_to_c(&field));
            array.write(export_array_to_c(rows));
        }
        Ok(true)
    };
    // SAFETY: the header requires NULL or a place to write to.
    unsafe { guard(error, false, body) }
}

/// The rows as one array; results have a single chunk.
fn one_array(rows: &engine::ResultSet) -> Result<Box<dyn Array>, Failure> {
    let mut stream = Box::new(rows.to_arrow_stream().map_err(internal)?);
    // SAFETY: the stream is the engine's own.
    let mut reader = unsafe { ArrowArrayStreamReader::try_new(&mut *stream) }.map_err(internal)?;
    let dtype = reader.field().dtype().clone();
    // SAFETY: as above.
    match unsafe { reader.next() } {
        Some(array) => array.map_err(internal),
        None => Ok(empty(dtype)),
    }
}

fn empty(dtype: ArrowDataType) -> Box<dyn Array> {
    StructArray::new_empty(dtype).boxed()
}

/// Adds a table of the rows of an Arrow stream, which are copied. It replaces a table that was added
/// with that name before. The stream is moved: the library releases it, and `stream` is marked released,
/// also on an error. Returns false on an error.
///
/// Integers, floating-point numbers, booleans, text, dates, timestamps, durations and dictionaries of
/// them are taken; unsigned integers of 64 bits become addresses.
///
/// Errors: E0210 if a column has another type or two have one name; E0301 with the stream's own text if
/// the stream fails; E0302 if a point in time is out of range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_attach_stream(
    session: *const dumpql_session,
    name: *const c_char,
    stream: *mut ArrowArrayStream,
    error: *mut *mut dumpql_error,
) -> bool {
    let body = || {
        let stream = NonNull::new(stream).ok_or_else(|| null("stream"))?;
        // SAFETY: the header requires a stream that may be moved.
        let stream = Box::new(unsafe { stream.replace(ArrowArrayStream::empty()) });
        // SAFETY: the header requires a live session and a text with a NUL.
        let (session, name) = unsafe { (object(session, "session")?, text(name, "name")?) };
        let failed = |why: &dyn std::fmt::Display| Failure::of(Code::NoSource, why);
        // SAFETY: the header requires a stream of the C stream interface.
        let mut reader =
            unsafe { ArrowArrayStreamReader::try_new(stream) }.map_err(|why| failed(&why))?;
        let mut columns = ArrowColumns::new(reader.field().dtype())?;
        // SAFETY: as above.
        while let Some(array) = unsafe { reader.next() } {
            columns.push(&*array.map_err(|why| failed(&why))?)?;
        }
        session.engine.attach_rows(name, columns.finish())?;
        Ok(true)
    };
    // SAFETY: the header requires NULL or a place to write to.
    unsafe { guard(error, false, body) }
}

/// The callback of a table, and its `user` pointer.
struct Host {
    scan: unsafe extern "C" fn(*mut c_void, *mut ArrowArrayStream) -> c_int,
    user: *mut c_void,
    free: dumpql_free_callback,
}

// SAFETY: the header requires callbacks that any thread may call.
unsafe impl Send for Host {}
// SAFETY: the header requires callbacks that several threads may call at the same time.
unsafe impl Sync for Host {}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            // SAFETY: the header requires a function that takes this pointer, and this is its end.
            unsafe { free(self.user) };
        }
    }
}

impl Host {
    fn open(&self) -> Result<ArrowBatches, String> {
        let mut stream = Box::new(ArrowArrayStream::empty());
        // SAFETY: the header requires a function of this type that takes this pointer.
        let status = unsafe { (self.scan)(self.user, &raw mut *stream) };
        if status != 0 {
            return Err(format!("the program's callback returned {status}"));
        }
        // SAFETY: the header requires a stream of the C stream interface.
        let reader = unsafe { ArrowArrayStreamReader::try_new(stream) };
        let mut reader = reader.map_err(|why| why.to_string())?;
        // SAFETY: as above.
        let next = move || unsafe { reader.next() }.map(|batch| batch.map_err(|w| w.to_string()));
        Ok(Box::new(std::iter::from_fn(next)))
    }
}

/// Adds a table whose rows the program makes for each query: `scan` is called with `user` for each
/// scan. `doc` is the description in `SHOW TABLES` and `meta.tables`. The schema, a structure of
/// the columns, is moved: the library releases it, also on an error. `free_user`, which may be
/// NULL, is called with `user` once `scan` cannot be called any more: when the session and its
/// statements and results were freed, or at once if the table cannot be added. Returns false on an
/// error.
///
/// Errors: E0210 if a table has that name, a column has a type that `dumpql_attach_stream` does not
/// take, or two columns have one name.
#[unsafe(no_mangle)]
#[allow(
    clippy::too_many_arguments,
    reason = "C has no optional arguments, and no object is at hand"
)]
pub unsafe extern "C" fn dumpql_add_table(
    session: *const dumpql_session,
    name: *const c_char,
    doc: *const c_char,
    schema: *mut ArrowSchema,
    scan: dumpql_scan_callback,
    user: *mut c_void,
    free_user: dumpql_free_callback,
    error: *mut *mut dumpql_error,
) -> bool {
    let body = || {
        // Moved arguments are freed here, whatever else is wrong.
        let host = scan.map(|scan| Host { scan, user, free: free_user });
        if let (None, Some(free)) = (&host, free_user) {
            // SAFETY: as in the destructor of `Host`, of which there is none.
            unsafe { free(user) };
        }
        // SAFETY: the header requires a schema that may be moved.
        let schema = NonNull::new(schema).map(|s| unsafe { s.replace(ArrowSchema::empty()) });
        let host = host.ok_or_else(|| null("scan"))?;
        let schema = schema.ok_or_else(|| null("schema"))?;
        // SAFETY: the header requires a live session and texts with a NUL.
        let session = unsafe { object(session, "session") }?;
        // SAFETY: as above.
        let (name, doc) = unsafe { (text(name, "name")?, text(doc, "doc")?) };
        // SAFETY: the header requires a schema of the C data interface.
        let field = unsafe { import_field_from_c(&schema) };
        let field = field.map_err(|why| Failure::of(Code::BadQuery, why))?;
        let table = ArrowTable::new(name, doc, field.dtype(), move || host.open())?;
        session.engine.add_table(table)?;
        Ok(true)
    };
    // SAFETY: the header requires NULL or a place to write to.
    unsafe { guard(error, false, body) }
}
