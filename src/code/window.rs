//! Reads code through a closure, a buffer at a time.

/// Fills the start of the buffer with code from an address on, and returns the number of bytes.
pub type Fetch<'a> = &'a dyn Fn(u64, &mut [u8]) -> usize;

/// How many bytes are fetched at a time.
const STRETCH: usize = 512;

/// The code that was fetched last.
pub struct Window<'a> {
    fetch: Fetch<'a>,
    start: u64,
    held: Vec<u8>,
}

impl std::fmt::Debug for Window<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Window").field("start", &self.start).finish_non_exhaustive()
    }
}

impl<'a> Window<'a> {
    /// An empty window.
    pub const fn new(fetch: Fetch<'a>) -> Self {
        Self { fetch, start: 0, held: Vec::new() }
    }

    /// The bytes of one instruction at an address, or fewer where the code ends.
    pub fn at(&mut self, address: u64) -> &[u8] {
        let offset = self.offset(address);
        if offset.is_none_or(|offset| self.held.len() - offset < super::LONGEST) {
            self.held.resize(STRETCH, 0);
            let count = (self.fetch)(address, &mut self.held);
            self.held.truncate(count);
            self.start = address;
        }
        let offset = self.offset(address).unwrap_or(self.held.len());
        let rest = self.held.get(offset..).unwrap_or_default();
        rest.get(..super::LONGEST).unwrap_or(rest)
    }

    fn offset(&self, address: u64) -> Option<usize> {
        let offset = usize::try_from(address.checked_sub(self.start)?).ok()?;
        (offset < self.held.len()).then_some(offset)
    }
}
