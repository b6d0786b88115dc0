//! Text of timestamps and intervals, both ways. All are microseconds; timestamps count from 1970
//! in UTC and have no zone of their own.

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Why a text is no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// It is not of the form.
    Form,
    /// It uses months or years.
    Calendar,
    /// It does not fit.
    Range,
}

/// `2024-05-01`, blanks around it ignored.
pub(super) fn date(text: &str) -> Option<i64> {
    let mut cursor = Cursor(text.trim());
    let days = cursor.date()?;
    cursor.0.is_empty().then(|| days.checked_mul(DAY))?
}

/// `2024-05-01[( |T)12:34[:56[.789]]][ ](Z|UTC|±hh[[:]mm])`.
pub(super) fn timestamp(text: &str) -> Option<i64> {
    let mut cursor = Cursor(text.trim());
    let days = cursor.date()?;
    let mut micros = 0;
    let mut offset = 0;
    if !cursor.0.is_empty() {
        if !cursor.eat('T') && !cursor.eat('t') && !cursor.eat(' ') {
            return None;
        }
        cursor.blanks();
        micros = cursor.clock(Some(23))?;
        cursor.blanks();
        offset = cursor.zone()?;
    }
    let local = days.checked_mul(DAY)?.checked_add(micros)?;
    cursor.0.is_empty().then(|| local.checked_sub(offset))?
}

/// `1 day 02:30:00`, `5 minutes`, `-1.5 h`.
pub(super) fn interval(text: &str) -> Result<i64, Problem> {
    let mut cursor = Cursor(text.trim());
    let mut total = 0i64;
    if cursor.0.is_empty() {
        return Err(Problem::Form);
    }
    while !cursor.0.is_empty() {
        let part = cursor.interval_part()?;
        total = total.checked_add(part).ok_or(Problem::Range)?;
        cursor.blanks();
    }
    Ok(total)
}

/// The microseconds of a unit: singular, plural or short.
pub(super) fn unit_micros(unit: &str) -> Option<i64> {
    let lower = unit.to_ascii_lowercase();
    let singular = lower.strip_suffix('s').filter(|s| s.len() > 2).unwrap_or(&lower);
    Some(match singular {
        "us" | "microsecond" | "usec" => 1,
        "ms" | "millisecond" | "msec" => 1_000,
        "s" | "sec" | "second" => SECOND,
        "min" | "minute" => 60 * SECOND,
        "h" | "hr" | "hour" => 3_600 * SECOND,
        "d" | "day" => DAY,
        "week" => 7 * DAY,
        _ => return None,
    })
}

/// `number * factor`, if it is whole and fits; the number is digits with a point at most.
pub(super) fn scaled(number: &str, factor: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction = fraction.trim_end_matches('0');
    let places = u32::try_from(fraction.len()).ok().filter(|&p| p <= 18)?;
    let numerator: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let scaled = numerator * i128::from(factor);
    let unit = 10i128.pow(places);
    if scaled % unit != 0 {
        return None;
    }
    whole.checked_mul(factor)?.checked_add(i64::try_from(scaled / unit).ok()?)
}

/// A timestamp as [`timestamp`] reads it.
pub(super) fn timestamp_text(micros: i64) -> String {
    let (days, of_day) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let (seconds, fraction) = (of_day / SECOND, of_day % SECOND);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction}")
}

/// An interval as [`interval`] reads it, in the largest unit that needs no fraction.
pub(super) fn interval_text(micros: i64) -> String {
    let units = [
        ("day", DAY),
        ("hour", 3_600 * SECOND),
        ("minute", 60 * SECOND),
        ("second", SECOND),
        ("millisecond", 1_000),
    ];
    let whole = units.into_iter().find(|(_, unit)| micros != 0 && micros % unit == 0);
    let (name, unit) = whole.unwrap_or(("microsecond", 1));
    let count = micros / unit;
    format!("{count} {name}{}", if count.unsigned_abs() == 1 { "" } else { "s" })
}

struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn eat(&mut self, c: char) -> bool {
        let rest = self.0.strip_prefix(c);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn blanks(&mut self) {
        self.0 = self.0.trim_start();
    }

    /// Between `least` and `most` digits.
    fn digits(&mut self, least: usize, most: usize) -> Option<&str> {
        let length = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        (length >= least).then_some(digits)
    }

    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        self.digits(least, most)?.parse().ok()
    }

    /// Days since 1970.
    fn date(&mut self) -> Option<i64> {
        let year = self.number(4, 6)?;
        let month = self.eat('-').then(|| self.number(1, 2))??;
        let day = self.eat('-').then(|| self.number(1, 2))??;
        let days = days_of(year, month, day);
        // The calendar rolls 31 April over to 1 May; a literal may not.
        (civil(days) == (year, month, day)).then_some(days)
    }

    /// `12:34[:56[.789]]`; without `hours` as many hours as wanted.
    fn clock(&mut self, hours: Option<i64>) -> Option<i64> {
        let hour = self.number(1, 9)?;
        let minute = self.eat(':').then(|| self.number(2, 2))??;
        let mut micros = 0;
        if self.eat(':') {
            let second = self.number(2, 2).filter(|&s| s < 60)?;
            micros = second * SECOND;
            if self.eat('.') {
                let digits = self.digits(1, 9)?;
                let six: String = digits.chars().chain("000000".chars()).take(6).collect();
                micros += six.parse::<i64>().ok()?;
            }
        }
        let fits = minute < 60 && hours.is_none_or(|most| hour <= most);
        fits.then(|| (hour * 3_600 + minute * 60) * SECOND + micros)
    }

    /// The offset from UTC; nothing is UTC.
    fn zone(&mut self) -> Option<i64> {
        for name in ["UTC", "utc", "Z", "z"] {
            if let Some(rest) = self.0.strip_prefix(name) {
                self.0 = rest;
                return Some(0);
            }
        }
        let sign = if self.eat('-') {
            -1
        } else if self.eat('+') {
            1
        } else {
            return Some(0);
        };
        let hours = self.number(2, 2).filter(|&h| h <= 18)?;
        let colon = self.eat(':');
        let minutes = if colon || !self.0.is_empty() { self.number(2, 2)? } else { 0 };
        (minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60) * SECOND)
    }

    fn interval_part(&mut self) -> Result<i64, Problem> {
        let negative = self.eat('-');
        if !negative {
            self.eat('+');
        }
        let sign = if negative { -1 } else { 1 };
        let before = self.0;
        let length = before.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(before.len());
        let (number, rest) = before.split_at_checked(length).ok_or(Problem::Form)?;
        if rest.starts_with(':') {
            return self.clock(None).map(|micros| sign * micros).ok_or(Problem::Form);
        }
        if !number.contains(|c: char| c.is_ascii_digit()) || number.matches('.').count() > 1 {
            return Err(Problem::Form);
        }
        let rest = rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at_checked(end).ok_or(Problem::Form)?;
        self.0 = rest;
        let Some(micros) = unit_micros(unit) else {
            let lower = unit.to_ascii_lowercase();
            let calendar = ["month", "mon", "year", "yr", "quarter", "decade", "century"];
            let is_calendar = calendar.contains(&lower.strip_suffix('s').unwrap_or(&lower));
            return Err(if is_calendar { Problem::Calendar } else { Problem::Form });
        };
        scaled(number, micros).map(|part| sign * part).ok_or(Problem::Range)
    }
}

/// Days since 1970 of a date of the Gregorian calendar, counted in years that begin in March so
/// that the leap day is the last.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of days since 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{DAY, Problem, SECOND, date, interval, interval_text, timestamp, timestamp_text};

    #[test]
    fn timestamps_read_and_write() {
        for (text, expected) in [
            ("1970-01-01", Some(0)),
            ("2024-02-29 00:00:01", Some(1_709_164_801 * SECOND)),
            ("2024-02-29T00:00:01Z", Some(1_709_164_801 * SECOND)),
            ("2024-02-29 02:00:01+02", Some(1_709_164_801 * SECOND)),
            ("2024-02-28 22:30:01-01:30", Some(1_709_164_801 * SECOND)),
            ("1969-12-31 23:59:59.5", Some(-500_000)),
            ("2023-02-29", None),
            ("2024-13-01", None),
            ("2024-01-01 24:00", None),
            ("2024-01-01 1", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(timestamp(text), expected, "{text}");
            if let Some(micros) = expected {
                assert_eq!(timestamp(&timestamp_text(micros)), expected);
            }
        }
        assert_eq!(date("2024-02-29"), Some(1_709_164_800 * SECOND));
        assert_eq!(date("2024-02-29 10:00"), None);
    }

    #[test]
    fn intervals_read_and_write() {
        for (text, expected) in [
            ("5 minutes", Ok(300 * SECOND)),
            ("1 day 02:30:00", Ok(DAY + 9_000 * SECOND)),
            ("-1.5 hours", Ok(-5_400 * SECOND)),
            ("100:00:00", Ok(360_000 * SECOND)),
            ("2h 3min", Ok(7_380 * SECOND)),
            ("1 week", Ok(7 * DAY)),
            ("0 seconds", Ok(0)),
            ("1 month", Err(Problem::Calendar)),
            ("3 years", Err(Problem::Calendar)),
            ("5 lightyears", Err(Problem::Form)),
            ("5", Err(Problem::Form)),
            ("", Err(Problem::Form)),
            ("999999999999 days", Err(Problem::Range)),
            ("1..5 hours", Err(Problem::Form)),
        ] {
            assert_eq!(interval(text), expected, "{text}");
            if let Ok(micros) = expected {
                assert_eq!(interval(&interval_text(micros)), expected);
            }
        }
    }
}
