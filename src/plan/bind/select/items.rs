//! The items of a select list, including `*`.

use super::super::expr::{Alias, Place};
use super::super::scope::{Scope, ScopeColumn};
use super::super::{Binder, Bound, Failed, name};
use crate::diag::{Code, Diagnostic};
use crate::lang::ast;
use crate::lang::ast::{Ident, SelectItem};
use crate::plan::Expr;

/// An item of the list, with `*` already expanded.
pub(super) struct Item {
    pub(super) name: String,
    /// `None` if it has an error, which has been reported.
    pub(super) expr: Option<Expr>,
}

impl Item {
    pub(super) fn of((name, expr): (String, Expr)) -> Self {
        Self { name, expr: Some(expr) }
    }
}

/// The name of an item: its alias, the name of its column, or the expression.
fn item_name(expr: &ast::Expr, alias: Option<&Ident>, scope: &Scope) -> String {
    if let Some(alias) = alias {
        return alias.text.clone();
    }
    if let ast::ExprKind::Column(name) = &expr.kind
        && let Ok(column) = scope.find(name)
    {
        return column.name.clone();
    }
    name::of(expr)
}

impl Binder<'_> {
    /// Binds the list; also returns the aliases that later clauses can use.
    pub(super) fn items(
        &mut self,
        list: &[SelectItem],
        place: Place<'_>,
    ) -> (Vec<Item>, Vec<Alias>) {
        let mut items: Vec<Item> = Vec::with_capacity(list.len());
        let mut aliases: Vec<Alias> = Vec::new();
        let scope = place.scope;
        for item in list {
            let place = Place { aliases: &aliases, ..place };
            match item {
                SelectItem::Star { .. } => match self.star(item, place) {
                    Ok(columns) => items.extend(columns),
                    Err(Failed) => items.push(Item { name: String::new(), expr: None }),
                },
                SelectItem::Expr { expr, alias: None } if self.is_structure(expr, place) => {
                    match self.structure_items(expr, place) {
                        Ok(fields) => items.extend(fields.into_iter().map(Item::of)),
                        Err(Failed) => items.push(Item { name: String::new(), expr: None }),
                    }
                }
                SelectItem::Expr { expr, alias } => {
                    for (name, bound) in self.spread(expr, place) {
                        let own = item_name(expr, alias.as_ref(), scope);
                        let name = name.filter(|_| alias.is_none()).unwrap_or(own);
                        let bound = bound.ok();
                        if alias.is_some() {
                            aliases.push(Alias { name: name.clone(), expr: bound.clone() });
                        }
                        items.push(Item { name, expr: bound });
                    }
                }
            }
        }
        (items, aliases)
    }

    /// The columns of a `*`, with their names.
    pub(in crate::plan::bind) fn star_columns(
        &mut self,
        item: &SelectItem,
        place: Place<'_>,
    ) -> Bound<Vec<(String, Expr)>> {
        let items = self.star(item, place)?.into_iter();
        items.map(|item| Ok((item.name, item.expr.ok_or(Failed)?))).collect()
    }

    pub(super) fn star(&mut self, item: &SelectItem, place: Place<'_>) -> Bound<Vec<Item>> {
        let SelectItem::Star { qualifier, exclude, replace, rename, like, span } = item else {
            return Err(Failed);
        };
        let (qualifier, span) = (qualifier.as_ref(), *span);
        let plain = exclude.is_empty() && replace.is_empty() && rename.is_empty() && like.is_none();
        if plain
            && place.scope.star(qualifier).is_none()
            && let Some(fields) = self.structure_star(qualifier, place)
        {
            return fields.map(|fields| fields.into_iter().map(Item::of).collect());
        }
        let Some(columns) = place.scope.star(qualifier) else {
            let shown =
                qualifier.map_or_else(String::new, |q| super::super::scope::dotted(&q.parts));
            let at = qualifier.map_or(span, |q| q.span);
            let message = format!("no table `{shown}` in this FROM clause");
            let tables: Vec<&str> = place.scope.tables.iter().map(String::as_str).collect();
            let help =
                format!("tables in this FROM clause: {}", super::super::scope::listed(&tables));
            return self.fail(
                Diagnostic::at(Code::UnknownTable, at, message)
                    .nearest(&shown, tables.iter().copied())
                    .help(help),
            );
        };
        if place.scope.columns.is_empty() {
            return self.fail_at(Code::BadQuery, span, "`*` needs a FROM clause");
        }
        let columns = match like {
            Some(like) => self.named_like(columns, like)?,
            None => columns,
        };
        let mut failed = false;
        let replaced = replace.iter().map(|(_, ident)| ident);
        let renamed = rename.iter().map(|(ident, _)| ident);
        for ident in exclude.iter().chain(replaced).chain(renamed) {
            if !columns.iter().any(|c| c.name.eq_ignore_ascii_case(&ident.text)) {
                let message = format!("`*` has no column `{}`", ident.text);
                let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
                let error = Diagnostic::at(Code::UnknownColumn, ident.span, message)
                    .nearest(&ident.text, names)
                    .help(place.scope.available(&[]));
                self.errors.push(error);
                failed = true;
            }
        }
        let kept =
            |c: &&&ScopeColumn| !exclude.iter().any(|e| e.text.eq_ignore_ascii_case(&c.name));
        let mut items = Vec::with_capacity(columns.len());
        for column in columns.iter().filter(kept) {
            let new = replace.iter().find(|(_, n)| n.text.eq_ignore_ascii_case(&column.name));
            let expr = match new {
                Some((expr, _)) => self.expr(expr, place),
                None => Ok(Expr { span, ..column.expr.clone() }),
            };
            failed |= expr.is_err();
            let new = rename.iter().find(|(n, _)| n.text.eq_ignore_ascii_case(&column.name));
            let name = new.map_or(&column.name, |(_, new)| &new.text).clone();
            items.push(Item { name, expr: expr.ok() });
        }
        self.grow(items.len(), span)?;
        if failed { Err(Failed) } else { Ok(items) }
    }
}
