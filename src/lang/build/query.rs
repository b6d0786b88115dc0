//! Queries, select lists, and the clauses that apply to rows.

use pest::iterators::Pair;

use super::turn::turned;
use super::{Builder, Built, defect, found, last, only};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{
    Body, Cte, Distinct, Expr, ExprKind, GroupBy, Ident, Literal, MatchOp, NamePattern, OrderAll,
    OrderItem, Query, Select, SelectItem, SetOp, TableRef, Turn, With,
};
use crate::lang::syntax::Rule;

/// A set operator with its right operand.
struct SetOperand {
    words: SetWords,
    span: Span,
    right: Body,
}

/// A set operator.
#[derive(Clone, Copy)]
pub(super) struct SetWords {
    pub(super) op: SetOp,
    pub(super) all: bool,
    pub(super) by_name: bool,
}

impl SetOperand {
    fn join(self, left: Body) -> Body {
        let Self { words: SetWords { op, all, by_name }, span, right } = self;
        Body::SetOp { op, all, by_name, left: Box::new(left), right: Box::new(right), span }
    }
}

impl Builder {
    pub(super) fn query(&mut self, pair: Pair<'_, Rule>) -> Built<Query> {
        let span = self.span(&pair);
        self.enter(1, span)?;
        let (mut with, mut body, mut tail) = (None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::with => with = Some(self.with(part)?),
                Rule::query_tail => tail = Some(part),
                _ => body = Some(self.query_term(part)?),
            }
        }
        let query = self.tailed(found(body)?, tail, span)?;
        self.leave(1);
        Ok(Query { with, ..query })
    }

    fn query_term(&mut self, pair: Pair<'_, Rule>) -> Built<Body> {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::select => Ok(Body::Select(Box::new(self.select(pair)?))),
            Rule::nested => Ok(Body::Nested(Box::new(self.nested(pair)?))),
            Rule::values => {
                let rows = pair.into_inner().filter(|p| p.as_rule() == Rule::row);
                let rows = rows.map(|row| self.exprs(row)).collect::<Built<Vec<_>>>()?;
                Ok(Body::Values { rows, span })
            }
            Rule::whole_table => Ok(Query::of_table(self.name(last(pair)?)?).body),
            Rule::pivot | Rule::unpivot => {
                let from = Some(self.turning(pair)?);
                let items = vec![SelectItem::all(span)];
                Ok(Body::Select(Box::new(Select { items, from, ..Select::blank(span) })))
            }
            rule => Err(defect(rule)),
        }
    }

    /// The query in parentheses.
    pub(super) fn nested(&mut self, pair: Pair<'_, Rule>) -> Built<Query> {
        let query = pair.into_inner().find(|p| p.as_rule() == Rule::query);
        self.query(found(query)?)
    }

    /// A body with the set operations, order and limits that follow it.
    pub(super) fn tailed(
        &mut self,
        first: Body,
        tail: Option<Pair<'_, Rule>>,
        span: Span,
    ) -> Built<Query> {
        let mut query = Query::of_body(first, span);
        let mut operands = Vec::new();
        let parts: Vec<_> = tail.into_iter().flat_map(Pair::into_inner).collect();
        let levels =
            parts.iter().filter(|p| matches!(p.as_rule(), Rule::set_operand | Rule::pipe)).count();
        self.enter(levels, span)?;
        for part in parts {
            match part.as_rule() {
                Rule::set_operand => operands.push(self.set_operand(part)?),
                Rule::order_by => {
                    (query.order_by, query.order_by_all) = self.order_by(part)?;
                }
                Rule::limit => (query.limit, query.limit_percent) = self.limit(part)?,
                Rule::offset => query.offset = Some(self.only_expr(part)?),
                Rule::pipe => query.pipes.push(self.pipe(part)?),
                _ => {}
            }
        }
        self.leave(levels);
        query.body = grouped(query.body, operands);
        Ok(query)
    }

    fn set_operand(&mut self, pair: Pair<'_, Rule>) -> Built<SetOperand> {
        let (mut operator, mut right) = (None, None);
        for part in pair.into_inner() {
            if part.as_rule() == Rule::set_operator {
                let span = self.span(&part);
                operator = Some((self.set_operator(part)?, span));
            } else {
                right = Some(self.query_term(part)?);
            }
        }
        let (words, span) = found(operator)?;
        Ok(SetOperand { words, span, right: found(right)? })
    }

    fn with(&mut self, pair: Pair<'_, Rule>) -> Built<With> {
        let span = self.span(&pair);
        let (mut recursive, mut ctes) = (false, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::RECURSIVE => recursive = true,
                Rule::cte => ctes.push(self.cte(part)?),
                _ => {}
            }
        }
        Ok(With { recursive, ctes, span })
    }

    fn cte(&mut self, pair: Pair<'_, Rule>) -> Built<Cte> {
        let (mut name, mut columns, mut query) = (None, Vec::new(), None);
        let mut materialized = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::column_name => name = Some(self.ident(part)?),
                Rule::column_names => columns = self.names(part)?,
                Rule::materialized => materialized = Some(!has(&part, Rule::NOT)),
                Rule::query => query = Some(Box::new(self.query(part)?)),
                _ => {}
            }
        }
        Ok(Cte { name: found(name)?, columns, materialized, query: found(query)? })
    }

    /// The keys of any ORDER BY.
    pub(super) fn order_by(
        &mut self,
        pair: Pair<'_, Rule>,
    ) -> Built<(Vec<OrderItem>, Option<OrderAll>)> {
        let (mut items, mut all) = (Vec::new(), None);
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::order_all => {
                    let (descending, nulls_first) = direction(part);
                    all = Some(OrderAll { descending, nulls_first, span });
                }
                Rule::order_item => {
                    let expr = self.expr(only(part.clone())?)?;
                    let (descending, nulls_first) = direction(part);
                    items.push(OrderItem { expr, descending, nulls_first });
                }
                _ => {}
            }
        }
        Ok((items, all))
    }

    fn select(&mut self, pair: Pair<'_, Rule>) -> Built<Select> {
        let span = self.span(&pair);
        let mut select = Select::blank(span);
        let mut sample = None;
        for part in pair.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::select_list => {
                    (select.distinct, select.items) = self.select_list(part)?;
                }
                Rule::from => select.from = Some(self.from(part)?),
                Rule::where_ => select.filter = Some(self.only_expr(part)?),
                Rule::group_by if has(&part, Rule::group_all) => {
                    select.group_by = GroupBy::All(place);
                }
                Rule::group_by => select.group_by = self.group_by(part)?,
                Rule::having => select.having = Some(self.only_expr(part)?),
                Rule::windows => select.windows = self.windows(part)?,
                Rule::qualify => select.qualify = Some(self.only_expr(part)?),
                Rule::using_sample => sample = Some(self.sample(part)?),
                _ => {}
            }
        }
        if let Some(sample) = sample {
            let Some(from) = select.from.take() else {
                let message = "found USING SAMPLE in a query without FROM";
                return Err(Diagnostic::at(Code::Syntax, sample.span, message));
            };
            select.from = Some(turned(from, Turn::Sample(sample)));
        }
        if select.items.is_empty() {
            select.items.push(every_column(select.from.as_ref(), span));
        }
        Ok(select)
    }

    pub(super) fn select_list(
        &mut self,
        pair: Pair<'_, Rule>,
    ) -> Built<(Distinct, Vec<SelectItem>)> {
        let (mut distinct, mut items) = (Distinct::No, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::distinct => {
                    let on = part.into_inner().find(|p| p.as_rule() == Rule::distinct_on);
                    distinct = match on {
                        Some(on) => Distinct::On(self.exprs(on)?),
                        None => Distinct::Rows,
                    };
                }
                Rule::select_item => items.push(self.select_item(part)?),
                _ => {}
            }
        }
        Ok((distinct, items))
    }

    pub(super) fn select_item(&mut self, pair: Pair<'_, Rule>) -> Built<SelectItem> {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let first = found(parts.next())?;
        if first.as_rule() == Rule::prefix_alias {
            let alias = Some(self.ident(only(first)?)?);
            let expr = self.expr(found(parts.next())?)?;
            if let Some(second) = parts.next() {
                let message = "found a name before the expression and one after it";
                return Err(Diagnostic::at(Code::Syntax, self.span(&second), message));
            }
            return Ok(SelectItem::Expr { expr, alias });
        }
        if first.as_rule() == Rule::expr {
            let expr = self.expr(first)?;
            let alias = parts.next().map(|alias| self.ident(last(alias)?)).transpose()?;
            return Ok(SelectItem::Expr { expr, alias });
        }
        let qualifier = Some(self.name(first)?).filter(|name| !name.parts.is_empty());
        let (mut exclude, mut replace, mut rename) = (Vec::new(), Vec::new(), Vec::new());
        let mut like = None;
        for part in parts {
            match part.as_rule() {
                Rule::exclude => exclude = self.excluded(part)?,
                Rule::replace => replace = self.replacements(part)?,
                Rule::renames => rename = self.renames(part)?,
                Rule::star_match => like = Some(self.name_pattern(part)?),
                _ => {}
            }
        }
        let qualifier = qualifier.map(|mut name| {
            let whole = name.parts.iter().map(|part| part.span).reduce(Span::to);
            name.span = whole.unwrap_or(name.span);
            name
        });
        Ok(SelectItem::Star { qualifier, exclude, replace, rename, like, span })
    }

    /// The names of `EXCLUDE`.
    pub(super) fn excluded(&self, pair: Pair<'_, Rule>) -> Built<Vec<Ident>> {
        let subject = last(pair)?;
        Ok(match subject.as_rule() {
            Rule::column_names => self.names(subject)?,
            _ => vec![self.ident(subject)?],
        })
    }

    fn renames(&self, pair: Pair<'_, Rule>) -> Built<Vec<(Ident, Ident)>> {
        let all = pair.into_inner().filter(|p| p.as_rule() == Rule::renamed);
        all.map(|one| Ok((self.ident(only(one.clone())?)?, self.ident(last(one)?)?))).collect()
    }

    fn name_pattern(&self, pair: Pair<'_, Rule>) -> Built<NamePattern> {
        let op = if has(&pair, Rule::ILIKE) {
            MatchOp::ILike
        } else if has(&pair, Rule::GLOB) {
            MatchOp::Glob
        } else if has(&pair, Rule::similar) {
            MatchOp::SimilarTo
        } else {
            MatchOp::Like
        };
        let negated = has(&pair, Rule::NOT);
        Ok(NamePattern { op, pattern: self.ident(last(pair)?)?, negated })
    }

    /// The count of LIMIT or FETCH, and whether it is a percentage.
    pub(super) fn limit(&mut self, pair: Pair<'_, Rule>) -> Built<(Option<Expr>, bool)> {
        let span = self.span(&pair);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::share => {
                    let number = only(part)?;
                    let span = self.span(&number);
                    let kind = ExprKind::Literal(self.literal(number)?);
                    return Ok((Some(Expr { kind, span }), true));
                }
                Rule::expr => return Ok((Some(self.expr(part)?), false)),
                _ => {}
            }
        }
        // FETCH FIRST ROW ONLY.
        Ok((Some(Expr { kind: ExprKind::Literal(Literal::Int(1)), span }), false))
    }

    fn replacements(&mut self, pair: Pair<'_, Rule>) -> Built<Vec<(Expr, Ident)>> {
        let all = pair.into_inner().filter(|p| p.as_rule() == Rule::replacement);
        all.map(|one| {
            let expr = self.expr(only(one.clone())?)?;
            Ok((expr, self.ident(last(one)?)?))
        })
        .collect()
    }

    /// The expressions directly within a pair.
    pub(super) fn exprs(&mut self, pair: Pair<'_, Rule>) -> Built<Vec<Expr>> {
        let exprs = pair.into_inner().filter(|p| p.as_rule() == Rule::expr);
        exprs.map(|expr| self.expr(expr)).collect()
    }

    /// A set operator.
    pub(super) fn set_operator(&self, pair: Pair<'_, Rule>) -> Built<SetWords> {
        let span = self.span(&pair);
        let mut words = SetWords { op: SetOp::Union, all: false, by_name: false };
        for word in pair.into_inner() {
            match word.as_rule() {
                Rule::INTERSECT => words.op = SetOp::Intersect,
                Rule::EXCEPT => words.op = SetOp::Except,
                Rule::ALL => words.all = true,
                Rule::by_name => words.by_name = true,
                _ => {}
            }
        }
        if words.by_name && words.op != SetOp::Union {
            let message = "found BY NAME after INTERSECT or EXCEPT, it belongs to UNION";
            return Err(Diagnostic::at(Code::Syntax, span, message)
                .help("select the columns of both queries in one order"));
        }
        Ok(words)
    }

    /// The only expression directly within a pair.
    pub(super) fn only_expr(&mut self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let expr = pair.into_inner().find(|p| p.as_rule() == Rule::expr);
        self.expr(found(expr)?)
    }
}

/// Applies the precedence of set operators: INTERSECT binds tighter than UNION and EXCEPT, which
/// are left-associative.
fn grouped(first: Body, operands: Vec<SetOperand>) -> Body {
    let mut first = first;
    let mut loose: Vec<SetOperand> = Vec::new();
    for operand in operands {
        if operand.words.op != SetOp::Intersect {
            loose.push(operand);
        } else if let Some(mut before) = loose.pop() {
            before.right = operand.join(before.right);
            loose.push(before);
        } else {
            first = operand.join(first);
        }
    }
    loose.into_iter().fold(first, |left, operand| operand.join(left))
}

/// `*` for a query without a select list, with the span of its FROM.
fn every_column(from: Option<&TableRef>, span: Span) -> SelectItem {
    let span = from.map_or(span, |from| from.span);
    SelectItem::all(span)
}

pub(super) fn direction(pair: Pair<'_, Rule>) -> (bool, Option<bool>) {
    let (mut descending, mut nulls_first) = (false, None);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::direction => descending = has(&part, Rule::DESC),
            Rule::nulls => nulls_first = Some(has(&part, Rule::FIRST)),
            _ => {}
        }
    }
    (descending, nulls_first)
}

/// Whether a pair contains a pair of that rule.
pub(super) fn has(pair: &Pair<'_, Rule>, rule: Rule) -> bool {
    pair.clone().into_inner().any(|part| part.as_rule() == rule)
}
