//! The one file that joins the stages: opens sources, runs queries.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::catalog::{Catalog, ColumnData, PointerWidth};
use crate::diag::{Code, Diagnostic};
use crate::dump::Image;
use crate::exec::{self, MemTable};
use crate::func::{self, FuncCx};
use crate::lang;
use crate::model::Source;
use crate::plan;
use crate::source;
use crate::symbol::Store;
use crate::synth;
use crate::table::{self, Cx, NamedSource};

mod error;
mod library;

pub use self::error::Error;
pub use self::library::{find_query, library, parameters};
pub use crate::exec::{ColumnView, Field, Footnote, ResultSet, Row};
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
    catalog: Catalog,
    sources: Vec<OpenSource>,
    attached: Vec<MemTable>,
    strict: bool,
    cancelled: Arc<AtomicBool>,
    rows_read: Arc<AtomicUsize>,
}

struct OpenSource {
    name: String,
    source: Box<dyn Source>,
}

/// How a session is opened.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Folders and files of symbols and layouts.
    pub symbols: Vec<PathBuf>,
    /// Whether a value that cannot be read is an error.
    pub strict: bool,
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

    /// Opens the sample, a small triage dump that is built in memory.
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
        if sample {
            images.push(Image::from_bytes("sample", synth::sample()));
        }
        for path in paths {
            match Image::open(path) {
                Ok(image) => images.push(image),
                Err(error) => failures.push((path.display().to_string(), error.into())),
            }
        }
        let (session, unread) = Self::assemble(images, options);
        failures.extend(unread);
        (session, failures)
    }

    fn assemble(images: Vec<Image>, options: &Options) -> (Self, Vec<(String, Error)>) {
        let mut failures = Vec::new();
        let store = Store::new(options.symbols.clone()).unwrap_or_else(|error| {
            failures.push((error.path().to_owned(), error.into()));
            Store::default()
        });
        let names = short_names(images.iter().map(Image::path));
        let mut sources = Vec::with_capacity(images.len());
        for (image, name) in images.into_iter().zip(names) {
            let path = image.path().to_owned();
            match source::open(image, &store) {
                Ok(source) => sources.push(OpenSource { name, source }),
                Err(error) => failures.push((path, error.into())),
            }
        }
        let several = sources.len() > 1;
        let tables = table::ALL.iter().map(|t| t.spec(several)).collect();
        let session = Self {
            catalog: Catalog::new(tables, func::specs()),
            sources,
            attached: Vec::new(),
            strict: options.strict,
            cancelled: Arc::default(),
            rows_read: Arc::default(),
        };
        (session, failures)
    }

    /// Adds a table of the program's own rows, to be joined with those of dumps. It takes the place
    /// of a table of the same name.
    ///
    /// ```
    /// use dumpql::{Session, Ty, catalog::ColumnBuilder};
    ///
    /// let mut known = ColumnBuilder::new(Ty::Text);
    /// known.push_text(Ok("nt"));
    /// let mut session = Session::from_images(Vec::new(), &dumpql::Options::default())?;
    /// session.attach_rows("known_modules", vec![("name".to_owned(), known.finish())])?;
    /// # Ok::<(), dumpql::Error>(())
    /// ```
    ///
    /// # Errors
    /// E0210 when two columns have one name, or columns differ in length.
    pub fn attach_rows(
        &mut self,
        name: &str,
        columns: Vec<(String, ColumnData)>,
    ) -> Result<(), Error> {
        self.attach(MemTable::new(name, columns)?);
        Ok(())
    }

    /// Adds a table of the rows of a result, under the conditions of [`Session::attach_rows`].
    ///
    /// # Errors
    /// As [`Session::attach_rows`].
    pub fn attach_result(&mut self, name: &str, result: &ResultSet) -> Result<(), Error> {
        self.attach(MemTable::from_result(name, result)?);
        Ok(())
    }

    fn attach(&mut self, table: MemTable) {
        self.attached.retain(|t| !t.spec().name.eq_ignore_ascii_case(table.spec().name));
        self.catalog.put_table(table.spec().clone());
        self.attached.push(table);
    }

    /// The tables and functions that queries may name.
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The names of the open sources, as the column `dump` shows them.
    pub fn source_names(&self) -> Vec<&str> {
        self.sources.iter().map(|s| s.name.as_str()).collect()
    }

    /// A handle that ends a running query from another thread.
    pub fn canceller(&self) -> Canceller {
        Canceller(Arc::clone(&self.cancelled))
    }

    /// How many rows scans of the running query have read so far.
    pub fn rows_read(&self) -> usize {
        self.rows_read.load(Ordering::Relaxed)
    }

    /// Runs a script and returns the result of its last statement.
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
        self.run(sql, params, &mut |result| {
            last = Some(result);
            true
        })?;
        last.ok_or_else(|| {
            Error::of_query(vec![Diagnostic::new(Code::Syntax, "the text holds no statement")], sql)
        })
    }

    /// Runs a script, handing over each statement's result as it is ready; the receiver returns
    /// whether to go on. All statements are checked before the first runs.
    ///
    /// # Errors
    /// As [`Session::query`]; results handed over before stay valid.
    pub fn run(
        &self,
        sql: &str,
        params: &Params,
        receive: &mut dyn FnMut(ResultSet) -> bool,
    ) -> Result<(), Error> {
        self.cancelled.store(false, Ordering::Relaxed);
        self.rows_read.store(0, Ordering::Relaxed);
        let statements = lang::parse(sql).map_err(|d| Error::of_query(vec![d], sql))?;
        let tables: Vec<NamedSource<'_>> = self
            .sources
            .iter()
            .map(|s| NamedSource { name: &s.name, source: &*s.source })
            .collect();
        let functions: Vec<(&str, &dyn Source)> =
            self.sources.iter().map(|s| (s.name.as_str(), &*s.source)).collect();
        let cx = exec::Context {
            tables: Cx {
                catalog: &self.catalog,
                sources: &tables,
                cancelled: &self.cancelled,
                rows_read: &self.rows_read,
            },
            attached: &self.attached,
            functions: FuncCx { sources: &functions, width: self.width() },
            strict: self.strict,
        };
        let mut plans = Vec::with_capacity(statements.len());
        for statement in &statements {
            let planned = plan::bind(statement, &self.catalog, &exec::Calls(&cx.tables), params);
            plans.push(planned.map_err(|ds| Error::of_query(ds, sql))?);
        }
        for planned in &plans {
            let result = exec::run(planned, &cx).map_err(|d| Error::of_query(vec![d], sql))?;
            if !receive(result) {
                break;
            }
        }
        Ok(())
    }

    /// 64 bits as soon as one source has them.
    fn width(&self) -> PointerWidth {
        let narrow = |s: &OpenSource| s.source.machine().width == PointerWidth::Bits32;
        if !self.sources.is_empty() && self.sources.iter().all(narrow) {
            PointerWidth::Bits32
        } else {
            PointerWidth::Bits64
        }
    }
}

/// File names where they are unique, else whole paths, numbered where even those repeat.
fn short_names<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    let paths: Vec<&str> = paths.collect();
    let file = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned();
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for path in &paths {
        *uses.entry(file(path)).or_default() += 1;
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let names = paths.iter().map(|path| {
        let short = file(path);
        let name = if uses.get(&short) == Some(&1) { short } else { (*path).to_owned() };
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        if *count == 1 { name } else { format!("{name}#{count}") }
    });
    names.collect()
}

/// The bytes of the sample, as [`Session::sample`] opens them.
pub fn sample_file() -> Vec<u8> {
    synth::sample()
}
