//! The build time of an image, from the time date stamp in its header, which may be a hash instead.

use crate::catalog::{Absent, Cell};

/// The year 1995. Images that still run are not older; some linkers write a fixed earlier time.
const FIRST: i64 = 788_918_400;
const SECOND: i64 = 1_000_000;

/// The time of a time date stamp (seconds since 1970) in microseconds since 1970. Absent if the
/// stamp is the hash of a reproducible build: the image says so, or the time is later than the
/// dump's, which is in microseconds too.
pub(super) fn build_time(stamp: i64, is_hash: bool, dump_time: Option<i64>) -> Cell<i64> {
    let time = stamp.checked_mul(SECOND).filter(|_| stamp >= FIRST && !is_hash);
    let is_past = |time: &i64| dump_time.is_none_or(|dump| *time <= dump);
    time.filter(is_past).ok_or(Absent::NotApplicable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_that_are_hashes_give_no_time() {
        let dump = Some(1_700_000_000 * SECOND);
        assert_eq!(build_time(1_600_000_000, false, dump), Ok(1_600_000_000 * SECOND));
        assert_eq!(build_time(1_600_000_000, false, None), Ok(1_600_000_000 * SECOND));
        for (stamp, is_hash) in
            [(0, false), (708_992_537, false), (1_800_000_000, false), (1_600_000_000, true)]
        {
            assert_eq!(build_time(stamp, is_hash, dump), Err(Absent::NotApplicable), "{stamp}");
        }
    }
}
