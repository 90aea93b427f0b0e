//! Whether a prediction depends on what an auditor does not see: later tokens, other rows, the number of rows, train mode.
//!
//! Used by [`crate::smoke`] alone, on made-up rows. In a run the auditor is given one row with end-of-text after the
//! position that it is asked about, while claims are made of whole rows of a batch. A model whose predictions move between
//! the two makes untrue claims. Decides only what counts as "moved"; never part of a measurement.
//!
//! # The tolerance
//!
//! A difference counts if its root mean square is above a share of `score.claims_rms_nats`, which is how far claims may be
//! off before a run takes no rank. Rounding is in proportion to what is rounded, so where predictions are far from
//! uniform the share grows with their distance.
//!
//! - Later tokens and other rows: a quarter. Both forwards have the same shape, so that the same kernels run in the same
//!   order over other numbers: what they compute for a prefix is the same to the last bit, in single precision and in
//!   half, compiled or not. Kernels that mix positions and cancel them again (a Fourier transform, a scan that is scaled
//!   by the largest of all) leave rounding behind, at most 2^-9 of a logit in half precision.
//! - The number of rows: the whole. Another shape may get another kernel, which adds in another order; two such passes of a model
//!   in half precision were measured 0.01 nats apart at most. Only the first columns are compared, since a recurrence may amplify such rounding from
//!   column to column.
//! - Train mode: the same, since a library may have another kernel for it.

use prism_core::nats::Smoothing;

/// Columns that are compared where the number of rows or the mode differs.
const FIRST_COLUMNS: usize = 16;
/// The share of the tolerance for forwards of the same shape.
const SAME_SHAPE: f64 = 0.25;

/// What a prediction was found to depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependence {
    /// On tokens after its position.
    LaterTokens,
    /// On other rows of the batch.
    OtherRows,
    /// On how many rows there are.
    BatchSize,
    /// On whether the model is in train mode.
    TrainMode,
}

/// A dependence, and how far predictions moved by it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// On what.
    pub on: Dependence,
    /// Root mean square of the differences, in nats.
    pub rms_nats: f64,
}

/// What counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    /// `score.claims_rms_nats` of the recipe.
    pub(crate) claims_rms_nats: f64,
    pub(crate) smoothing: Smoothing,
}

impl Tolerance {
    /// Compares the costs of all tokens of the vocabulary at one position, by the logits of two forwards.
    pub(crate) fn later_tokens(&self, one: &[f32], two: &[f32]) -> Option<Moved> {
        let (one, two) = (self.costs(one), self.costs(two));
        self.moved(Dependence::LaterTokens, SAME_SHAPE, &one, &two)
    }

    /// Compares the costs of a row in two batches of as many rows.
    pub(crate) fn other_rows(&self, one: &[f32], two: &[f32]) -> Option<Moved> {
        self.moved_row(Dependence::OtherRows, SAME_SHAPE, one, two)
    }

    /// Compares the costs of a row by itself with those that it has beside another one.
    pub(crate) fn batch_size(&self, alone: &[f32], beside: &[f32]) -> Option<Moved> {
        self.moved_row(Dependence::BatchSize, 1.0, first(alone), first(beside))
    }

    /// Compares the costs of a row in eval mode with those in train mode.
    pub(crate) fn train_mode(&self, evaluated: &[f32], trained: &[f32]) -> Option<Moved> {
        self.moved_row(Dependence::TrainMode, 1.0, first(evaluated), first(trained))
    }

    fn moved_row(&self, on: Dependence, share: f64, one: &[f32], two: &[f32]) -> Option<Moved> {
        let smoothed = |row: &[f32]| {
            let mut out = Vec::new();
            self.smoothing.apply_all(row, &mut out);
            out
        };
        self.moved(on, share, &smoothed(one), &smoothed(two))
    }

    /// Smoothed costs of every token; all at the top where a run would charge the logits as invalid.
    fn costs(&self, logits: &[f32]) -> Vec<f64> {
        let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if !top.is_finite() || logits.iter().any(|logit| logit.is_nan()) {
            return vec![self.smoothing.top_nats(); logits.len()];
        }
        let sum: f64 = logits.iter().map(|logit| f64::from(logit - top).exp()).sum();
        let all = sum.ln();
        logits
            .iter()
            .map(|logit| self.smoothing.apply(all - f64::from(logit - top)))
            .collect()
    }

    fn moved(&self, on: Dependence, share: f64, one: &[f64], two: &[f64]) -> Option<Moved> {
        let uniform_nats = self.smoothing.uniform_nats();
        let rms_nats = root_mean_square(one.iter().zip(two).map(|(one, two)| one - two));
        let spread = root_mean_square(one.iter().map(|cost| cost - uniform_nats));
        (rms_nats > share * self.claims_rms_nats * spread.max(1.0)).then_some(Moved { on, rms_nats })
    }
}

fn first(row: &[f32]) -> &[f32] {
    row.get(..FIRST_COLUMNS).unwrap_or(row)
}

fn root_mean_square(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    (values.map(|value| value * value).sum::<f64>() / count).sqrt()
}

/// Keeps one of each dependence, the farthest; what depends on other rows depends on their number too, and is said once.
pub(crate) fn gather(moved: impl IntoIterator<Item = Moved>) -> Vec<Moved> {
    let mut kept: Vec<Moved> = Vec::new();
    for moved in moved {
        match kept.iter_mut().find(|known| known.on == moved.on) {
            Some(known) => known.rms_nats = known.rms_nats.max(moved.rms_nats),
            None => kept.push(moved),
        }
    }
    if kept.iter().any(|moved| moved.on == Dependence::OtherRows) {
        kept.retain(|moved| moved.on != Dependence::BatchSize);
    }
    kept.sort_by_key(|moved| moved.on);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE_NATS: f64 = 0.02;

    fn tolerance() -> Tolerance {
        Tolerance {
            claims_rms_nats: TOLERANCE_NATS,
            smoothing: Smoothing::new(1e-6, 4),
        }
    }

    #[test]
    fn logits_that_say_the_same_have_not_moved() {
        let tolerance = tolerance();
        let one = [0.5, -1.0, 0.0, f32::NEG_INFINITY];
        // A constant is of no matter, and neither is rounding in half precision.
        let two = [100.5, 99.0, 100.0, f32::NEG_INFINITY];
        assert_eq!(tolerance.later_tokens(&one, &two), None);
        assert_eq!(
            tolerance.later_tokens(&[0.5, -1.0, 0.0, 0.25], &[0.5, -1.0, 0.002, 0.25]),
            None
        );
        for invalid in [[f32::NAN; 4], [f32::INFINITY; 4], [f32::NEG_INFINITY; 4]] {
            assert_eq!(tolerance.later_tokens(&invalid, &invalid), None);
            assert!(tolerance.later_tokens(&one, &invalid).is_some());
        }
    }

    #[test]
    fn what_costs_the_rank_has_moved() {
        let tolerance = tolerance();
        let moved = tolerance
            .later_tokens(&[0.5, -1.0, 0.0, 0.25], &[0.5, -1.0, 0.05, 0.25])
            .unwrap();
        assert_eq!(moved.on, Dependence::LaterTokens);
        assert!((0.01..0.05).contains(&moved.rms_nats), "{moved:?}");
        let (row, other) = ([1.4_f32; 40], [1.41_f32; 40]);
        assert_eq!(
            tolerance.other_rows(&row, &other).unwrap().on,
            Dependence::OtherRows
        );
        assert_eq!(tolerance.other_rows(&row, &row), None);
        // More rows may mean other kernels.
        assert_eq!(tolerance.batch_size(&row, &other), None);
        let mut late = row;
        late[FIRST_COLUMNS..].fill(9.0);
        assert_eq!(tolerance.batch_size(&row, &late), None);
        assert!(tolerance.batch_size(&row, &[1.5; 40]).is_some());
        // Far from uniform, rounding is larger in proportion.
        let (dear, dearer) = ([9.0_f32; 8], [9.01_f32; 8]);
        assert_eq!(tolerance.other_rows(&dear, &dearer), None);
        assert!(tolerance.other_rows(&dear, &[10.0; 8]).is_some());
        assert_eq!(tolerance.other_rows(&[f32::NAN; 8], &[f32::NAN; 8]), None);
        assert!(tolerance.other_rows(&[f32::NAN; 8], &row[..8]).is_some());
    }

    #[test]
    fn one_of_each_is_told() {
        let moved = |on, rms_nats| Moved { on, rms_nats };
        let (rows, size, later) = (
            Dependence::OtherRows,
            Dependence::BatchSize,
            Dependence::LaterTokens,
        );
        assert_eq!(
            gather([
                moved(rows, 1.0),
                moved(size, 3.0),
                moved(later, 1.0),
                moved(rows, 2.0)
            ]),
            [moved(later, 1.0), moved(rows, 2.0)]
        );
        assert_eq!(gather([moved(size, 3.0)]), [moved(size, 3.0)]);
    }
}
