//! Evaluates typed expressions over the rows of a frame, one column at a time.
//!
//! The kernels are our own because the language has its own semantics: three-valued logic, checked
//! arithmetic, and a total order of doubles that includes NaN. An error is raised only for rows
//! whose value is needed.

mod arith;
mod attempt;
mod branch;
mod call;
mod cast;
mod compare;
mod each;
mod lane;
mod logic;
mod member;
mod pattern;
mod query;

use polars_arrow::bitmap::{Bitmap, BitmapBuilder};
use rayon::prelude::*;

use super::buffers::Buffers;
use super::col::{Col, NO_ROW};
use super::engine::Engine;
use super::frame::Frame;
use super::uses;
use crate::catalog::{Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::plan::{BinaryOp, Expr, ExprKind};

pub(super) use query::several;

/// How many rows one thread evaluates at a time, so that their intermediate columns stay in its
/// cache.
pub(super) const PART_ROWS: usize = 1 << 15;

/// Shorter texts are made without checking the query's memory limit.
const MUCH_TEXT: usize = 1 << 20;

/// The values of an expression over all rows.
#[derive(Debug, Clone)]
pub(super) enum Vector {
    /// The same value in every row.
    Const(Value<'static>),
    /// One value per row.
    Col(Col),
}

/// Evaluates expressions over one frame.
pub(super) struct Eval<'e> {
    engine: &'e Engine<'e>,
    frame: &'e Frame,
}

impl<'e> Eval<'e> {
    pub(super) const fn new(engine: &'e Engine<'e>, frame: &'e Frame) -> Self {
        Self { engine, frame }
    }

    /// The expression as a column with as many rows as the frame. Many rows are divided among
    /// threads; if several rows fail, the error of the first row is reported, as without threads.
    pub(super) fn column(&self, expr: &Expr) -> Result<Col, Diagnostic> {
        if self.is_worth_dividing(expr) {
            // The parts, and the column that they are joined to.
            let least = if expr.ty == Ty::Bool { 0 } else { self.frame.rows.saturating_mul(16) };
            self.engine.check_room(expr.span, least)?;
            let parts = self.divided(|eval| eval.column(expr))?;
            let bytes = Buffers::default().add(&parts);
            self.engine.check_room(expr.span, bytes.saturating_mul(2))?;
            return Ok(Col::concat(&parts));
        }
        Ok(match self.eval(expr)? {
            Vector::Const(value) => Col::constant(&value, self.frame.rows),
            Vector::Col(col) => col,
        })
    }

    /// The rows for which a condition is true.
    pub(super) fn predicate(&self, expr: &Expr) -> Result<Bitmap, Diagnostic> {
        if self.is_worth_dividing(expr) {
            let parts = self.divided(|eval| eval.predicate(expr))?;
            let mut all = BitmapBuilder::with_capacity(self.frame.rows);
            for part in &parts {
                all.extend_from_bitmap(part);
            }
            return Ok(all.freeze());
        }
        let rows = self.frame.rows;
        Ok(match self.eval(expr)? {
            Vector::Const(value) => Bitmap::new_with_value(value == Value::Bool(true), rows),
            Vector::Col(Col::Bool(array)) => match array.validity() {
                Some(validity) => array.values() & validity,
                None => array.values().clone(),
            },
            Vector::Col(_) => Bitmap::new_zeroed(rows),
        })
    }

    /// Whether dividing among threads pays. Plain columns need no work; sub-queries run once,
    /// before any thread needs them.
    fn is_worth_dividing(&self, expr: &Expr) -> bool {
        let plain = matches!(expr.kind, ExprKind::Column(_) | ExprKind::Literal(_));
        self.frame.rows > 2 * PART_ROWS && !plain && !uses::has_query(expr)
    }

    fn divided<T: Send>(
        &self,
        work: impl Fn(&Eval<'_>) -> Result<T, Diagnostic> + Sync,
    ) -> Result<Vec<T>, Diagnostic> {
        let rows = self.frame.rows;
        let part = |index: usize| {
            self.engine.check_cancelled()?;
            let from = index * PART_ROWS;
            let frame = self.frame.slice(from, PART_ROWS.min(rows - from));
            work(&Eval::new(self.engine, &frame))
        };
        let parts: Vec<_> = (0..rows.div_ceil(PART_ROWS)).into_par_iter().map(part).collect();
        parts.into_iter().collect()
    }

    /// The value of an expression that reads no column.
    pub(super) fn constant(&self, expr: &Expr) -> Result<Value<'static>, Diagnostic> {
        Ok(match self.eval(expr)? {
            Vector::Const(value) => value,
            Vector::Col(col) if col.len() == 0 => Value::Null,
            Vector::Col(col) => col.get(0, expr.ty).into_owned(),
        })
    }

    pub(super) fn eval(&self, expr: &Expr) -> Result<Vector, Diagnostic> {
        if self.frame.rows == 0 {
            return Ok(Vector::Col(Col::Null(0)));
        }
        Ok(match &expr.kind {
            ExprKind::Column(index) => Vector::Col(match self.frame.cols.get(*index) {
                Some(col) => col.clone(),
                None => return Err(defect(expr.span, "an expression reads no such column")),
            }),
            ExprKind::Literal(value) => Vector::Const(value.clone()),
            ExprKind::Not(operand) => logic::not(&self.eval(operand)?),
            ExprKind::Negate(operand) => arith::negate(&self.eval(operand)?, expr)?,
            ExprKind::BitNot(operand) => arith::bit_not(&self.eval(operand)?, operand.ty),
            ExprKind::Binary { op, left, right } => self.binary(expr, *op, left, right)?,
            ExprKind::IsNull { expr, negated } => logic::is_null(&self.eval(expr)?, *negated),
            ExprKind::IsDistinct { left, right, negated } => {
                let (l, r) = (self.eval(left)?, self.eval(right)?);
                compare::is_distinct(&l, &r, self.frame.rows, *negated)
            }
            ExprKind::InList { expr, list, negated } => self.in_list(expr, list, *negated)?,
            ExprKind::Match { op, expr: text, pattern, escape, negated } => {
                let rule = pattern::Rule { op: *op, escape: *escape, negated: *negated };
                rule.eval(&self.eval(text)?, &self.eval(pattern)?, pattern.span)?
            }
            ExprKind::Case { branches, otherwise } => {
                self.case(expr.ty, branches, otherwise.as_deref())?
            }
            ExprKind::Cast { expr: operand, lenient, range } => {
                self.cast(operand, expr, *lenient, *range)?
            }
            ExprKind::Call { function, args } if function.name == "try" => match args.as_slice() {
                [arg] => self.attempt(arg)?,
                _ => return Err(defect(expr.span, "TRY takes one expression")),
            },
            ExprKind::Call { function, args } => self.call(function, args, expr)?,
            ExprKind::Symbol(name) => Vector::Const(self.symbol(name, expr.span)?),
            ExprKind::Param(index) => Vector::Const(match self.engine.param(*index) {
                Some(value) => value.clone(),
                None => return Err(defect(expr.span, "a sub-query has no such parameter")),
            }),
            ExprKind::Query(query) => self.query(query, expr)?,
            ExprKind::Local(id) => self.local(*id, expr.span)?,
            ExprKind::Each(each) => self.each(each, expr)?,
        })
    }

    fn binary(
        &self,
        expr: &Expr,
        op: BinaryOp,
        left: &Expr,
        right: &Expr,
    ) -> Result<Vector, Diagnostic> {
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            return self.connect(op, left, right);
        }
        let (l, r) = (self.eval(left)?, self.eval(right)?);
        if let Some(comparison) = compare::Comparison::of(op) {
            return Ok(comparison.eval(&l, &r, self.frame.rows));
        }
        if op == BinaryOp::Concat {
            self.room_for_texts(&l, &r, expr.span)?;
        }
        let operands = arith::Operands { left: &l, right: &r, types: (left.ty, right.ty) };
        operands.eval(op, expr, self.frame.rows)
    }

    /// Fails if the joined texts would exceed the query's memory limit.
    fn room_for_texts(&self, left: &Vector, right: &Vector, span: Span) -> Result<(), Diagnostic> {
        let constant = left.is_const() && right.is_const();
        let rows = if constant { 1 } else { self.frame.rows };
        let bytes = |vector: &Vector| match vector {
            Vector::Const(Value::Text(text)) => text.len().saturating_mul(rows),
            Vector::Col(Col::Text(texts)) => texts.total_bytes_len(),
            _ => 0,
        };
        let bytes = bytes(left).saturating_add(bytes(right));
        if bytes < MUCH_TEXT { Ok(()) } else { self.engine.make(span, bytes) }
    }

    /// A frame of some rows, with the columns that the expression reads.
    fn part(&self, rows: &[u32], expr: &Expr) -> Frame {
        if rows.len() == self.frame.rows {
            return self.frame.clone();
        }
        let need = uses::of([expr], self.frame.cols.len());
        let cols = self.frame.cols.iter().zip(need);
        let cols = cols.map(|(c, need)| if need { c.take(rows) } else { Col::Null(rows.len()) });
        Frame::new(cols.collect(), rows.len()).with(&self.frame.locals, |c| c.take(rows))
    }

    fn symbol(&self, name: &str, span: Span) -> Result<Value<'static>, Diagnostic> {
        let mut found: Vec<(&str, u64)> = Vec::new();
        let mut because = Vec::new();
        for (source_name, source) in self.engine.cx.functions.sources {
            match source.memory().address_of(name) {
                Ok(address) => found.push((source_name, address)),
                Err(reason) => because.push(format!("{source_name}: {reason}")),
            }
        }
        let Some(&(_, address)) = found.first() else {
            let error =
                Diagnostic::at(Code::Symbols, span, format!("no symbol `{name}` was found"));
            return Err(because.into_iter().fold(error, Diagnostic::help));
        };
        if found.iter().all(|f| f.1 == address) {
            return Ok(Value::Addr(address));
        }
        let width = self.engine.cx.functions.width;
        let each = found.iter().map(|(source, a)| format!("{} in {source}", width.render(*a)));
        let each: Vec<String> = each.take(10).collect();
        let message = format!("`{name}` has several addresses: {}", each.join(", "));
        Err(Diagnostic::at(Code::Symbols, span, message)
            .help("open one dump at a time, or write the address"))
    }
}

impl Vector {
    fn is_all_null(&self) -> bool {
        matches!(self, Self::Const(Value::Null) | Self::Col(Col::Null(_)))
    }

    /// The values as a column; a constant has one row, which is read as row 0 for every row.
    fn to_col(&self) -> Col {
        match self {
            Self::Const(value) => Col::constant(value, 1),
            Self::Col(col) => col.clone(),
        }
    }

    fn is_const(&self) -> bool {
        matches!(self, Self::Const(_))
    }

    /// The values of a column; one that was computed from a row of constants becomes a constant.
    fn of(col: Col, constant: bool, ty: Ty) -> Self {
        if constant && col.len() == 1 {
            Self::Const(col.get(0, ty).into_owned())
        } else {
            Self::Col(col)
        }
    }
}

/// The rows whose bit is set.
fn rows_of(bits: &Bitmap) -> Vec<u32> {
    bits.true_idx_iter().map(|row| u32::try_from(row).unwrap_or(NO_ROW)).collect()
}

fn defect(span: Span, message: &str) -> Diagnostic {
    Diagnostic::at(Code::Internal, span, message)
}
