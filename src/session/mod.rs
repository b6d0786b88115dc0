//! The one file that joins the stages: opens sources, runs queries.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::catalog::{Catalog, ColumnData};
use crate::diag::{Code, Diagnostic};
use crate::dump::Image;
use crate::exec::{self, MemTable};
use crate::func::FuncCx;
use crate::import;
use crate::lang;
use crate::lang::ast::Statement;
use crate::plan;
use crate::source;
use crate::symbol::{Search, Store};
use crate::synth;
use crate::table::{Cx, Progress};

mod attach;
mod error;
mod library;
mod state;

pub use self::error::Error;
pub use self::library::{find_query, library, parameters};
use self::state::{OpenSource, State, short_names};
pub use crate::exec::{ColumnView, Field, Footnote, ResultSet, Row, Unread};
pub use crate::lang::{KEYWORDS, SavedParam, SavedQuery, Token, TokenKind, is_complete, tokens};
pub use crate::plan::Params;

/// Open sources, and the engine that answers queries over them.
///
/// Shared between threads freely; each query is independent of the others.
///
/// ```
/// let session = dumpql::Session::sample()?;
/// let result = session.query("SELECT name, base FROM modules LIMIT 2")?;
/// assert_eq!(result.len(), 2);
/// # Ok::<(), dumpql::Error>(())
/// ```
pub struct Session {
    state: RwLock<Arc<State>>,
    store: Store,
    options: Options,
    cancelled: Arc<AtomicBool>,
    progress: Arc<Progress>,
}

/// What [`Options::memory`] is by default: with a copy that an operator above makes, a query stays
/// below 500 MB.
const MEMORY: usize = 224 << 20;

/// How a session is opened.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Folders and files of symbols and layouts, and symbol paths as Windows debuggers write them
    /// (`srv*cache*url`), whose servers are asked.
    pub symbols: Vec<PathBuf>,
    /// A symbol path such as `_NT_SYMBOL_PATH` holds. What of it is not there is passed over, and
    /// its servers are not asked.
    pub environment_symbols: String,
    /// Whether no symbol server is asked.
    pub offline: bool,
    /// A file of the format of `pooltag.txt` that says what pool tags are for; it goes before the
    /// list that is built in.
    pub pool_tags: Option<PathBuf>,
    /// A folder in which indexes of dumps are kept, so that what took a search once takes none the
    /// next time, and files of layouts as they are when they are unpacked; without one nothing is
    /// kept. [`Options::own_cache`] is what the command line takes.
    pub cache: Option<PathBuf>,
    /// Whether a value that cannot be read is an error.
    pub strict: bool,
    /// How many bytes joins and functions of a query may make of its rows, by default 224 MiB. What
    /// is beyond is an error before it is made.
    pub memory: Option<usize>,
    /// Whether `ATTACH` is refused, for programs that run the queries of others.
    pub no_attach: bool,
}

impl Options {
    /// The folder below the user's own for caches in which the command line keeps indexes.
    pub fn own_cache() -> PathBuf {
        crate::symbol::own_cache().join("index")
    }
}

/// Ends a running query of its session from another thread.
#[derive(Debug, Clone)]
pub struct Canceller(Arc<AtomicBool>);

impl Canceller {
    /// Makes the running query end with E0306 soon.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("sources", &self.source_names()).finish_non_exhaustive()
    }
}

impl Session {
    /// Opens one dump.
    ///
    /// # Errors
    /// E0401 if the file is not a dump that can be read, E0402 if it cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(&[path.as_ref()], &Options::default())
    }

    /// Opens several dumps, which every table then covers.
    ///
    /// # Errors
    /// As [`Session::open`], for the first file that fails.
    pub fn open_with(paths: &[&Path], options: &Options) -> Result<Self, Error> {
        let images = paths.iter().map(|path| Image::open(path)).collect::<Result<Vec<_>, _>>()?;
        Self::from_images(images, options)
    }

    /// Opens the sample, a kernel dump of a busy server that is built in memory.
    ///
    /// # Errors
    /// None but defects of the sample.
    pub fn sample() -> Result<Self, Error> {
        Self::from_images(vec![Image::from_bytes("sample", synth::sample())], &Options::default())
    }

    /// Opens dumps whose bytes are in memory or mapped already.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn from_images(images: Vec<Image>, options: &Options) -> Result<Self, Error> {
        let (session, failures) = Self::assemble(images, options);
        failures.into_iter().next().map_or(Ok(session), |(_, error)| Err(error))
    }

    /// Opens what can be opened of several dumps, after the sample if that is asked for. Returns
    /// what is wrong with the rest, by the path as given.
    pub fn open_each(
        paths: &[&Path],
        sample: bool,
        options: &Options,
    ) -> (Self, Vec<(String, Error)>) {
        let mut images = Vec::with_capacity(paths.len() + 1);
        let mut failures = Vec::new();
        let mut tables = Vec::new();
        if sample {
            images.push(Image::from_bytes("sample", synth::sample()));
        }
        for path in paths {
            let shown = path.display().to_string();
            if import::is_delimited(&shown) {
                tables.push(shown);
                continue;
            }
            match Image::open(path) {
                Ok(image) => images.push(image),
                Err(error) => failures.push((shown, error.into())),
            }
        }
        let (session, unread) = Self::assemble(images, options);
        failures.extend(unread);
        for path in tables {
            if let Err(error) = session.attach_delimited(&path) {
                failures.push((path, error));
            }
        }
        (session, failures)
    }

    fn assemble(images: Vec<Image>, options: &Options) -> (Self, Vec<(String, Error)>) {
        let mut failures = Vec::new();
        let search = Search {
            paths: options.symbols.clone(),
            environment: options.environment_symbols.clone(),
            offline: options.offline,
            pool_tags: options.pool_tags.clone(),
            cache: options.cache.clone(),
        };
        let store = Store::new(&search).unwrap_or_else(|error| {
            failures.push((error.path().to_owned(), error.into()));
            Store::default()
        });
        let names = short_names(images.iter().map(Image::path));
        let mut sources = Vec::with_capacity(images.len());
        for (image, name) in images.into_iter().zip(names) {
            let path = image.path().to_owned();
            let file = image.file().map(Path::to_owned);
            let image = image.with_cache(options.cache.as_deref());
            match source::open(image, &store) {
                Ok(source) => sources.push(Arc::new(OpenSource { name, file, source })),
                Err(error) => failures.push((path, error.into())),
            }
        }
        let session = Self {
            state: RwLock::new(Arc::new(State::new(sources, Vec::new()))),
            cancelled: store.stop(),
            store,
            options: options.clone(),
            progress: Arc::default(),
        };
        (session, failures)
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another state in the place of the present one.
    fn replace(
        &self,
        change: impl FnOnce(&State) -> Result<State, Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *state = Arc::new(change(&state)?);
        Ok(())
    }

    /// Adds a table of the program's own rows, to be joined with those of dumps. It takes the place
    /// of a table of the same name.
    ///
    /// ```
    /// use dumpql::{Session, Ty, catalog::ColumnBuilder};
    ///
    /// let mut known = ColumnBuilder::new(Ty::Text);
    /// known.push_text(Ok("nt"));
    /// let session = Session::from_images(Vec::new(), &dumpql::Options::default())?;
    /// session.attach_rows("known_modules", vec![("name".to_owned(), known.finish())])?;
    /// # Ok::<(), dumpql::Error>(())
    /// ```
    ///
    /// # Errors
    /// E0210 when two columns have one name, or columns differ in length.
    pub fn attach_rows(&self, name: &str, columns: Vec<(String, ColumnData)>) -> Result<(), Error> {
        let table = MemTable::new(name, columns)?;
        Ok(self.replace(|state| Ok(state.with_table(table)))?)
    }

    /// Adds a table of the rows of a result, under the conditions of [`Session::attach_rows`].
    ///
    /// # Errors
    /// As [`Session::attach_rows`].
    pub fn attach_result(&self, name: &str, result: &ResultSet) -> Result<(), Error> {
        let table = MemTable::from_result(name, result)?;
        Ok(self.replace(|state| Ok(state.with_table(table)))?)
    }

    /// The tables and functions that queries may name.
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.state().catalog)
    }

    /// The names of the open sources, as the column `dump` shows them.
    pub fn source_names(&self) -> Vec<String> {
        self.state().sources.iter().map(|s| s.name.clone()).collect()
    }

    /// Whether the path is the file of an open source or of an attached table, by the file's
    /// identity: links, case and `..` do not matter. Nothing may be written there.
    pub fn is_open(&self, path: &Path) -> bool {
        let state = self.state();
        state.files().any(|file| same_file::is_same_file(file, path).unwrap_or(false))
    }

    /// A handle that ends a running query from another thread.
    pub fn canceller(&self) -> Canceller {
        Canceller(Arc::clone(&self.cancelled))
    }

    /// How many rows scans of the running query have read so far.
    pub fn rows_read(&self) -> usize {
        self.progress.rows()
    }

    /// How many bytes of memory a search of the running query has been through, and through how
    /// many it goes; `None` while nothing is searched. A part that holds no pages counts as well.
    pub fn searched(&self) -> Option<(u64, u64)> {
        self.progress.searched()
    }

    /// Runs a script and returns the result of its last statement that gives one. A script of
    /// nothing but `ATTACH` and `DETACH` gives a result without columns.
    ///
    /// # Errors
    /// Whatever is wrong with the query, with its place; nothing runs before all is checked.
    pub fn query(&self, sql: &str) -> Result<ResultSet, Error> {
        self.query_with(sql, &Params::new())
    }

    /// The same with values for the parameters `$name`.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub fn query_with(&self, sql: &str, params: &Params) -> Result<ResultSet, Error> {
        let mut last = None;
        let statements = self.run(sql, params, &mut |result| {
            last = Some(result);
            true
        })?;
        if statements == 0 {
            let error = Diagnostic::new(Code::Syntax, "the text holds no statement");
            return Err(Error::of_query(vec![error], sql));
        }
        Ok(last.unwrap_or_default())
    }

    /// Runs a script, handing over each statement's result as it is ready; the receiver returns
    /// whether to go on. Returns how many statements the script has. All statements up to the next
    /// `ATTACH` or `DETACH` are checked before the first of them runs.
    ///
    /// # Errors
    /// As [`Session::query`]; results handed over before stay valid.
    pub fn run(
        &self,
        sql: &str,
        params: &Params,
        receive: &mut dyn FnMut(ResultSet) -> bool,
    ) -> Result<usize, Error> {
        self.cancelled.store(false, Ordering::Relaxed);
        self.progress.restart();
        let fail = |errors: Vec<Diagnostic>| Error::of_query(errors, sql);
        let statements = lang::parse(sql).map_err(|d| fail(vec![d]))?;
        let optional = SavedQuery::optional(sql);
        let mut rest = statements.as_slice();
        while let Some((first, later)) = rest.split_first() {
            if attach::changes(first) {
                self.change(first).map_err(|d| fail(vec![d]))?;
                rest = later;
                continue;
            }
            let queries = rest.iter().take_while(|s| !attach::changes(s)).count();
            let (now, later) = rest.split_at(queries);
            if !self.run_queries(now, (params, &optional), receive).map_err(fail)? {
                break;
            }
            rest = later;
        }
        Ok(statements.len())
    }

    /// Runs queries over what is open now; returns whether to go on.
    fn run_queries(
        &self,
        statements: &[Statement],
        (params, optional): (&Params, &[String]),
        receive: &mut dyn FnMut(ResultSet) -> bool,
    ) -> Result<bool, Vec<Diagnostic>> {
        let state = self.state();
        let (tables, functions) = (state.named(), state.for_functions());
        let cx = exec::Context {
            tables: Cx {
                catalog: &state.catalog,
                sources: &tables,
                cancelled: &self.cancelled,
                progress: &self.progress,
            },
            attached: &state.attached,
            functions: FuncCx { sources: &functions, width: state.width() },
            memory: self.options.memory.unwrap_or(MEMORY),
            strict: self.options.strict,
            optional,
        };
        let calls = exec::Calls(&cx.tables);
        let plan = |s: &Statement| plan::bind(s, &state.catalog, &calls, params);
        let plans = statements.iter().map(plan).collect::<Result<Vec<_>, _>>()?;
        for planned in &plans {
            if !receive(exec::run(planned, &cx).map_err(|d| vec![d])?) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The bytes of the sample, as [`Session::sample`] opens them.
pub fn sample_file() -> Vec<u8> {
    synth::sample()
}
