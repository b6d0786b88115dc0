//! Pool blocks that a bug check names: their pool tags, and the modules that allocate with them.
//!
//! A block of the classic pool begins with its header; the address may be that of the header or of
//! the data behind it. A value that cannot be a pool tag is no evidence.

use crate::catalog::{Absent, Cell};
use crate::dump::Width;
use crate::model::Located;
use crate::source::kernel::core::Core;
use crate::source::kernel::pool::tag::{is_tag, tag_text};
use crate::source::kernel::pool::tag_owners;
use crate::source::suspects::Evidence;

const HEADER: &str = "_POOL_HEADER";
/// A tag that more modules than this use is no evidence against any of them.
const MOST_OWNERS: usize = 3;
/// The flag for protected pool, which must be freed with its tag.
const PROTECTED: u8 = 0x80;

/// The tag of the block at an address, from a header at the address or directly before it.
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
    // The data begins where the header ends, so only one of the two can be a header, except by
    // coincidence.
    read(at).or_else(|absent| at.checked_sub(before).map_or(Err(absent), read))
}

/// The pool tag in a number, if it can be one.
pub(super) fn checked(number: u32) -> Option<[u8; 4]> {
    let [a, b, c, d] = number.to_le_bytes();
    let tag = [a, b, c, d & !PROTECTED];
    is_tag(tag).then_some(tag)
}

/// Adds the modules that allocate with the tag of a damaged block.
pub(super) fn block(core: &Core, at: u64, number: usize, evidence: &mut Evidence) {
    if let Ok(tag) = tag_of(core, at) {
        owners(core, tag, number, evidence);
    }
}

/// Adds the modules that allocate with a tag.
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
        let text =
            format!("it allocates with the pool tag {} of parameter {number}", tag_text(tag));
        let place = Located { module: module.to_owned(), symbol: None, offset: 0 };
        evidence.tag(place, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_printable_numbers_are_pool_tags() {
        assert_eq!(checked(u32::from_le_bytes(*b"AvFt")), Some(*b"AvFt"));
        // Protected pool.
        assert_eq!(checked(u32::from_le_bytes([b'I', b'r', b'p', b' ' | 0x80])), Some(*b"Irp "));
        assert_eq!(checked(0), None);
        assert_eq!(checked(0xdead_beef), None);
    }
}
