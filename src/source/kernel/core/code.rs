//! The kernel's memory and images, as input of disassembly.

use crate::catalog::Cell;
use crate::memory::View;
use crate::model::{AddressSpace, Machine};
use crate::source::kernel::core::Core;
use crate::source::listing;
use crate::unwind::{Span, Target};

/// The kernel part of a dump.
#[derive(Clone, Copy)]
pub(crate) struct Program<'a>(pub(crate) &'a Core);

impl Target for Program<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        self.0.kernel_space().read(address, buffer).is_ok()
    }

    fn module(&self, address: u64) -> Option<Span> {
        let (base, end) = self.0.modules().span(self.0.plain(address))?;
        Some(Span { base, end, space: 0 })
    }

    fn read_image(&self, module: Span, offset: u32, buffer: &mut [u8]) -> bool {
        let address = module.base.checked_add(offset.into());
        address.is_some_and(|address| Target::read(self, address, buffer))
            || self.0.image_file(module.base).is_some_and(|file| file.read(offset, buffer))
    }
}

impl listing::Program for Program<'_> {
    fn space(&self) -> &dyn AddressSpace {
        self.0
    }

    fn machine(&self) -> Machine {
        self.0.machine()
    }

    fn base_of(&self, module: &str) -> Option<u64> {
        if module.eq_ignore_ascii_case("nt") {
            return self.0.kernel_base();
        }
        self.0.base_of(module)
    }

    fn word(&self, address: u64) -> Cell<u64> {
        self.0.kernel_space().pointer_at(address)
    }

    fn line(&self, address: u64) -> Option<(String, u32)> {
        self.0.line_of(address)
    }

    fn file(&self) -> View<'_> {
        self.0.image.view()
    }
}
