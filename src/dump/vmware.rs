//! Suspended `VMware` machines and snapshots. `.vmss` and `.vmsn` files hold groups of named items,
//! some of which give the location of the memory; the memory is in the same file or in a `.vmem`
//! file of the same name.
//!
//! Header: magic, version, number of groups; a group is a name of 64 bytes, offset and size. An
//! item begins with a byte that holds the size (6 bits) and the number of indices (2 bits), and
//! with the length of its name. Size 63 announces a block: its sizes in the file and in memory, and
//! the padding before it.

use std::path::{Path, PathBuf};

use super::bytes::{slice_at, text, u16_at, u32_at, u64_at, unsigned_at};
use super::layout::{Layout, Saved};
use super::notes::Stopped;
use super::spool::Spooling;
use super::{Error, Image};
use crate::memory::{PAGE, View};

/// The magic numbers, and whether block sizes have 64 bits.
const MAGICS: [(&[u8], bool); 6] = [
    (b"\xd0\xbe\xd0\xbe", false),
    (b"\xd0\xbe\xd2\xbe", false),
    (b"\xd1\xba\xd1\xba", true),
    (b"\xd2\xbe\xd2\xbe", true),
    (b"\xd3\xbe\xd2\xbe", true),
    (b"\xd3\xbe\xd3\xbe", true),
];
/// The size of a magic number.
const MAGIC: usize = 4;
const GROUP: u64 = 80;
const BLOCK: u8 = 63;
const COMPRESSED: u8 = 62;
/// Upper limits on values that a damaged file may state.
const MAX_GROUPS: u32 = 4096;
const MAX_ITEMS: usize = 1 << 20;
const MAX_REGIONS: usize = 4096;
const MAX_PROCESSORS: u32 = 2048;
/// The end of the memory below the address hole for devices, which is the offset in a `.vmem` file
/// of the memory above the hole.
const HOLE: u64 = 3 << 30;
/// The general registers in the order of the item `gpregs`.
const GENERAL: [&str; 16] = [
    "rax", "rcx", "rdx", "rbx", "rbp", "rsp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];
const CONTROL: [&str; 5] = ["cr0", "cr1", "cr2", "cr3", "cr4"];

/// Whether block sizes have 64 bits; `None` if the file is not a saved state.
fn is_wide(file: &[u8]) -> Option<bool> {
    MAGICS.iter().find(|(magic, _)| file.starts_with(magic)).map(|(_, wide)| *wide)
}

/// Whether the file is a saved state.
pub(super) fn is_state<'f>(file: impl Into<View<'f>>) -> bool {
    is_wide(file.into().head(MAGIC)).is_some()
}

/// An item of a group.
#[derive(Debug, Clone, Copy)]
struct Item<'f> {
    name: &'f [u8],
    indices: [Option<u32>; 3],
    value: &'f [u8],
    /// The offset of the value in the file.
    offset: u64,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Block,
    Compressed,
}

impl Item<'_> {
    fn number(&self) -> Option<u64> {
        unsigned_at(self.value, 0, self.value.len().min(8)).filter(|_| self.kind == Kind::Number)
    }

    fn index(&self) -> Option<usize> {
        self.indices.first().copied().flatten().map(|index| index as usize)
    }
}

/// The items of a group, as far as they can be read.
fn items<'f>(file: &'f [u8], wanted: &str) -> impl Iterator<Item = Item<'f>> {
    let wide = is_wide(file).unwrap_or(true);
    let count = u32_at(file, 8).unwrap_or_default().min(MAX_GROUPS);
    let mut groups = (0..u64::from(count))
        .filter_map(|index| slice_at(file, index.checked_mul(GROUP)?.checked_add(12)?, GROUP));
    let group = groups.find(|group| text(group.get(..64).unwrap_or_default()) == wanted);
    let mut at = group.and_then(|group| u64_at(group, 64));
    std::iter::from_fn(move || {
        let (item, next) = item(file, at?, wide)?;
        at = Some(next);
        Some(item)
    })
    .take(MAX_ITEMS)
}

/// The item at an offset, and the offset of the next; `None` at the end of the group.
fn item(file: &[u8], at: u64, wide: bool) -> Option<(Item<'_>, u64)> {
    let head = slice_at(file, at, 2)?;
    let (flags, name_len) = (*head.first()?, *head.get(1)?);
    if flags == 0 && name_len == 0 {
        return None;
    }
    let mut at = at.checked_add(2)?;
    let name = slice_at(file, at, name_len.into())?;
    at = at.checked_add(name_len.into())?;
    let mut indices = [None; 3];
    for index in indices.iter_mut().take((flags >> 6).into()) {
        *index = Some(u32_at(slice_at(file, at, 4)?, 0)?);
        at = at.checked_add(4)?;
    }
    let size = flags & BLOCK;
    let kind = match size {
        BLOCK => Kind::Block,
        COMPRESSED => Kind::Compressed,
        _ => Kind::Number,
    };
    let len = if kind == Kind::Number {
        size.into()
    } else {
        let step: usize = if wide { 8 } else { 4 };
        let sizes = slice_at(file, at, 2u64.checked_mul(step as u64)?.checked_add(2)?)?;
        let padding = u16_at(sizes, step.checked_mul(2)?)?;
        at = at.checked_add(sizes.len() as u64)?.checked_add(padding.into())?;
        unsigned_at(sizes, 0, step)?
    };
    // A value that the file cuts off is returned as far as it goes.
    let held = len.min((file.len() as u64).checked_sub(at)?);
    let value = slice_at(file, at, held)?;
    Some((Item { name, indices, value, offset: at, kind }, at.checked_add(len)?))
}

/// A region of memory in pages: its page number in the machine and in the saved memory.
#[derive(Debug, Clone, Copy, Default)]
struct Region {
    page: Option<u64>,
    saved: Option<u64>,
    pages: Option<u64>,
}

/// What the state says about memory and processors.
#[derive(Debug, Default)]
struct State {
    count: Option<u64>,
    regions: Vec<Region>,
    /// Offset and length of the memory in this file.
    memory: Option<(u64, u64)>,
    is_compressed: bool,
    processors: Vec<Stopped>,
}

fn read(file: &[u8]) -> State {
    let mut state = State::default();
    for item in items(file, "memory") {
        let index = item.index().filter(|index| *index < MAX_REGIONS);
        match (item.name, index) {
            (b"regionsCount", _) => state.count = item.number(),
            (b"Memory", _) if item.kind != Kind::Number => {
                state.is_compressed |= item.kind == Kind::Compressed;
                state.memory.get_or_insert((item.offset, item.value.len() as u64));
            }
            (name @ (b"regionPPN" | b"regionPageNum" | b"regionSize"), Some(index)) => {
                if state.regions.len() <= index {
                    state.regions.resize(index.saturating_add(1), Region::default());
                }
                let Some(region) = state.regions.get_mut(index) else { continue };
                match name {
                    b"regionPPN" => region.page = item.number(),
                    b"regionPageNum" => region.saved = item.number(),
                    _ => region.pages = item.number(),
                }
            }
            _ => {}
        }
    }
    state.processors = processors(file);
    state
}

/// The registers of processors that the state holds.
fn processors(file: &[u8]) -> Vec<Stopped> {
    let mut all: Vec<Stopped> = Vec::new();
    for item in items(file, "cpu") {
        let Some(index) = item.index().filter(|index| *index < MAX_PROCESSORS as usize) else {
            continue;
        };
        let name = std::str::from_utf8(item.name).unwrap_or_default();
        let known = GENERAL.contains(&name) || ["CR64", "gpregs", "rip", "eflags"].contains(&name);
        if !known {
            continue;
        }
        if all.len() <= index {
            all.resize(index.saturating_add(1), Stopped::default());
        }
        let Some(one) = all.get_mut(index) else { continue };
        let of_block = |at: usize| u64_at(item.value, at.saturating_mul(8));
        match (name, item.kind) {
            ("gpregs", Kind::Block) => {
                for (at, name) in GENERAL.iter().enumerate() {
                    one.set(name, of_block(at));
                }
            }
            ("CR64", Kind::Block) => {
                for (at, name) in CONTROL.iter().enumerate() {
                    one.set(name, of_block(at));
                }
            }
            ("CR64", Kind::Number) => {
                let which = item.indices[1].and_then(|which| CONTROL.get(which as usize));
                if let Some(name) = which {
                    one.set(name, item.number());
                }
            }
            (name, Kind::Number) => {
                let name = if name == "eflags" { "efl" } else { name };
                one.set(name, item.number());
            }
            _ => {}
        }
    }
    all
}

/// The locations of the pages, for saved memory that begins at an offset.
fn layout(state: State, start: u64, bytes: u64) -> Layout {
    let mut layout = Layout::new(Saved::VMware, "memory region");
    let count = state.count.unwrap_or_default();
    if count == 0 {
        layout.range(0, bytes, start);
    } else if count != state.regions.len() as u64 {
        let found = state.regions.len();
        layout
            .problems
            .push(format!("the state counts {count} regions of memory and lists {found}"));
    }
    for region in state.regions.iter().filter(|_| count != 0) {
        let (Some(page), Some(saved), Some(pages)) = (region.page, region.saved, region.pages)
        else {
            layout.problems.push("a region of memory without its place or size".to_owned());
            continue;
        };
        let places = [page, saved, pages].map(|pages| pages.checked_mul(PAGE));
        if let [Some(page), Some(saved), Some(bytes)] = places {
            layout.range(page, bytes, start.saturating_add(saved));
        }
    }
    layout.processors = state.processors;
    layout
}

/// A state with the memory in it, or with the memory in a second file.
pub(super) fn open(image: &Image, spooling: &Spooling) -> Result<Image, Error> {
    let state = read(image.whole());
    if state.is_compressed {
        return Err(image.not_a_dump(
            "a VMware state with compressed memory, which is not read; a snapshot with \
             `mainMem.useNamedFile = \"TRUE\"` has its memory in a .vmem file",
        ));
    }
    if let Some((offset, bytes)) = state.memory {
        return Ok(image.clone().with_layout(layout(state, offset, bytes), None));
    }
    let beside =
        image.file().filter(|_| image.name() == image.path()).map(|path| other(path, "vmem"));
    match beside.filter(|path| path.is_file()) {
        Some(path) => {
            let memory = Image::open_with(&path, spooling)?;
            let layout = layout(state, 0, memory.len() as u64);
            Ok(memory.with_layout(layout, image.file()))
        }
        None => Err(image.not_a_dump(
            "a VMware state without memory; the memory is in a .vmem file of the same name",
        )),
    }
}

/// The memory in a `.vmem` file, with the regions that the state file next to it lists. Without a
/// state file, the memory above the address hole for devices has no known location. `None` if every
/// page is at its own address.
pub(super) fn of_memory(image: &Image) -> Option<Image> {
    let name = Path::new(image.path());
    if !name.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("vmem")) {
        return None;
    }
    let bytes = image.len() as u64;
    let path = image.file().filter(|_| image.name() == image.path());
    let states = path.into_iter().flat_map(|path| ["vmss", "vmsn"].map(|end| other(path, end)));
    for path in states.filter(|path| path.is_file()) {
        let state = Image::open(&path).ok().filter(|state| is_state(state));
        if let Some(state) = state.map(|state| read(state.whole())) {
            return Some(image.clone().with_layout(layout(state, 0, bytes), Some(&path)));
        }
    }
    let above = bytes.checked_sub(HOLE).filter(|above| *above != 0)?;
    let mut layout = Layout::new(Saved::VMware, "memory region");
    layout.range(0, HOLE, 0);
    layout.missing(above / PAGE);
    layout.problems.push(format!(
        "no .vmss or .vmsn of the same name says where the last {} pages of the machine are",
        above / PAGE
    ));
    Some(image.clone().with_layout(layout, None))
}

/// For the members of one archive: combines each memory file with the state of the same name, which
/// is then no source of its own.
#[cfg(feature = "archives")]
pub(super) fn pair(images: &mut Vec<Image>) {
    let stem = |image: &Image| Path::new(image.path()).with_extension("");
    let (states, mut others): (Vec<Image>, Vec<Image>) =
        std::mem::take(images).into_iter().partition(|image| is_state(image));
    for state in states {
        let is_memory = |image: &&mut Image| {
            Path::new(image.path()).extension().is_some_and(|end| end.eq_ignore_ascii_case("vmem"))
                && stem(image) == stem(&state)
        };
        match others.iter_mut().find(is_memory) {
            Some(memory) => {
                let layout = layout(read(state.whole()), 0, memory.len() as u64);
                *memory = memory.clone().with_layout(layout, None);
            }
            None => images.push(state),
        }
    }
    images.append(&mut others);
}

/// The path with another extension.
fn other(path: &Path, ending: &str) -> PathBuf {
    path.with_extension(ending)
}
