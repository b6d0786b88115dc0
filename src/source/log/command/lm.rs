//! `lm` and its variants: loaded and unloaded modules, one line each or in detail.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{Module, UnloadedModule};
use crate::source::build_time::{Stamp, build_time};
use crate::source::log::line::Lines;
use crate::source::log::scan::{address, between, found, hex, hex_int, text, word};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "lm",
    is_named: |name| {
        name == "!lmi" || name == "!dlls" || (name.starts_with("lm") && name.len() <= 40)
    },
    signatures: &[
        Signature { literal: "module name", check: is_header },
        Signature {
            literal: "Unloaded modules:",
            check: |line| line.trim() == "Unloaded modules:",
        },
        Signature { literal: "Loaded Module Info:", check: |_| true },
    ],
    contains: &[],
    fills: &[Fills::rows::<Module>(), Fills::rows::<UnloadedModule>()],
    read,
};

fn is_header(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("start") && line.contains("end") && line.ends_with("module name")
}

/// `77e40000 77f42000   kernel32   (pdb symbols)          c:\…\kernel32.pdb`; unloaded modules have
/// no status.
struct Head<'a> {
    start: u64,
    end: u64,
    name: &'a str,
    rest: &'a str,
}

fn head(line: &str) -> Option<Head<'_>> {
    let (start, rest) = word(line)?;
    let (end, rest) = word(rest)?;
    let (start, end) = (address(start)?, address(end)?);
    let (name, rest) = word(rest)?;
    (end >= start && !name.starts_with('(')).then_some(Head { start, end, name, rest })
}

/// The symbol status of a module: `(pdb symbols)`, `(deferred)`, with a letter before it.
fn status(rest: &str) -> (Cell<String>, &str) {
    let Some(inside) = between(rest, "(", ")") else { return (Err(Absent::NotApplicable), rest) };
    let path = rest.split_once(')').map_or("", |(_, path)| path.trim());
    (text(inside), path)
}

/// `…\kernel32.pdb\DF4F569C743446809ACD3DFD1E9FA2AF2\kernel32.pdb`: name, GUID and age.
fn pdb(path: &str) -> Option<(&str, Option<(String, i64)>)> {
    let mut parts = path.rsplit(['\\', '/']);
    let name = parts.next().filter(|name| name.to_ascii_lowercase().ends_with(".pdb"))?;
    let id = parts.next().filter(|id| id.len() > 32 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    let id = id.and_then(|id| {
        let (guid, age) = id.split_at_checked(32)?;
        Some((guid.to_ascii_uppercase(), hex_int(age)?))
    });
    Some((name, id))
}

/// The first words of a time, where `lm t` prints one.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The text that `lm n`, `lm f` and `lm t` print after the name: file or path, then time or hash.
fn listed<'a>(rest: &'a str, row: &mut Module) -> &'a str {
    // A symbol status, with or without a letter before it, is not a path, however many follow it.
    if rest.find('(').is_some_and(|at| at < 4) && !rest.starts_with("(This is") {
        return rest;
    }
    let is_hash = rest.contains("(This is a reproducible build");
    let end = rest.rfind('(').filter(|_| is_hash || rest.ends_with(')')).unwrap_or(rest.len());
    let (before, inside) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let inside = inside.trim_matches(['(', ')']);
    let mut file = before.trim_end();
    let is_stamp = inside.len() == 8 && hex_int(inside).is_some();
    if is_hash {
        // The hash is the last word before the note.
        let (name, hash) = file.rsplit_once(char::is_whitespace).unwrap_or(("", file));
        (file, row.timestamp) = (name.trim_end(), found(hex_int(hash)));
    } else if is_stamp {
        let day = DAYS.iter().filter_map(|day| before.rfind(&format!("{day} "))).max();
        let is_known = day.is_some();
        let start =
            day.or_else(|| before.rfind("Timestamp")).or_else(|| before.rfind("unavailable"));
        file = start.and_then(|at| before.get(..at)).unwrap_or(before).trim_end();
        row.timestamp = found(hex_int(inside).filter(|_| is_known));
        row.build_time = row.timestamp.and_then(|stamp| build_time(stamp, Stamp::Time, None));
    } else if !inside.is_empty() {
        return rest;
    }
    if file.contains(['\\', '/']) {
        row.path = text(file);
        row.image_name = text(file.rsplit(['\\', '/']).next().unwrap_or(file));
    } else if file.contains('.') && !file.contains(' ') {
        row.image_name = text(file);
    } else if !(is_hash || is_stamp) {
        return rest;
    }
    ""
}

fn module(head: &Head<'_>) -> Module {
    let mut row = Module::default();
    let (symbol_status, path) = status(listed(head.rest, &mut row));
    let pdb = pdb(path);
    let id = pdb.as_ref().and_then(|(_, id)| id.clone());
    Module {
        base: Ok(head.start),
        end: Ok(head.end),
        size_bytes: i64::try_from(head.end - head.start).map_err(|_| Absent::Unreadable),
        name: text(head.name),
        symbol_status,
        pdb_name: found(pdb.map(|(name, _)| name.to_owned())),
        pdb_guid: found(id.as_ref().map(|(guid, _)| guid.clone())),
        pdb_age: found(id.map(|(_, age)| age)),
        ..row
    }
}

/// `Tue Jul 25 13:31:53 2006 (44C60F39)`, or of reproducible builds `08294233 (This is a …)`.
fn timestamp(value: &str) -> Cell<i64> {
    if value.starts_with("unavailable") {
        return Err(Absent::NotInDump);
    }
    let inside = between(value, "(", ")").and_then(hex_int);
    found(inside.or_else(|| word(value).and_then(|(first, _)| hex_int(first))))
}

/// Takes a line below a module; `false` if it is not recognised.
fn detail(line: &str, row: &mut Module) -> bool {
    let Some((label, value)) = line.split_once(':') else { return is_remark(line) };
    let value = value.trim();
    match label.trim() {
        "Image path" => row.path = text(value),
        "Image name" => row.image_name = text(value),
        "Timestamp" => {
            row.timestamp = timestamp(value);
            let kind = Stamp::new(Some(value.contains("reproducible")), || false);
            row.build_time = row.timestamp.and_then(|stamp| build_time(stamp, kind, None));
        }
        "CheckSum" | "Checksum" => row.checksum = found(hex_int(value)),
        "File version" => row.file_version = text(value),
        "Product version" => row.product_version = text(value),
        "CompanyName" => row.company = text(value),
        "FileDescription" => row.description = text(value),
        "LegalCopyright" => row.copyright = text(value),
        "OriginalFilename" => row.original_name = text(value),
        "InternalName" => row.internal_name = text(value),
        "Translations" => row.language = text(value),
        "Loaded symbol image file" => {
            if row.image_name.is_err() && !value.contains('\\') {
                row.image_name = text(value);
            }
        }
        label => return is_label(label) || is_remark(line),
    }
    true
}

fn is_label(label: &str) -> bool {
    const LABELS: &[&str] = &[
        "ImageSize",
        "File flags",
        "File OS",
        "File type",
        "File date",
        "ProductName",
        "ProductVersion",
        "FileVersion",
        "SpecialBuild",
        "PrivateBuild",
        "Comments",
        "LegalTrademarks",
        "Mapped memory image file",
        "Information from resource tables",
        "Symbol file",
        "Has CLR image header, track-debug-data flag not set",
        "CLR Version",
        "OLESelfRegister",
        "Additional file info",
        "Image was built with /Brepro flag",
    ];
    LABELS.iter().any(|known| label.eq_ignore_ascii_case(known))
}

fn is_remark(line: &str) -> bool {
    const STARTS: &[&str] = &[
        "Browse ",
        "Image was built",
        "Has CLR",
        "Using CLR",
        "CLR ",
        "Symbol search",
        "Using EFI",
        "*** ",
    ];
    STARTS.iter().any(|start| line.starts_with(start))
}

/// What the following lines belong to.
enum Open {
    Nothing,
    Loaded(u64, Box<Module>),
    Unloaded(u64, UnloadedModule),
}

impl Open {
    fn close(&mut self, sink: &mut Sink<'_>) {
        match std::mem::replace(self, Self::Nothing) {
            Self::Nothing => {}
            Self::Loaded(at, row) => sink.row_at(at, *row),
            Self::Unloaded(at, row) => sink.row_at(at, row),
        }
    }

    /// Takes a line below a module.
    fn detail(&mut self, line: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Loaded(_, row) => detail(line, row),
            Self::Unloaded(_, row) => unloaded_detail(line, row),
        }
    }
}

fn unloaded_detail(line: &str, row: &mut UnloadedModule) -> bool {
    let Some((label, value)) = line.split_once(':') else { return false };
    match label.trim() {
        "Timestamp" => row.timestamp = timestamp(value.trim()),
        "Checksum" | "CheckSum" => row.checksum = found(hex_int(value.trim())),
        "ImageSize" => {
            if let Some(size) = hex_int(value.trim()) {
                row.size_bytes = Ok(size);
            }
        }
        _ => return false,
    }
    true
}

fn unloaded(head: &Head<'_>) -> UnloadedModule {
    let mut listing = Module::default();
    let rest = listed(head.rest, &mut listing);
    let whole = format!("{} {rest}", head.name);
    UnloadedModule {
        timestamp: listing.timestamp,
        name: text(whole.trim()),
        start: Ok(head.start),
        end: Ok(head.end),
        size_bytes: i64::try_from(head.end - head.start).map_err(|_| Absent::Unreadable),
        ..UnloadedModule::default()
    }
}

fn read(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    if lines.peek().is_some_and(|line| line.trimmed().starts_with("Loaded Module Info"))
        || super::super::prompt::name(cx.command) == "!lmi"
    {
        return read_lmi(lines, sink);
    }
    let mut open = Open::Nothing;
    let mut in_unloaded = false;
    for line in lines {
        let trimmed = line.trimmed();
        if let Some(head) = head(trimmed) {
            open.close(sink);
            open = if in_unloaded {
                Open::Unloaded(line.number, unloaded(&head))
            } else {
                Open::Loaded(line.number, Box::new(module(&head)))
            };
        } else if trimmed == "Unloaded modules:" {
            open.close(sink);
            in_unloaded = true;
        } else if is_header(trimmed) {
            open.close(sink);
            in_unloaded = false;
        } else if !open.detail(trimmed) && !line.is_blank() && !is_remark(trimmed) {
            sink.unread(&line);
        }
    }
    open.close(sink);
}

/// `!lmi`: one module, one fact per line.
fn read_lmi(lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut row: Option<(u64, Module)> = None;
    for line in lines {
        let Some((label, value)) = line.trimmed().split_once(':') else {
            if !line.is_blank() && row.is_none() {
                sink.unread(&line);
            }
            continue;
        };
        let value = value.trim();
        if let Some((_, row)) = &mut row
            && let Some(guid) = between(value, "{", "}")
        {
            row.pdb_guid = text(&guid.replace('-', "").to_ascii_uppercase());
            continue;
        }
        if label == "Loaded Module Info" {
            let name = text(value.trim_matches(['[', ']', ' ']));
            row = Some((line.number, Module { name, ..Module::default() }));
        } else if let Some((_, row)) = &mut row {
            lmi_detail(label.trim(), value, row);
        }
    }
    if let Some((at, mut row)) = row {
        if let (Ok(base), Ok(size)) = (row.base, row.size_bytes) {
            row.end = found(u64::try_from(size).ok().and_then(|size| base.checked_add(size)));
        }
        sink.row_at(at, row);
    }
}

fn lmi_detail(label: &str, value: &str, row: &mut Module) {
    match label {
        "Module" => row.name = text(value),
        "Base Address" => row.base = found(hex(value)),
        "Image Name" => row.image_name = text(value),
        "Time Stamp" => {
            row.timestamp = found(word(value).and_then(|(stamp, _)| hex_int(stamp)));
            let kind = Stamp::new(Some(value.contains("reproducible")), || false);
            row.build_time = row.timestamp.and_then(|stamp| build_time(stamp, kind, None));
        }
        "Size" => row.size_bytes = found(hex_int(value)),
        "CheckSum" => row.checksum = found(hex_int(value)),
        "Age" => {
            let (age, path) = value.split_once(", Pdb:").unwrap_or((value, ""));
            row.pdb_age = found(hex_int(age.trim()));
            row.pdb_name = text(path.rsplit(['\\', '/']).next().unwrap_or_default());
        }
        "Symbol Type" => row.symbol_status = text(value.split(" - ").next().unwrap_or(value)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_form() {
        let of = |line: &'static str| module(&head(line).unwrap());
        let old = of(
            r"77e40000 77f42000   kernel32   (pdb symbols)          c:\s\kernel32.pdb\DF4F569C743446809ACD3DFD1E9FA2AF2\kernel32.pdb",
        );
        assert_eq!((old.base, old.symbol_status.as_deref()), (Ok(0x77e4_0000), Ok("pdb symbols")));
        assert_eq!(
            (old.pdb_name.as_deref(), old.pdb_guid.as_deref(), old.pdb_age),
            (Ok("kernel32.pdb"), Ok("DF4F569C743446809ACD3DFD1E9FA2AF"), Ok(2))
        );
        let flagged = of("fffff802`31612000 fffff802`31e9b000   nt       M (pdb symbols)");
        assert_eq!((flagged.name.as_deref(), flagged.size_bytes), (Ok("nt"), Ok(0x88_9000)));
        assert_eq!(
            unloaded(&head("a5069000 a5084000   MyAVDrv.sys").unwrap()).name.as_deref(),
            Ok("MyAVDrv.sys")
        );
        let mut row = Module::default();
        assert!(detail("Timestamp:        Tue Jul 25 13:31:53 2006 (44C60F39)", &mut row));
        assert!(detail("CheckSum:         001059A9", &mut row));
        assert_eq!((row.timestamp, row.checksum), (Ok(0x44c6_0f39), Ok(0x10_59a9)));
        assert_eq!(
            timestamp("08294233 (This is a reproducible build file hash, not a timestamp)"),
            Ok(0x0829_4233)
        );
        assert_eq!(timestamp("unavailable (00000000)"), Err(Absent::NotInDump));
        assert!(head("start    end        module name").is_none());
    }

    #[test]
    fn files_and_times_on_the_line_of_a_module() {
        let of = |rest: &str| module(&head(&format!("804d7000 806fd000   nt  {rest}")).unwrap());
        let both = of("ntkrnlpa.exe Wed Feb 28 04:10:41 2007 (45E54849)");
        assert_eq!(
            (both.image_name.as_deref(), both.timestamp),
            (Ok("ntkrnlpa.exe"), Ok(0x45e5_4849))
        );
        assert_eq!(both.build_time, Ok(0x45e5_4849 * 1_000_000));
        assert_eq!(both.symbol_status, Err(Absent::NotApplicable));
        let time = of("Wed Feb 28 04:10:41 2007 (45E54849)");
        assert_eq!(
            (time.image_name, time.timestamp),
            (Err(Absent::NotApplicable), Ok(0x45e5_4849))
        );
        let hash = of("a.exe  7EBF2F9C (This is a reproducible build file hash, not a timestamp)");
        assert_eq!((hash.image_name.as_deref(), hash.timestamp), (Ok("a.exe"), Ok(0x7ebf_2f9c)));
        assert_eq!(hash.build_time, Err(Absent::NotApplicable));
        let path = of(r"\SystemRoot\my files\a.sys");
        assert_eq!(path.path.as_deref(), Ok(r"\SystemRoot\my files\a.sys"));
        assert_eq!(path.image_name.as_deref(), Ok("a.sys"));
        let none = of("Timestamp: unavailable (00000000)");
        assert_eq!(none.timestamp, Err(Absent::NotApplicable));
        assert_eq!(of("(deferred)").symbol_status.as_deref(), Ok("deferred"));
    }
}
