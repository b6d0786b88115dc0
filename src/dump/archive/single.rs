//! Formats that hold a single compressed file: gzip, zstd, xz.

use std::io::{BufReader, Read};

use flate2::read::MultiGzDecoder;
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

use super::Kind;
use super::take::{Stop, Taker, stem};
use crate::dump::Image;

/// Upper limit on the memory of a decoder, in bytes.
const MEMORY: u64 = 1 << 30;

/// Takes the file.
pub(super) fn member(image: &Image, kind: Kind, taker: &mut Taker<'_>) -> Result<(), Stop> {
    let (bytes, packed) = (image.whole(), image.len() as u64);
    taker.see()?;
    match kind {
        Kind::Gzip => {
            let mut decoder = MultiGzDecoder::new(bytes);
            let named = decoder.header().and_then(|header| header.filename());
            let named = named.filter(|name| !name.is_empty());
            let name = named
                .map_or_else(|| stem(image), |name| String::from_utf8_lossy(name).into_owned());
            taker.take(&name, packed, &mut decoder)
        }
        Kind::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(BufReader::new(bytes))?;
            taker.take(&stem(image), packed, &mut decoder)
        }
        _ => {
            let stream = Stream::new_stream_decoder(MEMORY, CONCATENATED);
            let stream = stream.map_err(std::io::Error::from)?;
            let mut decoder: Box<dyn Read> = Box::new(XzDecoder::new_stream(bytes, stream));
            taker.take(&stem(image), packed, &mut decoder)
        }
    }
}
