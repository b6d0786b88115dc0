//! Compressors for both kinds of XPRESS, after [MS-XCA], for tests of the decompressors. Matches are
//! those that a small table finds; all Huffman codes have nine bits. Decompressors by others prove
//! them.

use std::collections::HashMap;

/// Bits in words of 16 whose places are kept free in time.
struct Bits {
    out: Vec<u8>,
    /// Where the next two words go.
    places: [usize; 2],
    word: u32,
    free: u32,
}

impl Bits {
    fn new(out: Vec<u8>) -> Self {
        let mut bits = Self { out, places: [0; 2], word: 0, free: 16 };
        bits.places = [bits.keep(), bits.keep()];
        bits
    }

    fn keep(&mut self) -> usize {
        self.out.extend([0, 0]);
        self.out.len() - 2
    }

    fn write(&mut self, count: u32, value: u32) {
        for bit in (0..count).rev() {
            // A word that is full waits for the next bit, as its place decides that of bytes.
            if self.free == 0 {
                self.put();
            }
            self.word = self.word << 1 | (value >> bit & 1);
            self.free -= 1;
        }
    }

    fn put(&mut self) {
        let bytes = u16::try_from(self.word).unwrap().to_le_bytes();
        self.out[self.places[0]..self.places[0] + 2].copy_from_slice(&bytes);
        self.places[0] = self.places[1];
        self.places[1] = self.keep();
        (self.word, self.free) = (0, 16);
    }

    fn finish(mut self) -> Vec<u8> {
        self.word <<= self.free;
        let bytes = u16::try_from(self.word).unwrap().to_le_bytes();
        self.out[self.places[0]..self.places[0] + 2].copy_from_slice(&bytes);
        self.out
    }
}

/// The length of the match between two places, up to an end.
fn same(bytes: &[u8], from: usize, at: usize, end: usize) -> usize {
    let (ours, theirs) = (bytes[at..end].iter(), bytes[from..].iter());
    ours.zip(theirs).take_while(|(ours, theirs)| ours == theirs).count()
}

/// The latest place before `at` that begins with the same three bytes, and notes this one.
fn place(seen: &mut HashMap<[u8; 3], usize>, bytes: &[u8], at: usize) -> Option<usize> {
    seen.insert(bytes.get(at..at + 3)?.try_into().unwrap(), at)
}

/// Compresses at most 64 KB by plain LZ77.
pub(crate) fn plain(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 4];
    let (mut flags_at, mut flags, mut count) = (0, 0u32, 0);
    let mut half = None;
    let mut seen = HashMap::new();
    let mut at = 0;
    while at < bytes.len() {
        let from = place(&mut seen, bytes, at).filter(|from| at - from <= 0x2000);
        let length = from.map_or(0, |from| same(bytes, from, at, bytes.len()));
        flags = flags << 1 | u32::from(length >= 3);
        if let Some(from) = from.filter(|_| length >= 3) {
            let rest = length - 3;
            let pair = (at - from - 1) << 3 | rest.min(7);
            out.extend(u16::try_from(pair).unwrap().to_le_bytes());
            if rest >= 7 {
                let nibble = u8::try_from((rest - 7).min(15)).unwrap();
                if let Some(place) = half.take() {
                    let place: &mut u8 = &mut out[place];
                    *place |= nibble << 4;
                } else {
                    half = Some(out.len());
                    out.push(nibble);
                }
            }
            if rest >= 7 + 15 {
                out.push(u8::try_from((rest - 22).min(255)).unwrap());
            }
            if rest >= 7 + 15 + 255 {
                out.extend(u16::try_from(rest).unwrap().to_le_bytes());
            }
            at += length;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
        count += 1;
        if count == 32 {
            out[flags_at..flags_at + 4].copy_from_slice(&flags.to_le_bytes());
            (flags_at, flags, count) = (out.len(), 0, 0);
            out.extend([0; 4]);
        }
    }
    let flags = if count == 0 { 0 } else { flags << (32 - count) | (u32::MAX >> count) };
    out[flags_at..flags_at + 4].copy_from_slice(&flags.to_le_bytes());
    out
}

/// Compresses by LZ77 with Huffman codes.
pub(crate) fn huffman(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut seen: HashMap<[u8; 3], usize> = HashMap::new();
    for block in (0..bytes.len()).step_by(0x1_0000) {
        out.extend([0x99; 256]);
        let mut bits = Bits::new(out);
        let end = (block + 0x1_0000).min(bytes.len());
        let mut at = block;
        while at < end {
            let from = place(&mut seen, bytes, at).filter(|from| at - from < 0x8000);
            let found = from.map(|from| (from, same(bytes, from, at, end)));
            let Some((from, length)) = found.filter(|(_, length)| *length >= 3) else {
                bits.write(9, bytes[at].into());
                at += 1;
                continue;
            };
            let distance = u32::try_from(at - from).unwrap();
            let high = distance.ilog2();
            let rest = u32::try_from(length - 3).unwrap();
            bits.write(9, 256 + 16 * high + rest.min(15));
            if rest >= 15 {
                bits.out.push(u8::try_from((rest - 15).min(255)).unwrap());
            }
            if rest >= 15 + 255 {
                bits.out.extend(u16::try_from(rest).unwrap().to_le_bytes());
            }
            bits.write(high, distance - (1 << high));
            at += length;
        }
        out = bits.finish();
    }
    out
}

/// The compressors are right: decompressors by others read what they write.
#[test]
fn other_tools_decompress_what_the_tests_compress() {
    let text: Vec<u8> = (0..9000u32).flat_map(|i| (i * i / 7).to_le_bytes()).collect();
    let text = [text, vec![7; 20_000]].concat();
    // That decompressor leaves out what it has read ahead at the very end.
    let padded = [huffman(&text), vec![0; 8]].concat();
    assert_eq!(xpress_huffman::decompress(&padded, text.len()).unwrap(), text);
    let text = &text[..4000];
    let unpacked = lzxpress::data::decompress(&plain(text)).unwrap();
    assert_eq!(unpacked[..text.len()], *text);
}
