//! XPRESS, the compression of hibernation files: plain LZ77, and LZ77 with Huffman codes, as
//! specified in [MS-XCA]. Both return exactly the requested number of bytes, or nothing.

use super::bytes::{slice, u16_at, u32_at};

/// The size of the code lengths before each block: 512 symbols of four bits.
const TABLE: usize = 256;
/// Every block decodes to this many bytes, except the last, which may be shorter.
const BLOCK: usize = 1 << 16;
/// The length of the longest code, in bits.
const MAX_BITS: usize = 15;

/// The bytes decompressed so far, and their final number.
struct Out {
    bytes: Vec<u8>,
    size: usize,
}

impl Out {
    fn new(size: usize) -> Self {
        Self { bytes: Vec::with_capacity(size), size }
    }

    const fn is_full(&self) -> bool {
        self.bytes.len() >= self.size
    }

    /// Repeats earlier output, up to the final size.
    fn repeat(&mut self, distance: usize, length: usize) -> Option<()> {
        let from = self.bytes.len().checked_sub(distance).filter(|_| distance != 0)?;
        let mut left = length.min(self.size.saturating_sub(self.bytes.len()));
        // If the copied range overlaps its own output, each step doubles the available range.
        while left != 0 {
            let part = left.min(self.bytes.len().checked_sub(from)?);
            self.bytes.extend_from_within(from..from.checked_add(part)?);
            left = left.saturating_sub(part);
        }
        Some(())
    }
}

/// Decompresses plain LZ77 to `size` bytes.
pub(super) fn plain(input: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut out = Out::new(size);
    let mut at = 0usize;
    // The position of the byte whose other half is the length of the next long match.
    let mut half = None;
    let (mut flags, mut left) = (0u32, 0u32);
    while !out.is_full() {
        if left == 0 {
            flags = u32_at(input, at)?;
            (at, left) = (at.checked_add(4)?, 32);
        }
        left = left.saturating_sub(1);
        if flags & 1u32.checked_shl(left)? == 0 {
            out.bytes.push(*input.get(at)?);
            at = at.checked_add(1)?;
            continue;
        }
        let pair = usize::from(u16_at(input, at)?);
        at = at.checked_add(2)?;
        let mut length = pair & 7;
        if length == 7 {
            length = if let Some(place) = half.take() {
                usize::from(*input.get(place)? >> 4)
            } else {
                half = Some(at);
                let low = usize::from(*input.get(at)? & 15);
                at = at.checked_add(1)?;
                low
            };
            if length == 15 {
                length = usize::from(*input.get(at)?);
                at = at.checked_add(1)?;
                if length == 255 {
                    let (long, next) = long_length(input, at)?;
                    at = next;
                    length = long.checked_sub(15 + 7)?;
                }
                length = length.checked_add(15)?;
            }
            length = length.checked_add(7)?;
        }
        out.repeat((pair >> 3).checked_add(1)?, length.checked_add(3)?)?;
    }
    Some(out.bytes)
}

/// A 16-bit length, or a 32-bit length if that is zero, and the position after it.
fn long_length(input: &[u8], at: usize) -> Option<(usize, usize)> {
    match u16_at(input, at)? {
        0 => {
            let at = at.checked_add(2)?;
            Some((usize::try_from(u32_at(input, at)?).ok()?, at.checked_add(4)?))
        }
        length => Some((usize::from(length), at.checked_add(2)?)),
    }
}

/// Decompresses LZ77 with Huffman codes to `size` bytes.
pub(super) fn huffman(input: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut out = Out::new(size);
    let mut bits = Bits { input, at: 0, next: 0, extra: 0 };
    while !out.is_full() {
        let codes = Codes::new(slice(input, bits.at, TABLE)?)?;
        bits.start(bits.at.checked_add(TABLE)?);
        let end = out.bytes.len().checked_add(BLOCK)?;
        while out.bytes.len() < end && !out.is_full() {
            let symbol = codes.next(&mut bits)?;
            if let Ok(byte) = u8::try_from(symbol) {
                out.bytes.push(byte);
                continue;
            }
            let symbol = usize::from(symbol).checked_sub(256)?;
            let mut length = symbol & 15;
            if length == 15 {
                length = usize::from(bits.byte()?);
                if length == 255 {
                    let (long, next) = long_length(input, bits.at)?;
                    bits.at = next;
                    length = long.checked_sub(15)?;
                }
                length = length.checked_add(15)?;
            }
            let distance = bits.distance(symbol >> 4)?;
            out.repeat(distance, length.checked_add(3)?)?;
        }
    }
    Some(out.bytes)
}

/// A stream of bits in 16-bit words, with whole bytes between the words.
struct Bits<'i> {
    input: &'i [u8],
    /// The position of the next word or byte.
    at: usize,
    /// The next 32 bits, from the highest bit down.
    next: u32,
    /// How many more than 16 of them are valid.
    extra: i32,
}

impl Bits<'_> {
    fn start(&mut self, at: usize) {
        self.at = at;
        let high = self.word();
        self.next = high << 16 | self.word();
        self.extra = 16;
    }

    /// The next word; zeros after the end of the input, because the last code may need no more
    /// bits.
    fn word(&mut self) -> u32 {
        let word = u16_at(self.input, self.at).map_or(0, u32::from);
        self.at = self.at.saturating_add(2);
        word
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.input.get(self.at)?;
        self.at = self.at.checked_add(1)?;
        Some(byte)
    }

    fn skip(&mut self, count: u32) -> Option<()> {
        self.next = self.next.checked_shl(count)?;
        self.extra = self.extra.checked_sub_unsigned(count)?;
        if self.extra < 0 {
            let word = self.word();
            self.next |= word.checked_shl(self.extra.unsigned_abs())?;
            self.extra = self.extra.checked_add(16)?;
        }
        // Two words after the end were needed, so the input is cut off.
        (self.at <= self.input.len().saturating_add(4)).then_some(())
    }

    /// A match distance, of which the `count` bits below the highest bit come next.
    fn distance(&mut self, count: usize) -> Option<usize> {
        let count = u32::try_from(count).ok()?;
        let rest = self.next.checked_shr(32u32.checked_sub(count)?).unwrap_or_default();
        self.skip(count)?;
        Some((1usize.checked_shl(count)?) | rest as usize)
    }
}

/// The codes of a block: symbol and code length, by the next 15 bits.
struct Codes(Vec<(u16, u8)>);

impl Codes {
    fn new(table: &[u8]) -> Option<Self> {
        let lengths = table.iter().flat_map(|pair| [pair & 15, pair >> 4]);
        let lengths: Vec<usize> = lengths.map(usize::from).collect();
        let mut codes = Vec::with_capacity(1 << MAX_BITS);
        for bits in 1..=MAX_BITS {
            let symbols = (0u16..).zip(&lengths).filter(|(_, length)| **length == bits);
            for (symbol, _) in symbols {
                let width = u32::try_from(MAX_BITS.checked_sub(bits)?).ok()?;
                let end = codes.len().checked_add(1usize.checked_shl(width)?)?;
                if end > 1 << MAX_BITS {
                    return None;
                }
                codes.resize(end, (symbol, u8::try_from(bits).ok()?));
            }
        }
        Some(Self(codes))
    }

    /// The next symbol; `None` if the bits are not a code.
    fn next(&self, bits: &mut Bits<'_>) -> Option<u16> {
        let (symbol, length) = *self.0.get((bits.next >> (32 - MAX_BITS)) as usize)?;
        bits.skip(length.into())?;
        Some(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pair =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(pair).collect()
    }

    /// A table of code lengths with these lengths.
    fn table(lengths: &[(std::ops::RangeInclusive<usize>, u8)]) -> Vec<u8> {
        let mut table = vec![0; TABLE];
        for (symbols, length) in lengths {
            for symbol in symbols.clone() {
                table[symbol / 2] |= length << (symbol % 2 * 4);
            }
        }
        table
    }

    /// The examples of [MS-XCA], 3.1 and 3.2.
    #[test]
    fn examples_of_the_specification() {
        let alphabet = b"abcdefghijklmnopqrstuvwxyz";
        let packed = [bytes("3f000000"), alphabet.to_vec()].concat();
        assert_eq!(plain(&packed, 26).unwrap(), alphabet);
        let packed = bytes("ffffff1f 61626317 000fff26 01");
        assert_eq!(plain(&packed, 300).unwrap(), b"abc".repeat(100));
        let lengths = [(97..=118, 5), (119..=122, 4), (256..=256, 4)];
        let codes = bytes("d8523ed7 94115be9 195ff9d6 7cdf8d04 00000000");
        let packed = [table(&lengths), codes].concat();
        assert_eq!(huffman(&packed, 26).unwrap(), alphabet);
        let lengths = [(97..=98, 3), (99..=99, 2), (256..=256, 2), (287..=287, 2)];
        let packed = [table(&lengths), bytes("a8dc0000 ff2601")].concat();
        assert_eq!(huffman(&packed, 300).unwrap(), b"abc".repeat(100));
    }

    /// Damaged input gives either nothing or exactly the requested number of bytes.
    #[test]
    fn damaged_input_gives_nothing_or_the_requested_size() {
        let text = b"abc".repeat(100);
        let sound = bytes("ffffff1f 61626317 000fff26 01").repeat(4);
        let mut state = 1u64;
        for round in 0..3000usize {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut packed = sound.clone();
            let at = usize::try_from(state >> 40).unwrap() % packed.len();
            packed[at] = state.to_le_bytes()[7];
            packed.truncate(sound.len() - round % 20);
            for unpack in [plain, huffman] {
                if let Some(out) = unpack(&packed, text.len()) {
                    assert_eq!(out.len(), text.len());
                }
            }
            let random: Vec<u8> = (0..600u32)
                .map(|i| (state >> (i % 50)).to_le_bytes()[0] ^ i.to_le_bytes()[0])
                .collect();
            let ours = huffman(&random, 2000);
            assert!(ours.is_none_or(|out| out.len() == 2000));
        }
    }
}
