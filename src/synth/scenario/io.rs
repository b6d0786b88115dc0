//! Drivers, devices and IRPs of the example systems, and systems with many pending IRPs.

use crate::synth::spec::Driver;
use crate::synth::system::{Device, DriverObject, Io, Location, Request, SystemSpec, Windows};

/// Drivers whose object name is not `\Driver\` and the image name: image, path, service.
const NAMED: [(&str, &str, &str); 10] = [
    ("disk", r"\Driver\Disk", "disk"),
    ("ntfs", r"\FileSystem\Ntfs", "Ntfs"),
    ("npfs", r"\FileSystem\Npfs", "Npfs"),
    ("fltmgr", r"\FileSystem\FltMgr", "FltMgr"),
    ("avfilter", r"\FileSystem\AvFilter", "AvFilter"),
    ("someflt", r"\FileSystem\SomeFlt", "SomeFlt"),
    ("ndis", r"\Driver\NDIS", "NDIS"),
    ("tcpip", r"\Driver\Tcpip", "Tcpip"),
    ("afd", r"\Driver\AFD", "AFD"),
    ("termdd", r"\Driver\TermDD", "TermDD"),
];
/// Export drivers, which have no driver object.
const LIBRARIES: [&str; 1] = ["classpnp"];
/// The kernel's driver that enumerates devices.
const PNP: &str = r"\Driver\PnpManager";
/// Major functions that all drivers handle, and those that file systems handle.
const PLAIN: [usize; 7] = [0, 2, 3, 4, 14, 18, 22];
const FILES: [usize; 9] = [5, 6, 9, 10, 12, 13, 16, 17, 27];
const PENDING: u64 = 1;
/// The completion routine is called on success, on error and on cancellation.
const ALWAYS: u64 = 0xe0;

/// The common part of the example systems: driver objects, device stacks, and a few IRPs.
pub(super) fn of(images: &[Driver]) -> Io {
    let mut io = Io { drivers: vec![pnp_manager()], ..Io::default() };
    let library = images.iter().find(|image| stem(image) == "classpnp").map(|image| image.base);
    for image in images.iter().skip(1) {
        let stem = stem(image);
        let is_driver = image.path.to_ascii_lowercase().ends_with(".sys");
        if is_driver && !LIBRARIES.contains(&stem.as_str()) {
            io.drivers.push(driver(image, &stem, library));
        }
    }
    devices(&mut io);
    requests(&mut io);
    io
}

fn stem(image: &Driver) -> String {
    let file = image.path.rsplit('\\').next().unwrap_or_default().to_ascii_lowercase();
    file.rsplit_once('.').map_or(file.clone(), |(stem, _)| stem.to_owned())
}

fn pnp_manager() -> DriverObject {
    DriverObject {
        path: PNP.to_owned(),
        service: "PnpManager".to_owned(),
        ..DriverObject::default()
    }
}

fn driver(image: &Driver, stem: &str, library: Option<u64>) -> DriverObject {
    let named = NAMED.iter().find(|row| row.0 == stem);
    let file = image.path.rsplit('\\').next().unwrap_or_default();
    let own = file.split('.').next().unwrap_or_default();
    let path = named.map_or_else(|| format!(r"\Driver\{own}"), |row| row.1.to_owned());
    let is_files = path.starts_with(r"\FileSystem");
    // In small images the code directly follows the headers.
    let code = image.base + if image.size < 0x8000 { 0x400 } else { 0x3000 };
    let mut made = DriverObject {
        service: named.map_or(own, |row| row.2).to_owned(),
        image: (image.base, image.size),
        init: code,
        unload: if is_files { 0 } else { code + 0x100 },
        add_device: if stem == "disk" { code + 0x180 } else { 0 },
        start_io: if stem == "disk" { code + 0x1c0 } else { 0 },
        path,
        ..DriverObject::default()
    };
    // A disk driver lets the class driver handle its IRPs.
    let routines = library.filter(|_| stem == "disk").map_or(code, |base| base + 0x3000);
    let files = FILES.iter().filter(|_| is_files);
    for major in PLAIN.iter().chain(files) {
        made.major[*major] = routines + 0x200 + 0x20 * *major as u64;
    }
    made
}

/// Adds a device if its driver is loaded, and returns its number.
fn add(io: &mut Io, driver: &str, path: &str, kind: u64, lower: Option<usize>) -> Option<usize> {
    let base = io.drivers.iter().find(|made| made.path == driver)?.image.0;
    let number = io.devices.len();
    io.devices.push(Device {
        path: path.to_owned(),
        driver: driver.to_owned(),
        lower,
        kind,
        flags: 0x50,
        characteristics: if path.is_empty() { 0 } else { 0x100 },
        extension: if base == 0 { 0 } else { base + 0x7000 + 0x100 * number as u64 },
        references: number as u64 % 5,
        queue: Some(Vec::new()),
        ..Device::default()
    });
    Some(number)
}

fn devices(io: &mut Io) {
    let physical = add(io, PNP, r"\Device\0000003f", 4, None);
    if let Some(device) = physical.and_then(|number| io.devices.get_mut(number)) {
        device.node = Some((r"IDE\DISKFIRST\5&1B2C3D4E&0&0.0.0".to_owned(), "disk".to_owned()));
    }
    add(io, r"\Driver\Disk", r"\Device\HarddiskVolume1", 7, physical);
    // The device of a file system is not attached to the volume device; the VPB connects them.
    let root = add(io, r"\FileSystem\Ntfs", "", 8, None);
    let filters = [r"\FileSystem\FltMgr", r"\FileSystem\AvFilter", r"\FileSystem\SomeFlt"];
    let mut top = root;
    for filter in filters {
        top = add(io, filter, "", 8, top).or(top);
    }
    let pipes = add(io, r"\FileSystem\Npfs", r"\Device\NamedPipe", 0x11, None);
    for number in [root, top, pipes].into_iter().flatten() {
        if let Some(device) = io.devices.get_mut(number) {
            device.queue = None;
        }
    }
    // Programs hold handles to it.
    add(io, PNP, r"\Device\Null", 0x15, None);
    add(io, r"\Driver\AFD", r"\Device\Afd", 0x11, None);
    add(io, r"\Driver\NDIS", r"\Device\Ndis", 0x17, None);
    for name in ["Ip", "Tcp", "Udp", "RawIp"] {
        add(io, r"\Driver\Tcpip", &format!(r"\Device\{name}"), 0x12, None);
    }
    add(io, r"\Driver\TermDD", r"\Device\Termdd", 0x38, None);
}

/// The top of the device stack in which a driver takes part, and the driver's own device in it.
fn stack_of(io: &Io, driver: &str) -> Option<(usize, usize)> {
    let own = io.devices.iter().position(|device| device.driver == driver)?;
    let mut top = own;
    while let Some(upper) = io.devices.iter().position(|device| device.lower == Some(top)) {
        top = upper;
    }
    Some((top, own))
}

/// An IRP on its way through a device stack, up to the device of a driver.
pub(super) fn through(
    io: &Io,
    driver: &str,
    tid: u64,
    function: (u64, u64),
    file: &str,
) -> Option<Request> {
    let (top, own) = stack_of(io, driver)?;
    let base = |number: usize| {
        let device = io.devices.get(number)?;
        io.drivers.iter().find(|made| made.path == device.driver).map(|made| made.image.0)
    };
    let mut stack = Vec::new();
    let mut current = 1;
    let (mut at, mut upper) = (Some(top), None);
    while let Some(number) = at {
        let routine = upper.and_then(base).filter(|base| *base != 0);
        let context = upper.and_then(|upper: usize| io.devices.get(upper));
        let is_reached = stack.len() as u64 + 1;
        if number == own {
            current = is_reached;
        }
        stack.push(Location {
            function,
            flags: (0, if routine.is_some() { ALWAYS } else { 0 }),
            arguments: [0x1000, 0, 0x200 * is_reached, 0],
            device: Some(number),
            file: file.to_owned(),
            completion: (
                routine.map_or(0, |base| base + 0x5100),
                context.map_or(0, |device| device.extension),
            ),
        });
        (upper, at) = (Some(number), io.devices.get(number).and_then(|device| device.lower));
    }
    let count = stack.len() as u64;
    stack.reverse();
    let current = count + 1 - current;
    // The stack locations below have not been filled in yet.
    for (number, location) in (1..).zip(&mut stack) {
        if number < current {
            *location = Location::default();
        } else if number == current {
            location.flags.1 |= PENDING;
        }
    }
    Some(Request { tid, is_listed: tid != 0, stack, current, flags: 0x60, ..Request::default() })
}

fn requests(io: &mut Io) {
    let cancel = |io: &Io, driver: &str| {
        let found = io.drivers.iter().find(|made| made.path == driver);
        found.map_or(0, |made| made.image.0 + 0x6100)
    };
    let mut all = Vec::new();
    // An IRP larger than a page, and an IRP of a driver that Driver Verifier monitors.
    let large = through(io, r"\FileSystem\Ntfs", 644, (3, 0), "log");
    all.extend(large.map(|request| Request { spare: 120, ..request }));
    let verified = through(io, r"\FileSystem\AvFilter", 648, (4, 0), "log");
    all.extend(verified.map(|request| Request { is_verified: true, ..request }));
    for tid in (368..392).step_by(4) {
        let pipe = through(io, r"\FileSystem\Npfs", tid, (13, 0), "");
        let cancel = cancel(io, r"\FileSystem\Npfs");
        all.extend(pipe.map(|request| Request { cancel, ..request }));
    }
    for tid in [744, 748, 752] {
        let socket = through(io, r"\Driver\AFD", tid, (14, 0), "");
        let cancel = cancel(io, r"\Driver\AFD");
        let mdl = |request| Request { cancel, has_mdl: true, buffer: 0x2_0000, ..request };
        all.extend(socket.map(mdl));
    }
    let given_up = through(io, r"\Driver\AFD", 756, (3, 0), "");
    all.extend(given_up.map(|request| Request { is_cancelled: true, ..request }));
    all.extend(through(io, r"\Driver\Disk", 12, (27, 7), ""));
    // Completed IRPs stay in memory until their pool block is reused.
    for tid in [1688, 1696] {
        let done = through(io, r"\Driver\Tcpip", tid, (14, 0), "");
        all.extend(done.map(|request| Request {
            current: request.stack.len() as u64 + 2,
            is_listed: false,
            status: (0, 0x1000),
            ..request
        }));
    }
    // The disk processes one IRP and has two more in its queue, which the cache manager sent.
    let disk: Vec<Request> = (0..3u64)
        .filter_map(|i| through(io, r"\Driver\Disk", 0, (3 + i % 2, 0), ""))
        .map(|request| Request { spare: 2, has_mdl: true, ..request })
        .collect();
    if let Some((_, own)) = stack_of(io, r"\Driver\Disk").filter(|_| disk.len() == 3) {
        let first = all.len();
        if let Some(device) = io.devices.get_mut(own) {
            (device.current, device.queue) = (Some(first), Some(vec![first + 1, first + 2]));
        }
        all.extend(disk);
    }
    io.requests = all;
}

/// The healthy system with this many IRPs pending at one driver.
pub fn pile(windows: Windows, driver: &str, count: usize) -> SystemSpec {
    let mut spec = super::healthy(windows);
    // All of them were sent by the threads of one service.
    let service = spec.processes.iter().find(|process| process.pid == 724);
    let tids: Vec<u64> = service
        .map(|process| process.threads.iter().map(|thread| thread.tid).collect())
        .unwrap_or_default();
    for tid in tids.iter().cycle().take(count) {
        let request = through(&spec.io, driver, *tid, (3, 0), "log");
        spec.io.requests.extend(request);
    }
    spec
}
