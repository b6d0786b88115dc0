//! Time zones: offsets from UTC in the formats of ISO 8601 and of debuggers, and the zones of the
//! built-in IANA database.

use jiff::tz::{Offset, TimeZone};

use super::scan::Scan;
use super::{HOUR, MINUTE, SECOND};

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// `Z`, `UTC`, `GMT`, `+02`, `-0930`, `+05:30`, `+05:30:15`, or a name such as
    /// `Europe/Berlin`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if ["z", "utc", "gmt"].iter().any(|name| text.eq_ignore_ascii_case(name)) {
            return Some(Self(TimeZone::UTC));
        }
        if text.starts_with(['+', '-']) {
            let micros = offset(text)?;
            let offset = Offset::from_seconds(i32::try_from(micros / SECOND).ok()?).ok()?;
            return Some(Self(offset.to_time_zone()));
        }
        TimeZone::get(text).ok().map(Self)
    }

    /// The point in time at which clocks in the zone show `local`. If they show it twice, it is the
    /// first; if they skip it, it is the time after the gap.
    pub fn to_utc(&self, local: i64) -> Option<i64> {
        let Ok(offset) = self.0.to_fixed_offset() else {
            // Beyond the years of the database, jiff applies the rules of its nearest years.
            let zoned = self.0.to_ambiguous_timestamp(civil(local)?).compatible().ok()?;
            return Some(zoned.as_microsecond());
        };
        local.checked_sub(i64::from(offset.seconds()) * SECOND)
    }

    /// The local time in the zone at a point in time.
    pub fn to_local(&self, utc: i64) -> Option<i64> {
        let offset = match self.0.to_fixed_offset() {
            Ok(offset) => offset,
            Err(_) => self.0.to_offset(jiff::Timestamp::from_microsecond(utc).ok()?),
        };
        utc.checked_add(i64::from(offset.seconds()) * SECOND)
    }
}

fn civil(local: i64) -> Option<jiff::civil::DateTime> {
    jiff::Timestamp::from_microsecond(local).ok().map(|time| Offset::UTC.to_datetime(time))
}

/// `+02`, `-0930`, `+05:30`, `+05:30:15` as microseconds east of Greenwich.
fn offset(text: &str) -> Option<i64> {
    let mut scan = Scan(text);
    let sign = if scan.eat('-') {
        -1
    } else {
        scan.eat('+');
        1
    };
    let hours = scan.number(2).filter(|&h| h <= 18)?;
    let mut total = hours * HOUR;
    for unit in [MINUTE, SECOND] {
        if scan.is_done() {
            break;
        }
        scan.eat(':');
        total += scan.number(2).filter(|&n| n < 60)? * unit;
    }
    scan.is_done().then_some(sign * total)
}

/// `UTC - 7:00`, `GMT+2`, `UTC + 5:30`, as debuggers print offsets, in minutes east of Greenwich.
pub fn offset_minutes(zone: &str) -> Option<i64> {
    let zone = zone.trim();
    let shift = zone.strip_prefix("UTC").or_else(|| zone.strip_prefix("GMT"))?.trim();
    if shift.is_empty() {
        return Some(0);
    }
    let (sign, amount) = match shift.split_at_checked(1)? {
        ("+", amount) => (1, amount),
        ("-", amount) => (-1, amount),
        _ => return None,
    };
    let mut scan = Scan(amount.trim());
    let hours = scan.number(2).filter(|&h| h <= 15)?;
    let minutes = if scan.eat(':') { scan.number(2).filter(|&m| m < 60)? } else { 0 };
    scan.is_done().then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::super::{parse_timestamp, render_timestamp};
    use super::*;

    #[test]
    fn zones_of_the_database_have_daylight_saving_time() {
        let berlin = Zone::parse("Europe/Berlin").expect("a zone");
        let shown =
            |utc: &str| render_timestamp(berlin.to_local(parse_timestamp(utc).unwrap()).unwrap());
        assert_eq!(shown("2024-03-31 00:59:59"), "2024-03-31 01:59:59");
        assert_eq!(shown("2024-03-31 01:00:00"), "2024-03-31 03:00:00");
        let utc =
            |local: &str| render_timestamp(berlin.to_utc(parse_timestamp(local).unwrap()).unwrap());
        assert_eq!(utc("2024-07-01 12:00:00"), "2024-07-01 10:00:00");
        assert_eq!(utc("2024-03-31 02:30:00"), "2024-03-31 01:30:00");
        assert_eq!(utc("2024-10-27 02:30:00"), "2024-10-27 00:30:00");
    }

    #[test]
    fn offsets_are_read() {
        for (text, seconds) in [
            ("+02", Some(7_200)),
            ("-0930", Some(-34_200)),
            ("+05:30", Some(19_800)),
            ("+05:30:15", Some(19_815)),
            ("+19", None),
            ("+2", Some(7_200)),
            ("+02:60", None),
            ("+02:00x", None),
        ] {
            assert_eq!(offset(text), seconds.map(|s: i64| s * SECOND), "{text}");
        }
        assert_eq!(offset_minutes("UTC - 7:00"), Some(-420));
        assert_eq!(offset_minutes("GMT+2"), Some(120));
        assert_eq!(offset_minutes("UTC + 5:30"), Some(330));
        assert_eq!(offset_minutes("UTC"), Some(0));
        assert_eq!(offset_minutes("CET"), None);
        assert_eq!(Zone::parse("nowhere"), None);
    }
}
