//! Queries with parameters, limits, cancellation and progress.

use std::ffi::{c_char, c_void};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use engine::library::{Library, SavedQuery, typed_parameters};
use engine::{CancelToken, Params, Prepared, QueryProgress, ResultSet, Session, Value};

use crate::error::dumpql_error;
use crate::guard::{changed, free, give, guard, null, object, quiet, text};
use crate::result::dumpql_result;
use crate::session::dumpql_session;
use crate::token::dumpql_cancel_token;

/// The interval of progress reports.
const INTERVAL: Duration = Duration::from_millis(100);

/// Reports the progress of a query: how many rows were read, and how many bytes of memory a search
/// has covered, of how many (both 0 without a search). The callback returns whether the query
/// continues; false cancels it.
///
/// It is called once on the thread that runs the statement before the query begins, then about ten
/// times a second on a thread of the library; never by two threads at once. It must not use the
/// statement.
pub type dumpql_progress_callback = Option<
    unsafe extern "C" fn(user: *mut c_void, rows: u64, searched_bytes: u64, all_bytes: u64) -> bool,
>;

/// A parsed query, which can be run several times. Free it with `dumpql_statement_free`.
pub struct dumpql_statement {
    session: Arc<Session>,
    sql: String,
    saved: Option<SavedQuery>,
    params: Params,
    tokens: Vec<CancelToken>,
    timeout: Option<Duration>,
    memory: Option<usize>,
    strict: Option<bool>,
    progress: Option<Watcher>,
}

/// A callback and its `user` pointer.
#[derive(Clone, Copy)]
struct Watcher {
    call: unsafe extern "C" fn(*mut c_void, u64, u64, u64) -> bool,
    user: *mut c_void,
}

// SAFETY: the header requires a callback that may be called on a thread of the library.
unsafe impl Send for Watcher {}
// SAFETY: as above; calls are never made by two threads at once.
unsafe impl Sync for Watcher {}

impl Watcher {
    /// Whether the query continues.
    fn tell(&self, progress: &QueryProgress) -> bool {
        let rows = u64::try_from(progress.rows_read()).unwrap_or(u64::MAX);
        let (searched, all) = progress.searched().unwrap_or_default();
        // SAFETY: the header requires a function of this type that takes this pointer.
        unsafe { (self.call)(self.user, rows, searched, all) }
    }
}

impl dumpql_statement {
    fn new(session: &dumpql_session, sql: String) -> Self {
        Self {
            session: Arc::clone(&session.engine),
            sql,
            saved: None,
            params: Params::new(),
            tokens: Vec::new(),
            timeout: session.timeout,
            memory: None,
            strict: None,
            progress: None,
        }
    }

    fn run(&self) -> Result<ResultSet, engine::Error> {
        let params = match &self.saved {
            Some(query) => &typed_parameters(query, &self.params)?,
            None => &self.params,
        };
        let mut prepared = self.session.prepare(&self.sql)?.with(params);
        for token in &self.tokens {
            prepared = prepared.cancel(token);
        }
        if let Some(timeout) = self.timeout {
            prepared = prepared.timeout(timeout);
        }
        if let Some(memory) = self.memory {
            prepared = prepared.memory(memory);
        }
        if let Some(strict) = self.strict {
            prepared = prepared.strict(strict);
        }
        match &self.progress {
            None => prepared.run(),
            Some(watcher) => watched(prepared, watcher),
        }
    }
}

/// Runs a query and reports its progress.
fn watched(prepared: Prepared<'_>, watcher: &Watcher) -> Result<ResultSet, engine::Error> {
    let (progress, token) = (QueryProgress::new(), CancelToken::new());
    let prepared = prepared.progress(&progress).cancel(&token);
    if !watcher.tell(&progress) {
        token.cancel();
    }
    std::thread::scope(|scope| {
        let (done, wait) = channel::<()>();
        let watch = || {
            let wait = wait;
            while wait.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if !watcher.tell(&progress) {
                    token.cancel();
                }
            }
        };
        // If no thread can be started, the query runs without progress reports.
        let _ = std::thread::Builder::new().name("progress".to_owned()).spawn_scoped(scope, watch);
        let result = prepared.run();
        drop(done);
        result
    })
}

/// Parses a query or a script. The functions `dumpql_bind_…` set its parameters `$name`. Free the
/// statement with `dumpql_statement_free`.
///
/// Errors: syntax errors. Names and types are checked when it runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_prepare(
    session: *const dumpql_session,
    sql: *const c_char,
    error: *mut *mut dumpql_error,
) -> *mut dumpql_statement {
    let body = || {
        // SAFETY: the header requires a live session and a text with a NUL.
        let (session, sql) = unsafe { (object(session, "session")?, text(sql, "sql")?) };
        let _ = session.engine.prepare(sql)?;
        Ok(give(dumpql_statement::new(session, sql.to_owned())))
    };
    // SAFETY: the header requires NULL or a place to write to.
    unsafe { guard(error, std::ptr::null_mut(), body) }
}

/// Looks up a query of the shipped library by its name (`irp-distribution`), or by the debugger
/// command that it replaces (`!irpfind`, `k 10`). Parameters without a value have their defaults.
/// Free the statement with `dumpql_statement_free`.
///
/// Errors: E0201 with similar names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_prepare_saved(
    session: *const dumpql_session,
    name: *const c_char,
    error: *mut *mut dumpql_error,
) -> *mut dumpql_statement {
    let body = || {
        // SAFETY: the header requires a live session and a text with a NUL.
        let (session, name) = unsafe { (object(session, "session")?, text(name, "name")?) };
        let library = Library::default();
        let called = library.find(name)?;
        let mut statement = dumpql_statement::new(session, called.query.text.clone());
        for (name, value) in called.given {
            statement.params.insert(name, Value::text(value));
        }
        statement.saved = Some(called.query.clone());
        Ok(give(statement))
    };
    // SAFETY: the header requires NULL or a place to write to.
    unsafe { guard(error, std::ptr::null_mut(), body) }
}

/// Sets a parameter. Returns false if the statement or the name is NULL or not UTF-8.
///
/// # Safety
/// As for the functions `dumpql_bind_…`, according to the header.
unsafe fn bind(
    statement: *mut dumpql_statement,
    name: *const c_char,
    value: impl FnOnce() -> Option<Value<'static>>,
) -> bool {
    quiet(false, || {
        // SAFETY: the caller's promise.
        let (statement, name) = unsafe { (changed(statement, "statement"), text(name, "name")) };
        statement.ok()?.params.insert(name.ok()?.to_owned(), value()?);
        Some(true)
    })
}

/// Sets the parameter `$name` to NULL; `name` has no `$`. Like the other functions `dumpql_bind_…`,
/// it replaces an earlier value, and returns false if an argument is NULL or not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_bind_null(
    statement: *mut dumpql_statement,
    name: *const c_char,
) -> bool {
    // SAFETY: the header requires a live statement and a text with a NUL, as do those below.
    unsafe { bind(statement, name, || Some(Value::Null)) }
}

/// Sets the parameter `$name` to a Boolean.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_bind_bool(
    statement: *mut dumpql_statement,
    name: *const c_char,
    value: bool,
) -> bool {
    // SAFETY: as with `dumpql_bind_null`.
    unsafe { bind(statement, name, || Some(Value::Bool(value))) }
}

/// Sets the parameter `$name` to an integer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_bind_integer(
    statement: *mut dumpql_statement,
    name: *const c_char,
    value: i64,
) -> bool {
    // SAFETY: as with `dumpql_bind_null`.
    unsafe { bind(statement, name, || Some(Value::Int(value))) }
}

/// Sets the parameter `$name` to a floating-point number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_bind_double(
    statement: *mut dumpql_statement,
    name: *const c_char,
    value: f64,
) -> bool {
    // SAFETY: as with `dumpql_bind_null`.
    unsafe { bind(statement, name, || Some(Value::Double(value))) }
}

/// Sets the parameter `$name` to a text, which is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_bind_text(
    statement: *mut dumpql_statement,
    name: *const c_char,
    value: *const c_char,
) -> bool {
    // SAFETY: as with `dumpql_bind_null`; the value is a text with a NUL as well.
    unsafe { bind(statement, name, || Some(Value::text(text(value, "value").ok()?.to_owned()))) }
}

/// Sets the parameter `$name` to an address.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_bind_address(
    statement: *mut dumpql_statement,
    name: *const c_char,
    value: u64,
) -> bool {
    // SAFETY: as with `dumpql_bind_null`.
    unsafe { bind(statement, name, || Some(Value::Addr(value))) }
}

/// Sets the parameter `$name` to a point in time, in microseconds since 1970-01-01 UTC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_bind_timestamp(
    statement: *mut dumpql_statement,
    name: *const c_char,
    microseconds: i64,
) -> bool {
    // SAFETY: as with `dumpql_bind_null`.
    unsafe { bind(statement, name, || Some(Value::Time(microseconds))) }
}

/// Sets the parameter `$name` to a duration in microseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_bind_interval(
    statement: *mut dumpql_statement,
    name: *const c_char,
    microseconds: i64,
) -> bool {
    // SAFETY: as with `dumpql_bind_null`.
    unsafe { bind(statement, name, || Some(Value::Interval(microseconds))) }
}

/// Changes a statement; NULL is ignored.
///
/// # Safety
/// `statement` is NULL or a live statement that nobody else uses meanwhile.
unsafe fn set(statement: *mut dumpql_statement, change: impl FnOnce(&mut dumpql_statement)) {
    quiet((), || {
        // SAFETY: the caller's promise.
        change(unsafe { changed(statement, "statement") }.ok()?);
        Some(())
    });
}

/// Sets how long a run may take, instead of the limit of the options; then it fails with E0308. 0
/// means no limit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_statement_set_timeout(
    statement: *mut dumpql_statement,
    milliseconds: u64,
) {
    let timeout = (milliseconds > 0).then(|| Duration::from_millis(milliseconds));
    // SAFETY: the header requires NULL or a live statement.
    unsafe { set(statement, |statement| statement.timeout = timeout) };
}

/// Sets how many bytes rows and values may take, instead of the limit of the options
/// (E0307).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_statement_set_memory(
    statement: *mut dumpql_statement,
    bytes: usize,
) {
    // SAFETY: the header requires NULL or a live statement.
    unsafe { set(statement, |statement| statement.memory = Some(bytes)) };
}

/// Sets whether a value that cannot be read is an error (E0305), instead of the setting of the
/// options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_statement_set_strict(
    statement: *mut dumpql_statement,
    strict: bool,
) {
    // SAFETY: the header requires NULL or a live statement.
    unsafe { set(statement, |statement| statement.strict = Some(strict)) };
}

/// Adds a token that cancels the statement's runs from another thread. With several tokens, any of
/// them does. Returns false if an argument is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_statement_add_token(
    statement: *mut dumpql_statement,
    token: *const dumpql_cancel_token,
) -> bool {
    quiet(false, || {
        // SAFETY: the header requires NULL or live objects.
        let (statement, token) = unsafe { (changed(statement, "statement"), token.as_ref()) };
        statement.ok()?.tokens.push(token?.0.clone());
        Some(true)
    })
}

/// Sets a callback that reports the progress of a run. `user` is passed to the callback and must be
/// valid while the statement runs. A NULL callback turns the reports off.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_statement_set_progress(
    statement: *mut dumpql_statement,
    callback: dumpql_progress_callback,
    user: *mut c_void,
) {
    let watcher = callback.map(|call| Watcher { call, user });
    // SAFETY: the header requires NULL or a live statement.
    unsafe { set(statement, |statement| statement.progress = watcher) };
}

/// Runs a statement and waits for it; of a script, the last result is returned. A script that only
/// makes changes (`ATTACH`, `CREATE`, `SET`) returns a result without columns. Free the result with
/// `dumpql_result_free`.
///
/// Errors: any error in the query, with its position; E0306 if a token was cancelled or the
/// progress callback returned false, E0307 and E0308 for limits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_statement_run(
    statement: *mut dumpql_statement,
    error: *mut *mut dumpql_error,
) -> *mut dumpql_result {
    let body = || {
        // SAFETY: the header requires a live statement.
        let statement = unsafe { object(statement, "statement") }?;
        let rows = statement.run()?;
        Ok(give(dumpql_result::new(rows, &statement.session)))
    };
    // SAFETY: the header requires NULL or a place to write to.
    unsafe { guard(error, std::ptr::null_mut(), body) }
}

/// Frees a statement.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_statement_free(statement: *mut dumpql_statement) {
    // SAFETY: the header requires NULL or a statement that nobody uses any more.
    unsafe { free(statement) };
}

/// Runs the statements of a script, and passes each result to the callback as soon as it is ready.
/// The result belongs to the callback, which frees it with `dumpql_result_free` and returns whether
/// to continue. Returns false if the script failed; results that were passed on stay valid.
///
/// Errors: as `dumpql_statement_run`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_query_each(
    session: *const dumpql_session,
    sql: *const c_char,
    callback: Option<unsafe extern "C" fn(user: *mut c_void, result: *mut dumpql_result) -> bool>,
    user: *mut c_void,
    error: *mut *mut dumpql_error,
) -> bool {
    let body = || {
        // SAFETY: the header requires a live session and a text with a NUL.
        let (session, sql) = unsafe { (object(session, "session")?, text(sql, "sql")?) };
        let callback = callback.ok_or_else(|| null("callback"))?;
        let mut prepared = session.engine.prepare(sql)?;
        if let Some(timeout) = session.timeout {
            prepared = prepared.timeout(timeout);
        }
        prepared.run_each(&mut |rows| {
            let result = give(dumpql_result::new(rows, &session.engine));
            // SAFETY: the header requires a function of this type that takes this pointer.
            unsafe { callback(user, result) }
        })?;
        Ok(true)
    };
    // SAFETY: the header requires NULL or a place to write to.
    unsafe { guard(error, false, body) }
}
