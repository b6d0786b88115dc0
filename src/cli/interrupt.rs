//! Ctrl-C: ends the running query or the printing, but not the program.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::terminate::leave;
use crate::session::CancelToken;

/// The exit code of what Ctrl-C ended.
pub(super) const INTERRUPTED: u8 = 130;

/// Records whether Ctrl-C was pressed, and which query it cancels. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Interrupt(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    pressed: AtomicBool,
    running: Mutex<Option<CancelToken>>,
}

impl Interrupt {
    /// Installs the Ctrl-C handler. With `insist`, pressing Ctrl-C again ends the program.
    pub(super) fn install(&self, insist: bool) {
        let inner = Arc::clone(&self.0);
        // If no handler can be installed, Ctrl-C ends the program as usual.
        let _ = ctrlc::set_handler(move || {
            let again = inner.pressed.swap(true, Ordering::Relaxed);
            let running = inner.running.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(token) = &*running {
                token.cancel();
            }
            if again && insist {
                leave(INTERRUPTED);
            }
        });
    }

    /// Whether Ctrl-C was pressed since [`Interrupt::arm`].
    pub(super) fn pressed(&self) -> bool {
        self.0.pressed.load(Ordering::Relaxed)
    }

    /// Makes Ctrl-C cancel the query with the returned token, and forgets earlier presses.
    pub(super) fn arm(&self) -> CancelToken {
        let token = CancelToken::new();
        *self.0.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        self.0.pressed.store(false, Ordering::Relaxed);
        token
    }
}

/// A writer that stops when Ctrl-C is pressed.
pub(super) struct Guarded<W: Write> {
    inner: W,
    interrupt: Interrupt,
}

/// Why a [`Guarded`] writer stopped.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(super) struct Stopped;

impl<W: Write> Guarded<W> {
    pub(super) const fn new(inner: W, interrupt: Interrupt) -> Self {
        Self { inner, interrupt }
    }
}

impl<W: Write> Write for Guarded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.interrupt.pressed() {
            return Err(io::Error::other(Stopped));
        }
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Whether the error means that the user interrupted the printing.
pub(super) fn is_stop(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Stopped>)
}
