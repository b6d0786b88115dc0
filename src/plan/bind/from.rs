//! `FROM`: tables, sub-queries and joins, and the scope that they create.
//!
//! A scan is bound with all columns of its table, followed by the reasons for absent values of
//! each; `rewrite` drops unused columns. Tables of several open sources are joined only by the
//! written conditions: a query that needs only rows of the same dump adds `dump` to `USING` or `ON`
//! (NATURAL includes it, because `dump` is then a visible column).

mod using;

use std::sync::Arc;

use super::expr::Place;
use super::join::{Joined, equi_keys};
use super::nested::{is_unnest, unnested};
use super::scope::{LISTED, Scope, ScopeColumn, dotted, listed};
use super::unify::settle_nulls;
use super::{Binder, Bound, Failed, Meaning};
use crate::catalog::{TableSpec, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, JoinKind, JoinOn, Name, TableAlias, TableRef, TableRefKind, Turn};
use crate::plan::shared::placeholder;
use crate::plan::walk::{conjunction, split_and};
use crate::plan::{Expr, ExprKind, Field, Plan, Rel, ScanColumn, Scanned};

/// Rows and the names of their columns.
pub(super) type Source = (Plan, Scope);

impl Binder<'_> {
    pub(super) fn table_ref(&mut self, table: &TableRef) -> Bound<Source> {
        // Joins are left-associative: the left side is walked without recursion.
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
            TableRefKind::Function { name, args, .. } if is_unnest(&dotted(&name.parts)) => {
                let plan = self.unnest_table(args, table.span)?;
                let scope = scope_of(&plan, "unnest");
                (plan, scope)
            }
            TableRefKind::Function { name, args, .. } => {
                self.table_function(name, args, table.span)?
            }
            TableRefKind::Subquery { query, .. } => {
                let plan = self.query(query)?;
                let plan = settle_nulls(plan);
                let scope = scope_of(&plan, "");
                (plan, scope)
            }
            TableRefKind::Turned { input, turn } => {
                let source = self.table_ref(input)?;
                self.turned(source, turn)?
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

    /// Applies an operator such as PIVOT to the rows of a table.
    pub(super) fn turned(&mut self, source: Source, turn: &Turn) -> Bound<Source> {
        match turn {
            Turn::Pivot(pivot) => self.pivot(source, pivot),
            Turn::Unpivot(unpivot) => self.unpivot(source, unpivot),
            Turn::Sample(sample) => self.sample(source, sample),
        }
    }

    fn named(&mut self, name: &Name) -> Bound<Source> {
        let shown = dotted(&name.parts);
        if name.parts.len() == 1
            && let Some(cte) = self.ctes.iter().rev().find(|c| c.name.eq_ignore_ascii_case(&shown))
        {
            return match cte.meaning.as_ref().ok_or(Failed)? {
                Meaning::Shared(id) => {
                    let id = *id;
                    self.reference(id, &shown, name.span)
                }
                Meaning::Copied(plan, level) => {
                    let (plan, level) = (Plan::clone(plan), *level);
                    self.copied(plan, level, &shown, name.span)
                }
                Meaning::Working { id, schema, uses } => {
                    uses.set(uses.get() + 1);
                    let (rel, schema) = (Rel::Working { id: *id }, schema.clone());
                    let plan = Plan { rel, schema, span: name.span };
                    let scope = scope_of(&plan, &shown);
                    Ok((plan, scope))
                }
                Meaning::Itself => self.names_itself(&shown, name.span),
            };
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

    /// A copy of the plan of a common table expression that reads rows of outer queries.
    fn copied(&mut self, mut plan: Plan, level: usize, name: &str, span: Span) -> Bound<Source> {
        self.check_depth(plan.depth(), span)?;
        self.grow(plan.size(), span)?;
        self.count_uses(&plan, 1);
        self.hand_in_plan(&mut plan, level);
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

    pub(super) fn apply_alias(
        &mut self,
        plan: &mut Plan,
        scope: &mut Scope,
        alias: &TableAlias,
    ) -> Bound<()> {
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
        // An input on the right that names columns of the left is lateral, with or without LATERAL.
        let seen = left.as_ref().map(|(_, scope)| scope.clone()).unwrap_or_default();
        let bound = self.within(Arc::new(seen), |binder| binder.table_ref(right));
        let ((left, left_scope), ((mut right_plan, mut right_scope), mut args)) = (left?, bound?);
        if !args.is_empty() && !args.iter().any(Expr::reads_columns) {
            // It reads rows of the outer queries only.
            right_plan.give(&args);
            args.clear();
        }
        let plain = matches!(
            kind,
            JoinKind::Inner | JoinKind::Left | JoinKind::Cross | JoinKind::Semi | JoinKind::Anti
        );
        if !args.is_empty() && !plain {
            return self.lateral_of_outer(kind, right.span);
        }
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
        let right = right_plan;
        let mut joined = Joined { left, right, left_scope, right_scope, kind, args, span };
        if let Some(unnested) = unnested(&mut joined, on) {
            return Ok(unnested);
        }
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

    fn lateral_of_outer<T>(&mut self, kind: JoinKind, span: Span) -> Bound<T> {
        let word = match kind {
            JoinKind::Right => "RIGHT JOIN",
            JoinKind::Full => "FULL JOIN",
            JoinKind::Positional => "POSITIONAL JOIN",
            _ => "ASOF JOIN",
        };
        let message = format!("the right side of a {word} reads columns of its left side");
        self.fail(
            Diagnostic::at(Code::BadQuery, span, message)
                .help("a lateral join is JOIN, LEFT JOIN or CROSS JOIN"),
        )
    }

    fn join_on(&mut self, joined: Joined, condition: &ast::Expr) -> Bound<Source> {
        let scope = joined.both();
        let condition = self.condition(condition, Place::plain(&scope, "ON"), "ON")?;
        let mut terms = Vec::new();
        split_and(condition, &mut terms);
        terms.retain(|term| term.as_literal() != Some(&Value::Bool(true)));
        let (keys, rest) = equi_keys(terms, joined.left.schema.len());
        if matches!(joined.kind, JoinKind::Asof | JoinKind::AsofLeft) {
            return self.join_nearest(joined, keys, &rest);
        }
        Ok(joined.finish(keys, conjunction(rest)))
    }
}

/// A scan of all columns of a table.
fn scan(spec: &TableSpec, span: Span) -> Source {
    let columns = spec
        .columns
        .iter()
        .map(|c| (Field { name: c.name.to_owned(), ty: c.ty, format: c.format }, c.hidden));
    scan_all(Scanned::Table(spec.name), spec.name, columns.collect(), span)
}

/// A scan of all columns under a table's name; each column is given with a flag that says whether
/// it is hidden.
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
    let rel = Rel::Scan {
        table,
        columns: columns.collect(),
        hints: Vec::new(),
        limit: None,
        args: Vec::new(),
    };
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

/// The columns of a plan under a table's name; if the name is empty, under none.
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
