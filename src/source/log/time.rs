//! Times as debuggers print them, and UTC.

use crate::time::{MINUTE, offset_minutes, parse_debugger_time};

/// `Mon Jul  2 14:41:11.250 2001 (UTC - 7:00)` as microseconds since 1970 UTC. Without a time zone
/// there is no result.
pub(super) fn utc(text: &str) -> Option<i64> {
    let (local, zone) = text.split_once('(')?;
    let offset = offset_minutes(zone.split(')').next()?)?;
    parse_debugger_time(local)?.checked_sub(offset.checked_mul(MINUTE)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_and_without_a_zone() {
        let of = |text| utc(text).map(crate::time::render_timestamp);
        assert_eq!(
            of("Mon May 20 14:17:20.259 2013 (UTC - 7:00)").as_deref(),
            Some("2013-05-20 21:17:20.259")
        );
        assert_eq!(
            of("Sat Aug  7 23:25:27.564 2010 (GMT+2)").as_deref(),
            Some("2010-08-07 21:25:27.564")
        );
        assert_eq!(of("Mon Jul 02 14:41:11 2001"), None);
        assert_eq!(of("Mon Foo 02 14:41:11 2001 (UTC)"), None);
    }
}
