//! Submissions as a challenge of some months has them: half are scored, most of the others failed, a few wait.

use prism_core::{
    hash::Sha256Hash,
    outcome::{Reason, Status},
    rank::Standing,
    submission::{Actor, Position, Stage, Wait},
    time::Timestamp,
};
use prism_store::{
    Result, Write,
    attempts::{self, End, NewAttempt, Of, Taken},
    ids,
    results::{self, Files, NewResult},
    rounds::{NewRound, Secret},
    submissions::{self, Step},
    uploads::{self, NewUpload, NonceUse},
};

use crate::BUNDLE_BYTES;

/// A hotkey has so many submissions.
pub(crate) const UPLOADS_PER_HOTKEY: u64 = 25;
/// Of so many submissions one has the best score; it was measured twice.
const BEST_EVERY: u64 = 9973;

pub(crate) fn uuid(number: u64) -> String {
    let mut random = [0; 16];
    random.copy_from_slice(&Sha256Hash::of(&number.to_le_bytes()).0[..16]);
    ids::uuid_v4(random)
}

pub(crate) fn named(number: u64, hotkey: String, zip: &Sha256Hash, at: Timestamp) -> NewUpload {
    NewUpload {
        id: uuid(number),
        nonce: Some(NonceUse {
            hotkey: hotkey.clone(),
            nonce: number.to_string(),
            request_sha256: *zip,
            expires_at: at.plus_seconds(300),
        }),
        hotkey,
        filename: "bundle.zip".to_owned(),
        code_hash: *zip,
        zip_sha256: *zip,
        zip_bytes: BUNDLE_BYTES as u64,
        metadata_json: "{\"content_type\":\"application/zip\"}".to_owned(),
    }
}

/// One submission: half of them are scored, most of the others failed, a few wait.
pub(crate) fn life(tx: &Write, i: u64, bundles: &[Sha256Hash], at: Timestamp) -> Result<()> {
    let number = (1 << 50) | i;
    let bundle = bundles[usize::try_from(i % UPLOADS_PER_HOTKEY).unwrap()];
    let new = named(number, format!("hotkey {}", i / UPLOADS_PER_HOTKEY), &bundle, at);
    let id = uploads::accept(tx, &new, at)?.unwrap().submission.id;
    let step = |to: Position, reason: Option<Reason>, counts: Option<i64>| {
        let step = Step {
            reason,
            counts,
            ..Step::new(to, Actor::Pipeline, "a step of a benchmark")
        };
        submissions::step(tx, &id, &step, at).map(drop)
    };
    step(Position::Pending(Stage::Queued), None, None)?;
    if i.is_multiple_of(100) {
        let later = at.plus_seconds(86_400);
        return submissions::wait(
            tx,
            &id,
            Wait::Budget,
            Some("it waits for tomorrow"),
            Some(later),
            at,
        );
    }
    if i.is_multiple_of(2) {
        return step(
            Position::Ended(Status::Failed),
            Some(Reason::TrainException),
            None,
        );
    }
    let main = run(tx, i, Of::Main(id.clone()), bundle, at, &step)?;
    if !i.is_multiple_of(BEST_EVERY) {
        return step(Position::Ended(Status::Completed), None, Some(main));
    }
    step(Position::Pending(Stage::Confirming), None, Some(main))?;
    let confirmation = run(tx, i, Of::Confirm(id.clone()), bundle, at, &step)?;
    step(Position::Ended(Status::Completed), None, Some(confirmation))
}

/// A run of a submission up to its stored result.
fn run(
    tx: &Write,
    i: u64,
    of: Of,
    bundle: Sha256Hash,
    at: Timestamp,
    step: &dyn Fn(Position, Option<Reason>, Option<i64>) -> Result<()>,
) -> Result<i64> {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&i.to_le_bytes());
    let stage = if matches!(of, Of::Confirm(_)) {
        nonce[8] = 1;
        Stage::Confirming
    } else {
        Stage::Training
    };
    let new = NewAttempt {
        of,
        nonce,
        executor: "local".to_owned(),
        handle: None,
        seed: i,
        audit_rate_factor: 1,
    };
    let attempt = attempts::begin(tx, &new, at)?;
    step(Position::Running(stage), None, None)?;
    if stage == Stage::Training {
        step(Position::Running(Stage::Scoring), None, None)?;
    }
    let end = End {
        reason: Reason::EndOfData,
        sentence: "the whole stream was read".to_owned(),
        wall_seconds: Some(60.0),
        evidence_json: None,
        evidence: None,
    };
    assert_eq!(attempts::ended(tx, attempt.id, &nonce, &end, at)?, Taken::Taken);
    results::store(tx, attempt.id, &result(i, bundle), at)
}

pub(crate) fn result(i: u64, file: Sha256Hash) -> NewResult {
    let bpb = 1.0 + (i % BEST_EVERY) as f64 / 1e4;
    NewResult {
        engine_version: "0.1.0".to_owned(),
        bpb,
        bpb_se: 0.001,
        standing: Standing::Ranked {
            bpb_ranked: bpb + 0.003,
            final_score: 1.0 / (1.0 + bpb + 0.003),
        },
        rehearsal: false,
        flags: Vec::new(),
        hidden_max_bpb: Some(0.01),
        claims_rms_nats: Some(1e-7),
        audits: 1000,
        covered_bytes: 10_000_000,
        stream_bytes: 10_000_000,
        compute_json: "{}".to_owned(),
        files: Files {
            record: Some(file),
            ..Files::default()
        },
    }
}

pub(crate) fn round() -> NewRound {
    NewRound {
        id: uuid(u64::MAX),
        name: "bench".to_owned(),
        recipe_toml: String::new(),
        recipe_sha256: Sha256Hash::of(b""),
        corpus_path: "/corpus".to_owned(),
        corpus_sha256: Sha256Hash::of(b""),
        runtime_lock: String::new(),
        gate_version: String::new(),
        review_version: String::new(),
        review_mode: "off".to_owned(),
        secret: Secret {
            seed: 1,
            salt: [1; 32],
        },
        scored_runs_per_day: 4,
        uploads_per_day: 40,
        weight_policy: "rank-geometric".to_owned(),
        reference: None,
        publish_sources: false,
    }
}
