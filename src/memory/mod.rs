//! Addresses and what lies behind them. Knows nothing of files, symbols or kernels.

mod address;

pub use address::{Gpa, Gva};
