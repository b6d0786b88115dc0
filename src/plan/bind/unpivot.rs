//! UNPIVOT: repeats each row for each column, by a cross join with the column names.

use super::expr::{Place, case_of};
use super::from::Source;
use super::pivot::distinctly_named;
use super::scope::Scope;
use super::{Binder, Bound, Failed};
use crate::catalog::{Format, Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::walk::{self, Visit};
use crate::lang::ast::{self, BinaryOp, ExprKind as AstKind, SelectItem, Unpivot};
use crate::plan::walk::conjunction;
use crate::plan::{Expr, ExprKind, Field, JoinForm, JoinKind, Plan, Rel};

/// The maximum number of columns that can become rows.
const MAX_COLUMNS: usize = 1_000;

/// The content of one output row: its name, and a value for each of the new columns.
struct Entry {
    name: String,
    values: Vec<Expr>,
}

impl Binder<'_> {
    /// Binds an UNPIVOT over the rows of a table.
    pub(super) fn unpivot(&mut self, (plan, scope): Source, unpivot: &Unpivot) -> Bound<Source> {
        let span = unpivot.span;
        let mut entries = Vec::new();
        for item in &unpivot.items {
            self.unpivoted(item, &scope, &mut entries)?;
            if entries.len() > MAX_COLUMNS {
                let message = format!("UNPIVOT takes more than {MAX_COLUMNS} columns");
                return self.fail_at(Code::Limit, span, message);
            }
        }
        let count = unpivot.values.len();
        if let Some(odd) = entries.iter().find(|entry| entry.values.len() != count) {
            let at = odd.values.first().map_or(span, |value| value.span);
            let found = odd.values.len();
            let message = format!("UNPIVOT makes {count} columns of values, this has {found}");
            let error = Diagnostic::at(Code::BadQuery, at, message);
            return self.fail(error.help("write ON (a, b), (c, d) INTO NAME n VALUE v, w"));
        }
        self.grow(entries.len().saturating_mul(count), span)?;
        let kept = kept_columns(&scope, &entries);
        let width = plan.schema.len();
        let (names, values): (Vec<String>, Vec<Vec<Expr>>) =
            entries.into_iter().map(|entry| (entry.name, entry.values)).unzip();
        let joined = with_each(plan, &names, span);
        let number = joined.columns().into_iter().nth(width).ok_or(Failed)?;
        let name = joined.columns().pop().ok_or(Failed)?;
        let (mut exprs, mut fields): (Vec<Expr>, Vec<String>) = kept.into_iter().unzip();
        let first_value = exprs.len() + 1;
        exprs.push(name);
        fields.push(unpivot.name.text.clone());
        for (index, ident) in unpivot.values.iter().enumerate() {
            let column = values.iter().filter_map(|values| values.get(index)).cloned().collect();
            let column = self.unify(column, "the columns of UNPIVOT")?;
            exprs.push(chosen(&number, column, span));
            fields.push(ident.text.clone());
        }
        let mut plan = joined.project(exprs, fields);
        if !unpivot.nulls {
            let values = plan.columns().into_iter().skip(first_value);
            let there = values.map(|value| {
                let kind = ExprKind::IsNull { expr: Box::new(value), negated: true };
                Expr::new(kind, Ty::Bool, span)
            });
            if let Some(condition) = conjunction(there.collect()) {
                plan = plan.filter(condition);
            }
        }
        Ok(distinctly_named(plan))
    }

    /// The entries of an item: columns, or a row of columns.
    fn unpivoted(&mut self, item: &SelectItem, scope: &Scope, into: &mut Vec<Entry>) -> Bound<()> {
        let place = Place::plain(scope, "UNPIVOT");
        match item {
            SelectItem::Star { .. } => {
                for (name, expr) in self.star_columns(item, place)? {
                    into.push(Entry { name, values: vec![expr] });
                }
            }
            SelectItem::Expr { expr, alias } => {
                let alias = alias.as_ref().map(|alias| alias.text.clone());
                if let AstKind::Row(parts) = &expr.kind {
                    let names = parts.iter().map(|part| self.column_name(part, scope));
                    let names = names.collect::<Bound<Vec<String>>>();
                    let name = alias.map_or_else(|| names.map(|names| names.join("_")), Ok)?;
                    into.push(Entry { name, values: self.exprs(parts, place)? });
                    return Ok(());
                }
                for (column, value) in self.spread(expr, place) {
                    let value = value?;
                    let name = match alias.clone().or(column) {
                        Some(name) => name,
                        None => self.column_name(expr, scope)?,
                    };
                    into.push(Entry { name, values: vec![value] });
                }
            }
        }
        Ok(())
    }

    /// The name of the only column in an expression.
    fn column_name(&mut self, expr: &ast::Expr, scope: &Scope) -> Bound<String> {
        let mut named = Named { scope, found: Vec::new() };
        walk::expr(&mut named, &mut expr.clone());
        named.found.dedup();
        if let [name] = named.found.as_slice() {
            return Ok(name.clone());
        }
        let message = "UNPIVOT needs a name for what is not one column";
        let error = Diagnostic::at(Code::BadQuery, expr.span, message);
        self.fail(error.help("write a + b AS name"))
    }
}

/// Collects the names of the columns that an expression names.
struct Named<'s> {
    scope: &'s Scope,
    found: Vec<String>,
}

impl Visit for Named<'_> {
    fn expr(&mut self, expr: &mut ast::Expr) {
        if let AstKind::Column(name) = &expr.kind {
            let known = self.scope.find(name).map(|column| column.name.clone());
            self.found.extend(known.ok().or_else(|| name.parts.last().map(|p| p.text.clone())));
        }
    }
}

/// The columns that no entry reads, with their names.
fn kept_columns(scope: &Scope, entries: &[Entry]) -> Vec<(Expr, String)> {
    let read = |column: &Expr| {
        let mut found = false;
        for value in entries.iter().flat_map(|entry| &entry.values) {
            value.visit(&mut |part| found |= part.same(column));
        }
        found
    };
    let columns = scope.star(None).unwrap_or_default().into_iter();
    columns.filter(|c| !read(&c.expr)).map(|c| (c.expr.clone(), c.name.clone())).collect()
}

/// Each row combined with each entry number and name.
fn with_each(plan: Plan, names: &[String], span: Span) -> Plan {
    let row = |(number, name): (i64, &String)| {
        let name = Expr::literal(Value::text(name.clone()), span);
        vec![Expr::literal(Value::Int(number), span), name]
    };
    let rows = (0..).zip(names).map(row).collect();
    let number = Field { name: "number".to_owned(), ty: Ty::Int, format: Format::Plain };
    let right = Plan::values(rows, vec![number, Field::text("name")], span);
    let schema = plan.schema.iter().chain(&right.schema).cloned().collect();
    let rel = Rel::Join {
        left: Box::new(plan),
        right: Box::new(right),
        kind: JoinKind::Cross,
        keys: Vec::new(),
        residual: None,
        args: Vec::new(),
        form: JoinForm::Rows,
    };
    Plan { rel, schema, span }
}

/// The value of the entry whose number is in the row.
fn chosen(number: &Expr, values: Vec<Expr>, span: Span) -> Expr {
    let is = |at: i64| {
        let at = Expr::literal(Value::Int(at), span);
        Expr::binary(BinaryOp::Eq, number.clone(), at, Ty::Bool)
    };
    let conditions = (0..).take(values.len()).map(is).collect();
    case_of(conditions, values, span)
}
