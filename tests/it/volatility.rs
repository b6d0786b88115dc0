//! Whole systems under Volatility 3, which reads the same dumps by its own means: what it lists is
//! what dumpql lists, row by row.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use dumpql::internals::synth::{self, Format, KernelFile, System, SystemSpec, Windows};
use dumpql::{Options, Session};
use serde_json::Value;

use crate::{containers, corpus};

const PLUGINS: [&str; 20] = [
    "windows.info",
    "windows.pslist",
    "windows.threads",
    "windows.modules",
    "windows.unloadedmodules",
    "windows.handles",
    "windows.vadinfo",
    "windows.sessions",
    "windows.crashinfo",
    "windows.timers",
    "windows.driverscan",
    "windows.driverirp",
    "windows.devicetree",
    "windows.ssdt",
    "windows.callbacks",
    "windows.bigpools",
    "windows.psscan",
    "windows.poolscanner",
    "windows.cmdline",
    "windows.envars",
];

/// A folder of our own, gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dumpql-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("isf/windows/ntkrnlmp.pdb")).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The interpreter that has Volatility, if there is one.
fn python() -> Option<String> {
    let python = std::env::var("DUMPQL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python).args(["-c", "import volatility3"]).output();
    if found.is_ok_and(|out| out.status.success()) {
        return Some(python);
    }
    eprintln!("SKIPPED: no Volatility 3 for {python} (set DUMPQL_PYTHON)");
    None
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/volatility.py")
}

/// What Volatility says of a dump.
fn judge(python: &str, isf: &Path, dump: &Path) -> Value {
    let mut command = Command::new(python);
    command.arg(script()).arg("run").arg(isf).arg(dump).args(PLUGINS);
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

pub(super) fn unpack(path: &Path) -> String {
    let mut text = String::new();
    let file = File::open(path).unwrap();
    liblzma::read::XzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

fn write(system: &System, format: Format, path: &Path) {
    system.write(format, &mut BufWriter::new(File::create(path).unwrap())).unwrap();
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(u64::MAX)
}

/// The lower 48 bits, which is what Volatility shows of a 64-bit address.
const fn short(address: u64) -> u64 {
    address & 0xffff_ffff_ffff
}

/// Columns of a plugin's rows, as text.
fn listed(said: &Value, plugin: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let rows = said[plugin].as_array().unwrap_or_else(|| panic!("{plugin} has failed"));
    let cell = |row: &Value, column: &&str| match &row[*column] {
        Value::Number(number) => {
            number.as_u64().map_or(number.to_string(), |n| short(n).to_string())
        }
        Value::String(text) => text.clone(),
        _ => String::new(),
    };
    rows.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect()).collect()
}

fn same(what: &str, theirs: Vec<Vec<String>>, ours: Vec<Vec<String>>) {
    let theirs: BTreeSet<_> = theirs.into_iter().collect();
    let ours: BTreeSet<_> = ours.into_iter().collect();
    let only = |a: &BTreeSet<Vec<String>>, b: &BTreeSet<Vec<String>>| {
        a.difference(b).take(5).cloned().collect::<Vec<_>>()
    };
    assert!(!theirs.is_empty(), "{what}: nothing is listed");
    assert!(
        theirs == ours,
        "{what}: Volatility alone has {:?}, the facts alone have {:?}",
        only(&theirs, &ours),
        only(&ours, &theirs)
    );
}

/// Holds what Volatility lists against what the system was built from.
fn compare_with_facts(name: &str, said: &Value, system: &System) {
    let facts = &system.facts;
    // Idle is on no list.
    let processes = || facts.processes.iter().skip(1);
    let text = |number: u64| number.to_string();
    let ours = processes().map(|p| {
        let name = p.name.chars().take(14).collect();
        let threads = if p.exit_time == 0 { p.threads.len() as u64 } else { 0 };
        vec![text(p.pid), text(p.ppid), name, text(short(p.eprocess)), text(threads)]
    });
    let columns = ["PID", "PPID", "ImageFileName", "Offset(V)", "Threads"];
    same(&format!("{name} pslist"), listed(said, "windows.pslist", &columns), ours.collect());
    let ours = processes().flat_map(|p| {
        p.threads.iter().map(move |t| {
            let started = if t.start.0 == 0 { 0 } else { t.start.0 };
            vec![text(p.pid), text(t.tid), text(short(t.ethread)), text(short(started))]
        })
    });
    let columns = ["PID", "TID", "Offset", "StartAddress"];
    same(&format!("{name} threads"), listed(said, "windows.threads", &columns), ours.collect());
    let ours = facts.drivers.iter().enumerate().map(|(i, driver)| {
        let (base, size) = if i == 0 { system.kernel } else { (driver.base, driver.size) };
        vec![text(short(base)), text(size.into()), driver.path.clone()]
    });
    let columns = ["Base", "Size", "Path"];
    same(&format!("{name} modules"), listed(said, "windows.modules", &columns), ours.collect());
    let ours = facts.unloaded.iter().map(|driver| {
        vec![driver.name.clone(), text(short(driver.start)), text(short(driver.end))]
    });
    let columns = ["Name", "StartAddress", "EndAddress"];
    let theirs = listed(said, "windows.unloadedmodules", &columns);
    same(&format!("{name} unloadedmodules"), theirs, ours.collect());
    let ours = processes().filter(|p| p.exit_time == 0).flat_map(|p| {
        let row = move |h: &synth::SystemHandle| {
            vec![text(p.pid), text(h.value), text(short(h.address)), text(h.access)]
        };
        p.handles.iter().map(row)
    });
    let columns = ["PID", "HandleValue", "Offset", "GrantedAccess"];
    same(&format!("{name} handles"), listed(said, "windows.handles", &columns), ours.collect());
    let ours = processes().flat_map(|p| {
        let row = move |v: &synth::Vad| {
            vec![
                text(p.pid),
                text(v.start),
                text(v.end - 1),
                text(v.commit),
                text(v.is_private.into()),
                if v.protection == 4 { "PAGE_READWRITE" } else { "PAGE_EXECUTE_WRITECOPY" }
                    .to_owned(),
            ]
        };
        p.vads.iter().map(row)
    });
    let columns = ["PID", "Start VPN", "End VPN", "CommitCharge", "PrivateMemory", "Protection"];
    same(&format!("{name} vadinfo"), listed(said, "windows.vadinfo", &columns), ours.collect());
    let ours = processes().map(|p| {
        let session = p.session.map(|session| text(session.into())).unwrap_or_default();
        vec![session, text(p.pid)]
    });
    let columns = ["Session ID", "Process ID"];
    same(&format!("{name} sessions"), listed(said, "windows.sessions", &columns), ours.collect());
    compare_drivers(name, said, system);
    compare_routines(name, said, system);
    let crash = &said["windows.crashinfo"][0];
    assert_eq!(number(&crash["NumberProcessors"]), facts.processors.len() as u64, "{name}");
    assert_eq!(number(&crash["DirectoryTableBase"]), system.dtb, "{name}");
}

/// Rows of a query as text; addresses as Volatility shows them.
fn asked(session: &Session, sql: &str) -> Vec<Vec<String>> {
    let result = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let cell = |value: dumpql::Value<'_>| match value {
        dumpql::Value::Text(text) => text.to_string(),
        dumpql::Value::Int(number) => number.to_string(),
        dumpql::Value::Addr(address) => short(address).to_string(),
        dumpql::Value::Bool(is_true) => u8::from(is_true).to_string(),
        _ => String::new(),
    };
    let width = result.fields().len();
    result.rows().map(|row| (0..width).map(|i| cell(row.get(i))).collect()).collect()
}

/// Holds what Volatility lists against what dumpql answers on the same dump.
fn compare_objects(name: &str, said: &Value, dump: &Path, symbols: &Path) {
    let options = Options::default().symbols([symbols]);
    let session = Session::open_with(&[dump], &options).unwrap();
    // Volatility shows keys without their root, objects without their directory, and numbers of
    // processes and threads in its own words.
    let ours = asked(
        &session,
        r"SELECT pid, handle, object, granted_access, type, CASE
            WHEN type = 'Process' THEN regexp_replace(name, '[(]([0-9]+)[)]$', 'Pid \1')
            WHEN type = 'Thread'
            THEN regexp_replace(name, '^.* [(]([0-9]+)[.]([0-9]+)[)]$', 'Tid \2 Pid \1')
            WHEN type = 'Key' THEN regexp_replace(name, '^.REGISTRY.', '')
            WHEN type = 'File' THEN name
            WHEN type = 'Section' AND name NOT LIKE '_KnownDlls%' THEN ''
            ELSE regexp_replace(name, '^.*[\\]', '') END FROM handles",
    );
    let columns = ["PID", "HandleValue", "Offset", "GrantedAccess", "Type", "Name"];
    // It reads every name of a key as one byte a character, which wide names are not.
    let (ours, wide): (Vec<_>, Vec<_>) = ours.into_iter().partition(|row| row[5].is_ascii());
    assert_eq!(wide.len(), 1, "{name}");
    let mut theirs = listed(said, "windows.handles", &columns);
    theirs.retain(|row| !wide.iter().any(|wide| wide[..5] == row[..5]));
    same(&format!("{name} handles"), theirs, ours);
    // A timer without a routine is none to it; and it knows half of the lists of 32-bit systems.
    let mine = asked(
        &session,
        "SELECT timer, period_ms, routine FROM timers
            WHERE routine IS NOT NULL AND (processor IS NOT NULL OR list < 256)",
    );
    let columns = ["Offset", "Period(ms)", "Routine"];
    same(&format!("{name} timers"), listed(said, "windows.timers", &columns), mine);
    let ours = asked(
        &session,
        r#"SELECT pid, vad, start, "end" - 1, protection, commit_pages, is_private, parent,
            regexp_replace(file, '^.Device.HarddiskVolume1', '') FROM vads"#,
    );
    let columns = [
        "PID",
        "Offset",
        "Start VPN",
        "End VPN",
        "Protection",
        "CommitCharge",
        "PrivateMemory",
        "Parent",
        "File",
    ];
    // The parent of a root is no descriptor.
    let roots: BTreeSet<[String; 2]> = ours
        .iter()
        .filter(|row| row[7].is_empty())
        .map(|row| [row[0].clone(), row[1].clone()])
        .collect();
    let mut theirs = listed(said, "windows.vadinfo", &columns);
    for row in theirs.iter_mut().filter(|row| roots.contains(&[row[0].clone(), row[1].clone()])) {
        row[7].clear();
    }
    same(&format!("{name} vadinfo"), theirs, ours);
    let ours =
        asked(&session, "SELECT pid, command_line FROM processes WHERE command_line IS NOT NULL");
    let mut theirs = listed(said, "windows.cmdline", &["PID", "Args"]);
    // Of processes without a PEB it writes a sentence in the place of the command line.
    theirs.retain(|row| ours.iter().any(|own| own[0] == row[0]));
    same(&format!("{name} cmdline"), theirs, ours);
    let ours = asked(&session, "SELECT pid, name, value FROM environment WHERE name IS NOT NULL");
    let theirs = listed(said, "windows.envars", &["PID", "Variable", "Value"]);
    same(&format!("{name} envars"), theirs, ours);
}

/// Holds what Volatility's scanner of the pool finds against the blocks of the same tags. It gives the
/// object in a block, which is behind the headers of the object; before Windows 10 it gives
/// physical addresses. Links it knows in paged pool only, and the idle process and its threads, which
/// are of no type of object, not at all.
fn compare_scan(name: &str, said: &Value, (dump, symbols): (&Path, &Path), system: &System) {
    if !matches!(system.facts.windows, Windows::Windows10 | Windows::Windows11) {
        return;
    }
    let options = Options::default().symbols([symbols]);
    let session = Session::open_with(&[dump], &options).unwrap();
    let idle = &system.facts.processes[0];
    let of_idle = idle.threads.iter().map(|thread| thread.ethread).chain([idle.eprocess]);
    let of_idle: Vec<u64> = of_idle.map(short).collect();
    let tags = [
        ("_EPROCESS", "Proc"),
        ("_ETHREAD", "Thre"),
        ("_DRIVER_OBJECT", "Driv"),
        ("_FILE_OBJECT", "File"),
        ("_KMUTANT", "Muta"),
        ("_LDR_DATA_TABLE_ENTRY", "MmLd"),
        ("_OBJECT_SYMBOLIC_LINK", "Symb"),
        ("_CMHIVE", "CM10"),
        ("_RTL_ATOM_TABLE", "AtmT"),
    ];
    let blocks = asked(
        &session,
        "SELECT address, size_bytes, tag FROM pool_allocations WHERE state LIKE 'allocated%'
            AND NOT (tag = 'Symb' AND pool_type = 'nonpaged') AND tag IN ('Proc', 'Thre', 'Driv', 'File', 'Muta', 'MmLd', 'Symb', 'CM10', 'AtmT')",
    );
    let holds = |block: &[String], at: u64| {
        let [start, bytes] = [0, 1].map(|i| block[i].parse::<u64>().unwrap());
        (start..start + bytes).contains(&at)
    };
    let mut held = vec![0; blocks.len()];
    for row in listed(said, "windows.poolscanner", &["Tag", "Offset"]) {
        let (ty, at) = (row[0].rsplit('!').next().unwrap(), row[1].parse::<u64>().unwrap());
        let tag = tags.iter().find(|(known, _)| *known == ty).map(|(_, tag)| *tag);
        let place =
            blocks.iter().position(|block| holds(block, at) && Some(block[2].as_str()) == tag);
        let place = place.unwrap_or_else(|| panic!("{name} poolscanner: {ty} at {at:#x}"));
        held[place] += 1;
    }
    for (block, held) in blocks.iter().zip(held) {
        let is_of_idle = of_idle.iter().any(|at| holds(block, *at));
        assert_eq!(held, i32::from(!is_of_idle), "{name} poolscanner: {block:?}");
    }
    assert!(blocks.len() > 100, "{name} poolscanner");
}

/// Drivers, their dispatch routines and their devices. Before Windows 10 the scan for drivers goes over
/// physical memory, and so do the addresses that it gives.
fn compare_drivers(name: &str, said: &Value, system: &System) {
    let io = &system.facts.io;
    let text = |number: u64| number.to_string();
    let last = |path: &str| path.rsplit('\\').next().unwrap_or_default().to_owned();
    let is_virtual = matches!(system.facts.windows, Windows::Windows10 | Windows::Windows11);
    let without = |rows: Vec<Vec<String>>| -> Vec<Vec<String>> {
        let skipped = usize::from(!is_virtual);
        rows.into_iter().map(|row| row.into_iter().skip(skipped).collect()).collect()
    };
    let ours = io.drivers.iter().map(|d| {
        let image = [text(short(d.image.0)), text(d.image.1.into())];
        let [start, size] = image;
        vec![text(short(d.address)), start, size, d.service.clone(), last(&d.path), d.path.clone()]
    });
    let columns = ["Offset", "Start", "Size", "Service Key", "Driver Name", "Name"];
    let theirs = listed(said, "windows.driverscan", &columns);
    same(&format!("{name} driverscan"), without(theirs), without(ours.collect()));
    let ours = io.drivers.iter().flat_map(|d| {
        let name = last(&d.path);
        d.major.iter().map(move |at| vec![text(short(d.address)), name.clone(), text(short(*at))])
    });
    // Its scan also takes a few things for drivers that are none, and so have no name.
    let mut theirs = listed(said, "windows.driverirp", &["Offset", "Driver Name", "Address"]);
    theirs.retain(|row| !row[1].is_empty());
    same(&format!("{name} driverirp"), without(theirs), without(ours.collect()));
    // The walk over a driver's devices ends at the first that nothing is attached to.
    let device = |d: &synth::Device| vec![last(&d.driver), last(&d.path)];
    let ours: BTreeSet<_> = io.devices.iter().map(device).collect();
    let first = |path: &str| io.devices.iter().rev().find(|device| device.driver == path);
    let newest: BTreeSet<_> =
        io.drivers.iter().filter_map(|d| first(&d.path)).map(device).collect();
    let mut theirs = BTreeSet::new();
    for driver in said["windows.devicetree"].as_array().expect("devicetree has failed") {
        for row in driver["__children"].as_array().into_iter().flatten() {
            let cell = |column: &str| row[column].as_str().unwrap_or_default().to_owned();
            theirs.insert(vec![cell("DriverName"), cell("DeviceName")]);
        }
    }
    theirs.retain(|row| !row[0].is_empty());
    assert!(theirs.is_subset(&ours), "{name} devicetree: {theirs:?}, not {ours:?}");
    assert!(newest.is_subset(&theirs), "{name} devicetree: {theirs:?}, not {newest:?}");
}

/// System services, and callbacks of the kinds that both list.
fn compare_routines(name: &str, said: &Value, system: &System) {
    let facts = &system.facts.routines;
    let text = |number: u64| number.to_string();
    let ours = (0..).zip(&facts.services).map(|(i, at)| vec![text(i), text(short(*at))]);
    let theirs = listed(said, "windows.ssdt", &["Index", "Address"]);
    same(&format!("{name} ssdt"), theirs, ours.collect());
    let mut ours = Vec::new();
    let mut all = |kind: &str, routines: &[u64]| {
        ours.extend(routines.iter().map(|at| vec![kind.to_owned(), text(short(*at))]));
    };
    all("PspCreateProcessNotifyRoutine", &facts.processes);
    all("PspCreateThreadNotifyRoutine", &facts.threads);
    all("PspLoadImageNotifyRoutine", &facts.images);
    let first = |all: &[(u64, String)]| all.iter().map(|(at, _)| *at).collect::<Vec<_>>();
    // Of these, routines whose code is not in memory are left out: only the kernel's is.
    let kernel = system.kernel.0..system.kernel.0 + u64::from(system.kernel.1);
    let held = |all: &[(u64, String)]| {
        first(all).into_iter().filter(|at| kernel.contains(at)).collect::<Vec<_>>()
    };
    all("KeBugCheckCallbackListHead", &held(&facts.bugcheck));
    all("KeBugCheckReasonCallbackListHead", &held(&facts.bugcheck_reason));
    let is_old = matches!(system.facts.windows, Windows::Server2003 | Windows::Server2003Pae);
    let registry = if is_old { "CmRegisterCallback" } else { "CmRegisterCallbackEx" };
    all(registry, &first(&facts.registry));
    let files: Vec<u64> = facts.file_systems.iter().map(|(_, at)| *at).collect();
    all("IoRegisterFsRegistrationChange", &files);
    let kinds: BTreeSet<String> = ours.iter().map(|row| row[0].clone()).collect();
    let theirs = listed(said, "windows.callbacks", &["Type", "Callback"]);
    let theirs = theirs.into_iter().filter(|row| kinds.contains(&row[0])).collect();
    same(&format!("{name} callbacks"), theirs, ours);
}

/// Holds what Volatility finds in the pool against what was put there, which other tests hold our
/// own tables against.
fn compare_pool(name: &str, said: &Value, system: &System) {
    let text = |number: u64| number.to_string();
    let is_old = matches!(system.facts.windows, Windows::Server2003 | Windows::Server2003Pae);
    // It reads the table of the system alone.
    let used = |block: &&synth::PoolBlock| {
        let is_systems = block.session.is_none() || !block.is_paged;
        block.is_big && block.state != synth::PoolState::Free && is_systems
    };
    let ours = system.pool.iter().filter(used).map(|block| {
        let tag: String = block.tag.iter().map(|byte| char::from(*byte)).collect();
        // Tables before Vista count pages, of which Volatility says nothing.
        let bytes = if is_old { String::new() } else { text(block.bytes) };
        vec![text(short(block.address)), tag.replace(' ', ""), bytes]
    });
    let columns = ["Allocation", "Tag", "NumberOfBytes"];
    same(&format!("{name} bigpools"), listed(said, "windows.bigpools", &columns), ours.collect());
    // By the tags of their blocks, wherever they are.
    let ours = system.facts.processes.iter().skip(1).map(|process| {
        let name: String = process.name.chars().take(14).collect();
        vec![text(process.pid), name]
    });
    let theirs = listed(said, "windows.psscan", &["PID", "ImageFileName"]);
    let theirs = theirs.into_iter().filter(|row| row.first().is_some_and(|pid| pid != "0"));
    same(&format!("{name} psscan"), theirs.collect(), ours.collect());
}

/// A kernel whose ISF file the corpus has.
const KERNELS: [(Windows, &str, Format); 5] = [
    (Windows::Windows7, "339E74133576439CBCDF7E0229DA3773", Format::Full),
    (Windows::Windows81, "22597D0B40394E23936F6A24C6C52D5B", Format::BitmapFull),
    (Windows::Windows10, "5278AFF86C341677D7D7835C85B7B844", Format::Full),
    (Windows::Windows10, "5278AFF86C341677D7D7835C85B7B844", Format::BitmapFull),
    (Windows::Windows11, "32C1A669D5FFEFD41091F636CFDB6E99", Format::BitmapFull),
];

fn complete(windows: Windows) -> SystemSpec {
    // Little memory, since some of it is searched byte by byte.
    SystemSpec { kernel_code: true, physical_pages: 0x8000, ..synth::healthy(windows) }
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS) and Volatility 3 (DUMPQL_PYTHON)"]
fn volatility_agrees_on_64_bit_systems() {
    let (Some(corpus), Some(python)) = (corpus::folder(), python()) else { return };
    let folder = Folder::new("volatility");
    for (windows, guid, format) in KERNELS {
        let name = format!("ntkrnlmp.pdb/{guid}-1.json.xz");
        let isf = corpus.join("layouts/isf/windows").join(&name);
        let file = KernelFile::parse(&unpack(&isf)).unwrap();
        let copy = folder.0.join("isf/windows").join(&name);
        fs::write(&copy, fs::read(&isf).unwrap()).unwrap();
        let spec = SystemSpec { kernel: Some(Arc::new(file)), ..complete(windows) };
        let system = synth::system(&spec);
        assert_eq!(system.missing, Vec::<String>::new(), "{windows:?}");
        let dump = folder.0.join("memory.dmp");
        write(&system, format, &dump);
        let said = judge(&python, &folder.0.join("isf"), &dump);
        let name = format!("{windows:?} {format:?}");
        compare_with_facts(&name, &said, &system);
        compare_objects(&name, &said, &dump, &folder.0.join("isf"));
        compare_pool(&name, &said, &system);
        compare_scan(&name, &said, (&dump, &folder.0.join("isf")), &system);
    }
}

/// Containers that the tests write are what Volatility takes for such: its own readers find the
/// system in them.
#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS) and Volatility 3 (DUMPQL_PYTHON)"]
fn volatility_reads_the_containers_of_the_tests() {
    let (Some(corpus), Some(python)) = (corpus::folder(), python()) else { return };
    let folder = Folder::new("volatility-containers");
    let (windows, guid, _) = KERNELS[0];
    let name = format!("ntkrnlmp.pdb/{guid}-1.json.xz");
    let isf = corpus.join("layouts/isf/windows").join(&name);
    let file = KernelFile::parse(&unpack(&isf)).unwrap();
    fs::write(folder.0.join("isf/windows").join(&name), fs::read(&isf).unwrap()).unwrap();
    let spec = SystemSpec { kernel: Some(Arc::new(file)), ..complete(windows) };
    let system = synth::system(&spec);
    let raw = system.to_vec(Format::Raw);
    let (turned, regions) = containers::turned(&raw);
    for (name, bytes) in [
        ("machine.vmss", containers::state(&regions, &[], &[])),
        ("machine.vmem", turned),
        ("machine.lime", containers::lime(&raw)),
    ] {
        let path = folder.0.join(name);
        fs::write(&path, bytes).unwrap();
        if name == "machine.vmss" {
            continue;
        }
        let mut command = Command::new(&python);
        let plugins = ["windows.pslist", "windows.modules"];
        command.arg(script()).arg("run").arg(folder.0.join("isf")).arg(&path).args(plugins);
        let out = command.output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let said: Value = serde_json::from_slice(&out.stdout).unwrap();
        let options = Options::default().symbols([folder.0.join("isf")]);
        let session = Session::open_with(&[&path], &options).unwrap();
        let ours = asked(&session, "SELECT pid, eprocess FROM processes");
        same(name, listed(&said, "windows.pslist", &["PID", "Offset(V)"]), ours);
        let ours = asked(&session, "SELECT base, size_bytes FROM modules");
        same(name, listed(&said, "windows.modules", &["Base", "Size"]), ours);
    }
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS) and Volatility 3 (DUMPQL_PYTHON)"]
fn volatility_agrees_on_a_32_bit_server() {
    let (Some(corpus), Some(python)) = (corpus::folder(), python()) else { return };
    let layout = corpus.join("layouts/vtypes/nt-5.2.3790-sp1-x86.json.xz");
    for (windows, format) in
        [(Windows::Server2003, Format::Full), (Windows::Server2003Pae, Format::BitmapFull)]
    {
        let folder = Folder::new("volatility-x86");
        let system = synth::system(&complete(windows));
        let (pdb, guid, age) = system.pdb();
        let offset = |address: &u64| address - system.kernel.0;
        let symbols: serde_json::Map<String, Value> = system
            .symbols
            .iter()
            .map(|(name, address)| (name.clone(), offset(address).into()))
            .collect();
        let facts = serde_json::json!({ "pdb": pdb, "guid": guid, "age": age, "symbols": symbols });
        let path = folder.0.join("symbols.json");
        fs::write(&path, facts.to_string()).unwrap();
        let place = folder.0.join("isf/windows").join(pdb);
        fs::create_dir_all(&place).unwrap();
        let isf = place.join(format!("{guid}-{age}.json"));
        let mut command = Command::new(&python);
        let done = command.arg(script()).arg("isf").arg(&layout).arg(&path).arg(&isf).status();
        assert!(done.unwrap().success());
        let dump = folder.0.join("memory.dmp");
        write(&system, format, &dump);
        let said = judge(&python, &folder.0.join("isf"), &dump);
        let name = format!("{windows:?} {format:?}");
        compare_with_facts(&name, &said, &system);
        compare_objects(&name, &said, &dump, &folder.0.join("isf"));
        compare_pool(&name, &said, &system);
    }
}
