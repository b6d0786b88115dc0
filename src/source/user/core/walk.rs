//! The view of a stack walk and of symbol lookup on a process, and on its 32-bit part.

use minidump::system_info::Os;

use super::Core;
use super::types::View;
use crate::catalog::Cell;
use crate::model::Located;
use crate::source::frames::Scene;
use crate::symbol::PdbId;
use crate::unwind::{Span, Target};

impl Target for Core {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        self.memory().read(&self.streams, address, buffer).is_ok()
    }

    fn module(&self, address: u64) -> Option<Span> {
        let span = self.module_map().find(address)?;
        Some(Span { base: span.base, end: span.end, space: 0 })
    }

    fn read_image(&self, module: Span, offset: u32, buffer: &mut [u8]) -> bool {
        let address = module.base.checked_add(offset.into());
        address.is_some_and(|address| Target::read(self, address, buffer))
            || self.image_file(module.base).is_some_and(|file| file.read(offset, buffer))
    }

    fn starts_function(&self, address: u64) -> bool {
        let place = self.locate_module(address);
        place.is_ok_and(|place| place.symbol.is_some() && place.offset == 0)
    }

    fn has_frame_pointers(&self) -> bool {
        !matches!(self.os(), Some(Os::Windows) | None)
    }
}

impl Scene for Core {
    fn locate(&self, address: u64) -> Cell<Located> {
        self.locate_module(address)
    }

    fn pdb(&self, address: u64) -> Option<PdbId> {
        self.module_map().find(address)?.pdb.clone()
    }

    fn line(&self, address: u64) -> Option<(String, u32)> {
        let span = self.module_map().find(address)?;
        self.names_in(span)?.line(address - span.base)
    }

    fn word(&self, address: u64) -> Cell<u64> {
        self.pointer(address)
    }

    fn word_bytes(&self) -> u64 {
        self.pointer_bytes()
    }

    fn place(&self, address: u64) -> Option<(String, u64)> {
        let span = self.module_map().find(address)?;
        let file = span.file_name.as_deref().ok()?;
        Some((self.module_name(file).to_owned(), address - span.base))
    }

    fn bytes(&self, address: u64, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; most];
        while !bytes.is_empty() && !Target::read(self, address, &mut bytes) {
            bytes.truncate(bytes.len() / 2);
        }
        bytes
    }
}

/// The same for 32-bit code, with narrower words.
impl Scene for View<'_> {
    fn locate(&self, address: u64) -> Cell<Located> {
        self.core.locate_module(address)
    }

    fn line(&self, address: u64) -> Option<(String, u32)> {
        Scene::line(self.core, address)
    }

    fn pdb(&self, address: u64) -> Option<PdbId> {
        Scene::pdb(self.core, address)
    }

    fn word(&self, address: u64) -> Cell<u64> {
        self.pointer(address)
    }

    fn word_bytes(&self) -> u64 {
        self.width as u64
    }

    fn place(&self, address: u64) -> Option<(String, u64)> {
        Scene::place(self.core, address)
    }

    fn bytes(&self, address: u64, most: usize) -> Vec<u8> {
        Scene::bytes(self.core, address, most)
    }
}
