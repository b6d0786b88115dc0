//! `MmPagingFile`, the array of pointers to page files of Windows before 10.

use super::{Missing, Sought, only};
use crate::catalog::Absent;
use crate::source::kernel::KernelDump;
use crate::source::kernel::sessions::{MAX_FILES, PAGING_FILE};

const FILE: &str = "_FILE_OBJECT";
/// `IO_TYPE_FILE`, what a file object says of itself.
const FILE_TYPE: u64 = 5;

impl KernelDump {
    /// Where the pointers to page files are.
    ///
    /// # Errors
    /// Why the array was not found.
    pub(in crate::source::kernel) fn found_page_files(&self) -> Sought<u64> {
        *self.found.page_files.get_or_init(|| {
            if !self.knows(PAGING_FILE, "PageFileNumber") {
                return Err(Missing::NoData);
            }
            only(self.pointer_slots()?.filter_map(|(at, file)| self.array_of_files(at, file)))
        })
    }

    /// The array in which a pointer to a page file stands: every other place in it has the page
    /// file of its number too, or nothing.
    fn array_of_files(&self, at: u64, file: u64) -> Option<u64> {
        let step = self.header.width.bytes() as u64;
        let number = self.page_file_number(file)?;
        let array = at.checked_sub(number.checked_mul(step)?)?;
        let is_right = |i: u64| {
            let place = array.checked_add(i * step)?;
            match self.pointer_at(place).ok()? {
                0 => (i != 0).then_some(()),
                other => (self.page_file_number(other)? == i).then_some(()),
            }
        };
        let before = array.checked_sub(step).and_then(|place| self.pointer_at(place).ok());
        let is_first = before.is_none_or(|other| self.page_file_number(other).is_none());
        (is_first && (0..MAX_FILES).all(|i| is_right(i).is_some())).then_some(array)
    }

    /// The number of the page file at an address, if one is there.
    fn page_file_number(&self, at: u64) -> Option<u64> {
        let file = self.structure(PAGING_FILE, at);
        let pages = |path| file.unsigned(path).ok();
        let number = pages("PageFileNumber").filter(|number| *number < MAX_FILES)?;
        let (size, free) = (pages("Size")?, pages("FreeSpace")?);
        let (least, most) = (pages("MinimumSize")?, pages("MaximumSize")?);
        let is_sound = size > 0 && free <= size && least <= size && size <= most;
        (is_sound && self.is_page_file_name(at)).then_some(number)
    }

    /// Whether a page file has the name of one, or a file object where the name is paged out.
    fn is_page_file_name(&self, at: u64) -> bool {
        let file = self.structure(PAGING_FILE, at);
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
}
