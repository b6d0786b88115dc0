//! Pools, nodes and page files of the memory manager.

use super::super::build::Builder;
use super::super::spec::SystemSpec;
use super::own_name;

/// Pool descriptors: used pages of the nonpaged pool and of every paged pool.
pub(super) fn pools(builder: &mut Builder<'_>, spec: &SystemSpec) {
    let width = builder.width();
    let size = builder.layout.size("_POOL_DESCRIPTOR") as u64;
    let array = builder.variable("ExpPagedPoolDescriptor", 8 * 17);
    let pools = std::iter::once(spec.counters.nonpaged).chain(spec.counters.paged.iter().copied());
    for (i, pages) in pools.enumerate() {
        if size == 0 {
            return;
        }
        let at = if i == 0 {
            builder.variable("NonPagedPoolDescriptor", size)
        } else {
            builder.pool(false, *b"Pool", size)
        };
        let mut pool = builder.new_object("_POOL_DESCRIPTOR");
        pool.set("PoolType", u64::from(i > 0)).opt("PoolIndex", i.saturating_sub(1) as u64);
        pool.opt("TotalPages", pages).opt("PagesAllocated", pages);
        builder.place(at, pool);
        if i > 0 {
            builder.put_pointer(array + (i as u64 - 1) * width, at);
        }
    }
    let name = own_name(builder, "MmPagedPoolInfo");
    let info = builder.variable(name, 0x80);
    if builder.layout.has("_MM_PAGED_POOL_INFO", "AllocatedPagedPool") {
        let at = builder.offset("_MM_PAGED_POOL_INFO", "AllocatedPagedPool");
        builder.put_pointer(info + at, spec.counters.paged_usage);
    }
}

/// The nonpaged pools of a machine that has several: used pages of each.
pub(super) fn nodes(builder: &mut Builder<'_>, pages: &[u64]) {
    let (size, width) = (builder.layout.size("_POOL_DESCRIPTOR") as u64, builder.width());
    let count = builder.variable("ExpNumberOfNonPagedPools", 4);
    builder.put_u32(count, pages.len().max(1) as u64);
    let array = builder.variable("ExpNonPagedPoolDescriptor", 8 * 16);
    for (i, pages) in (0..).zip(pages) {
        let at = builder.pool(false, *b"Pool", size);
        let mut pool = builder.new_object("_POOL_DESCRIPTOR");
        pool.set("TotalPages", *pages).set("PoolIndex", i);
        builder.place(at, pool);
        builder.put_pointer(array + i * width, at);
    }
}

pub(super) fn page_files(builder: &mut Builder<'_>, spec: &SystemSpec) {
    let size = builder.layout.size("_MMPAGING_FILE") as u64;
    // Since Windows 10 the array is in the system partition.
    let array = if builder.layout.has("_MI_PARTITION", "Vp.PagingFile") {
        let size = builder.layout.size("_MI_PARTITION") as u64;
        let partition = builder.variable("MiSystemPartition", size);
        let count = builder.offset("_MI_PARTITION", "Vp.NumberOfPagingFiles");
        builder.put_u32(partition + count, spec.page_files.len() as u64);
        partition + builder.offset("_MI_PARTITION", "Vp.PagingFile")
    } else {
        builder.variable("MmPagingFile", 8 * 16)
    };
    let width = builder.width();
    for (i, file) in spec.page_files.iter().enumerate().take(16) {
        if size == 0 {
            return;
        }
        let at = builder.pool(false, *b"Mm  ", size);
        let (current, free, minimum, maximum) = file.pages;
        let mut object = builder.new_object("_MMPAGING_FILE");
        object.set("Size", current).set("FreeSpace", free);
        object.set("MinimumSize", minimum).set("MaximumSize", maximum);
        object.opt("CurrentUsage", current - free).opt("PeakUsage", current - free);
        object.opt("PageFileNumber", i as u64);
        builder.string(&mut object, "PageFileName", &file.path);
        let own = builder.layout.size("_FILE_OBJECT") as u64;
        let opened = builder.pool(false, *b"Mm  ", own);
        let mut file = builder.new_object("_FILE_OBJECT");
        file.set("Type", 5).set("Size", own);
        builder.place(opened, file);
        object.set("File", opened);
        builder.place(at, object);
        builder.put_pointer(array + i as u64 * width, at);
    }
}
