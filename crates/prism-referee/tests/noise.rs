//! What a claimant earns by predicting nonsense on held-out text: nothing, under any key.
//!
//! A simulation of the held-out arithmetic alone, from claims and true costs to a score, for many audit keys: a
//! submission that has memorised its train text and has the penalty for it, and one that has not. Each is measured with
//! an honest claimant, then with claimants whose claims make the figures uncertain in every way that could pay. Neither
//! the mean of the scores nor the best one under the best key may be above what honesty earns.

#![allow(clippy::unwrap_used, reason = "tests")]

use prism_core::{nats::Audited, recipe::Recipe};
use prism_referee::{
    account::{Account, Run},
    draws::{AuditKey, Draws, Purpose},
    verdict::{Evidence, Flag, HeldOutMeasured, KeptMeasured, Measured, Verdict, conclude},
};

const TARGETS: u32 = 3_000;
const KEYS: u32 = 40;
const VOCABULARY: u32 = 257;

/// The true costs of one account: a long tail over a mean, in nats.
fn costs(mean_nats: f64, seed: u8) -> Vec<f64> {
    let mut noise = Draws::new(&AuditKey::new([seed; 32]), Purpose::Step0);
    (0..TARGETS)
        .map(|_| {
            let unit = (noise.below(10_000) as f64 + 0.5) / 10_000.0;
            (-mean_nats * unit.ln()).min(19.0)
        })
        .collect()
}

/// Val and train text under the kept snapshot, val text under the last weights and under the random init.
struct Truth([Vec<f64>; 4]);

impl Truth {
    fn new(val_nats: f64, train_nats: f64) -> Self {
        Self([
            costs(val_nats, 1),
            costs(train_nats, 2),
            costs(val_nats, 1),
            costs(5.4, 3),
        ])
    }
}

/// How a claimant claims.
#[derive(Clone, Copy, Debug)]
enum Claimant {
    Honest,
    /// Everything is certain.
    Zero,
    /// Nothing was foreseen.
    Top,
    /// As it suits: held-out text was foreseen, train text and the random init were not.
    AsItSuits,
    /// Noise that is zero on average.
    Noise,
    /// Half of the targets, as it suits.
    Half,
    /// One target in a hundred, as it suits.
    OneInAHundred,
}

impl Claimant {
    #[allow(clippy::cast_possible_truncation, reason = "claims are single precision")]
    fn claims(self, account: usize, truth: &[f64]) -> Vec<f32> {
        let suits = if matches!(account, 0 | 2) { 0.0 } else { 19.0 };
        let claim = |(i, &cost): (usize, &f64)| match self {
            Self::Zero => 0.0,
            Self::Top => 19.0,
            Self::AsItSuits => suits,
            Self::Noise => {
                cost + if i.is_multiple_of(2) {
                    3.0
                } else {
                    -3.0_f64.min(cost)
                }
            }
            Self::Half if i.is_multiple_of(2) => suits,
            Self::OneInAHundred if i.is_multiple_of(100) => suits,
            Self::Honest | Self::Half | Self::OneInAHundred => cost,
        };
        truth.iter().enumerate().map(|at| claim(at) as f32).collect()
    }
}

fn recipe() -> Recipe {
    let mut recipe = Recipe::official();
    // A thousand audits of each account, as an official run has.
    recipe.heldout.rate_per_byte = 1000.0 / f64::from(TARGETS);
    recipe
}

fn account(recipe: &Recipe, key: &AuditKey, purpose: Purpose, claims: &[f32], truth: &[f64]) -> Measured {
    let mut account = Account::new(recipe, VOCABULARY, key, purpose);
    let run = Run {
        document: 0,
        targets: TARGETS,
        completes: false,
    };
    let byte_lengths = vec![1_u16; truth.len()];
    let smoothing = *account.smoothing();
    for drawn in account.step([run], claims, &byte_lengths) {
        // Auditor and honest claimant agree to a rounding of single precision.
        #[allow(clippy::cast_possible_truncation, reason = "logits are single precision")]
        let cost = f64::from(truth[drawn.index] as f32);
        account.audit(&drawn, Audited::Valid(smoothing.apply(cost)));
    }
    Measured::of(&account)
}

/// A run whose stream is beyond doubt and whose held-out part is claimed so.
fn verdict(recipe: &Recipe, truth: &Truth, claimant: Claimant, number: u32) -> Verdict {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    let key = AuditKey::new(bytes);
    let purposes = [
        Purpose::ValKept,
        Purpose::TrainKept,
        Purpose::ValTrained,
        Purpose::ValRandomInit,
    ];
    let mut accounts = purposes
        .iter()
        .zip(&truth.0)
        .enumerate()
        .map(|(i, (&purpose, truth))| account(recipe, &key, purpose, &claimant.claims(i, truth), truth));
    let [val, train, val_trained, val_random_init] = std::array::from_fn(|_| accounts.next().unwrap());
    let heldout = HeldOutMeasured {
        kept: Some(KeptMeasured { step: 0, val, train }),
        val_trained,
        val_random_init,
    };
    let stream = Measured {
        claimed_nats: 6_000.0,
        nats: 6_000.0,
        se_nats: 0.0,
        difference_rms_nats: 0.0,
        ..val_trained
    };
    conclude(&Evidence {
        recipe,
        vocab_size: VOCABULARY,
        stream_bytes: stream.bytes,
        bundle_bits: 0,
        entropy_floor_bpb: None,
        stream,
        step0_nats: &[5.5],
        heldout: Some(&heldout),
    })
}

/// Scores under every key, and how many had the penalty.
fn scores(truth: &Truth, claimant: Claimant) -> (Vec<f64>, usize) {
    let recipe = recipe();
    let verdicts: Vec<_> = (0..KEYS)
        .map(|number| verdict(&recipe, truth, claimant, number))
        .collect();
    let penalised = verdicts
        .iter()
        .filter(|verdict| verdict.flags.contains(&Flag::Memorization))
        .count();
    let scores = verdicts
        .iter()
        .map(|verdict| verdict.standing.final_score().unwrap())
        .collect();
    (scores, penalised)
}

const NONSENSE: [Claimant; 6] = [
    Claimant::Zero,
    Claimant::Top,
    Claimant::AsItSuits,
    Claimant::Noise,
    Claimant::Half,
    Claimant::OneInAHundred,
];

fn nonsense_earns_nothing(truth: &Truth, penalty_is_due: bool) {
    let (honest, penalised) = scores(truth, Claimant::Honest);
    assert_eq!(penalised, if penalty_is_due { honest.len() } else { 0 });
    let worst_honest = honest.iter().copied().fold(f64::INFINITY, f64::min);
    for claimant in NONSENSE {
        let (scores, penalised) = scores(truth, claimant);
        let best = scores.iter().copied().fold(0.0, f64::max);
        assert!(
            best <= worst_honest,
            "{claimant:?}: {best} against {worst_honest}"
        );
        assert_eq!(penalised, scores.len(), "{claimant:?}");
    }
}

#[test]
fn nonsense_does_not_lift_the_penalty_of_one_who_has_memorised() {
    // A gap of 1.15 bits per byte, just above the bound of 1.0.
    nonsense_earns_nothing(&Truth::new(1.6, 0.8), true);
}

#[test]
fn nonsense_costs_one_who_has_not_memorised() {
    nonsense_earns_nothing(&Truth::new(1.5, 1.3), false);
}
