//! A row type, a table and a source of a host program, made with the public interface only.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use dumpql::extend::ColumnId;
use dumpql::internals::catalog::{Absent, Catalog, Data, Hint, HintOp, SourceKind, Value};
use dumpql::internals::model::{
    Answers, Emit, Fill, Flow, Machine, Module, Row, Source, Unanswered, Want,
};
use dumpql::internals::table::{
    self, Column, Cx, Get, NamedSource, Progress, Scan, ScanError, ScanRequest, Table, TableDef,
    text,
};
use dumpql::{Code, Options, Session};

dumpql::row! {
    /// A service of the system.
    pub Service in "services" {
        /// Its name.
        name: String,
        /// The process that it runs in.
        pid: i64,
        /// Its type.
        kind as "type": String,
        /// How long it took to start.
        start_us: i64,
    }
}

static SERVICES: TableDef<Service> = TableDef::new("One row for each service.", COLUMNS);

const COLUMNS: &[Column<Service>] = &[
    Column::new(|c| c.name, "Its name.", Get::Text(|r| text(&r.name))),
    Column::new(|c| c.pid, "Process id.", Get::Int(|r| r.pid)),
    Column::new(|c| c.kind, "Its type.", Get::Text(|r| text(&r.kind))),
    Column::derived(
        "start_ms",
        "How long it took to start.",
        |c| vec![c.start_us],
        Get::Int(|r| r.start_us.map(|us| us / 1000)),
    ),
];

/// The data of the host program.
#[derive(Debug, Default)]
struct Facts {
    /// What the last scan requested.
    wanted: Mutex<(Vec<&'static str>, Option<Vec<String>>)>,
}

const NAMES: [&str; 4] = ["Dhcp", "Dnscache", "EventLog", "Spooler"];

impl Facts {
    #[allow(clippy::unnecessary_wraps, reason = "the signature of a table reader")]
    fn services(
        &self,
        want: &Want<'_, Service>,
        emit: Emit<'_, Service>,
    ) -> Result<(), Unanswered> {
        let c = Service::COLUMNS;
        let wanted = [c.name, c.pid, c.kind, c.start_us].into_iter().filter(|c| want.has(|_| *c));
        let texts = want.texts(|c| c.name).map(|t| t.into_iter().map(str::to_owned).collect());
        *self.wanted.lock().unwrap() = (wanted.map(ColumnId::name).collect(), texts);
        let fill: Fill<'_, Service> = &|part, push| {
            push(Service {
                name: Ok(NAMES[part].to_owned()),
                pid: i64::try_from(part).map(|n| 4 * n).map_err(|_| Absent::Unreadable),
                start_us: if part == 2 { Err(Absent::PagedOut) } else { Ok(2500) },
                ..Service::default()
            });
        };
        let _ = emit.parts(NAMES.len(), fill);
        Ok(())
    }

    #[allow(clippy::unused_self, reason = "a provider takes the source")]
    fn modules(&self, _: &Want<'_, Module>, _: Emit<'_, Module>) -> Result<(), Unanswered> {
        Err(Unanswered::because("the host program has not asked for modules yet"))
    }
}

struct Host {
    facts: Arc<Facts>,
    answers: Answers,
}

impl Host {
    fn new() -> Self {
        let facts = Arc::new(Facts::default());
        let answers = Answers::of(&facts).with(Facts::services).with(Facts::modules).build();
        Self { facts, answers }
    }
}

impl Source for Host {
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

fn scan(
    table: &dyn Table,
    host: &Host,
    columns: &[usize],
    hints: &[Hint],
    limit: Option<usize>,
) -> Result<Scan, ScanError> {
    let cx = Cx {
        catalog: &Catalog::default(),
        sources: &[NamedSource { name: "host", source: host }],
        cancelled: &AtomicBool::new(false),
        progress: &Progress::default(),
        room: usize::MAX,
    };
    table.scan(&cx, &ScanRequest { columns, hints, limit })
}

fn texts(data: &Data) -> Vec<&str> {
    let Data::Text { bytes, ends } = data else { panic!("{data:?}") };
    let starts = std::iter::once(&0).chain(ends);
    starts.zip(ends).map(|(from, to)| &bytes[*from..*to]).collect()
}

#[test]
fn a_table_has_the_columns_of_its_definition() {
    let spec = SERVICES.spec(true);
    let columns: Vec<_> = spec.columns.iter().map(|c| (c.name, c.hidden)).collect();
    let own = ["dump", "name", "pid", "type", "start_ms"];
    assert_eq!((spec.name, columns), ("services", own.map(|name| (name, false)).to_vec()));
}

#[test]
fn a_source_receives_columns_and_hints() {
    let host = Host::new();
    let names = HintOp::In(vec![Value::text("Dhcp".to_owned())]);
    let hint = |column, op| Hint { column, op };
    let hints = [hint(1, names.clone()), hint(4, HintOp::In(vec![Value::Int(2)]))];
    let found = scan(&SERVICES, &host, &[1, 4], &hints, None).unwrap();
    assert_eq!(texts(&found.batch.columns[0].data), NAMES);
    assert_eq!(found.batch.columns[1].data, Data::Int(vec![2, 2, 0, 2]));
    assert_eq!(found.batch.columns[1].absent(2), Some(Absent::PagedOut));
    let wanted = host.facts.wanted.lock().unwrap().clone();
    assert_eq!(wanted, (vec!["name", "start_us"], Some(vec!["Dhcp".to_owned()])));
}

#[test]
fn a_limit_gives_the_first_rows() {
    let found = scan(&SERVICES, &Host::new(), &[1, 2], &[], Some(2)).unwrap();
    assert_eq!(found.batch.rows, 2);
    assert_eq!(found.batch.columns[1].data, Data::Int(vec![0, 4]));
}

#[test]
fn a_source_answers_shipped_tables_by_their_row_type_too() {
    let host = Host::new();
    let table = |name| *table::ALL.iter().find(|table| table.name() == name).unwrap();
    let why = scan(table("modules"), &host, &[], &[], None).unwrap_err();
    let because = Unanswered::because("the host program has not asked for modules yet");
    assert_eq!(why, ScanError::NoSource(vec![(0, because)]));
    let why = scan(table("threads"), &host, &[], &[], None).unwrap_err();
    assert_eq!(why, ScanError::NoSource(vec![(0, Unanswered::KIND)]));
}

#[test]
fn a_provider_is_read_without_a_table() {
    let host = Host::new();
    let mut rows: Vec<Service> = Vec::new();
    let mut take = |row| {
        rows.push(row);
        if rows.len() < 3 { Flow::Continue(()) } else { Flow::Break(()) }
    };
    host.answers().read(&Want::<Service>::only(|c| [c.name]), &mut take).unwrap();
    assert_eq!(
        rows.iter().map(|row| text(&row.name)).collect::<Vec<_>>(),
        [Ok("Dhcp"), Ok("Dnscache"), Ok("EventLog")]
    );
    let first = host.answers().first::<Service>(&Want::ALL).unwrap();
    assert_eq!(first.map(|row| row.name), Some(Ok("Dhcp".to_owned())));
    assert!(host.answers().get::<Module>().is_some());
}

#[test]
fn a_session_runs_queries_over_the_tables_and_sources_of_a_host_program() {
    let session = Session::from_images(Vec::new(), &Options::default()).unwrap();
    session.add_table(TableDef::new("One row for each service.", COLUMNS)).unwrap();
    let host = Host::new();
    let facts = Arc::clone(&host.facts);
    session.add_source("host", host).unwrap();
    let sql = "SELECT name, start_ms, why(start_ms) FROM services WHERE name = 'EventLog'";
    let result = session.query(sql).unwrap();
    let row: Vec<_> = (0..3).map(|column| result.text(0, column)).collect();
    assert_eq!((result.len(), row[0].as_str(), row[2].as_str()), (1, "EventLog", "paged out"));
    let wanted = facts.wanted.lock().unwrap().clone();
    assert_eq!(wanted, (vec!["name", "start_us"], Some(vec!["EventLog".to_owned()])));
    let error = session.query("SELECT tid FROM threads").unwrap_err();
    assert_eq!(error.code(), Code::NoSource);
}

/// All row types that `row!` declares are public.
#[test]
fn every_row_of_the_model_is_exported() {
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = std::fs::read_to_string(src.join("lib.rs")).unwrap();
    let (_, rows) = lib.split_once("pub mod rows {").unwrap();
    let rows = rows.split_once("};").unwrap().0;
    let exported: Vec<&str> = rows.split(|c: char| !c.is_alphanumeric()).collect();
    let mut count = 0;
    for file in std::fs::read_dir(src.join("model")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let declared = text.lines().filter_map(|line| {
            let (name, _) = line.strip_prefix("    pub ")?.split_once(" in \"")?;
            Some(name)
        });
        for name in declared {
            count += 1;
            assert!(exported.contains(&name), "dumpql::extend::rows has no {name}");
        }
    }
    assert!(count > 50, "{count} rows");
}
