//! Connects the stages: opens sources and runs queries.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock};

use crate::catalog::{Catalog, ColumnData};
use crate::diag::Diagnostic;
use crate::dump::{self, Image};
use crate::exec::MemTable;
use crate::import;
use crate::symbol::{Search, Store};
use crate::synth;

mod access;
mod attach;
mod cancel;
mod command;
mod copy;
mod debugger;
mod each_dump;
mod error;
mod extend;
mod files;
mod guard;
mod library;
mod options;
mod query;
mod registry;
mod settings;
mod sources;
mod state;
mod threads;

pub use self::cancel::CancelToken;
pub use self::debugger::Called;
pub use self::error::Error;
pub use self::library::{Library, find_query, library, parameters, typed_parameters};
pub use self::options::Options;
#[cfg(feature = "cli")]
pub(crate) use self::options::Urls;
pub use self::query::{Prepared, QueryProgress};
pub use self::registry::shipped;
#[cfg(feature = "cli")]
pub(crate) use self::sources::expanded;
use self::state::{Defined, State};
#[cfg(feature = "cli")]
pub(crate) use crate::dump::{is_url, shown_url};
pub use crate::exec::{ColumnView, Field, Footnote, ResultSet, Row, Unread};
pub use crate::lang::{
    KEYWORDS, SavedParam, SavedPattern, SavedQuery, Token, TokenKind, is_complete, tokens,
};
pub use crate::plan::Params;

/// Open sources, and the engine that runs queries on them.
///
/// A session can be shared between threads; queries are independent of each other.
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

    /// Opens several dumps; every table then contains the rows of all.
    ///
    /// # Errors
    ///
    /// As [`Session::open`], for the first file that fails.
    pub fn open_with(paths: &[&Path], options: &Options) -> Result<Self, Error> {
        options.prepare();
        let images = paths.iter().map(|path| options.image(path));
        Self::from_images(images.collect::<Result<Vec<_>, _>>()?, options)
    }

    /// Opens the sample, a kernel dump of a busy server that is built in memory.
    ///
    /// # Errors
    /// Only if the sample itself has a defect.
    pub fn sample() -> Result<Self, Error> {
        Self::from_images(vec![Image::from_bytes("sample", synth::sample())], &Options::default())
    }

    /// Opens dumps whose bytes are already in memory or mapped.
    ///
    /// # Errors
    ///
    /// As [`Session::open`].
    pub fn from_images(images: Vec<Image>, options: &Options) -> Result<Self, Error> {
        let (session, failures) = Self::assemble(images, options);
        failures.into_iter().next().map_or(Ok(session), |(_, error)| Err(error))
    }

    /// Opens those of several dumps that can be opened, after the sample if requested; the path `-`
    /// is standard input. Returns the errors of the others, by the path as given.
    pub fn open_each(
        paths: &[&Path],
        sample: bool,
        options: &Options,
    ) -> (Self, Vec<(String, Error)>) {
        options.prepare();
        let mut images = Vec::with_capacity(paths.len() + 1);
        let mut failures = Vec::new();
        let mut tables = Vec::new();
        if sample {
            images.push(Image::from_bytes("sample", synth::sample()));
        }
        for path in paths {
            let shown = path.display().to_string();
            if import::is_delimited(&shown) && !dump::is_url(&shown) {
                tables.push(shown);
                continue;
            }
            let opened = match shown.as_str() {
                "-" => dump::stdin(&options.spooling()).map_err(Error::from),
                _ => options.image(path),
            };
            match opened {
                Ok(image) => images.push(image),
                Err(error) => failures.push((shown, error)),
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
        options.prepare();
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
        let mut opened = Vec::with_capacity(images.len());
        let (spooling, cache) = (options.spooling(), options.cache.as_deref());
        for image in images {
            let (found, errors) = sources::open(image, &store, &spooling, cache);
            opened.extend(found);
            failures.extend(errors);
        }
        let sources = sources::named(opened).into_iter().map(Arc::new).collect();
        let session = Self {
            state: RwLock::new(Arc::new(State::new(
                sources,
                Vec::new(),
                registry::shipped(),
                Defined::new(options),
            ))),
            store,
            // The token is for opening alone.
            options: Options { cancel: None, ..options.clone() },
        };
        (session, failures)
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the current state.
    fn replace(
        &self,
        change: impl FnOnce(&State) -> Result<State, Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *state = Arc::new(change(&state)?);
        Ok(())
    }

    /// Opens sources again of which something could not be read before: it may succeed now. They stay
    /// as they are if it does not.
    fn renew(&self, flag: &Arc<AtomicBool>) {
        let state = self.state();
        for old in state.sources.iter().filter(|source| source.health.may_succeed()) {
            let Some(image) = old.origin.as_ref().and_then(Image::again) else { continue };
            let _wait = image.health().wait_for(flag);
            let (spooling, cache) =
                (self.options.spooling_until(flag), self.options.cache.as_deref());
            let (mut opened, _) = sources::open(image, &self.store, &spooling, cache);
            if let (Some(one), true) = (opened.pop(), opened.is_empty()) {
                let new = Arc::new(one.named(old.name.clone()));
                let _ = self.replace(|state| Ok(state.with_instead(old, &new)));
            }
        }
    }

    /// Adds a table with rows of the program, which queries can join with tables of dumps. It
    /// replaces a table with the same name.
    ///
    /// ```
    /// use dumpql::{ColumnBuilder, Session, Ty};
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

    /// Adds a table with the rows of a result, under the conditions of [`Session::attach_rows`].
    ///
    /// # Errors
    ///
    /// As [`Session::attach_rows`].
    pub fn attach_result(&self, name: &str, result: &ResultSet) -> Result<(), Error> {
        let table = MemTable::from_result(name, result)?;
        Ok(self.replace(|state| Ok(state.with_table(table)))?)
    }

    /// The tables and functions that queries can name.
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.state().catalog)
    }

    /// What the first argument that is wrong may be, by name, for editors: the types that
    /// `struct('', …)` can name, the fields of one for `list(head, type, '')`. Nothing is read.
    #[cfg(feature = "cli")]
    pub(crate) fn argument_names(
        &self,
        function: &str,
        args: &[crate::catalog::Value<'static>],
    ) -> Vec<String> {
        let state = self.state();
        let mut names = Vec::new();
        for open in &state.sources {
            let called = guard::guarded(|| Ok(open.source.table_function(function, args).err()));
            if let Ok(Some(crate::model::Refused::Argument { candidates, .. })) = called {
                names.extend(candidates);
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The names of the open sources, as the column `dump` shows them.
    pub fn source_names(&self) -> Vec<String> {
        self.state().sources.iter().map(|s| s.name.clone()).collect()
    }

    /// The kinds of the open sources.
    #[cfg(feature = "mcp")]
    pub(crate) fn source_kinds(&self) -> Vec<crate::catalog::SourceKind> {
        self.state().sources.iter().map(|s| s.source.kind()).collect()
    }

    /// Whether the path is the file of an open source or of an attached table, an index of one, or a
    /// symbol file in use, by the file's identity: links, case and `..` do not matter. Nothing may be
    /// written there.
    pub fn is_open(&self, path: &Path) -> bool {
        self.use_of(path).is_some()
    }

    /// What the session uses the file for.
    pub(crate) fn use_of(&self, path: &Path) -> Option<&'static str> {
        if !path.exists() {
            return None;
        }
        let is = |file: &Path| same_file::is_same_file(file, path).unwrap_or(false);
        if self.state().files().any(is) {
            return Some("a source");
        }
        let symbols = self.store.files_in_use();
        if symbols.iter().chain(&self.options.pool_tags).any(|file| is(file)) {
            return Some("a symbol file");
        }
        let folder = path.canonicalize().ok()?.parent()?.to_owned();
        let is_index =
            self.options.cache.as_ref().is_some_and(|cache| {
                cache.canonicalize().is_ok_and(|cache| folder.starts_with(cache))
            });
        is_index.then_some("an index")
    }

    /// Parses a script, which can then be run with parameters, limits and a cancellation token.
    ///
    /// # Errors
    ///
    /// Syntax errors. Names and types are checked when the script runs.
    pub fn prepare(&self, sql: &str) -> Result<Prepared<'_>, Error> {
        Prepared::new(self, sql)
    }

    /// Runs a script and returns the result of its last statement that has one. A script with only
    /// `ATTACH` and `DETACH` gives a result without columns.
    ///
    /// # Errors
    /// The errors of the query, with their positions; nothing runs before all statements are
    /// checked.
    pub fn query(&self, sql: &str) -> Result<ResultSet, Error> {
        self.prepare(sql)?.run()
    }

    /// As [`Session::query`], with values for the parameters `$name`.
    ///
    /// # Errors
    ///
    /// As [`Session::query`].
    pub fn query_with(&self, sql: &str, params: &Params) -> Result<ResultSet, Error> {
        self.prepare(sql)?.with(params).run()
    }
}

/// The size and the version of an object of an HTTP server.
#[cfg(feature = "cli")]
pub(crate) fn about_url(url: &str) -> std::io::Result<(u64, Option<String>)> {
    Image::about_url(url)
}

/// The bytes of the sample that [`Session::sample`] opens.
pub fn sample_file() -> Vec<u8> {
    synth::sample()
}
