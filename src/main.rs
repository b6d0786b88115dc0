//! The `dumpql` program.

fn main() {}
