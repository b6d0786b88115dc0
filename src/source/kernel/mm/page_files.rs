//! `MmPagingFile`, the array of pointers to page files before Windows 10.

use std::sync::OnceLock;

use crate::catalog::Absent;
use crate::model::{Emit, PageFile, Unanswered};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::data::{Missing, Sought, only};
use crate::source::kernel::mm::mi_state;
use crate::source::kernel::mm::mi_state::MiState;
use crate::source::kernel::mm::sessions::pages;

pub(crate) const PAGING_FILE: &str = "_MMPAGING_FILE";
const PARTITION: &str = "_MI_PARTITION";
/// Upper limit on page files in Windows.
pub(crate) const MAX_FILES: u64 = 16;

const FILE: &str = "_FILE_OBJECT";
/// `IO_TYPE_FILE`, the type of file objects.
const FILE_TYPE: u64 = 5;

/// The address of the pointers to page files: since Windows 10 in the system partition.
fn paging_files(core: &Core, page_files: &PageFiles, memory: &MiState) -> Result<u64, Unanswered> {
    let what = "the list of page files";
    if core.has_field(PARTITION, "Vp.PagingFile") {
        let list =
            mi_state::partition(core, memory).and_then(|partition| partition.at("Vp.PagingFile"));
        return list.map_err(|_| Missing::NoData.because(what));
    }
    let named = core.symbol_address("nt", "MmPagingFile");
    named.map_or_else(|| found_page_files(core, page_files).map_err(|why| why.because(what)), Ok)
}

pub(crate) fn each_page_file(
    core: &Core,
    page_files: &PageFiles,
    memory: &MiState,
    emit: Emit<'_, PageFile>,
) -> Result<(), Unanswered> {
    let array = paging_files(core, page_files, memory)?;
    let step = core.header.width.bytes() as u64;
    let mut seen = Vec::new();
    for number in 0..MAX_FILES {
        let place = array.checked_add(number * step).ok_or(Absent::Unreadable);
        let Ok(file) = place.and_then(|place| core.pointer_at(place)) else { continue };
        if file == 0 || seen.contains(&file) {
            continue;
        }
        seen.push(file);
        if emit.row(page_file_row(core, file)).is_break() {
            break;
        }
    }
    Ok(())
}

fn page_file_row(core: &Core, address: u64) -> PageFile {
    let file = core.structure(PAGING_FILE, address);
    let bytes = |path| pages(file.int(path));
    PageFile {
        path: file.unicode("PageFileName"),
        current_bytes: bytes("Size"),
        free_bytes: bytes("FreeSpace"),
        minimum_bytes: bytes("MinimumSize"),
        maximum_bytes: bytes("MaximumSize"),
        ..PageFile::default()
    }
}

/// Where the pointers to page files are, determined on first use.
#[derive(Debug, Default)]
pub(crate) struct PageFiles {
    found: OnceLock<Sought<u64>>,
}

/// Finds the array of pointers to page files.
///
/// # Errors
/// Why the array was not found.
pub(crate) fn found_page_files(core: &Core, page_files: &PageFiles) -> Sought<u64> {
    *page_files.found.get_or_init(|| {
        if !core.has_field(PAGING_FILE, "PageFileNumber") {
            return Err(Missing::NoData);
        }
        only(core.pointer_slots()?.filter_map(|(at, file)| array_of_files(core, at, file)))
    })
}

/// The array that contains a pointer to a page file: every other element is null or points to the
/// page file with that number.
fn array_of_files(core: &Core, at: u64, file: u64) -> Option<u64> {
    let step = core.header.width.bytes() as u64;
    let number = page_file_number(core, file)?;
    let array = at.checked_sub(number.checked_mul(step)?)?;
    let is_right = |i: u64| {
        let place = array.checked_add(i * step)?;
        match core.pointer_at(place).ok()? {
            0 => (i != 0).then_some(()),
            other => (page_file_number(core, other)? == i).then_some(()),
        }
    };
    let before = array.checked_sub(step).and_then(|place| core.pointer_at(place).ok());
    let is_first = before.is_none_or(|other| page_file_number(core, other).is_none());
    (is_first && (0..MAX_FILES).all(|i| is_right(i).is_some())).then_some(array)
}

/// The number of the page file at an address, if there is one.
fn page_file_number(core: &Core, at: u64) -> Option<u64> {
    let file = core.structure(PAGING_FILE, at);
    let pages = |path| file.unsigned(path).ok();
    let number = pages("PageFileNumber").filter(|number| *number < MAX_FILES)?;
    let (size, free) = (pages("Size")?, pages("FreeSpace")?);
    let (least, most) = (pages("MinimumSize")?, pages("MaximumSize")?);
    let is_sound = size > 0 && free <= size && least <= size && size <= most;
    (is_sound && is_page_file_name(core, at)).then_some(number)
}

/// Whether a page file has a valid name, or a valid file object where the name is paged out.
fn is_page_file_name(core: &Core, at: u64) -> bool {
    let file = core.structure(PAGING_FILE, at);
    match file.unicode("PageFileName") {
        Ok(name) => name.starts_with(r"\??\") || name.to_ascii_lowercase().ends_with(".sys"),
        Err(Absent::PagedOut | Absent::NotInDump | Absent::DemandZero) => {
            let object = file.follow("File", FILE);
            object.is_ok_and(|object| {
                object.unsigned("Type") == Ok(FILE_TYPE)
                    && object.unsigned("Size").is_ok_and(|size| Ok(size) == object.size())
            })
        }
        Err(_) => false,
    }
}
