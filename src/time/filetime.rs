//! Windows `FILETIME`: units of 100 nanoseconds since 1601-01-01 UTC.

/// 1601-01-01 to 1970-01-01 in units of 100 nanoseconds.
const TICKS_TO_1970: i128 = 116_444_736_000_000_000;

/// Microseconds since 1970 of a `FILETIME`, rounded down.
pub fn filetime_micros(ticks: u64) -> Option<i64> {
    i64::try_from((i128::from(ticks) - TICKS_TO_1970).div_euclid(10)).ok()
}

/// The `FILETIME` of microseconds since 1970, if there is one.
pub fn filetime_of(micros: i64) -> Option<u64> {
    u64::try_from(i128::from(micros) * 10 + TICKS_TO_1970).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filetimes_count_from_1601() {
        assert_eq!(filetime_micros(132_539_328_000_000_000), Some(1_609_459_200_000_000));
        assert_eq!(filetime_micros(0), Some(-11_644_473_600_000_000));
        assert_eq!(filetime_micros(u64::MAX).map(filetime_of), Some(Some(u64::MAX - 5)));
        assert_eq!(filetime_of(-11_644_473_600_000_001), None);
    }
}
