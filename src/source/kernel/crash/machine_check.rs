//! Errors that the machine check banks of x86 and x64 processors report.
//!
//! Compound error codes are decoded where Intel and AMD define them alike; model-specific codes are
//! shown as numbers.

use crate::dump::bytes::{u32_at, u64_at};

/// Fields of a section: name, and value as text.
pub(super) type Facts = Vec<(&'static str, String)>;

/// The meaning of a status: the kind of error for the bucket, and a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meaning {
    /// The kind, as one word.
    pub(super) kind: &'static str,
    /// The error code, in the terms of the processor manuals.
    pub(super) text: String,
}

/// Simple error codes.
const SIMPLE: [(u16, &str); 7] = [
    (0x0000, "No Error"),
    (0x0001, "Unclassified"),
    (0x0002, "Microcode ROM Parity Error"),
    (0x0003, "External Error"),
    (0x0004, "FRC Error"),
    (0x0005, "Internal Parity Error"),
    (0x0400, "Internal Timer"),
];
const LEVELS: [&str; 4] = ["L0", "L1", "L2", "LG"];
const TRANSACTIONS: [&str; 4] = ["I", "D", "G", "*"];
const REQUESTS: [&str; 9] = ["ERR", "RD", "WR", "DRD", "DWR", "IRD", "PREFETCH", "EVICT", "SNOOP"];
const PARTICIPANTS: [&str; 4] = ["SRC", "RES", "OBS", "GEN"];
const MEMORY_OR_IO: [&str; 4] = ["M", "?", "I", "*"];
const MEMORY_REQUESTS: [&str; 5] = ["GEN", "RD", "WR", "AC", "MS"];

/// Bit positions of a status (`IA32_MCi_STATUS`).
const VALID: u32 = 63;
const OVERFLOW: u32 = 62;
const UNCORRECTED: u32 = 61;
const HAS_MISC: u32 = 59;
const HAS_ADDRESS: u32 = 58;
const CORRUPT: u32 = 57;

fn one_of<'n>(names: &[&'n str], number: u16) -> &'n str {
    names.get(usize::from(number)).copied().unwrap_or("?")
}

/// The meaning of the error code of a status.
pub(super) fn meaning(status: u64) -> Meaning {
    let [low, high, ..] = status.to_le_bytes();
    // Bit 12 says that corrected errors are filtered; it is not part of the code.
    let code = u16::from_le_bytes([low, high]) & !0x1000;
    let level = one_of(&LEVELS, code & 3);
    let transaction = one_of(&TRANSACTIONS, code >> 2 & 3);
    let request = one_of(&REQUESTS, code >> 4 & 0xf);
    if let Some((_, name)) = SIMPLE.iter().find(|(known, _)| *known == code) {
        let kind = if code == 0x400 { "timer" } else { "internal" };
        return Meaning { kind, text: (*name).to_owned() };
    }
    if code & 0xfc00 == 0x0400 {
        return Meaning { kind: "internal", text: format!("Internal Unclassified ({code:#x})") };
    }
    if code & 0xf800 == 0x0800 {
        let participant = one_of(&PARTICIPANTS, code >> 9 & 3);
        let place = one_of(&MEMORY_OR_IO, code >> 2 & 3);
        let timeout = if code >> 8 & 1 != 0 { "TIMEOUT" } else { "NOTIMEOUT" };
        let text = format!("BUS{level}_{participant}_{request}_{place}_{timeout}_ERR");
        return Meaning { kind: "bus", text };
    }
    if code & 0xff00 == 0x0100 {
        let text = format!("{transaction}CACHE{level}_{request}_ERR");
        return Meaning { kind: "cache", text };
    }
    if code & 0xff80 == 0x0080 {
        let request = one_of(&MEMORY_REQUESTS, code >> 4 & 7);
        let channel = match code & 0xf {
            0xf => "CHN".to_owned(),
            channel => format!("CH{channel}"),
        };
        return Meaning { kind: "memory", text: format!("{request}_{channel}_ERR") };
    }
    if code & 0xfff0 == 0x0010 {
        return Meaning { kind: "tlb", text: format!("{transaction}TLB{level}_ERR") };
    }
    if code & 0xfffc == 0x000c {
        return Meaning { kind: "cache", text: format!("Generic cache hierarchy {level}") };
    }
    Meaning { kind: "other", text: format!("Unknown ({code:#x})") }
}

/// `WHEA_XPF_MCA_SECTION`: the kind of error, and its fields.
pub(super) fn section(bytes: &[u8]) -> (Option<&'static str>, Option<Facts>) {
    let Some(facts) = facts(bytes) else { return (None, None) };
    let kind = u64_at(bytes, 40).map(|status| meaning(status).kind);
    (kind, Some(facts))
}

fn facts(bytes: &[u8]) -> Option<Facts> {
    let status = u64_at(bytes, 40)?;
    let is_set = |bit: u32| status >> bit & 1 != 0;
    let vendor = match u32_at(bytes, 4)? {
        1 => "Intel",
        2 => "AMD",
        _ => "other",
    };
    let mut facts = vec![
        ("Vendor", vendor.to_owned()),
        ("Error", meaning(status).text),
        ("Proc", u32_at(bytes, 16)?.to_string()),
        ("Bank", u32_at(bytes, 36)?.to_string()),
        ("Status", format!("{status:#018x}")),
    ];
    let flags = [
        (VALID, "valid"),
        (OVERFLOW, "overflow"),
        (UNCORRECTED, "uncorrected"),
        (CORRUPT, "processor context corrupt"),
    ];
    let set: Vec<&str> =
        flags.iter().filter(|(bit, _)| is_set(*bit)).map(|(_, name)| *name).collect();
    facts.push(("Status Flags", set.join(", ")));
    if is_set(HAS_ADDRESS) {
        facts.push(("Address", format!("{:#018x}", u64_at(bytes, 48)?)));
    }
    if is_set(HAS_MISC) {
        facts.push(("Misc.", format!("{:#018x}", u64_at(bytes, 56)?)));
    }
    Some(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_are_named_as_in_the_processor_manuals() {
        // Intel, volume 3B, "Interpreting the MCA Error Codes"; !errrec prints the same names.
        for (code, kind, text) in [
            (0x0005, "internal", "Internal Parity Error"),
            (0x0400, "timer", "Internal Timer"),
            (0x0405, "internal", "Internal Unclassified (0x405)"),
            (0x0014, "tlb", "DTLBL0_ERR"),
            (0x0135, "cache", "DCACHEL1_DRD_ERR"),
            (0x017a, "cache", "GCACHEL2_EVICT_ERR"),
            (0x009f, "memory", "RD_CHN_ERR"),
            (0x0e0b, "bus", "BUSLG_GEN_ERR_I_NOTIMEOUT_ERR"),
            (0x0800, "bus", "BUSL0_SRC_ERR_M_NOTIMEOUT_ERR"),
            (0x000d, "cache", "Generic cache hierarchy L1"),
            (0x1135, "cache", "DCACHEL1_DRD_ERR"),
        ] {
            let found = meaning(0xb200_0000_0000_0000 | code);
            assert_eq!((found.kind, found.text.as_str()), (kind, text), "{code:#x}");
        }
        for code in 0..=u64::from(u16::MAX) {
            assert!(!meaning(code).text.is_empty());
        }
    }

    #[test]
    fn a_section_names_processor_and_bank() {
        let mut bytes = vec![0; 264];
        bytes[4] = 1;
        bytes[16] = 6;
        bytes[36] = 5;
        bytes[40..48].copy_from_slice(&0xbe00_0000_0080_0400u64.to_le_bytes());
        bytes[48..56].copy_from_slice(&0xffff_f801_1234_5678u64.to_le_bytes());
        let (kind, facts) = section(&bytes);
        let facts = facts.unwrap();
        let value = |name: &str| facts.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
        assert_eq!(kind, Some("timer"));
        assert_eq!((value("Proc"), value("Bank")), (Some("6"), Some("5")));
        assert_eq!(value("Vendor"), Some("Intel"));
        assert_eq!(value("Address"), Some("0xfffff80112345678"));
        let flags = Some("valid, uncorrected, processor context corrupt");
        assert_eq!(value("Status Flags"), flags);
        assert_eq!(section(&bytes[..47]), (None, None));
    }
}
