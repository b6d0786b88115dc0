//! Durations as text: `1 day 02:30:00`, `5 minutes`, `-1.5 h`, and back.
//!
//! Each part has its own sign, as in DuckDB and PostgreSQL: `-1 day 02:00:00` is -22 hours. A
//! duration is a number of microseconds. Months have no fixed length, so text with months becomes
//! an [`Interval`], which can only be added to a point in time.

use super::point::{append_clock, append_fraction, append_padded};
use super::scan::Scan;
use super::{DAY, HOUR, MINUTE, SECOND, Unit};

/// A parsed duration: months, and microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interval {
    /// Months, including those of years.
    pub months: i64,
    /// The parts of fixed length.
    pub micros: i64,
}

/// Why a text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The syntax is wrong.
    Form,
    /// It has months or years, which have no fixed length.
    Calendar,
    /// It is out of range.
    Range,
}

/// The microseconds of a duration.
///
/// # Errors
///
/// If the text is not a duration, or has months.
pub fn parse_interval(text: &str) -> Result<i64, Problem> {
    let span = parse_months(text)?;
    if span.months == 0 { Ok(span.micros) } else { Err(Problem::Calendar) }
}

/// Parts such as `3 days`, `1.5h`, `2 months` or `02:30:00`, each with its sign, in any order;
/// `ago` at the end reverses all signs. A number without a unit is in seconds.
///
/// # Errors
/// If the text is not a duration. A fraction is rounded to microseconds; for months and longer
/// units it is an error unless it gives whole months.
pub fn parse_months(text: &str) -> Result<Interval, Problem> {
    let mut scan = Scan(text.trim());
    scan.eat('@');
    scan.blanks();
    let mut span = Interval::default();
    let mut parts = 0;
    while !scan.is_done() {
        if parts > 0 && scan.eat_word("ago") {
            scan.blanks();
            span.months = span.months.checked_neg().ok_or(Problem::Range)?;
            span.micros = span.micros.checked_neg().ok_or(Problem::Range)?;
            return if scan.is_done() { Ok(span) } else { Err(Problem::Form) };
        }
        let part = part(&mut scan, parts == 0)?;
        span.months = span.months.checked_add(part.months).ok_or(Problem::Range)?;
        span.micros = span.micros.checked_add(part.micros).ok_or(Problem::Range)?;
        parts += 1;
        scan.blanks();
    }
    if parts == 0 { Err(Problem::Form) } else { Ok(span) }
}

fn part(scan: &mut Scan<'_>, first: bool) -> Result<Interval, Problem> {
    let negative = scan.eat('-');
    if !negative {
        scan.eat('+');
    }
    let before = *scan;
    let number = number(scan).ok_or(Problem::Form)?;
    if scan.0.starts_with(':') {
        *scan = before;
        let micros = scan.clock().ok_or(Problem::Form)?;
        return Ok(Interval { months: 0, micros: if negative { -micros } else { micros } });
    }
    scan.blanks();
    let name = scan.word();
    let unit = match Unit::parse_length(name) {
        Some(unit) => unit,
        None if name.is_empty() && first && scan.is_done() => Unit::Second,
        None => return Err(Problem::Form),
    };
    let signed = |value: i64| if negative { -value } else { value };
    if let Some(length) = unit.length() {
        let micros = rounded(number, length).ok_or(Problem::Range)?;
        return Ok(Interval { months: 0, micros: signed(micros) });
    }
    let months = unit.months().ok_or(Problem::Form)?;
    let months = scaled(number, months).ok_or(Problem::Calendar)?;
    Ok(Interval { months: signed(months), micros: 0 })
}

/// Digits with at most one point.
fn number<'a>(scan: &mut Scan<'a>) -> Option<&'a str> {
    let text = scan.0;
    let whole = scan.digits(usize::MAX).len();
    let fraction = if scan.eat('.') { scan.digits(usize::MAX).len() + 1 } else { 0 };
    let is_number = whole > 0 || fraction > 1;
    text.get(..whole + fraction).filter(|_| is_number)
}

/// The whole number, and the numerator and the denominator of its fraction; decimals after the
/// eighteenth are dropped.
fn taken_apart(number: &str) -> Option<(i64, i128, i128)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction = fraction.get(..18).unwrap_or(fraction).trim_end_matches('0');
    let places = u32::try_from(fraction.len()).ok()?;
    let numerator: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    Some((whole, numerator, 10i128.checked_pow(places)?))
}

/// `number * factor`, if it is an integer in range; the number consists of digits with at most one
/// point.
pub fn scaled(number: &str, factor: i64) -> Option<i64> {
    let (whole, numerator, denominator) = taken_apart(number)?;
    let product = numerator * i128::from(factor);
    if product % denominator != 0 {
        return None;
    }
    whole.checked_mul(factor)?.checked_add(i64::try_from(product / denominator).ok()?)
}

/// As [`scaled`], rounded to an integer.
fn rounded(number: &str, factor: i64) -> Option<i64> {
    let (whole, numerator, denominator) = taken_apart(number)?;
    let product = (numerator * i128::from(factor) * 2 + denominator) / (denominator * 2);
    whole.checked_mul(factor)?.checked_add(i64::try_from(product).ok()?)
}

/// A duration as `[N day(s) ]hh:mm:ss[.ffffff]`, with a sign before each negative part.
pub fn render_interval(micros: i64) -> String {
    let mut text = String::new();
    append_interval(&mut text, micros);
    text
}

/// Appends a duration.
pub fn append_interval(into: &mut String, micros: i64) {
    let (days, rest) = (micros / DAY, micros % DAY);
    if days != 0 {
        if days < 0 {
            into.push('-');
        }
        append_padded(into, days, 1);
        into.push_str(if days.abs() == 1 { " day " } else { " days " });
    }
    if rest < 0 {
        into.push('-');
    }
    append_clock(into, [rest / HOUR, rest % HOUR / MINUTE, rest % MINUTE / SECOND]);
    append_fraction(into, rest % SECOND);
}

/// The text of a literal, in the largest units without a fraction.
pub fn interval_literal(span: Interval) -> String {
    let units = [
        ("day", DAY),
        ("hour", HOUR),
        ("minute", MINUTE),
        ("second", SECOND),
        ("millisecond", 1_000),
        ("microsecond", 1),
    ];
    let counted = |count: i64, name: &str| {
        format!("{count} {name}{}", if count.unsigned_abs() == 1 { "" } else { "s" })
    };
    let mut parts = Vec::new();
    if span.months != 0 {
        let years = span.months % 12 == 0;
        let (count, name) = if years { (span.months / 12, "year") } else { (span.months, "month") };
        parts.push(counted(count, name));
    }
    if span.micros != 0 {
        let unit = units.into_iter().find(|(_, length)| span.micros % length == 0);
        parts.extend(unit.map(|(name, length)| counted(span.micros / length, name)));
    }
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Results of DuckDB 2.0.1 for the same texts, except for the last five, which it parses
    /// differently or rejects.
    #[test]
    fn intervals_are_read() {
        for (text, expected) in [
            ("5 minutes", Ok(300 * SECOND)),
            ("1 day 02:30:00", Ok(DAY + 9_000 * SECOND)),
            ("-1 day 02:00:00", Ok(-22 * HOUR)),
            ("-1 day -02:00:00", Ok(-26 * HOUR)),
            ("1 day -2 hours", Ok(22 * HOUR)),
            ("-1.5 hours", Ok(-5_400 * SECOND)),
            ("100:00:00", Ok(360_000 * SECOND)),
            ("-01:02:03", Ok(-3_723 * SECOND)),
            ("01:02:03.123456789", Ok(3_723_123_456)),
            ("1:2", Ok(3_720 * SECOND)),
            ("2h 3min", Ok(7_380 * SECOND)),
            ("1day2hours", Ok(26 * HOUR)),
            ("1h 30min", Ok(5_400 * SECOND)),
            ("1 hr 1 min 1 sec 1 msec 1 usec", Ok(3_661_001_001)),
            ("1 week", Ok(7 * DAY)),
            ("1.5 weeks", Ok(10 * DAY + 12 * HOUR)),
            ("1 m", Ok(MINUTE)),
            ("250 ms", Ok(250_000)),
            ("1.2345678 s", Ok(1_234_568)),
            ("2 days ago", Ok(-2 * DAY)),
            ("@ 1 day", Ok(DAY)),
            ("5", Ok(5 * SECOND)),
            ("0 seconds", Ok(0)),
            ("1 month", Err(Problem::Calendar)),
            ("3 years", Err(Problem::Calendar)),
            ("5 lightyears", Err(Problem::Form)),
            ("1 day 5", Err(Problem::Form)),
            ("- 5 s", Err(Problem::Form)),
            ("1e2 s", Err(Problem::Form)),
            ("1:60", Err(Problem::Form)),
            ("1:2:60", Err(Problem::Form)),
            ("1 day, 2 hours", Err(Problem::Form)),
            ("", Err(Problem::Form)),
            ("1..5 hours", Err(Problem::Form)),
            (". s", Err(Problem::Form)),
            ("ago", Err(Problem::Form)),
            ("999999999999 days", Err(Problem::Range)),
            ("9999999999 weeks", Err(Problem::Range)),
        ] {
            assert_eq!(parse_interval(text), expected, "{text}");
        }
    }

    #[test]
    fn months_and_microseconds_are_separate() {
        for (text, months, micros) in [
            ("1 month 2 days", 1, 2 * DAY),
            ("1 year -2 months", 10, 0),
            ("1.5 years", 18, 0),
            ("1 quarter", 3, 0),
            ("1 decade", 120, 0),
            ("2 years ago", -24, 0),
        ] {
            let span = Interval { months, micros };
            assert_eq!(parse_months(text), Ok(span), "{text}");
            assert_eq!(parse_months(&interval_literal(span)), Ok(span), "{text}");
        }
        assert_eq!(parse_months("1.3 months"), Err(Problem::Calendar));
    }

    #[test]
    fn formatted_intervals_parse_to_the_same_value() {
        for (text, micros) in [
            ("00:00:05", 5 * SECOND),
            ("1 day 02:00:00", DAY + 2 * HOUR),
            ("-1 day -02:00:00", -26 * HOUR),
            ("-3 days -00:00:00.25", -(3 * DAY + 250_000)),
            ("-00:00:01", -SECOND),
        ] {
            assert_eq!(render_interval(micros), text);
        }
        for micros in [0, 1, -1, DAY, -DAY, 26 * HOUR, -26 * HOUR, 1_500, i64::MAX, i64::MIN + 1] {
            assert_eq!(parse_interval(&render_interval(micros)), Ok(micros));
            assert_eq!(
                parse_interval(&interval_literal(Interval { months: 0, micros })),
                Ok(micros)
            );
        }
        assert!(!render_interval(i64::MIN).is_empty());
    }
}
