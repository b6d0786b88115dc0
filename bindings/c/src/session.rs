//! Open dumps.

use std::ffi::{CString, c_char};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use engine::{Image, Session};

use crate::error::dumpql_error;
use crate::guard::{Failure, c_text, free, give, guard, null, object, quiet, text};
use crate::options::dumpql_options;
use crate::result::dumpql_result;

/// Open dumps, over which queries run. Free it with `dumpql_session_free`.
pub struct dumpql_session {
    pub(crate) engine: Arc<Session>,
    pub(crate) timeout: Option<Duration>,
}

/// The options behind a pointer, or the defaults.
///
/// # Safety
/// `options` is NULL or live options.
unsafe fn options_of(options: *const dumpql_options) -> dumpql_options {
    // SAFETY: the caller's promise.
    unsafe { options.as_ref() }.cloned().unwrap_or_default()
}

fn open(images: Vec<Image>, options: &dumpql_options) -> Result<*mut dumpql_session, Failure> {
    Ok(given(Session::from_images(images, &options.engine())?, options))
}

fn given(engine: Session, options: &dumpql_options) -> *mut dumpql_session {
    give(dumpql_session { engine: Arc::new(engine), timeout: options.timeout })
}

/// The version of the library. The text is always valid.
#[unsafe(no_mangle)]
pub extern "C" fn dumpql_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Opens `count` dumps or debugger logs, by their paths, or by their URLs if the options allow that
/// (`dumpql_options_set_urls`); every table then covers all of them. With `count` 0 there are only the
/// tables that the program adds. `options` may be NULL. Free the session with `dumpql_session_free`.
///
/// Errors: E0401 if a file is not a readable dump, E0402 if it cannot be opened, E0403 if symbols
/// of the options cannot be read, E0209 for a URL that the options do not allow.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_open(
    paths: *const *const c_char,
    count: usize,
    options: *const dumpql_options,
    error: *mut *mut dumpql_error,
) -> *mut dumpql_session {
    let body = || {
        // SAFETY: the header requires NULL or live options.
        let options = unsafe { options_of(options) };
        let mut named = Vec::new();
        if paths.is_null() && count > 0 {
            return Err(null("paths"));
        }
        for index in 0..count {
            // SAFETY: the header requires an array of `count` texts.
            let path = unsafe { text(paths.add(index).read(), "path") }?;
            named.push(Path::new(path));
        }
        Ok(given(Session::open_with(&named, &options.engine())?, &options))
    };
    // SAFETY: the header requires NULL or a place to write to.
    unsafe { guard(error, std::ptr::null_mut(), body) }
}

/// Opens a dump whose `length` bytes are in memory; they are copied. `name` is its name in messages
/// and in the column `dump`. `options` may be NULL. Free the session with `dumpql_session_free`.
///
/// Errors: E0401 if the bytes are not a readable dump, E0403 as with `dumpql_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_open_memory(
    name: *const c_char,
    bytes: *const u8,
    length: usize,
    options: *const dumpql_options,
    error: *mut *mut dumpql_error,
) -> *mut dumpql_session {
    let body = || {
        // SAFETY: the header requires NULL or live options, and a text with a NUL.
        let (options, name) = unsafe { (options_of(options), text(name, "name")?) };
        if bytes.is_null() {
            return Err(null("bytes"));
        }
        if isize::try_from(length).is_err() {
            return Err(Failure::Misuse("C0003", "`length` is no length of memory".to_owned()));
        }
        // SAFETY: the header requires `length` bytes, and the length is one that memory can have.
        let bytes = unsafe { std::slice::from_raw_parts(bytes, length) };
        open(vec![Image::from_bytes(name, bytes)], &options)
    };
    // SAFETY: the header requires NULL or a place to write to.
    unsafe { guard(error, std::ptr::null_mut(), body) }
}

/// Opens the sample, a dump of a hung server that is built in memory. `options` may be NULL. Free the
/// session with `dumpql_session_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_open_sample(
    options: *const dumpql_options,
    error: *mut *mut dumpql_error,
) -> *mut dumpql_session {
    let body = || {
        // SAFETY: the header requires NULL or live options.
        let options = unsafe { options_of(options) };
        open(vec![Image::from_bytes("sample", engine::sample_file())], &options)
    };
    // SAFETY: the header requires NULL or a place to write to.
    unsafe { guard(error, std::ptr::null_mut(), body) }
}

/// The bytes of the sample, as `dumpql_open_memory` takes them. They belong to the library and are
/// always valid. `length` must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_sample_bytes(length: *mut usize) -> *const u8 {
    static SAMPLE: LazyLock<Vec<u8>> = LazyLock::new(engine::sample_file);
    quiet(std::ptr::null(), || {
        // SAFETY: the header requires a place to write to.
        *unsafe { length.as_mut() }? = SAMPLE.len();
        Some(SAMPLE.as_ptr())
    })
}

/// Runs a query and waits for it; of a script, the last result is returned. Free the result with
/// `dumpql_result_free`. Several threads may run queries on one session at the same time.
///
/// Errors: any error in the query, with its position; E0308 at the deadline of the options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_query(
    session: *const dumpql_session,
    sql: *const c_char,
    error: *mut *mut dumpql_error,
) -> *mut dumpql_result {
    let body = || {
        // SAFETY: the header requires a live session and a text with a NUL.
        let (session, sql) = unsafe { (object(session, "session")?, text(sql, "sql")?) };
        let mut prepared = session.engine.prepare(sql)?;
        if let Some(timeout) = session.timeout {
            prepared = prepared.timeout(timeout);
        }
        let rows = prepared.run()?;
        Ok(give(dumpql_result::new(rows, &session.engine)))
    };
    // SAFETY: the header requires NULL or a place to write to.
    unsafe { guard(error, std::ptr::null_mut(), body) }
}

/// The name of an open dump, as the column `dump` shows it; NULL once `index` is beyond the last one.
/// Free it with `dumpql_string_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_session_source(
    session: *const dumpql_session,
    index: usize,
) -> *mut c_char {
    quiet(std::ptr::null_mut(), || {
        // SAFETY: the header requires NULL or a live session.
        let names = unsafe { session.as_ref() }?.engine.source_names();
        names.get(index).map(|name| c_text(name).into_raw())
    })
}

/// Whether the path is the file of an open dump, by the file's identity. A program must not write
/// there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_session_is_open(
    session: *const dumpql_session,
    path: *const c_char,
) -> bool {
    quiet(false, || {
        // SAFETY: the header requires NULL or a live session, and NULL or a text with a NUL.
        let (session, path) = unsafe { (session.as_ref()?, text(path, "path").ok()?) };
        Some(session.engine.is_open(&PathBuf::from(path)))
    })
}

/// Frees a session. Its statements and results stay valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_session_free(session: *mut dumpql_session) {
    // SAFETY: the header requires NULL or a session that nobody uses any more.
    unsafe { free(session) };
}

/// Frees a text that a function returned as `char *`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_string_free(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: the header requires a text that a function of this library returned.
        drop(unsafe { CString::from_raw(text) });
    }
}
