//! List functions that evaluate an expression for each element. The elements of many lists are
//! evaluated together, as a frame in which each row is repeated for its elements.

use super::{Eval, PART_ROWS, Vector, defect};
use crate::catalog::{ListBuilder, Nested, Ty, Value, Values};
use crate::diag::{Code, Diagnostic, Span};
use crate::exec::aggregate;
use crate::exec::col::{Col, bits};
use crate::exec::frame::Frame;
use crate::exec::uses;
use crate::plan::{AggregateCall, Each, EachWork, Expr, ExprKind};

/// The approximate memory of an element while all elements of a frame are in memory.
const ELEMENT_BYTES: usize = 48;

/// How many bytes of lists are made before the query's memory is looked at.
const BYTES_BETWEEN_LOOKS: usize = 1 << 20;

/// List elements to be evaluated together.
#[derive(Default)]
struct Waiting<'v> {
    /// The row of each element.
    rows: Vec<u32>,
    /// Its position in the list, from 1.
    places: Vec<Value<'static>>,
    values: Vec<Value<'v>>,
}

/// Lists under construction, one per row; `None` for NULL.
type Lists = Vec<Option<ListBuilder>>;

impl Eval<'_> {
    pub(super) fn each(&self, each: &Each, expr: &Expr) -> Result<Vector, Diagnostic> {
        let list = self.eval(&each.list)?;
        if list.is_all_null() {
            return Ok(Vector::Const(Value::Null));
        }
        let constant = list.is_const() && !reads_row(each);
        if constant && self.frame.rows > 1 {
            let one = self.frame.slice(0, 1);
            return Eval::new(self.engine, &one).each(each, expr);
        }
        let col = match list {
            Vector::Const(value) => Col::constant(&value, self.frame.rows),
            Vector::Col(col) => col,
        };
        let computed = match &each.work {
            EachWork::Transform(body) => self.mapped(each, &col, body, expr.ty, false)?,
            EachWork::Filter(condition) => self.mapped(each, &col, condition, expr.ty, true)?,
            EachWork::Reduce { body, initial } => {
                self.reduced(each, &col, body, initial.as_ref(), expr)?
            }
            EachWork::Aggregate(call) => self.aggregated(each, &col, call)?,
        };
        Ok(Vector::of(computed, constant, expr.ty))
    }

    /// An argument of an enclosing lambda.
    pub(super) fn local(&self, id: usize, span: Span) -> Result<Vector, Diagnostic> {
        let found = self.frame.locals.iter().rev().find(|(own, _)| *own == id);
        found
            .map(|(_, col)| Vector::Col(col.clone()))
            .ok_or_else(|| defect(span, "an argument of a lambda is read outside it"))
    }

    /// `list_transform` and, if `filters` is set, `list_filter`.
    fn mapped(
        &self,
        each: &Each,
        col: &Col,
        body: &Expr,
        ty: Ty,
        filters: bool,
    ) -> Result<Col, Diagnostic> {
        let Col::Text(codes) = col else { return Ok(Col::Null(col.len())) };
        let element = ty.element().unwrap_or(Ty::Null);
        let new = |row| (!col.is_null(row)).then(|| ListBuilder::new(element));
        let mut lists: Lists = (0..col.len()).map(new).collect();
        let mut waiting = Waiting::default();
        for (row, there) in (0u32..).zip(0..col.len()) {
            if col.is_null(there) {
                continue;
            }
            let values = Nested::read(codes.value(there), each.list.ty);
            for (place, value) in (1i64..).zip(values) {
                waiting.rows.push(row);
                waiting.places.push(Value::Int(place));
                waiting.values.push(value);
                if waiting.rows.len() >= PART_ROWS {
                    self.flush(each, &mut waiting, body, filters, &mut lists)?;
                }
            }
        }
        self.flush(each, &mut waiting, body, filters, &mut lists)?;
        let done: Vec<Option<Nested<'_>>> =
            lists.into_iter().map(|list| list.map(|list| list.finish(ty))).collect();
        Ok(Col::text(done.iter().map(|list| list.as_ref().map(Nested::code))))
    }

    /// Evaluates the waiting elements, and appends the results to their lists.
    fn flush(
        &self,
        each: &Each,
        waiting: &mut Waiting<'_>,
        body: &Expr,
        filters: bool,
        lists: &mut Lists,
    ) -> Result<(), Diagnostic> {
        self.engine.check_cancelled()?;
        let element = each.list.ty.element().unwrap_or(Ty::Null);
        let locals = [
            Col::from_values(&waiting.values, element),
            Col::from_values(&waiting.places, Ty::Int),
        ];
        let frame = self.repeated(&waiting.rows, &[body], &each.params, locals.into());
        let eval = Eval::new(self.engine, &frame);
        let mut bytes = 0usize;
        let mut push = |row: u32, value: &Value<'_>| {
            if let Some(Some(list)) = lists.get_mut(row as usize) {
                let before = list.bytes();
                list.push(value);
                bytes = bytes.saturating_add(list.bytes() - before);
            }
            if bytes < BYTES_BETWEEN_LOOKS {
                return Ok(());
            }
            self.engine.make(body.span, std::mem::take(&mut bytes))
        };
        if filters {
            let keep = eval.predicate(body)?;
            for at in keep.true_idx_iter() {
                push(waiting.rows[at], &waiting.values[at])?;
            }
        } else {
            let results = eval.column(body)?;
            for (at, row) in waiting.rows.iter().enumerate() {
                push(*row, &results.get(at, body.ty))?;
            }
        }
        waiting.rows.clear();
        waiting.places.clear();
        waiting.values.clear();
        self.engine.make(body.span, bytes)
    }

    /// The rows with these indices, with the arguments of a lambda.
    fn repeated(&self, rows: &[u32], exprs: &[&Expr], params: &[usize], locals: Vec<Col>) -> Frame {
        let need = uses::of(exprs.iter().copied(), self.frame.cols.len());
        let cols = self.frame.cols.iter().zip(need);
        let cols = cols.map(|(c, need)| if need { c.take(rows) } else { Col::Null(rows.len()) });
        let mut frame = Frame::new(cols.collect(), rows.len());
        let outer = self.frame.locals.iter().map(|(id, col)| (*id, col.take(rows)));
        frame.locals = outer.chain(params.iter().copied().zip(locals)).collect();
        frame
    }

    /// `list_reduce`: each step processes the next element of all lists that have one.
    fn reduced(
        &self,
        each: &Each,
        col: &Col,
        body: &Expr,
        initial: Option<&Expr>,
        expr: &Expr,
    ) -> Result<Col, Diagnostic> {
        let Col::Text(codes) = col else { return Ok(Col::Null(col.len())) };
        let element = each.list.ty.element().unwrap_or(Ty::Null);
        let initial = initial.map(|e| self.column(e)).transpose()?;
        let mut results: Vec<Value<'static>> = Vec::with_capacity(col.len());
        let mut live: Vec<(u32, Values<'_>)> = Vec::new();
        for (row, at) in (0u32..).zip(0..col.len()) {
            let mut values =
                Nested::read(if col.is_null(at) { "" } else { codes.value(at) }, each.list.ty);
            results.push(match &initial {
                _ if col.is_null(at) => Value::Null,
                Some(initial) => initial.get(at, expr.ty).into_owned(),
                None => match values.next() {
                    Some(first) => first.into_owned(),
                    None => return Err(nothing_to_reduce(expr.span)),
                },
            });
            live.push((row, values));
        }
        let first = if initial.is_some() { 1i64 } else { 2 };
        for place in first.. {
            self.engine.check_cancelled()?;
            let mut next = Vec::with_capacity(live.len());
            let mut rows = Vec::with_capacity(live.len());
            live.retain_mut(|(row, values)| {
                let value = values.next();
                let goes_on = value.is_some();
                if let Some(value) = value {
                    next.push(value);
                    rows.push(*row);
                }
                goes_on
            });
            if rows.is_empty() {
                break;
            }
            let so_far: Vec<Value<'_>> =
                rows.iter().map(|&row| results[row as usize].borrowed()).collect();
            let locals = vec![
                Col::from_values(&so_far, expr.ty),
                Col::from_values(&next, element),
                Col::constant(&Value::Int(place), rows.len()),
            ];
            let frame = self.repeated(&rows, &[body], &each.params, locals);
            let step = Eval::new(self.engine, &frame).column(body)?;
            let mut bytes = 0usize;
            for (at, &row) in rows.iter().enumerate() {
                let value = step.get(at, expr.ty).into_owned();
                bytes = bytes.saturating_add(size(&value));
                results[row as usize] = value;
            }
            self.engine.check_room(expr.span, bytes)?;
        }
        Ok(Col::from_values(&results, expr.ty))
    }

    /// An aggregate of the elements of each list.
    fn aggregated(&self, each: &Each, col: &Col, call: &AggregateCall) -> Result<Col, Diagnostic> {
        let Col::Text(codes) = col else { return Ok(Col::Null(col.len())) };
        let element = each.list.ty.element().unwrap_or(Ty::Null);
        let mut rows: Vec<u32> = Vec::new();
        let mut values: Vec<Value<'_>> = Vec::new();
        for (row, at) in (0u32..).zip(0..col.len()) {
            if col.is_null(at) {
                continue;
            }
            for value in Nested::read(codes.value(at), each.list.ty) {
                rows.push(row);
                values.push(value);
                if rows.len().is_multiple_of(PART_ROWS) {
                    self.engine.check_room(call.span, rows.len().saturating_mul(ELEMENT_BYTES))?;
                }
            }
        }
        let local = vec![Col::from_values(&values, element)];
        let exprs: Vec<&Expr> = call.exprs().collect();
        let frame = self.repeated(&rows, &exprs, &each.params, local);
        drop(values);
        let of_lists =
            aggregate::of_groups(self.engine, &frame, (Some(&rows), false), col.len(), call)?;
        Ok(of_lists.mask(&bits((0..col.len()).map(|row| !col.is_null(row)))))
    }
}

fn nothing_to_reduce(span: Span) -> Diagnostic {
    Diagnostic::at(Code::Conversion, span, "a list without elements cannot be reduced")
        .help("give the first result: list_reduce(list, (a, b) -> …, first)")
}

/// The heap memory of a value.
pub(super) fn size(value: &Value<'_>) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Blob(_) | Value::Uuid(_) | Value::List(_) | Value::Struct(_) | Value::Map(_) => {
            value.as_code().map_or(0, str::len)
        }
        _ => 0,
    }
}

/// Whether the expression reads more than the list, so that its result differs from row to row.
fn reads_row(each: &Each) -> bool {
    let mut reads = false;
    for expr in each.exprs() {
        let mut own: Vec<usize> = each.params.clone();
        expr.visit(&mut |e| match &e.kind {
            ExprKind::Column(_) | ExprKind::Query(_) => reads = true,
            ExprKind::Each(inner) => own.extend(&inner.params),
            ExprKind::Local(id) => reads |= !own.contains(id),
            _ => {}
        });
    }
    reads
}
