//! Times and durations of the system in the units of columns.

use crate::catalog::{Absent, Cell};
use crate::time::filetime_micros;

/// Microseconds since 1970, from 100 ns units since 1601.
pub(crate) fn unix_micros(time: u64) -> Cell<i64> {
    filetime_micros(time).ok_or(Absent::Unreadable)
}

/// Milliseconds, from 100 ns units.
pub(crate) fn millis(duration: u64) -> Cell<i64> {
    i64::try_from(duration / 10_000).map_err(|_| Absent::Unreadable)
}
