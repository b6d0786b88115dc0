//! `FROM`: tables, sub-queries and joins, and the scope that they make.
//!
//! A scan is bound with all columns of its table, and behind them the reasons for the absence of
//! each; `rewrite` drops what nobody reads. Tables of several open sources are joined by the
//! conditions written and no others: whoever wants rows of one dump together adds `dump` to
//! `USING` or `ON` (NATURAL takes it by itself, as it is visible then).

use std::sync::Arc;

use super::expr::Place;
use super::join::{Joined, equi_keys, key_types};
use super::scope::{LISTED, Miss, Scope, ScopeColumn, dotted, listed};
use super::unify::settle_nulls;
use super::{Binder, Bound, Failed};
use crate::catalog::TableSpec;
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, Ident, JoinKind, JoinOn, Name, TableAlias, TableRef, TableRefKind};
use crate::plan::shared::placeholder;
use crate::plan::walk::{conjunction, split_and};
use crate::plan::{ExprKind, Field, Plan, Rel, ScanColumn, Scanned};

/// Rows and the names of their columns.
pub(super) type Source = (Plan, Scope);

impl Binder<'_> {
    pub(super) fn table_ref(&mut self, table: &TableRef) -> Bound<Source> {
        // Joins lean to the left: the left side is walked without recursion.
        let mut joins = Vec::new();
        let mut first = table;
        while let (TableRefKind::Join { left, right, kind, on }, None) = (&first.kind, &first.alias)
        {
            joins.push((right, *kind, on, first.span));
            first = left;
        }
        let span = first.span;
        self.deeper(joins.len() + 1, table.span, |binder| {
            let mut source = binder.primary(first, span);
            for (right, kind, on, span) in joins.into_iter().rev() {
                source = binder.join(source, right, kind, on, span);
            }
            source
        })
    }

    fn primary(&mut self, table: &TableRef, span: Span) -> Bound<Source> {
        let (mut plan, mut scope) = match &table.kind {
            TableRefKind::Table(name) => self.named(name)?,
            TableRefKind::File(file) => self.file(file.span)?,
            TableRefKind::Function { name, args, .. } => {
                self.table_function(name, args, table.span)?
            }
            TableRefKind::Subquery { query, lateral } => {
                if *lateral {
                    return self.lateral(table.span);
                }
                let plan = self.query(query)?;
                let plan = settle_nulls(plan);
                let scope = scope_of(&plan, "");
                (plan, scope)
            }
            TableRefKind::Join { .. } => {
                let inner = TableRef { alias: None, ..table.clone() };
                self.table_ref(&inner)?
            }
        };
        plan.span = span;
        if let Some(alias) = &table.alias {
            self.apply_alias(&mut plan, &mut scope, alias)?;
        }
        Ok((plan, scope))
    }

    fn named(&mut self, name: &Name) -> Bound<Source> {
        let shown = dotted(&name.parts);
        if name.parts.len() == 1
            && let Some(cte) = self.ctes.iter().rev().find(|c| c.name.eq_ignore_ascii_case(&shown))
        {
            let id = cte.shared.ok_or(Failed)?;
            return self.reference(id, &shown, name.span);
        }
        if let Some(view) = self.definitions.view(&shown) {
            return self.view(&Arc::clone(view), name.span);
        }
        match self.catalog.table(&shown) {
            Some(spec) => Ok(scan(spec, name.span)),
            None => self.unknown_table(&shown, name.span),
        }
    }

    pub(super) fn reference(&mut self, id: usize, name: &str, span: Span) -> Bound<Source> {
        let depth = self.shared.get(id).map_or(0, |s| s.depth);
        self.check_depth(depth, span)?;
        let Some(shared) = self.shared.get_mut(id) else { return Err(Failed) };
        shared.uses += 1;
        let schema = shared.plan.schema.clone();
        let plan = Plan { rel: Rel::Shared { id, plan: placeholder() }, schema, span };
        let scope = scope_of(&plan, name);
        Ok((plan, scope))
    }

    pub(super) fn unknown_table<T>(&mut self, name: &str, span: Span) -> Bound<T> {
        let error = Diagnostic::at(Code::UnknownTable, span, format!("no table `{name}`"));
        let tables = self.catalog.tables().iter().map(|t| t.name);
        let names: Vec<&str> = self.ctes.iter().map(|c| c.name.as_str()).chain(tables).collect();
        let error = error.nearest(name, names.iter().copied());
        self.fail(if names.len() > LISTED {
            error.help("SHOW TABLES lists them all")
        } else {
            error.help(format!("tables: {}", listed(&names)))
        })
    }

    fn lateral<T>(&mut self, span: Span) -> Bound<T> {
        let message = "LATERAL sub-queries are not run by this version";
        self.fail(
            Diagnostic::at(Code::Unsupported, span, message)
                .help("write the condition in JOIN … ON; for a value per row, join with a sub-query that has GROUP BY"),
        )
    }

    fn apply_alias(&mut self, plan: &mut Plan, scope: &mut Scope, alias: &TableAlias) -> Bound<()> {
        let visible = scope.columns.iter_mut().filter(|c| !c.hidden && !c.shadowed);
        let mut visible: Vec<&mut ScopeColumn> = visible.collect();
        if let Some(extra) = alias.columns.get(visible.len()) {
            let message =
                format!("{} column names for {} columns", alias.columns.len(), visible.len());
            return self.fail_at(Code::BadQuery, extra.span, message);
        }
        for (column, name) in visible.iter_mut().zip(&alias.columns) {
            column.name.clone_from(&name.text);
            if let ExprKind::Column(index) = column.expr.kind
                && let Some(field) = plan.schema.get_mut(index)
            {
                field.name.clone_from(&name.text);
            }
        }
        for column in &mut scope.columns {
            column.qualifier = Some(alias.name.text.clone());
        }
        scope.columns.retain(|c| !c.shadowed);
        scope.tables = vec![alias.name.text.clone()];
        Ok(())
    }

    pub(super) fn join(
        &mut self,
        left: Bound<Source>,
        right: &TableRef,
        kind: JoinKind,
        on: &JoinOn,
        span: Span,
    ) -> Bound<Source> {
        // Sub-queries on the right that name columns of the left are lateral, which is told apart.
        let seen = left.as_ref().map(|(_, scope)| scope.clone()).unwrap_or_default();
        self.outer.push(Arc::new(seen));
        let bound = self.table_ref(right);
        self.outer.pop();
        let ((left, left_scope), (right, mut right_scope)) = (left?, bound?);
        let both = |t: &&String| left_scope.tables.iter().any(|l| l.eq_ignore_ascii_case(t));
        if let Some(twice) = right_scope.tables.iter().find(both) {
            let message = format!("two tables are called `{twice}`");
            let error = Diagnostic::at(Code::BadQuery, right.span.to(span), message);
            return self.fail(error.help(format!("give one another name: … AS {twice}2")));
        }
        let width = left.schema.len();
        for column in &mut right_scope.columns {
            column.expr.map_columns(&|i| i + width);
            if let Some(why) = &mut column.why {
                why.map_columns(&|i| i + width);
            }
        }
        let joined = Joined { left, right, left_scope, right_scope, kind, span };
        match on {
            JoinOn::Condition(condition) => self.join_on(joined, condition),
            JoinOn::Using(names) => self.join_using(joined, names),
            JoinOn::Natural => {
                let names = joined.common_names();
                if names.is_empty() {
                    let message = "NATURAL JOIN finds no column that both sides have";
                    return self.fail(
                        Diagnostic::at(Code::BadQuery, span, message)
                            .help("write the condition with ON, or CROSS JOIN"),
                    );
                }
                self.join_using(joined, &names)
            }
            JoinOn::None => Ok(joined.finish(Vec::new(), None)),
        }
    }

    fn join_on(&mut self, joined: Joined, condition: &ast::Expr) -> Bound<Source> {
        let scope = joined.both();
        let condition = self.condition(condition, Place::plain(&scope, "ON"), "ON")?;
        let mut terms = Vec::new();
        split_and(condition, &mut terms);
        let (keys, rest) = equi_keys(terms, joined.left.schema.len());
        Ok(joined.finish(keys, conjunction(rest)))
    }

    fn join_using(&mut self, mut joined: Joined, names: &[Ident]) -> Bound<Source> {
        let width = joined.left.schema.len();
        let mut keys = Vec::with_capacity(names.len());
        let mut merged = Vec::with_capacity(names.len());
        for name in names {
            let left = self.using_column(&joined.left_scope, name, "left");
            let right = self.using_column(&joined.right_scope, name, "right");
            let (Ok(left), Ok(right)) = (left, right) else { continue };
            let (a, b) = self.comparable(left.expr.clone(), right.expr.clone(), name.span)?;
            let (a, mut b) = key_types(a, b);
            b.map_columns(&|i| i - width);
            keys.push((a, b));
            merged.push((name, left, right));
        }
        if merged.len() != names.len() {
            return Err(Failed);
        }
        for (name, left, right) in merged {
            self.merge(&mut joined, name, left, right)?;
        }
        Ok(joined.finish(keys, None))
    }

    fn using_column(&mut self, scope: &Scope, name: &Ident, side: &str) -> Bound<ScopeColumn> {
        let lookup = Name { parts: vec![name.clone()], span: name.span };
        match scope.find(&lookup) {
            Ok(column) => Ok(column.clone()),
            Err(Miss::Unknown) => {
                let message = format!("no column `{}` on the {side} side of the join", name.text);
                let names: Vec<&str> = scope.columns.iter().map(|c| c.name.as_str()).collect();
                self.fail(
                    Diagnostic::at(Code::UnknownColumn, name.span, message)
                        .nearest(&name.text, names)
                        .help(scope.available(&[])),
                )
            }
            Err(miss) => {
                let error = scope.missing(&lookup, miss);
                self.fail(error)
            }
        }
    }

    /// Makes one column of the two that `USING` names.
    fn merge(
        &mut self,
        joined: &mut Joined,
        name: &Ident,
        left: ScopeColumn,
        right: ScopeColumn,
    ) -> Bound<()> {
        let same = |c: &ScopeColumn, of: &ScopeColumn| !c.shadowed && c.expr.same(&of.expr);
        let place = joined.left_scope.columns.iter().position(|c| same(c, &left));
        for column in &mut joined.right_scope.columns {
            column.shadowed |= same(column, &right);
        }
        let (expr, why) = match joined.kind {
            JoinKind::Right => (right.expr, right.why),
            JoinKind::Full => (self.coalesce(vec![left.expr, right.expr], name.span)?, None),
            _ => return Ok(()),
        };
        let (Some(place), hidden) = (place, left.hidden && right.hidden) else { return Ok(()) };
        if let Some(column) = joined.left_scope.columns.get_mut(place) {
            column.shadowed = true;
        }
        let column =
            ScopeColumn { qualifier: None, name: left.name, expr, hidden, shadowed: false, why };
        joined.left_scope.columns.insert(place, column);
        Ok(())
    }
}

/// A scan of everything there is in a table.
fn scan(spec: &TableSpec, span: Span) -> Source {
    let columns = spec
        .columns
        .iter()
        .map(|c| (Field { name: c.name.to_owned(), ty: c.ty, format: c.format }, c.hidden));
    scan_all(Scanned::Table(spec.name), spec.name, columns.collect(), span)
}

/// A scan of all columns, which are given with whether they are hidden, under a table's name.
pub(super) fn scan_all(
    table: Scanned,
    name: &str,
    columns: Vec<(Field, bool)>,
    span: Span,
) -> Source {
    let count = columns.len();
    let (mut schema, hidden): (Vec<Field>, Vec<bool>) = columns.into_iter().unzip();
    let names: Vec<String> = schema.iter().map(|field| field.name.clone()).collect();
    schema.extend(names.iter().map(|name| Field::text(&format!("why({name})"))));
    let columns = (0..count).map(ScanColumn::Value).chain((0..count).map(ScanColumn::Why));
    let rel = Rel::Scan { table, columns: columns.collect(), hints: Vec::new(), limit: None };
    let plan = Plan { rel, schema, span };
    let mut exprs = plan.columns();
    let reasons = exprs.split_off(count);
    let columns = names.into_iter().zip(hidden).zip(exprs.into_iter().zip(reasons));
    let columns = columns.map(|((column, hidden), (expr, why))| ScopeColumn {
        qualifier: Some(name.to_owned()),
        name: column,
        expr,
        hidden,
        shadowed: false,
        why: Some(why),
    });
    let scope = Scope { columns: columns.collect(), tables: vec![name.to_owned()] };
    (plan, scope)
}

/// The columns of a plan under a table's name; none if it is empty.
pub(super) fn scope_of(plan: &Plan, table: &str) -> Scope {
    let named = !table.is_empty();
    let columns = plan.columns().into_iter().zip(&plan.schema).map(|(expr, field)| ScopeColumn {
        qualifier: named.then(|| table.to_owned()),
        name: field.name.clone(),
        expr,
        hidden: false,
        shadowed: false,
        why: None,
    });
    let tables = if named { vec![table.to_owned()] } else { Vec::new() };
    Scope { columns: columns.collect(), tables }
}
