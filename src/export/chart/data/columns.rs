//! Converts the columns of a result to the numbers and names of a chart.

use std::collections::HashMap;

use super::super::histogram::histogram;
use super::super::scale::Measure;
use super::super::spec::{ChartKind, Spec, Theme};
use super::{Bars, CATEGORIES, ChartShape, Data, GRID, Grid, Points, SERIES};
use crate::catalog::{Physical, Ty, Value};
use crate::exec::{Field, ResultSet};
use crate::export::visible::push_visible;

pub(super) struct Columns<'a> {
    pub(super) result: &'a ResultSet,
}

/// Columns with numbers that name something: they are drawn only where a chart names them.
const IDENTITIES: [&str; 12] = [
    "tid",
    "pid",
    "session",
    "processor",
    "frame",
    "build",
    "id",
    "index",
    "number",
    "line",
    "log_line",
    "offset",
];

impl Columns<'_> {
    fn field(&self, at: usize) -> &Field {
        &self.result.fields()[at]
    }

    /// The column with that name.
    fn named(&self, name: &str) -> Result<usize, String> {
        self.result.index_of(name).ok_or_else(|| {
            let names: Vec<&str> = self.result.fields().iter().map(|f| f.name.as_str()).collect();
            format!("the result has no column `{name}`; it has {}", names.join(", "))
        })
    }

    fn optional(&self, name: Option<&String>) -> Result<Option<usize>, String> {
        name.map(|name| self.named(name)).transpose()
    }

    fn is_number(&self, at: usize) -> bool {
        matches!(self.field(at).ty.physical(), Physical::Int | Physical::Double | Physical::Addr)
    }

    /// The first column with measured values that is not in `taken`.
    fn number(&self, taken: &[usize]) -> Option<usize> {
        let all = 0..self.result.fields().len();
        let is_measured = |at: &usize| !IDENTITIES.contains(&self.field(*at).name.as_str());
        let free = |at: &usize| !taken.contains(at) && is_measured(at);
        let counted = |at: &usize| {
            matches!(self.field(*at).ty, Ty::Int | Ty::Double | Ty::Decimal(_) | Ty::Interval)
        };
        let of = |test: &dyn Fn(&usize) -> bool| all.clone().filter(free).find(|at| test(at));
        of(&counted).or_else(|| of(&|at| self.is_number(*at)))
    }

    /// The first column with names that is not in `taken`, or else the first column.
    fn category(&self, taken: &[usize]) -> usize {
        let all = 0..self.result.fields().len();
        let mut free = all.filter(|at| !taken.contains(at));
        free.clone().find(|at| self.field(*at).ty == Ty::Text).or_else(|| free.next()).unwrap_or(0)
    }

    pub(super) fn values(&self, spec: &Spec, taken: &[usize]) -> Result<Vec<usize>, String> {
        let named = spec.y.iter().map(|name| self.named(name)).collect::<Result<Vec<_>, _>>()?;
        if let Some(&at) = named.iter().find(|at| !self.is_number(**at)) {
            return Err(format!("the column `{}` holds no numbers to draw", self.field(at).name));
        }
        if !named.is_empty() {
            return Ok(named);
        }
        let found = self.number(taken).ok_or("the result has no column of numbers to draw")?;
        Ok(vec![found])
    }

    pub(super) fn measure(&self, at: usize) -> Measure {
        Measure::of(self.field(at), self.result.pointer_width())
    }

    fn value(&self, row: usize, at: usize) -> Option<f64> {
        let value = match self.result.value(row, at) {
            Value::Double(v) => v,
            Value::Decimal(v, of) => of.double(v),
            Value::Addr(v) => v as f64,
            Value::Bool(v) => f64::from(u8::from(v)),
            other => other.as_number()? as f64,
        };
        value.is_finite().then_some(value)
    }

    /// The cell as a label, with control characters made visible, and a text for NULL.
    fn label(&self, row: usize, at: usize) -> String {
        if self.result.value(row, at) == Value::Null {
            return "NULL".to_owned();
        }
        clean(&self.result.text(row, at))
    }

    fn title(&self, at: usize) -> String {
        clean(&self.field(at).name)
    }

    pub(super) fn bars(&self, spec: &Spec) -> Result<Data, String> {
        let series = self.optional(spec.series.as_ref())?;
        let x = self.optional(spec.x.as_ref())?;
        let y = self.values(spec, x.as_slice())?;
        let x = x.unwrap_or_else(|| self.category(&y));
        let mut labels = Places::default();
        let mut names = Places::default();
        let mut values: Vec<Vec<f64>> = Vec::new();
        for row in 0..self.result.len() {
            let known = |column: &usize| Some((*column, self.value(row, *column)?));
            let found: Vec<(usize, f64)> = y.iter().filter_map(known).collect();
            // A row without a value is not a row with the value 0.
            if found.is_empty() {
                continue;
            }
            let at = labels.of(self.label(row, x), CATEGORIES);
            for (column, value) in &found {
                let name = match series {
                    Some(series) => self.label(row, series),
                    None => self.title(*column),
                };
                let name = names.of(name, SERIES);
                values.resize(values.len().max(name + 1), Vec::new());
                let of = &mut values[name];
                of.resize(of.len().max(at + 1), 0.0);
                of[at] += value;
            }
        }
        let count = labels.names.len();
        for of in &mut values {
            of.resize(count, 0.0);
        }
        if values.is_empty() {
            return Err(format!("the column `{}` holds no numbers to draw", self.title(y[0])));
        }
        let titles: Vec<String> = y.iter().map(|at| self.title(*at)).collect();
        let measure = self.measure(y[0]);
        let (labels, series) = (labels.names, names.names);
        let bars = Bars { labels, series, values, measure, tail: None };
        Ok(Data {
            kind: spec.kind,
            shape: ChartShape::Bars(bars),
            x_title: self.title(x),
            y_title: titles.join(", "),
            theme: Theme::Auto,
        })
    }

    pub(super) fn points(&self, spec: &Spec) -> Result<Data, String> {
        let series = self.optional(spec.series.as_ref())?;
        let x = match (self.optional(spec.x.as_ref())?, spec.kind) {
            (Some(x), _) => x,
            (None, ChartKind::Scatter) => {
                self.number(&[]).ok_or("the result has no two columns of numbers")?
            }
            (None, _) => 0,
        };
        let y = self.values(spec, &[x])?;
        let is_number = self.is_number(x);
        let mut labels = Places::default();
        let mut names = Places::default();
        let mut points: Vec<Vec<(f64, f64)>> = Vec::new();
        for row in 0..self.result.len() {
            let place = if is_number {
                let Some(place) = self.value(row, x) else { continue };
                place
            } else {
                labels.of(self.label(row, x), CATEGORIES) as f64
            };
            for column in &y {
                let Some(value) = self.value(row, *column) else { continue };
                let name = match series {
                    Some(series) => self.label(row, series),
                    None => self.title(*column),
                };
                let name = names.of(name, SERIES);
                points.resize(points.len().max(name + 1), Vec::new());
                points[name].push((place, value));
            }
        }
        if points.is_empty() {
            return Err("the columns hold no numbers to draw".to_owned());
        }
        if spec.kind != ChartKind::Scatter {
            for of in &mut points {
                of.sort_by(|a, b| a.0.total_cmp(&b.0));
            }
        }
        let titles: Vec<String> = y.iter().map(|at| self.title(*at)).collect();
        let measure = if is_number { self.measure(x) } else { Measure::Plain };
        let series = names.names.into_iter().zip(points).collect();
        let points = Points { series, x: measure, y: self.measure(y[0]), labels: labels.names };
        Ok(Data {
            kind: spec.kind,
            shape: ChartShape::Points(points),
            x_title: self.title(x),
            y_title: titles.join(", "),
            theme: Theme::Auto,
        })
    }

    pub(super) fn histogram(&self, spec: &Spec) -> Result<Data, String> {
        let x = match self.optional(spec.x.as_ref())? {
            Some(x) => x,
            None => self.number(&[]).ok_or("the result has no column of numbers to draw")?,
        };
        let values: Vec<f64> =
            (0..self.result.len()).filter_map(|row| self.value(row, x)).collect();
        if values.is_empty() {
            return Err(format!("the column `{}` holds no numbers to draw", self.title(x)));
        }
        let (labels, counts) = histogram(&values, self.measure(x));
        let bars = Bars {
            labels,
            series: vec!["rows".to_owned()],
            values: vec![counts],
            measure: Measure::Plain,
            tail: None,
        };
        Ok(Data {
            kind: ChartKind::Histogram,
            shape: ChartShape::Bars(bars),
            x_title: self.title(x),
            y_title: "rows".to_owned(),
            theme: Theme::Auto,
        })
    }

    pub(super) fn grid(&self, spec: &Spec) -> Result<Data, String> {
        let x = self.optional(spec.x.as_ref())?.unwrap_or(0);
        let y = match spec.y.first() {
            Some(name) => self.named(name)?,
            None => self.category(&[x]),
        };
        let value = match self.optional(spec.value.as_ref().or(spec.series.as_ref()))? {
            Some(value) => value,
            None => self.number(&[x, y]).ok_or("a heat map needs a column of numbers: value=…")?,
        };
        let (mut rows, mut columns) = (Places::default(), Places::default());
        let mut cells: HashMap<(usize, usize), f64> = HashMap::new();
        let order = |at: usize| {
            let mut order: Vec<usize> = (0..self.result.len()).collect();
            if self.is_number(at) {
                let of = |row: &usize| self.value(*row, at).unwrap_or(f64::NEG_INFINITY);
                order.sort_by(|a, b| of(a).total_cmp(&of(b)));
            }
            order
        };
        for row in order(x) {
            columns.of(self.label(row, x), CATEGORIES);
        }
        for row in order(y) {
            rows.of(self.label(row, y), CATEGORIES);
        }
        // Several rows and columns share a cell, which shows their mean.
        let by_row = rows.names.len().div_ceil(GRID.0).max(1);
        let by_column = columns.names.len().div_ceil(GRID.1).max(1);
        let mut counts: HashMap<(usize, usize), f64> = HashMap::new();
        for row in 0..self.result.len() {
            let Some(value) = self.value(row, value) else { continue };
            let place = (
                rows.of(self.label(row, y), CATEGORIES) / by_row,
                columns.of(self.label(row, x), CATEGORIES) / by_column,
            );
            *cells.entry(place).or_default() += value;
            *counts.entry(place).or_default() += 1.0;
        }
        if cells.is_empty() {
            return Err(format!("the column `{}` holds no numbers to draw", self.title(value)));
        }
        let firsts = |names: Vec<String>, by: usize| -> Vec<String> {
            names.into_iter().step_by(by).collect()
        };
        let rows = firsts(rows.names, by_row);
        let columns = firsts(columns.names, by_column);
        let mean = |row: usize, column: usize| {
            let place = (row, column);
            Some(cells.get(&place)? / counts.get(&place)?)
        };
        let line = |row| (0..columns.len()).map(|column| mean(row, column)).collect();
        let values = (0..rows.len()).map(line).collect();
        let grid = Grid { rows, values, measure: self.measure(value), columns };
        Ok(Data {
            kind: ChartKind::Heat,
            shape: ChartShape::Grid(grid),
            x_title: self.title(x),
            y_title: format!("{} (colour: {})", self.title(y), self.title(value)),
            theme: Theme::Auto,
        })
    }
}

/// Names with their positions in order of first occurrence.
#[derive(Default)]
struct Places {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Places {
    /// The position of a name; names beyond the maximum share the last position.
    fn of(&mut self, name: String, most: usize) -> usize {
        if let Some(place) = self.places.get(&name) {
            return *place;
        }
        if self.names.len() + 1 >= most {
            if self.names.len() < most {
                self.names.push("others".to_owned());
            }
            return self.names.len() - 1;
        }
        self.places.insert(name.clone(), self.names.len());
        self.names.push(name);
        self.names.len() - 1
    }
}

fn clean(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|c| push_visible(c, &mut shown));
    shown
}
