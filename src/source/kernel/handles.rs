//! Handle tables: trees of up to three levels whose leaves are pages of entries.
//!
//! An entry points to the header of an object. Before Windows 8 the pointer is plain but for its
//! lowest bits, since then it shares its word with flags and counts. The first entry of each page
//! is no handle.

use std::borrow::Cow;
use std::collections::HashSet;

use super::KernelDump;
use super::manager::Manager;
use super::names::Names;
use super::object::Object;
use super::types::Ty;
use crate::catalog::{Absent, Cell};
use crate::dump::bytes::unsigned_at;
use crate::model::{Emit, Flow, Handle, Unanswered, Want};
use crate::symbol::Field;

const TABLE: &str = "_HANDLE_TABLE";
const ENTRY: &str = "_HANDLE_TABLE_ENTRY";
const PAGE: usize = 0x1000;
/// Bits of a table's code: how many levels are above the leaves.
const LEVELS: u64 = 3;
const MAX_LEVELS: u64 = 2;
/// A handle counts in steps of this.
const STEP: u64 = 4;
/// No process has more pages of handles (`0x1000000` handles).
const MAX_LEAVES: usize = 0x1_0000;
/// Tables on the list of all.
const MAX_TABLES: usize = 1 << 18;
/// Of an early entry's word: what is not the pointer.
const FLAGS: u64 = 7;
/// `OBJ_INHERIT` and `OBJ_AUDIT_OBJECT_CLOSE`, at the same place in an early entry's word.
const ATTRIBUTES: u64 = 6;
/// `OBJ_PROTECT_CLOSE`, and where an early entry's access keeps it.
const PROTECT: u64 = 1;
const ACCESS_PROTECT: u64 = 0x0200_0000;

/// How entries hold what they hold.
enum Shape {
    /// A pointer with flags in its lowest bits, and an access.
    Plain { object: Field, access: Field },
    /// Some bits of a pointer, which has so many bits below and is so wide.
    Packed { object: Field, below: u32, width: u32, access: Field },
}

/// How to read the tables of a kernel.
struct Tables {
    size: usize,
    shape: Shape,
    attributes: Option<Field>,
    protect: Option<Field>,
}

/// An entry that is in use.
struct Opened {
    handle: u64,
    /// The address of the object's header.
    header: u64,
    access: Cell<i64>,
    attributes: Cell<i64>,
}

/// A page of entries, and the handle of its first one; or why it is not there.
type Leaf<'a> = Cell<(u64, Cow<'a, [u8]>)>;

/// A table to be listed, and whose it is.
struct Owned<'a> {
    table: u64,
    owner: Option<Object<'a>>,
}

impl KernelDump {
    fn handle_tables(&self) -> Option<Tables> {
        let size = usize::try_from(self.types().size_of(ENTRY)?).ok()?;
        let shape = match self.field(ENTRY, "ObjectPointerBits") {
            Some(object) => {
                let (_, len) = object.bits?;
                // Objects stand at multiples of 16 in 64-bit kernels: a pointer of 44 bits is one of 48,
                // one of 41 bits (Windows 8) one of 45; at multiples of 8 in others: 29 bits of 32.
                let below = if len > 32 { 4 } else { 3 };
                let width = u32::from(len) + below;
                Shape::Packed {
                    object,
                    below,
                    width,
                    access: self.field(ENTRY, "GrantedAccessBits")?,
                }
            }
            None => Shape::Plain {
                object: self.field(ENTRY, "Object")?,
                access: self.field(ENTRY, "GrantedAccess")?,
            },
        };
        let attributes = self.field(ENTRY, "Attributes");
        let protect = self.field(ENTRY, "ProtectFromClose");
        (8..=PAGE).contains(&size).then_some(Tables { size, shape, attributes, protect })
    }

    /// Visits the pages of entries of a table; `seen` has the pages that were met, so that tables
    /// that lead to themselves end.
    fn for_each_leaf(
        &self,
        tables: &Tables,
        table: u64,
        seen: &mut HashSet<u64>,
        visit: &mut dyn FnMut(Leaf<'_>) -> Flow,
    ) -> Flow {
        let code = match self.structure(TABLE, table).raw_pointer("TableCode") {
            Ok(code) if code & LEVELS <= MAX_LEVELS => code,
            Ok(_) => return visit(Err(Absent::Unreadable)),
            Err(absent) => return visit(Err(absent)),
        };
        let each = (PAGE / tables.size) as u64 * STEP;
        let mut first = 0;
        let (levels, top) = (code & LEVELS, code & !FLAGS);
        let mut leaf = |at: u64| {
            let page = self.kernel_space().slice(at, PAGE);
            let flow = visit(page.map(|page| (first, page)));
            first += each;
            flow
        };
        self.for_each_page(levels, top, seen, &mut leaf)
    }

    fn for_each_page(
        &self,
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
        // What is above a page that is not in the dump is not known either.
        let Ok(page) = self.kernel_space().slice(at, PAGE) else { return visit(at) };
        let step = self.header.width.bytes();
        let pages = (0..PAGE / step).map_while(|i| {
            // Pages are added one after the other.
            unsigned_at(&page, i * step, step).filter(|at| *at != 0)
        });
        for at in pages.take(MAX_LEAVES) {
            self.for_each_page(levels - 1, at, seen, visit)?;
        }
        Flow::Continue(())
    }

    /// The entries of a page that are in use.
    fn opened<'a>(
        &'a self,
        tables: &'a Tables,
        first: u64,
        page: &'a [u8],
    ) -> impl Iterator<Item = Opened> + 'a {
        let entries = (0..).zip(page.chunks_exact(tables.size)).skip(1);
        entries.filter_map(move |(i, entry)| {
            let handle = first + i * STEP;
            self.open_entry(tables, handle, entry)
        })
    }

    fn open_entry(&self, tables: &Tables, handle: u64, entry: &[u8]) -> Option<Opened> {
        let signed = |value: u64| i64::try_from(value).map_err(|_| Absent::Unreadable);
        match tables.shape {
            Shape::Plain { object, access } => {
                let word = self.pointer_in(entry, Some(object)).ok()?;
                if word & !FLAGS == 0 {
                    return None;
                }
                let access = self.number(entry, Some(access));
                let protect =
                    access.map(|access| u64::from(access & ACCESS_PROTECT != 0) * PROTECT);
                Some(Opened {
                    handle,
                    header: word & !FLAGS,
                    access: access.and_then(|access| signed(access & !ACCESS_PROTECT)),
                    attributes: protect.and_then(|protect| signed(word & ATTRIBUTES | protect)),
                })
            }
            Shape::Packed { object, below, width, access } => {
                let bits = self.number(entry, Some(object)).ok().filter(|bits| *bits != 0)?;
                let attributes = self.number(entry, tables.attributes);
                let attributes = match tables.protect {
                    // The bit stands alone where the word is too narrow for it.
                    Some(_) => attributes
                        .and_then(|bits| Ok(bits << 1 | self.number(entry, tables.protect)?)),
                    None => attributes,
                };
                Some(Opened {
                    handle,
                    header: self.widened(bits << below, width),
                    access: self.number(entry, Some(access)).and_then(signed),
                    attributes: attributes.and_then(signed),
                })
            }
        }
    }

    /// An address of which so many bits were kept.
    fn widened(&self, address: u64, width: u32) -> u64 {
        let unused = 64_u32.saturating_sub(width);
        let extended = (address.cast_signed() << unused >> unused).cast_unsigned();
        self.header.width.normalise(extended)
    }

    /// The tables of all processes, and those on the kernel's list that no listed process has.
    fn owned_tables(&self) -> Vec<Owned<'_>> {
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        for process in self.process_objects() {
            let Ok(table) = process.pointer("ObjectTable") else { continue };
            if seen.insert(table) {
                all.push(Owned { table, owner: Some(process) });
            }
        }
        let (Some(links), Some(head)) = (
            self.field(TABLE, "HandleTableList"),
            self.symbol_address("nt", "HandleTableListHead"),
        ) else {
            return all;
        };
        for table in self.listed(Ok(head), links.offset as u64, MAX_TABLES) {
            if seen.insert(table) {
                let owner = self.structure(TABLE, table).pointer("QuotaProcess");
                let owner = owner.ok().and_then(|owner| self.object(Ty::Process, owner));
                all.push(Owned { table, owner });
            }
        }
        all
    }

    pub(super) fn each_handle(
        &self,
        want: &Want<'_, Handle>,
        emit: Emit<'_, Handle>,
    ) -> Result<(), Unanswered> {
        let manager = self.manager()?;
        let tables = self
            .handle_tables()
            .ok_or_else(|| Unanswered::because("no layout of handle tables is known"))?;
        let mut names = Names::new(self, manager);
        let mut seen = HashSet::new();
        for Owned { table, owner } in self.owned_tables() {
            let owner = Owner::new(owner.as_ref());
            let flow = self.for_each_leaf(&tables, table, &mut seen, &mut |leaf| {
                // A page that is not there has handles of which nothing is known.
                let Ok((first, page)) = leaf else { return Flow::Continue(()) };
                for opened in self.opened(&tables, first, &page) {
                    emit.row(self.handle_row(manager, want, &mut names, &owner, &opened))?;
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
        &self,
        manager: &Manager,
        want: &Want<'_, Handle>,
        names: &mut Names<'_>,
        owner: &Owner,
        opened: &Opened,
    ) -> Handle {
        let object = manager.object_of(opened.header).ok_or(Absent::Unreadable);
        // Whoever only counts handles needs nothing of what they lead to.
        let header = if want.has_any(|c| [c.object_type, c.name, c.handle_count, c.pointer_count]) {
            self.header_at(manager, opened.header)
        } else {
            Err(Absent::NotApplicable)
        };
        let header = header.as_ref().map_err(|absent| *absent);
        let kind = header.and_then(|header| self.type_name(manager, header));
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
            handle_count: header.and_then(|h| self.signed(&h.bytes, manager.handle_count)),
            pointer_count: header.and_then(|h| self.signed(&h.bytes, manager.pointer_count)),
            ..Handle::default()
        }
    }

    /// How many handles a table has: the kernel's own count where it keeps one, else what is in it.
    pub(super) fn handle_count(&self, table: u64) -> Cell<i64> {
        if self.knows(TABLE, "HandleCount") {
            return self.structure(TABLE, table).int("HandleCount");
        }
        let tables = self.handle_tables().ok_or(Absent::NoSymbols)?;
        let mut count = Ok(0_i64);
        let mut seen = HashSet::new();
        let _ = self.for_each_leaf(&tables, table, &mut seen, &mut |leaf| {
            let here = leaf.map(|(first, page)| self.opened(&tables, first, &page).count());
            count = count.and_then(|count| {
                i64::try_from(here?)
                    .ok()
                    .and_then(|n| count.checked_add(n))
                    .ok_or(Absent::Unreadable)
            });
            if count.is_ok() { Flow::Continue(()) } else { Flow::Break(()) }
        });
        count
    }
}

/// Whose handles, or ranges, are listed.
pub(super) struct Owner {
    pub(super) eprocess: Cell<u64>,
    pub(super) pid: Cell<i64>,
    pub(super) name: Cell<String>,
}

impl Owner {
    pub(super) fn new(process: Option<&Object<'_>>) -> Self {
        let missing = Absent::NotInDump;
        match process {
            Some(process) => Self {
                eprocess: process.address,
                pid: process.int("UniqueProcessId"),
                name: process.text("ImageFileName"),
            },
            None => Self { eprocess: Err(missing), pid: Err(missing), name: Err(missing) },
        }
    }
}
