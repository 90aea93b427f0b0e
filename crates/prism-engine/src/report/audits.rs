//! The audits of a run as a picture: how often which claim met which audited value.
//!
//! Replays `targets.zst` to find what was claimed for the audited targets; the record alone does not hold it. The
//! result is a grid of counts, bounded however long the run was, and says nothing about which target was which.

use std::io::Read;

use prism_core::nats::Smoothing;
use prism_referee::{
    record::Record,
    targets::{Block, Section, TargetsError, TargetsReader},
};

/// Cells along each side.
pub(super) const CELLS: usize = 64;

/// Counts by claimed and audited nats.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AuditGrid {
    /// The largest value on either axis, in nats; at least 1.
    pub(super) max_nats: f64,
    /// Cells that are not empty: column (claimed), row (audited), count.
    pub(super) cells: Vec<(usize, usize, u64)>,
    /// All audits in it.
    pub(super) audits: u64,
}

impl AuditGrid {
    /// Reads the claims of the audited targets of the stream. Audits are in the order of their targets, so one pass
    /// is enough and memory stays flat.
    pub(super) fn replay(record: &Record, targets: impl Read) -> Result<Self, TargetsError> {
        let smoothing = Smoothing::new(record.recipe.score.smoothing, record.tokenizer.vocab_size);
        let mut pairs = Vec::with_capacity(record.audits.len());
        let mut audits = record.audits.iter().peekable();
        let mut first = 0_u64;
        let mut reader = TargetsReader::new(targets)?;
        while audits.peek().is_some()
            && let Some(block) = reader.next_block()?
        {
            let Block::Step {
                section: Section::Stream,
                claims,
                ..
            } = block
            else {
                continue;
            };
            let next = first + claims.len() as u64;
            while let Some(audit) = audits.next_if(|audit| audit.target < next) {
                let index = audit
                    .target
                    .checked_sub(first)
                    .and_then(|index| usize::try_from(index).ok());
                let Some(&claim) = index.and_then(|index| claims.get(index)) else {
                    return Err(TargetsError::Damaged(
                        "audits that are not in the order of their targets",
                    ));
                };
                pairs.push((smoothing.apply(f64::from(claim)), audit.nats));
            }
            first = next;
        }
        Ok(Self::of(&pairs))
    }

    /// Counts pairs of claimed and audited nats.
    pub(super) fn of(pairs: &[(f64, f64)]) -> Self {
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
