//! The record of a run: everything that its score was computed from, and `prism verify`, which computes it again.
//!
//! Two files: `record.json` (this module) and `targets.zst` (see [`crate::targets`]). Neither holds a clock, a path or
//! a host name: the same bundle, corpus, recipe, seed and key give the same bytes on one machine. [`verify`] replays
//! the arithmetic from the two files alone, without Python, and demands equality to the last bit.

use std::io::Read;

use prism_core::{
    advice::Advice as _,
    estimate::Sum,
    hash::Sha256Hash,
    nats::Audited,
    outcome::{Reason, Status},
    recipe::{Recipe, RecipeError},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    account::Account,
    draws::{AuditKey, Draws, Purpose},
    kept,
    plan::{Hashes, StreamTotals, TokenizerInfo},
    replay::{self, RepeatedTarget},
    targets::{Block, Section, TargetsError, TargetsReader},
    verdict::{Evidence, HeldOutMeasured, Measured, Verdict, conclude},
};

/// Version of the record's format.
pub const SCHEMA: u32 = 3;
/// Largest `record.json` that is read, in bytes: an official run has some 4,000 audits.
pub const RECORD_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// One audited target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditedTarget {
    /// Its number among the targets of its account.
    pub target: u64,
    /// What it costs, in nats, smoothed.
    pub nats: f64,
    /// False where the answer was no distribution and is charged as uniform.
    pub valid: bool,
}

impl AuditedTarget {
    /// From the auditor's answer.
    pub fn new(target: u64, audited: Audited) -> Self {
        Self {
            target,
            nats: audited.nats(),
            valid: matches!(audited, Audited::Valid(_)),
        }
    }

    fn audited(self) -> Audited {
        if self.valid {
            Audited::Valid(self.nats)
        } else {
            Audited::Invalid(self.nats)
        }
    }
}

/// The shape of a run's steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// `B`, in rows.
    pub batch_size: u32,
    /// `T`, in tokens.
    pub seq_len: u32,
    /// `loss` or `eval`.
    pub claims: String,
}

/// The size of the model, counted by the referee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSize {
    /// Parameters, tied tensors once.
    pub parameters: u64,
    /// A whole snapshot, in bytes.
    pub snapshot_bytes: u64,
}

/// The held-out part of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldOutRecord {
    /// What the accounts came to.
    pub measured: HeldOutMeasured,
    /// Audits of the kept snapshot on the secret split.
    pub val_kept: Vec<AuditedTarget>,
    /// Audits of the kept snapshot on the train documents that were newest to it.
    pub train_kept: Vec<AuditedTarget>,
    /// Audits of the trained model on the secret split.
    pub val_trained: Vec<AuditedTarget>,
    /// Audits of the random init on the secret split.
    pub val_random_init: Vec<AuditedTarget>,
}

/// `record.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version of this format.
    pub schema: u32,
    /// What the run is of.
    pub hashes: Hashes,
    /// The constants, whole.
    pub recipe: Recipe,
    /// The forced seed.
    pub seed: u64,
    /// The tokenizer.
    pub tokenizer: TokenizerInfo,
    /// Totals of the stream.
    pub stream: StreamTotals,
    /// Entropy of the stream, where its maker knows it, in bits per byte.
    pub entropy_floor_bpb: Option<f64>,
    /// Price of the bundle, in bits.
    pub bundle_bits: u64,
    /// Hash that was fixed before step 0.
    pub audit_key_commitment: Sha256Hash,
    /// The audit key; secret until the round closes.
    pub audit_key: String,
    /// How the run ended.
    pub ended: Reason,
    /// Steps whose claims were accepted.
    pub steps: u64,
    /// The shape of a step, if a stream was ever opened.
    pub shape: Option<Shape>,
    /// The model, if a snapshot was ever taken.
    pub model: Option<ModelSize>,
    /// Hash of `targets.zst`.
    pub targets_sha256: Sha256Hash,
    /// Audits of step 0.
    pub step0: Vec<AuditedTarget>,
    /// Audits of the stream.
    pub audits: Vec<AuditedTarget>,
    /// Targets of the stream that a fresh auditor was asked about again.
    pub repeats: Vec<RepeatedTarget>,
    /// The stream's account.
    pub measured: Measured,
    /// The held-out part.
    pub heldout: Option<HeldOutRecord>,
    /// What follows from all this.
    pub verdict: Verdict,
}

/// Why a record is not believed.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum VerifyError {
    #[error("record.json cannot be read: {0}")]
    Syntax(#[from] serde_json::Error),
    #[error("record.json has schema {0}; this version of PRISM reads schema {SCHEMA}")]
    Schema(u32),
    #[error("{}", .0.told())]
    Recipe(#[from] RecipeError),
    /// Nothing could be predicted: no price is defined.
    #[error("record.json says that the vocabulary has no token; no run has such a record")]
    NoVocabulary,
    #[error("the record says that the run ended as `{0}`, which has no score")]
    NotCompleted(Reason),
    /// The other file cannot be read.
    #[error(transparent)]
    Targets(#[from] TargetsError),
    #[error(
        "the record contradicts itself: {what} is {recorded} in the record, {recomputed} when computed again"
    )]
    Mismatch {
        what: &'static str,
        recorded: String,
        recomputed: String,
    },
}

impl Record {
    /// The bytes of `record.json`: fields in a fixed order, floats that read back to the same bits.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Parses `record.json`.
    pub fn from_json(bytes: &[u8]) -> Result<Self, VerifyError> {
        let record: Self = serde_json::from_slice(bytes)?;
        if record.schema != SCHEMA {
            return Err(VerifyError::Schema(record.schema));
        }
        record.recipe.check()?;
        if record.tokenizer.vocab_size == 0 {
            return Err(VerifyError::NoVocabulary);
        }
        Ok(record)
    }
}

fn same<T: PartialEq + std::fmt::Debug>(
    what: &'static str,
    recorded: &T,
    ours: &T,
) -> Result<(), VerifyError> {
    if recorded == ours {
        return Ok(());
    }
    Err(VerifyError::Mismatch {
        what,
        recorded: format!("{recorded:?}"),
        recomputed: format!("{ours:?}"),
    })
}

/// One account being replayed.
struct Replay<'r> {
    account: Account,
    audits: &'r [AuditedTarget],
    used: usize,
}

impl<'r> Replay<'r> {
    fn new(record: &Record, key: &AuditKey, purpose: Purpose, audits: &'r [AuditedTarget]) -> Self {
        Self {
            account: Account::new(&record.recipe, record.tokenizer.vocab_size, key, purpose),
            audits,
            used: 0,
        }
    }

    fn step(
        &mut self,
        runs: &[crate::account::Run],
        claims: &[f32],
        bytes: &[u16],
    ) -> Result<(), VerifyError> {
        let first = self.account.targets();
        for drawn in self.account.step(runs.iter().copied(), claims, bytes) {
            let recorded = self.audits.get(self.used).copied();
            let target = first + drawn.index as u64;
            same(
                "an audited target",
                &recorded.map(|audit| audit.target),
                &Some(target),
            )?;
            if let Some(recorded) = recorded {
                self.account.audit(&drawn, recorded.audited());
            }
            self.used += 1;
        }
        Ok(())
    }

    fn finish(&self, what: &'static str, recorded: &Measured) -> Result<(), VerifyError> {
        same("the number of audits", &self.audits.len(), &self.used)?;
        same(what, recorded, &Measured::of(&self.account))
    }
}

/// Whether the held-out accounts are those of the replays, and the kept snapshot the one that the key draws.
fn check_heldout(record: &Record, key: &AuditKey, replays: &[Replay<'_>; 4]) -> Result<(), VerifyError> {
    let measured = record.heldout.as_ref().map(|heldout| &heldout.measured);
    let kept = measured.and_then(|measured| measured.kept.as_ref());
    let accounts = [
        ("the kept snapshot's held-out account", kept.map(|kept| &kept.val)),
        ("the memorisation account", kept.map(|kept| &kept.train)),
        (
            "the held-out account",
            measured.map(|measured| &measured.val_trained),
        ),
        (
            "the random init's account",
            measured.map(|measured| &measured.val_random_init),
        ),
    ];
    for (replay, (what, account)) in replays.iter().zip(accounts) {
        match account {
            Some(account) => replay.finish(what, account)?,
            // What has no account has no claims either.
            None => same(what, &0, &replay.account.targets())?,
        }
    }
    let step = kept.map(|kept| kept.step);
    let due = kept.and_then(|_| kept::drawn(key, record.steps));
    same("the step of the kept snapshot", &step, &due)
}

/// Computes the score of a record again, which must be the one that it states. `targets` is its `targets.zst`,
/// `targets_sha256` the hash of that file.
pub fn verify(
    record: &Record,
    targets: impl Read,
    targets_sha256: Sha256Hash,
) -> Result<Verdict, VerifyError> {
    let verdict = rescore(record, targets, targets_sha256)?;
    same("the verdict", &record.verdict, &verdict)?;
    Ok(verdict)
}

/// What this version makes of the measurements of a record, whatever score it states. Everything else in it is verified.
pub fn rescore(
    record: &Record,
    targets: impl Read,
    targets_sha256: Sha256Hash,
) -> Result<Verdict, VerifyError> {
    if record.ended.status() != Status::Completed {
        return Err(VerifyError::NotCompleted(record.ended));
    }
    same("the hash of targets.zst", &record.targets_sha256, &targets_sha256)?;
    same(
        "the hash of the recipe",
        &record.hashes.recipe,
        &record.recipe.sha256(),
    )?;
    let key = AuditKey::from_hex(&record.audit_key).ok_or(VerifyError::Mismatch {
        what: "the audit key",
        recorded: "not a key".into(),
        recomputed: "64 hexadecimal digits".into(),
    })?;
    same(
        "the commitment to the audit key",
        &record.audit_key_commitment,
        &key.commitment(),
    )?;

    let none: &[AuditedTarget] = &[];
    let heldout = record.heldout.as_ref();
    let mut replays = [
        Replay::new(record, &key, Purpose::Stream, &record.audits),
        Replay::new(
            record,
            &key,
            Purpose::ValKept,
            heldout.map_or(none, |h| &h.val_kept),
        ),
        Replay::new(
            record,
            &key,
            Purpose::TrainKept,
            heldout.map_or(none, |h| &h.train_kept),
        ),
        Replay::new(
            record,
            &key,
            Purpose::ValTrained,
            heldout.map_or(none, |h| &h.val_trained),
        ),
        Replay::new(
            record,
            &key,
            Purpose::ValRandomInit,
            heldout.map_or(none, |h| &h.val_random_init),
        ),
    ];
    let mut steps = 0_u64;
    let mut first_step_targets = 0;
    let mut sums = None;
    let mut reader = TargetsReader::new(targets)?;
    while let Some(block) = reader.next_block()? {
        match block {
            Block::Step {
                section,
                runs,
                claims,
                bytes,
            } => {
                if section == Section::Stream {
                    if steps == 0 {
                        first_step_targets = claims.len();
                    }
                    steps += 1;
                }
                replays[section as usize].step(&runs, &claims, &bytes)?;
            }
            Block::Sums(found) => sums = Some(found),
        }
    }
    let [stream, heldout_replays @ ..] = &replays;
    same("the number of steps", &record.steps, &steps)?;
    stream.finish("the stream's account", &record.measured)?;
    let ours: Vec<_> = stream
        .account
        .documents()
        .iter()
        .map(|(&document, sum)| (document, sum.targets, sum.bytes, Sum::value(&sum.nats)))
        .collect();
    same("the sums per document", &sums.unwrap_or_default(), &ours)?;
    check_heldout(record, &key, heldout_replays)?;

    let count = usize::try_from(record.recipe.audit.step0_audits).unwrap_or(usize::MAX);
    let expected = Draws::new(&key, Purpose::Step0).distinct(count, first_step_targets);
    let recorded: Vec<_> = record
        .step0
        .iter()
        .map(|audit| usize::try_from(audit.target).unwrap_or(usize::MAX))
        .collect();
    same("the audited targets of step 0", &recorded, &expected)?;
    let repeats = record.recipe.audit.repeats;
    let mut expected = replay::drawn(&key, repeats, record.stream.targets);
    expected.retain(|&target| target < record.measured.targets);
    let recorded: Vec<_> = record.repeats.iter().map(|repeat| repeat.target).collect();
    same("the targets that were asked about again", &recorded, &expected)?;
    let tolerance_nats = record.recipe.audit.repeat_tolerance_nats;
    if let Some(differs) = record
        .repeats
        .iter()
        .find(|repeat| !repeat.agrees(tolerance_nats))
    {
        return Err(VerifyError::Mismatch {
            what: "an answer that was asked for again",
            recorded: format!("{} nats", differs.first_nats),
            recomputed: format!("{} nats", differs.again_nats),
        });
    }

    let step0_nats: Vec<f64> = record.step0.iter().map(|audit| audit.nats).collect();
    Ok(conclude(&Evidence {
        recipe: &record.recipe,
        vocab_size: record.tokenizer.vocab_size,
        stream_bytes: record.stream.bytes,
        bundle_bits: record.bundle_bits,
        entropy_floor_bpb: record.entropy_floor_bpb,
        stream: Measured::of(&stream.account),
        step0_nats: &step0_nats,
        heldout: heldout.map(|heldout| &heldout.measured),
    }))
}
