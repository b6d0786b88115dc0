//! Runs operators bottom-up, and caches what is computed once per query: scans, common table
//! expressions, sub-queries, footnotes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polars::prelude::{DataFrame, PlSmallStr};

use super::analyze::Analysis;
use super::buffers::Buffers;
use super::col::Col;
use super::frame::Frame;
use super::keys::{self, Groups, Stop};
use super::scan::ScanCache;
use super::{Context, Field, Footnote, ResultSet, Unread};
use super::{
    aggregate, distinct, filter, join, limit, project, recursive, setop, sort, unnest, values,
    window,
};
use crate::catalog::Value;
use crate::diag::{Code, Diagnostic};
use crate::plan::{Known, Plan, Rel};

/// One run of one query, or of a part of it that runs several times.
#[derive(Clone)]
pub(super) struct Engine<'a> {
    pub(super) cx: &'a Context<'a>,
    pub(super) run: Arc<Run>,
    /// What the row around gives the sub-query that runs.
    params: Arc<[Value<'static>]>,
    /// The new rows of the recursions whose step is running.
    working: Vec<(usize, Frame)>,
    /// Whether this part of the plan runs several times, so that parts of it with the same result
    /// each time are kept.
    repeats: bool,
    /// Whether operators are not recorded in the analysis.
    quiet: bool,
}

/// What all parts of a query share.
pub(super) struct Run {
    analysis: Option<Mutex<Analysis>>,
    state: Mutex<State>,
    /// Bytes of the rows of operators that wait for other operators.
    pub(super) held: AtomicUsize,
    /// Bytes of the rows that are kept until the query ends.
    pub(super) kept: AtomicUsize,
}

#[derive(Default)]
pub(super) struct State {
    scans: ScanCache,
    /// Common table expressions by id.
    shared: BTreeMap<usize, Frame>,
    /// Sub-queries by the address of their plan, which stays allocated as long as the query.
    queries: BTreeMap<usize, Frame>,
    /// What plans depend on: outer rows and recursions.
    depends: Known,
    /// Hashed join sides that are the same at each run, by the address of their keys.
    hashed: BTreeMap<usize, Arc<join::Hashed>>,
    footnotes: Vec<Footnote>,
    /// Tables without a source that the query may skip, and the error if no table has a source.
    unread: Vec<(Unread, Diagnostic)>,
    /// Whether a source answered a table.
    is_answered: bool,
    /// What is kept until the query ends, or belongs to the session.
    pub(super) buffers: Buffers,
}

impl<'a> Engine<'a> {
    pub(super) fn new(cx: &'a Context<'a>, analysed: bool) -> Self {
        let run = Run {
            analysis: analysed.then(Mutex::default),
            state: Mutex::default(),
            held: AtomicUsize::new(0),
            kept: AtomicUsize::new(0),
        };
        Self {
            cx,
            run: Arc::new(run),
            params: Arc::from([]),
            working: Vec::new(),
            repeats: false,
            quiet: false,
        }
    }

    /// The statistics of operators, if they are recorded here.
    pub(super) fn analysis(&self) -> Option<&Mutex<Analysis>> {
        self.run.analysis.as_ref().filter(|_| !self.quiet)
    }

    /// The parameter with that number.
    pub(super) fn param(&self, index: usize) -> Option<&Value<'static>> {
        self.params.get(index)
    }

    /// The engine for a sub-query with these parameters. Only its first run is recorded in the
    /// analysis.
    pub(super) fn with_params(&self, params: Vec<Value<'static>>, first: bool) -> Self {
        let quiet = self.quiet || !first;
        Self { params: params.into(), repeats: true, quiet, ..self.clone() }
    }

    /// The engine for the step of a recursion with these new rows.
    pub(super) fn with_working(&self, id: usize, rows: Frame, first: bool) -> Self {
        let mut inner = self.clone();
        inner.working.retain(|(other, _)| *other != id);
        inner.working.push((id, rows));
        inner.repeats = true;
        inner.quiet |= !first;
        inner
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.run.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the plan of a query.
    pub(super) fn result(&self, plan: &Plan) -> Result<ResultSet, Diagnostic> {
        let frame = self.run_all(plan)?;
        let fields =
            plan.schema.iter().map(|f| Field { name: f.name.clone(), ty: f.ty, format: f.format });
        let columns = frame.cols.into_iter().zip(&plan.schema).enumerate();
        let columns = columns.map(|(i, (col, field))| {
            let name = PlSmallStr::from_string(i.to_string());
            col.into_column(name, field.ty)
        });
        let table = DataFrame::new(frame.rows, columns.collect())
            .map_err(|e| internal(plan, &format!("the result does not fit together: {e}")))?;
        let mut footnotes = std::mem::take(&mut self.state().footnotes);
        footnotes.sort_by_key(|f| (f.table, f.column, f.reason));
        let unread = self.unread()?;
        Ok(ResultSet {
            fields: fields.collect(),
            frame: table,
            rows: frame.rows,
            width: self.cx.functions.width,
            footnotes,
            unread,
        })
    }

    /// The tables that were skipped; an error if no other table was read.
    fn unread(&self) -> Result<Vec<Unread>, Diagnostic> {
        let mut state = self.state();
        let is_answered = state.is_answered;
        let mut unread = std::mem::take(&mut state.unread);
        drop(state);
        if !is_answered && !unread.is_empty() {
            return Err(unread.swap_remove(0).1);
        }
        unread.sort_by_key(|(unread, _)| unread.table);
        unread.dedup_by_key(|(unread, _)| unread.table);
        Ok(unread.into_iter().map(|(unread, _)| unread).collect())
    }

    /// Records that a source answered a table.
    pub(super) fn answered(&self) {
        self.state().is_answered = true;
    }

    /// Records a table that the query skips.
    pub(super) fn do_without(&self, unread: Unread, error: Diagnostic) {
        self.state().unread.push((unread, error));
    }

    /// Runs a plan whose columns are all needed.
    pub(super) fn run_all(&self, plan: &Plan) -> Result<Frame, Diagnostic> {
        self.run(plan, &vec![true; plan.schema.len()])
    }

    /// Runs a plan whose rows are not counted as held: the caller drops them soon, or counts them.
    pub(super) fn run_uncounted(&self, plan: &Plan) -> Result<Frame, Diagnostic> {
        let held = self.run.held.load(Ordering::Relaxed);
        let frame = self.run_all(plan);
        self.run.held.store(held, Ordering::Relaxed);
        frame
    }

    /// Runs a plan. Columns that `need` does not mark may be returned as NULLs.
    pub(super) fn run(&self, plan: &Plan, need: &[bool]) -> Result<Frame, Diagnostic> {
        if self.repeats && !self.depends(plan) {
            return self.once(plan);
        }
        self.check_cancelled()?;
        let line = self.begin(plan);
        let held = self.run.held.load(Ordering::Relaxed);
        let frame = self.operator(plan, need)?;
        // The inputs are gone, and whoever asked has the output.
        let bytes = self.state().buffers.beside(&frame.cols);
        self.run.held.store(held.saturating_add(bytes), Ordering::Relaxed);
        self.check_rows(plan)?;
        if frame.cols.len() != plan.schema.len() {
            return Err(internal(plan, "an operator yields other columns than its schema says"));
        }
        self.end(line, frame.rows);
        Ok(frame)
    }

    fn operator(&self, plan: &Plan, need: &[bool]) -> Result<Frame, Diagnostic> {
        match &plan.rel {
            Rel::Scan { table, columns, hints, limit, args } => {
                if args.is_empty() {
                    return self.scan(plan.span, table, columns, hints, *limit);
                }
                self.call_with(plan.span, (table, args), columns, *limit)
            }
            Rel::Values { rows } => values::run(self, rows, plan),
            Rel::Filter { input, predicate } => filter::run(self, input, predicate, need),
            Rel::Project { input, exprs } => project::run(self, input, exprs, need),
            Rel::Join { left, right, kind, keys, residual, args, form } => {
                let join = join::Join {
                    left,
                    right,
                    kind: *kind,
                    keys,
                    residual: residual.as_ref(),
                    args,
                    form: *form,
                    span: plan.span,
                };
                join::run(self, &join, need)
            }
            Rel::Aggregate { input, keys, aggregates } => {
                aggregate::run(self, input, keys, aggregates, need)
            }
            Rel::Window { input, partition, order, calls } => {
                let window = window::Window { input, partition, order, calls, span: plan.span };
                window::run(self, &window, need)
            }
            Rel::Unnest { input, lists, outer } => {
                unnest::run(self, input, lists, *outer, plan, need)
            }
            Rel::Distinct { input, on } => distinct::run(self, input, on.as_deref(), need),
            Rel::Sort { input, keys, top } => sort::run(self, input, keys, *top, need),
            Rel::Limit { input, limit, offset } => limit::run(self, input, *limit, *offset, need),
            Rel::SetOp { op, all, left, right } => setop::run(self, *op, *all, left, right),
            Rel::Shared { id, plan } => self.shared(*id, plan),
            Rel::Recursive { id, base, step, all } => {
                let recursion =
                    recursive::Recursion { id: *id, base, step, all: *all, span: plan.span };
                recursive::run(self, &recursion)
            }
            Rel::Working { id } => {
                let rows = self.working.iter().find(|(working, _)| working == id);
                let rows = rows.map(|(_, rows)| rows.clone());
                rows.ok_or_else(|| internal(plan, "a recursion is read outside its step"))
            }
        }
    }

    fn shared(&self, id: usize, plan: &Plan) -> Result<Frame, Diagnostic> {
        if let Some(frame) = self.state().shared.get(&id) {
            return Ok(frame.clone());
        }
        let frame = self.apart().run_all(plan)?;
        self.keep(&frame);
        self.state().shared.insert(id, frame.clone());
        Ok(frame)
    }

    /// The engine for plans that do not depend on outer rows.
    fn apart(&self) -> Self {
        Self { params: Arc::from([]), working: Vec::new(), repeats: false, ..self.clone() }
    }

    /// The rows of a plan that does not depend on outer rows; they are kept.
    fn once(&self, plan: &Plan) -> Result<Frame, Diagnostic> {
        let place = std::ptr::from_ref(plan) as usize;
        if let Some(frame) = self.state().queries.get(&place) {
            return Ok(frame.clone());
        }
        let frame = self.apart().run_all(plan)?;
        self.keep(&frame);
        self.state().queries.insert(place, frame.clone());
        Ok(frame)
    }

    /// The rows of a sub-query, which runs once even if the expression is evaluated several times.
    pub(super) fn sub_query(&self, plan: &Arc<Plan>) -> Result<Frame, Diagnostic> {
        if self.depends(plan) { self.run_all(plan) } else { self.once(plan) }
    }

    /// Whether the rows of the plan depend on its surroundings: parameters of the sub-query that it
    /// is part of, or the new rows of a recursion. A plan that depends on neither is computed once.
    pub(super) fn depends(&self, plan: &Plan) -> bool {
        plan.depends(&mut self.state().depends).any()
    }

    /// Whether this part of the plan runs again with other rows or parameters.
    pub(super) const fn repeats(&self) -> bool {
        self.repeats
    }

    /// The hashed keys of a join, if they were kept.
    pub(super) fn hashed(&self, place: usize) -> Option<Arc<join::Hashed>> {
        self.state().hashed.get(&place).cloned()
    }

    /// Keeps the hashed keys of a join.
    pub(super) fn keep_hashed(&self, place: usize, hashed: Arc<join::Hashed>) {
        self.state().hashed.insert(place, hashed);
    }

    /// Gives access to the cache of scans.
    pub(super) fn with_scans<T>(&self, work: impl FnOnce(&mut ScanCache) -> T) -> T {
        work(&mut self.state().scans)
    }

    /// Adds a count of values that a scan could not provide.
    pub(super) fn note(&self, footnote: Footnote) {
        let notes = &mut self.state().footnotes;
        let same = notes.iter_mut().find(|f| {
            f.table == footnote.table && f.column == footnote.column && f.reason == footnote.reason
        });
        match same {
            // Several scans of one table may count the same rows; the largest count is kept.
            Some(known) => known.count = known.count.max(footnote.count),
            None => notes.push(footnote),
        }
    }

    /// Fails if the query was cancelled.
    pub(super) fn check_cancelled(&self) -> Result<(), Diagnostic> {
        if self.cx.tables.cancelled.load(Ordering::Relaxed) {
            Err(Diagnostic::new(Code::Cancelled, "the query was cancelled"))
        } else {
            Ok(())
        }
    }

    /// The flag that ends long work within an operator.
    pub(super) const fn stop(&self) -> Stop<'_> {
        Stop(self.cx.tables.cancelled)
    }

    /// Groups rows by the values of the columns.
    pub(super) fn group(&self, cols: &[Col], rows: usize) -> Result<Groups, Diagnostic> {
        // Keys, hash tables, and the numbers of groups.
        let per_row = if cols.len() > 1 { 56usize } else { 32 };
        self.check_room_for(rows.saturating_mul(per_row)).map_err(|error| match error.code {
            Code::Limit => Diagnostic { message: self.too_large("groups"), ..error },
            _ => error,
        })?;
        let groups = keys::group(cols, rows, self.stop());
        self.check_cancelled()?;
        Ok(groups)
    }
}

/// A defect of the engine or the planner, with its place in the query.
pub(super) fn internal(plan: &Plan, message: &str) -> Diagnostic {
    Diagnostic::at(Code::Internal, plan.span, message)
}
