//! Samples: rows are selected by a hash of the row number and the seed, so that the same seed
//! selects the same rows.

use super::Bound;
use super::from::Source;
use super::query::first_columns;
use super::{Binder, Failed};
use crate::catalog::{Format, Ty, Value};
use crate::lang::ast::{BinaryOp, Sample, SampleMethod, SampleSize};
use crate::plan::{
    AggregateCall, Expr, ExprKind, Field, Frame, Plan, Rel, SortKey, WindowCall, WindowKind,
    convert,
};

impl Binder<'_> {
    /// A sample of the rows of a table.
    pub(super) fn sample(&mut self, (plan, scope): Source, sample: &Sample) -> Bound<Source> {
        let (span, width) = (sample.span, plan.schema.len());
        let numbered = self.windowed_by(plan, &[("row_number", WindowKind::RowNumber)], None)?;
        let Some(hash) = self.catalog.function("hash") else {
            return self.unknown_function("hash", span);
        };
        let number = numbered.columns().pop().ok_or(Failed)?;
        #[allow(clippy::cast_possible_wrap, reason = "the bits of a seed matter, not its value")]
        let seed = Expr::literal(Value::Int(sample.seed.unwrap_or(0) as i64), span);
        let kind = ExprKind::Call { function: hash, args: vec![number, seed] };
        let key = Expr::new(kind, Ty::Addr, span);
        let condition =
            |left: Expr, right: Expr| Expr::binary(BinaryOp::LtEq, left, right, Ty::Bool);
        let (plan, chosen) = match (sample.method, sample.size) {
            (SampleMethod::Bernoulli, SampleSize::Percent(share)) => {
                let share = Expr::literal(Value::Double(share / 100.0 * TWO_TO_64), span);
                (numbered, condition(convert::cast(key, Ty::Double, false), share))
            }
            (_, size) => {
                let key = SortKey { expr: key, descending: false, nulls_first: false };
                let calls =
                    [("row_number", WindowKind::RowNumber), ("count", WindowKind::Aggregate)];
                let ranked = self.windowed_by(numbered, &calls[..1], Some(key))?;
                let ranked = self.windowed_by(ranked, &calls[1..], None)?;
                let mut columns = ranked.columns().into_iter().skip(width + 1);
                let (rank, count) = (columns.next().ok_or(Failed)?, columns.next().ok_or(Failed)?);
                let chosen = match size {
                    SampleSize::Rows(rows) => {
                        let rows = Value::Int(i64::try_from(rows).unwrap_or(i64::MAX));
                        condition(rank, Expr::literal(rows, span))
                    }
                    SampleSize::Percent(share) => {
                        let share = Expr::literal(Value::Double(share), span);
                        let hundred = Expr::literal(Value::Double(100.0), span);
                        let [rank, count] =
                            [rank, count].map(|e| convert::cast(e, Ty::Double, false));
                        let times = |a, b| Expr::binary(BinaryOp::Mul, a, b, Ty::Double);
                        condition(times(rank, hundred), times(count, share))
                    }
                };
                (ranked, chosen)
            }
        };
        Ok((first_columns(plan.filter(chosen), width), scope))
    }

    /// Appends the values of window functions over all rows in an order.
    fn windowed_by(
        &mut self,
        plan: Plan,
        functions: &[(&str, WindowKind)],
        order: Option<SortKey>,
    ) -> Bound<Plan> {
        let span = plan.span;
        let (mut schema, mut calls) = (plan.schema.clone(), Vec::new());
        for (name, kind) in functions {
            let Some(function) = self.catalog.function(name) else {
                return self.unknown_function(name, span);
            };
            let call = AggregateCall {
                function,
                args: Vec::new(),
                distinct: false,
                filter: None,
                order_by: Vec::new(),
                ty: Ty::Int,
                format: Format::Plain,
                span,
            };
            let frame = Frame::UP_TO_CURRENT;
            calls.push(WindowCall { kind: *kind, call, ignore_nulls: false, frame });
            schema.push(Field { name: (*name).to_owned(), ty: Ty::Int, format: Format::Plain });
        }
        let order = order.into_iter().collect();
        let rel = Rel::Window { input: Box::new(plan), partition: Vec::new(), order, calls };
        Ok(Plan { rel, schema, span })
    }
}

/// One more than the largest hash.
const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;
