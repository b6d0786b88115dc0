//! The header of a 7z archive. Every count is limited by the number of remaining bytes, because
//! each counted item takes at least one byte.

use super::Stop;
use crate::dump::bytes::{slice_at, u32_at, u64_at};

/// Upper limit on the size of a header.
const MAX_HEADER: u64 = 64 << 20;
/// Upper limit on nested compression of the header.
const MAX_PACKED: usize = 4;

const END: u64 = 0;
const HEADER: u64 = 1;
const ARCHIVE_PROPERTIES: u64 = 2;
const ADDITIONAL_STREAMS: u64 = 3;
const MAIN_STREAMS: u64 = 4;
const FILES: u64 = 5;
const PACK_INFO: u64 = 6;
const UNPACK_INFO: u64 = 7;
const SUB_STREAMS: u64 = 8;
const SIZE: u64 = 9;
const CRC: u64 = 10;
const FOLDER: u64 = 11;
const UNPACK_SIZE: u64 = 12;
const STREAM_COUNT: u64 = 13;
const EMPTY_STREAM: u64 = 14;
const NAMES: u64 = 17;
const ENCODED_HEADER: u64 = 23;

/// A coder: one step of the compression of a folder.
#[derive(Debug, Default)]
pub(super) struct Coder {
    pub(super) id: Vec<u8>,
    /// The numbers of input and output streams.
    pub(super) streams: (u64, u64),
    pub(super) properties: Vec<u8>,
}

/// A folder: members that are compressed together.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) coders: Vec<Coder>,
    /// Bound pairs: an input stream and the output stream that feeds it.
    pub(super) bound: Vec<(u64, u64)>,
    /// Sizes of the compressed streams.
    pub(super) packed: Vec<u64>,
    /// Size and checksum of each member.
    pub(super) parts: Vec<(u64, Option<u32>)>,
    /// Size and checksum of the decompressed folder.
    whole: (u64, Option<u32>),
}

/// The contents of an archive header.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// Offset of the compressed streams.
    pub(super) packed_at: u64,
    /// Their sizes.
    pub(super) packed: Vec<u64>,
    pub(super) folders: Vec<Folder>,
    /// The names of the members that are not empty.
    pub(super) names: Vec<String>,
}

/// Reads the header.
pub(super) fn read(image: &[u8]) -> Result<Header, Stop> {
    let stop = |why: &str| Stop::Archive(why.to_owned());
    let cut = || stop("that is cut off, or the first part of an archive of several volumes");
    let (offset, size) = u64_at(image, 12).zip(u64_at(image, 20)).ok_or_else(cut)?;
    if size > MAX_HEADER {
        return Err(stop("whose header is too large"));
    }
    let at = offset.checked_add(super::START).ok_or_else(cut)?;
    let mut bytes = slice_at(image, at, size).ok_or_else(cut)?.to_vec();
    let mut crc = flate2::Crc::new();
    crc.update(&bytes);
    if u32_at(image, 28) != Some(crc.sum()) {
        return Err(stop("whose header is damaged"));
    }
    if bytes.is_empty() {
        return Ok(Header::default());
    }
    for _ in 0..MAX_PACKED {
        let mut from = Bytes(&bytes);
        let mut header = Header::default();
        match from.number() {
            Some(ENCODED_HEADER) => {
                streams(&mut from, &mut header).ok_or_else(|| stop("whose header is damaged"))?;
                bytes = super::unpacked(image, &header, MAX_HEADER)?;
            }
            Some(HEADER) => {
                list(&mut from, &mut header).ok_or_else(|| stop("whose header is damaged"))?;
                return Ok(header);
            }
            _ => break,
        }
    }
    Err(stop("whose header is of an unknown kind"))
}

/// The bytes that were not read yet.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn take(&mut self, count: u64) -> Option<&'b [u8]> {
        let (now, rest) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = rest;
        Some(now)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A variable-length number: the leading ones of its first byte give the number of bytes that
    /// follow.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let more = first.leading_ones();
        let low = self.take(more.into())?;
        let low = low.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        let high = u64::from(first) & (0x7fu64.checked_shr(more).unwrap_or(0));
        Some(high.checked_shl(more.checked_mul(8)?).unwrap_or(0) | low)
    }

    /// A count of items, each of which takes at least one byte.
    fn count(&mut self) -> Option<u64> {
        self.number().filter(|count| *count <= self.0.len() as u64)
    }

    fn numbers(&mut self, count: u64) -> Option<Vec<u64>> {
        (0..count).map(|_| self.number()).collect()
    }

    /// This many bits, from the highest bit of each byte down.
    fn bits(&mut self, count: usize) -> Option<Vec<bool>> {
        let bytes = self.take(count.div_ceil(8) as u64)?;
        let bits = bytes
            .iter()
            .flat_map(|byte| [0x80, 0x40, 0x20, 0x10, 8, 4, 2, 1].map(|bit| byte & bit != 0));
        Some(bits.take(count).collect())
    }

    /// Checksums, some of which may be missing.
    fn checksums(&mut self, count: usize) -> Option<Vec<Option<u32>>> {
        let has = if self.byte()? == 0 { self.bits(count)? } else { vec![true; count] };
        has.into_iter()
            .map(|has| if has { Some(Some(u32_at(self.take(4)?, 0)?)) } else { Some(None) })
            .collect()
    }

    fn is(&mut self, wanted: u64) -> Option<()> {
        (self.number()? == wanted).then_some(())
    }
}

fn list(from: &mut Bytes<'_>, header: &mut Header) -> Option<()> {
    loop {
        match from.number()? {
            END => return Some(()),
            ARCHIVE_PROPERTIES => {
                while from.number()? != END {
                    let size = from.number()?;
                    from.take(size)?;
                }
            }
            ADDITIONAL_STREAMS => streams(from, &mut Header::default())?,
            MAIN_STREAMS => streams(from, header)?,
            FILES => files(from, header)?,
            _ => return None,
        }
    }
}

fn streams(from: &mut Bytes<'_>, header: &mut Header) -> Option<()> {
    let mut are_parts_known = false;
    loop {
        match from.number()? {
            END => break,
            PACK_INFO => packed(from, header)?,
            UNPACK_INFO => folders(from, header)?,
            SUB_STREAMS => {
                parts(from, header)?;
                are_parts_known = true;
            }
            _ => return None,
        }
    }
    if !are_parts_known {
        for folder in &mut header.folders {
            folder.parts = vec![folder.whole];
        }
    }
    Some(())
}

fn packed(from: &mut Bytes<'_>, header: &mut Header) -> Option<()> {
    header.packed_at = from.number()?;
    let count = from.count()?;
    loop {
        match from.number()? {
            END => return Some(()),
            SIZE => header.packed = from.numbers(count)?,
            CRC => {
                from.checksums(usize::try_from(count).ok()?)?;
            }
            _ => return None,
        }
    }
}

fn folders(from: &mut Bytes<'_>, header: &mut Header) -> Option<()> {
    from.is(FOLDER)?;
    let count = from.count()?;
    if from.byte()? != 0 {
        return None;
    }
    let mut sizes = header.packed.iter().copied();
    for _ in 0..count {
        let mut folder = folder(from)?;
        let streams = folder.packed.len();
        folder.packed = sizes.by_ref().take(streams).collect();
        header.folders.push(folder);
    }
    from.is(UNPACK_SIZE)?;
    for folder in &mut header.folders {
        let outputs =
            folder.coders.iter().try_fold(0u64, |sum, coder| sum.checked_add(coder.streams.1))?;
        let sizes = from.numbers(outputs.min(from.0.len() as u64))?;
        // The output of the folder is the stream that is bound to no input.
        let is_bound = |at: &u64| folder.bound.iter().any(|(_, output)| output == at);
        let last = (0..outputs).find(|at| !is_bound(at))?;
        folder.whole.0 = *sizes.get(usize::try_from(last).ok()?)?;
    }
    loop {
        match from.number()? {
            END => return Some(()),
            CRC => {
                let all = from.checksums(header.folders.len())?;
                for (folder, crc) in header.folders.iter_mut().zip(all) {
                    folder.whole.1 = crc;
                }
            }
            _ => return None,
        }
    }
}

fn folder(from: &mut Bytes<'_>) -> Option<Folder> {
    let mut folder = Folder::default();
    let count = from.count().filter(|count| (1..=32).contains(count))?;
    for _ in 0..count {
        let flags = from.byte()?;
        let id = from.take(u64::from(flags & 0xf))?.to_vec();
        let streams = if flags & 0x10 == 0 { (1, 1) } else { (from.count()?, from.count()?) };
        let size = if flags & 0x20 == 0 { 0 } else { from.count()? };
        let properties = from.take(size)?.to_vec();
        if flags & 0x80 != 0 || streams.0 > 32 || streams.1 > 32 {
            return None;
        }
        folder.coders.push(Coder { id, streams, properties });
    }
    let sum = |which: fn(&Coder) -> u64| folder.coders.iter().map(which).sum::<u64>();
    let (inputs, outputs) = (sum(|coder| coder.streams.0), sum(|coder| coder.streams.1));
    let bound = outputs.checked_sub(1)?;
    let packed = inputs.checked_sub(bound)?;
    for _ in 0..bound {
        folder.bound.push((from.number()?, from.number()?));
    }
    if packed > 1 {
        from.numbers(packed)?;
    }
    folder.packed = vec![0; usize::try_from(packed).ok()?];
    Some(folder)
}

fn parts(from: &mut Bytes<'_>, header: &mut Header) -> Option<()> {
    let mut next = from.number()?;
    let mut counts = vec![1u64; header.folders.len()];
    if next == STREAM_COUNT {
        for count in &mut counts {
            *count = from.count()?;
        }
        next = from.number()?;
    }
    let has_sizes = next == SIZE;
    for (folder, count) in header.folders.iter_mut().zip(&counts) {
        let mut left = folder.whole.0;
        for index in 0..*count {
            let is_last = index.checked_add(1) == Some(*count);
            let size = if is_last {
                left
            } else if has_sizes {
                from.number()?
            } else {
                return None;
            };
            left = left.checked_sub(size)?;
            folder.parts.push((size, None));
        }
        if let [part] = folder.parts.as_mut_slice() {
            part.1 = folder.whole.1;
        }
    }
    if has_sizes {
        next = from.number()?;
    }
    loop {
        match next {
            END => return Some(()),
            CRC => {
                let parts = header.folders.iter_mut().flat_map(|folder| &mut folder.parts);
                let mut missing: Vec<_> = parts.filter(|part| part.1.is_none()).collect();
                let all = from.checksums(missing.len())?;
                for (part, crc) in missing.iter_mut().zip(all) {
                    part.1 = crc;
                }
            }
            _ => return None,
        }
        next = from.number()?;
    }
}

fn files(from: &mut Bytes<'_>, header: &mut Header) -> Option<()> {
    let count = usize::try_from(from.count()?).ok()?;
    let mut names = Vec::new();
    let mut empty = vec![false; count];
    loop {
        let kind = from.number()?;
        if kind == END {
            break;
        }
        let size = from.number()?;
        let mut property = Bytes(from.take(size)?);
        match kind {
            EMPTY_STREAM => empty = property.bits(count)?,
            NAMES => {
                if property.byte()? != 0 {
                    return None;
                }
                names = texts(property.0, count);
            }
            _ => {}
        }
    }
    names.resize(count, String::new());
    let each = names.into_iter().zip(empty);
    header.names = each.filter(|(_, is_empty)| !is_empty).map(|(name, _)| name).collect();
    Some(())
}

/// Null-terminated UTF-16 texts.
fn texts(bytes: &[u8], count: usize) -> Vec<String> {
    let units: Vec<u16> =
        bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    units.split(|unit| *unit == 0).take(count).map(String::from_utf16_lossy).collect()
}
