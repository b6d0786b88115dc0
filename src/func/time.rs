//! Points in time (UTC) and durations. There is no "now": a query on a dump gives the same answer
//! tomorrow.

use super::def::{Args, Fault, Scalar, bad, overflow, sig};
use super::strftime;
use crate::catalog::Ty::{Addr, Double, Int, Interval, Text, Time};
use crate::catalog::{Signature, Value, civil_from_days, days_from_civil};

const fn f(
    name: &'static str,
    doc: &'static str,
    signatures: &'static [Signature],
    examples: &'static [(&'static str, &'static str)],
    eval: super::Eval,
) -> Scalar {
    Scalar::new("time", name, doc, signatures, examples, eval)
}

const PART: &[Signature] = &[sig(&[Time], Int), sig(&[Interval], Int)];
const DATE: &[Signature] = &[sig(&[Time], Int)];
const SPAN: &[Signature] = &[sig(&[Int], Interval), sig(&[Double], Interval)];
const EPOCH: &[Signature] = &[sig(&[Time], Int), sig(&[Interval], Int)];

pub(super) const ALL: &[Scalar] = &[
    f("date_trunc", "The time cut off to a unit: microsecond, millisecond, second, minute, hour, day, week (Monday), month, quarter, year, decade, century or millennium. Durations can be cut off up to weeks.", &[sig(&[Text, Time], Time), sig(&[Text, Interval], Interval)], &[("date_trunc('hour', TIMESTAMP '2007-11-09 17:42:05')", "2007-11-09 17:00:00")], |_, a| date_trunc(a)).or(&["datetrunc"]),
    f("date_part", "A part of a time as a whole number: year, quarter, month, week (ISO), day, hour, minute, second, millisecond and microsecond (the seconds included), epoch, dow (Sunday is 0), isodow, doy, isoyear, decade, century, millennium. Of a duration: epoch, day, hour and smaller.", &[sig(&[Text, Time], Int), sig(&[Text, Interval], Int)], &[("date_part('hour', TIMESTAMP '2007-11-09 17:42:05')", "17"), ("date_part('dow', TIMESTAMP '2007-11-09')", "5")], |_, a| part(a.any(1), Part::parse(a.text(0)?)?)).or(&["datepart"]),
    f("date_diff", "How many boundaries of the unit lie between two times.", &[sig(&[Text, Time, Time], Int)], &[("date_diff('second', TIMESTAMP '2007-11-09 17:42:05.9', TIMESTAMP '2007-11-09 17:42:06.1')", "1")], |_, a| date_diff(a.text(0)?, a.time(1)?, a.time(2)?)).or(&["datediff"]),
    f("time_bucket", "The start of the span of that length in which the time lies; spans are counted from Monday, 2000-01-03.", &[sig(&[Interval, Time], Time)], &[("time_bucket(INTERVAL '5 minutes', TIMESTAMP '2007-11-09 17:42:05')", "2007-11-09 17:40:00")], |_, a| time_bucket(a)),
    f("strftime", "The time as text: %Y %m %d %H %M %S, %y %I %p %j, %f (microseconds), %g (milliseconds), %a %A %b %B (names), %w %u %U %W %V %G (weeks), %c %x %X, %%; %-d and the like leave out leading zeros.", &[sig(&[Time, Text], Text)], &[("strftime(TIMESTAMP '2007-11-09 17:42:05', '%d.%m.%Y %H:%M')", "09.11.2007 17:42")], |_, a| strftime::format(a.time(0)?, a.text(1)?)),
    f("year", "The year.", DATE, &[("year(TIMESTAMP '2007-11-09')", "2007")], |_, a| part(a.any(0), Part::Year)),
    f("quarter", "The quarter, 1 to 4.", DATE, &[("quarter(TIMESTAMP '2007-11-09')", "4")], |_, a| part(a.any(0), Part::Quarter)),
    f("month", "The month, 1 to 12.", DATE, &[("month(TIMESTAMP '2007-11-09')", "11")], |_, a| part(a.any(0), Part::Month)),
    f("week", "The ISO week, 1 to 53.", DATE, &[("week(TIMESTAMP '2007-11-09')", "45")], |_, a| part(a.any(0), Part::Week)).or(&["weekofyear"]),
    f("day", "The day of the month, or the whole days of a duration.", PART, &[("day(TIMESTAMP '2007-11-09')", "9")], |_, a| part(a.any(0), Part::Day)).or(&["dayofmonth"]),
    f("hour", "The hour, 0 to 23.", PART, &[("hour(TIMESTAMP '2007-11-09 17:42:05')", "17")], |_, a| part(a.any(0), Part::Hour)),
    f("minute", "The minute, 0 to 59.", PART, &[("minute(TIMESTAMP '2007-11-09 17:42:05')", "42")], |_, a| part(a.any(0), Part::Minute)),
    f("second", "The second, 0 to 59.", PART, &[("second(TIMESTAMP '2007-11-09 17:42:05')", "5")], |_, a| part(a.any(0), Part::Second)),
    f("millisecond", "The milliseconds within the minute.", PART, &[("millisecond(TIMESTAMP '2007-11-09 17:42:05.25')", "5250")], |_, a| part(a.any(0), Part::Millisecond)),
    f("microsecond", "The microseconds within the minute.", PART, &[("microsecond(TIMESTAMP '2007-11-09 17:42:05.25')", "5250000")], |_, a| part(a.any(0), Part::Microsecond)),
    f("dayofweek", "The day of the week; Sunday is 0.", DATE, &[("dayofweek(TIMESTAMP '2007-11-09')", "5")], |_, a| part(a.any(0), Part::Dow)).or(&["weekday"]),
    f("dayofyear", "The day of the year, from 1.", DATE, &[("dayofyear(TIMESTAMP '2007-11-09')", "313")], |_, a| part(a.any(0), Part::Doy)),
    f("dayname", "The English name of the day of the week.", &[sig(&[Time], Text)], &[("dayname(TIMESTAMP '2007-11-09')", "Friday")], |_, a| strftime::format(a.time(0)?, "%A")),
    f("monthname", "The English name of the month.", &[sig(&[Time], Text)], &[("monthname(TIMESTAMP '2007-11-09')", "November")], |_, a| strftime::format(a.time(0)?, "%B")),
    f("epoch", "Seconds since 1970-01-01, or the seconds of a duration.", &[sig(&[Time], Double), sig(&[Interval], Double)], &[("epoch(TIMESTAMP '1970-01-01 00:01:00.5')", "60.5")], |_, a| {
        #[allow(clippy::cast_precision_loss, reason = "exact for times up to the year 2255")]
        Ok(Value::Double(micros(a.any(0))? as f64 / 1e6))
    }),
    f("epoch_ms", "Whole milliseconds since 1970-01-01, or of a duration; of an integer, the time of that many milliseconds.", &[sig(&[Time], Int), sig(&[Interval], Int), sig(&[Int], Time)], &[("epoch_ms(TIMESTAMP '1970-01-01 00:00:01.5')", "1500"), ("epoch_ms(1500)", "1970-01-01 00:00:01.5")], |_, a| match a.any(0) {
        Value::Int(v) => v.checked_mul(1000).map(Value::Time).ok_or_else(|| overflow("epoch_ms", "TIMESTAMP")),
        other => Ok(Value::Int(micros(other)?.div_euclid(1000))),
    }),
    f("epoch_us", "Microseconds since 1970-01-01, or of a duration.", EPOCH, &[("epoch_us(TIMESTAMP '1970-01-01 00:00:01.5')", "1500000")], |_, a| Ok(Value::Int(micros(a.any(0))?))),
    f("interval_ms", "The whole milliseconds of a duration.", &[sig(&[Interval], Int)], &[("interval_ms(INTERVAL '1.5 s')", "1500")], |_, a| Ok(Value::Int(micros(a.any(0))? / 1000))),
    f("make_timestamp", "The time of so many microseconds since 1970-01-01, or of a year, month, day, hour, minute and second.", &[sig(&[Int], Time), sig(&[Int, Int, Int, Int, Int, Double], Time)], &[("make_timestamp(1500000)", "1970-01-01 00:00:01.5"), ("make_timestamp(2007, 11, 9, 17, 42, 5.5)", "2007-11-09 17:42:05.5")], |_, a| if a.len() == 1 { Ok(Value::Time(a.int(0)?)) } else { make_timestamp(a) }),
    f("to_timestamp", "The time of so many seconds since 1970-01-01.", &[sig(&[Int], Time), sig(&[Double], Time)], &[("to_timestamp(1.5)", "1970-01-01 00:00:01.5")], |_, a| scaled("to_timestamp", "TIMESTAMP", a, SECOND).map(Value::Time)),
    f("filetime", "The time of a Windows FILETIME, which counts 100 nanoseconds from 1601-01-01.", &[sig(&[Int], Time), sig(&[Addr], Time)], &[("filetime(116444736000000000)", "1970-01-01 00:00:00")], |_, a| filetime(a)),
    f("last_day", "The last day of the month.", &[sig(&[Time], Time)], &[("last_day(TIMESTAMP '2008-02-09 17:00:00')", "2008-02-29 00:00:00")], |_, a| last_day(a.time(0)?)),
    f("to_weeks", "A duration of so many weeks.", SPAN, &[("to_weeks(1)", "7 days 00:00:00")], |_, a| span("to_weeks", a, 7 * DAY)),
    f("to_days", "A duration of so many days.", SPAN, &[("to_days(2)", "2 days 00:00:00")], |_, a| span("to_days", a, DAY)),
    f("to_hours", "A duration of so many hours.", SPAN, &[("to_hours(2)", "02:00:00")], |_, a| span("to_hours", a, HOUR)),
    f("to_minutes", "A duration of so many minutes.", SPAN, &[("to_minutes(90)", "01:30:00")], |_, a| span("to_minutes", a, MINUTE)),
    f("to_seconds", "A duration of so many seconds.", SPAN, &[("to_seconds(1.5)", "00:00:01.5")], |_, a| span("to_seconds", a, SECOND)),
    f("to_milliseconds", "A duration of so many milliseconds.", SPAN, &[("to_milliseconds(1500)", "00:00:01.5")], |_, a| span("to_milliseconds", a, 1000)),
    f("to_microseconds", "A duration of so many microseconds.", SPAN, &[("to_microseconds(7)", "00:00:00.000007")], |_, a| span("to_microseconds", a, 1)),
];

pub(super) const SECOND: i64 = 1_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// 1601-01-01 in microseconds from 1970-01-01.
const FILETIME_START: i64 = -11_644_473_600 * SECOND;
/// Monday, 2000-01-03, likewise.
const BUCKET_START: i64 = 10_959 * DAY;

/// The parts of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    Epoch,
    Dow,
    IsoDow,
    Doy,
    IsoYear,
}

impl Part {
    fn parse(name: &str) -> Result<Self, Fault> {
        let lower = name.to_ascii_lowercase();
        Ok(match lower.as_str() {
            "microsecond" | "microseconds" | "us" | "usec" => Self::Microsecond,
            "millisecond" | "milliseconds" | "ms" | "msec" => Self::Millisecond,
            "second" | "seconds" | "sec" | "s" => Self::Second,
            "minute" | "minutes" | "min" | "m" => Self::Minute,
            "hour" | "hours" | "hr" | "h" => Self::Hour,
            "day" | "days" | "dayofmonth" | "d" => Self::Day,
            "week" | "weeks" | "weekofyear" | "w" => Self::Week,
            "month" | "months" | "mon" => Self::Month,
            "quarter" | "quarters" => Self::Quarter,
            "year" | "years" | "yr" | "y" => Self::Year,
            "decade" | "decades" => Self::Decade,
            "century" | "centuries" => Self::Century,
            "millennium" | "millennia" => Self::Millennium,
            "epoch" => Self::Epoch,
            "dow" | "dayofweek" | "weekday" => Self::Dow,
            "isodow" => Self::IsoDow,
            "doy" | "dayofyear" => Self::Doy,
            "isoyear" => Self::IsoYear,
            _ => {
                let shown: String = name.chars().take(40).flat_map(char::escape_default).collect();
                return bad(format!("'{shown}' is not a part of a time such as 'hour' or 'month'"));
            }
        })
    }

    /// The length of a unit that has a fixed one.
    const fn length(self) -> Option<i64> {
        Some(match self {
            Self::Microsecond => 1,
            Self::Millisecond => 1000,
            Self::Second => SECOND,
            Self::Minute => MINUTE,
            Self::Hour => HOUR,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            _ => return None,
        })
    }

    /// How many months a unit has, and by how many its first year lies after a multiple of its
    /// length (centuries begin with a year 1, decades with a year 0).
    const fn months(self) -> Option<i64> {
        Some(match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year => 12,
            Self::Decade => 120,
            Self::Century => 1200,
            Self::Millennium => 12_000,
            _ => return None,
        })
    }
}

fn micros(value: &Value<'_>) -> Result<i64, Fault> {
    match value {
        Value::Time(v) | Value::Interval(v) => Ok(*v),
        _ => bad("argument is not a timestamp or an interval"),
    }
}

/// The number of the week in which a day lies; weeks begin on Monday.
const fn week_number(days: i64) -> i64 {
    (days + 3).div_euclid(7)
}

fn date_trunc(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let unit = Part::parse(a.text(0)?)?;
    let value = micros(a.any(1))?;
    if let Value::Interval(_) = a.any(1) {
        let Some(length) = unit.length() else {
            return not_for("date_trunc of a duration", a.text(0)?);
        };
        return Ok(Value::Interval(value - value % length));
    }
    let days = value.div_euclid(DAY);
    let truncated = if unit == Part::Week {
        (week_number(days) * 7 - 3).checked_mul(DAY)
    } else if let Some(length) = unit.length() {
        value.div_euclid(length).checked_mul(length)
    } else if let Some(months) = unit.months() {
        let (year, month, _) = civil_from_days(days);
        let month = (year * 12 + month - 1).div_euclid(months) * months;
        days_from_civil(month.div_euclid(12), month.rem_euclid(12) + 1, 1).checked_mul(DAY)
    } else {
        return not_for("date_trunc", a.text(0)?);
    };
    truncated.map(Value::Time).ok_or_else(|| overflow("date_trunc", "TIMESTAMP"))
}

fn not_for<T>(what: &str, unit: &str) -> Result<T, Fault> {
    let shown: String = unit.chars().take(40).flat_map(char::escape_default).collect();
    bad(format!("{what} has no unit '{shown}'"))
}

fn part(value: &Value<'_>, part: Part) -> Result<Value<'static>, Fault> {
    let total = micros(value)?;
    let result = match value {
        Value::Interval(_) => of_interval(total, part)?,
        _ => of_time(total, part),
    };
    Ok(Value::Int(result))
}

fn of_interval(total: i64, part: Part) -> Result<i64, Fault> {
    Ok(match part {
        Part::Microsecond => total % MINUTE,
        Part::Millisecond => total % MINUTE / 1000,
        Part::Second => total % MINUTE / SECOND,
        Part::Minute => total % HOUR / MINUTE,
        Part::Hour => total % DAY / HOUR,
        Part::Day => total / DAY,
        Part::Epoch => total / SECOND,
        _ => return bad("a duration has no such part: it counts days, hours and smaller units"),
    })
}

fn of_time(total: i64, part: Part) -> i64 {
    let days = total.div_euclid(DAY);
    let within = total.rem_euclid(DAY);
    let (year, month, day) = civil_from_days(days);
    match part {
        Part::Microsecond => within % MINUTE,
        Part::Millisecond => within % MINUTE / 1000,
        Part::Second => within % MINUTE / SECOND,
        Part::Minute => within % HOUR / MINUTE,
        Part::Hour => within / HOUR,
        Part::Day => day,
        Part::Week => iso_week(days).1,
        Part::IsoYear => iso_week(days).0,
        Part::Month => month,
        Part::Quarter => (month + 2) / 3,
        Part::Year => year,
        Part::Decade => year.div_euclid(10),
        Part::Century => (year - 1).div_euclid(100) + 1,
        Part::Millennium => (year - 1).div_euclid(1000) + 1,
        Part::Epoch => total.div_euclid(SECOND),
        Part::Dow => (days + 4).rem_euclid(7),
        Part::IsoDow => (days + 3).rem_euclid(7) + 1,
        Part::Doy => days - days_from_civil(year, 1, 1) + 1,
    }
}

/// The ISO year and week of a day: the week belongs to the year that holds its Thursday.
pub(super) const fn iso_week(days: i64) -> (i64, i64) {
    let thursday = week_number(days) * 7;
    let (year, _, _) = civil_from_days(thursday);
    (year, (thursday - days_from_civil(year, 1, 1)) / 7 + 1)
}

fn date_diff(unit: &str, from: i64, to: i64) -> Result<Value<'static>, Fault> {
    let part = Part::parse(unit)?;
    let index = |time: i64| {
        let days = time.div_euclid(DAY);
        if part == Part::Week {
            return Some(week_number(days));
        }
        if let Some(length) = part.length() {
            return Some(time.div_euclid(length));
        }
        let (year, month, _) = civil_from_days(days);
        Some((year * 12 + month - 1).div_euclid(part.months()?))
    };
    let Some((from, to)) = index(from).zip(index(to)) else { return not_for("date_diff", unit) };
    to.checked_sub(from).map(Value::Int).ok_or_else(|| overflow("date_diff", "INTEGER"))
}

fn time_bucket(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let (width, time) = (micros(a.any(0))?, a.time(1)?);
    if width <= 0 {
        return bad("time_bucket needs a length above zero");
    }
    let start = time.checked_sub(BUCKET_START);
    let start = start.and_then(|since| since.div_euclid(width).checked_mul(width));
    let start = start.and_then(|since| since.checked_add(BUCKET_START));
    start.map(Value::Time).ok_or_else(|| overflow("time_bucket", "TIMESTAMP"))
}

fn make_timestamp(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let (year, month, day) = (a.int(0)?, a.int(1)?, a.int(2)?);
    let (hour, minute, second) = (a.int(3)?, a.int(4)?, a.double(5)?);
    let is_date = year.abs() <= 200_000 && (1..=12).contains(&month) && (1..=31).contains(&day);
    let is_clock =
        (0..24).contains(&hour) && (0..60).contains(&minute) && (0.0..60.0).contains(&second);
    if !is_date || !is_clock {
        return bad("make_timestamp was given numbers that are no date and time");
    }
    let days = days_from_civil(year, month, day);
    if civil_from_days(days) != (year, month, day) {
        return bad(format!("month {month} of year {year} has no day {day}"));
    }
    #[allow(clippy::cast_possible_truncation, reason = "at most 60 million")]
    let within = hour * HOUR + minute * MINUTE + (second * 1e6).round() as i64;
    let time = days.checked_mul(DAY).and_then(|v| v.checked_add(within));
    time.map(Value::Time).ok_or_else(|| overflow("make_timestamp", "TIMESTAMP"))
}

/// The first argument times `unit`, rounded to a whole number of microseconds.
fn scaled(function: &str, ty: &str, a: &[Value<'_>], unit: i64) -> Result<i64, Fault> {
    if let Value::Int(v) = a.any(0) {
        return v.checked_mul(unit).ok_or_else(|| overflow(function, ty));
    }
    #[allow(clippy::cast_precision_loss, reason = "units are far below 2^53")]
    let micros = (a.double(0)? * unit as f64).round();
    // 2^63 and its negative are exact as doubles, so the range test is, too.
    if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&micros) {
        return Err(overflow(function, ty));
    }
    #[allow(clippy::cast_possible_truncation, reason = "in range by the test above")]
    Ok(micros as i64)
}

fn span(function: &str, a: &[Value<'_>], unit: i64) -> Result<Value<'static>, Fault> {
    scaled(function, "INTERVAL", a, unit).map(Value::Interval)
}

fn filetime(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let ticks = match a.any(0) {
        Value::Addr(v) => i128::from(*v),
        _ => i128::from(a.int(0)?),
    };
    let micros = i64::try_from(ticks.div_euclid(10) + i128::from(FILETIME_START));
    micros.map(Value::Time).map_err(|_| overflow("filetime", "TIMESTAMP"))
}

fn last_day(time: i64) -> Result<Value<'static>, Fault> {
    let (year, month, _) = civil_from_days(time.div_euclid(DAY));
    let next = year * 12 + month;
    let first = days_from_civil(next.div_euclid(12), next.rem_euclid(12) + 1, 1);
    let micros = (first - 1).checked_mul(DAY);
    micros.map(Value::Time).ok_or_else(|| overflow("last_day", "TIMESTAMP"))
}
