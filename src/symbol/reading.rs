//! Layouts from files, compressed or not, and from the archives of the program.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use liblzma::read::XzDecoder;
use liblzma::stream::Stream;

use super::error::Error;
use super::layout::Layout;
use super::pack::{self, Pack};
use super::pdb::PdbFile;

/// Upper limit on the text of a layout; usual ones are below 20 MB.
const MAX_TEXT: u64 = 256 << 20;
/// Upper limit on the memory for decompression.
const MAX_UNPACK: u64 = 128 << 20;
/// How much of a file is read to determine its architecture.
pub(super) const MAX_PEEK: u64 = 256 << 10;
const XZ: &[u8] = b"\xfd7zXZ\0";
const MSF: &[u8] = b"Microsoft C/C++ MSF";

/// A built-in layout, decompressed on first use: dumps of the same kernel share it.
pub(super) fn built_in(
    version: [u16; 4],
    service_pack: u8,
    arch: &str,
) -> Result<Arc<Layout>, Error> {
    type Unpacked = BTreeMap<([u16; 4], u8, &'static str), Arc<Layout>>;
    static UNPACKED: Mutex<Unpacked> = Mutex::new(Unpacked::new());
    let bad = || Error::NotALayout {
        path: "built-in layout".to_owned(),
        found: "a layout that cannot be unpacked".to_owned(),
    };
    let is_it = |pack: &&Pack| {
        (pack.version, pack.service_pack, pack.arch) == (version, service_pack, arch)
    };
    let pack = pack::all().iter().find(is_it).ok_or_else(bad)?;
    let key = (pack.version, pack.service_pack, pack.arch);
    // Concurrent callers wait instead of decompressing it too.
    let mut unpacked = UNPACKED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(layout) = unpacked.get(&key) {
        return Ok(Arc::clone(layout));
    }
    let layout = Arc::new(Layout::of_pack(pack).ok_or_else(bad)?);
    unpacked.insert(key, Arc::clone(&layout));
    Ok(layout)
}

/// The text of a file, decompressed if necessary.
pub(super) fn open(path: &Path) -> std::io::Result<Box<dyn Read>> {
    let mut file = BufReader::new(File::open(path)?);
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(XZ.len() as u64).read_to_end(&mut start)?;
    let is_packed = start == XZ;
    let whole = Cursor::new(start).chain(file);
    if !is_packed {
        return Ok(Box::new(whole));
    }
    let stream = Stream::new_stream_decoder(MAX_UNPACK, 0)?;
    Ok(Box::new(XzDecoder::new_stream(BufReader::new(whole), stream)))
}

/// Whether a file has the signature of a PDB.
fn is_pdb(path: &Path) -> bool {
    let mut start = Vec::new();
    let file = File::open(path);
    let read = file.and_then(|file| file.take(MSF.len() as u64).read_to_end(&mut start));
    read.is_ok() && start == MSF
}

pub(super) fn read_file(path: &Path) -> Result<Layout, Error> {
    let name = || path.display().to_string();
    let bad = |found: String| Error::NotALayout { path: name(), found };
    if is_pdb(path) {
        return PdbFile::open(path).map(|file| Layout::from_pdb(Arc::new(file)));
    }
    let file = open(path).map_err(|source| Error::Io { path: name(), source })?;
    let mut text = String::new();
    let expected = "expected a layout in Volatility's symbol format or nt-layout-1";
    file.take(MAX_TEXT).read_to_string(&mut text).map_err(|error| {
        bad(format!("a file that cannot be read as text ({error}); {expected}"))
    })?;
    Layout::parse(text).map_err(|found| bad(format!("{found}; {expected}")))
}
