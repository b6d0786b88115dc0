//! Processes: their list, their rows, and what is in their user-mode memory.

pub(crate) mod environment;
pub(crate) mod images;
pub(crate) mod list;
pub(crate) mod peb;
pub(crate) mod processes;
