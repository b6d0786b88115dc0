//! One call of a tool: what it may use, its limits, and its answer.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use super::Config;
use super::answer::{self, Caps};
use super::dumps::{Dump, Dumps};
use super::pages::{self, Pages};
use crate::session::{CancelToken, Error, Params, ResultSet};

/// What lasts from call to call.
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

    /// A token for a call, cancelled at the end at the latest.
    pub(super) fn token(&self) -> Arc<CancelToken> {
        let token = Arc::new(CancelToken::new());
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|known| known.strong_count() > 0);
        running.push(Arc::downgrade(&token));
        token
    }

    /// Ends all that runs.
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
    /// When it has to be done.
    pub(super) deadline: Instant,
}

/// Limits below those of the server.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Budget {
    /// Bytes that a query may fill.
    pub(super) memory: Option<usize>,
    pub(super) deadline: Option<Instant>,
}

/// What a tool answers.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) text: String,
    /// The cursor for the rows that were cut.
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
        let query = query.deadline(deadline).memory(budget.memory.unwrap_or(most).min(most));
        let mut results = Vec::new();
        query.run_each(&mut |result| {
            results.push(result);
            true
        })?;
        Ok(results)
    }

    /// A result as text; what does not fit is kept for its cursor.
    pub(super) fn tell(&self, result: ResultSet, caps: Caps, reply: &mut Reply) {
        let result = Arc::new(result);
        let keep = |row| {
            let number = self.state.pages.keep(Arc::clone(&result), caps);
            pages::cursor(number, row)
        };
        let cursor = answer::write(&result, 0, caps, keep, &mut reply.text);
        reply.cursor = cursor.or(reply.cursor.take());
    }

    /// Results one after the other.
    pub(super) fn tell_all(&self, results: Vec<ResultSet>, caps: Caps, reply: &mut Reply) {
        let several = results.len() > 1;
        for (index, result) in results.into_iter().enumerate() {
            if several {
                // Writing into a `String` cannot fail.
                let _ = write!(reply.text, "result {}: ", index + 1);
            }
            self.tell(result, caps, reply);
        }
    }
}
