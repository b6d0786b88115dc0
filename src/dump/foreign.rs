//! Recognizes files that are not dumps, for the message that rejects them.

use super::bytes::{slice, u16_at, u32_at};

/// Bytes at an offset, and the description of a file that has them there.
struct Magic(usize, &'static [u8], &'static str);

/// Formats that are mistaken for dumps or found next to them, longer signatures first.
const MAGICS: &[Magic] = &[
    Magic(0, b"Microsoft C/C++ MSF 7.00\r\n\x1aDS", "a PDB symbol file"),
    Magic(0, b"Microsoft C/C++ program database", "an old PDB symbol file"),
    Magic(0, b"SQLite format 3\0", "an SQLite database"),
    Magic(0, b"ElfFile\0", "a Windows event log (evtx)"),
    Magic(0, b"vhdxfile", "a virtual disk (VHDX)"),
    Magic(0, b"conectix", "a virtual disk (VHD)"),
    Magic(257, b"ustar", "a tar archive, which is not opened: tar -xf unpacks it"),
    Magic(0, b"\xfd7zXZ\0", "an xz file"),
    Magic(0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    Magic(0, b"Rar!\x1a\x07", "a RAR archive, which is not opened: unrar x unpacks it"),
    Magic(0, b"PK\x03\x04", "a zip archive"),
    Magic(0, b"PK\x05\x06", "an empty zip archive"),
    Magic(0, b"PK\x07\x08", "the first part of a zip archive of several volumes: 7-Zip unpacks it"),
    Magic(0, b"MSCF\0\0\0\0", "a cabinet file"),
    Magic(0, b"\x28\xb5\x2f\xfd", "a zstd file"),
    Magic(0, b"\x04\x22\x4d\x18", "an lz4 file, which is not opened: lz4 -d unpacks it"),
    Magic(0, b"BZh", "a bzip2 file, which is not opened: bzip2 -dk unpacks it"),
    Magic(0, b"\x1f\x8b", "a gzip file"),
    Magic(0, b"MSWIM\0\0\0", "a Windows image (WIM), which is not opened"),
    Magic(0, b"regf", "a registry hive"),
    Magic(0, b"\xd4\xc3\xb2\xa1", "a network capture (pcap)"),
    Magic(0, b"\xa1\xb2\xc3\xd4", "a network capture (pcap)"),
    Magic(0, b"\x0a\x0d\x0d\x0a", "a network capture (pcapng)"),
    Magic(0, b"L\0\0\0\x01\x14\x02\0", "a Windows shortcut"),
    Magic(0, b"MAM\x04", "a Windows prefetch file"),
    Magic(
        0,
        b"\x14\x20\x28\x01",
        "a saved state of Hyper-V (.vmrs), whose format Microsoft does not describe: LiveKD -hv \
         takes a dump of the running machine from its host",
    ),
    Magic(
        0,
        b"\x7fVirtualBox SavedState",
        "a saved state of VirtualBox, which is not read: VBoxManage debugvm … dumpvmcore writes a \
         core file, which is",
    ),
    Magic(0, b"<<< ", "a virtual disk (VDI)"),
    Magic(0, b"EMiL", "a LiME memory image"),
    Magic(0, b"AVML", "an AVML memory image"),
    Magic(0, b"KDUMP   ", "a compressed Linux kernel dump (kdump)"),
    Magic(0, b"DISKDUMP", "a Linux kernel dump (diskdump)"),
    Magic(
        0,
        b"QEVM",
        "a saved state of QEMU, which is not read: `dump-guest-memory` writes a core file, which is",
    ),
    Magic(0, b"QFI\xfb", "a virtual disk (qcow)"),
    Magic(0, b"KDMV", "a virtual disk (VMDK)"),
    Magic(0, b"hibr", "a hibernation file"),
    Magic(0, b"HIBR", "a hibernation file"),
    Magic(0, b"wake", "a hibernation file"),
    Magic(0, b"WAKE", "a hibernation file"),
    Magic(0, b"RSTR", "a hibernation file"),
    Magic(0, b"\xfe\xed\xfa\xce", "a Mach-O file"),
    Magic(0, b"\xfe\xed\xfa\xcf", "a Mach-O file"),
    Magic(0, b"\xce\xfa\xed\xfe", "a Mach-O file"),
    Magic(0, b"\xcf\xfa\xed\xfe", "a Mach-O file"),
    Magic(0, b"\xca\xfe\xba\xbe", "a Mach-O universal file or a Java class"),
    Magic(0, b"BSJB", "a portable PDB symbol file"),
    Magic(0, b"%PDF", "a PDF document"),
    Magic(0, b"PAR1", "a Parquet file"),
    Magic(0, b"\x89PNG", "a PNG picture"),
    Magic(0, b"\xff\xd8\xff", "a JPEG picture"),
];

/// How text formats begin that are not logs.
const MARKUP: [&str; 3] = ["<?xml", "%!ps", "{\\rtf"];

/// How many bytes are examined to recognize text and zeros.
pub(super) const SAMPLE: usize = 64 * 1024;

/// Whether a file of a length that begins with these bytes may be a raw memory image.
pub(super) fn may_be_memory(bytes: &[u8], len: usize) -> bool {
    len >= 1 << 20 && len.is_multiple_of(4096) && !bytes.starts_with(b"MZ") && !is_known(bytes)
}

/// A description of a file of a length that begins with these bytes; it can follow "path: ".
pub(super) fn describe(bytes: &[u8], len: usize) -> String {
    if bytes.starts_with(b"\x7fELF") {
        return elf(bytes);
    }
    if bytes.starts_with(b"MZ") {
        return executable(bytes);
    }
    for Magic(offset, magic, words) in MAGICS {
        if slice(bytes, *offset, magic.len()) == Some(magic) {
            return (*words).to_owned();
        }
    }
    let sample = bytes.get(..SAMPLE).unwrap_or(bytes);
    if sample.iter().all(|b| *b == 0) {
        let all = if sample.len() == len { "nothing but" } else { "a file that starts with" };
        return format!("{all} zeros ({len} bytes)");
    }
    if is_text(bytes) {
        return "text".to_owned();
    }
    let start: Vec<String> = bytes.iter().take(8).map(|b| format!("{b:02x}")).collect();
    let start = start.join(" ");
    if len >= 1 << 20 && len.is_multiple_of(4096) {
        format!("no dump header, possibly a raw memory image (starts with {start})")
    } else {
        format!("no dump (starts with {start})")
    }
}

fn elf(bytes: &[u8]) -> String {
    let class = bytes.get(4).map_or("", |class| if *class == 1 { "32-bit " } else { "64-bit " });
    match u16_at(bytes, 16) {
        Some(4) => format!("a {class}ELF core file"),
        Some(2 | 3) => format!("a {class}ELF program or library"),
        _ => format!("a {class}ELF file"),
    }
}

fn executable(bytes: &[u8]) -> String {
    let header = u32_at(bytes, 0x3c).and_then(|at| slice(bytes, usize::try_from(at).ok()?, 24));
    match header {
        Some([b'P', b'E', 0, 0, rest @ ..]) => {
            let is_library = u16_at(rest, 18).is_some_and(|flags| flags & 0x2000 != 0);
            format!(
                "a Windows {}",
                if is_library { "library (DLL)" } else { "program (EXE or driver)" }
            )
        }
        _ => "a DOS program".to_owned(),
    }
}

/// What the first bytes of an archive member show.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg(feature = "archives")]
pub(super) enum Look {
    /// A dump.
    Dump,
    /// Possibly a memory image or a log.
    Perhaps,
    /// Another archive.
    Archive,
    /// Something else, with a description.
    Other(String),
}

/// File name extensions that only dumps have.
#[cfg(feature = "archives")]
const ENDINGS: [&str; 5] = ["dmp", "mdmp", "hdmp", "kdmp", "vmem"];

/// Classifies an archive member by its first bytes and its name. `is_full` says that the member is
/// longer than `head`.
#[cfg(feature = "archives")]
pub(super) fn look(head: &[u8], is_full: bool, name: &str) -> Look {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let is_dump = ["MDMP", "PMDM", "PAGE"].iter().any(|magic| head.starts_with(magic.as_bytes()))
        || ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
        || super::lime::is_lime(head)
        || super::lime::is_avml(head)
        || super::vmware::is_state(head)
        || super::hiber::is_one(head)
        || super::elf::is_core(head);
    if super::archive::Kind::of(head).is_some() {
        Look::Archive
    } else if is_dump {
        Look::Dump
    } else if is_text(head) || (is_full && !is_known(head) && !head.starts_with(b"MZ")) {
        Look::Perhaps
    } else {
        Look::Other(if head.is_empty() {
            "an empty file".to_owned()
        } else {
            describe(head, head.len())
        })
    }
}

fn is_known(bytes: &[u8]) -> bool {
    MAGICS.iter().any(|m| slice(bytes, m.0, m.1.len()) == Some(m.1))
}

/// Whether the file is text: UTF-8, UTF-16 with or without a byte order mark, or a code page; with
/// no more control characters than a debugger log may have, and not a document format.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let sample = bytes.get(..SAMPLE).unwrap_or(bytes);
    if sample.is_empty() || is_known(bytes) || sample.starts_with(b"MZ") {
        return false;
    }
    let text = text(sample);
    let start: String = text.trim_start().chars().take(16).collect();
    let start = start.to_ascii_lowercase();
    if MARKUP.iter().any(|mark| start.starts_with(mark)) {
        return false;
    }
    let is_odd = |c: &char| {
        c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r' | '\x07' | '\x08' | '\x0c' | '\x1b')
    };
    let odd = text.chars().filter(is_odd).count();
    !text.contains('\0') && odd.saturating_mul(200) <= text.len()
}

/// The sample as characters.
fn text(sample: &[u8]) -> String {
    match sample {
        [0xff, 0xfe, rest @ ..] => super::bytes::text_utf16(rest),
        [0xfe, 0xff, rest @ ..] => {
            let swapped: Vec<u8> =
                rest.as_chunks::<2>().0.iter().flat_map(|[a, b]| [*b, *a]).collect();
            super::bytes::text_utf16(&swapped)
        }
        _ if is_wide(sample) => super::bytes::text_utf16(sample),
        _ => sample.iter().map(|b| char::from(*b)).collect(),
    }
}

/// Whether nearly every second byte is zero.
fn is_wide(sample: &[u8]) -> bool {
    let start = sample.get(..256).unwrap_or(sample);
    let wide = start.as_chunks::<2>().0.iter().filter(|pair| pair[0] != 0 && pair[1] == 0).count();
    wide >= 16 && wide.saturating_mul(20) >= start.len().saturating_mul(9)
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn foreign_files_are_named() {
        let mut core = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0".to_vec();
        core.resize(64, 0);
        let mut dll = vec![0u8; 0x100];
        dll[..2].copy_from_slice(b"MZ");
        dll[0x3c] = 0x80;
        dll[0x80..0x84].copy_from_slice(b"PE\0\0");
        dll[0x80 + 23] = 0x20;
        let mut raw = vec![0x5au8; 1 << 20];
        raw[9] = 0;
        for (bytes, words) in [
            (core.as_slice(), "a 64-bit ELF core file"),
            (&dll, "a Windows library (DLL)"),
            (b"MZ", "a DOS program"),
            (b"PK\x03\x04rest", "a zip archive"),
            (b"regf\0\0\0\0", "a registry hive"),
            (b"\xd4\xc3\xb2\xa1\x02\0", "a network capture (pcap)"),
            (b"ElfFile\0\0", "a Windows event log (evtx)"),
            (&[0; 20], "nothing but zeros (20 bytes)"),
            (&vec![0; 70_000], "a file that starts with zeros (70000 bytes)"),
            (b"hello, world\r\n", "text"),
            ("Gr\u{fc}\u{df}e".as_bytes(), "text"),
            (b"\xff\xfeh\0i\0", "text"),
            (b"\x01\x02\x03", "no dump (starts with 01 02 03)"),
            (
                &raw,
                "no dump header, possibly a raw memory image (starts with 5a 5a 5a 5a 5a 5a 5a 5a)",
            ),
        ] {
            assert_eq!(describe(bytes, bytes.len()), words);
        }
    }
}
