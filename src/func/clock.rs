//! Conversions of times and durations: from and to numbers, text and other time zones.

use std::cell::RefCell;

use super::def::{Args, Fault, Scalar, bad, check_length, overflow, sig};
use crate::catalog::Ty::{Addr, Date as Day, Double, Int, Interval, Text, Time, TimeOfDay};
use crate::catalog::{Signature, Value};
use crate::time::{
    BadPattern, DAY, Date, HOUR, MINUTE, Pattern, SECOND, Zone, filetime_micros, filetime_of,
    midnight, now,
};

family!("time");

const SPAN: &[Signature] = &[sig(&[Int], Interval), sig(&[Double], Interval)];
const NAMED: &[Signature] = &[sig(&[Time], Text)];
const ZONED: &[Signature] = &[sig(&[Text, Time], Time)];

#[rustfmt::skip]
pub(super) const ALL: &[Scalar] = &[
    f("now", "The time (UTC) at which the query was planned; all calls in a query give the same. The time of a dump is system_time of the table dump.", &[sig(&[], Time)], &[("now() > TIMESTAMP '2024-01-01'", "true")], |_, _| Ok(Value::Time(now()))).or(&["current_timestamp", "get_current_timestamp", "transaction_timestamp", "localtimestamp", "current_localtimestamp"]),
    f("today", "The day (UTC) of now().", &[sig(&[], Day)], &[("today() <= now()", "true")], |_, _| Ok(Value::Date(midnight(now())))).or(&["current_date"]),
    f("get_current_time", "The time of day (UTC) of now(): `current_time`.", &[sig(&[], TimeOfDay)], &[("get_current_time() < TIME '24:00:00'", "true")], |_, _| Ok(Value::TimeOfDay(now().rem_euclid(DAY)))).or(&["current_localtime"]),
    f("ago", "The time so long before now().", &[sig(&[Interval], Time)], &[("ago(INTERVAL '1 day') < now()", "true")], |_, a| match a.any(0) {
        Value::Interval(span) => now().checked_sub(*span).map(Value::Time).ok_or_else(|| overflow("ago", "TIMESTAMP")),
        _ => bad("argument 1 is not an interval"),
    }),
    f("strftime", "The time as text: %Y %m %d %H %M %S, %y %I %p %j, %f (microseconds), %g (milliseconds), %n (nanoseconds), %a %A %b %B (names), %w %u %U %W %V %G (weeks), %c %x %X, %z, %%; %-d and the like leave out leading zeros.", &[sig(&[Time, Text], Text), sig(&[Text, Time], Text)], &[("strftime(TIMESTAMP '2007-11-09 17:42:05', '%d.%m.%Y %H:%M')", "09.11.2007 17:42")], |_, a| strftime(a)),
    f("strptime", "The time in a text that has the form of a strftime pattern; %z converts it to UTC. Parts that the pattern leaves out are those of 1900-01-01 00:00. Text of another form is an error.", &[sig(&[Text, Text], Time)], &[("strptime('09.11.2007 17:42', '%d.%m.%Y %H:%M')", "2007-11-09 17:42:00")], |_, a| match strptime(a.text(0)?, a.text(1)?)? {
        Value::Null => bad(format!("'{}' is not a time of the pattern '{}'", shown(a.text(0)?), shown(a.text(1)?))),
        time => Ok(time),
    }),
    f("try_strptime", "The time that a text has by a pattern, as strptime reads it; NULL for text of another form.", &[sig(&[Text, Text], Time)], &[("try_strptime('soon', '%Y')", "")], |_, a| strptime(a.text(0)?, a.text(1)?)),
    f("dayname", "The English name of the day of the week.", NAMED, &[("dayname(TIMESTAMP '2007-11-09')", "Friday")], |_, a| written(a.time(0)?, "%A")),
    f("monthname", "The English name of the month.", NAMED, &[("monthname(TIMESTAMP '2007-11-09')", "November")], |_, a| written(a.time(0)?, "%B")),
    f("timezone", "What clocks of a time zone, such as 'Europe/Berlin' or '+02:00', show at a time (UTC).", ZONED, &[("timezone('Europe/Berlin', TIMESTAMP '2007-11-09 17:42:05')", "2007-11-09 18:42:05")], |_, a| zoned(a.text(0)?, a.time(1)?, Zone::to_local, "timezone")),
    f("to_utc", "The time (UTC) at which clocks of a time zone show a time: the first, if they show it twice.", ZONED, &[("to_utc('Europe/Berlin', TIMESTAMP '2007-11-09 18:42:05')", "2007-11-09 17:42:05")], |_, a| zoned(a.text(0)?, a.time(1)?, Zone::to_utc, "to_utc")),
    f("make_timestamp", "The time from microseconds since 1970-01-01, or from year, month, day, hour, minute and second.", &[sig(&[Int], Time), sig(&[Int, Int, Int, Int, Int, Double], Time)], &[("make_timestamp(1500000)", "1970-01-01 00:00:01.5"), ("make_timestamp(2007, 11, 9, 17, 42, 5.5)", "2007-11-09 17:42:05.5")], |_, a| if a.len() == 1 { Ok(Value::Time(a.int(0)?)) } else { make_timestamp(a) }),
    f("make_timestamp_ms", "The time from milliseconds since 1970-01-01.", &[sig(&[Int], Time)], &[("make_timestamp_ms(1500)", "1970-01-01 00:00:01.5")], |_, a| scaled("make_timestamp_ms", "TIMESTAMP", a, 1000).map(Value::Time)),
    f("make_timestamp_ns", "The time from nanoseconds since 1970-01-01, truncated to microseconds.", &[sig(&[Int], Time)], &[("make_timestamp_ns(1500000)", "1970-01-01 00:00:00.0015")], |_, a| Ok(Value::Time(a.int(0)?.div_euclid(1000)))),
    f("make_date", "The day of a year, month and day.", &[sig(&[Int, Int, Int], Day)], &[("make_date(2007, 11, 9)", "2007-11-09")], |_, a| date(a).map(Value::Date)),
    f("make_time", "The time of day of an hour, a minute and seconds.", &[sig(&[Int, Int, Double], TimeOfDay)], &[("make_time(17, 42, 5.5)", "17:42:05.5")], |_, a| make_time(a)),
    f("to_timestamp", "The time from seconds since 1970-01-01.", &[sig(&[Int], Time), sig(&[Double], Time)], &[("to_timestamp(1.5)", "1970-01-01 00:00:01.5")], |_, a| scaled("to_timestamp", "TIMESTAMP", a, SECOND).map(Value::Time)),
    f("filetime", "The time of a Windows FILETIME, which counts 100 nanoseconds from 1601-01-01.", &[sig(&[Int], Time), sig(&[Addr], Time)], &[("filetime(116444736000000000)", "1970-01-01 00:00:00")], |_, a| filetime(a)),
    f("to_filetime", "The Windows FILETIME of a time.", &[sig(&[Time], Int)], &[("to_filetime(TIMESTAMP '1970-01-01')", "116444736000000000")], |_, a| to_filetime(a.time(0)?)),
    f("to_weeks", "A duration in weeks.", SPAN, &[("to_weeks(1)", "7 days 00:00:00")], |_, a| span("to_weeks", a, 7 * DAY)),
    f("to_days", "A duration in days.", SPAN, &[("to_days(2)", "2 days 00:00:00")], |_, a| span("to_days", a, DAY)),
    f("to_hours", "A duration in hours.", SPAN, &[("to_hours(2)", "02:00:00")], |_, a| span("to_hours", a, HOUR)),
    f("to_minutes", "A duration in minutes.", SPAN, &[("to_minutes(90)", "01:30:00")], |_, a| span("to_minutes", a, MINUTE)),
    f("to_seconds", "A duration in seconds.", SPAN, &[("to_seconds(1.5)", "00:00:01.5")], |_, a| span("to_seconds", a, SECOND)),
    f("to_milliseconds", "A duration in milliseconds.", SPAN, &[("to_milliseconds(1500)", "00:00:01.5")], |_, a| span("to_milliseconds", a, 1000)),
    f("to_microseconds", "A duration in microseconds.", SPAN, &[("to_microseconds(7)", "00:00:00.000007")], |_, a| span("to_microseconds", a, 1)),
];

/// The number of compiled patterns kept per thread, most recently used first. A query uses few
/// patterns for many rows.
const CACHED: usize = 8;

thread_local! {
    static PATTERNS: RefCell<Vec<(String, Pattern)>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with the compiled pattern of a text.
fn with_pattern<R>(text: &str, index: usize, f: impl FnOnce(&Pattern) -> R) -> Result<R, Fault> {
    PATTERNS.with_borrow_mut(|cache| {
        if let Some(index) = cache.iter().position(|(known, _)| known == text) {
            cache.swap(0, index);
        } else {
            let pattern = Pattern::new(text).map_err(|e| Fault::BadArgument(index, explain(e)))?;
            cache.truncate(CACHED - 1);
            cache.insert(0, (text.to_owned(), pattern));
        }
        cache.first().map(|(_, pattern)| f(pattern)).ok_or_else(|| Fault::BadValue(String::new()))
    })
}

fn explain(error: BadPattern) -> String {
    match error {
        BadPattern::Ends => "the pattern ends within a % field".to_owned(),
        BadPattern::Letter(c) => format!("%{} is not a field of a time", c.escape_default()),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

fn strftime(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let (time, pattern, index) = match a.any(0) {
        Value::Time(time) => (*time, a.text(1)?, 1),
        _ => (a.time(1)?, a.text(0)?, 0),
    };
    check_length(pattern.len().checked_mul(20))?;
    let mut text = String::new();
    match with_pattern(pattern, index, |pattern| pattern.append(&mut text, time))? {
        Some(()) => Ok(Value::text(text)),
        None => bad("the pattern does not show this time"),
    }
}

fn written(time: i64, pattern: &str) -> Result<Value<'static>, Fault> {
    let mut text = String::new();
    with_pattern(pattern, 0, |pattern| pattern.append(&mut text, time))?;
    Ok(Value::text(text))
}

fn strptime(text: &str, pattern: &str) -> Result<Value<'static>, Fault> {
    let time = with_pattern(pattern, 1, |pattern| pattern.parse(text))?;
    Ok(time.map_or(Value::Null, Value::Time))
}

fn zoned(
    name: &str,
    time: i64,
    change: fn(&Zone, i64) -> Option<i64>,
    function: &str,
) -> Result<Value<'static>, Fault> {
    let Some(zone) = Zone::parse(name) else {
        let message = format!("'{}' is not a time zone such as 'Europe/Berlin'", shown(name));
        return Err(Fault::BadArgument(0, message));
    };
    change(&zone, time).map(Value::Time).ok_or_else(|| overflow(function, "TIMESTAMP"))
}

/// Midnight of the date given by the first three arguments.
fn date(a: &[Value<'_>]) -> Result<i64, Fault> {
    let (year, month, day) = (a.int(0)?, a.int(1)?, a.int(2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return bad("the numbers of a month go from 1 to 12, those of a day from 1 to 31");
    }
    match Date::new(year, month, day) {
        Some(date) => date.midnight().ok_or_else(|| overflow("the date", "TIMESTAMP")),
        None => bad(format!("month {month} of year {year} has no day {day}")),
    }
}

fn make_timestamp(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let time = date(a)?.checked_add(clock(a, 3)?);
    time.map(Value::Time).ok_or_else(|| overflow("make_timestamp", "TIMESTAMP"))
}

fn make_time(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    Ok(Value::TimeOfDay(clock(a, 0)?))
}

/// Microseconds since midnight of the hour, the minute and the second that begin at an argument.
fn clock(a: &[Value<'_>], at: usize) -> Result<i64, Fault> {
    let (hour, minute, second) = (a.int(at)?, a.int(at + 1)?, a.double(at + 2)?);
    let is_clock =
        (0..24).contains(&hour) && (0..60).contains(&minute) && (0.0..60.0).contains(&second);
    if !is_clock {
        return bad(format!("{hour}:{minute}:{second} is no time of day"));
    }
    #[allow(clippy::cast_possible_truncation, reason = "at most 60 million")]
    Ok(hour * HOUR + minute * MINUTE + (second * 1e6).round() as i64)
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
        Value::Addr(v) => Some(*v),
        _ => u64::try_from(a.int(0)?).ok(),
    };
    let time = ticks.and_then(filetime_micros);
    time.map(Value::Time).ok_or_else(|| overflow("filetime", "TIMESTAMP"))
}

fn to_filetime(time: i64) -> Result<Value<'static>, Fault> {
    let ticks = filetime_of(time).and_then(|ticks| i64::try_from(ticks).ok());
    ticks.map(Value::Int).ok_or_else(|| overflow("to_filetime", "INTEGER"))
}
