//! Common parts of the system builder: memory, structures by layout, pools, and kernel variables.

use std::collections::{BTreeMap, BTreeSet};

use super::pool::Pools;
use super::version::Version;
use crate::synth::bytes::{Bytes, utf16};
use crate::synth::layout::{Layout, Object};
use crate::synth::memory::{Memory, PAGE};

/// A system that is being built.
#[derive(Debug)]
pub(super) struct Builder<'a> {
    pub(super) layout: &'a Layout,
    pub(super) version: Version,
    pub(super) memory: Memory,
    /// Page directory base of the system process.
    pub(super) dtb: u64,
    /// Base of the kernel image, and the end of the space for its variables.
    pub(super) kernel: u64,
    kernel_end: u64,
    variables: u64,
    /// Offsets of symbols, if a symbol file gives them.
    known: Option<&'a std::collections::HashMap<String, u64>>,
    /// Addresses of the kernel's variables.
    pub(super) symbols: BTreeMap<String, u64>,
    pub(super) pools: Pools,
    stack: u64,
    fixed: u64,
    /// The address of the next special pool block; 0 if the version has no special pool.
    pub(super) special: u64,
    pub(super) missing: BTreeSet<String>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        layout: &'a Layout,
        version: Version,
        kernel: (u64, u32),
        known: Option<&'a std::collections::HashMap<String, u64>>,
    ) -> Self {
        let (frame, self_map) = version.directory;
        let mut memory = Memory::new(version.paging, self_map);
        let dtb = memory.space(frame);
        memory.map_large(dtb, kernel.0, kernel.1.into());
        Self {
            layout,
            version,
            memory,
            dtb,
            kernel: kernel.0,
            kernel_end: kernel.0 + u64::from(kernel.1),
            variables: kernel.0 + u64::from(kernel.1) - 0x1_8000,
            known,
            symbols: BTreeMap::new(),
            pools: Pools::new([version.nonpaged, version.paged]),
            stack: version.stacks,
            fixed: version.fixed,
            special: version.special,
            missing: BTreeSet::new(),
        }
    }

    /// A new structure of the layout.
    pub(super) fn new_object(&self, name: &'static str) -> Object<'a> {
        Object::new(self.layout, name)
    }

    /// Writes a structure into the system's memory.
    pub(super) fn place(&mut self, address: u64, object: Object<'_>) {
        let bytes = self.finish(object);
        self.put(address, &bytes);
    }

    /// The bytes of a structure; fields that the layout lacks are recorded.
    pub(super) fn finish(&mut self, object: Object<'_>) -> Vec<u8> {
        let (bytes, missing) = object.finish();
        self.missing.extend(missing);
        bytes
    }

    pub(super) fn put(&mut self, address: u64, bytes: &[u8]) {
        self.memory.put(self.dtb, address, bytes);
    }

    /// Whether a symbol file gives the offsets of symbols.
    pub(super) const fn has_names(&self) -> bool {
        self.known.is_some()
    }

    /// Bytes of a pointer.
    pub(super) const fn width(&self) -> u64 {
        if self.version.is_64_bit() { 8 } else { 4 }
    }

    pub(super) fn put_pointer(&mut self, address: u64, value: u64) {
        let width = usize::try_from(self.width()).unwrap_or(8);
        self.put(address, &value.to_le_bytes()[..width]);
    }

    pub(super) fn put_u32(&mut self, address: u64, value: u64) {
        self.put(address, &value.to_le_bytes()[..4]);
    }

    /// Links a doubly linked list: the head and its entries.
    pub(super) fn link(&mut self, head: u64, entries: &[u64]) {
        let width = self.width();
        let mut last = head;
        for entry in entries.iter().chain(std::iter::once(&head)) {
            self.put_pointer(last, *entry);
            self.put_pointer(entry + width, last);
            last = *entry;
        }
    }

    /// The offset of a field.
    pub(super) fn offset(&mut self, name: &str, path: &str) -> u64 {
        if let Some(place) = self.layout.place(name, path) {
            return place.offset as u64;
        }
        self.missing.insert(format!("{name}.{path}"));
        0
    }

    /// The address of a kernel variable.
    pub(super) fn variable(&mut self, name: &str, len: u64) -> u64 {
        if let Some(address) = self.symbols.get(name) {
            return *address;
        }
        let known = self.known.and_then(|known| known.get(name));
        let address = match known {
            Some(offset) => self.kernel + offset,
            None => self.room(len),
        };
        self.symbols.insert(name.to_owned(), address);
        address
    }

    /// Writes a kernel variable that is a number, with the size that it has in the kernel.
    pub(super) fn number(&mut self, name: &str, len: u64, value: u64) {
        let at = self.variable(name, len);
        let offset = at - self.kernel;
        let next = self.known.and_then(|known| known.values().filter(|to| **to > offset).min());
        let room = next.map_or(len, |next| (next - offset).min(len));
        let len = usize::try_from(room).unwrap_or(0);
        self.put(at, &value.to_le_bytes()[..if len < 8 { len.min(4) } else { 8 }]);
    }

    /// Whether the kernel has a variable with this name. Without a symbol file, it has every
    /// variable.
    pub(super) fn has_symbol(&self, name: &str) -> bool {
        self.known.is_none_or(|known| known.contains_key(name))
    }

    /// Whether an address lies in the kernel's image.
    pub(super) fn is_in_image(&self, address: u64) -> bool {
        (self.kernel..self.kernel_end).contains(&address)
    }

    /// The address of a kernel routine: from the symbol file, or at an offset of the image.
    pub(super) fn routine(&mut self, name: &str, offset: u64) -> u64 {
        let known = self.known.and_then(|known| known.get(name)).copied();
        let address = self.kernel + known.unwrap_or(offset);
        self.symbols.insert(name.to_owned(), address);
        address
    }

    /// Allocates space among the kernel's variables.
    pub(super) fn room(&mut self, len: u64) -> u64 {
        let at = self.variables.next_multiple_of(0x10);
        self.variables = at + len.max(8);
        at
    }

    /// Allocates pages in system space.
    pub(super) fn pages(&mut self, count: u64) -> u64 {
        let at = self.fixed;
        self.fixed += (count + 1) * PAGE;
        at
    }

    /// Allocates a kernel stack of this many pages and returns its base (upper end).
    pub(super) fn kernel_stack(&mut self, pages: u64) -> u64 {
        self.stack += (pages + 1) * PAGE;
        self.stack
    }

    /// Puts a text into paged pool; returns its address and its size.
    pub(super) fn text(&mut self, text: &str) -> (u64, u64) {
        let bytes = utf16(text);
        let at = self.pool(true, *b"ObNm", bytes.len() as u64 + 2);
        self.put(at, &bytes);
        (at, bytes.len() as u64)
    }

    /// Fills in a `_UNICODE_STRING` in a structure.
    pub(super) fn string(&mut self, object: &mut Object<'_>, path: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let (at, len) = self.text(text);
        object.set(&format!("{path}.Length"), len).set(&format!("{path}.MaximumLength"), len + 2);
        object.set(&format!("{path}.Buffer"), at);
    }

    /// Writes a `_UNICODE_STRING` followed by its text at an address of any address space.
    pub(super) fn string_bytes(&self, address: u64, text: &str) -> Vec<u8> {
        let (width, bytes) = (usize::try_from(self.width()).unwrap_or(8), utf16(text));
        let mut out = Bytes::zeroed(2 * width);
        let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        out.u16(0, len);
        out.u16(2, len.saturating_add(2));
        out.uint(width, address + 2 * width as u64, width);
        out.put(2 * width, &bytes);
        out.put(2 * width + bytes.len(), &[0, 0]);
        out.into_vec()
    }
}
