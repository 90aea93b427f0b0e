//! Short ways to bring submissions where a test wants them, through the store's own functions.

use prism_core::hash::Sha256Hash;
use prism_core::outcome::{Reason, Status};
use prism_core::rank::Standing;
use prism_core::submission::{Actor, Position, Stage};
use prism_core::time::Timestamp;
use prism_store::attempts::{self, End, NewAttempt, Of, Taken};
use prism_store::results::{self, Files, NewResult};
use prism_store::submissions::{self, Contract, Step, step};

use super::World;

const COMPUTE: &str = r#"{"gpu_count":0,"device":"cpu","gpu_tier":null,"model_params":1000,"tokens_consumed":2000,
    "estimated_flops":12000000.0,"wall_clock_seconds":36.0,"gpu_hours":0.0,"peak_vram_bytes":null,"peak_rss_bytes":5}"#;

impl World {
    /// Moves a submission.
    pub(crate) fn step(&self, id: &str, to: Position, by: Actor, reason: Option<Reason>, sentence: &str) {
        let (id, sentence, now) = (id.to_owned(), sentence.to_owned(), self.time());
        let moved = self.store.write(move |tx| {
            let new = Step {
                reason,
                ..Step::new(to, by, &sentence)
            };
            step(tx, &id, &new, now)
        });
        moved.unwrap();
    }

    /// Ends it without a score.
    pub(crate) fn end(&self, id: &str, reason: Reason, sentence: &str) {
        let to = Position::Ended(reason.status());
        self.step(id, to, Actor::Pipeline, Some(reason), sentence);
    }

    pub(crate) fn queue(&self, id: &str) {
        let queued = Position::Pending(Stage::Queued);
        self.step(id, queued, Actor::Pipeline, None, "it waits for a slot");
    }

    /// Stores what a contract would say: the same architecture for the same text.
    pub(crate) fn read_contract(&self, id: &str, architecture: &str, training: &str) {
        let contract = Contract {
            bundle_sha256: Sha256Hash::of(id.as_bytes()),
            architecture_sha256: Sha256Hash::of(architecture.as_bytes()),
            training_sha256: Sha256Hash::of(training.as_bytes()),
            name: Some(architecture.to_owned()),
        };
        let (id, now) = (id.to_owned(), self.time());
        let set = self
            .store
            .write(move |tx| submissions::set_contract(tx, &id, &contract, now));
        set.unwrap();
    }

    /// Begins to run it.
    pub(crate) fn start(&self, id: &str) -> attempts::Attempt {
        self.queue(id);
        let mut nonce = [0; 16];
        nonce.copy_from_slice(&Sha256Hash::of(id.as_bytes()).0[..16]);
        let (of, now) = (Of::Main(id.to_owned()), self.time());
        let attempt = self.store.write(move |tx| {
            let new = NewAttempt {
                of,
                nonce,
                executor: "local".to_owned(),
                handle: None,
                seed: 5,
                audit_rate_factor: 1,
            };
            let attempt = attempts::begin(tx, &new, now)?;
            attempts::started(tx, attempt.id, None, now)?;
            Ok(attempt)
        });
        let running = Position::Running(Stage::Training);
        self.step(id, running, Actor::Pipeline, None, "it is measured");
        attempt.unwrap()
    }

    /// Runs it to a score; `None` takes no rank.
    pub(crate) fn score(&self, id: &str, standing: Standing, flags: &[&str], points: usize) {
        let attempt = self.start(id);
        let blobs = self.store.blobs();
        let files = Files {
            curve: Some(blobs.put(curve(points).as_bytes()).unwrap()),
            record: Some(blobs.put(format!("record of {id}").as_bytes()).unwrap()),
            report: Some(blobs.put(b"<!DOCTYPE html><title>report</title>").unwrap()),
            manifest: Some(blobs.put(br#"{"run":{"seed":null}}"#).unwrap()),
            ..Files::default()
        };
        let result = NewResult {
            engine_version: "0.1.0".to_owned(),
            bpb: 2.5,
            bpb_se: 0.001,
            standing,
            rehearsal: false,
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
            hidden_max_bpb: None,
            claims_rms_nats: None,
            audits: 10,
            covered_bytes: 29_000,
            stream_bytes: 29_200,
            compute_json: COMPUTE.to_owned(),
            files,
        };
        let (id, now) = (id.to_owned(), self.time());
        let stored = self.store.write(move |tx| {
            let end = End {
                reason: Reason::EndOfData,
                sentence: "it read everything".to_owned(),
                wall_seconds: Some(36.0),
                evidence_json: None,
                evidence: None,
            };
            let taken = attempts::ended(tx, attempt.id, &attempt.nonce, &end, now)?;
            assert_eq!(taken, Taken::Taken);
            let result = results::store(tx, attempt.id, &result, now)?;
            let scoring = Position::Running(Stage::Scoring);
            step(
                tx,
                &id,
                &Step::new(scoring, Actor::Pipeline, "its record is checked"),
                now,
            )?;
            let last = Step {
                counts: Some(result),
                ..Step::new(
                    Position::Ended(Status::Completed),
                    Actor::Pipeline,
                    "it has a score",
                )
            };
            step(tx, &id, &last, now)
        });
        stored.unwrap();
    }

    /// Runs it to a rank.
    pub(crate) fn ranked(&self, id: &str, final_score: f64) {
        let standing = Standing::Ranked {
            bpb_ranked: 2.503,
            final_score,
        };
        self.score(id, standing, &[], 3);
    }

    pub(crate) fn close_round(&self, id: &str) {
        let (id, now): (String, Timestamp) = (id.to_owned(), self.time());
        self.store
            .write(move |tx| prism_store::rounds::close(tx, &id, now))
            .unwrap();
    }
}

fn curve(points: usize) -> String {
    let losses: Vec<f64> = (0..points).map(|at| 5.0 / (at as f64 + 1.0)).collect();
    let bytes: Vec<f64> = (0..points).map(|at| at as f64 * 100.0).collect();
    serde_json::json!({
        "online_loss": losses, "covered_bytes_cumulative": bytes, "step0_loss": 5.0, "baseline_nats": 5.5,
        "points": points, "downsampled": points == 500,
    })
    .to_string()
}
