//! The tables of every user dump against the JSON of `minidump-stackwalk`: whatever both know must
//! be equal.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use dumpql::catalog::Cell;
use dumpql::dump::Image;
use dumpql::model::{Emit, Flow, Module, Register, Source, Unanswered, Want};
use dumpql::symbol::Store;
use serde_json::Value;

use crate::corpus;

/// The tool, from `DUMPQL_STACKWALK` or the search path.
fn tool() -> Option<PathBuf> {
    let path = std::env::var_os("DUMPQL_STACKWALK").map(PathBuf::from);
    let path = path.unwrap_or_else(|| "minidump-stackwalk".into());
    let found = Command::new(&path).arg("--version").output().is_ok_and(|o| o.status.success());
    if !found {
        println!(
            "SKIPPED: {} does not run; install it with `cargo install minidump-stackwalk` or set DUMPQL_STACKWALK",
            path.display()
        );
    }
    found.then_some(path)
}

/// What the tool says; `None` if it gives the dump up.
fn ask(tool: &Path, dump: &Path) -> Option<Value> {
    let output = Command::new(tool).arg("--json").arg(dump).output().expect("the tool runs");
    output.status.success().then(|| serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn rows<R>(scan: impl FnOnce(Emit<'_, R>) -> Result<(), Unanswered>) -> Vec<R> {
    let mut rows = Vec::new();
    let mut push = |row: R| -> Flow {
        rows.push(row);
        ControlFlow::Continue(())
    };
    scan(&mut push).ok();
    rows
}

/// A list of the tool; absent and null are empty.
fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::String(hex) => u64::from_str_radix(hex.strip_prefix("0x")?, 16).ok(),
        other => other.as_u64(),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, ours: Option<T>, theirs: Option<T>) {
    assert_eq!(ours, theirs, "{what}: ours left, theirs right");
}

#[test]
fn tables_agree_with_stackwalk() {
    let Some(tool) = tool() else { return };
    let mut compared = 0;
    for path in corpus::dumps("user") {
        let image = Image::open(&path).expect("the dump opens");
        let source = dumpql::source::open(image, &Store::default()).expect("the dump is taken");
        let Some(theirs) = ask(&tool, &path) else {
            println!("{}: given up by the tool", path.display());
            continue;
        };
        println!("{}", path.display());
        system(&*source, &theirs);
        threads(&*source, &theirs);
        modules(&*source, &theirs);
        unloaded(&*source, &theirs);
        exception(&*source, &theirs);
        registers(&*source, &theirs);
        handles(&*source, &theirs);
        compared += 1;
    }
    assert!(compared == 0 || compared >= 20, "only {compared} dumps were compared");
}

fn system(source: &dyn Source, theirs: &Value) {
    let ours = source.dump(&Want::ALL).expect("table dump answers");
    let system = &theirs["system_info"];
    let arch = match system["cpu_arch"].as_str() {
        Some("amd64") => Some("x64".to_owned()),
        other => other.map(str::to_owned),
    };
    same("arch", ours.arch.ok(), arch);
    same("processors", ours.processors.ok(), system["cpu_count"].as_i64());
    let os = ours.os.expect("an operating system");
    let their_os = system["os"].as_str().expect("an operating system").replace(" NT", "");
    assert!(os.starts_with(&their_os), "{os} is not {their_os}");
    if os.starts_with("Windows") {
        let version = os.trim_start_matches("Windows ");
        let build = ours.build.expect("a build");
        let pack = ours.service_pack.map(|pack| format!(" {pack}")).unwrap_or_default();
        same("os_ver", Some(format!("{version}.{build}{pack}")), text(&system["os_ver"]));
    }
    let process = rows(|emit| source.processes(&Want::ALL, emit));
    same("pid", process.first().and_then(|p| p.pid.ok()), theirs["pid"].as_i64());
    let uptime = theirs["process_uptime"].as_i64().map(|s| s * 1000);
    if uptime.is_some() {
        same("uptime", ours.uptime_ms.ok(), uptime);
    }
}

fn threads(source: &dyn Source, theirs: &Value) {
    let ours = rows(|emit| source.threads(&Want::ALL, emit));
    let theirs = list(theirs, "threads");
    assert_eq!(ours.len(), theirs.len(), "number of threads");
    for (ours, theirs) in ours.iter().zip(theirs) {
        same("tid", ours.tid.ok(), theirs["thread_id"].as_i64());
        same("thread name", ours.name.clone().ok(), text(&theirs["thread_name"]));
    }
}

fn modules(source: &dyn Source, theirs: &Value) {
    let mut ours = rows(|emit| source.modules(&Want::ALL, emit));
    ours.sort_by_key(|module| module.base);
    let mut theirs: Vec<&Value> = list(theirs, "modules").iter().collect();
    theirs.sort_by_key(|module| number(&module["base_addr"]));
    assert_eq!(ours.len(), theirs.len(), "number of modules");
    let os = source.dump(&Want::ALL).expect("table dump answers").os.expect("a system");
    for (ours, theirs) in ours.iter().zip(theirs) {
        same("base", ours.base.ok(), number(&theirs["base_addr"]));
        same("end", ours.end.ok(), number(&theirs["end_addr"]));
        same("image_name", ours.image_name.clone().ok(), text(&theirs["filename"]));
        same("version", ours.file_version.clone().ok(), text(&theirs["version"]));
        let debug_id = ours.pdb_guid.clone().ok().zip(ours.pdb_age.ok());
        let debug_id = debug_id.map(|(guid, age)| format!("{guid}{age:X}"));
        let their_id = text(&theirs["debug_id"]).filter(|id| id.bytes().any(|b| b != b'0'));
        same("debug_id", debug_id, their_id);
        if let Ok(pdb) = &ours.pdb_name {
            same("debug_file", Some(pdb.clone()), text(&theirs["debug_file"]));
        }
        if os.starts_with("Windows") {
            same("code_id", code_id(ours), text(&theirs["code_id"]));
        }
    }
}

fn code_id(module: &Module) -> Option<String> {
    Some(format!("{:08x}{:x}", module.timestamp.ok()?, module.size_bytes.ok()?))
}

fn unloaded(source: &dyn Source, theirs: &Value) {
    let ours = rows(|emit| source.unloaded_modules(&Want::ALL, emit));
    let theirs = list(theirs, "unloaded_modules");
    assert_eq!(ours.len(), theirs.len(), "number of unloaded modules");
    for theirs in theirs {
        let start = number(&theirs["base_addr"]);
        let ours = ours.iter().find(|m| m.start.ok() == start).expect("the same unloaded module");
        same("end", ours.end.ok(), number(&theirs["end_addr"]));
        same("name", ours.name.clone().ok(), text(&theirs["filename"]));
        let code_id = ours.timestamp.ok().zip(ours.size_bytes.ok());
        let code_id = code_id.map(|(time, size)| format!("{time:08x}{size:x}"));
        same("code_id", code_id, text(&theirs["code_id"]));
    }
}

fn exception(source: &dyn Source, theirs: &Value) {
    let ours = rows(|emit| source.exceptions(&Want::ALL, emit));
    let crash = &theirs["crash_info"];
    let Some(kind) = crash["type"].as_str() else {
        return assert!(ours.is_empty(), "an exception that the tool does not see");
    };
    let [ours] = ours.as_slice() else { panic!("one exception was expected") };
    if !kind.starts_with("unknown") {
        let name = ours.name.as_deref().expect("a name");
        let theirs = kind.trim_start_matches("EXCEPTION_").trim_start_matches("STATUS_");
        let name = name.trim_start_matches("EXCEPTION_").trim_start_matches("STATUS_");
        assert!(theirs.starts_with(name), "{name} is not {theirs}");
    }
    let what = [("_READ", "read of"), ("_WRITE", "write to"), ("_EXEC", "execution at")];
    let access = what.iter().find(|(end, _)| kind.ends_with(end));
    let address = match access {
        Some((_, words)) => {
            let description = ours.description.as_deref().expect("a description");
            assert!(description.starts_with(words), "{description} is not {words}");
            let address = description.rsplit(' ').next().expect("an address");
            u64::from_str_radix(address.trim_start_matches("0x"), 16).ok()
        }
        None => ours.address.ok(),
    };
    same("crash address", address, number(&crash["address"]));
    let index = crash["crashing_thread"].as_u64().and_then(|index| usize::try_from(index).ok());
    let thread = index.map(|index| &list(theirs, "threads")[index]);
    same("crashing thread", ours.tid.ok(), thread.and_then(|thread| thread["thread_id"].as_i64()));
}

fn registers(source: &dyn Source, theirs: &Value) {
    let ours = rows(|emit| source.registers(&Want::ALL, emit));
    let of = |tid: Option<i64>, name: &str| -> Option<u64> {
        let is = |r: &&Register| r.tid.ok() == tid && r.name.as_deref() == Ok(name);
        ours.iter().find(is).and_then(|r| r.value.ok())
    };
    for thread in list(theirs, "threads") {
        let tid = thread["thread_id"].as_i64();
        if let Some(frame) = list(thread, "frames").first() {
            let ip = ["rip", "eip", "pc"].iter().find_map(|name| of(tid, name));
            same("instruction pointer", ip, number(&frame["offset"]));
        }
    }
    let crashed = &theirs["crashing_thread"];
    let tid = theirs["crash_info"]["crashing_thread"].as_u64();
    let tid = tid.and_then(|index| usize::try_from(index).ok());
    let tid = tid.and_then(|index| list(theirs, "threads")[index]["thread_id"].as_i64());
    let frame = list(crashed, "frames").first();
    let registers = frame.and_then(|frame| frame["registers"].as_object());
    for (name, value) in registers.into_iter().flatten() {
        let name = if name == "eflags" { "efl" } else { name };
        same(name, of(tid, name), number(value));
    }
}

fn handles(source: &dyn Source, theirs: &Value) {
    let ours = rows(|emit| source.handles(&Want::ALL, emit));
    let theirs = list(theirs, "handles");
    assert_eq!(ours.len(), theirs.len(), "number of handles");
    let known = |cell: &Cell<String>| cell.clone().ok();
    for (ours, theirs) in ours.iter().zip(theirs) {
        same("handle", ours.handle.ok(), theirs["handle"].as_u64());
        same("type", known(&ours.object_type), text(&theirs["type_name"]).filter(|t| !t.is_empty()));
        same("name", known(&ours.name), text(&theirs["object_name"]).filter(|t| !t.is_empty()));
    }
}
