//! The object manager: headers, types, names, directories and handles.

pub(crate) mod directory;
pub(crate) mod handles;
pub(crate) mod manager;
pub(crate) mod names;
