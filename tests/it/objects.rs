//! Kernel objects of whole synthetic systems: handles, named objects, types, VADs, sessions, page
//! files.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use dumpql::internals::catalog::Absent;
use dumpql::internals::dump::Image;
use dumpql::internals::model::{
    Dpc, Emit, Handle, KernelObject, ObjectType, PageFile, Process, ReadyThread, SessionSpace,
    Source, Timer, Unanswered, Vad, WaitObject, Want, WorkItem, WorkQueue,
};
use dumpql::internals::session::{find_query, parameters};
use dumpql::internals::source;
use dumpql::internals::symbol::{Search, Store};
use dumpql::internals::synth::{self, Format, System, SystemHandle, SystemSpec, Windows};
use dumpql::{Options, Session};

pub(crate) use crate::systems::ALL;

/// Rows of a table, through the source.
pub(crate) fn rows<R>(scan: impl FnOnce(Emit<'_, R>) -> Result<(), Unanswered>) -> Vec<R> {
    let mut rows = Vec::new();
    scan(&mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    })
    .expect("the dump answers");
    rows
}

pub(crate) fn open(system: &System, format: Format) -> Box<dyn Source> {
    open_with(system, format, &Store::default())
}

/// The names of a system's variables, as a file of symbols gives them; structures come from the
/// built-in layouts.
pub(crate) fn symbols(system: &System) -> Store {
    let (pdb, guid, age) = system.pdb();
    let machine = if system.kernel.0 >> 32 == 0 { 0x14c } else { 0x8664 };
    let address = |at: &u64| serde_json::json!({ "address": at - system.kernel.0 });
    let names = system.symbols.iter().map(|(name, at)| (name.clone(), address(at)));
    let names: serde_json::Map<String, serde_json::Value> = names.collect();
    let id =
        serde_json::json!({ "GUID": guid, "age": age, "database": pdb, "machine_type": machine });
    let file = serde_json::json!({
        "metadata": { "windows": { "pdb": id } },
        "symbols": names,
        "user_types": { "_NOTHING": { "size": 4, "fields": {} } },
    });
    let folder = std::env::temp_dir().join(format!("dumpql-names-{}-{guid}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{guid}-{age}.json"));
    std::fs::write(&path, file.to_string()).unwrap();
    let store = Store::new(&Search { paths: vec![folder.clone()], ..Search::default() }).unwrap();
    // The store reads a file when it is first asked.
    let source = open_with(system, Format::BitmapFull, &store);
    assert!(source.memory().address_of("nt!KiProcessorBlock").is_ok(), "the names are believed");
    std::fs::remove_dir_all(&folder).unwrap();
    store
}

pub(crate) fn open_with(system: &System, format: Format, store: &Store) -> Box<dyn Source> {
    let image = Image::from_bytes("it", system.to_vec(format));
    source::open(image, store).expect("it is a kernel dump")
}

pub(crate) fn signed(number: u64) -> Option<i64> {
    i64::try_from(number).ok()
}

/// Every system of every version as it is built, with a source over its dump.
pub(crate) fn each_system(mut check: impl FnMut(&str, &System, &dyn Source)) {
    for windows in ALL {
        let system = synth::system(&synth::healthy(windows));
        check(&format!("{windows:?}"), &system, &*open(&system, Format::BitmapFull));
    }
    let system = synth::system(&synth::server_2003());
    check("the server", &system, &*open(&system, Format::KernelSummary));
}

/// The target of a handle: its type, and its name as tools display it.
fn expected(system: &System, handle: &SystemHandle) -> (String, Option<String>) {
    let facts = &system.facts;
    let id = |kind: &str| handle.object.strip_prefix(kind).and_then(|id| id.parse::<u64>().ok());
    let short = |name: &str| name.chars().take(15).collect::<String>();
    if let Some(pid) = id("Process ") {
        let process = facts.processes.iter().find(|process| process.pid == pid).unwrap();
        return ("Process".to_owned(), Some(format!("{} ({pid})", short(&process.name))));
    }
    if let Some(tid) = id("Thread ") {
        let has = |process: &&synth::SystemProcess| process.threads.iter().any(|t| t.tid == tid);
        let process = facts.processes.iter().find(has).unwrap();
        let name = format!("{} ({}.{tid})", short(&process.name), process.pid);
        return ("Thread".to_owned(), Some(name));
    }
    let object = facts.objects.iter().find(|object| object.path == handle.object).unwrap();
    let volume = r"\Device\HarddiskVolume1";
    let named = object.path.starts_with('\\');
    let name = match object.kind.as_str() {
        "File" => Some(format!("{volume}{}", object.file)),
        "Key" => Some(object.file.clone()),
        "Section" if !named => {
            let file = facts.objects.iter().find(|file| file.path == object.file).unwrap();
            Some(format!("{volume}{}", file.file))
        }
        _ => named.then(|| object.path.clone()),
    };
    (object.kind.clone(), name)
}

#[test]
fn handles_match_the_system() {
    each_system(|what, system, source| {
        let found: Vec<_> = rows(|emit| source.answers().read::<Handle>(&Want::ALL, emit))
            .into_iter()
            .map(|h| {
                let kind = (h.object_type.ok(), h.name.ok());
                (h.pid.ok(), h.handle.ok(), h.object.ok(), h.granted_access.ok(), kind)
            })
            .collect();
        let open = |process: &&synth::SystemProcess| process.exit_time == 0;
        let mut facts = Vec::new();
        for process in system.facts.processes.iter().skip(1).filter(open) {
            let mut handles: Vec<_> = process.handles.iter().collect();
            handles.sort_by_key(|handle| handle.value);
            for handle in handles {
                let (kind, name) = expected(system, handle);
                let object = (Some(handle.value), Some(handle.address));
                let access = signed(handle.access);
                facts.push((signed(process.pid), object.0, object.1, access, (Some(kind), name)));
            }
        }
        assert!(facts.len() > 20, "{what}");
        assert_eq!(found, facts, "{what}");
    });
}

#[test]
fn handles_are_counted_by_process_by_object_and_by_type() {
    each_system(|what, system, source| {
        let handles = rows(|emit| source.answers().read::<Handle>(&Want::ALL, emit));
        let mut objects: BTreeMap<u64, i64> = BTreeMap::new();
        let mut types: BTreeMap<String, i64> = BTreeMap::new();
        for handle in &handles {
            *objects.entry(handle.object.unwrap()).or_default() += 1;
            *types.entry(handle.object_type.clone().unwrap()).or_default() += 1;
        }
        for handle in &handles {
            let count = objects.get(&handle.object.unwrap()).copied();
            assert_eq!(handle.handle_count.ok(), count, "{what}: {handle:?}");
            assert_eq!(handle.pointer_count.ok(), count.map(|n| n + 1), "{what}: {handle:?}");
        }
        let found = rows(|emit| source.answers().read::<ObjectType>(&Want::ALL, emit));
        assert_eq!(found.len(), 22, "{what}");
        for kind in &found {
            let name = kind.name.clone().unwrap();
            assert_eq!(kind.handle_count, Ok(types.remove(&name).unwrap_or(0)), "{what}: {name}");
        }
        assert!(types.is_empty(), "{what}: {types:?}");
        let file = found.iter().find(|kind| kind.name.as_deref() == Ok("File")).unwrap();
        assert_eq!(file.pool_tag.as_deref(), Ok("File"), "{what}");
        let counts: Vec<_> = rows(|emit| source.answers().read::<Process>(&Want::ALL, emit))
            .into_iter()
            .filter(|process| process.pid != Ok(0))
            .map(|process| (process.pid.ok(), process.handle_count.ok()))
            .collect();
        let count = |p: &synth::SystemProcess| signed(p.handles.len() as u64);
        let of = |p: &synth::SystemProcess| count(p).filter(|_| p.exit_time == 0);
        let facts = system.facts.processes.iter().skip(1);
        assert_eq!(counts, facts.map(|p| (signed(p.pid), of(p))).collect::<Vec<_>>(), "{what}");
    });
}

#[test]
fn named_objects_have_their_directories() {
    each_system(|what, system, source| {
        let found = rows(|emit| source.answers().read::<KernelObject>(&Want::ALL, emit));
        let by_path: BTreeMap<_, _> =
            found.iter().map(|object| (object.path.as_deref().unwrap(), object)).collect();
        assert_eq!(by_path.len(), found.len(), "{what}: no path twice");
        let root = by_path.get("\\").unwrap();
        assert_eq!(
            (root.kind.as_deref(), root.directory),
            (Ok("Directory"), Err(Absent::NotApplicable))
        );
        let named = system.facts.objects.iter().filter(|object| object.path.starts_with('\\'));
        for fact in named {
            let object = by_path.get(fact.path.as_str());
            let object = object.unwrap_or_else(|| panic!("{what}: no {}", fact.path));
            assert_eq!(object.object, Ok(fact.address), "{what}: {}", fact.path);
            assert_eq!(object.kind.as_deref(), Ok(fact.kind.as_str()), "{what}: {}", fact.path);
            let (above, name) = fact.path.rsplit_once('\\').unwrap();
            assert_eq!(object.name.as_deref(), Ok(name), "{what}");
            assert_eq!(object.directory, by_path.get(above).unwrap().object, "{what}: {name}");
        }
        let link = by_path.get(r"\GLOBAL??\C:").unwrap();
        assert_eq!(link.link_target.as_deref(), Ok(r"\Device\HarddiskVolume1"), "{what}");
        // Types are objects, too.
        let types = found.iter().filter(|object| object.kind.as_deref() == Ok("Type"));
        assert_eq!(types.count(), 22, "{what}");
    });
}

/// Handles beyond the first page, and beyond the first page of pages.
#[test]
fn handle_tables_of_every_depth() {
    let of = |windows, each: u64, count: u64| {
        let mut spec = synth::healthy(windows);
        let handle = |value| SystemHandle {
            value,
            object: r"\BaseNamedObjects\WorkReady".to_owned(),
            access: 3,
            address: 0,
        };
        // No handle is the first of its page.
        let values = (1..count).map(|i| 4 * i * (each - 1)).filter(|value| value % (4 * each) != 0);
        spec.processes[5].handles = values.map(handle).collect();
        spec
    };
    for (windows, each, count) in [
        (Windows::Server2003Pae, 512, 5),
        (Windows::Windows7, 256, 9),
        (Windows::Windows10, 256, 600),
    ] {
        let system = synth::system(&of(windows, each, count));
        let source = open(&system, Format::BitmapFull);
        let process = &system.facts.processes[5];
        let facts: Vec<u64> = process.handles.iter().map(|handle| handle.value).collect();
        let mut found = rows(|emit| {
            source.answers().read::<Handle>(&Want::<Handle>::only(|c| [c.pid, c.handle]), emit)
        });
        found.retain(|handle| handle.pid.ok() == signed(process.pid));
        let found: Vec<u64> = found.iter().map(|handle| handle.handle.unwrap()).collect();
        assert_eq!(found, facts, "{windows:?}");
    }
}

#[test]
fn a_damaged_handle_table_ends() {
    for windows in ALL {
        let mut system = synth::system(&synth::healthy(windows));
        system.damage(synth::Damage::HandleTables);
        let source = open(&system, Format::BitmapFull);
        assert_eq!(
            rows(|emit| source.answers().read::<Handle>(&Want::ALL, emit)),
            Vec::new(),
            "{windows:?}"
        );
        let counts = rows(|emit| source.answers().read::<Process>(&Want::ALL, emit));
        assert!(counts.len() > 10);
    }
}

#[test]
fn vads_match_the_address_space() {
    each_system(|what, system, source| {
        let found: Vec<_> = rows(|emit| source.answers().read::<Vad>(&Want::ALL, emit))
            .into_iter()
            .map(|v| {
                let kind = (v.kind.ok(), v.protection.ok(), v.is_private.ok(), v.file.ok());
                (v.pid.ok(), v.start.ok(), v.end.ok(), v.commit_pages.ok(), kind)
            })
            .collect();
        let objects = &system.facts.objects;
        let mut facts = Vec::new();
        for process in system.facts.processes.iter().skip(1) {
            for vad in &process.vads {
                let kind = match (vad.kind, vad.is_private) {
                    (2, _) => "Image",
                    (0, true) => "Private",
                    other => panic!("{other:?}"),
                };
                let names = ["PAGE_READWRITE", "PAGE_EXECUTE_WRITECOPY"];
                let protection = if vad.protection == 4 { names[0] } else { names[1] };
                let file = objects.iter().find(|object| object.path == vad.file);
                let file = file.map(|file| format!(r"\Device\HarddiskVolume1{}", file.file));
                let kind = (
                    Some(kind.to_owned()),
                    Some(protection.to_owned()),
                    Some(vad.is_private),
                    file,
                );
                let range = (Some(vad.start), Some(vad.end));
                facts.push((signed(process.pid), range.0, range.1, signed(vad.commit), kind));
            }
        }
        assert!(facts.len() > 50, "{what}");
        assert_eq!(found, facts, "{what}");
    });
}

#[test]
fn vads_give_the_shape_of_their_tree() {
    each_system(|what, system, source| {
        let vads = rows(|emit| source.answers().read::<Vad>(&Want::ALL, emit));
        let by_address: BTreeMap<_, _> = vads.iter().map(|v| (v.vad.unwrap(), v)).collect();
        for vad in &vads {
            let level = vad.level.unwrap();
            match vad.parent {
                Ok(parent) => assert_eq!(by_address[&parent].level, Ok(level - 1), "{what}"),
                Err(absent) => assert_eq!((absent, level), (Absent::NotApplicable, 0), "{what}"),
            }
        }
        let roots = rows(|emit| source.answers().read::<Process>(&Want::ALL, emit));
        let roots: Vec<_> = roots.iter().filter_map(|process| process.vad_root.ok()).collect();
        let tops = vads.iter().filter(|vad| vad.level == Ok(0)).map(|vad| vad.vad.unwrap());
        assert_eq!(roots, tops.collect::<Vec<_>>(), "{what}");
        assert!(system.facts.processes.len() > roots.len(), "{what}");
    });
}

#[test]
fn sessions_match_their_processes() {
    each_system(|what, system, source| {
        let found: Vec<_> = rows(|emit| source.answers().read::<SessionSpace>(&Want::ALL, emit))
            .into_iter()
            .map(|s| {
                (
                    s.session.ok(),
                    s.address.ok(),
                    s.process_count.ok(),
                    s.paged_pool_bytes.ok(),
                    s.commit_bytes.ok(),
                )
            })
            .collect();
        let mut facts = Vec::new();
        for session in &system.facts.sessions {
            let is_in = |p: &&synth::SystemProcess| p.session == Some(session.id);
            let count = system.facts.processes.iter().filter(is_in).count();
            if count > 0 {
                let bytes = (signed(session.paged_bytes), signed(session.commit * 0x1000));
                let id = (Some(i64::from(session.id)), Some(session.address));
                facts.push((id.0, id.1, signed(count as u64), bytes.0, bytes.1));
            }
        }
        facts.sort_unstable();
        assert!(facts.len() > 1, "{what}");
        assert_eq!(found, facts, "{what}");
    });
}

#[test]
fn sessions_count_failures() {
    let system = synth::system(&synth::server_2003());
    let source = open(&system, Format::KernelSummary);
    let rows = rows(|emit| source.answers().read::<SessionSpace>(&Want::ALL, emit));
    for row in rows {
        let fact = system.facts.sessions.iter().find(|s| Some(s.address) == row.address.ok());
        let fact = fact.unwrap();
        assert_eq!(row.pool_failures.ok(), signed(fact.failures));
        assert_eq!(row.view_failures.ok(), signed(fact.failures / 2));
        assert_eq!(row.paged_pool_limit_bytes, Ok(0x0200_0000));
    }
}

#[test]
fn page_files_match_the_system() {
    for windows in ALL {
        let system = synth::system(&synth::healthy(windows));
        let source = open_with(&system, Format::BitmapFull, &symbols(&system));
        let found: Vec<_> = rows(|emit| source.answers().read::<PageFile>(&Want::ALL, emit))
            .into_iter()
            .map(|f| {
                (
                    f.path.ok(),
                    f.current_bytes.ok(),
                    f.free_bytes.ok(),
                    f.minimum_bytes.ok(),
                    f.maximum_bytes.ok(),
                )
            })
            .collect();
        let facts: Vec<_> = system
            .facts
            .page_files
            .iter()
            .map(|file| {
                let (current, free, minimum, maximum) = file.pages;
                let [a, b, c, d] = [current, free, minimum, maximum].map(|n| signed(n * 0x1000));
                (Some(file.path.clone()), a, b, c, d)
            })
            .collect();
        assert_eq!(found, facts, "{windows:?}");
    }
}

#[test]
fn objects_of_a_triage_dump_are_not_answered() {
    let image = Image::from_bytes("it", synth::triage_sample());
    let source = source::open(image, &Store::default()).unwrap();
    let why = source
        .answers()
        .read::<KernelObject>(&Want::ALL, &mut |_| ControlFlow::Continue(()))
        .unwrap_err();
    assert_eq!(why.because.as_deref(), Some("a triage dump holds only pieces of memory"));
}

/// The shipped queries over these tables, on a system whose content is known.
#[test]
fn shipped_queries_show_open_objects() {
    let system = synth::system(&synth::healthy(Windows::Windows10));
    let image = Image::from_bytes("it", system.to_vec(Format::BitmapFull));
    let session = Session::from_images(vec![image], &Options::default()).unwrap();
    let ask = |name: &str, given: &[(&str, &str)]| {
        let query = find_query(name).unwrap();
        let given = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let params = parameters(query, &given).unwrap();
        let result = session.query_with(&query.text, &params);
        let result = result.unwrap_or_else(|error| panic!("{name}: {error}"));
        let line = |row| {
            let cells = (0..result.fields().len()).map(|column| result.text(row, column));
            cells.collect::<Vec<_>>().join("|")
        };
        (0..result.len()).map(line).collect::<Vec<_>>()
    };
    let file = r"\Device\HarddiskVolume1\WINDOWS\system32\LogFiles\trace.log";
    let files = ask("open-files", &[]);
    assert_eq!(files[0], format!("csrss.exe|364|{file}|1"));
    assert_eq!(ask("handles-to", &[("part", "workready")]).len(), files.len());
    let directories = ask("objects-by-directory", &[]);
    assert!(
        directories.contains(&r"\BaseNamedObjects|Semaphore|1|1".to_owned()),
        "{directories:?}"
    );
    assert!(directories.contains(&r"\ObjectTypes|Type|22|0".to_owned()), "{directories:?}");
    let ranges = ask("address-space", &[]);
    assert!(
        ranges.contains(&"csrss.exe|364|Private|PAGE_READWRITE|5|2125824|70".to_owned()),
        "{ranges:?}"
    );
    let calls = ask("dpc-queues", &[]);
    assert_eq!(calls[0], "1|Normal|hal|hal+0x1230|1");
    assert_eq!(calls.len(), 3);
    assert_eq!(ask("sessions", &[])[1].split('|').next(), Some("1"));
    let timers = ask("timers-by-module", &[]);
    let counts: Vec<_> = timers.iter().map(|line| line.split('|').nth(1).unwrap()).collect();
    assert_eq!(counts, ["4", "2"], "two have no call: {timers:?}");
    assert!(!timers[0].starts_with('|'), "{timers:?}");
}

/// Numbers that follow each other without a pattern.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.next() % all.len() as u64).unwrap()]
    }
}

/// Reads everything that is queued, open, mapped or named; returns the number of rows.
fn ask_all(source: &dyn Source) -> usize {
    let mut count = 0;
    macro_rules! ask {
        ($($row:ident)*) => {
            $(let _ = source.answers().read::<$row>(&Want::ALL, &mut |_| {
                count += 1;
                ControlFlow::Continue(())
            });)*
        };
    }
    ask!(Handle KernelObject ObjectType Vad SessionSpace PageFile Dpc Timer WorkQueue WorkItem);
    ask!(ReadyThread WaitObject Process);
    count
}

/// Where the objects of a system are.
fn places(source: &dyn Source) -> Vec<u64> {
    let objects = rows(|emit| source.answers().read::<KernelObject>(&Want::ALL, emit));
    let mut places: Vec<u64> = Vec::new();
    places.extend(
        rows(|emit| source.answers().read::<Handle>(&Want::ALL, emit))
            .iter()
            .flat_map(|row| row.object),
    );
    places.extend(objects.iter().flat_map(|row| row.object_header));
    places.extend(objects.iter().flat_map(|row| row.object));
    places.extend(
        rows(|emit| source.answers().read::<Vad>(&Want::ALL, emit)).iter().flat_map(|row| row.vad),
    );
    places.extend(
        rows(|emit| source.answers().read::<Timer>(&Want::ALL, emit))
            .iter()
            .flat_map(|row| row.timer),
    );
    places.extend(
        rows(|emit| source.answers().read::<Dpc>(&Want::ALL, emit)).iter().flat_map(|row| row.dpc),
    );
    places.extend(
        rows(|emit| source.answers().read::<WorkQueue>(&Want::ALL, emit))
            .iter()
            .flat_map(|row| row.queue),
    );
    let processes = rows(|emit| source.answers().read::<Process>(&Want::ALL, emit));
    places.extend(processes.iter().flat_map(|row| row.object_table));
    places
}

/// Pointers in objects, lists and trees are set to each other and to extreme values: every query
/// ends, and no list grows.
#[test]
fn edited_objects_do_no_harm() {
    for windows in [Windows::Server2003Pae, Windows::Windows81, Windows::Windows11] {
        let spec = synth::SystemSpec { physical_pages: 0x2000, ..synth::healthy(windows) };
        let system = synth::system(&spec);
        let store = symbols(&system);
        let source = open_with(&system, Format::Full, &store);
        let clean = ask_all(&*source);
        let places = places(&*source);
        let step = if system.kernel.0 >> 32 == 0 { 4 } else { 8 };
        let mut random = Random(88_172_645_463_325_252);
        for round in 0..12 {
            let mut edited = spec.clone();
            for _ in 0..150 {
                let address = random.of(&places) + random.next() % 24 * step;
                let extremes = [0, 1, 3, 0xffff_ffff, u64::MAX, 1 << 32, 0x8000_0000_0000_0000];
                let other = random.of(&places);
                let value =
                    if random.next().is_multiple_of(3) { random.of(&extremes) } else { other };
                let bytes = value.to_le_bytes()[..usize::try_from(step).unwrap()].to_vec();
                edited.blocks.push(synth::Block { address, bytes });
            }
            let source = open_with(&synth::system(&edited), Format::Full, &store);
            let _watched = crate::watchdog::watch(format!("{windows:?} {round}"));
            let count = ask_all(&*source);
            assert!(count < 4 * clean, "{windows:?} {round}: {count} rows of {clean}");
        }
    }
}

#[test]
fn memory_regions_match_the_vads() {
    for windows in ALL {
        let system =
            synth::system(&SystemSpec { physical_pages: 0x2000, ..synth::healthy(windows) });
        let image = Image::from_bytes("made.dmp", system.to_vec(Format::Full));
        let session = Session::from_images(vec![image], &Options::default()).unwrap();
        let ask = |sql: &str| session.query(sql).unwrap().text(0, 0);
        let vads: usize = system.facts.processes.iter().map(|process| process.vads.len()).sum();
        assert_eq!(ask("SELECT count(*) FROM memory_regions"), vads.to_string(), "{windows:?}");
        let sql = "SELECT count(*) FROM memory_regions AS r JOIN vads AS v USING (eprocess, start) \
                   WHERE r.size_bytes = v.size_bytes AND r.type = lower(v.type) \
                   AND coalesce(r.file, '') = coalesce(v.file, '')";
        assert_eq!(ask(sql), vads.to_string(), "{windows:?}");
        let sql =
            "SELECT count(*) FROM memory_regions WHERE state = 'reserve' AND commit_pages > 0";
        assert_eq!(ask(sql), "0", "{windows:?}");
    }
}
