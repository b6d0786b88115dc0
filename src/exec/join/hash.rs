//! Hash joins on equal keys. The keys of the smaller side are put into a dictionary, and the rows
//! of the other side are looked up.

use std::ops::Range;
use std::sync::Arc;

use polars_arrow::bitmap::Bitmap;
use rayon::prelude::*;

use super::{Pairs, Sides};
use crate::diag::Diagnostic;
use crate::exec::col::{Col, bits};
use crate::exec::eval::Eval;
use crate::exec::frame::Frame;
use crate::exec::keys::{Dict, NONE, match_in_parts};
use crate::exec::uses;
use crate::plan::{Expr, Plan};

/// For each left row the right rows with equal keys: those of its group.
#[derive(Debug, Clone)]
pub(super) struct Matches {
    /// The group of each left row, or [`NONE`].
    groups: Vec<u32>,
    right: Arc<Right>,
}

/// The keys of a join side whose rows are the same at each run of the join.
#[derive(Debug)]
pub(in crate::exec) struct Hashed {
    dict: Dict,
    /// The number of the key of each row.
    ids: Vec<u32>,
    count: usize,
    /// The rows by key, if this is the right side.
    right: Option<Arc<Right>>,
}

/// The right rows of each group.
#[derive(Debug)]
enum Right {
    /// Each key occurs once, so the group number is the row number.
    Single,
    /// The rows of group `g` are `rows[starts[g]..starts[g + 1]]`.
    Many { starts: Vec<usize>, rows: Vec<u32> },
}

impl Sides<'_> {
    pub(super) fn key_matches(&self) -> Result<Matches, Diagnostic> {
        let keys = self.join.keys;
        let left = self.keys(&self.left, keys.iter().map(|k| &k.0))?;
        let right = self.keys(&self.right, keys.iter().map(|k| &k.1))?;
        self.engine.check_cancelled()?;
        if let Some(hashed) = self.hashed(&left, &right)? {
            let matches = if let Some(rows) = &hashed.right {
                let groups = hashed.dict.lookup(&left, self.left.rows);
                Matches { groups, right: Arc::clone(rows) }
            } else {
                let ids = hashed.dict.lookup(&right, self.right.rows);
                let right = Arc::new(Right::new(&ids, hashed.count));
                Matches { groups: hashed.ids.clone(), right }
            };
            self.engine.check_cancelled()?;
            return Ok(matches);
        }
        let stop = self.engine.stop();
        let (left_ids, right_ids, count) = if let Some(found) = match_in_parts(&left, &right, stop)
        {
            found
        } else if self.right.rows <= self.left.rows {
            let (dict, right_ids, count) = Dict::build(&right, self.right.rows, stop);
            (dict.lookup(&left, self.left.rows), right_ids, count)
        } else {
            let (dict, left_ids, count) = Dict::build(&left, self.left.rows, stop);
            (left_ids, dict.lookup(&right, self.right.rows), count)
        };
        self.engine.check_cancelled()?;
        Ok(Matches { groups: left_ids, right: Arc::new(Right::new(&right_ids, count)) })
    }

    /// The keys of the side that is the same at each step of a recursion, or for each outer row of
    /// a sub-query; they are hashed once.
    fn hashed(&self, left: &[Col], right: &[Col]) -> Result<Option<Arc<Hashed>>, Diagnostic> {
        let keys = self.join.keys;
        let engine = self.engine;
        let varies = |plan: &Plan, keys: Vec<&Expr>| {
            engine.depends(plan) || keys.into_iter().any(uses::varies)
        };
        let of_right =
            engine.repeats() && !varies(self.join.right, keys.iter().map(|k| &k.1).collect());
        let of_left =
            engine.repeats() && !varies(self.join.left, keys.iter().map(|k| &k.0).collect());
        if !of_right && !of_left {
            return Ok(None);
        }
        // The plan stays allocated as long as the query, and so do its keys.
        let place = keys.as_ptr() as usize;
        if let Some(known) = engine.hashed(place) {
            return Ok(Some(known));
        }
        let (cols, rows) = if of_right { (right, self.right.rows) } else { (left, self.left.rows) };
        let (dict, ids, count) = Dict::build(cols, rows, engine.stop());
        engine.check_cancelled()?;
        let right = of_right.then(|| Arc::new(Right::new(&ids, count)));
        let hashed = Arc::new(Hashed { dict, ids, count, right });
        engine.keep_hashed(place, Arc::clone(&hashed));
        Ok(Some(hashed))
    }

    fn keys<'k>(
        &self,
        frame: &Frame,
        exprs: impl Iterator<Item = &'k Expr>,
    ) -> Result<Vec<Col>, Diagnostic> {
        let eval = Eval::new(self.engine, frame);
        exprs.map(|expr| eval.column(expr)).collect()
    }
}

impl Right {
    fn new(ids: &[u32], count: usize) -> Self {
        if ids.len() == count && (0u32..).zip(ids).all(|(row, &id)| row == id) {
            return Self::Single;
        }
        let mut starts = vec![0usize; count + 1];
        for &id in ids.iter().filter(|&&id| id != NONE) {
            starts[id as usize + 1] += 1;
        }
        for group in 0..count {
            starts[group + 1] += starts[group];
        }
        let mut next = starts.clone();
        let mut rows = vec![0u32; starts[count]];
        for (row, &id) in (0u32..).zip(ids) {
            if id != NONE {
                let place = &mut next[id as usize];
                rows[*place] = row;
                *place += 1;
            }
        }
        Self::Many { starts, rows }
    }

    fn len(&self, group: u32) -> usize {
        if group == NONE {
            return 0;
        }
        match self {
            Self::Single => 1,
            Self::Many { starts, .. } => starts[group as usize + 1] - starts[group as usize],
        }
    }
}

impl Matches {
    /// Left rows with the number of their group; the right rows of each group are consecutive.
    pub(super) fn of_groups(groups: Vec<u32>, starts: Vec<usize>) -> Self {
        let count = starts.last().copied().unwrap_or(0);
        let rows = (0u32..).take(count).collect();
        Self { groups, right: Arc::new(Right::Many { starts, rows }) }
    }

    /// The group of a left row.
    pub(super) fn group_of(&self, row: usize) -> Option<u32> {
        self.groups.get(row).copied().filter(|&group| group != NONE)
    }

    /// The right rows of a group.
    pub(super) fn rows_of(&self, group: u32) -> Vec<u32> {
        match &*self.right {
            Right::Single => vec![group],
            Right::Many { starts, rows } => {
                rows[starts[group as usize]..starts[group as usize + 1]].to_vec()
            }
        }
    }

    /// The number of pairs.
    pub(super) fn count(&self) -> usize {
        self.groups.iter().fold(0usize, |sum, &g| sum.saturating_add(self.right.len(g)))
    }

    pub(super) fn left_with_match(&self) -> Bitmap {
        bits(self.groups.iter().map(|&g| self.right.len(g) > 0))
    }

    pub(super) fn pairs(&self) -> Pairs {
        const PART_ROWS: usize = 1 << 16;
        let rows = self.groups.len();
        let part = |index: usize| {
            let from = index * PART_ROWS;
            self.pairs_of(from..rows.min(from + PART_ROWS))
        };
        let parts: Vec<Pairs> = (0..rows.div_ceil(PART_ROWS)).into_par_iter().map(part).collect();
        let join = |pick: fn(&Pairs) -> &Vec<u32>| {
            let each: Vec<&[u32]> = parts.iter().map(|part| pick(part).as_slice()).collect();
            each.concat()
        };
        let (left, right) = rayon::join(|| join(|p| &p.left), || join(|p| &p.right));
        Pairs { left, right }
    }

    /// The pairs of a range of left rows.
    pub(super) fn pairs_of(&self, rows: Range<usize>) -> Pairs {
        let groups = (rows.start..).zip(&self.groups[rows.clone()]);
        let groups = groups.filter(|&(_, &g)| g != NONE);
        let row = |row: usize| u32::try_from(row).unwrap_or(NONE);
        match &*self.right {
            Right::Single => {
                let mut pairs = Pairs::default();
                pairs.left.reserve(rows.len());
                pairs.right.reserve(rows.len());
                for (left, &group) in groups {
                    pairs.left.push(row(left));
                    pairs.right.push(group);
                }
                pairs
            }
            Right::Many { starts, rows: right } => {
                let mut pairs = Pairs::default();
                for (left, &group) in groups {
                    let own = &right[starts[group as usize]..starts[group as usize + 1]];
                    pairs.left.extend(std::iter::repeat_n(row(left), own.len()));
                    pairs.right.extend_from_slice(own);
                }
                pairs
            }
        }
    }

    /// Ranges of left rows with about this many pairs each.
    pub(super) fn blocks(&self, pairs: usize) -> Vec<Range<usize>> {
        let mut blocks = Vec::new();
        let (mut from, mut sum) = (0, 0usize);
        for (row, &group) in self.groups.iter().enumerate() {
            sum = sum.saturating_add(self.right.len(group));
            if sum >= pairs {
                blocks.push(from..row + 1);
                (from, sum) = (row + 1, 0);
            }
        }
        blocks.push(from..self.groups.len());
        blocks
    }
}
