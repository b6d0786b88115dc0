//! Loaded and unloaded images, and which of them an address lies in.

use std::sync::{Arc, OnceLock};

use minidump::format as md;

use super::UserDump;
use super::streams::{Streams, Text, kind};
use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Located, Module, Unanswered, UnloadedModule, Want};
use crate::source::build_time::build_time;
use crate::symbol::image::{Image, VersionInfo};
use crate::symbol::{ImageFile, ImageId, PdbId};

/// The longest file name that the file systems of Windows allow, in characters.
const MAX_FILE_NAME: usize = 255;

/// Where images lie, sorted by address.
#[derive(Debug, Default)]
pub(super) struct ModuleMap(Vec<Span>);

#[derive(Debug)]
pub(super) struct Span {
    pub(super) base: u64,
    pub(super) end: u64,
    /// Where the path is; what is located often has a name and no path.
    path: u64,
    pub(super) file_name: Cell<Box<str>>,
    /// Its time date stamp and its size.
    stamp: (u32, u32),
    /// Its file on the symbol path; looked for when first asked for.
    file: OnceLock<Option<Arc<ImageFile>>>,
    /// What its debug record says of its PDB.
    pub(super) pdb: Option<PdbId>,
}

impl Span {
    /// Its path.
    pub(super) fn path(&self, text: &mut super::streams::Text<'_>) -> Cell<String> {
        text.utf16(self.path)
    }
}

impl ModuleMap {
    pub(super) fn new(streams: &Streams) -> Self {
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
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Span> {
        self.0.iter()
    }

    /// The image that an address lies in.
    pub(super) fn find(&self, address: u64) -> Option<&Span> {
        let after = self.0.partition_point(|span| span.base <= address);
        let span = self.0.get(after.checked_sub(1)?)?;
        (address < span.end).then_some(span)
    }
}

impl UserDump {
    pub(super) fn each_module(
        &self,
        want: &Want<'_, Module>,
        emit: Emit<'_, Module>,
    ) -> Result<(), Unanswered> {
        let list = self.streams.list::<md::MINIDUMP_MODULE>(kind::MODULES)?;
        let mut text = self.streams.text();
        let (pid, process) = (self.pid(), self.process_name());
        for (order, raw) in list.iter().enumerate() {
            let path = text.utf16(raw.module_name_rva.into());
            let image_name = path.as_deref().map(file_name).map_err(|reason| *reason);
            let debug = self.debug_record(&raw);
            let row = Module {
                base: Ok(raw.base_of_image),
                end: raw
                    .base_of_image
                    .checked_add(raw.size_of_image.into())
                    .ok_or(Absent::Unreadable),
                size_bytes: Ok(raw.size_of_image.into()),
                name: image_name.map(|name| self.module_name(name).to_owned()),
                image_name: image_name.map(str::to_owned),
                timestamp: Ok(raw.time_date_stamp.into()),
                build_time: if want.has(|c| c.build_time) {
                    self.build_time(&raw)
                } else {
                    Err(Absent::NotApplicable)
                },
                checksum: Ok(raw.checksum.into()),
                file_version: self.file_version(&raw.version_info),
                product_version: self.product_version(&raw.version_info),
                pdb_name: debug.clone().and_then(|d| d.file),
                pdb_guid: debug.clone().map(|d| d.id),
                pdb_age: debug.map(|d| d.age),
                symbol_status: Ok(self.symbol_status(raw.base_of_image)),
                is_user: Ok(true),
                pid,
                process: process.clone(),
                load_order: i64::try_from(order).map_err(|_| Absent::Unreadable),
                path,
                ..self.version_strings(want, &raw)
            };
            if emit.row(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn each_unloaded(&self, emit: Emit<'_, UnloadedModule>) -> Result<(), Unanswered> {
        let list = self.streams.wide_list::<md::MINIDUMP_UNLOADED_MODULE>(kind::UNLOADED, false)?;
        let mut text = self.streams.text();
        for raw in list.iter() {
            let path = text.utf16(raw.module_name_rva.into());
            let end = raw.base_of_image.checked_add(raw.size_of_image.into());
            let row = UnloadedModule {
                name: path.map(|path| file_name(&path).to_owned()),
                start: Ok(raw.base_of_image),
                end: end.ok_or(Absent::Unreadable),
                timestamp: Ok(raw.time_date_stamp.into()),
                checksum: Ok(raw.checksum.into()),
                size_bytes: Ok(raw.size_of_image.into()),
                ..UnloadedModule::default()
            };
            if emit.row(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The file of the module at a base, if the symbol path has it.
    pub(super) fn image_file(&self, base: u64) -> Option<&ImageFile> {
        let span = self.module_map().find(base)?;
        let found = span.file.get_or_init(|| {
            let (timestamp, size) = span.stamp;
            let name = span.file_name.as_deref().ok()?.to_owned();
            self.symbols.image(&ImageId { name, timestamp, size })
        });
        found.as_deref()
    }

    /// The module that an address lies in, and how far into it.
    pub(super) fn locate_module(&self, address: u64) -> Cell<Located> {
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

    /// The unloaded module that an address was in, as debuggers print it.
    fn unloaded_at(&self, address: u64) -> Option<Located> {
        let gone = self.gone.get_or_init(|| {
            let mut all = Vec::new();
            let _ = self.each_unloaded(&mut |row: UnloadedModule| {
                if let (Ok(name), Ok(start), Ok(end)) = (row.name, row.start, row.end) {
                    all.push((start, end, name));
                }
                std::ops::ControlFlow::Continue(())
            });
            all
        });
        let (start, _, name) =
            gone.iter().find(|(start, end, _)| (*start..*end).contains(&address))?;
        let module = format!("<Unloaded_{name}>");
        Some(Located { module, symbol: None, offset: address - start })
    }

    /// Whether an address lies in a module.
    pub(super) fn is_in_module(&self, address: u64) -> bool {
        self.module_map().find(address).is_some()
    }

    /// `module+offset` of an address.
    pub(super) fn symbol_text(&self, address: u64) -> Cell<String> {
        self.locate_module(address).map(|located| located.display())
    }

    /// The path of the program: the first module.
    pub(super) fn main_path(&self) -> Cell<String> {
        let list = self.streams.list::<md::MINIDUMP_MODULE>(kind::MODULES)?;
        let first = list.iter().next().ok_or(Absent::NotInDump)?;
        self.streams.text().utf16(first.module_name_rva.into())
    }

    /// Windows debuggers leave the extension out; elsewhere it is part of the name.
    pub(super) fn module_name<'a>(&self, file: &'a str) -> &'a str {
        match file.rsplit_once('.') {
            Some((stem, _)) if self.is_windows() && !stem.is_empty() => stem,
            _ => file,
        }
    }

    fn file_version(&self, info: &md::VS_FIXEDFILEINFO) -> Cell<String> {
        let v = version_info(info)?;
        if self.is_windows() || self.is_apple() {
            return Ok(four_parts(v.file_version_hi, v.file_version_lo));
        }
        // Breakpad keeps the four parts of an ELF version in one field each.
        let [a, b] = [v.file_version_hi, v.file_version_lo];
        Ok(format!("{a}.{b}.{}.{}", v.product_version_hi, v.product_version_lo))
    }

    fn product_version(&self, info: &md::VS_FIXEDFILEINFO) -> Cell<String> {
        let v = version_info(info)?;
        if self.is_windows() || self.is_apple() {
            return Ok(four_parts(v.product_version_hi, v.product_version_lo));
        }
        Err(Absent::NotApplicable)
    }

    /// What the image's version resource says; only minidumps with all memory hold the image.
    fn version_strings(&self, want: &Want<'_, Module>, raw: &md::MINIDUMP_MODULE) -> Module {
        let version = if self.is_windows()
            && want.has_any(|c| {
                [
                    c.company,
                    c.description,
                    c.copyright,
                    c.original_name,
                    c.internal_name,
                    c.language,
                ]
            }) {
            #[allow(
                clippy::redundant_closure_for_method_calls,
                reason = "the method has one lifetime more"
            )]
            self.with_image(raw.base_of_image, |image| image.version())
        } else {
            None
        };
        let part = |get: fn(&VersionInfo) -> &Option<String>| match &version {
            // A resource that is there and does not say it has no such value.
            Some(info) => get(info).clone().ok_or(Absent::NotApplicable),
            None if self.is_windows() => Err(Absent::NotInDump),
            None => Err(Absent::NotApplicable),
        };
        Module {
            company: part(|info| &info.company),
            description: part(|info| &info.description),
            copyright: part(|info| &info.copyright),
            original_name: part(|info| &info.original_name),
            internal_name: part(|info| &info.internal_name),
            language: part(|info| &info.language),
            ..Module::default()
        }
    }

    /// Runs a reader over the image at a base, whose pages the dump may hold.
    fn with_image<T>(&self, base: u64, read: impl FnOnce(&Image<'_>) -> Option<T>) -> Option<T> {
        let bytes = |at: u32, buffer: &mut [u8]| {
            let address = base.checked_add(at.into());
            address.is_some_and(|at| self.memory().read(&self.streams, at, buffer).is_ok())
        };
        read(&Image::new(&bytes)?)
    }

    /// When an image was built, where its time date stamp is a time.
    fn build_time(&self, raw: &md::MINIDUMP_MODULE) -> Cell<i64> {
        if !self.is_windows() {
            return Err(Absent::NotApplicable);
        }
        let is_hash = self.with_image(raw.base_of_image, |image| Some(image.is_reproducible()));
        let made = self.system_time().ok();
        build_time(raw.time_date_stamp.into(), is_hash == Some(true), made)
    }

    fn debug_record(&self, raw: &md::MINIDUMP_MODULE) -> Cell<DebugRecord> {
        if raw.cv_record.data_size == 0 {
            return Err(Absent::NotInDump);
        }
        let bytes = self.streams.bytes(raw.cv_record).ok_or(Absent::Unreadable)?;
        DebugRecord::read(&self.streams, bytes)
    }
}

/// Paths of the images at addresses. Neighbours mostly ask for the same one again.
pub(super) struct Paths<'a> {
    map: &'a ModuleMap,
    text: Text<'a>,
    last: Option<(u64, Cell<String>)>,
}

impl<'a> Paths<'a> {
    pub(super) fn new(dump: &'a UserDump) -> Self {
        Self { map: dump.module_map(), text: dump.streams.text(), last: None }
    }

    pub(super) fn at(&mut self, address: u64) -> Cell<String> {
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

/// The file name of a path of any system.
pub(super) fn file_name(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.char_indices().nth(MAX_FILE_NAME).map_or(name, |(at, _)| name.get(..at).unwrap_or(name))
}

fn version_info(info: &md::VS_FIXEDFILEINFO) -> Cell<&md::VS_FIXEDFILEINFO> {
    let known = info.signature == md::VS_FFI_SIGNATURE;
    if known { Ok(info) } else { Err(Absent::NotInDump) }
}

fn four_parts(high: u32, low: u32) -> String {
    format!("{}.{}.{}.{}", high >> 16, high & 0xffff, low >> 16, low & 0xffff)
}

/// What a module says of its debug information.
#[derive(Debug, Clone)]
struct DebugRecord {
    file: Cell<String>,
    id: String,
    age: i64,
}

impl DebugRecord {
    /// Reads the record of a PDB, or the build id of an ELF file, of which Breakpad's tools take
    /// the first 16 bytes as a GUID.
    fn read(streams: &Streams, bytes: &[u8]) -> Cell<Self> {
        let signature: u32 = streams.record(bytes, 0).ok_or(Absent::Unreadable)?;
        let read = match &signature.to_le_bytes() {
            b"RSDS" => Self::pdb70(streams, bytes),
            b"NB10" => Self::pdb20(streams, bytes),
            b"LEpB" => Self::elf(streams, bytes),
            _ => return Err(Absent::NotApplicable),
        };
        let record = read.ok_or(Absent::Unreadable)?;
        let is_nil = record.id.bytes().all(|b| b == b'0');
        if is_nil { Err(Absent::NotApplicable) } else { Ok(record) }
    }

    fn pdb70(streams: &Streams, bytes: &[u8]) -> Option<Self> {
        let guid: md::GUID = streams.record(bytes, 4)?;
        let age: u32 = streams.record(bytes, 20)?;
        Some(Self { file: Ok(pdb_name(bytes.get(24..)?)), id: guid_text(&guid), age: age.into() })
    }

    fn pdb20(streams: &Streams, bytes: &[u8]) -> Option<Self> {
        let id: u32 = streams.record(bytes, 8)?;
        let age: u32 = streams.record(bytes, 12)?;
        let file = Ok(pdb_name(bytes.get(16..)?));
        Some(Self { file, id: format!("{id:08X}"), age: age.into() })
    }

    fn elf(streams: &Streams, bytes: &[u8]) -> Option<Self> {
        let mut id = [0; 16];
        let build_id = bytes.get(4..)?;
        for (to, from) in id.iter_mut().zip(build_id) {
            *to = *from;
        }
        let guid: md::GUID = streams.record(&id, 0)?;
        Some(Self { file: Err(Absent::NotApplicable), id: guid_text(&guid), age: 0 })
    }
}

fn guid_text(guid: &md::GUID) -> String {
    let tail = u64::from_be_bytes(guid.data4);
    format!("{:08X}{:04X}{:04X}{tail:016X}", guid.data1, guid.data2, guid.data3)
}

fn pdb_name(bytes: &[u8]) -> String {
    let name = bytes.split(|&b| b == 0).next().unwrap_or_default();
    // A path is at most 32767 characters; the rest of a long record cannot belong to it.
    let name = name.get(..0x7fff).unwrap_or(name);
    file_name(&String::from_utf8_lossy(name)).to_owned()
}
