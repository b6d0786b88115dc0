//! Kernel triage dumps against an independent reader, `tests/oracle/triage.py`: header, bug check,
//! registers, exception, drivers, unloaded drivers, processors, and every data block.
//!
//! Real dumps come from the corpus; synthetic ones cover what it lacks: 32 bits, missing parts,
//! hostile names, many drivers.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use dumpql::internals::dump::Image;
use dumpql::internals::model::{
    Bugcheck, DumpInfo, Emit, Exception, Module, Processor, Register, Source, Unanswered,
    UnloadedModule, Want,
};
use dumpql::internals::symbol::Store;
use dumpql::internals::synth::{self, Block, Driver, ExceptionRecord, TriageSpec, Unloaded};
use serde_json::Value;

use super::corpus;

/// What the independent reader says of a dump.
fn oracle(path: &Path) -> Value {
    let python = std::env::var_os("DUMPQL_PYTHON").unwrap_or_else(|| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/triage.py");
    let output = Command::new(&python).arg(script).arg(path).output();
    let output = output.unwrap_or_else(|e| panic!("{}: {e}", python.display()));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", path.display());
    serde_json::from_slice(&output.stdout).expect("the oracle prints JSON")
}

fn collect<R>(
    scan: impl FnOnce(Emit<'_, R>) -> Result<(), Unanswered>,
) -> Result<Vec<R>, Unanswered> {
    let mut rows = Vec::new();
    scan(&mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("found {value}, expected a number"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Numbers of the table as the oracle has them: unsigned, at the width of the dump.
struct Compare<'a> {
    name: &'a str,
    mask: u64,
}

impl Compare<'_> {
    fn equal(&self, what: &str, ours: impl TryInto<i128>, theirs: &Value) {
        let ours = ours.try_into().ok().map(|n| n & i128::from(self.mask));
        let theirs = i128::from(number(theirs) & self.mask);
        assert_eq!(ours, Some(theirs), "{}: {what}", self.name);
    }
}

/// Compares everything that both readers know.
fn compare(name: &str, source: &dyn Source, bytes: &[u8], oracle: &Value) {
    let narrow = oracle["arch"] == "x86";
    let compare = Compare { name, mask: if narrow { 0xffff_ffff } else { u64::MAX } };
    header(&compare, source, oracle);
    bugcheck(&compare, source, oracle);
    modules(&compare, source, oracle);
    unloaded(&compare, source, oracle);
    registers(&compare, source, oracle);
    exception(&compare, source, oracle);
    processors(&compare, source, oracle);
    memory(&compare, source, bytes, oracle);
}

fn dump_row(source: &dyn Source) -> DumpInfo {
    let row = source.answers().first(&Want::ALL).expect("table dump answers");
    row.expect("table dump has a row")
}

fn header(compare: &Compare<'_>, source: &dyn Source, oracle: &Value) {
    let dump = dump_row(source);
    let name = compare.name;
    assert_eq!(dump.format.as_deref(), Ok(oracle["format"].as_str().unwrap()), "{name}");
    assert_eq!(dump.arch.as_deref(), Ok(oracle["arch"].as_str().unwrap()), "{name}");
    compare.equal("build", dump.build.unwrap(), &oracle["build"]);
    compare.equal("processors", dump.processors.unwrap(), &oracle["processors"]);
    compare.equal("file_bytes", dump.file_bytes.unwrap(), &oracle["file_bytes"]);
    compare.equal("dtb", dump.dtb.unwrap(), &oracle["dtb"]);
    compare.equal("module_list", dump.module_list.unwrap(), &oracle["module_list"]);
    compare.equal("process_head", dump.process_head.unwrap(), &oracle["process_head"]);
    // A FILETIME counts 100 ns from 1601; the epoch of 1970 is 11,644,473,600 s later.
    let system_time = (number(&oracle["system_time"]) / 10).cast_signed() - 11_644_473_600_000_000;
    assert_eq!(dump.system_time, Ok(system_time), "{name}");
    let uptime = (number(&oracle["uptime"]) / 10_000).cast_signed();
    assert_eq!(dump.uptime_ms, Ok(uptime), "{name}");
    if let Some(comment) = oracle["comment"].as_str() {
        assert_eq!(dump.comment.as_deref(), Ok(comment), "{name}");
    }
    let debugger = &oracle["debugger_data"];
    if debugger.is_object() {
        compare.equal("kernel_base", dump.kernel_base.unwrap(), &debugger["kernel_base"]);
        if let Some(lab) = debugger["build_lab"].as_str() {
            assert_eq!(dump.build_lab.as_deref(), Ok(lab), "{name}");
        }
    }
}

fn bugcheck(compare: &Compare<'_>, source: &dyn Source, oracle: &Value) {
    let rows = collect(|emit| source.answers().read::<Bugcheck>(&Want::ALL, emit))
        .expect("a kernel dump has one");
    let [row] = rows.as_slice() else { panic!("{}: {} rows", compare.name, rows.len()) };
    compare.equal("code", row.code.unwrap(), &oracle["bugcheck"]);
    for (i, ours) in [row.p1, row.p2, row.p3, row.p4].into_iter().enumerate() {
        compare.equal("parameter", ours.unwrap(), &oracle["parameters"][i]);
    }
}

fn modules(compare: &Compare<'_>, source: &dyn Source, oracle: &Value) {
    let rows = collect(|emit| source.answers().read::<Module>(&Want::ALL, emit))
        .expect("drivers are listed");
    let theirs = list(&oracle["drivers"]);
    assert_eq!(rows.len(), theirs.len(), "{}: drivers", compare.name);
    for (ours, theirs) in rows.iter().zip(theirs) {
        compare.equal("base", ours.base.unwrap(), &theirs["base"]);
        compare.equal("size", ours.size_bytes.unwrap(), &theirs["size"]);
        compare.equal("timestamp", ours.timestamp.unwrap(), &theirs["timestamp"]);
        compare.equal("checksum", ours.checksum.unwrap(), &theirs["checksum"]);
        let path = theirs["path"].as_str().unwrap();
        let file = path.rsplit(['\\', '/']).next().unwrap_or(path);
        assert_eq!(ours.image_name.as_deref(), Ok(file), "{}", compare.name);
        assert_eq!(ours.path.as_deref(), Ok(path), "{}", compare.name);
    }
}

fn unloaded(compare: &Compare<'_>, source: &dyn Source, oracle: &Value) {
    let theirs = list(&oracle["unloaded"]);
    let rows = collect(|emit| source.answers().read::<UnloadedModule>(&Want::ALL, emit))
        .unwrap_or_default();
    let ours = rows.iter().map(|row| {
        (
            row.start.unwrap() & compare.mask,
            row.end.unwrap() & compare.mask,
            row.name.clone().unwrap(),
        )
    });
    let theirs = theirs.iter().map(|row| {
        (number(&row["start"]), number(&row["end"]), row["name"].as_str().unwrap().to_owned())
    });
    let (mut ours, mut theirs): (Vec<_>, Vec<_>) = (ours.collect(), theirs.collect());
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs, "{}: unloaded drivers", compare.name);
}

fn registers(compare: &Compare<'_>, source: &dyn Source, oracle: &Value) {
    let rows = collect(|emit| source.answers().read::<Register>(&Want::ALL, emit))
        .expect("a dump has registers");
    // The context of the crash comes first; other processors' may follow.
    let mut ours = BTreeMap::new();
    for row in rows {
        ours.entry(row.name.unwrap()).or_insert(row.value);
    }
    let mut common = 0;
    for (name, value) in oracle["registers"].as_object().unwrap() {
        if let Some(ours) = ours.get(name) {
            compare.equal(name, ours.unwrap(), value);
            common += 1;
        }
    }
    assert!(common >= 14, "{}: {common} registers in common: {:?}", compare.name, ours.keys());
}

fn exception(compare: &Compare<'_>, source: &dyn Source, oracle: &Value) {
    let theirs = &oracle["exception"];
    if !theirs.is_object() || theirs["code"] == 0 || theirs["code"] == 0x4547_4150 {
        return;
    }
    let rows = collect(|emit| source.answers().read::<Exception>(&Want::ALL, emit))
        .expect("there is a record");
    let found = rows.iter().any(|row| {
        row.code.map(i64::cast_unsigned) == Ok(number(&theirs["code"]))
            && row.address.map(|a| a & compare.mask) == Ok(number(&theirs["address"]))
            && row.flags.map(i64::cast_unsigned) == Ok(number(&theirs["flags"]))
    });
    // Bug checks for unhandled exceptions pass the exception that is meant: parameter 1 is its code and
    // parameter 2 its address. The header then holds the breakpoint that stopped the system.
    let passes = [0x1e, 0x3b, 0x7e, 0x8e].contains(&(number(&oracle["bugcheck"]) & 0xfff));
    let parameters: Vec<u64> = list(&oracle["parameters"]).iter().map(number).collect();
    let is_passed = passes
        && rows.iter().any(|row| {
            let code = row.code.map(|code| code.cast_unsigned() & 0xffff_ffff);
            code == Ok(parameters[0] & 0xffff_ffff)
                && row.address.map(|a| a & compare.mask) == Ok(parameters[1] & compare.mask)
        });
    assert!(found || is_passed, "{}: no row is {theirs}: {rows:?}", compare.name);
}

fn processors(compare: &Compare<'_>, source: &dyn Source, oracle: &Value) {
    let theirs = list(&oracle["debugger_data"]["processors"]);
    if theirs.is_empty() {
        return;
    }
    let rows = collect(|emit| source.answers().read::<Processor>(&Want::ALL, emit))
        .expect("there are processors");
    for theirs in theirs {
        let n = number(&theirs["number"]).cast_signed();
        let row = rows.iter().find(|row| row.processor == Ok(n));
        let row = row.unwrap_or_else(|| panic!("{}: no processor {n}", compare.name));
        compare.equal("prcb", row.prcb.unwrap(), &theirs["prcb"]);
        if !theirs["current_thread"].is_null() {
            let ours = row.current_ethread.expect("the running thread is there");
            compare.equal("current_ethread", ours, &theirs["current_thread"]);
            compare.equal("mhz", row.mhz.expect("the clock is there"), &theirs["mhz"]);
        }
    }
}

/// Every data block reads back as the bytes of the file; where blocks overlap, one of them does.
fn memory(compare: &Compare<'_>, source: &dyn Source, bytes: &[u8], oracle: &Value) {
    let part = |block: &Value| {
        let [address, offset, size] = [0, 1, 2].map(|i| number(&block[i]));
        let (offset, size) = (usize::try_from(offset).unwrap(), usize::try_from(size).unwrap());
        (address, bytes.get(offset..offset + size).unwrap_or_default())
    };
    let blocks: Vec<(u64, &[u8])> = list(&oracle["data_blocks"]).iter().map(part).collect();
    for &(address, expected) in blocks.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        let mut buffer = vec![0; expected.len()];
        let narrow = address & compare.mask;
        let read = source
            .memory()
            .read(address, &mut buffer)
            .or_else(|_| source.memory().read(narrow, &mut buffer));
        assert_eq!(read, Ok(()), "{}: {address:#x}", compare.name);
        if buffer == expected {
            continue;
        }
        let end = address + expected.len() as u64;
        let overlaps = |&(other, bytes): &(u64, &[u8])| {
            other != address && other < end && address < other + bytes.len() as u64
        };
        assert!(blocks.iter().any(overlaps), "{}: {address:#x} reads otherwise", compare.name);
    }
}

fn check(name: &str, bytes: &[u8], path: &Path) {
    let image = Image::from_bytes(name, bytes.to_vec());
    let source = dumpql::internals::source::open(image, &Store::default());
    let source = source.unwrap_or_else(|e| panic!("{name}: {e}"));
    compare(name, &*source, bytes, &oracle(path));
}

/// A file for the oracle to read, removed afterwards.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let file = format!("dumpql-{}-{name}.dmp", std::process::id());
        let path = std::env::temp_dir().join(file);
        std::fs::write(&path, bytes).expect("the temporary folder can be written");
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn check_synthetic(name: &str, bytes: &[u8]) {
    let file = Temporary::new(name, bytes);
    check(name, bytes, &file.0);
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn real_dumps_agree_with_the_oracle() {
    for path in corpus::dumps("kernel") {
        let bytes = std::fs::read(&path).expect("the corpus is readable");
        check(&path.display().to_string(), &bytes, &path);
    }
}

#[test]
fn the_sample_agrees_with_the_oracle() {
    check_synthetic("sample", &synth::triage_sample());
}

/// Registers of a 32-bit or an ARM context, enough to compare.
fn registers_of(spec: TriageSpec) -> TriageSpec {
    let names: Vec<String> = match spec.arch {
        synth::Arch::X86 => "Eip Esp Ebp Eax Ebx Ecx Edx Esi Edi SegCs SegSs SegDs SegEs EFlags"
            .split(' ')
            .map(str::to_owned)
            .collect(),
        synth::Arch::X64 => "Rip Rsp Rbp Rax Rbx Rcx Rdx Rsi Rdi R8 R9 R10 R11 R12 R13 R14 R15"
            .split(' ')
            .map(str::to_owned)
            .collect(),
        synth::Arch::Arm64 => (0..=28)
            .map(|i| format!("X{i}"))
            .chain(["Pc", "Sp", "Lr", "Fp"].map(str::to_owned))
            .collect(),
    };
    let value = |i: usize| 0x8281_0000 + 0x1_0001 * i as u64;
    let small = |name: &str| name.starts_with("Seg") || name.starts_with("EF");
    let registers = names.into_iter().enumerate();
    let registers = registers.map(|(i, name)| {
        let value = if small(&name) { 0x23 + i as u64 } else { value(i) };
        (name, value)
    });
    let exception = ExceptionRecord {
        code: 0xc000_0005,
        flags: 0,
        address: spec.kernel_base + 0x1234,
        parameters: vec![0, 0x10],
    };
    TriageSpec { registers: registers.collect(), exception: Some(exception), ..spec }
}

#[test]
fn other_architectures_agree_with_the_oracle() {
    for (name, spec) in
        [("x86", TriageSpec::x86()), ("arm64", TriageSpec::arm64()), ("x64", TriageSpec::default())]
    {
        let spec = TriageSpec {
            unloaded: vec![Unloaded {
                name: "MyAVDrv.sys".to_owned(),
                start: spec.kernel_base + 0x100_0000,
                end: spec.kernel_base + 0x100_c000,
            }],
            blocks: vec![Block { address: spec.kernel_base + 0x1000, bytes: vec![0x90; 77] }],
            stack: (0..100).map(|i| spec.kernel_base + 16 * i).collect(),
            comment: "kept for the test".to_owned(),
            ..registers_of(spec)
        };
        check_synthetic(name, &synth::triage(&spec));
    }
}

#[test]
fn dumps_with_parts_missing_agree_with_the_oracle() {
    let spec = synth::triage_sample_spec();
    let no_blocks = TriageSpec { has_data_blocks: false, ..spec.clone() };
    let no_debugger_data = TriageSpec { has_debugger_data: false, ..spec.clone() };
    let nothing = TriageSpec {
        has_debugger_data: false,
        has_data_blocks: false,
        drivers: Vec::new(),
        unloaded: Vec::new(),
        stack: Vec::new(),
        cpus: Vec::new(),
        ..spec
    };
    check_synthetic("no-blocks", &synth::triage(&no_blocks));
    check_synthetic("no-debugger-data", &synth::triage(&no_debugger_data));
    check_synthetic("nothing", &synth::triage(&nothing));
}

#[test]
fn hostile_names_are_unchanged() {
    let names = [
        r"=cmd|' /C calc'!A0",
        "+1+1.sys",
        "-2.sys",
        "@SUM(A1).sys",
        "\tTab.sys",
        "line\r\nbreak.sys",
        "\u{1b}[31mred.sys",
        "\u{202e}sys.txt",
        "quote\"comma,semi;.sys",
        "e\u{301}\u{1f4a5}\u{feff}.sys",
        "",
    ];
    let drivers = names.iter().enumerate().map(|(i, name)| Driver {
        path: format!(r"\SystemRoot\system32\drivers\{name}"),
        base: 0xffff_f801_4000_0000 + 0x1_0000 * i as u64,
        size: 0x8000,
        timestamp: 0x5000_0000,
        checksum: 7,
    });
    let spec = synth::triage_sample_spec();
    let drivers = spec.drivers.iter().cloned().chain(drivers).collect();
    check_synthetic("hostile-names", &synth::triage(&TriageSpec { drivers, ..spec }));
}

#[test]
fn five_hundred_drivers() {
    let drivers = (0..500).map(|i| Driver {
        path: format!(r"\SystemRoot\system32\drivers\drv{i:03}.sys"),
        base: 0xffff_f801_4000_0000 + 0x1_0000 * i,
        size: 0x1_0000,
        timestamp: 0x6000_0000,
        checksum: 1,
    });
    let spec = synth::triage_sample_spec();
    let drivers = spec.drivers.iter().cloned().chain(drivers).collect();
    check_synthetic("many-drivers", &synth::triage(&TriageSpec { drivers, ..spec }));
}

#[test]
fn the_oracle_agrees_with_synthetic_dumps() {
    for (name, spec) in [
        ("sample", synth::triage_sample_spec()),
        ("x86", registers_of(TriageSpec::x86())),
        ("arm64", registers_of(TriageSpec::arm64())),
    ] {
        let file = Temporary::new(&format!("made-{name}"), &synth::triage(&spec));
        let found = oracle(&file.0);
        assert_eq!(found["is_valid"], true, "{name}");
        assert_eq!(found["bugcheck"], spec.bugcheck, "{name}");
        assert_eq!(found["system_time"], spec.system_time, "{name}");
        assert_eq!(found["uptime"], spec.uptime, "{name}");
        assert_eq!(found["exception"]["code"], spec.exception.unwrap().code, "{name}");
        let registers = spec.registers.iter().map(|(register, value)| {
            let short = register.trim_start_matches("Seg").to_lowercase();
            assert_eq!(found["registers"][&short], *value, "{name} {register}");
        });
        assert!(registers.count() > 10);
        let drivers = list(&found["drivers"]);
        assert_eq!(drivers.len(), spec.drivers.len(), "{name}");
        for (ours, theirs) in spec.drivers.iter().zip(drivers) {
            assert_eq!(theirs["path"], ours.path.as_str());
            assert_eq!(theirs["base"], ours.base);
            assert_eq!(theirs["size"], ours.size);
            assert_eq!(theirs["timestamp"], ours.timestamp);
        }
        assert_eq!(list(&found["unloaded"]).len(), spec.unloaded.len(), "{name}");
        let debugger = &found["debugger_data"];
        assert_eq!(debugger["build_lab"], spec.build_lab, "{name}");
        let processors = list(&debugger["processors"]);
        assert_eq!(processors.len(), spec.cpus.len(), "{name}");
        for (ours, theirs) in spec.cpus.iter().zip(processors) {
            assert_eq!(theirs["prcb"], ours.prcb);
            assert_eq!(theirs["current_thread"], ours.threads.0);
            assert_eq!(theirs["mhz"], ours.mhz);
            assert_eq!(theirs["vendor"], ours.vendor.as_str());
        }
    }
}
