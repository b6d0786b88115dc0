//! Cancellation from another thread.

use engine::CancelToken;

use crate::guard::{free, give, quiet};

/// Cancels queries from another thread. Free it with `dumpql_cancel_token_free`; statements to
/// which it was added do not need it any more.
pub struct dumpql_cancel_token(pub(crate) CancelToken);

/// A token that is not cancelled. Free it with `dumpql_cancel_token_free`.
#[unsafe(no_mangle)]
pub extern "C" fn dumpql_cancel_token_new() -> *mut dumpql_cancel_token {
    quiet(std::ptr::null_mut(), || Some(give(dumpql_cancel_token(CancelToken::new()))))
}

/// Cancels the queries that have the token: running ones end soon with E0306, later ones at once.
/// Any thread may call it at any time, except from a signal handler, because it takes a lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_cancel_token_cancel(token: *const dumpql_cancel_token) {
    quiet((), || {
        // SAFETY: the header requires NULL or a live token.
        unsafe { token.as_ref() }?.0.cancel();
        Some(())
    });
}

/// Whether the token was cancelled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_cancel_token_is_cancelled(
    token: *const dumpql_cancel_token,
) -> bool {
    // SAFETY: the header requires NULL or a live token.
    quiet(false, || Some(unsafe { token.as_ref() }?.0.is_cancelled()))
}

/// Frees a token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_cancel_token_free(token: *mut dumpql_cancel_token) {
    // SAFETY: the header requires NULL or a token that nobody uses any more.
    unsafe { free(token) };
}
