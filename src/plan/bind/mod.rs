//! Resolves names to columns and converts syntax to typed plans.
//!
//! The binder walks the tree once. It collects errors and continues where that makes sense, so that
//! one run reports several unknown columns. It optimises only constants: its plan mirrors the
//! query, and `rewrite` makes it fast.

mod arithmetic;
mod calendar;
mod call;
mod collate;
mod columns;
mod days;
mod defined;
pub(super) mod expr;
mod fit;
mod frames;
mod from;
mod group;
mod idioms;
pub(super) mod join;
mod lambda;
mod literal;
mod maps;
mod name;
mod nested;
pub(super) mod ops;
mod order;
mod pipe;
mod pivot;
pub(super) mod quantified;
mod query;
mod recursive;
mod row;
mod sample;
mod scope;
mod select;
mod sets;
mod special;
mod statement;
mod table_call;
mod unify;
mod unpivot;
mod window;

use super::shared::SharedPlan;
use super::{Definitions, Field, Lookup, Params, Plan, parameter, rewrite};
use crate::catalog::{Catalog, Ty};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{Ident, Statement};
use frames::Frame;

/// How deep expressions, operators and sub-queries may stand in each other, taken together. Every
/// later pass recurses no deeper than a small multiple of this.
const MAX_DEPTH: usize = 300;

/// How many nodes names and short forms may expand to.
const MAX_NODES: usize = 200_000;

/// How many errors one run reports.
const MAX_ERRORS: usize = 12;

/// Stands for an error that has been recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Failed;

/// What binding gives.
type Bound<T> = Result<T, Failed>;

/// A common table expression in scope.
#[derive(Debug)]
struct Cte {
    name: String,
    /// `None` if it is wrong itself, which has been reported.
    meaning: Option<Meaning>,
}

/// What the name of a common table expression stands for.
#[derive(Debug)]
enum Meaning {
    /// A plan that is computed once: its place in [`Binder::shared`].
    Shared(usize),
    /// A plan that reads rows of the queries around, so many at its place: each use has its own.
    Copied(Box<Plan>, usize),
    /// Within the step of a recursion: the rows that were new before.
    Working {
        id: usize,
        schema: Vec<Field>,
        /// How often it was named.
        uses: std::rc::Rc<std::cell::Cell<usize>>,
    },
    /// Within the first part of a recursive expression: nothing yet.
    Itself,
}

/// The state of binding one statement.
struct Binder<'a> {
    catalog: &'a Catalog,
    calls: &'a dyn Lookup,
    params: &'a Params,
    definitions: &'a Definitions,
    /// Views that were named so far, with their places in [`Binder::shared`].
    views: Vec<(String, Option<usize>)>,
    /// Views whose queries are being bound.
    expanding: Vec<String>,
    errors: Vec<Diagnostic>,
    ctes: Vec<Cte>,
    shared: Vec<SharedPlan>,
    /// The queries around, the innermost last: names that resolve only there make the query
    /// correlated.
    frames: Vec<Frame>,
    /// How many recursions there are.
    recursions: usize,
    /// The arguments of the lambdas around, the innermost last: name, number and type.
    locals: Vec<(String, usize, Ty)>,
    /// How many arguments of lambdas there are in the statement.
    lambda_params: usize,
    depth: usize,
    nodes: usize,
    /// What `now()` is in all of the statement.
    now: i64,
}

/// Turns a statement into a plan that says what the statement says.
pub(super) fn statement(
    statement: &Statement,
    catalog: &Catalog,
    calls: &dyn Lookup,
    params: &Params,
    definitions: &Definitions,
) -> Result<(Plan, Vec<SharedPlan>), Vec<Diagnostic>> {
    let mut binder = Binder {
        catalog,
        calls,
        params,
        definitions,
        views: Vec::new(),
        expanding: Vec::new(),
        errors: Vec::new(),
        ctes: Vec::new(),
        shared: Vec::new(),
        frames: Vec::new(),
        recursions: 0,
        locals: Vec::new(),
        lambda_params: 0,
        depth: 0,
        nodes: 0,
        now: crate::time::now(),
    };
    match binder.statement(statement) {
        Ok(plan) if binder.errors.is_empty() => Ok((plan, binder.shared)),
        _ => Err(binder.into_errors(statement.span)),
    }
}

impl Binder<'_> {
    fn into_errors(self, span: Span) -> Vec<Diagnostic> {
        let mut errors: Vec<Diagnostic> = Vec::new();
        for error in self.errors {
            if errors.len() < MAX_ERRORS && !errors.contains(&error) {
                errors.push(error);
            }
        }
        errors.sort_by_key(|e| e.span.map(|s| s.start));
        if errors.is_empty() {
            errors.push(Diagnostic::at(Code::Internal, span, "the query could not be planned"));
        }
        errors
    }

    /// Records an error.
    fn fail<T>(&mut self, error: Diagnostic) -> Bound<T> {
        self.errors.push(error);
        Err(Failed)
    }

    /// Records an error that is a code and a message.
    fn fail_at<T>(&mut self, code: Code, span: Span, message: impl Into<String>) -> Bound<T> {
        self.fail(Diagnostic::at(code, span, message))
    }

    /// Runs `f` so many levels deeper, within the limit.
    fn deeper<T>(
        &mut self,
        levels: usize,
        span: Span,
        f: impl FnOnce(&mut Self) -> Bound<T>,
    ) -> Bound<T> {
        self.check_depth(levels, span)?;
        self.depth += levels;
        let result = f(self);
        self.depth -= levels;
        result
    }

    fn check_depth(&mut self, levels: usize, span: Span) -> Bound<()> {
        if self.depth.saturating_add(levels) <= MAX_DEPTH {
            return Ok(());
        }
        self.fail(
            Diagnostic::at(Code::TooDeep, span, format!("more than {MAX_DEPTH} levels of nesting"))
                .help("split the query with WITH, or write long lists as IN (…)"),
        )
    }

    /// Accounts for `nodes` that were not written but copied.
    fn grow(&mut self, nodes: usize, span: Span) -> Bound<()> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        self.fail(
            Diagnostic::at(
                Code::TooDeep,
                span,
                "the expression grows too large when its names are put in",
            )
            .help("compute the repeated parts in a sub-query and refer to its columns"),
        )
    }

    /// The texts in the only column of a plan, which runs now.
    fn texts(&self, plan: Plan) -> Result<Vec<String>, Diagnostic> {
        let functions = rewrite::Functions { row_number: self.catalog.function("row_number") };
        self.calls.texts(rewrite::plan(plan, self.shared.clone(), functions))
    }

    /// A copy of an expression, accounted for.
    fn copy(&mut self, expr: &super::Expr) -> Bound<super::Expr> {
        self.grow(expr.size(), expr.span)?;
        Ok(expr.clone())
    }
}

/// Gives the columns of a plan new names from the left; more names than columns are an error.
fn rename(binder: &mut Binder<'_>, plan: &mut Plan, names: &[Ident]) -> Bound<()> {
    if let Some(extra) = names.get(plan.schema.len()) {
        let message = format!("{} column names for {} columns", names.len(), plan.schema.len());
        return binder.fail_at(Code::BadQuery, extra.span, message);
    }
    for (field, name) in plan.schema.iter_mut().zip(names) {
        field.name.clone_from(&name.text);
    }
    Ok(())
}
