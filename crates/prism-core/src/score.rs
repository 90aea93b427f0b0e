//! From code lengths to the final score.
//!
//! ```text
//! code_bits    =  nats / ln 2 + 8 * unread_bytes + bundle_bits
//! bpb          =  code_bits / stream_bytes
//! bpb_ranked   =  bpb + 3 se
//! d            =  max(delta - 3 se, 0)
//! P            =  1 where gap + 3 se <= 1.0, else 0.5
//! final_score  =  A * P * ( s(b) + 0.5 * (s(b) - s(b + 0.005)) * d / (1 + d) ),  s(x) = 1 / (1 + x)
//! ```
//!
//! Every error counts against the submission: a claimant that predicts nonsense makes its figures uncertain and gains
//! nothing by that. `delta` and `gap` are differences of two estimates, so their errors add up in squares. Called once
//! at the end of a run and by `prism verify`. Every constant comes from the recipe.

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

/// A figure with its standard error, both in bits per byte.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uncertain {
    /// The estimate, in bits per byte.
    pub bpb: f64,
    /// Its standard error, in bits per byte.
    pub se_bpb: f64,
}

impl Uncertain {
    /// A figure without an error.
    pub fn exact(bpb: f64) -> Self {
        Self { bpb, se_bpb: 0.0 }
    }

    /// This one less another, of which it is independent.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            bpb: self.bpb - other.bpb,
            se_bpb: libm::hypot(self.se_bpb, other.se_bpb),
        }
    }

    /// As large as it may be: `multiplier` standard errors above the estimate.
    pub fn upper_bpb(self, multiplier: f64) -> f64 {
        self.bpb + multiplier * self.se_bpb
    }

    /// As small as it may be.
    pub fn lower_bpb(self, multiplier: f64) -> f64 {
        self.bpb - multiplier * self.se_bpb
    }
}

/// What the held-out measurements say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut {
    /// The random init on the held-out sample.
    pub random_init: Uncertain,
    /// The weights that are left at the end, on the same.
    pub trained: Uncertain,
    /// Bits per byte of the uniform code (`ln V` a target) on the same.
    pub uniform_bpb: f64,
    /// The memorisation gap; `None` where there was no train text to compare with.
    pub gap: Option<Gap>,
}

/// Two measurements under the snapshot that the key drew from the last tenth of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// The snapshot on the held-out sample.
    pub val: Uncertain,
    /// The snapshot on the train documents that were newest to it.
    pub train: Uncertain,
}

impl HeldOut {
    /// How much training taught: `min(random init, uniform) - trained`.
    pub fn delta(&self) -> Uncertain {
        let uniform = Uncertain::exact(self.uniform_bpb);
        let start = if self.random_init.bpb < self.uniform_bpb {
            self.random_init
        } else {
            uniform
        };
        start.minus(self.trained)
    }

    /// The least that training may have taught, held against either start: with an uncertain random init the smaller one
    /// of the two is not known.
    pub fn delta_lower_bpb(&self, multiplier: f64) -> f64 {
        let above = |start: Uncertain| start.minus(self.trained).lower_bpb(multiplier);
        let (random_init, uniform) = (above(self.random_init), above(Uncertain::exact(self.uniform_bpb)));
        // Not `min`, which would pass over a NaN.
        if random_init >= uniform {
            uniform
        } else {
            random_init
        }
    }

    /// Memorisation gap: held-out text less the newest train text.
    pub fn gap(&self) -> Option<Uncertain> {
        self.gap.map(|gap| gap.val.minus(gap.train))
    }
}

/// Everything that multiplies into the final score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Final {
    /// The score, higher is better, between 0 and 1.
    pub final_score: f64,
    /// Held-out delta (0 where nothing was held out).
    pub delta: Uncertain,
    /// The least that it may be, in bits per byte: what the score uses.
    pub delta_lower_bpb: f64,
    /// Memorisation gap.
    pub gap: Option<Uncertain>,
    /// The most that it may be, in bits per byte: what is held against the recipe's bound.
    pub gap_upper_bpb: Option<f64>,
    /// Whether that exceeds the bound.
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
    let multiplier = constants.se_multiplier;
    let delta = heldout.map_or(Uncertain::exact(0.0), HeldOut::delta);
    let delta_lower_bpb = heldout.map_or(0.0, |heldout| heldout.delta_lower_bpb(multiplier));
    let gap = heldout.and_then(HeldOut::gap);
    let gap_upper_bpb = gap.map(|gap| gap.upper_bpb(multiplier));
    // What is not known to lie within the bound lies above it: NaN is within none.
    let within = |gap_bpb: f64| gap_bpb <= constants.gap_threshold_bpb;
    let memorization = !gap_upper_bpb.is_none_or(within);
    let memorization_penalty = if memorization { constants.gap_penalty } else { 1.0 };
    let anti_cheat_multiplier = if step0_anomaly { 0.0 } else { 1.0 };
    let Summands { of_rank, of_delta } = summands(bpb_ranked, delta_lower_bpb, constants);
    Final {
        final_score: anti_cheat_multiplier * memorization_penalty * (of_rank + of_delta),
        delta,
        delta_lower_bpb,
        gap,
        gap_upper_bpb,
        memorization,
        memorization_penalty,
        anti_cheat_multiplier,
    }
}

/// What is added up before it is multiplied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summands {
    /// `s(b)`: what the code length gives.
    pub of_rank: f64,
    /// What the held-out delta adds: never more than half of what the tie window is worth.
    pub of_delta: f64,
}

/// The two summands of the final score.
pub fn summands(bpb_ranked: f64, delta_lower_bpb: f64, constants: &ScoreConstants) -> Summands {
    let s = |x: f64| 1.0 / (1.0 + x);
    // `max` takes the zero where the other one is NaN.
    let useful = delta_lower_bpb.max(0.0);
    let within_tie = s(bpb_ranked) - s(bpb_ranked + constants.tie_window_bpb);
    Summands {
        of_rank: s(bpb_ranked),
        of_delta: constants.delta_weight * within_tie * useful / (1.0 + useful),
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
            random_init: Uncertain::exact(8.3),
            trained: Uncertain::exact(trained),
            uniform_bpb: 8.0,
            gap: None,
        }
    }

    /// A gap of `bpb` whose two sides have this error each.
    fn with_gap(bpb: f64, se_bpb: f64) -> HeldOut {
        let of = |bpb| Uncertain { bpb, se_bpb };
        HeldOut {
            gap: Some(Gap {
                val: of(2.0 + bpb),
                train: of(2.0),
            }),
            ..heldout(2.5)
        }
    }

    fn score_of(heldout: &HeldOut) -> Final {
        final_score(2.0, Some(heldout), false, &constants())
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
            random_init: Uncertain::exact(100.0),
            ..heldout(2.0)
        };
        assert_eq!(
            spoiled.delta(),
            Uncertain::exact(6.0),
            "a bad random init earns nothing"
        );
        assert_eq!(spoiled.delta_lower_bpb(3.0), 6.0);
    }

    #[test]
    fn errors_add_up_in_squares_and_count_against_the_submission() {
        let of = |bpb, se_bpb| Uncertain { bpb, se_bpb };
        let uncertain = HeldOut {
            random_init: of(7.0, 0.4),
            trained: of(2.0, 0.3),
            ..heldout(0.0)
        };
        assert_eq!(uncertain.delta(), of(5.0, 0.5));
        assert_eq!(uncertain.delta_lower_bpb(3.0), 3.5);
        let sure = heldout(4.5);
        assert_eq!(sure.delta_lower_bpb(3.0), 3.5);
        assert_eq!(score_of(&uncertain).final_score, score_of(&sure).final_score);
        // A random init that may be better than the uniform code counts as better, whatever it was estimated at.
        let unclear = HeldOut {
            random_init: of(9.0, 2.0),
            trained: of(2.0, 0.0),
            ..uncertain
        };
        assert_eq!(unclear.delta(), Uncertain::exact(6.0));
        assert_eq!(unclear.delta_lower_bpb(3.0), 1.0);
        // The same gap, once known and once not.
        for (se_bpb, memorization) in [(0.0, false), (0.05, false), (0.2, true), (5.0, true)] {
            let last = score_of(&with_gap(0.5, se_bpb));
            assert_eq!(last.memorization, memorization, "{se_bpb}");
            assert_eq!(last.gap.unwrap().bpb, 0.5);
            let upper = 0.5 + 3.0 * libm::hypot(se_bpb, se_bpb);
            assert_eq!(last.gap_upper_bpb, Some(upper));
        }
    }

    #[test]
    fn what_is_not_a_number_earns_nothing() {
        for unknown in [f64::NAN, f64::INFINITY] {
            assert!(score_of(&with_gap(0.0, unknown)).memorization, "{unknown}");
            assert!(score_of(&with_gap(unknown, 0.0)).memorization, "{unknown}");
        }
        let plain = final_score(2.0, None, false, &constants()).final_score;
        for (random_init, trained) in [(f64::NAN, 2.0), (7.0, f64::NAN), (7.0, f64::INFINITY)] {
            let unknown = HeldOut {
                random_init: Uncertain::exact(random_init),
                ..heldout(trained)
            };
            assert_eq!(score_of(&unknown).final_score, plain, "{random_init} {trained}");
        }
        let noisy = HeldOut {
            trained: Uncertain {
                bpb: 2.0,
                se_bpb: f64::NAN,
            },
            ..heldout(0.0)
        };
        assert_eq!(score_of(&noisy).final_score, plain);
    }

    #[test]
    fn the_gap_halves_and_the_anomaly_zeroes() {
        let (honest, memorised) = (score_of(&with_gap(0.5, 0.0)), score_of(&with_gap(1.5, 0.0)));
        assert!(!honest.memorization && memorised.memorization);
        assert_eq!(memorised.final_score, 0.5 * honest.final_score);
        assert!(
            !score_of(&with_gap(1.0, 0.0)).memorization,
            "the bound itself is allowed"
        );
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
                Some(&heldout(trained)),
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
        fn no_error_ever_earns_anything(
            bpb in 0.1_f64..8.0,
            figures in prop::array::uniform4(0.0_f64..9.0),
            errors in prop::array::uniform4(0.0_f64..3.0),
            more in prop::array::uniform4(0.0_f64..3.0),
        ) {
            let of = |errors: [f64; 4]| {
                let [random_init, trained, val, train] =
                    [0, 1, 2, 3].map(|i| Uncertain { bpb: figures[i], se_bpb: errors[i] });
                let heldout = HeldOut { random_init, trained, uniform_bpb: 8.0, gap: Some(Gap { val, train }) };
                final_score(bpb, Some(&heldout), false, &constants())
            };
            let sum = [0, 1, 2, 3].map(|i| errors[i] + more[i]);
            let (sure, unsure) = (of(errors), of(sum));
            prop_assert!(unsure.final_score <= sure.final_score);
            prop_assert!(unsure.memorization || !sure.memorization);
            prop_assert!(unsure.delta_lower_bpb <= sure.delta_lower_bpb);
            // And never more than without any error at all.
            prop_assert!(sure.final_score <= of([0.0; 4]).final_score);
        }

        #[test]
        fn a_lower_bpb_scores_higher(a in 0.0_f64..9.0, b in 0.0_f64..9.0) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(final_score(low, None, false, &constants()).final_score
                >= final_score(high, None, false, &constants()).final_score);
        }
    }
}
