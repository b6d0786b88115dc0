//! Cancellation of queries: tokens that a program cancels, and deadlines.
//!
//! Each query has its own flag, which all its work checks. Tokens and the deadline set the flag.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Instant;

use crate::diag::{Code, Diagnostic};

/// Cancels queries from another thread. Clones are the same token. A cancelled token stays
/// cancelled, and queries that get it later end at once.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<Token>);

#[derive(Debug, Default)]
struct Token {
    is_cancelled: AtomicBool,
    /// The flags of running queries.
    queries: Mutex<Vec<Weak<AtomicBool>>>,
}

impl CancelToken {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the queries that have the token end soon with E0306.
    pub fn cancel(&self) {
        let queries = self.0.queries.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.is_cancelled.store(true, Ordering::SeqCst);
        for flag in queries.iter().filter_map(Weak::upgrade) {
            flag.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the token was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::SeqCst)
    }

    /// A flag that is set when the token is cancelled.
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        let flag = Arc::default();
        self.watch(&flag);
        flag
    }

    /// Registers a flag that is set when the token is cancelled, or at once if it already is.
    fn watch(&self, flag: &Arc<AtomicBool>) {
        let mut queries = self.0.queries.lock().unwrap_or_else(PoisonError::into_inner);
        queries.retain(|known| known.strong_count() > 0);
        queries.push(Arc::downgrade(flag));
        if self.is_cancelled() {
            flag.store(true, Ordering::Relaxed);
        }
    }
}

/// The cancellation flag of one run, with its deadline.
pub(super) struct Run {
    pub(super) flag: Arc<AtomicBool>,
    deadline: Option<Instant>,
    timer: Option<Timer>,
}

impl Run {
    pub(super) fn start(tokens: &[CancelToken], deadline: Option<Instant>) -> Self {
        let flag = Arc::<AtomicBool>::default();
        for token in tokens {
            token.watch(&flag);
        }
        let timer = deadline.and_then(|at| {
            if at <= Instant::now() {
                flag.store(true, Ordering::Relaxed);
                return None;
            }
            Some(Timer::start(at, &flag))
        });
        Self { flag, deadline, timer }
    }

    /// The deadline, or `other` if that is earlier.
    pub(super) fn sooner(&self, other: Option<Instant>) -> Option<Instant> {
        self.deadline.into_iter().chain(other).min()
    }

    /// Replaces a cancellation error by the error for the deadline, unless a token was cancelled.
    pub(super) fn explain(&self, error: Diagnostic, tokens: &[CancelToken]) -> Diagnostic {
        let is_late = self.deadline.is_some_and(|at| Instant::now() >= at);
        let is_cancelled = tokens.iter().any(CancelToken::is_cancelled);
        if error.code != Code::Cancelled || is_cancelled || !is_late {
            return error;
        }
        let message = "the query was not done at its deadline".to_owned();
        Diagnostic { code: Code::Deadline, message, ..error }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.end();
        }
    }
}

/// A thread that sets a flag at a given time, unless it is stopped earlier.
struct Timer {
    shared: Arc<(Mutex<bool>, Condvar)>,
}

impl Timer {
    fn start(at: Instant, flag: &Arc<AtomicBool>) -> Self {
        let shared = Arc::<(Mutex<bool>, Condvar)>::default();
        let (state, flag) = (Arc::clone(&shared), Arc::clone(flag));
        let wait = move || {
            let (ended, changed) = &*state;
            let mut is_ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
            while !*is_ended {
                let left = at.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return flag.store(true, Ordering::Relaxed);
                }
                let waited = changed.wait_timeout(is_ended, left);
                is_ended = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        };
        // If no thread can be started, the query runs without its deadline.
        let _ = std::thread::Builder::new().name("deadline".to_owned()).spawn(wait);
        Self { shared }
    }

    fn end(self) {
        let (ended, changed) = &*self.shared;
        *ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_token_ends_running_and_later_queries() {
        let token = CancelToken::new();
        let before = Run::start(std::slice::from_ref(&token), None);
        assert!(!before.flag.load(Ordering::Relaxed));
        token.clone().cancel();
        assert!(before.flag.load(Ordering::Relaxed));
        assert!(Run::start(&[token], None).flag.load(Ordering::Relaxed));
    }

    #[test]
    fn a_passed_deadline_has_its_own_error() {
        let soon = Instant::now() + std::time::Duration::from_millis(20);
        let run = Run::start(&[], Some(soon));
        while !run.flag.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        let error = Diagnostic::new(Code::Cancelled, "the query was cancelled");
        assert_eq!(run.explain(error, &[]).code, Code::Deadline);
        assert!(Run::start(&[], Some(soon)).flag.load(Ordering::Relaxed));
    }
}
