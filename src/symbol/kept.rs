//! Layout files in the cache for the next session: decompressed, without whitespace, with sorted
//! names.
//!
//! A cache entry belongs to one file (path, size and time) and to one version of this program. It
//! holds 32-bit little-endian numbers, the tables that they count, and the text that the tables
//! refer to. Invalid references give no values; [`cache`](crate::dump::cache) checks the entry as a
//! whole.

use std::ops::Range;
use std::path::Path;

use super::layout::Format;
use super::names::{Symbol, TextNames};
use super::text::{Head, Held, Text};
use crate::dump::Image;
use crate::dump::cache::{Entry, Kept};

/// Version of the format; a different number invalidates old entries.
const VERSION: &str = "1";
/// The number of numbers at the start.
const NUMBERS: usize = 12;
/// Size of a row in the type table and in the symbol table.
const ROW: usize = 16;
/// Shorter texts are parsed as fast as an entry is read.
const MIN_TEXT: usize = 1 << 16;
const FORMATS: [Format; 2] = [Format::Isf, Format::Vtypes];
const ARCHES: [&str; 3] = ["x86", "x64", "arm64"];

/// The entry of a file, if there is a cache directory.
pub(super) fn entry(path: &Path, folder: Option<&Path>) -> Option<Entry> {
    let image = Image::open(path).ok()?.with_cache(Some(folder?));
    // Each path to a file has its own entry, so that messages name the file that was asked for.
    let name = path.display().to_string();
    Entry::of(&image, "layout", &[VERSION, env!("CARGO_PKG_VERSION"), &name])
}

/// Where the tables and the text of an entry are.
#[derive(Debug, Clone)]
pub(super) struct Places {
    symbols: Range<usize>,
    by_name: Range<usize>,
    shown: usize,
    text: usize,
    end: usize,
}

impl Places {
    /// The range of the entry that holds a range of the text.
    pub(super) fn text(&self, range: Range<usize>) -> Option<Range<usize>> {
        let end = self.text.checked_add(range.end)?;
        let start = self.text.checked_add(range.start)?;
        (start <= end && end <= self.end).then_some(start..end)
    }

    pub(super) const fn has_symbols(&self) -> bool {
        self.symbols.start < self.symbols.end
    }

    /// The symbol names, which are sorted in an entry.
    pub(super) fn names(&self, bytes: &[u8]) -> TextNames {
        let rows = bytes.get(self.symbols.clone()).unwrap_or_default().as_chunks::<ROW>().0;
        let symbol = |row: &[u8; ROW]| {
            let [low, high, start, len] = words(row);
            Symbol { address: u64::from(high) << 32 | u64::from(low), start, len }
        };
        let numbers = bytes.get(self.by_name.clone()).unwrap_or_default().as_chunks::<4>().0;
        let by_name = numbers.iter().map(|number| u32::from_le_bytes(*number)).collect();
        TextNames::sorted(rows.iter().map(symbol).collect(), self.shown, by_name)
    }
}

fn words(row: &[u8; ROW]) -> [u32; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(row.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    words
}

/// The layout in an entry.
pub(super) fn read(kept: Kept) -> Option<Text> {
    let mut numbers = [0; NUMBERS];
    for (number, bytes) in numbers.iter_mut().zip(kept.as_chunks::<4>().0) {
        *number = usize::try_from(u32::from_le_bytes(*bytes)).ok()?;
    }
    let [format, arch, has_pdb, age, guid, version, enums, types, symbols, shown, by_name, text] =
        numbers;
    let table = |start: usize, rows: usize, bytes: usize| {
        let end = start.checked_add(rows.checked_mul(bytes)?)?;
        (end <= kept.len()).then_some(start..end)
    };
    let types = table(4 * NUMBERS, types, ROW)?;
    let symbols = table(types.end, symbols, ROW)?;
    let by_name = table(symbols.end, by_name, 4)?;
    let text = table(by_name.end, text, 1)?;
    let places = Places { symbols, by_name, shown, text: text.start, end: text.end };
    let part = |start: usize, len: usize| {
        let range = places.text(start..start.checked_add(len)?)?;
        std::str::from_utf8(kept.get(range)?).ok()
    };
    let before = guid.checked_add(version)?;
    let mut head = Head {
        format: *FORMATS.get(format)?,
        arch: arch.checked_sub(1).and_then(|arch| ARCHES.get(arch).copied()),
        version: (version > 0).then(|| part(guid, version)).flatten().map(str::to_owned),
        pdb: (has_pdb == 1)
            .then(|| Some((part(0, guid)?.to_owned(), u32::try_from(age).ok()?)))
            .flatten(),
        enums: (enums > 0).then(|| Some(before..before.checked_add(enums)?)).flatten(),
        ..Head::default()
    };
    for row in kept.get(types)?.as_chunks::<ROW>().0 {
        let [name, name_len, start, len] = words(row).map(|word| word as usize);
        head.types.insert(part(name, name_len)?.into(), start..start.checked_add(len)?);
    }
    Some(Text::new(Held::Kept(Box::new(kept), places), head))
}

/// Stores a layout in its entry if that saves time; returns whether it did.
pub(super) fn keep(text: &Text, entry: &Entry) -> bool {
    let Held::Own(whole) = &text.held else { return false };
    if whole.len() < MIN_TEXT {
        return false;
    }
    let Some((bytes, mut writer)) = packed(text).and_then(|bytes| Some((bytes, entry.write()?)))
    else {
        return false;
    };
    writer.add(&bytes);
    writer.finish()
}

/// A layout in the form of an entry.
fn packed(text: &Text) -> Option<Vec<u8>> {
    let head = &text.head;
    let mut all = String::new();
    let guid = head.pdb.as_ref().map_or("", |(guid, _)| guid);
    let version = head.version.as_deref().unwrap_or_default();
    all.push_str(guid);
    all.push_str(version);
    let enums = add(&mut all, text.held.get(head.enums.clone().unwrap_or_default())?);
    let mut types: Vec<_> = head.types.iter().collect();
    types.sort_unstable_by_key(|(name, _)| *name);
    let mut tables: Vec<u32> = Vec::new();
    for (name, range) in &types {
        let name_at = all.len();
        all.push_str(name);
        let at = all.len();
        let len = add(&mut all, text.held.get((*range).clone())?);
        tables.extend([number(name_at)?, number(name.len())?, number(at)?, number(len)?]);
    }
    let names = text.names();
    for symbol in names.symbols() {
        let at = all.len();
        all.push_str(text.held.get(symbol.range())?);
        let [low, high] = [symbol.address & 0xffff_ffff, symbol.address >> 32];
        tables.extend([u32::try_from(low).ok()?, u32::try_from(high).ok()?]);
        tables.extend([number(at)?, symbol.len]);
    }
    tables.extend(names.by_name());
    let place = |known: Option<usize>| number(known.map_or(0, |at| at.saturating_add(1)));
    let arch = head.arch.and_then(|arch| ARCHES.iter().position(|known| *known == arch));
    let numbers: [u32; NUMBERS] = [
        number(FORMATS.iter().position(|format| *format == head.format)?)?,
        place(arch)?,
        u32::from(head.pdb.is_some()),
        head.pdb.as_ref().map_or(0, |(_, age)| *age),
        number(guid.len())?,
        number(version.len())?,
        number(enums)?,
        number(types.len())?,
        number(names.symbols().len())?,
        number(names.shown())?,
        number(names.by_name().len())?,
        number(all.len())?,
    ];
    let mut bytes = Vec::with_capacity(
        NUMBERS.saturating_add(tables.len()).saturating_mul(4).saturating_add(all.len()),
    );
    for number in numbers.iter().chain(&tables) {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(all.as_bytes());
    Some(bytes)
}

fn number(number: usize) -> Option<u32> {
    u32::try_from(number).ok()
}

/// Appends JSON without whitespace between its tokens; returns the resulting length.
fn add(all: &mut String, json: &str) -> usize {
    let before = all.len();
    let (mut is_text, mut is_escaped) = (false, false);
    all.extend(json.chars().filter(|c| {
        let is_blank = !is_text && c.is_ascii_whitespace();
        if is_text {
            is_text = *c != '"' || is_escaped;
            is_escaped = *c == '\\' && !is_escaped;
        } else {
            is_text = *c == '"';
        }
        !is_blank
    }));
    all.len().saturating_sub(before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::{Layout, Names as _, pack};

    /// A folder that is removed at the end.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("dumpql-kept-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn isf() -> String {
        let fields = r#""A\"\\ b": {"offset": 4, "type": {"kind": "base", "name": "long"}},
            "E": {"offset": 8, "type": {"kind": "enum", "name": "_E"}}"#;
        let types: Vec<String> = (0..500)
            .map(|i| format!("\"_T{i}\": {{ \"size\": {i}, \"fields\": {{ {fields} }} }}"))
            .collect();
        let symbols: Vec<String> =
            (0..3000).map(|i| format!("\"S{i}\": {{\"address\": {}}}", 16 * (i / 2))).collect();
        format!(
            r#"{{"metadata": {{"windows": {{"pdb": {{"GUID": "00aa", "age": 2, "machine_type": 332}},
                "pe": {{"major": 5, "minor": 2, "revision": 1, "build": 3790}}}}}},
            "enums": {{"_E": {{"size": 1, "constants": {{"Ein s": 1, "Zwei": 2}}}}}},
            "symbols": {{"?x@@3HA": {{"address": 8}}, "$$5": {{"address": 9}}, {}}},
            "user_types": {{{}}}}}"#,
            symbols.join(","),
            types.join(",\n  ")
        )
    }

    fn same(kept: &Layout, read: &Layout) {
        assert_eq!(kept.format(), read.format());
        assert_eq!((kept.arch(), kept.version()), (read.arch(), read.version()));
        assert_eq!((kept.pdb(), kept.has_symbols()), (read.pdb(), read.has_symbols()));
        assert_eq!(kept.type_names(), read.type_names());
        for name in read.type_names() {
            assert_eq!(kept.size_of(&name), read.size_of(&name), "{name}");
            let fields = |layout: &Layout| format!("{:?}", layout.members(&name));
            assert_eq!(fields(kept), fields(read), "{name}");
        }
        for rva in (0..24_100).step_by(4) {
            assert_eq!(kept.nearest(rva), read.nearest(rva), "{rva}");
        }
        for name in ["S0", "S2999", "$$5", "?x@@3HA", "S", "T", ""] {
            assert_eq!(kept.symbol(name), read.symbol(name), "{name}");
        }
    }

    #[test]
    fn a_cached_layout_equals_the_parsed_one() {
        let folder = Folder::new("same");
        let (document, _) = pack::find(19041, 0, "x64").unwrap();
        let document = document.text(pack::Document::First).unwrap().to_string();
        for (name, text) in [("isf", isf()), ("nt", document)] {
            let file = folder.0.join(name);
            std::fs::write(&file, &text).unwrap();
            let entry = || entry(&file, Some(&folder.0)).unwrap();
            let read = Layout::parse(text).unwrap();
            assert!(read.keep(&entry()), "{name}");
            let kept = Layout::kept(&entry()).unwrap();
            same(&kept, &read);
            assert_eq!(kept.enum_name("_E", 1), read.enum_name("_E", 1));
            // A layout from the cache is not stored again.
            assert!(!kept.keep(&entry()));
        }
    }

    #[test]
    fn an_entry_of_another_file_or_a_damaged_one_is_not_used() {
        let folder = Folder::new("damage");
        let file = folder.0.join("a.json");
        let text = isf();
        std::fs::write(&file, &text).unwrap();
        let of = || entry(&file, Some(&folder.0)).unwrap();
        assert!(Layout::kept(&of()).is_none());
        assert!(Layout::parse(text.clone()).unwrap().keep(&of()));
        assert!(Layout::kept(&of()).is_some());
        let is_entry = |path: &std::path::PathBuf| *path != file;
        let files = std::fs::read_dir(&folder.0).unwrap().map(|file| file.unwrap().path());
        let place = files.into_iter().find(is_entry).unwrap();
        let whole = std::fs::read(&place).unwrap();
        for at in [0, 17, 40, 48, 60, whole.len() / 2, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 4;
            std::fs::write(&place, damaged).unwrap();
            assert!(Layout::kept(&of()).is_none(), "byte {at}");
        }
        std::fs::write(&place, &whole[..whole.len() - 1]).unwrap();
        assert!(Layout::kept(&of()).is_none());
        std::fs::write(&place, &whole).unwrap();
        assert!(Layout::kept(&of()).is_some());
        std::fs::write(&file, format!("{text} ")).unwrap();
        assert!(Layout::kept(&of()).is_none());
    }

    #[test]
    fn invalid_references_give_no_values() {
        let packed = packed(&Text::parse(isf()).unwrap()).unwrap();
        let folder = Folder::new("hostile");
        let file = folder.0.join("a.json");
        std::fs::write(&file, "{}").unwrap();
        for number in 0..NUMBERS {
            for value in [0, 1, 7, 0x7fff_ffff, u32::MAX] {
                let mut bytes = packed.clone();
                bytes[4 * number..][..4].copy_from_slice(&value.to_le_bytes());
                let entry = entry(&file, Some(&folder.0)).unwrap();
                let mut writer = entry.write().unwrap();
                writer.add(&bytes);
                assert!(writer.finish());
                // The checksum is right, but the contents are invalid.
                let Some(layout) = Layout::kept(&entry) else { continue };
                for name in layout.type_names().iter().take(20) {
                    let _ = (layout.size_of(name), layout.members(name));
                }
                let _ = (layout.nearest(100), layout.symbol("S7"), layout.enum_name("_E", 1));
            }
        }
    }
}
