//! Expressions and calls.

mod call;
mod operators;

use call::blank_call;
pub(super) use call::called;
use operators::{balanced, binary, binary_op, chains, depth_of_chain, is_comparison};
use pest::iterators::Pair;

use super::query::has;
use super::{Builder, Built, defect, found, last, only};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{BinaryOp, Body, Expr, ExprKind, Ident, MatchOp, Query, UnaryOp};
use crate::lang::syntax::{PRECEDENCE, Rule};

/// Chains of AND or OR longer than this become balanced trees: the result is the same, and the
/// depth of the tree and the recursion over it stay small for generated queries.
const LONG_CHAIN: usize = 100;

/// An expression, or an AND or OR chain that may still grow.
#[allow(clippy::large_enum_variant, reason = "nodes are short-lived")]
enum Node {
    One(Expr),
    Chain { op: BinaryOp, first: Expr, rest: Vec<(Span, Expr)> },
}

/// The content of parentheses.
#[allow(clippy::large_enum_variant, reason = "it is destructured immediately")]
pub(super) enum Paren {
    Query(Query),
    List(Vec<Expr>),
}

impl Builder {
    pub(super) fn expr(&mut self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let span = self.span(&pair);
        let levels = depth_of_chain(&pair);
        self.enter(levels, span)?;
        // The four closures of the Pratt parser all need the builder, one at a time.
        let this = std::cell::RefCell::new(&mut *self);
        let node = PRECEDENCE
            .map_primary(|pair| this.borrow_mut().primary(pair).map(Node::One))
            .map_prefix(|op, operand| this.borrow().prefix(&op, operand?.whole()))
            .map_postfix(|operand, op| this.borrow_mut().postfix(operand?.whole(), op))
            .map_infix(|left, op, right| this.borrow().infix(left?, &op, right?.whole()))
            .parse(pair.into_inner());
        let expr = node?.whole();
        self.leave(levels);
        Ok(expr)
    }

    fn prefix(&self, op: &Pair<'_, Rule>, expr: Expr) -> Built<Node> {
        let span = self.span(op).to(expr.span);
        if op.as_rule() == Rule::magnitude {
            return Ok(Node::One(called("abs", self.span(op), vec![expr], span)));
        }
        let op = match op.as_rule() {
            Rule::not => UnaryOp::Not,
            Rule::negative => UnaryOp::Negate,
            Rule::positive => UnaryOp::Plus,
            Rule::bit_not => UnaryOp::BitNot,
            rule => return Err(defect(rule)),
        };
        Ok(Node::One(Expr { kind: ExprKind::Unary { op, expr: Box::new(expr) }, span }))
    }

    fn infix(&self, left: Node, pair: &Pair<'_, Rule>, right: Expr) -> Built<Node> {
        let op_span = self.span(pair);
        if pair.as_rule() == Rule::power {
            let left = left.whole();
            let span = left.span.to(right.span);
            return Ok(Node::One(called("power", op_span, vec![left, right], span)));
        }
        if matches!(pair.as_rule(), Rule::lambda_arrow | Rule::long_arrow) {
            let long = pair.as_rule() == Rule::long_arrow;
            return Ok(Node::One(super::nested::arrow(left.whole(), op_span, right, long)));
        }
        let Some(op) = binary_op(pair.as_rule()) else {
            let left = left.whole();
            let span = left.span.to(right.span);
            let (left, right) = (Box::new(left), Box::new(right));
            let negated = has(pair, Rule::NOT);
            let kind = ExprKind::IsDistinct { left, right, negated };
            return Ok(Node::One(Expr { kind, span }));
        };
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            return Ok(left.chained(op, op_span, right));
        }
        let left = left.whole();
        if is_comparison(op) && chains(&left) {
            let message = "comparisons cannot be chained, expected AND between two of them";
            return Err(Diagnostic::at(Code::Syntax, op_span, message)
                .also(left.span, "this is a truth value already")
                .help("write a < b AND b < c, or b BETWEEN a AND c"));
        }
        Ok(Node::One(binary(op, op_span, left, right)))
    }

    fn postfix(&mut self, expr: Expr, pair: Pair<'_, Rule>) -> Built<Node> {
        let span = expr.span.to(self.span(&pair));
        let negated = has(&pair, Rule::NOT);
        match pair.as_rule() {
            Rule::chained => return self.chained(expr, pair, span),
            Rule::factorial => {
                let at = self.span(&pair);
                return Ok(Node::One(called("factorial", at, vec![expr], span)));
            }
            Rule::collate => {
                let collation = self.collation(pair)?;
                let kind = ExprKind::Collate { expr: Box::new(expr), collation };
                return Ok(Node::One(Expr { kind, span }));
            }
            Rule::field => return Ok(Node::One(self.field(expr, pair, span)?)),
            Rule::subscript => return Ok(Node::One(self.subscript(expr, pair, span)?)),
            Rule::in_ if has(&pair, Rule::list_operand) => {
                return Ok(Node::One(self.in_values(expr, last(pair)?, negated, span)?));
            }
            Rule::at_zone => {
                let at = self.span(&pair);
                let zone = self.primary(last(pair)?)?;
                return Ok(Node::One(called("timezone", at, vec![zone, expr], span)));
            }
            _ => {}
        }
        let expr = Box::new(expr);
        let kind = match pair.as_rule() {
            Rule::is_null => ExprKind::IsNull { expr, negated },
            Rule::null_suffix => {
                ExprKind::IsNull { expr, negated: negated || has(&pair, Rule::NOTNULL) }
            }
            Rule::is_bool => ExprKind::IsBool { expr, value: has(&pair, Rule::TRUE), negated },
            Rule::between => {
                let mut ends = pair.into_inner().filter(|p| p.as_rule() == Rule::operand);
                let low = Box::new(self.expr(found(ends.next())?)?);
                let high = Box::new(self.expr(found(ends.next())?)?);
                ExprKind::Between { expr, low, high, negated }
            }
            Rule::in_ => self.in_list(expr, last(pair)?, negated)?,
            Rule::matches => self.matches(expr, pair, negated)?,
            Rule::cast => {
                let ty = self.type_name(last(pair)?);
                ExprKind::Cast { expr, ty, lenient: false }
            }
            rule => return Err(defect(rule)),
        };
        Ok(Node::One(Expr { kind, span }))
    }

    /// An expression with the postfix operators that follow it.
    pub(super) fn postfixed(&mut self, expr: Expr, pair: Pair<'_, Rule>) -> Built<Expr> {
        Ok(self.postfix(expr, pair)?.whole())
    }

    /// `x.f(y)`: a call with the expression before the dot as its first argument.
    fn chained(&mut self, expr: Expr, pair: Pair<'_, Rule>, span: Span) -> Built<Node> {
        let mut call = blank_call(Ident { text: String::new(), quoted: false, span });
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::function_name => call.name = self.ident(only(part)?)?,
                Rule::arguments => self.arguments(&mut call, part)?,
                _ => {}
            }
        }
        if call.star {
            let message = format!("`{}(*)` takes nothing before its dot", call.name.text);
            return Err(Diagnostic::at(Code::Syntax, call.name.span, message));
        }
        call.args.insert(0, expr);
        Ok(Node::One(Expr { kind: ExprKind::Call(call), span }))
    }

    /// The name of a collation, whose parts are separated by dots.
    fn collation(&self, pair: Pair<'_, Rule>) -> Built<Ident> {
        let names = pair.into_inner().filter(|p| p.as_rule() != Rule::COLLATE);
        let names = names.map(|name| self.ident(name)).collect::<Built<Vec<Ident>>>()?;
        let span = names.iter().map(|name| name.span).reduce(Span::to).unwrap_or_default();
        let texts: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
        Ok(Ident { text: texts.join("."), quoted: false, span })
    }

    fn in_list(&mut self, expr: Box<Expr>, list: Pair<'_, Rule>, negated: bool) -> Built<ExprKind> {
        let mut list = match self.paren(list)? {
            Paren::Query(query) => {
                return Ok(ExprKind::InQuery { expr, query: Box::new(query), negated });
            }
            Paren::List(list) => list,
        };
        // `x IN ((SELECT …))` means the rows of the query, not a scalar sub-query.
        match list.pop() {
            Some(Expr { kind: ExprKind::Scalar(query), .. }) if list.is_empty() => {
                Ok(ExprKind::InQuery { expr, query, negated })
            }
            Some(entry) => {
                list.push(entry);
                Ok(ExprKind::InList { expr, list, negated })
            }
            None => Err(defect(Rule::in_)),
        }
    }

    fn matches(&mut self, expr: Box<Expr>, pair: Pair<'_, Rule>, negated: bool) -> Built<ExprKind> {
        let (mut op, mut negated) = (MatchOp::Like, negated);
        let (mut pattern, mut escape, mut list) = (None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::patterns => list = Some((has(&part, Rule::ALL), self.exprs(part)?)),
                Rule::ILIKE => op = MatchOp::ILike,
                Rule::GLOB => op = MatchOp::Glob,
                Rule::similar => op = MatchOp::SimilarTo,
                Rule::regexp => op = MatchOp::Regexp,
                Rule::not_regexp => (op, negated) = (MatchOp::Regexp, true),
                Rule::operand => pattern = Some(Box::new(self.expr(part)?)),
                Rule::escape => escape = Some(Box::new(self.expr(last(part)?)?)),
                _ => {}
            }
        }
        if let Some((all, patterns)) = list {
            if let Some(escape) = escape {
                let message = "found ESCAPE after a list of patterns";
                return Err(Diagnostic::at(Code::Syntax, escape.span, message));
            }
            return Ok(ExprKind::MatchList { op, expr, patterns, all, negated });
        }
        Ok(ExprKind::Match { op, expr, pattern: found(pattern)?, escape, negated })
    }

    pub(super) fn primary(&mut self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::column => ExprKind::Column(self.name(only(pair)?)?),
            Rule::position => {
                let digits = last(pair)?.as_str().replace('_', "");
                ExprKind::Position(digits.parse().unwrap_or(u64::MAX))
            }
            Rule::parameter => ExprKind::Parameter(self.parameter(pair)),
            Rule::paren => return self.in_parentheses(pair),
            Rule::call => return self.call(pair),
            Rule::case => self.case(pair)?,
            Rule::cast_call => {
                let lenient = has(&pair, Rule::TRY_CAST);
                let ty = pair.clone().into_inner().find(|p| p.as_rule() == Rule::type_name);
                let ty = self.type_name(found(ty)?);
                ExprKind::Cast { expr: Box::new(self.only_expr(pair)?), ty, lenient }
            }
            Rule::list => return self.list(pair),
            Rule::map => return self.map(pair),
            Rule::struct_with => return self.struct_with(pair),
            Rule::typed => self.typed(pair)?,
            Rule::structure | Rule::struct_pack => self.structure(pair)?,
            Rule::lambda => self.lambda(pair)?,
            Rule::exists => ExprKind::Exists(Box::new(self.nested(last(pair)?)?)),
            Rule::quantified => {
                let all = has(&pair, Rule::ALL);
                ExprKind::Quantified { all, query: Box::new(self.nested(last(pair)?)?) }
            }
            Rule::symbol => ExprKind::Symbol(symbol(pair)),
            _ => ExprKind::Literal(self.literal(pair)?),
        };
        Ok(Expr { kind, span })
    }

    /// `TIME '12:30:00'`: a text that is converted.
    fn typed(&self, pair: Pair<'_, Rule>) -> Built<ExprKind> {
        let mut parts = pair.into_inner();
        let name = found(parts.next())?;
        let ty =
            Ident { text: name.as_str().to_uppercase(), quoted: false, span: self.span(&name) };
        let text = found(parts.next())?;
        let kind = ExprKind::Literal(self.literal(text.clone())?);
        let expr = Box::new(Expr { kind, span: self.span(&text) });
        Ok(ExprKind::Cast { expr, ty, lenient: false })
    }

    /// The name of a parameter; each `?` gets the next number.
    fn parameter(&mut self, pair: Pair<'_, Rule>) -> String {
        if let Some(name) = pair.into_inner().last() {
            return name.as_str().to_owned();
        }
        self.unnamed += 1;
        self.unnamed.to_string()
    }

    /// The span of an expression in parentheses includes the parentheses.
    fn in_parentheses(&mut self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let span = self.span(&pair);
        match self.paren(pair)? {
            Paren::Query(query) => Ok(Expr { kind: ExprKind::Scalar(Box::new(query)), span }),
            Paren::List(mut list) => {
                if list.len() > 1 {
                    return Ok(Expr { kind: ExprKind::Row(list), span });
                }
                let expr = found(list.pop())?;
                Ok(Expr { span, ..expr })
            }
        }
    }

    pub(super) fn paren(&mut self, pair: Pair<'_, Rule>) -> Built<Paren> {
        let span = self.span(&pair);
        let mut list = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::query => return Ok(Paren::Query(self.query(part)?)),
                Rule::expr => list.push(self.expr(part)?),
                Rule::query_tail => {
                    let place = self.span(&part);
                    let Some(Expr { kind: ExprKind::Scalar(query), .. }) = list.pop() else {
                        let message = "found the end of a query after an expression, expected `)`";
                        return Err(Diagnostic::at(Code::Syntax, place, message)
                            .help("a query within an expression begins with SELECT or FROM"));
                    };
                    let query = self.tailed(Body::Nested(query), Some(part), span)?;
                    return Ok(Paren::Query(query));
                }
                _ => {}
            }
        }
        Ok(Paren::List(list))
    }

    fn case(&mut self, pair: Pair<'_, Rule>) -> Built<ExprKind> {
        let (mut operand, mut branches, mut otherwise) = (None, Vec::new(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::expr => operand = Some(Box::new(self.expr(part)?)),
                Rule::when => {
                    let mut both = part.into_inner().filter(|p| p.as_rule() == Rule::expr);
                    let condition = self.expr(found(both.next())?)?;
                    branches.push((condition, self.expr(found(both.next())?)?));
                }
                Rule::else_ => otherwise = Some(Box::new(self.only_expr(part)?)),
                _ => {}
            }
        }
        Ok(ExprKind::Case { operand, branches, otherwise })
    }

    fn type_name(&self, pair: Pair<'_, Rule>) -> Ident {
        let span = self.span(&pair);
        let has_own_text = [Rule::nested_type, Rule::decimal_type, Rule::list_mark];
        if has_own_text.into_iter().any(|rule| has(&pair, rule)) {
            let text = pair.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
            return Ident { text, quoted: false, span };
        }
        if has(&pair, Rule::text_type) {
            return Ident { text: "VARCHAR".to_owned(), quoted: false, span };
        }
        let double = || Ident { text: "DOUBLE PRECISION".to_owned(), quoted: false, span };
        pair.into_inner().last().and_then(|name| self.ident(name).ok()).unwrap_or_else(double)
    }
}

impl Node {
    /// The chain as a tree: left-associative if short, otherwise balanced.
    fn whole(self) -> Expr {
        match self {
            Self::One(expr) => expr,
            Self::Chain { op, first, rest } if rest.len() < LONG_CHAIN => rest
                .into_iter()
                .fold(first, |left, (op_span, right)| binary(op, op_span, left, right)),
            Self::Chain { op, first, rest } => balanced(op, first, rest),
        }
    }

    fn chained(self, op: BinaryOp, op_span: Span, right: Expr) -> Self {
        match self {
            Self::Chain { op: same, first, mut rest } if same == op => {
                rest.push((op_span, right));
                Self::Chain { op, first, rest }
            }
            other => Self::Chain { op, first: other.whole(), rest: vec![(op_span, right)] },
        }
    }
}

/// `module!symbol` without quotes.
fn symbol(pair: Pair<'_, Rule>) -> String {
    let parts = pair.into_inner().map(|part| match part.as_rule() {
        Rule::quoted => super::unquoted(part.as_str(), '"'),
        _ => part.as_str().to_owned(),
    });
    parts.collect::<Vec<_>>().join("!")
}
