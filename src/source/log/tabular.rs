//! Tables that no reader knows, by their shape: columns between tabs or bars, under a rule of dashes,
//! or aligned below a header. `log_table(n)` gives their rows.
//!
//! Knows how tables look in text; does not know what one means. The shape is told from the first
//! lines of the output; the rows are read when they are asked for.

use std::collections::HashSet;

use super::line::Lines;
use super::scan::{address, hex};
use crate::catalog::{Absent, CallColumn, Cell, Ty, Value};

/// The shape is told from so many lines.
const SAMPLE: usize = 2000;
/// Wider tables do not exist.
const MAX_COLUMNS: usize = 200;
/// A longer line is no row.
const MAX_CHARS: usize = 4000;

/// How a row is taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cut {
    /// At every one of these characters.
    At(char),
    /// Where columns start, counted in characters.
    Starts(Vec<usize>),
    /// At blanks: so many words.
    Words(usize),
    /// Not at all.
    Whole,
}

/// A table that was found.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    cut: Cut,
    /// The columns that the text has; `log_line` comes after them.
    columns: Vec<CallColumn>,
    /// Number of the line before the first row.
    before: u64,
    /// Rows have no more cells.
    width: usize,
}

/// The shape of the output that `lines` hold; `None` if there is none.
pub(super) fn shape(lines: &mut Lines<'_>) -> Option<Shape> {
    let mut sample: Vec<(u64, String)> = Vec::new();
    for line in lines.take(SAMPLE) {
        if !line.is_blank() || !sample.is_empty() {
            sample.push((line.number, line.text.into_owned()));
        }
    }
    let first = sample.first()?.0;
    let (cut, names, before) = ruled(&sample)
        .or_else(|| separated(&sample, '\t'))
        .or_else(|| separated(&sample, '|'))
        .or_else(|| aligned(&sample))
        .unwrap_or((Cut::Whole, Vec::new(), first.saturating_sub(1)));
    let width = if names.len() > 1 { names.len().min(MAX_COLUMNS) } else { MAX_COLUMNS };
    let mut shape = Shape { cut, columns: Vec::new(), before, width };
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

impl Shape {
    /// The columns, and at the end the hidden number of the line.
    pub(super) fn columns(&self) -> Vec<CallColumn> {
        let line = CallColumn { hidden: true, ..CallColumn::new("log_line", Ty::Int) };
        self.columns.iter().cloned().chain([line]).collect()
    }

    /// Gives the rows as long as more are wanted.
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

    /// Whether the table ends before a line. Where columns are told by their place, whatever comes
    /// after a blank line is another thing.
    fn ends_at(&self, text: &str) -> bool {
        text.is_empty() && matches!(self.cut, Cut::Starts(_) | Cut::Words(_))
    }

    /// The cells of a line; `None` if it is no row.
    fn cells(&self, text: &str) -> Option<Vec<String>> {
        if text.is_empty() || is_rule(text) || text.len() > MAX_CHARS * 4 {
            return None;
        }
        match &self.cut {
            Cut::At(mark) => {
                // What the last column holds may have the mark too.
                let cells = text.splitn(self.width, *mark).map(|cell| cell.trim().to_owned());
                text.contains(*mark).then(|| cells.collect())
            }
            Cut::Starts(starts) => Some(at_starts(text, starts)),
            Cut::Words(_) => Some(text.split_whitespace().map(str::to_owned).collect()),
            Cut::Whole => Some(vec![text.trim().to_owned()]),
        }
    }
}

/// Whether a line is nothing but a rule.
fn is_rule(text: &str) -> bool {
    let marks = text.chars().filter(|c| matches!(c, '-' | '=' | '_')).count();
    marks >= 2 && text.chars().all(|c| matches!(c, '-' | '=' | '_' | '+' | '|' | ' ' | '\t'))
}

/// A table under a rule. A rule of several parts says where columns start.
fn ruled(sample: &[(u64, String)]) -> Option<(Cut, Vec<String>, u64)> {
    let at = sample.iter().position(|(_, text)| is_rule(text)).filter(|at| *at > 0)?;
    let (number, rule) = sample.get(at)?;
    let (_, header) = sample.get(at.checked_sub(1)?)?;
    let chars: Vec<char> = rule.chars().take(MAX_CHARS).collect();
    let is_start = |&i: &usize| {
        chars.get(i).is_some_and(|c| *c != ' ')
            && i.checked_sub(1).is_none_or(|before| chars.get(before) == Some(&' '))
    };
    let starts: Vec<usize> = (0..chars.len()).filter(is_start).collect();
    if starts.len() > 1 {
        let names = at_starts(header, &starts);
        return Some((Cut::Starts(starts), names, *number));
    }
    let below = sample.get(at + 1..)?;
    let bars = below.iter().find(|(_, text)| text.contains('|')).map(|(_, text)| text);
    if let Some(row) = bars {
        // The header may have blanks where the rows have bars.
        let places: Vec<usize> =
            row.chars().enumerate().filter(|(_, c)| *c == '|').map(|(i, _)| i + 1).collect();
        let starts: Vec<usize> = std::iter::once(0).chain(places).collect();
        let names = if header.contains('|') {
            header.split('|').map(|name| name.trim().to_owned()).collect()
        } else {
            at_starts(header, &starts)
        };
        return Some((Cut::At('|'), names, *number));
    }
    let mut block = vec![header.clone()];
    block.extend(below.iter().map(|(_, text)| text.clone()).take_while(|text| !text.is_empty()));
    let starts = common_starts(&block);
    (starts.len() > 1).then(|| {
        let names = at_starts(header, &starts);
        (Cut::Starts(starts), names, *number)
    })
}

/// A table whose columns are parted by a character.
fn separated(sample: &[(u64, String)], mark: char) -> Option<(Cut, Vec<String>, u64)> {
    let has: Vec<&(u64, String)> = sample
        .iter()
        .filter(|(_, text)| !is_rule(text) && text.trim_start_matches('\t').contains(mark))
        .collect();
    let lines = sample.iter().filter(|(_, text)| !text.is_empty()).count();
    let (number, first) = has.first()?;
    let count = |text: &str| text.matches(mark).count();
    let same = has.iter().filter(|(_, text)| count(text) == count(first)).count();
    if has.len() * 2 < lines || same * 2 < has.len() {
        return None;
    }
    let cells: Vec<String> = first.split(mark).map(|cell| cell.trim().to_owned()).collect();
    let others = has.iter().skip(1).map(|(_, text)| text.split(mark).map(str::to_owned).collect());
    if is_heading(&cells, others) {
        return Some((Cut::At(mark), cells, *number));
    }
    Some((Cut::At(mark), Vec::new(), number.saturating_sub(1)))
}

/// A table whose columns stand below each other.
fn aligned(sample: &[(u64, String)]) -> Option<(Cut, Vec<String>, u64)> {
    let block: Vec<String> =
        sample.iter().map(|(_, text)| text.clone()).take_while(|text| !text.is_empty()).collect();
    let (number, first) = sample.first()?;
    let words = first.split_whitespace().count();
    let is_even = block.iter().all(|text| text.split_whitespace().count() == words);
    let starts = common_starts(&block);
    // Prose has gaps too, but of one blank.
    let is_wide = block.iter().any(|text| text.trim_start().contains("  "));
    let (cut, names) = if starts.len() > 1 && is_wide && block.len() > 1 && !is_even {
        let names = at_starts(first, &starts);
        (Cut::Starts(starts), names)
    } else if is_even && words > 1 {
        (Cut::Words(words), first.split_whitespace().map(str::to_owned).collect())
    } else {
        return None;
    };
    let shape = Shape { cut: cut.clone(), columns: Vec::new(), before: 0, width: MAX_COLUMNS };
    let others = block.iter().skip(1).filter_map(|text| shape.cells(text));
    if is_heading(&names, others) {
        return Some((cut, names, *number));
    }
    Some((cut, Vec::new(), number.saturating_sub(1)))
}

/// Whether cells are headings: none is a number, and below one of them numbers stand.
fn is_heading(cells: &[String], others: impl Iterator<Item = Vec<String>>) -> bool {
    let is_number = |cell: &String| {
        let cell = cell.trim();
        let has_digit = cell.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
        address(cell).is_some()
            || (has_digit && (hex(cell).is_some() || cell.parse::<f64>().is_ok()))
    };
    !cells.iter().any(is_number) && others.take(50).any(|row| row.iter().any(is_number))
}

/// Where columns start that all lines have: after a column of blanks.
fn common_starts(block: &[String]) -> Vec<usize> {
    let width = block.iter().map(|text| text.chars().count()).max().unwrap_or(0).min(MAX_CHARS);
    let mut is_used = vec![false; width];
    for text in block.iter().take(200) {
        for (used, c) in is_used.iter_mut().zip(text.chars()) {
            *used |= c != ' ' && c != '\t';
        }
    }
    let is_start = |&i: &usize| {
        is_used.get(i) == Some(&true) && (i == 0 || is_used.get(i - 1) == Some(&false))
    };
    (0..width).filter(is_start).take(MAX_COLUMNS).collect()
}

/// The cells of a line whose columns start there. A word that reaches over the end of its column
/// belongs to it as a whole.
fn at_starts(text: &str, starts: &[usize]) -> Vec<String> {
    let chars: Vec<char> = text.chars().take(MAX_CHARS).collect();
    let is_blank = |at: usize| chars.get(at).is_none_or(|c| matches!(c, ' ' | '\t'));
    let mut cells = Vec::new();
    let mut from = 0;
    for (index, _) in starts.iter().enumerate() {
        let mut to = starts.get(index + 1).copied().unwrap_or(chars.len()).max(from);
        while to > from && !is_blank(to - 1) && !is_blank(to) {
            to += 1;
        }
        let cell: String =
            chars.get(from..to.min(chars.len())).unwrap_or_default().iter().collect();
        cells.push(cell.trim().to_owned());
        from = to.min(chars.len());
    }
    cells
}

/// The columns: named by headings, typed by what stands below them.
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

/// A decimal number, and not the digits of something else.
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
