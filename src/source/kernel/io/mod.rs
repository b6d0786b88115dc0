//! Drivers, devices and IRPs.

pub(crate) mod devices;
pub(crate) mod driver_rows;
pub(crate) mod drivers;
pub(crate) mod irp_search;
pub(crate) mod irps;
pub(crate) mod state;
pub(crate) mod traces;
