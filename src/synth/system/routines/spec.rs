//! Routines that the kernel of a synthetic system calls. An address below 256 MB is an offset in
//! the kernel image, whose base is not known before the system is built.

/// Callbacks, system services, interrupt vectors, and stack traces of Driver Verifier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routines {
    /// Process notify routines.
    pub processes: Vec<u64>,
    /// Thread notify routines.
    pub threads: Vec<u64>,
    /// Image notify routines.
    pub images: Vec<u64>,
    /// Registry callbacks with their altitudes, which Windows does not store before Vista.
    pub registry: Vec<(u64, String)>,
    /// Bug check callbacks, and their components.
    pub bugcheck: Vec<(u64, String)>,
    /// Bug check reason callbacks, and their components.
    pub bugcheck_reason: Vec<(u64, String)>,
    /// Indexes of the devices that are notified of shutdown.
    pub shutdown: Vec<usize>,
    /// Drivers that are notified of file system registrations, by path, and their routines.
    pub file_systems: Vec<(String, u64)>,
    /// Callback objects by path, and the routines registered with them.
    pub callbacks: Vec<(String, Vec<u64>)>,
    /// System services of the kernel.
    pub services: Vec<u64>,
    /// System services of the window system.
    pub window_services: Vec<u64>,
    /// Interrupt vectors; all processors have the same.
    pub vectors: Vec<Vector>,
    /// Stack traces of Driver Verifier, the newest last.
    pub traces: Vec<Trace>,
}

/// An interrupt vector.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vector {
    /// Its number.
    pub number: u64,
    /// Its handler; 0 for a task gate, which 32-bit processors use.
    pub handler: u64,
    /// Interrupt service routines of drivers; each has an interrupt object.
    pub services: Vec<u64>,
    /// Addresses of the interrupt objects.
    pub objects: Vec<u64>,
}

impl Vector {
    /// A vector with its handler and the service routines of drivers.
    pub(super) fn routines(&mut self) -> impl Iterator<Item = &mut u64> {
        std::iter::once(&mut self.handler).chain(&mut self.services)
    }
}

/// A stack trace that Driver Verifier keeps for an IRP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    /// Index of the IRP.
    pub request: usize,
    /// The kernel routine that recorded the stack.
    pub by: &'static str,
    /// Return addresses, its own first.
    pub frames: Vec<u64>,
}
