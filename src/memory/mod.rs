//! Addresses and what lies behind them. Knows nothing of files, symbols or kernels.

mod address;
mod regions;

pub use address::{Gpa, Gva};
pub use regions::{Fault, Region, Regions};
