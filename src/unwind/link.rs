//! Whether the call before a return address leads to the function that returns there.

use super::image::call_bytes;
use super::{Cpu, Target, x64};
use crate::code::{self, Isa};

/// What a call says of where it leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// To the function, or a jump to it.
    Here,
    /// To another one.
    Elsewhere,
    /// It does not say, or nothing is known of the function.
    Open,
}

/// Whether the call before `word` leads to the function that `ip` is in.
pub(super) fn of(target: &dyn Target, cpu: Cpu, word: u64, ip: u64) -> Link {
    if cpu != Cpu::X64 {
        return Link::Open;
    }
    let Some(start) = start_of(target, ip) else { return Link::Open };
    let Some(leads) = leads_to(target, word) else { return Link::Open };
    let is_it = leads == start || jump_at(target, leads) == Some(start);
    if is_it { Link::Here } else { Link::Elsewhere }
}

/// Where the function starts that an address is in, by its image's tables.
fn start_of(target: &dyn Target, address: u64) -> Option<u64> {
    let module = target.module(address)?;
    let offset = u32::try_from(address.checked_sub(module.base)?).ok()?;
    module.base.checked_add(x64::start_of(target, module, offset)?.into())
}

/// Where the call before an address leads, if it says so itself.
fn leads_to(target: &dyn Target, word: u64) -> Option<u64> {
    let module = target.module(word.checked_sub(1)?)?;
    let bytes = call_bytes(target, module, word.checked_sub(module.base)?)?;
    code::is_return(Isa::X64, word, &bytes)?.target
}

/// Where the jump at an address leads.
fn jump_at(target: &dyn Target, address: u64) -> Option<u64> {
    let module = target.module(address)?;
    let offset = u32::try_from(address.checked_sub(module.base)?).ok()?;
    let mut bytes = [0; 5];
    if !target.read_image(module, offset, &mut bytes) {
        return None;
    }
    code::decode(Isa::X64, address, &bytes).filter(code::Instruction::is_jump)?.target
}
