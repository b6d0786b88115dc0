//! Errors as objects.

use std::ffi::{CString, c_char};

use crate::guard::{Failure, c_text, free, quiet};

/// Why a call failed. Free it with `dumpql_error_free`.
pub struct dumpql_error {
    code: CString,
    message: CString,
    span: Option<(u32, u32)>,
    help: Vec<CString>,
    rendered: CString,
    json: CString,
}

impl dumpql_error {
    pub(crate) fn new(failure: Failure) -> Self {
        match failure {
            Failure::Engine(error) => {
                let first = error.diagnostics().first();
                let message = first.map_or("", |d| d.message.as_str());
                let help = first.map_or(&[][..], |d| &d.help);
                Self {
                    code: c_text(error.code().as_str()),
                    message: c_text(message),
                    span: error.span().map(|span| (span.start, span.end)),
                    help: help.iter().map(|line| c_text(line)).collect(),
                    rendered: c_text(&error.render(None, false)),
                    json: c_text(&error.to_json()),
                }
            }
            Failure::Misuse(code, message) => Self {
                code: c_text(code),
                rendered: c_text(&format!("error[{code}]: {message}")),
                json: c_text(&format!("{{\"code\":\"{code}\",\"message\":\"{message}\"}}")),
                message: c_text(&message),
                span: None,
                help: Vec::new(),
            },
        }
    }
}

/// A part of an error; NULL if the error is NULL.
///
/// # Safety
/// `error` is NULL or a live error.
unsafe fn part(
    error: *const dumpql_error,
    part: impl FnOnce(&dumpql_error) -> Option<&CString>,
) -> *const c_char {
    quiet(std::ptr::null(), || {
        // SAFETY: the caller's promise.
        let error = unsafe { error.as_ref() }?;
        part(error).map(|text| text.as_ptr())
    })
}

/// The code of the first error, such as `E0201`. Codes never change their meaning; the codes `E…` are
/// those of docs/generated/errors.md, `C0001` is a NULL argument and `C0002` text that is not UTF-8.
/// The text belongs to the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_error_code(error: *const dumpql_error) -> *const c_char {
    // SAFETY: the header requires NULL or a live error.
    unsafe { part(error, |error| Some(&error.code)) }
}

/// What is wrong, in one line. The text belongs to the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_error_message(error: *const dumpql_error) -> *const c_char {
    // SAFETY: the header requires NULL or a live error.
    unsafe { part(error, |error| Some(&error.message)) }
}

/// The position of the error in the query: the first byte, and the byte after the last. Returns
/// false, and sets nothing, if the error is not about the query's text. `start` and `end` may be
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_error_span(
    error: *const dumpql_error,
    start: *mut u32,
    end: *mut u32,
) -> bool {
    quiet(false, || {
        // SAFETY: the header requires NULL or a live error.
        let span = unsafe { error.as_ref() }?.span?;
        for (to, value) in [(start, span.0), (end, span.1)] {
            if !to.is_null() {
                // SAFETY: the header requires NULL or a place to write to.
                unsafe { to.write(value) };
            }
        }
        Some(true)
    })
}

/// A line of help, such as a correction, similar names or the existing names. NULL once `index` is
/// beyond the last line. The text belongs to the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_error_help(
    error: *const dumpql_error,
    index: usize,
) -> *const c_char {
    // SAFETY: the header requires NULL or a live error.
    unsafe { part(error, |error| error.help.get(index)) }
}

/// All errors of the query as text of several lines, with carets under the query. The text belongs to
/// the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_error_render(error: *const dumpql_error) -> *const c_char {
    // SAFETY: the header requires NULL or a live error.
    unsafe { part(error, |error| Some(&error.rendered)) }
}

/// All errors of the query as JSON objects, one per line. The text belongs to the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_error_json(error: *const dumpql_error) -> *const c_char {
    // SAFETY: the header requires NULL or a live error.
    unsafe { part(error, |error| Some(&error.json)) }
}

/// Frees an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_error_free(error: *mut dumpql_error) {
    // SAFETY: the header requires NULL or an error that nobody uses any more.
    unsafe { free(error) };
}
