//! The steps of the pipe syntax.

use pest::iterators::Pair;

use super::query::{SetWords, direction, has};
use super::{Builder, Built, defect, found, last, only};
use crate::lang::ast::{Ident, Pipe, PipeItem, PipeKey, PipeKind, Select, SelectItem, SetOp, Turn};
use crate::lang::syntax::Rule;

impl Builder {
    pub(super) fn pipe(&mut self, pair: Pair<'_, Rule>) -> Built<Pipe> {
        let mut parts: Vec<_> = pair.into_inner().skip(1).collect();
        let span = parts.iter().map(|part| self.span(part)).reduce(crate::diag::Span::to);
        let windows = match parts.last().map(Pair::as_rule) {
            Some(Rule::windows) if parts.len() > 1 => {
                parts.pop().map_or(Ok(Vec::new()), |windows| self.windows(windows))?
            }
            _ => Vec::new(),
        };
        let span = found(span)?;
        let mut parts = parts.into_iter();
        let first = found(parts.next())?;
        let kind = match first.as_rule() {
            Rule::select_list => {
                let (distinct, items) = self.select_list(first)?;
                let select = Select { distinct, items, windows, ..Select::blank(span) };
                PipeKind::Select(Box::new(select))
            }
            Rule::extend => self.extend(first)?,
            Rule::set_columns => {
                let all = first.into_inner().filter(|p| p.as_rule() == Rule::assignment);
                let one = |pair: Pair<'_, Rule>| {
                    Ok((self.ident(only(pair.clone())?)?, self.only_expr(pair)?))
                };
                PipeKind::Set(all.map(one).collect::<Built<_>>()?)
            }
            Rule::drop_columns => PipeKind::Drop(self.names(first)?),
            Rule::rename_columns => {
                let all = first.into_inner().filter(|p| p.as_rule() == Rule::new_name);
                let one = |pair: Pair<'_, Rule>| {
                    Ok((self.ident(only(pair.clone())?)?, self.ident(last(pair)?)?))
                };
                PipeKind::Rename(all.map(one).collect::<Built<_>>()?)
            }
            Rule::pipe_alias => PipeKind::As(self.ident(last(first)?)?),
            Rule::where_ => PipeKind::Where(self.only_expr(first)?),
            Rule::aggregate => self.aggregate(first)?,
            Rule::only_distinct => PipeKind::Distinct,
            Rule::join => {
                let (right, kind, on) = self.join_parts(first)?;
                PipeKind::Join { right, kind, on }
            }
            Rule::pipe_sets => self.pipe_sets(first)?,
            Rule::pipe_turn => {
                let (turn, alias) = self.turn(first)?;
                PipeKind::Turn { turn: Box::new(turn), alias }
            }
            Rule::tablesample => {
                PipeKind::Turn { turn: Box::new(Turn::Sample(self.sample(first)?)), alias: None }
            }
            Rule::order_by => {
                let (items, all) = self.order_by(first)?;
                PipeKind::Order { items, all }
            }
            Rule::limit | Rule::offset => self.pipe_limit(std::iter::once(first).chain(parts))?,
            rule => return Err(defect(rule)),
        };
        Ok(Pipe { kind, span })
    }

    fn extend(&mut self, pair: Pair<'_, Rule>) -> Built<PipeKind> {
        let (mut items, mut windows): (Vec<SelectItem>, _) = (Vec::new(), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::select_item => items.push(self.select_item(part)?),
                Rule::windows => windows = self.windows(part)?,
                _ => {}
            }
        }
        Ok(PipeKind::Extend { items, windows })
    }

    fn aggregate(&mut self, pair: Pair<'_, Rule>) -> Built<PipeKind> {
        let (mut items, mut keys, mut and_order) = (Vec::new(), Vec::new(), false);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::pipe_item => items.push(self.pipe_item(part)?),
                Rule::keyed => {
                    and_order = has(&part, Rule::ORDER);
                    for key in part.into_inner().filter(|p| p.as_rule() == Rule::pipe_key) {
                        keys.push(self.pipe_key(only(key)?)?);
                    }
                }
                _ => {}
            }
        }
        Ok(PipeKind::Aggregate { items, keys, and_order })
    }

    fn pipe_key(&mut self, pair: Pair<'_, Rule>) -> Built<PipeKey> {
        Ok(match pair.as_rule() {
            Rule::pipe_item => PipeKey::Item(self.pipe_item(pair)?),
            _ => PipeKey::Sets(self.group_item(pair)?),
        })
    }

    fn pipe_item(&mut self, pair: Pair<'_, Rule>) -> Built<PipeItem> {
        let (mut expr, mut alias): (_, Option<Ident>) = (None, None);
        let ordered = has(&pair, Rule::direction) || has(&pair, Rule::nulls);
        let order = ordered.then(|| direction(pair.clone()));
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::expr => expr = Some(self.expr(part)?),
                Rule::pipe_name => alias = Some(self.ident(last(part)?)?),
                _ => {}
            }
        }
        Ok(PipeItem { expr: found(expr)?, alias, order })
    }

    fn pipe_sets(&mut self, pair: Pair<'_, Rule>) -> Built<PipeKind> {
        let mut words = SetWords { op: SetOp::Union, all: false, by_name: false };
        let mut queries = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::set_operator => words = self.set_operator(part)?,
                Rule::nested => queries.push(self.nested(part)?),
                _ => {}
            }
        }
        let SetWords { op, all, by_name } = words;
        Ok(PipeKind::SetOp { op, all, by_name, queries })
    }

    fn pipe_limit<'i>(&mut self, parts: impl Iterator<Item = Pair<'i, Rule>>) -> Built<PipeKind> {
        let (mut limit, mut percent, mut offset) = (None, false, None);
        for part in parts {
            match part.as_rule() {
                Rule::limit => (limit, percent) = self.limit(part)?,
                Rule::offset => offset = Some(self.only_expr(part)?),
                _ => {}
            }
        }
        Ok(PipeKind::Limit { limit, percent, offset })
    }
}
