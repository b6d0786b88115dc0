//! Callbacks, services and interrupts of the example systems, and a system where some are hooked.

use super::healthy;
use crate::synth::spec::Driver;
use crate::synth::system::{Io, Routines, SystemSpec, Trace, Vector, Windows};

/// An address behind the end of every kernel image, where no driver is.
const NOWHERE: u64 = 0x0180_0000;

/// Callbacks that the loaded drivers have registered.
pub(super) fn of(images: &[Driver], io: &Io) -> Routines {
    let base = |name: &str| {
        let found = images.iter().find(|image| image.path.to_ascii_lowercase().ends_with(name));
        found.map_or(0x5_0000, |image| image.base)
    };
    let filter = [base("avfilter.sys"), base("someflt.sys")].into_iter().max().unwrap_or(0);
    let device = |name: &str| io.devices.iter().position(|device| device.path == name);
    let number = |at: u64, name: &str| (at, name.to_owned());
    let exception =
        |number| Vector { number, handler: 0x1b_0000 + 0x40 * number, ..Vector::default() };
    let mut vectors: Vec<Vector> = (0..20).map(exception).collect();
    vectors.push(Vector { number: 0x2e, handler: 0x1c_0000, ..Vector::default() });
    let of_device = |number, services: &[u64]| Vector {
        number,
        services: services.to_vec(),
        ..Vector::default()
    };
    vectors.push(of_device(0x51, &[base("disk.sys") + 0x4000]));
    vectors.push(of_device(0x72, &[base("ndis.sys") + 0x4100, base("termdd.sys") + 0x4200]));
    vectors.push(Vector { number: 0xd1, handler: base("hal.dll") + 0x2000, ..Vector::default() });
    Routines {
        processes: vec![0x2_1000, filter + 0x2000],
        threads: vec![filter + 0x2100],
        images: vec![0x2_1200, filter + 0x2200, base("tcpip.sys") + 0x2000],
        registry: vec![number(filter + 0x2300, "320410"), number(0x2_1300, "420000")],
        bugcheck: vec![number(base("ndis.sys") + 0x2400, "Ndis miniport"), number(0x2_1400, "nt")],
        bugcheck_reason: vec![
            number(base("disk.sys") + 0x2500, "DumpDisk"),
            number(0x2_1500, "nt"),
        ],
        shutdown: device(r"\Device\HarddiskVolume1").into_iter().collect(),
        file_systems: io
            .drivers
            .iter()
            .filter(|driver| driver.path == r"\FileSystem\FltMgr")
            .map(|driver| (driver.path.clone(), driver.image.0 + 0x2600))
            .collect(),
        callbacks: vec![
            (r"\Callback\PowerState".to_owned(), vec![base("ndis.sys") + 0x2700, 0x2_1700]),
            (r"\Callback\SetSystemTime".to_owned(), Vec::new()),
        ],
        services: (0..296).map(|i| 0x3_0000 + 0x20 * i).collect(),
        window_services: images
            .iter()
            .find(|image| image.path.ends_with("win32k.sys"))
            .map(|image| (0..667).map(|i| image.base + 0x8000 + 0x40 * i).collect())
            .unwrap_or_default(),
        vectors,
        traces: ["IovAllocateIrp", "IovCancelIrp", "IovpCompleteRequest1"]
            .into_iter()
            .enumerate()
            .map(|(i, by)| Trace {
                request: i,
                by,
                frames: vec![filter + 0x2810 + i as u64, base("tcpip.sys") + 0x2820],
            })
            .collect(),
    }
}

/// A healthy system except for four hooks: a dispatch routine, a system service and an interrupt
/// handler that are in no driver, and a dispatch routine that is in another driver; and a driver
/// that no directory lists.
pub fn hooked(windows: Windows) -> SystemSpec {
    let mut spec = healthy(windows);
    let filter = spec.io.drivers.iter().find(|driver| driver.path.ends_with("AvFilter"));
    let filter = filter.map_or(0, |driver| driver.image.0);
    for driver in &mut spec.io.drivers {
        match driver.path.as_str() {
            r"\Driver\Tcpip" => driver.major[14] = filter + 0x7770,
            r"\FileSystem\Ntfs" => driver.major[12] = spec.drivers[1].base - 0x2_0000,
            _ => {}
        }
    }
    let mut hidden = spec.io.drivers.last().cloned().unwrap_or_default();
    r"\Driver\Nobody".clone_into(&mut hidden.path);
    "Nobody".clone_into(&mut hidden.service);
    hidden.is_hidden = true;
    spec.io.drivers.push(hidden);
    if let Some(service) = spec.routines.services.get_mut(17) {
        *service = NOWHERE;
    }
    if let Some(vector) = spec.routines.vectors.get_mut(3) {
        vector.handler = NOWHERE + 0x100;
    }
    spec
}
