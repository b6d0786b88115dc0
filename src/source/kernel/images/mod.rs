//! Loaded and unloaded images, and the symbols that they need.

pub(crate) mod modules;
pub(crate) mod needed;
