//! 7z archives: members one after another in compressed folders, and a header at the end of the
//! file that lists them. The decoders are those of liblzma.

use std::io::{self, Read};

use flate2::Crc;
use liblzma::read::XzDecoder;
use liblzma::stream::{Filters, Stream};

use super::take::{Stop, Taker};
use crate::dump::Image;
use crate::dump::archive::seven::header::{Coder, Folder, Header};
use crate::dump::bytes::{slice_at, u32_at};

mod header;

/// Offsets of compressed data are relative to the end of the start header.
const START: u64 = 32;
/// Upper limit on an LZMA dictionary, in bytes.
const MAX_DICTIONARY: u64 = 1 << 30;

const ENCRYPTED: &[u8] = &[6, 0xf1, 7, 1];

/// Takes the members in the order in which they are stored.
pub(super) fn members(image: &Image, taker: &mut Taker<'_>) -> Result<(), Stop> {
    let file = image.whole();
    let header = header::read(file)?;
    let mut names = header.names.iter();
    let mut streams = 0usize;
    for folder in &header.folders {
        let packed = packed(file, folder, &header, streams);
        streams = streams.saturating_add(folder.packed.len());
        let names: Vec<&String> = names.by_ref().take(folder.parts.len()).collect();
        let mut from = match packed.and_then(|packed| decoder(packed, folder)) {
            Ok(from) => from,
            Err(why) => {
                for name in names {
                    taker.refuse(name, &format!("a member {why}"));
                }
                continue;
            }
        };
        let size = folder.packed.iter().fold(0u64, |sum, size| sum.saturating_add(*size));
        for (name, (bytes, crc)) in names.into_iter().zip(&folder.parts) {
            taker.see()?;
            let mut part = Part::new(&mut *from, *bytes, *crc);
            taker.take(name, size, &mut part)?;
            match taker.skip(name, &mut part) {
                Err(Stop::Archive(_)) => break,
                skipped => skipped?,
            }
            if part.left != 0 {
                break;
            }
        }
    }
    Ok(())
}

/// The compressed bytes of a folder; `first` is the index of its first stream.
fn packed<'i>(
    image: &'i [u8],
    folder: &Folder,
    header: &Header,
    first: usize,
) -> Result<&'i [u8], String> {
    let before = header.packed.get(..first).unwrap_or_default();
    let offset = before.iter().try_fold(header.packed_at, |at, size| at.checked_add(*size));
    let size = folder.packed.first().copied();
    let bytes = offset
        .and_then(|offset| offset.checked_add(START))
        .zip(size)
        .and_then(|(offset, size)| slice_at(image, offset, size));
    bytes.ok_or_else(|| "beyond the end of the archive".to_owned())
}

/// The decoder of a folder.
fn decoder<'i>(packed: &'i [u8], folder: &Folder) -> Result<Box<dyn Read + 'i>, String> {
    let chain = folder.chain().ok_or("that is packed in several streams, which is not read")?;
    if chain.iter().any(|coder| coder.id == ENCRYPTED) {
        return Err("that is encrypted, which is not read; 7-Zip asks for its password".to_owned());
    }
    let damaged = |_| "whose compression properties are invalid".to_owned();
    let mut filters = Filters::new();
    let mut is_copy = false;
    // liblzma expects the compression itself last.
    for (index, coder) in chain.iter().enumerate().rev() {
        let properties = coder.properties.as_slice();
        match coder.id.as_slice() {
            [0] if chain.len() == 1 => is_copy = true,
            [0x21] if index == 0 => {
                bounded(dictionary2(properties))?;
                filters.lzma2_properties(properties).map_err(damaged)?;
            }
            // LZMA1 without an end marker cannot be combined with a filter, which would hold back
            // the last bytes.
            [3, 1, 1] if index == 0 && chain.len() == 1 => {
                bounded(u32_at(properties, 1).map(u64::from))?;
                filters.lzma1_properties(properties).map_err(damaged)?;
            }
            [3] if index != 0 => {
                filters.delta_properties(properties).map_err(damaged)?;
            }
            [3, 3, 1, 3] | [4] if index != 0 => {
                filters.x86();
            }
            [0xa] if index != 0 => {
                filters.arm64();
            }
            id => return Err(unknown(id)),
        }
    }
    if is_copy {
        return Ok(Box::new(packed));
    }
    let stream = Stream::new_raw_decoder(&filters).map_err(damaged)?;
    Ok(Box::new(XzDecoder::new_stream(packed, stream)))
}

fn unknown(id: &[u8]) -> String {
    let name = match id {
        [3, 4, 1] => "PPMd".to_owned(),
        [4, 1, 8] => "Deflate".to_owned(),
        [4, 1, 9] => "Deflate64".to_owned(),
        [4, 2, 2] => "BZip2".to_owned(),
        [3, 3, 1, 0x1b] => "BCJ2".to_owned(),
        id => format!("method {id:02x?}"),
    };
    format!("that is packed by {name}, which is not read; 7-Zip unpacks it")
}

/// The dictionary size in the LZMA2 properties.
fn dictionary2(properties: &[u8]) -> Option<u64> {
    let [bits] = properties else { return None };
    let base = 2 | u64::from(bits & 1);
    (*bits <= 40).then(|| base.checked_shl(u32::from(bits >> 1).saturating_add(11))).flatten()
}

fn bounded(dictionary: Option<u64>) -> Result<(), String> {
    match dictionary {
        Some(bytes) if bytes <= MAX_DICTIONARY => Ok(()),
        Some(bytes) => Err(format!("whose dictionary of {bytes} bytes is too large")),
        None => Err("whose compression properties are invalid".to_owned()),
    }
}

/// A member within a folder. Its checksum is verified at its end.
struct Part<'a> {
    from: &'a mut dyn Read,
    left: u64,
    crc: Crc,
    wanted: Option<u32>,
}

impl<'a> Part<'a> {
    fn new(from: &'a mut dyn Read, bytes: u64, wanted: Option<u32>) -> Self {
        Self { from, left: bytes, crc: Crc::new(), wanted }
    }
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..most).filter(|buffer| !buffer.is_empty()) else {
            let is_right = self.left != 0 || self.wanted.is_none_or(|crc| crc == self.crc.sum());
            return if is_right { Ok(0) } else { Err(io::Error::other("wrong checksum")) };
        };
        let len = self.from.read(buffer)?;
        if len == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.crc.update(buffer.get(..len).unwrap_or_default());
        self.left = self.left.saturating_sub(len as u64);
        Ok(len)
    }
}

/// Decompresses a header.
fn unpacked(image: &[u8], header: &Header, most: u64) -> Result<Vec<u8>, Stop> {
    let folder = header.folders.first();
    let folder = folder.ok_or_else(|| Stop::Archive("with an empty header".to_owned()))?;
    let refused = |why: String| Stop::Archive(format!("with a header {why}"));
    let packed = packed(image, folder, header, 0).map_err(refused)?;
    let from = decoder(packed, folder).map_err(refused)?;
    let mut bytes = Vec::new();
    from.take(folder.size().min(most)).read_to_end(&mut bytes)?;
    let mut crc = Crc::new();
    crc.update(&bytes);
    match folder.parts.first() {
        Some((size, wanted))
            if *size == bytes.len() as u64 && wanted.is_none_or(|wanted| wanted == crc.sum()) =>
        {
            Ok(bytes)
        }
        _ => Err(refused("that is damaged".to_owned())),
    }
}

impl Folder {
    /// The coders in the order of decoding; `None` if they do not form a single chain.
    fn chain(&self) -> Option<Vec<&Coder>> {
        if self.packed.len() != 1 || self.coders.iter().any(|coder| coder.streams != (1, 1)) {
            return None;
        }
        let is_bound = |at: &u64| self.bound.iter().any(|(input, _)| input == at);
        let mut at = (0..self.coders.len() as u64).find(|at| !is_bound(at))?;
        let mut chain = Vec::new();
        for _ in 0..self.coders.len() {
            chain.push(self.coders.get(usize::try_from(at).ok()?)?);
            match self.bound.iter().find(|(_, output)| *output == at) {
                Some((input, _)) => at = *input,
                None => break,
            }
        }
        (chain.len() == self.coders.len()).then_some(chain)
    }

    /// The decompressed size of the folder.
    fn size(&self) -> u64 {
        self.parts.iter().fold(0u64, |sum, (bytes, _)| sum.saturating_add(*bytes))
    }
}
