//! What the database of page frames says of pages of the non-paged pool: whether an allocation begins
//! with a page, and whether one ends with it.
//!
//! Kernels before Vista keep that in two bits of a frame's entry that other pages use while they are
//! read and written: `ReadInProgress` and `WriteInProgress`, as the headers of `ReactOS` have it, which
//! is built to the same layout. Later kernels have other means, and their entries are not asked.

use super::ranges::PoolRange;
use super::scan::Reader;
use crate::dump::bytes::unsigned_at;
use crate::dump::kdbg;
use crate::memory::Gva;
use crate::source::kernel::KernelDump;
use crate::symbol::Field;

const FRAME: &str = "_MMPFN";
/// The first build of Windows Vista.
const VISTA: u32 = 6000;
const PAGE: u64 = 0x1000;
/// Where a page is that is in use (`ActiveAndValid`).
const ACTIVE: u64 = 6;

/// Where the entries are, and the bits in them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frames {
    database: u64,
    entry: u64,
    first: Field,
    last: Field,
    location: Field,
}

/// What an entry says of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// An allocation begins with it.
    pub(super) is_first: bool,
    /// An allocation ends with it.
    pub(super) is_last: bool,
    /// It is mapped together with pages around it, so that it may be mapped and not in use.
    pub(super) is_large: bool,
}

impl KernelDump {
    /// The database, of kernels that keep this in it.
    pub(super) fn pool_frames(&self) -> Option<Frames> {
        self.header.build.filter(|build| *build < VISTA)?;
        let field = |path| self.types().other(FRAME, path);
        let database = self.pointer_at(self.kdbg()?.pointer(kdbg::PFN_DATABASE)?).ok()?;
        let entry = self.types().size_of(FRAME).filter(|size| (1..=256).contains(size))?;
        let (first, last) = (field("u3.e1.ReadInProgress")?, field("u3.e1.WriteInProgress")?);
        let location = field("u3.e1.PageLocation")?;
        self.is_kernels(database).then_some(Frames { database, entry, first, last, location })
    }
}

impl Reader<'_> {
    /// What is said of a page; `None` of pools and of kernels of which nothing is.
    pub(super) fn mark(&self, range: &PoolRange, at: u64, is_large: bool) -> Option<Mark> {
        let frames = self.frames.filter(|_| range.kind.is_paged == Some(false))?;
        let place =
            self.machine.translate(&self.dump.image, self.machine.kernel(), Gva(at)).ok()?;
        let skip = (place.address.0 / PAGE).checked_mul(frames.entry)?;
        let at = frames.database.checked_add(skip)?;
        let entry = self.dump.kernel_space().slice(at, usize::try_from(frames.entry).ok()?).ok()?;
        let bits = |field: Field| {
            let word = unsigned_at(&entry, field.offset, field.size.min(8))?;
            let (start, len) = field.bits?;
            Some(word.checked_shr(start.into())? & 1u64.checked_shl(len.into())?.wrapping_sub(1))
        };
        let bit = |field: Field| Some(bits(field)? == 1);
        let mark = Mark { is_first: bit(frames.first)?, is_last: bit(frames.last)?, is_large };
        (bits(frames.location)? == ACTIVE).then_some(mark)
    }
}
