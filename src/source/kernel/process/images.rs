//! User-mode images of a process: the loader's list of them, and their symbols.
//!
//! Only dumps that hold the process's own pages have them. The process itself can write all of this
//! memory.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use crate::model::Located;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::memory::Space;
use crate::symbol::image::Image;
use crate::symbol::{ExportNames, Names, PdbId};

/// Upper limit on the images of a process.
const MAX_IMAGES: usize = 4096;
/// Upper limit on a file name, in bytes.
const MAX_NAME: usize = 512;
/// An address farther than this from an exported function probably belongs to another function,
/// which is not exported.
const MAX_FROM_EXPORT: u64 = 0x1000;
const ENTRY: &str = "_LDR_DATA_TABLE_ENTRY";

/// The images of a process, read when an address in it is first looked up.
#[derive(Debug)]
pub(crate) struct ProcessImages {
    /// Its process environment block (PEB).
    peb: Option<u64>,
    /// Sorted by address.
    images: OnceLock<Vec<ProcessImage>>,
}

/// An image.
#[derive(Debug)]
pub(crate) struct ProcessImage {
    pub(crate) base: u64,
    pub(crate) end: u64,
    pub(crate) name: String,
    /// Its symbols, read on first use.
    names: OnceLock<Option<ImageNames>>,
}

/// Where symbols come from.
#[derive(Debug, Clone)]
enum ImageNames {
    File(Arc<dyn Names>),
    Exports(Arc<ExportNames>),
}

impl ProcessImages {
    /// The images that the PEB at an address lists.
    pub(crate) const fn of(peb: Option<u64>) -> Self {
        Self { peb, images: OnceLock::new() }
    }

    /// The image that contains an address.
    pub(crate) fn at(&self, core: &Core, space: Space<'_>, address: u64) -> Option<&ProcessImage> {
        // In a 64-bit address space the upper half is kernel space.
        if address >> 63 != 0 {
            return None;
        }
        let peb = self.peb?;
        let images = self.images.get_or_init(|| {
            let mut images = list(core, space, peb).unwrap_or_default();
            images.sort_by_key(|image| image.base);
            images
        });
        let next = images.partition_point(|image| image.base <= address);
        images.get(next.checked_sub(1)?).filter(|image| address < image.end)
    }
}

/// Walks the loader's list in load order.
fn list(core: &Core, space: Space<'_>, peb: u64) -> Option<Vec<ProcessImage>> {
    let field = |ty: &'static str, path: &'static str| Some(core.field(ty, path)?.offset as u64);
    let loader = space.pointer_at(peb.checked_add(field("_PEB", "Ldr")?)?).ok()?;
    let head = loader.checked_add(field("_PEB_LDR_DATA", "InLoadOrderModuleList")?)?;
    let links = field(ENTRY, "InLoadOrderLinks")?;
    let (base, size) = (field(ENTRY, "DllBase")?, field(ENTRY, "SizeOfImage")?);
    let name = field(ENTRY, "BaseDllName")?;
    let mut images = Vec::new();
    let mut seen = HashSet::from([head]);
    let mut at = space.pointer_at(head).ok()?;
    while images.len() < MAX_IMAGES && seen.insert(at) {
        let entry = at.checked_sub(links)?;
        let found =
            (space.pointer_at(entry.checked_add(base)?), space.u32_at(entry.checked_add(size)?));
        if let (Ok(base), Ok(size)) = found
            && base != 0
        {
            let name = file_name(core, space, entry.checked_add(name)?);
            images.push(ProcessImage {
                base,
                end: base.saturating_add(size.into()),
                name: name.unwrap_or_else(|| format!("{base:#x}")),
                names: OnceLock::new(),
            });
        }
        let Ok(next) = space.pointer_at(at) else { break };
        at = next;
    }
    Some(images)
}

/// A file name without its extension, as debuggers name modules.
fn file_name(core: &Core, space: Space<'_>, at: u64) -> Option<String> {
    let width = space.pointer_bytes();
    let len = usize::from(u16::try_from(space.u32_at(at).ok()? & 0xffff).ok()?);
    let buffer = core.plain(space.pointer_at(at.checked_add(width)?).ok()?);
    let bytes = space.bytes(buffer, len.min(MAX_NAME)).ok()?;
    let name = crate::dump::bytes::text_utf16(&bytes);
    let stem = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => &name,
    };
    (!stem.is_empty()).then(|| stem.to_owned())
}

impl ProcessImage {
    /// The module and symbol of an address in the image.
    pub(crate) fn locate(&self, core: &Core, space: Space<'_>, address: u64) -> Located {
        let rva = address.saturating_sub(self.base);
        let place = Located { module: self.name.clone(), symbol: None, offset: rva };
        let found = match self.names(core, space) {
            Some(ImageNames::File(names)) => names.nearest(rva),
            Some(ImageNames::Exports(names)) => {
                names.nearest(rva).filter(|(_, offset)| *offset < MAX_FROM_EXPORT)
            }
            None => None,
        };
        match found {
            Some((symbol, offset)) => Located { symbol: Some(symbol), offset, ..place },
            None => place,
        }
    }

    /// The source line of the code at an address.
    pub(crate) fn line(
        &self,
        core: &Core,
        space: Space<'_>,
        address: u64,
    ) -> Option<(String, u32)> {
        match self.names(core, space)? {
            ImageNames::File(names) => names.line(address.checked_sub(self.base)?),
            ImageNames::Exports(_) => None,
        }
    }

    fn names(&self, core: &Core, space: Space<'_>) -> Option<&ImageNames> {
        self.names.get_or_init(|| self.read_names(core, space)).as_ref()
    }

    /// The PDB that the image names.
    pub(crate) fn pdb(&self, space: Space<'_>) -> Option<PdbId> {
        let bytes = |at: u32, buffer: &mut [u8]| self.read(space, at, buffer);
        Image::new(&bytes)?.pdb()
    }

    fn read(&self, space: Space<'_>, at: u32, buffer: &mut [u8]) -> bool {
        let address = self.base.checked_add(at.into());
        address.is_some_and(|address| space.read(address, buffer).is_ok())
    }

    fn read_names(&self, core: &Core, space: Space<'_>) -> Option<ImageNames> {
        let bytes = |at: u32, buffer: &mut [u8]| self.read(space, at, buffer);
        let image = Image::new(&bytes)?;
        if let Some(names) = image.pdb().and_then(|id| core.symbols.names(&id)) {
            return Some(ImageNames::File(names));
        }
        let exports = ExportNames::new(image.exports());
        (!exports.is_empty()).then(|| ImageNames::Exports(Arc::new(exports)))
    }
}
