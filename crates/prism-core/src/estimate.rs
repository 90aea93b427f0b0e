//! Claims and audits to an unbiased code length.
//!
//! Claims are control variates: the learner commits to a cost for every target, then a keyed draw picks the targets
//! whose true cost an auditor finds. With `d = audited - claimed` and `pi` the probability of the draw,
//!
//! ```text
//! nats    =  sum claims + sum d / pi
//! se_nats =  sqrt( sum (1 - pi) d^2 / pi^2 )
//! ```
//!
//! which is unbiased for the true code length whatever the claims are (Horvitz and Thompson, 1952, on the
//! differences). Sums run in the order of the calls, compensated, so that a record always gives the same bits.
//! Called by the referee and by `prism verify`; never divides by the number of draws that happened.

/// Compensated summation (Neumaier, 1974): error independent of the number of terms, order fixed by the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    /// Adds one term.
    pub fn add(&mut self, term: f64) {
        let next = self.total + term;
        self.lost += if self.total.abs() >= term.abs() {
            (self.total - next) + term
        } else {
            (term - next) + self.total
        };
        self.total = next;
    }

    /// The sum so far.
    pub fn value(&self) -> f64 {
        self.total + self.lost
    }
}

/// The probability that a target of `bytes` source bytes is audited at `rate_per_byte`:
/// `1 - (1 - rho)^max(1, bytes)`. A rate per byte, so that no tokenizer is audited more thinly than another.
pub fn audit_probability(rate_per_byte: f64, bytes: u32) -> f64 {
    -libm::expm1(f64::from(bytes.max(1)) * libm::log1p(-rate_per_byte))
}

/// One audited target: what was claimed, what was found, how likely the draw was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Audit {
    /// Smoothed claim, in nats.
    pub claimed_nats: f64,
    /// Smoothed cost by the auditor's logits, in nats.
    pub audited_nats: f64,
    /// Probability of the draw, in (0, 1].
    pub probability: f64,
}

/// Accumulates one stream's claims and audits.
#[derive(Clone, Debug)]
pub struct Estimator {
    differ_nats: f64,
    hidden_terms: usize,
    claims: Sum,
    corrections: Sum,
    variance: Sum,
    differences: Sum,
    squared_differences: Sum,
    audits: u64,
    differing: u64,
    largest_nats: Vec<f64>,
}

/// The result of an [`Estimator`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Sum of the smoothed claims, in nats.
    pub claimed_nats: f64,
    /// The unbiased code length, in nats.
    pub nats: f64,
    /// Its standard error, in nats.
    pub se_nats: f64,
    /// A bound on what may still be hidden: the sum of the largest `audited / pi`, in nats.
    pub hidden_max_nats: f64,
    /// How many targets were audited.
    pub audits: u64,
    /// How claims and audits differ.
    pub differ: Differences,
}

/// How audits and claims differ: the figures behind the flags `claims_differ` and `claims_untrue`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Differences {
    /// Audits whose `|audited - claimed|` exceeds the recipe's bound.
    pub count: u64,
    /// Mean of `audited - claimed` over all audits, in nats.
    pub mean_nats: f64,
    /// Standard deviation of the same, in nats.
    pub sd_nats: f64,
    /// Root mean square of the same, in nats; 0 where there was no audit.
    pub rms_nats: f64,
}

impl Estimator {
    /// An empty one; `differ_nats` is the bound of `claims_differ`, `hidden_terms` how many terms `hidden_max` has.
    pub fn new(differ_nats: f64, hidden_terms: usize) -> Self {
        Self {
            differ_nats,
            hidden_terms,
            claims: Sum::default(),
            corrections: Sum::default(),
            variance: Sum::default(),
            differences: Sum::default(),
            squared_differences: Sum::default(),
            audits: 0,
            differing: 0,
            largest_nats: Vec::with_capacity(hidden_terms + 1),
        }
    }

    /// Adds the smoothed claim of one target.
    pub fn claim(&mut self, nats: f64) {
        self.claims.add(nats);
    }

    /// Adds one audit; its claim must have been added by [`Estimator::claim`] too.
    pub fn audit(&mut self, audit: Audit) {
        let d = audit.audited_nats - audit.claimed_nats;
        let pi = audit.probability;
        self.corrections.add(d / pi);
        self.variance.add((1.0 - pi) * d * d / (pi * pi));
        self.differences.add(d);
        self.squared_differences.add(d * d);
        self.audits += 1;
        if d.abs() > self.differ_nats {
            self.differing += 1;
        }
        // Kept sorted, largest first; a handful of terms.
        let weight = audit.audited_nats / pi;
        let place = self.largest_nats.partition_point(|&other| other >= weight);
        self.largest_nats.insert(place, weight);
        self.largest_nats.truncate(self.hidden_terms);
    }

    /// The code length so far.
    pub fn estimate(&self) -> Estimate {
        let mut hidden = Sum::default();
        self.largest_nats.iter().for_each(|&nats| hidden.add(nats));
        let n = self.audits.max(1) as f64;
        let mean = self.differences.value() / n;
        let mean_square = self.squared_differences.value() / n;
        let spread = (mean_square - mean * mean).max(0.0);
        Estimate {
            claimed_nats: self.claims.value(),
            nats: self.claims.value() + self.corrections.value(),
            se_nats: libm::sqrt(self.variance.value()),
            hidden_max_nats: hidden.value(),
            audits: self.audits,
            differ: Differences {
                count: self.differing,
                mean_nats: mean,
                sd_nats: libm::sqrt(spread),
                rms_nats: libm::sqrt(mean_square),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_honest_run_has_no_error() {
        let mut e = Estimator::new(0.1, 8);
        for i in 0..1000 {
            let nats = f64::from(i) / 300.0;
            e.claim(nats);
            if i % 10 == 0 {
                e.audit(Audit {
                    claimed_nats: nats,
                    audited_nats: nats,
                    probability: 0.1,
                });
            }
        }
        let r = e.estimate();
        assert_eq!(r.nats, r.claimed_nats);
        assert_eq!((r.se_nats, r.audits, r.differ.count), (0.0, 100, 0));
    }

    #[test]
    fn a_certain_audit_replaces_the_claim() {
        let mut e = Estimator::new(0.1, 8);
        e.claim(0.0);
        e.audit(Audit {
            claimed_nats: 0.0,
            audited_nats: 3.0,
            probability: 1.0,
        });
        let r = e.estimate();
        assert_eq!(
            (r.nats, r.se_nats, r.hidden_max_nats, r.differ.count),
            (3.0, 0.0, 3.0, 1)
        );
    }

    #[test]
    fn the_root_mean_square_holds_mean_and_spread() {
        let of = |differences: &[f64]| {
            let mut e = Estimator::new(0.1, 8);
            for &d in differences {
                e.audit(Audit {
                    claimed_nats: 1.0,
                    audited_nats: 1.0 + d,
                    probability: 0.5,
                });
            }
            e.estimate().differ
        };
        let differ = of(&[3.0, -1.0, 3.0, -1.0]);
        assert_eq!((differ.mean_nats, differ.sd_nats), (1.0, 2.0));
        assert_eq!(differ.rms_nats, 5.0_f64.sqrt());
        assert_eq!(of(&[]).rms_nats, 0.0);
        assert!(
            of(&[0.0, f64::NAN]).rms_nats.is_nan(),
            "what is not known is not zero"
        );
        // One lie of ten nats among a thousand is far above what any honest precision makes of a claim.
        let mut lie = vec![0.0; 1000];
        lie[500] = 10.0;
        assert!((0.31..0.32).contains(&of(&lie).rms_nats));
    }

    #[test]
    fn hidden_max_keeps_the_largest_terms_only() {
        let mut e = Estimator::new(0.1, 2);
        for nats in [1.0, 5.0, 2.0, 4.0] {
            e.claim(nats);
            e.audit(Audit {
                claimed_nats: nats,
                audited_nats: nats,
                probability: 0.5,
            });
        }
        assert_eq!(e.estimate().hidden_max_nats, (5.0 + 4.0) / 0.5);
    }

    #[test]
    fn probability_is_a_rate_per_byte() {
        assert!((audit_probability(0.25, 1) - 0.25).abs() < 1e-15);
        assert_eq!(
            audit_probability(0.25, 0),
            audit_probability(0.25, 1),
            "an end-of-text token has no bytes"
        );
        assert!((audit_probability(0.25, 2) - (1.0 - 0.75 * 0.75)).abs() < 1e-15);
        assert!(audit_probability(2.5e-5, 4) > 3.9 * 2.5e-5);
        assert_eq!(audit_probability(1.0, 3), 1.0);
    }

    proptest! {
        #[test]
        fn compensated_sums_do_not_lose_small_terms(terms in prop::collection::vec(-1e9_f64..1e9, 0..300)) {
            let mut forward = Sum::default();
            let mut backward = Sum::default();
            for &t in &terms {
                forward.add(t);
            }
            for &t in terms.iter().rev() {
                backward.add(t);
            }
            prop_assert!((forward.value() - backward.value()).abs() < 1e-5);
        }

        #[test]
        fn probability_grows_with_bytes_and_stays_in_range(rate in 1e-7_f64..1.0, bytes in 0_u32..200) {
            let pi = audit_probability(rate, bytes);
            prop_assert!(pi > 0.0 && pi <= 1.0);
            prop_assert!(audit_probability(rate, bytes + 1) >= pi);
        }
    }
}
