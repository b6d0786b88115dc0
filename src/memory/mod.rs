//! Addresses and memory: ranges of a file, physical pages, page tables.
//!
//! This module works on the bytes of a file. It knows neither where they come from nor what they
//! mean, and nothing about symbols or kernels.

// Every number here comes from a file that may be damaged.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

mod address;
mod bitmap;
mod fault;
mod machine;
mod paging;
mod parts;
mod physical;
#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "the numbers of these tests are small")]
mod properties;
mod regions;
mod runs;
mod software;
#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "the numbers of these tests are small")]
mod tests;
mod tlb;
mod view;

pub use address::{Gpa, Gva};
pub use bitmap::Bitmap;
pub use fault::Fault;
pub use machine::{Machine, Root};
pub use paging::{Mode, Translation, Via};
pub use parts::Part;
pub use physical::{PAGE, PageMap, Physical, Run};
pub use regions::{Region, Regions};
pub use runs::Runs;
pub use software::Prototypes;
pub use view::{Fetch, View};
