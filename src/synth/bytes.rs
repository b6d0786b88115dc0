//! A buffer that is written by offset and grows as needed.

/// The bytes of a file or of a structure that is being built, little-endian.
#[derive(Debug, Default, Clone)]
pub(super) struct Bytes(Vec<u8>);

impl Bytes {
    /// `len` bytes of zero.
    pub(super) fn zeroed(len: usize) -> Self {
        Self(vec![0; len])
    }

    /// `len` bytes of the text that Windows fills unused parts of dump headers with.
    pub(super) fn filler(len: usize) -> Self {
        Self(b"PAGE".iter().copied().cycle().take(len).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Writes at an offset.
    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if self.0.len() < end {
            self.0.resize(end, 0);
        }
        self.0[at..end].copy_from_slice(bytes);
    }

    pub(super) fn u16(&mut self, at: usize, value: u16) {
        self.put(at, &value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, at: usize, value: u64) {
        self.put(at, &value.to_le_bytes());
    }

    /// Writes the low `width` bytes of a value.
    pub(super) fn uint(&mut self, at: usize, value: u64, width: usize) {
        let bytes = value.to_le_bytes();
        self.put(at, bytes.get(..width).unwrap_or(&bytes));
    }

    /// Appends at the next multiple of `align` and returns the offset.
    pub(super) fn append(&mut self, bytes: &[u8], align: usize) -> usize {
        let at = self.0.len().next_multiple_of(align);
        self.put(at, bytes);
        at
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

/// Text as UTF-16.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The low 32 bits; truncation is intended.
pub(super) const fn low32(value: u64) -> u32 {
    (value & 0xffff_ffff) as u32
}

/// A length or an offset in a file that is far smaller than 4 GB.
pub(super) fn len32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
