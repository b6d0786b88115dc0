//! `problems`: defects of the sources, and absent values by table and column.

use super::def::{Column, Get, Rows, Table, TableDef, text};
use super::scan::{Cx, NamedSource, ScanRequest};
use crate::catalog::{Absent, Example, SourceKind};
use crate::model::{Emit, Flow, Problem, Row as _, Unanswered, Want};

pub(super) static TABLE: TableDef<Problem> = TableDef {
    doc: "One row for each defect of a source, and one for each column and reason of absent values with the number of rows; values that do not apply are not counted.",
    answers: "(none)",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT reason, sum(count) FROM problems GROUP BY reason",
        doc: "The number of missing values, by reason.",
    }],
    rows: Rows::SourceAndCatalog(rows),
    columns: &[
        Column::new(|c| c.table, "Table that the problem shows in.", Get::Text(|p| text(&p.table))),
        Column::new(
            |c| c.column,
            "Column that the problem shows in.",
            Get::Text(|p| text(&p.column)),
        ),
        Column::new(|c| c.reason, "What is wrong.", Get::Text(|p| text(&p.reason))),
        Column::new(|c| c.count, "How many rows or places.", Get::Int(|p| p.count)),
    ],
};

#[allow(clippy::unnecessary_wraps, reason = "the signature is that of `Rows::SourceAndCatalog`")]
fn rows(cx: &Cx<'_>, named: NamedSource<'_>, emit: Emit<'_, Problem>) -> Result<(), Unanswered> {
    let mut stopped = false;
    // A source without known problems need not answer.
    let _ = named.source.answers().read(&Want::ALL, &mut |problem| {
        let flow = emit.row(problem);
        stopped = flow.is_break();
        flow
    });
    for table in super::ALL {
        if stopped {
            return Ok(());
        }
        if table.name() != Problem::TABLE {
            stopped = absences(*table, cx, named, emit).is_break();
        }
    }
    Ok(())
}

/// Emits the number of absent values of one table, by column and reason. A table that the source
/// cannot answer has none.
fn absences(
    table: &dyn Table,
    cx: &Cx<'_>,
    named: NamedSource<'_>,
    emit: Emit<'_, Problem>,
) -> Flow {
    let spec = table.spec(false);
    if !spec.kinds.contains(&named.source.kind()) {
        return Flow::Continue(());
    }
    let columns: Vec<usize> = (0..spec.columns.len()).collect();
    let alone = [named];
    let cx = Cx { sources: &alone, ..*cx };
    let request = ScanRequest { columns: &columns, ..ScanRequest::default() };
    let Ok(scan) = table.scan(&cx, &request) else { return Flow::Continue(()) };
    for (column, data) in spec.columns.iter().zip(&scan.batch.columns) {
        for (reason, count) in data.absent_counts() {
            if reason == Absent::NotApplicable {
                continue;
            }
            emit.row(Problem {
                table: Ok(spec.name.to_owned()),
                column: Ok(column.name.to_owned()),
                reason: Ok(reason.as_str().to_owned()),
                count: Ok(i64::try_from(count).unwrap_or(i64::MAX)),
                ..Problem::default()
            })?;
        }
    }
    Flow::Continue(())
}
