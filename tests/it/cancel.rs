//! Cancellation: counts the rows that a source makes after a cancellation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use dumpql::internals::catalog::{Catalog, SourceKind};
use dumpql::internals::model::{
    Answers, Emit, Flow, Handle, Machine, Module, Source, Unanswered, Want,
};
use dumpql::internals::table::{ALL, Cx, NamedSource, Progress, ScanError, ScanRequest};

/// More rows than a cancelled scan makes.
const ROWS: usize = 1_000_000;
/// The number of rows after which the query is cancelled.
const CANCELLED_AT: usize = 1000;
/// The rows of a part; parts are made in parallel and do not check for cancellation.
const PART: usize = 16;

/// The number of rows made so far, and whether the query is cancelled.
#[derive(Default)]
struct Made {
    rows: AtomicUsize,
    cancelled: AtomicBool,
}

impl Made {
    fn one(&self) {
        if self.rows.fetch_add(1, Ordering::Relaxed) + 1 == CANCELLED_AT {
            self.cancelled.store(true, Ordering::Relaxed);
        }
    }

    /// Makes rows one by one.
    #[allow(clippy::unnecessary_wraps, reason = "the signature of a table reader")]
    fn modules(&self, _: &Want<'_, Module>, emit: Emit<'_, Module>) -> Result<(), Unanswered> {
        for _ in 0..ROWS {
            self.one();
            if emit.row(Module::default()) == Flow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    /// Makes rows in parts.
    #[allow(clippy::unnecessary_wraps, reason = "the signature of a table reader")]
    fn handles(&self, _: &Want<'_, Handle>, emit: Emit<'_, Handle>) -> Result<(), Unanswered> {
        for _ in 0..ROWS / PART / 4 {
            let fill = |_, push: &mut dyn FnMut(Handle)| {
                for _ in 0..PART {
                    self.one();
                    push(Handle::default());
                }
            };
            if emit.parts(4, &fill) == Flow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

struct Slow {
    made: Arc<Made>,
    answers: Answers,
}

impl Slow {
    fn new() -> Self {
        let made = Arc::new(Made::default());
        let answers = Answers::of(&made).with(Made::modules).with(Made::handles).build();
        Self { made, answers }
    }
}

impl Source for Slow {
    fn kind(&self) -> SourceKind {
        SourceKind::Kernel
    }

    fn machine(&self) -> Machine {
        Machine::default()
    }

    fn answers(&self) -> &Answers {
        &self.answers
    }
}

#[test]
fn a_cancelled_scan_makes_few_more_rows() {
    // Single rows stop at the next row; of parts, those of the current call are completed.
    for (name, most) in [("modules", 1), ("handles", 4 * PART)] {
        let source = Slow::new();
        let table = ALL.iter().find(|table| table.name() == name).unwrap();
        let cx = Cx {
            catalog: &Catalog::default(),
            sources: &[NamedSource { name: "slow", source: &source }],
            cancelled: &source.made.cancelled,
            progress: &Progress::default(),
            room: usize::MAX,
        };
        let columns: Vec<usize> = (0..table.spec(false).columns.len()).collect();
        let request = ScanRequest { columns: &columns, ..ScanRequest::default() };
        assert_eq!(table.scan(&cx, &request).unwrap_err(), ScanError::Cancelled);
        let after = source.made.rows.load(Ordering::Relaxed) - CANCELLED_AT;
        assert!(after <= most, "{name}: {after} rows were made after the cancellation");
    }
}
