//! The results of one query over several dumps as one result.

use polars::prelude::IntoColumn as _;
use polars::prelude::{
    Column, DataFrame, DataType, NewChunkedArray as _, PlSmallStr, StringChunked,
};

use super::result::{Field, ResultSet};
use crate::catalog::{Format, PointerWidth, Ty};

/// Results of one query over several dumps, to be concatenated with a first column `dump`.
#[derive(Debug, Default)]
pub struct Stacked {
    names: Vec<(String, usize)>,
    whole: Option<ResultSet>,
}

impl Stacked {
    /// Adds the rows of a dump. Returns whether they have the same columns as the earlier ones; if
    /// not, they are not added.
    pub fn push(&mut self, dump: &str, result: ResultSet) -> bool {
        let rows = result.rows;
        match &mut self.whole {
            None => self.whole = Some(result),
            Some(whole) => {
                if !whole.append(result) {
                    return false;
                }
            }
        }
        self.names.push((dump.to_owned(), rows));
        true
    }

    /// The memory of the results so far, in bytes.
    pub fn bytes(&self) -> usize {
        self.whole.as_ref().map_or(0, |whole| whole.frame.estimated_size())
    }

    /// The stacked result; `None` if there was none.
    pub fn finish(self) -> Option<ResultSet> {
        let mut whole = self.whole?;
        let names = self.names.iter().flat_map(|(name, rows)| std::iter::repeat_n(&**name, *rows));
        let first = StringChunked::from_iter_values(PlSmallStr::EMPTY, names).into_column();
        let columns = std::iter::once(first).chain(whole.frame.columns().iter().cloned());
        let named = columns
            .enumerate()
            .map(|(i, column)| column.rechunk().with_name(PlSmallStr::from_string(i.to_string())));
        whole.frame =
            DataFrame::new(whole.rows, named.collect::<Vec<Column>>()).unwrap_or_default();
        let field = Field { name: "dump".to_owned(), ty: Ty::Text, format: Format::Plain };
        whole.fields.insert(0, field);
        Some(whole)
    }
}

impl ResultSet {
    /// Appends the rows of a result with the same columns; if its columns differ, returns false and
    /// changes nothing. A column type that is unknown in one result (only NULLs) is taken from the
    /// other.
    fn append(&mut self, other: Self) -> bool {
        let is_alike = |(a, b): (&Field, &Field)| {
            a.name == b.name && (a.ty == b.ty || a.ty == Ty::Null || b.ty == Ty::Null)
        };
        if self.fields.len() != other.fields.len()
            || !self.fields.iter().zip(&other.fields).all(is_alike)
        {
            return false;
        }
        let both = self.frame.columns().iter().zip(other.frame.columns());
        let columns = both.map(|(above, below)| above_and_below(above, below));
        let Some(columns) = columns.collect::<Option<Vec<_>>>() else { return false };
        let rows = self.rows.saturating_add(other.rows);
        let Ok(frame) = DataFrame::new(rows, columns) else { return false };
        for (field, theirs) in self.fields.iter_mut().zip(other.fields) {
            if field.ty == Ty::Null {
                *field = theirs;
            }
        }
        (self.frame, self.rows) = (frame, rows);
        if other.width == PointerWidth::Bits64 {
            self.width = other.width;
        }
        for note in other.footnotes {
            let same = |known: &&mut super::Footnote| {
                (known.table, known.column, known.reason) == (note.table, note.column, note.reason)
            };
            match self.footnotes.iter_mut().find(same) {
                Some(known) => known.count = known.count.saturating_add(note.count),
                None => self.footnotes.push(note),
            }
        }
        for unread in other.unread {
            match self.unread.iter_mut().find(|known| known.table == unread.table) {
                Some(known) => known.because.extend(unread.because),
                None => self.unread.push(unread),
            }
        }
        true
    }
}

/// Two columns concatenated; one with only NULLs takes the type of the other.
fn above_and_below(above: &Column, below: &Column) -> Option<Column> {
    let typed = |column: &Column, like: &Column| match (column.dtype(), like.dtype()) {
        (DataType::Null, to) if *to != DataType::Null => {
            Column::full_null(column.name().clone(), column.len(), to)
        }
        _ => column.clone(),
    };
    let mut whole = typed(above, below);
    whole.append(&typed(below, above)).ok()?;
    Some(whole)
}
