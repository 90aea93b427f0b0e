//! A run's directory as an evaluation leaves it, made without Python: the referee's own arithmetic over made-up claims.

use std::fs;
use std::path::Path;

use prism_core::hash::Sha256Hash;
use prism_core::nats::{Audited, NATS_PER_BIT, Smoothing};
use prism_core::outcome::Reason;
use prism_core::recipe::Recipe;
use prism_engine::outcome::Outcome;
use prism_referee::account::{Account, Run};
use prism_referee::draws::{AuditKey, Draws, Purpose};
use prism_referee::plan::{Hashes, StreamTotals, TokenizerInfo};
use prism_referee::record::{AuditedTarget, HeldOutRecord, ModelSize, Record, SCHEMA, Shape};
use prism_referee::replay::RepeatedTarget;
use prism_referee::targets::{Section, TargetsWriter};
use prism_referee::verdict::{Evidence, HeldOutMeasured, KeptMeasured, Measured, conclude};
use prism_report::About;
use prism_report::manifest::{
    self, AntiCheatBlock, ComputeBlock, DataBlock, HashesBlock, Manifest, MetricsBlock, RunBlock, ScoreBlock,
};
use serde_json::json;

const STEPS: u32 = 60;
const TARGETS: u32 = 512;
const VOCABULARY: u32 = 257;
const ENTROPY_FLOOR_BPB: f64 = 0.55;

/// How the learner of a made-up run behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Learner {
    /// Claims what it predicts.
    Honest,
    /// Claims next to nothing.
    Leaking,
}

/// A small, deterministic stand-in for noise, between 0 and 1.
fn noise(seed: u32) -> f64 {
    let mixed = seed
        .wrapping_mul(2_654_435_761)
        .rotate_left(13)
        .wrapping_mul(0x9E37_79B9);
    f64::from(mixed >> 8) / f64::from(1 << 24)
}

/// What a target really costs: it falls while the model learns.
#[allow(clippy::cast_possible_truncation, reason = "a claim is a float of 32 bits")]
fn true_nats(step: u32, target: u32) -> f32 {
    let mean = 1.1 + 4.3 * (-f64::from(step) / 14.0).exp();
    (mean * (0.35 + 1.3 * noise(step * TARGETS + target))) as f32
}

struct Pass {
    account: Account,
    audits: Vec<AuditedTarget>,
}

impl Pass {
    fn new(recipe: &Recipe, key: &AuditKey, purpose: Purpose) -> Self {
        Self {
            account: Account::new(recipe, VOCABULARY, key, purpose),
            audits: Vec::new(),
        }
    }

    /// One step of claims; audited values are the true ones.
    fn step(
        &mut self,
        out: &mut TargetsWriter<fs::File>,
        section: Section,
        document: u64,
        claims: &[f32],
        truth: &[f32],
    ) {
        let runs = [Run {
            document,
            targets: TARGETS,
            completes: true,
        }];
        let bytes: Vec<u16> = (0..TARGETS).map(|i| u16::from(i + 1 < TARGETS)).collect();
        let first = self.account.targets();
        let smoothing = Smoothing::new(1e-6, VOCABULARY);
        for drawn in self.account.step(runs, claims, &bytes) {
            let audited = Audited::Valid(smoothing.apply(f64::from(truth[drawn.index])));
            self.account.audit(&drawn, audited);
            self.audits
                .push(AuditedTarget::new(first + drawn.index as u64, audited));
        }
        out.step(section, &runs, claims, &bytes).unwrap();
    }
}

/// What a made-up run is of.
#[derive(Clone)]
pub(crate) struct Of {
    pub(crate) bundle: Sha256Hash,
    pub(crate) corpus: Sha256Hash,
    pub(crate) seed: u64,
    /// What every prediction costs, times this.
    pub(crate) scale: f32,
    pub(crate) recipe: Recipe,
}

/// A recipe with audits enough for the few targets of these runs.
pub(crate) fn recipe() -> Recipe {
    let mut recipe = Recipe::demo();
    recipe.audit.rate_per_byte = 0.05;
    recipe.heldout.rate_per_byte = 0.1;
    recipe
}

/// Writes a completed run into a directory.
pub(crate) fn completed(dir: &Path, learner: Learner) {
    let of = Of {
        bundle: Sha256Hash([0x11; 32]),
        corpus: Sha256Hash([0x22; 32]),
        seed: 0,
        scale: 1.0,
        recipe: recipe(),
    };
    completed_of(dir, learner, &of);
}

/// Writes a completed run of something into a directory.
pub(crate) fn completed_of(dir: &Path, learner: Learner, of: &Of) {
    let true_nats = |step, target| of.scale * true_nats(step, target);
    fs::create_dir_all(dir.join("logs")).unwrap();
    let recipe = of.recipe.clone();
    let key = AuditKey::new([7; 32]);
    let mut out = TargetsWriter::new(fs::File::create(dir.join("targets.zst")).unwrap()).unwrap();
    let mut stream = Pass::new(&recipe, &key, Purpose::Stream);
    let (mut claimed_curve, mut mean_curve, mut bytes_curve) = (Vec::new(), Vec::new(), Vec::new());
    let mut step0 = Vec::new();
    for step in 0..STEPS {
        let truth: Vec<f32> = (0..TARGETS).map(|i| true_nats(step, i)).collect();
        let claims: Vec<f32> = match learner {
            Learner::Honest => truth.clone(),
            Learner::Leaking => truth.iter().map(|nats| nats * 0.01).collect(),
        };
        if step == 0 {
            let chosen = Draws::new(&key, Purpose::Step0).distinct(64, TARGETS as usize);
            let smoothing = Smoothing::new(1e-6, VOCABULARY);
            step0 = chosen
                .into_iter()
                .map(|i| AuditedTarget::new(i as u64, Audited::Valid(smoothing.apply(f64::from(truth[i])))))
                .collect();
        }
        stream.step(&mut out, Section::Stream, u64::from(step), &claims, &truth);
        let total: f64 = claims.iter().map(|&nats| f64::from(nats)).sum();
        claimed_curve.push(total / NATS_PER_BIT / f64::from(TARGETS - 1));
        mean_curve.push(stream.account.estimate().nats / NATS_PER_BIT / stream.account.bytes() as f64);
        bytes_curve.push(stream.account.bytes());
    }
    let mut heldout = |purpose, section, step| {
        let mut pass = Pass::new(&recipe, &key, purpose);
        let truth: Vec<f32> = (0..TARGETS).map(|i| true_nats(step, i)).collect();
        pass.step(&mut out, section, 0, &truth, &truth);
        pass
    };
    let val_kept = heldout(Purpose::ValKept, Section::ValKept, 95);
    let train_kept = heldout(Purpose::TrainKept, Section::TrainKept, 101);
    let val_trained = heldout(Purpose::ValTrained, Section::ValTrained, 100);
    let val_random_init = heldout(Purpose::ValRandomInit, Section::ValRandomInit, 0);
    out.finish(&stream.account).unwrap();

    let measured = HeldOutMeasured {
        kept: Some(KeptMeasured {
            step: prism_referee::kept::drawn(&key, u64::from(STEPS)).unwrap(),
            val: Measured::of(&val_kept.account),
            train: Measured::of(&train_kept.account),
        }),
        val_trained: Measured::of(&val_trained.account),
        val_random_init: Measured::of(&val_random_init.account),
    };
    let totals = StreamTotals {
        documents: u64::from(STEPS),
        bytes: stream.account.bytes(),
        targets: stream.account.targets(),
    };
    let step0_nats: Vec<f64> = step0.iter().map(|audit| audit.nats).collect();
    let verdict = conclude(&Evidence {
        recipe: &recipe,
        vocab_size: VOCABULARY,
        stream_bytes: totals.bytes,
        bundle_bits: 0,
        entropy_floor_bpb: Some(ENTROPY_FLOOR_BPB),
        stream: Measured::of(&stream.account),
        step0_nats: &step0_nats,
        heldout: Some(&measured),
    });
    let repeats = prism_referee::replay::drawn(&key, recipe.audit.repeats, totals.targets)
        .into_iter()
        .map(|target| RepeatedTarget {
            target,
            first_nats: 1.5,
            again_nats: 1.5,
        })
        .collect();
    let record = Record {
        schema: SCHEMA,
        hashes: Hashes {
            bundle: of.bundle,
            corpus: of.corpus,
            recipe: recipe.sha256(),
            runtime_lock: "external".into(),
            runtime_sources: Sha256Hash([0x33; 32]),
        },
        recipe,
        seed: of.seed,
        tokenizer: TokenizerInfo {
            name: "bytes".into(),
            vocab_size: VOCABULARY,
            end_of_text: 256,
        },
        stream: totals,
        entropy_floor_bpb: Some(ENTROPY_FLOOR_BPB),
        bundle_bits: 0,
        audit_key_commitment: key.commitment(),
        audit_key: key.to_hex(),
        ended: Reason::EndOfData,
        steps: u64::from(STEPS),
        shape: Some(Shape {
            batch_size: 4,
            seq_len: 128,
            claims: "loss".into(),
        }),
        model: Some(ModelSize {
            parameters: 562_432,
            snapshot_bytes: 2_249_728,
        }),
        targets_sha256: Sha256Hash::of(&fs::read(dir.join("targets.zst")).unwrap()),
        step0,
        audits: stream.audits.clone(),
        repeats,
        measured: Measured::of(&stream.account),
        heldout: Some(HeldOutRecord {
            measured,
            val_kept: val_kept.audits,
            train_kept: train_kept.audits,
            val_trained: val_trained.audits,
            val_random_init: val_random_init.audits,
        }),
        verdict,
    };
    write_files(dir, &record, &claimed_curve, &mean_curve, &bytes_curve);
}

fn write_files(dir: &Path, record: &Record, claimed: &[f64], mean: &[f64], bytes: &[u64]) {
    let record_json = record.to_json().unwrap();
    fs::write(dir.join("record.json"), &record_json).unwrap();
    let verdict = &record.verdict;
    let flags: Vec<String> = verdict.flags.iter().map(|flag| flag.code().to_owned()).collect();
    let name = dir.file_name().unwrap().to_str().unwrap().to_owned();
    let reasons = vec!["recipe".to_owned(), "few_audits".to_owned()];

    let mut outcome = Outcome::failed(record.ended, "the whole stream was read");
    outcome.bpb = Some(verdict.bpb);
    outcome.bpb_se = Some(verdict.bpb_se);
    outcome.hidden_max = Some(verdict.hidden_max_bpb);
    outcome.stand(&verdict.standing);
    outcome.claims_rms_nats = Some(record.measured.difference_rms_nats);
    outcome.flags.clone_from(&flags);
    outcome.rehearsal = true;
    outcome.rehearsal_reasons.clone_from(&reasons);
    outcome.covered_bytes = record.measured.bytes;
    outcome.audits = record.measured.audits;
    outcome.wall_seconds = 41.5;
    outcome.run_dir = Some(dir.to_owned());
    outcome.run_id = Some(name.clone());
    outcome.submission_id = Some("transformer-small".into());
    outcome.about = Some(about("transformer-small"));
    write_result(dir, &outcome);

    let manifest = Manifest {
        schema_version: manifest::SCHEMA_VERSION.into(),
        submission_id: "transformer-small".into(),
        run_id: name,
        run: RunBlock {
            seed: record.seed,
            forced_init: true,
            world_size: 1,
            device: "cpu".into(),
            stopped_reason: record.ended.code().into(),
            rehearsal: true,
            rehearsal_reasons: reasons,
            batch_size: Some(4),
            seq_len: Some(128),
            claims: Some("loss".into()),
            tokenizer: "bytes".into(),
            vocab_size: VOCABULARY,
            notes: vec!["<script>alert('a note')</script>".into()],
            about: Some(about("transformer-small")),
        },
        compute: ComputeBlock {
            gpu_count: 0,
            device: "cpu".into(),
            model_params: 562_432,
            peak_rss_bytes: 812_345_678,
            peak_vram_bytes: None,
            wall_clock_seconds: 41.5,
            charged_seconds: 30.25,
            stream_seconds: 28.5,
            audit_seconds: 3.5,
            tokens_per_second: Some(1228.8),
            model_flops_per_second: Some(4.1e9),
            peak_flops_per_second: None,
            peak_of: None,
            model_flops_utilization: None,
            forgetting_seconds: None,
            cpu_seconds: 61.0,
            estimated_flops: 6.0 * 562_432.0 * record.measured.targets as f64,
        },
        data: DataBlock {
            source: "synthetic-1".into(),
            manifest_sha256: record.hashes.corpus.to_string(),
            stream_bytes: record.stream.bytes,
            covered_bytes: record.measured.bytes,
            consumed_documents: u64::from(STEPS),
            single_pass: true,
            entropy_floor_bpb: record.entropy_floor_bpb,
        },
        metrics: MetricsBlock {
            online_loss: claimed.to_vec(),
            covered_bytes_cumulative: bytes.to_vec(),
            mean_bpb: mean.to_vec(),
            step0_loss: verdict.step0_nats,
            random_init_baseline_nats: verdict.uniform_nats,
            sum_neg_log2_likelihood_bits: verdict.read_bits,
            prequential_bpb: verdict.bpb,
            bpb_se: verdict.bpb_se,
            predicted_tokens: record.measured.targets,
            audits: record.measured.audits,
            hidden_max: verdict.hidden_max_bpb,
            unread_bytes: verdict.unread_bytes,
            bundle_bits: 0,
        },
        score: ScoreBlock {
            schema: "prism_score.v2".into(),
            primary_metric: "prequential_bpb".into(),
            prequential_bpb: verdict.bpb,
            ranked: verdict.standing.no_rank().is_none(),
            no_rank: verdict.standing.no_rank().map(|why| why.code().to_owned()),
            bpb_ranked: verdict.standing.bpb_ranked(),
            final_score: verdict.standing.final_score(),
            heldout_delta: verdict.heldout_delta_bpb,
            heldout_delta_se: verdict.heldout_delta_se_bpb,
            heldout_delta_lower: verdict.heldout_delta_lower_bpb,
            val_bpb_trained: verdict.val_bpb_trained,
            val_bpb_random_init: verdict.val_bpb_random_init,
            kept_step: record.heldout.as_ref().and_then(|h| Some(h.measured.kept?.step)),
            val_bpb_kept: verdict.val_bpb_kept,
            train_bpb_kept: verdict.train_bpb_kept,
            train_heldout_gap: verdict.gap_bpb,
            train_heldout_gap_se: verdict.gap_se_bpb,
            train_heldout_gap_upper: verdict.gap_upper_bpb,
            memorization_flag: false,
            memorization_penalty: 1.0,
            anti_cheat_multiplier: 1.0,
            flags,
        },
        anti_cheat: AntiCheatBlock {
            step0_anomaly: false,
            claims_differ: record.measured.differing_audits > 0,
            claims_differ_count: record.measured.differing_audits,
            claims_differ_mean_nats: record.measured.difference_mean_nats,
            claims_differ_sd_nats: record.measured.difference_sd_nats,
            claims_untrue: verdict.standing.no_rank().is_some(),
            claims_rms_nats: record.measured.difference_rms_nats,
            claims_rms_limit_nats: record.recipe.score.claims_rms_nats,
            invalid_answers: 0,
            advice: None,
        },
        hashes: HashesBlock {
            bundle: record.hashes.bundle.to_string(),
            corpus: record.hashes.corpus.to_string(),
            recipe: record.hashes.recipe.to_string(),
            runtime_lock: record.hashes.runtime_lock.clone(),
            runtime_sources: record.hashes.runtime_sources.to_string(),
            record: Sha256Hash::of(&record_json).to_string(),
        },
    };
    fs::write(
        dir.join(manifest::FILE_NAME),
        serde_json::to_vec_pretty(&manifest).unwrap(),
    )
    .unwrap();
    let lines: Vec<String> = bytes
        .iter()
        .zip(claimed)
        .map(|(bytes, loss)| {
            let entries = [("loss<b>", *loss), ("lr", 3e-3 / (1.0 + *bytes as f64 / 1e4))];
            serde_json::json!({ "covered_bytes": bytes, "entries": entries }).to_string()
        })
        .collect();
    fs::write(dir.join("logs/metrics.jsonl"), lines.join("\n")).unwrap();
    fs::write(
        dir.join("logs/learner.stdout.log"),
        "step 1 <img src=x onerror=alert(1)>\u{1b}[2J\n",
    )
    .unwrap();
    fs::write(dir.join("logs/learner.stderr.log"), "").unwrap();
}

/// What a made-up run is of.
fn about(name: &str) -> About {
    About {
        name: name.into(),
        started_at: "2026-01-31T12:34:56Z".into(),
        recipe: "demo".into(),
        recipe_version: 2,
        corpus: "synthetic-1".into(),
        seed: 0,
        device: "cpu".into(),
    }
}

/// Writes a run that goes on into a directory. It goes on until the answer, which holds its lock, is dropped.
pub(crate) fn running(dir: &Path) -> fs::File {
    fs::create_dir_all(dir.join("logs")).unwrap();
    let lock = fs::File::create(dir.join("run.lock")).unwrap();
    assert!(prism_sandbox::try_lock_range(&lock, prism_sandbox::LockKind::Exclusive, 0, 1).unwrap());
    let mut events = vec![
        json!({ "v": 1, "t": 1000.0, "event": "run", "run_id": "run-1", "run_dir": "here", "about": about("<b>going</b>"),
            "stream_bytes": 400_000, "entropy_floor_bpb": ENTROPY_FLOOR_BPB, "audit_key_commitment": "00" }),
        json!({ "v": 1, "t": 1010.0, "event": "opened", "batch_size": 4, "seq_len": 128, "parameters": 562_432, "batches": 780,
            "stream_bytes": 400_000 }),
        json!({ "v": 1, "t": 1010.5, "event": "stage", "stage": "training", "message": "reading the stream" }),
    ];
    events.extend((1..=4).map(|i| {
        json!({ "v": 1, "t": 1010.0 + f64::from(i) * 10.0, "event": "point", "steps": i, "covered_bytes": 50_000 * i,
            "targets": 50_100 * i, "claimed_bpb": 7.5 - f64::from(i), "mean_bpb": 7.75 - f64::from(i) * 0.5 })
    }));
    let lines: Vec<_> = events.iter().map(ToString::to_string).collect();
    // The last line is being written.
    fs::write(dir.join("events.jsonl"), lines.join("\n") + "\n{\"v\":1,\"t\":10").unwrap();
    fs::write(dir.join("logs/learner.stdout.log"), "about to learn\n").unwrap();
    fs::write(
        dir.join("logs/metrics.jsonl"),
        "{\"covered_bytes\":50000,\"entries\":[[\"lr\",0.5]]}\n",
    )
    .unwrap();
    lock
}

/// Writes a failed run into a directory.
pub(crate) fn failed(dir: &Path) {
    fs::create_dir_all(dir.join("logs")).unwrap();
    let mut outcome = Outcome::failed(
        Reason::TrainException,
        "`train` raised ValueError: <script>alert(1)</script>",
    );
    outcome.traceback = Some("Traceback (most recent call last):\n  File \"training.py\", line 42, in train\n    raise ValueError('<script>')\nValueError: \u{1b}[31m<script>\n".into());
    outcome.covered_bytes = 123_456;
    outcome.wall_seconds = 12.25;
    outcome.run_dir = Some(dir.to_owned());
    outcome.run_id = Some(dir.file_name().unwrap().to_str().unwrap().to_owned());
    outcome.submission_id = Some("<script>alert('name')</script>".into());
    outcome.about = Some(about("<script>alert('name')</script>"));
    write_result(dir, &outcome);
    let curve = json!({
        "stream_bytes": 400_000, "entropy_floor_bpb": ENTROPY_FLOOR_BPB,
        "covered_bytes": [50_000, 123_456], "claimed_bpb": [7.5, 5.0], "mean_bpb": [7.5, 6.0],
    });
    fs::write(dir.join("curve.json"), curve.to_string()).unwrap();
    fs::write(dir.join("logs/learner.stderr.log"), "about to fail\n").unwrap();
}

fn write_result(dir: &Path, outcome: &Outcome) {
    fs::write(
        dir.join("result.json"),
        serde_json::to_vec_pretty(outcome).unwrap(),
    )
    .unwrap();
}
