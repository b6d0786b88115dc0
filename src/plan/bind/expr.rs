//! Expressions: converts each kind of syntax tree node to a typed expression.

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
use crate::catalog::{IntRange, Ty};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, BinaryOp, MatchOp, Name, Query};
use crate::plan::convert::{self, can_cast};
use crate::plan::fold::fold;
use crate::plan::walk::balanced;
use crate::plan::{AggregateCall, Expr, ExprKind, Plan, QueryKind, SubQuery};

/// Names that expressions may use beside columns: earlier items of the select list.
#[derive(Debug, Clone)]
pub(super) struct Alias {
    pub(super) name: String,
    /// `None` if the item is wrong itself, which has been reported.
    pub(super) expr: Option<Expr>,
}

/// Where an expression stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'s> {
    /// The columns that can be named.
    pub(super) scope: &'s Scope,
    /// What else can be named, after the columns.
    pub(super) aliases: &'s [Alias],
    /// Collects aggregates, where they may stand. In the expression, column `width + i` is the
    /// `i`th of them.
    pub(super) aggregates: Option<&'s RefCell<Vec<AggregateCall>>>,
    /// Collects the arguments of calls of `grouping`.
    pub(super) groupings: Option<&'s RefCell<Vec<Vec<Expr>>>>,
    /// Collects windows, where they may stand. In the expression, column [`WINDOWS`]` + i` is the
    /// `i`th of them.
    pub(super) windows: Option<&'s RefCell<Vec<Pending>>>,
    /// Collects lists that rows are made of, where they may stand. In the expression, column
    /// [`UNNESTS`](super::nested::UNNESTS)` + i` is the element of the `i`th.
    pub(super) unnests: Option<&'s RefCell<Vec<Expr>>>,
    /// The windows that the select names.
    pub(super) named: &'s Named,
    /// Which column `COLUMNS(…)` stands for.
    pub(super) spread: Option<&'s Spread>,
    /// The number of columns of the rows of `FROM`.
    pub(super) width: usize,
    /// The words for the clause, for messages.
    pub(super) clause: &'static str,
}

impl<'s> Place<'s> {
    /// A place that sees columns alone.
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

    /// All of several expressions, every one bound even if one fails.
    pub(super) fn exprs(&mut self, exprs: &[ast::Expr], place: Place<'_>) -> Bound<Vec<Expr>> {
        let bound: Vec<Bound<Expr>> = exprs.iter().map(|e| self.expr(e, place)).collect();
        bound.into_iter().collect()
    }

    /// An expression that has to be BOOLEAN.
    pub(super) fn condition(
        &mut self,
        expr: &ast::Expr,
        place: Place<'_>,
        what: &str,
    ) -> Bound<Expr> {
        let bound = self.expr(expr, place)?;
        self.boolean(bound, what)
    }

    /// The expression as BOOLEAN, which `what` needs.
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

    /// `#n`: a column of FROM by its place.
    fn position(&mut self, number: u64, span: Span, place: Place<'_>) -> Bound<Expr> {
        let columns = place.scope.star(None).unwrap_or_default();
        let index = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
        if let Some(column) = index.and_then(|index| columns.get(index)) {
            return Ok(Expr { span, ..column.expr.clone() });
        }
        let message = format!("#{number}: FROM has {}", super::query::columns(columns.len()));
        self.fail_at(Code::UnknownColumn, span, message)
    }

    /// An item of the select list in the place of its name.
    pub(super) fn alias(&mut self, alias: &Alias, span: Span, place: Place<'_>) -> Bound<Expr> {
        let Some(expr) = &alias.expr else { return Err(Failed) };
        if place.windows.is_none() && holds_window(expr) {
            return self.misplaced_window(&format!("`{}`", alias.name), span, place.clause);
        }
        if place.unnests.is_none() && super::nested::holds_unnest(expr) {
            let message = format!(
                "`{}` is made by unnest, which cannot stand in {}",
                alias.name, place.clause
            );
            let error = Diagnostic::at(Code::BadQuery, span, message);
            return self.fail(error.help("write FROM t, unnest(t.list) AS u(x)"));
        }
        if place.aggregates.is_none() && !expr.columns_all(|index| index < place.width) {
            let message = format!(
                "`{}` holds an aggregate, which cannot stand in {}",
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

    fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        branches: &[(ast::Expr, ast::Expr)],
        otherwise: Option<&ast::Expr>,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let operand = operand.map(|e| self.expr(e, place)).transpose();
        let mut conditions = Vec::with_capacity(branches.len());
        let mut results = Vec::with_capacity(branches.len() + 1);
        for (when, then) in branches {
            conditions.push(match &operand {
                Ok(None) => self.condition(when, place, "WHEN"),
                Ok(Some(operand)) => self.case_equals(operand, when, place),
                Err(Failed) => Err(Failed),
            });
            results.push(self.expr(then, place));
        }
        results.extend(otherwise.map(|e| self.expr(e, place)));
        let conditions = conditions.into_iter().collect::<Bound<Vec<_>>>()?;
        let results = results.into_iter().collect::<Bound<Vec<_>>>()?;
        let results = self.unify(results, "the results of CASE")?;
        Ok(case_of(conditions, results, span))
    }

    fn case_equals(&mut self, operand: &Expr, when: &ast::Expr, place: Place<'_>) -> Bound<Expr> {
        let when = self.expr(when, place)?;
        let operand = self.copy(operand)?;
        let span = when.span;
        self.compare(BinaryOp::Eq, operand, when, span)
    }

    fn cast(
        &mut self,
        expr: &ast::Expr,
        ty: &ast::Ident,
        lenient: bool,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let inner = self.expr(expr, place);
        let Some(to) = Ty::from_name(&ty.text) else {
            let error =
                Diagnostic::at(Code::TypeMismatch, ty.span, format!("no type `{}`", ty.text));
            let names =
                ["BOOLEAN", "INTEGER", "DOUBLE", "VARCHAR", "ADDRESS", "TIMESTAMP", "INTERVAL"];
            let error = error.nearest(&ty.text, names);
            let error = match super::idioms::type_name(&ty.text) {
                Some(help) => error.help(help),
                None => error,
            };
            return self.fail(error.help(format!("types: {}", names.join(", "))));
        };
        let inner = inner?;
        if !can_cast(inner.ty, to) {
            let message = format!("{} cannot be converted to {to}", inner.ty);
            let error = Diagnostic::at(Code::TypeMismatch, span, message);
            return self.fail(self.cast_help(error, inner.ty, to));
        }
        let range = IntRange::of_name(&ty.text);
        let bound = convert::explicit(inner, to, lenient, range);
        Ok(Expr { span, ..bound })
    }

    fn cast_help(&self, error: Diagnostic, from: Ty, to: Ty) -> Diagnostic {
        let mut error = error;
        for (a, b, function) in [
            (Ty::Int, Ty::Time, "make_timestamp"),
            (Ty::Time, Ty::Int, "epoch_us"),
            (Ty::Interval, Ty::Int, "epoch_us"),
        ] {
            if (from, to) == (a, b) && self.catalog.function(function).is_some() {
                error =
                    error.help(format!("{function}(…) takes microseconds to and from 1970 UTC"));
            }
        }
        error
    }

    pub(super) fn one_column<T>(&mut self, found: usize, span: Span) -> Bound<T> {
        let message = format!("a sub-query in an expression has one column, this one has {found}");
        self.fail(
            Diagnostic::at(Code::BadQuery, span, message)
                .help("select the one column that is meant"),
        )
    }

    /// A sub-query within an expression, and what it reads of the row that the expression is over.
    pub(super) fn subquery(&mut self, query: &Query, place: Place<'_>) -> Bound<(Plan, Vec<Expr>)> {
        self.no_lambda(query.span)?;
        let scope = Arc::new(place.scope.clone());
        self.within(scope, |binder| binder.query(query))
    }

    fn matching(&mut self, expr: &ast::Expr, place: Place<'_>) -> Bound<Expr> {
        let ast::ExprKind::Match { op, expr: text, pattern, escape, negated } = &expr.kind else {
            return Err(Failed);
        };
        let (text, pattern) = (self.expr(text, place), self.expr(pattern, place));
        let escape = escape.as_deref().map(|e| self.escape(e, *op, place)).transpose();
        let words = match_words(*op);
        let (text, pattern) = (self.text(text?, words), self.text(pattern?, words));
        let escape = escape?;
        Ok(match_of(*op, text?, pattern?, escape, *negated, expr.span))
    }

    /// `LIKE ANY (…)`, `LIKE ALL (…)`: a match of each pattern, joined.
    fn matching_list(&mut self, expr: &ast::Expr, place: Place<'_>) -> Bound<Expr> {
        let ast::ExprKind::MatchList { op, expr: text, patterns, all, negated } = &expr.kind else {
            return Err(Failed);
        };
        let words = match_words(*op);
        let (text, patterns) = (self.expr(text, place), self.exprs(patterns, place));
        let text = self.text(text?, words)?;
        let mut terms = Vec::new();
        for pattern in patterns? {
            let (pattern, text) = (self.text(pattern, words)?, self.copy(&text)?);
            terms.push(match_of(*op, text, pattern, None, *negated, expr.span));
        }
        let join = if *all { BinaryOp::And } else { BinaryOp::Or };
        let joined = balanced(join, Ty::Bool, terms).ok_or(Failed)?;
        Ok(Expr { span: expr.span, ..joined })
    }

    fn text(&mut self, expr: Expr, what: &str) -> Bound<Expr> {
        convert::implicit(expr, Ty::Text).or_else(|(expr, _)| {
            let message = format!("{what} needs VARCHAR, this is {}", expr.ty);
            self.fail(
                Diagnostic::at(Code::TypeMismatch, expr.span, message)
                    .help("convert it with CAST(… AS VARCHAR)"),
            )
        })
    }

    fn escape(&mut self, escape: &ast::Expr, op: MatchOp, place: Place<'_>) -> Bound<char> {
        if !matches!(op, MatchOp::Like | MatchOp::ILike) {
            let message = format!("{} has no ESCAPE", match_words(op));
            return self.fail_at(Code::BadQuery, escape.span, message);
        }
        let bound = self.expr(escape, place)?;
        let text = bound.as_literal().and_then(|v| v.as_text()).unwrap_or_default();
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(one), None) => Ok(one),
            _ => self.fail_at(Code::BadQuery, escape.span, "ESCAPE needs a text of one character"),
        }
    }
}

fn match_of(
    op: MatchOp,
    text: Expr,
    pattern: Expr,
    escape: Option<char>,
    negated: bool,
    span: Span,
) -> Expr {
    let (expr, pattern) = (Box::new(text), Box::new(pattern));
    Expr::new(ExprKind::Match { op, expr, pattern, escape, negated }, Ty::Bool, span)
}

/// A sub-query with what it is compared with and what it reads.
pub(super) fn query_of(
    kind: QueryKind,
    values: Vec<Expr>,
    args: Vec<Expr>,
    plan: Plan,
) -> ExprKind {
    ExprKind::Query(Box::new(SubQuery { kind, values, args, plan: Arc::new(plan) }))
}

/// The words for an operator that matches.
pub(in crate::plan) const fn match_words(op: MatchOp) -> &'static str {
    match op {
        MatchOp::Like => "LIKE",
        MatchOp::ILike => "ILIKE",
        MatchOp::Glob => "GLOB",
        MatchOp::SimilarTo => "SIMILAR TO",
        MatchOp::Regexp => "~",
    }
}

/// The type with its article.
pub(super) fn article(ty: Ty) -> String {
    let vowel = ty.name().starts_with(['A', 'I']);
    format!("{} {ty}", if vowel { "an" } else { "a" })
}

/// Adds where aggregates belong to.
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

/// `CASE` with unified results; one result more than conditions is the `ELSE`.
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
