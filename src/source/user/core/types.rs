//! Types of structures in process memory, and reading with them: the types of `ntdll`, and those in
//! symbol files of other modules.
//!
//! The kernel's type information contains the structures that it shares with `ntdll` (`_PEB`,
//! `_TEB`, `_LDR_DATA_TABLE_ENTRY`, `_RTL_CRITICAL_SECTION` and the types that they use), so the
//! built-in kernel layouts are used if there is no symbol file for `ntdll`. A built-in layout of
//! the same build is preferred; if the nearest build is used instead, this is reported.

use std::borrow::Cow;
use std::sync::Arc;

use super::Core;
use super::modules::Span;
use crate::catalog::{Absent, Cell};
use crate::model::{AddressSpace as _, Refused};
use crate::source::typed::{self, Callee, Memory};
use crate::symbol::{Closeness, Layout, Wanted};

const NTDLL: &str = "ntdll";
/// The name for the 32-bit `ntdll` in a 64-bit process, whose file has the same name.
const NTDLL_32: &str = "ntdll32";
/// A structure that every usable layout has.
const SHARED: &str = "_PEB";

/// The part of the process that 32-bit or 64-bit code sees.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) core: &'a Core,
    /// The size of a pointer.
    pub(crate) width: usize,
}

impl Core {
    /// The process as its own code sees it.
    pub(crate) fn view(&self) -> View<'_> {
        View { core: self, width: if self.pointer_bytes() == 4 { 4 } else { 8 } }
    }

    /// The 32-bit part of a 64-bit process, if it may have one.
    pub(crate) fn narrow_view(&self) -> Option<View<'_>> {
        let may_have = self.machine().arch == "x64" && self.is_windows();
        may_have.then_some(View { core: self, width: 4 })
    }

    /// The `ntdll` module for a pointer size. The 32-bit `ntdll` is in a folder of its own.
    pub(crate) fn ntdll(&self, width: usize) -> Option<&Span> {
        let mut spans = self.module_map().iter().filter(|span| self.is_named(span, NTDLL));
        if self.pointer_bytes() == 4 {
            return spans.next();
        }
        let mut text = self.streams.text();
        spans.find(|span| {
            let path = span.path(&mut text).unwrap_or_default().to_ascii_lowercase();
            path.contains("\\syswow64\\") == (width == 4)
        })
    }

    /// The address of a variable of `ntdll` for a pointer size, from its symbols.
    pub(crate) fn variable(&self, width: usize, name: &str) -> Option<u64> {
        let span = self.ntdll(width)?;
        span.base.checked_add(self.names_in(span)?.address(name)?)
    }

    pub(crate) fn is_named(&self, span: &Span, module: &str) -> bool {
        let file = span.file_name.as_deref();
        file.is_ok_and(|file| self.module_name(file).eq_ignore_ascii_case(module))
    }

    /// The types that are shared with the kernel, for a pointer size.
    pub(crate) fn types(&self, width: usize) -> Result<Arc<Layout>, String> {
        let own = self.ntdll(width).and_then(|span| span.pdb.as_ref());
        if let Some(id) = own
            && let Some(layout) = self.symbols.layout(id)
            && layout.size_of(SHARED).is_some()
        {
            return Ok(layout);
        }
        let arch = self.arch_of(width);
        for candidate in self.symbols.candidates(&self.wanted(arch)) {
            if candidate.closeness == Closeness::Unknown {
                continue;
            }
            let Ok(layout) = self.symbols.load(&candidate) else { continue };
            let is_of_arch = layout.arch().is_none_or(|found| found == arch);
            if is_of_arch && layout.size_of(SHARED).is_some() {
                return Ok(layout);
            }
        }
        Err("no layout of the structures of its Windows version is known".to_owned())
    }

    /// What is reported about types of another build.
    pub(crate) fn types_note(&self) -> Option<String> {
        let build = self.build().filter(|build| *build != 0 && self.is_windows())?;
        let width = self.view().width;
        let own = self.ntdll(width).and_then(|span| span.pdb.as_ref());
        if own.is_some_and(|id| self.symbols.find(id).at.is_some()) {
            return None;
        }
        let candidates = self.symbols.candidates(&self.wanted(self.arch_of(width)));
        let first = candidates.into_iter().find(|found| found.closeness != Closeness::Unknown)?;
        (first.closeness > Closeness::SameBuild).then(|| {
            let label = first.label;
            format!("structures of ntdll are read with the {label}, which is of another build than {build}")
        })
    }

    pub(crate) fn arch_of(&self, width: usize) -> &'static str {
        match (self.machine().arch, width) {
            ("x64", 4) => "x86",
            (arch, _) => arch,
        }
    }

    pub(crate) fn wanted(&self, arch: &'static str) -> Wanted<'static> {
        let pack = self.csd().ok();
        let pack = pack.and_then(|text| text.rsplit(' ').next()?.parse().ok()).unwrap_or(0);
        let build = self.build().unwrap_or_default();
        Wanted { build, service_pack: pack, arch, revision: None, pdb: None }
    }

    /// The layout of a module that has a type with this name, among the modules whose symbol files
    /// are on the symbol path; no symbol server is asked.
    pub(crate) fn layout_with(&self, name: &str) -> Option<Arc<Layout>> {
        self.module_map().iter().find_map(|span| {
            let id = span.pdb.as_ref()?;
            self.symbols.find(id).at?;
            self.symbols.layout(id).filter(|layout| layout.size_of(name).is_some())
        })
    }
}

impl Callee for Core {
    fn layout_of(
        &self,
        module: Option<&str>,
        name: &str,
        argument: usize,
    ) -> Result<Arc<Layout>, Refused> {
        let shared = |width| {
            if !self.is_windows() {
                return Err(Refused::because("its system is not Windows"));
            }
            self.types(width).map_err(Refused::because)
        };
        let Some(module) = module else {
            let shared = shared(self.view().width);
            if shared.as_ref().is_ok_and(|layout| layout.size_of(name).is_some()) {
                return shared;
            }
            // Types of the program and its libraries, if their symbol files are there.
            return self.layout_with(name).map_or(shared, Ok);
        };
        if module.eq_ignore_ascii_case(NTDLL) || module.eq_ignore_ascii_case("nt") {
            return shared(self.view().width);
        }
        if module.eq_ignore_ascii_case(NTDLL_32) {
            let narrow = self.narrow_view();
            let narrow = narrow.ok_or_else(|| Refused::because("it has no 32-bit part"))?;
            return shared(narrow.width);
        }
        let mut spans = self.module_map().iter().filter(|span| self.is_named(span, module));
        let Some(span) = spans.next() else {
            return Err(Refused::argument(argument, format!("no module `{module}`")));
        };
        typed::layout_of_module(&self.symbols, module, span.pdb.as_ref())
    }

    fn memory_of(
        &self,
        module: Option<&str>,
        process: Option<(u64, usize)>,
    ) -> Result<Box<dyn Memory + '_>, Refused> {
        if let Some((_, argument)) = process {
            return Err(Refused::argument(argument, "the dump is of one process"));
        }
        let is_narrow = module.is_some_and(|module| module.eq_ignore_ascii_case(NTDLL_32));
        let narrow = self.narrow_view().filter(|_| is_narrow);
        Ok(Box::new(narrow.unwrap_or(self.view())))
    }
}

impl View<'_> {
    /// A number in a structure at an address.
    pub(crate) fn number(self, layout: &Layout, ty: &str, at: u64, path: &str) -> Cell<u64> {
        let field = layout.field(ty, path).ok_or(Absent::NoSymbols)?;
        let size = if field.size == 0 { self.width } else { field.size };
        let place = at.checked_add(field.offset as u64).ok_or(Absent::Unreadable)?;
        let mut bytes = [0; 8];
        self.core.read(place, bytes.get_mut(..size).ok_or(Absent::Unreadable)?)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// The pointer at an address.
    pub(crate) fn pointer(self, address: u64) -> Cell<u64> {
        let mut bytes = [0; 8];
        self.core.read(address, bytes.get_mut(..self.width).ok_or(Absent::Unreadable)?)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

impl Memory for View<'_> {
    fn pointer_bytes(&self) -> usize {
        self.width
    }

    fn plain(&self, address: u64) -> u64 {
        if self.width == 4 { address & u64::from(u32::MAX) } else { address }
    }

    fn prefix(&self, address: u64, most: usize) -> Cell<Cow<'_, [u8]>> {
        self.core.memory().prefix(&self.core.streams, address, most).map(Cow::Owned)
    }

    fn bytes(&self, address: u64, len: usize) -> Cell<Vec<u8>> {
        let bytes = self.core.memory().prefix(&self.core.streams, address, len)?;
        if bytes.len() == len { Ok(bytes) } else { Err(Absent::NotInDump) }
    }

    fn pointer_at(&self, address: u64) -> Cell<u64> {
        self.pointer(address)
    }
}
