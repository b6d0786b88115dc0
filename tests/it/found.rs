//! Kernel variables that are found without symbols are those that symbols name; if one is damaged
//! or ambiguous, none is found.

use std::fmt::Debug;
use std::ops::ControlFlow;

use dumpql::internals::model::{
    self, Emit, Source, SystemCall, Timer, Unanswered, Want, WorkItem, WorkQueue,
};
use dumpql::internals::synth::{self, Block, Format, PageFile, System, SystemSpec, Windows};

use crate::objects::{ALL, each_system, open, open_with, symbols};

/// The tables that depend on them, by name.
const TABLES: [(&str, Read); 5] = [
    ("page_files", |s| {
        text(|emit| s.answers().read::<model::PageFile>(&Want::ALL, emit), |row| row)
    }),
    ("work_queues", |s| text(|emit| s.answers().read::<WorkQueue>(&Want::ALL, emit), |row| row)),
    ("work_items", |s| text(|emit| s.answers().read::<WorkItem>(&Want::ALL, emit), |row| row)),
    ("ssdt", |s| {
        text(
            |emit| s.answers().read::<SystemCall>(&Want::ALL, emit),
            |row| (row.index, row.address),
        )
    }),
    ("timers", |s| {
        text(
            |emit| s.answers().read::<Timer>(&Want::ALL, emit),
            |row| (row.timer, row.list, row.due, row.dpc, row.routine),
        )
    }),
];

type Read = fn(&dyn Source) -> Result<Vec<String>, String>;

/// Rows as text, or why there are none.
fn text<R, T: Debug>(
    scan: impl FnOnce(Emit<'_, R>) -> Result<(), Unanswered>,
    part: fn(R) -> T,
) -> Result<Vec<String>, String> {
    let mut rows = Vec::new();
    let answer = scan(&mut |row| {
        rows.push(format!("{:?}", part(row)));
        ControlFlow::Continue(())
    });
    answer.map_err(|why| why.because.unwrap_or_default()).map(|()| rows)
}

fn read(table: &str, source: &dyn Source) -> Result<Vec<String>, String> {
    TABLES.iter().find(|(name, _)| *name == table).unwrap().1(source)
}

fn small(windows: Windows) -> SystemSpec {
    SystemSpec { physical_pages: 0x2000, ..synth::healthy(windows) }
}

#[test]
fn search_without_symbols_finds_what_symbols_name() {
    each_system(|what, system, nameless| {
        let named = open_with(system, Format::BitmapFull, &symbols(system));
        for (table, read) in TABLES {
            let expected = read(&*named);
            let rows = expected.as_ref().map_or(0, Vec::len);
            assert!(rows > 0, "{what}: {table}: {expected:?}");
            // Symbols name routines; without them there are offsets in the kernel.
            let strip = |rows: Vec<String>| {
                let at = |row: &String| row.find("routine_symbol").unwrap_or(row.len());
                rows.iter().map(|row| row[..at(row)].to_owned()).collect::<Vec<_>>()
            };
            assert!(read(nameless).map(strip) == expected.map(strip), "{what}: {table}");
        }
    });
}

/// Versions for which the positions of these fields are known.
const PLACED: [Windows; 6] = [
    Windows::Server2003,
    Windows::Server2003Pae,
    Windows::Windows7,
    Windows::Windows81,
    Windows::Windows10,
    Windows::Windows11,
];

/// The positions of fields: the name and the file of a page file, the queue of a thread, the list
/// of threads of a queue.
fn places(windows: Windows) -> [u64; 4] {
    match windows {
        Windows::Server2003 | Windows::Server2003Pae => [0x28, 0x1c, 0x68, 0x20],
        Windows::Windows7 => [0x48, 0x30, 0xb0, 0x30],
        _ => [0x70, 0x40, 0xe8, 0x2a0],
    }
}

const fn width(system: &System) -> u64 {
    if system.kernel.0 >> 32 == 0 { 4 } else { 8 }
}

/// The pointer at an address of a system.
fn pointer(system: &System, at: u64) -> u64 {
    let mut bytes = [0; 8];
    let len = usize::try_from(width(system)).unwrap();
    open(system, Format::BitmapFull).memory().read(at, &mut bytes[..len]).unwrap();
    u64::from_le_bytes(bytes)
}

/// Bytes of a system.
fn bytes(system: &System, at: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    open(system, Format::BitmapFull).memory().read(at, &mut bytes).unwrap();
    bytes
}

fn word(system: &System, address: u64, value: u64) -> Block {
    let len = usize::try_from(width(system)).unwrap();
    Block { address, bytes: value.to_le_bytes()[..len].to_vec() }
}

/// What a table says of a system that is edited.
fn edited(spec: &SystemSpec, table: &str, blocks: Vec<Block>) -> Result<Vec<String>, String> {
    let system = synth::system(&SystemSpec { blocks, ..spec.clone() });
    read(table, &*open(&system, Format::BitmapFull))
}

#[test]
fn page_files_are_found_even_if_their_names_are_paged_out() {
    for windows in [Windows::Server2003, Windows::Windows7, Windows::Windows81] {
        let file = |drive: &str, pages| PageFile {
            path: format!(r"\??\{drive}:\pagefile.sys"),
            pages: (pages, pages / 2, pages, 2 * pages),
        };
        let files = vec![file("C", 0x4_0000), file("D", 0x1_0000), file("E", 0x2_0000)];
        let spec = SystemSpec { page_files: files, ..small(windows) };
        let system = synth::system(&spec);
        let first = pointer(&system, system.symbols["MmPagingFile"]);
        let [name, file, ..] = places(windows);
        let buffer = first + name + width(&system);
        let nowhere = pointer(&system, buffer) + 0x400_0000;
        let gone = || word(&system, buffer, nowhere);
        let found = edited(&spec, "page_files", vec![gone()]).unwrap();
        assert_eq!(found.len(), 3, "{windows:?}");
        assert!(found[0].contains("path: Err("), "{}", found[0]);
        let object = Block { address: pointer(&system, first + file), bytes: vec![0, 0] };
        let why = edited(&spec, "page_files", vec![gone(), object]).unwrap_err();
        assert!(why.contains("no address in the kernel's data matches"), "{windows:?}: {why}");
    }
}

/// Edits of a system: the table that they damage, what they do, and what they write.
fn damage(windows: Windows, system: &System) -> Vec<(&'static str, &'static str, Vec<Block>)> {
    let width = width(system);
    let symbol = |name: &str| system.symbols[name];
    let byte = |address, byte| Block { address, bytes: vec![byte] };
    let [name, _, served, threads] = places(windows);
    let queue = &system.facts.work_queues[0];
    let thread = system.facts.processes.iter().flat_map(|process| &process.threads);
    let thread = thread.clone().find(|thread| thread.tid == queue.threads[1]).unwrap().ethread;
    let descriptors =
        [symbol("KeServiceDescriptorTable"), symbol("KeServiceDescriptorTableShadow")];
    let limits = descriptors.map(|at| word(system, at + 2 * width, 5000)).to_vec();
    let elsewhere = Block { address: symbol("KiServiceTable"), bytes: vec![0; 400] };
    let mut all = vec![
        ("work_queues", "another size", vec![byte(queue.address + 2, 1)]),
        ("work_queues", "another kind", vec![byte(queue.address, 1)]),
        ("work_queues", "a thread of another queue", vec![word(system, thread + served, thread)]),
        ("work_queues", "no list", vec![word(system, queue.address + threads + width, thread)]),
        ("ssdt", "too many services", limits),
        ("ssdt", "services that are no code", vec![elsewhere]),
        ("ssdt", "odd arguments", vec![byte(symbol("KiArgumentTable") + 7, 3)]),
    ];
    if matches!(windows, Windows::Server2003 | Windows::Server2003Pae) {
        let list = |i: u64| symbol("KiTimerTableListHead") + i * 2 * width;
        let timer = system.facts.timers[0].address;
        all.push(("timers", "a broken list", vec![word(system, list(200), 0)]));
        all.push(("timers", "a broken list far behind", vec![word(system, list(300), 0)]));
        all.push(("timers", "a list of others", vec![byte(timer, 1)]));
    }
    if !matches!(windows, Windows::Windows10 | Windows::Windows11) {
        let array = symbol("MmPagingFile");
        let file = pointer(system, array);
        let text = Block { address: pointer(system, file + name + width), bytes: vec![0x61; 38] };
        let free = word(system, file + 3 * width, 0x4_0001);
        all.push(("page_files", "more free than there is", vec![free]));
        all.push(("page_files", "no name of a file", vec![text]));
        all.push(("page_files", "other pointers beside", vec![word(system, array + width, array)]));
        all.push(("page_files", "one file twice", vec![word(system, array + width, file)]));
    }
    all
}

#[test]
fn service_tables_are_found_with_hooked_services() {
    for windows in ALL {
        let spec = SystemSpec { physical_pages: 0x2000, ..synth::hooked(windows) };
        let system = synth::system(&spec);
        let found = read("ssdt", &*open(&system, Format::BitmapFull)).unwrap();
        assert_eq!(found.len(), system.facts.routines.services.len(), "{windows:?}");
    }
}

#[test]
fn damaged_tables_are_not_accepted() {
    for windows in PLACED {
        let spec = small(windows);
        let system = synth::system(&spec);
        for (table, what, blocks) in damage(windows, &system) {
            let found = edited(&spec, table, blocks);
            let why = found.map(|rows| rows.len()).expect_err(&format!("{windows:?}: {what}"));
            assert!(why.contains("without kernel symbols"), "{windows:?}: {what}: {why}");
        }
    }
}

#[test]
fn an_ambiguous_table_is_accepted_only_if_something_refers_to_it() {
    for windows in ALL {
        let spec = small(windows);
        let system = synth::system(&spec);
        let width = width(&system);
        // Before the variables that there are.
        let room = system.kernel.0 + u64::from(system.kernel.1) - 0x1_b000;
        let table = system.symbols["KiServiceTable"];
        let copy = Block { address: room, bytes: bytes(&system, table, 4 * 296) };
        let words = [room, 0, 296, system.symbols["KiArgumentTable"]];
        let words =
            (0..).zip(words).map(|(i, value)| word(&system, room + 0x800 + i * width, value));
        let blocks = std::iter::once(copy).chain(words).collect();
        let found = edited(&spec, "ssdt", blocks);
        if width == 4 {
            // Threads refer to the right one.
            assert_eq!(found, read("ssdt", &*open(&system, Format::BitmapFull)), "{windows:?}");
        } else {
            assert!(
                found.unwrap_err().contains("several addresses in the kernel's data match"),
                "{windows:?}"
            );
        }
        if windows.build() >= 10240 {
            continue;
        }
        let array =
            bytes(&system, system.symbols["MmPagingFile"], 16 * usize::try_from(width).unwrap());
        let found = edited(&spec, "page_files", vec![Block { address: room, bytes: array }]);
        assert!(
            found.unwrap_err().contains("several addresses in the kernel's data match"),
            "{windows:?}"
        );
    }
}
