//! The audits of a run as a picture: how often which claim met which audited value.
//!
//! A grid of counts, bounded however long the run was, that says nothing about which target was which. The pairs are
//! found by whoever has the claims; the record alone does not hold them.

/// Cells along each side.
pub const CELLS: usize = 64;

/// Counts by claimed and audited nats.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditGrid {
    /// The largest value on either axis, in nats; at least 1.
    pub max_nats: f64,
    /// Cells that are not empty: column (claimed), row (audited), count.
    pub cells: Vec<(usize, usize, u64)>,
    /// All audits in it.
    pub audits: u64,
}

impl AuditGrid {
    /// Counts pairs of claimed and audited nats.
    pub fn of(pairs: &[(f64, f64)]) -> Self {
        let largest = pairs
            .iter()
            .flat_map(|&(a, b)| [a, b])
            .filter(|nats| nats.is_finite())
            .fold(1.0, f64::max);
        let max_nats = largest.ceil();
        let mut counts = vec![0_u64; CELLS * CELLS];
        for &(claimed, audited) in pairs {
            counts[cell(audited, max_nats) * CELLS + cell(claimed, max_nats)] += 1;
        }
        let cells = counts
            .iter()
            .enumerate()
            .filter(|&(_, &count)| count > 0)
            .map(|(place, &count)| (place % CELLS, place / CELLS, count))
            .collect();
        Self {
            max_nats,
            cells,
            audits: pairs.len() as u64,
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the grid; NaN becomes 0"
)]
fn cell(nats: f64, max_nats: f64) -> usize {
    ((nats / max_nats * CELLS as f64).clamp(0.0, (CELLS - 1) as f64)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_audit_has_a_cell() {
        let grid = AuditGrid::of(&[
            (0.0, 0.0),
            (0.01, 0.01),
            (5.2, 0.0),
            (f64::NAN, 6.0),
            (6.0, f64::INFINITY),
        ]);
        assert_eq!(grid.max_nats, 6.0);
        assert_eq!(
            grid.cells.iter().map(|(.., count)| count).sum::<u64>(),
            grid.audits
        );
        assert!(grid.cells.contains(&(0, 0, 2)));
        assert!(grid.cells.iter().all(|&(x, y, _)| x < CELLS && y < CELLS));
        assert_eq!(AuditGrid::of(&[]).cells, []);
    }
}
