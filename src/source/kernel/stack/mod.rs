//! Thread stacks: where they start, how they are walked, and their rows.

pub(crate) mod fetch;
pub(crate) mod stack_rows;
pub(crate) mod stacks;
pub(crate) mod walks;
