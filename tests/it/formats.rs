//! Whole synthetic systems in every dump format: each format gives the values of the system, and
//! damage does no harm.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dumpql::internals::dump::Image;
use dumpql::internals::synth::{self, Driver, Format, System, SystemSpec, Windows};
use dumpql::{Options, Session};
use rayon::prelude::*;

use crate::systems::ALL;
use crate::watchdog::watch;

fn system(windows: Windows) -> System {
    // The smallest memory that it fits in: some formats contain every page.
    synth::system(&SystemSpec { physical_pages: 0x2000, ..synth::healthy(windows) })
}

fn is_32_bit(windows: Windows) -> bool {
    !windows.is_64_bit()
}

/// The formats in which such a system can be written.
fn formats(windows: Windows) -> impl Iterator<Item = Format> {
    let is_live = |format: &Format| format.dump_type().is_some_and(|code| code >= 8);
    Format::ALL.into_iter().filter(move |format| !(is_32_bit(windows) && is_live(format)))
}

fn open(bytes: &[u8]) -> Result<Session, String> {
    let image = Image::from_bytes("made.dmp", bytes.to_vec());
    Session::from_images(vec![image], &Options::default()).map_err(|error| error.to_string())
}

fn ask(session: &Session, sql: &str) -> Vec<String> {
    let result = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = 0..result.fields().len();
    let line = |row| columns.clone().map(|col| result.text(row, col)).collect::<Vec<_>>().join("|");
    (0..result.len()).map(line).collect()
}

const fn words(format: Format) -> &'static str {
    match format {
        Format::Full => "full memory",
        Format::KernelSummary => "kernel memory (summary)",
        Format::BitmapFull => "full memory (bitmap)",
        Format::BitmapKernel => "kernel memory (bitmap)",
        Format::KernelMemory => "kernel memory (live)",
        Format::KernelAndUserMemory => "kernel and user memory (live)",
        Format::CompleteMemory => "complete memory (live)",
        Format::Raw => "raw physical memory",
        Format::ElfCore => "physical memory (ELF core)",
    }
}

#[test]
fn every_system_in_every_format_has_its_values() {
    for windows in ALL {
        let system = system(windows);
        formats(windows).collect::<Vec<_>>().into_par_iter().for_each(|format| {
            let what = format!("{windows:?}, {format:?}");
            let session = open(&system.to_vec(format)).unwrap_or_else(|e| panic!("{what}: {e}"));
            let sql = format!(
                "SELECT dump_type, build, processors, is_complete, kernel_base = {:#x}, \
                 dtb = {:#x}, kdbg = {:#x}, module_list = {:#x}, process_head = {:#x} FROM dump",
                system.kernel.0,
                system.dtb,
                system.debugger_data,
                system.symbols["PsLoadedModuleList"],
                system.symbols["PsActiveProcessHead"],
            );
            let build = windows.build();
            let processors = system.facts.processors.len();
            let expected =
                format!("{}|{build}|{processors}|true|true|true|true|true|true", words(format));
            assert_eq!(ask(&session, &sql), [expected], "{what}");
            let sql = "SELECT reason FROM problems WHERE \"table\" IS NULL";
            let problems = ask(&session, sql);
            assert!(problems.is_empty(), "{what}: {problems:?}");
            // Lists are walked to their end: Idle is on none.
            let listed = system.facts.processes.iter().filter(|process| process.pid != 0);
            let width = if is_32_bit(windows) { 10 } else { 18 };
            let processes = listed.clone();
            let processes: Vec<String> = processes
                .map(|p| format!("{:#0width$x}|{}|{}", p.eprocess, p.pid, p.name))
                .collect();
            assert_eq!(
                ask(&session, "SELECT eprocess, pid, name FROM processes"),
                processes,
                "{what}"
            );
            let threads: usize = listed.map(|process| process.threads.len()).sum();
            let found = ask(&session, "SELECT count(*), count(DISTINCT ethread) FROM threads");
            assert_eq!(found, [format!("{threads}|{threads}")], "{what}");
            let found = ask(&session, "SELECT base, size_bytes FROM modules");
            // The kernel's own place is the system's.
            let place = |d: &Driver| if d.base == 0 { system.kernel } else { (d.base, d.size) };
            let drivers = system.facts.drivers.iter();
            let expected: Vec<String> =
                drivers.map(place).map(|(base, size)| format!("{base:#0width$x}|{size}")).collect();
            assert_eq!(found, expected, "{what}");
            // Every variable that has an address is there, and the same in each form. The code of
            // the kernel, its first three quarters, is left out of these systems.
            let code = system.kernel.0..system.kernel.0 + u64::from(system.kernel.1 / 4 * 3);
            for (name, address) in system.symbols.iter().filter(|(_, at)| !code.contains(at)) {
                let found = ask(&session, &format!("SELECT u8({address:#x}) IS NOT NULL"));
                assert_eq!(found, ["true"], "{what}: {name}");
            }
        });
    }
}

#[test]
fn truncated_and_edited_systems_do_no_harm() {
    for windows in [Windows::Server2003Pae, Windows::Windows10] {
        let system = system(windows);
        for format in formats(windows) {
            let file = system.to_vec(format);
            (0..20u64).into_par_iter().for_each(|seed| {
                let mut bytes = file.clone();
                let mut state = seed;
                let mut random = |most: usize| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99991);
                    usize::try_from(state >> 33).unwrap() % most.max(1)
                };
                if seed % 2 == 0 {
                    bytes.truncate(file.len() * usize::try_from(seed).unwrap() / 20);
                } else {
                    for _ in 0..2000 {
                        // Most edits where the tables and the headers are.
                        let most = if random(3) == 0 { bytes.len() } else { bytes.len() / 40 };
                        let at = random(most);
                        bytes[at] = random(256).to_le_bytes()[0];
                    }
                }
                let what = format!("{windows:?}, {format:?}, seed {seed}");
                let _watched = watch(what.clone());
                let read = catch_unwind(AssertUnwindSafe(|| {
                    let Ok(session) = open(&bytes) else { return };
                    for table in ["dump", "coverage", "problems", "modules", "processes", "threads"]
                    {
                        let _ = session.query(&format!("SELECT * FROM {table}"));
                    }
                }));
                assert!(read.is_ok(), "{what}: panicked");
            });
        }
    }
}

/// A hypervisor's file has the registers of every processor, and the thread that each runs.
#[test]
fn core_file_notes_give_the_registers_of_every_processor() {
    for windows in ALL {
        let system = system(windows);
        let session = open(&system.to_vec(Format::ElfCore)).unwrap();
        let is_narrow = is_32_bit(windows);
        let names = if is_narrow { ["eip", "esp", "cs"] } else { ["rip", "rsp", "cs"] };
        let facts = if is_narrow { ["Eip", "Esp", "SegCs"] } else { ["Rip", "Rsp", "SegCs"] };
        let width = if is_narrow { 10 } else { 18 };
        let threads = || system.facts.processes.iter().flat_map(|process| &process.threads);
        let mut expected = Vec::new();
        for (number, processor) in system.facts.processors.iter().enumerate() {
            let idle = system.facts.processes[0].threads[number].ethread;
            let running = threads().find(|thread| thread.tid == processor.running);
            let thread = running.filter(|_| processor.running != 0);
            let thread = thread.map_or(idle, |thread| thread.ethread);
            for (name, fact) in names.into_iter().zip(facts) {
                let value = system.register(number, fact);
                expected.push(format!("{number}|{thread:#0width$x}|{name}|{value:#0width$x}"));
            }
            let dtb = system.dtb;
            expected.push(format!("{number}|{thread:#0width$x}|cr3|{dtb:#0width$x}"));
        }
        let sql = "SELECT processor, ethread, name, value FROM registers \
                   WHERE name IN ('rip', 'rsp', 'eip', 'esp', 'cs', 'cr3')";
        assert_eq!(ask(&session, sql), expected, "{windows:?}");
    }
}

/// If nothing gives the addresses of the processor blocks, their registers lead to them.
#[test]
fn registers_lead_to_the_processor_blocks() {
    for windows in [Windows::Windows7X86, Windows::Windows10] {
        let sound = system(windows);
        let bytes = vec![0x5a; 0x380];
        let blocks = vec![synth::Block { address: sound.debugger_data, bytes }];
        let spec = SystemSpec { physical_pages: 0x2000, blocks, ..synth::healthy(windows) };
        let session = open(&synth::system(&spec).to_vec(Format::ElfCore)).unwrap();
        let width = if is_32_bit(windows) { 10 } else { 18 };
        let blocks = sound.facts.processors.iter().map(|p| format!("{:#0width$x}", p.prcb));
        let found = ask(&session, "SELECT prcb FROM processors");
        assert_eq!(found, blocks.collect::<Vec<_>>(), "{windows:?}");
    }
}

/// The thread that ran when the hypervisor stopped the machine has its stack.
#[test]
fn core_file_stacks_begin_at_the_registers() {
    for windows in [Windows::Windows7X86, Windows::Windows10] {
        let spec = synth::healthy(windows);
        let spec = SystemSpec { physical_pages: 0x2000, stacks: true, kernel_code: true, ..spec };
        let system = synth::system(&spec);
        let session = open(&system.to_vec(Format::ElfCore)).unwrap();
        let running = system.facts.processors[system.facts.crash_processor].running;
        let threads = || system.facts.processes.iter().flat_map(|process| &process.threads);
        let thread = threads().find(|thread| thread.tid == running).unwrap();
        let width = if is_32_bit(windows) { 10 } else { 18 };
        let expected: Vec<String> =
            thread.frames.iter().map(|(ip, _)| format!("{ip:#0width$x}")).collect();
        let found = ask(&session, &format!("SELECT ip FROM stacks WHERE tid = {running}"));
        assert_eq!(found, expected, "{windows:?}");
    }
}
