//! Window functions: one sort for all calls over a window, with results in the order of the input.
//!
//! [`layout::Layout`] makes the rows of a partition consecutive; [`frames::Frames`] gives the frame
//! of each row. Every other file computes one kind of call from these two.

mod aggregate;
mod expand;
mod fold;
mod frames;
mod layout;
mod native;
mod rank;
mod states;
mod value;

use rayon::prelude::*;

use super::col::Col;
use super::engine::Engine;
use super::eval::Eval;
use super::frame::Frame;
use super::{filter, sort, uses};
use crate::diag::{Diagnostic, Span};
use crate::plan::{Expr, Plan, SortKey, WindowCall, WindowKind};
use layout::Layout;

/// Calls over fewer rows are computed on one thread.
const PARALLEL_ROWS: usize = 20_000;

/// A window operator.
pub(super) struct Window<'p> {
    pub(super) input: &'p Plan,
    pub(super) partition: &'p [Expr],
    pub(super) order: &'p [SortKey],
    pub(super) calls: &'p [WindowCall],
    pub(super) span: Span,
}

/// The state of a call while it is computed.
struct Call<'a> {
    engine: &'a Engine<'a>,
    frame: &'a Frame,
    layout: &'a Layout,
    order: &'a [super::order::Key],
    window: &'a WindowCall,
}

pub(super) fn run(
    engine: &Engine<'_>,
    window: &Window<'_>,
    need: &[bool],
) -> Result<Frame, Diagnostic> {
    let width = window.input.schema.len();
    let wanted = |call: usize| need.get(width + call) != Some(&false);
    let mut read: Vec<bool> = need.iter().copied().take(width).collect();
    read.resize(width, true);
    for expr in window.partition.iter().chain(window.order.iter().map(|k| &k.expr)) {
        uses::mark(expr, &mut read);
    }
    for (_, call) in window.calls.iter().enumerate().filter(|(i, _)| wanted(*i)) {
        call.exprs().for_each(|expr| uses::mark(expr, &mut read));
    }
    let frame = engine.run(window.input, &read)?;
    let rows = frame.rows;
    let eval = Eval::new(engine, &frame);
    let parts = window.partition.iter().map(|e| eval.column(e)).collect::<Result<Vec<_>, _>>()?;
    let keys = sort::compute(&eval, window.order)?;
    engine.make(window.span, rows.saturating_mul(layout::BYTES_PER_ROW) / 2)?;
    let layout = Layout::new(engine, &parts, &keys, rows)?;
    let compute = |(index, call): (usize, &WindowCall)| {
        if !wanted(index) {
            return Ok(Col::Null(rows));
        }
        engine.make(call.call.span, rows.saturating_mul(frames::BYTES_PER_ROW) / 2)?;
        Call { engine, frame: &frame, layout: &layout, order: &keys, window: call }.compute()
    };
    let simple = !window.calls.iter().flat_map(WindowCall::exprs).any(uses::has_query);
    let computed: Vec<Result<Col, Diagnostic>> = if simple && rows > PARALLEL_ROWS {
        window.calls.par_iter().enumerate().map(compute).collect()
    } else {
        window.calls.iter().enumerate().map(compute).collect()
    };
    let computed = computed.into_iter().collect::<Result<Vec<_>, _>>()?;
    engine.check_cancelled()?;
    let below: Vec<bool> = need.iter().copied().take(width).collect();
    let frame = filter::only(frame, &below);
    Ok(frame.beside(Frame::new(computed, rows)))
}

impl Call<'_> {
    fn compute(&self) -> Result<Col, Diagnostic> {
        match self.window.kind {
            WindowKind::Aggregate => self.aggregate(),
            WindowKind::Lag => self.shifted(false),
            WindowKind::Lead => self.shifted(true),
            WindowKind::FirstValue | WindowKind::LastValue | WindowKind::NthValue => {
                self.of_frame()
            }
            _ => self.rank(),
        }
    }

    /// An argument of the call for each row of the input.
    fn argument(&self, index: usize) -> Result<Option<Col>, Diagnostic> {
        let arg = self.window.call.args.get(index);
        arg.map(|arg| Eval::new(self.engine, self.frame).column(arg)).transpose()
    }

    /// The frame of each row.
    fn frames(&self) -> Result<frames::Frames<'_>, Diagnostic> {
        frames::Frames::new(self)
    }

    /// Computes `of` for each place of the layout, in parallel.
    fn each<T: Send>(&self, of: impl Fn(usize) -> T + Sync) -> Result<Vec<T>, Diagnostic> {
        let stop = self.engine.stop();
        let found = self.layout.map(stop, of);
        self.engine.check_cancelled()?;
        Ok(found)
    }
}
