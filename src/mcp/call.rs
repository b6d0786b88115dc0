//! One tool call: its context, its limits, and its answer.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use super::Config;
use super::answer::{self, Caps};
use super::dumps::{Dump, Dumps};
use super::pages::{self, Pages};
use crate::session::{CancelToken, Error, Params, QueryProgress, ResultSet};

/// The state that is kept between calls.
#[derive(Debug)]
pub(super) struct State {
    pub(super) config: Config,
    pub(super) dumps: Dumps,
    pub(super) pages: Pages,
    running: Mutex<Vec<Weak<CancelToken>>>,
}

impl State {
    pub(super) fn new(config: Config) -> Self {
        Self { config, dumps: Dumps::default(), pages: Pages::default(), running: Mutex::default() }
    }

    /// A token for a call; at the latest, it is cancelled when the server ends.
    pub(super) fn token(&self) -> Arc<CancelToken> {
        let token = Arc::new(CancelToken::new());
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|known| known.strong_count() > 0);
        running.push(Arc::downgrade(&token));
        token
    }

    /// Cancels all running calls.
    pub(super) fn end(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.iter().filter_map(Weak::upgrade).for_each(|token| token.cancel());
    }
}

/// One call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) state: &'a State,
    pub(super) token: &'a CancelToken,
    /// The deadline.
    pub(super) deadline: Instant,
    /// What tells how far its queries are.
    pub(super) progress: &'a QueryProgress,
}

/// Limits below those of the server.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Budget {
    /// The memory limit of rows and values in bytes.
    pub(super) memory: Option<usize>,
    pub(super) deadline: Option<Instant>,
}

/// The answer of a tool.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) text: String,
    /// The cursor for the rows that are not shown.
    pub(super) cursor: Option<String>,
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self { text, cursor: None }
    }
}

pub(super) type Outcome = Result<Reply, Error>;

impl Call<'_> {
    /// The results of a script, within the limits of the call.
    pub(super) fn ask(
        &self,
        dump: &Dump,
        sql: &str,
        params: &Params,
        budget: Budget,
    ) -> Result<Vec<ResultSet>, Error> {
        let most = self.state.config.memory;
        let deadline = budget.deadline.map_or(self.deadline, |sooner| sooner.min(self.deadline));
        let query = dump.session.prepare(sql)?.with(params).cancel(self.token);
        let query = query.progress(self.progress);
        let query = query.deadline(deadline).memory(budget.memory.unwrap_or(most).min(most));
        let mut results = Vec::new();
        query.run_each(&mut |result| {
            results.push(result);
            true
        })?;
        Ok(results)
    }

    /// A result as text; the rows that do not fit are kept for its cursor.
    pub(super) fn tell(&self, result: ResultSet, caps: Caps, reply: &mut Reply) {
        let result = Arc::new(result);
        let keep = |row| {
            let number = self.state.pages.keep(Arc::clone(&result), caps);
            pages::cursor(number, row)
        };
        let cursor = answer::write(&result, 0, caps, keep, &mut reply.text);
        reply.cursor = cursor.or(reply.cursor.take());
    }

    /// Several results as text.
    pub(super) fn tell_all(&self, results: Vec<ResultSet>, caps: Caps, reply: &mut Reply) {
        let several = results.len() > 1;
        for (index, result) in results.into_iter().enumerate() {
            if several {
                // Writing to a `String` cannot fail.
                let _ = write!(reply.text, "result {}: ", index + 1);
            }
            self.tell(result, caps, reply);
        }
    }
}
