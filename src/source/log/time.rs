//! Times as debuggers print them, and UTC.

use crate::catalog::days_from_civil;

/// `Mon Jul  2 14:41:11.250 2001 (UTC - 7:00)` as microseconds since 1970 UTC. Without a zone, the
/// time is that of a clock whose zone nobody knows, and there is no answer.
pub(super) fn utc(text: &str) -> Option<i64> {
    let (local, zone) = text.split_once('(')?;
    let offset = zone_minutes(zone.split(')').next()?)?;
    local_time(local)?.checked_sub(offset.checked_mul(60_000_000)?)
}

/// `Mon Jul 02 14:41:11.250 2001` as microseconds since 1970, in whatever zone it is.
pub(super) fn local_time(text: &str) -> Option<i64> {
    let mut words = text.split_whitespace().peekable();
    // The name of the day may be missing.
    if words.peek().is_some_and(|word| month(word).is_none()) {
        words.next();
    }
    let month = month(words.next()?)?;
    let day: i64 = words.next()?.parse().ok()?;
    let (clock, fraction) = {
        let word = words.next()?;
        word.split_once('.').unwrap_or((word, ""))
    };
    let year: i64 = words.next()?.parse().ok()?;
    let parts: Vec<i64> = clock.split(':').map(|p| p.parse().ok()).collect::<Option<_>>()?;
    let [hour, minute, second] = *parts.as_slice() else { return None };
    let is_date = (1601..=9999).contains(&year) && (1..=31).contains(&day);
    let is_clock =
        (0..24).contains(&hour) && (0..60).contains(&minute) && (0..61).contains(&second);
    if !(is_date && is_clock) {
        return None;
    }
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let seconds = days_from_civil(year, month, day)
        .checked_mul(86_400)?
        .checked_add(hour * 3600 + minute * 60 + second)?;
    seconds.checked_mul(1_000_000)?.checked_add(fraction.parse().ok()?)
}

/// `UTC - 7:00`, `GMT+2`, `UTC + 5:30` in minutes east of Greenwich.
fn zone_minutes(zone: &str) -> Option<i64> {
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
    let (hours, minutes) = amount.trim().split_once(':').unwrap_or((amount.trim(), "0"));
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let is_zone = (0..=15).contains(&hours) && (0..60).contains(&minutes);
    is_zone.then_some(sign * (hours * 60 + minutes))
}

fn month(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let name = text.get(..3)?.to_ascii_lowercase();
    (1..).zip(MONTHS).find(|(_, month)| *month == name).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_and_without_a_zone() {
        let of = |text| utc(text).map(crate::catalog::render_timestamp);
        assert_eq!(
            of("Mon May 20 14:17:20.259 2013 (UTC - 7:00)").as_deref(),
            Some("2013-05-20 21:17:20.259")
        );
        assert_eq!(
            of("Sat Aug  7 23:25:27.564 2010 (GMT+2)").as_deref(),
            Some("2010-08-07 21:25:27.564")
        );
        assert_eq!(of("Mon Jul 02 14:41:11 2001"), None);
        assert!(local_time("Mon Jul 02 14:41:11 2001").is_some());
        assert_eq!(of("Mon Foo 02 14:41:11 2001 (UTC)"), None);
    }
}
