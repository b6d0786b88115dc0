//! Renders rows in blocks on all cores, and writes the blocks in order.

use std::io::{self, Write};
use std::ops::Range;

use rayon::prelude::*;

use crate::exec::ResultSet;

/// Rows of one block, and cells: enough to pay for the hand-over, few enough to stay in the cache.
const ROWS: usize = 8192;
const CELLS: usize = 1 << 13;

/// About as much text may one block have: rows of long texts come in smaller blocks.
const TEXT: usize = 4 << 20;

/// Calls `render` for each block of the `rows` rows, several at once, and writes what it appended
/// in the order of the rows. Memory stays at a few blocks, however many rows there are, and
/// however long their texts.
pub(super) fn write_blocks(
    result: &ResultSet,
    out: &mut dyn Write,
    render: impl Fn(Range<usize>, &mut String) + Sync,
) -> io::Result<()> {
    let rows = result.len();
    let per_row = result.text_bytes().checked_div(rows).unwrap_or(0);
    let most = CELLS.checked_div(result.fields().len()).unwrap_or(ROWS).clamp(64, ROWS);
    let block = TEXT.checked_div(per_row).unwrap_or(ROWS).clamp(1, most);
    if rows <= block {
        let mut text = String::new();
        render(0..rows, &mut text);
        return out.write_all(text.as_bytes());
    }
    let at_once = rayon::current_num_threads().max(1) * 2;
    let mut buffers: Vec<String> = vec![String::new(); at_once];
    for group in (0..rows).step_by(block * at_once) {
        buffers.par_iter_mut().enumerate().for_each(|(index, buffer)| {
            buffer.clear();
            let start = (group + index * block).min(rows);
            render(start..(start + block).min(rows), buffer);
        });
        for buffer in &buffers {
            out.write_all(buffer.as_bytes())?;
        }
    }
    Ok(())
}
