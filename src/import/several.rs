//! Combines several files into one table.

use super::Error;
use crate::catalog::{Absent, ColumnBuilder, ColumnData, Format, PointerWidth, Ty, Value};

/// The columns of a file.
pub type Columns = Vec<(String, ColumnData)>;

/// Concatenates the columns of files. The files must have the same columns; with `by_name`, the
/// result has those of all files. With `filename`, the file of each row is added as a column.
///
/// # Errors
///
/// If the files have different columns.
pub fn combined(
    files: Vec<(String, Columns)>,
    by_name: bool,
    filename: bool,
) -> Result<Columns, Error> {
    let paths: Vec<(String, usize)> = files
        .iter()
        .map(|(path, columns)| (path.clone(), columns.first().map_or(0, |(_, data)| data.rows())))
        .collect();
    let mut parts: Vec<(String, Vec<Option<ColumnData>>)> = Vec::new();
    let count = files.len();
    for (index, (path, columns)) in files.into_iter().enumerate() {
        let first = paths.first().map_or("", |(path, _)| path.as_str());
        let width = columns.len();
        for (name, data) in columns {
            let known = parts.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name));
            match known {
                Some((_, parts)) => parts.push(Some(data)),
                None if index == 0 || by_name => {
                    let mut part = vec![None; index];
                    part.push(Some(data));
                    parts.push((name, part));
                }
                None => return Err(differ(&path, first, &name)),
            }
        }
        if index > 0 && !by_name && width < parts.len() {
            let missing = parts.iter().find(|(_, parts)| parts.len() <= index);
            return Err(differ(&path, first, missing.map_or("", |(name, _)| name)));
        }
        for (_, parts) in &mut parts {
            parts.resize(index + 1, None);
        }
    }
    let mut columns: Columns = Vec::with_capacity(parts.len() + 1);
    for (name, parts) in parts {
        let lengths = paths.iter().map(|(_, rows)| *rows);
        let data = match (count, parts) {
            (1, mut parts) => parts.pop().flatten().unwrap_or_else(|| nothing(Ty::Text, 0)),
            (_, parts) => appended(parts, lengths),
        };
        columns.push((name, data));
    }
    if filename {
        let mut builder = ColumnBuilder::new(Ty::Text);
        for (path, rows) in &paths {
            for _ in 0..*rows {
                builder.push_text(Ok(path));
            }
        }
        columns.push(("filename".to_owned(), builder.finish()));
    }
    Ok(columns)
}

fn differ(path: &str, first: &str, name: &str) -> Error {
    Error(format!("{path} and {first} have different columns: only one has `{name}`"))
}

fn nothing(ty: Ty, rows: usize) -> ColumnData {
    let mut builder = ColumnBuilder::new(ty);
    for _ in 0..rows {
        builder.push_absent(Absent::NotApplicable);
    }
    builder.finish()
}

/// The parts of a column concatenated, in one type.
fn appended(parts: Vec<Option<ColumnData>>, rows: impl Iterator<Item = usize>) -> ColumnData {
    let types = parts.iter().flatten().filter(|data| has_values(data)).map(|data| data.ty);
    let ty = types.reduce(common).unwrap_or(Ty::Text);
    let mut whole = ColumnBuilder::new(ty);
    for (part, rows) in parts.into_iter().zip(rows) {
        let data = part.unwrap_or_else(|| nothing(ty, rows));
        for row in 0..rows {
            push(&mut whole, &data, row);
        }
    }
    whole.finish()
}

fn has_values(data: &ColumnData) -> bool {
    data.absent.is_empty() && data.rows() > 0 || data.absent.contains(&0)
}

fn common(a: Ty, b: Ty) -> Ty {
    match (a, b) {
        (a, b) if a == b => a,
        (Ty::Int, Ty::Double) | (Ty::Double, Ty::Int) => Ty::Double,
        (Ty::Date, Ty::Time) | (Ty::Time, Ty::Date) => Ty::Time,
        _ => Ty::Text,
    }
}

fn push(into: &mut ColumnBuilder, data: &ColumnData, row: usize) {
    if let Some(reason) = data.absent(row) {
        return into.push_absent(reason);
    }
    match (into.ty(), data.value(row)) {
        (_, Value::Null) => into.push_absent(Absent::NotApplicable),
        (Ty::Text, value) => {
            into.push_text(Ok(&Format::Plain.render(&value, PointerWidth::Bits64)));
        }
        #[allow(clippy::cast_precision_loss, reason = "columns of numbers are of one type")]
        (Ty::Double, Value::Int(v)) => into.push_double(Ok(v as f64)),
        (_, value) => into.push_value(&value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Data;

    fn column(name: &str, values: &[i64]) -> (String, ColumnData) {
        let data = Data::Int(values.to_vec());
        (name.to_owned(), ColumnData { ty: Ty::Int, data, absent: Vec::new() })
    }

    fn doubles(name: &str, values: &[f64]) -> (String, ColumnData) {
        let data = Data::Double(values.to_vec());
        (name.to_owned(), ColumnData { ty: Ty::Double, data, absent: Vec::new() })
    }

    fn files() -> Vec<(String, Columns)> {
        vec![
            ("a".to_owned(), vec![column("x", &[1, 2]), column("y", &[3, 4])]),
            ("b".to_owned(), vec![doubles("X", &[1.5]), column("z", &[5])]),
        ]
    }

    #[test]
    fn columns_are_matched_by_name() {
        let found = combined(files(), true, true).unwrap();
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x", "y", "z", "filename"]);
        assert_eq!(found[0].1.data, Data::Double(vec![1.0, 2.0, 1.5]));
        assert_eq!(found[1].1.absent(2), Some(Absent::NotApplicable));
        assert_eq!(found[2].1.absent(0), Some(Absent::NotApplicable));
    }

    #[test]
    fn files_with_different_columns_need_matching_by_name() {
        let error = combined(files(), false, false).unwrap_err();
        assert_eq!(error.0, "b and a have different columns: only one has `z`");
        let less = vec![files().remove(0), ("c".to_owned(), vec![column("x", &[1])])];
        let error = combined(less, false, false).unwrap_err();
        assert_eq!(error.0, "c and a have different columns: only one has `y`");
    }
}
