//! Native Excel charts, beside the rows that they show.

use rust_xlsxwriter::{
    Chart, ChartType, Color, ConditionalFormat3ColorScale, ConditionalFormatDataBar, Workbook,
    Worksheet, XlsxError,
};

use super::{SheetPart, Styles, cells::Column};
use crate::export::chart::{Bars, ChartKind, ChartShape, Data, Points, Spec};

/// The maximum number of bars.
const BARS: usize = 60;
/// The maximum number of points that are copied for a chart.
const POINTS: usize = 20_000;

/// The palette of Okabe and Ito.
const COLOURS: [u32; 8] = [
    0x0000_72B2,
    0x00E6_9F00,
    0x0000_9E73,
    0x00D5_5E00,
    0x00CC_79A7,
    0x0056_B4E9,
    0x00B8_A800,
    0x0077_7777,
];

/// Columns with the data of charts that is not in another sheet.
pub(super) struct Pictures {
    name: String,
    /// The columns: a header, and the cells below it.
    columns: Vec<(String, Vec<Cell>)>,
}

enum Cell {
    Text(String),
    Number(f64),
}

/// A range of cells in one column.
type Range<'a> = (&'a str, u32, u16, u32, u16);

impl Pictures {
    pub(super) const fn new(name: String) -> Self {
        Self { name, columns: Vec::new() }
    }

    /// Draws the chart of the sheet's result, if it has one.
    pub(super) fn draw(
        &mut self,
        sheet: &mut Worksheet,
        part: &SheetPart<'_>,
    ) -> Result<(), XlsxError> {
        let Some(spec) = part.sheet.chart else { return Ok(()) };
        let Ok(data) = Data::new(spec, part.sheet.result) else { return Ok(()) };
        let mut chart = Chart::new(match spec.kind {
            ChartKind::Bar => ChartType::BarStacked,
            ChartKind::Column | ChartKind::Histogram => ChartType::ColumnStacked,
            ChartKind::Line if data.has_labels() => ChartType::Line,
            ChartKind::Area if data.has_labels() => ChartType::Area,
            ChartKind::Line | ChartKind::Area => ChartType::ScatterStraight,
            ChartKind::Scatter => ChartType::Scatter,
            ChartKind::Heat => return shade(sheet, part, spec),
        });
        let count = match data.shape() {
            ChartShape::Bars(bars) => self.bars(&mut chart, part, spec, bars),
            ChartShape::Points(points) => {
                self.points(&mut chart, points, spec.kind);
                0
            }
            ChartShape::Grid(_) => return Ok(()),
        };
        chart.title().set_name(plain(part.sheet.heading()).as_str());
        let (categories, values) = data.titles();
        // The categories of horizontal bars are on the vertical axis.
        let (across, up) =
            if spec.kind == ChartKind::Bar { (values, categories) } else { (categories, values) };
        chart.x_axis().set_name(plain(across).as_str());
        chart.y_axis().set_name(plain(up).as_str());
        if spec.kind == ChartKind::Bar {
            // The first row is at the top, as in the sheet.
            chart.y_axis().set_reverse();
        }
        if data.series() < 2 {
            chart.legend().set_hidden();
        }
        let height = if spec.kind == ChartKind::Bar { 160 + 18 * count } else { 420 };
        chart.set_width(760).set_height(height.max(300));
        let beside = u16::try_from(part.sheet.result.fields().len()).unwrap_or(0).saturating_add(1);
        sheet.insert_chart(1, beside, &chart)?;
        mark(sheet, part, spec)
    }

    /// Adds the series of bars; returns the number of bars.
    fn bars(&mut self, chart: &mut Chart, part: &SheetPart<'_>, spec: &Spec, bars: &Bars) -> u32 {
        let result = part.sheet.result;
        let index = |name: Option<&String>| name.and_then(|name| result.index_of(name));
        let (x, y) = (index(spec.x.as_ref()), index(spec.y.first()));
        let fits = bars.labels.len() == result.len() && result.len() <= BARS;
        // If each row is a bar, the chart refers to the cells of the result's sheet.
        if let (Some(x), Some(y)) = (x, y)
            && fits
            && spec.kind != ChartKind::Histogram
            && spec.series.is_none()
            && spec.y.len() == 1
            && Column::is_number(&result.fields()[y])
        {
            let last = u32::try_from(result.len()).unwrap_or(0);
            let column = |at: usize| u16::try_from(at).unwrap_or(0);
            let names: Range<'_> = (&part.name, 1, column(x), last, column(x));
            let values: Range<'_> = (&part.name, 1, column(y), last, column(y));
            let series = chart.add_series();
            series.set_categories(names).set_values(values).set_gap(40).set_format(&mut fill(0));
            return last;
        }
        let bars =
            if spec.kind == ChartKind::Histogram { bars.clone() } else { bars.at_most(BARS) };
        let labels = bars.labels.iter().map(|label| Cell::Text(short(label))).collect();
        let names = self.add(format!("{}: {}", part.name, "label"), labels);
        for (at, (name, values)) in bars.series.iter().zip(&bars.values).enumerate() {
            let cells = values.iter().map(|value| Cell::Number(*value)).collect();
            let column = self.add(name.clone(), cells);
            let gap = if spec.kind == ChartKind::Histogram { 5 } else { 40 };
            let series = chart.add_series();
            series.set_categories(self.range(names)).set_values(self.range(column));
            series.set_name(plain(name).as_str()).set_gap(gap).set_overlap(100);
            series.set_format(&mut fill(at));
        }
        u32::try_from(bars.labels.len()).unwrap_or(0)
    }

    fn points(&mut self, chart: &mut Chart, points: &Points, kind: ChartKind) {
        for (at, (name, places)) in points.series.iter().enumerate() {
            let step = places.len().div_ceil(POINTS).max(1);
            let places = || places.iter().step_by(step);
            let across = places().map(|place| match points.label(place.0) {
                Some(label) => Cell::Text(short(label)),
                None => Cell::Number(place.0),
            });
            let across = self.add(format!("{name}: x"), across.collect());
            let up = self.add(name.clone(), places().map(|place| Cell::Number(place.1)).collect());
            let series = chart.add_series();
            series.set_categories(self.range(across)).set_values(self.range(up));
            series.set_name(plain(name).as_str());
            if kind == ChartKind::Scatter {
                // Points look as Excel chooses: where they are given a look, the writer puts it in
                // front of that of the line, which the schema does not allow.
                continue;
            }
            if kind == ChartKind::Area && !points.labels.is_empty() {
                series.set_format(&mut fill(at));
            } else {
                let mut line = rust_xlsxwriter::ChartLine::new();
                line.set_color(Color::RGB(COLOURS[at % COLOURS.len()]));
                series.set_format(&mut line);
            }
        }
    }

    fn add(&mut self, head: String, cells: Vec<Cell>) -> usize {
        self.columns.push((head, cells));
        self.columns.len() - 1
    }

    fn range(&self, column: usize) -> Range<'_> {
        let rows = self.columns.get(column).map_or(1, |(_, cells)| cells.len().max(1));
        let last = u32::try_from(rows).unwrap_or(1);
        let column = u16::try_from(column).unwrap_or(0);
        (&self.name, 1, column, last, column)
    }

    /// Writes the sheet with the columns, if there are any.
    pub(super) fn finish(self, book: &mut Workbook, styles: &Styles) -> Result<(), XlsxError> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let sheet = book.add_worksheet();
        sheet.set_name(&self.name)?;
        for ((head, cells), at) in self.columns.iter().zip(0u16..) {
            sheet.write_string_with_format(0, at, super::cell_text(head), &styles.head)?;
            sheet.set_column_width(at, 24)?;
            for (cell, row) in cells.iter().zip(1u32..) {
                match cell {
                    Cell::Text(text) => sheet.write_string(row, at, super::cell_text(text))?,
                    Cell::Number(number) => {
                        sheet.write_number_with_format(row, at, *number, &styles.count)?
                    }
                };
            }
        }
        sheet.set_freeze_panes(1, 0)?;
        Ok(())
    }
}

/// Adds data bars to the cells of the column that the chart shows.
fn mark(sheet: &mut Worksheet, part: &SheetPart<'_>, spec: &Spec) -> Result<(), XlsxError> {
    let result = part.sheet.result;
    let Some(y) = spec.y.first().and_then(|name| result.index_of(name)) else { return Ok(()) };
    if spec.kind != ChartKind::Bar || !Column::is_number(&result.fields()[y]) {
        return Ok(());
    }
    let (y, last) = (u16::try_from(y).unwrap_or(0), u32::try_from(result.len()).unwrap_or(1));
    let bar = ConditionalFormatDataBar::new().set_fill_color(Color::RGB(0x009C_C7E6));
    sheet.add_conditional_format(1, y, last, y, &bar)?;
    Ok(())
}

/// Adds a colour scale to the column that a heat map would colour.
fn shade(sheet: &mut Worksheet, part: &SheetPart<'_>, spec: &Spec) -> Result<(), XlsxError> {
    let result = part.sheet.result;
    let value = spec.value.as_ref().or(spec.series.as_ref());
    let Some(at) = value.and_then(|name| result.index_of(name)) else { return Ok(()) };
    let (at, last) = (u16::try_from(at).unwrap_or(0), u32::try_from(result.len()).unwrap_or(1));
    let scale = ConditionalFormat3ColorScale::new()
        .set_minimum_color(Color::RGB(0x00ED_F0E4))
        .set_midpoint_color(Color::RGB(0x004A_B0C1))
        .set_maximum_color(Color::RGB(0x0020_2E6E));
    sheet.add_conditional_format(1, at, last, at, &scale)?;
    Ok(())
}

fn fill(series: usize) -> rust_xlsxwriter::ChartFormat {
    let mut format = rust_xlsxwriter::ChartFormat::new();
    let colour = Color::RGB(COLOURS[series % COLOURS.len()]);
    format.set_solid_fill(rust_xlsxwriter::ChartSolidFill::new().set_color(colour));
    format
}

/// A literal name: one that starts with = or looks like `Sheet!A1` would be taken as a reference.
fn plain(name: &str) -> String {
    if name.starts_with('=') {
        return format!(" {name}");
    }
    match name.split_once('!') {
        Some((sheet, cells)) if is_cells(cells) => format!("{sheet}! {cells}"),
        _ => name.to_owned(),
    }
}

/// Whether a text could be a cell range, such as `$A$1:$B$2`.
fn is_cells(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "$:".contains(c))
}

/// A label short enough to fit beside a chart.
fn short(label: &str) -> String {
    match label.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &label[..end]),
        None => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_dump_are_not_cell_references() {
        for name in ["'!A1", "x!A1", "X!$A$1:$B$2", "=1", "!A1", "a!A1!B2", "!1"] {
            let mut chart = Chart::new_bar();
            chart.add_series().set_values(("s", 0, 0, 1, 0)).set_name(plain(name).as_str());
            chart.title().set_name(plain(name).as_str());
            let mut book = rust_xlsxwriter::Workbook::new();
            let sheet = book.add_worksheet();
            sheet.set_name("s").unwrap().insert_chart(0, 0, &chart).unwrap();
            assert!(book.save_to_buffer().is_ok(), "{name}");
        }
        assert_eq!(plain("nt!KiIdleLoop"), "nt!KiIdleLoop");
    }
}
