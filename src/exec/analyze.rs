//! `EXPLAIN ANALYZE`: runs a plan and reports on each operator.

use std::sync::PoisonError;
use std::time::Instant;

use super::col::Col;
use super::engine::Engine;
use super::{Context, Field, ResultSet};
use crate::catalog::{Format, Ty};
use crate::diag::Diagnostic;
use crate::plan::{JoinForm, JoinKind, Plan, Rel, Scanned, SetOp};

/// The statistics of the operators of a running query, in the order in which they started.
#[derive(Debug, Default)]
pub(super) struct Analysis {
    depth: usize,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    operator: String,
    rows: usize,
    began: Instant,
    ms: f64,
}

impl Engine<'_> {
    /// Records the start of an operator; `None` unless the query is analysed.
    pub(super) fn begin(&self, plan: &Plan) -> Option<usize> {
        let mut analysis = self.analysis()?.lock().unwrap_or_else(PoisonError::into_inner);
        let operator = format!("{}{}", "  ".repeat(analysis.depth), label(&plan.rel));
        analysis.depth += 1;
        analysis.lines.push(Line { operator, rows: 0, began: Instant::now(), ms: 0.0 });
        Some(analysis.lines.len() - 1)
    }

    /// Records that the operator of that line has returned its rows.
    pub(super) fn end(&self, line: Option<usize>, rows: usize) {
        let (Some(line), Some(analysis)) = (line, self.analysis()) else { return };
        let mut analysis = analysis.lock().unwrap_or_else(PoisonError::into_inner);
        analysis.depth -= 1;
        if let Some(line) = analysis.lines.get_mut(line) {
            line.rows = rows;
            line.ms = line.began.elapsed().as_secs_f64() * 1e3;
        }
    }
}

/// Runs the plan, and returns a row for each operator: its description, the number of rows that it
/// returned, and its time in milliseconds, inputs included.
pub(super) fn run(plan: &Plan, cx: &Context<'_>) -> Result<ResultSet, Diagnostic> {
    let engine = Engine::new(cx, true);
    let result = engine.result(plan)?;
    let analysis = engine.analysis().map(|a| a.lock().unwrap_or_else(PoisonError::into_inner));
    let analysis = analysis.map(|mut a| std::mem::take(&mut *a)).unwrap_or_default();
    let lines = &analysis.lines;
    let rows = lines.iter().map(|l| i64::try_from(l.rows).unwrap_or(i64::MAX)).collect();
    // The clock is not more precise than thousandths of a millisecond.
    let ms = lines.iter().map(|l| (l.ms * 1e3).round() / 1e3).collect();
    let columns = vec![
        ("operator", Ty::Text, Col::text(lines.iter().map(|l| Some(l.operator.as_str())))),
        ("rows", Ty::Int, Col::int(rows, None)),
        ("ms", Ty::Double, Col::double(ms, None)),
    ];
    let fields = columns.iter().map(|(name, ty, _)| Field {
        name: (*name).to_owned(),
        ty: *ty,
        format: Format::Plain,
    });
    let fields = fields.collect();
    let cols = columns.into_iter().map(|(_, _, col)| col).collect();
    Ok(ResultSet::from_cols(fields, cols, lines.len(), &result))
}

fn label(rel: &Rel) -> String {
    match rel {
        Rel::Scan { table: Scanned::Table(table), .. } => format!("scan {table}"),
        Rel::Scan { table: Scanned::Call(call), .. } => format!("call {}", call.function.name),
        Rel::Values { rows } => format!("values ({})", rows.len()),
        Rel::Filter { .. } => "filter".to_owned(),
        Rel::Project { .. } => "project".to_owned(),
        Rel::Join { form: JoinForm::Mark, .. } => "mark join".to_owned(),
        Rel::Join { form: JoinForm::Nearest, .. } => "as-of join".to_owned(),
        Rel::Join { kind, keys, args, .. } => {
            let how = match (args.is_empty(), keys.is_empty()) {
                (false, _) => "lateral",
                (true, true) => "nested loop",
                (true, false) => "hash",
            };
            format!("{} join ({how})", join_word(*kind))
        }
        Rel::Aggregate { keys, .. } if keys.is_empty() => "aggregate".to_owned(),
        Rel::Aggregate { keys, .. } => format!("aggregate by {} keys", keys.len()),
        Rel::Window { calls, .. } => format!("window of {} calls", calls.len()),
        Rel::Unnest { .. } => "unnest".to_owned(),
        Rel::Distinct { .. } => "distinct".to_owned(),
        Rel::Sort { top: Some(top), .. } => format!("sort, first {top}"),
        Rel::Sort { .. } => "sort".to_owned(),
        Rel::Limit { .. } => "limit".to_owned(),
        Rel::SetOp { op, all, .. } => {
            let word = match op {
                SetOp::Union => "union",
                SetOp::Intersect => "intersect",
                SetOp::Except => "except",
            };
            if *all { format!("{word} all") } else { word.to_owned() }
        }
        Rel::Shared { id, .. } => format!("shared #{id}"),
        Rel::Recursive { .. } => "recursion".to_owned(),
        Rel::Working { .. } => "new rows of the recursion".to_owned(),
    }
}

const fn join_word(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::Inner => "inner",
        JoinKind::Left => "left",
        JoinKind::Right => "right",
        JoinKind::Full => "full",
        JoinKind::Cross => "cross",
        JoinKind::Semi => "semi",
        JoinKind::Anti => "anti",
        JoinKind::Positional => "positional",
        JoinKind::Asof => "as-of",
        JoinKind::AsofLeft => "left as-of",
    }
}
