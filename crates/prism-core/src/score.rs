//! From code lengths to the final score.
//!
//! ```text
//! code_bits    =  nats / ln 2 + 8 * unread_bytes + bundle_bits
//! bpb          =  code_bits / stream_bytes
//! bpb_ranked   =  bpb + 3 se
//! final_score  =  A * P * ( s(b) + 0.5 * (s(b) - s(b + 0.005)) * max(delta, 0) / (1 + max(delta, 0)) ),  s(x) = 1 / (1 + x)
//! ```
//!
//! Called once at the end of a run and by `prism verify`. Every constant comes from the recipe.

use crate::{nats::NATS_PER_BIT, recipe::ScoreConstants};

/// Bits that a byte costs when nobody predicts it.
pub const RAW_BITS_PER_BYTE: f64 = 8.0;

/// The code length of the whole stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CodeLength {
    /// Bits of the whole stream: predicted part, unread part, bundle.
    pub code_bits: f64,
    /// Bits per byte of the stream.
    pub bpb: f64,
    /// Standard error of `bpb`, in bits per byte.
    pub bpb_se: f64,
    /// What is ranked: `bpb + 3 se`.
    pub bpb_ranked: f64,
    /// A bound on what may still be hidden, in bits per byte.
    pub hidden_max_bpb: f64,
}

/// The parts of the total.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CodeParts {
    /// Estimated cost of what was read, in nats.
    pub nats: f64,
    /// Its standard error, in nats.
    pub se_nats: f64,
    /// Bound of the hidden part, in nats.
    pub hidden_max_nats: f64,
    /// Bytes of the stream that no accepted claim covers.
    pub unread_bytes: u64,
    /// What the bundle costs above its allowance, in bits.
    pub bundle_bits: u64,
    /// Bytes of the whole stream; not zero.
    pub stream_bytes: u64,
}

/// Adds up a run.
pub fn code_length(parts: &CodeParts, constants: &ScoreConstants) -> CodeLength {
    let bytes = parts.stream_bytes as f64;
    let code_bits =
        parts.nats / NATS_PER_BIT + RAW_BITS_PER_BYTE * parts.unread_bytes as f64 + parts.bundle_bits as f64;
    let bpb = code_bits / bytes;
    let bpb_se = parts.se_nats / NATS_PER_BIT / bytes;
    CodeLength {
        code_bits,
        bpb,
        bpb_se,
        bpb_ranked: bpb + constants.se_multiplier * bpb_se,
        hidden_max_bpb: parts.hidden_max_nats / NATS_PER_BIT / bytes,
    }
}

/// Bits per byte of a held-out sample that cost `nats`.
pub fn heldout_bpb(nats: f64, bytes: u64) -> f64 {
    nats / NATS_PER_BIT / bytes as f64
}

/// What the held-out measurements say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut {
    /// Bits per byte of the random init on the held-out sample.
    pub val_bpb_random_init: f64,
    /// Bits per byte of the trained model on it.
    pub val_bpb_trained: f64,
    /// Bits per byte of the uniform code (`ln V` a target) on it.
    pub val_bpb_uniform: f64,
    /// Bits per byte of the trained model on the newest train documents; `None` where there were none to compare.
    pub train_bpb_trained: Option<f64>,
}

impl HeldOut {
    /// How much training taught: `min(random init, uniform) - trained`, in bits per byte.
    pub fn delta_bpb(&self) -> f64 {
        self.val_bpb_random_init.min(self.val_bpb_uniform) - self.val_bpb_trained
    }

    /// Memorisation gap: trained on held-out minus trained on the newest train documents, in bits per byte.
    pub fn gap_bpb(&self) -> Option<f64> {
        self.train_bpb_trained.map(|train| self.val_bpb_trained - train)
    }
}

/// Everything that multiplies into the final score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Final {
    /// The score, higher is better, between 0 and 1.
    pub final_score: f64,
    /// Held-out delta that was used, in bits per byte (0 where nothing was held out).
    pub heldout_delta_bpb: f64,
    /// Memorisation gap, in bits per byte.
    pub gap_bpb: Option<f64>,
    /// Whether the gap exceeds the recipe's bound.
    pub memorization: bool,
    /// `P`: what the gap multiplies the score by.
    pub memorization_penalty: f64,
    /// `A`: 0 on the step-0 anomaly, else 1.
    pub anti_cheat_multiplier: f64,
}

/// The final score of a completed run.
pub fn final_score(
    bpb_ranked: f64,
    heldout: Option<&HeldOut>,
    step0_anomaly: bool,
    constants: &ScoreConstants,
) -> Final {
    let delta = heldout.map_or(0.0, HeldOut::delta_bpb);
    let gap = heldout.and_then(HeldOut::gap_bpb);
    let memorization = gap.is_some_and(|gap| gap > constants.gap_threshold_bpb);
    let memorization_penalty = if memorization { constants.gap_penalty } else { 1.0 };
    let anti_cheat_multiplier = if step0_anomaly { 0.0 } else { 1.0 };
    let s = |x: f64| 1.0 / (1.0 + x);
    let useful = delta.max(0.0);
    let within_tie = s(bpb_ranked) - s(bpb_ranked + constants.tie_window_bpb);
    let score = s(bpb_ranked) + constants.delta_weight * within_tie * useful / (1.0 + useful);
    Final {
        final_score: anti_cheat_multiplier * memorization_penalty * score,
        heldout_delta_bpb: delta,
        gap_bpb: gap,
        memorization,
        memorization_penalty,
        anti_cheat_multiplier,
    }
}

/// Whether the mean first loss is too good for a random init: below `fraction * ln V`.
pub fn step0_is_anomalous(mean_nats: f64, uniform_nats: f64, constants: &ScoreConstants) -> bool {
    mean_nats < constants.step0_fraction * uniform_nats
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::recipe::Recipe;

    fn constants() -> ScoreConstants {
        Recipe::official().score
    }

    fn heldout(trained: f64) -> HeldOut {
        HeldOut {
            val_bpb_random_init: 8.3,
            val_bpb_trained: trained,
            val_bpb_uniform: 8.0,
            train_bpb_trained: Some(2.0),
        }
    }

    #[test]
    fn unread_bytes_cost_eight_bits_and_the_bundle_its_size() {
        let parts = CodeParts {
            nats: 0.0,
            se_nats: 0.0,
            hidden_max_nats: 0.0,
            unread_bytes: 1000,
            bundle_bits: 0,
            stream_bytes: 1000,
        };
        assert_eq!(code_length(&parts, &constants()).bpb, 8.0);
        let dear = CodeParts {
            bundle_bits: 500,
            ..parts
        };
        assert_eq!(code_length(&dear, &constants()).bpb, 8.5);
        let noisy = CodeParts {
            se_nats: 1000.0 * NATS_PER_BIT,
            ..parts
        };
        assert_eq!(code_length(&noisy, &constants()).bpb_ranked, 11.0);
    }

    #[test]
    fn delta_is_bounded_by_the_uniform_code() {
        let spoiled = HeldOut {
            val_bpb_random_init: 100.0,
            ..heldout(2.0)
        };
        assert_eq!(spoiled.delta_bpb(), 6.0, "a bad random init earns nothing");
    }

    #[test]
    fn the_gap_halves_and_the_anomaly_zeroes() {
        let honest = final_score(2.0, Some(&heldout(2.5)), false, &constants());
        let memorised = final_score(2.0, Some(&heldout(3.5)), false, &constants());
        assert!(!honest.memorization && memorised.memorization);
        assert!(memorised.final_score < 0.51 * honest.final_score);
        assert_eq!(
            final_score(0.1, Some(&heldout(2.5)), true, &constants()).final_score,
            0.0
        );
    }

    proptest! {
        #[test]
        fn delta_orders_near_ties_and_never_more(bpb in 0.1_f64..8.0, d1 in -8.0_f64..8.0, d2 in -8.0_f64..8.0) {
            let at = |bpb, trained| final_score(
                bpb,
                Some(&HeldOut { train_bpb_trained: None, ..heldout(trained) }),
                false,
                &constants(),
            ).final_score;
            // The worst held-out result at `bpb` still beats the best one 0.005 above it.
            prop_assert!(at(bpb, 8.0 - d1) > at(bpb + 0.005, 8.0 - d2));
            // More delta is never worse.
            if d1 >= d2 {
                prop_assert!(at(bpb, 8.0 - d1) >= at(bpb, 8.0 - d2));
            }
        }

        #[test]
        fn a_lower_bpb_scores_higher(a in 0.0_f64..9.0, b in 0.0_f64..9.0) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(final_score(low, None, false, &constants()).final_score
                >= final_score(high, None, false, &constants()).final_score);
        }
    }
}
