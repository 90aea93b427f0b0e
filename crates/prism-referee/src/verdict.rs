//! The verdict: everything that follows from the accounts of a run.
//!
//! A pure function, called by the session when a run is over and by `prism verify` when it replays one. Everything in
//! it is part of the record and must come out the same, bit for bit.

use prism_core::{
    estimate::{Estimate, Sum},
    nats::{NATS_PER_BIT, Smoothing},
    rank::{Claims, NoRank, Standing},
    recipe::Recipe,
    score::{CodeParts, Gap, HeldOut, Uncertain, code_length, final_score, heldout_bpb, step0_is_anomalous},
};
use serde::{Deserialize, Serialize};

prism_core::words! {
    /// A fact about a run that its score alone does not show. Serialised by its code.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Flag, code {
        /// The first losses are too good for a random init: the score is zero.
        Step0Anomaly = "step0_anomaly",
        /// Some audit differs from its claim by more than the recipe's bound.
        ClaimsDiffer = "claims_differ",
        /// The audits differ from their claims by more than the recipe allows: the run takes no rank.
        ClaimsUntrue = "claims_untrue",
        /// Some answer of the auditor was not a distribution and was charged as uniform.
        InvalidLogits = "invalid_logits",
        /// The gap between held-out and train text exceeds the recipe's bound, its error added: the score is halved.
        Memorization = "memorization",
        /// The ranked code length is below the entropy of the synthetic corpus.
        BelowEntropyFloor = "below_entropy_floor",
        /// The bundle is larger than its allowance and pays for it.
        BundleCharged = "bundle_charged",
    }
}

/// What one account came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Targets whose claims are in.
    pub targets: u64,
    /// Source bytes whose claims are in.
    pub bytes: u64,
    /// Documents of which every claim is in.
    pub completed_documents: u64,
    /// Sum of smoothed claims, in nats.
    pub claimed_nats: f64,
    /// The estimate, in nats.
    pub nats: f64,
    /// Its standard error, in nats.
    pub se_nats: f64,
    /// Bound of the hidden part, in nats.
    pub hidden_max_nats: f64,
    /// Audits made.
    pub audits: u64,
    /// Audits that differ from their claim by more than the recipe's bound.
    pub differing_audits: u64,
    /// Mean of audited minus claimed, in nats.
    pub difference_mean_nats: f64,
    /// Standard deviation of the same, in nats.
    pub difference_sd_nats: f64,
    /// Root mean square of the same, in nats.
    pub difference_rms_nats: f64,
    /// Answers charged as uniform.
    pub invalid_answers: u64,
}

impl Measured {
    /// Reads an account.
    pub fn of(account: &crate::account::Account) -> Self {
        let Estimate {
            claimed_nats,
            nats,
            se_nats,
            hidden_max_nats,
            audits,
            differ,
        } = account.estimate();
        Self {
            targets: account.targets(),
            bytes: account.bytes(),
            completed_documents: account.completed_documents(),
            claimed_nats,
            nats,
            se_nats,
            hidden_max_nats,
            audits,
            differing_audits: differ.count,
            difference_mean_nats: differ.mean_nats,
            difference_sd_nats: differ.sd_nats,
            difference_rms_nats: differ.rms_nats,
            invalid_answers: account.invalid_answers(),
        }
    }
}

/// The held-out accounts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldOutMeasured {
    /// The kept snapshot, where there was train text to measure it on.
    pub kept: Option<KeptMeasured>,
    /// The weights that were left at the end, on the secret split.
    pub val_trained: Measured,
    /// Random init on the secret split.
    pub val_random_init: Measured,
}

/// The accounts of the memorisation gap.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptMeasured {
    /// The step whose snapshot the key drew, from 0.
    pub step: u64,
    /// That snapshot on the secret split.
    pub val: Measured,
    /// The same on the train documents that were newest to it.
    pub train: Measured,
}

impl HeldOutMeasured {
    fn accounts(&self) -> impl Iterator<Item = &Measured> {
        let kept = self.kept.iter().flat_map(|kept| [&kept.val, &kept.train]);
        kept.chain([&self.val_trained, &self.val_random_init])
    }
}

/// What a verdict is made of.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// The constants.
    pub recipe: &'a Recipe,
    /// Width of the logits, in tokens.
    pub vocab_size: u32,
    /// Bytes of the whole stream.
    pub stream_bytes: u64,
    /// What the bundle costs above its allowance, in bits.
    pub bundle_bits: u64,
    /// Entropy of the stream, where its maker knows it, in bits per byte.
    pub entropy_floor_bpb: Option<f64>,
    /// The stream's account.
    pub stream: Measured,
    /// Costs of the audited targets of step 0, in nats, in the order of their targets.
    pub step0_nats: &'a [f64],
    /// The held-out accounts.
    pub heldout: Option<&'a HeldOutMeasured>,
}

/// Everything a leaderboard needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Bits of the whole stream.
    pub code_bits: f64,
    /// Bits of what was read, by the estimate.
    pub read_bits: f64,
    /// Bytes that no accepted claim covers.
    pub unread_bytes: u64,
    /// Bits per byte of the stream.
    pub bpb: f64,
    /// Standard error, in bits per byte.
    pub bpb_se: f64,
    /// Whether it takes a rank, and with what.
    pub standing: Standing,
    /// Bound of what may be hidden, in bits per byte.
    pub hidden_max_bpb: f64,
    /// Mean cost of the first targets, in nats; absent if there was no step.
    pub step0_nats: Option<f64>,
    /// `ln V`, in nats.
    pub uniform_nats: f64,
    /// Held-out cost of the trained model, in bits per byte.
    pub val_bpb_trained: Option<f64>,
    /// Held-out cost of the random init, in bits per byte.
    pub val_bpb_random_init: Option<f64>,
    /// Held-out cost of the kept snapshot, in bits per byte.
    pub val_bpb_kept: Option<f64>,
    /// Cost of the train documents that were newest to it, in bits per byte.
    pub train_bpb_kept: Option<f64>,
    /// Held-out delta, in bits per byte.
    pub heldout_delta_bpb: f64,
    /// Its standard error.
    pub heldout_delta_se_bpb: f64,
    /// The least that it may be, which is what the score uses.
    pub heldout_delta_lower_bpb: f64,
    /// Memorisation gap, in bits per byte.
    pub gap_bpb: Option<f64>,
    /// Its standard error.
    pub gap_se_bpb: Option<f64>,
    /// The most that it may be, which is what is held against the bound.
    pub gap_upper_bpb: Option<f64>,
    /// `P`.
    pub memorization_penalty: f64,
    /// `A`.
    pub anti_cheat_multiplier: f64,
    /// What else is to be known, in a fixed order.
    pub flags: Vec<Flag>,
}

/// Concludes.
pub fn conclude(evidence: &Evidence<'_>) -> Verdict {
    let Evidence { recipe, stream, .. } = evidence;
    let constants = &recipe.score;
    let unread_bytes = evidence.stream_bytes.saturating_sub(stream.bytes);
    let code = code_length(
        &CodeParts {
            nats: stream.nats,
            se_nats: stream.se_nats,
            hidden_max_nats: stream.hidden_max_nats,
            unread_bytes,
            bundle_bits: evidence.bundle_bits,
            stream_bytes: evidence.stream_bytes,
        },
        constants,
    );
    let smoothing = Smoothing::new(constants.smoothing, evidence.vocab_size);
    let uniform_nats = smoothing.uniform_nats();
    let step0_nats = mean(evidence.step0_nats);
    let step0_anomaly = step0_nats.is_some_and(|nats| step0_is_anomalous(nats, uniform_nats, constants));
    let heldout = evidence
        .heldout
        .map(|measured| heldout_of(measured, &smoothing, constants.claims_rms_nats));
    let last = final_score(code.bpb_ranked, heldout.as_ref(), step0_anomaly, constants);
    let claims = Claims::of(
        stream.audits,
        stream.difference_rms_nats,
        constants.claims_rms_nats,
    );
    let standing = match claims {
        Claims::True => Standing::Ranked {
            bpb_ranked: code.bpb_ranked,
            final_score: last.final_score,
        },
        Claims::Untrue => Standing::NoRank(NoRank::ClaimsUntrue),
        Claims::Unaudited => Standing::NoRank(NoRank::NoAudits),
    };

    let heldout_accounts = evidence.heldout.into_iter().flat_map(HeldOutMeasured::accounts);
    let invalid = stream.invalid_answers
        + heldout_accounts
            .map(|measured| measured.invalid_answers)
            .sum::<u64>();
    let below_floor = evidence
        .entropy_floor_bpb
        .is_some_and(|floor| code.bpb_ranked < floor);
    let raised = [
        (step0_anomaly, Flag::Step0Anomaly),
        (stream.differing_audits > 0, Flag::ClaimsDiffer),
        (claims == Claims::Untrue, Flag::ClaimsUntrue),
        (invalid > 0, Flag::InvalidLogits),
        (last.memorization, Flag::Memorization),
        (below_floor, Flag::BelowEntropyFloor),
        (evidence.bundle_bits > 0, Flag::BundleCharged),
    ];
    Verdict {
        code_bits: code.code_bits,
        read_bits: stream.nats / NATS_PER_BIT,
        unread_bytes,
        bpb: code.bpb,
        bpb_se: code.bpb_se,
        standing,
        hidden_max_bpb: code.hidden_max_bpb,
        step0_nats,
        uniform_nats,
        val_bpb_trained: heldout.map(|h| h.trained.bpb),
        val_bpb_random_init: heldout.map(|h| h.random_init.bpb),
        val_bpb_kept: heldout.and_then(|h| h.gap).map(|gap| gap.val.bpb),
        train_bpb_kept: heldout.and_then(|h| h.gap).map(|gap| gap.train.bpb),
        heldout_delta_bpb: last.delta.bpb,
        heldout_delta_se_bpb: last.delta.se_bpb,
        heldout_delta_lower_bpb: last.delta_lower_bpb,
        gap_bpb: last.gap.map(|gap| gap.bpb),
        gap_se_bpb: last.gap.map(|gap| gap.se_bpb),
        gap_upper_bpb: last.gap_upper_bpb,
        memorization_penalty: last.memorization_penalty,
        anti_cheat_multiplier: last.anti_cheat_multiplier,
        flags: raised
            .into_iter()
            .filter_map(|(raised, flag)| raised.then_some(flag))
            .collect(),
    }
}

/// The held-out accounts as figures with their errors; claims are true up to `most_nats`, root mean square.
fn heldout_of(measured: &HeldOutMeasured, smoothing: &Smoothing, most_nats: f64) -> HeldOut {
    let of = |account: &Measured| {
        // Where claims are not known to be true the text may cost anything: the error is the whole range of a code
        // length. Three standard errors alone would be a lottery ticket, free for whoever has the penalty anyway.
        let claims = Claims::of(account.audits, account.difference_rms_nats, most_nats);
        let se_nats = match claims {
            Claims::True => account.se_nats,
            Claims::Untrue | Claims::Unaudited => smoothing.top_nats() * account.targets as f64,
        };
        Uncertain {
            bpb: heldout_bpb(account.nats, account.bytes),
            se_bpb: heldout_bpb(se_nats, account.bytes),
        }
    };
    let val = &measured.val_trained;
    HeldOut {
        random_init: of(&measured.val_random_init),
        trained: of(val),
        uniform_bpb: heldout_bpb(smoothing.uniform_nats() * val.targets as f64, val.bytes),
        gap: measured.kept.as_ref().map(|kept| Gap {
            val: of(&kept.val),
            train: of(&kept.train),
        }),
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    let mut sum = Sum::default();
    for &value in values {
        sum.add(value);
    }
    (!values.is_empty()).then(|| sum.value() / values.len() as f64)
}
