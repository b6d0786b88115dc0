//! Lists, structures and lambdas. Alternative notations become calls.

use pest::iterators::Pair;

use super::expr::called;
use super::{Builder, Built, found, only};
use crate::diag::Span;
use crate::lang::ast::{Expr, ExprKind, Ident, Literal, UnaryOp};
use crate::lang::syntax::Rule;

/// The function that `x IN list` calls.
pub(super) const IN: &str = "list_contains";

impl Builder {
    /// `[1, 2]`, or `[x + 1 FOR x IN l IF x > 2]`.
    pub(super) fn list(&mut self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let span = self.span(&pair);
        let mut values = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::expr => values.push(self.expr(part)?),
                Rule::comprehension => {
                    let value = found(values.pop())?;
                    return self.comprehension(value, part, span);
                }
                _ => {}
            }
        }
        Ok(called("list_value", span, values, span))
    }

    /// `MAP {key: value, …}`: a call of `map` with the keys and the values.
    pub(super) fn map(&mut self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let span = self.span(&pair);
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        for entry in pair.into_inner().filter(|part| part.as_rule() == Rule::map_entry) {
            let mut sides = entry.into_inner().filter(|part| part.as_rule() == Rule::expr);
            keys.push(self.expr(found(sides.next())?)?);
            values.push(self.expr(found(sides.next())?)?);
        }
        let lists = [keys, values].map(|list| called("list_value", span, list, span));
        Ok(called("map", span, lists.into(), span))
    }

    fn comprehension(&mut self, value: Expr, pair: Pair<'_, Rule>, span: Span) -> Built<Expr> {
        let (mut params, mut list, mut condition) = (Vec::new(), None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::column_name => params.push(self.ident(part)?),
                Rule::expr => list = Some(self.expr(part)?),
                Rule::condition => condition = Some(self.only_expr(part)?),
                _ => {}
            }
        }
        let mut list = found(list)?;
        if let Some(condition) = condition {
            let lambda = lambda(params.clone(), condition);
            list = called("list_filter", span, vec![list, lambda], span);
        }
        Ok(called("list_transform", span, vec![list, lambda(params, value)], span))
    }

    /// `{'a': 1}`, `struct_pack(a := 1)`.
    pub(super) fn structure(&mut self, pair: Pair<'_, Rule>) -> Built<ExprKind> {
        let mut fields = Vec::new();
        let entries = pair.into_inner();
        for entry in entries.filter(|p| matches!(p.as_rule(), Rule::entry | Rule::pack_entry)) {
            let (mut name, mut value) = (None, None);
            for part in entry.into_inner() {
                match part.as_rule() {
                    Rule::text => {
                        let span = self.span(&part);
                        let text = super::unquoted(part.as_str(), '\'');
                        name = Some(Ident { text, quoted: true, span });
                    }
                    Rule::any_name => name = Some(Ident { quoted: true, ..self.ident(part)? }),
                    Rule::expr => value = Some(self.expr(part)?),
                    _ => {}
                }
            }
            fields.push((found(name)?, found(value)?));
        }
        Ok(ExprKind::Struct(fields))
    }

    /// `struct_insert(s, b := 2)`: a call with the structure and one of the new fields.
    pub(super) fn struct_with(&mut self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let span = self.span(&pair);
        let (mut name, mut of) = (None, None);
        for part in pair.clone().into_inner() {
            match part.as_rule() {
                Rule::struct_change => name = Some(part.as_str().to_ascii_lowercase()),
                Rule::expr => of = Some(self.expr(part)?),
                _ => {}
            }
        }
        let fields = Expr { kind: self.structure(pair)?, span };
        Ok(called(&found(name)?, span, vec![found(of)?, fields], span))
    }

    /// `lambda x, y: x + y`.
    pub(super) fn lambda(&mut self, pair: Pair<'_, Rule>) -> Built<ExprKind> {
        let (mut params, mut body) = (Vec::new(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::column_name => params.push(self.ident(part)?),
                Rule::expr => body = Some(Box::new(self.expr(part)?)),
                _ => {}
            }
        }
        Ok(ExprKind::Lambda { params, body: found(body)? })
    }

    /// `(s).a`.
    pub(super) fn field(&mut self, expr: Expr, pair: Pair<'_, Rule>, span: Span) -> Built<Expr> {
        let name = self.ident(only(pair)?)?;
        let field = Expr { kind: ExprKind::Literal(Literal::Text(name.text)), span: name.span };
        Ok(called("struct_extract", name.span, vec![expr, field], span))
    }

    /// `l[1]`, `s['a']`, `l[2:3]`.
    pub(super) fn subscript(
        &mut self,
        expr: Expr,
        pair: Pair<'_, Rule>,
        span: Span,
    ) -> Built<Expr> {
        let at = self.span(&pair);
        let null = || Expr { kind: ExprKind::Literal(Literal::Null), span: at };
        let mut args = vec![expr];
        let mut marks = 0;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::slice_mark => {
                    marks += 1;
                    // Bounds that were left out before the colon.
                    while args.len() <= marks {
                        args.push(null());
                    }
                }
                Rule::expr => args.push(self.expr(part)?),
                _ => {}
            }
        }
        if marks == 0 {
            return Ok(called("array_extract", at, args, span));
        }
        while args.len() < 3 {
            args.push(null());
        }
        Ok(called("array_slice", at, args, span))
    }

    /// `x IN list`.
    pub(super) fn in_values(
        &mut self,
        value: Expr,
        pair: Pair<'_, Rule>,
        negated: bool,
        span: Span,
    ) -> Built<Expr> {
        let at = self.span(&pair);
        let mut list: Option<Expr> = None;
        for part in pair.into_inner() {
            list = Some(match (list, part.as_rule()) {
                (None, _) => self.primary(part)?,
                (Some(list), _) => self.postfixed(list, part)?,
            });
        }
        let contains = called(IN, at, vec![found(list)?, value], span);
        if !negated {
            return Ok(contains);
        }
        Ok(Expr { kind: ExprKind::Unary { op: UnaryOp::Not, expr: Box::new(contains) }, span })
    }
}

fn lambda(params: Vec<Ident>, body: Expr) -> Expr {
    let span = body.span;
    Expr { kind: ExprKind::Lambda { params, body: Box::new(body) }, span }
}

/// `x -> body`: a lambda if the left side is a list of names, otherwise a JSON extraction.
pub(super) fn arrow(left: Expr, at: Span, right: Expr, long: bool) -> Expr {
    let span = left.span.to(right.span);
    if long {
        return called("json_extract_string", at, vec![left, right], span);
    }
    match names(&left) {
        Some(params) => Expr { kind: ExprKind::Lambda { params, body: Box::new(right) }, span },
        None => called("json_extract", at, vec![left, right], span),
    }
}

/// The names of the arguments of a lambda: `x`, or `(x, y)`.
fn names(expr: &Expr) -> Option<Vec<Ident>> {
    let name = |expr: &Expr| match &expr.kind {
        ExprKind::Column(name) => match name.parts.as_slice() {
            [part] => Some(part.clone()),
            _ => None,
        },
        _ => None,
    };
    match &expr.kind {
        ExprKind::Row(values) => values.iter().map(name).collect(),
        _ => name(expr).map(|name| vec![name]),
    }
}
