//! GROUP BY: keys, and sets of keys.

use pest::iterators::Pair;

use super::expr::Paren;
use super::{Builder, Built, defect, only};
use crate::lang::ast::{Expr, GroupBy, GroupItem};
use crate::lang::syntax::Rule;

impl Builder {
    /// The items of GROUP BY.
    pub(super) fn group_by(&mut self, pair: Pair<'_, Rule>) -> Built<GroupBy> {
        let items = self.group_items(pair)?;
        // Sets of a single key each are equivalent to a plain GROUP BY.
        let plain = items.iter().all(|i| matches!(i, GroupItem::Keys(keys) if keys.len() == 1));
        if !plain {
            return Ok(GroupBy::Sets(items));
        }
        let keys = items.into_iter().flat_map(|item| match item {
            GroupItem::Keys(keys) => keys,
            _ => Vec::new(),
        });
        Ok(GroupBy::Keys(keys.collect()))
    }

    fn group_items(&mut self, pair: Pair<'_, Rule>) -> Built<Vec<GroupItem>> {
        let span = self.span(&pair);
        self.enter(1, span)?;
        let items = pair.into_inner().filter(|p| p.as_rule() == Rule::group_item);
        let items = items.map(|item| self.group_item(only(item)?)).collect::<Built<Vec<_>>>();
        self.leave(1);
        items
    }

    pub(super) fn group_item(&mut self, pair: Pair<'_, Rule>) -> Built<GroupItem> {
        Ok(match pair.as_rule() {
            Rule::expr => GroupItem::Keys(self.key_list(pair)?),
            Rule::no_keys => GroupItem::Keys(Vec::new()),
            Rule::grouping_sets => GroupItem::Sets(self.group_items(pair)?),
            Rule::rollup => GroupItem::Rollup(self.key_lists(pair)?),
            Rule::cube => GroupItem::Cube(self.key_lists(pair)?),
            rule => return Err(defect(rule)),
        })
    }

    fn key_lists(&mut self, pair: Pair<'_, Rule>) -> Built<Vec<Vec<Expr>>> {
        let entries = pair.into_inner().filter(|p| p.as_rule() == Rule::expr);
        entries.map(|entry| self.key_list(entry)).collect()
    }

    /// One key, or several in parentheses.
    fn key_list(&mut self, pair: Pair<'_, Rule>) -> Built<Vec<Expr>> {
        let mut parts = pair.clone().into_inner();
        if let (Some(part), None) = (parts.next(), parts.next())
            && part.as_rule() == Rule::paren
            && part.clone().into_inner().filter(|p| p.as_rule() == Rule::expr).count() > 1
            && let Paren::List(keys) = self.paren(part)?
        {
            return Ok(keys);
        }
        Ok(vec![self.expr(pair)?])
    }
}
