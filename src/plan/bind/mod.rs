//! Resolves names to columns and converts syntax to typed plans.
//!
//! The binder walks the tree once. It collects errors and continues where that makes sense, so that
//! one run reports several unknown columns. It only folds constants: its plan has the structure of
//! the query, and `rewrite` optimizes it.

mod aggregates;
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
mod structs;
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

/// The maximum nesting depth of expressions, operators and sub-queries taken together. Every later
/// pass recurses no deeper than a small multiple of this.
const MAX_DEPTH: usize = 300;

/// The maximum number of nodes to which names and short forms may expand.
const MAX_NODES: usize = 200_000;

/// The maximum number of errors that one run reports.
const MAX_ERRORS: usize = 12;

/// Marks an error that has been recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Failed;

/// The result of binding.
type Bound<T> = Result<T, Failed>;

/// A common table expression in scope.
#[derive(Debug)]
struct Cte {
    name: String,
    /// `None` if its query has an error, which has been reported.
    meaning: Option<Meaning>,
}

/// What the name of a common table expression refers to.
#[derive(Debug)]
enum Meaning {
    /// A plan that is computed once: its index in [`Binder::shared`].
    Shared(usize),
    /// A plan that reads rows of outer queries, and the number of outer queries where it was bound:
    /// each use has its own copy.
    Copied(Box<Plan>, usize),
    /// Within the step of a recursion: the new rows of the previous step.
    Working {
        id: usize,
        schema: Vec<Field>,
        /// The number of references to it.
        uses: std::rc::Rc<std::cell::Cell<usize>>,
    },
    /// Within the first part of a recursive expression: not available yet.
    Itself,
}

/// The state of binding one statement.
struct Binder<'a> {
    catalog: &'a Catalog,
    calls: &'a dyn Lookup,
    params: &'a Params,
    definitions: &'a Definitions,
    /// Views that have been named so far, with their indices in [`Binder::shared`].
    views: Vec<(String, Option<usize>)>,
    /// Views whose queries are being bound.
    expanding: Vec<String>,
    errors: Vec<Diagnostic>,
    ctes: Vec<Cte>,
    shared: Vec<SharedPlan>,
    /// The outer queries, the innermost last: names that resolve only there make the query
    /// correlated.
    frames: Vec<Frame>,
    /// The number of recursions.
    recursions: usize,
    /// The arguments of the enclosing lambdas, the innermost last: name, number and type.
    locals: Vec<(String, usize, Ty)>,
    /// The number of lambda arguments in the statement.
    lambda_params: usize,
    depth: usize,
    nodes: usize,
    /// The value of `now()` in the whole statement.
    now: i64,
}

/// Converts a statement to a plan with the structure of the statement.
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

    /// Records an error with a code and a message.
    fn fail_at<T>(&mut self, code: Code, span: Span, message: impl Into<String>) -> Bound<T> {
        self.fail(Diagnostic::at(code, span, message))
    }

    /// Runs `f` with the nesting depth increased by `levels`, within the limit.
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

    /// Counts `nodes` that come from expansion against the limit.
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

    /// Runs a plan now; returns the texts in its only column.
    fn texts(&self, plan: Plan) -> Result<Vec<String>, Diagnostic> {
        let functions = rewrite::Functions { row_number: self.catalog.function("row_number") };
        self.calls.texts(rewrite::plan(plan, self.shared.clone(), functions, self.calls))
    }

    /// A copy of an expression, counted against the limit.
    fn copy(&mut self, expr: &super::Expr) -> Bound<super::Expr> {
        self.grow(expr.size(), expr.span)?;
        Ok(expr.clone())
    }
}

/// Renames the columns of a plan from the left; more names than columns are an error.
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
