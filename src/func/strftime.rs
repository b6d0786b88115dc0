//! Times as text by a pattern of percent signs.

use std::fmt::Write as _;

use super::def::{Fault, bad, check_length};
use super::time::{DAY, HOUR, MINUTE, SECOND, iso_week};
use crate::catalog::{Value, civil_from_days, days_from_civil};

const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A time taken apart.
struct Clock {
    days: i64,
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
}

impl Clock {
    const fn new(time: i64) -> Self {
        let days = time.div_euclid(DAY);
        let within = time.rem_euclid(DAY);
        let (year, month, day) = civil_from_days(days);
        Self {
            days,
            year,
            month,
            day,
            hour: within / HOUR,
            minute: within % HOUR / MINUTE,
            second: within % MINUTE / SECOND,
            micros: within % SECOND,
        }
    }

    /// 0 is Sunday.
    const fn weekday(&self) -> i64 {
        (self.days + 4).rem_euclid(7)
    }

    /// From 1.
    const fn day_of_year(&self) -> i64 {
        self.days - days_from_civil(self.year, 1, 1) + 1
    }

    const fn half_day_hour(&self) -> i64 {
        if self.hour % 12 == 0 { 12 } else { self.hour % 12 }
    }

    /// The number behind a letter and how many digits it is padded to.
    fn number(&self, letter: char) -> Option<(i64, usize)> {
        Some(match letter {
            'Y' => (self.year, 4),
            'y' => (self.year.rem_euclid(100), 2),
            'm' => (self.month, 2),
            'd' => (self.day, 2),
            'H' => (self.hour, 2),
            'I' => (self.half_day_hour(), 2),
            'M' => (self.minute, 2),
            'S' => (self.second, 2),
            'f' => (self.micros, 6),
            'g' => (self.micros / 1000, 3),
            'j' => (self.day_of_year(), 3),
            'w' => (self.weekday(), 1),
            'u' => ((self.weekday() + 6) % 7 + 1, 1),
            'U' => ((self.day_of_year() + 6 - self.weekday()) / 7, 2),
            'W' => ((self.day_of_year() + 6 - (self.weekday() + 6) % 7) / 7, 2),
            'V' => (iso_week(self.days).1, 2),
            'G' => (iso_week(self.days).0, 4),
            _ => return None,
        })
    }

    fn word(&self, letter: char) -> Option<&'static str> {
        let day = || DAYS.get(usize::try_from(self.weekday()).ok()?).copied();
        let month = || MONTHS.get(usize::try_from(self.month - 1).ok()?).copied();
        match letter {
            'A' => day(),
            'a' => day()?.get(..3),
            'B' => month(),
            'b' => month()?.get(..3),
            'p' => Some(if self.hour < 12 { "AM" } else { "PM" }),
            'Z' => Some(""),
            'z' => Some("+00"),
            '%' => Some("%"),
            _ => None,
        }
    }
}

/// The text of `time` by `pattern`.
pub(super) fn format(time: i64, pattern: &str) -> Result<Value<'static>, Fault> {
    let mut result = String::new();
    append(&mut result, &Clock::new(time), pattern)?;
    Ok(Value::text(result))
}

fn append(result: &mut String, clock: &Clock, pattern: &str) -> Result<(), Fault> {
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        check_length(Some(result.len()))?;
        if c != '%' {
            result.push(c);
            continue;
        }
        let mut letter = chars.next();
        let padded = letter != Some('-');
        if !padded {
            letter = chars.next();
        }
        let Some(letter) = letter else { return bad("the pattern ends within a % field") };
        if let Some((number, digits)) = clock.number(letter) {
            let width = if padded { digits } else { 0 };
            let _ = write!(result, "{number:0width$}");
        } else if let Some(word) = clock.word(letter) {
            result.push_str(word);
        } else {
            let whole = match letter {
                'c' => "%Y-%m-%d %H:%M:%S",
                'x' => "%Y-%m-%d",
                'X' => "%H:%M:%S",
                _ => return bad(format!("%{} is not a field of a time", letter.escape_default())),
            };
            append(result, clock, whole)?;
        }
    }
    Ok(())
}
