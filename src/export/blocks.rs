//! Rows rendered in blocks by all cores and written in order.

use std::io::{self, Write};
use std::ops::Range;

use rayon::prelude::*;

/// Rows of one block: enough to pay for the hand-over, few enough to stay in the cache.
const ROWS: usize = 8192;

/// Calls `render` for each block of the `rows` rows, several at once, and writes what it appended
/// in the order of the rows. Memory stays at a few blocks, however many rows there are.
pub(super) fn write_blocks(
    rows: usize,
    out: &mut dyn Write,
    render: impl Fn(Range<usize>, &mut String) + Sync,
) -> io::Result<()> {
    if rows <= ROWS {
        let mut text = String::new();
        render(0..rows, &mut text);
        return out.write_all(text.as_bytes());
    }
    let at_once = rayon::current_num_threads().max(1) * 2;
    let mut buffers: Vec<String> = vec![String::new(); at_once];
    for group in (0..rows).step_by(ROWS * at_once) {
        buffers.par_iter_mut().enumerate().for_each(|(index, buffer)| {
            buffer.clear();
            let start = (group + index * ROWS).min(rows);
            render(start..(start + ROWS).min(rows), buffer);
        });
        for buffer in &buffers {
            out.write_all(buffer.as_bytes())?;
        }
    }
    Ok(())
}
