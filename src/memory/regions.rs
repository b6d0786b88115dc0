//! Virtual memory that is stored in a file range by range.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Fault, Gva, View};

/// A range of addresses and where its bytes are in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// The first address.
    pub start: u64,
    /// The number of bytes, never 0.
    pub len: u64,
    /// The offset of the first byte in the file.
    pub offset: u64,
}

impl Region {
    /// The address after the last, or the last address of all.
    pub const fn end(&self) -> u64 {
        self.start.saturating_add(self.len)
    }
}

/// Regions in address order without overlaps.
///
/// They hold only offsets; reads take the file's bytes as argument.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regions {
    sorted: Vec<Region>,
    last: Last,
}

/// The region that was found last: stacks and structures are read word by word. It is where a
/// search begins and decides nothing.
#[derive(Debug, Default)]
struct Last(AtomicUsize);

impl Clone for Last {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Last {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Last {}

impl Regions {
    /// Sorts the regions. Where two overlap, the one that starts first keeps the range; of two that
    /// start together, the one that was given first.
    pub fn new(mut regions: Vec<Region>) -> Self {
        regions.sort_by_key(|region| region.start);
        let mut sorted: Vec<Region> = Vec::with_capacity(regions.len());
        for region in regions {
            let taken = sorted.last().map_or(0, Region::end);
            let cut = taken.saturating_sub(region.start);
            if cut >= region.len {
                continue;
            }
            sorted.push(Region {
                start: region.start.saturating_add(cut),
                len: region.len.saturating_sub(cut),
                offset: region.offset.saturating_add(cut),
            });
        }
        Self { sorted, last: Last::default() }
    }

    /// The regions that have bytes between `start` and `end`.
    pub fn within(&self, start: u64, end: u64) -> &[Region] {
        let first = self.sorted.partition_point(|region| region.end() <= start);
        let last = self.sorted.partition_point(|region| region.start < end);
        self.sorted.get(first..last).unwrap_or_default()
    }

    /// Fills the buffer from an address on, across adjacent regions.
    pub fn read<'f>(
        &self,
        file: impl Into<View<'f>>,
        at: Gva,
        buffer: &mut [u8],
    ) -> Result<(), Fault> {
        let file = file.into();
        let mut address = at.0;
        let mut rest = buffer;
        while !rest.is_empty() {
            let bytes = self.at(file, Gva(address))?;
            let count = bytes.len().min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            now.copy_from_slice(bytes.get(..count).unwrap_or_default());
            rest = later;
            if !rest.is_empty() {
                address = address.checked_add(count as u64).ok_or(Fault::Wraps(at))?;
            }
        }
        Ok(())
    }

    /// The bytes from an address up to the end of its region. Never empty.
    pub fn at<'a>(&self, file: impl Into<View<'a>>, address: Gva) -> Result<&'a [u8], Fault> {
        self.find(file.into(), address.0).ok_or(Fault::NotPresent(address))
    }

    /// The last region that starts at the address or before it.
    fn region(&self, address: u64) -> Option<&Region> {
        let last = self.sorted.get(self.last.0.load(Ordering::Relaxed));
        if let Some(region) = last.filter(|r| r.start <= address && address < r.end()) {
            return Some(region);
        }
        let next = self.sorted.partition_point(|region| region.start <= address);
        let at = next.checked_sub(1)?;
        self.last.0.store(at, Ordering::Relaxed);
        self.sorted.get(at)
    }

    fn find<'a>(&self, file: View<'a>, address: u64) -> Option<&'a [u8]> {
        let region = self.region(address)?;
        let skip = address.checked_sub(region.start)?;
        let start = usize::try_from(region.offset.checked_add(skip)?).ok()?;
        let len = usize::try_from(region.len.checked_sub(skip)?).ok()?;
        let end = start.checked_add(len)?.min(file.len());
        file.get(start..end).filter(|bytes| !bytes.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions(list: &[(u64, u64, u64)]) -> Regions {
        let region = |&(start, len, offset)| Region { start, len, offset };
        Regions::new(list.iter().map(region).collect())
    }

    fn read(regions: &Regions, at: u64, len: usize) -> Result<Vec<u8>, Fault> {
        let file: Vec<u8> = (0..=255).collect();
        let mut buffer = vec![0; len];
        regions.read(&file, Gva(at), &mut buffer).map(|()| buffer)
    }

    #[test]
    fn reads_cross_regions_that_touch() {
        let regions = regions(&[(0x1004, 4, 20), (0x1000, 4, 10), (0x1010, 4, 30)]);
        assert_eq!(read(&regions, 0x1002, 4), Ok(vec![12, 13, 20, 21]));
        assert_eq!(read(&regions, 0x1006, 4), Err(Fault::NotPresent(Gva(0x1008))));
        assert_eq!(read(&regions, 0xfff, 1), Err(Fault::NotPresent(Gva(0xfff))));
        assert_eq!(regions.within(0x1002, 0x1010).len(), 2);
    }

    #[test]
    fn the_earliest_of_overlapping_regions_wins() {
        let regions =
            regions(&[(0x1002, 6, 50), (0x1000, 4, 10), (0x1000, 2, 90), (0x1001, 2, 70)]);
        assert_eq!(read(&regions, 0x1000, 8), Ok(vec![10, 11, 12, 13, 52, 53, 54, 55]));
        assert_eq!(regions.within(0, u64::MAX).len(), 2);
    }

    #[test]
    fn reads_stop_at_the_ends_of_address_space_and_file() {
        let top = regions(&[(u64::MAX - 3, 4, 0)]);
        assert_eq!(read(&top, u64::MAX - 3, 3), Ok(vec![0, 1, 2]));
        assert_eq!(read(&top, u64::MAX - 3, 5), Err(Fault::Wraps(Gva(u64::MAX - 3))));
        let beyond = regions(&[(0, 8, 252), (0x100, 1, u64::MAX)]);
        assert_eq!(read(&beyond, 0, 4), Ok(vec![252, 253, 254, 255]));
        assert!(read(&beyond, 0, 5).is_err());
        assert!(read(&beyond, 0x100, 1).is_err());
        assert_eq!(read(&beyond, 0, 0), Ok(vec![]));
    }
}
