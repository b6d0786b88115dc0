//! strftime patterns with the codes of DuckDB (`%f` is microseconds, `%g` milliseconds, `%n`
//! nanoseconds), based on `jiff`, in which these codes differ.

use std::fmt::Write as _;

use jiff::fmt::strtime::{self, BrokenDownTime};

use super::{DAY, Date, Moment};

/// Why a text is not a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPattern {
    /// It ends within a field.
    Ends,
    /// There is no field with this letter.
    Letter(char),
}

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// A part that `jiff` handles in the same way.
    Plain(String),
    /// A year, for which `jiff` supports only four digits, and whether it is padded with zeros.
    Year(bool),
    /// The last two digits of the year.
    ShortYear(bool),
    /// The year of the ISO week.
    IsoYear(bool),
    /// A fraction of a second with this many digits.
    Fraction(u8),
    /// The offset from UTC.
    Offset,
    /// The name of the zone.
    Zone,
}

/// A pattern, parsed once for many values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

impl Pattern {
    /// Parses a pattern.
    ///
    /// # Errors
    ///
    /// If it has an unknown field.
    pub fn new(text: &str) -> Result<Self, BadPattern> {
        let mut pieces = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                pieces.push(Piece::Plain(c.to_string()));
                continue;
            }
            let mut letter = chars.next();
            let padded = letter != Some('-');
            if !padded {
                letter = chars.next();
            }
            let letter = letter.ok_or(BadPattern::Ends)?;
            match Self::whole(letter) {
                Some(whole) => pieces.extend(Self::new(whole)?.0),
                None => pieces.push(Self::field(letter, padded).ok_or(BadPattern::Letter(letter))?),
            }
        }
        Ok(Self(pieces))
    }

    /// The pattern for which a letter is an abbreviation.
    const fn whole(letter: char) -> Option<&'static str> {
        match letter {
            'c' => Some("%Y-%m-%d %H:%M:%S"),
            'x' => Some("%Y-%m-%d"),
            'X' => Some("%H:%M:%S"),
            _ => None,
        }
    }

    fn field(letter: char, padded: bool) -> Option<Piece> {
        Some(match letter {
            'Y' => Piece::Year(padded),
            'y' => Piece::ShortYear(padded),
            'G' => Piece::IsoYear(padded),
            'm' | 'd' | 'H' | 'I' | 'M' | 'S' | 'j' | 'U' | 'W' | 'V' if !padded => {
                Piece::Plain(format!("%-{letter}"))
            }
            _ if !padded => return None,
            'm' | 'd' | 'H' | 'I' | 'M' | 'S' | 'j' | 'U' | 'W' | 'V' | 'w' | 'u' | 'a' | 'A'
            | 'b' | 'B' | 'p' | '%' => Piece::Plain(format!("%{letter}")),
            'g' => Piece::Fraction(3),
            'f' => Piece::Fraction(6),
            'n' => Piece::Fraction(9),
            'z' => Piece::Offset,
            'Z' => Piece::Zone,
            _ => return None,
        })
    }

    /// Appends the time in the format of the pattern.
    pub fn append(&self, into: &mut String, micros: i64) -> Option<()> {
        let moment = Moment::of(micros);
        let (civil, _) = moment.civil();
        let mut pattern = String::new();
        for piece in &self.0 {
            // Writing to a `String` cannot fail.
            let _ = match piece {
                Piece::Plain(text) => pattern.write_str(text),
                Piece::Year(padded) => year(&mut pattern, moment.date.year(), *padded),
                Piece::IsoYear(padded) => year(&mut pattern, moment.date.iso_week().0, *padded),
                Piece::ShortYear(padded) => {
                    let width = if *padded { 2 } else { 0 };
                    write!(pattern, "{:0width$}", moment.date.year().rem_euclid(100))
                }
                Piece::Fraction(digits) => write!(pattern, "%{digits}f"),
                Piece::Offset => pattern.write_str("+00"),
                Piece::Zone => Ok(()),
            };
        }
        into.push_str(&strtime::format(&pattern, civil).ok()?);
        Some(())
    }

    /// Parses a text by the pattern; `None` if it does not match or is not a valid time. Fields
    /// that are not in the pattern are taken from 1900-01-01 00:00.
    pub fn parse(&self, text: &str) -> Option<i64> {
        let has_offset = self.0.contains(&Piece::Offset);
        let offsets: &[&str] = if has_offset { &["%z", "%:z", "%:::z"] } else { &[""] };
        let parse = |offset: &&str| {
            let pattern = self.to_parse(offset);
            BrokenDownTime::parse(&pattern, text.trim_start()).ok()
        };
        micros_of(offsets.iter().find_map(parse)?)
    }

    fn to_parse(&self, offset: &str) -> String {
        let of = |piece: &Piece| match piece {
            Piece::Plain(text) => text.clone(),
            Piece::Year(_) => "%Y".to_owned(),
            Piece::ShortYear(_) => "%y".to_owned(),
            Piece::IsoYear(_) => "%G".to_owned(),
            Piece::Fraction(_) => "%f".to_owned(),
            Piece::Offset => offset.to_owned(),
            Piece::Zone => "%Q".to_owned(),
        };
        self.0.iter().map(of).collect()
    }
}

fn year(into: &mut String, year: i64, padded: bool) -> std::fmt::Result {
    let width = if padded { 4 } else { 0 };
    let sign = if year < 0 { "-" } else { "" };
    write!(into, "{sign}{:0width$}", year.unsigned_abs())
}

fn micros_of(mut time: BrokenDownTime) -> Option<i64> {
    if time.year().is_none() && time.iso_week_year().is_none() {
        time.set_year(Some(1900)).ok()?;
    }
    let by_week = [time.iso_week(), time.sunday_based_week(), time.monday_based_week()];
    let by_week = by_week.iter().any(Option::is_some);
    if !by_week {
        // A weekday is ignored if there is a date.
        time.set_weekday(None);
    }
    if !by_week && time.day_of_year().is_none() {
        let month = time.month().unwrap_or(1);
        time.set_month(Some(month)).ok()?;
        let day = time.day().unwrap_or(1);
        time.set_day(Some(day)).ok()?;
    }
    let fills = time.hour().is_none() && (time.minute().is_some() || time.second().is_some());
    if fills {
        time.set_hour(Some(0)).ok()?;
    }
    if time.minute().is_none() && time.second().is_some() {
        time.set_minute(Some(0)).ok()?;
    }
    if time.subsec_nanosecond().is_some() && time.second().is_none() {
        return None;
    }
    let civil = time.to_datetime().ok()?;
    let local = local_micros(civil)?;
    if let Some(offset) = time.offset() {
        return local.checked_sub(i64::from(offset.seconds()) * super::SECOND);
    }
    match time.iana_time_zone() {
        Some(name) => super::Zone::parse(name)?.to_utc(local),
        None => Some(local),
    }
}

fn local_micros(civil: jiff::civil::DateTime) -> Option<i64> {
    let date = Date::new(civil.year().into(), civil.month().into(), civil.day().into())?;
    let time = civil.time();
    let seconds =
        i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    let within = seconds * super::SECOND + i64::from(time.subsec_nanosecond()) / 1_000;
    date.days()?.checked_mul(DAY)?.checked_add(within)
}

/// Parses `Mon Jul  2 14:41:11.250 2001`, with or without the name of the day, the format in which
/// debuggers print times. The result is in microseconds since 1970 in the same, unknown time zone.
pub fn parse_debugger_time(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let ([_, month, day, clock, year] | [month, day, clock, year]) = *words.as_slice() else {
        return None;
    };
    // Digits after the ninth are below the precision.
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let fraction = fraction.get(..9).unwrap_or(fraction);
    let joined = format!("{month} {day} {clock}.{fraction} {year}");
    ["%b %d %H:%M:%S%.f %Y", "%B %d %H:%M:%S%.f %Y"].iter().find_map(|pattern| {
        let time = BrokenDownTime::parse(pattern, &joined).ok()?;
        local_micros(time.to_datetime().ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::super::{SECOND, parse_timestamp, render_timestamp};
    use super::*;

    fn shown(time: &str, pattern: &str) -> String {
        let mut text = String::new();
        let pattern = Pattern::new(pattern).expect(pattern);
        pattern.append(&mut text, parse_timestamp(time).expect(time)).expect("text");
        text
    }

    /// Results of DuckDB 2.0.1.
    #[test]
    fn every_field_is_shown() {
        assert_eq!(
            shown(
                "2007-11-09 17:42:05.123456",
                "%a|%A|%w|%u|%d|%-d|%b|%B|%m|%-m|%y|%-y|%Y|%H|%-H|%I|%-I|%p|%M|%-M|%S|%-S|%g|%f|%n|%z|%Z|%j|%-j|%U|%W|%V|%G|%c|%x|%X|%%"
            ),
            "Fri|Friday|5|5|09|9|Nov|November|11|11|07|7|2007|17|17|05|5|PM|42|42|05|5|123|123456|123456000|+00||313|313|44|45|45|2007|2007-11-09 17:42:05|2007-11-09|17:42:05|%"
        );
        assert_eq!(shown("0907-01-09 07:02:05", "%Y|%y|%G|%-I|%z"), "0907|07|0907|7|+00");
        assert_eq!(
            shown("12007-01-09 07:02:05", "%Y|%y|%G|%-I|%c"),
            "12007|07|12007|7|12007-01-09 07:02:05"
        );
        assert_eq!(shown("1850-01-01", "%y é %d"), "50 é 01");
        assert_eq!(Pattern::new("%q"), Err(BadPattern::Letter('q')));
        assert_eq!(Pattern::new("%-a"), Err(BadPattern::Letter('a')));
        assert_eq!(Pattern::new("100%"), Err(BadPattern::Ends));
    }

    /// Results of DuckDB 2.0.1.
    #[test]
    fn texts_are_read_by_patterns() {
        for (text, pattern, expected) in [
            ("09.11.2007 17:42", "%d.%m.%Y %H:%M", Some("2007-11-09 17:42:00")),
            ("2007-11-09 17:42:05.25", "%Y-%m-%d %H:%M:%S.%f", Some("2007-11-09 17:42:05.25")),
            ("Nov 9 2007", "%b %d %Y", Some("2007-11-09 00:00:00")),
            ("Fri November 09 07", "%a %B %d %y", Some("2007-11-09 00:00:00")),
            ("2007-11-09 05:42 PM", "%Y-%m-%d %I:%M %p", Some("2007-11-09 17:42:00")),
            ("2007-11-09 05:42 +0200", "%Y-%m-%d %H:%M %z", Some("2007-11-09 03:42:00")),
            ("2007-11-09 05:42 +02:30", "%Y-%m-%d %H:%M %z", Some("2007-11-09 03:12:00")),
            ("2007-11-09 05:42 +02", "%Y-%m-%d %H:%M %z", Some("2007-11-09 03:42:00")),
            ("2007", "%Y", Some("2007-01-01 00:00:00")),
            ("17:42", "%H:%M", Some("1900-01-01 17:42:00")),
            ("2007-313", "%Y-%j", Some("2007-11-09 00:00:00")),
            (" 2007-11-09", "%Y-%m-%d", Some("2007-11-09 00:00:00")),
            ("2007-W45-5", "%G-W%V-%u", Some("2007-11-09 00:00:00")),
            ("68-01-01", "%y-%m-%d", Some("2068-01-01 00:00:00")),
            ("69-01-01", "%y-%m-%d", Some("1969-01-01 00:00:00")),
            ("1/2/2007", "%m/%d/%Y", Some("2007-01-02 00:00:00")),
            ("2007-11-31", "%Y-%m-%d", None),
            ("2007-11-09x", "%Y-%m-%d", None),
            ("x", "%Y", None),
        ] {
            let time = Pattern::new(pattern).expect(pattern).parse(text).map(render_timestamp);
            assert_eq!(time.as_deref(), expected, "{text} by {pattern}");
        }
    }

    #[test]
    fn times_in_debugger_format_are_parsed() {
        for (text, expected) in [
            ("Mon Jul  2 14:41:11.250 2001", Some("2001-07-02 14:41:11.25")),
            ("Jul 02 14:41:11 2001", Some("2001-07-02 14:41:11")),
            ("Mon July 2 14:41:11 2001", Some("2001-07-02 14:41:11")),
            ("Mon Foo 02 14:41:11 2001", None),
            ("Mon Feb 30 14:41:11 2001", None),
            ("Mon Jul 02 14:41 2001", None),
        ] {
            let time = parse_debugger_time(text).map(render_timestamp);
            assert_eq!(time.as_deref(), expected, "{text}");
        }
        assert_eq!(parse_debugger_time("Thu Jan 1 00:00:01 1970"), Some(SECOND));
    }
}
