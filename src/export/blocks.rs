//! Renders rows in blocks on several threads, and writes the blocks in order.

use std::io::{self, Write};
use std::ops::Range;

use rayon::prelude::*;

use crate::exec::ResultSet;

/// The maximum number of rows of a block, and of its cells: large enough to outweigh the cost of a
/// task, small enough for the cache.
const ROWS: usize = 8192;
const CELLS: usize = 1 << 13;

/// The approximate maximum text of a block; blocks with long texts have fewer rows.
const TEXT: usize = 4 << 20;

/// Calls `render` for each block of the `rows` rows, several in parallel, and writes the rendered
/// text in the order of the rows. Only a few blocks are in memory at a time, regardless of the
/// number of rows and the length of their texts.
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
