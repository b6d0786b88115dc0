//! What a source answers: a provider for each row type, and how rows are passed on.
//!
//! A source registers one function for each table that it can fill; there is no central list of
//! tables. This module knows nothing about the rows.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::{Row, Want};

/// Whether the receiver wants more rows.
pub type Flow = ControlFlow<()>;

/// Makes the rows of the part with this number and passes them on.
pub type Fill<'a, R> = &'a (dyn Fn(usize, &mut dyn FnMut(R)) + Sync);

/// Receives rows. A source stops when it gets [`ControlFlow::Break`], by which limits and
/// cancellation reach it; it returns `Ok` then.
pub trait RowSink<R> {
    /// Receives a row.
    fn row(&mut self, row: R) -> Flow;

    /// Receives the rows of `count` independent parts in the order of the parts. A receiver may let
    /// the parts be computed in parallel.
    fn parts(&mut self, count: usize, fill: Fill<'_, R>) -> Flow {
        in_turn(self, count, fill)
    }
}

/// Computes the rows of parts one part after another.
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

/// Why a source cannot answer a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// The reason, as the end of a sentence ("the minidump has no handle stream"); `None` if this
    /// kind of source never answers the table.
    pub because: Option<String>,
}

impl Unanswered {
    /// This kind of source never answers the table.
    pub const KIND: Self = Self { because: None };

    /// This source does not answer, because something is missing.
    pub fn because(reason: impl Into<String>) -> Self {
        Self { because: Some(reason.into()) }
    }
}

/// Gives the rows of one type.
pub type Provider<R> = dyn Fn(&Want<'_, R>, Emit<'_, R>) -> Result<(), Unanswered> + Send + Sync;

/// The providers of a source by row type. If a row type has none, this kind of source cannot fill
/// its table.
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

    /// Builds the answers of a source from functions over its state; each call of `with` adds one.
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

/// A builder of [`Answers`] from functions over `S`.
#[derive(Debug)]
pub struct AnswersOf<S> {
    source: Arc<S>,
    answers: Answers,
}

impl<S: Send + Sync + 'static> AnswersOf<S> {
    /// Adds the provider of rows `R`, replacing an earlier one.
    ///
    /// A provider returns the rows in the same order on every call, and no object twice. A value
    /// that cannot be read is a cell with its reason; it never ends the scan. Columns that [`Want`]
    /// does not name may keep their default. A provider never panics or prints, and reads nothing
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
