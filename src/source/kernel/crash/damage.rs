//! Pool blocks that a bug check names: their tags, and who allocates by them.
//!
//! A block of the classic pool has its header in front; the address may be that of the header or of the
//! memory behind it. A word that is no tag is no evidence.

use crate::catalog::{Absent, Cell};
use crate::dump::Width;
use crate::model::Located;
use crate::source::kernel::core::Core;
use crate::source::kernel::pool::tag::{is_tag, tag_text};
use crate::source::kernel::pool::tag_owners;
use crate::source::suspects::Evidence;

const HEADER: &str = "_POOL_HEADER";
/// A tag that so many modules use says nothing of any of them.
const MOST_OWNERS: usize = 3;
/// Set in the tag of a block that only who allocated it may free.
const PROTECTED: u8 = 0x80;

/// The tag of a block at an address: of a header there, else of one right before.
pub(super) fn tag_of(core: &Core, at: u64) -> Cell<[u8; 4]> {
    let before = match core.header.width {
        Width::W64 => 0x10,
        Width::W32 => 8,
    };
    let read = |at: u64| -> Cell<[u8; 4]> {
        let number = core.structure(HEADER, at).unsigned("PoolTag")?;
        let number = u32::try_from(number).map_err(|_| Absent::Unreadable)?;
        checked(number).ok_or(Absent::NotApplicable)
    };
    // Blocks begin where headers end, so that a header is at every second place only by chance.
    read(at).or_else(|absent| at.checked_sub(before).map_or(Err(absent), read))
}

/// A number as a pool tag, if it may be one.
pub(super) fn checked(number: u32) -> Option<[u8; 4]> {
    let [a, b, c, d] = number.to_le_bytes();
    let tag = [a, b, c, d & !PROTECTED];
    is_tag(tag).then_some(tag)
}

/// The modules that allocate by the tag of a damaged block.
pub(super) fn block(core: &Core, at: u64, number: usize, evidence: &mut Evidence) {
    if let Ok(tag) = tag_of(core, at) {
        owners(core, tag, number, evidence);
    }
}

/// The modules that allocate by a tag.
pub(super) fn tag(core: &Core, value: u64, number: usize, evidence: &mut Evidence) {
    let tag = u32::try_from(value & 0xffff_ffff).ok().and_then(checked);
    if let Some(tag) = tag {
        owners(core, tag, number, evidence);
    }
}

fn owners(core: &Core, tag: [u8; 4], number: usize, evidence: &mut Evidence) {
    let Some(Ok(names)) = tag_owners::tag_owners(core, &[tag]).into_iter().next() else { return };
    let names: Vec<&str> = names.split(", ").collect();
    if names.len() > MOST_OWNERS {
        return;
    }
    for module in names {
        let text = format!("it allocates by the tag {} of parameter {number}", tag_text(tag));
        let place = Located { module: module.to_owned(), symbol: None, offset: 0 };
        evidence.tag(place, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_a_tag_is_one() {
        assert_eq!(checked(u32::from_le_bytes(*b"AvFt")), Some(*b"AvFt"));
        // Only the owner may free it.
        assert_eq!(checked(u32::from_le_bytes([b'I', b'r', b'p', b' ' | 0x80])), Some(*b"Irp "));
        assert_eq!(checked(0), None);
        assert_eq!(checked(0xdead_beef), None);
    }
}
