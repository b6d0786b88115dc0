//! The build time of an image, from the time date stamp in its header, which may be a hash instead.

use crate::catalog::{Absent, Cell};

/// The year 1995. Images that still run are not older; some linkers write a fixed earlier time.
const FIRST: i64 = 788_918_400;
const SECOND: i64 = 1_000_000;

/// What is known about a time date stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// The debug directory says that the build is reproducible: the stamp is a hash.
    Hash,
    /// The debug directory does not mark the build as reproducible, or there is no other evidence
    /// against a time.
    Time,
    /// The debug directory is not in the dump, and other images of the same vendor have hashes.
    Unsure,
}

impl Stamp {
    /// From the debug directory (`None`: not in the dump), else from other images of the vendor.
    pub(super) fn new(
        is_reproducible: Option<bool>,
        has_hashing_maker: impl FnOnce() -> bool,
    ) -> Self {
        match is_reproducible {
            Some(true) => Self::Hash,
            None if has_hashing_maker() => Self::Unsure,
            Some(false) | None => Self::Time,
        }
    }
}

/// The time of a time date stamp (seconds since 1970) in microseconds since 1970. *Not applicable*
/// if the stamp is a hash or is later than the time of the dump (microseconds too), *not in dump*
/// if only the debug directory could decide.
pub(super) fn build_time(stamp: i64, kind: Stamp, dump_time: Option<i64>) -> Cell<i64> {
    let time = stamp.checked_mul(SECOND).filter(|_| stamp >= FIRST && kind != Stamp::Hash);
    let is_past = |time: &i64| dump_time.is_none_or(|dump| *time <= dump);
    let time = time.filter(is_past).ok_or(Absent::NotApplicable)?;
    if kind == Stamp::Unsure { Err(Absent::NotInDump) } else { Ok(time) }
}

/// Whether a vendor whose images have these stamps writes hashes: one of them cannot be a time.
pub(super) fn has_hash(stamps: impl IntoIterator<Item = i64>, dump_time: Option<i64>) -> bool {
    let cannot_be_a_time = |stamp: i64| build_time(stamp, Stamp::Time, dump_time).is_err();
    stamps.into_iter().any(|stamp| stamp != 0 && cannot_be_a_time(stamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: Option<i64> = Some(1_700_000_000 * SECOND);

    #[test]
    fn stamps_that_are_hashes_give_no_time() {
        let built = Ok(1_600_000_000 * SECOND);
        assert_eq!(build_time(1_600_000_000, Stamp::Time, DUMP), built);
        assert_eq!(build_time(1_600_000_000, Stamp::Time, None), built);
        for (stamp, kind) in [
            (0, Stamp::Time),
            (708_992_537, Stamp::Time),
            (1_800_000_000, Stamp::Time),
            (1_600_000_000, Stamp::Hash),
            (1_800_000_000, Stamp::Unsure),
        ] {
            assert_eq!(build_time(stamp, kind, DUMP), Err(Absent::NotApplicable), "{stamp}");
        }
        assert_eq!(build_time(1_600_000_000, Stamp::Unsure, DUMP), Err(Absent::NotInDump));
    }

    #[test]
    fn a_hash_makes_the_other_stamps_of_its_vendor_unsure() {
        assert!(!has_hash([1_500_000_000, 1_600_000_000, 0], DUMP));
        assert!(has_hash([1_500_000_000, 3_600_000_000], DUMP));
        assert_eq!(Stamp::new(None, || true), Stamp::Unsure);
        assert_eq!(Stamp::new(None, || false), Stamp::Time);
        assert_eq!(Stamp::new(Some(false), || true), Stamp::Time);
        assert_eq!(Stamp::new(Some(true), || false), Stamp::Hash);
    }
}
