//! `struct`, `list` and `array`: any structure that the type information knows, as rows.

use std::collections::HashSet;
use std::sync::Arc;

use super::KernelDump;
use super::memory::Space;
use super::types::Ty;
use crate::catalog::{Absent, Value};
use crate::model::{
    DynRow, DynTable, Emit, Refused, address_argument, count_argument, text_argument,
};
use crate::source::typed::{self, Typed};
use crate::symbol::{Layout, Shape};

/// A list gives no more rows.
const MAX_LIST: usize = 1_000_000;
/// An array has no more elements.
const MAX_ARRAY: usize = 10_000_000;
/// No structure that is read is larger, in bytes.
const MAX_SIZE: usize = 1 << 20;

/// How the structures of a list hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// By a `_LIST_ENTRY`: the head is one too.
    Double,
    /// By a `_SINGLE_LIST_ENTRY`: the head is one too.
    Single,
    /// By a pointer to the next structure; the head is the first one.
    Pointer,
}

/// A type that a call names, and the memory that it reads.
struct Call<'a> {
    dump: &'a KernelDump,
    layout: Arc<Layout>,
    /// The type's name as the layout has it.
    name: String,
    typed: Typed,
    space: Space<'a>,
}

impl KernelDump {
    pub(super) fn call(
        &self,
        name: &str,
        args: &[Value<'static>],
    ) -> Result<DynTable<'_>, Refused> {
        match name {
            "struct" => self.struct_at(args),
            "list" => self.list_of(args),
            "array" => self.array_of(args),
            _ => Err(Refused::KIND),
        }
    }

    fn struct_at(&self, args: &[Value<'static>]) -> Result<DynTable<'_>, Refused> {
        let call = self.call_of(args, 0, 2)?;
        let address = address_argument(self, args, 1)?;
        Ok(call.table(move |each| {
            each(address);
        }))
    }

    fn array_of(&self, args: &[Value<'static>]) -> Result<DynTable<'_>, Refused> {
        let call = self.call_of(args, 0, 3)?;
        let address = address_argument(self, args, 1)?;
        let count = count_argument(args, 2, 0, MAX_ARRAY)?;
        let size = call.typed.size() as u64;
        Ok(call.table(move |each| {
            for i in 0..count as u64 {
                let at = i.checked_mul(size).and_then(|offset| address.checked_add(offset));
                if !at.is_some_and(&mut *each) {
                    break;
                }
            }
        }))
    }

    fn list_of(&self, args: &[Value<'static>]) -> Result<DynTable<'_>, Refused> {
        let head = address_argument(self, args, 0)?;
        let call = self.call_of(args, 1, 3)?;
        let (link, offset) = call.link(text_argument(args, 2)?)?;
        let space = call.space;
        Ok(call.table(move |each| {
            if link == Link::Double {
                for entry in space.list(head, MAX_LIST).entries {
                    if !entry.checked_sub(offset).is_some_and(&mut *each) {
                        break;
                    }
                }
            } else {
                chain(space, head, offset, link, each);
            }
        }))
    }

    /// The type that an argument names, in the address space of the process that another names.
    fn call_of(
        &self,
        args: &[Value<'static>],
        ty: usize,
        process: usize,
    ) -> Result<Call<'_>, Refused> {
        let text = text_argument(args, ty)?;
        let (module, name) = text.split_once('!').unwrap_or(("nt", text));
        let layout = self.layout_of(module, ty)?;
        let known = [name.to_owned(), format!("_{name}"), format!("_{}", name.to_uppercase())];
        let name = known.into_iter().find(|name| layout.size_of(name).is_some());
        let named = name.and_then(|name| Some((Typed::of(&layout, &name)?, name)));
        let Some((typed, name)) = named else {
            return Err(Refused::unknown(ty, format!("no type `{text}`"), layout.type_names()));
        };
        let space = match args.get(process) {
            None | Some(Value::Null) => self.kernel_space(),
            Some(_) => self.space_of(address_argument(self, args, process)?, process)?,
        };
        Ok(Call { dump: self, layout, name, typed, space })
    }

    /// The types of a module.
    fn layout_of(&self, module: &str, argument: usize) -> Result<Arc<Layout>, Refused> {
        if module.eq_ignore_ascii_case("nt") {
            let layout = self.types().layout();
            return layout.ok_or_else(|| Refused::because("no layout of its kernel is known"));
        }
        let Some(driver) = self.base_of(module).and_then(|base| self.driver_at(base)) else {
            return Err(Refused::argument(argument, format!("no module `{module}`")));
        };
        let id = self.pdb_of(driver.base, driver.base.saturating_add(driver.size.into()));
        let layout = id.and_then(|id| self.symbols.layout(&id));
        layout.ok_or_else(|| Refused::because(format!("it has no symbols of `{module}`")))
    }

    /// The address space of a process.
    fn space_of(&self, eprocess: u64, argument: usize) -> Result<Space<'_>, Refused> {
        let process = self.object(Ty::Process, eprocess);
        let dtb = process.map_or(Err(Absent::NotInDump), |p| p.pointer("Pcb.DirectoryTableBase"));
        match dtb {
            Ok(dtb) => Ok(self.space(dtb)),
            Err(_) => Err(Refused::argument(argument, "no process at that address")),
        }
    }
}

impl<'a> Call<'a> {
    /// How a field links structures, and where it is.
    fn link(&self, field: &str) -> Result<(Link, u64), Refused> {
        let name = &self.name;
        let Some(found) = self.layout.field(name, field) else {
            let members = self.layout.members(name).unwrap_or_default();
            let names = members.into_iter().map(|member| member.name).collect();
            return Err(Refused::unknown(2, format!("no field `{field}` in `{name}`"), names));
        };
        let (parent, last) = match field.rsplit_once('.') {
            Some((parent, last)) => (self.layout.target(name, parent), last),
            None => (Some(name.clone()), field),
        };
        let members = parent.and_then(|parent| self.layout.members(&parent)).unwrap_or_default();
        let info = members.into_iter().find(|member| member.name == last);
        let link = match info.map(|info| (info.shape, info.of)) {
            Some((Shape::Struct, Some(of))) if of == "_LIST_ENTRY" => Link::Double,
            Some((Shape::Struct, Some(of))) if of == "_SINGLE_LIST_ENTRY" => Link::Single,
            Some((Shape::Pointer, _)) => Link::Pointer,
            _ => return Err(Refused::argument(2, format!("`{field}` links no structures"))),
        };
        Ok((link, found.offset as u64))
    }

    /// A row for each address that `walk` gives, until it is told that no more are wanted.
    fn table(self, walk: impl FnOnce(&mut dyn FnMut(u64) -> bool) + 'a) -> DynTable<'a> {
        let columns = self.typed.call_columns();
        let rows = move |wanted: &[bool], emit: Emit<'_, DynRow>| {
            walk(&mut |address| emit(self.row(address, wanted)).is_continue());
        };
        DynTable { columns, rows: Box::new(rows) }
    }

    fn row(&self, address: u64, wanted: &[bool]) -> DynRow {
        let address = self.dump.plain(address);
        let size = self.typed.size().min(MAX_SIZE);
        let held = self.space.prefix(address, size);
        let (bytes, why) = match &held {
            Ok(bytes) => (&**bytes, Absent::NotInDump),
            Err(reason) => (&[][..], *reason),
        };
        let pointer = self.dump.header.width.bytes();
        let read = &|at, len| self.space.bytes(self.dump.plain(at), len);
        let from = typed::Source { address, bytes, why, pointer, read };
        self.typed.row(&self.layout, &from, wanted)
    }
}

/// Follows a list of one direction until it ends, meets itself or cannot be read.
fn chain(space: Space<'_>, head: u64, offset: u64, link: Link, each: &mut dyn FnMut(u64) -> bool) {
    let entry_of = |structure: u64| structure.checked_add(offset);
    let mut seen = HashSet::new();
    // What the head holds leads to the first structure, or the head is that itself.
    let first = if link == Link::Single { space.pointer_at(head).ok() } else { Some(head) };
    let mut next = first;
    while let Some(at) = next.filter(|at| *at != 0) {
        let structure = if link == Link::Single { at.checked_sub(offset) } else { Some(at) };
        let Some(structure) = structure.filter(|at| seen.len() < MAX_LIST && seen.insert(*at))
        else {
            break;
        };
        if !each(structure) {
            break;
        }
        next = entry_of(structure).and_then(|entry| space.pointer_at(entry).ok());
    }
}
