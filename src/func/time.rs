//! Points in time (UTC) and durations: their parts, differences and steps.
//!
//! The calendar is in the module `time`; `clock` converts between times and numbers or text.

use super::def::{Args, Fault, Scalar, bad, overflow, sig};
use crate::catalog::Ty::{Date as Day, Double, Int, Interval, Text, Time, TimeOfDay};
use crate::catalog::{Signature, Value};
use crate::time::{
    DAY, Date, HOUR, MINUTE, Moment, SECOND, Unit, add_months, add_units, last_day, months_between,
};

family!("time");

const PART: &[Signature] = &[sig(&[Time], Int), sig(&[Interval], Int), sig(&[TimeOfDay], Int)];
const DATE: &[Signature] = &[sig(&[Time], Int)];
const EPOCH: &[Signature] = &[sig(&[Time], Int), sig(&[Interval], Int)];
const BETWEEN: &[Signature] = &[sig(&[Text, Time, Time], Int)];

#[rustfmt::skip]
pub(super) const ALL: &[Scalar] = &[
    f("date_trunc", "The time cut off to a unit: microsecond, millisecond, second, minute, hour, day, week (Monday), month, quarter, year, isoyear, decade, century or millennium. Durations can be cut off up to weeks.", &[sig(&[Text, Time], Time), sig(&[Text, Interval], Interval)], &[("date_trunc('hour', TIMESTAMP '2007-11-09 17:42:05')", "2007-11-09 17:00:00")], |_, a| date_trunc(a)).or(&["datetrunc"]),
    f("date_part", "A part of a time as a whole number: era, millennium, century, decade, year, quarter, month, week (ISO), day, hour, minute, second, millisecond and microsecond (the seconds included), epoch, dow (Sunday is 0), isodow, doy, isoyear, yearweek. Of a duration: epoch, day, hour and smaller.", &[sig(&[Text, Time], Int), sig(&[Text, Interval], Int), sig(&[Text, TimeOfDay], Int)], &[("date_part('hour', TIMESTAMP '2007-11-09 17:42:05')", "17"), ("date_part('dow', TIMESTAMP '2007-11-09')", "5")], |_, a| part(a.any(1), unit(a.text(0)?)?)).or(&["datepart"]),
    f("date_diff", "How many boundaries of the unit lie between two times.", BETWEEN, &[("date_diff('second', TIMESTAMP '2007-11-09 17:42:05.9', TIMESTAMP '2007-11-09 17:42:06.1')", "1")], |_, a| date_diff(a.text(0)?, a.time(1)?, a.time(2)?)).or(&["datediff"]),
    f("date_sub", "How many whole units lie between two times.", BETWEEN, &[("date_sub('hour', TIMESTAMP '2007-11-09 10:30:00', TIMESTAMP '2007-11-09 12:00:00')", "1"), ("date_sub('month', TIMESTAMP '2008-01-31', TIMESTAMP '2008-02-29')", "1")], |_, a| date_sub(a.text(0)?, a.time(1)?, a.time(2)?)).or(&["datesub"]),
    f("date_add", "The time plus a duration, or plus a number of units; a day that the month does not have becomes its last day.", &[sig(&[Time, Interval], Time), sig(&[Text, Int, Time], Time)], &[("date_add('month', 1, TIMESTAMP '2008-01-31')", "2008-02-29 00:00:00")], |_, a| date_add(a)).or(&["dateadd"]),
    f("add_months", "The time moved by months; a day that the month does not have becomes its last. `t + INTERVAL '2 months'` is the same.", &[sig(&[Time, Int], Time)], &[("add_months(TIMESTAMP '2008-01-31 17:00:00', 1)", "2008-02-29 17:00:00")], |_, a| moved(add_months(a.time(0)?, a.int(1)?), "add_months")),
    f("time_bucket", "The start of the span of that length in which the time lies. Spans are counted from Monday, 2000-01-03, from an origin given third, or moved by a duration given third. A whole number is a length in months, and so is INTERVAL '3 months'; these are counted from 2000-01-01.", &[sig(&[Interval, Time], Time), sig(&[Interval, Time, Time], Time), sig(&[Interval, Time, Interval], Time), sig(&[Int, Time], Time)], &[("time_bucket(INTERVAL '5 minutes', TIMESTAMP '2007-11-09 17:42:05')", "2007-11-09 17:40:00"), ("time_bucket(3, TIMESTAMP '2007-11-09 17:42:05')", "2007-10-01 00:00:00")], |_, a| time_bucket(a)),
    f("year", "The year.", DATE, &[("year(TIMESTAMP '2007-11-09')", "2007")], |_, a| part(a.any(0), Unit::Year)),
    f("quarter", "The quarter, 1 to 4.", DATE, &[("quarter(TIMESTAMP '2007-11-09')", "4")], |_, a| part(a.any(0), Unit::Quarter)),
    f("month", "The month, 1 to 12.", DATE, &[("month(TIMESTAMP '2007-11-09')", "11")], |_, a| part(a.any(0), Unit::Month)),
    f("week", "The ISO week, 1 to 53.", DATE, &[("week(TIMESTAMP '2007-11-09')", "45")], |_, a| part(a.any(0), Unit::Week)).or(&["weekofyear"]),
    f("day", "The day of the month, or the whole days of a duration.", PART, &[("day(TIMESTAMP '2007-11-09')", "9")], |_, a| part(a.any(0), Unit::Day)).or(&["dayofmonth"]),
    f("hour", "The hour, 0 to 23.", PART, &[("hour(TIMESTAMP '2007-11-09 17:42:05')", "17")], |_, a| part(a.any(0), Unit::Hour)),
    f("minute", "The minute, 0 to 59.", PART, &[("minute(TIMESTAMP '2007-11-09 17:42:05')", "42")], |_, a| part(a.any(0), Unit::Minute)),
    f("second", "The second, 0 to 59.", PART, &[("second(TIMESTAMP '2007-11-09 17:42:05')", "5")], |_, a| part(a.any(0), Unit::Second)),
    f("millisecond", "The milliseconds within the minute.", PART, &[("millisecond(TIMESTAMP '2007-11-09 17:42:05.25')", "5250")], |_, a| part(a.any(0), Unit::Millisecond)),
    f("microsecond", "The microseconds within the minute.", PART, &[("microsecond(TIMESTAMP '2007-11-09 17:42:05.25')", "5250000")], |_, a| part(a.any(0), Unit::Microsecond)),
    f("dayofweek", "The day of the week; Sunday is 0.", DATE, &[("dayofweek(TIMESTAMP '2007-11-09')", "5")], |_, a| part(a.any(0), Unit::DayOfWeek)).or(&["weekday"]),
    f("dayofyear", "The day of the year, from 1.", DATE, &[("dayofyear(TIMESTAMP '2007-11-09')", "313")], |_, a| part(a.any(0), Unit::DayOfYear)),
    f("isodow", "The day of the week; Monday is 1, Sunday 7.", DATE, &[("isodow(TIMESTAMP '2007-11-11')", "7")], |_, a| part(a.any(0), Unit::IsoDayOfWeek)),
    f("isoyear", "The year that the ISO week belongs to.", DATE, &[("isoyear(TIMESTAMP '2010-01-03')", "2009")], |_, a| part(a.any(0), Unit::IsoYear)),
    f("yearweek", "The ISO year and week as one number.", DATE, &[("yearweek(TIMESTAMP '2007-11-09')", "200745")], |_, a| part(a.any(0), Unit::YearWeek)),
    f("decade", "The year divided by ten.", DATE, &[("decade(TIMESTAMP '2007-11-09')", "200")], |_, a| part(a.any(0), Unit::Decade)),
    f("century", "The century; 2001 begins the 21st.", DATE, &[("century(TIMESTAMP '2000-11-09')", "20")], |_, a| part(a.any(0), Unit::Century)),
    f("millennium", "The millennium; 2001 begins the third.", DATE, &[("millennium(TIMESTAMP '2007-11-09')", "3")], |_, a| part(a.any(0), Unit::Millennium)),
    f("era", "1 from the year 1 on, 0 before.", DATE, &[("era(TIMESTAMP '2007-11-09')", "1")], |_, a| part(a.any(0), Unit::Era)),
    f("julian", "The Julian day, which begins at midnight here, with the time of day as its fraction.", &[sig(&[Time], Double)], &[("julian(TIMESTAMP '2021-01-01 12:00:00')", "2459216.5")], |_, a| Ok(julian(a.time(0)?))),
    f("epoch", "Seconds since 1970-01-01, or the seconds of a duration.", &[sig(&[Time], Double), sig(&[Interval], Double), sig(&[TimeOfDay], Double)], &[("epoch(TIMESTAMP '1970-01-01 00:01:00.5')", "60.5")], |_, a| {
        #[allow(clippy::cast_precision_loss, reason = "exact for times up to the year 2255")]
        Ok(Value::Double(micros(a.any(0))? as f64 / 1e6))
    }),
    f("epoch_ms", "Whole milliseconds since 1970-01-01, or of a duration; of an integer, the time of that many milliseconds.", &[sig(&[Time], Int), sig(&[Interval], Int), sig(&[Int], Time)], &[("epoch_ms(TIMESTAMP '1970-01-01 00:00:01.5')", "1500"), ("epoch_ms(1500)", "1970-01-01 00:00:01.5")], |_, a| match a.any(0) {
        Value::Int(v) => v.checked_mul(1000).map(Value::Time).ok_or_else(|| overflow("epoch_ms", "TIMESTAMP")),
        other => Ok(Value::Int(micros(other)?.div_euclid(1000))),
    }),
    f("epoch_us", "Microseconds since 1970-01-01, or of a duration.", EPOCH, &[("epoch_us(TIMESTAMP '1970-01-01 00:00:01.5')", "1500000")], |_, a| Ok(Value::Int(micros(a.any(0))?))),
    f("interval_ms", "The whole milliseconds of a duration.", &[sig(&[Interval], Int)], &[("interval_ms(INTERVAL '1.5 s')", "1500")], |_, a| Ok(Value::Int(micros(a.any(0))? / 1000))),
    f("epoch_ns", "Nanoseconds since 1970-01-01, or of a duration.", EPOCH, &[("epoch_ns(TIMESTAMP '1970-01-01 00:00:01.5')", "1500000000")], |_, a| micros(a.any(0))?.checked_mul(1000).map(Value::Int).ok_or_else(|| overflow("epoch_ns", "INTEGER"))),
    f("days_in_month", "How many days the month has.", DATE, &[("days_in_month(TIMESTAMP '2008-02-09')", "29")], |_, a| Ok(Value::Int(Moment::of(a.time(0)?).date.last_of_month().day()))),
    f("nanosecond", "The nanoseconds within the minute.", DATE, &[("nanosecond(TIMESTAMP '2007-11-09 17:42:05.25')", "5250000000")], |_, a| Ok(Value::Int(a.time(0)?.rem_euclid(MINUTE) * 1000))),
    f("last_day", "The last day of the month.", &[sig(&[Time], Day)], &[("last_day(TIMESTAMP '2008-02-09 17:00:00')", "2008-02-29")], |_, a| last_day(a.time(0)?).map(Value::Date).ok_or_else(|| overflow("last_day", "DATE"))),
];

/// Monday, 2000-01-03, the origin of buckets, and 2000-01-01, the origin of buckets of months.
const BUCKET_START: i64 = 10_959 * DAY;
const BUCKET_MONTH: i64 = 2000 * 12;

/// The Julian day number of 1970-01-01.
const JULIAN_OF_1970: f64 = 2_440_588.0;

/// The unit or date part with that name.
fn unit(name: &str) -> Result<Unit, Fault> {
    Unit::parse(name).ok_or_else(|| {
        let shown: String = name.chars().take(40).flat_map(char::escape_default).collect();
        Fault::BadArgument(
            0,
            format!("'{shown}' is not a part of a time such as 'hour' or 'month'"),
        )
    })
}

fn moved(time: Option<i64>, function: &str) -> Result<Value<'static>, Fault> {
    time.map(Value::Time).ok_or_else(|| overflow(function, "TIMESTAMP"))
}

fn micros(value: &Value<'_>) -> Result<i64, Fault> {
    match value {
        Value::Time(v) | Value::Interval(v) | Value::TimeOfDay(v) => Ok(*v),
        _ => bad("argument is not a timestamp or an interval"),
    }
}

/// The number of the week in which a day lies; weeks begin on Monday.
const fn week_number(days: i64) -> i64 {
    (days + 3).div_euclid(7)
}

fn date_trunc(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let unit = unit(a.text(0)?)?;
    let value = micros(a.any(1))?;
    if let Value::Interval(_) = a.any(1) {
        let Some(length) = unit.length() else {
            return not_for("date_trunc of a duration", a.text(0)?);
        };
        return Ok(Value::Interval(value - value % length));
    }
    let days = value.div_euclid(DAY);
    let truncated = match unit {
        Unit::Week | Unit::YearWeek => (week_number(days) * 7 - 3).checked_mul(DAY),
        Unit::IsoYear => iso_year_start(days),
        _ if unit.length().is_some() => {
            unit.length().and_then(|l| value.div_euclid(l).checked_mul(l))
        }
        _ => {
            let Some(months) = unit.months() else { return not_for("date_trunc", a.text(0)?) };
            let month = Date::of_days(days).months().div_euclid(months) * months;
            first_of(month)
        }
    };
    moved(truncated, "date_trunc")
}

/// Midnight of the first day of a month, counted in months since the year 0.
fn first_of(month: i64) -> Option<i64> {
    Date::new(month.div_euclid(12), month.rem_euclid(12) + 1, 1)?.midnight()
}

/// The Monday of the week that contains January 4.
fn iso_year_start(days: i64) -> Option<i64> {
    let (year, _) = Date::of_days(days).iso_week();
    let fourth = Date::new(year, 1, 4)?.days()?;
    (week_number(fourth) * 7 - 3).checked_mul(DAY)
}

fn not_for<T>(what: &str, unit: &str) -> Result<T, Fault> {
    let shown: String = unit.chars().take(40).flat_map(char::escape_default).collect();
    Err(Fault::BadArgument(0, format!("{what} has no unit '{shown}'")))
}

fn part(value: &Value<'_>, part: Unit) -> Result<Value<'static>, Fault> {
    let total = micros(value)?;
    let result = match value {
        Value::Interval(_) | Value::TimeOfDay(_) => of_interval(total, part)?,
        _ => of_time(total, part),
    };
    Ok(Value::Int(result))
}

fn of_interval(total: i64, part: Unit) -> Result<i64, Fault> {
    Ok(match part {
        Unit::Microsecond => total % MINUTE,
        Unit::Millisecond => total % MINUTE / 1000,
        Unit::Second => total % MINUTE / SECOND,
        Unit::Minute => total % HOUR / MINUTE,
        Unit::Hour => total % DAY / HOUR,
        Unit::Day => total / DAY,
        Unit::Epoch => total / SECOND,
        _ => return bad("a duration has no such part: it counts days, hours and smaller units"),
    })
}

fn of_time(total: i64, part: Unit) -> i64 {
    let within = total.rem_euclid(DAY);
    let date = || Date::of_days(total.div_euclid(DAY));
    match part {
        Unit::Microsecond => within % MINUTE,
        Unit::Millisecond => within % MINUTE / 1000,
        Unit::Second => within % MINUTE / SECOND,
        Unit::Minute => within % HOUR / MINUTE,
        Unit::Hour => within / HOUR,
        Unit::Day => date().day(),
        Unit::Week => date().iso_week().1,
        Unit::IsoYear => date().iso_week().0,
        Unit::YearWeek => {
            let (year, week) = date().iso_week();
            year * 100 + if year < 0 { -week } else { week }
        }
        Unit::Month => date().month(),
        Unit::Quarter => (date().month() + 2) / 3,
        Unit::Year => date().year(),
        Unit::Decade => date().year() / 10,
        Unit::Century => ordinal(date().year(), 100),
        Unit::Millennium => ordinal(date().year(), 1000),
        Unit::Epoch => total.div_euclid(SECOND),
        Unit::DayOfWeek => (total.div_euclid(DAY) + 4).rem_euclid(7),
        Unit::IsoDayOfWeek => (total.div_euclid(DAY) + 3).rem_euclid(7) + 1,
        Unit::DayOfYear => date().day_of_year(),
        Unit::Era => i64::from(date().year() > 0),
    }
}

/// The number of the decade, century or millennium that contains a year; counting starts at year 1,
/// and there is no number 0.
const fn ordinal(year: i64, years: i64) -> i64 {
    if year > 0 { (year - 1) / years + 1 } else { year / years - 1 }
}

#[allow(clippy::cast_precision_loss, reason = "a day and its fraction to half a millisecond")]
fn julian(time: i64) -> Value<'static> {
    let moment = Moment::of(time);
    let days = time.div_euclid(DAY) as f64 + JULIAN_OF_1970;
    Value::Double(days + moment.within as f64 / DAY as f64)
}

fn date_diff(name: &str, from: i64, to: i64) -> Result<Value<'static>, Fault> {
    let unit = unit(name)?;
    let index = |time: i64| {
        let days = time.div_euclid(DAY);
        match unit {
            Unit::Week | Unit::YearWeek => Some(week_number(days)),
            Unit::DayOfWeek | Unit::IsoDayOfWeek | Unit::DayOfYear => Some(days),
            Unit::IsoYear => Some(Date::of_days(days).iso_week().0),
            Unit::Epoch => Some(time.div_euclid(SECOND)),
            _ => match unit.length() {
                Some(length) => Some(time.div_euclid(length)),
                None => Some(Date::of_days(days).months().div_euclid(unit.months()?)),
            },
        }
    };
    let Some((from, to)) = index(from).zip(index(to)) else { return not_for("date_diff", name) };
    to.checked_sub(from).map(Value::Int).ok_or_else(|| overflow("date_diff", "INTEGER"))
}

fn date_sub(name: &str, from: i64, to: i64) -> Result<Value<'static>, Fault> {
    let unit = unit(name)?;
    let range = || overflow("date_sub", "INTEGER");
    if let Some(length) = unit.length() {
        let span = to.checked_sub(from).ok_or_else(range)?;
        return Ok(Value::Int(span / length));
    }
    let Some(length) = unit.months() else { return not_for("date_sub", name) };
    // Always computed forwards, because subtracting months from the end of a month is not the
    // inverse of adding them.
    let (first, last, sign) = if from <= to { (from, to, 1) } else { (to, from, -1) };
    let (months, _) = months_between(first, last).ok_or_else(range)?;
    Ok(Value::Int(sign * (months / length)))
}

fn date_add(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    if let Value::Time(time) = a.any(0) {
        return moved(time.checked_add(micros(a.any(1))?), "date_add");
    }
    let unit = unit(a.text(0)?)?;
    if unit.length().is_none() && unit.months().is_none() {
        return not_for("date_add", a.text(0)?);
    }
    moved(add_units(a.time(2)?, a.int(1)?, unit), "date_add")
}

fn time_bucket(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let time = a.time(1)?;
    if let Value::Int(months) = a.any(0) {
        if *months <= 0 {
            return bad("time_bucket needs a length above zero");
        }
        let since = Moment::of(time).date.months() - BUCKET_MONTH;
        let month = since.div_euclid(*months).checked_mul(*months);
        return moved(month.and_then(|m| first_of(m.checked_add(BUCKET_MONTH)?)), "time_bucket");
    }
    let width = micros(a.any(0))?;
    if width <= 0 {
        return bad("time_bucket needs a length above zero");
    }
    let origin = match a.any(2) {
        Value::Time(origin) => *origin,
        Value::Interval(offset) => BUCKET_START.saturating_add(offset % width),
        _ => BUCKET_START,
    };
    let since = i128::from(time) - i128::from(origin);
    let start = since.div_euclid(i128::from(width)) * i128::from(width) + i128::from(origin);
    moved(i64::try_from(start).ok(), "time_bucket")
}
