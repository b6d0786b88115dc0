//! Expressions: converts each kind of syntax tree node to a typed expression.

mod cases;
mod matching;

pub(in crate::plan) use matching::match_words;
use std::cell::RefCell;
use std::sync::Arc;

use super::columns::Spread;
use super::quantified::Quantified;
use super::row;
use super::scope::{Miss, Scope};
#[cfg(doc)]
use super::window::WINDOWS;
use super::window::{Named, Pending, holds_window};
use super::{Binder, Bound, Failed};
use crate::catalog::Ty;
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, BinaryOp, Name, Query};
use crate::plan::convert;
use crate::plan::fold::fold;
use crate::plan::{AggregateCall, Expr, ExprKind, Plan, QueryKind, SubQuery};

/// A name that expressions can use in addition to columns: an earlier item of the select list.
#[derive(Debug, Clone)]
pub(super) struct Alias {
    pub(super) name: String,
    /// `None` if the item has an error, which has been reported.
    pub(super) expr: Option<Expr>,
}

/// The context of an expression: what it can refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'s> {
    /// The columns that can be named.
    pub(super) scope: &'s Scope,
    /// Other names, which are looked up after the columns.
    pub(super) aliases: &'s [Alias],
    /// Collects aggregates, where they are allowed. In the expression, column `width + i` is the
    /// `i`th of them.
    pub(super) aggregates: Option<&'s RefCell<Vec<AggregateCall>>>,
    /// Collects the arguments of `grouping` calls.
    pub(super) groupings: Option<&'s RefCell<Vec<Vec<Expr>>>>,
    /// Collects window calls, where they are allowed. In the expression, column [`WINDOWS`]` + i`
    /// is the `i`th of them.
    pub(super) windows: Option<&'s RefCell<Vec<Pending>>>,
    /// Collects lists to unnest, where they are allowed. In the expression, column
    /// [`UNNESTS`](super::nested::UNNESTS)` + i` is the element of the `i`th.
    pub(super) unnests: Option<&'s RefCell<Vec<Expr>>>,
    /// The named windows of the select.
    pub(super) named: &'s Named,
    /// The column that `COLUMNS(…)` currently refers to.
    pub(super) spread: Option<&'s Spread>,
    /// The number of columns of the rows of `FROM`.
    pub(super) width: usize,
    /// The name of the clause, for messages.
    pub(super) clause: &'static str,
}

impl<'s> Place<'s> {
    /// A place where only columns can be named.
    pub(super) const fn plain(scope: &'s Scope, clause: &'static str) -> Self {
        Self {
            scope,
            aliases: &[],
            aggregates: None,
            groupings: None,
            windows: None,
            unnests: None,
            named: &[],
            spread: None,
            width: usize::MAX,
            clause,
        }
    }
}

impl Binder<'_> {
    /// The typed form of an expression.
    pub(super) fn expr(&mut self, expr: &ast::Expr, place: Place<'_>) -> Bound<Expr> {
        self.deeper(1, expr.span, |binder| binder.expr_kind(expr, place))
    }

    fn expr_kind(&mut self, expr: &ast::Expr, place: Place<'_>) -> Bound<Expr> {
        let span = expr.span;
        match &expr.kind {
            ast::ExprKind::Literal(literal) => self.literal(literal, span),
            ast::ExprKind::Column(name) => self.column(name, place),
            ast::ExprKind::Symbol(symbol) => {
                Ok(Expr::new(ExprKind::Symbol(symbol.clone()), Ty::Addr, span))
            }
            ast::ExprKind::Parameter(name) => self.parameter(name, span),
            ast::ExprKind::Position(number) => self.position(*number, span, place),
            ast::ExprKind::Unary { op, expr } => self.unary(*op, expr, span, place),
            ast::ExprKind::Binary { .. } => self.chain(expr, place),
            ast::ExprKind::IsNull { expr, negated } => {
                let inner = Box::new(self.expr(expr, place)?);
                let kind = ExprKind::IsNull { expr: inner, negated: *negated };
                Ok(fold(Expr::new(kind, Ty::Bool, span)))
            }
            ast::ExprKind::IsBool { expr, value, negated } => {
                let left = self.condition(expr, place, "IS TRUE and IS FALSE")?;
                let right = Expr::literal(crate::catalog::Value::Bool(*value), span);
                Ok(is_distinct(left, right, !*negated, span))
            }
            ast::ExprKind::IsDistinct { left, right, negated } => {
                if row::is_row(left) || row::is_row(right) {
                    return self.rows_distinct([left, right], *negated, span, place);
                }
                let collation = self.collation_of([&**left, &**right])?;
                let left = self.collated(left, collation, place);
                let right = self.collated(right, collation, place);
                let (left, right) = self.comparable(left?, right?, span)?;
                Ok(is_distinct(left, right, *negated, span))
            }
            ast::ExprKind::Between { expr, low, high, negated } => {
                self.between([expr, low, high], *negated, span, place)
            }
            ast::ExprKind::InList { expr, list, negated } if row::is_row(expr) => {
                self.row_in_list(expr, list, *negated, span, place)
            }
            ast::ExprKind::InList { expr, list, negated } => {
                let collation = self.collation_of(std::iter::once(&**expr).chain(list))?;
                let value = self.collated(expr, collation, place);
                let list: Vec<Bound<Expr>> =
                    list.iter().map(|entry| self.collated(entry, collation, place)).collect();
                let list = list.into_iter().collect::<Bound<Vec<_>>>();
                self.in_list(value?, list?, *negated, span)
            }
            ast::ExprKind::InQuery { expr, query, negated } => {
                let found = if *negated { BinaryOp::NotEq } else { BinaryOp::Eq };
                let quantified = Quantified { op: found, all: *negated, query };
                self.quantified(expr, quantified, span, place)
            }
            ast::ExprKind::Match { .. } => self.matching(expr, place),
            ast::ExprKind::MatchList { .. } => self.matching_list(expr, place),
            ast::ExprKind::Collate { collation, .. } => self.lone_collation(collation),
            ast::ExprKind::Case { operand, branches, otherwise } => {
                self.case(operand.as_deref(), branches, otherwise.as_deref(), span, place)
            }
            ast::ExprKind::Cast { expr, ty, lenient } => self.cast(expr, ty, *lenient, span, place),
            ast::ExprKind::Call(call) => self.call(call, span, place),
            ast::ExprKind::Scalar(query) => {
                let (plan, args) = self.subquery(query, place)?;
                let [field] = plan.schema.as_slice() else {
                    return self.one_column(plan.schema.len(), span);
                };
                let (ty, format) = (field.ty, field.format);
                let query = query_of(QueryKind::Scalar, Vec::new(), args, plan);
                Ok(Expr { kind: query, ty, format, span })
            }
            ast::ExprKind::Exists(query) => {
                let (plan, args) = self.subquery(query, place)?;
                let plan = if args.is_empty() { plan.limit(Some(1), 0) } else { plan };
                let plan = plan.project(Vec::new(), Vec::new());
                let query = query_of(QueryKind::Exists, Vec::new(), args, plan);
                Ok(Expr::new(query, Ty::Bool, span))
            }
            ast::ExprKind::Row(_) => self.lone_row(span),
            ast::ExprKind::Struct(fields) => self.structure(fields, span, place),
            ast::ExprKind::Lambda { params, body } => self.lone_lambda(params, body, span, place),
            ast::ExprKind::Quantified { .. } => self.lone_quantifier(span),
        }
    }

    /// Binds several expressions; all are bound even if one fails.
    pub(super) fn exprs(&mut self, exprs: &[ast::Expr], place: Place<'_>) -> Bound<Vec<Expr>> {
        let bound: Vec<Bound<Expr>> = exprs.iter().map(|e| self.expr(e, place)).collect();
        bound.into_iter().collect()
    }

    /// An expression that must be BOOLEAN.
    pub(super) fn condition(
        &mut self,
        expr: &ast::Expr,
        place: Place<'_>,
        what: &str,
    ) -> Bound<Expr> {
        let bound = self.expr(expr, place)?;
        self.boolean(bound, what)
    }

    /// The expression as BOOLEAN, as required by `what`.
    pub(super) fn boolean(&mut self, expr: Expr, what: &str) -> Bound<Expr> {
        convert::implicit(expr, Ty::Bool).or_else(|(expr, _)| {
            let message = format!("{what} needs a BOOLEAN, this is {}", article(expr.ty));
            let error = Diagnostic::at(Code::TypeMismatch, expr.span, message);
            self.fail(if expr.ty == Ty::Int || expr.ty == Ty::Addr {
                error.help("compare it, as in `… <> 0`")
            } else {
                error.help("compare it with something, or test it with IS NOT NULL")
            })
        })
    }

    fn column(&mut self, name: &Name, place: Place<'_>) -> Bound<Expr> {
        if let Some(local) = self.local(name) {
            return self.fields_of(local, name.parts.get(1..).unwrap_or_default());
        }
        let miss = match place.scope.find(name) {
            Ok(column) => {
                self.grow(1, name.span)?;
                return Ok(Expr { span: name.span, ..column.expr.clone() });
            }
            Err(miss) => miss,
        };
        if let [part] = name.parts.as_slice()
            && !matches!(miss, Miss::Ambiguous(_))
            && let Some(alias) =
                place.aliases.iter().find(|a| a.name.eq_ignore_ascii_case(&part.text))
        {
            return self.alias(alias, name.span, place);
        }
        if let Some(field) = self.field_of_column(name, place) {
            return field;
        }
        if !matches!(miss, Miss::Ambiguous(_))
            && let Some(column) = self.outer_column(name)
        {
            return column;
        }
        if let ([part], Miss::Unknown) = (name.parts.as_slice(), &miss)
            && !part.quoted
            && let Some(clock) = self.clock_name(&part.text, name.span)
        {
            return Ok(clock);
        }
        self.missing(name, miss, place)
    }

    /// `#n`: the column of FROM at position `n`.
    fn position(&mut self, number: u64, span: Span, place: Place<'_>) -> Bound<Expr> {
        let columns = place.scope.star(None).unwrap_or_default();
        let index = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
        if let Some(column) = index.and_then(|index| columns.get(index)) {
            return Ok(Expr { span, ..column.expr.clone() });
        }
        let message = format!("#{number}: FROM has {}", super::query::columns(columns.len()));
        self.fail_at(Code::UnknownColumn, span, message)
    }

    /// The expression of the item of the select list that an alias names.
    pub(super) fn alias(&mut self, alias: &Alias, span: Span, place: Place<'_>) -> Bound<Expr> {
        let Some(expr) = &alias.expr else { return Err(Failed) };
        if place.windows.is_none() && holds_window(expr) {
            return self.misplaced_window(&format!("`{}`", alias.name), span, place.clause);
        }
        if place.unnests.is_none() && super::nested::holds_unnest(expr) {
            let message = format!(
                "`{}` is made by unnest, which is not allowed in {}",
                alias.name, place.clause
            );
            let error = Diagnostic::at(Code::BadQuery, span, message);
            return self.fail(error.help("write FROM t, unnest(t.list) AS u(x)"));
        }
        if place.aggregates.is_none() && !expr.columns_all(|index| index < place.width) {
            let message = format!(
                "`{}` holds an aggregate, which is not allowed in {}",
                alias.name, place.clause
            );
            let error = Diagnostic::at(Code::Grouping, span, message);
            return self.fail(aggregate_help(error, place.clause));
        }
        self.check_depth(expr.depth(), span)?;
        let copy = self.copy(expr)?;
        Ok(Expr { span, ..copy })
    }

    fn missing(&mut self, name: &Name, miss: Miss, place: Place<'_>) -> Bound<Expr> {
        let error = place.scope.missing(name, miss);
        let error = match name.parts.as_slice() {
            [part] if part.quoted && error.code == Code::UnknownColumn => {
                error.help("text is written in single quotes, names in double quotes")
            }
            [part] if error.code == Code::UnknownColumn => {
                match super::idioms::column(&part.text) {
                    Some(help) => Diagnostic { help: vec![help], ..error },
                    None => error,
                }
            }
            _ => error,
        };
        self.fail(error)
    }

    pub(super) fn one_column<T>(&mut self, found: usize, span: Span) -> Bound<T> {
        let message = format!("a sub-query in an expression has one column, this one has {found}");
        self.fail(
            Diagnostic::at(Code::BadQuery, span, message)
                .help("select the one column that is meant"),
        )
    }

    /// A sub-query within an expression, and the values that it reads of the outer row.
    pub(super) fn subquery(&mut self, query: &Query, place: Place<'_>) -> Bound<(Plan, Vec<Expr>)> {
        self.no_lambda(query.span)?;
        let scope = Arc::new(place.scope.clone());
        self.within(scope, |binder| binder.query(query))
    }
}

/// A sub-query, the values that it is compared with, and the values that it reads of the outer row.
pub(super) fn query_of(
    kind: QueryKind,
    values: Vec<Expr>,
    args: Vec<Expr>,
    plan: Plan,
) -> ExprKind {
    ExprKind::Query(Box::new(SubQuery { kind, values, args, plan: Arc::new(plan) }))
}

/// The type with its indefinite article.
pub(super) fn article(ty: Ty) -> String {
    let vowel = ty.name().starts_with(['A', 'I']);
    format!("{} {ty}", if vowel { "an" } else { "a" })
}

/// Adds help that says where aggregates are allowed.
pub(super) fn aggregate_help(error: Diagnostic, clause: &str) -> Diagnostic {
    match clause {
        "WHERE" => error.help("conditions on groups are written with HAVING"),
        "an aggregate" => error.help("aggregate in a sub-query first, then over its rows"),
        _ => error,
    }
}

pub(super) fn is_distinct(left: Expr, right: Expr, negated: bool, span: Span) -> Expr {
    let kind = ExprKind::IsDistinct { left: Box::new(left), right: Box::new(right), negated };
    Expr::new(kind, Ty::Bool, span)
}

/// `CASE` with unified result types; if there is one result more than conditions, it is the `ELSE`.
pub(super) fn case_of(conditions: Vec<Expr>, mut results: Vec<Expr>, span: Span) -> Expr {
    let format = super::unify::common_format(&results);
    let ty = results.first().map_or(Ty::Null, |e| e.ty);
    let otherwise = (results.len() > conditions.len()).then(|| results.pop()).flatten();
    let kind = ExprKind::Case {
        branches: conditions.into_iter().zip(results).collect(),
        otherwise: otherwise.map(Box::new),
    };
    Expr { kind, ty, format, span }
}
