//! Hand-built images, complete and damaged.

use super::*;

/// Null-terminated UTF-16 text, padded to a multiple of four from `base`.
fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

fn pad(bytes: &mut Vec<u8>) {
    while !bytes.len().is_multiple_of(4) {
        bytes.push(0);
    }
}

fn element(key: &str, value: &[u8], is_text: bool, children: &[Vec<u8>]) -> Vec<u8> {
    let value_len = if is_text { value.len() / 2 } else { value.len() };
    let mut bytes = vec![0, 0];
    bytes.extend(u16::try_from(value_len).unwrap().to_le_bytes());
    bytes.extend(u16::from(is_text).to_le_bytes());
    bytes.extend(wide(key));
    pad(&mut bytes);
    bytes.extend(value);
    for child in children {
        pad(&mut bytes);
        bytes.extend(child);
    }
    let len = u16::try_from(bytes.len()).unwrap().to_le_bytes();
    bytes[..2].copy_from_slice(&len);
    bytes
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

fn put32(image: &mut [u8], at: usize, numbers: &[u32]) {
    for (i, number) in numbers.iter().enumerate() {
        put(image, at + 4 * i, &number.to_le_bytes());
    }
}

/// An image with a section, a debug record, two exports and a version resource.
fn made() -> Vec<u8> {
    let mut image = vec![0; 0x4000];
    put(&mut image, 0, b"MZ");
    put32(&mut image, 0x3c, &[0x80]);
    put(&mut image, 0x80, b"PE\0\0\x64\x86\x01\0");
    put32(&mut image, 0x88, &[0x5f00_0001]);
    put(&mut image, 0x94, &0xf0u16.to_le_bytes());
    put(&mut image, 0x98, &0x20bu16.to_le_bytes());
    put32(&mut image, 0x98 + 16, &[0x1234]);
    put32(&mut image, 0x98 + 56, &[0x4000]);
    put32(&mut image, 0x98 + 64, &[0xabcd]);
    put32(&mut image, 0x98 + 0x6c, &[16, 0x1000, 0x200, 0, 0, 0x3000, 0x1000]);
    put32(&mut image, 0x98 + 0x70 + 6 * 8, &[0x2000, 28]);
    put(&mut image, 0x98 + 0xf0, b".text\0\0\0");
    put32(&mut image, 0x98 + 0xf0 + 8, &[0x800, 0x1000]);
    put32(&mut image, 0x98 + 0xf0 + 36, &[0x6000_0020]);
    // Exports: Beta at 0x1800, Alpha at 0x1700, and a forwarder.
    put32(&mut image, 0x1000 + 20, &[3, 3, 0x1040, 0x1060, 0x1080]);
    put32(&mut image, 0x1040, &[0x1800, 0x1700, 0x1100]);
    put32(&mut image, 0x1060, &[0x10a0, 0x10b0, 0x10c0]);
    put(&mut image, 0x1080, &[1, 0, 0, 0, 2, 0]);
    put(&mut image, 0x10a0, b"Alpha\0");
    put(&mut image, 0x10b0, b"Beta\0");
    put(&mut image, 0x10c0, b"Gamma\0");
    put32(&mut image, 0x2000 + 12, &[CODEVIEW, 24 + 10, 0x2100]);
    put(&mut image, 0x2100, b"RSDS0123456789abcdef\x01\0\0\0x\\made.pdb\0");
    // Resources: type 16, name 1, language 0x409.
    for (at, number, place) in
        [(0x3000, 16, 0x8000_0020), (0x3020, 1, 0x8000_0040), (0x3040, 0x409, 0x60)]
    {
        put(&mut image, at + 14, &[1, 0]);
        put32(&mut image, at + 16, &[number, place]);
    }
    let text = |key: &str, value: &str| element(key, &wide(value), true, &[]);
    let strings = [text("CompanyName", "Made"), text("InternalName", "made.sys")];
    let table = element("040904B0", &[], true, &strings);
    let file = element("StringFileInfo", &[], true, &[table]);
    let mut fixed = vec![0; 52];
    put32(&mut fixed, 0, &[0xfeef_04bd, 0, 0x000a_0000, 0x4a61_0324, 0x0001_0002, 0x0003_0004]);
    let version = element("VS_VERSION_INFO", &fixed, false, &[file]);
    put32(&mut image, 0x3060, &[0x3100, u32::try_from(version.len()).unwrap()]);
    put(&mut image, 0x3100, &version);
    image
}

fn reader(image: &[u8]) -> impl Fn(u32, &mut [u8]) -> bool {
    |at, buffer| {
        let at = at as usize;
        let Some(bytes) = image.get(at..at.saturating_add(buffer.len())) else { return false };
        buffer.copy_from_slice(bytes);
        true
    }
}

#[test]
fn headers_and_directories_of_an_image() {
    let bytes = made();
    let read = reader(&bytes);
    let image = Image::new(&read).unwrap();
    let headers = image.headers();
    assert_eq!(
        (headers.machine, headers.timestamp, headers.checksum),
        (0x8664, 0x5f00_0001, 0xabcd)
    );
    assert_eq!((headers.entry, headers.size_of_image, headers.is_64), (0x1234, 0x4000, true));
    let sections = image.sections();
    assert_eq!((sections.len(), sections[0].name.as_str(), sections[0].size), (1, ".text", 0x800));
    let pdb = image.pdb().unwrap();
    assert_eq!((pdb.name.as_str(), pdb.age), ("made.pdb", 1));
    assert_eq!(image.exports(), [(0x1700, "Alpha".to_owned()), (0x1800, "Beta".to_owned())]);
    let version = image.version().unwrap();
    assert_eq!(version.file_version.as_deref(), Some("10.0.19041.804"));
    assert_eq!(version.product_version.as_deref(), Some("1.2.3.4"));
    assert_eq!(version.company.as_deref(), Some("Made"));
    assert_eq!(version.internal_name.as_deref(), Some("made.sys"));
    assert_eq!((version.copyright, version.language.as_deref()), (None, Some("0409.04b0")));
}

#[test]
fn a_missing_page_costs_only_its_contents() {
    let bytes = made();
    for page in 0u32..4 {
        let whole = reader(&bytes);
        let read = |at: u32, buffer: &mut [u8]| {
            let last = at.saturating_add(u32::try_from(buffer.len()).unwrap().saturating_sub(1));
            !(at / PAGE..=last / PAGE).contains(&page) && whole(at, buffer)
        };
        let Some(image) = Image::new(&read) else {
            assert_eq!(page, 0);
            continue;
        };
        assert_eq!(image.exports().is_empty(), page == 1);
        assert_eq!(image.pdb().is_none(), page == 2);
        assert_eq!(image.version().is_none(), page == 3);
    }
}

#[test]
fn damage_never_panics() {
    let bytes = made();
    let mut state = 88_172_645_463_325_252u64;
    for _ in 0..4000 {
        let mut damaged = bytes.clone();
        for _ in 0..8 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let places = [0x80..0x200, 0x1000..0x10d0, 0x2000..0x2140, 0x3000..0x3200];
            let place = places[usize::try_from(state % 4).unwrap()].clone();
            let at = place.start + usize::try_from(state >> 8).unwrap() % place.len();
            damaged[at] = if state & 0x10 == 0 { 0xff } else { state.to_le_bytes()[7] };
        }
        let read = reader(&damaged);
        if let Some(image) = Image::new(&read) {
            let _ = (image.sections(), image.pdb(), image.exports(), image.version());
        }
    }
}
