//! The dump as a whole, why it was written, the suspected cause, and the registers at that time.

pub(crate) mod bugcheck;
mod culprit;
mod damage;
mod explain;
mod leads;
mod machine_check;
pub(crate) mod overview;
pub(crate) mod registers;
mod rules;
pub(crate) mod whea;
