//! Kernel dumps: real dumps against values that were read by hand with other tools, and all kinds
//! of damage.

use std::ops::ControlFlow;
use std::path::PathBuf;

use dumpql::internals::catalog::{Absent, SourceKind};
use dumpql::internals::dump::Image;
use dumpql::internals::model::{
    Bugcheck, CoverageRange, DumpInfo, Emit, Exception, Frame, Module, Problem, Process, Processor,
    Register, Source, Thread, Unanswered, UnloadedModule, Want,
};
use dumpql::internals::source;
use dumpql::internals::symbol::{Search, Store};

use crate::corpus;

fn rows<R>(scan: impl FnOnce(Emit<'_, R>) -> Result<(), Unanswered>) -> Vec<R> {
    let mut rows = Vec::new();
    scan(&mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    })
    .expect("the dump answers");
    rows
}

fn bytes_of(name: &str) -> Option<Vec<u8>> {
    let path = corpus::folder()?.join("dumps/kernel").join(name);
    Some(std::fs::read(path).expect("the corpus is readable"))
}

fn open(bytes: Vec<u8>, store: &Store) -> Box<dyn Source> {
    source::open(Image::from_bytes("it", bytes), store).expect("it is a kernel dump")
}

fn layouts(folder: &str) -> Option<PathBuf> {
    Some(corpus::folder()?.join("layouts").join(folder))
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn an_x64_triage_dump() {
    let Some(bytes) = bytes_of("triage_x64_19041.dmp") else { return };
    let source = open(bytes, &Store::default());
    assert_eq!(source.kind(), SourceKind::Triage);
    let dump = dump_row(&*source);
    assert_eq!(dump.build_lab.as_deref(), Ok("19041.1.amd64fre.vb_release.191206-1406"));
    assert_eq!((dump.processors, dump.is_complete), (Ok(16), Ok(true)));
    assert_eq!(dump.kernel_base, Ok(0xffff_f804_7ba0_0000));

    let bugcheck = &rows(|emit| source.answers().read::<Bugcheck>(&Want::ALL, emit))[0];
    assert_eq!(bugcheck.code, Ok(0x1000_007e));
    assert_eq!(bugcheck.p2, Ok(0xffff_f804_8b58_334c));
    assert_eq!(bugcheck.bucket_id.as_deref(), Ok("0x1000007e_c0000005_amdppm+0x334c"));
    assert_eq!(bugcheck.process.as_deref(), Ok("System"));

    let thread = &rows(|emit| source.answers().read::<Thread>(&Want::ALL, emit))[0];
    assert_eq!(thread.ethread, Ok(0xffff_c08b_de9e_1640));
    assert_eq!((thread.tid, thread.pid), (Ok(0x108), Ok(4)));
    assert_eq!(thread.eprocess, Ok(0xffff_c08b_dce9_4180));
    assert_eq!(thread.state.as_deref(), Ok("Running"));
    assert_eq!(thread.stack_pointer, Ok(0xffff_8504_2989_2120));
    assert_eq!((thread.teb, thread.irp_count), (Err(Absent::NotApplicable), Ok(0)));

    let process = &rows(|emit| source.answers().read::<Process>(&Want::ALL, emit))[0];
    assert_eq!(process.name.as_deref(), Ok("System"));
    assert_eq!((process.pid, process.dtb), (Ok(4), Ok(0x1a_d000)));

    let processors = rows(|emit| source.answers().read::<Processor>(&Want::ALL, emit));
    assert_eq!(processors.len(), 16);
    assert_eq!(processors[5].prcb, Ok(0xffff_9b00_026c_0180));
    assert_eq!(processors[5].current_ethread, Ok(0xffff_c08b_dfba_c080));
    assert!(processors.iter().all(|p| p.vendor.as_deref() == Ok("AuthenticAMD")));
    assert_eq!(processors[0].mhz, Ok(3593));

    let registers = rows(|emit| source.answers().read::<Register>(&Want::ALL, emit));
    assert_eq!(registers[6].name.as_deref(), Ok("rip"));
    assert_eq!(registers[6].value, Ok(0xffff_f804_8b58_334c));
    assert_eq!((registers[6].processor, registers[6].tid), (Ok(0), Ok(0x108)));
    let mut others = registers.iter().filter(|r| r.name.as_deref() == Ok("rip"));
    assert_eq!(
        others.next_back().map(|r| (r.processor, r.value)),
        Some((Ok(15), Ok(0xffff_f804_7bd8_d14d)))
    );

    let modules = rows(|emit| source.answers().read::<Module>(&Want::ALL, emit));
    assert_eq!(modules.len(), 151);
    let amdppm = modules.iter().find(|m| m.name.as_deref() == Ok("amdppm")).unwrap();
    assert_eq!(amdppm.pdb_guid.as_deref(), Ok("1C19FDDB27BB3399D9B45973EFEAFCF3"));
    assert_eq!((amdppm.pdb_age, amdppm.timestamp), (Ok(1), Ok(0xc9c0_3000)));
    assert_eq!(modules[0].name.as_deref(), Ok("nt"));
    assert_eq!(source.memory().address_of("nt!KiIdleLoop"), Err(Absent::NoSymbols));
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn an_arm64_triage_dump() {
    let Some(bytes) = bytes_of("triage_arm64_22000.dmp") else { return };
    let source = open(bytes, &Store::default());
    let bugcheck = &rows(|emit| source.answers().read::<Bugcheck>(&Want::ALL, emit))[0];
    assert_eq!((bugcheck.code, bugcheck.p1), (Ok(0x1c8), Ok(7000)));
    assert_eq!(bugcheck.bucket_id.as_deref(), Ok("0x1c8_nt"));
    let thread = &rows(|emit| source.answers().read::<Thread>(&Want::ALL, emit))[0];
    assert_eq!(thread.ethread, Ok(0xffff_bb8e_b171_9180));
    assert_eq!(thread.eprocess, Ok(0xffff_bb8e_b169_0080));
    // The thread, its process and its name come from the built-in layout of the build.
    assert!(thread.tid.is_ok() && thread.pid.is_ok() && thread.process.is_ok(), "{thread:?}");
    assert_eq!(thread.state.as_deref(), Ok("Running"));
    assert_eq!(thread.processor, Ok(0));
    let process = &rows(|emit| source.answers().read::<Process>(&Want::ALL, emit))[0];
    assert_eq!(process.dtb, Ok(0x946a_a000));
    let processors = rows(|emit| source.answers().read::<Processor>(&Want::ALL, emit));
    assert_eq!(processors.len(), 8);
    assert_eq!(processors[6].current_ethread, Ok(0xffff_bb8e_be0e_d100));
    assert_eq!(rows(|emit| source.answers().read::<Module>(&Want::ALL, emit)).len(), 245);
    assert_eq!(rows(|emit| source.answers().read::<UnloadedModule>(&Want::ALL, emit)).len(), 11);
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn symbols_of_the_same_build_are_preferred() {
    let (Some(bytes), Some(folder)) = (bytes_of("triage_x64_19041.dmp"), layouts("isf")) else {
        return;
    };
    let store = Store::new(&Search { paths: vec![folder], ..Search::default() }).unwrap();
    let source = open(bytes, &store);
    assert_eq!(source.memory().address_of("nt!KeBugCheckEx"), Ok(0xffff_f804_7bdf_5a80));
    let place = source.memory().locate(0xffff_f804_7bdf_5a85).unwrap();
    assert_eq!(place.display(), "nt!KeBugCheckEx+0x5");
    let thread = &rows(|emit| source.answers().read::<Thread>(&Want::ALL, emit))[0];
    assert_eq!(thread.start_symbol.as_deref(), Ok("nt!ExpWorkerThread"));
    let status = |module: &dumpql::internals::model::Module| module.symbol_status.clone();
    let modules = rows(|emit| source.answers().read::<Module>(&Want::ALL, emit));
    assert_eq!(status(&modules[0]).as_deref(), Ok("isf"));
    let second = status(&modules[1]);
    assert_eq!(second.as_deref(), Ok("none: the dump does not hold the name of its PDB"));
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn a_layout_of_another_kernel_is_detected() {
    let (Some(bytes), Some(folder)) = (bytes_of("triage_x64_19041.dmp"), layouts("vtypes")) else {
        return;
    };
    let wrong = folder.join("nt-6.1.7601-sp1-x64.json.xz");
    let source =
        open(bytes, &Store::new(&Search { paths: vec![wrong], ..Search::default() }).unwrap());
    let mut problems = Vec::new();
    let _ = source.answers().read(&Want::ALL, &mut |problem: Problem| {
        problems.push(problem.reason.unwrap());
        ControlFlow::Continue(())
    });
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].ends_with("its _ETHREAD has 1176 bytes, the kernel's has 2200"));
    // The built-in layout of the right build takes its place.
    let thread = &rows(|emit| source.answers().read::<Thread>(&Want::ALL, emit))[0];
    assert_eq!(thread.tid, Ok(0x108));
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn the_stack_of_an_x64_triage_dump() {
    let (Some(bytes), Some(folder)) = (bytes_of("triage_x64_19041.dmp"), layouts("isf")) else {
        return;
    };
    let store = Store::new(&Search { paths: vec![folder], ..Search::default() }).unwrap();
    for (store, has_names) in [(Store::default(), false), (store, true)] {
        let source = open(bytes.clone(), &store);
        let frames = rows(|emit| source.answers().read::<Frame>(&Want::ALL, emit));
        let crash: Vec<_> = frames.iter().filter(|f| f.tid == Ok(0x108)).collect();
        assert_eq!(crash[0].ip, Ok(0xffff_f804_8b58_334c), "where the exception was");
        assert_eq!((crash[0].trust.as_deref(), crash[0].frame), (Ok("context"), Ok(0)));
        assert_eq!(crash[0].module.as_deref(), Ok("amdppm"));
        // The dump has no code: words of the stack, each above the last.
        assert!(crash[1..].iter().all(|f| f.trust.as_deref() == Ok("scan")));
        assert!(crash.windows(2).all(|pair| pair[0].sp.unwrap() < pair[1].sp.unwrap()));
        assert!(crash.windows(2).all(|pair| pair[0].return_address == pair[1].ip));
        let thread = &rows(|emit| source.answers().read::<Thread>(&Want::ALL, emit))[0];
        assert!(crash.iter().all(|f| f.sp.unwrap() < thread.stack_base.unwrap()));
        if !has_names {
            continue;
        }
        // How the system starts a device, in a worker thread.
        let wanted = [
            "nt!PnpAsynchronousCall",
            "nt!PnpSendIrp",
            "nt!PnpStartDevice",
            "nt!PnpStartDeviceNode",
            "nt!PipProcessStartPhase1",
            "nt!PipProcessDevNodeTree",
            "nt!PiProcessStartSystemDevices",
            "nt!PnpDeviceActionWorker",
            "nt!ExpWorkerThread",
            "nt!PspSystemThreadStartup",
            "nt!KiStartSystemThread",
        ];
        let symbols: Vec<&str> = crash.iter().filter_map(|f| f.symbol.as_deref().ok()).collect();
        let mut rest = symbols.iter();
        for name in wanted {
            assert!(rest.any(|symbol| *symbol == name), "{name} in {symbols:#?}");
        }
        assert_eq!(symbols.last(), wanted.last(), "nothing called it");
        // No call returns to the start of a function.
        assert!(crash[1..].iter().all(|f| f.offset != Ok(0)));
    }
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn the_stack_of_an_arm64_triage_dump() {
    let Some(bytes) = bytes_of("triage_arm64_22000.dmp") else { return };
    let source = open(bytes, &Store::default());
    let frames = rows(|emit| source.answers().read::<Frame>(&Want::ALL, emit));
    let crash: Vec<_> = frames.iter().filter(|f| f.ethread == Ok(0xffff_bb8e_b171_9180)).collect();
    let offsets: Vec<_> = crash.iter().map(|f| (f.symbol.as_deref().unwrap(), f.sp)).collect();
    assert_eq!(
        offsets,
        [
            ("nt+0x4de014", Ok(0xffff_e00e_0e4b_c4a0)),
            ("nt+0x5442a0", Ok(0xffff_e00e_0e4b_c4b0)),
            ("nt+0x29ff1c", Ok(0xffff_e00e_0e4b_cb20)),
            ("nt+0x373340", Ok(0xffff_e00e_0e4b_cce0)),
            ("nt+0x207de4", Ok(0xffff_e00e_0e4b_cd40)),
        ]
    );
    assert!(crash[1..].iter().all(|f| f.trust.as_deref() == Ok("frame_pointer")));
    assert_eq!(crash[4].return_address, Ok(0), "the first function of the thread");
    assert_eq!(crash[0].arg1, Err(Absent::NotApplicable), "arguments are in registers");
}

fn dump_row(source: &dyn Source) -> DumpInfo {
    let row = source.answers().first(&Want::ALL).expect("table dump answers");
    row.expect("table dump has a row")
}

/// Reads every table of a source.
fn read_all(source: &dyn Source) {
    let go = ControlFlow::Continue(());
    let _ = source.answers().read::<DumpInfo>(&Want::ALL, &mut |_| go);
    let _ = source.answers().read::<Bugcheck>(&Want::ALL, &mut |_| go);
    let _ = source.answers().read::<Exception>(&Want::ALL, &mut |_| go);
    let _ = source.answers().read::<Register>(&Want::ALL, &mut |_| go);
    let _ = source.answers().read::<Process>(&Want::ALL, &mut |_| go);
    let _ = source.answers().read::<Thread>(&Want::ALL, &mut |_| go);
    let _ = source.answers().read::<Processor>(&Want::ALL, &mut |_| go);
    let _ = source.answers().read::<Frame>(&Want::ALL, &mut |_| go);
    let _ = source.answers().read::<Module>(&Want::ALL, &mut |_| go);
    let _ = source.answers().read::<UnloadedModule>(&Want::ALL, &mut |_| go);
    let _ = source.answers().read::<CoverageRange>(&Want::ALL, &mut |_| go);
    let _ = source.answers().read::<Problem>(&Want::ALL, &mut |_| go);
}

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn damage_never_panics() {
    let store = Store::default();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for name in ["triage_x64_19041.dmp", "triage_arm64_22000.dmp"] {
        let Some(bytes) = bytes_of(name) else { return };
        for _ in 0..150 {
            let mut damaged = bytes.clone();
            // Most edits hit headers and lists, where they hurt.
            for _ in 0..=random.below(20) {
                let limit = [0x1100, 0x2200, 0x20000, damaged.len()][random.below(4)];
                let at = random.below(limit);
                damaged[at] = [0, 0xff, 0x80, 7][random.below(4)];
            }
            if let Ok(source) = source::open(Image::from_bytes("it", damaged), &store) {
                read_all(&*source);
            }
        }
        for _ in 0..60 {
            let limit = [0x2200, 0x20000, bytes.len()][random.below(3)];
            let cut = bytes[..random.below(limit)].to_vec();
            if let Ok(source) = source::open(Image::from_bytes("it", cut), &store) {
                read_all(&*source);
            }
        }
    }
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn a_cut_dump_gives_what_it_holds() {
    let Some(mut bytes) = bytes_of("triage_x64_19041.dmp") else { return };
    bytes.truncate(0x2_0000);
    let source = open(bytes, &Store::default());
    assert_eq!(dump_row(&*source).is_complete, Ok(false));
    assert_eq!(rows(|emit| source.answers().read::<Module>(&Want::ALL, emit)).len(), 151);
    let thread = &rows(|emit| source.answers().read::<Thread>(&Want::ALL, emit))[0];
    assert_eq!(thread.tid, Ok(0x108));
    let processors = rows(|emit| source.answers().read::<Processor>(&Want::ALL, emit));
    assert_eq!(processors.len(), 16);
    assert_eq!(processors[0].mhz, Ok(3593));
    assert_eq!(processors[1].mhz, Err(Absent::NotInDump));
}

#[test]
fn other_kernel_dumps_are_read_as_far_as_their_header() {
    let mut bytes = b"PAGE".repeat(0x800);
    bytes[4..8].copy_from_slice(b"DU64");
    bytes[0x30..0x34].copy_from_slice(&0x8664u32.to_le_bytes());
    bytes[0x38..0x3c].copy_from_slice(&0xd1u32.to_le_bytes());
    bytes[0xf98..0xf9c].copy_from_slice(&5u32.to_le_bytes());
    bytes.extend(b"FDMPDUMP");
    bytes.resize(0x2038, 0);
    bytes[0x2020..0x2028].copy_from_slice(&0x4000u64.to_le_bytes());
    bytes[0x2028..0x2030].copy_from_slice(&3u64.to_le_bytes());
    bytes[0x2030..0x2038].copy_from_slice(&8u64.to_le_bytes());
    let source = open(bytes, &Store::default());
    assert_eq!(source.kind(), SourceKind::Kernel);
    let dump = dump_row(&*source);
    assert_eq!(dump.dump_type.as_deref(), Ok("full memory (bitmap)"));
    assert_eq!(rows(|emit| source.answers().read::<Bugcheck>(&Want::ALL, emit))[0].code, Ok(0xd1));
    let coverage = rows(|emit| source.answers().read::<CoverageRange>(&Want::ALL, emit));
    assert_eq!(coverage.len(), 1);
    // The header promises three pages; the file ends before the first bit.
    assert_eq!((coverage[0].present_pages, coverage[0].file_offset), (Ok(0), Ok(0x4000)));
    assert_eq!((dump.bitmap_pages, dump.is_complete), (Ok(3), Ok(false)));
    let unanswered = source
        .answers()
        .read::<Thread>(&Want::ALL, &mut |_| ControlFlow::Continue(()))
        .unwrap_err();
    assert!(unanswered.because.unwrap().contains("no page of memory"));
}
