//! Drivers, devices and requests of a synthetic system. An address of 0 means that any will do.

/// Drivers, their devices, and the requests that are on their way through them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Io {
    /// Driver objects.
    pub drivers: Vec<DriverObject>,
    /// Device objects.
    pub devices: Vec<Device>,
    /// Requests.
    pub requests: Vec<Request>,
}

/// A driver object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DriverObject {
    /// Address of the `_DRIVER_OBJECT`.
    pub address: u64,
    /// Path in the name space (`\FileSystem\Ntfs`).
    pub path: String,
    /// Whether no directory lists it.
    pub is_hidden: bool,
    /// Name of its service.
    pub service: String,
    /// Base and size of its image; 0 for drivers that the kernel makes.
    pub image: (u64, u32),
    /// Entry point.
    pub init: u64,
    /// StartIo routine; 0 for none.
    pub start_io: u64,
    /// Unload routine; 0 for none.
    pub unload: u64,
    /// AddDevice routine; 0 for none.
    pub add_device: u64,
    /// Dispatch routines by major function; 0 stands for the kernel's own that refuses requests.
    pub major: [u64; 28],
}

/// A device object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Device {
    /// Address of the `_DEVICE_OBJECT`.
    pub address: u64,
    /// Path in the name space; empty for a device without a name.
    pub path: String,
    /// Path of its driver.
    pub driver: String,
    /// Number of the device that it is attached to, among the devices.
    pub lower: Option<usize>,
    /// Type (`FILE_DEVICE_…`).
    pub kind: u64,
    /// Flags (`DO_…`).
    pub flags: u64,
    /// Characteristics (`FILE_…`).
    pub characteristics: u64,
    /// Address of the driver's own data.
    pub extension: u64,
    /// References.
    pub references: u64,
    /// Number of the request that it works on, among the requests.
    pub current: Option<usize>,
    /// Numbers of the requests in its queue; `None` for a device without one, as file systems'.
    pub queue: Option<Vec<usize>>,
    /// Instance path and service of its node, of a physical device.
    pub node: Option<(String, String)>,
    /// Address of the node.
    pub node_address: u64,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each says something else of a request")]
pub struct Request {
    /// Address of the `_IRP`.
    pub address: u64,
    /// Id of the thread that issued it; 0 for none.
    pub tid: u64,
    /// Whether it is on the list of that thread.
    pub is_listed: bool,
    /// Its stack locations, the lowest first.
    pub stack: Vec<Location>,
    /// Number of the current one, from 1; that of the last and two more once completed.
    pub current: u64,
    /// Locations that its packet has room for beyond those that it uses.
    pub spare: u64,
    /// Whether its packet has a page of its own, as Driver Verifier has it.
    pub is_verified: bool,
    /// Flags (`IRP_…`).
    pub flags: u64,
    /// Whether it was asked to be cancelled.
    pub is_cancelled: bool,
    /// Cancel routine; 0 for none.
    pub cancel: u64,
    /// Whether it has a memory descriptor list.
    pub has_mdl: bool,
    /// Address of that list.
    pub mdl: u64,
    /// Event that is set when it completes; 0 for none.
    pub event: u64,
    /// Address of the system buffer; 0 for none.
    pub buffer: u64,
    /// Status and information.
    pub status: (u64, u64),
}

/// A stack location of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// Major and minor function.
    pub function: (u64, u64),
    /// Flags, and control flags.
    pub flags: (u64, u64),
    /// Parameters.
    pub arguments: [u64; 4],
    /// Number of its device, among the devices.
    pub device: Option<usize>,
    /// Its file, by the path of the named object; empty for none.
    pub file: String,
    /// Completion routine and its argument; 0 for none.
    pub completion: (u64, u64),
}
