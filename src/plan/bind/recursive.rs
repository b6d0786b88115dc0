//! `WITH RECURSIVE`: common table expressions that refer to themselves.

use std::cell::Cell;
use std::rc::Rc;

use super::query::set_tree;
use super::unify::coerce_columns;
use super::{Binder, Bound, Cte, Failed, Meaning, rename};
use crate::catalog::Ty;
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, Body, Query, SetOp};
use crate::plan::{Plan, Rel};

/// How often the column types of the first rows may be widened to those of the step.
const ROUNDS: usize = 4;

/// The number of nodes that binding a step again counts as.
const REBOUND: usize = 100;

/// The two parts of a recursive expression.
#[derive(Clone, Copy)]
struct Parts<'q> {
    base: &'q Body,
    step: &'q Body,
    all: bool,
    span: Span,
}

impl Binder<'_> {
    /// An expression of `WITH RECURSIVE`, recursive or not.
    pub(super) fn recursive(&mut self, cte: &ast::Cte) -> Bound<Plan> {
        let Some(parts) = parts(&cte.query) else {
            let plan = self.with_name(cte, Meaning::Itself, |binder| binder.query(&cte.query))?;
            return self.named_columns(plan, &cte.columns);
        };
        self.deeper(2, cte.query.span, |binder| {
            let mark = binder.ctes.len();
            let with = cte.query.with.as_ref().map_or(Ok(()), |with| binder.with(with));
            let plan = with.and_then(|()| binder.recursion(cte, parts));
            binder.ctes.truncate(mark);
            plan
        })
    }

    fn recursion(&mut self, cte: &ast::Cte, parts: Parts<'_>) -> Bound<Plan> {
        let mut base = self.with_name(cte, Meaning::Itself, |binder| binder.body(parts.base))?;
        rename(self, &mut base, &cte.columns)?;
        let id = self.recursions;
        self.recursions += 1;
        for round in 0..ROUNDS {
            if round > 0 {
                // With nested recursions, each round doubles the work.
                self.grow(REBOUND, parts.span)?;
            }
            let uses = Rc::new(Cell::new(0));
            let schema = base.schema.clone();
            let working = Meaning::Working { id, schema, uses: Rc::clone(&uses) };
            let step = self.with_name(cte, working, |binder| binder.body(parts.step))?;
            let types: Vec<Ty> = base.schema.iter().map(|f| f.ty).collect();
            let mut both = self.aligned(vec![base, step], parts.span)?.into_iter();
            let (Some(first), Some(next)) = (both.next(), both.next()) else { return Err(Failed) };
            if uses.get() == 0 {
                let all = parts.all;
                return set_tree(SetOp::Union, all, vec![first, next], parts.span).ok_or(Failed);
            }
            let wider: Vec<Ty> = first.schema.iter().map(|f| f.ty).collect();
            if wider == types {
                let (schema, span) = (first.schema.clone(), cte.name.span);
                let (base, step) = (Box::new(first), Box::new(next));
                let rel = Rel::Recursive { id, base, step, all: parts.all };
                return Ok(Plan { rel, schema, span });
            }
            base = coerce_columns(first, &wider);
        }
        let message = format!("the columns of `{}` get another type with each step", cte.name.text);
        self.fail(
            Diagnostic::at(Code::TypeMismatch, parts.span, message)
                .help("give them one with CAST(… AS type), in both parts"),
        )
    }

    /// Binds with a meaning for the name of the expression.
    fn with_name<T>(
        &mut self,
        cte: &ast::Cte,
        meaning: Meaning,
        bind: impl FnOnce(&mut Self) -> Bound<T>,
    ) -> Bound<T> {
        let mark = self.ctes.len();
        self.ctes.push(Cte { name: cte.name.text.clone(), meaning: Some(meaning) });
        let bound = bind(self);
        self.ctes.truncate(mark);
        bound
    }

    /// The error for a recursive expression that refers to itself in its first part.
    pub(super) fn names_itself<T>(&mut self, name: &str, span: Span) -> Bound<T> {
        let message = format!("`{name}` refers to itself before it has rows");
        self.fail(
            Diagnostic::at(Code::BadQuery, span, message)
                .help("a recursive expression is: first rows UNION [ALL] a SELECT that names it")
                .help("its ORDER BY and LIMIT belong to the query that reads it"),
        )
    }
}

/// The two parts of a query that consists only of a UNION.
fn parts(query: &Query) -> Option<Parts<'_>> {
    let tail = query.limit.is_some() || query.offset.is_some();
    if tail || !query.order_by.is_empty() || query.order_by_all.is_some() {
        return None;
    }
    match &query.body {
        Body::SetOp { op: SetOp::Union, all, by_name: false, left, right, span } => {
            Some(Parts { base: left, step: right, all: *all, span: *span })
        }
        Body::Nested(inner) if query.with.is_none() && inner.with.is_none() => parts(inner),
        _ => None,
    }
}
