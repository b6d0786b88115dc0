//! Lambdas, and the list functions that take them.

use super::call::adapted;
use super::expr::Place;
use super::{Binder, Bound};
use crate::catalog::{Format, FunctionKind, FunctionSpec, Ty};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, Call, Ident, Name};
use crate::plan::{AggregateCall, Each, EachWork, Expr, ExprKind};

/// List functions that evaluate an expression for each element, by the names of their
/// specifications.
const EACH: [&str; 4] = ["list_transform", "list_filter", "list_reduce", "list_aggregate"];

impl Binder<'_> {
    /// The argument of an enclosing lambda that a name refers to.
    pub(super) fn local(&self, name: &Name) -> Option<Expr> {
        let first = name.parts.first()?;
        let mut locals = self.locals.iter().rev();
        let (_, id, ty) = locals.find(|(own, ..)| own.eq_ignore_ascii_case(&first.text))?;
        Some(Expr::new(ExprKind::Local(*id), *ty, name.span))
    }

    /// Fails within a lambda, where sub-queries are not allowed.
    pub(super) fn no_lambda(&mut self, span: Span) -> Bound<()> {
        if self.locals.is_empty() {
            return Ok(());
        }
        let message = "a sub-query is not allowed in a lambda";
        let error = Diagnostic::at(Code::Unsupported, span, message);
        self.fail(error.help("write FROM t, unnest(t.list) AS u(x), and join with the query"))
    }

    /// A lambda that is not an argument of a list function: with one name, `->` extracts from a
    /// column of JSON text.
    pub(super) fn lone_lambda(
        &mut self,
        params: &[Ident],
        body: &ast::Expr,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        if let ([name], Some(function)) = (params, self.catalog.function("json_extract")) {
            let column = Name { parts: vec![name.clone()], span: name.span };
            let column = ast::Expr { kind: ast::ExprKind::Column(column), span: name.span };
            let args = [self.expr(&column, place), self.expr(body, place)];
            let args = args.into_iter().collect::<Bound<Vec<_>>>()?;
            let fitted = self.fit(function, args, span)?;
            return Ok(Expr::new(ExprKind::Call { function, args: fitted.args }, fitted.ty, span));
        }
        let error = Diagnostic::at(
            Code::BadQuery,
            span,
            "a lambda is only allowed as an argument of a list function",
        );
        self.fail(error.help("as in list_transform(list, x -> x + 1)"))
    }

    /// A call of a list function; `None` for other calls.
    pub(super) fn each_call(
        &mut self,
        call: &Call,
        span: Span,
        place: Place<'_>,
    ) -> Option<Bound<Expr>> {
        if call.over.is_some() || call.star || call.distinct || call.filter.is_some() {
            return None;
        }
        let name = &call.name.text;
        let known = self.catalog.function(name).filter(|f| f.kind == FunctionKind::Scalar);
        if let Some(function) = known {
            if !EACH.contains(&function.name) {
                return None;
            }
            return Some(match (function.name, call.args.as_slice()) {
                ("list_aggregate", [list, aggregate, rest @ ..]) => {
                    self.named_aggregate(list, aggregate, rest, span, place)
                }
                ("list_aggregate", _) => self.each_misfit(function, span),
                (_, [list, lambda, rest @ ..]) => {
                    self.each_lambda(function, [list, lambda], rest, span, place)
                }
                _ => self.each_misfit(function, span),
            });
        }
        // `list_sum(l)` is `list_aggregate(l, 'sum')`.
        let of = name.get(..5).filter(|start| start.eq_ignore_ascii_case("list_"))?;
        let aggregate = self.catalog.function(name.get(of.len()..)?)?;
        let [list, rest @ ..] = call.args.as_slice() else { return None };
        (aggregate.kind == FunctionKind::Aggregate)
            .then(|| self.aggregate_of(aggregate, list, rest, span, place))
    }

    fn each_misfit<T>(&mut self, function: &'static FunctionSpec, span: Span) -> Bound<T> {
        let error = Diagnostic::at(
            Code::BadArguments,
            span,
            format!("`{}` needs a list and more", function.name),
        );
        self.fail(error.help(format!("it is called as {}", super::nested::ways(function))))
    }

    /// The list argument of a list function.
    fn each_list(&mut self, list: &ast::Expr, place: Place<'_>) -> Bound<(Expr, Ty)> {
        let list = self.expr(list, place)?;
        match list.ty {
            Ty::List(of) => Ok((list, of.element())),
            Ty::Null => Ok((Expr::null(Ty::NULLS, list.span), Ty::Null)),
            other => {
                let message =
                    format!("a list is expected, this is {}", super::expr::article(other));
                self.fail_at(Code::BadArguments, list.span, message)
            }
        }
    }

    fn each_lambda(
        &mut self,
        function: &'static FunctionSpec,
        [list, lambda]: [&ast::Expr; 2],
        rest: &[ast::Expr],
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let ast::ExprKind::Lambda { params, body } = &lambda.kind else {
            let message = format!("`{}` takes a lambda here", function.name);
            let error = Diagnostic::at(Code::BadArguments, lambda.span, message);
            return self.fail(error.help("as in x -> x + 1, or lambda x: x + 1"));
        };
        let reduces = function.name == "list_reduce";
        let (least, most) = if reduces { (2, 3) } else { (1, 2) };
        if params.len() < least || params.len() > most {
            let message =
                format!("the lambda of `{}` takes {least} or {most} arguments", function.name);
            return self.fail_at(Code::BadArguments, lambda.span, message);
        }
        if let Some(extra) = rest.get(usize::from(reduces)) {
            let message = format!("`{}` takes no argument here", function.name);
            return self.fail_at(Code::BadArguments, extra.span, message);
        }
        let (list, element) = self.each_list(list, place)?;
        let initial = rest.first().map(|e| self.expr(e, place)).transpose()?;
        let so_far = initial.as_ref().map_or(element, |e| e.ty);
        let types = if reduces { [so_far, element, Ty::Int] } else { [element, Ty::Int, Ty::Null] };
        let (params, body) = self.lambda_body(params, &types, body, place)?;
        let (work, ty) = match function.name {
            "list_filter" => (EachWork::Filter(self.boolean(body, "list_filter")?), list.ty),
            "list_transform" => {
                let ty = self.list_type(body.ty, span)?;
                (EachWork::Transform(body), ty)
            }
            _ => {
                let body = self.as_type(body, so_far, "the result of list_reduce")?;
                (EachWork::Reduce { body, initial }, so_far)
            }
        };
        let each = Each { list, params, work };
        Ok(Expr::new(ExprKind::Each(Box::new(each)), ty, span))
    }

    /// The body of a lambda whose arguments have these types, and the numbers of the arguments.
    fn lambda_body(
        &mut self,
        names: &[Ident],
        types: &[Ty],
        body: &ast::Expr,
        place: Place<'_>,
    ) -> Bound<(Vec<usize>, Expr)> {
        let before = self.locals.len();
        let mut params = Vec::with_capacity(names.len());
        for (name, ty) in names.iter().zip(types) {
            params.push(self.lambda_params);
            self.locals.push((name.text.clone(), self.lambda_params, *ty));
            self.lambda_params += 1;
        }
        let inner = Place {
            aggregates: None,
            groupings: None,
            windows: None,
            unnests: None,
            clause: "a lambda",
            ..place
        };
        let body = self.expr(body, inner);
        self.locals.truncate(before);
        Ok((params, body?))
    }

    /// `list_aggregate(list, 'sum')`.
    fn named_aggregate(
        &mut self,
        list: &ast::Expr,
        name: &ast::Expr,
        rest: &[ast::Expr],
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let ast::ExprKind::Literal(ast::Literal::Text(text)) = &name.kind else {
            let error = Diagnostic::at(
                Code::BadArguments,
                name.span,
                "the name of an aggregate is expected",
            );
            return self.fail(error.help("as in list_aggregate(list, 'sum')"));
        };
        let known = self.catalog.function(text).filter(|f| f.kind == FunctionKind::Aggregate);
        if let Some(function) = known {
            return self.aggregate_of(function, list, rest, span, place);
        }
        let names = self.catalog.functions().iter();
        let names = names.filter(|f| f.kind == FunctionKind::Aggregate).map(|f| f.name);
        let message = format!("no aggregate `{text}`");
        let error = Diagnostic::at(Code::UnknownFunction, name.span, message);
        self.fail(error.nearest(text, names))
    }

    fn aggregate_of(
        &mut self,
        function: &'static FunctionSpec,
        list: &ast::Expr,
        rest: &[ast::Expr],
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let (list, element) = self.each_list(list, place)?;
        let id = self.lambda_params;
        self.lambda_params += 1;
        let mut args = vec![Expr::new(ExprKind::Local(id), element, list.span)];
        args.extend(self.exprs(rest, place)?);
        let fitted = self.fit_aggregate(function, adapted(function, args), span)?;
        let call = AggregateCall {
            function,
            args: fitted.args,
            distinct: false,
            filter: None,
            order_by: Vec::new(),
            ty: fitted.ty,
            format: Format::Plain,
            span,
        };
        let ty = call.ty;
        let each = Each { list, params: vec![id], work: EachWork::Aggregate(call) };
        Ok(Expr::new(ExprKind::Each(Box::new(each)), ty, span))
    }
}
