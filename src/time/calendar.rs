//! The proleptic Gregorian calendar: conversion between microseconds and dates, weeks, and
//! arithmetic with months.
//!
//! `jiff` supports the years -9999 to 9999; timestamps extend beyond the year 290,000. Because the
//! calendar, including weekdays, repeats every 400 years, dates are computed within one cycle and
//! moved by whole cycles.

use jiff::tz::Offset;

use super::{DAY, HOUR, MINUTE, SECOND};

/// The days of 400 years, a multiple of 7.
const CYCLE_DAYS: i64 = 146_097;
const CYCLE_YEARS: i64 = 400;
const FIRST_YEAR: i64 = 1970;
const EPOCH: jiff::civil::Date = jiff::civil::Date::constant(1970, 1, 1);

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// The day within the cycle that starts in 1970.
    civil: jiff::civil::Date,
    /// The number of cycles of 400 years between `civil` and the day.
    cycles: i64,
}

impl Date {
    /// The day this many days after 1970-01-01.
    pub fn of_days(days: i64) -> Self {
        let seconds = days.rem_euclid(CYCLE_DAYS) * (DAY / SECOND);
        // A cycle lies within the range of jiff, so the default is never used.
        let timestamp = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        let civil = Offset::UTC.to_datetime(timestamp).date();
        Self { civil, cycles: days.div_euclid(CYCLE_DAYS) }
    }

    /// The day with this year, month and day, if it exists.
    pub fn new(year: i64, month: i64, day: i64) -> Option<Self> {
        let since = year.checked_sub(FIRST_YEAR)?;
        let within = i16::try_from(FIRST_YEAR + since.rem_euclid(CYCLE_YEARS)).ok()?;
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        let civil = jiff::civil::Date::new(within, month, day).ok()?;
        Some(Self { civil, cycles: since.div_euclid(CYCLE_YEARS) })
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> Option<i64> {
        let within = EPOCH.duration_until(self.civil).as_secs() / (DAY / SECOND);
        self.cycles.checked_mul(CYCLE_DAYS)?.checked_add(within)
    }

    /// Microseconds from 1970 to the start of the day.
    pub fn midnight(self) -> Option<i64> {
        self.days()?.checked_mul(DAY)
    }

    fn shifted(self, year: i16) -> i64 {
        i64::from(year) + self.cycles * CYCLE_YEARS
    }

    /// The year; 0 is the year before 1.
    pub fn year(self) -> i64 {
        self.shifted(self.civil.year())
    }

    /// The month, from 1.
    pub fn month(self) -> i64 {
        self.civil.month().into()
    }

    /// The day of the month, from 1.
    pub fn day(self) -> i64 {
        self.civil.day().into()
    }

    /// The day of the week; Sunday is 0.
    pub fn weekday(self) -> i64 {
        self.civil.weekday().to_sunday_zero_offset().into()
    }

    /// The day of the year, from 1.
    pub fn day_of_year(self) -> i64 {
        self.civil.day_of_year().into()
    }

    /// The year and the number of the ISO week.
    pub fn iso_week(self) -> (i64, i64) {
        let week = self.civil.iso_week_date();
        (self.shifted(week.year()), week.week().into())
    }

    /// The last day of the month.
    #[must_use]
    pub fn last_of_month(self) -> Self {
        Self { civil: self.civil.last_of_month(), ..self }
    }

    /// Months since the year 0.
    pub fn months(self) -> i64 {
        self.year() * 12 + self.month() - 1
    }
}

/// A point in time, split into a date and a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The date.
    pub date: Date,
    /// Microseconds since midnight.
    pub within: i64,
}

impl Moment {
    /// Splits a timestamp.
    pub fn of(micros: i64) -> Self {
        Self { date: Date::of_days(micros.div_euclid(DAY)), within: micros.rem_euclid(DAY) }
    }

    /// The timestamp.
    pub fn micros(self) -> Option<i64> {
        // The first day in range starts before the first timestamp.
        let total = i128::from(self.date.days()?) * i128::from(DAY) + i128::from(self.within);
        i64::try_from(total).ok()
    }

    /// Hour, minute, second and microseconds of the second.
    pub const fn clock(self) -> [i64; 4] {
        let within = self.within;
        [within / HOUR, within % HOUR / MINUTE, within % MINUTE / SECOND, within % SECOND]
    }

    /// The `jiff` value within the cycle from 1970, and the years to add to it.
    pub(super) fn civil(self) -> (jiff::civil::DateTime, i64) {
        let [hour, minute, second, micros] =
            self.clock().map(|part| i32::try_from(part).unwrap_or(0));
        let small = |part: i32| i8::try_from(part).unwrap_or(0);
        let time = jiff::civil::Time::new(small(hour), small(minute), small(second), micros * 1000);
        (self.date.civil.to_datetime(time.unwrap_or_default()), self.date.cycles * CYCLE_YEARS)
    }
}

/// Days from 1970-01-01 to a date, if it exists.
pub fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    Date::new(year, month, day)?.days()
}

/// The timestamp moved by months; a day that does not exist in the month becomes its last day.
pub fn add_months(micros: i64, months: i64) -> Option<i64> {
    let moment = Moment::of(micros);
    let total = moment.date.months().checked_add(months)?;
    let first = Date::new(total.div_euclid(12), total.rem_euclid(12) + 1, 1)?;
    let day = moment.date.day().min(first.last_of_month().day());
    let date = Date::new(first.year(), first.month(), day)?;
    Moment { date, ..moment }.micros()
}

/// The timestamp plus a number of units.
pub fn add_units(micros: i64, count: i64, unit: super::Unit) -> Option<i64> {
    if let Some(length) = unit.length() {
        return micros.checked_add(count.checked_mul(length)?);
    }
    add_months(micros, count.checked_mul(unit.months()?)?)
}

/// Midnight of the last day of the month.
pub fn last_day(micros: i64) -> Option<i64> {
    Moment::of(micros).date.last_of_month().midnight()
}

/// The whole months from one timestamp to another, and the remaining microseconds; both have the
/// sign of the difference.
pub fn months_between(from: i64, to: i64) -> Option<(i64, i64)> {
    let whole = Moment::of(to).date.months() - Moment::of(from).date.months();
    let mut months = whole;
    let mut reached = add_months(from, months)?;
    if to >= from && reached > to {
        months -= 1;
        reached = add_months(from, months)?;
    } else if to < from && reached < to {
        months += 1;
        reached = add_months(from, months)?;
    }
    Some((months, to.checked_sub(reached)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days and dates as computed by Python (`datetime`, `calendar`) and DuckDB.
    #[test]
    fn days_are_dates_and_back() {
        for (days, year, month, day, weekday) in [
            (0, 1970, 1, 1, 4),
            (-1, 1969, 12, 31, 3),
            (11_016, 2000, 2, 29, 2),
            (-719_162, 1, 1, 1, 1),
            (-719_163, 0, 12, 31, 0),
            (2_932_896, 9999, 12, 31, 5),
            (19_782, 2024, 2, 29, 4),
            (-135_140, 1600, 1, 1, 6),
            (106_751_990, 294_247, 1, 9, 6),
        ] {
            let date = Date::of_days(days);
            assert_eq!(
                (date.year(), date.month(), date.day(), date.weekday()),
                (year, month, day, weekday),
                "{days}"
            );
            assert_eq!(days_of(year, month, day), Some(days));
        }
        for (year, month, day) in [(2023, 2, 29), (2024, 13, 1), (2024, 0, 1), (2024, 4, 31)] {
            assert_eq!(days_of(year, month, day), None);
        }
    }

    #[test]
    fn every_timestamp_is_a_moment() {
        for micros in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX] {
            assert_eq!(Moment::of(micros).micros(), Some(micros));
        }
    }

    #[test]
    fn weeks_of_iso_8601() {
        for (year, month, day, week) in [
            (2005, 1, 1, (2004, 53)),
            (2007, 12, 31, (2008, 1)),
            (2010, 1, 3, (2009, 53)),
            (2024, 12, 30, (2025, 1)),
        ] {
            let date = Date::new(year, month, day).expect("a date");
            assert_eq!(date.iso_week(), week);
        }
    }

    #[test]
    fn months_end_where_the_month_does() {
        let of = |text: &str| super::super::parse_timestamp(text).expect(text);
        for (from, months, to) in [
            ("2024-01-31 10:00:00", 1, "2024-02-29 10:00:00"),
            ("2023-01-31", 1, "2023-02-28"),
            ("2024-03-31", -1, "2024-02-29"),
            ("2024-01-15", -13, "2022-12-15"),
            ("1969-12-31", 2, "1970-02-28"),
        ] {
            assert_eq!(add_months(of(from), months), Some(of(to)), "{from}");
        }
        assert_eq!(add_months(i64::MAX, 1), None);
        let between = |a, b| months_between(of(a), of(b));
        assert_eq!(between("2024-01-31", "2024-02-29"), Some((1, 0)));
        assert_eq!(between("2024-01-15", "2024-03-14"), Some((1, 28 * DAY)));
        assert_eq!(between("2024-03-14", "2024-01-15"), Some((-1, -30 * DAY)));
    }
}
