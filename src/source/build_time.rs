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

/// For the first build of each range, the start of the year in which its kernel was first compiled,
/// in seconds since 1970.
const COMPILED: [(u32, i64); 12] = [
    (2195, 915_148_800),    // 1999, Windows 2000
    (2600, 978_307_200),    // 2001, Windows XP
    (3790, 1_041_379_200),  // 2003, Windows Server 2003
    (6000, 1_136_073_600),  // 2006, Windows Vista
    (7600, 1_230_768_000),  // 2009, Windows 7
    (9200, 1_325_376_000),  // 2012, Windows 8
    (9600, 1_356_998_400),  // 2013, Windows 8.1
    (10240, 1_420_070_400), // 2015, Windows 10
    (14393, 1_451_606_400), // 2016
    (17134, 1_514_764_800), // 2018
    (19041, 1_546_300_800), // 2019
    (22000, 1_609_459_200), // 2021, Windows 11
];

/// Whether a time date stamp is older than the build that its image was compiled for.
fn is_older_than_build(stamp: i64, build: u32) -> bool {
    let first = COMPILED.iter().rev().find(|(first, _)| *first <= build);
    first.is_some_and(|(_, year)| stamp < *year)
}

/// Whether a vendor stores hashes as time date stamps: at least one of these stamps cannot be a
/// time. Each stamp comes with the build that the image was compiled for, if it is known (for the
/// kernel and `ntdll`).
pub(super) fn has_hash(
    images: impl IntoIterator<Item = (i64, Option<u32>)>,
    dump_time: Option<i64>,
) -> bool {
    images.into_iter().any(|(stamp, build)| {
        let is_no_time = build_time(stamp, Stamp::Time, dump_time).is_err();
        stamp != 0 && (is_no_time || build.is_some_and(|build| is_older_than_build(stamp, build)))
    })
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
    fn a_stamp_older_than_the_build_of_its_image_is_a_hash() {
        let of = |stamp, build| has_hash([(stamp, Some(build))], DUMP);
        assert!(of(0x3520_aa1a, 19041), "1998");
        assert!(of(1_100_000_000, 7601), "2004");
        assert!(!of(1_575_000_000, 19041), "2019");
        assert!(!of(0x3520_aa1a, 1381) && !of(0, 19041));
        assert!(COMPILED.is_sorted());
    }

    #[test]
    fn a_hash_makes_the_other_stamps_of_its_vendor_unsure() {
        let of = |stamps: &[i64]| has_hash(stamps.iter().map(|stamp| (*stamp, None)), DUMP);
        assert!(!of(&[1_500_000_000, 1_600_000_000, 0]));
        assert!(of(&[1_500_000_000, 3_600_000_000]));
        assert_eq!(Stamp::new(None, || true), Stamp::Unsure);
        assert_eq!(Stamp::new(None, || false), Stamp::Time);
        assert_eq!(Stamp::new(Some(false), || true), Stamp::Time);
        assert_eq!(Stamp::new(Some(true), || false), Stamp::Hash);
    }
}
