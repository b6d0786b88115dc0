//! The debugger data block of a dump with physical memory, decoded if it is encoded.
//!
//! Since Windows 8 a kernel without an attached debugger keeps the block encoded with three values:
//! `KiWaitNever`, `KiWaitAlways` and the address of `KdpDataBlockEncoded`. Only the symbols of that
//! kernel build give their addresses.

use crate::source::kernel::core::Core;

use std::borrow::Cow;
use std::sync::Arc;

use crate::dump::Width;
use crate::dump::bytes::u64_at;
use crate::dump::kdbg::Kdbg;
use crate::source::kernel::core::codeview;
use crate::symbol::{Closeness, Layout, PdbId, Wanted};

/// Upper limit on the size of the block.
const MAX_BYTES: usize = 0x1000;
/// The kernel image starts at most this far before its variables.
const MAX_IMAGE: u64 = 64 << 20;
const PAGE: u64 = 0x1000;

/// The encoding keys of the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct BlockKeys {
    /// `KiWaitNever`.
    never: u64,
    /// `KiWaitAlways`.
    always: u64,
    /// The address of `KdpDataBlockEncoded`.
    encoded: u64,
}

impl BlockKeys {
    /// The decoded block.
    fn decode(self, block: &[u8]) -> Vec<u8> {
        let turns = u32::from(self.never.to_le_bytes()[0]);
        let words = (0..block.len() / 8).filter_map(|i| u64_at(block, i * 8));
        let plain = words.map(|word| {
            ((word ^ self.never).rotate_left(turns) ^ self.encoded).swap_bytes() ^ self.always
        });
        plain.flat_map(u64::to_le_bytes).collect()
    }
}

impl Core {
    /// The debugger data block from the kernel's memory; empty if the dump does not hold it.
    ///
    /// This runs while the block is not known yet, so nothing here may ask for it.
    pub(crate) fn read_debugger_data(&self) -> Vec<u8> {
        let block = self.header.kdbg.and_then(|at| self.prefix(at, MAX_BYTES).ok());
        let block = block.map(Cow::into_owned).unwrap_or_default();
        if Kdbg::new(&block, self.header.width).is_some() || self.header.width == Width::W32 {
            return block;
        }
        self.decoded()
            .filter(|plain| Kdbg::new(plain, self.header.width).is_some())
            .unwrap_or(block)
    }

    fn decoded(&self) -> Option<Vec<u8>> {
        let base = self.header.kernel_base.or_else(|| self.image_before_lists())?;
        let pdb = codeview::find(self, base, 0)?;
        let symbol = |name: &str| base.checked_add(self.symbol_of(&pdb, name)?);
        let value = |name: &str| self.pointer_at(symbol(name)?).ok();
        let keys = BlockKeys {
            never: value("KiWaitNever")?,
            always: value("KiWaitAlways")?,
            encoded: symbol("KdpDataBlockEncoded")?,
        };
        let at = self.header.kdbg.or_else(|| symbol("KdDebuggerDataBlock"))?;
        Some(keys.decode(&self.prefix(at, MAX_BYTES).ok()?))
    }

    /// The image that contains the head of the module list.
    fn image_before_lists(&self) -> Option<u64> {
        let list = self.header.module_list? & !(PAGE - 1);
        let last = list.saturating_sub(MAX_IMAGE);
        let space = self.kernel_space();
        let mut at = list;
        while at > last {
            let is_start = space.page(at).is_ok_and(|page| page.starts_with(b"MZ"));
            if is_start && codeview::find(self, at, 0).is_some() {
                return Some(at);
            }
            at = at.checked_sub(PAGE)?;
        }
        None
    }

    /// The offset of a symbol in the kernel with this PDB.
    fn symbol_of(&self, pdb: &PdbId, name: &str) -> Option<u64> {
        let wanted = Wanted {
            build: self.header.build.unwrap_or_default(),
            service_pack: 0,
            arch: self.arch.name(),
            revision: None,
            pdb: Some(pdb),
        };
        let candidates = self.symbols.candidates(&wanted);
        let own = candidates.iter().take_while(|c| c.closeness <= Closeness::SamePdb);
        // A file may contain another build than its name says.
        let is_it = |layout: &Arc<Layout>| layout.pdb().is_none_or(|(guid, _)| guid == pdb.guid);
        own.filter_map(|candidate| self.symbols.load(candidate).ok())
            .filter(is_it)
            .find_map(|layout| layout.symbol(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_inverts_the_kernels_encoding() {
        let keys = BlockKeys {
            never: 0x8a5c_1f00_dead_bee5,
            always: 0x0123_4567_89ab_cdef,
            encoded: 0xffff_f800_1234_5678,
        };
        let plain: Vec<u8> = (0..0x40).chain(*b"KDBG....").collect();
        // The kernel's encoding, step by step.
        let encoded: Vec<u8> = plain
            .chunks(8)
            .flat_map(|word| {
                let word = u64::from_le_bytes(word.try_into().unwrap());
                let word = (word ^ keys.always).swap_bytes() ^ keys.encoded;
                (word.rotate_right(0xe5 % 64) ^ keys.never).to_le_bytes()
            })
            .collect();
        assert_ne!(encoded, plain);
        assert_eq!(keys.decode(&encoded), plain);
    }
}
