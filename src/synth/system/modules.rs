//! Loaded and unloaded drivers, and the images of the loaded ones.

use super::build::Builder;
use super::spec::{SystemSpec, UnloadedDriver};
use super::threads::Links;
use crate::synth::kernel_file::guid;
use crate::synth::pe::Image;
use crate::synth::spec::Driver;

/// Writes the module list, and the first pages of each image.
pub(super) fn write(
    builder: &mut Builder<'_>,
    links: &mut Links,
    spec: &SystemSpec,
    kernel: (u64, u32),
) {
    let name = if builder.layout.size("_KLDR_DATA_TABLE_ENTRY") > 0 {
        "_KLDR_DATA_TABLE_ENTRY"
    } else {
        "_LDR_DATA_TABLE_ENTRY"
    };
    let mut entries = Vec::new();
    for (i, driver) in spec.drivers.iter().enumerate() {
        let driver = if i == 0 {
            Driver { base: kernel.0, size: kernel.1, ..driver.clone() }
        } else {
            driver.clone()
        };
        let file = driver.path.rsplit('\\').next().unwrap_or_default().to_owned();
        image(builder, spec, &driver, &file, i == 0);
        let at = builder.pool(false, *b"MmLd", builder.layout.size(name) as u64);
        let mut object = builder.new_object(name);
        object.set("DllBase", driver.base).set("SizeOfImage", driver.size.into());
        object
            .set("EntryPoint", driver.base + 0x3000)
            .set("Flags", 0x0900_4000)
            .set_any(&["LoadCount", "ObsoleteLoadCount"], 1);
        object
            .opt("CheckSum", driver.checksum.into())
            .set("TimeDateStamp", driver.timestamp.into());
        builder.string(&mut object, "FullDllName", &driver.path);
        builder.string(&mut object, "BaseDllName", &file);
        builder.place(at, object);
        entries.push(at);
        links.modules.insert(driver.base, at);
    }
    let head = builder.variable("PsLoadedModuleList", 16);
    builder.link(head, &entries);
}

fn image(
    builder: &mut Builder<'_>,
    spec: &SystemSpec,
    driver: &Driver,
    file: &str,
    is_kernel: bool,
) {
    let version = builder.version;
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let (pdb, record) = match (&spec.kernel, is_kernel) {
        (Some(kernel), true) => (kernel.pdb.clone(), (kernel.guid, kernel.age)),
        (None, true) => (version.pdb.0.to_owned(), (guid(version.pdb.1).unwrap_or_default(), 1)),
        _ => {
            let seed = file.bytes().fold(0x9e37_79b9_7f4a_7c15_u128, |seed, byte| {
                (seed ^ u128::from(byte)).wrapping_mul(0x0000_0001_0000_0000_0000_0000_0000_013b)
            });
            (format!("{stem}.pdb"), (seed.to_le_bytes(), 1))
        }
    };
    let (major, minor) = version.system;
    let number = format!("{major}.{minor}.{}.{}", version.build, if is_kernel { 1830 } else { 0 });
    let strings = vec![
        ("CompanyName", "Microsoft Corporation".to_owned()),
        (
            "FileDescription",
            if is_kernel { "NT Kernel & System".to_owned() } else { format!("{stem} driver") },
        ),
        ("FileVersion", format!("{number} ({})", version.build_lab)),
        ("InternalName", if is_kernel { "ntkrnlmp.exe".to_owned() } else { file.to_owned() }),
        ("LegalCopyright", "© Microsoft Corporation. All rights reserved.".to_owned()),
        ("OriginalFilename", if is_kernel { "ntkrnlmp.exe".to_owned() } else { file.to_owned() }),
        ("ProductName", "Microsoft® Windows® Operating System".to_owned()),
        ("ProductVersion", number),
    ];
    let fourth = if is_kernel { 1830 } else { 0 };
    let text = 0x2000;
    let data = (driver.size / 4 * 3) & !0xfff;
    let bytes = Image {
        is_64_bit: version.is_64_bit(),
        base: driver.base,
        size: driver.size,
        timestamp: driver.timestamp,
        checksum: driver.checksum,
        subsystem: 1,
        is_dll: false,
        system: version.system,
        pdb: Some((&pdb, record.0, record.1)),
        functions: None,
        version: Some(([major, minor, version.build, fourth], strings)),
        sections: if is_kernel {
            let half = (data / 2) & !0xfff;
            vec![
                (".text", text, half - text),
                ("PAGE", half, data - half),
                (".data", data, driver.size - data),
            ]
        } else {
            Vec::new()
        },
    }
    .bytes();
    // The kernel's own image is already mapped; its first pages do not overlap its variables.
    builder.put(driver.base, &bytes);
}

/// Fills the kernel image with breakpoint instructions before anything else is written into it.
pub(super) fn kernel_code(builder: &mut Builder<'_>, spec: &SystemSpec, kernel: (u64, u32)) {
    let pages = if spec.kernel_code { u64::from(kernel.1) / 0x1000 } else { 0 };
    for page in 0..pages {
        // Variables that are never written remain zero.
        let byte = if page < pages / 4 * 3 { 0xcc } else { 0 };
        builder.put(kernel.0 + page * 0x1000, &[byte; 0x1000]);
    }
}

/// Writes the ring buffer of unloaded drivers.
pub(super) fn write_unloaded(builder: &mut Builder<'_>, drivers: &[UnloadedDriver]) {
    let width = builder.width();
    let size = if width == 8 { 40 } else { 24 };
    let table = builder.pool(false, *b"MmUn", 50 * size);
    builder.put(table, &vec![0; usize::try_from(50 * size).unwrap_or(0)]);
    for (i, driver) in drivers.iter().take(50).enumerate() {
        let at = table + i as u64 * size;
        let (text, len) = builder.text(&driver.name);
        builder.put(at, &(len | (len + 2) << 16).to_le_bytes()[..4]);
        builder.put_pointer(at + width, text);
        builder.put_pointer(at + 2 * width, driver.start);
        builder.put_pointer(at + 3 * width, driver.end);
        builder.put(at + 4 * width, &driver.time.to_le_bytes());
    }
    let variable = builder.variable("MmUnloadedDrivers", 8);
    builder.put_pointer(variable, table);
    let last = builder.variable("MmLastUnloadedDriver", 4);
    builder.put_u32(last, drivers.len() as u64 % 50);
}
