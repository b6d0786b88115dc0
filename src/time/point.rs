//! Text of timestamps: `2024-05-01[( |T)12:34[:56[.789]][ ][zone]]`, and back.
//!
//! A timestamp is a point in time, so a zone in the text converts it to UTC. DuckDB ignores the
//! zone in a cast to `TIMESTAMP` and applies it in a cast to `TIMESTAMPTZ`; here both are one type.

use super::scan::Scan;
use super::zone::Zone;
use super::{DAY, Date, HOUR, MINUTE, Moment, SECOND};

/// Midnight of a date such as `2024-05-01`, `2024/5/1` or `-0044-03-15`; surrounding blanks are
/// ignored.
pub fn parse_date(text: &str) -> Option<i64> {
    let mut scan = Scan(text.trim());
    let date = date(&mut scan)?;
    if scan.is_done() { date.midnight() } else { None }
}

/// A date, or a date and a time of day (`24:00:00` is midnight of the next day), with an optional
/// zone: `Z`, `UTC`, `+02`, `-0930`, `+05:30`, or a name such as `Europe/Berlin`; UTC if there is
/// none. Surrounding blanks are ignored.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let mut scan = Scan(text.trim());
    if scan.0.eq_ignore_ascii_case("epoch") {
        return Some(0);
    }
    let date = date(&mut scan)?;
    if scan.is_done() {
        return date.midnight();
    }
    if !scan.eat('T') && !scan.eat('t') && !scan.eat(' ') {
        return None;
    }
    scan.blanks();
    let within = scan.clock().filter(|&w| w <= DAY)?;
    scan.blanks();
    let local = i128::from(date.days()?) * i128::from(DAY) + i128::from(within);
    let local = i64::try_from(local).ok()?;
    if scan.is_done() { Some(local) } else { Zone::parse(scan.0)?.to_utc(local) }
}

fn date(scan: &mut Scan<'_>) -> Option<Date> {
    let sign = if scan.eat('-') { -1 } else { 1 };
    let year = scan.number(6)?;
    let between = if scan.eat('-') {
        '-'
    } else if scan.eat('/') {
        '/'
    } else {
        return None;
    };
    let month = scan.number(2)?;
    let day = scan.eat(between).then(|| scan.number(2))??;
    Date::new(sign * year, month, day)
}

/// Microseconds since 1970-01-01 UTC as `YYYY-MM-DD hh:mm:ss[.ffffff]`.
pub fn render_timestamp(micros: i64) -> String {
    let mut text = String::new();
    append_timestamp(&mut text, micros, ' ');
    text
}

/// A time of day, `12:34[:56[.789]]` up to `24:00:00`, as microseconds since midnight; blanks around
/// it are ignored.
pub fn parse_clock(text: &str) -> Option<i64> {
    let mut scan = Scan(text.trim());
    let within = scan.clock().filter(|&within| within <= DAY)?;
    scan.is_done().then_some(within)
}

/// Appends the day of a point in time as `YYYY-MM-DD`.
pub fn append_day(into: &mut String, micros: i64) {
    append_date(into, Moment::of(micros).date);
}

/// The day of a point in time as `YYYY-MM-DD`.
pub fn render_day(micros: i64) -> String {
    let mut text = String::new();
    append_day(&mut text, micros);
    text
}

/// Appends microseconds since midnight as `hh:mm:ss[.ffffff]`.
pub fn append_time_of_day(into: &mut String, within: i64) {
    let clock = [within / HOUR, within / MINUTE % 60, within / SECOND % 60];
    append_clock(into, clock);
    append_fraction(into, within % SECOND);
}

/// Appends a timestamp with `between` between date and time (ISO 8601 requires `T`).
pub fn append_timestamp(into: &mut String, micros: i64, between: char) {
    let moment = Moment::of(micros);
    let [hour, minute, second, fraction] = moment.clock();
    append_date(into, moment.date);
    into.push(between);
    append_clock(into, [hour, minute, second]);
    append_fraction(into, fraction);
}

fn append_date(into: &mut String, date: Date) {
    if date.year() < 0 {
        into.push('-');
    }
    append_padded(into, date.year(), 4);
    into.push('-');
    append_padded(into, date.month(), 2);
    into.push('-');
    append_padded(into, date.day(), 2);
}

pub(super) fn append_clock(into: &mut String, [hour, minute, second]: [i64; 3]) {
    append_padded(into, hour, 2);
    into.push(':');
    append_padded(into, minute, 2);
    into.push(':');
    append_padded(into, second, 2);
}

/// Appends the digits of a number without its sign, padded with zeros to a minimum length.
pub(super) fn append_padded(into: &mut String, value: i64, at_least: usize) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs());
    into.extend(std::iter::repeat_n('0', at_least.saturating_sub(digits.len())));
    into.push_str(digits);
}

pub(super) fn append_fraction(into: &mut String, micros: i64) {
    if micros != 0 {
        into.push('.');
        append_padded(into, micros, 6);
        into.truncate(into.trim_end_matches('0').len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read() {
        let leap = 1_709_164_801 * SECOND;
        for (text, expected) in [
            ("1970-01-01", Some(0)),
            (" 1970-01-01 ", Some(0)),
            ("epoch", Some(0)),
            ("2024-02-29 00:00:01", Some(leap)),
            ("2024-2-29 0:0:1", Some(leap)),
            ("2024/02/29 00:00:01", Some(leap)),
            ("2024-02-29T00:00:01Z", Some(leap)),
            ("2024-02-29 00:00:01 UTC", Some(leap)),
            ("2024-02-29 02:00:01+02", Some(leap)),
            ("2024-02-29 02:00:01 +02:00", Some(leap)),
            ("2024-02-29 02:30:01+0230", Some(leap)),
            ("2024-02-28 22:30:01-01:30", Some(leap)),
            ("2024-02-29 01:00:01 Europe/Berlin", Some(leap)),
            ("2024-02-28 19:00:01 America/New_York", Some(leap)),
            ("2024-02-29 00:00:01.1234567", Some(leap + 123_456)),
            ("1969-12-31 23:59:59.5", Some(-500_000)),
            ("1969-12-31 24:00", Some(0)),
            ("2023-02-29", None),
            ("2024-13-01", None),
            ("2024-01-01 24:01", None),
            ("2024-01-01 10:00:60", None),
            ("2024-01-01 1", None),
            ("2024-01-01Z", None),
            ("2024-01-01 10:00 nowhere", None),
            ("2024-01-01 10:00+99", None),
            ("2024-01/01", None),
            ("2007-1-1-1", None),
            ("300000-01-01", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(parse_timestamp(text), expected, "{text}");
        }
        assert_eq!(parse_date("2024-02-29"), Some(1_709_164_800 * SECOND));
        assert_eq!(parse_date("2024-02-29 10:00"), None);
    }

    #[test]
    fn formatted_timestamps_parse_to_the_same_value() {
        for text in [
            "1970-01-01 00:00:00",
            "2007-11-09 23:59:59.000001",
            "1601-01-01 00:00:00",
            "2000-02-29 12:00:00.5",
            "-0002-12-17 14:13:20",
            "0000-01-01 00:00:00",
            "12024-01-01 00:00:00",
            "294247-01-10 04:00:54.775807",
            "-290308-12-21 19:59:05.224192",
        ] {
            let micros = parse_timestamp(text).expect(text);
            assert_eq!(render_timestamp(micros), text);
        }
    }
}
