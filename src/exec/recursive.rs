//! Recursive common table expressions: the step runs on the rows that were new in the previous
//! step, until there are none.

use std::collections::HashSet;

use polars_arrow::bitmap::Bitmap;

use super::col::{Col, bits};
use super::engine::Engine;
use super::frame::Frame;
use crate::diag::{Code, Diagnostic, Span};
use crate::plan::Plan;

/// A recursive operator.
pub(super) struct Recursion<'p> {
    pub(super) id: usize,
    pub(super) base: &'p Plan,
    pub(super) step: &'p Plan,
    pub(super) all: bool,
    pub(super) span: Span,
}

/// The maximum number of steps.
const MAX_STEPS: usize = 1_000_000;

/// The maximum number of rows of a recursion.
const MAX_ROWS: usize = 100_000_000;

/// When there are this many parts, they are concatenated.
const PARTS: usize = 256;

const BOUND: &str = "bound it: count the steps in a column, and add WHERE depth < 100 to the part that names itself";
const CYCLE: &str = "where rows lead back to earlier ones, UNION instead of UNION ALL ends it";

pub(super) fn run(engine: &Engine<'_>, recursion: &Recursion<'_>) -> Result<Frame, Diagnostic> {
    let mut rows = Rows::default();
    let mut seen = (!recursion.all).then(SeenRows::default);
    let mut new = engine.run_all(recursion.base)?;
    if let Some(seen) = &mut seen {
        new = seen.fresh(engine, recursion.span, new)?;
    }
    let mut steps = 0;
    while new.rows > 0 {
        steps += 1;
        rows.add(new.clone());
        check(engine, recursion.span, steps, &rows)?;
        let inner = engine.with_working(recursion.id, new, steps == 1);
        new = inner.run_uncounted(recursion.step).map_err(|error| match error.code {
            Code::Limit => error.help(BOUND).help(CYCLE),
            _ => error,
        })?;
        if let Some(seen) = &mut seen {
            new = seen.fresh(engine, recursion.span, new)?;
        }
    }
    // Even without rows, the result has a frame with its columns.
    rows.add(new);
    Ok(rows.whole())
}

fn check(engine: &Engine<'_>, span: Span, steps: usize, rows: &Rows) -> Result<(), Diagnostic> {
    if steps > MAX_STEPS || rows.count > MAX_ROWS {
        let message = if steps > MAX_STEPS {
            format!("the recursion takes more than {MAX_STEPS} steps")
        } else {
            format!("the recursion gives more than {MAX_ROWS} rows")
        };
        return Err(Diagnostic::at(Code::Limit, span, message).help(BOUND).help(CYCLE));
    }
    engine.check_room(span, rows.bytes).map_err(|error| bounded(error, steps))
}

/// The error of a recursion that exceeds a limit.
fn bounded(error: Diagnostic, steps: usize) -> Diagnostic {
    if error.code != Code::Limit {
        return error;
    }
    let message = format!("the recursion grows beyond the query's memory, after {steps} steps");
    Diagnostic { message, ..error }.help(BOUND).help(CYCLE)
}

/// The rows so far, in a limited number of parts.
#[derive(Default)]
struct Rows {
    whole: Vec<Frame>,
    recent: Vec<Frame>,
    count: usize,
    bytes: usize,
}

impl Rows {
    fn add(&mut self, frame: Frame) {
        self.count = self.count.saturating_add(frame.rows);
        self.bytes = self.bytes.saturating_add(frame.bytes());
        self.recent.push(frame);
        if self.recent.len() >= PARTS {
            self.whole.push(Frame::concat(&self.recent));
            self.recent.clear();
        }
        if self.whole.len() >= PARTS {
            let joined = Frame::concat(&self.whole);
            self.whole = vec![joined];
        }
    }

    fn whole(mut self) -> Frame {
        self.whole.append(&mut self.recent);
        Frame::concat(&self.whole)
    }
}

/// The rows that have occurred before.
#[derive(Default)]
struct SeenRows(HashSet<Box<[u8]>>);

/// The memory of a row in the set besides its bytes.
const PER_ROW: usize = 48;

impl SeenRows {
    /// The distinct rows that have not occurred before.
    fn fresh(
        &mut self,
        engine: &Engine<'_>,
        span: Span,
        frame: Frame,
    ) -> Result<Frame, Diagnostic> {
        let mut bytes = 0;
        let mut keep = Vec::with_capacity(frame.rows);
        for row in 0..frame.rows {
            let key = key(&frame.cols, row);
            let size = key.len() + PER_ROW;
            let is_new = self.0.insert(key.into());
            bytes += if is_new { size } else { 0 };
            keep.push(is_new);
            if row % 4096 == 0 {
                engine.check_cancelled()?;
            }
        }
        engine.make(span, bytes / 2).map_err(|error| bounded(error, 0))?;
        let keep: Bitmap = bits(keep);
        Ok(if keep.unset_bits() == 0 { frame } else { frame.filter(&keep) })
    }
}

/// Bytes that are equal only for equal rows; NULLs are equal.
fn key(cols: &[Col], row: usize) -> Vec<u8> {
    let mut key = Vec::with_capacity(cols.len() * 9);
    for col in cols {
        if col.is_null(row) {
            key.push(0);
            continue;
        }
        key.push(1);
        match col {
            Col::Null(_) => {}
            Col::Bool(a) => key.push(u8::from(a.value(row))),
            Col::Int(a) => key.extend(a.value(row).to_le_bytes()),
            Col::Addr(a) => key.extend(a.value(row).to_le_bytes()),
            Col::Double(a) => {
                let value = a.value(row);
                let value = if value.is_nan() { f64::NAN } else { value + 0.0 };
                key.extend(value.to_bits().to_le_bytes());
            }
            Col::Text(a) => {
                let text = a.value(row);
                key.extend((text.len() as u64).to_le_bytes());
                key.extend(text.as_bytes());
            }
        }
    }
    key
}
