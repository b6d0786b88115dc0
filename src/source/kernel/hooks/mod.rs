//! Routines that the system calls: callbacks, system services, interrupt handlers.

pub(crate) mod callbacks;
pub(crate) mod interrupts;
pub(crate) mod service_tables;
pub(crate) mod services;
