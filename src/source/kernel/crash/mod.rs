//! The dump as a whole, why it was written, and the registers at that time.

pub(crate) mod bugcheck;
mod culprit;
pub(crate) mod overview;
pub(crate) mod registers;
