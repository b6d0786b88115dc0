//! A table of a host program: its rows are made when a query needs them, and only those that the
//! query can use.
//!
//! ```text
//! cargo run --example custom_table
//! ```

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dumpql::extend::{
    Batch, ColumnSpec, Cx, Hint, HintOp, Scan, ScanError, ScanRequest, Table, TableSpec,
};
use dumpql::{ColumnBuilder, Session, Ty};

/// The team that owns a driver. In a real program this could be a directory service that takes time
/// for each request, so it is asked only for the drivers that a query names.
struct Owners {
    asked: Arc<AtomicUsize>,
}

const OWNERS: [(&str, &str); 4] =
    [("nt", "kernel"), ("tcpip", "network"), ("ntfs", "storage"), ("afd", "network")];

impl Table for Owners {
    fn name(&self) -> &'static str {
        "owners"
    }

    fn spec(&self, _several: bool) -> TableSpec {
        let columns = vec![
            ColumnSpec::new("driver", "The driver's name.", Ty::Text),
            ColumnSpec::new("team", "The team that owns it.", Ty::Text),
        ];
        TableSpec::new("owners", "One row a driver that a team owns.", columns)
    }

    fn scan(&self, cx: &Cx<'_>, request: &ScanRequest<'_>) -> Result<Scan, ScanError> {
        let mut columns: Vec<ColumnBuilder> =
            request.columns.iter().map(|_| ColumnBuilder::new(Ty::Text)).collect();
        let limit = request.limit.unwrap_or(usize::MAX);
        let mut rows = 0;
        for (driver, team) in OWNERS.into_iter().filter(|o| is_wanted(o.0, request.hints)) {
            if rows == limit || cx.is_cancelled() {
                break;
            }
            self.asked.fetch_add(1, Ordering::Relaxed);
            for (column, builder) in request.columns.iter().zip(&mut columns) {
                builder.push_text(Ok(if *column == 0 { driver } else { team }));
            }
            rows += 1;
            cx.progress.add_rows(1);
        }
        let columns = columns.into_iter().map(ColumnBuilder::finish).collect();
        Ok(Scan::of(Batch { columns, rows }))
    }
}

/// Whether the hints allow rows of the driver. A table may ignore hints, because the engine filters
/// again.
fn is_wanted(driver: &str, hints: &[Hint]) -> bool {
    hints.iter().filter(|hint| hint.column == 0).all(|hint| match &hint.op {
        HintOp::In(values) => values.iter().any(|value| value.as_text() == Some(driver)),
        HintOp::Prefix(prefix) => driver.starts_with(prefix.as_str()),
        _ => true,
    })
}

pub(crate) fn run(out: &mut dyn Write) -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::sample()?;
    let asked = Arc::<AtomicUsize>::default();
    session.add_table(Owners { asked: Arc::clone(&asked) })?;

    let sql = "SELECT o.driver, o.team FROM owners o WHERE o.driver = 'tcpip'";
    let result = session.query(sql)?;
    for row in 0..result.len() {
        writeln!(out, "{} belongs to {}", result.text(row, 0), result.text(row, 1))?;
    }
    writeln!(out, "asked for {} of {}", asked.load(Ordering::Relaxed), OWNERS.len())?;

    // The table is listed and explained like any other, and a misspelt name is detected.
    let tables = session.query("SELECT name, doc FROM meta.tables WHERE name = 'owners'")?;
    writeln!(out, "{}: {}", tables.text(0, 0), tables.text(0, 1))?;
    if let Err(error) = session.query("SELECT team FROM owner") {
        writeln!(out, "{error}")?;
    }
    Ok(())
}

#[allow(dead_code, reason = "a test runs the example with a writer of its own")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(&mut io::stdout().lock())
}
