//! The container of a minidump: header, stream directory, lists and strings.
//!
//! Everything is addressed by offset and checked against the file size, so a damaged stream affects
//! only its own table. The other files of this folder know the contents of the streams.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use minidump::Endian;
use minidump::format as md;
use scroll::Pread as _;
use scroll::ctx::{SizeWith, TryFromCtx};

use crate::catalog::{Absent, Cell};
use crate::dump::{Error, Image};
use crate::model::Unanswered;

/// Upper limit on streams; a larger count is damaged.
const MAX_STREAMS: u32 = 0x1000;
/// No header is longer.
const MAX_HEADER: usize = 64;
/// Upper limit on a string that Windows can count, in bytes.
const MAX_STRING_BYTES: usize = 0xfffe;
/// Upper limit on the text that one scan takes from a dump. Damage can make a million records share
/// one long string, which no writer does.
const MAX_TEXT_BYTES: usize = 48 << 20;

/// A stream type: its number in the directory, and its name in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamKind {
    pub(crate) id: u32,
    pub(crate) name: &'static str,
}

/// The stream types that are read.
pub(crate) mod kind {
    use super::StreamKind;

    const fn new(id: u32, name: &'static str) -> StreamKind {
        StreamKind { id, name }
    }

    pub(crate) const THREADS: StreamKind = new(3, "thread list");
    pub(crate) const MODULES: StreamKind = new(4, "module list");
    pub(crate) const MEMORY: StreamKind = new(5, "memory list");
    pub(crate) const EXCEPTION: StreamKind = new(6, "exception stream");
    pub(crate) const SYSTEM: StreamKind = new(7, "system information");
    pub(crate) const MEMORY64: StreamKind = new(9, "full memory list");
    pub(crate) const COMMENT_A: StreamKind = new(10, "comment");
    pub(crate) const COMMENT_W: StreamKind = new(11, "wide comment");
    pub(crate) const HANDLES: StreamKind = new(12, "handle stream");
    pub(crate) const UNLOADED: StreamKind = new(14, "unloaded module list");
    pub(crate) const MISC: StreamKind = new(15, "miscellaneous information");
    pub(crate) const MEMORY_INFO: StreamKind = new(16, "memory information list");
    pub(crate) const THREAD_INFO: StreamKind = new(17, "thread information list");
    pub(crate) const SYSTEM_MEMORY: StreamKind = new(21, "system memory information");
    pub(crate) const VM_COUNTERS: StreamKind = new(22, "process memory counters");
    pub(crate) const THREAD_NAMES: StreamKind = new(24, "thread name list");
    pub(crate) const LINUX_CPU: StreamKind = new(0x4767_0003, "processor information");
    pub(crate) const LINUX_STATUS: StreamKind = new(0x4767_0004, "process status");
    pub(crate) const LINUX_COMMAND: StreamKind = new(0x4767_0006, "command line");
    pub(crate) const LINUX_MAPS: StreamKind = new(0x4767_0009, "memory map");

    /// All of the above, for messages about the directory.
    pub(crate) const ALL: [StreamKind; 20] = [
        THREADS,
        MODULES,
        MEMORY,
        EXCEPTION,
        SYSTEM,
        MEMORY64,
        COMMENT_A,
        COMMENT_W,
        HANDLES,
        UNLOADED,
        MISC,
        MEMORY_INFO,
        THREAD_INFO,
        SYSTEM_MEMORY,
        VM_COUNTERS,
        THREAD_NAMES,
        LINUX_CPU,
        LINUX_STATUS,
        LINUX_COMMAND,
        LINUX_MAPS,
    ];
}

/// Why a stream cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gap {
    /// The directory does not list it.
    Missing(StreamKind),
    /// The directory places it beyond the end of the file.
    Outside(StreamKind),
}

impl From<Gap> for Absent {
    fn from(gap: Gap) -> Self {
        match gap {
            Gap::Missing(_) => Self::NotInDump,
            Gap::Outside(_) => Self::Unreadable,
        }
    }
}

impl From<Gap> for Unanswered {
    fn from(gap: Gap) -> Self {
        match gap {
            Gap::Missing(kind) => Self::because(format!("the minidump has no {}", kind.name)),
            Gap::Outside(kind) => {
                Self::because(format!("the {} lies beyond the end of the file", kind.name))
            }
        }
    }
}

/// An open container.
#[derive(Debug)]
pub(crate) struct Streams {
    image: Image,
    endian: Endian,
    header: md::MINIDUMP_HEADER,
    directory: Vec<md::MINIDUMP_DIRECTORY>,
    /// The first stream of each type.
    by_kind: BTreeMap<u32, md::MINIDUMP_LOCATION_DESCRIPTOR>,
}

impl Streams {
    /// Reads the header and as much of the directory as the file holds.
    pub(crate) fn open(image: Image) -> Result<Self, Error> {
        let not = |found: String| Error::NotADump { path: image.path().to_owned(), found };
        let (header, endian) = read_header(&image)
            .ok_or_else(|| not("a minidump that ends within its header".to_owned()))?;
        let version = header.version & 0xffff;
        if version != md::MINIDUMP_VERSION {
            return Err(not(format!(
                "a minidump of version {version:#x}; expected {:#x}",
                md::MINIDUMP_VERSION
            )));
        }
        let directory = read_directory(&image, &header, endian);
        if directory.is_empty() {
            return Err(not(
                "a minidump without a stream directory (cut off or damaged)".to_owned()
            ));
        }
        let mut by_kind = BTreeMap::new();
        for entry in &directory {
            by_kind.entry(entry.stream_type).or_insert(entry.location);
        }
        Ok(Self { image, endian, header, directory, by_kind })
    }

    pub(crate) const fn image(&self) -> &Image {
        &self.image
    }

    pub(crate) const fn header(&self) -> &md::MINIDUMP_HEADER {
        &self.header
    }

    pub(crate) const fn endian(&self) -> Endian {
        self.endian
    }

    pub(crate) fn directory(&self) -> &[md::MINIDUMP_DIRECTORY] {
        &self.directory
    }

    /// The first stream of this type, like debuggers; a stream that the file cuts off is returned
    /// as far as it goes.
    pub(crate) fn get(&self, kind: StreamKind) -> Result<&[u8], Gap> {
        let location = self.by_kind.get(&kind.id).ok_or(Gap::Missing(kind))?;
        self.stream(*location).ok_or(Gap::Outside(kind))
    }

    /// All streams of this type in the order of the directory.
    pub(crate) fn all(&self, kind: StreamKind) -> impl Iterator<Item = &[u8]> {
        let entries = self.directory.iter().filter(move |entry| entry.stream_type == kind.id);
        entries.filter_map(|entry| self.stream(entry.location))
    }

    fn stream(&self, location: md::MINIDUMP_LOCATION_DESCRIPTOR) -> Option<&[u8]> {
        let start = usize::try_from(location.rva).ok().filter(|rva| *rva < self.image.len())?;
        let wanted = usize::try_from(location.data_size).unwrap_or(usize::MAX);
        self.image.get(start..start.saturating_add(wanted).min(self.image.len()))
    }

    /// Bytes of the file, if the file holds all of them.
    pub(crate) fn bytes(&self, location: md::MINIDUMP_LOCATION_DESCRIPTOR) -> Option<&[u8]> {
        self.range(location.rva.into(), location.data_size.into())
    }

    /// Bytes of the file, if the file holds all of them.
    pub(crate) fn range(&self, offset: u64, size: u64) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        let end = usize::try_from(offset.checked_add(size)?).ok()?;
        self.image.get(start..end)
    }

    /// A record at an offset of `bytes`.
    pub(crate) fn record<'a, T>(&self, bytes: &'a [u8], offset: usize) -> Option<T>
    where
        T: TryFromCtx<'a, Endian, [u8], Error = scroll::Error>,
    {
        bytes.pread_with(offset, self.endian).ok()
    }

    /// A list that begins with a 32-bit count, which some writers follow with padding.
    pub(crate) fn list<T: SizeWith<Endian>>(&self, kind: StreamKind) -> Result<List<'_, T>, Gap> {
        let stream = self.get(kind)?;
        let count: u32 = self.record(stream, 0).ok_or(Gap::Outside(kind))?;
        let stride = T::size_with(&self.endian);
        let plain = stride.checked_mul(count as usize).and_then(|n| n.checked_add(4));
        let padded = plain.and_then(|n| n.checked_add(4));
        let first = if padded == Some(stream.len()) { 8 } else { 4 };
        Ok(List::new(stream, first, stride, count.into(), self.endian))
    }

    /// A list whose header states its own size and that of an entry, which may have grown.
    pub(crate) fn wide_list<T: SizeWith<Endian>>(
        &self,
        kind: StreamKind,
        count_is_64: bool,
    ) -> Result<List<'_, T>, Gap> {
        let stream = self.get(kind)?;
        let header: u32 = self.record(stream, 0).ok_or(Gap::Outside(kind))?;
        let stride: u32 = self.record(stream, 4).ok_or(Gap::Outside(kind))?;
        let count = if count_is_64 {
            self.record::<u64>(stream, 8)
        } else {
            self.record::<u32>(stream, 8).map(u64::from)
        };
        let count = count.ok_or(Gap::Outside(kind))?;
        Ok(List::new(stream, header as usize, stride as usize, count, self.endian))
    }

    /// A reader of strings with a limit on their total size.
    pub(crate) const fn text(&self) -> Text<'_> {
        Text { streams: self, left: MAX_TEXT_BYTES }
    }
}

fn read_header(image: &Image) -> Option<(md::MINIDUMP_HEADER, Endian)> {
    let bytes = image.head(MAX_HEADER);
    let endian = match bytes.get(..4)? {
        b"PMDM" => Endian::Big,
        _ => Endian::Little,
    };
    Some((bytes.pread_with(0, endian).ok()?, endian))
}

fn read_directory(
    image: &Image,
    header: &md::MINIDUMP_HEADER,
    endian: Endian,
) -> Vec<md::MINIDUMP_DIRECTORY> {
    let most = (MAX_STREAMS as usize).saturating_mul(md::MINIDUMP_DIRECTORY::size_with(&endian));
    let bytes = image.view().part(header.stream_directory_rva as usize, most);
    let mut offset = 0;
    let mut directory = Vec::new();
    for _ in 0..header.stream_count.min(MAX_STREAMS) {
        match bytes.gread_with(&mut offset, endian) {
            Ok(entry) => directory.push(entry),
            Err(_) => break,
        }
    }
    directory
}

/// Consecutive records of one size, read on demand.
#[derive(Debug)]
pub(crate) struct List<'a, T> {
    bytes: &'a [u8],
    stride: usize,
    len: usize,
    missing: u64,
    endian: Endian,
    record: PhantomData<T>,
}

impl<'a, T: SizeWith<Endian>> List<'a, T> {
    pub(crate) fn new(
        stream: &'a [u8],
        first: usize,
        stride: usize,
        count: u64,
        endian: Endian,
    ) -> Self {
        let bytes = stream.get(first..).unwrap_or_default();
        let fits = if stride < T::size_with(&endian).max(1) { 0 } else { bytes.len() / stride };
        let len = usize::try_from(count).map_or(fits, |count| count.min(fits));
        let missing = count.saturating_sub(len as u64);
        Self { bytes, stride, len, missing, endian, record: PhantomData }
    }

    /// How many records there are.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// How many more the header states.
    pub(crate) const fn missing(&self) -> u64 {
        self.missing
    }

    /// The records in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + use<'a, T>
    where
        T: TryFromCtx<'a, Endian, [u8], Error = scroll::Error>,
    {
        let (bytes, endian) = (self.bytes, self.endian);
        let all = bytes.chunks_exact(self.stride.max(1)).take(self.len);
        all.filter_map(move |record| record.pread_with(0, endian).ok())
    }
}

/// Reads strings until their total size exceeds a limit; further strings are unreadable.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    streams: &'a Streams,
    left: usize,
}

impl<'a> Text<'a> {
    /// The UTF-16 string behind a 32-bit length in bytes; offset 0 means that there is none.
    pub(crate) fn utf16(&mut self, offset: u64) -> Cell<String> {
        if offset == 0 {
            return Err(Absent::NotInDump);
        }
        let bytes = self.bytes(offset).ok_or(Absent::Unreadable)?;
        self.spend(bytes.len())?;
        Ok(utf16(bytes, self.streams.endian))
    }

    /// Counts bytes against the limit.
    pub(crate) fn spend(&mut self, bytes: usize) -> Cell<()> {
        let left = self.left.checked_sub(bytes);
        self.left = left.unwrap_or(0);
        left.map(|_| ()).ok_or(Absent::Unreadable)
    }

    fn bytes(&self, offset: u64) -> Option<&'a [u8]> {
        let length = self.streams.range(offset, 4)?;
        let length: u32 = self.streams.record(length, 0)?;
        let length = (length as usize <= MAX_STRING_BYTES).then_some(u64::from(length))?;
        self.streams.range(offset.checked_add(4)?, length)
    }
}

/// Decodes UTF-16 up to the first null; unpaired surrogates become U+FFFD.
pub(crate) fn utf16(bytes: &[u8], endian: Endian) -> String {
    let units = bytes.chunks_exact(2).map(|unit| match (unit, endian) {
        (&[low, high], Endian::Little) | (&[high, low], Endian::Big) => {
            u16::from_be_bytes([high, low])
        }
        _ => 0,
    });
    let mut text = String::with_capacity(bytes.len() / 2);
    let chars = char::decode_utf16(units.take_while(|&unit| unit != 0));
    text.extend(chars.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
    text
}
