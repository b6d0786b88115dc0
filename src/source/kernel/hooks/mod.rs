//! Routines that others call: callbacks, system services, interrupts.

pub(crate) mod callbacks;
pub(crate) mod interrupts;
pub(crate) mod service_tables;
pub(crate) mod services;
