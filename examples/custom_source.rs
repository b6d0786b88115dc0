//! A source of a host program next to dumps: it fills a built-in table and a table that the program
//! adds.
//!
//! ```text
//! cargo run --example custom_source
//! ```

use std::io::{self, Write};
use std::sync::Arc;

use dumpql::Session;
use dumpql::extend::rows::Module;
use dumpql::extend::{
    Answers, Column, Emit, Get, Machine, Source, SourceKind, TableDef, Unanswered, Want, text,
};

dumpql::row! {
    /// A temperature that was measured before the crash.
    pub Reading in "readings" {
        /// The sensor.
        sensor: String,
        /// Degrees Celsius.
        celsius: i64,
    }
}

const COLUMNS: &[Column<Reading>] = &[
    Column::new(|c| c.sensor, "The sensor.", Get::Text(|row| text(&row.sensor))),
    Column::new(|c| c.celsius, "Degrees Celsius.", Get::Int(|row| row.celsius)),
];

/// The contents of the program's own crash report.
struct Report {
    modules: Vec<(String, u64)>,
    readings: Vec<(String, i64)>,
}

impl Report {
    #[allow(clippy::unnecessary_wraps, reason = "a reader may say why it has no rows")]
    fn modules(&self, want: &Want<'_, Module>, emit: Emit<'_, Module>) -> Result<(), Unanswered> {
        for (name, base) in &self.modules {
            // Values that the query does not want need not be computed.
            let mut row = Module::default();
            row.base = Ok(*base);
            if want.has(|c| c.name) {
                row.name = Ok(name.clone());
            }
            if emit.row(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    #[allow(clippy::unnecessary_wraps, reason = "a reader may say why it has no rows")]
    fn readings(&self, _: &Want<'_, Reading>, emit: Emit<'_, Reading>) -> Result<(), Unanswered> {
        for (sensor, celsius) in &self.readings {
            let (sensor, celsius) = (Ok(sensor.clone()), Ok(*celsius));
            if emit.row(Reading { sensor, celsius, ..Reading::default() }).is_break() {
                break;
            }
        }
        Ok(())
    }
}

struct ReportSource {
    answers: Answers,
}

impl ReportSource {
    fn new(report: Report) -> Self {
        let report = Arc::new(report);
        let answers = Answers::of(&report).with(Report::modules).with(Report::readings).build();
        Self { answers }
    }
}

impl Source for ReportSource {
    fn kind(&self) -> SourceKind {
        SourceKind::Host
    }

    fn machine(&self) -> Machine {
        Machine::default()
    }

    fn answers(&self) -> &Answers {
        &self.answers
    }
}

pub(crate) fn run(out: &mut dyn Write) -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::from_images(Vec::new(), &dumpql::Options::default())?;
    session.add_table(TableDef::new("One row for each reading.", COLUMNS))?;
    let modules = vec![("firmware".to_owned(), 0x1000), ("radio".to_owned(), 0x8000)];
    let readings = vec![("cpu".to_owned(), 71), ("case".to_owned(), 40)];
    session.add_source("report", ReportSource::new(Report { modules, readings }))?;

    for sql in [
        "SELECT name, base FROM modules ORDER BY base",
        "SELECT sensor, celsius FROM readings WHERE celsius > 50",
    ] {
        let result = session.query(sql)?;
        for row in 0..result.len() {
            writeln!(out, "{} {}", result.text(row, 0), result.text(row, 1))?;
        }
    }

    // A table that the source does not fill reports that.
    if let Err(error) = session.query("SELECT tid FROM threads") {
        writeln!(out, "{error}")?;
    }
    Ok(())
}

#[allow(dead_code, reason = "a test runs the example with a writer of its own")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(&mut io::stdout().lock())
}
