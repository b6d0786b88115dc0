//! The memory and images of a process, as input of disassembly and table functions.

use super::core::Core;
use crate::catalog::{Cell, Value};
use crate::memory::View;
use crate::model::{AddressSpace, DynTable, Machine, Refused};
use crate::source::frames::Scene as _;
use crate::source::{listing, typed};
use crate::unwind::{Span, Target};

/// The process of a dump.
#[derive(Clone, Copy)]
pub(super) struct Program<'a>(pub(super) &'a Core);

impl Target for Program<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        Target::read(self.0, address, buffer)
    }

    fn module(&self, address: u64) -> Option<Span> {
        Target::module(self.0, address)
    }

    fn read_image(&self, module: Span, offset: u32, buffer: &mut [u8]) -> bool {
        self.0.read_image(module, offset, buffer)
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
        let is_it = |file: &str| {
            file.eq_ignore_ascii_case(module)
                || self.0.module_name(file).eq_ignore_ascii_case(module)
        };
        let mut spans = self.0.module_map().iter();
        spans.find(|span| span.file_name.as_deref().is_ok_and(is_it)).map(|span| span.base)
    }

    fn word(&self, address: u64) -> Cell<u64> {
        self.0.pointer(address)
    }

    fn line(&self, address: u64) -> Option<(String, u32)> {
        self.0.line(address)
    }

    fn file(&self) -> View<'_> {
        self.0.streams.image().view()
    }
}

/// The rows of a table function.
pub(super) fn call<'a>(
    core: &'a Core,
    name: &str,
    args: &[Value<'static>],
) -> Result<DynTable<'a>, Refused> {
    match listing::answer(Program(core), name, args) {
        Some(answer) => answer,
        None => typed::answer(core, name, args),
    }
}
