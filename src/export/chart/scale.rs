//! Scales of axes: the positions of ticks, and the text of values.

use crate::catalog::{Format, PointerWidth, Ty, Unit, Value};
use crate::exec::Field;

/// The quantity of a number, which determines its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    Plain,
    Bytes,
    Milliseconds,
    Percent,
    Hex,
    Address(PointerWidth),
    /// Microseconds since 1970.
    Time,
    /// Microseconds.
    Interval,
}

impl Measure {
    /// The quantity of a column's values, by its type and its name.
    pub(crate) fn of(field: &Field, width: PointerWidth) -> Self {
        match (field.ty, Unit::of_name(&field.name)) {
            (Ty::Addr, _) => Self::Address(width),
            (Ty::Time | Ty::Date, _) => Self::Time,
            (Ty::Interval | Ty::TimeOfDay, _) => Self::Interval,
            _ if field.format == Format::Hex => Self::Hex,
            (_, Unit::Bytes) => Self::Bytes,
            (_, Unit::Milliseconds) => Self::Milliseconds,
            _ if field.name.to_ascii_lowercase().starts_with("percent")
                || field.name.to_ascii_lowercase().ends_with("percent") =>
            {
                Self::Percent
            }
            _ => Self::Plain,
        }
    }

    /// The value as text.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Plain => grouped(value),
            Self::Percent => format!("{} %", grouped(value)),
            Self::Bytes => scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"]),
            Self::Milliseconds => duration(value / 1000.0),
            Self::Interval => duration(value / 1e6),
            Self::Hex => Format::Hex.render(&Value::Int(value as i64), PointerWidth::Bits64),
            Self::Address(width) => Format::Plain.render(&Value::Addr(value as u64), width),
            Self::Time => {
                let text = Format::Plain.render(&Value::Time(value as i64), PointerWidth::Bits64);
                text.strip_suffix(" 00:00:00").unwrap_or(&text).to_owned()
            }
        }
    }

    /// The step between ticks: the smallest of the usual steps that is at least `least`.
    fn step(self, least: f64) -> f64 {
        const SECONDS: [f64; 17] = [
            1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0,
            43200.0, 86400.0, 172_800.0, 604_800.0,
        ];
        let of_seconds = |one: f64| {
            let fits = SECONDS.iter().map(|seconds| seconds * one).find(|step| *step >= least);
            if least < one { None } else { fits }
        };
        let power_of_two = |least: f64| 2f64.powi(least.max(1.0).log2().ceil() as i32);
        match self {
            Self::Bytes | Self::Hex | Self::Address(_) => power_of_two(least),
            Self::Milliseconds => of_seconds(1000.0).unwrap_or_else(|| decimal(least)),
            Self::Time | Self::Interval => of_seconds(1e6).unwrap_or_else(|| decimal(least)),
            Self::Plain | Self::Percent => decimal(least),
        }
    }
}

/// The next of 1, 2, 5, 10, 20, 50 ….
pub(super) fn decimal(least: f64) -> f64 {
    if !(least.is_finite() && least > 0.0) {
        return 1.0;
    }
    let power = 10f64.powi(least.log10().floor() as i32);
    let steps = [1.0, 2.0, 5.0, 10.0];
    steps
        .iter()
        .map(|step| step * power)
        .find(|step| *step >= least * 0.999)
        .unwrap_or(power * 10.0)
}

/// A range of values and its ticks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<f64>,
}

impl Scale {
    /// A scale that contains the values, with round ends, and with zero if requested.
    pub(super) fn over(
        values: impl Iterator<Item = f64>,
        measure: Measure,
        most: usize,
        with_zero: bool,
    ) -> Self {
        let (mut low, mut high) = values
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        // With larger values, the difference of the ends would overflow.
        (low, high) = (low.clamp(-1e300, 1e300), high.clamp(-1e300, 1e300));
        if with_zero {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        if (high - low) <= f64::EPSILON * high.abs().max(low.abs()) {
            (low, high) = (low - if with_zero { 0.0 } else { 1.0 }, high + 1.0);
        }
        let step = measure.step((high - low) / most.max(1) as f64);
        let first = (low / step).floor();
        let last = (high / step).ceil();
        let count = ((last - first) as usize).min(most + 2);
        let ticks: Vec<f64> = (0..=count).map(|n| (first + n as f64) * step).collect();
        // Addresses and times are not extended to round ends, which may be far away.
        let round = !matches!(measure, Measure::Address(_) | Measure::Time);
        if round {
            (low, high) = (low.min(first * step), high.max(last * step));
        }
        let ticks = ticks.into_iter().filter(|t| *t >= low && *t <= high).collect();
        Self { low, high, ticks }
    }

    /// The position of a value, from 0 to 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = (value - self.low) / (self.high - self.low);
        if place.is_finite() { place.clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// A number with commas as thousands separators and the decimals that it needs.
pub(crate) fn grouped(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    if value.abs() >= 1e15 {
        return format!("{value:.3e}");
    }
    let text = if value.fract() == 0.0 || value.abs() >= 1000.0 {
        format!("{:.0}", value.abs())
    } else if value.abs() >= 1.0 {
        trimmed(&format!("{:.2}", value.abs()))
    } else {
        trimmed(&format!("{:.4}", value.abs()))
    };
    let (whole, fraction) = text.split_once('.').map_or((&*text, None), |(w, f)| (w, Some(f)));
    let mut shown = String::new();
    if value < 0.0 && text != "0" {
        shown.push('-');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    if let Some(fraction) = fraction {
        shown.push('.');
        shown.push_str(fraction);
    }
    shown
}

fn trimmed(text: &str) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number in the largest unit in which it is at least 1.
fn scaled(value: f64, factor: f64, units: &[&str]) -> String {
    let mut value = value;
    let mut unit = 0;
    while value.abs() >= factor && unit + 1 < units.len() {
        value /= factor;
        unit += 1;
    }
    let digits = usize::from(value.fract() != 0.0 && value.abs() < 100.0);
    format!("{} {}", trimmed_if(&format!("{value:.digits$}"), digits), units[unit])
}

fn trimmed_if(text: &str, digits: usize) -> String {
    if digits > 0 { trimmed(text) } else { text.to_owned() }
}

/// Seconds as a duration that is easy to read.
fn duration(seconds: f64) -> String {
    let magnitude = seconds.abs();
    let sign = if seconds < 0.0 { "-" } else { "" };
    let two = |large: f64, a: &str, small: f64, b: &str| {
        let whole = (magnitude / large).floor();
        let rest = ((magnitude - whole * large) / small).floor();
        if rest == 0.0 {
            format!("{sign}{} {a}", grouped(whole))
        } else {
            format!("{sign}{} {a} {rest} {b}", grouped(whole))
        }
    };
    match magnitude {
        0.0 => "0".to_owned(),
        m if m < 1.0 => format!("{sign}{} ms", grouped(m * 1000.0)),
        m if m < 60.0 => format!("{sign}{} s", grouped((m * 10.0).round() / 10.0)),
        m if m < 3600.0 => two(60.0, "min", 1.0, "s"),
        m if m < 86400.0 => two(3600.0, "h", 60.0, "min"),
        _ => two(86400.0, "d", 3600.0, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted_by_unit() {
        for (measure, value, text) in [
            (Measure::Plain, 1_234_567.0, "1,234,567"),
            (Measure::Plain, -0.25, "-0.25"),
            (Measure::Plain, 999.0, "999"),
            (Measure::Bytes, 1536.0, "1.5 KiB"),
            (Measure::Bytes, 402_944.0, "394 KiB"),
            (Measure::Bytes, 0.0, "0 B"),
            (Measure::Milliseconds, 0.0, "0"),
            (Measure::Milliseconds, 250.0, "250 ms"),
            (Measure::Milliseconds, 5_025_000.0, "1 h 23 min"),
            (Measure::Interval, 172_800_000_000.0, "2 d"),
            (Measure::Percent, 56.8, "56.8 %"),
            (Measure::Address(PointerWidth::Bits32), 4096.0, "0x00001000"),
            (Measure::Time, 0.0, "1970-01-01"),
        ] {
            assert_eq!(measure.show(value), text);
        }
    }

    #[test]
    fn ticks_are_round_and_few() {
        let ticks = |values: &[f64], measure| {
            let scale = Scale::over(values.iter().copied(), measure, 5, true);
            (scale.ticks.len(), scale.ticks.last().copied().unwrap())
        };
        assert_eq!(ticks(&[3.0, 97.0], Measure::Plain), (6, 100.0));
        assert_eq!(ticks(&[0.0], Measure::Plain), (6, 1.0));
        assert_eq!(ticks(&[3e6], Measure::Bytes), (4, 3.0 * 1024.0 * 1024.0));
        let huge = Scale::over([f64::MAX, f64::MIN].into_iter(), Measure::Plain, 5, false);
        assert!(huge.place(f64::MAX).is_finite());
    }
}
