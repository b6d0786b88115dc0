//! What the database of page frames says of pages of the non-paged pool: whether an allocation begins
//! with a page, and whether one ends with it.
//!
//! Kernels before Vista keep that in two bits of a frame's entry that other pages use while they are
//! read and written: `ReadInProgress` and `WriteInProgress`, as the headers of `ReactOS` have it, which
//! is built to the same layout. Later kernels have other means, and their entries are not asked.

use crate::dump::kdbg;
use crate::source::kernel::core::Core;
use crate::symbol::Field;

const FRAME: &str = "_MMPFN";
/// The first build of Windows Vista.
const VISTA: u32 = 6000;
pub(crate) const PAGE: u64 = 0x1000;
/// Where a page is that is in use (`ActiveAndValid`).
pub(crate) const ACTIVE: u64 = 6;

/// Where the entries are, and the bits in them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frames {
    pub(crate) database: u64,
    pub(crate) entry: u64,
    pub(crate) first: Field,
    pub(crate) last: Field,
    pub(crate) location: Field,
}

/// What an entry says of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// An allocation begins with it.
    pub(crate) is_first: bool,
    /// An allocation ends with it.
    pub(crate) is_last: bool,
    /// It is mapped together with pages around it, so that it may be mapped and not in use.
    pub(crate) is_large: bool,
}

/// The database, of kernels that keep this in it.
pub(crate) fn pool_frames(core: &Core) -> Option<Frames> {
    core.header.build.filter(|build| *build < VISTA)?;
    let field = |path| core.field(FRAME, path);
    let database = core.pointer_at(core.kdbg()?.pointer(kdbg::PFN_DATABASE)?).ok()?;
    let entry = core.size_of(FRAME).filter(|size| (1..=256).contains(size))?;
    let (first, last) = (field("u3.e1.ReadInProgress")?, field("u3.e1.WriteInProgress")?);
    let location = field("u3.e1.PageLocation")?;
    core.is_kernels(database).then_some(Frames { database, entry, first, last, location })
}
