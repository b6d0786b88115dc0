//! `SELECT`: binds every clause over the rows of `FROM`, then combines the operators.
//!
//! A name refers to a column first, and otherwise to an earlier item of the select list (as in
//! DuckDB). In ORDER BY, an unqualified name refers to an item first.

mod items;

use std::cell::RefCell;

use super::collate::marked;
use super::expr::Place;
use super::group::Grouping;
use super::nested::UNNESTS;
use super::order::{Key, Order, Target, split_keys, type_keys};
use super::query::first_columns;
use super::scope::Scope;
use super::sets::Keys;
use super::window::Pending;
use super::{Binder, Bound, Failed};
use crate::diag::{Code, Diagnostic};
use crate::lang::ast::{self, Distinct, GroupBy, Ident, Select, SelectItem};
use crate::plan::{AggregateCall, Expr, ExprKind, Field, Plan};

/// Every clause, bound over the rows of `FROM`.
pub(super) struct Clauses {
    items: Vec<(String, Expr)>,
    filter: Option<Expr>,
    keys: Keys,
    having: Option<Expr>,
    pub(super) qualify: Option<Expr>,
    order: Vec<Key>,
    on: Option<Vec<Target>>,
    /// Lists to unnest.
    unnests: Vec<Expr>,
}

/// The aggregates, windows and lists that expressions refer to.
struct Collected {
    aggregates: Vec<AggregateCall>,
    groupings: Vec<Vec<Expr>>,
    windows: Vec<Pending>,
}

impl Clauses {
    /// The expressions of the select list, ORDER BY and DISTINCT ON.
    pub(super) fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let order = self.order.iter_mut().map(|k| &mut k.target);
        let targets = order.chain(self.on.iter_mut().flatten());
        let targets = targets.filter_map(|target| match target {
            Target::Expr(expr) => Some(expr),
            Target::Output(_) => None,
        });
        self.items.iter_mut().map(|(_, expr)| expr).chain(targets).chain(&mut self.unnests)
    }
}

impl Binder<'_> {
    pub(super) fn select(&mut self, select: &Select, order: Order<'_>) -> Bound<Plan> {
        let (plan, scope) = match &select.from {
            Some(table) => self.table_ref(table)?,
            None => (Plan::values(vec![Vec::new()], Vec::new(), select.span), Scope::default()),
        };
        self.select_over(select, plan, &scope, order)
    }

    /// A select over given rows instead of its FROM.
    pub(super) fn select_over(
        &mut self,
        select: &Select,
        plan: Plan,
        scope: &Scope,
        order: Order<'_>,
    ) -> Bound<Plan> {
        self.check_named(&select.windows)?;
        let aggregates = RefCell::new(Vec::new());
        let groupings = RefCell::new(Vec::new());
        let windows = RefCell::new(Vec::new());
        let unnests = RefCell::new(Vec::new());
        let place = Place {
            scope,
            aliases: &[],
            aggregates: Some(&aggregates),
            groupings: Some(&groupings),
            windows: Some(&windows),
            unnests: Some(&unnests),
            named: &select.windows,
            spread: None,
            width: plan.schema.len(),
            clause: "SELECT",
        };
        let mut clauses = self.clauses(select, order, place)?;
        clauses.unnests = unnests.into_inner();
        let collected = Collected {
            aggregates: aggregates.into_inner(),
            groupings: groupings.into_inner(),
            windows: windows.into_inner(),
        };
        self.assemble(select, plan, clauses, collected)
    }

    /// Appends columns to the rows; returns the new names. Window functions are allowed in them.
    pub(super) fn extended(
        &mut self,
        plan: Plan,
        scope: &Scope,
        list: &[SelectItem],
        named: &[(Ident, ast::Window)],
        clause: &'static str,
    ) -> Bound<(Plan, Vec<String>)> {
        self.check_named(named)?;
        let windows = RefCell::new(Vec::new());
        let width = plan.schema.len();
        let place = Place { windows: Some(&windows), named, width, ..Place::plain(scope, clause) };
        let (items, _) = self.items(list, place);
        let good: Option<Vec<(String, Expr)>> =
            items.into_iter().map(|i| Some((i.name, i.expr?))).collect();
        let new = good.ok_or(Failed)?;
        let added = new.iter().map(|(name, _)| name.clone()).collect();
        let own = plan.names().into_iter().zip(plan.columns());
        let mut clauses = Clauses {
            items: own.chain(new).collect(),
            filter: None,
            keys: Keys::default(),
            having: None,
            qualify: None,
            order: Vec::new(),
            on: None,
            unnests: Vec::new(),
        };
        let plan = self.windowed(plan, &mut clauses, windows.into_inner())?;
        let (names, exprs) = clauses.items.into_iter().unzip();
        Ok((plan.project(exprs, names), added))
    }

    fn clauses(&mut self, select: &Select, order: Order<'_>, place: Place<'_>) -> Bound<Clauses> {
        let (items, aliases) = self.items(&select.items, place);
        let over_windows = Place { aliases: &aliases, ..place };
        let over_groups = Place { windows: None, unnests: None, ..over_windows };
        let over_rows = Place { aggregates: None, ..over_groups };
        let filter = select
            .filter
            .as_ref()
            .map(|e| self.condition(e, Place { clause: "WHERE", ..over_rows }, "WHERE"));
        let exprs: Vec<Option<Expr>> = items.iter().map(|i| i.expr.clone()).collect();
        let keys =
            self.group_keys(&select.group_by, &exprs, Place { clause: "GROUP BY", ..over_rows });
        let over_groups = Place { clause: "HAVING", ..over_groups };
        let having = select.having.as_ref().map(|e| self.condition(e, over_groups, "HAVING"));
        let over_windows = Place { clause: "QUALIFY", ..over_windows };
        let before_unnest = Place { unnests: None, ..over_windows };
        let qualify = select.qualify.as_ref().map(|e| self.condition(e, before_unnest, "QUALIFY"));
        let over_windows = Place { clause: "ORDER BY", ..over_windows };
        let good: Option<Vec<(String, Expr)>> =
            items.into_iter().map(|i| Some((i.name, i.expr?))).collect();
        let Some(items) = good else { return Err(Failed) };
        let order = self.order_keys(order, &items, over_windows);
        let on = match &select.distinct {
            Distinct::On(exprs) => Some(self.distinct_on(exprs, &items, over_windows)),
            // Rows that differ in case alone are equal.
            Distinct::Rows if items.iter().any(|(_, e)| marked(e).is_some()) => {
                let on = items.iter().enumerate().map(|(at, (_, item))| match marked(item) {
                    Some(_) => self.folded(item.clone()).map(Target::Expr),
                    None => Ok(Target::Output(at)),
                });
                Some(on.collect())
            }
            _ => None,
        };
        Ok(Clauses {
            items,
            filter: filter.transpose()?,
            keys: keys?,
            having: having.transpose()?,
            qualify: qualify.transpose()?,
            order: order?,
            on: on.transpose()?,
            unnests: Vec::new(),
        })
    }

    fn distinct_on(
        &mut self,
        exprs: &[ast::Expr],
        items: &[(String, Expr)],
        place: Place<'_>,
    ) -> Bound<Vec<Target>> {
        let mut on = Vec::with_capacity(exprs.len());
        for expr in exprs {
            if let Some(index) = self.ordinal(expr, items.len(), "DISTINCT ON")? {
                on.push(Target::Output(index));
                continue;
            }
            let bound = self.keyed(expr, place)?;
            let bound = self.folded(bound)?;
            let same = items.iter().position(|(_, e)| e.same(&bound));
            on.push(same.map_or(Target::Expr(bound), Target::Output));
        }
        Ok(on)
    }

    fn assemble(
        &mut self,
        select: &Select,
        plan: Plan,
        mut clauses: Clauses,
        mut collected: Collected,
    ) -> Bound<Plan> {
        let is_distinct = select.distinct == Distinct::Rows && clauses.on.is_none();
        if is_distinct {
            self.check_distinct(&clauses.order)?;
        }
        let mut plan = match clauses.filter.take() {
            Some(predicate) => plan.filter(predicate),
            None => plan,
        };
        let grouped = select.group_by != GroupBy::None;
        let computed = !collected.aggregates.is_empty() || !collected.groupings.is_empty();
        if grouped || computed || clauses.having.is_some() {
            plan = self.aggregated(plan, &mut clauses, &mut collected, grouped)?;
        }
        plan = self.windowed(plan, &mut clauses, collected.windows)?;
        let unnests = std::mem::take(&mut clauses.unnests);
        if !unnests.is_empty() {
            let below = plan.schema.len();
            plan = Self::with_unnests(plan, unnests);
            for expr in clauses.exprs_mut() {
                expr.map_columns(&|i| i.checked_sub(UNNESTS).map_or(i, |i| below + i));
            }
        }
        let width = clauses.items.len();
        let (names, mut exprs): (Vec<String>, Vec<Expr>) = clauses.items.into_iter().unzip();
        let (mut keys, extra) = split_keys(clauses.order, width);
        exprs.extend(extra);
        let on = clauses.on.map(|on| place_targets(on, &mut exprs));
        type_keys(&mut keys, &exprs);
        let columns = exprs.len();
        let hidden = computed_names(&plan, exprs.get(width..).unwrap_or_default());
        let mut plan = plan.project(exprs, names.into_iter().chain(hidden).collect());
        plan.span = select.span;
        if is_distinct {
            plan = plan.distinct(None);
        }
        if !keys.is_empty() {
            plan = plan.sort(keys);
        }
        if on.is_some() {
            plan = plan.distinct(on);
        }
        Ok(if columns > width { first_columns(plan, width) } else { plan })
    }

    fn check_distinct(&mut self, order: &[Key]) -> Bound<()> {
        let odd = order.iter().find(|k| matches!(k.target, Target::Expr(_)));
        odd.map_or(Ok(()), |key| {
            self.fail(
                Diagnostic::at(
                    Code::BadQuery,
                    key.span,
                    "with DISTINCT, ORDER BY takes only what the list selects",
                )
                .help("add the expression to the list, or use DISTINCT ON (…)"),
            )
        })
    }

    /// The aggregation, with every later clause rewritten over groups.
    fn aggregated(
        &mut self,
        plan: Plan,
        clauses: &mut Clauses,
        collected: &mut Collected,
        grouped: bool,
    ) -> Bound<Plan> {
        let input = plan.schema.clone();
        let mut keys = std::mem::take(&mut clauses.keys);
        let mut aggregates = std::mem::take(&mut collected.aggregates);
        let shown = self.folded_keys(&mut keys, &mut aggregates)?;
        let count = aggregates.len();
        let grouping =
            Grouping { keys: &keys.keys, schema: &input, aggregates: count, shown: &shown };
        let mut loose = Vec::new();
        for expr in clauses.exprs_mut() {
            grouping.rewrite(expr, &mut loose);
        }
        let conditions = clauses.having.iter_mut().chain(&mut clauses.qualify);
        for expr in conditions.chain(collected.windows.iter_mut().flat_map(Pending::exprs_mut)) {
            grouping.rewrite(expr, &mut loose);
        }
        self.report_loose(loose, grouped)?;
        let plan = self.aggregation(plan, &keys, aggregates, &collected.groupings)?;
        Ok(match clauses.having.take() {
            Some(predicate) => plan.filter(predicate),
            None => plan,
        })
    }
}

/// Names for columns that are computed for sorting and not shown.
pub(super) fn computed_names(plan: &Plan, exprs: &[Expr]) -> Vec<String> {
    let names: Vec<&str> = plan.schema.iter().map(|f| f.name.as_str()).collect();
    exprs.iter().map(|e| crate::plan::render::expr(e, &names)).collect()
}

/// The columns of an aggregation, named after their expressions.
pub(super) fn aggregate_schema(
    keys: &[Expr],
    aggregates: &[AggregateCall],
    input: &[Field],
) -> Vec<Field> {
    let names: Vec<&str> = input.iter().map(|f| f.name.as_str()).collect();
    let keys = keys.iter().map(|k| Field::of(k, crate::plan::render::expr(k, &names)));
    let aggregates = aggregates.iter().map(|a| Field {
        name: crate::plan::render::aggregate(a, &names),
        ty: a.ty,
        format: a.format,
    });
    keys.chain(aggregates).collect()
}

/// The targets as columns of the projection; expressions that it does not compute yet are added.
fn place_targets(targets: Vec<Target>, exprs: &mut Vec<Expr>) -> Vec<Expr> {
    let mut placed = Vec::with_capacity(targets.len());
    for target in targets {
        let index = match target {
            Target::Output(index) => index,
            Target::Expr(expr) => {
                exprs.push(expr);
                exprs.len() - 1
            }
        };
        if let Some(expr) = exprs.get(index) {
            placed.push(Expr { kind: ExprKind::Column(index), ..expr.clone() });
        }
    }
    placed
}
