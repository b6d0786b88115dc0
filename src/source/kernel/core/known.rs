//! Addresses with known contents, read while a dump is opened: list heads, the debugger data block
//! and its variables, the kernel image, and the page that the kernel shares with all processes.

use crate::dump::Image;
use crate::dump::bytes::{Width, pointer_at, text, u32_at};
use crate::dump::header::KernelHeader;
use crate::dump::kdbg::{self, Kdbg};
use crate::memory::{Gva, Machine};
use crate::symbol::image::Image as ImageFile;

/// Upper limit on processors that are counted: the size of a processor group.
const MAX_PROCESSORS: u64 = 64;
/// The address of `KUSER_SHARED_DATA`, the page that the kernel shares with all processes, and the
/// offsets of `NtBuildNumber` and `NtMajorVersion` in it, which are documented for drivers.
const SHARED_32: u64 = 0xffdf_0000;
const SHARED_64: u64 = 0xffff_f780_0000_0000;
const SHARED_BUILD: u64 = 0x260;
const SHARED_MAJOR: u64 = 0x26c;
/// The first build of Windows 10.
const WINDOWS_10: u32 = 10240;

/// Addresses with known contents.
pub(super) struct Known<'a> {
    image: &'a Image,
    header: &'a KernelHeader,
    machine: &'a Machine,
}

impl<'a> Known<'a> {
    pub(super) const fn new(
        image: &'a Image,
        header: &'a KernelHeader,
        machine: &'a Machine,
    ) -> Self {
        Self { image, header, machine }
    }

    /// The size of a pointer in bytes.
    pub(super) const fn pointer_bytes(&self) -> u64 {
        self.header.width.bytes() as u64
    }

    pub(super) fn read(&self, address: u64, len: usize) -> Option<Vec<u8>> {
        let address = self.header.width.normalise(address);
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            let at = Gva(address.checked_add(bytes.len() as u64)?);
            let page = self.machine.at(self.image, self.machine.kernel(), at).ok()?;
            bytes.extend_from_slice(page.get(..len - bytes.len()).unwrap_or(page));
        }
        Some(bytes)
    }

    pub(super) fn pointer(&self, address: u64) -> Option<u64> {
        let width = self.header.width;
        pointer_at(&self.read(address, width.bytes())?, 0, width)
    }

    /// How well the contents at these addresses match what they must be.
    pub(super) fn score(&self) -> u32 {
        let lists = [self.header.module_list, self.header.process_head];
        let lists: u32 = lists.into_iter().flatten().map(|head| self.list(head)).sum();
        let block = self.header.kdbg.and_then(|at| self.read(at, 0x18));
        let block = match block {
            Some(block) if block.get(0x10..0x14) == Some(b"KDBG") => 4,
            Some(_) => 1,
            None => 0,
        };
        lists + block
    }

    /// The score of a list head: highest if its first entry points back to it.
    fn list(&self, head: u64) -> u32 {
        let Some(first) = self.pointer(head) else { return 0 };
        let back = first.checked_add(self.header.width.bytes() as u64);
        let is_list = back.and_then(|back| self.pointer(back)).is_some_and(|back| {
            self.header.width.normalise(back) == self.header.width.normalise(head)
        });
        if is_list { 4 } else { 1 }
    }

    /// A pointer of the debugger data block.
    fn variable(&self, offset: usize) -> Option<u64> {
        let block = self.read(self.header.kdbg?, offset.checked_add(8)?)?;
        Kdbg::new(&block, self.header.width)?.pointer(offset)
    }

    /// The start of paged pool.
    pub(super) fn paged_pool(&self) -> Option<u32> {
        let start = self.pointer(self.variable(kdbg::PAGED_POOL_START)?)?;
        u32::try_from(start).ok().filter(|start| *start != 0)
    }

    /// The build number: the first number of the build string, else of the shared page, else of the
    /// kernel image's version resource.
    pub(super) fn build(&self) -> Option<u32> {
        let lab = || Some(text(&self.read(self.variable(kdbg::BUILD_LAB)?, 8)?));
        let stated = lab().and_then(|lab| lab.split('.').next()?.parse().ok());
        stated.or_else(|| self.build_shared()).or_else(|| self.build_of_image())
    }

    /// The build number in `KUSER_SHARED_DATA`, which is there since Windows 10.
    fn build_shared(&self) -> Option<u32> {
        let page = match self.header.width {
            Width::W32 => SHARED_32,
            Width::W64 => SHARED_64,
        };
        let number = |at: u64| u32_at(&self.read(page.checked_add(at)?, 4)?, 0);
        let build = number(SHARED_BUILD).filter(|build| (WINDOWS_10..1 << 16).contains(build));
        build.filter(|_| number(SHARED_MAJOR) == Some(10))
    }

    fn build_of_image(&self) -> Option<u32> {
        let read = |image: &ImageFile<'_>| image.version()?.file_version;
        self.with_image(self.header.kernel_base?, read)?.split('.').nth(2)?.parse().ok()
    }

    /// Runs a reader over the image at a base.
    pub(super) fn with_image<T>(
        &self,
        base: u64,
        read: impl FnOnce(&ImageFile<'_>) -> Option<T>,
    ) -> Option<T> {
        let bytes = |at: u32, buffer: &mut [u8]| {
            let address = base.checked_add(at.into());
            let held = address.and_then(|address| self.read(address, buffer.len()));
            held.is_some_and(|held| {
                buffer.copy_from_slice(&held);
                true
            })
        };
        read(&ImageFile::new(&bytes)?)
    }

    /// Bug check code and parameters, if the system had crashed before its memory was saved.
    pub(super) fn crash(&self) -> Option<(u32, [u64; 4])> {
        let at = self.variable(kdbg::BUGCHECK_DATA)?;
        let word = |index: u64| self.pointer(at.checked_add(index * self.pointer_bytes())?);
        let code = u32::try_from(word(0)?).ok().filter(|code| *code != 0)?;
        Some((code, [word(1)?, word(2)?, word(3)?, word(4)?]))
    }

    /// The number of processors that have a `_KPRCB`.
    pub(super) fn processors(&self) -> Option<u32> {
        let list = self.variable(kdbg::PROCESSOR_BLOCK)?;
        let step = self.header.width.bytes() as u64;
        let is_one = |i: &u64| {
            let entry = list.checked_add(i * step).and_then(|at| self.pointer(at));
            entry.is_some_and(|prcb| prcb != 0)
        };
        let count = (0..MAX_PROCESSORS).take_while(is_one).count();
        u32::try_from(count).ok().filter(|count| *count != 0)
    }
}
