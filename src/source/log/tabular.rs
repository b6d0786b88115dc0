//! Tables in the output of commands without a reader: `log_table(n)` returns their rows.
//!
//! Names and types of columns are determined from the first lines of the output; the rows are read
//! on demand.

use std::collections::HashSet;

use super::layout::{self, Cut, Found, MAX_CHARS, MAX_COLUMNS, is_rule};
use super::line::Lines;
use super::scan::{address, hex};
use crate::catalog::{Absent, CallColumn, Cell, Ty, Value};

/// How many lines determine the shape.
const SAMPLE: usize = 2000;

/// The shape of a table.
#[derive(Debug, Clone)]
pub(super) struct TableShape {
    cut: Cut,
    /// The columns that the text has; `log_line` comes after them.
    columns: Vec<CallColumn>,
    /// Number of the line before the first row.
    before: u64,
    /// Upper limit on the cells of a row.
    width: usize,
}

/// The shape of the output in `lines`; `None` if it is not a table.
pub(super) fn shape(lines: &mut Lines<'_>) -> Option<TableShape> {
    let mut sample: Vec<(u64, String)> = Vec::new();
    for line in lines.take(SAMPLE) {
        if !line.is_blank() || !sample.is_empty() {
            sample.push((line.number, line.text.into_owned()));
        }
    }
    let first = sample.first()?.0;
    let Found { cut, names, before } = layout::find(&sample).unwrap_or(Found {
        cut: Cut::Whole,
        names: Vec::new(),
        before: first.saturating_sub(1),
    });
    let width = if names.len() > 1 { names.len().min(MAX_COLUMNS) } else { MAX_COLUMNS };
    let mut shape = TableShape { cut, columns: Vec::new(), before, width };
    let rows: Vec<Vec<String>> = sample
        .iter()
        .filter(|(number, _)| *number > before)
        .map(|(_, text)| text)
        .skip_while(|text| text.is_empty())
        .take_while(|text| !shape.ends_at(text))
        .filter_map(|text| shape.cells(text))
        .collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or(names.len()).max(names.len());
    shape.columns = columns(&names, count.clamp(1, MAX_COLUMNS), &rows);
    Some(shape)
}

impl TableShape {
    /// The columns, followed by the hidden line number.
    pub(super) fn columns(&self) -> Vec<CallColumn> {
        let line = CallColumn { hidden: true, ..CallColumn::new("log_line", Ty::Int) };
        self.columns.iter().cloned().chain([line]).collect()
    }

    /// Emits the rows until no more are wanted.
    pub(super) fn rows(
        &self,
        lines: &mut Lines<'_>,
        emit: &mut dyn FnMut(Vec<Cell<Value<'static>>>) -> std::ops::ControlFlow<()>,
    ) {
        let mut is_inside = false;
        for line in lines.filter(|line| line.number > self.before) {
            if is_inside && self.ends_at(&line.text) {
                break;
            }
            let Some(cells) = self.cells(&line.text) else { continue };
            is_inside = true;
            let mut cells = cells.into_iter();
            let mut row: Vec<Cell<Value<'static>>> = self
                .columns
                .iter()
                .map(|column| value(&cells.next().unwrap_or_default(), column.ty))
                .collect();
            row.push(i64::try_from(line.number).map(Value::Int).map_err(|_| Absent::Unreadable));
            if emit(row).is_break() {
                break;
            }
        }
    }

    /// Whether the table ends before a line. If columns are determined by position, a blank line
    /// ends the table.
    fn ends_at(&self, text: &str) -> bool {
        text.is_empty() && self.cut.is_by_place()
    }

    /// The cells of a line; `None` if it is not a row.
    fn cells(&self, text: &str) -> Option<Vec<String>> {
        if text.is_empty() || is_rule(text) || text.len() > MAX_CHARS * 4 {
            return None;
        }
        self.cut.cells(text, self.width)
    }
}

/// The columns: named by headings, typed by the values below them.
fn columns(names: &[String], count: usize, rows: &[Vec<String>]) -> Vec<CallColumn> {
    let mut taken: HashSet<String> = HashSet::from(["log_line".to_owned(), "dump".to_owned()]);
    (0..count)
        .map(|index| {
            let heading = names.get(index).map(|name| identifier(name)).unwrap_or_default();
            let plain = if heading.is_empty() { format!("c{}", index + 1) } else { heading };
            let mut name = plain.clone();
            let mut n = 1;
            while !taken.insert(name.clone()) {
                n += 1;
                name = format!("{plain}_{n}");
            }
            CallColumn::new(name, type_of(rows.iter().filter_map(|row| row.get(index))))
        })
        .collect()
}

/// A heading as a name: `Stack Address` is `stack_address`.
fn identifier(heading: &str) -> String {
    let mut name = String::new();
    for c in heading.chars().take(60) {
        if c.is_alphanumeric() {
            name.extend(c.to_lowercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = name.trim_end_matches('_').to_owned();
    if name.starts_with(|c: char| c.is_numeric()) { format!("c_{name}") } else { name }
}

fn type_of<'a>(cells: impl Iterator<Item = &'a String>) -> Ty {
    let mut cells = cells.filter(|cell| !cell.is_empty()).peekable();
    if cells.peek().is_none() {
        return Ty::Text;
    }
    let (mut is_int, mut is_address) = (true, true);
    for cell in cells {
        is_int &= int(cell).is_some();
        is_address &= address(cell).is_some() || (cell.starts_with("0x") && hex(cell).is_some());
    }
    match (is_address, is_int) {
        (true, _) => Ty::Addr,
        (false, true) => Ty::Int,
        (false, false) => Ty::Text,
    }
}

/// A decimal number that is not part of something else.
fn int(cell: &str) -> Option<i64> {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let has_zeros = digits.len() > 1 && digits.starts_with('0');
    if has_zeros { None } else { super::scan::dec(cell) }
}

fn value(cell: &str, ty: Ty) -> Cell<Value<'static>> {
    if cell.is_empty() {
        return Err(Absent::NotApplicable);
    }
    match ty {
        Ty::Int => int(cell).map(Value::Int).ok_or(Absent::Unreadable),
        Ty::Addr => hex(cell).map(Value::Addr).ok_or(Absent::Unreadable),
        _ => Ok(Value::Text(cell.to_owned().into())),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell as StdCell;
    use std::ops::ControlFlow;

    use super::super::text::Text;
    use super::*;
    use crate::dump::Image;

    fn of(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
        let text = Text::new(Image::from_bytes("log", text.as_bytes().to_vec()));
        let stopped = StdCell::new(false);
        let lines = || Lines::new(&text, 0..text.len(), 1, "", &stopped);
        let shape = shape(&mut lines()).expect("a shape");
        let name = |c: &CallColumn| format!("{} {:?}", c.name, c.ty);
        let mut rows = Vec::new();
        shape.rows(&mut lines(), &mut |row| {
            let shown = row.iter().map(|cell| match cell {
                Ok(Value::Text(text)) => text.to_string(),
                Ok(Value::Int(n)) => n.to_string(),
                Ok(Value::Addr(n)) => format!("{n:x}"),
                _ => String::new(),
            });
            rows.push(shown.collect());
            ControlFlow::Continue(())
        });
        (shape.columns.iter().map(name).collect(), rows)
    }

    #[test]
    fn under_a_rule_of_several_parts() {
        let text = "PID            Address          Name   !! Rn\n============== ================ ====== == ==\n0x0    0n0     fffff80632324a00 Idle    .  8\n0x248  0n584   ffffd80bfb544040 smss.e  .  .\n\nTotal 2\n";
        let (columns, rows) = of(text);
        assert_eq!(columns, ["pid Text", "address Addr", "name Text", "c4 Text", "rn Text"]);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1], ["0x248  0n584", "ffffd80bfb544040", "smss.e", ".", ".", "4"]);
    }

    #[test]
    fn between_bars_and_tabs() {
        let text = "Frame  Function   Value\n=====================\n   0 | nt!A     | 0000000000c8e870\n     |          | 00000000007be1e0\n";
        let (columns, rows) = of(text);
        assert_eq!(columns, ["frame Int", "function Text", "value Addr"]);
        assert_eq!(rows[1], ["", "", "7be1e0", "4"]);
        let (columns, rows) = of("name\tsize\nfoo\t12\nbar\t7\n");
        assert_eq!(columns, ["name Text", "size Int"]);
        assert_eq!(rows, [["foo", "12", "2"], ["bar", "7", "3"]]);
        assert_eq!(of("a\tb\tc\n").0, ["c1 Text", "c2 Text", "c3 Text"]);
    }

    #[test]
    fn between_commas_frames_and_in_grids() {
        let (columns, rows) = of("Address,Count,Name\n0x1000,5,abc\n0x2000,6,def\n");
        assert_eq!(columns, ["address Addr", "count Int", "name Text"]);
        assert_eq!(rows[1], ["2000", "6", "def", "3"]);
        let (columns, rows) = of("| a | b |\n|---|---|\n| 1 | x |\n| 2 | y |\n");
        assert_eq!((columns, rows.len()), (vec!["a Int".to_owned(), "b Text".to_owned()], 2));
        let grid = "==========================\n=      = Name   = Threads =\n==========================\n= [0]  - Idle   - {...}   =\n= [4]  - a - b  - {...}   =\n==========================\n";
        let (columns, rows) = of(grid);
        assert_eq!(columns, ["c1 Text", "name Text", "threads Text"]);
        assert_eq!(rows[1], ["[4]", "a - b", "{...}", "5"]);
        assert_eq!(of("Yes, of course.\nNo, never.\n").0.len(), 1);
    }

    #[test]
    fn aligned_below_headings() {
        let (columns, rows) = of(
            "Name      Count  What it is\nfoo           1  one thing\nbar baz      22  another\n",
        );
        assert_eq!(columns.len(), 3);
        assert_eq!(rows[1][..2], ["bar baz", "22"]);
        let (columns, rows) = of("a 1\nb 2\n");
        assert_eq!((columns, rows.len()), (vec!["c1 Text".to_owned(), "c2 Int".to_owned()], 2));
        assert_eq!(of("just a line of text\n").0.len(), 5);
        assert_eq!(of("one line\nand another line\n").0, ["c1 Text"]);
    }
}
