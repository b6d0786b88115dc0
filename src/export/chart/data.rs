//! The data of a chart, taken from a result: categories with values, points, or a grid.

mod columns;

use columns::Columns;

use super::scale::Measure;
use super::spec::{ChartKind, Spec, Theme};
use crate::exec::ResultSet;

/// The data that a chart draws.
#[derive(Debug, Clone)]
pub struct Data {
    pub(super) kind: ChartKind,
    pub(super) shape: ChartShape,
    /// The titles of the axes.
    pub(super) x_title: String,
    pub(super) y_title: String,
    pub(super) theme: Theme,
}

#[derive(Debug, Clone)]
pub(in crate::export) enum ChartShape {
    Bars(Bars),
    Points(Points),
    Grid(Grid),
}

/// Values by category and series.
#[derive(Debug, Clone)]
pub(in crate::export) struct Bars {
    pub(in crate::export) labels: Vec<String>,
    pub(in crate::export) series: Vec<String>,
    /// One list per series, with one value per label.
    pub(in crate::export) values: Vec<Vec<f64>>,
    pub(super) measure: Measure,
    /// The bar that stands for all others, where there is one.
    pub(super) tail: Option<usize>,
}

/// Points by series.
#[derive(Debug, Clone)]
pub(in crate::export) struct Points {
    pub(in crate::export) series: Vec<(String, Vec<(f64, f64)>)>,
    pub(super) x: Measure,
    pub(super) y: Measure,
    /// The labels of the positions 0, 1, …, if `x` is not a number.
    pub(in crate::export) labels: Vec<String>,
}

/// Values by row and column.
#[derive(Debug, Clone)]
pub(in crate::export) struct Grid {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<String>,
    /// One list per row; `None` if there is no value.
    pub(in crate::export) values: Vec<Vec<Option<f64>>>,
    pub(super) measure: Measure,
}

/// The maximum number of series with their own colours; the others are combined.
pub(super) const SERIES: usize = 8;
/// The maximum number of rows and columns of a grid; if there are more, several share a cell.
const GRID: (usize, usize) = (128, 64);
/// The maximum number of categories; the rest is combined into one.
const CATEGORIES: usize = 100_000;

impl Data {
    /// Takes the columns of the chart from a result.
    ///
    /// # Errors
    ///
    /// If a column is missing; the message says what to write.
    pub fn new(spec: &Spec, result: &ResultSet) -> Result<Self, String> {
        if result.is_empty() {
            return Err("there are no rows to draw".to_owned());
        }
        let columns = Columns { result };
        let data = match spec.kind {
            ChartKind::Bar | ChartKind::Column => columns.bars(spec),
            ChartKind::Line | ChartKind::Area | ChartKind::Scatter => columns.points(spec),
            ChartKind::Heat => columns.grid(spec),
            ChartKind::Histogram => columns.histogram(spec),
        };
        data.map(|data| Self { theme: spec.theme, ..data })
    }
}

impl Data {
    /// What the chart shows, where nobody gave it a name: `irps by driver`.
    pub(in crate::export) fn caption(&self) -> String {
        match self.kind {
            ChartKind::Histogram => self.x_title.clone(),
            ChartKind::Scatter => format!("{} and {}", self.x_title, self.y_title),
            ChartKind::Heat => format!("{}, across: {}", self.y_title, self.x_title),
            _ => format!("{} by {}", self.y_title, self.x_title),
        }
    }
}

/// Access to the data for native Excel charts.
#[cfg(feature = "excel")]
impl Data {
    pub(in crate::export) const fn shape(&self) -> &ChartShape {
        &self.shape
    }

    /// The titles of the axes.
    pub(in crate::export) fn titles(&self) -> (&str, &str) {
        (&self.x_title, &self.y_title)
    }

    /// Whether the horizontal axis has names instead of numbers.
    pub(in crate::export) fn has_labels(&self) -> bool {
        match &self.shape {
            ChartShape::Bars(_) | ChartShape::Grid(_) => true,
            ChartShape::Points(points) => !points.labels.is_empty(),
        }
    }

    /// The number of series.
    pub(in crate::export) fn series(&self) -> usize {
        match &self.shape {
            ChartShape::Bars(bars) => bars.series.len(),
            ChartShape::Points(points) => points.series.len(),
            ChartShape::Grid(_) => 1,
        }
    }
}

impl Points {
    /// The name at a position of the horizontal axis, if it has names.
    pub(in crate::export) fn label(&self, place: f64) -> Option<&str> {
        let is_place = place >= 0.0 && place.fract() == 0.0;
        self.labels.get(place as usize).filter(|_| is_place).map(String::as_str)
    }
}

impl Bars {
    /// The data reduced to at most this many bars: the largest, and one for the others.
    pub(in crate::export) fn at_most(&self, most: usize) -> Self {
        if self.labels.len() <= most {
            return self.clone();
        }
        let total = |at: usize| self.values.iter().map(|values| values[at]).sum::<f64>();
        let mut order: Vec<usize> = (0..self.labels.len()).collect();
        order.sort_by(|a, b| total(*b).total_cmp(&total(*a)));
        let (kept, rest) = order.split_at(most.saturating_sub(1));
        let labels = kept.iter().map(|at| self.labels[*at].clone());
        let labels = labels.chain([format!("others ({})", rest.len())]).collect();
        let values = self.values.iter().map(|values| {
            let others = rest.iter().map(|at| values[*at]).sum();
            kept.iter().map(|at| values[*at]).chain([others]).collect()
        });
        Self {
            labels,
            values: values.collect(),
            series: self.series.clone(),
            measure: self.measure,
            tail: Some(kept.len()),
        }
    }

    /// Where bars end. All the others together may be far more than any other bar, which could not
    /// be seen beside them: they leave the picture then.
    pub(super) fn ends(&self) -> impl Iterator<Item = f64> {
        let within = (0..self.labels.len()).filter(|at| !self.leaves(*at));
        within.flat_map(|at| [self.extent(at).0, self.extent(at).1])
    }

    /// Whether the bar is longer than the picture.
    pub(super) fn leaves(&self, at: usize) -> bool {
        let others = (0..self.labels.len()).filter(|other| *other != at);
        let most = || others.map(|other| self.extent(other).1).fold(0.0, f64::max);
        self.tail == Some(at) && self.extent(at).1 > most() * 1.5
    }

    /// The sums of the positive and of the negative values at a label.
    pub(super) fn extent(&self, at: usize) -> (f64, f64) {
        let sum = |(low, high): (f64, f64), values: &Vec<f64>| {
            (low + values[at].min(0.0), high + values[at].max(0.0))
        };
        self.values.iter().fold((0.0, 0.0), sum)
    }
}
