//! Statements that change the state of a session, or write a file.

use pest::iterators::Pair;

use super::query::has;
use super::{Builder, Built, defect, found, last, only};
use crate::diag::Span;
use crate::lang::ast::{
    Command, Create, CreateMode, Created, Dropped, Expr, ExprKind, Ident, Literal, MacroBody, Query,
};
use crate::lang::syntax::Rule;

impl Builder {
    pub(super) fn command(&mut self, pair: Pair<'_, Rule>) -> Built<Command> {
        Ok(match pair.as_rule() {
            Rule::create => Command::Create(self.create(pair)?),
            Rule::drop => self.drop(pair)?,
            Rule::set => self.set(pair)?,
            Rule::reset => {
                let variable = has(&pair, Rule::VARIABLE);
                let name = last(pair)?;
                match name.as_rule() {
                    Rule::ALL => Command::Reset(None),
                    _ if variable => Command::ResetVariable(self.ident(name)?),
                    _ => Command::Reset(Some(self.ident(name)?)),
                }
            }
            Rule::prepare => {
                let query = pair.clone().into_inner().find(|p| p.as_rule() == Rule::query);
                let name = pair.into_inner().find(|p| p.as_rule() == Rule::column_name);
                self.unnamed = 0;
                let query = Box::new(self.query(found(query)?)?);
                Command::Prepare { name: self.ident(found(name)?)?, query }
            }
            Rule::execute => {
                let (mut name, mut args) = (None, Vec::new());
                for part in pair.into_inner() {
                    match part.as_rule() {
                        Rule::column_name => name = Some(self.ident(part)?),
                        Rule::call_argument => args.push(self.call_argument(part)?),
                        _ => {}
                    }
                }
                Command::Execute { name: found(name)?, args }
            }
            Rule::deallocate => Command::Deallocate(self.ident(last(pair)?)?),
            Rule::copy => self.copy(pair)?,
            rule => return Err(defect(rule)),
        })
    }

    fn create(&mut self, pair: Pair<'_, Rule>) -> Built<Create> {
        let (mut mode, mut temporary) = (CreateMode::New, false);
        if has(&pair, Rule::REPLACE) {
            mode = CreateMode::OrReplace;
        }
        for part in pair.into_inner() {
            let kind = part.as_rule();
            match kind {
                Rule::temporary => temporary = true,
                Rule::create_view | Rule::create_table | Rule::create_macro => {
                    if has(&part, Rule::if_not_exists) {
                        mode = CreateMode::IfNotExists;
                    }
                    let (name, what) = self.created(kind, part)?;
                    return Ok(Create { name, mode, temporary, what });
                }
                _ => {}
            }
        }
        Err(defect(Rule::create))
    }

    fn created(&mut self, kind: Rule, pair: Pair<'_, Rule>) -> Built<(Ident, Created)> {
        let (mut name, mut columns, mut query) = (None, Vec::new(), None);
        let (mut parameters, mut body) = (Vec::new(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::column_name => name = Some(self.ident(part)?),
                Rule::column_names => columns = self.names(part)?,
                Rule::query => query = Some(Box::new(self.query(part)?)),
                Rule::macro_parameter => {
                    let name = self.ident(only(part.clone())?)?;
                    let value = part.into_inner().find(|p| p.as_rule() == Rule::expr);
                    parameters.push((name, value.map(|value| self.expr(value)).transpose()?));
                }
                Rule::table_body => {
                    body = Some(MacroBody::Table(Box::new(self.query(last(part)?)?)));
                }
                Rule::expr => body = Some(MacroBody::Scalar(Box::new(self.expr(part)?))),
                _ => {}
            }
        }
        let what = match kind {
            Rule::create_view => Created::View { columns, query: found(query)? },
            Rule::create_table => Created::Table { columns, query: found(query)? },
            _ => Created::Macro { parameters, body: found(body)? },
        };
        Ok((found(name)?, what))
    }

    fn drop(&mut self, pair: Pair<'_, Rule>) -> Built<Command> {
        let what = if has(&pair, Rule::VIEW) {
            Dropped::View
        } else if has(&pair, Rule::MACRO) || has(&pair, Rule::FUNCTION) {
            Dropped::Macro
        } else {
            Dropped::Table
        };
        let if_exists = has(&pair, Rule::if_exists);
        Ok(Command::Drop { what, name: self.ident(last(pair)?)?, if_exists })
    }

    fn set(&mut self, pair: Pair<'_, Rule>) -> Built<Command> {
        let variable = has(&pair, Rule::VARIABLE);
        let (mut name, mut value) = (None, None);
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::column_name => name = Some(self.ident(part)?),
                Rule::expr => value = Some(self.expr(part)?),
                Rule::ON => value = Some(text("on", span)),
                _ => {}
            }
        }
        let (name, value) = (found(name)?, found(value)?);
        if variable {
            return Ok(Command::SetVariable { name, value });
        }
        // A bare word is a value: `off`, `unlimited`.
        let value = match &value.kind {
            ExprKind::Column(word) => match word.parts.as_slice() {
                [word] => text(&word.text, value.span),
                _ => value,
            },
            _ => value,
        };
        Ok(Command::Set { name, value })
    }

    fn copy(&mut self, pair: Pair<'_, Rule>) -> Built<Command> {
        let (mut query, mut file, mut options) = (None, None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::nested => query = Some(Box::new(self.nested(part)?)),
                Rule::name => query = Some(Box::new(Query::of_table(self.name(part)?))),
                Rule::text => file = Some(self.ident(part)?),
                Rule::copy_option => {
                    let mut parts = part.into_inner();
                    let name = self.ident(found(parts.next())?)?;
                    let value = parts.next().map(|value| self.option_value(value)).transpose()?;
                    options.push((name, value));
                }
                _ => {}
            }
        }
        Ok(Command::Copy { query: found(query)?, file: found(file)?, options })
    }
}

fn text(word: &str, span: Span) -> Expr {
    Expr { kind: ExprKind::Literal(Literal::Text(word.to_owned())), span }
}
