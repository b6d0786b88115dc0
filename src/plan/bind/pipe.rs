//! The pipe syntax: each step converts rows with named columns to rows with named columns.
//!
//! As long as a step keeps columns, they keep their table names and reasons of absence.

use super::expr::Place;
use super::from::{Source, scope_of};
use super::order::{Order, Target, type_keys};
use super::query::{Run, first_columns};
use super::scope::{Scope, ScopeColumn};
use super::select::computed_names;
use super::unify::settle_nulls;
use super::{Binder, Bound, Failed};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{
    self, Body, Distinct, GroupBy, GroupItem, Ident, Literal, OrderItem, Pipe, PipeItem, PipeKey,
    PipeKind, Query, Select, SelectItem, SetOp, Turn,
};
use crate::plan::{Expr, ExprKind, Plan};

/// The number of nesting levels that a step counts as.
const LEVELS: usize = 3;

impl Binder<'_> {
    /// The rows of a query with pipes.
    pub(super) fn piped(&mut self, query: &Query) -> Bound<Plan> {
        self.deeper(LEVELS * query.pipes.len(), query.span, |binder| {
            let mut source = binder.pipe_input(query)?;
            for pipe in &query.pipes {
                source = binder.pipe(source, pipe)?;
                source.0.span = pipe.span;
            }
            Ok(visible(source).0)
        })
    }

    /// The query before the first pipe.
    fn pipe_input(&mut self, query: &Query) -> Bound<Source> {
        if let Body::Select(select) = &query.body
            && let (true, Some(from)) = (is_plain(select), &select.from)
        {
            let mut source = self.table_ref(from)?;
            if let Some(condition) = &select.filter {
                source = self.pipe_where(source, condition)?;
            }
            let order = Order { items: &query.order_by, all: query.order_by_all };
            let (plan, scope) = self.pipe_order(source, order)?;
            let (limit, offset) = (query.limit.as_ref(), query.offset.as_ref());
            let plan = self.limited(Ok(plan), limit, query.limit_percent, offset)?;
            return Ok((plan, scope));
        }
        Ok(unnamed(self.ordered(query)?))
    }

    fn pipe(&mut self, source: Source, pipe: &Pipe) -> Bound<Source> {
        let span = pipe.span;
        match &pipe.kind {
            PipeKind::Select(select) => {
                let (plan, scope) = source;
                Ok(unnamed(self.select_over(select, plan, &scope, Order::NONE)?))
            }
            PipeKind::Extend { items, windows } => {
                let (plan, mut scope) = source;
                let width = plan.schema.len();
                let (plan, names) = self.extended(plan, &scope, items, windows, "EXTEND")?;
                let new = plan.columns().into_iter().skip(width).zip(names);
                scope.columns.extend(new.map(|(expr, name)| column(name, expr)));
                Ok((plan, scope))
            }
            PipeKind::Set(values) => self.pipe_set(source, values),
            PipeKind::Drop(names) => {
                let (plan, mut scope) = source;
                for index in self.pipe_columns(&scope, names, "DROP")? {
                    hide(&mut scope, index);
                }
                if scope.star(None).is_none_or(|columns| columns.is_empty()) {
                    return self.fail_at(Code::BadQuery, span, "DROP leaves no column");
                }
                Ok((plan, scope))
            }
            PipeKind::Rename(names) => {
                let (plan, mut scope) = source;
                let old: Vec<Ident> = names.iter().map(|(old, _)| old.clone()).collect();
                let places = self.pipe_columns(&scope, &old, "RENAME")?;
                let mut new: Vec<(usize, &Ident)> =
                    places.into_iter().zip(names.iter().map(|(_, new)| new)).collect();
                new.sort_by_key(|(index, _)| std::cmp::Reverse(*index));
                for (index, name) in new {
                    let Some(old) = scope.columns.get(index).cloned() else { return Err(Failed) };
                    hide(&mut scope, index);
                    let renamed = ScopeColumn { qualifier: None, name: name.text.clone(), ..old };
                    scope.columns.insert(index + 1, renamed);
                }
                Ok((plan, scope))
            }
            PipeKind::As(name) => {
                let (plan, mut scope) = source;
                scope.columns.retain(|c| !c.shadowed);
                for column in &mut scope.columns {
                    column.qualifier = Some(name.text.clone());
                }
                scope.tables = vec![name.text.clone()];
                Ok((plan, scope))
            }
            PipeKind::Where(condition) => self.pipe_where(source, condition),
            PipeKind::Aggregate { items, keys, and_order } => {
                self.pipe_aggregate(source, items, keys, *and_order, span)
            }
            PipeKind::Distinct => {
                let (plan, scope) = visible(source);
                Ok((plan.distinct(None), scope))
            }
            PipeKind::Join { right, kind, on } => self.join(Ok(source), right, *kind, on, span),
            PipeKind::Turn { turn, alias } => {
                let (mut plan, mut scope) = match **turn {
                    Turn::Sample(_) => self.turned(source, turn)?,
                    _ => self.turned(visible(source), turn)?,
                };
                if let Some(alias) = alias {
                    self.apply_alias(&mut plan, &mut scope, alias)?;
                }
                Ok((plan, scope))
            }
            PipeKind::SetOp { op, all, by_name, queries } => {
                let run = Run { op: *op, all: *all, by_name: *by_name, span };
                let mut plan = settle_nulls(visible(source).0);
                let rights: Vec<Bound<Plan>> = queries.iter().map(|q| self.query(q)).collect();
                let rights = rights.into_iter().collect::<Bound<Vec<_>>>()?;
                if *op == SetOp::Union {
                    let all = std::iter::once(plan).chain(rights).collect();
                    return Ok(unnamed(self.set_operation(&run, all)?));
                }
                self.check_depth(rights.len(), span)?;
                for right in rights {
                    plan = self.set_operation(&run, vec![plan, right])?;
                }
                Ok(unnamed(plan))
            }
            PipeKind::Order { items, all } => self.pipe_order(source, Order { items, all: *all }),
            PipeKind::Limit { limit, percent, offset } => {
                let (plan, scope) = source;
                let plan = self.limited(Ok(plan), limit.as_ref(), *percent, offset.as_ref())?;
                Ok((plan, scope))
            }
        }
    }

    fn pipe_where(&mut self, (plan, scope): Source, condition: &ast::Expr) -> Bound<Source> {
        let condition = self.condition(condition, Place::plain(&scope, "WHERE"), "WHERE")?;
        Ok((plan.filter(condition), scope))
    }

    fn pipe_set(
        &mut self,
        (plan, mut scope): Source,
        values: &[(Ident, ast::Expr)],
    ) -> Bound<Source> {
        let names: Vec<Ident> = values.iter().map(|(name, _)| name.clone()).collect();
        let places = self.pipe_columns(&scope, &names, "SET")?;
        let width = plan.schema.len();
        // The alias is removed, so that new columns cannot refer to each other.
        let item =
            |(_, value): &(Ident, ast::Expr)| SelectItem::Expr { expr: value.clone(), alias: None };
        let items: Vec<SelectItem> = values.iter().map(item).collect();
        let (plan, new) = self.extended(plan, &scope, &items, &[], "SET")?;
        if new.len() != values.len() {
            let span = names.first().map_or(plan.span, |name| name.span);
            return self.fail_at(Code::BadQuery, span, "SET gives each column one value");
        }
        let mut new: Vec<(usize, Expr)> =
            places.into_iter().zip(plan.columns().into_iter().skip(width)).collect();
        new.sort_by_key(|(index, _)| std::cmp::Reverse(*index));
        for (index, expr) in new {
            let Some(name) = scope.columns.get(index).map(|c| c.name.clone()) else {
                return Err(Failed);
            };
            hide(&mut scope, index);
            scope.columns.insert(index + 1, column(name, expr));
        }
        Ok((plan, scope))
    }

    /// The positions of columns in the scope, which have to exist and be different.
    fn pipe_columns(&mut self, scope: &Scope, names: &[Ident], step: &str) -> Bound<Vec<usize>> {
        let mut places: Vec<usize> = Vec::with_capacity(names.len());
        let mut failed = false;
        for name in names {
            let lookup = ast::Name { parts: vec![name.clone()], span: name.span };
            let found = match scope.find(&lookup) {
                Ok(found) => scope.columns.iter().position(|c| std::ptr::eq(c, found)),
                Err(miss) => {
                    self.errors.push(match step {
                        "SET" => {
                            scope.missing(&lookup, miss).help("EXTEND … AS name adds a column")
                        }
                        _ => scope.missing(&lookup, miss),
                    });
                    None
                }
            };
            match found {
                Some(place) if places.contains(&place) => {
                    let message = format!("{step} names `{}` twice", name.text);
                    self.errors.push(Diagnostic::at(Code::BadQuery, name.span, message));
                    failed = true;
                }
                Some(place) => places.push(place),
                None => failed = true,
            }
        }
        if failed { Err(Failed) } else { Ok(places) }
    }

    fn pipe_aggregate(
        &mut self,
        (plan, scope): Source,
        items: &[PipeItem],
        keys: &[PipeKey],
        and_order: bool,
        span: Span,
    ) -> Bound<Source> {
        let mut list: Vec<PipeItem> = Vec::new();
        for key in keys {
            match key {
                PipeKey::Item(item) => list.push(item.clone()),
                PipeKey::Sets(sets) => {
                    let mut exprs = Vec::new();
                    keys_of(sets, &mut exprs);
                    for expr in exprs {
                        let name = super::name::of(expr);
                        let known = |item: &PipeItem| super::name::of(&item.expr) == name;
                        if !list.iter().any(known) {
                            list.push(PipeItem { expr: expr.clone(), alias: None, order: None });
                        }
                    }
                }
            }
        }
        let key_count = list.len();
        let group_items: Vec<GroupItem> = keys
            .iter()
            .map(|key| match key {
                PipeKey::Item(item) => GroupItem::Keys(vec![item.expr.clone()]),
                PipeKey::Sets(sets) => sets.clone(),
            })
            .collect();
        let plain = |key: &PipeKey| matches!(key, PipeKey::Item(_));
        let group_by = if keys.is_empty() {
            // Aggregates without keys give one row, whatever the list contains.
            GroupBy::Sets(vec![GroupItem::Keys(Vec::new())])
        } else if keys.iter().all(plain) {
            GroupBy::Keys(list.iter().map(|item| item.expr.clone()).collect())
        } else {
            GroupBy::Sets(group_items)
        };
        list.extend_from_slice(items);
        let ordered = |(index, item): (usize, &PipeItem)| {
            let by_key = (and_order && index < key_count).then_some((false, None));
            let (descending, nulls_first) = item.order.or(by_key)?;
            let position = u64::try_from(index + 1).unwrap_or(u64::MAX);
            let kind = ast::ExprKind::Literal(Literal::Int(position));
            let expr = ast::Expr { kind, span: item.expr.span };
            Some(OrderItem { expr, descending, nulls_first })
        };
        let order: Vec<OrderItem> = list.iter().enumerate().filter_map(ordered).collect();
        let items = list
            .into_iter()
            .map(|item| SelectItem::Expr { expr: item.expr, alias: item.alias })
            .collect();
        let select = Select { items, group_by, ..Select::blank(span) };
        let order = Order { items: &order, all: None };
        Ok(unnamed(self.select_over(&select, plan, &scope, order)?))
    }

    fn pipe_order(&mut self, (plan, scope): Source, order: Order<'_>) -> Bound<Source> {
        if order.is_none() {
            return Ok((plan, scope));
        }
        let columns = scope.star(None).unwrap_or_default();
        let output: Vec<(String, Expr)> =
            columns.iter().map(|c| (c.name.clone(), c.expr.clone())).collect();
        let keys = self.order_keys(order, &output, Place::plain(&scope, "ORDER BY"))?;
        let width = plan.schema.len();
        let (mut exprs, mut names) = (plan.columns(), plan.names());
        let mut sorted = Vec::with_capacity(keys.len());
        for key in keys {
            let target = match key.target {
                Target::Output(index) => output.get(index).map(|(_, expr)| expr.clone()),
                Target::Expr(expr) => Some(expr),
            };
            let target = target.ok_or(Failed)?;
            let index = if let ExprKind::Column(index) = target.kind {
                index
            } else {
                names.extend(computed_names(&plan, std::slice::from_ref(&target)));
                exprs.push(target);
                exprs.len() - 1
            };
            let by = Expr::new(ExprKind::Column(index), crate::catalog::Ty::Null, key.span);
            sorted.push(super::call::sort_key(by, key.descending, key.nulls_first));
        }
        type_keys(&mut sorted, &exprs);
        if exprs.len() == width {
            return Ok((plan.sort(sorted), scope));
        }
        Ok((first_columns(plan.project(exprs, names).sort(sorted), width), scope))
    }
}

/// Whether a select returns the rows of its FROM unchanged, or filtered.
fn is_plain(select: &Select) -> bool {
    let all = match select.items.as_slice() {
        [SelectItem::Star { qualifier: None, exclude, replace, rename, like: None, .. }] => {
            exclude.is_empty() && replace.is_empty() && rename.is_empty()
        }
        _ => false,
    };
    let grouped = select.group_by != GroupBy::None || select.having.is_some();
    let windows = select.qualify.is_some() || !select.windows.is_empty();
    all && select.distinct == Distinct::No && !grouped && !windows
}

/// A column that a step computes.
const fn column(name: String, expr: Expr) -> ScopeColumn {
    ScopeColumn { qualifier: None, name, expr, hidden: false, shadowed: false, why: None }
}

/// Hides a column; it can still be used with the name of its table.
fn hide(scope: &mut Scope, index: usize) {
    if let Some(column) = scope.columns.get_mut(index) {
        column.shadowed = true;
    }
}

/// Rows whose columns have names but no table name.
fn unnamed(plan: Plan) -> Source {
    let plan = settle_nulls(plan);
    let scope = scope_of(&plan, "");
    (plan, scope)
}

/// The rows with only the columns of `*`.
fn visible((plan, scope): Source) -> Source {
    let columns = scope.star(None).unwrap_or_default();
    let kept: Vec<ScopeColumn> = columns.into_iter().cloned().collect();
    let exprs: Vec<Expr> = kept.iter().map(|c| c.expr.clone()).collect();
    let plan = plan.project(exprs, kept.iter().map(|c| c.name.clone()).collect());
    let columns = kept.into_iter().zip(plan.columns());
    let columns = columns.map(|(column, expr)| ScopeColumn { expr, why: None, ..column });
    (plan, Scope { columns: columns.collect(), tables: scope.tables })
}

/// The keys of grouping sets, in the order of the query.
fn keys_of<'a>(item: &'a GroupItem, into: &mut Vec<&'a ast::Expr>) {
    match item {
        GroupItem::Keys(keys) => into.extend(keys),
        GroupItem::Rollup(lists) | GroupItem::Cube(lists) => into.extend(lists.iter().flatten()),
        GroupItem::Sets(items) => {
            for item in items {
                keys_of(item, into);
            }
        }
    }
}
