//! One measurement, from two started processes to a record.
//!
//! Called by the engine with a [`Plan`] and a [`Launcher`]. Every process it starts is dead when it returns, whatever
//! happened. Never writes anything but `targets` and temporary files without a name.

use std::io::Write;

use prism_core::{failure::Failure, hash::Sha256Hash, outcome::Reason};

use crate::{
    answerers::Answerers,
    connection::Cancel,
    heldout,
    learner::{LearnerSession, start_learner},
    message::ClaimsMode,
    plan::{Event, Plan, Stage},
    record::{HeldOutRecord, ModelSize, Record, SCHEMA, Shape},
    replay,
    targets::TargetsWriter,
    verdict::{Evidence, Measured, conclude},
    worker::{Launcher, Usage},
};

/// What a session has used and noticed; none of it is in the record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// What the learner used.
    pub learner: Usage,
    /// What the stream's auditor used.
    pub auditor: Usage,
    /// What the one that is asked again had used when the learner was dead.
    pub replay: Usage,
    /// Wall time charged to the learner, in seconds.
    pub charged_seconds: f64,
    /// From the first batch to the last claims, in seconds.
    pub stream_seconds: f64,
    /// Of these, how long the learner stood still for audits, in seconds.
    pub audit_seconds: f64,
    /// Warnings that the workers gave.
    pub notes: Vec<String>,
}

/// Measures one submission. The record is complete but for `targets_sha256`, which whoever owns the file fills in.
///
/// # Errors
/// [`Failure`] for every ending without a score; its reason tells whose fault it is. `observed` is filled in either
/// way.
pub fn measure<W: Write>(
    plan: &Plan<'_>,
    launcher: &mut dyn Launcher,
    targets: W,
    cancel: &Cancel,
    events: &mut dyn FnMut(Event),
    observed: &mut Observed,
) -> Result<Record, Failure> {
    let storage = |error: std::io::Error| {
        Failure::new(Reason::Storage, format!("the record cannot be written: {error}"))
    };
    events(Event::Stage(Stage::Starting));
    let mut writer = TargetsWriter::new(targets).map_err(storage)?;
    let (worker, segment) = start_learner(plan, launcher, cancel)?;
    let mut answerers = Answerers::start(plan, launcher, cancel)?;

    let mut learner = LearnerSession::new(plan, worker, segment, &mut answerers, &mut writer, events);
    let ended = learner.run();
    observed.learner = learner.worker().process().usage();
    learner.worker().kill();
    observed.notes.extend(learner.worker().notes().iter().cloned());
    // An ending without a score still tells how far it came.
    let learned = learner.into_learned(ended.as_ref().copied().unwrap_or(Reason::Internal));
    let Answerers {
        mut auditor,
        mut replay,
    } = answerers;
    observed.auditor = auditor.worker.process().usage();
    observed.replay = replay.worker.process().usage();
    observed.notes.extend(auditor.worker.notes().iter().cloned());
    auditor.worker.kill();
    observed.charged_seconds = learned.charged_seconds;
    observed.stream_seconds = learned.stream_seconds;
    observed.audit_seconds = learned.audit_seconds;
    ended?;

    let mut repeats = Vec::new();
    let heldout = match (learned.open, &learned.layout) {
        (Some(open), Some(layout)) if learned.steps > 0 => {
            events(Event::Stage(Stage::Repeating));
            repeats = replay::check(plan, &mut replay, layout, learned.witnesses)?;
            events(Event::Stage(Stage::HeldOut));
            let weights = auditor.segment_ref();
            let snapshots = heldout::Snapshots {
                last: weights,
                kept: learned.kept.conclude(),
            };
            heldout::measure(plan, launcher, cancel, open, layout, snapshots, &mut writer)?
        }
        _ => None,
    };
    drop((auditor, replay));
    events(Event::Stage(Stage::Concluding));
    writer.finish(&learned.account).map_err(storage)?;

    let measured = Measured::of(&learned.account);
    let step0_nats: Vec<f64> = learned.step0.iter().map(|audit| audit.nats).collect();
    let verdict = conclude(&Evidence {
        recipe: plan.recipe,
        vocab_size: plan.tokenizer.vocab_size,
        stream_bytes: plan.totals.bytes,
        bundle_bits: plan.bundle_bits,
        entropy_floor_bpb: plan.entropy_floor_bpb,
        stream: measured,
        step0_nats: &step0_nats,
        heldout: heldout.as_ref().map(|run| &run.measured),
    });
    Ok(Record {
        schema: SCHEMA,
        hashes: plan.hashes.clone(),
        recipe: plan.recipe.clone(),
        seed: plan.seed,
        tokenizer: plan.tokenizer.clone(),
        stream: plan.totals,
        entropy_floor_bpb: plan.entropy_floor_bpb,
        bundle_bits: plan.bundle_bits,
        audit_key_commitment: plan.key.commitment(),
        audit_key: plan.key.to_hex(),
        ended: learned.reason,
        steps: learned.steps,
        shape: learned.open.map(|open| Shape {
            batch_size: open.batch_size,
            seq_len: open.seq_len,
            claims: match open.claims {
                ClaimsMode::Loss => "loss".into(),
                ClaimsMode::Eval => "eval".into(),
            },
        }),
        model: learned.layout.as_ref().map(|layout| ModelSize {
            parameters: layout.parameters(),
            snapshot_bytes: layout.bytes(),
        }),
        targets_sha256: Sha256Hash([0; 32]),
        step0: learned.step0,
        audits: learned.audits,
        repeats,
        measured,
        heldout: heldout.map(|run| HeldOutRecord {
            measured: run.measured,
            val_kept: run.val_kept,
            train_kept: run.train_kept,
            val_trained: run.val_trained,
            val_random_init: run.val_random_init,
        }),
        verdict,
    })
}
