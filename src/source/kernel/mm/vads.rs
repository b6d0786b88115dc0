//! Virtual address descriptors (VADs): a tree in each process.
//!
//! Windows XP has its own kind of tree. From Windows Server 2003 to Windows 8 the root is a node
//! whose right child is the tree; since Windows 8.1 it is a pointer. A node begins with the short
//! form of a VAD (`_MMVAD_SHORT`); VADs of files and sections are longer.

use std::collections::HashSet;

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Flow, MemoryRegion, Row as _, Unanswered, Vad, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::objects::manager;
use crate::source::kernel::objects::manager::ObjectManager;
use crate::source::kernel::objects::names::Names;
use crate::source::kernel::process::list;
use crate::source::kernel::process::list::ProcessOwner;
use crate::symbol::Field;

const SHORT: &str = "_MMVAD_SHORT";
const LONG: &str = "_MMVAD";
/// Upper limit on the VADs of a process; a larger tree is damaged.
const MAX_VADS: usize = 1 << 20;
const PAGE_SHIFT: u32 = 12;
/// The lowest bits of a parent pointer hold the balance of the node.
const BALANCE: u64 = 3;
/// The eight protections in the lowest bits, by their `PAGE_` names.
const PLAIN: [&str; 8] = [
    "PAGE_NOACCESS",
    "PAGE_READONLY",
    "PAGE_EXECUTE",
    "PAGE_EXECUTE_READ",
    "PAGE_READWRITE",
    "PAGE_WRITECOPY",
    "PAGE_EXECUTE_READWRITE",
    "PAGE_EXECUTE_WRITECOPY",
];
/// The modifiers that the two bits above add.
const MODIFIERS: [Option<&str>; 4] =
    [None, Some("PAGE_NOCACHE"), Some("PAGE_GUARD"), Some("PAGE_WRITECOMBINE")];
/// `MI_VAD_TYPE`.
const KINDS: [&str; 8] = [
    "Mapped",
    "Physical",
    "Image",
    "AWE",
    "WriteWatch",
    "LargePages",
    "RotatePhysical",
    "LargePageSection",
];
const IMAGE: u64 = 2;
/// Flag bits of Windows XP, each of which is a type.
const BITS: [(&str, u64); 5] = [
    ("PhysicalMapping", 1),
    ("ImageMap", IMAGE),
    ("UserPhysicalPages", 3),
    ("WriteWatch", 4),
    ("LargePages", 5),
];

/// Where the fields of a node are.
struct Fields {
    size: usize,
    left: Option<Field>,
    right: Option<Field>,
    parent: Option<Field>,
    start: [Option<Field>; 2],
    end: [Option<Field>; 2],
    commit: [Option<Field>; 2],
    protection: Option<Field>,
    is_private: Option<Field>,
    kind: Option<Field>,
    bits: [Option<Field>; BITS.len()],
}

/// A node that was visited on the way down.
struct Node {
    address: u64,
    level: i64,
    bytes: Cell<Vec<u8>>,
}

/// The name of a protection number.
fn protection_name(number: u64) -> Cell<String> {
    let index = usize::try_from(number).map_err(|_| Absent::Unreadable)?;
    let modifier = MODIFIERS.get(index / PLAIN.len()).ok_or(Absent::Unreadable)?;
    let plain = PLAIN.get(index % PLAIN.len()).ok_or(Absent::Unreadable)?;
    Ok(match modifier {
        Some(modifier) => format!("{plain} | {modifier}"),
        None => (*plain).to_owned(),
    })
}

/// The range of a VAD as a region.
fn region(vad: Vad) -> MemoryRegion {
    let commit = vad.commit_pages.map(|pages| pages.saturating_mul(1 << PAGE_SHIFT));
    let state = vad.is_private.and_then(|is_private| match (is_private, commit?) {
        (false, _) => Ok("commit"),
        (true, 0) => Ok("reserve"),
        (true, bytes) if vad.size_bytes == Ok(bytes) => Ok("commit"),
        // Only page tables say which of its pages are committed.
        (true, _) => Err(Absent::NotApplicable),
    });
    MemoryRegion {
        eprocess: vad.eprocess,
        pid: vad.pid,
        process: vad.process,
        start: vad.start,
        end: vad.end,
        size_bytes: vad.size_bytes,
        state: state.map(str::to_owned),
        protection: vad.protection,
        kind: vad.kind.map(|kind| {
            let region = match kind.as_str() {
                "Image" => "image",
                "Private" => "private",
                _ => "mapped",
            };
            region.to_owned()
        }),
        commit_pages: vad.commit_pages,
        file: vad.file,
        ..MemoryRegion::default()
    }
}

fn vad_fields(core: &Core) -> Option<Fields> {
    let of = |paths: &[&'static str]| core.field_of(SHORT, paths);
    // Without its high part the number would be wrong.
    let wide = |low: Option<Field>, high: &'static str| match core.optional_field(SHORT, high) {
        Ok(high) => [low, high],
        Err(_) => [None, None],
    };
    Some(Fields {
        size: usize::try_from(core.size_of(SHORT)?).ok()?,
        left: of(&["VadNode.Left", "VadNode.LeftChild", "LeftChild"]),
        right: of(&["VadNode.Right", "VadNode.RightChild", "RightChild"]),
        parent: of(&["VadNode.ParentValue", "VadNode.u1.Parent", "u1.Parent", "Parent"]),
        start: wide(of(&["StartingVpn"]), "StartingVpnHigh"),
        end: wide(of(&["EndingVpn"]), "EndingVpnHigh"),
        commit: wide(
            of(&["u.VadFlags.CommitCharge", "u1.VadFlags1.CommitCharge"]),
            "CommitChargeHigh",
        ),
        protection: of(&["u.VadFlags.Protection"]),
        is_private: of(&["u.VadFlags.PrivateMemory"]),
        kind: of(&["u.VadFlags.VadType"]),
        bits: BITS.map(|(name, _)| core.types().made_up(SHORT, &format!("u.VadFlags.{name}"))),
    })
    .filter(|fields| fields.left.is_some() && fields.right.is_some())
}

/// The root of a process's tree.
pub(crate) fn vad_root(process: &Structure<'_>) -> Cell<u64> {
    let paths = ["VadRoot.Root", "VadRoot.BalancedRoot.RightChild", "VadRoot"];
    // An empty tree has a null root; that is no reason to try the other forms.
    process.pointer(paths.into_iter().find(|path| process.has(path)).unwrap_or("VadRoot"))
}

pub(crate) fn each_vad(
    core: &Core,
    objects: &ObjectManager,
    want: &Want<'_, Vad>,
    emit: Emit<'_, Vad>,
) -> Result<(), Unanswered> {
    let fields = vad_fields(core);
    let fields = fields.ok_or_else(|| Unanswered::because("no layout of _MMVAD is known"))?;
    let manager = manager::manager(core, objects)?;
    let mut names = Names::new(core, manager);
    let mut seen = HashSet::new();
    for process in list::process_objects(core) {
        let Ok(root) = vad_root(&process) else { continue };
        let owner = ProcessOwner::new(Some(&process));
        let flow = for_each_vad(core, &fields, root, &mut seen, &mut |node| {
            emit.row(vad_row(core, &fields, want, &mut names, &owner, node))
        });
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}

/// Emits the same ranges as regions. Free ranges have no rows, and a partly committed range has no
/// state.
pub(crate) fn each_region(
    core: &Core,
    objects: &ObjectManager,
    want: &Want<'_, MemoryRegion>,
    emit: Emit<'_, MemoryRegion>,
) -> Result<(), Unanswered> {
    let needed = want.has(|c| c.file).then_some(Vad::COLUMNS.file);
    let want = Want::of(needed).by(want.control());
    each_vad(core, objects, &want, &mut |vad| emit.row(region(vad)))
}

/// Visits the nodes of a tree in address order. `seen` holds the visited nodes, so that trees with
/// cycles or shared nodes end.
fn for_each_vad(
    core: &Core,
    fields: &Fields,
    root: u64,
    seen: &mut HashSet<u64>,
    visit: &mut dyn FnMut(&Node) -> Flow,
) -> Flow {
    let mut above: Vec<Node> = Vec::new();
    let mut next = (root, 0);
    let mut count = 0;
    loop {
        while next.0 != 0 && count < MAX_VADS && seen.insert(next.0) {
            count += 1;
            let (address, level) = next;
            let bytes = core.bytes(address, fields.size);
            let left = bytes.as_deref().map_or(0, |b| core.pointer_in(b, fields.left).unwrap_or(0));
            above.push(Node { address, level, bytes });
            next = (left, level + 1);
        }
        let Some(node) = above.pop() else { return Flow::Continue(()) };
        visit(&node)?;
        let right = node.bytes.as_deref().map(|b| core.pointer_in(b, fields.right).unwrap_or(0));
        next = (right.unwrap_or(0), node.level + 1);
    }
}

fn vad_row(
    core: &Core,
    fields: &Fields,
    want: &Want<'_, Vad>,
    names: &mut Names<'_>,
    owner: &ProcessOwner,
    node: &Node,
) -> Vad {
    let number = |field| node.bytes.as_deref().map_err(|e| *e).and_then(|b| core.number(b, field));
    let page = |[low, high]: [Option<Field>; 2]| {
        let bits = low.map_or(0, |field| 8 * field.size);
        let high = if high.is_some() { number(high)? } else { 0 };
        let high = high.checked_shl(u32::try_from(bits).unwrap_or(64)).unwrap_or(0);
        Ok(number(low)? | high)
    };
    let start = page(fields.start).map(|page| page << PAGE_SHIFT);
    let end = page(fields.end).map(|page| page.wrapping_add(1) << PAGE_SHIFT);
    let size = start.and_then(|start| end?.checked_sub(start).ok_or(Absent::Unreadable));
    let is_private = number(fields.is_private).map(|bit| bit != 0);
    let kind = vad_kind(core, fields, node);
    let file = match (kind, is_private) {
        (Ok(0 | IMAGE | 7), Ok(false)) if want.has(|c| c.file) => {
            vad_file(core, names, node.address)
        }
        (Err(absent), _) | (_, Err(absent)) => Err(absent),
        _ => Err(Absent::NotApplicable),
    };
    Vad {
        vad: Ok(node.address),
        eprocess: owner.eprocess,
        pid: owner.pid,
        process: owner.name.clone(),
        start,
        end,
        size_bytes: size.and_then(|n| i64::try_from(n).map_err(|_| Absent::Unreadable)),
        level: Ok(node.level),
        protection: number(fields.protection).and_then(protection_name),
        kind: kind.and_then(|kind| {
            let name = usize::try_from(kind).ok().and_then(|kind| KINDS.get(kind));
            let name = if kind == 0 && is_private? { Some(&"Private") } else { name };
            name.map(|name| (*name).to_owned()).ok_or(Absent::Unreadable)
        }),
        is_private,
        commit_pages: vad_commit(core, fields, node),
        file,
        parent: match node.level {
            0 => Err(Absent::NotApplicable),
            _ => number(fields.parent).map(|at| at & !BALANCE),
        },
        ..Vad::default()
    }
}

/// The VAD type number.
fn vad_kind(core: &Core, fields: &Fields, node: &Node) -> Cell<u64> {
    let bytes = node.bytes.as_deref().map_err(|absent| *absent)?;
    if fields.kind.is_some() {
        return core.number(bytes, fields.kind);
    }
    for (field, (_, kind)) in fields.bits.iter().zip(BITS) {
        if field.is_some() && core.number(bytes, *field)? != 0 {
            return Ok(kind);
        }
    }
    Ok(0)
}

/// The committed pages; a VAD that does not count them has all bits set.
fn vad_commit(core: &Core, fields: &Fields, node: &Node) -> Cell<i64> {
    let bytes = node.bytes.as_deref().map_err(|absent| *absent)?;
    let [low, high] = fields.commit;
    let width = low.and_then(|field| field.bits).map_or(64, |(_, len)| u32::from(len));
    let value = core.number(bytes, low)?;
    if high.is_none() && Some(value.wrapping_add(1)) == 1_u64.checked_shl(width) {
        return Err(Absent::NotApplicable);
    }
    let high = if high.is_some() { core.number(bytes, high)? } else { 0 };
    let value = high.checked_shl(width).unwrap_or(0) | value;
    i64::try_from(value).map_err(|_| Absent::Unreadable)
}

/// The file that a long-form VAD maps.
fn vad_file(core: &Core, names: &mut Names<'_>, address: u64) -> Cell<String> {
    let vad = core.structure(LONG, address);
    let area = if core.has_field(LONG, "Subsection") {
        vad.follow("Subsection", "_SUBSECTION")?.follow("ControlArea", "_CONTROL_AREA")
    } else {
        vad.follow("ControlArea", "_CONTROL_AREA")
    };
    names.mapped_file(area?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protections_have_their_page_names() {
        let name = |number| protection_name(number).unwrap();
        assert_eq!([name(4), name(1), name(7)], [PLAIN[4], PLAIN[1], PLAIN[7]]);
        assert_eq!(name(4 + 16), "PAGE_READWRITE | PAGE_GUARD");
        assert_eq!(name(6 + 8), "PAGE_EXECUTE_READWRITE | PAGE_NOCACHE");
        assert_eq!(protection_name(32), Err(Absent::Unreadable));
    }
}
