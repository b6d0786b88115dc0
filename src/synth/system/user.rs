//! User-mode structures of a process: PEB, process parameters, loader lists, TEBs.

use super::build::Builder;
use super::spec::SystemProcess;
use crate::synth::bytes::utf16;
use crate::synth::layout::Object;
use crate::synth::memory::PAGE;

/// The base of the program image on x86 and on x64.
pub(super) const PROGRAM: (u64, u64) = (0x40_0000, 0x1_4000_0000);

/// Writes the user-mode part of a process into its address space.
pub(super) fn write(builder: &mut Builder<'_>, process: &SystemProcess, session: u32) {
    if process.peb == 0 {
        return;
    }
    let dtb = process.dtb;
    let base = 0x2_0000;
    let image = if builder.version.is_64_bit() { PROGRAM.1 } else { PROGRAM.0 };
    let loader = loader(builder, process, image);
    parameters(builder, process, base);
    let mut peb = builder.new_object("_PEB");
    peb.set("ImageBaseAddress", image).set("Ldr", loader).set("ProcessParameters", base);
    let (major, minor) = builder.version.system;
    peb.set("OSMajorVersion", major.into()).set("OSMinorVersion", minor.into());
    peb.set("OSBuildNumber", builder.version.build.into()).set("SessionId", session.into());
    peb.set("ProcessHeap", 0x15_0000).set("NumberOfHeaps", 1);
    let peb = builder.finish(peb);
    builder.memory.put(dtb, process.peb, &peb);
    for thread in process.threads.iter().filter(|thread| thread.teb != 0) {
        let mut teb = builder.new_object("_TEB");
        teb.set("NtTib.Self", thread.teb).set("NtTib.StackBase", 0x13_0000);
        teb.set("NtTib.StackLimit", 0x12_d000).set("ProcessEnvironmentBlock", process.peb);
        teb.set("ClientId.UniqueProcess", process.pid).set("ClientId.UniqueThread", thread.tid);
        let teb = builder.finish(teb);
        builder.memory.put(dtb, thread.teb, &teb);
    }
}

/// Fills in a string whose text is in the process.
fn string(
    builder: &mut Builder<'_>,
    dtb: u64,
    object: &mut Object<'_>,
    (path, text): (&str, &str),
    next: &mut u64,
) {
    let bytes = utf16(text);
    builder.memory.put(dtb, *next, &[bytes.as_slice(), &[0, 0]].concat());
    object.set(&format!("{path}.Length"), bytes.len() as u64);
    object.set(&format!("{path}.MaximumLength"), bytes.len() as u64 + 2);
    object.set(&format!("{path}.Buffer"), *next);
    *next = (*next + bytes.len() as u64 + 2).next_multiple_of(8);
}

fn parameters(builder: &mut Builder<'_>, process: &SystemProcess, at: u64) {
    let dtb = process.dtb;
    let environment = at - 2 * PAGE;
    let session = if process.session == Some(0) { "Services" } else { "Console" };
    let variables = [
        "ComSpec=C:\\WINDOWS\\system32\\cmd.exe".to_owned(),
        format!("SESSIONNAME={session}"),
        "SystemRoot=C:\\WINDOWS".to_owned(),
        "USERDOMAIN=CONTOSO".to_owned(),
        "USERNAME=operator".to_owned(),
    ];
    let text: String = variables.iter().flat_map(|text| [text.as_str(), "\0"]).collect();
    let text = utf16(&(text + "\0"));
    builder.memory.put(dtb, environment, &text);
    let mut object = builder.new_object("_RTL_USER_PROCESS_PARAMETERS");
    object.set("MaximumLength", PAGE).set("Length", PAGE).set("Flags", 1);
    object.set("Environment", environment).opt("EnvironmentSize", text.len() as u64);
    let mut next = at + 0x500;
    string(builder, dtb, &mut object, ("ImagePathName", &user_path(&process.path)), &mut next);
    string(builder, dtb, &mut object, ("CommandLine", &process.command_line), &mut next);
    let folder = ("CurrentDirectory.DosPath", "C:\\WINDOWS\\system32\\");
    string(builder, dtb, &mut object, folder, &mut next);
    string(builder, dtb, &mut object, ("WindowTitle", &process.name), &mut next);
    let bytes = builder.finish(object);
    // The first texts follow the fields that are written; the rest of the structure is not used.
    builder.memory.put(dtb, at, &bytes[..bytes.len().min(0x500)]);
}

/// Converts a kernel path to the form that programs use.
fn user_path(path: &str) -> String {
    path.replacen(r"\Device\HarddiskVolume1", "C:", 1)
}

/// Writes the loader lists: the program and ntdll.
fn loader(builder: &mut Builder<'_>, process: &SystemProcess, image: u64) -> u64 {
    let (dtb, at, width) = (process.dtb, 0x25_1ea0, builder.width());
    let ntdll = builder.version.ntdll();
    let path = user_path(&process.path);
    let name = path.rsplit('\\').next().unwrap_or_default().to_owned();
    let modules = [
        (image, 0x3_4000, path, name),
        (ntdll, 0x1c_0000, r"C:\WINDOWS\system32\ntdll.dll".to_owned(), "ntdll.dll".to_owned()),
    ];
    let size = builder.layout.size("_LDR_DATA_TABLE_ENTRY") as u64;
    let mut entries = Vec::new();
    let mut next = at + 0x1000;
    for (i, (base, length, path, name)) in modules.into_iter().enumerate() {
        let entry = at + 0x100 + i as u64 * (size + 0x20).next_multiple_of(0x10);
        let mut object = builder.new_object("_LDR_DATA_TABLE_ENTRY");
        object.set("DllBase", base).set("SizeOfImage", length).set("EntryPoint", base + 0x1000);
        string(builder, dtb, &mut object, ("FullDllName", &path), &mut next);
        string(builder, dtb, &mut object, ("BaseDllName", &name), &mut next);
        let bytes = builder.finish(object);
        builder.memory.put(dtb, entry, &bytes);
        builder.memory.put(dtb, base, b"MZ");
        entries.push(entry);
    }
    let mut data = builder.new_object("_PEB_LDR_DATA");
    data.set("Length", 0x28).set("Initialized", 1);
    let bytes = builder.finish(data);
    builder.memory.put(dtb, at, &bytes);
    for list in ["InLoadOrder", "InMemoryOrder", "InInitializationOrder"] {
        let head = at + builder.offset("_PEB_LDR_DATA", &format!("{list}ModuleList"));
        let link = builder.offset("_LDR_DATA_TABLE_ENTRY", &format!("{list}Links"));
        let mut last = head;
        for to in entries.iter().map(|entry| entry + link).chain(std::iter::once(head)) {
            let width = usize::try_from(width).unwrap_or(8);
            builder.memory.put(dtb, last, &to.to_le_bytes()[..width]);
            builder.memory.put(dtb, to + width as u64, &last.to_le_bytes()[..width]);
            last = to;
        }
    }
    at
}
