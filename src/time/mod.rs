//! Parsing and formatting of timestamps and durations. Both are counted in microseconds; timestamps
//! since 1970-01-01 UTC.
//!
//! There is one parser and one formatter for each, which literals, casts, parameters, CSV files and
//! logs share. The calendar, the time zones and the strftime patterns are those of `jiff`, which
//! only this module uses. It depends neither on the values of the language nor on queries.

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

/// Microseconds per second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds per minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Microseconds per hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Microseconds per day.
pub const DAY: i64 = 24 * HOUR;

/// The current time.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
