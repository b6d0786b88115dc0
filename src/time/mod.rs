//! Time as every room reads and writes it: points in time and durations, both counted in
//! microseconds, points from 1970-01-01 UTC.
//!
//! There is one parser and one writer for each: literals, casts, parameters, CSV files and logs
//! use the same. The calendar, the time zones and the patterns of percent signs are those of
//! `jiff`; only this room names it. The room knows no value of the language and no query.

mod calendar;
mod filetime;
mod interval;
mod pattern;
mod point;
mod scan;
mod unit;
mod zone;

pub use calendar::{Date, Moment, add_months, add_units, days_of, last_day, months_between};
pub use filetime::{filetime_micros, filetime_of};
pub use interval::{
    Interval, Problem, append_interval, interval_literal, parse_interval, parse_months,
    render_interval, scaled,
};
pub use pattern::{BadPattern, Pattern, parse_debugger_time};
pub use point::{
    append_day, append_time_of_day, append_timestamp, parse_clock, parse_date, parse_timestamp,
    render_day, render_timestamp,
};
pub use unit::Unit;
pub use zone::{Zone, offset_minutes};

/// The midnight that begins the day of a point in time.
pub const fn midnight(micros: i64) -> i64 {
    micros.saturating_sub(micros.rem_euclid(DAY))
}

/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds of a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Microseconds of an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Microseconds of a day.
pub const DAY: i64 = 24 * HOUR;

/// The time now.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
