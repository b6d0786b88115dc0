//! The table functions `disasm`, `disasm_function`, `disasm_back`, `calls_to`, `words` and
//! `file_bytes`: code and memory of a dump as rows.
//!
//! A source gives bytes, modules and names through [`Program`]; `code` decodes the instructions.
//! Memory of the dump has priority over the image file on the symbol path.

mod calls;
mod data;
mod rows;

use std::ops::Range;

use crate::catalog::{Cell, PointerWidth, Value};
use crate::code::{self, Alignment, Instruction, Isa, Names};
use crate::memory::View;
use crate::model::{
    AddressSpace, DynRow, DynTable, Emit, Flow, Machine, Refused, address_argument, count_argument,
    text_argument,
};
use crate::symbol::image::Image;
use crate::unwind::{self, Span, Target};

/// How many instructions are listed by default.
const USUAL: usize = 8;
/// Upper limit on the instructions of a call.
const MOST: usize = 1_000_000;
/// If the bounds of a function are unknown, a branch to a greater distance leaves it.
const FARTHEST: u64 = 1 << 20;
const PAGE: u64 = 0x1000;

/// What listings need from a source.
pub(in crate::source) trait Program: Target + Sync {
    /// The address space, for symbols and addresses.
    fn space(&self) -> &dyn AddressSpace;

    /// The machine.
    fn machine(&self) -> Machine;

    /// The base of the module with this name.
    fn base_of(&self, module: &str) -> Option<u64>;

    /// The pointer-sized word at an address.
    fn word(&self, address: u64) -> Cell<u64>;

    /// Source file and line of the code at an address.
    fn line(&self, address: u64) -> Option<(String, u32)>;

    /// The bytes of the dump file.
    fn file(&self) -> View<'_>;

    /// The instruction set of the code at an address: that of its module, or else of the machine.
    fn isa(&self, address: u64) -> Option<Isa> {
        let of_module = self.module(address).and_then(|module| {
            let read = |at: u32, buffer: &mut [u8]| self.read_image(module, at, buffer);
            Isa::of_machine(Image::new(&read)?.headers().machine)
        });
        of_module.or_else(|| Isa::named(self.machine().arch))
    }
}

/// Fills the start of the buffer with code from an address on, and returns the number of bytes.
pub(in crate::source) fn fetch<T: Target + ?Sized>(
    target: &T,
    address: u64,
    buffer: &mut [u8],
) -> usize {
    let mut held = 0;
    while held < buffer.len() {
        let Some(at) = address.checked_add(held as u64) else { break };
        let to_end = usize::try_from(PAGE - at % PAGE).unwrap_or(usize::MAX);
        let rest = buffer.get_mut(held..).unwrap_or_default();
        let part = rest.len().min(to_end);
        let mut got = part;
        // If a page is only partly present, the present part is found by bisection.
        while got > 0 && !read(target, at, rest.get_mut(..got).unwrap_or_default()) {
            got /= 2;
        }
        if got == 0 {
            break;
        }
        held += got;
    }
    held
}

fn read<T: Target + ?Sized>(target: &T, address: u64, buffer: &mut [u8]) -> bool {
    match target.module(address) {
        Some(module) => {
            let offset = u32::try_from(address.wrapping_sub(module.base));
            offset.is_ok_and(|offset| target.read_image(module, offset, buffer))
        }
        None => target.read(address, buffer),
    }
}

/// Names of addresses from the source.
struct Named<'a>(&'a dyn AddressSpace);

impl Names for Named<'_> {
    fn name(&self, address: u64) -> Option<String> {
        self.0.locate(address).ok().map(|place| place.display())
    }
}

/// Answers a call; `None` if the function is not one of these.
///
/// # Errors
/// What is wrong with an argument, or what the source lacks.
pub(in crate::source) fn answer<'a, P: Program + 'a>(
    program: P,
    name: &str,
    args: &[Value<'static>],
) -> Option<Result<DynTable<'a>, Refused>> {
    Some(match name {
        "disasm" => forward(program, args),
        "disasm_back" => backward(program, args),
        "disasm_function" => whole(program, args),
        "calls_to" => calls(program, args),
        "words" => words(program, args),
        "file_bytes" => bytes_of_file(program, args),
        _ => return None,
    })
}

/// An argument that is a code address, and the instruction set there.
fn place<P: Program>(program: &P, args: &[Value<'static>]) -> Result<(u64, Isa), Refused> {
    let address = address_argument(program.space(), args, 0)?;
    let isa = program.isa(address);
    let isa = isa.ok_or_else(|| Refused::because("code of its machine is not known"))?;
    Ok((address, isa))
}

fn forward<'a, P: Program + 'a>(
    program: P,
    args: &[Value<'static>],
) -> Result<DynTable<'a>, Refused> {
    let (address, isa) = place(&program, args)?;
    let count = count_argument(args, 1, USUAL, MOST)?;
    let each = move |program: &P, emit: &mut dyn FnMut(&Instruction) -> Flow| {
        let fetch = |at: u64, buffer: &mut [u8]| fetch(program, at, buffer);
        let mut window = code::Window::new(&fetch);
        let mut at = address;
        for _ in 0..count {
            let Some(found) = code::decode(isa, at, window.at(at)) else { break };
            if emit(&found).is_break() || found.end() <= at {
                break;
            }
            at = found.end();
        }
    };
    let rows = move |wanted: &[bool], emit: Emit<'_, DynRow>| {
        let make = rows::Maker::new(&program, wanted);
        each(&program, &mut |found| emit.row(make.row(found, None, None)));
    };
    Ok(DynTable { columns: rows::columns(false), rows: Box::new(rows) })
}

fn backward<'a, P: Program + 'a>(
    program: P,
    args: &[Value<'static>],
) -> Result<DynTable<'a>, Refused> {
    let (address, isa) = place(&program, args)?;
    let count = count_argument(args, 1, USUAL, MOST)?;
    let rows = move |wanted: &[bool], emit: Emit<'_, DynRow>| {
        let (found, how) = before(&program, isa, address, count);
        let make = rows::Maker::new(&program, wanted);
        for instruction in &found {
            if emit.row(make.row(instruction, None, Some(how))).is_break() {
                break;
            }
        }
    };
    Ok(DynTable { columns: rows::columns(true), rows: Box::new(rows) })
}

/// The instructions that end at an address.
fn before<P: Program>(
    program: &P,
    isa: Isa,
    address: u64,
    count: usize,
) -> (Vec<Instruction>, Alignment) {
    let fetch = |at: u64, buffer: &mut [u8]| fetch(program, at, buffer);
    let known = address.checked_sub(1).and_then(|inside| start_of(program, inside));
    code::before(isa, address, count, known, &fetch)
}

/// The start of the function that contains an address, from unwind data or else from symbols.
fn start_of<P: Program>(program: &P, address: u64) -> Option<u64> {
    if let Some(start) = start_by_tables(program, address) {
        return Some(start);
    }
    let place = program.space().locate(address).ok()?;
    place.symbol.as_ref()?;
    address.checked_sub(place.offset)
}

fn start_by_tables<P: Program>(program: &P, address: u64) -> Option<u64> {
    let module = program.module(address)?;
    let offset = u32::try_from(address.checked_sub(module.base)?).ok()?;
    let start = unwind::function_start(program, module, offset)?;
    module.base.checked_add(start.into())
}

fn whole<'a, P: Program + 'a>(
    program: P,
    args: &[Value<'static>],
) -> Result<DynTable<'a>, Refused> {
    let (address, isa) = place(&program, args)?;
    let rows = move |wanted: &[bool], emit: Emit<'_, DynRow>| {
        let start = start_of(&program, address).unwrap_or(address);
        let blocks = function_at(&program, isa, start);
        let make = rows::Maker::new(&program, wanted);
        for block in &blocks {
            let label = make.label(block.start);
            for instruction in &block.instructions {
                if emit.row(make.row(instruction, label.as_deref(), None)).is_break() {
                    return;
                }
            }
        }
    };
    Ok(DynTable { columns: rows::columns(false), rows: Box::new(rows) })
}

fn function_at<P: Program>(program: &P, isa: Isa, start: u64) -> Vec<code::Block> {
    let fetch = |at: u64, buffer: &mut [u8]| fetch(program, at, buffer);
    let tables = start_by_tables(program, start);
    let module = program.module(start);
    let belongs = |at: u64| {
        if tables.is_some() {
            return start_by_tables(program, at) == tables;
        }
        let is_other = || {
            let place = program.space().locate(at);
            place.is_ok_and(|place| place.symbol.is_some() && place.offset == 0)
        };
        let is_near = at.abs_diff(start) <= FARTHEST;
        let is_inside = module.is_none_or(|module| (module.base..module.end).contains(&at));
        is_near && is_inside && (at == start || !is_other())
    };
    code::function(isa, start, &fetch, &belongs)
}

/// The module that an argument names.
fn module_argument<P: Program>(
    program: &P,
    args: &[Value<'static>],
    index: usize,
) -> Result<Span, Refused> {
    let name = text_argument(args, index)?;
    let module = program.base_of(name).and_then(|base| program.module(base));
    module.ok_or_else(|| Refused::argument(index, format!("no module `{name}`")))
}

fn calls<'a, P: Program + 'a>(
    program: P,
    args: &[Value<'static>],
) -> Result<DynTable<'a>, Refused> {
    let target = address_argument(program.space(), args, 0)?;
    let module = module_argument(&program, args, 1)?;
    let isa = program.isa(module.base).filter(|isa| *isa != Isa::Arm64);
    let isa = isa.ok_or_else(|| Refused::because("calls are searched for in code of Intel"))?;
    let rows = move |wanted: &[bool], emit: Emit<'_, DynRow>| {
        let names = wanted.get(calls::SYMBOL).copied().unwrap_or(true);
        for found in calls::find(&program, isa, module, target) {
            let symbol = names.then(|| program.space().locate(found.address));
            if emit.row(found.row(symbol)).is_break() {
                break;
            }
        }
    };
    Ok(DynTable { columns: calls::columns(), rows: Box::new(rows) })
}

fn words<'a, P: Program + 'a>(
    program: P,
    args: &[Value<'static>],
) -> Result<DynTable<'a>, Refused> {
    let address = address_argument(program.space(), args, 0)?;
    let count = count_argument(args, 1, 2 * USUAL, MOST)?;
    let width = match program.machine().width {
        PointerWidth::Bits32 => 4,
        PointerWidth::Bits64 => 8,
    };
    let rows = move |wanted: &[bool], emit: Emit<'_, DynRow>| {
        for i in 0..count as u64 {
            let Some(at) = i.checked_mul(width).and_then(|by| address.checked_add(by)) else {
                break;
            };
            let row = data::word(program.space(), at, program.word(at), wanted);
            if emit.row(row).is_break() {
                break;
            }
        }
    };
    Ok(DynTable { columns: data::word_columns(), rows: Box::new(rows) })
}

fn bytes_of_file<'a, P: Program + 'a>(
    program: P,
    args: &[Value<'static>],
) -> Result<DynTable<'a>, Refused> {
    let offset = count_argument(args, 0, 0, usize::MAX)?;
    let count = count_argument(args, 1, 256, MOST)?;
    let rows = move |_: &[bool], emit: Emit<'_, DynRow>| {
        let range: Range<usize> = offset..offset.saturating_add(count).min(program.file().len());
        let bytes = program.file().get(range).unwrap_or_default();
        for (i, line) in bytes.chunks(data::LINE).enumerate() {
            if emit.row(data::line(offset + i * data::LINE, line)).is_break() {
                break;
            }
        }
    };
    Ok(DynTable { columns: data::line_columns(), rows: Box::new(rows) })
}
