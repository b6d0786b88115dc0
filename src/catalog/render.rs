//! Values as text: hex at the pointer width, times in UTC, durations. One rendering serves the
//! terminal, CSV, `CAST(… AS VARCHAR)` and the rest, so that a value looks the same everywhere.

use std::fmt::Write as _;

use super::Value;

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400;

/// How a number is shown; carried by plain column references through a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// The type's own rendering.
    #[default]
    Plain,
    /// An integer shown as `0x…` without leading zeros (bug check codes, flags, checksums).
    Hex,
}

/// The width of the dump's pointers, which addresses are padded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PointerWidth {
    /// 8 hex digits.
    Bits32,
    /// 16 hex digits.
    #[default]
    Bits64,
}

impl Format {
    /// The text of `value`; empty for NULL.
    pub fn render(self, value: &Value<'_>, width: PointerWidth) -> String {
        match value {
            Value::Null => String::new(),
            Value::Bool(v) => v.to_string(),
            Value::Int(v) if self == Self::Hex => format!("{v:#x}"),
            Value::Int(v) => v.to_string(),
            Value::Double(v) => render_double(*v),
            Value::Text(v) => v.to_string(),
            Value::Addr(v) => width.render(*v),
            Value::Time(v) => render_timestamp(*v),
            Value::Interval(v) => render_interval(*v),
        }
    }
}

impl PointerWidth {
    /// The address as `0x` and as many digits as a pointer of the dump has, more if it needs them.
    pub fn render(self, address: u64) -> String {
        match self {
            Self::Bits32 => format!("0x{address:08x}"),
            Self::Bits64 => format!("0x{address:016x}"),
        }
    }
}

/// The shortest text that reads back as the same number, always with a point or an exponent.
fn render_double(v: f64) -> String {
    if v.is_nan() {
        "nan".to_owned()
    } else if v.is_infinite() {
        if v > 0.0 { "inf".to_owned() } else { "-inf".to_owned() }
    } else if v != 0.0 && (v.abs() >= 1e16 || v.abs() < 1e-5) {
        format!("{v:e}")
    } else {
        format!("{v:?}")
    }
}

/// Microseconds since 1970-01-01 UTC as `YYYY-MM-DD hh:mm:ss[.ffffff]`.
pub fn render_timestamp(micros: i64) -> String {
    let seconds = micros.div_euclid(MICROS);
    let (year, month, day) = civil_from_days(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    let mut text = format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    );
    push_fraction(&mut text, micros.rem_euclid(MICROS).unsigned_abs());
    text
}

/// A duration as `[-][N day(s) ]hh:mm:ss[.ffffff]`.
pub fn render_interval(micros: i64) -> String {
    let total = micros.unsigned_abs();
    let seconds = total / MICROS.unsigned_abs();
    let days = seconds / DAY.unsigned_abs();
    let mut text = String::new();
    if micros < 0 {
        text.push('-');
    }
    if days > 0 {
        let _ = write!(text, "{days} day{} ", if days == 1 { "" } else { "s" });
    }
    let second = seconds % DAY.unsigned_abs();
    let _ = write!(text, "{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    push_fraction(&mut text, total % MICROS.unsigned_abs());
    text
}

fn push_fraction(text: &mut String, micros: u64) {
    if micros > 0 {
        let digits = format!("{micros:06}");
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
}

/// Parses `YYYY-MM-DD`, optionally followed by ` ` or `T`, `hh:mm[:ss[.f]]` and `Z` or `UTC`.
/// Returns microseconds since 1970-01-01 UTC, or `None` if the text is no such time.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches("UTC").trim_end_matches(['Z', 'z']).trim_end();
    let (date, time) = match text.split_once([' ', 'T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let (sign, date) = date.strip_prefix('-').map_or((1, date), |rest| (-1, rest));
    let mut parts = date.splitn(3, '-').map(digits);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) || year > 200_000 {
        return None;
    }
    let micros = time.map_or(Some(0), parse_clock)?;
    if micros >= DAY * MICROS {
        return None;
    }
    days_from_civil(sign * year, month, day).checked_mul(DAY * MICROS)?.checked_add(micros)
}

/// Parses a duration: `hh:mm[:ss[.f]]`, and `N unit` pairs from weeks to microseconds in any
/// combination (`5 days 01:02:03`, `1h 30min`, `250 ms`), with an optional leading sign.
/// Returns microseconds; `None` for anything else, months and years (no fixed length) included.
pub fn parse_interval(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1i64, rest.trim_start()),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if text.is_empty() {
        return None;
    }
    let mut total = 0i64;
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.split_whitespace().next()?;
        if word.contains(':') {
            total = total.checked_add(parse_clock(word)?)?;
            rest = rest[word.len()..].trim_start();
            continue;
        }
        let split = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(split);
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        total = total.checked_add(scale(number, unit_micros(unit)?)?)?;
        rest = after.trim_start();
    }
    total.checked_mul(sign)
}

fn unit_micros(unit: &str) -> Option<i64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "week" | "weeks" | "w" => 7 * DAY * MICROS,
        "day" | "days" | "d" => DAY * MICROS,
        "hour" | "hours" | "hr" | "hrs" | "h" => 3600 * MICROS,
        "minute" | "minutes" | "min" | "mins" | "m" => 60 * MICROS,
        "second" | "seconds" | "sec" | "secs" | "s" => MICROS,
        "millisecond" | "milliseconds" | "msec" | "ms" => 1000,
        "microsecond" | "microseconds" | "usec" | "us" => 1,
        _ => return None,
    })
}

/// `number` (digits with an optional fraction) times `unit`, exact to the microsecond.
fn scale(number: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut micros = if whole.is_empty() { 0 } else { digits(whole)?.checked_mul(unit)? };
    let mut place = unit;
    for c in fraction.chars() {
        place /= 10;
        micros = micros.checked_add(i64::from(c.to_digit(10)?).checked_mul(place)?)?;
    }
    Some(micros)
}

fn parse_clock(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let hours = digits(parts.next()?)?;
    let minutes = digits(parts.next()?)?;
    let seconds = parts.next().unwrap_or("0");
    let micros = scale(seconds, MICROS)?;
    if minutes > 59 || micros >= 60 * MICROS || seconds.is_empty() {
        return None;
    }
    hours.checked_mul(3600)?.checked_add(minutes * 60)?.checked_mul(MICROS)?.checked_add(micros)
}

fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar: years counted from March,
/// in eras of 400 years of 146,097 days.
pub const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
pub const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_read_back() {
        for text in [
            "1970-01-01 00:00:00",
            "2007-11-09 23:59:59.000001",
            "1601-01-01 00:00:00",
            "2000-02-29 12:00:00.5",
        ] {
            let micros = parse_timestamp(text).expect(text);
            assert_eq!(render_timestamp(micros), text);
        }
        assert_eq!(parse_timestamp("2007-11-09"), parse_timestamp("2007-11-09T00:00:00Z"));
        for bad in [
            "",
            "2007-13-01",
            "2007-02-30",
            "2007-01-01 24:00:00",
            "2007-01-01 1",
            "x",
            "2007-1-1-1",
        ] {
            assert_eq!(parse_timestamp(bad), None, "{bad}");
        }
    }

    #[test]
    fn intervals_read_back() {
        for (text, micros) in [
            ("00:00:05", 5 * MICROS),
            ("1 day 02:00:00", (DAY + 7200) * MICROS),
            ("-3 days 00:00:00.25", -(3 * DAY * MICROS + 250_000)),
        ] {
            assert_eq!(parse_interval(text), Some(micros), "{text}");
            assert_eq!(render_interval(micros), text);
        }
        assert_eq!(parse_interval("1h 30min"), Some(5400 * MICROS));
        assert_eq!(parse_interval("1.5 s"), Some(1_500_000));
        for bad in ["", "5", "1 month", "1 day x", "9999999999 weeks"] {
            assert_eq!(parse_interval(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_take_the_pointer_width() {
        assert_eq!(PointerWidth::Bits32.render(0x8047_8b00), "0x80478b00");
        assert_eq!(PointerWidth::Bits64.render(0x8047_8b00), "0x0000000080478b00");
    }
}
