//! The tables of every user dump against the JSON of `minidump-stackwalk`: values that both have
//! must be equal.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use dumpql::internals::catalog::Cell;
use dumpql::internals::dump::Image;
use dumpql::internals::model::{
    DumpInfo, Emit, Exception, Flow, Frame, Handle, Module, Process, Register, Source, StackWord,
    Thread, Unanswered, UnloadedModule, Want,
};
use dumpql::internals::symbol::Store;
use dumpql::internals::unwind::{Cpu, follows_call};
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

/// What differs, so that one run shows all of it.
#[derive(Default)]
struct Differences(RefCell<Vec<String>>);

impl Differences {
    #[allow(clippy::needless_pass_by_value, reason = "values are made for the call")]
    fn same<T: PartialEq + Debug>(&self, what: &str, ours: Option<T>, theirs: Option<T>) {
        if ours != theirs {
            self.0.borrow_mut().push(format!("{what}: {ours:?} here, {theirs:?} there"));
        }
    }

    fn holds(&self, what: &str, is_so: bool) {
        if !is_so {
            self.0.borrow_mut().push(what.to_owned());
        }
    }
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS) and minidump-stackwalk (DUMPQL_STACKWALK)"]
fn tables_agree_with_stackwalk() {
    let Some(tool) = tool() else { return };
    let (mut compared, mut equal) = (0, 0);
    let mut wrong = Vec::new();
    for path in corpus::dumps("user") {
        let image = Image::open(&path).expect("the dump opens");
        let source =
            dumpql::internals::source::open(image, &Store::default()).expect("the dump is taken");
        let Some(theirs) = ask(&tool, &path) else {
            println!("{}: given up by the tool", path.display());
            continue;
        };
        let diff = Differences::default();
        system(&diff, &*source, &theirs);
        threads(&diff, &*source, &theirs);
        modules(&diff, &*source, &theirs);
        unloaded(&diff, &*source, &theirs);
        exception(&diff, &*source, &theirs);
        registers(&diff, &*source, &theirs);
        handles(&diff, &*source, &theirs);
        equal += stacks(&diff, &*source, &theirs);
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        wrong.extend(diff.0.into_inner().into_iter().map(|line| format!("{file}: {line}")));
        compared += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared == 0 || compared >= 20, "only {compared} dumps were compared");
    assert!(compared == 0 || equal >= 50, "only {equal} stacks are the same");
}

fn dump_row(source: &dyn Source) -> DumpInfo {
    let row = source.answers().first(&Want::ALL).expect("table dump answers");
    row.expect("table dump has a row")
}

fn system(diff: &Differences, source: &dyn Source, theirs: &Value) {
    let ours = dump_row(source);
    let system = &theirs["system_info"];
    let arch = match system["cpu_arch"].as_str() {
        Some("amd64") => Some("x64".to_owned()),
        other => other.map(str::to_owned),
    };
    diff.same("arch", ours.arch.ok(), arch);
    diff.same("processors", ours.processors.ok(), system["cpu_count"].as_i64());
    let os = ours.os.expect("an operating system");
    let their_os = system["os"].as_str().expect("an operating system").replace(" NT", "");
    diff.holds(&format!("{os} is not {their_os}"), os.starts_with(&their_os));
    if os.starts_with("Windows") {
        let version = os.trim_start_matches("Windows ");
        let build = ours.build.expect("a build");
        let pack = ours.service_pack.map(|pack| format!(" {pack}")).unwrap_or_default();
        diff.same("os_ver", Some(format!("{version}.{build}{pack}")), text(&system["os_ver"]));
    }
    let process = rows(|emit| source.answers().read::<Process>(&Want::ALL, emit));
    diff.same("pid", process.first().and_then(|p| p.pid.ok()), theirs["pid"].as_i64());
    let uptime = theirs["process_uptime"].as_i64().map(|s| s * 1000);
    if uptime.is_some() {
        diff.same("uptime", ours.uptime_ms.ok(), uptime);
    }
}

fn threads(diff: &Differences, source: &dyn Source, theirs: &Value) {
    let ours = rows(|emit| source.answers().read::<Thread>(&Want::ALL, emit));
    let theirs = list(theirs, "threads");
    diff.same("number of threads", Some(ours.len()), Some(theirs.len()));
    for (ours, theirs) in ours.iter().zip(theirs) {
        diff.same("tid", ours.tid.ok(), theirs["thread_id"].as_i64());
        diff.same("thread name", ours.name.clone().ok(), text(&theirs["thread_name"]));
    }
}

fn modules(diff: &Differences, source: &dyn Source, theirs: &Value) {
    let mut ours = rows(|emit| source.answers().read::<Module>(&Want::ALL, emit));
    ours.sort_by_key(|module| module.base);
    let mut theirs: Vec<&Value> = list(theirs, "modules").iter().collect();
    theirs.sort_by_key(|module| number(&module["base_addr"]));
    diff.same("number of modules", Some(ours.len()), Some(theirs.len()));
    let os = dump_row(source).os.expect("a system");
    for (ours, theirs) in ours.iter().zip(theirs) {
        diff.same("base", ours.base.ok(), number(&theirs["base_addr"]));
        diff.same("end", ours.end.ok(), number(&theirs["end_addr"]));
        diff.same("image_name", ours.image_name.clone().ok(), text(&theirs["filename"]));
        diff.same("version", ours.file_version.clone().ok(), text(&theirs["version"]));
        let debug_id = ours.pdb_guid.clone().ok().zip(ours.pdb_age.ok());
        let debug_id = debug_id.map(|(guid, age)| format!("{guid}{age:x}"));
        let their_id = text(&theirs["debug_id"]).filter(|id| id.bytes().any(|b| b != b'0'));
        diff.same("debug_id", debug_id, their_id);
        if let Ok(pdb) = &ours.pdb_name {
            diff.same("debug_file", Some(pdb.clone()), text(&theirs["debug_file"]));
        }
        if os.starts_with("Windows") {
            diff.same("code_id", code_id(ours), text(&theirs["code_id"]));
        }
    }
}

fn code_id(module: &Module) -> Option<String> {
    Some(format!("{:08x}{:x}", module.timestamp.ok()?, module.size_bytes.ok()?))
}

fn unloaded(diff: &Differences, source: &dyn Source, theirs: &Value) {
    let ours = rows(|emit| source.answers().read::<UnloadedModule>(&Want::ALL, emit));
    let theirs = list(theirs, "unloaded_modules");
    diff.same("number of unloaded modules", Some(ours.len()), Some(theirs.len()));
    for theirs in theirs {
        let start = number(&theirs["base_addr"]);
        let ours = ours.iter().find(|m| m.start.ok() == start).expect("the same unloaded module");
        diff.same("end", ours.end.ok(), number(&theirs["end_addr"]));
        diff.same("name", ours.name.clone().ok(), text(&theirs["filename"]));
        let code_id = ours.timestamp.ok().zip(ours.size_bytes.ok());
        let code_id = code_id.map(|(time, size)| format!("{time:08x}{size:x}"));
        diff.same("code_id", code_id, text(&theirs["code_id"]));
    }
}

fn exception(diff: &Differences, source: &dyn Source, theirs: &Value) {
    let ours = rows(|emit| source.answers().read::<Exception>(&Want::ALL, emit));
    let crash = &theirs["crash_info"];
    let Some(kind) = crash["type"].as_str() else {
        return assert!(ours.is_empty(), "an exception that the tool does not see");
    };
    let [ours] = ours.as_slice() else { panic!("one exception was expected") };
    if !kind.starts_with("unknown") {
        let name = ours.name.as_deref().expect("a name");
        let theirs = kind.trim_start_matches("EXCEPTION_").trim_start_matches("STATUS_");
        let name = name.trim_start_matches("EXCEPTION_").trim_start_matches("STATUS_");
        diff.holds(&format!("{name} is not {theirs}"), theirs.starts_with(name));
    }
    let what = [("_READ", "read of"), ("_WRITE", "write to"), ("_EXEC", "execution at")];
    let access = what.iter().find(|(end, _)| kind.ends_with(end));
    let address = match access {
        Some((_, words)) => {
            let description = ours.description.as_deref().expect("a description");
            diff.holds(&format!("{description} is not {words}"), description.starts_with(words));
            let address = description.rsplit(' ').next().expect("an address");
            u64::from_str_radix(address.trim_start_matches("0x"), 16).ok()
        }
        None => ours.address.ok(),
    };
    diff.same("crash address", address, number(&crash["address"]));
    let index = crash["crashing_thread"].as_u64().and_then(|index| usize::try_from(index).ok());
    let thread = index.map(|index| &list(theirs, "threads")[index]);
    diff.same(
        "crashing thread",
        ours.tid.ok(),
        thread.and_then(|thread| thread["thread_id"].as_i64()),
    );
}

fn registers(diff: &Differences, source: &dyn Source, theirs: &Value) {
    let ours = rows(|emit| source.answers().read::<Register>(&Want::ALL, emit));
    let of = |tid: Option<i64>, name: &str| -> Option<u64> {
        let is = |r: &&Register| r.tid.ok() == tid && r.name.as_deref() == Ok(name);
        ours.iter().find(is).and_then(|r| r.value.ok())
    };
    for thread in list(theirs, "threads") {
        let tid = thread["thread_id"].as_i64();
        if let Some(frame) = list(thread, "frames").first() {
            let ip = ["rip", "eip", "pc"].iter().find_map(|name| of(tid, name));
            diff.same("instruction pointer", ip, number(&frame["offset"]));
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
        diff.same(name, of(tid, name), number(value));
    }
}

fn handles(diff: &Differences, source: &dyn Source, theirs: &Value) {
    let ours = rows(|emit| source.answers().read::<Handle>(&Want::ALL, emit));
    let theirs = list(theirs, "handles");
    diff.same("number of handles", Some(ours.len()), Some(theirs.len()));
    let known = |cell: &Cell<String>| cell.clone().ok();
    for (ours, theirs) in ours.iter().zip(theirs) {
        diff.same("handle", ours.handle.ok(), theirs["handle"].as_u64());
        diff.same(
            "type",
            known(&ours.object_type),
            text(&theirs["type_name"]).filter(|t| !t.is_empty()),
        );
        diff.same(
            "name",
            known(&ours.name),
            text(&theirs["object_name"]).filter(|t| !t.is_empty()),
        );
    }
}

/// Compares the stacks, and counts those that are the same.
///
/// The tool looks at no code: it takes every word that lies in a module for a return address, and
/// sees no frame of a function that has just begun or is about to return.
fn stacks(diff: &Differences, source: &dyn Source, theirs: &Value) -> usize {
    let ours = rows(|emit| source.answers().read::<Frame>(&Want::ALL, emit));
    let arch = source.machine().arch;
    let mut equal = 0;
    for thread in list(theirs, "threads") {
        let tid = thread["thread_id"].as_i64();
        let frames = list(thread, "frames");
        let mine: Vec<&Frame> = ours.iter().filter(|frame| frame.tid.ok() == tid).collect();
        // The tool leaves the thread out that wrote the dump, and follows frame pointers in 64-bit
        // code of Windows, which has none.
        let is_chained = frames.iter().any(|frame| frame["trust"] == "frame_pointer");
        let is_windows = theirs["system_info"]["os"] == "Windows NT";
        if frames.is_empty() || arch == "x64" && is_chained && is_windows {
            continue;
        }
        let has_tables = arch == "x64" && mine.iter().any(|f| f.trust.as_deref() == Ok("unwind"));
        let places = |ips: Vec<u64>| format!("thread {tid:?}: {ips:x?}");
        let tool: Vec<u64> = frames
            .iter()
            .filter(|frame| frame["trust"] != "scan" || may_return(source, frame))
            .filter_map(|frame| number(&frame["offset"]))
            .collect();
        let mine: Vec<u64> = mine
            .iter()
            .enumerate()
            .filter(|(_, frame)| frame.trust.as_deref() != Ok("unwind"))
            // The tool shows the last byte of the call.
            .filter_map(|(i, frame)| frame.ip.ok()?.checked_sub(u64::from(i > 0)))
            .collect();
        equal += usize::from(mine == tool);
        let both = if has_tables { 1 } else { mine.len().min(tool.len()) };
        diff.same("frames", Some(places(mine[..both].into())), Some(places(tool[..both].into())));
    }
    equal
}

/// The words of a stack begin at its pointer, and equal stacks have equal numbers.
#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn words_and_numbers_of_the_stacks_of_user_dumps() {
    let mut shared = 0;
    for path in corpus::dumps("user") {
        let image = Image::open(&path).expect("the dump opens");
        let source =
            dumpql::internals::source::open(image, &Store::default()).expect("the dump is taken");
        let words = rows(|emit| source.answers().read::<StackWord>(&Want::ALL, emit));
        let frames = rows(|emit| source.answers().read::<Frame>(&Want::ALL, emit));
        let mut stacks: BTreeMap<Vec<String>, u64> = BTreeMap::new();
        for thread in rows(|emit| source.answers().read::<Thread>(&Want::ALL, emit)) {
            let is_mine = |tid: &Cell<i64>| *tid == thread.tid;
            let first = words.iter().find(|word| is_mine(&word.tid));
            assert!(first.is_none_or(|first| {
                first.address.unwrap() - thread.stack_pointer.unwrap() < 8
            }));
            let calls: Vec<&Frame> = frames.iter().filter(|frame| is_mine(&frame.tid)).collect();
            let Ok(id) = thread.stack_id else {
                assert!(calls.is_empty(), "{}: a stack without a number", path.display());
                continue;
            };
            // Every call that is found on the stack is among its words.
            for frame in calls.iter().skip(1).filter(|f| f.trust.as_deref() == Ok("scan")) {
                let word = words.iter().find(|w| is_mine(&w.tid) && w.value == frame.ip);
                assert_eq!(word.map(|word| word.is_return_address), Some(Ok(true)));
            }
            if calls.iter().any(|frame| frame.module.is_err()) {
                continue;
            }
            let place = |frame: &&Frame| frame.symbol.clone().unwrap();
            let known = stacks.entry(calls.iter().map(place).collect()).or_insert(id);
            shared += usize::from(*known == id) - usize::from(calls.is_empty());
            assert_eq!(*known, id, "{}", path.display());
        }
        let mut ids: Vec<u64> = stacks.values().copied().collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), stacks.len(), "{}: other stacks, other numbers", path.display());
    }
    assert!(shared == 0 || shared > 50, "only {shared} stacks have numbers");
}

/// Whether the code at a frame does not say that no call stands before it.
fn may_return(source: &dyn Source, frame: &Value) -> bool {
    let (Some(last), Some(offset)) = (number(&frame["offset"]), number(&frame["module_offset"]))
    else {
        return true;
    };
    let cpu = match source.machine().arch {
        "x86" => Cpu::X86,
        _ => Cpu::X64,
    };
    let mut code = [0; 7];
    let is_read = source.memory().read(last - 6, &mut code).is_ok();
    offset + 1 >= 0x1000 && (!is_read || follows_call(cpu, &code))
}
