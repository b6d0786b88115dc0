//! Synthetic dumps, built in memory from type layouts.
//!
//! Shares no container or paging code with the readers: two wrongs must not agree.

/// The sample: the bytes of a small triage dump, the same at every call.
pub fn sample() -> Vec<u8> {
    Vec::new()
}
