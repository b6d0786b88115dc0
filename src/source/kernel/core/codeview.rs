//! The identity of a module's PDB, from the parts of its image that the dump holds.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::source::kernel::core::Core;
use crate::symbol::PdbId;
use crate::symbol::image::Image;

/// The signature of a CodeView record, with a searcher that is prepared once for all modules.
static SIGNATURE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"RSDS"));

/// How much of an image is searched in a dump with all memory, which usually holds the headers.
const MOST_SEARCHED: u64 = 64 << 20;

/// Runs a reader over the image at a base.
pub(crate) fn with_image<T>(
    core: &Core,
    base: u64,
    read: impl FnOnce(&Image<'_>) -> Option<T>,
) -> Option<T> {
    let space = core.kernel_space();
    let bytes = |at: u32, buffer: &mut [u8]| {
        let address = base.checked_add(at.into());
        address.is_some_and(|address| space.read(address, buffer).is_ok())
    };
    read(&Image::new(&bytes)?)
}

/// Finds the CodeView record of the image between two addresses: through its headers if the dump
/// holds them, else by its signature in the memory ranges inside the image.
pub(crate) fn find(core: &Core, base: u64, end: u64) -> Option<PdbId> {
    #[allow(
        clippy::redundant_closure_for_method_calls,
        reason = "the method has one more lifetime"
    )]
    with_image(core, base, |image| image.pdb()).or_else(|| by_signature(core, base, end))
}

fn by_signature(core: &Core, base: u64, end: u64) -> Option<PdbId> {
    if core.pages.is_some() {
        let end = end.min(base.saturating_add(MOST_SEARCHED));
        return records(core, base, end).next().map(|(_, id)| id);
    }
    // A damaged module list may name the same memory many times: it is searched once.
    let all = core.names.records.get_or_init(|| records(core, 0, u64::MAX).collect());
    let first = all.partition_point(|(at, _)| *at < base);
    let (at, id) = all.get(first)?;
    (*at < end).then(|| id.clone())
}

/// The records in a range with their addresses.
fn records(core: &Core, start: u64, end: u64) -> impl Iterator<Item = (u64, PdbId)> {
    core.kernel_space().held(start, end).flat_map(|(from, bytes)| {
        SIGNATURE.find_iter(bytes).filter_map(move |at| {
            let id = PdbId::from_record(bytes.get(at..bytes.len().min(at + PdbId::MAX_RECORD))?)?;
            let is_pdb = id.name.to_ascii_lowercase().ends_with(".pdb");
            is_pdb.then(|| (from.saturating_add(at as u64), id))
        })
    })
}
