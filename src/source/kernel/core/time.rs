//! Times and durations of the system as columns show them.

use crate::catalog::{Absent, Cell};

/// From 1601 to 1970 in 100 ns units.
const UNIX_EPOCH: u64 = 116_444_736_000_000_000;

/// Microseconds since 1970 of a time in 100 ns units since 1601.
pub(crate) fn unix_micros(time: u64) -> Cell<i64> {
    let since = i128::from(time) - i128::from(UNIX_EPOCH);
    i64::try_from(since.div_euclid(10)).map_err(|_| Absent::Unreadable)
}

/// Milliseconds of a duration in 100 ns units.
pub(crate) fn millis(duration: u64) -> Cell<i64> {
    i64::try_from(duration / 10_000).map_err(|_| Absent::Unreadable)
}
