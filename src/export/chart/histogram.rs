//! Bins of values, and the number of values in each.

use super::scale::{Measure, decimal};

/// The number of bins.
const BINS: usize = 24;
/// If the largest value exceeds the median by a larger factor, bins grow: 1, 2, 5, 10, ….
const WIDE: f64 = 200.0;

/// The labels of the bins, and the number of values in each.
pub(super) fn histogram(values: &[f64], measure: Measure) -> (Vec<String>, Vec<f64>) {
    let edges = edges(values);
    let mut counts = vec![0.0; edges.len().saturating_sub(1)];
    for value in values {
        let at = edges.partition_point(|edge| edge <= value).saturating_sub(1);
        let last = counts.len().saturating_sub(1);
        if let Some(count) = counts.get_mut(at.min(last)) {
            *count += 1.0;
        }
    }
    let label = |range: &[f64]| format!("{} – {}", measure.show(range[0]), measure.show(range[1]));
    (edges.windows(2).map(label).collect(), counts)
}

fn edges(values: &[f64]) -> Vec<f64> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min).max(-1e300);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max).min(1e300);
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| *v > 0.0).collect();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(1.0);
    if low >= 0.0 && high / median > WIDE {
        return growing(sorted.first().copied().unwrap_or(1.0), high);
    }
    let step = decimal((high - low) / BINS as f64);
    let first = (low / step).floor() * step;
    let mut edges = vec![first];
    while edges.len() <= BINS * 3 {
        let next = first + step * edges.len() as f64;
        edges.push(next);
        if next > high {
            break;
        }
    }
    edges
}

/// 0, then 1, 2, 5, 10, … times a power of ten, starting at the least value.
fn growing(least: f64, high: f64) -> Vec<f64> {
    let mut edges = vec![0.0];
    // With a much smaller start, all bins except the last few would be thin.
    let start = least.max(high / 1e9);
    // The power of ten would underflow for the smallest doubles.
    let mut power = 10f64.powi(start.log10().floor() as i32).max(f64::MIN_POSITIVE);
    loop {
        for factor in [1.0, 2.0, 5.0] {
            edges.push(factor * power);
            if factor * power > high {
                return edges;
            }
        }
        power *= 10.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_exactly_one_bin() {
        for values in [
            vec![0.0],
            vec![1.0, 2.0, 3.0],
            vec![0.0, 1.0, 1e9],
            vec![-5.0, 5.0],
            vec![f64::MAX, f64::MIN],
            vec![1e-320, 1e-320, 1e-315],
            (0..1000).map(f64::from).collect(),
        ] {
            let (labels, counts) = histogram(&values, Measure::Plain);
            assert_eq!(labels.len(), counts.len());
            assert!(labels.len() <= BINS * 3, "{}", labels.len());
            assert!((counts.iter().sum::<f64>() - values.len() as f64).abs() < 0.5, "{counts:?}");
        }
    }

    #[test]
    fn a_wide_range_of_values_has_growing_bins() {
        let (labels, counts) = histogram(&[0.0, 1.0, 1.0, 3.0, 100_000.0], Measure::Milliseconds);
        assert_eq!(labels[..3], ["0 – 1 ms", "1 ms – 2 ms", "2 ms – 5 ms"]);
        assert_eq!((counts[0], counts[1], counts[2]), (1.0, 2.0, 1.0));
    }
}
