//! Edits of inputs: flipped bits, boundary values, pieces that are moved, duplicated, removed or
//! copied from another input, and words of the text formats.

/// `SplitMix64`: small, good enough, and the same everywhere.
pub(crate) struct Random(u64);

/// Texts that careless parsers get wrong.
const WORDS: [&str; 40] = [
    "",
    "0",
    "-1",
    "0x",
    "`",
    "ffffffffffffffff",
    "18446744073709551616",
    "-9223372036854775808",
    "1e308",
    "nan",
    "((((((((((((((((",
    "[",
    "]",
    ")",
    "'",
    "\"",
    "\"\"",
    ",",
    ";",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "é",
    "日本",
    "\u{1b}[31m",
    "=cmd|",
    "!",
    "!=",
    "::",
    "--",
    "/*",
    "*/",
    "kd> ",
    "0: kd> !process 0 0\n",
    "...",
    "  ",
];

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or_default()
    }

    /// An input of the corpus with a few edits.
    pub(crate) fn edited(&mut self, seeds: &[Vec<u8>], is_text: bool) -> Vec<u8> {
        let Some(seed) = seeds.get(self.below(seeds.len())) else { return Vec::new() };
        let mut input = seed.clone();
        let other = seeds.get(self.below(seeds.len())).map_or(&[][..], Vec::as_slice);
        if self.below(16) == 0 {
            let end = self.place(&input, is_text);
            input.truncate(end);
        }
        for _ in 0..=self.below(8) {
            self.edit(&mut input, other, is_text);
        }
        input
    }

    /// An offset. In binary formats, offsets in the header and offsets that numbers in the header
    /// point to are preferred.
    fn place(&mut self, input: &[u8], is_text: bool) -> usize {
        let any = self.below(input.len());
        if is_text {
            return any;
        }
        let at = match self.below(8) {
            0 => self.below(256),
            1 | 2 => self.below(0x1_0000),
            3 => any,
            _ => {
                let pointer = self.below(0x200) & !3;
                let word = input.get(pointer..).and_then(|bytes| bytes.first_chunk::<4>());
                let target = word.map_or(0, |word| u32::from_le_bytes(*word) as usize);
                target.saturating_add(self.below(0x100))
            }
        };
        at % input.len().max(1)
    }

    fn edit(&mut self, input: &mut Vec<u8>, other: &[u8], is_text: bool) {
        let at = self.place(input, is_text);
        match self.below(if is_text { 9 } else { 7 }) {
            0 => {
                let bit = 1 << self.below(8);
                input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bit);
            }
            1 | 2 if !is_text => {
                let value = self.extreme(input.len()).to_le_bytes();
                put(input, at & !3, &value);
            }
            3 if !is_text => {
                let value = u64::from(self.extreme(input.len())) << self.below(33);
                put(input, at & !7, &value.to_le_bytes());
            }
            1 | 4 => {
                // Copies a piece of another input over the contents.
                let from = self.below(other.len());
                let len = self.below(0x400);
                put(
                    input,
                    at,
                    other.get(from..).map_or(&[], |rest| rest.get(..len).unwrap_or(rest)),
                );
            }
            2 | 5 => {
                let len = self.below(0x100).min(input.len() - at.min(input.len()));
                let zero = if is_text { b' ' } else { 0 };
                input.iter_mut().skip(at).take(len).for_each(|byte| *byte = zero);
            }
            3 | 6 => {
                // Duplicates or removes a piece.
                let end = (at + self.below(0x80)).min(input.len());
                let piece: Vec<u8> = input.get(at..end).unwrap_or_default().to_vec();
                if self.below(2) == 0 && input.len() < 1 << 20 {
                    input.splice(end..end, piece);
                } else if end > at {
                    input.drain(at..end);
                }
            }
            7 => {
                let word = WORDS.get(self.below(WORDS.len())).copied().unwrap_or_default();
                let at = at.min(input.len());
                input.splice(at..at, word.bytes());
            }
            _ => {
                // Repeats a word.
                let word = WORDS.get(self.below(WORDS.len())).copied().unwrap_or_default();
                let many = word.repeat(self.below(200));
                let at = at.min(input.len());
                input.splice(at..at, many.into_bytes());
            }
        }
    }

    /// A number that causes errors in careless arithmetic.
    fn extreme(&mut self, len: usize) -> u32 {
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        match self.below(10) {
            0 => 0,
            1 => 1,
            2 => u32::MAX,
            3 => u32::MAX - 1,
            4 => 0x7fff_ffff,
            5 => 0x8000_0000,
            6 => len,
            7 => len.saturating_sub(1),
            8 => u32::try_from(self.below(0x1000)).unwrap_or_default(),
            _ => u32::try_from(self.next() >> 32).unwrap_or_default(),
        }
    }
}

/// Overwrites up to the end of the input.
fn put(input: &mut [u8], at: usize, new: &[u8]) {
    input.iter_mut().skip(at).zip(new).for_each(|(to, from)| *to = *from);
}
