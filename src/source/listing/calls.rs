//! The calls of an address in the code of a module: direct calls, tail jumps, and both through a
//! pointer of the module such as an import.

use rayon::prelude::*;

use super::{Program, fetch};
use crate::catalog::{Absent, CallColumn, Cell, Ty, Value};
use crate::code::Isa;
use crate::model::{DynRow, Located};
use crate::symbol::image::Image;
use crate::unwind::Span;

/// The columns by index.
pub(super) const SYMBOL: usize = 1;
const EXECUTE: u32 = 0x2000_0000;
/// Upper limit on the code of a module.
const MOST: u64 = 512 << 20;
/// The size of the parts in which code is searched in parallel.
const PART: u64 = 256 << 10;
/// The longest instruction form that is searched.
const LONGEST: usize = 6;

/// A call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) address: u64,
    kind: &'static str,
    /// The address of the pointer that it goes through.
    through: Option<u64>,
}

pub(super) fn columns() -> Vec<CallColumn> {
    vec![
        CallColumn::new("address", Ty::Addr),
        CallColumn::new("symbol", Ty::Text),
        CallColumn::new("kind", Ty::Text),
        CallColumn::new("through", Ty::Addr),
    ]
}

impl Call {
    pub(super) fn row(&self, place: Option<Cell<Located>>) -> DynRow {
        let place = place.unwrap_or(Err(Absent::NotApplicable));
        vec![
            Ok(Value::Addr(self.address)),
            place.map(|place| Value::text(place.display())),
            Ok(Value::text(self.kind)),
            self.through.map(Value::Addr).ok_or(Absent::NotApplicable),
        ]
    }
}

/// The calls of an address, in address order.
pub(super) fn find(program: &dyn Program, isa: Isa, module: Span, target: u64) -> Vec<Call> {
    let parts = code_of(program, module);
    let found: Vec<Vec<Call>> =
        parts.par_iter().map(|part| in_part(program, isa, module, target, *part)).collect();
    found.into_iter().flatten().collect()
}

/// The code of a module in parts: start and size of each.
fn code_of(program: &dyn Program, module: Span) -> Vec<(u64, u64)> {
    let read = |at: u32, buffer: &mut [u8]| program.read_image(module, at, buffer);
    let sections = Image::new(&read).map(|image| image.sections()).unwrap_or_default();
    let size = module.end.saturating_sub(module.base).min(MOST);
    let is_code = |characteristics: u32| characteristics & EXECUTE != 0;
    let mut ranges: Vec<(u64, u64)> = sections
        .iter()
        .filter(|section| is_code(section.characteristics))
        .map(|section| (section.start.into(), u64::from(section.start) + u64::from(section.size)))
        .collect();
    // An image without readable headers may have code anywhere.
    if sections.is_empty() {
        ranges.push((0, size));
    }
    ranges.sort_unstable();
    let mut parts = Vec::new();
    let mut done = 0;
    for (start, end) in ranges {
        let (mut start, end) = (start.max(done), end.min(size));
        while start < end {
            let length = PART.min(end - start);
            parts.push((module.base.saturating_add(start), length));
            start += length;
        }
        done = done.max(end);
    }
    parts
}

fn in_part(
    program: &dyn Program,
    isa: Isa,
    module: Span,
    target: u64,
    (start, length): (u64, u64),
) -> Vec<Call> {
    let length = usize::try_from(length).unwrap_or(0);
    // An instruction that begins in this part may end in the next.
    let mut bytes = vec![0; length + LONGEST];
    let mut found = Vec::new();
    let mut from = 0;
    while from < length {
        let at = start.wrapping_add(from as u64);
        let held = fetch(program, at, bytes.get_mut(from..).unwrap_or_default());
        let code = bytes.get(from..from + held).unwrap_or_default();
        search(program, isa, module, target, (at, code), length - from, &mut found);
        // Missing pages are skipped.
        let next = (at.wrapping_add(held as u64) | 0xfff).wrapping_add(1);
        from = usize::try_from(next.wrapping_sub(start)).unwrap_or(length);
    }
    found
}

fn search(
    program: &dyn Program,
    isa: Isa,
    module: Span,
    target: u64,
    (start, code): (u64, &[u8]),
    most: usize,
    found: &mut Vec<Call>,
) {
    for at in memchr::memchr3_iter(0xe8, 0xe9, 0xff, code).take_while(|at| *at < most) {
        let address = start.wrapping_add(at as u64);
        let number = |offset: usize| {
            let bytes = code.get(at + offset..).and_then(|bytes| bytes.first_chunk::<4>());
            bytes.map(|bytes| i32::from_le_bytes(*bytes))
        };
        let relative = |number: i32, len: u64| {
            let to = address.wrapping_add(len).wrapping_add_signed(number.into());
            if isa == Isa::X86 { to & 0xffff_ffff } else { to }
        };
        let (kind, through) = match code.get(at..at + 2) {
            Some([0xe8 | 0xe9, _]) => {
                let is_it = number(1).is_some_and(|number| relative(number, 5) == target);
                if !is_it {
                    continue;
                }
                (if code.get(at) == Some(&0xe8) { "call" } else { "jump" }, None)
            }
            Some([0xff, form @ (0x15 | 0x25)]) => {
                let Some(number) = number(2) else { continue };
                let slot = match isa {
                    Isa::X86 => u64::from(number.cast_unsigned()),
                    _ => relative(number, 6),
                };
                let is_own = (module.base..module.end).contains(&slot);
                if !is_own || program.word(slot) != Ok(target) {
                    continue;
                }
                (if *form == 0x15 { "call" } else { "jump" }, Some(slot))
            }
            _ => continue,
        };
        found.push(Call { address, kind, through });
    }
}
