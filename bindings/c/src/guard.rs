//! The wrapper of every function: no panic leaves it, and no pointer is dereferenced unchecked.

use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use engine::{Code, Diagnostic};

use crate::error::dumpql_error;

/// Why a call failed.
pub(crate) enum Failure {
    /// An error of the engine.
    Engine(Box<engine::Error>),
    /// The call itself is wrong: a code and a message.
    Misuse(&'static str, String),
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        Self::Engine(Box::new(error))
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        engine::Error::from(diagnostic).into()
    }
}

impl Failure {
    /// An error of the engine's kind.
    pub(crate) fn of(code: Code, message: impl std::fmt::Display) -> Self {
        Diagnostic::new(code, message.to_string()).into()
    }
}

/// Runs the body of a function that can fail; returns `failed` and sets the error if it does.
///
/// # Safety
/// `error` is NULL or may be written to.
pub(crate) unsafe fn guard<T>(
    error: *mut *mut dumpql_error,
    failed: T,
    body: impl FnOnce() -> Result<T, Failure>,
) -> T {
    if !error.is_null() {
        // SAFETY: the caller's promise.
        unsafe { error.write(std::ptr::null_mut()) };
    }
    let outcome = catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|_| Err(Failure::of(Code::Internal, "a defect of dumpql ended the call")));
    outcome.unwrap_or_else(|failure| {
        if !error.is_null() {
            let object = Box::into_raw(Box::new(dumpql_error::new(failure)));
            // SAFETY: the caller's promise.
            unsafe { error.write(object) };
        }
        failed
    })
}

/// Runs the body of a function that fails only because of a defect.
pub(crate) fn quiet<T>(otherwise: T, body: impl FnOnce() -> Option<T>) -> T {
    catch_unwind(AssertUnwindSafe(body)).ok().flatten().unwrap_or(otherwise)
}

/// Frees an object that [`give`] handed out.
///
/// # Safety
/// `object` is NULL or came from [`give`], and nobody uses it any more.
pub(crate) unsafe fn free<T>(object: *mut T) {
    if object.is_null() {
        return;
    }
    // A destructor that panics is a defect; the memory is leaked, and the program continues.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(object) });
    }));
}

/// Hands an object to the caller.
pub(crate) fn give<T>(object: T) -> *mut T {
    Box::into_raw(Box::new(object))
}

/// The object behind a pointer.
///
/// # Safety
/// `object` is NULL or points to a live object that nobody changes meanwhile.
pub(crate) unsafe fn object<'a, T>(object: *const T, what: &str) -> Result<&'a T, Failure> {
    // SAFETY: the caller's promise.
    unsafe { object.as_ref() }.ok_or_else(|| null(what))
}

/// The object behind a pointer, as a mutable reference.
///
/// # Safety
/// `object` is NULL or points to a live object that nobody else uses meanwhile.
pub(crate) unsafe fn changed<'a, T>(object: *mut T, what: &str) -> Result<&'a mut T, Failure> {
    // SAFETY: the caller's promise.
    unsafe { object.as_mut() }.ok_or_else(|| null(what))
}

/// The text behind a pointer.
///
/// # Safety
/// `text` is NULL or ends with a NUL, and nobody changes it meanwhile.
pub(crate) unsafe fn text<'a>(text: *const c_char, what: &str) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Err(null(what));
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { CStr::from_ptr(text) };
    bytes.to_str().map_err(|_| Failure::Misuse("C0002", format!("`{what}` is not UTF-8")))
}

pub(crate) fn null(what: &str) -> Failure {
    Failure::Misuse("C0001", format!("`{what}` is NULL"))
}

/// Text for C. A NUL in it, which hostile dumps can contain, is replaced by its symbol.
pub(crate) fn c_text(text: &str) -> CString {
    let clean = if text.contains('\0') { text.replace('\0', "\u{2400}") } else { text.to_owned() };
    CString::new(clean).unwrap_or_default()
}
