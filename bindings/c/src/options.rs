//! How a session is opened.

use std::ffi::c_char;
use std::time::Duration;

use engine::Options;

use crate::guard::{changed, free, give, quiet, text};

/// How dumps are opened. Free it with `dumpql_options_free`; sessions do not need it any more.
#[derive(Clone, Default)]
pub struct dumpql_options {
    pub(crate) engine: Options,
    pub(crate) symbols: Vec<String>,
    pub(crate) timeout: Option<Duration>,
}

impl dumpql_options {
    /// The options as the engine takes them.
    pub(crate) fn engine(&self) -> Options {
        self.engine.clone().symbols(self.symbols.iter())
    }
}

/// Changes options; NULL is ignored.
///
/// # Safety
/// `options` is NULL or live options that nobody else uses meanwhile.
unsafe fn set(options: *mut dumpql_options, change: impl FnOnce(Options) -> Options) {
    quiet((), || {
        // SAFETY: the caller's promise.
        let options = unsafe { changed(options, "options") }.ok()?;
        options.engine = change(std::mem::take(&mut options.engine));
        Some(())
    });
}

/// Options with their defaults: no symbols, no cache, no file access by queries, no deadline. Free
/// them with `dumpql_options_free`.
#[unsafe(no_mangle)]
pub extern "C" fn dumpql_options_new() -> *mut dumpql_options {
    quiet(std::ptr::null_mut(), || Some(give(dumpql_options::default())))
}

/// Adds a folder or a file of symbols or layouts, or a symbol path in the syntax of Windows
/// debuggers (`srv*cache*url`), whose servers are asked. Returns false if `path` is NULL or not
/// UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_options_add_symbols(
    options: *mut dumpql_options,
    path: *const c_char,
) -> bool {
    quiet(false, || {
        // SAFETY: the header requires NULL or live options, and NULL or a text with a NUL.
        let (options, path) = unsafe { (changed(options, "options"), text(path, "path")) };
        options.ok()?.symbols.push(path.ok()?.to_owned());
        Some(true)
    })
}

/// Sets whether no symbol server is asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_options_set_offline(options: *mut dumpql_options, offline: bool) {
    // SAFETY: the header requires NULL or live options.
    unsafe { set(options, |options| options.offline(offline)) };
}

/// Sets a file in the format of `pooltag.txt`, which has priority over the built-in list. Returns
/// false if `file` is NULL or not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_options_set_pool_tags(
    options: *mut dumpql_options,
    file: *const c_char,
) -> bool {
    quiet(false, || {
        // SAFETY: the header requires NULL or live options, and NULL or a text with a NUL.
        let file = unsafe { text(file, "file") }.ok()?;
        // SAFETY: as above.
        unsafe { set(options, |options| options.pool_tags(file)) };
        Some(true)
    })
}

/// Sets a folder for indexes of dumps, so that a search runs only once. Without it nothing is
/// cached. Returns false if `folder` is NULL or not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_options_set_cache(
    options: *mut dumpql_options,
    folder: *const c_char,
) -> bool {
    quiet(false, || {
        // SAFETY: the header requires NULL or live options, and NULL or a text with a NUL.
        let folder = unsafe { text(folder, "folder") }.ok()?;
        // SAFETY: as above.
        unsafe { set(options, |options| options.cache(folder)) };
        Some(true)
    })
}

/// Sets whether a value that cannot be read is an error (E0305).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_options_set_strict(options: *mut dumpql_options, strict: bool) {
    // SAFETY: the header requires NULL or live options.
    unsafe { set(options, |options| options.strict(strict)) };
}

/// Sets how many bytes the rows and values of a query may take; a query that would exceed the
/// limit fails with E0307. The default is 224 MiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_options_set_memory(options: *mut dumpql_options, bytes: usize) {
    // SAFETY: the header requires NULL or live options.
    unsafe { set(options, |options| options.memory(bytes)) };
}

/// Sets whether queries may open and write files by their path (`ATTACH`, `FROM 'file.csv'`,
/// `COPY`). By default they may not, because a program may run the queries of others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_options_set_files(options: *mut dumpql_options, allowed: bool) {
    // SAFETY: the header requires NULL or live options.
    unsafe { set(options, |options| options.files(allowed)) };
}

/// Sets whether a path may be the URL of a dump on an HTTP server that gives ranges: one that
/// `dumpql_open` is given, and one that a query attaches. Only what queries need is read. By default
/// no URL is opened, because a program may pass on names that others chose.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_options_set_urls(options: *mut dumpql_options, allowed: bool) {
    // SAFETY: the header requires NULL or live options.
    unsafe { set(options, |options| options.urls(allowed)) };
}

/// Sets how long a query may take, unless its statement sets another limit; then it fails with
/// E0308. 0 means no limit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_options_set_timeout(
    options: *mut dumpql_options,
    milliseconds: u64,
) {
    quiet((), || {
        // SAFETY: the header requires NULL or live options.
        let options = unsafe { changed(options, "options") }.ok()?;
        options.timeout = (milliseconds > 0).then(|| Duration::from_millis(milliseconds));
        Some(())
    });
}

/// Frees options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_options_free(options: *mut dumpql_options) {
    // SAFETY: the header requires NULL or options that nobody uses any more.
    unsafe { free(options) };
}
