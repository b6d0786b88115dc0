//! Pulls conditions over aggregations, windows, and the first rows of each group.

use super::super::decorrelate::Functions;
use super::Pulled;
use crate::catalog::{Format, Ty, Value};
use crate::diag::Span;
use crate::lang::ast::BinaryOp;
use crate::plan::walk::conjunction;
use crate::plan::{AggregateCall, Expr, Field, Frame, Plan, Rel, SortKey, WindowCall, WindowKind};

impl Pulled {
    /// An aggregation with the columns of the keys as additional group keys.
    pub(super) fn group(
        self,
        mut keys: Vec<Expr>,
        aggregates: Vec<AggregateCall>,
        schema: Vec<Field>,
        span: Span,
    ) -> Self {
        let own = keys.len();
        let more = self.key_columns();
        let names = self.plan.names();
        let of_more = more.iter().zip(&self.keys).map(|(key, (_, column))| {
            Field::of(key, names.get(*column).cloned().unwrap_or_default())
        });
        let count = more.len();
        let mut fields: Vec<Field> = schema.iter().take(own).cloned().collect();
        fields.extend(of_more);
        fields.extend(schema.iter().skip(own).cloned());
        keys.extend(more);
        let rel = Rel::Aggregate { input: Box::new(self.plan), keys, aggregates };
        let plan = Plan { rel, schema: fields, span };
        let taken = self.keys.into_iter().zip(own..).map(|((outer, _), place)| (outer, place));
        let grouped = Self { plan, keys: taken.collect(), ..self };
        let columns = grouped.plan.columns();
        let order = (0..own).chain(own + count..columns.len());
        let exprs = order.filter_map(|i| columns.get(i).cloned()).collect();
        let names = schema.into_iter().map(|f| f.name).collect();
        grouped.project(exprs, names)
    }

    /// Windows with the columns of the keys as additional partition keys; the window columns come
    /// last.
    pub(super) fn window(
        self,
        partition: Vec<Expr>,
        order: Vec<SortKey>,
        calls: Vec<WindowCall>,
        own: Vec<Field>,
    ) -> Self {
        let (mut fields, span) = (self.plan.schema.clone(), self.plan.span);
        fields.extend(own);
        let rel = Rel::Window { input: Box::new(self.plan), partition, order, calls };
        Self { plan: Plan { rel, schema: fields, span }, ..self }
    }

    /// The first rows for each combination of the keys.
    pub(super) fn first_of_each(
        self,
        limit: Option<usize>,
        offset: usize,
        functions: Functions,
    ) -> Option<Self> {
        if limit.is_none() && offset == 0 {
            return Some(self);
        }
        let width = self.plan.schema.len();
        let span = self.plan.span;
        let call = AggregateCall {
            function: functions.row_number?,
            args: Vec::new(),
            distinct: false,
            filter: None,
            order_by: Vec::new(),
            ty: Ty::Int,
            format: Format::Plain,
            span,
        };
        let number = WindowCall {
            kind: WindowKind::RowNumber,
            call,
            ignore_nulls: false,
            frame: Frame::UP_TO_CURRENT,
        };
        let field = Field { name: "row".to_owned(), ty: Ty::Int, format: Format::Plain };
        let partition = self.key_columns();
        let names = self.plan.names();
        let numbered = self.window(partition, Vec::new(), vec![number], vec![field.clone()]);
        let row = Expr::column(width, &field, span);
        let whole =
            |n: usize| Expr::literal(Value::Int(i64::try_from(n).unwrap_or(i64::MAX)), span);
        let mut terms = vec![Expr::binary(BinaryOp::Gt, row.clone(), whole(offset), Ty::Bool)];
        if let Some(limit) = limit {
            let last = whole(offset.saturating_add(limit));
            terms.push(Expr::binary(BinaryOp::LtEq, row, last, Ty::Bool));
        }
        let predicate = conjunction(terms)?;
        let kept = numbered.over(|plan| plan.filter(predicate));
        let mut exprs = kept.plan.columns();
        exprs.truncate(width);
        Some(kept.project(exprs, names))
    }
}
