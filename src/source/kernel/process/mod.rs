//! Processes: which there are, their rows, and what stands in their own memory.

pub(crate) mod environment;
pub(crate) mod images;
pub(crate) mod list;
pub(crate) mod peb;
pub(crate) mod processes;
