//! Loaded images, and the image that contains an address.

use std::sync::{Arc, OnceLock};

use minidump::format as md;

use super::Core;
use super::streams::{Streams, Text, kind};
use crate::catalog::{Absent, Cell};
use crate::model::Located;
use crate::symbol::image::Image;
use crate::symbol::{ImageFile, ImageId, PdbId};

/// Upper limit on a file name in Windows file systems, in characters.
const MAX_FILE_NAME: usize = 255;

/// The ranges of images, sorted by address.
#[derive(Debug, Default)]
pub(crate) struct ModuleMap(Vec<Span>);

#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) base: u64,
    pub(crate) end: u64,
    /// The offset of the path. Images without a path may still have a name.
    path: u64,
    pub(crate) file_name: Cell<Box<str>>,
    /// Its time date stamp and its size.
    stamp: (u32, u32),
    /// Its file on the symbol path, determined on first use.
    file: OnceLock<Option<Arc<ImageFile>>>,
    /// The PDB from its CodeView record.
    pub(crate) pdb: Option<PdbId>,
}

impl Span {
    /// Its path.
    pub(crate) fn path(&self, text: &mut Text<'_>) -> Cell<String> {
        text.utf16(self.path)
    }
}

impl ModuleMap {
    pub(crate) fn new(streams: &Streams) -> Self {
        let Ok(list) = streams.list::<md::MINIDUMP_MODULE>(kind::MODULES) else {
            return Self::default();
        };
        let mut text = streams.text();
        let spans = list.iter().filter_map(|raw| {
            let (base, path) = (raw.base_of_image, raw.module_name_rva.into());
            let end = base.checked_add(raw.size_of_image.into())?;
            let file_name = text.utf16(path).map(|path| file_name(&path).into());
            let record = streams.bytes(raw.cv_record);
            let pdb = record.and_then(PdbId::from_record);
            let stamp = (raw.time_date_stamp, raw.size_of_image);
            Some(Span { base, end, path, file_name, stamp, file: OnceLock::new(), pdb })
        });
        let mut spans: Vec<Span> = spans.collect();
        spans.sort_by_key(|span| span.base);
        Self(spans)
    }

    /// The images, by address.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Span> {
        self.0.iter()
    }

    /// The image that contains an address.
    pub(crate) fn find(&self, address: u64) -> Option<&Span> {
        let after = self.0.partition_point(|span| span.base <= address);
        let span = self.0.get(after.checked_sub(1)?)?;
        (address < span.end).then_some(span)
    }
}

impl Core {
    /// The image file of the module at a base, if the symbol path has it.
    pub(crate) fn image_file(&self, base: u64) -> Option<&ImageFile> {
        let span = self.module_map().find(base)?;
        let found = span.file.get_or_init(|| {
            let (timestamp, size) = span.stamp;
            let name = span.file_name.as_deref().ok()?.to_owned();
            self.symbols.image(&ImageId { name, timestamp, size })
        });
        found.as_deref()
    }

    /// Runs a reader over the image at a base, whose pages the dump may hold.
    pub(crate) fn with_image<T>(
        &self,
        base: u64,
        read: impl FnOnce(&Image<'_>) -> Option<T>,
    ) -> Option<T> {
        let bytes = |at: u32, buffer: &mut [u8]| {
            let address = base.checked_add(at.into());
            address.is_some_and(|at| self.memory().read(&self.streams, at, buffer).is_ok())
        };
        read(&Image::new(&bytes)?)
    }

    /// The module that contains an address, and the offset in it.
    pub(crate) fn locate_module(&self, address: u64) -> Cell<Located> {
        let Some(span) = self.module_map().find(address) else {
            return self.unloaded_at(address).ok_or(Absent::NotApplicable);
        };
        let file = span.file_name.as_deref().map_err(|reason| *reason)?;
        let module = self.module_name(file).to_owned();
        let rva = address - span.base;
        let place = Located { module, symbol: None, offset: rva };
        Ok(match self.names_in(span).and_then(|names| names.nearest(rva)) {
            Some((symbol, offset)) => Located { symbol: Some(symbol), offset, ..place },
            None => place,
        })
    }

    /// The unloaded module that contained an address, as debuggers print it.
    pub(crate) fn unloaded_at(&self, address: u64) -> Option<Located> {
        let gone = self.gone.get_or_init(|| {
            let list =
                self.streams.wide_list::<md::MINIDUMP_UNLOADED_MODULE>(kind::UNLOADED, false);
            let Ok(list) = list else { return Vec::new() };
            let mut text = self.streams.text();
            let range = |raw: md::MINIDUMP_UNLOADED_MODULE| {
                let name = text.utf16(raw.module_name_rva.into()).ok()?;
                let end = raw.base_of_image.checked_add(raw.size_of_image.into())?;
                Some((raw.base_of_image, end, file_name(&name).to_owned()))
            };
            list.iter().filter_map(range).collect()
        });
        let (start, _, name) =
            gone.iter().find(|(start, end, _)| (*start..*end).contains(&address))?;
        let module = format!("<Unloaded_{name}>");
        Some(Located { module, symbol: None, offset: address - start })
    }

    /// Whether a module contains an address.
    pub(crate) fn is_in_module(&self, address: u64) -> bool {
        self.module_map().find(address).is_some()
    }

    /// `module+offset` of an address.
    pub(crate) fn symbol_text(&self, address: u64) -> Cell<String> {
        self.locate_module(address).map(|located| located.display())
    }

    /// The path of the program: the first module.
    pub(crate) fn main_path(&self) -> Cell<String> {
        let list = self.streams.list::<md::MINIDUMP_MODULE>(kind::MODULES)?;
        let first = list.iter().next().ok_or(Absent::NotInDump)?;
        self.streams.text().utf16(first.module_name_rva.into())
    }

    /// Windows debuggers leave out the extension; elsewhere it is part of the name.
    pub(crate) fn module_name<'a>(&self, file: &'a str) -> &'a str {
        match file.rsplit_once('.') {
            Some((stem, _)) if self.is_windows() && !stem.is_empty() => stem,
            _ => file,
        }
    }
}

/// Paths of the images at addresses, with the last one cached, because consecutive addresses are
/// mostly in the same image.
pub(crate) struct Paths<'a> {
    map: &'a ModuleMap,
    text: Text<'a>,
    last: Option<(u64, Cell<String>)>,
}

impl<'a> Paths<'a> {
    pub(crate) fn new(dump: &'a Core) -> Self {
        Self { map: dump.module_map(), text: dump.streams.text(), last: None }
    }

    pub(crate) fn at(&mut self, address: u64) -> Cell<String> {
        let span = self.map.find(address).ok_or(Absent::NotApplicable)?;
        if let Some((base, path)) = &self.last
            && *base == span.base
        {
            self.text.spend(path.as_ref().map_or(0, String::len))?;
            return path.clone();
        }
        let path = self.text.utf16(span.path);
        self.last = Some((span.base, path.clone()));
        path
    }
}

/// The file name in a path of any operating system.
pub(crate) fn file_name(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.char_indices().nth(MAX_FILE_NAME).map_or(name, |(at, _)| name.get(..at).unwrap_or(name))
}
