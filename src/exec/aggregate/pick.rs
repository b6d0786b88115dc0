//! Aggregates whose result is the value of one of the rows.

use std::cmp::Ordering;

use super::kernel::{Aggregate, Args, Rows, States, same};
use super::listed::{self, is_several};
use super::{SAME, order, sig};
use crate::catalog::Signature;
use crate::catalog::Ty::{self, Int, Null};
use crate::diag::Diagnostic;
use crate::exec::col::{Col, NO_ROW};

pub(super) const ALL: &[Aggregate] = &[
    Aggregate::new(
        "any_value",
        "One of the values: the first that is not NULL.",
        SAME,
        &[("any_value(x)", "1")],
        |_, groups| Box::new(Picks::new(groups, Pick::FirstValue)),
    ),
    Aggregate::new(
        "first",
        "The value of the first row, NULL included. Give an ORDER BY within the parentheses to say which row is first.",
        SAME,
        &[("first(x ORDER BY x DESC)", "5")],
        |_, groups| Box::new(Picks::new(groups, Pick::First)),
    ),
    Aggregate::new(
        "last",
        "The value of the last row, NULL included. Give an ORDER BY within the parentheses to say which row is last.",
        SAME,
        &[("last(x ORDER BY x)", "5")],
        |_, groups| Box::new(Picks::new(groups, Pick::Last)),
    ),
    Aggregate::new(
        "arg_min",
        "The first argument of the row of which the second is smallest; the earliest such row counts. With a third argument a list of so many of the first such values.",
        BY,
        &[("arg_min(x, -x)", "5")],
        |args, groups| best(args, groups, Ordering::Less),
    )
    .or(&["min_by", "argmin"]),
    Aggregate::new(
        "arg_max",
        "The first argument of the row of which the second is largest; the earliest such row counts. With a third argument a list of so many of the first such values.",
        BY,
        &[("arg_max(x, -x)", "1")],
        |args, groups| best(args, groups, Ordering::Greater),
    )
    .or(&["max_by", "argmax"]),
    Aggregate::new(
        "arg_min_null",
        "As arg_min, of rows without a first argument, too.",
        &[sig(&[Null, Null], Null)],
        &[("arg_min_null(nullif(x, 1), x)", "")],
        |_, groups| one(groups, Ordering::Less, true),
    ),
    Aggregate::new(
        "arg_max_null",
        "As arg_max, of rows without a first argument, too.",
        &[sig(&[Null, Null], Null)],
        &[("arg_max_null(nullif(x, 5), x)", "")],
        |_, groups| one(groups, Ordering::Greater, true),
    ),
];

const BY: &[Signature] = &[sig(&[Null, Null], Null), sig(&[Null, Null, Int], Ty::ANY_LIST)];

fn best(args: &Args<'_>, groups: usize, wanted: Ordering) -> Box<dyn States> {
    if is_several(args.call) && args.call.args.len() > 2 {
        return listed::best(groups, wanted);
    }
    one(groups, wanted, false)
}

/// The first argument in one row of each group.
fn one(groups: usize, wanted: Ordering, nulls: bool) -> Box<dyn States> {
    Box::new(Picks::new(groups, Pick::Best { by: 1, wanted, nulls }))
}

/// The row that is picked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pick {
    /// The first row with the least or greatest value of argument `by`, among rows in which neither
    /// it nor, without `nulls`, the first argument is NULL.
    Best { by: usize, wanted: Ordering, nulls: bool },
    /// The first row that has a value.
    FirstValue,
    /// The first row.
    First,
    /// The last row.
    Last,
}

/// The number of the picked row of each group.
pub(super) struct Picks {
    rows: Vec<u32>,
    pick: Pick,
}

fn row_number(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(NO_ROW)
}

impl Picks {
    pub(super) fn new(groups: usize, pick: Pick) -> Self {
        Self { rows: vec![NO_ROW; groups], pick }
    }

    fn keep_first(&mut self, group: usize, row: usize) {
        if self.rows[group] == NO_ROW {
            self.rows[group] = row_number(row);
        }
    }

    fn keep_best(&mut self, by: &Col, wanted: Ordering, group: usize, row: usize) {
        let known = self.rows[group];
        if known == NO_ROW || order::values(by, row, known as usize) == wanted {
            self.rows[group] = row_number(row);
        }
    }
}

impl States for Picks {
    fn update(&mut self, args: &Args<'_>, rows: &Rows<'_>) -> Result<(), Diagnostic> {
        let Some(arg) = args.first() else { return Ok(()) };
        match self.pick {
            Pick::Best { by, wanted, nulls } => {
                let Some(key) = args.cols.get(by) else { return Ok(()) };
                rows.each_valid(key, |group, row| {
                    if nulls || !arg.is_null(row) {
                        self.keep_best(key, wanted, group, row);
                    }
                });
            }
            Pick::FirstValue => rows.each_valid(arg, |group, row| self.keep_first(group, row)),
            Pick::First => rows.each(|group, row| self.keep_first(group, row)),
            Pick::Last => rows.each(|group, row| self.rows[group] = row_number(row)),
        }
        Ok(())
    }

    fn merge(
        &mut self,
        args: &Args<'_>,
        from: &dyn States,
        pairs: &[(u32, u32)],
    ) -> Result<(), Diagnostic> {
        let from = same::<Self>(args, from)?;
        for &(into, of) in pairs {
            let (group, row) = (into as usize, from.rows[of as usize]);
            if row == NO_ROW {
                continue;
            }
            match self.pick {
                Pick::Best { by, wanted, .. } => {
                    if let Some(key) = args.cols.get(by) {
                        self.keep_best(key, wanted, group, row as usize);
                    }
                }
                Pick::FirstValue | Pick::First => self.keep_first(group, row as usize),
                Pick::Last => self.rows[group] = row,
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>, args: &Args<'_>) -> Result<Col, Diagnostic> {
        let groups = self.rows.len();
        Ok(args.first().map_or(Col::Null(groups), |arg| arg.take_opt(&self.rows)))
    }
}
