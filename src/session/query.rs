//! One query: its parameters, limits, cancellation and progress.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::attach;
use super::cancel::{CancelToken, Run};
use super::guard::guarded;
use super::state::State;
use super::{Error, Params, ResultSet, SavedQuery, Session};
use crate::catalog::Value;
use crate::diag::{Code, Diagnostic};
use crate::exec;
use crate::func::FuncCx;
use crate::lang;
use crate::lang::ast::{Statement, StatementKind};
use crate::plan::{self, Planned};
use crate::table::{Cx, Progress};

/// The progress of a query, which can be read from another thread. Clones refer to the same query.
#[derive(Debug, Clone, Default)]
pub struct QueryProgress(Arc<Progress>);

impl QueryProgress {
    /// The progress of a query that has not started.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of rows that scans have read so far.
    pub fn rows_read(&self) -> usize {
        self.0.rows()
    }

    /// How many bytes of memory a search has covered, and how many it covers in total; `None` while
    /// no search is running. Ranges without pages are counted too.
    pub fn searched(&self) -> Option<(u64, u64)> {
        self.0.searched()
    }
}

/// A parsed script of one or more statements, which can be run several times.
///
/// ```
/// use std::time::Duration;
/// use dumpql::{CancelToken, Session, Value};
///
/// let session = Session::sample()?;
/// let token = CancelToken::new();
/// let result = session
///     .prepare("SELECT name FROM modules WHERE size_bytes > $least LIMIT 3")?
///     .value("least", Value::Int(4096))
///     .cancel(&token)
///     .timeout(Duration::from_secs(60))
///     .memory(64 << 20)
///     .run()?;
/// assert_eq!(result.len(), 3);
/// # Ok::<(), dumpql::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a prepared query does nothing until it is run"]
pub struct Prepared<'s> {
    pub(super) session: &'s Session,
    sql: Arc<str>,
    statements: Vec<Statement>,
    pub(super) params: Params,
    tokens: Vec<CancelToken>,
    limit: Limit,
    pub(super) memory: Option<usize>,
    strict: Option<bool>,
    progress: QueryProgress,
}

/// The time limit of a query.
#[derive(Debug, Clone, Copy, Default)]
enum Limit {
    #[default]
    None,
    At(Instant),
    Within(Duration),
}

impl<'s> Prepared<'s> {
    pub(super) fn new(session: &'s Session, sql: &str) -> Result<Self, Error> {
        let parse = || lang::parse(sql).map_err(|d| Error::of_query(vec![d], sql));
        let statements = guarded(parse)?;
        Ok(Self {
            session,
            sql: sql.into(),
            statements,
            params: Params::new(),
            tokens: Vec::new(),
            limit: Limit::None,
            memory: None,
            strict: None,
            progress: QueryProgress::default(),
        })
    }

    /// Sets the values of the parameters `$name`, replacing earlier ones.
    pub fn with(mut self, params: &Params) -> Self {
        self.params.clone_from(params);
        self
    }

    /// Gives a value for the parameter `$name`.
    pub fn value(mut self, name: impl Into<String>, value: Value<'static>) -> Self {
        self.params.insert(name.into(), value);
        self
    }

    /// Cancels the query with E0306 when the token is cancelled. With several tokens, any of them
    /// cancels it.
    pub fn cancel(mut self, token: &CancelToken) -> Self {
        self.tokens.push(token.clone());
        self
    }

    /// Ends the query with E0308 if it is not finished at that time.
    pub const fn deadline(mut self, at: Instant) -> Self {
        self.limit = Limit::At(at);
        self
    }

    /// Ends the query with E0308 if it is not finished within this time after its start.
    pub const fn timeout(mut self, within: Duration) -> Self {
        self.limit = Limit::Within(within);
        self
    }

    /// A limit on the bytes that rows and values of the query may take, instead of the one
    /// in the session's options.
    pub const fn memory(mut self, bytes: usize) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Whether a value that cannot be read is an error, instead of the session's option.
    pub const fn strict(mut self, strict: bool) -> Self {
        self.strict = Some(strict);
        self
    }

    /// Reports the progress of the query.
    pub fn progress(mut self, progress: &QueryProgress) -> Self {
        self.progress = progress.clone();
        self
    }

    /// Runs the statements and returns the result of the last one that has one. A script with only
    /// `ATTACH` and `DETACH` gives a result without columns.
    ///
    /// # Errors
    /// The errors of the query, with their positions; nothing runs before all statements are
    /// checked.
    pub fn run(&self) -> Result<ResultSet, Error> {
        let mut last = None;
        let statements = self.run_each(&mut |result| {
            last = Some(result);
            true
        })?;
        if statements == 0 {
            let error = Diagnostic::new(Code::Syntax, "the text holds no statement");
            return Err(Error::of_query(vec![error], &self.sql));
        }
        Ok(last.unwrap_or_default())
    }

    /// Runs the statements and passes on each result as soon as it is ready; `receive` returns
    /// whether to continue. Returns the number of statements. Queries up to the next statement that
    /// changes what they see (`ATTACH`, `CREATE`, `SET` …) are checked before the first of them
    /// runs.
    ///
    /// # Errors
    /// As [`Prepared::run`]; earlier results stay valid.
    pub fn run_each(&self, receive: &mut dyn FnMut(ResultSet) -> bool) -> Result<usize, Error> {
        let done = guarded(|| self.run_all(receive));
        // What came upon zeros of a file that was cut may fail in any way.
        let state = self.session.state();
        if done.is_err()
            && !state.is_stopped()
            && let Err(damage) = state.check()
        {
            return Err(Error::of_query(vec![damage], &self.sql));
        }
        done
    }

    fn run_all(&self, receive: &mut dyn FnMut(ResultSet) -> bool) -> Result<usize, Error> {
        let deadline = match self.limit {
            Limit::None => None,
            Limit::At(at) => Some(at),
            Limit::Within(within) => Instant::now().checked_add(within),
        };
        let run = Run::start(&self.tokens, deadline);
        let _waits = self.session.store.wait_for(&run.flag);
        self.session.renew(&run.flag);
        self.progress.0.restart();
        self.statements(&run, receive).map_err(|errors| {
            let explained = errors.into_iter().map(|error| run.explain(error, &self.tokens));
            Error::of_query(explained.collect(), &self.sql)
        })?;
        Ok(self.statements.len())
    }

    fn statements(
        &self,
        run: &Run,
        receive: &mut dyn FnMut(ResultSet) -> bool,
    ) -> Result<(), Vec<Diagnostic>> {
        let mut rest = self.statements.as_slice();
        while let Some((first, later)) = rest.split_first() {
            if let StatementKind::Command(command) = &first.kind {
                if !self.command(command, run, receive)? {
                    break;
                }
                rest = later;
                continue;
            }
            if attach::changes(first) {
                self.session.change(first, &run.flag).map_err(|d| vec![d])?;
                rest = later;
                continue;
            }
            let queries = rest.iter().take_while(|s| !attach::changes(s)).count();
            let (now, later) = rest.split_at(queries);
            if !self.queries(now, &self.params, run, receive)? {
                break;
            }
            rest = later;
        }
        Ok(())
    }

    /// Runs queries on the current sources; returns whether to continue.
    pub(super) fn queries(
        &self,
        statements: &[Statement],
        params: &Params,
        run: &Run,
        receive: &mut dyn FnMut(ResultSet) -> bool,
    ) -> Result<bool, Vec<Diagnostic>> {
        let mut state = self.session.state();
        let mut statements = std::borrow::Cow::Borrowed(statements);
        let room = self.memory.unwrap_or(state.defined.settings.memory);
        let limits = (room, &*run.flag);
        if let Some((with, copies)) =
            self.session.with_files(&state, &statements, params, limits)?
        {
            (state, statements) = (Arc::new(with), copies.into());
        }
        if state.sources.len() > 1 && SavedQuery::is_of_each_dump(&self.sql) {
            return self.of_each_dump(&state, &statements, params, run, receive);
        }
        let plans = self.plans(&state, &statements, params, run)?;
        for planned in &plans {
            let result = self.bounded(&state, run, |run| self.ran(&state, planned, run))?;
            if !receive(result) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Plans statements. A PIVOT reads its values during planning, within the time limit of a
    /// query.
    fn plans(
        &self,
        state: &State,
        statements: &[Statement],
        params: &Params,
        run: &Run,
    ) -> Result<Vec<Planned>, Vec<Diagnostic>> {
        self.bounded(state, run, |run| {
            statements.iter().map(|s| self.planned(state, s, params, run)).collect()
        })
    }

    /// Runs work that ends with E0308 if it takes longer than the setting `timeout`.
    pub(super) fn bounded<T>(
        &self,
        state: &State,
        run: &Run,
        work: impl FnOnce(&Run) -> Result<T, Vec<Diagnostic>>,
    ) -> Result<T, Vec<Diagnostic>> {
        let Some(timeout) = state.defined.settings.timeout else {
            let _reads = state.wait_for(&run.flag);
            return work(run);
        };
        let own = Run::start(&self.tokens, run.sooner(Instant::now().checked_add(timeout)));
        let _waits = self.session.store.wait_for(&own.flag);
        let _reads = state.wait_for(&own.flag);
        work(&own).map_err(|errors| {
            errors.into_iter().map(|error| own.explain(error, &self.tokens)).collect()
        })
    }

    /// Runs a plan on a state.
    pub(super) fn ran(
        &self,
        state: &State,
        planned: &Planned,
        run: &Run,
    ) -> Result<ResultSet, Vec<Diagnostic>> {
        self.within(state, &run.flag, |cx| exec::run(planned, cx).map_err(|error| vec![error]))
    }

    /// Plans a statement for a state.
    pub(super) fn planned(
        &self,
        state: &State,
        statement: &Statement,
        params: &Params,
        run: &Run,
    ) -> Result<Planned, Vec<Diagnostic>> {
        self.within(state, &run.flag, |cx| {
            let calls = exec::Lookups(cx);
            plan::bind(statement, &state.catalog, &calls, params, &state.defined.definitions)
        })
    }

    /// Calls `f` with the context of a state.
    fn within<T>(
        &self,
        state: &State,
        flag: &AtomicBool,
        work: impl FnOnce(&exec::Context<'_>) -> Result<T, Vec<Diagnostic>>,
    ) -> Result<T, Vec<Diagnostic>> {
        let settings = &state.defined.settings;
        let optional = SavedQuery::optional(&self.sql);
        let (tables, functions) = (state.named(), state.for_functions());
        let cx = exec::Context {
            tables: Cx {
                catalog: &state.catalog,
                sources: &tables,
                cancelled: flag,
                progress: &self.progress.0,
                room: usize::MAX,
            },
            registry: &state.registry,
            attached: &state.attached,
            functions: FuncCx::new(&functions, state.width()),
            memory: self.memory.unwrap_or(settings.memory),
            strict: self.strict.unwrap_or(settings.strict),
            optional: &optional,
        };
        let done = work(&cx);
        state.check().map_err(|damage| {
            // What a query that was stopped no longer waited for is missing.
            let is_stopped = flag.load(Ordering::Relaxed) && state.is_stopped();
            vec![if is_stopped { cancelled() } else { damage }]
        })?;
        done
    }
}

fn cancelled() -> Diagnostic {
    Diagnostic::new(Code::Cancelled, "the query was cancelled")
}
