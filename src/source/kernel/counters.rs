//! Numbers of the memory manager, and its lists of physical pages, where the debugger data says that
//! they are.

use super::KernelDump;
use crate::catalog::{Absent, Cell};
use crate::dump::kdbg::{self, Counter};
use crate::model::{Emit, MemoryList, Unanswered, VmCounter};

const PAGE: u64 = 0x1000;

impl KernelDump {
    /// A variable of pointer size that the debugger data points to; `None` if it points nowhere.
    fn variable(&self, offset: usize) -> Option<Cell<u64>> {
        let at = self.kdbg()?.pointer(offset)?;
        Some(self.pointer_at(at))
    }

    pub(super) fn each_counter(&self, emit: Emit<'_, VmCounter>) -> Result<(), Unanswered> {
        let block = || Unanswered::because("the dump holds no debugger data block");
        self.kdbg().ok_or_else(block)?;
        let limit = self.variable(kdbg::COMMIT_LIMIT).and_then(Result::ok);
        for counter in kdbg::COUNTERS {
            let Counter { name, offset, in_bytes } = *counter;
            let Some(value) = self.variable(offset) else { continue };
            let pages = value.map(|value| if in_bytes { value / PAGE } else { value });
            let signed = |n: u64| i64::try_from(n).map_err(|_| Absent::Unreadable);
            let bytes = |n: u64| n.checked_mul(PAGE).ok_or(Absent::Unreadable).and_then(signed);
            let row = VmCounter {
                name: Ok(name.to_owned()),
                pages: pages.and_then(signed),
                bytes: pages.and_then(bytes),
                limit_bytes: match (offset == kdbg::COMMITTED_PAGES, limit) {
                    (true, Some(limit)) => bytes(limit),
                    _ => Err(Absent::NotApplicable),
                },
                ..VmCounter::default()
            };
            if emit(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn each_page_list(&self, emit: Emit<'_, MemoryList>) -> Result<(), Unanswered> {
        let block = || Unanswered::because("the dump holds no debugger data block");
        let kdbg = self.kdbg().ok_or_else(block)?;
        for (name, offset) in kdbg::PAGE_LISTS {
            let Some(at) = kdbg.pointer(*offset) else { continue };
            let pages = self.structure("_MMPFNLIST", at).int("Total");
            let row = MemoryList {
                list: Ok((*name).to_owned()),
                pages,
                bytes: pages.and_then(|n| n.checked_mul(0x1000).ok_or(Absent::Unreadable)),
                ..MemoryList::default()
            };
            if emit(row).is_break() {
                break;
            }
        }
        Ok(())
    }
}
