//! Handle tables: trees of up to three levels whose leaves are pages of handle table entries.
//!
//! An entry points to an object header. Before Windows 8 only the lowest bits of the pointer are
//! flags; since then the pointer shares its word with flags and counts. The first entry of each
//! page is reserved.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::catalog::{Absent, Cell};
use crate::dump::bytes::unsigned_at;
use crate::model::{Emit, Flow, Handle, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::core::types::PROCESS;
use crate::source::kernel::objects::manager;
use crate::source::kernel::objects::manager::{Manager, ObjectManager};
use crate::source::kernel::objects::names::Names;
use crate::source::kernel::process::list;
use crate::source::kernel::process::list::ProcessOwner;
use crate::symbol::Field;

const TABLE: &str = "_HANDLE_TABLE";
const ENTRY: &str = "_HANDLE_TABLE_ENTRY";
const PAGE: usize = 0x1000;
/// Bits of the table code that give the number of levels above the leaves.
const LEVELS: u64 = 3;
const MAX_LEVELS: u64 = 2;
/// The step between handle values.
const STEP: u64 = 4;
/// Upper limit on the entry pages of a process (`0x1000000` handles).
const MAX_LEAVES: usize = 0x1_0000;
/// Upper limit on the list of handle tables.
const MAX_TABLES: usize = 1 << 18;
/// In an early entry, the bits that are not part of the pointer.
const FLAGS: u64 = 7;
/// `OBJ_INHERIT` and `OBJ_AUDIT_OBJECT_CLOSE`, at the same bits in an early entry.
const ATTRIBUTES: u64 = 6;
/// `OBJ_PROTECT_CLOSE`, and the bit of the access mask where an early entry keeps it.
const PROTECT: u64 = 1;
const ACCESS_PROTECT: u64 = 0x0200_0000;

/// How entries store their object pointer and access mask.
enum EntryShape {
    /// A pointer with flags in its lowest bits, and an access mask.
    Plain { object: Field, access: Field },
    /// A bit field with some bits of the pointer: `below` low bits are omitted and the pointer is
    /// `width` bits wide.
    Packed { object: Field, below: u32, width: u32, access: Field },
}

/// How to read the handle tables of a kernel.
struct Tables {
    size: usize,
    shape: EntryShape,
    attributes: Option<Field>,
    protect: Option<Field>,
}

/// An entry that is in use.
struct Opened {
    handle: u64,
    /// The address of the object header.
    header: u64,
    access: Cell<i64>,
    attributes: Cell<i64>,
}

/// A page of entries and the value of its first handle, or why it is missing.
type Leaf<'a> = Cell<(u64, Cow<'a, [u8]>)>;

/// A handle table, and the process that owns it.
struct Owned<'a> {
    table: u64,
    owner: Option<Structure<'a>>,
}

fn handle_tables(core: &Core) -> Option<Tables> {
    let size = usize::try_from(core.size_of(ENTRY)?).ok()?;
    let shape = match core.field(ENTRY, "ObjectPointerBits") {
        Some(object) => {
            let (_, len) = object.bits?;
            // 64-bit kernels align objects to 16 bytes: a 44-bit field holds a 48-bit address, a
            // 41-bit field (Windows 8) a 45-bit address. Others align to 8 bytes: a 29-bit field
            // holds a 32-bit address.
            let below = if len > 32 { 4 } else { 3 };
            let width = u32::from(len) + below;
            EntryShape::Packed {
                object,
                below,
                width,
                access: core.field(ENTRY, "GrantedAccessBits")?,
            }
        }
        None => EntryShape::Plain {
            object: core.field(ENTRY, "Object")?,
            access: core.field(ENTRY, "GrantedAccess")?,
        },
    };
    let attributes = core.field(ENTRY, "Attributes");
    let protect = core.field(ENTRY, "ProtectFromClose");
    (8..=PAGE).contains(&size).then_some(Tables { size, shape, attributes, protect })
}

/// Visits the entry pages of a handle table. `seen` holds the visited pages, so that circular
/// tables end.
fn for_each_leaf(
    core: &Core,
    tables: &Tables,
    table: u64,
    seen: &mut HashSet<u64>,
    visit: &mut dyn FnMut(Leaf<'_>) -> Flow,
) -> Flow {
    let code = match core.structure(TABLE, table).raw_pointer("TableCode") {
        Ok(code) if code & LEVELS <= MAX_LEVELS => code,
        Ok(_) => return visit(Err(Absent::Unreadable)),
        Err(absent) => return visit(Err(absent)),
    };
    let each = (PAGE / tables.size) as u64 * STEP;
    let mut first = 0;
    let (levels, top) = (code & LEVELS, code & !FLAGS);
    let mut leaf = |at: u64| {
        let page = core.kernel_space().slice(at, PAGE);
        let flow = visit(page.map(|page| (first, page)));
        first += each;
        flow
    };
    for_each_page(core, levels, top, seen, &mut leaf)
}

fn for_each_page(
    core: &Core,
    levels: u64,
    at: u64,
    seen: &mut HashSet<u64>,
    visit: &mut dyn FnMut(u64) -> Flow,
) -> Flow {
    if at == 0 || !seen.insert(at) {
        return Flow::Continue(());
    }
    if levels == 0 {
        return visit(at);
    }
    // The entries on a page that the dump does not hold are unknown.
    let Ok(page) = core.kernel_space().slice(at, PAGE) else { return visit(at) };
    let step = core.header.width.bytes();
    let pages = (0..PAGE / step).map_while(|i| {
        // The kernel adds pages in order.
        unsigned_at(&page, i * step, step).filter(|at| *at != 0)
    });
    for at in pages.take(MAX_LEAVES) {
        for_each_page(core, levels - 1, at, seen, visit)?;
    }
    Flow::Continue(())
}

/// The entries of a page that are in use.
fn opened<'a>(
    core: &'a Core,
    tables: &'a Tables,
    first: u64,
    page: &'a [u8],
) -> impl Iterator<Item = Opened> + 'a {
    let entries = (0..).zip(page.chunks_exact(tables.size)).skip(1);
    entries.filter_map(move |(i, entry)| {
        let handle = first + i * STEP;
        open_entry(core, tables, handle, entry)
    })
}

fn open_entry(core: &Core, tables: &Tables, handle: u64, entry: &[u8]) -> Option<Opened> {
    let signed = |value: u64| i64::try_from(value).map_err(|_| Absent::Unreadable);
    match tables.shape {
        EntryShape::Plain { object, access } => {
            let word = core.pointer_in(entry, Some(object)).ok()?;
            if word & !FLAGS == 0 {
                return None;
            }
            let access = core.number(entry, Some(access));
            let protect = access.map(|access| u64::from(access & ACCESS_PROTECT != 0) * PROTECT);
            Some(Opened {
                handle,
                header: word & !FLAGS,
                access: access.and_then(|access| signed(access & !ACCESS_PROTECT)),
                attributes: protect.and_then(|protect| signed(word & ATTRIBUTES | protect)),
            })
        }
        EntryShape::Packed { object, below, width, access } => {
            let bits = core.number(entry, Some(object)).ok().filter(|bits| *bits != 0)?;
            let attributes = core.number(entry, tables.attributes);
            let attributes = match tables.protect {
                // The flag is a separate bit where the access mask has no room for it.
                Some(_) => {
                    attributes.and_then(|bits| Ok(bits << 1 | core.number(entry, tables.protect)?))
                }
                None => attributes,
            };
            Some(Opened {
                handle,
                header: widened(core, bits << below, width),
                access: core.number(entry, Some(access)).and_then(signed),
                attributes: attributes.and_then(signed),
            })
        }
    }
}

/// The address whose lowest `width` bits were stored.
fn widened(core: &Core, address: u64, width: u32) -> u64 {
    let unused = 64_u32.saturating_sub(width);
    let extended = (address.cast_signed() << unused >> unused).cast_unsigned();
    core.header.width.normalise(extended)
}

/// The handle tables of all processes, and those on the kernel's list that belong to no listed
/// process.
fn owned_tables(core: &Core) -> Vec<Owned<'_>> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for process in list::process_objects(core) {
        let Ok(table) = process.pointer("ObjectTable") else { continue };
        if seen.insert(table) {
            all.push(Owned { table, owner: Some(process) });
        }
    }
    let (Some(links), Some(head)) =
        (core.field(TABLE, "HandleTableList"), core.symbol_address("nt", "HandleTableListHead"))
    else {
        return all;
    };
    for table in core.listed(Ok(head), links.offset as u64, MAX_TABLES) {
        if seen.insert(table) {
            let owner = core.structure(TABLE, table).pointer("QuotaProcess");
            let owner = owner.ok().and_then(|owner| core.object(PROCESS, owner));
            all.push(Owned { table, owner });
        }
    }
    all
}

pub(crate) fn each_handle(
    core: &Core,
    objects: &ObjectManager,
    want: &Want<'_, Handle>,
    emit: Emit<'_, Handle>,
) -> Result<(), Unanswered> {
    let manager = manager::manager(core, objects)?;
    let tables = handle_tables(core)
        .ok_or_else(|| Unanswered::because("no layout of handle tables is known"))?;
    let mut names = Names::new(core, manager);
    let mut seen = HashSet::new();
    for Owned { table, owner } in owned_tables(core) {
        let owner = ProcessOwner::new(owner.as_ref());
        let flow = for_each_leaf(core, &tables, table, &mut seen, &mut |leaf| {
            // Nothing is known about the handles on a missing page.
            let Ok((first, page)) = leaf else { return Flow::Continue(()) };
            for opened in opened(core, &tables, first, &page) {
                emit.row(handle_row(core, manager, want, &mut names, &owner, &opened))?;
            }
            Flow::Continue(())
        });
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}

fn handle_row(
    core: &Core,
    manager: &Manager,
    want: &Want<'_, Handle>,
    names: &mut Names<'_>,
    owner: &ProcessOwner,
    opened: &Opened,
) -> Handle {
    let object = manager.object_of(opened.header).ok_or(Absent::Unreadable);
    // A query that only counts handles needs no object header.
    let header = if want.has_any(|c| [c.object_type, c.name, c.handle_count, c.pointer_count]) {
        manager::header_at(core, manager, opened.header)
    } else {
        Err(Absent::NotApplicable)
    };
    let header = header.as_ref().map_err(|absent| *absent);
    let kind = header.and_then(|header| manager::type_name(core, manager, header));
    let name = match (&kind, object) {
        (Ok(kind), Ok(object)) if want.has(|c| c.name) => names.of(object, kind),
        (Err(absent), _) => Err(*absent),
        _ => Err(Absent::NotApplicable),
    };
    Handle {
        eprocess: owner.eprocess,
        pid: owner.pid,
        process: owner.name.clone(),
        handle: Ok(opened.handle),
        object,
        object_type: kind.map(|kind| kind.to_string()),
        name,
        granted_access: opened.access,
        attributes: opened.attributes,
        handle_count: header.and_then(|h| core.signed(&h.bytes, manager.handle_count)),
        pointer_count: header.and_then(|h| core.signed(&h.bytes, manager.pointer_count)),
        ..Handle::default()
    }
}

/// The number of handles of a table: the kernel's count where it keeps one, else the counted
/// entries.
pub(crate) fn handle_count(core: &Core, table: u64) -> Cell<i64> {
    if core.has_field(TABLE, "HandleCount") {
        return core.structure(TABLE, table).int("HandleCount");
    }
    let tables = handle_tables(core).ok_or(Absent::NoSymbols)?;
    let mut count = Ok(0_i64);
    let mut seen = HashSet::new();
    let _ = for_each_leaf(core, &tables, table, &mut seen, &mut |leaf| {
        let here = leaf.map(|(first, page)| opened(core, &tables, first, &page).count());
        count = count.and_then(|count| {
            i64::try_from(here?).ok().and_then(|n| count.checked_add(n)).ok_or(Absent::Unreadable)
        });
        if count.is_ok() { Flow::Continue(()) } else { Flow::Break(()) }
    });
    count
}
