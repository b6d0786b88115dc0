//! FROM: tables, functions, sub-queries and joins.

use pest::iterators::Pair;

use super::query::has;
use super::turn::turned;
use super::{Builder, Built, defect, found, last, only};
use crate::diag::{Code, Diagnostic};
use crate::lang::ast::{Body, CallArgument, JoinKind, JoinOn, TableAlias, TableRef, TableRefKind};
use crate::lang::syntax::Rule;

impl Builder {
    pub(super) fn from(&mut self, pair: Pair<'_, Rule>) -> Built<TableRef> {
        let span = self.span(&pair);
        let lists: Vec<_> = pair.into_inner().filter(|p| p.as_rule() == Rule::joined).collect();
        let levels = lists.len();
        self.enter(levels, span)?;
        let mut whole: Option<TableRef> = None;
        for list in lists {
            let right = self.joined(list)?;
            whole = Some(match whole {
                Some(left) => join(left, right, JoinKind::Cross, JoinOn::None),
                None => right,
            });
        }
        self.leave(levels);
        found(whole)
    }

    pub(super) fn joined(&mut self, pair: Pair<'_, Rule>) -> Built<TableRef> {
        let span = self.span(&pair);
        let levels = pair.clone().into_inner().count();
        self.enter(levels, span)?;
        let mut parts = pair.into_inner();
        let mut left = self.table_ref(found(parts.next())?)?;
        for part in parts {
            left = self.join(left, part)?;
        }
        self.leave(levels);
        Ok(left)
    }

    fn join(&mut self, left: TableRef, pair: Pair<'_, Rule>) -> Built<TableRef> {
        let (right, kind, on) = self.join_parts(pair)?;
        Ok(join(left, right, kind, on))
    }

    /// The parts of a join apart from its left side.
    pub(super) fn join_parts(
        &mut self,
        pair: Pair<'_, Rule>,
    ) -> Built<(TableRef, JoinKind, JoinOn)> {
        let (mut kind, mut on, mut right) = (JoinKind::Inner, JoinOn::None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::CROSS => kind = JoinKind::Cross,
                Rule::POSITIONAL => kind = JoinKind::Positional,
                Rule::ASOF => kind = JoinKind::Asof,
                Rule::asof_kind if has(&part, Rule::LEFT) => kind = JoinKind::AsofLeft,
                Rule::NATURAL => on = JoinOn::Natural,
                Rule::join_kind => kind = join_kind(&part),
                Rule::table_ref => right = Some(self.table_ref(part)?),
                Rule::on => on = JoinOn::Condition(Box::new(self.only_expr(part)?)),
                Rule::using => on = JoinOn::Using(self.names(last(part)?)?),
                _ => {}
            }
        }
        Ok((found(right)?, kind, on))
    }

    fn table_ref(&mut self, pair: Pair<'_, Rule>) -> Built<TableRef> {
        let span = self.span(&pair);
        let (mut table, mut alias, mut turns) = (None, None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::table_alias => alias = Some(self.table_alias(part)?),
                Rule::tablesample | Rule::turned => turns.push(part),
                Rule::table_name => {
                    let name = self.name(only(part)?)?;
                    table = Some(TableRef { kind: TableRefKind::Table(name), alias: None, span });
                }
                Rule::table_file => {
                    let kind = TableRefKind::File(self.ident(only(part)?)?);
                    table = Some(TableRef { kind, alias: None, span });
                }
                Rule::table_call => {
                    let kind = self.table_call(part, false)?;
                    table = Some(TableRef { kind, alias: None, span });
                }
                Rule::lateral_ref => table = Some(self.lateral(part)?),
                Rule::paren_ref => table = Some(self.paren_ref(part)?),
                rule => return Err(defect(rule)),
            }
        }
        let mut table = found(table)?;
        if let (Some(outer), Some(inner)) = (&alias, &table.alias) {
            let place = outer.name.span;
            let message = "a table in parentheses has two names";
            return Err(Diagnostic::at(Code::Syntax, place, message)
                .also(inner.name.span, "the first name"));
        }
        if let (Some(alias), TableRefKind::Join { .. }) = (&alias, &table.kind) {
            let message = "joined tables in parentheses cannot take one name";
            return Err(Diagnostic::at(Code::Unsupported, alias.name.span, message)
                .help("write (SELECT * FROM … JOIN …) AS name"));
        }
        table.alias = alias.or(table.alias);
        table.span = span;
        self.enter(turns.len(), span)?;
        let levels = turns.len();
        for part in turns {
            let (turn, alias) = self.turn(part)?;
            table = TableRef { alias, ..turned(table, turn) };
        }
        self.leave(levels);
        Ok(table)
    }

    pub(super) fn table_alias(&mut self, pair: Pair<'_, Rule>) -> Built<TableAlias> {
        let (mut name, mut columns) = (None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::any_name | Rule::bare_table_alias => name = Some(self.ident(part)?),
                Rule::column_names => columns = self.names(part)?,
                _ => {}
            }
        }
        Ok(TableAlias { name: found(name)?, columns })
    }

    fn table_call(&mut self, pair: Pair<'_, Rule>, lateral: bool) -> Built<TableRefKind> {
        let (mut name, mut args) = (None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.name(part)?),
                Rule::call_argument => args.push(self.call_argument(part)?),
                _ => {}
            }
        }
        Ok(TableRefKind::Function { name: found(name)?, args, lateral })
    }

    pub(super) fn call_argument(&mut self, pair: Pair<'_, Rule>) -> Built<CallArgument> {
        let (mut name, mut value) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::argument_name => {
                    name = Some(self.ident(found(part.into_inner().next())?)?);
                }
                Rule::expr => value = Some(self.expr(part)?),
                _ => {}
            }
        }
        Ok(CallArgument { name, value: found(value)? })
    }

    fn lateral(&mut self, pair: Pair<'_, Rule>) -> Built<TableRef> {
        let span = self.span(&pair);
        let inner = last(pair)?;
        let kind = match inner.as_rule() {
            Rule::table_call => self.table_call(inner, true)?,
            _ => TableRefKind::Subquery { query: Box::new(self.nested(inner)?), lateral: true },
        };
        Ok(TableRef { kind, alias: None, span })
    }

    /// A query or joins in parentheses. In `((SELECT 1) UNION (SELECT 2))` the first query was
    /// parsed as a table; the set operation after it shows that it belongs to a query.
    fn paren_ref(&mut self, pair: Pair<'_, Rule>) -> Built<TableRef> {
        let span = self.span(&pair);
        let (mut table, mut query, mut tail) = (None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::query => query = Some(self.query(part)?),
                Rule::joined => table = Some(self.joined(part)?),
                Rule::query_tail => tail = Some(part),
                _ => {}
            }
        }
        let query = match (query, table, tail) {
            (Some(query), _, _) => query,
            (None, Some(table), None) => return Ok(table),
            (None, Some(table), Some(tail)) => {
                let place = table.span;
                let TableRef {
                    kind: TableRefKind::Subquery { query, lateral: false },
                    alias: None,
                    ..
                } = table
                else {
                    let message = "found a set operation, an order or a limit after tables, \
                                   expected `)`";
                    let help = "write (FROM … ORDER BY …) for a query within FROM";
                    return Err(Diagnostic::at(Code::Syntax, self.span(&tail), message)
                        .also(place, "these are tables, not a query")
                        .help(help));
                };
                self.tailed(Body::Nested(query), Some(tail), span)?
            }
            (None, None, _) => return Err(defect(Rule::paren_ref)),
        };
        let kind = TableRefKind::Subquery { query: Box::new(query), lateral: false };
        Ok(TableRef { kind, alias: None, span })
    }
}

fn join(left: TableRef, right: TableRef, kind: JoinKind, on: JoinOn) -> TableRef {
    let span = left.span.to(match &on {
        JoinOn::Condition(condition) => condition.span,
        JoinOn::Using(columns) => columns.last().map_or(right.span, |column| column.span),
        JoinOn::Natural | JoinOn::None => right.span,
    });
    let kind = TableRefKind::Join { left: Box::new(left), right: Box::new(right), kind, on };
    TableRef { kind, alias: None, span }
}

fn join_kind(pair: &Pair<'_, Rule>) -> JoinKind {
    let kinds = [
        (Rule::LEFT, JoinKind::Left),
        (Rule::RIGHT, JoinKind::Right),
        (Rule::FULL, JoinKind::Full),
        (Rule::SEMI, JoinKind::Semi),
        (Rule::ANTI, JoinKind::Anti),
    ];
    let named = kinds.into_iter().find(|(rule, _)| has(pair, *rule));
    named.map_or(JoinKind::Inner, |(_, kind)| kind)
}
