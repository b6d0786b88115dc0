//! The DBI stream (debug information): which streams hold what, and which module contributed an
//! address.

use std::collections::HashSet;

use super::addresses::Addresses;
use super::msf::Msf;
use crate::symbol::bytes::{align4, cstring, size_at, u16_at, u32_at};

/// The number of the DBI stream.
const STREAM: usize = 3;
const HEADER: usize = 64;
const NO_STREAM: u16 = 0xffff;
/// Versions of the section contributions, with the size of an entry.
const CONTRIBUTIONS: [(u32, usize); 2] =
    [(0xeffe_0000 + 19_970_605, 28), (0xeffe_0000 + 20_140_516, 32)];
/// Upper limit on the modules of a program.
const MAX_MODULES: usize = 1 << 18;

/// The contents of the DBI stream.
#[derive(Debug, Default)]
pub(super) struct Debug {
    pub(super) age: u32,
    pub(super) machine: u16,
    /// The stream of global and public symbols.
    pub(super) symbols: Option<usize>,
    pub(super) modules: Vec<Module>,
    /// Section contributions: section, offset, size, module; sorted.
    contributions: Vec<(u16, u32, u32, usize)>,
    pub(super) addresses: Addresses,
    /// The same by offset in the image: start, end, module.
    ranges: Vec<(u32, u32, usize)>,
}

/// A module: the output of one compiler run.
#[derive(Debug)]
pub(super) struct Module {
    /// Its stream, if it has symbols.
    pub(super) stream: Option<usize>,
    /// The end of its symbols in the stream, and the range of its line numbers.
    pub(super) symbols_end: usize,
    pub(super) lines: std::ops::Range<usize>,
}

impl Debug {
    pub(super) fn read(msf: &Msf) -> Option<Self> {
        let bytes = msf.stream(STREAM)?;
        let sizes: Vec<usize> =
            (24..56).step_by(4).map(|at| size_at(&bytes, at)).collect::<Option<_>>()?;
        // The sixth number is not a size; the last two are in the opposite order in the stream.
        let [modules, contributions, map, files, servers, _, optional, edits] = sizes[..] else {
            return None;
        };
        let part = |at: usize, len: usize| bytes.get(at..at.checked_add(len)?);
        let after = |at: usize, len: usize| at.checked_add(len);
        let contributions_at = after(HEADER, modules)?;
        let map_at = after(contributions_at, contributions)?;
        let optional_at = after(after(after(after(map_at, map)?, files)?, servers)?, edits)?;
        let mut debug = Self {
            age: u32_at(&bytes, 8)?,
            machine: u16_at(&bytes, 58)?,
            symbols: stream_number(u16_at(&bytes, 20)),
            modules: part(HEADER, modules).map(read_modules).unwrap_or_default(),
            contributions: part(contributions_at, contributions)
                .map(read_contributions)
                .unwrap_or_default(),
            addresses: Addresses::default(),
            ranges: Vec::new(),
        };
        let optional = part(optional_at, optional).unwrap_or_default();
        let stream =
            |index: usize| msf.stream(stream_number(u16_at(optional, index.checked_mul(2)?))?);
        let moved = stream(4).filter(|map| !map.is_empty());
        let headers = match &moved {
            Some(_) => stream(10).or_else(|| stream(5)),
            None => stream(5),
        };
        debug.addresses = Addresses::new(&headers.unwrap_or_default(), moved.as_deref());
        debug.place_modules();
        Some(debug)
    }

    fn place_modules(&mut self) {
        let range = |(section, offset, size, module): &(u16, u32, u32, usize)| {
            let start = self.addresses.rva(*section, *offset)?;
            Some((start, start.checked_add(*size)?, *module))
        };
        self.ranges = self.contributions.iter().filter_map(range).collect();
        self.ranges.sort_unstable();
        self.contributions = Vec::new();
    }

    /// The module that contributed an offset in the image, and the start of its contribution.
    pub(super) fn module_at(&self, rva: u32) -> Option<(usize, u32)> {
        let next = self.ranges.partition_point(|(start, ..)| *start <= rva);
        let (start, end, module) = *self.ranges.get(next.checked_sub(1)?)?;
        (rva < end).then_some((module, start))
    }
}

fn stream_number(number: Option<u16>) -> Option<usize> {
    number.filter(|number| *number != NO_STREAM).map(usize::from)
}

fn read_modules(bytes: &[u8]) -> Vec<Module> {
    let mut modules = Vec::new();
    let mut streams = HashSet::new();
    let mut at = 0;
    while let Some((mut module, next)) = read_module(bytes, at) {
        // Each stream belongs to one module, so the file size bounds the sum over all modules.
        module.stream = module.stream.filter(|stream| streams.insert(*stream));
        modules.push(module);
        if modules.len() >= MAX_MODULES {
            break;
        }
        at = next;
    }
    modules
}

fn read_module(bytes: &[u8], at: usize) -> Option<(Module, usize)> {
    let field = |offset: usize| at.checked_add(offset);
    let symbols_end = size_at(bytes, field(36)?)?;
    let old_lines = size_at(bytes, field(40)?)?;
    let lines_at = symbols_end.checked_add(old_lines)?;
    let lines = lines_at..lines_at.checked_add(size_at(bytes, field(44)?)?)?;
    let stream = stream_number(u16_at(bytes, field(34)?));
    let behind = |name: usize| name.checked_add(cstring(bytes, name)?.len())?.checked_add(1);
    let end = behind(behind(field(64)?)?)?;
    Some((Module { stream, symbols_end, lines }, align4(end)?))
}

fn read_contributions(bytes: &[u8]) -> Vec<(u16, u32, u32, usize)> {
    let version = u32_at(bytes, 0);
    let Some((_, size)) = CONTRIBUTIONS.iter().find(|(known, _)| Some(*known) == version) else {
        return Vec::new();
    };
    let entry = |entry: &[u8]| {
        let module = usize::from(u16_at(entry, 16)?);
        Some((u16_at(entry, 0)?, u32_at(entry, 4)?, u32_at(entry, 8)?, module))
    };
    bytes.get(4..).unwrap_or_default().chunks_exact(*size).filter_map(entry).collect()
}
