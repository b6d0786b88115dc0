//! Bars that lie and bars that stand.

use std::fmt::Write as _;

use super::super::data::{Bars, Data};
use super::super::scale::Scale;
use super::super::spec::ChartKind;
use super::text::push_escaped;
use super::{Area, Picture, WIDTH, class, cut, width_of};

/// The height of a lying bar, and of the line that it lies on.
const THICK: f64 = 16.0;
const LINE: f64 = 22.0;
/// The most that a standing bar is wide.
const WIDEST: f64 = 90.0;
/// The most that labels below standing bars are long.
const LONGEST: f64 = 170.0;

/// How labels stand below bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Labels {
    Flat,
    Leaning,
    Upright,
}

impl Picture {
    pub(super) fn bars(&mut self, bars: &Bars, data: &Data) {
        let top = self.legend(&bars.series) + 18.0;
        let rows = bars.labels.len() as f64;
        let shown = values(bars);
        let left = bars.labels.iter().map(|l| width_of(l)).fold(width_of(&data.x_title), f64::max);
        let left = left.min(330.0) + 26.0;
        let right = shown.iter().map(|text| width_of(text)).fold(0.0, f64::max) + 24.0;
        let area = Area { left, top, width: WIDTH - left - right, height: rows * LINE + 6.0 };
        let scale = Scale::over(bars.ends(), bars.measure, 6, true);
        self.text(left - 10.0, top - 8.0, "end", "v", &cut(&data.x_title, left - 20.0));
        self.ticks_across(&scale, &area, |value| bars.measure.show(value));
        let x = |value: f64| area.left + scale.place(value) * area.width;
        for (at, label) in bars.labels.iter().enumerate() {
            let y = top + at as f64 * LINE + 4.0;
            self.text(left - 10.0, y + 13.0, "end", "", &cut(label, left - 26.0));
            let mut ends = (0.0, 0.0);
            for (series, values) in bars.values.iter().enumerate() {
                let value = values[at];
                let from = if value < 0.0 { &mut ends.0 } else { &mut ends.1 };
                let (start, end) = (x(*from), x(*from + value));
                *from += value;
                let says = format!("{label}: {}", bars.measure.show(value));
                let size = ((end - start).abs().max(0.5), THICK);
                if value != 0.0 {
                    self.rect((start.min(end), y), size, &bars.class(at, series), &says);
                }
            }
            if bars.leaves(at) {
                let _ = writeln!(
                    self.body,
                    "<path d=\"M{:.1},{:.1}l5,{:.1}m7,0l-5,-{:.1}\" class=\"k\"/>",
                    x(ends.1) - 24.0,
                    y - 1.0,
                    THICK + 2.0,
                    THICK + 2.0
                );
            }
            self.text(x(ends.1) + 6.0, y + 13.0, "start", "v", &shown[at]);
        }
        self.line((x(0.0), top), (x(0.0), top + area.height), "a");
        self.text(area.left + area.width, top + area.height + 36.0, "end", "v", &data.y_title);
        self.height = top + area.height + 50.0;
    }

    pub(super) fn columns(&mut self, bars: &Bars, data: &Data) {
        let top = self.legend(&bars.series) + 30.0;
        let scale = Scale::over(bars.ends(), bars.measure, 6, true);
        let ticks = scale.ticks.iter().map(|tick| width_of(&bars.measure.show(*tick)));
        let mut left = ticks.fold(30.0, f64::max) + 22.0;
        let widest = bars.labels.iter().map(|l| width_of(l)).fold(0.0, f64::max).min(LONGEST);
        let slot = |left: f64| (WIDTH - left - 30.0) / bars.labels.len().max(1) as f64;
        let labels = match slot(left) {
            slot if widest + 8.0 <= slot => Labels::Flat,
            slot if slot >= 22.0 => Labels::Leaning,
            _ => Labels::Upright,
        };
        if labels == Labels::Leaning {
            // The first label leans out to the left.
            left = left.max(widest * 0.72 - slot(left) / 2.0 + 10.0);
        }
        let below = match labels {
            Labels::Flat => 24.0,
            Labels::Leaning => widest * 0.72 + 26.0,
            Labels::Upright => widest + 24.0,
        };
        let area = Area { left, top, width: WIDTH - left - 30.0, height: 320.0 };
        let slot = slot(left);
        let every = (13.0 / slot).ceil().max(1.0) as usize;
        self.text(16.0, top - 16.0, "start", "v", &data.y_title);
        self.ticks_up(&scale, &area, |value| bars.measure.show(value));
        let y = |value: f64| area.top + (1.0 - scale.place(value)) * area.height;
        let shown = values(bars);
        let fit = shown.iter().all(|value| width_of(value) + 4.0 <= slot);
        let is_histogram = data.kind == ChartKind::Histogram;
        let gap = if is_histogram { 1.0 } else { (slot * 0.2).min(12.0).max(slot - WIDEST) };
        for (at, label) in bars.labels.iter().enumerate() {
            let x = area.left + at as f64 * slot;
            let mut ends = (0.0, 0.0);
            for (series, values) in bars.values.iter().enumerate() {
                let value = values[at];
                let from = if value < 0.0 { &mut ends.0 } else { &mut ends.1 };
                let (start, end) = (y(*from), y(*from + value));
                *from += value;
                let says = format!("{label}: {}", bars.measure.show(value));
                let size = ((slot - gap).max(1.0), (start - end).abs().max(0.5));
                let class = bars.class(at, series);
                self.rect((x + gap / 2.0, start.min(end)), size, &class, &says);
            }
            let middle = x + slot / 2.0;
            if bars.leaves(at) {
                let width = slot - gap;
                let _ = writeln!(
                    self.body,
                    "<path d=\"M{:.1},{:.1}l{width:.1},5m0,7l-{width:.1},-5\" class=\"k\"/>",
                    x + gap / 2.0,
                    area.top + 12.0
                );
                self.text(middle, area.top - 5.0, "middle", "v", &shown[at]);
            } else if fit && ends.0 + ends.1 != 0.0 {
                self.text(middle, y(ends.1) - 5.0, "middle", "v", &shown[at]);
            }
            if at % every == 0 || at + 1 == bars.labels.len() {
                self.below(labels, (middle, area.top + area.height + 16.0), label);
            }
        }
        self.line((area.left, y(0.0)), (area.left + area.width, y(0.0)), "a");
        let bottom = area.top + area.height + below;
        self.text(area.left + area.width, bottom + 14.0, "end", "v", &data.x_title);
        self.height = bottom + 26.0;
    }

    /// A label below a standing bar.
    fn below(&mut self, labels: Labels, (x, y): (f64, f64), label: &str) {
        let turned = match labels {
            Labels::Flat => return self.text(x, y, "middle", "", label),
            Labels::Leaning => format!("translate({:.1},{y:.1}) rotate(-45)", x + 4.0),
            Labels::Upright => format!("translate({:.1},{:.1}) rotate(-90)", x + 4.0, y - 8.0),
        };
        let _ = write!(self.body, "<text transform=\"{turned}\" text-anchor=\"end\">");
        push_escaped(&cut(label, LONGEST), &mut self.body);
        self.body.push_str("</text>\n");
    }
}

/// What each bar stands for, as text.
fn values(bars: &Bars) -> Vec<String> {
    let sum = |at: usize| {
        let (low, high) = bars.extent(at);
        bars.measure.show(low + high)
    };
    (0..bars.labels.len()).map(sum).collect()
}

impl Bars {
    /// The colour of a part of a bar: others are grey where colours tell nothing.
    fn class(&self, at: usize, series: usize) -> String {
        let is_grey = self.tail == Some(at) && self.series.len() == 1;
        if is_grey { class('s', 7) } else { class('s', series) }
    }
}
