//! Kernel locks, their owners and their waiters.

pub(crate) mod autoboost;
pub(crate) mod resources;
pub(crate) mod spin_locks;
pub(crate) mod waiters;
