//! Processes: their structures, handle tables and memory ranges (VADs).

use super::bodies;
use super::build::Builder;
use super::objects::{Objects, Wanted};
use super::spec::{SystemProcess, Vad};
use super::threads::Links;
use crate::synth::layout::Object;

/// Writes a process, and links its threads into it.
pub(super) fn write(
    builder: &mut Builder<'_>,
    objects: &mut Objects,
    links: &Links,
    process: &mut SystemProcess,
    session: u64,
) {
    let at = process.eprocess;
    if process.pid != 0 && process.exit_time == 0 {
        process.object_table = handle_table(builder, objects, links, process);
    }
    let mut object = builder.new_object("_EPROCESS");
    object.set("Pcb.Header.Type", 3).set("Pcb.Header.Size", 0x1e);
    object.empty_list("Pcb.Header.WaitListHead", at).empty_list("Pcb.ReadyListHead", at);
    object
        .set("Pcb.DirectoryTableBase", process.dtb)
        .set("Pcb.BasePriority", process.base_priority);
    if builder.layout.is_array("_KPROCESS", "DirectoryTableBase") {
        // The second one is that of hyperspace.
        object.set("Pcb.DirectoryTableBase[1]", process.dtb + 0x1000);
    }
    object.set_any(&["Pcb.KernelTime", "Pcb.KernelTimeLow"], process.ticks.0);
    object.set_any(&["Pcb.UserTime", "Pcb.UserTimeLow"], process.ticks.1);
    object.set("UniqueProcessId", process.pid).set("InheritedFromUniqueProcessId", process.ppid);
    let mut name: Vec<u8> = process.name.bytes().take(15).collect();
    name.resize(15, 0);
    object.put("ImageFileName", &name);
    object.set("CreateTime", process.create_time).set("ExitTime", process.exit_time);
    object.set("Peb", process.peb).set("ObjectTable", process.object_table);
    let alive = if process.exit_time == 0 { process.threads.len() as u64 } else { 0 };
    object.set("ActiveThreads", alive).set("Session", session);
    let references = if process.token == 0 {
        0
    } else if builder.version.is_64_bit() {
        15
    } else {
        7
    };
    object.set("Token", process.token | references).set("PriorityClass", 2);
    quotas(builder, &mut object, process);
    if process.is_wow64 {
        object.set_any(&["WoW64Process", "Wow64Process"], process.peb + 0x1000);
    }
    object.opt("ProcessInSession", u64::from(session != 0));
    object.opt("ProcessExiting", u64::from(process.exit_time != 0));
    object.opt("ProcessDelete", u64::from(process.exit_time != 0));
    if !process.path.is_empty() {
        let text = builder.pool(true, *b"SeNm", 18 + 2 * process.path.len() as u64);
        let bytes = builder.string_bytes(text, &process.path);
        builder.put(text, &bytes);
        object.set("SeAuditProcessCreationInfo.ImageFileName", text);
    }
    vads(builder, objects, &mut object, process);
    builder.place(at, object);
    link_threads(builder, process);
}

fn quotas(builder: &Builder<'_>, object: &mut Object<'_>, process: &SystemProcess) {
    let (working_set, peak, private, commit) = process.pages;
    object.set("VirtualSize", process.virtual_bytes);
    object.set("PeakVirtualSize", process.virtual_bytes + 0x10_0000);
    object.set("CommitCharge", commit).set("CommitChargePeak", commit + 16);
    object.set("NumberOfPrivatePages", private);
    let fields = [
        ("WorkingSetSize", working_set),
        ("PeakWorkingSetSize", peak),
        ("PageFaultCount", process.page_faults),
    ];
    for (field, value) in fields {
        let shapes = ["Vm.Instance.", "Vm."].map(|shape| format!("{shape}{field}"));
        let found = shapes.iter().find(|path| builder.layout.has("_EPROCESS", path));
        object.set(found.unwrap_or(&shapes[1]), value);
    }
    let quota = if builder.layout.has("_EPROCESS", "QuotaUsage") {
        ["QuotaUsage[0]", "QuotaUsage[1]"]
    } else {
        ["ProcessQuotaUsage[0]", "ProcessQuotaUsage[1]"]
    };
    object.set(quota[0], 0x1000 + process.pid * 8).set(quota[1], 0x8000 + process.pid * 16);
}

fn link_threads(builder: &mut Builder<'_>, process: &SystemProcess) {
    let threads = || process.threads.iter().map(|thread| thread.ethread);
    let inner = builder.offset("_KTHREAD", "ThreadListEntry");
    let head = builder.offset("_EPROCESS", "Pcb.ThreadListHead");
    builder.link(process.eprocess + head, &threads().map(|at| at + inner).collect::<Vec<_>>());
    let outer = builder.offset("_ETHREAD", "ThreadListEntry");
    let head = builder.offset("_EPROCESS", "ThreadListHead");
    builder.link(process.eprocess + head, &threads().map(|at| at + outer).collect::<Vec<_>>());
}

/// Creates the handle table of a process.
fn handle_table(
    builder: &mut Builder<'_>,
    objects: &mut Objects,
    links: &Links,
    process: &mut SystemProcess,
) -> u64 {
    let header = builder.offset("_OBJECT_HEADER", "Body");
    let mut entries = Vec::new();
    for handle in &mut process.handles {
        let Some((object, _)) = links.object(objects, &handle.object) else { continue };
        handle.address = object;
        objects.opened(object);
        entries.push((handle.value, object - header, handle.access));
    }
    table(builder, &entries, process.eprocess, process.pid)
}

/// Creates a handle table from handle values, objects and granted access.
pub(super) fn table(
    builder: &mut Builder<'_>,
    entries: &[(u64, u64, u64)],
    owner: u64,
    pid: u64,
) -> u64 {
    let size = builder.layout.size("_HANDLE_TABLE_ENTRY").max(1) as u64;
    let each = 0x1000 / size;
    let highest = entries.iter().map(|entry| entry.0).max().unwrap_or(0) / 4;
    let pages = highest / each + 1;
    let leaves: Vec<u64> = (0..pages).map(|_| builder.pool(true, *b"Obtb", 0x1000)).collect();
    for leaf in &leaves {
        builder.put(*leaf, &[0; 0x1000]);
    }
    let is_packed = builder.layout.has("_HANDLE_TABLE_ENTRY", "ObjectPointerBits");
    for (handle, target, access) in entries {
        let index = handle / 4;
        let mut entry = builder.new_object("_HANDLE_TABLE_ENTRY");
        if is_packed {
            let shift = if builder.version.is_64_bit() { 4 } else { 3 };
            entry.set("Unlocked", 1).set("RefCnt", 0x3f).set("ObjectPointerBits", target >> shift);
            entry.set("GrantedAccessBits", *access);
        } else {
            entry.set("Object", target | 1).set("GrantedAccess", *access);
        }
        builder
            .place(leaves[usize::try_from(index / each).unwrap_or(0)] + index % each * size, entry);
    }
    let width = builder.width();
    let mut level = 0;
    let mut pages_of_level = leaves;
    while pages_of_level.len() > 1 {
        let per_page = usize::try_from(0x1000 / width).unwrap_or(512);
        let above = pages_of_level.chunks(per_page).map(|pages| page_of(builder, pages));
        pages_of_level = above.collect();
        level += 1;
    }
    let code = pages_of_level.first().copied().unwrap_or(0) | level;
    let at = builder.pool(true, *b"Obtb", builder.layout.size("_HANDLE_TABLE") as u64);
    let mut table = builder.new_object("_HANDLE_TABLE");
    table.set("TableCode", code).set("QuotaProcess", owner).set("UniqueProcessId", pid);
    table.opt("HandleCount", entries.len() as u64).empty_list("HandleTableList", at);
    // Since build 9200 the count is kept with each list of free handles.
    table.opt("FreeLists[0].HandleCount", entries.len() as u64);
    table.set("NextHandleNeedingPool", pages * each * 4);
    builder.place(at, table);
    at
}

/// A page of a handle table that points to others.
fn page_of(builder: &mut Builder<'_>, pages: &[u64]) -> u64 {
    let at = builder.pool(true, *b"Obtb", 0x1000);
    builder.put(at, &[0; 0x1000]);
    let width = builder.width();
    for (i, page) in pages.iter().enumerate() {
        builder.put_pointer(at + i as u64 * width, *page);
    }
    at
}

/// Writes the VAD tree of a process.
fn vads(
    builder: &mut Builder<'_>,
    objects: &Objects,
    object: &mut Object<'_>,
    process: &SystemProcess,
) {
    let is_wide = builder.layout.has("_MMVAD", "Core");
    let root = tree(builder, objects, &process.vads, 0, is_wide);
    let count = process.vads.len() as u64;
    let root_at = object.address("VadRoot", process.eprocess);
    if builder.layout.has("_EPROCESS", "VadRoot.BalancedRoot") {
        object.set("VadRoot.BalancedRoot.RightChild", root.0);
        object.set("VadRoot.BalancedRoot.u1.Parent", root_at);
        object.opt("VadRoot.NumberGenericTableElements", count);
        object.opt("VadRoot.DepthOfTree", root.1);
        parent(builder, root.0, root_at);
    } else if !builder.layout.has("_EPROCESS", "VadRoot.Root") {
        // Windows XP points to the root itself.
        object.set("VadRoot", root.0);
    } else {
        object.set("VadRoot.Root", root.0).opt("VadCount", count);
    }
}

/// The field names of the links of a node in different versions: left, right, parent.
const LINKS: [&[&str]; 3] = [
    &["VadNode.Left", "VadNode.LeftChild", "LeftChild"],
    &["VadNode.Right", "VadNode.RightChild", "RightChild"],
    &["VadNode.ParentValue", "VadNode.u1.Parent", "u1.Parent", "Parent"],
];

/// The field name of a link in this version.
fn link(builder: &Builder<'_>, names: &'static [&'static str]) -> &'static str {
    let found = names.iter().find(|path| builder.layout.has("_MMVAD_SHORT", path));
    found.unwrap_or(&names[0])
}

fn parent(builder: &mut Builder<'_>, node: u64, parent: u64) {
    if node == 0 {
        return;
    }
    let path = link(builder, LINKS[2]);
    let at = builder.offset("_MMVAD_SHORT", path);
    builder.put_pointer(node + at, parent);
}

/// The root of a VAD tree over some ranges, and its depth.
fn tree(
    builder: &mut Builder<'_>,
    objects: &Objects,
    vads: &[Vad],
    depth: u64,
    is_wide: bool,
) -> (u64, u64) {
    let Some(vad) = vads.get(vads.len() / 2) else { return (0, depth) };
    let (before, after) = vads.split_at(vads.len() / 2);
    let left = tree(builder, objects, before, depth + 1, is_wide);
    let right = tree(builder, objects, &after[1..], depth + 1, is_wide);
    let is_short = vad.is_private;
    let name = if is_short { "_MMVAD_SHORT" } else { "_MMVAD" };
    let tag = if is_short { *b"VadS" } else { *b"Vad " };
    let at = builder.pool(false, tag, builder.layout.size(name) as u64);
    let mut node = builder.new_object(name);
    let core = if is_wide && !is_short { "Core." } else { "" };
    let path = |field: &str| format!("{core}{field}");
    node.set(&path(link(builder, LINKS[0])), left.0);
    node.set(&path(link(builder, LINKS[1])), right.0);
    let (first, last) = (vad.start >> 12, (vad.end >> 12) - 1);
    node.set(&path("StartingVpn"), first).set(&path("EndingVpn"), last);
    node.opt(&path("StartingVpnHigh"), first >> 32).opt(&path("EndingVpnHigh"), last >> 32);
    node.set(&path("u.VadFlags.Protection"), vad.protection);
    node.set(&path("u.VadFlags.PrivateMemory"), u64::from(vad.is_private));
    node.opt(&path("u.VadFlags.VadType"), vad.kind);
    node.opt(&path("u.VadFlags.ImageMap"), u64::from(vad.kind == 2));
    node.opt(&path("u.VadFlags.CommitCharge"), vad.commit);
    node.opt(&path("u1.VadFlags1.CommitCharge"), vad.commit);
    if !is_short {
        let area = bodies::control_area(builder, objects, &vad.file);
        node.opt("ControlArea", area.0).opt("Subsection", area.1);
    }
    builder.place(at, node);
    parent(builder, left.0, at);
    parent(builder, right.0, at);
    (at, left.1.max(right.1))
}

/// Creates the primary token of a process.
pub(super) fn token(builder: &mut Builder<'_>, objects: &mut Objects) -> u64 {
    objects.make(builder, &Wanted { kind: "Token", size: 0x400, path: "", address: 0 })
}
