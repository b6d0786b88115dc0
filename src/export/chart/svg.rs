//! Charts as SVG, with light and dark colours: no scripts, no embedded fonts, no external
//! resources.

mod bars;
mod text;

use std::fmt::Write as _;
use std::io::{self, Write};
pub(super) use text::push_escaped;
use text::{SIZE, cut, style, width_of};

use super::data::{ChartShape, Data, Grid, Points};
use super::scale::{Measure, Scale};
use super::spec::ChartKind;

/// The maximum number of bars.
const BARS: usize = 60;
/// The width of the picture.
const WIDTH: f64 = 960.0;
/// The maximum number of points that are drawn; more would overlap.
const POINTS: usize = 20_000;

/// The palette of Okabe and Ito without black, with brighter colours for dark mode.
const COLOURS: [(&str, &str); 8] = [
    ("#0072b2", "#3d9bdc"),
    ("#e69f00", "#e69f00"),
    ("#009e73", "#1fbf93"),
    ("#d55e00", "#f07a26"),
    ("#cc79a7", "#dc92bb"),
    ("#56b4e9", "#8ccdf2"),
    ("#b8a800", "#f0e442"),
    ("#777777", "#a5a5a5"),
];

/// Writes the chart as an SVG document, which can also be embedded in a page.
///
/// # Errors
///
/// Whatever the writer reports.
pub fn write_svg(data: &Data, title: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut picture = Picture { body: String::new(), height: 0.0 };
    // The title has larger and bolder letters than what widths are measured for.
    picture.text(16.0, 26.0, "start", "t", &cut(title, (WIDTH - 32.0) * 0.66));
    match &data.shape {
        ChartShape::Bars(bars) if data.kind == ChartKind::Bar => {
            picture.bars(&bars.at_most(BARS), data);
        }
        ChartShape::Bars(bars) => {
            let bars =
                if data.kind == ChartKind::Histogram { bars.clone() } else { bars.at_most(BARS) };
            picture.columns(&bars, data);
        }
        ChartShape::Points(points) => picture.points(points, data),
        ChartShape::Grid(grid) => picture.grid(grid, data),
    }
    let height = picture.height;
    let mut head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" \
         width=\"{WIDTH}\" height=\"{height:.0}\" role=\"img\" class=\"dq\">\n<title>"
    );
    push_escaped(title, &mut head);
    head.push_str("</title>\n<style>\n");
    head.push_str(&style(data.theme));
    head.push_str("</style>\n<rect class=\"b\" width=\"100%\" height=\"100%\"/>\n");
    out.write_all(head.as_bytes())?;
    out.write_all(picture.body.as_bytes())?;
    out.write_all(b"</svg>\n")
}

/// A rectangle of the picture.
struct Area {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

struct Picture {
    body: String,
    height: f64,
}

impl Picture {
    fn text(&mut self, x: f64, y: f64, anchor: &str, class: &str, text: &str) {
        let _ = write!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">"
        );
        push_escaped(text, &mut self.body);
        self.body.push_str("</text>\n");
    }

    fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), class: &str, says: &str) {
        let _ = write!(
            self.body,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"{class}\">"
        );
        self.body.push_str("<title>");
        push_escaped(says, &mut self.body);
        self.body.push_str("</title></rect>\n");
    }

    fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        let _ = writeln!(
            self.body,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" class=\"{class}\"/>"
        );
    }

    /// Draws the names of the series below the title; returns the y coordinate of their end.
    fn legend(&mut self, series: &[String]) -> f64 {
        if series.len() < 2 {
            return 44.0;
        }
        let (mut x, mut y) = (16.0, 50.0);
        for (at, name) in series.iter().enumerate() {
            let name = cut(name, 240.0);
            let width = width_of(&name) + 34.0;
            if x + width > WIDTH - 16.0 && x > 16.0 {
                (x, y) = (16.0, y + 20.0);
            }
            self.rect((x, y - 10.0), (12.0, 12.0), &class('s', at), &name);
            self.text(x + 18.0, y, "start", "", &name);
            x += width;
        }
        y + 14.0
    }

    fn points(&mut self, points: &Points, data: &Data) {
        let names: Vec<String> = points.series.iter().map(|(name, _)| name.clone()).collect();
        let top = self.legend(&names) + 30.0;
        let all = || points.series.iter().flat_map(|(_, points)| points);
        let zero = data.kind != ChartKind::Scatter;
        let y = Scale::over(all().map(|p| p.1), points.y, 8, zero);
        let left = y.ticks.iter().map(|t| width_of(&points.y.show(*t))).fold(30.0, f64::max) + 22.0;
        let area = Area { left, top, width: WIDTH - left - 40.0, height: 440.0 };
        let most = if matches!(points.x, Measure::Address(_) | Measure::Time) { 5 } else { 9 };
        let x = Scale::over(all().map(|p| p.0), points.x, most, false);
        self.text(16.0, top - 16.0, "start", "v", &data.y_title);
        self.ticks_up(&y, &area, |value| points.y.show(value));
        self.ticks_across(&x, &area, |value| match points.labels.as_slice() {
            [] => points.x.show(value),
            labels if value.fract() == 0.0 && value >= 0.0 => {
                cut(labels.get(value as usize).map_or("", String::as_str), 90.0)
            }
            _ => String::new(),
        });
        let place = |point: &(f64, f64)| {
            let across = area.left + x.place(point.0) * area.width;
            (across, area.top + (1.0 - y.place(point.1)) * area.height)
        };
        for (series, (_, points)) in points.series.iter().enumerate() {
            let places: Vec<(f64, f64)> = points.iter().map(place).collect();
            match data.kind {
                ChartKind::Scatter => self.dots(&places, series),
                kind => self.path(&places, kind == ChartKind::Area, area.top + area.height, series),
            }
        }
        let bottom = area.top + area.height;
        self.line((area.left, area.top), (area.left, bottom), "a");
        self.line((area.left, bottom), (area.left + area.width, bottom), "a");
        self.text(area.left + area.width, bottom + 38.0, "end", "v", &data.x_title);
        self.height = bottom + 52.0;
    }

    /// Draws the points of a series; overlapping points are drawn once.
    fn dots(&mut self, places: &[(f64, f64)], series: usize) {
        let mut seen = std::collections::BTreeSet::new();
        let _ = writeln!(self.body, "<g class=\"{}\" fill-opacity=\".7\">", class('s', series));
        for (x, y) in places {
            let at = ((x * 2.0).round() as i64, (y * 2.0).round() as i64);
            if seen.len() < POINTS && seen.insert(at) {
                let _ = writeln!(self.body, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.4\"/>");
            }
        }
        self.body.push_str("</g>\n");
    }

    fn path(&mut self, places: &[(f64, f64)], filled: bool, bottom: f64, series: usize) {
        let (Some(first), Some(last)) = (places.first(), places.last()) else { return };
        let mut path = String::new();
        let step = (places.len() / POINTS).max(1);
        for (at, (x, y)) in places.iter().step_by(step).enumerate() {
            let _ = write!(path, "{}{x:.1},{y:.1}", if at == 0 { "M" } else { "L" });
        }
        if filled {
            let (from, to) = (first.0, last.0);
            let _ = writeln!(
                self.body,
                "<path d=\"{path}L{to:.1},{bottom:.1}L{from:.1},{bottom:.1}Z\" class=\"{}\" fill-opacity=\".35\"/>",
                class('s', series)
            );
        }
        let _ = writeln!(self.body, "<path d=\"{path}\" class=\"{}\"/>", class('l', series));
        if places.len() <= 100 {
            self.dots(places, series);
        }
    }

    fn grid(&mut self, grid: &Grid, data: &Data) {
        let top = 78.0;
        let left = grid.rows.iter().map(|row| width_of(row)).fold(20.0, f64::max).min(260.0) + 26.0;
        let (rows, columns) = (grid.rows.len().max(1), grid.columns.len().max(1));
        let cell = (WIDTH - left - 30.0) / columns as f64;
        let height = (480.0 / rows as f64).clamp(6.0, 26.0);
        let cells = || grid.values.iter().flatten().flatten().copied();
        let (low, high) = (cells().fold(0.0, f64::min), cells().fold(0.0, f64::max));
        self.text(16.0, top - 14.0, "start", "v", &data.y_title);
        let part = |v: f64| if high > low { (v - low) / (high - low) } else { 0.0 };
        let every = (15.0 / height).ceil() as usize;
        for (row, (name, values)) in grid.rows.iter().zip(&grid.values).enumerate() {
            let y = top + row as f64 * height;
            if row % every == 0 {
                let name = cut(name, left - 26.0);
                self.text(left - 8.0, y + height / 2.0 + 4.0, "end", "", &name);
            }
            for (column, value) in values.iter().enumerate() {
                let Some(value) = value else { continue };
                let x = left + column as f64 * cell;
                let _ = write!(
                    self.body,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\"><title>",
                    (cell - 0.5).max(0.5),
                    (height - 0.5).max(0.5),
                    heat(part(*value))
                );
                let at = grid.columns.get(column).map_or("", String::as_str);
                let says = format!("{name}, {at}: {}", grid.measure.show(*value));
                push_escaped(&says, &mut self.body);
                self.body.push_str("</title></rect>\n");
            }
        }
        let bottom = top + rows as f64 * height;
        let widest = grid.columns.iter().map(|c| width_of(c)).fold(0.0, f64::max).min(120.0) + 10.0;
        let every = (widest / cell).ceil().max(1.0) as usize;
        for (column, name) in grid.columns.iter().enumerate().step_by(every) {
            let x = left + (column as f64 + 0.5) * cell;
            self.text(x, bottom + 16.0, "middle", "", &cut(name, 120.0));
        }
        self.text(WIDTH - 30.0, bottom + 34.0, "end", "v", &data.x_title);
        for step in 0..40 {
            let part = f64::from(step) / 39.0;
            let x = left + f64::from(step) * 5.0;
            let _ = writeln!(
                self.body,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"5.2\" height=\"10\" fill=\"{}\"/>",
                bottom + 28.0,
                heat(part)
            );
        }
        self.text(left - 6.0, bottom + 37.0, "end", "v", &grid.measure.show(low));
        self.text(left + 208.0, bottom + 37.0, "start", "v", &grid.measure.show(high));
        self.height = bottom + 52.0;
    }

    /// Draws grid lines and labels of the horizontal axis; labels that would overlap are omitted.
    fn ticks_across(&mut self, scale: &Scale, area: &Area, show: impl Fn(f64) -> String) {
        let mut end = f64::NEG_INFINITY;
        for tick in &scale.ticks {
            let x = area.left + scale.place(*tick) * area.width;
            self.line((x, area.top), (x, area.top + area.height), "g");
            let label = show(*tick);
            let half = width_of(&label) / 2.0;
            let centre = x.clamp(half + 4.0, (WIDTH - half - 4.0).max(half + 4.0));
            if centre - half >= end + 8.0 && !label.is_empty() {
                self.text(centre, area.top + area.height + 18.0, "middle", "v", &label);
                end = centre + half;
            }
        }
    }

    /// Draws grid lines and labels of the vertical axis.
    fn ticks_up(&mut self, scale: &Scale, area: &Area, show: impl Fn(f64) -> String) {
        for tick in &scale.ticks {
            let y = area.top + (1.0 - scale.place(*tick)) * area.height;
            self.line((area.left, y), (area.left + area.width, y), "g");
            self.text(area.left - 8.0, y + SIZE / 3.0, "end", "v", &show(*tick));
        }
    }
}

fn class(kind: char, series: usize) -> String {
    format!("{kind}{}", series % COLOURS.len())
}

/// The colour for a fraction from 0 to 1, from almost white through green to dark blue. The
/// brightness decreases continuously, so that the scale is readable without colours.
fn heat(part: f64) -> String {
    const STOPS: [(f64, f64, f64); 5] = [
        (237.0, 240.0, 228.0),
        (160.0, 218.0, 185.0),
        (74.0, 176.0, 193.0),
        (44.0, 113.0, 175.0),
        (32.0, 46.0, 110.0),
    ];
    let place = part.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let at = (place as usize).min(STOPS.len() - 2);
    let (from, to, rest) = (STOPS[at], STOPS[at + 1], place - at as f64);
    let mix = |a: f64, b: f64| (a + (b - a) * rest).round() as u8;
    format!("#{:02x}{:02x}{:02x}", mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}
