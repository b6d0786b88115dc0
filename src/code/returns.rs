//! Whether an address is a return address, by the instruction that ends there.

use super::{Instruction, Isa, decode};

/// The longest call: a prefix, an opcode, and an operand with scale and displacement.
const LONGEST_CALL: usize = 9;

/// The call that ends where the bytes end, if there is one. If several decodings are calls, the
/// shortest direct call is returned, else the longest call.
pub fn is_return(isa: Isa, address: u64, before: &[u8]) -> Option<Instruction> {
    let lengths = match isa {
        Isa::X86 | Isa::X64 => 2..=LONGEST_CALL,
        Isa::Arm64 => 4..=4,
    };
    let mut found: Option<Instruction> = None;
    for len in lengths {
        let Some(at) = before.len().checked_sub(len) else { break };
        let Some(start) = address.checked_sub(len as u64) else { break };
        let call = decode(isa, start, before.get(at..).unwrap_or_default());
        let Some(call) = call.filter(|call| call.is_call() && call.bytes().len() == len) else {
            continue;
        };
        if call.target.is_some() {
            return Some(call);
        }
        found = Some(call);
    }
    found
}

/// Whether a call ends at an address; `None` if the code before it is missing.
pub fn is_return_address(isa: Isa, address: u64, fetch: super::Fetch<'_>) -> Option<bool> {
    let mut bytes = [0; LONGEST_CALL];
    for len in (isa.shortest().max(2)..=LONGEST_CALL).rev() {
        let buffer = bytes.get_mut(..len)?;
        let Some(start) = address.checked_sub(len as u64) else { continue };
        if fetch(start, buffer) == len {
            return Some(is_return(isa, address, buffer).is_some());
        }
    }
    None
}
