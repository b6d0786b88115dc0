//! The columns that a scan returns: plain vectors, and a reason for each absent value.

use super::{Absent, Cell, Physical, Ty, Value};

/// The values of one column, one entry per row; an absent value is stored as the type's zero.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// `BOOLEAN`.
    Bool(Vec<bool>),
    /// `INTEGER`, and the physical form of points in time and durations (see [`ColumnData::ty`]).
    Int(Vec<i64>),
    /// `DOUBLE`.
    Double(Vec<f64>),
    /// `VARCHAR`: the bytes of all rows, and the end of each row.
    Text {
        /// The text of all rows, one after the other.
        bytes: String,
        /// The end of each row in `bytes`.
        ends: Vec<usize>,
    },
    /// `ADDRESS`.
    Addr(Vec<u64>),
}

/// One column of a [`Batch`].
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnData {
    /// The type of the values.
    pub ty: Ty,
    /// The values.
    pub data: Data,
    /// One code per row: 0 for present, else an [`Absent`]; empty if all rows are present.
    pub absent: Vec<u8>,
}

/// The result of a scan: columns of equal length, in the order in which they were requested.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// The columns.
    pub columns: Vec<ColumnData>,
    /// The number of rows, which is known even if no column was requested.
    pub rows: usize,
}

impl Batch {
    /// Appends the rows of `other`, whose columns have the same types.
    pub fn append(&mut self, other: Self) {
        if self.rows == 0 {
            *self = other;
            return;
        }
        for (mine, theirs) in self.columns.iter_mut().zip(other.columns) {
            append((&mut mine.data, &mut mine.absent, self.rows), theirs, other.rows);
        }
        self.rows += other.rows;
    }
}

impl ColumnData {
    /// The reason that the value of a row is absent; `None` if it is present.
    pub fn absent(&self, row: usize) -> Option<Absent> {
        self.absent.get(row).copied().and_then(Absent::from_code)
    }

    /// The number of rows.
    pub(crate) const fn rows(&self) -> usize {
        match &self.data {
            Data::Bool(v) => v.len(),
            Data::Int(v) => v.len(),
            Data::Double(v) => v.len(),
            Data::Addr(v) => v.len(),
            Data::Text { ends, .. } => ends.len(),
        }
    }

    /// The value of a row; NULL if it is absent.
    pub(crate) fn value(&self, row: usize) -> Value<'_> {
        if self.absent(row).is_some() {
            return Value::Null;
        }
        let found = match &self.data {
            Data::Bool(v) => v.get(row).map(|v| Value::Bool(*v)),
            Data::Int(v) => v.get(row).map(|v| Value::of_number(*v, self.ty)),
            Data::Double(v) => v.get(row).map(|v| Value::Double(*v)),
            Data::Addr(v) => v.get(row).map(|v| Value::Addr(*v)),
            Data::Text { bytes, ends } => {
                let start = row.checked_sub(1).and_then(|before| ends.get(before)).copied();
                let text = ends.get(row).and_then(|end| bytes.get(start.unwrap_or(0)..*end));
                text.map(|text| Value::of_code(text.into(), self.ty))
            }
        };
        found.unwrap_or(Value::Null)
    }

    /// The memory of the values in bytes.
    pub const fn bytes(&self) -> usize {
        let values = match &self.data {
            Data::Bool(v) => v.len(),
            Data::Int(v) => v.len() * 8,
            Data::Double(v) => v.len() * 8,
            Data::Addr(v) => v.len() * 8,
            Data::Text { bytes, ends } => bytes.len() + ends.len() * 8,
        };
        values + self.absent.len()
    }

    /// The number of absent values by reason; reasons that do not occur are omitted.
    pub fn absent_counts(&self) -> Vec<(Absent, usize)> {
        let mut counts = [0usize; 256];
        for &code in &self.absent {
            counts[usize::from(code)] += 1;
        }
        let count = |reason: Absent| counts[usize::from(reason as u8)];
        Absent::ALL.into_iter().map(|r| (r, count(r))).filter(|&(_, n)| n > 0).collect()
    }
}

/// Appends values and reasons of absence to those of earlier rows.
fn append(
    (data, absent, mine): (&mut Data, &mut Vec<u8>, usize),
    other: ColumnData,
    theirs: usize,
) {
    if !absent.is_empty() || !other.absent.is_empty() {
        absent.resize(mine, 0);
        absent.extend(other.absent);
        absent.resize(mine + theirs, 0);
    }
    match (data, other.data) {
        (Data::Bool(into), Data::Bool(from)) => extend(into, &from),
        (Data::Int(into), Data::Int(from)) => extend(into, &from),
        (Data::Double(into), Data::Double(from)) => extend(into, &from),
        (Data::Addr(into), Data::Addr(from)) => extend(into, &from),
        (Data::Text { bytes, ends }, Data::Text { bytes: more, ends: tail }) => {
            let start = bytes.len();
            bytes.push_str(&more);
            let tail: Vec<usize> = tail.into_iter().map(|end| start + end).collect();
            extend(ends, &tail);
        }
        _ => debug_assert!(false, "columns of one table have one type"),
    }
}

/// Appends values. Unused reserved memory costs nothing, but reallocation copies the values.
fn extend<T: Copy>(into: &mut Vec<T>, from: &[T]) {
    if into.capacity() - into.len() < from.len() {
        into.reserve_exact(from.len().max(3 * into.len()));
    }
    into.extend_from_slice(from);
}

/// Builds one column row by row.
#[derive(Debug)]
pub struct ColumnBuilder {
    ty: Ty,
    data: Data,
    absent: Vec<u8>,
    rows: usize,
}

impl ColumnBuilder {
    /// An empty column of type `ty` ([`Ty::Null`] builds a text column).
    pub fn new(ty: Ty) -> Self {
        let data = match ty.physical() {
            Physical::Bool => Data::Bool(Vec::new()),
            Physical::Int => Data::Int(Vec::new()),
            Physical::Double => Data::Double(Vec::new()),
            Physical::Addr => Data::Addr(Vec::new()),
            Physical::Text | Physical::Null => {
                Data::Text { bytes: String::new(), ends: Vec::new() }
            }
        };
        Self { ty, data, absent: Vec::new(), rows: 0 }
    }

    /// The type of the values.
    pub const fn ty(&self) -> Ty {
        self.ty
    }

    /// The number of rows so far.
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are no rows yet.
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// How much memory the values take; text is laid out anew once, and counts twice.
    pub(crate) const fn bytes(&self) -> usize {
        let values = match &self.data {
            Data::Bool(v) => v.len(),
            Data::Int(v) => v.len() * 8,
            Data::Double(v) => v.len() * 8,
            Data::Addr(v) => v.len() * 8,
            Data::Text { bytes, ends } => 2 * bytes.len() + ends.len() * 24,
        };
        values + self.absent.len()
    }

    /// Appends a truth value; a type that does not fit the column counts as unreadable.
    pub fn push_bool(&mut self, cell: Cell<bool>) {
        let reason = cell.err();
        let Data::Bool(values) = &mut self.data else {
            return self.push_absent(Absent::Unreadable);
        };
        values.push(cell.unwrap_or_default());
        self.note(reason);
    }

    /// Appends an integer, or the microseconds of a timestamp or an interval.
    pub fn push_int(&mut self, cell: Cell<i64>) {
        let reason = cell.err();
        let Data::Int(values) = &mut self.data else { return self.push_absent(Absent::Unreadable) };
        values.push(cell.unwrap_or_default());
        self.note(reason);
    }

    /// Appends a floating-point number.
    pub fn push_double(&mut self, cell: Cell<f64>) {
        let reason = cell.err();
        let Data::Double(values) = &mut self.data else {
            return self.push_absent(Absent::Unreadable);
        };
        values.push(cell.unwrap_or_default());
        self.note(reason);
    }

    /// Appends an address.
    pub fn push_addr(&mut self, cell: Cell<u64>) {
        let reason = cell.err();
        let Data::Addr(values) = &mut self.data else {
            return self.push_absent(Absent::Unreadable);
        };
        values.push(cell.unwrap_or_default());
        self.note(reason);
    }

    /// Appends text.
    pub fn push_text(&mut self, cell: Cell<&str>) {
        let reason = cell.err();
        let Data::Text { bytes, ends } = &mut self.data else {
            return self.push_absent(Absent::Unreadable);
        };
        bytes.push_str(cell.unwrap_or_default());
        ends.push(bytes.len());
        self.note(reason);
    }

    /// Appends a value of the column's type, or a day to a column of `TIMESTAMP`, as its midnight; NULL
    /// and values of other types count as not applicable.
    pub fn push_value(&mut self, value: &Value<'_>) {
        let is_day = (value.ty(), self.ty) == (Ty::Date, Ty::Time);
        match value {
            _ if value.ty() != self.ty && !is_day => self.push_absent(Absent::NotApplicable),
            Value::Bool(v) => self.push_bool(Ok(*v)),
            Value::Double(v) => self.push_double(Ok(*v)),
            Value::Addr(v) => self.push_addr(Ok(*v)),
            _ => match (value.as_number(), value.as_code()) {
                (Some(number), _) => self.push_int(Ok(number)),
                (_, Some(code)) => self.push_text(Ok(code)),
                _ => self.push_absent(Absent::NotApplicable),
            },
        }
    }

    /// Appends an absent value.
    pub fn push_absent(&mut self, reason: Absent) {
        match &mut self.data {
            Data::Bool(v) => v.push(false),
            Data::Int(v) => v.push(0),
            Data::Double(v) => v.push(0.0),
            Data::Text { bytes, ends } => ends.push(bytes.len()),
            Data::Addr(v) => v.push(0),
        }
        self.note(Some(reason));
    }

    /// Appends the rows of another column of the same type.
    pub fn append(&mut self, other: Self) {
        let rows = other.rows;
        let (data, absent) = (&mut self.data, &mut self.absent);
        append((data, absent, self.rows), other.finish(), rows);
        self.rows += rows;
    }

    fn note(&mut self, reason: Option<Absent>) {
        if let Some(reason) = reason {
            self.absent.resize(self.rows, 0);
            self.absent.push(reason as u8);
        } else if !self.absent.is_empty() {
            self.absent.push(0);
        }
        self.rows += 1;
    }

    /// The finished column.
    pub fn finish(self) -> ColumnData {
        ColumnData { ty: self.ty, data: self.data, absent: self.absent }
    }
}
