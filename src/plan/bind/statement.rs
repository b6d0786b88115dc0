//! Statements other than queries. All of them become queries over constants.

use super::query::set_tree;
use super::select::aggregate_schema;
use super::unify::settle_nulls;
use super::{Binder, Bound, Failed};
use crate::catalog::{FunctionKind, FunctionSpec, Setting, TableSpec, Ty, Value};
use crate::diag::{Code, Span};
use crate::lang::ast::{BinaryOp, Name, Query, SetOp, Statement, StatementKind};
use crate::plan::shared::placeholder;
use crate::plan::{AggregateCall, Expr, ExprKind, Field, Plan, Rel, convert};

impl Binder<'_> {
    pub(super) fn statement(&mut self, statement: &Statement) -> Bound<Plan> {
        let span = statement.span;
        Ok(match &statement.kind {
            // `plan::bind` handles EXPLAIN, because it has the plan that would run.
            StatementKind::Query(query) | StatementKind::Explain { query, .. } => {
                self.query(query)?
            }
            StatementKind::Describe(name) => self.describe(name)?,
            StatementKind::DescribeQuery(query) => {
                let plan = self.query(query)?;
                let row = |f: &Field| vec![text(&f.name, span), text(f.ty.name(), span)];
                let rows = plan.schema.iter().map(row).collect();
                Plan::values(rows, text_fields(&["column", "type"]), span)
            }
            StatementKind::ShowTables => self.show_tables(span),
            StatementKind::ShowFunctions => self.show_functions(span),
            StatementKind::Summarize(query) => self.summarize(query, span)?,
            StatementKind::ShowSettings => self.show_settings(None, span),
            StatementKind::Show(name) => {
                let shown = super::scope::dotted(&name.parts);
                let is = |s: &&Setting| s.name.eq_ignore_ascii_case(&shown);
                match self.catalog.settings().iter().find(is) {
                    Some(setting) => self.show_settings(Some(setting.name), span),
                    None => self.describe(name)?,
                }
            }
            StatementKind::Attach(_) | StatementKind::Detach(_) | StatementKind::Command(_) => {
                let message = "the statement is run by the session, it has no plan";
                return self.fail_at(Code::Internal, span, message);
            }
        })
    }

    fn describe(&mut self, name: &Name) -> Bound<Plan> {
        let shown = super::scope::dotted(&name.parts);
        let span = name.span;
        let Some(table) = self.catalog.table(&shown) else {
            return self.unknown_table(&shown, span);
        };
        let rows = table.columns.iter().map(|c| {
            let hidden = Expr::literal(Value::Bool(c.hidden), span);
            let unit = match c.unit.as_str() {
                "" => Expr::null(Ty::Text, span),
                unit => text(unit, span),
            };
            vec![text(c.name, span), text(c.ty.name(), span), unit, hidden, text(c.doc, span)]
        });
        let mut schema = text_fields(&["column", "type", "unit", "hidden", "doc"]);
        if let Some(hidden) = schema.get_mut(3) {
            hidden.ty = Ty::Bool;
        }
        Ok(Plan::values(rows.collect(), schema, span))
    }

    fn show_tables(&self, span: Span) -> Plan {
        let sources = |t: &TableSpec| -> String {
            t.kinds.iter().map(|k| k.as_str()).collect::<Vec<_>>().join(", ")
        };
        let rows = self.catalog.tables().iter().map(|t| {
            vec![
                text(t.name, span),
                text(t.answers, span),
                text(&sources(t), span),
                text(t.doc, span),
            ]
        });
        Plan::values(rows.collect(), text_fields(&["name", "answers", "sources", "doc"]), span)
    }

    /// All settings, or the one with that name.
    fn show_settings(&self, only: Option<&str>, span: Span) -> Plan {
        let wanted = |s: &&Setting| only.is_none_or(|only| only == s.name);
        let rows = self.catalog.settings().iter().filter(wanted).map(|s| {
            vec![
                text(s.name, span),
                text(&s.value, span),
                text(&s.default, span),
                text(s.doc, span),
            ]
        });
        Plan::values(rows.collect(), text_fields(&["name", "value", "default", "doc"]), span)
    }

    fn show_functions(&self, span: Span) -> Plan {
        let kind = |f: &FunctionSpec| match f.kind {
            FunctionKind::Scalar => "scalar",
            FunctionKind::Aggregate => "aggregate",
            FunctionKind::Window => "window",
            FunctionKind::Table => "table",
        };
        let example = |f: &FunctionSpec| match f.examples.first() {
            Some((call, result)) => text(&format!("{call} → {result}"), span),
            None => Expr::null(Ty::Text, span),
        };
        let rows = self.catalog.functions().iter().map(|f| {
            vec![
                text(f.name, span),
                text(kind(f), span),
                text(f.family, span),
                example(f),
                text(f.doc, span),
            ]
        });
        let names = ["name", "kind", "family", "example", "doc"];
        Plan::values(rows.collect(), text_fields(&names), span)
    }

    /// SUMMARIZE: one row per column of the query, with statistics of its values.
    fn summarize(&mut self, query: &Query, span: Span) -> Bound<Plan> {
        let plan = self.query(query)?;
        let input = settle_nulls(plan);
        let schema = input.schema.clone();
        let id = self.share(input);
        if let Some(shared) = self.shared.get_mut(id) {
            shared.uses = schema.len().max(2);
        }
        let source = Plan { rel: Rel::Shared { id, plan: placeholder() }, schema, span };
        let rows: Bound<Vec<Plan>> =
            (0..source.schema.len()).map(|column| self.summary(&source, column)).collect();
        set_tree(SetOp::Union, true, rows?, span).ok_or(Failed)
    }

    fn summary(&mut self, source: &Plan, column: usize) -> Bound<Plan> {
        let span = source.span;
        let Some(field) = source.schema.get(column) else { return Err(Failed) };
        let value = Expr::column(column, field, span);
        let numeric = matches!(field.ty, Ty::Int | Ty::Double);
        let calls = [
            ("count", None, false),
            ("count", Some(&value), false),
            ("count", Some(&value), true),
            ("min", Some(&value), false),
            ("max", Some(&value), false),
            ("avg", numeric.then_some(&value), false),
        ];
        let mut aggregates: Vec<AggregateCall> = Vec::new();
        for (name, arg, distinct) in calls {
            if arg.is_some() || name == "count" {
                aggregates.push(self.plain_aggregate(name, arg.cloned(), distinct, span)?);
            }
        }
        let columns: Vec<Field> = aggregate_schema(&[], &aggregates, &source.schema);
        let aggregate = |index: usize| {
            columns.get(index).map_or_else(
                || Expr::null(Ty::Double, span),
                |field| Expr::column(index, field, span),
            )
        };
        let as_text =
            |e: Expr| if e.ty == Ty::Text { e } else { convert::cast(e, Ty::Text, false) };
        let nulls = Expr::binary(BinaryOp::Sub, aggregate(0), aggregate(1), Ty::Int);
        let double = |e: Expr| convert::cast(e, Ty::Double, false);
        let hundred = Expr::literal(Value::Double(100.0), span);
        let scaled = Expr::binary(BinaryOp::Mul, hundred, double(nulls), Ty::Double);
        let percentage = Expr::binary(BinaryOp::Div, scaled, double(aggregate(0)), Ty::Double);
        let exprs = vec![
            text(&field.name, span),
            text(field.ty.name(), span),
            as_text(aggregate(3)),
            as_text(aggregate(4)),
            aggregate(2),
            if numeric { aggregate(5) } else { Expr::null(Ty::Double, span) },
            aggregate(0),
            percentage,
        ];
        let names = [
            "column_name",
            "column_type",
            "min",
            "max",
            "unique",
            "avg",
            "count",
            "null_percentage",
        ];
        let input = Box::new(source.clone());
        let rel = Rel::Aggregate { input, keys: Vec::new(), aggregates };
        let plan = Plan { rel, schema: columns, span };
        Ok(plan.project(exprs, names.map(str::to_owned).to_vec()))
    }

    fn plain_aggregate(
        &mut self,
        name: &str,
        arg: Option<Expr>,
        distinct: bool,
        span: Span,
    ) -> Bound<AggregateCall> {
        let Some(function) = self.catalog.function(name) else {
            return self.unknown_function(name, span);
        };
        let (args, ty, format) = match arg {
            Some(arg) => {
                let fitted = self.fit(function, vec![arg], span)?;
                (fitted.args, fitted.ty, fitted.format)
            }
            None => (Vec::new(), Ty::Int, crate::catalog::Format::Plain),
        };
        let (filter, order_by) = (None, Vec::new());
        Ok(AggregateCall { function, args, distinct, filter, order_by, ty, format, span })
    }
}

fn text(value: &str, span: Span) -> Expr {
    let value = Value::text(value.to_owned());
    Expr::new(ExprKind::Literal(value), Ty::Text, span)
}

fn text_fields(names: &[&str]) -> Vec<Field> {
    names.iter().map(|name| Field::text(name)).collect()
}
