//! The table functions `struct`, `list` and `array` over the memory of any source.
//!
//! A source determines the type and the memory of a call; this module follows the links between
//! structures and makes their rows.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::Typed;
use super::cell::Source as Bytes;
use crate::catalog::{Absent, Cell, Value};
use crate::model::{
    AddressSpace, DynRow, DynTable, Emit, Refused, address_argument, count_argument, text_argument,
};
use crate::source::links;
use crate::symbol::{Layout, PdbId, Store, TypeShape};

/// Upper limit on the rows of a list.
const MAX_LIST: usize = 1_000_000;
/// Upper limit on the elements of an array.
const MAX_ARRAY: usize = 10_000_000;
/// Upper limit on the size of a structure, in bytes.
const MAX_SIZE: usize = 1 << 20;

/// The memory that a call reads.
pub(in crate::source) trait Memory {
    /// The size of pointers.
    fn pointer_bytes(&self) -> usize;

    /// An address without the sign extension that debuggers add.
    fn plain(&self, address: u64) -> u64;

    /// The longest readable prefix at an address, at least one byte.
    fn prefix(&self, address: u64, most: usize) -> Cell<Cow<'_, [u8]>>;

    /// All bytes of a range.
    fn bytes(&self, address: u64, len: usize) -> Cell<Vec<u8>>;

    /// The pointer at an address.
    fn pointer_at(&self, address: u64) -> Cell<u64>;
}

/// A source whose types and memory calls can name.
pub(in crate::source) trait Callee: AddressSpace {
    /// The layout that has a type; the argument names it as `type` or `module!type`.
    ///
    /// # Errors
    /// If there is no such module, or its types are unknown.
    fn layout_of(
        &self,
        module: Option<&str>,
        name: &str,
        argument: usize,
    ) -> Result<Arc<Layout>, Refused>;

    /// The memory of a module's type: that of a process if an argument gives one.
    ///
    /// # Errors
    /// If there is no such process.
    fn memory_of(
        &self,
        module: Option<&str>,
        process: Option<(u64, usize)>,
    ) -> Result<Box<dyn Memory + '_>, Refused>;
}

/// The layout of a module from its PDB, for a call.
///
/// # Errors
/// If there are no symbols for the module.
pub(in crate::source) fn layout_of_module(
    symbols: &Store,
    module: &str,
    pdb: Option<&PdbId>,
) -> Result<Arc<Layout>, Refused> {
    let layout = pdb.and_then(|id| symbols.layout(id));
    layout.ok_or_else(|| Refused::because(format!("it has no symbols of `{module}`")))
}

/// Answers a call.
///
/// # Errors
/// What is wrong with an argument, or what the source lacks.
pub(in crate::source) fn answer<'a, S: Callee>(
    source: &'a S,
    name: &str,
    args: &[Value<'static>],
) -> Result<DynTable<'a>, Refused> {
    match name {
        "struct" => struct_at(source, args),
        "list" => list_of(source, args),
        "array" => array_of(source, args),
        _ => Err(Refused::KIND),
    }
}

/// How the structures of a list are linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// By a `_LIST_ENTRY`; the head is one too.
    Double,
    /// By a `_SINGLE_LIST_ENTRY`; the head is one too.
    Single,
    /// By a pointer to the next structure; the head is the first structure.
    Pointer,
}

/// The type that a call names, and the memory that it reads.
struct Call<'a> {
    layout: Arc<Layout>,
    /// The type's name in the layout.
    name: String,
    typed: Typed,
    memory: Box<dyn Memory + 'a>,
}

fn struct_at<'a, S: Callee>(
    source: &'a S,
    args: &[Value<'static>],
) -> Result<DynTable<'a>, Refused> {
    let call = call_of(source, args, 0, 2)?;
    let address = address_argument(source, args, 1)?;
    Ok(call.table(move |_, each| {
        each(address);
    }))
}

fn array_of<'a, S: Callee>(
    source: &'a S,
    args: &[Value<'static>],
) -> Result<DynTable<'a>, Refused> {
    let call = call_of(source, args, 0, 3)?;
    let address = address_argument(source, args, 1)?;
    let count = count_argument(args, 2, 0, MAX_ARRAY)?;
    let size = call.typed.size() as u64;
    Ok(call.table(move |_, each| {
        for i in 0..count as u64 {
            let at = i.checked_mul(size).and_then(|offset| address.checked_add(offset));
            if !at.is_some_and(&mut *each) {
                break;
            }
        }
    }))
}

fn list_of<'a, S: Callee>(source: &'a S, args: &[Value<'static>]) -> Result<DynTable<'a>, Refused> {
    let head = address_argument(source, args, 0)?;
    let call = call_of(source, args, 1, 3)?;
    let (link, offset) = call.link(text_argument(args, 2)?)?;
    Ok(call.table(move |memory, each| {
        if link != Link::Double {
            return chain(memory, head, offset, link, each);
        }
        let step = memory.pointer_bytes() as u64;
        for entry in links::list(&|at| memory.pointer_at(at), step, head, MAX_LIST).entries {
            if !entry.checked_sub(offset).is_some_and(&mut *each) {
                break;
            }
        }
    }))
}

/// The type that an argument names, in the memory of the process that another argument gives.
fn call_of<'a, S: Callee>(
    source: &'a S,
    args: &[Value<'static>],
    ty: usize,
    process: usize,
) -> Result<Call<'a>, Refused> {
    let text = text_argument(args, ty)?;
    let (module, name) = match text.split_once('!') {
        Some((module, name)) => (Some(module), name),
        None => (None, text),
    };
    let known = [name.to_owned(), format!("_{name}"), format!("_{}", name.to_uppercase())];
    let layout = source.layout_of(module, name, ty)?;
    let name = known.into_iter().find(|name| layout.size_of(name).is_some());
    let named = name.and_then(|name| Some((Typed::of(&layout, &name)?, name)));
    let Some((typed, name)) = named else {
        return Err(Refused::unknown(ty, format!("no type `{text}`"), layout.type_names()));
    };
    let process = match args.get(process) {
        None | Some(Value::Null) => None,
        Some(_) => Some((address_argument(source, args, process)?, process)),
    };
    let memory = source.memory_of(module, process)?;
    Ok(Call { layout, name, typed, memory })
}

impl<'a> Call<'a> {
    /// How a field links structures, and its offset.
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
            Some((TypeShape::Struct, Some(of))) if of == "_LIST_ENTRY" => Link::Double,
            Some((TypeShape::Struct, Some(of))) if of == "_SINGLE_LIST_ENTRY" => Link::Single,
            Some((TypeShape::Pointer, _)) => Link::Pointer,
            _ => return Err(Refused::argument(2, format!("`{field}` links no structures"))),
        };
        Ok((link, found.offset as u64))
    }

    /// A row for each address that `walk` returns, until no more rows are wanted.
    fn table(
        self,
        walk: impl FnOnce(&dyn Memory, &mut dyn FnMut(u64) -> bool) + 'a,
    ) -> DynTable<'a> {
        let columns = self.typed.call_columns();
        let rows = move |wanted: &[bool], emit: Emit<'_, DynRow>| {
            walk(&*self.memory, &mut |address| emit.row(self.row(address, wanted)).is_continue());
        };
        DynTable { columns, rows: Box::new(rows) }
    }

    fn row(&self, address: u64, wanted: &[bool]) -> DynRow {
        let memory = &*self.memory;
        let address = memory.plain(address);
        let size = self.typed.size().min(MAX_SIZE);
        let held = memory.prefix(address, size);
        let (bytes, why) = match &held {
            Ok(bytes) => (&**bytes, Absent::NotInDump),
            Err(reason) => (&[][..], *reason),
        };
        let pointer = memory.pointer_bytes();
        let read = &|at, len| memory.bytes(memory.plain(at), len);
        let from = Bytes { address, bytes, why, pointer, read };
        self.typed.row(&self.layout, &from, wanted)
    }
}

/// Follows a singly linked list until it ends, reaches a visited entry or cannot be read.
fn chain(
    memory: &dyn Memory,
    head: u64,
    offset: u64,
    link: Link,
    each: &mut dyn FnMut(u64) -> bool,
) {
    let entry_of = |structure: u64| structure.checked_add(offset);
    let mut seen = HashSet::new();
    // The head either contains the pointer to the first structure or is itself the first structure.
    let first = if link == Link::Single { memory.pointer_at(head).ok() } else { Some(head) };
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
        next = entry_of(structure).and_then(|entry| memory.pointer_at(entry).ok());
    }
}
