//! Drivers, devices and IRPs of a synthetic system. For an address, 0 means that the builder
//! chooses it.

/// Drivers, their devices, and pending IRPs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Io {
    /// Driver objects.
    pub drivers: Vec<DriverObject>,
    /// Device objects.
    pub devices: Vec<Device>,
    /// IRPs.
    pub requests: Vec<Request>,
}

/// A driver object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DriverObject {
    /// Address of the `_DRIVER_OBJECT`.
    pub address: u64,
    /// Path in the object namespace (`\FileSystem\Ntfs`).
    pub path: String,
    /// Whether no object directory lists it.
    pub is_hidden: bool,
    /// Name of its service.
    pub service: String,
    /// Base and size of its image; 0 for drivers that the kernel creates.
    pub image: (u64, u32),
    /// Entry point.
    pub init: u64,
    /// StartIo routine; 0 for none.
    pub start_io: u64,
    /// Unload routine; 0 for none.
    pub unload: u64,
    /// AddDevice routine; 0 for none.
    pub add_device: u64,
    /// Dispatch routines by major function; 0 stands for the kernel's routine that rejects IRPs.
    pub major: [u64; 28],
}

/// A device object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Device {
    /// Address of the `_DEVICE_OBJECT`.
    pub address: u64,
    /// Path in the object namespace; empty for a device without a name.
    pub path: String,
    /// Path of its driver.
    pub driver: String,
    /// Index of the device that it is attached to.
    pub lower: Option<usize>,
    /// Type (`FILE_DEVICE_…`).
    pub kind: u64,
    /// Flags (`DO_…`).
    pub flags: u64,
    /// Characteristics (`FILE_…`).
    pub characteristics: u64,
    /// Address of the device extension.
    pub extension: u64,
    /// References.
    pub references: u64,
    /// Index of the IRP that it processes.
    pub current: Option<usize>,
    /// Indexes of the IRPs in its queue; `None` for a device without a queue, such as those of file
    /// systems.
    pub queue: Option<Vec<usize>>,
    /// Instance path and service of the device node, for physical devices.
    pub node: Option<(String, String)>,
    /// Address of the device node.
    pub node_address: u64,
}

/// An IRP.
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
    /// Number of the current one, from 1; the number of stack locations plus 2 after completion.
    pub current: u64,
    /// Unused stack locations for which the IRP has space.
    pub spare: u64,
    /// Whether it is in special pool, as with Driver Verifier.
    pub is_verified: bool,
    /// Flags (`IRP_…`).
    pub flags: u64,
    /// Whether cancellation was requested.
    pub is_cancelled: bool,
    /// Cancel routine; 0 for none.
    pub cancel: u64,
    /// Whether it has an MDL.
    pub has_mdl: bool,
    /// Address of the MDL.
    pub mdl: u64,
    /// Event that is set when it completes; 0 for none.
    pub event: u64,
    /// Address of the system buffer; 0 for none.
    pub buffer: u64,
    /// Status and information of the I/O status block.
    pub status: (u64, u64),
}

/// A stack location of an IRP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// Major and minor function.
    pub function: (u64, u64),
    /// Flags, and control flags.
    pub flags: (u64, u64),
    /// Parameters.
    pub arguments: [u64; 4],
    /// Index of its device.
    pub device: Option<usize>,
    /// Its file, as the path of a named object; empty for none.
    pub file: String,
    /// Completion routine and its argument; 0 for none.
    pub completion: (u64, u64),
}
