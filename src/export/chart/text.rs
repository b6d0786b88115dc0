//! Charts for terminals: bars of block characters, points and lines in Braille dots, shades.

use std::fmt::Write as _;
use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::data::{Bars, ChartShape, Data, Grid, Points};
use super::scale::Scale;
use super::spec::ChartKind;

/// The appearance of a chart in a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLook {
    /// The width in columns.
    pub width: usize,
    /// Whether to use colours.
    pub colour: bool,
}

/// The maximum number of bars.
const BARS: usize = 40;
/// The number of lines of a plot.
const HEIGHT: usize = 20;
/// Colours of the 256-colour palette that are similar to those of Okabe and Ito.
const COLOURS: [u8; 8] = [32, 214, 36, 166, 175, 74, 227, 247];
/// Characters that distinguish series without colours.
const MARKS: [char; 8] = ['█', '▒', '#', '░', '=', '▓', '+', '-'];
/// The colours of a heat map from the lowest to the highest value.
const HEAT: [u8; 8] = [235, 17, 19, 26, 32, 38, 78, 227];
const SHADES: [char; 5] = ['·', '░', '▒', '▓', '█'];

/// Draws the chart as text.
///
/// # Errors
/// Whatever the writer reports.
pub fn write_text(data: &Data, look: &TextLook, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::new();
    match &data.shape {
        ChartShape::Bars(bars) => {
            let bars =
                if data.kind == ChartKind::Histogram { bars.clone() } else { bars.at_most(BARS) };
            draw_bars(&bars, data, *look, &mut text);
        }
        ChartShape::Points(points) => draw_points(points, data, *look, &mut text),
        ChartShape::Grid(grid) => draw_grid(grid, data, *look, &mut text),
    }
    out.write_all(text.as_bytes())
}

fn painted(text: &str, colour: u8, look: TextLook, into: &mut String) {
    if look.colour && !text.is_empty() {
        // Writing to a `String` cannot fail.
        let _ = write!(into, "\x1b[38;5;{colour}m{text}\x1b[0m");
    } else {
        into.push_str(text);
    }
}

/// The text in a fixed number of columns: shortened with a mark, or padded.
fn padded(text: &str, width: usize) -> String {
    let mut shown = String::new();
    let mut used = 0;
    let whole = text.width() <= width;
    for c in text.chars() {
        let columns = c.width().unwrap_or(0);
        if used + columns > width.saturating_sub(usize::from(!whole)) {
            break;
        }
        shown.push(c);
        used += columns;
    }
    if !whole && width > 0 {
        shown.push('…');
        used += 1;
    }
    shown.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    shown
}

fn draw_bars(bars: &Bars, data: &Data, look: TextLook, text: &mut String) {
    let width = look.width.clamp(20, 160);
    let shown: Vec<String> = (0..bars.labels.len())
        .map(|at| {
            let (low, high) = bars.extent(at);
            bars.measure.show(low + high)
        })
        .collect();
    let number = shown.iter().map(|text| text.width()).max().unwrap_or(0);
    let title = data.x_title.width();
    let label = bars.labels.iter().map(|l| l.width()).max().unwrap_or(0).max(title);
    let label = label.min(width * 2 / 5).max(4);
    let mark = usize::from(bars.tail.is_some());
    let room = width.saturating_sub(label + number + 3 + mark).max(4);
    let (low, high) = (bars.ends().fold(0.0, f64::min), bars.ends().fold(0.0, f64::max));
    let span = if high > low { high - low } else { 1.0 };
    // A fraction of the width: the number of cells per unit would be infinite if all values are
    // tiny.
    let cells = |value: f64| (value / span).clamp(0.0, 1.0) * room as f64;
    let head = padded(&data.x_title, label);
    let line = width.saturating_sub(label + 2 + data.y_title.width() + 1);
    let end = format!("{head}  {}{}", " ".repeat(line), data.y_title);
    text.push_str(end.trim_end());
    text.push('\n');
    for (at, name) in bars.labels.iter().enumerate() {
        text.push_str(&padded(name, label));
        text.push_str("  ");
        // Negative values extend to the left of zero.
        let (below, _) = bars.extent(at);
        let before = cells(below - low).round() as usize;
        text.extend(std::iter::repeat_n(' ', before));
        if bars.series.len() == 1 {
            let value = bars.values[0][at];
            // A value other than zero is always visible, even if it is small.
            let length = cells(value.abs());
            let length = if value == 0.0 { 0.0 } else { length.max(0.125) };
            painted(&blocks(length), COLOURS[0], look, text);
        } else {
            let mut done = 0.0;
            let mut drawn = 0;
            for (series, values) in bars.values.iter().enumerate() {
                done = (done + cells(values[at].abs())).min(room as f64);
                let count = (done.round() as usize).saturating_sub(drawn);
                drawn += count;
                let mark = if look.colour { '█' } else { MARKS[series % MARKS.len()] };
                let cells: String = std::iter::repeat_n(mark, count).collect();
                painted(&cells, COLOURS[series % COLOURS.len()], look, text);
            }
        }
        text.push_str(if bars.leaves(at) { "» " } else { " " });
        text.push_str(&shown[at]);
        text.push('\n');
    }
    legend(&bars.series, look, text);
}

/// A bar whose end has a resolution of one eighth of a character.
fn blocks(length: f64) -> String {
    let eighths = (length * 8.0).round() as usize;
    let mut text: String = std::iter::repeat_n('█', eighths / 8).collect();
    if let Some(rest) = (eighths % 8).checked_sub(1) {
        text.extend("▏▎▍▌▋▊▉".chars().nth(rest));
    }
    text
}

fn legend(series: &[String], look: TextLook, text: &mut String) {
    if series.len() < 2 {
        return;
    }
    let mut used = 0;
    for (at, name) in series.iter().enumerate() {
        let mark = if look.colour { '█' } else { MARKS[at % MARKS.len()] };
        let entry = padded(name, name.width().min(30));
        if used > 0 && used + entry.width() + 4 > look.width {
            text.truncate(text.trim_end().len());
            text.push('\n');
            used = 0;
        }
        painted(&mark.to_string(), COLOURS[at % COLOURS.len()], look, text);
        text.push(' ');
        text.push_str(&entry);
        text.push_str("  ");
        used += entry.width() + 4;
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
}

/// A grid of Braille characters, each two dots wide and four high.
struct Canvas {
    columns: usize,
    rows: usize,
    dots: Vec<u8>,
    /// The series that last drew into each character.
    owner: Vec<u8>,
}

impl Canvas {
    fn new(columns: usize, rows: usize) -> Self {
        Self { columns, rows, dots: vec![0; columns * rows], owner: vec![0; columns * rows] }
    }

    /// Sets the dot at a position; both coordinates are from 0 to 1, from the lower left.
    fn set(&mut self, x: f64, y: f64, series: usize) {
        let across = (x * (self.columns * 2 - 1) as f64).round() as usize;
        let down = ((1.0 - y) * (self.rows * 4 - 1) as f64).round() as usize;
        let bit = [[0, 3], [1, 4], [2, 5], [6, 7]][down % 4][across % 2];
        let at = (down / 4) * self.columns + across / 2;
        if let (Some(dots), Some(owner)) = (self.dots.get_mut(at), self.owner.get_mut(at)) {
            *dots |= 1 << bit;
            *owner = u8::try_from(series % COLOURS.len()).unwrap_or(0);
        }
    }

    /// Draws a straight line and, if `filled`, the area below it.
    fn line(&mut self, (from, to): ((f64, f64), (f64, f64)), filled: bool, series: usize) {
        let steps = self.columns * 2 + self.rows * 4;
        for step in 0..=steps {
            let part = step as f64 / steps as f64;
            let (x, y) = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            self.set(x, y, series);
            let below = (y * (self.rows * 4) as f64) as usize;
            for dot in (0..below).filter(|_| filled) {
                self.set(x, dot as f64 / (self.rows * 4) as f64, series);
            }
        }
    }

    fn push_row(&self, row: usize, look: TextLook, text: &mut String) {
        for column in 0..self.columns {
            let at = row * self.columns + column;
            let dots = self.dots.get(at).copied().unwrap_or(0);
            if dots == 0 {
                text.push(' ');
                continue;
            }
            let c = char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ');
            let owner = self.owner.get(at).copied().unwrap_or(0);
            painted(&c.to_string(), COLOURS[usize::from(owner)], look, text);
        }
    }
}

fn draw_points(points: &Points, data: &Data, look: TextLook, text: &mut String) {
    let all = || points.series.iter().flat_map(|(_, points)| points);
    let filled = data.kind == ChartKind::Area;
    let y = Scale::over(all().map(|p| p.1), points.y, 5, filled || data.kind == ChartKind::Line);
    let width = look.width.clamp(20, 160);
    let ticks: Vec<String> = y.ticks.iter().map(|tick| points.y.show(*tick)).collect();
    let margin = ticks.iter().map(|tick| tick.width()).max().unwrap_or(0).min(width / 2);
    let columns = width.saturating_sub(margin + 2).max(4);
    let x = Scale::over(all().map(|p| p.0), points.x, columns / 16, false);
    let mut canvas = Canvas::new(columns, HEIGHT);
    for (series, (_, points)) in points.series.iter().enumerate() {
        let places: Vec<(f64, f64)> = points.iter().map(|p| (x.place(p.0), y.place(p.1))).collect();
        if data.kind == ChartKind::Scatter {
            for (x, y) in &places {
                canvas.set(*x, *y, series);
            }
        } else {
            if let [(x, y)] = places.as_slice() {
                canvas.set(*x, *y, series);
            }
            for pair in places.windows(2) {
                canvas.line((pair[0], pair[1]), filled, series);
            }
        }
    }
    text.push_str(&data.y_title);
    text.push('\n');
    for row in 0..HEIGHT {
        let of =
            |tick: &f64| ((1.0 - y.place(*tick)) * (HEIGHT - 1) as f64).round() as usize == row;
        let tick = y.ticks.iter().position(of).map_or("", |at| ticks[at].as_str());
        text.extend(std::iter::repeat_n(' ', margin.saturating_sub(tick.width())));
        text.push_str(&padded(tick, tick.width().min(margin)));
        text.push_str(if tick.is_empty() { " │" } else { " ┤" });
        canvas.push_row(row, look, text);
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text.extend(std::iter::repeat_n(' ', margin + 1));
    text.push('└');
    text.extend(std::iter::repeat_n('─', columns));
    text.push('\n');
    let label = |tick: f64| match points.labels.as_slice() {
        [] => points.x.show(tick),
        _ => points.label(tick).unwrap_or_default().to_owned(),
    };
    let places: Vec<(f64, String)> = x.ticks.iter().map(|t| (x.place(*t), label(*t))).collect();
    text.push_str(&under(&places, margin + 2, columns));
    text.push('\n');
    text.extend(std::iter::repeat_n(
        ' ',
        (margin + 2 + columns).saturating_sub(data.x_title.width()),
    ));
    text.push_str(&data.x_title);
    text.push('\n');
    let names: Vec<String> = points.series.iter().map(|(name, _)| name.clone()).collect();
    if look.colour {
        legend(&names, look, text);
    }
}

/// The line below an axis: each label at its position, if there is space.
fn under(labels: &[(f64, String)], margin: usize, columns: usize) -> String {
    let mut line = String::new();
    let mut used = 0;
    for (place, label) in labels {
        let centre = margin + (place * (columns.saturating_sub(1)) as f64).round() as usize;
        let start = centre.saturating_sub(label.width() / 2);
        let start = start.min((margin + columns).saturating_sub(label.width()));
        if label.is_empty() || (used > 0 && start < used + 2) {
            continue;
        }
        line.extend(std::iter::repeat_n(' ', start.saturating_sub(used)));
        line.push_str(label);
        used = start.max(used) + label.width();
    }
    line
}

fn draw_grid(grid: &Grid, data: &Data, look: TextLook, text: &mut String) {
    let width = look.width.clamp(20, 160);
    let label = grid.rows.iter().map(|row| row.width()).max().unwrap_or(0).min(width / 3);
    let room = width.saturating_sub(label + 2).max(4);
    let columns = grid.columns.len().max(1);
    let wide = (room / columns).clamp(1, 4);
    let cells = || grid.values.iter().flatten().flatten().copied();
    let (low, high) = (cells().fold(0.0, f64::min), cells().fold(0.0, f64::max));
    let _ = writeln!(text, "{}, across: {}", data.y_title, data.x_title);
    for (name, values) in grid.rows.iter().zip(&grid.values) {
        text.push_str(&padded(name, label));
        text.push_str("  ");
        for value in values.iter().take(room) {
            let part = value.map(|v| if high > low { (v - low) / (high - low) } else { 0.0 });
            let Some(part) = part else {
                text.extend(std::iter::repeat_n(' ', wide));
                continue;
            };
            let mark = if look.colour { '█' } else { pick(&SHADES, part) };
            let cell: String = std::iter::repeat_n(mark, wide).collect();
            painted(&cell, pick(&HEAT, part), look, text);
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text.push_str("colour: ");
    let ends = [(low, 0.0), (f64::midpoint(low, high), 0.5), (high, 1.0)];
    for (value, part) in ends {
        let mark = if look.colour { '█' } else { pick(&SHADES, part) };
        painted(&mark.to_string(), pick(&HEAT, part), look, text);
        let _ = write!(text, " {}  ", grid.measure.show(value));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
}

/// The entry of a list for a fraction from 0 to 1.
fn pick<T: Copy>(of: &[T], part: f64) -> T {
    let at = (part * (of.len() - 1) as f64).ceil() as usize;
    of[at.min(of.len() - 1)]
}
