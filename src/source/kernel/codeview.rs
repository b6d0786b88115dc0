//! The identity of a module's PDB, out of what the dump happens to hold of its image.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::KernelDump;
use crate::symbol::PdbId;
use crate::symbol::image::Image;

/// Runs a reader over the image at a base.
pub(super) fn with_image<T>(
    dump: &KernelDump,
    base: u64,
    read: impl FnOnce(&Image<'_>) -> Option<T>,
) -> Option<T> {
    let space = dump.kernel_space();
    let bytes = |at: u32, buffer: &mut [u8]| {
        let address = base.checked_add(at.into());
        address.is_some_and(|address| space.read(address, buffer).is_ok())
    };
    read(&Image::new(&bytes)?)
}

/// Finds the record of the image between two addresses: by its headers where the dump holds them,
/// else by its signature in the pieces that lie inside the image.
pub(super) fn find(dump: &KernelDump, base: u64, end: u64) -> Option<PdbId> {
    #[allow(
        clippy::redundant_closure_for_method_calls,
        reason = "the method has one lifetime more"
    )]
    with_image(dump, base, |image| image.pdb()).or_else(|| by_signature(dump, base, end))
}

/// What a record begins with; made ready once, for every module is searched.
static SIGNATURE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"RSDS"));

fn by_signature(dump: &KernelDump, base: u64, end: u64) -> Option<PdbId> {
    for (_, bytes) in dump.kernel_space().held(base, end) {
        let found = SIGNATURE.find_iter(bytes).find_map(|at| {
            PdbId::from_record(bytes.get(at..bytes.len().min(at + PdbId::MAX_RECORD))?)
        });
        if found.as_ref().is_some_and(|id| id.name.to_ascii_lowercase().ends_with(".pdb")) {
            return found;
        }
    }
    None
}
