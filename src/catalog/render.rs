//! Values as text: hex at the pointer width, times in UTC, durations. One rendering serves the
//! terminal, CSV, `CAST(… AS VARCHAR)` and the rest, so that a value looks the same everywhere.

use std::fmt::Write as _;

use super::Value;

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400;

/// How a number is shown; carried by plain column references through a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
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
        let mut text = String::new();
        self.append(&mut text, value, width);
        text
    }

    /// Appends the text of `value`, which spares writers a `String` a cell.
    pub fn append(self, into: &mut String, value: &Value<'_>, width: PointerWidth) {
        match value {
            Value::Null => {}
            Value::Bool(v) => into.push_str(if *v { "true" } else { "false" }),
            Value::Int(v) if self == Self::Hex => append_hex(into, v.cast_unsigned(), 1),
            Value::Int(v) => append_int(into, *v),
            Value::Double(v) => append_double(into, *v),
            Value::Text(v) => into.push_str(v),
            Value::Addr(v) => width.append(into, *v),
            Value::Time(v) => append_timestamp(into, *v, ' '),
            Value::Interval(v) => append_interval(into, *v),
        }
    }
}

impl PointerWidth {
    /// The number of hex digits of a pointer.
    pub const fn digits(self) -> usize {
        match self {
            Self::Bits32 => 8,
            Self::Bits64 => 16,
        }
    }

    /// The address as `0x` and as many digits as a pointer of the dump has, more if it needs them.
    pub fn render(self, address: u64) -> String {
        let mut text = String::new();
        self.append(&mut text, address);
        text
    }

    fn append(self, into: &mut String, address: u64) {
        append_hex(into, address, self.digits());
    }
}

fn append_hex(into: &mut String, value: u64, at_least: usize) {
    let significant = (64 - value.leading_zeros() as usize).div_ceil(4);
    into.push_str("0x");
    for place in (0..significant.max(at_least)).rev() {
        let nibble = u32::try_from(value >> (4 * place) & 0xf).unwrap_or(0);
        into.push(char::from_digit(nibble, 16).unwrap_or('0'));
    }
}

/// Decimal digits from the right into a small buffer: the formatting machinery of the standard
/// library costs several times as much, and exports write millions of these.
fn append_int(into: &mut String, value: i64) {
    let mut digits = [0u8; 20];
    let mut rest = value.unsigned_abs();
    let mut start = digits.len();
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        start -= 1;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        into.push('-');
    }
    into.extend(digits.iter().skip(start).map(|&d| char::from(d)));
}

/// The shortest text that reads back as the same number, always with a point or an exponent.
fn append_double(into: &mut String, v: f64) {
    // Writing into a `String` cannot fail.
    let _ = if v.is_nan() {
        into.write_str("nan")
    } else if v.is_infinite() {
        into.write_str(if v > 0.0 { "inf" } else { "-inf" })
    } else if v != 0.0 && (v.abs() >= 1e16 || v.abs() < 1e-5) {
        write!(into, "{v:e}")
    } else {
        write!(into, "{v:?}")
    };
}

/// Microseconds since 1970-01-01 UTC as `YYYY-MM-DD hh:mm:ss[.ffffff]`.
pub fn render_timestamp(micros: i64) -> String {
    let mut text = String::new();
    append_timestamp(&mut text, micros, ' ');
    text
}

/// Appends a timestamp with `between` between date and time (ISO 8601 wants `T`).
pub fn append_timestamp(into: &mut String, micros: i64, between: char) {
    let seconds = micros.div_euclid(MICROS);
    let (year, month, day) = civil_from_days(seconds.div_euclid(DAY));
    if year < 0 {
        into.push('-');
    }
    append_padded(into, year.unsigned_abs(), 4);
    into.push('-');
    append_padded(into, month.unsigned_abs(), 2);
    into.push('-');
    append_padded(into, day.unsigned_abs(), 2);
    into.push(between);
    append_clock(into, seconds.rem_euclid(DAY).unsigned_abs());
    append_fraction(into, micros.rem_euclid(MICROS).unsigned_abs());
}

/// A duration as `[-][N day(s) ]hh:mm:ss[.ffffff]`.
pub fn render_interval(micros: i64) -> String {
    let mut text = String::new();
    append_interval(&mut text, micros);
    text
}

fn append_interval(into: &mut String, micros: i64) {
    let total = micros.unsigned_abs();
    let seconds = total / MICROS.unsigned_abs();
    let days = seconds / DAY.unsigned_abs();
    if micros < 0 {
        into.push('-');
    }
    if days > 0 {
        append_padded(into, days, 1);
        into.push_str(if days == 1 { " day " } else { " days " });
    }
    append_clock(into, seconds % DAY.unsigned_abs());
    append_fraction(into, total % MICROS.unsigned_abs());
}

/// Seconds of a day as `hh:mm:ss`.
fn append_clock(into: &mut String, second: u64) {
    append_padded(into, second / 3600, 2);
    into.push(':');
    append_padded(into, second / 60 % 60, 2);
    into.push(':');
    append_padded(into, second % 60, 2);
}

fn append_padded(into: &mut String, value: u64, at_least: u32) {
    for place in (1..at_least).rev() {
        if value >= 10u64.pow(place) {
            break;
        }
        into.push('0');
    }
    append_int(into, i64::try_from(value).unwrap_or(i64::MAX));
}

fn append_fraction(into: &mut String, micros: u64) {
    if micros > 0 {
        into.push('.');
        append_padded(into, micros, 6);
        into.truncate(into.trim_end_matches('0').len());
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
    fn numbers_are_written_as_the_standard_library_does() {
        for v in [0, 1, -1, 9, 10, 1234, i64::MAX, i64::MIN] {
            assert_eq!(Format::Plain.render(&Value::Int(v), PointerWidth::Bits64), v.to_string());
            assert_eq!(Format::Hex.render(&Value::Int(v), PointerWidth::Bits64), format!("{v:#x}"));
        }
        assert_eq!(render_timestamp(-62_200_000_000_000_000), "-0002-12-17 14:13:20");
    }

    #[test]
    fn addresses_take_the_pointer_width() {
        assert_eq!(PointerWidth::Bits32.render(0x8047_8b00), "0x80478b00");
        assert_eq!(PointerWidth::Bits64.render(0x8047_8b00), "0x0000000080478b00");
    }
}
