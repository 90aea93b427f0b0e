//! Curves over bytes read, drawn with characters.
//!
//! Pure; used by `prism runs compare`. Values that are not finite are left out, and whatever the numbers are, the drawing
//! has the size that it was asked for.

use std::fmt::Write as _;

use prism_report::figures::bytes;

/// What lies above (or as far below zero) is drawn at the edge: the first steps of a bad run must not flatten all others.
const CLIP_BPB: f64 = 10.0;
/// Where several curves lie in one place.
const SEVERAL: char = '*';
/// Characters of the vertical axis.
const AXIS: usize = 8;

/// One curve: its mark, and bytes read with the value there, in increasing order of bytes.
pub(crate) struct Series {
    pub(crate) mark: char,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Draws all in `columns` by `rows` characters, axes included.
pub(crate) fn curves(series: &[Series], columns: usize, rows: usize) -> String {
    let (columns, rows) = (
        columns.saturating_sub(AXIS + 2).max(10),
        rows.saturating_sub(2).max(3),
    );
    let finite = || {
        series
            .iter()
            .flat_map(|series| &series.points)
            .filter(|(x, y)| x.is_finite() && y.is_finite())
    };
    let right = finite().map(|point| point.0).fold(0.0, f64::max);
    let values = || finite().map(|point| point.1.clamp(-CLIP_BPB, CLIP_BPB));
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    if right <= 0.0 || !low.is_finite() || !high.is_finite() {
        return String::new();
    }
    let span = if high > low { high - low } else { 1.0 };
    // By column, then by row from above.
    let mut grid = vec![vec![' '; rows]; columns];
    for series in series {
        for (column, cells) in grid.iter_mut().enumerate() {
            let x = right * (column as f64 + 0.5) / columns as f64;
            let Some(y) = value_at(&series.points, x) else {
                continue;
            };
            let cell = &mut cells[row(y, low, span, rows)];
            *cell = if *cell == ' ' { series.mark } else { SEVERAL };
        }
    }
    let mut out = String::new();
    for number in 0..rows {
        let label = match number {
            0 => format!("{high:.3}"),
            _ if number + 1 == rows => format!("{:.3}", high - span),
            _ => String::new(),
        };
        let line: String = grid.iter().filter_map(|cells| cells.get(number)).collect();
        let _ = writeln!(out, "{label:>AXIS$} |{}", line.trim_end());
    }
    let _ = writeln!(out, "{:>AXIS$} +{}", "", "-".repeat(columns));
    let end = format!("{} read", bytes(whole(right)));
    let _ = writeln!(out, "{:>AXIS$}  0{end:>width$}", "", width = columns - 1);
    out
}

/// The curve between its points; nothing before the first one and after the last.
fn value_at(points: &[(f64, f64)], x: f64) -> Option<f64> {
    let after = points.partition_point(|point| point.0 < x);
    let y = match (
        after.checked_sub(1).and_then(|at| points.get(at)),
        points.get(after),
    ) {
        (Some(a), Some(b)) if b.0 > a.0 => a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0),
        (Some(a), Some(_)) => a.1,
        _ => return None,
    };
    y.is_finite().then_some(y)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the grid"
)]
fn row(y: f64, low: f64, span: f64, rows: usize) -> usize {
    let from_above = 1.0 - ((y - low) / span).clamp(0.0, 1.0);
    ((from_above * (rows - 1) as f64).round() as usize).min(rows - 1)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a label; out of range saturates"
)]
fn whole(value: f64) -> u64 {
    value.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(mark: char, points: &[(f64, f64)]) -> Series {
        Series {
            mark,
            points: points.to_vec(),
        }
    }

    #[test]
    fn curves_lie_over_each_other() {
        let a = series('a', &[(1000.0, 8.0), (20_000.0, 4.0)]);
        let b = series('b', &[(1000.0, 8.0), (20_000.0, 6.0)]);
        let drawn = curves(&[a, b], 40, 7);
        insta::assert_snapshot!(drawn, @"
        8.000 |  ***bbbb
              |     aaaa***bbbbbbbbbbb
              |            aaaaaaa    bbbbbbb
              |                   aaaaaaa
        4.000 |                          aaaa
              +------------------------------
               0                 20.0 kB read
        ");
    }

    #[test]
    fn any_numbers_stay_within_the_drawing() {
        for points in [
            vec![],
            vec![(0.0, 0.0)],
            vec![(1.0, 5.0), (2.0, 5.0)],
            vec![(1.0, f64::NAN), (f64::INFINITY, 2.0), (3.0, 4.0)],
            vec![(1.0, 1e300), (2.0, -1e300), (2.0, 3.0)],
        ] {
            let drawn = curves(&[series('a', &points)], 60, 12);
            for line in drawn.lines() {
                assert!(
                    line.chars().count() <= 60 && !line.contains("NaN"),
                    "{points:?}: {drawn}"
                );
            }
            assert!(drawn.lines().count() <= 12);
        }
    }
}
