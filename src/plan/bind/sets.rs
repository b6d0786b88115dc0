//! GROUPING SETS, ROLLUP and CUBE: one aggregation per set, over rows that are computed once.

use super::expr::Place;
use super::query::set_tree;
use super::select::aggregate_schema;
use super::{Binder, Bound, Failed};
use crate::catalog::{Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, Call, GroupItem, SetOp};
use crate::plan::shared::placeholder;
use crate::plan::{AggregateCall, Expr, ExprKind, Field, Plan, Rel};

/// Until groups are bound, column `GROUPINGS + i` of an expression is the `i`th call of `grouping`.
pub(super) const GROUPINGS: usize = usize::MAX / 4;

/// The maximum number of sets of a query.
const MAX_SETS: usize = 1024;

/// The maximum number of arguments of `grouping`: each is a bit of the result.
const MAX_BITS: usize = 62;

/// The keys of GROUP BY.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// All keys of all sets.
    pub(super) keys: Vec<Expr>,
    /// The keys of each set, by index; `None` if all keys form the only set.
    pub(super) sets: Option<Vec<Vec<usize>>>,
}

impl Keys {
    /// The index of a key, which is added if it is new.
    pub(super) fn add(&mut self, key: Expr) -> usize {
        if let Some(known) = self.keys.iter().position(|k| k.same(&key)) {
            return known;
        }
        self.keys.push(if key.ty == Ty::Null { Expr { ty: Ty::Int, ..key } } else { key });
        self.keys.len() - 1
    }
}

impl Binder<'_> {
    /// The sets of several items: the cross product of the sets of each item.
    pub(super) fn group_sets(
        &mut self,
        items: &[GroupItem],
        list: &[Option<Expr>],
        place: Place<'_>,
        keys: &mut Keys,
    ) -> Bound<Vec<Vec<usize>>> {
        let span = items.iter().find_map(first_span).unwrap_or_default();
        let mut sets = vec![Vec::new()];
        for item in items {
            let of_item = self.sets_of(item, list, place, keys)?;
            let count = sets.len().saturating_mul(of_item.len());
            self.check_sets(count, span)?;
            let mut joined = Vec::with_capacity(count);
            for left in &sets {
                for right in &of_item {
                    let mut both: Vec<usize> = left.clone();
                    both.extend(right.iter().filter(|key| !left.contains(key)));
                    joined.push(both);
                }
            }
            sets = joined;
        }
        Ok(sets)
    }

    fn check_sets(&mut self, count: usize, span: Span) -> Bound<()> {
        if count <= MAX_SETS {
            return Ok(());
        }
        let message = format!("GROUP BY has {count} grouping sets, the limit is {MAX_SETS}");
        self.fail_at(Code::Limit, span, message)
    }

    fn sets_of(
        &mut self,
        item: &GroupItem,
        list: &[Option<Expr>],
        place: Place<'_>,
        keys: &mut Keys,
    ) -> Bound<Vec<Vec<usize>>> {
        let span = first_span(item).unwrap_or_default();
        match item {
            GroupItem::Keys(exprs) => Ok(vec![self.set_of(exprs, list, place, keys)?]),
            GroupItem::Rollup(entries) => {
                let entries = self.entries(entries, list, place, keys)?;
                let prefix = |len: usize| entries.iter().take(len).flatten().copied().collect();
                Ok((0..=entries.len()).rev().map(prefix).collect())
            }
            GroupItem::Cube(entries) => {
                let entries = self.entries(entries, list, place, keys)?;
                let count = 1usize.checked_shl(u32::try_from(entries.len()).unwrap_or(u32::MAX));
                let count = count.filter(|_| entries.len() < 32).unwrap_or(usize::MAX);
                self.check_sets(count, span)?;
                let chosen = |bits: usize| {
                    let taken = |i: usize| bits >> (entries.len() - 1 - i) & 1 == 1;
                    let some = entries.iter().enumerate().filter(|(i, _)| taken(*i));
                    some.flat_map(|(_, keys)| keys.iter().copied()).collect()
                };
                Ok((0..count).rev().map(chosen).collect())
            }
            GroupItem::Sets(items) => {
                let mut all = Vec::new();
                for item in items {
                    all.extend(self.sets_of(item, list, place, keys)?);
                    self.check_sets(all.len(), span)?;
                }
                Ok(all)
            }
        }
    }

    fn entries(
        &mut self,
        entries: &[Vec<ast::Expr>],
        list: &[Option<Expr>],
        place: Place<'_>,
        keys: &mut Keys,
    ) -> Bound<Vec<Vec<usize>>> {
        entries.iter().map(|exprs| self.set_of(exprs, list, place, keys)).collect()
    }

    fn set_of(
        &mut self,
        exprs: &[ast::Expr],
        list: &[Option<Expr>],
        place: Place<'_>,
        keys: &mut Keys,
    ) -> Bound<Vec<usize>> {
        let mut set = Vec::with_capacity(exprs.len());
        for expr in exprs {
            let key = self.group_key(expr, list, place)?;
            set.push(keys.add(key));
        }
        Ok(set)
    }

    /// A call of `grouping`: a bit for each argument, set if the row's set does not contain it.
    pub(super) fn grouping(&mut self, call: &Call, span: Span, place: Place<'_>) -> Bound<Expr> {
        let Some(into) = place.groupings.filter(|_| place.aggregates.is_some()) else {
            let message = format!("`{}` is not allowed in {}", call.name.text, place.clause);
            return self.fail_at(Code::Grouping, span, message);
        };
        let extra = call.star || call.distinct || call.filter.is_some() || call.over.is_some();
        if extra || call.args.is_empty() || call.args.len() > MAX_BITS {
            let message = format!("`{}` takes 1 to {MAX_BITS} keys of GROUP BY", call.name.text);
            return self.fail_at(Code::BadArguments, span, message);
        }
        let inner = Place { aggregates: None, windows: None, ..place };
        let args = self.exprs(&call.args, inner)?;
        let mut all = into.borrow_mut();
        let same = |known: &Vec<Expr>| {
            known.len() == args.len() && known.iter().zip(&args).all(|(a, b)| a.same(b))
        };
        let index = all.iter().position(same).unwrap_or_else(|| {
            all.push(args);
            all.len() - 1
        });
        Ok(Expr::new(ExprKind::Column(GROUPINGS + index), Ty::Int, span))
    }

    /// The aggregation of a select: the keys, the aggregates, and the results of `grouping`.
    pub(super) fn aggregation(
        &mut self,
        plan: Plan,
        keys: &Keys,
        aggregates: Vec<AggregateCall>,
        groupings: &[Vec<Expr>],
    ) -> Bound<Plan> {
        let places = self.places_of(groupings, &keys.keys)?;
        let span = plan.span;
        let schema = aggregate_schema(&keys.keys, &aggregates, &plan.schema);
        let Some(sets) = &keys.sets else {
            let rel = Rel::Aggregate { input: Box::new(plan), keys: keys.keys.clone(), aggregates };
            let plan = Plan { rel, schema, span };
            let all: Vec<usize> = (0..keys.keys.len()).collect();
            return Ok(if places.is_empty() { plan } else { with_groupings(plan, &places, &all) });
        };
        let size: usize = keys.keys.iter().map(Expr::size).sum::<usize>()
            + aggregates.iter().flat_map(AggregateCall::exprs).map(Expr::size).sum::<usize>();
        self.grow(size.saturating_add(1).saturating_mul(sets.len()), span)?;
        let input_schema = plan.schema.clone();
        let input = self.rows_of_sets(plan, sets.len())?;
        let one = |set: &Vec<usize>| {
            let input = input.clone();
            let of_set: Vec<Expr> =
                set.iter().filter_map(|key| keys.keys.get(*key)).cloned().collect();
            let own = aggregate_schema(&of_set, &aggregates, &input_schema);
            let rel = Rel::Aggregate {
                input: Box::new(input),
                keys: of_set,
                aggregates: aggregates.clone(),
            };
            let grouped = Plan { rel, schema: own, span };
            with_groupings(all_keys(grouped, set, &schema, keys.keys.len()), &places, set)
        };
        let plans: Vec<Plan> = sets.iter().map(one).collect();
        self.check_depth(sets.len().max(1).ilog2() as usize + 3, span)?;
        set_tree(SetOp::Union, true, plans, span).ok_or(Failed)
    }

    /// The rows that several sets group: computed once, unless they depend on the outer row.
    fn rows_of_sets(&mut self, plan: Plan, sets: usize) -> Bound<Plan> {
        if plan.reads_params() || plan.reads_working() {
            self.grow(plan.size().saturating_mul(sets), plan.span)?;
            self.count_uses(&plan, sets);
            return Ok(plan);
        }
        let (schema, span) = (plan.schema.clone(), plan.span);
        let id = self.share(plan);
        if let Some(shared) = self.shared.get_mut(id) {
            shared.uses = sets;
        }
        Ok(Plan { rel: Rel::Shared { id, plan: placeholder() }, schema, span })
    }

    /// The indices of the keys that the arguments of each `grouping` call name.
    fn places_of(&mut self, groupings: &[Vec<Expr>], keys: &[Expr]) -> Bound<Vec<Vec<usize>>> {
        let mut all = Vec::with_capacity(groupings.len());
        for args in groupings {
            let mut places = Vec::with_capacity(args.len());
            for arg in args {
                let Some(place) = keys.iter().position(|key| key.same(arg)) else {
                    let message = "the argument of grouping is not a key of GROUP BY";
                    let error = Diagnostic::at(Code::Grouping, arg.span, message);
                    return self.fail(error.help("it tells whether a row's set has the key"));
                };
                places.push(place);
            }
            all.push(places);
        }
        Ok(all)
    }
}

/// The span of the first key of an item.
fn first_span(item: &GroupItem) -> Option<Span> {
    match item {
        GroupItem::Keys(exprs) => exprs.first().map(|e| e.span),
        GroupItem::Rollup(lists) | GroupItem::Cube(lists) => {
            lists.iter().flatten().next().map(|e| e.span)
        }
        GroupItem::Sets(items) => items.iter().find_map(first_span),
    }
}

/// The rows of one set with all keys; a key that is not in the set is NULL.
fn all_keys(plan: Plan, set: &[usize], schema: &[Field], keys: usize) -> Plan {
    let columns = plan.columns();
    let mut exprs = Vec::with_capacity(schema.len());
    for (index, field) in schema.iter().enumerate() {
        let place = match index.checked_sub(keys) {
            None => set.iter().position(|key| *key == index),
            Some(aggregate) => Some(set.len() + aggregate),
        };
        let column = place.and_then(|place| columns.get(place)).cloned();
        let absent = || Expr { format: field.format, ..Expr::null(field.ty, plan.span) };
        exprs.push(column.unwrap_or_else(absent));
    }
    let names = schema.iter().map(|f| f.name.clone()).collect();
    plan.project(exprs, names)
}

/// The plan with the results of `grouping` as further columns.
fn with_groupings(plan: Plan, places: &[Vec<usize>], set: &[usize]) -> Plan {
    if places.is_empty() {
        return plan;
    }
    let (mut exprs, mut names) = (plan.columns(), plan.names());
    for keys in places {
        let bits = keys.iter().fold(0, |bits, key| bits << 1 | i64::from(!set.contains(key)));
        exprs.push(Expr::literal(Value::Int(bits), plan.span));
        names.push("grouping".to_owned());
    }
    plan.project(exprs, names)
}
