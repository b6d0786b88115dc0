//! Sessions, as their processes name them, and page files.

use std::collections::BTreeMap;

use super::KernelDump;
use super::found::Missing;
use super::structure::Structure;
use crate::catalog::{Absent, Cell};
use crate::model::{Emit, PageFile, SessionSpace, Unanswered, Want};

const SPACE: &str = "_MM_SESSION_SPACE";
pub(super) const PAGING_FILE: &str = "_MMPAGING_FILE";
const PARTITION: &str = "_MI_PARTITION";
const PAGE: i64 = 0x1000;
/// Windows has room for no more page files.
pub(super) const MAX_FILES: u64 = 16;
/// Kinds of failures that a session counts.
const FAILURES: u64 = 4;

fn pages(count: Cell<i64>) -> Cell<i64> {
    count?.checked_mul(PAGE).ok_or(Absent::Unreadable)
}

impl KernelDump {
    pub(super) fn each_session(&self, emit: Emit<'_, SessionSpace>) -> Result<(), Unanswered> {
        if !self.knows(SPACE, "SessionId") {
            return Err(Unanswered::because("no layout of _MM_SESSION_SPACE is known"));
        }
        let mut processes: BTreeMap<u64, i64> = BTreeMap::new();
        for process in self.process_objects() {
            if let Ok(space) = process.pointer("Session") {
                *processes.entry(space).or_default() += 1;
            }
        }
        let mut rows: Vec<SessionSpace> =
            processes.into_iter().map(|(at, count)| self.session_row(at, count)).collect();
        rows.sort_by_key(|row| (row.session.unwrap_or(i64::MAX), row.address));
        for row in rows {
            if emit.row(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn session_row(&self, address: u64, process_count: i64) -> SessionSpace {
        let space = self.structure(SPACE, address);
        let limit = || {
            let start = space.pointer("PagedPoolStart")?;
            let last = space.pointer("PagedPoolEnd")?;
            let bytes = last.checked_sub(start).and_then(|n| i64::try_from(n).ok());
            bytes.and_then(|n| n.checked_add(1)).ok_or(Absent::Unreadable)
        };
        let variable = |name| {
            let at = self.symbol_address("nt", name).ok_or(Absent::NoSymbols)?;
            i64::try_from(self.pointer_at(at)?).map_err(|_| Absent::Unreadable)
        };
        SessionSpace {
            session: space.int("SessionId"),
            address: Ok(address),
            process_count: Ok(process_count),
            paged_pool_bytes: pages(space.int("PagedPoolInfo.AllocatedPagedPool")),
            paged_pool_limit_bytes: limit(),
            view_limit_bytes: variable("MmSessionViewSize"),
            commit_bytes: pages(space.int("CommittedPages")),
            pool_failures: self.session_failures(space),
            view_failures: space.int("Session.BitmapFailures"),
            ..SessionSpace::default()
        }
    }

    /// The failures of all kinds together; since Windows 10 a session counts none.
    fn session_failures(&self, space: Structure<'_>) -> Cell<i64> {
        const COUNTS: &str = "SessionPoolAllocationFailures";
        if !self.knows(SPACE, COUNTS) {
            return Err(Absent::NotApplicable);
        }
        let first = space.at(COUNTS)?;
        (0..FAILURES).try_fold(0, |sum: i64, kind| {
            let at = first.checked_add(4 * kind).ok_or(Absent::Unreadable)?;
            Ok(sum + i64::from(self.u32_at(at)?))
        })
    }

    /// Where the pointers to page files are: since Windows 10 in the partition of the system.
    fn paging_files(&self) -> Result<u64, Unanswered> {
        let what = "where the page files are listed";
        if self.knows(PARTITION, "Vp.PagingFile") {
            let list = self.partition().and_then(|partition| partition.at("Vp.PagingFile"));
            return list.map_err(|_| Missing::NoData.because(what));
        }
        let named = self.symbol_address("nt", "MmPagingFile");
        named.map_or_else(|| self.found_page_files().map_err(|why| why.because(what)), Ok)
    }

    pub(super) fn each_page_file(
        &self,
        _: &Want<'_, PageFile>,
        emit: Emit<'_, PageFile>,
    ) -> Result<(), Unanswered> {
        let array = self.paging_files()?;
        let step = self.header.width.bytes() as u64;
        let mut seen = Vec::new();
        for number in 0..MAX_FILES {
            let place = array.checked_add(number * step).ok_or(Absent::Unreadable);
            let Ok(file) = place.and_then(|place| self.pointer_at(place)) else { continue };
            if file == 0 || seen.contains(&file) {
                continue;
            }
            seen.push(file);
            if emit.row(self.page_file_row(file)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn page_file_row(&self, address: u64) -> PageFile {
        let file = self.structure(PAGING_FILE, address);
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
}
