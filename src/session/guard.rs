//! A panic inside the library becomes an internal error and does not cross the public interface. A
//! panic is still a bug that should be reported.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Error;
use crate::diag::{Code, Diagnostic};
use crate::lang::with_stack;

/// Runs code and converts a panic to an error. The shared state is limited to caches behind locks,
/// which a panic cannot leave in an inconsistent state.
pub(super) fn guarded<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(|| with_stack(run))).unwrap_or_else(|panic| {
        let found = format!("a defect of dumpql ended the work: {}", text(&*panic));
        Err(Diagnostic::new(Code::Internal, found).into())
    })
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}
