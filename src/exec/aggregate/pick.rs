//! Aggregates that pick one of the values.

use std::cmp::Ordering;

use polars_arrow::bitmap::Bitmap;

use super::Input;
use crate::exec::col::{Col, NO_ROW, bits};
use crate::exec::{keys, order};

fn row_number(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(NO_ROW)
}

impl Input<'_> {
    /// The smallest or largest value.
    pub(super) fn extreme(&self, arg: &Col, largest: bool) -> Col {
        let wanted = if largest { Ordering::Greater } else { Ordering::Less };
        match arg {
            Col::Int(a) => {
                let (values, there) = self.best(arg, a.values(), |a, b| a.cmp(&b) == wanted);
                Col::int(values, there)
            }
            Col::Addr(a) => {
                let (values, there) = self.best(arg, a.values(), |a, b| a.cmp(&b) == wanted);
                Col::addr(values, there)
            }
            Col::Double(a) => {
                let better = |a, b| order::doubles(a, b) == wanted;
                let (values, there) = self.best(arg, a.values(), better);
                Col::double(values, there)
            }
            _ => self.rows_of(arg, &self.best_rows(arg, arg, wanted)),
        }
    }

    fn best<T: Copy + Default>(
        &self,
        arg: &Col,
        values: &[T],
        better: impl Fn(T, T) -> bool,
    ) -> (Vec<T>, Option<Bitmap>) {
        let mut best: Vec<(T, bool)> = vec![(T::default(), false); self.groups];
        self.each_value(arg, values, |group, v| {
            let slot = &mut best[group];
            if !slot.1 || better(v, slot.0) {
                *slot = (v, true);
            }
        });
        let there = bits(best.iter().map(|b| b.1));
        (best.into_iter().map(|b| b.0).collect(), Some(there))
    }

    /// The first row of each group of which `by` is best, among rows that have both values.
    fn best_rows(&self, arg: &Col, by: &Col, wanted: Ordering) -> Vec<u32> {
        let mut best = self.no_rows();
        self.each_valid(by, |group, row| {
            let known = best[group];
            let better = || order::values(by, row, known as usize) == wanted;
            if !arg.is_null(row) && (known == NO_ROW || better()) {
                best[group] = row_number(row);
            }
        });
        best
    }

    /// `arg_min`, `arg_max`.
    pub(super) fn arg_extreme(&self, arg: &Col, largest: bool) -> Col {
        let Some(by) = self.args.get(1) else { return Col::Null(self.groups) };
        let wanted = if largest { Ordering::Greater } else { Ordering::Less };
        self.rows_of(arg, &self.best_rows(arg, by, wanted))
    }

    /// The value of the first row, or the first value that is not NULL.
    pub(super) fn first(&self, arg: &Col, skip_null: bool) -> Col {
        let mut rows = self.no_rows();
        let mut take = |group: usize, row: usize| {
            if rows[group] == NO_ROW {
                rows[group] = row_number(row);
            }
        };
        if skip_null {
            self.each_valid(arg, take);
        } else {
            (0..self.rows).for_each(|row| take(self.group_of(row), row));
        }
        self.rows_of(arg, &rows)
    }

    pub(super) fn last(&self, arg: &Col) -> Col {
        let mut rows = self.no_rows();
        (0..self.rows).for_each(|row| rows[self.group_of(row)] = row_number(row));
        self.rows_of(arg, &rows)
    }

    fn group_of(&self, row: usize) -> usize {
        self.ids.map_or(0, |ids| ids[row] as usize)
    }

    /// The most frequent value; among equally frequent ones, the one that came first.
    pub(super) fn mode(&self, arg: &Col) -> Col {
        let ids = (0..self.rows).map(|row| self.group_of(row) as u64).collect();
        let kinds =
            keys::group(&[Col::addr(ids, None), arg.clone()], self.rows, self.engine.stop());
        let mut counts = vec![0usize; kinds.firsts.len()];
        for &kind in &kinds.ids {
            counts[kind as usize] += 1;
        }
        let mut best: Vec<(usize, u32)> = vec![(0, NO_ROW); self.groups];
        for (&first, count) in kinds.firsts.iter().zip(counts) {
            let slot = &mut best[self.group_of(first as usize)];
            if !arg.is_null(first as usize) && count > slot.0 {
                *slot = (count, first);
            }
        }
        let rows: Vec<u32> = best.into_iter().map(|(_, row)| row).collect();
        self.rows_of(arg, &rows)
    }
}
