//! What a source answers: a provider for each row type, and how rows are handed on.
//!
//! A source registers one function for each table that it can fill; no list of all tables stands
//! anywhere. Nothing here knows what a row is of.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::{Row, Want};

/// Whether the receiver of rows wants more of them.
pub type Flow = ControlFlow<()>;

/// Makes the rows of the part with a number and hands them on.
pub type Fill<'a, R> = &'a (dyn Fn(usize, &mut dyn FnMut(R)) + Sync);

/// Receives rows. A source stops as soon as it is told [`ControlFlow::Break`], which is how limits and
/// cancellation reach it; it returns `Ok` then.
pub trait RowSink<R> {
    /// Receives a row.
    fn row(&mut self, row: R) -> Flow;

    /// Receives the rows of so many parts, which do not depend on one another, in the order of the
    /// parts. A receiver may have them made side by side.
    fn parts(&mut self, count: usize, fill: Fill<'_, R>) -> Flow {
        in_turn(self, count, fill)
    }
}

/// Has the rows of parts made one part after another.
pub fn in_turn<R>(sink: &mut (impl RowSink<R> + ?Sized), count: usize, fill: Fill<'_, R>) -> Flow {
    for part in 0..count {
        let mut flow = Flow::Continue(());
        fill(part, &mut |row| {
            if flow.is_continue() {
                flow = sink.row(row);
            }
        });
        flow?;
    }
    Flow::Continue(())
}

impl<R, F: FnMut(R) -> Flow> RowSink<R> for F {
    fn row(&mut self, row: R) -> Flow {
        self(row)
    }
}

/// Where a provider puts its rows.
pub type Emit<'a, R> = &'a mut dyn RowSink<R>;

/// A source has nothing to say on a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// Why, as the end of a sentence ("the minidump has no handle stream"); `None` when the whole
    /// kind of source cannot answer.
    pub because: Option<String>,
}

impl Unanswered {
    /// This kind of source never answers the table.
    pub const KIND: Self = Self { because: None };

    /// This very source does not, because of what is missing.
    pub fn because(reason: impl Into<String>) -> Self {
        Self { because: Some(reason.into()) }
    }
}

/// Gives the rows of one type.
pub type Provider<R> = dyn Fn(&Want<'_, R>, Emit<'_, R>) -> Result<(), Unanswered> + Send + Sync;

/// The providers of a source, by row type. A row type without one is a table that this kind of source
/// cannot fill.
#[derive(Default)]
pub struct Answers {
    /// Behind each `dyn Any` is a `Box<Provider<R>>` of the row type with that id.
    providers: BTreeMap<TypeId, Box<dyn Any + Send + Sync>>,
}

impl Answers {
    /// No answers.
    #[must_use]
    pub const fn none() -> Self {
        Self { providers: BTreeMap::new() }
    }

    /// The answers of functions over what a source knows; each line `with` adds one.
    #[must_use]
    pub fn of<S: Send + Sync + 'static>(source: &Arc<S>) -> AnswersOf<S> {
        AnswersOf { source: Arc::clone(source), answers: Self::none() }
    }

    /// The provider of rows `R`; `None` if this kind of source cannot answer their table.
    #[must_use]
    pub fn get<R: Row>(&self) -> Option<&Provider<R>> {
        let provider = self.providers.get(&TypeId::of::<R>())?;
        provider.downcast_ref::<Box<Provider<R>>>().map(|provider| &**provider)
    }

    /// Reads rows.
    ///
    /// # Errors
    /// Why there are none.
    pub fn read<R: Row>(&self, want: &Want<'_, R>, emit: Emit<'_, R>) -> Result<(), Unanswered> {
        self.get().ok_or(Unanswered::KIND)?(want, emit)
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// Why there are no rows.
    pub fn first<R: Row>(&self, want: &Want<'_, R>) -> Result<Option<R>, Unanswered> {
        let mut first = None;
        self.read(want, &mut |row| {
            first = Some(row);
            Flow::Break(())
        })?;
        Ok(first)
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").field("row_types", &self.providers.len()).finish()
    }
}

/// [`Answers`] as they are put together from functions over `S`.
#[derive(Debug)]
pub struct AnswersOf<S> {
    source: Arc<S>,
    answers: Answers,
}

impl<S: Send + Sync + 'static> AnswersOf<S> {
    /// Adds the provider of rows `R`; it takes the place of one that is there already.
    ///
    /// A provider gives the rows in the same order at every call, and no object twice. A value that
    /// cannot be read is a cell with its reason, never an end of the scan. Columns that [`Want`] does
    /// not name may be left at their default. A provider never panics or prints, and looks at nothing
    /// but the source.
    #[must_use]
    pub fn with<R: Row>(
        mut self,
        read: impl Fn(&S, &Want<'_, R>, Emit<'_, R>) -> Result<(), Unanswered> + Send + Sync + 'static,
    ) -> Self {
        let source = Arc::clone(&self.source);
        let provider: Box<Provider<R>> = Box::new(move |want, emit| read(&source, want, emit));
        self.answers.providers.insert(TypeId::of::<R>(), Box::new(provider));
        self
    }

    /// The answers.
    #[must_use]
    pub fn build(self) -> Answers {
        self.answers
    }
}
