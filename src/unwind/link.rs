//! Whether the call before a return address has the returning function as its target.

use super::image::call_bytes;
use super::{Cpu, Target, x64};
use crate::code::{self, Isa};

/// The target of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// The function, or a jump to it.
    Here,
    /// Another function.
    Elsewhere,
    /// Unknown: an indirect call, or nothing is known about the function.
    Open,
}

/// Whether the call before `word` targets the function that contains `ip`.
pub(super) fn of(target: &dyn Target, cpu: Cpu, word: u64, ip: u64) -> Link {
    if cpu != Cpu::X64 {
        return Link::Open;
    }
    let Some(start) = start_of(target, ip) else { return Link::Open };
    let Some(leads) = leads_to(target, word) else { return Link::Open };
    let is_it = leads == start || jump_at(target, leads) == Some(start);
    if is_it { Link::Here } else { Link::Elsewhere }
}

/// The start of the function that contains an address, from the function table of its image.
fn start_of(target: &dyn Target, address: u64) -> Option<u64> {
    let module = target.module(address)?;
    let offset = u32::try_from(address.checked_sub(module.base)?).ok()?;
    module.base.checked_add(x64::start_of(target, module, offset)?.into())
}

/// The target of the call before an address, if it is a direct call.
fn leads_to(target: &dyn Target, word: u64) -> Option<u64> {
    let module = target.module(word.checked_sub(1)?)?;
    let bytes = call_bytes(target, module, word.checked_sub(module.base)?)?;
    code::is_return(Isa::X64, word, &bytes)?.target
}

/// The target of the jump at an address.
fn jump_at(target: &dyn Target, address: u64) -> Option<u64> {
    let module = target.module(address)?;
    let offset = u32::try_from(address.checked_sub(module.base)?).ok()?;
    let mut bytes = [0; 5];
    if !target.read_image(module, offset, &mut bytes) {
        return None;
    }
    code::decode(Isa::X64, address, &bytes).filter(code::Instruction::is_jump)?.target
}
