//! The meaning of bug check parameters in a few words, including meanings that depend on the value
//! of the first parameter.
//!
//! The facts are in `bugcheck.txt`, which names their sources; this file reads that table.

use std::borrow::Cow;
use std::sync::LazyLock;

/// The table.
const TEXT: &str = include_str!("bugcheck.txt");

/// The meanings of the four parameters; an empty text means unknown.
type Meanings = [&'static str; 4];

/// The meanings for some codes.
struct Entry {
    codes: Vec<u32>,
    meanings: Meanings,
    /// The meanings of values of parameter 1, and of the other parameters for these values.
    values: Vec<(u64, Meanings)>,
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let mut entries: Vec<Entry> = Vec::new();
    for line in TEXT.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.split('|');
        let numbers = parts.next().unwrap_or_default();
        let mut meanings = [""; 4];
        for (meaning, part) in meanings.iter_mut().zip(parts) {
            *meaning = part.trim();
        }
        let numbers = numbers.split_whitespace();
        let numbers = numbers.filter_map(|text| u64::from_str_radix(text, 16).ok());
        if let (true, Some(entry)) = (line.starts_with(' '), entries.last_mut()) {
            let merged = merged(meanings, entry.meanings);
            entry.values.extend(numbers.map(|value| (value, merged)));
        } else {
            let codes = numbers.filter_map(|number| u32::try_from(number).ok());
            let meanings = meanings.map(plain);
            entries.push(Entry { codes: codes.collect(), meanings, values: Vec::new() });
        }
    }
    entries
});

/// The meanings for a value of parameter 1; an empty one is taken from the code.
fn merged(own: Meanings, general: Meanings) -> Meanings {
    let mut all = own;
    for (own, general) in all.iter_mut().zip(general) {
        *own = if own.is_empty() { general } else { plain(own) };
    }
    all
}

fn plain(text: &'static str) -> &'static str {
    match text {
        "-" => "reserved",
        "?" => "",
        text => text,
    }
}

fn entry(code: u32) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.codes.contains(&code))
}

/// The meanings of the parameters of a bug check.
pub(super) fn general(code: u32) -> Option<Meanings> {
    entry(code).map(|entry| entry.meanings)
}

/// The meanings of the parameters for a value of the first one; its text starts with the value.
pub(super) fn of_value(code: u32, value: u64) -> Option<[Cow<'static, str>; 4]> {
    let (value, [first, second, third, fourth]) = find(code, value)?;
    let first = Cow::Owned(format!("{value:#x}: {first}"));
    Some([first, second.into(), third.into(), fourth.into()])
}

fn find(code: u32, value: u64) -> Option<(u64, Meanings)> {
    entry(code)?.values.iter().find(|(known, _)| *known == value).copied()
}

/// The meaning of the code of a `__fastfail`, in kernel and user mode.
pub(super) fn fast_fail(code: u64) -> Option<&'static str> {
    find(0x139, code).map(|(_, [meaning, ..])| meaning)
}

/// All codes in the table.
#[cfg(test)]
pub(super) fn codes() -> Vec<u32> {
    ENTRIES.iter().flat_map(|entry| entry.codes.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers at the start of a line.
    fn numbers(line: &str) -> Vec<u64> {
        let first = line.split('|').next().unwrap();
        first.split_whitespace().map(|text| u64::from_str_radix(text, 16).unwrap()).collect()
    }

    #[test]
    fn the_table_is_well_formed() {
        for line in TEXT.lines().filter(|line| !line.starts_with('#')) {
            assert_eq!(line.split('|').count(), 5, "{line}");
            assert!(!numbers(line).is_empty(), "{line}");
            let is_value = line.starts_with(' ');
            for (number, text) in line.split('|').skip(1).map(str::trim).enumerate() {
                // The meaning of parameter 1 is required for a value; other texts may be empty, and
                // are then those of the code.
                assert!(is_value && number > 0 || !text.is_empty(), "{line}");
                assert!(!text.ends_with('.') && !text.contains("  "), "{line}");
            }
        }
        assert!(codes().len() > 240);
    }

    #[test]
    fn codes_and_values_are_sorted_and_unique() {
        let mut seen = std::collections::HashSet::new();
        let (mut code, mut value) = (None, None);
        for line in TEXT.lines().filter(|line| !line.starts_with('#')) {
            let numbers = numbers(line);
            assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{line}");
            let before = if line.starts_with(' ') { &mut value } else { &mut code };
            assert!(*before < Some(numbers[0]), "{line}");
            *before = Some(numbers[0]);
            if !line.starts_with(' ') {
                value = None;
                assert!(numbers.iter().all(|code| seen.insert(*code)), "{line}");
            }
        }
        for entry in ENTRIES.iter() {
            let mut values: Vec<u64> = entry.values.iter().map(|(value, _)| *value).collect();
            values.sort_unstable();
            assert!(values.windows(2).all(|pair| pair[0] != pair[1]), "{:x?}", entry.codes);
        }
    }

    #[test]
    fn the_text_of_a_value_mentions_it() {
        for entry in ENTRIES.iter() {
            for (value, meanings) in &entry.values {
                assert!(!meanings[0].is_empty(), "{:x?} {value:#x}", entry.codes);
                let text = of_value(entry.codes[0], *value).unwrap();
                assert!(text[0].contains(&format!("{value:#x}")), "{text:?}");
            }
        }
    }

    #[test]
    fn known_meanings() {
        assert_eq!(fast_fail(3), Some("a linked list is corrupt (CORRUPT_LIST_ENTRY)"));
        let texts = of_value(0x1a, 0x41792).unwrap();
        assert_eq!(texts[0], "0x41792: a corrupted PTE was found");
        assert_eq!(texts[3], "high part of the PTE");
        assert_eq!(texts[1], "address of the PTE");
        let texts = of_value(0x9f, 3).unwrap();
        assert_eq!(texts[3], "IRP that is blocked");
        assert!(general(0x117).unwrap()[2].contains("bucketing key"));
        assert!(general(0x141).unwrap()[2].contains("bucketing key"));
        assert!(of_value(0x133, 0).unwrap()[3].contains("TRIAGE_BLOCK"));
        // A line of the table may have several values.
        assert_eq!(of_value(0x19, 0x24).unwrap()[0][4..], of_value(0x19, 0xd).unwrap()[0][3..]);
        assert!(of_value(0xc4, 0x20004).unwrap()[0].contains("IrqlExAllocatePool"));
        assert!(of_value(0x7a, 1).unwrap()[2].contains("current process"));
        assert!(general(0x51).unwrap()[2].contains("hive"));
        // A bug check and the live dump of the same violation.
        for code in [0xc4, 0x1c4] {
            assert!(of_value(code, 0x20008).unwrap()[0].contains("IrqlExPassive"), "{code:#x}");
        }
        assert_eq!(of_value(0x18c, 0x1007).unwrap()[0], "0x1007: a debug routine");
        assert_eq!(of_value(0x18c, 0x1007).unwrap()[3], "reserved");
        assert_eq!(of_value(0x1d9, 1).unwrap()[2], "IOMMU domain");
        assert_eq!(of_value(0x1d9, 1).unwrap()[3], "logical address");
        assert_eq!(general(0x1f5), Some(["reserved"; 4]));
        assert!(of_value(0x133, 1).unwrap()[2].contains("TRIAGE_BLOCK"));
        assert_eq!(of_value(0x133, 1).unwrap()[3], "reserved");
    }
}
