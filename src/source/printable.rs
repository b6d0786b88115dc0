//! Text in numbers: a register or a stack slot that holds `AAAA` instead of a pointer.

/// The value's bytes in memory order as ASCII without trailing zeros, if there are at least four
/// characters and all are printable.
pub(crate) fn ascii(value: u64) -> Option<String> {
    let bytes = value.to_le_bytes();
    let len = bytes.iter().rposition(|&b| b != 0)? + 1;
    let text = bytes.get(..len).filter(|text| text.len() >= 4)?;
    let printable = text.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
    printable.then(|| text.iter().map(|&b| char::from(b)).collect())
}

/// The value's bytes in memory order as UTF-16 without trailing zeros, if there are at least two
/// characters and all are printable ASCII. Other scripts would turn any number into text.
pub(crate) fn utf16(value: u64) -> Option<String> {
    let units = [0, 16, 32, 48].map(|shift| (value >> shift) & 0xffff);
    let len = units.iter().rposition(|&u| u != 0)? + 1;
    let text = units.get(..len).filter(|text| text.len() >= 2)?;
    let chars = text.iter().map(|&u| u8::try_from(u).ok().map(char::from));
    chars.map(|c| c.filter(|c| c.is_ascii_graphic() || *c == ' ')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_in_whole_values_only() {
        let cases = [
            (0x0000_0000_7478_6574, Some("text"), None),
            (0x4847_4645_4443_4241, Some("ABCDEFGH"), None),
            (0x0000_0000_0043_4241, None, None),
            (0x0000_7ff6_4142_4344, None, None),
            (0x0000_0000_0042_0041, None, Some("AB")),
            (0x0044_0043_0042_0041, None, Some("ABCD")),
            (0x0000_0000_0000_0041, None, None),
            (0, None, None),
        ];
        for (value, plain, wide) in cases {
            assert_eq!(ascii(value).as_deref(), plain, "{value:#x}");
            assert_eq!(utf16(value).as_deref(), wide, "{value:#x}");
        }
    }
}
