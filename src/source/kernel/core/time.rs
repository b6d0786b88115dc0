//! Times and durations of the system as columns show them.

use crate::catalog::{Absent, Cell};
use crate::time::filetime_micros;

/// Microseconds since 1970 of a time in 100 ns units since 1601.
pub(crate) fn unix_micros(time: u64) -> Cell<i64> {
    filetime_micros(time).ok_or(Absent::Unreadable)
}

/// Milliseconds of a duration in 100 ns units.
pub(crate) fn millis(duration: u64) -> Cell<i64> {
    i64::try_from(duration / 10_000).map_err(|_| Absent::Unreadable)
}
