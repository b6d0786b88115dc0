//! What holds for every table on every dump.

use std::sync::atomic::AtomicBool;

use dumpql::internals::catalog::{Batch, Catalog, Hint, HintOp, Ty, Value};
use dumpql::internals::dump::Image;
use dumpql::internals::model::Source;
use dumpql::internals::source;
use dumpql::internals::symbol::Store;
use dumpql::internals::table::{
    ALL, Cx, NamedSource, Progress, Scan, ScanError, ScanRequest, Table,
};

use crate::corpus;

/// The sample and every dump of the corpus.
fn sources() -> Vec<(String, Box<dyn Source>)> {
    let sample = Image::from_bytes("sample", dumpql::internals::synth::triage_sample());
    let real = corpus::dumps("kernel").into_iter().chain(corpus::dumps("user"));
    let images = real.map(|path| Image::open(&path).expect("corpus file opens"));
    let store = Store::default();
    std::iter::once(sample)
        .chain(images)
        .map(|image| (image.path().to_owned(), source::open(image, &store).expect("it is a dump")))
        .collect()
}

/// A whole system, which holds what a triage dump does not.
fn whole_system() -> (String, Box<dyn Source>) {
    use dumpql::internals::synth::{Format, healthy, system};
    let bytes = system(&healthy(dumpql::internals::synth::Windows::Windows10))
        .to_vec(Format::KernelSummary);
    let image = Image::from_bytes("system", bytes);
    ("system".to_owned(), source::open(image, &Store::default()).expect("it is a dump"))
}

fn scan(table: &dyn Table, source: &dyn Source, request: &ScanRequest<'_>) -> Option<Batch> {
    match try_scan(table, source, request) {
        Ok(scan) => Some(scan.batch),
        Err(ScanError::NoSource(_)) => None,
        Err(other) => panic!("{}: {other:?}", table.name()),
    }
}

fn try_scan(
    table: &dyn Table,
    source: &dyn Source,
    request: &ScanRequest<'_>,
) -> Result<Scan, ScanError> {
    let cancelled = AtomicBool::new(false);
    let progress = Progress::default();
    let catalog = Catalog::new(
        ALL.iter().map(|t| t.spec(false)).collect(),
        dumpql::internals::session::shipped().functions().to_vec(),
    );
    let cx = Cx {
        catalog: &catalog,
        sources: &[NamedSource { name: "it", source }],
        cancelled: &cancelled,
        progress: &progress,
    };
    table.scan(&cx, request)
}

fn all_columns(table: &dyn Table) -> Vec<usize> {
    (0..table.spec(false).columns.len()).collect()
}

#[test]
fn a_table_names_exactly_the_kinds_of_source_that_answer_it() {
    for (name, source) in sources().into_iter().chain([whole_system()]) {
        for table in ALL {
            let kinds = table.spec(false).kinds;
            if kinds.is_empty() {
                continue;
            }
            let at = format!("{name}, a {}: {}", source.kind().as_str(), table.name());
            match try_scan(*table, &*source, &ScanRequest::default()) {
                Ok(_) => assert!(kinds.contains(&source.kind()), "{at} is answered"),
                Err(ScanError::NoSource(why)) if why.iter().all(|(_, w)| w.because.is_none()) => {
                    assert!(!kinds.contains(&source.kind()), "{at} is not answered");
                }
                Err(ScanError::NoSource(_)) => {}
                Err(other) => panic!("{at}: {other:?}"),
            }
        }
    }
}

#[test]
fn every_column_has_its_declared_type_and_every_row() {
    for (name, source) in sources() {
        for table in ALL {
            let columns = all_columns(*table);
            let request = ScanRequest { columns: &columns, ..ScanRequest::default() };
            let Some(batch) = scan(*table, &*source, &request) else { continue };
            assert_eq!(batch.columns.len(), columns.len());
            for (spec, data) in table.spec(false).columns.iter().zip(&batch.columns) {
                let at = format!("{name}: {}.{}", table.name(), spec.name);
                assert_eq!(spec.ty, data.ty, "{at}");
                assert!(data.absent.is_empty() || data.absent.len() == batch.rows, "{at}");
            }
        }
    }
}

#[test]
fn a_column_alone_is_the_column_among_all() {
    for (name, source) in sources() {
        for table in ALL {
            let columns = all_columns(*table);
            let request = ScanRequest { columns: &columns, ..ScanRequest::default() };
            let Some(whole) = scan(*table, &*source, &request) else { continue };
            for &column in &columns {
                let request = ScanRequest { columns: &[column], ..ScanRequest::default() };
                let alone = scan(*table, &*source, &request).expect("the table is answered");
                let spec = &table.spec(false).columns[column];
                let at = format!("{name}: {}.{}", table.name(), spec.name);
                assert_eq!(alone.rows, whole.rows, "{at}");
                assert_eq!(Some(&alone.columns[0]), whole.columns.get(column), "{at}");
            }
        }
    }
}

#[test]
fn a_limit_gives_the_first_rows_and_two_scans_are_equal() {
    for (name, source) in sources() {
        for table in ALL {
            let columns = all_columns(*table);
            let request = ScanRequest { columns: &columns, ..ScanRequest::default() };
            let Some(whole) = scan(*table, &*source, &request) else { continue };
            assert_eq!(
                scan(*table, &*source, &request).as_ref(),
                Some(&whole),
                "{name}: {}",
                table.name()
            );
            for limit in [1, 2, 5] {
                let request = ScanRequest { limit: Some(limit), ..request };
                let part = scan(*table, &*source, &request).expect("the table is answered");
                assert_eq!(part.rows, whole.rows.min(limit), "{name}: {}", table.name());
            }
        }
    }
}

#[test]
fn a_hint_never_loses_a_row_that_fulfils_it() {
    for (name, source) in sources() {
        for table in ALL {
            let spec = table.spec(false);
            for (index, column) in spec.columns.iter().enumerate() {
                if column.ty != Ty::Text {
                    continue;
                }
                let request = ScanRequest { columns: &[index], ..ScanRequest::default() };
                let Some(whole) = scan(*table, &*source, &request) else { continue };
                let wanted = "it";
                let op = HintOp::In(vec![Value::text(wanted)]);
                let hints = [Hint { column: index, op }];
                let hinted = scan(*table, &*source, &ScanRequest { hints: &hints, ..request });
                let hinted = hinted.expect("the table is answered");
                let count = |batch: &Batch| texts(batch).filter(|t| *t == wanted).count();
                assert_eq!(count(&hinted), count(&whole), "{name}: {}.{}", spec.name, column.name);
            }
        }
    }
}

fn texts(batch: &Batch) -> impl Iterator<Item = &str> {
    let dumpql::internals::catalog::Data::Text { bytes, ends } = &batch.columns[0].data else {
        panic!("a text column holds text")
    };
    (0..ends.len()).map(move |row| {
        let start = if row == 0 { 0 } else { ends[row - 1] };
        &bytes[start..ends[row]]
    })
}
