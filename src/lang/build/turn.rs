//! PIVOT, UNPIVOT and samples.

use pest::iterators::Pair;

use super::query::has;
use super::{Builder, Built, defect, found, last, only};
use crate::diag::{Code, Diagnostic};
use crate::lang::ast::{
    Expr, ExprKind, Ident, Literal, Pivot, PivotOn, PivotValues, Sample, SampleMethod, SampleSize,
    SelectItem, TableAlias, TableRef, TableRefKind, Turn, UnaryOp, Unpivot,
};
use crate::lang::syntax::Rule;

/// A table with PIVOT, UNPIVOT or a sample applied to it.
pub(super) fn turned(input: TableRef, turn: Turn) -> TableRef {
    let span = input.span;
    let kind = TableRefKind::Turned { input: Box::new(input), turn: Box::new(turn) };
    TableRef { kind, alias: None, span }
}

impl Builder {
    /// The statements `PIVOT t ON …` and `UNPIVOT t ON …`: the table with the operation.
    pub(super) fn turning(&mut self, pair: Pair<'_, Rule>) -> Built<TableRef> {
        let joined = pair.clone().into_inner().find(|p| p.as_rule() == Rule::joined);
        let table = self.joined(found(joined)?)?;
        let span = self.span(&pair);
        let (turn, _) = self.turn(pair)?;
        Ok(TableRef { span, ..turned(table, turn) })
    }

    /// The operation on a table, and the new name of its rows.
    pub(super) fn turn(&mut self, pair: Pair<'_, Rule>) -> Built<(Turn, Option<TableAlias>)> {
        let span = self.span(&pair);
        if pair.as_rule() == Rule::tablesample {
            return Ok((Turn::Sample(self.sample(pair)?), None));
        }
        let (mut turn, mut alias) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::pivot_body | Rule::pivot_clauses => {
                    turn = Some(Turn::Pivot(Pivot { span, ..self.pivot(part)? }));
                }
                Rule::unpivot_body | Rule::unpivot_clauses => {
                    turn = Some(Turn::Unpivot(Unpivot { span, ..self.unpivot(part)? }));
                }
                Rule::table_alias => alias = Some(self.table_alias(part)?),
                _ => {}
            }
        }
        Ok((found(turn)?, alias))
    }

    fn pivot(&mut self, pair: Pair<'_, Rule>) -> Built<Pivot> {
        let span = self.span(&pair);
        let mut pivot = Pivot { on: Vec::new(), using: Vec::new(), keys: None, span };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::pivot_on => pivot.on.push(self.pivot_on(part)?),
                Rule::pivot_item => pivot.using.push(self.named_expr(part)?),
                Rule::pivot_using => {
                    for item in part.into_inner().filter(|p| p.as_rule() == Rule::pivot_item) {
                        pivot.using.push(self.named_expr(item)?);
                    }
                }
                Rule::pivot_keys => pivot.keys = Some(self.exprs(part)?),
                _ => {}
            }
        }
        if pivot.on.is_empty() && pivot.using.is_empty() && pivot.keys.is_none() {
            let message = "PIVOT has neither ON nor USING nor GROUP BY";
            return Err(Diagnostic::at(Code::Syntax, span, message)
                .help("write PIVOT table ON column USING count(*) GROUP BY key"));
        }
        Ok(pivot)
    }

    /// `expression AS name`.
    fn named_expr(&mut self, pair: Pair<'_, Rule>) -> Built<(Expr, Option<Ident>)> {
        let alias = pair.clone().into_inner().find(|p| p.as_rule() == Rule::alias);
        let alias = alias.map(|alias| self.ident(last(alias)?)).transpose()?;
        Ok((self.only_expr(pair)?, alias))
    }

    fn pivot_on(&mut self, pair: Pair<'_, Rule>) -> Built<PivotOn> {
        let expr = self.only_expr(pair.clone())?;
        let mut listed = Vec::new();
        for value in pair.into_inner().filter(|p| p.as_rule() == Rule::pivot_value) {
            listed.push(self.pivot_value(value)?);
        }
        if !listed.is_empty() {
            return Ok(PivotOn { expr, values: PivotValues::Listed(listed) });
        }
        // A parenthesized list without names was parsed as an expression.
        Ok(match expr.kind {
            ExprKind::InList { expr, list, negated: false } => {
                let values = list.into_iter().map(|value| (word_as_text(value), None)).collect();
                PivotOn { expr: *expr, values: PivotValues::Listed(values) }
            }
            ExprKind::InQuery { expr, query, negated: false } => {
                PivotOn { expr: *expr, values: PivotValues::Queried(query) }
            }
            kind => PivotOn { expr: Expr { kind, ..expr }, values: PivotValues::All },
        })
    }

    fn pivot_value(&mut self, pair: Pair<'_, Rule>) -> Built<(Expr, Option<Ident>)> {
        let span = self.span(&pair);
        let (mut negative, mut value, mut alias) = (false, None, None);
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::positive => {}
                Rule::negative => negative = !negative,
                Rule::bit_not | Rule::magnitude => {
                    let message = "a value of PIVOT is a constant";
                    return Err(Diagnostic::at(Code::Syntax, span, message));
                }
                Rule::alias => alias = Some(self.ident(last(part)?)?),
                _ => value = Some(word_as_text(self.primary(part)?)),
            }
        }
        let mut value = found(value)?;
        if negative {
            let kind = ExprKind::Unary { op: UnaryOp::Negate, expr: Box::new(value) };
            value = Expr { kind, span };
        }
        Ok((value, alias))
    }

    fn unpivot(&mut self, pair: Pair<'_, Rule>) -> Built<Unpivot> {
        let span = self.span(&pair);
        let (mut items, mut nulls): (Vec<SelectItem>, _) = (Vec::new(), false);
        let (mut name, mut values) = (None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::including => nulls = has(&part, Rule::INCLUDE),
                Rule::select_item => items.push(self.select_item(part)?),
                Rule::column_names => values = self.names(part)?,
                Rule::column_name if values.is_empty() => values.push(self.ident(part)?),
                Rule::column_name => name = Some(self.ident(part)?),
                Rule::unpivot_into => {
                    values = self.names(part)?;
                    name = Some(values.remove(0));
                }
                _ => {}
            }
        }
        let plain = |text: &str| Ident { text: text.to_owned(), quoted: false, span };
        let name = name.unwrap_or_else(|| plain("name"));
        if values.is_empty() {
            values.push(plain("value"));
        }
        Ok(Unpivot { items, name, values, nulls, span })
    }

    /// The size, method and seed of a sample.
    pub(super) fn sample(&self, pair: Pair<'_, Rule>) -> Built<Sample> {
        let span = self.span(&pair);
        let (mut size, mut method, mut seed) = (None, None, None);
        for part in pair.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::sample_size => size = Some(self.sample_size(part)?),
                Rule::sample_method => {
                    method = Some(match part.as_str().to_ascii_lowercase().as_str() {
                        "reservoir" => (SampleMethod::Reservoir, place),
                        _ => (SampleMethod::Bernoulli, place),
                    });
                }
                Rule::sample_seed => {
                    let digits = only(part)?.as_str().replace('_', "");
                    seed = Some(digits.parse().map_err(|_| {
                        Diagnostic::at(Code::BadLiteral, place, "the seed is more than 64 bits")
                    })?);
                }
                _ => {}
            }
        }
        let size = found(size)?;
        let method = match (method, size) {
            (None, SampleSize::Rows(_)) => SampleMethod::Reservoir,
            (None, SampleSize::Percent(_)) => SampleMethod::Bernoulli,
            (Some((SampleMethod::Reservoir, _)), _) | (Some(_), SampleSize::Percent(_)) => {
                method.map_or(SampleMethod::Reservoir, |(method, _)| method)
            }
            (Some((_, place)), SampleSize::Rows(_)) => {
                let message = "bernoulli and system take a share of the rows, not a number";
                return Err(Diagnostic::at(Code::Syntax, place, message)
                    .help("write a share as 10%, or reservoir(10 ROWS)"));
            }
        };
        Ok(Sample { size, method, seed, span })
    }

    fn sample_size(&self, pair: Pair<'_, Rule>) -> Built<SampleSize> {
        let span = self.span(&pair);
        let percent = has(&pair, Rule::percent_mark);
        let number = self.literal(only(pair)?)?;
        let bad = |message| Err(Diagnostic::at(Code::BadLiteral, span, message));
        match (number, percent) {
            (Literal::Int(rows), false) => Ok(SampleSize::Rows(rows)),
            (_, false) => bad("a sample has a whole number of rows"),
            (Literal::Int(share), true) if share <= 100 => {
                Ok(SampleSize::Percent(u32::try_from(share).map_or(100.0, f64::from)))
            }
            (Literal::Double(share), true) if (0.0..=100.0).contains(&share) => {
                Ok(SampleSize::Percent(share))
            }
            (Literal::Int(_) | Literal::Double(_), true) => {
                bad("a sample has 0 to 100 percent of the rows")
            }
            _ => Err(defect(Rule::sample_size)),
        }
    }
}

/// In lists of values an unquoted word is text, as in DuckDB.
fn word_as_text(value: Expr) -> Expr {
    match &value.kind {
        ExprKind::Column(name) => match name.parts.as_slice() {
            [word] => {
                let kind = ExprKind::Literal(Literal::Text(word.text.clone()));
                Expr { kind, span: value.span }
            }
            _ => value,
        },
        _ => value,
    }
}
