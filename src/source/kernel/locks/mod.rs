//! Locks of the kernel, who has them and who waits for them.

pub(crate) mod autoboost;
pub(crate) mod resources;
pub(crate) mod spin_locks;
pub(crate) mod waiters;
