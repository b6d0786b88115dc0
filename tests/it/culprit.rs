//! Who is to blame for a bug check: each kind of evidence on a triage dump that holds just that.
//!
//! The sample is stopped by other bug checks, and what their parameters lead to is put into it. Where
//! fields are is public: the structures are declared in wdm.h, the error record by UEFI.

use dumpql::internals::dump::Image;
use dumpql::internals::synth::{self, Block, TriageSpec};
use dumpql::{Options, Session};

const NT: u64 = 0xffff_f801_2e60_0000;
const PCI: u64 = 0xffff_f801_3131_0000;
const AV_FILTER: u64 = 0xffff_f801_3321_0000;
const AV_NET: u64 = 0xffff_f801_3323_0000;
/// Where the objects of a test stand.
const HERE: u64 = 0xffff_c08b_f000_0000;

/// Memory that is put together word by word.
struct Memory(Vec<u8>);

impl Memory {
    fn new() -> Self {
        Self(vec![0; 0x1000])
    }

    fn put(&mut self, at: u64, bytes: &[u8]) -> &mut Self {
        let at = usize::try_from(at - HERE).unwrap();
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn pointer(&mut self, at: u64, value: u64) -> &mut Self {
        self.put(at, &value.to_le_bytes())
    }

    /// A driver object of an image.
    fn driver(&mut self, at: u64, image: u64) -> &mut Self {
        self.put(at, &[4, 0, 0x50, 1]).pointer(at + 0x18, image)
    }

    /// A device object, and the one above it.
    fn device(&mut self, at: u64, driver: u64, above: u64) -> &mut Self {
        self.put(at, &[3, 0, 0x50, 1]).pointer(at + 8, driver).pointer(at + 0x18, above)
    }

    /// An IRP of two locations, the lower of which a device has.
    fn power_irp(&mut self, at: u64, device: u64) -> &mut Self {
        let (size, lower) = (0xd0 + 2 * 0x48u16, at + 0xd0);
        self.put(at, &[6, 0]).put(at + 2, &size.to_le_bytes()).put(at + 0x42, &[2, 1]);
        self.pointer(at + 0xb8, lower).put(lower, &[0x16, 2]).pointer(lower + 0x28, device)
    }
}

fn crashed(code: u32, parameters: [u64; 4], memory: Memory) -> Session {
    let mut spec: TriageSpec = synth::triage_sample_spec();
    (spec.bugcheck, spec.parameters) = (code, parameters);
    spec.blocks.push(Block { address: HERE, bytes: memory.0 });
    let image = Image::from_bytes("crash", synth::triage(&spec));
    Session::from_images(vec![image], &Options::default()).unwrap()
}

fn rows(session: &Session, sql: &str) -> Vec<String> {
    let result = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let row = |row: usize| {
        let cells: Vec<String> = (0..result.fields().len()).map(|c| result.text(row, c)).collect();
        cells.join("|")
    };
    (0..result.len()).map(row).collect()
}

fn blamed(session: &Session) -> String {
    rows(session, "SELECT culprit_module, culprit_reason FROM bugcheck").remove(0)
}

/// A device stack: `pci` below, `AvFilter` above it; the IRP is in one of them.
fn power_failure(in_device: u64) -> Session {
    let (pci, filter) = (HERE + 0x800, HERE + 0xa00);
    let mut memory = Memory::new();
    memory
        .power_irp(HERE, in_device)
        .device(HERE + 0x200, pci, HERE + 0x400)
        .device(HERE + 0x400, filter, 0)
        .driver(pci, PCI)
        .driver(filter, AV_FILTER);
    crashed(0x9f, [3, HERE + 0x200, NT + 0x1000, HERE], memory)
}

#[test]
fn the_driver_that_holds_the_power_irp_is_suspected() {
    let session = power_failure(HERE + 0x400);
    assert_eq!(blamed(&session), "AvFilter|holds the IRP of parameter 4");
    let sql = "SELECT p2_description, p4_description, bucket_id FROM bugcheck";
    let texts = rows(&session, sql).remove(0);
    assert!(texts.contains("physical device object of the stack: AvFilter over pci"), "{texts}");
    let irp = "IRP_MJ_POWER IRP_MN_SET_POWER in AvFilter, location 1 of 2";
    assert!(texts.contains(irp), "{texts}");
    assert!(texts.ends_with("0x9f_3_AvFilter"), "{texts}");
}

#[test]
fn a_bus_driver_that_holds_the_irp_ranks_below_the_driver_above() {
    let session = power_failure(HERE + 0x200);
    let reason = "its device is on the device stack of parameter 2";
    assert_eq!(blamed(&session), format!("AvFilter|{reason}"));
    let sql = "SELECT module, evidence FROM suspects ORDER BY rank";
    let found = rows(&session, sql);
    assert_eq!(found, [format!("AvFilter|{reason}"), "pci|holds the IRP of parameter 4".into()]);
}

#[test]
fn an_address_that_is_not_an_irp_is_no_evidence() {
    // The stack of the crash is all that is left.
    let session = crashed(0x9f, [3, HERE + 0x200, 0, HERE], Memory::new());
    assert!(!blamed(&session).contains("IRP"), "{}", blamed(&session));
    let nowhere = crashed(0x9f, [3, 0x1234, 0, u64::MAX], Memory::new());
    assert!(!blamed(&nowhere).contains("parameter"), "{}", blamed(&nowhere));
}

#[test]
fn circular_device_stacks_end() {
    let driver = HERE + 0x800;
    let mut memory = Memory::new();
    memory
        .device(HERE + 0x200, driver, HERE + 0x400)
        .device(HERE + 0x400, driver, HERE + 0x200)
        .driver(driver, AV_NET);
    let session = crashed(0x9f, [5, HERE + 0x200, 0, 0], memory);
    assert!(blamed(&session).starts_with("AvNet|"), "{}", blamed(&session));
}

#[test]
fn parameters_lead_to_driver_names_and_routines() {
    let mut memory = Memory::new();
    let name: Vec<u8> = "AvNet.sys".encode_utf16().flat_map(u16::to_le_bytes).collect();
    memory.put(HERE, &[18, 0, 20, 0]).pointer(HERE + 8, HERE + 0x40).put(HERE + 0x40, &name);
    let session = crashed(0xd8, [HERE, 100, 5, 1000], memory);
    assert_eq!(blamed(&session), "AvNet|parameter 1 names it");
    // Of the verifier's rules, each has the address in another parameter.
    let session = crashed(0xc4, [0xe3, AV_NET + 0x10, 0, 0], Memory::new());
    assert_eq!(blamed(&session), "AvNet|parameter 2 points into it");
    let session = crashed(0xc4, [0xf6, 4, HERE, AV_NET + 0x10], Memory::new());
    assert_eq!(blamed(&session), "AvNet|parameter 4 points into it");
    let session = crashed(0xc9, [0x205, AV_NET + 0x10, 0, 0], Memory::new());
    assert_eq!(blamed(&session), "AvNet|parameter 2 points into it");
}

#[test]
fn an_exception_leads_to_the_code_that_raised_it() {
    // An access violation in a driver, of a thread whose handler stopped the system.
    let mut memory = Memory::new();
    memory.put(HERE, &0xc000_0005u32.to_le_bytes()).pointer(HERE + 0x10, AV_NET + 0x1660);
    let session = crashed(0x24, [0xb5, HERE, 0, 0], memory);
    assert_eq!(blamed(&session), "AvNet|the exception was raised in it");
    let sql = "SELECT name, symbol FROM exception";
    assert_eq!(rows(&session, sql), ["ACCESS_VIOLATION|AvNet+0x1660"]);
    // Pointers to record and context.
    let mut memory = Memory::new();
    memory.pointer(HERE, HERE + 0x20).pointer(HERE + 8, 0);
    memory.put(HERE + 0x20, &0xc000_0006u32.to_le_bytes()).pointer(HERE + 0x30, AV_NET + 0x20);
    let session = crashed(0x154, [HERE + 0x800, HERE, 0, 0], memory);
    assert_eq!(rows(&session, sql), ["IN_PAGE_ERROR|AvNet+0x20"]);
}

#[test]
fn a_hardware_error_record_makes_the_hardware_the_suspect() {
    let (section, length) = (HERE + 128 + 72, 128 + 72 + 264u32);
    let mut memory = Memory::new();
    memory.put(HERE, b"CPER").put(HERE + 6, &[0xff; 4]).put(HERE + 10, &[1, 0]);
    memory.put(HERE + 12, &[1]).put(HERE + 20, &length.to_le_bytes());
    let machine_check = [
        0x01, 0x1d, 0x1e, 0x8a, 0xf9, 0x42, 0x57, 0x45, 0x9c, 0x33, 0x56, 0x5e, 0x5c, 0xc3, 0xf7,
        0xe8,
    ];
    let descriptor = HERE + 128;
    memory.put(descriptor, &200u32.to_le_bytes()).put(descriptor + 4, &264u32.to_le_bytes());
    memory.put(descriptor + 16, &machine_check).put(descriptor + 48, &[1]);
    memory.put(section + 4, &[1]).put(section + 16, &[6]).put(section + 36, &[5]);
    memory.pointer(section + 40, 0xbe00_0000_0080_0135).pointer(section + 48, 0x1234_5678);
    let session = crashed(0x124, [0, HERE, 0xbe00_0000, 0x0080_0135], memory);
    let found = blamed(&session);
    assert!(found.starts_with("hardware|"), "{found}");
    assert!(found.contains("DCACHEL1_DRD_ERR") && found.contains("bank 5"), "{found}");
    let sql = "SELECT name, value FROM error_records
               WHERE section = 0 AND name IN ('Proc', 'Bank', 'Error', 'Severity', 'Address')
               ORDER BY name";
    let expected = [
        "Address|0x0000000012345678",
        "Bank|5",
        "Error|DCACHEL1_DRD_ERR",
        "Proc|6",
        "Severity|Fatal (1)",
    ];
    assert_eq!(rows(&session, sql), expected);
    let bucket = rows(&session, "SELECT bucket_id FROM bugcheck");
    assert_eq!(bucket, ["0x124_0_hardware!processor_cache"]);
    // A record that is not there still is a report of hardware.
    let session = crashed(0x124, [0, 0x1000, 0, 0], Memory::new());
    assert!(blamed(&session).starts_with("hardware|"), "{}", blamed(&session));
    assert!(session.query("SELECT * FROM error_records").is_err());
    assert!(crashed(0xd1, [0; 4], Memory::new()).query("SELECT * FROM error_records").is_err());
}

#[test]
fn the_status_separates_disk_errors_from_driver_errors() {
    let bad = 0xffff_ffff_c000_009c;
    let session = crashed(0x7a, [0xffff_f6fc_4000_1000, bad, 0, AV_NET], Memory::new());
    assert!(blamed(&session).starts_with("hardware|"), "{}", blamed(&session));
    let session = crashed(0x7a, [0xffff_f6fc_4000_1000, 0xc000_009a, 0, AV_NET], Memory::new());
    assert!(!blamed(&session).starts_with("hardware|"), "{}", blamed(&session));
    let text = rows(&session, "SELECT p2_description FROM bugcheck").remove(0);
    assert!(text.ends_with(": STATUS_INSUFFICIENT_RESOURCES"), "{text}");
}

#[test]
fn page_fault_access_codes_depend_on_the_build() {
    let access = |value| {
        let parameters = [0xffff_ffff_0000_0090, value, AV_NET + 0x10, 2];
        let session = crashed(0x50, parameters, Memory::new());
        rows(&session, "SELECT p2_description FROM bugcheck").remove(0)
    };
    assert!(access(2).starts_with("access: write "), "{}", access(2));
    assert!(access(0).starts_with("access: read "), "{}", access(0));
    let execute = "access: execute of a page that is present ";
    assert!(access(0x11).starts_with(execute), "{}", access(0x11));
}

#[test]
fn a_bad_pool_free_gives_both_tags() {
    let tag = |text: &[u8; 4]| u64::from(u32::from_le_bytes(*text));
    let session = crashed(0xc2, [0xa, HERE, tag(b"AvFt"), tag(b"AvNt")], Memory::new());
    let texts = rows(&session, "SELECT p3_description, p4_description FROM bugcheck").remove(0);
    assert_eq!(texts, "tag of the block: AvFt|tag given to the free: AvNt");
}

#[test]
fn the_kernel_is_suspected_only_without_other_modules_on_the_stack() {
    // The sample's own stack, whatever the code says.
    for code in [0xd1, 0xa, 0x1a, 0x1e, 0x3b, 0x7e, 0xc2, 0xc5, 0x109, 0x133, 0x139, 0xa000_0001] {
        let session = crashed(code, [0; 4], Memory::new());
        assert!(blamed(&session).starts_with("AvFilter|"), "{code:#x}: {}", blamed(&session));
    }
}
