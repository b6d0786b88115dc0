//! Function calls with special evaluation: conditional functions, which compute only the selected
//! branch, `typeof`, and `why`.

use super::arithmetic::literal_as;
use super::expr::{Place, article, case_of};
use super::scope::Miss;
use super::{Binder, Bound, Failed};
use crate::catalog::{DecimalTy, FunctionSpec, Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, BinaryOp};
use crate::plan::convert::cast;
use crate::plan::fold::fold;
use crate::plan::{Expr, ExprKind};
use crate::time::{DAY, midnight};

impl Binder<'_> {
    /// Rewrites a call of one of these functions; `None` for all others, and for wrong numbers of
    /// arguments, which the signatures reject.
    pub(super) fn special(
        &mut self,
        function: &'static FunctionSpec,
        args: &[Expr],
        span: Span,
    ) -> Option<Bound<Expr>> {
        match (function.name, args) {
            ("typeof", [arg]) => Some(Ok(Expr::literal(Value::text(arg.ty.name()), span))),
            ("greatest" | "least", [_, ..]) if mixed(args) => {
                Some(self.extreme(function, args.to_vec(), span))
            }
            ("now", []) => Some(Ok(Expr::literal(Value::Time(self.now), span))),
            ("get_current_time", []) => {
                Some(Ok(Expr::literal(Value::TimeOfDay(self.now.rem_euclid(DAY)), span)))
            }
            ("today", []) => Some(Ok(Expr::literal(Value::Date(midnight(self.now)), span))),
            ("ago", [duration]) if matches!(duration.ty, Ty::Interval | Ty::Null) => {
                let now = Expr::literal(Value::Time(self.now), span);
                Some(self.arithmetic(BinaryOp::Sub, span, now, duration.clone()))
            }
            ("round" | "floor" | "ceil" | "trunc" | "abs", [arg, rest @ ..]) => {
                let Ty::Decimal(of) = arg.ty else { return None };
                rounded(function, of, arg, rest, span).map(Ok)
            }
            ("coalesce", [_, ..]) | ("ifnull", [_, _]) => Some(self.coalesce(args.to_vec(), span)),
            ("nullif", [a, b]) => Some(self.nullif(a, b.clone(), span)),
            ("if" | "iff", [condition, rest @ ..]) if (1..=2).contains(&rest.len()) => {
                Some(self.choice(condition.clone(), rest.to_vec(), span))
            }
            _ => self
                .of_map(function, args, span)
                .or_else(|| self.of_structure(function, args, span)),
        }
    }

    /// The current time for names such as `current_date`.
    pub(super) fn clock_name(&self, name: &str, span: Span) -> Option<Expr> {
        let value = match name.to_ascii_lowercase().as_str() {
            "current_timestamp" | "localtimestamp" => Value::Time(self.now),
            "current_date" => Value::Date(midnight(self.now)),
            "current_time" | "localtime" => Value::TimeOfDay(self.now.rem_euclid(DAY)),
            _ => return None,
        };
        Some(Expr::literal(value, span))
    }

    /// The first value that is not NULL.
    pub(super) fn coalesce(&mut self, args: Vec<Expr>, span: Span) -> Bound<Expr> {
        let mut results = self.unify(args, "the arguments of coalesce")?;
        let Some(last) = results.pop() else { return Err(Failed) };
        if results.is_empty() {
            return Ok(Expr { span, ..last });
        }
        let mut conditions = Vec::with_capacity(results.len());
        for result in &results {
            let expr = Box::new(self.copy(result)?);
            let kind = ExprKind::IsNull { expr, negated: true };
            conditions.push(fold(Expr::new(kind, Ty::Bool, result.span)));
        }
        results.push(last);
        Ok(case_of(conditions, results, span))
    }

    /// `greatest` and `least` of integers and addresses, for which there is no type that can hold
    /// both. The greatest is never below an address, so it is an ADDRESS; the least is never above
    /// an integer, so it is an INTEGER.
    fn extreme(
        &mut self,
        function: &'static FunctionSpec,
        args: Vec<Expr>,
        span: Span,
    ) -> Bound<Expr> {
        let firm = args.iter().any(|e| e.ty == Ty::Int && e.as_literal().is_none());
        let as_integers: Option<Vec<Expr>> =
            args.iter().map(|e| literal_as(e.clone(), Ty::Int)).collect();
        if let (true, Some(integers)) = (firm, as_integers) {
            return self.extreme_of(function, integers, span);
        }
        let (addresses, integers): (Vec<Expr>, Vec<Expr>) =
            args.into_iter().partition(|e| e.ty == Ty::Addr);
        let address = self.extreme_of(function, addresses, span)?;
        let integer = self.extreme_of(function, integers, span)?;
        let (preferred, other, op) = match function.name {
            "greatest" => (address, integer, BinaryOp::GtEq),
            _ => (integer, address, BinaryOp::LtEq),
        };
        let is_null = |binder: &mut Self, e: &Expr| {
            let kind = ExprKind::IsNull { expr: Box::new(binder.copy(e)?), negated: false };
            Ok(fold(Expr::new(kind, Ty::Bool, span)))
        };
        let holds = Expr::binary(op, self.copy(&preferred)?, self.copy(&other)?, Ty::Bool);
        let conditions = vec![is_null(self, &other)?, is_null(self, &preferred)?, fold(holds)];
        let converted = cast(other, preferred.ty, false);
        let results = vec![self.copy(&preferred)?, self.copy(&converted)?, preferred, converted];
        Ok(case_of(conditions, results, span))
    }

    fn extreme_of(
        &mut self,
        function: &'static FunctionSpec,
        mut args: Vec<Expr>,
        span: Span,
    ) -> Bound<Expr> {
        if args.len() == 1 {
            return args.pop().ok_or(Failed);
        }
        let fitted = self.fit(function, args, span)?;
        let kind = ExprKind::Call { function, args: fitted.args };
        Ok(Expr { kind, ty: fitted.ty, format: fitted.format, span })
    }

    fn nullif(&mut self, value: &Expr, other: Expr, span: Span) -> Bound<Expr> {
        let copy = self.copy(value)?;
        let condition = self.compare(BinaryOp::Eq, copy, other, span)?;
        let value = value.clone();
        let results = vec![Expr::null(value.ty, span), value];
        Ok(case_of(vec![condition], results, span))
    }

    fn choice(&mut self, condition: Expr, results: Vec<Expr>, span: Span) -> Bound<Expr> {
        let condition = self.boolean(condition, "the condition of if");
        let results = self.unify(results, "the results of if");
        Ok(case_of(vec![condition?], results?, span))
    }

    /// `why(column)`: the reason that a value of a table is absent.
    pub(super) fn why(&mut self, args: &[ast::Expr], span: Span, place: Place<'_>) -> Bound<Expr> {
        let [arg] = args else {
            return self.fail_at(Code::BadArguments, span, "`why` takes one column of a table");
        };
        let ast::ExprKind::Column(name) = &arg.kind else {
            self.expr(arg, place)?;
            return self.not_of_table(arg.span, "a computed value has no reason of its own");
        };
        match place.scope.find(name) {
            Ok(column) => match &column.why {
                Some(why) => Ok(Expr { span, ..why.clone() }),
                None => self.not_of_table(arg.span, "this column is not read from a table"),
            },
            Err(miss @ (Miss::Ambiguous(_) | Miss::UnknownTable)) => {
                let error = place.scope.missing(name, miss);
                self.fail(error)
            }
            Err(Miss::Unknown) => {
                let bound = self.expr(arg, place)?;
                let message =
                    format!("this is {} that the select list computes", article(bound.ty));
                self.not_of_table(arg.span, &message)
            }
        }
    }

    fn not_of_table(&mut self, span: Span, message: &str) -> Bound<Expr> {
        self.fail(
            Diagnostic::at(Code::BadArguments, span, "`why` takes a column of a table")
                .label(message)
                .help("call why where the table is in FROM, and name the result: SELECT why(column) AS reason"),
        )
    }
}

/// A decimal that is rounded or without its sign, which stays a decimal; `None` for what is computed
/// with DOUBLE.
fn rounded(
    function: &'static FunctionSpec,
    of: &DecimalTy,
    arg: &Expr,
    rest: &[Expr],
    span: Span,
) -> Option<Expr> {
    let digits = match rest {
        [] => 0,
        [digits] => match digits.as_literal() {
            Some(Value::Int(digits)) => u8::try_from((*digits).min(100)).ok()?,
            _ => return None,
        },
        _ => return None,
    };
    if function.name == "round" {
        if digits >= of.scale() {
            return Some(Expr { span, ..arg.clone() });
        }
        let ty = Ty::decimal(of.width(), digits)?;
        return Some(Expr { span, ..cast(arg.clone(), ty, false) });
    }
    let scale = if function.name == "abs" { of.scale() } else { 0 };
    let kind = ExprKind::Call { function, args: vec![arg.clone()] };
    rest.is_empty().then_some(Expr::new(kind, Ty::decimal(of.width(), scale)?, span))
}

/// Whether the arguments are both integers and addresses, and otherwise only NULLs.
fn mixed(args: &[Expr]) -> bool {
    let any = |ty: Ty| args.iter().any(|e| e.ty == ty);
    any(Ty::Int)
        && any(Ty::Addr)
        && args.iter().all(|e| matches!(e.ty, Ty::Int | Ty::Addr | Ty::Null))
}
