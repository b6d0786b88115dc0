//! Undamaged and damaged records made by hand.

use super::*;

fn put(bytes: &mut Vec<u8>, at: usize, value: &[u8]) {
    if bytes.len() < at + value.len() {
        bytes.resize(at + value.len(), 0);
    }
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// A record with sections of these types and bytes.
fn record(sections: &[([u8; 16], Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![0; HEADER + DESCRIPTOR * sections.len()];
    put(&mut bytes, 0, b"CPER");
    put(&mut bytes, 6, &u32::MAX.to_le_bytes());
    put(&mut bytes, 10, &u16::try_from(sections.len()).unwrap().to_le_bytes());
    put(&mut bytes, 12, &1u32.to_le_bytes());
    put(&mut bytes, 96, &0x01d9_8e5b_aa00_1122u64.to_le_bytes());
    for (i, (ty, body)) in sections.iter().enumerate() {
        let (at, end) = (HEADER + DESCRIPTOR * i, bytes.len());
        put(&mut bytes, at, &u32::try_from(end).unwrap().to_le_bytes());
        put(&mut bytes, at + 4, &u32::try_from(body.len()).unwrap().to_le_bytes());
        put(&mut bytes, at + 16, ty);
        put(&mut bytes, at + 48, &1u32.to_le_bytes());
        bytes.extend(body);
    }
    let length = u32::try_from(bytes.len()).unwrap();
    put(&mut bytes, 20, &length.to_le_bytes());
    bytes
}

fn memory_section() -> Vec<u8> {
    let mut bytes = vec![0; 80];
    put(&mut bytes, 0, &(1u64 << 14 | 1 << 1 | 1 << 5).to_le_bytes());
    put(&mut bytes, 16, &0x1_2345_6000u64.to_le_bytes());
    put(&mut bytes, 36, &3u16.to_le_bytes());
    bytes[72] = 3;
    bytes
}

fn value<'r>(facts: &'r Facts, name: &str) -> Option<&'r str> {
    facts.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

#[test]
fn sections_are_decoded_by_type() {
    let record = record(&[
        (SECTIONS[3].0, memory_section()),
        (SECTIONS[4].0, {
            let mut bytes = vec![0; 208];
            put(&mut bytes, 0, &0b1001u64.to_le_bytes());
            put(&mut bytes, 8, &4u32.to_le_bytes());
            put(&mut bytes, 24, &[0x86, 0x80, 0x34, 0x12]);
            bytes[31] = 2;
            bytes[32] = 0x1c;
            bytes[35] = 5;
            bytes
        }),
        ([7; 16], vec![1, 2, 3]),
    ]);
    let record = Record::parse(&record).unwrap();
    assert_eq!(value(&record.facts, "Severity"), Some("Fatal (1)"));
    assert_eq!(value(&record.facts, "Record Id"), Some("01d98e5baa001122"));
    let [memory, pci, other] = record.sections.as_slice() else { panic!("three sections") };
    assert_eq!((memory.name.as_str(), memory.part.as_deref()), ("Memory", Some("memory")));
    assert_eq!(value(&memory.facts, "Error"), Some("Multi-bit ECC (3)"));
    assert_eq!(value(&memory.facts, "Address"), Some("0x0000000123456000"));
    assert_eq!(value(&memory.facts, "Module"), Some("3"));
    assert_eq!(value(&memory.facts, "Card"), None, "a field that is not valid");
    assert_eq!(value(&pci.facts, "Port Type"), Some("Root Port (4)"));
    assert_eq!(value(&pci.facts, "BDF"), Some("5:28:2"));
    assert_eq!(value(&pci.facts, "VenId:DevId"), Some("8086:1234"));
    assert_eq!((other.name.as_str(), &other.part), ("Unknown", &None));
}

#[test]
fn the_intact_part_of_a_damaged_record_is_decoded() {
    let whole = record(&[(SECTIONS[3].0, memory_section())]);
    assert_eq!(Record::parse(&whole[1..]), None);
    for end in 0..whole.len() {
        let _ = Record::parse(&whole[..end]);
    }
    let mut far = whole.clone();
    put(&mut far, HEADER, &u32::MAX.to_le_bytes());
    put(&mut far, HEADER + 4, &u32::MAX.to_le_bytes());
    let far = Record::parse(&far).unwrap();
    assert_eq!(value(&far.sections[0].facts, "Error"), None);
    let mut many = whole;
    put(&mut many, 10, &u16::MAX.to_le_bytes());
    assert!(Record::parse(&many).unwrap().sections.len() <= MAX_SECTIONS);
}
