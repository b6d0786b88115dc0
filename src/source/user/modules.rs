//! Rows of loaded and unloaded images.

use std::cell::LazyCell;

use minidump::format as md;

use super::core::Core;
use super::core::modules::file_name;
use super::core::streams::{Streams, kind};
use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Module, Unanswered, UnloadedModule, Want};
use crate::source::build_time::{Stamp, build_time, has_hash};
use crate::symbol::image::VersionInfo;

pub(super) fn each_module(
    core: &Core,
    want: &Want<'_, Module>,
    emit: Emit<'_, Module>,
) -> Result<(), Unanswered> {
    let list = core.streams.list::<md::MINIDUMP_MODULE>(kind::MODULES)?;
    let mut text = core.streams.text();
    let (pid, process) = (core.pid(), core.process_name());
    let windows_has_hashes = LazyCell::new(|| windows_has_hashes(core, list.iter()));
    for (order, raw) in list.iter().enumerate() {
        let path = text.utf16(raw.module_name_rva.into());
        let image_name = path.as_deref().map(file_name).map_err(|reason| *reason);
        let debug = debug_record(core, &raw);
        let row = Module {
            base: Ok(raw.base_of_image),
            end: raw.base_of_image.checked_add(raw.size_of_image.into()).ok_or(Absent::Unreadable),
            size_bytes: Ok(raw.size_of_image.into()),
            name: image_name.map(|name| core.module_name(name).to_owned()),
            image_name: image_name.map(str::to_owned),
            timestamp: Ok(raw.time_date_stamp.into()),
            build_time: if want.has(|c| c.build_time) {
                let has_hashes = || path.as_deref().is_ok_and(is_of_windows) && *windows_has_hashes;
                built(core, &raw, has_hashes)
            } else {
                Err(Absent::NotApplicable)
            },
            checksum: Ok(raw.checksum.into()),
            file_version: file_version(core, &raw.version_info),
            product_version: product_version(core, &raw.version_info),
            pdb_name: debug.clone().and_then(|d| d.file),
            pdb_guid: debug.clone().map(|d| d.id),
            pdb_age: debug.map(|d| d.age),
            symbol_status: Ok(core.symbol_status(raw.base_of_image)),
            is_user: Ok(true),
            pid,
            process: process.clone(),
            load_order: i64::try_from(order).map_err(|_| Absent::Unreadable),
            path,
            ..version_strings(core, want, &raw)
        };
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

pub(super) fn each_unloaded(core: &Core, emit: Emit<'_, UnloadedModule>) -> Result<(), Unanswered> {
    let list = core.streams.wide_list::<md::MINIDUMP_UNLOADED_MODULE>(kind::UNLOADED, false)?;
    let mut text = core.streams.text();
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

fn file_version(core: &Core, info: &md::VS_FIXEDFILEINFO) -> Cell<String> {
    let v = version_info(info)?;
    if core.is_windows() || core.is_apple() {
        return Ok(four_parts(v.file_version_hi, v.file_version_lo));
    }
    // Breakpad stores each of the four parts of an ELF version in one field.
    let [a, b] = [v.file_version_hi, v.file_version_lo];
    Ok(format!("{a}.{b}.{}.{}", v.product_version_hi, v.product_version_lo))
}

fn product_version(core: &Core, info: &md::VS_FIXEDFILEINFO) -> Cell<String> {
    let v = version_info(info)?;
    if core.is_windows() || core.is_apple() {
        return Ok(four_parts(v.product_version_hi, v.product_version_lo));
    }
    Err(Absent::NotApplicable)
}

/// The image's version resource; only minidumps with full memory hold the image.
fn version_strings(core: &Core, want: &Want<'_, Module>, raw: &md::MINIDUMP_MODULE) -> Module {
    let version = if core.is_windows()
        && want.has_any(|c| {
            [c.company, c.description, c.copyright, c.original_name, c.internal_name, c.language]
        }) {
        #[allow(
            clippy::redundant_closure_for_method_calls,
            reason = "the method has one more lifetime"
        )]
        core.with_image(raw.base_of_image, |image| image.version())
    } else {
        None
    };
    let part = |get: fn(&VersionInfo) -> &Option<String>| match &version {
        // A version resource that lacks the value.
        Some(info) => get(info).clone().ok_or(Absent::NotApplicable),
        None if core.is_windows() => Err(Absent::NotInDump),
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

/// When an image was built, where its time date stamp is a time.
fn built(
    core: &Core,
    raw: &md::MINIDUMP_MODULE,
    has_hashing_maker: impl FnOnce() -> bool,
) -> Cell<i64> {
    if !core.is_windows() {
        return Err(Absent::NotApplicable);
    }
    let is_hash = core.with_image(raw.base_of_image, |image| Some(image.is_reproducible()));
    let stamp = Stamp::new(is_hash, has_hashing_maker);
    build_time(raw.time_date_stamp.into(), stamp, core.system_time().ok())
}

/// Whether the stamps of Windows's own images are hashes in this version.
fn windows_has_hashes(core: &Core, list: impl Iterator<Item = md::MINIDUMP_MODULE>) -> bool {
    let mut text = core.streams.text();
    let images = list.filter_map(|raw| {
        let path = text.utf16(raw.module_name_rva.into()).ok()?;
        let is_ntdll = || file_name(&path).eq_ignore_ascii_case("ntdll.dll");
        let stamp = raw.time_date_stamp.into();
        is_of_windows(&path).then(|| (stamp, core.build().filter(|_| is_ntdll())))
    });
    has_hash(images, core.system_time().ok())
}

/// Whether the path of an image is in a folder of Windows.
fn is_of_windows(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ["\\windows\\system32\\", "\\windows\\syswow64\\", "\\windows\\winsxs\\"]
        .iter()
        .any(|folder| path.contains(folder))
}

fn debug_record(core: &Core, raw: &md::MINIDUMP_MODULE) -> Cell<DebugRecord> {
    if raw.cv_record.data_size == 0 {
        return Err(Absent::NotInDump);
    }
    let bytes = core.streams.bytes(raw.cv_record).ok_or(Absent::Unreadable)?;
    DebugRecord::read(&core.streams, bytes)
}

fn version_info(info: &md::VS_FIXEDFILEINFO) -> Cell<&md::VS_FIXEDFILEINFO> {
    let known = info.signature == md::VS_FFI_SIGNATURE;
    if known { Ok(info) } else { Err(Absent::NotInDump) }
}

fn four_parts(high: u32, low: u32) -> String {
    format!("{}.{}.{}.{}", high >> 16, high & 0xffff, low >> 16, low & 0xffff)
}

/// The debug information that a module record names.
#[derive(Debug, Clone)]
struct DebugRecord {
    file: Cell<String>,
    id: String,
    age: i64,
}

impl DebugRecord {
    /// Reads a PDB record, or the build id of an ELF file, of which Breakpad's tools use the first
    /// 16 bytes as GUID.
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
    // A path is at most 32767 characters; the rest of a longer record is not part of it.
    let name = name.get(..0x7fff).unwrap_or(name);
    file_name(&String::from_utf8_lossy(name)).to_owned()
}
