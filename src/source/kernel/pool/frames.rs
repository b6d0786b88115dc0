//! What the PFN database says about pages of nonpaged pool: whether an allocation begins or ends at
//! a page.
//!
//! Kernels before Vista keep this in two bits of a PFN entry that other pages use while they are
//! read and written: `ReadInProgress` and `WriteInProgress`, as in the headers of `ReactOS`, which
//! has the same layout. Later kernels do not, and their entries are not read.

use crate::dump::kdbg;
use crate::source::kernel::core::Core;
use crate::symbol::Field;

const FRAME: &str = "_MMPFN";
/// The first build of Windows Vista.
const VISTA: u32 = 6000;
pub(crate) const PAGE: u64 = 0x1000;
/// The page location value of a page in use (`ActiveAndValid`).
pub(crate) const ACTIVE: u64 = 6;

/// Where the PFN entries are, and the bits in them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frames {
    pub(crate) database: u64,
    pub(crate) entry: u64,
    pub(crate) first: Field,
    pub(crate) last: Field,
    pub(crate) location: Field,
}

/// What the PFN entry says about a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// An allocation begins at it.
    pub(crate) is_first: bool,
    /// An allocation ends at it.
    pub(crate) is_last: bool,
    /// It is part of a large page mapping, so it may be mapped without being in use.
    pub(crate) is_large: bool,
}

/// The PFN database, for kernels that mark pool allocations in it.
pub(crate) fn pool_frames(core: &Core) -> Option<Frames> {
    core.header.build.filter(|build| *build < VISTA)?;
    let field = |path| core.field(FRAME, path);
    let database = core.pointer_at(core.kdbg()?.pointer(kdbg::PFN_DATABASE)?).ok()?;
    let entry = core.size_of(FRAME).filter(|size| (1..=256).contains(size))?;
    let (first, last) = (field("u3.e1.ReadInProgress")?, field("u3.e1.WriteInProgress")?);
    let location = field("u3.e1.PageLocation")?;
    core.is_kernels(database).then_some(Frames { database, entry, first, last, location })
}
