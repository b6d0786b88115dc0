//! Calls: arguments, keywords between arguments, and ORDER BY within calls.

use pest::iterators::Pair;

use super::super::query::has;
use super::super::{Builder, Built, found, only};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{Call, Expr, ExprKind, Ident, Literal, OrderItem};
use crate::lang::syntax::Rule;

/// A call of that name without arguments.
pub(super) const fn blank_call(name: Ident) -> Call {
    Call {
        name,
        args: Vec::new(),
        star: false,
        exclude: Vec::new(),
        distinct: false,
        order_by: Vec::new(),
        within_group: Vec::new(),
        ignore_nulls: false,
        filter: None,
        over: None,
    }
}

/// Converts arguments that standard SQL separates with keywords to an ordinary call.
fn worded(call: &mut Call, words: &[(Rule, Span)]) -> Built<()> {
    let name = call.name.text.to_ascii_lowercase();
    let rules: Vec<Rule> = words.iter().map(|(rule, _)| *rule).collect();
    match (name.as_str(), rules.as_slice()) {
        ("position", []) => position_in_list(call),
        (_, []) => {}
        ("extract", [Rule::arg_from]) if call.args.len() == 2 => {
            let part = call.args.first_mut();
            if let Some(Expr { kind, .. }) = part
                && let ExprKind::Column(name) = kind
                && let [word] = name.parts.as_slice()
            {
                *kind = ExprKind::Literal(Literal::Text(word.text.clone()));
            }
            "date_part".clone_into(&mut call.name.text);
        }
        ("position", [Rule::arg_in]) if call.args.len() == 2 => call.args.reverse(),
        ("substring" | "substr", [Rule::arg_from, Rule::arg_for]) if call.args.len() == 3 => {}
        ("substring" | "substr", [Rule::arg_from]) if call.args.len() == 2 => {}
        ("substring" | "substr", [Rule::arg_for]) if call.args.len() == 2 => {
            let span = call.name.span;
            let one = Expr { kind: ExprKind::Literal(Literal::Int(1)), span };
            call.args.insert(1, one);
        }
        ("trim", [sides @ .., Rule::arg_from])
            if sides.len() <= 1 && (1..=2).contains(&call.args.len()) =>
        {
            call.args.reverse();
            trim_side(call, sides.first());
        }
        ("trim", [side]) if call.args.len() == 1 => trim_side(call, Some(side)),
        _ => {
            let place = words.first().map(|(_, span)| *span).unwrap_or_default();
            let message =
                format!("the arguments of {name} take no words between them, expected `,`");
            return Err(Diagnostic::at(Code::Syntax, place, message));
        }
    }
    Ok(())
}

/// `position('x' IN (s))` was parsed as `IN` with a list of one entry, and `position('x' IN s)` as
/// `IN` with a list value.
fn position_in_list(call: &mut Call) {
    if let [Expr { kind: ExprKind::Call(inner), .. }] = call.args.as_mut_slice()
        && inner.name.text == super::super::nested::IN
    {
        call.args = std::mem::take(&mut inner.args);
        return;
    }
    let Some(Expr { kind: ExprKind::InList { list, negated: false, .. }, .. }) = call.args.first()
    else {
        return;
    };
    if call.args.len() == 1
        && list.len() == 1
        && let Some(Expr { kind: ExprKind::InList { expr, list, .. }, .. }) = call.args.pop()
    {
        call.args = list;
        call.args.push(*expr);
    }
}

fn trim_side(call: &mut Call, side: Option<&Rule>) {
    let name = match side {
        Some(Rule::LEADING) => "ltrim",
        Some(Rule::TRAILING) => "rtrim",
        _ => return,
    };
    name.clone_into(&mut call.name.text);
}

/// The function call for an operator that is implemented as a function.
pub(in crate::lang::build) fn called(name: &str, at: Span, args: Vec<Expr>, span: Span) -> Expr {
    let name = Ident { text: name.to_owned(), quoted: false, span: at };
    Expr { kind: ExprKind::Call(Call { args, ..blank_call(name) }), span }
}

impl Builder {
    pub(super) fn call(&mut self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let span = self.span(&pair);
        let mut call = blank_call(Ident { text: String::new(), quoted: false, span });
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::function_name => call.name = self.ident(only(part)?)?,
                Rule::arguments => self.arguments(&mut call, part)?,
                Rule::within_group => {
                    let order = part.into_inner().find(|p| p.as_rule() == Rule::order_by);
                    call.within_group = self.call_order(found(order)?)?;
                }
                Rule::treatment => call.ignore_nulls = has(&part, Rule::IGNORE),
                Rule::filter => call.filter = Some(Box::new(self.only_expr(part)?)),
                Rule::over => call.over = Some(Box::new(self.over(part)?)),
                _ => {}
            }
        }
        Ok(Expr { kind: ExprKind::Call(call), span })
    }

    /// The keys of an ORDER BY that is not the query's.
    pub(in crate::lang::build) fn call_order(
        &mut self,
        pair: Pair<'_, Rule>,
    ) -> Built<Vec<OrderItem>> {
        let (items, all) = self.order_by(pair)?;
        if let Some(all) = all {
            let message = "found ORDER BY ALL in a call, expected an expression";
            return Err(Diagnostic::at(Code::Syntax, all.span, message));
        }
        Ok(items)
    }

    pub(super) fn arguments(&mut self, call: &mut Call, pair: Pair<'_, Rule>) -> Built<()> {
        let mut words = Vec::new();
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::all_rows => {
                    call.star = true;
                    if let Some(exclude) = part.into_inner().next() {
                        call.exclude = self.excluded(exclude)?;
                    }
                }
                Rule::distinct_arg => call.distinct = true,
                Rule::expr => call.args.push(self.expr(part)?),
                Rule::order_by => call.order_by = self.call_order(part)?,
                Rule::treatment => call.ignore_nulls = has(&part, Rule::IGNORE),
                Rule::trim_side => words.push((only(part)?.as_rule(), span)),
                Rule::arg_from | Rule::arg_for | Rule::arg_in => words.push((part.as_rule(), span)),
                _ => {}
            }
        }
        if let (Some(name), false) =
            (call.exclude.first(), call.name.text.eq_ignore_ascii_case("columns"))
        {
            let message = "found EXCLUDE in a call, it belongs to `*` of a list and of COLUMNS(*)";
            return Err(Diagnostic::at(Code::Syntax, name.span, message));
        }
        if call.distinct && call.args.is_empty() {
            let message = "found DISTINCT without an argument, expected an expression after it";
            return Err(Diagnostic::at(Code::Syntax, call.name.span, message));
        }
        worded(call, &words)
    }
}
