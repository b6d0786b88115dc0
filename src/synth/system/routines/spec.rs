//! Routines that the kernel of a synthetic system calls for others. An address below 256 MB is an
//! offset in the kernel's image, whose base is not known before the system is built.

/// Callbacks, system services, interrupt vectors, and stacks that Driver Verifier keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routines {
    /// Notify routines of processes.
    pub processes: Vec<u64>,
    /// Notify routines of threads.
    pub threads: Vec<u64>,
    /// Notify routines of images.
    pub images: Vec<u64>,
    /// Callbacks of the registry, and their altitudes, which Windows before Vista does not keep.
    pub registry: Vec<(u64, String)>,
    /// Bug check callbacks, and their components.
    pub bugcheck: Vec<(u64, String)>,
    /// Bug check callbacks with a reason, and their components.
    pub bugcheck_reason: Vec<(u64, String)>,
    /// Numbers of the devices that are told of the shutdown.
    pub shutdown: Vec<usize>,
    /// Drivers that are told of file systems, by path, and their routines.
    pub file_systems: Vec<(String, u64)>,
    /// Callback objects by path, and what is registered with them.
    pub callbacks: Vec<(String, Vec<u64>)>,
    /// System services of the kernel.
    pub services: Vec<u64>,
    /// System services of the window system.
    pub window_services: Vec<u64>,
    /// Interrupt vectors, which all processors have alike.
    pub vectors: Vec<Vector>,
    /// Stacks that Driver Verifier keeps, the newest last.
    pub traces: Vec<Trace>,
}

/// An interrupt vector.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vector {
    /// Its number.
    pub number: u64,
    /// What handles it; 0 for a task, which 32-bit processors switch to.
    pub handler: u64,
    /// Routines of drivers for the interrupts of devices; each has an interrupt object.
    pub services: Vec<u64>,
    /// Addresses of the objects.
    pub objects: Vec<u64>,
}

impl Vector {
    /// Its handler and the routines of drivers.
    pub(super) fn routines(&mut self) -> impl Iterator<Item = &mut u64> {
        std::iter::once(&mut self.handler).chain(&mut self.services)
    }
}

/// A stack trace that Driver Verifier keeps for an IRP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    /// Number of the IRP.
    pub request: usize,
    /// The routine of the kernel that keeps the stack.
    pub by: &'static str,
    /// Return addresses, its own first.
    pub frames: Vec<u64>,
}
