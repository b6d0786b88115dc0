//! The units of time and the date parts, by DuckDB's names.

use super::{DAY, HOUR, MINUTE, SECOND};

/// A unit of time, or a date part that is not a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A millionth of a second.
    Microsecond,
    /// A thousandth of a second.
    Millisecond,
    /// A second.
    Second,
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// 24 hours.
    Day,
    /// Seven days, starting on Monday.
    Week,
    /// A month of the calendar.
    Month,
    /// Three months.
    Quarter,
    /// A year of the calendar.
    Year,
    /// Ten years, starting with a year that ends in 0.
    Decade,
    /// A hundred years, starting with a year that ends in 01.
    Century,
    /// A thousand years, starting with a year that ends in 001.
    Millennium,
    /// Seconds since 1970.
    Epoch,
    /// The day of the week; Sunday is 0.
    DayOfWeek,
    /// The day of the week; Monday is 1 and Sunday 7.
    IsoDayOfWeek,
    /// The day of the year, from 1.
    DayOfYear,
    /// The year that the ISO week belongs to.
    IsoYear,
    /// ISO year and week as one number: 202405.
    YearWeek,
    /// The era: 0 before the year 1, 1 from then on.
    Era,
}

impl Unit {
    /// The unit or part with that name, ignoring case.
    pub fn parse(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        Some(match lower.as_str() {
            "epoch" => Self::Epoch,
            "dow" | "dayofweek" | "weekday" => Self::DayOfWeek,
            "isodow" => Self::IsoDayOfWeek,
            "doy" | "dayofyear" => Self::DayOfYear,
            "dayofmonth" => Self::Day,
            "weekofyear" => Self::Week,
            "isoyear" => Self::IsoYear,
            "yearweek" => Self::YearWeek,
            "era" => Self::Era,
            _ => return Self::parse_length(&lower),
        })
    }

    /// The unit with that name, if durations can be counted in it.
    pub fn parse_length(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        Some(match lower.as_str() {
            "microsecond" | "microseconds" | "us" | "usec" | "usecs" => Self::Microsecond,
            "millisecond" | "milliseconds" | "ms" | "msec" | "msecs" => Self::Millisecond,
            "second" | "seconds" | "sec" | "secs" | "s" => Self::Second,
            "minute" | "minutes" | "min" | "mins" | "m" => Self::Minute,
            "hour" | "hours" | "hr" | "hrs" | "h" => Self::Hour,
            "day" | "days" | "d" => Self::Day,
            "week" | "weeks" | "w" => Self::Week,
            "month" | "months" | "mon" | "mons" => Self::Month,
            "quarter" | "quarters" => Self::Quarter,
            "year" | "years" | "yr" | "yrs" | "y" => Self::Year,
            "decade" | "decades" => Self::Decade,
            "century" | "centuries" => Self::Century,
            "millennium" | "millennia" | "millenniums" => Self::Millennium,
            _ => return None,
        })
    }

    /// The microseconds of a unit that has a fixed length.
    pub const fn length(self) -> Option<i64> {
        Some(match self {
            Self::Microsecond => 1,
            Self::Millisecond => 1_000,
            Self::Second => SECOND,
            Self::Minute => MINUTE,
            Self::Hour => HOUR,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            _ => return None,
        })
    }

    /// The months in a unit that consists of months.
    pub const fn months(self) -> Option<i64> {
        Some(match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year => 12,
            Self::Decade => 120,
            Self::Century => 1_200,
            Self::Millennium => 12_000,
            _ => return None,
        })
    }
}
