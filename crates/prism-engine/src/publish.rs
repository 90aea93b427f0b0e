//! From a finished measurement to the files that stay: `record.json` and the manifest.
//!
//! Called by [`crate::evaluate`] once a run is complete. The record is deterministic; everything that depends on the
//! clock or the machine goes into the manifest.

use std::{
    fs::File,
    io::{self, BufReader},
    path::Path,
};

use prism_core::{hash::Sha256Hash, recipe::Device};
use prism_referee::{record::Record, session::Observed, verdict::Flag};
use prism_report::{
    About, hints,
    manifest::{
        self, AntiCheatBlock, ComputeBlock, DataBlock, HashesBlock, Manifest, MetricsBlock, RunBlock,
        ScoreBlock,
    },
};

use crate::{
    curve::Point,
    gpu,
    request::{EvalRequest, RehearsalReason},
    run_dir::{RECORD_FILE, RunDir},
    throughput::Throughput,
};

/// What the manifest needs beside the record.
pub(crate) struct Context<'a> {
    /// The request.
    pub request: &'a EvalRequest,
    /// Name of the corpus.
    pub corpus_source: String,
    /// The run's id.
    pub run_id: String,
    /// What it is of.
    pub about: Option<About>,
    /// Why the run does not count.
    pub rehearsal: &'a [RehearsalReason],
    /// The published curve.
    pub curve: Vec<Point>,
    /// What the session used.
    pub observed: &'a Observed,
    /// What making the kernel forget earlier runs took, in seconds, where it was done.
    pub forgetting_seconds: Option<f64>,
    /// Wall time so far, in seconds.
    pub wall_seconds: f64,
}

/// Writes both files.
pub(crate) fn write(dir: &RunDir, record: &Record, context: &Context<'_>) -> io::Result<()> {
    let record_json = record.to_json()?;
    let manifest = build(record, context, Sha256Hash::of(&record_json));
    dir.write(RECORD_FILE, &record_json)?;
    let mut json = serde_json::to_vec_pretty(&manifest)?;
    json.push(b'\n');
    dir.write(manifest::FILE_NAME, &json)
}

/// SHA-256 of a file.
pub(crate) fn hash_file(path: &Path) -> io::Result<Sha256Hash> {
    Sha256Hash::of_reader(&mut BufReader::new(File::open(path)?))
}

fn build(record: &Record, context: &Context<'_>, record_hash: Sha256Hash) -> Manifest {
    let verdict = &record.verdict;
    let flags: Vec<String> = verdict.flags.iter().map(|flag| flag.code().to_owned()).collect();
    let device = record.recipe.compute.device;
    let parameters = record.model.map_or(0, |model| model.parameters);
    let observed = context.observed;
    let throughput = Throughput::new(
        parameters,
        record.measured.targets,
        observed.stream_seconds - observed.audit_seconds,
        match device {
            Device::Cpu => None,
            Device::Cuda => gpu::peak(),
        },
    );
    Manifest {
        schema_version: manifest::SCHEMA_VERSION.into(),
        submission_id: context
            .request
            .submission_id
            .clone()
            .unwrap_or_else(|| context.run_id.clone()),
        run_id: context.run_id.clone(),
        run: RunBlock {
            seed: record.seed,
            forced_init: true,
            world_size: 1,
            device: device.as_str().into(),
            stopped_reason: record.ended.code().into(),
            rehearsal: !context.rehearsal.is_empty(),
            rehearsal_reasons: context
                .rehearsal
                .iter()
                .map(|reason| reason.code().to_owned())
                .collect(),
            batch_size: record.shape.as_ref().map(|shape| shape.batch_size),
            seq_len: record.shape.as_ref().map(|shape| shape.seq_len),
            claims: record.shape.as_ref().map(|shape| shape.claims.clone()),
            tokenizer: record.tokenizer.name.clone(),
            vocab_size: record.tokenizer.vocab_size,
            notes: observed.notes.clone(),
            about: context.about.clone(),
        },
        compute: ComputeBlock {
            gpu_count: u32::from(device == Device::Cuda),
            device: device.as_str().into(),
            model_params: parameters,
            peak_rss_bytes: observed.learner.peak_memory_bytes,
            peak_vram_bytes: None,
            wall_clock_seconds: context.wall_seconds,
            charged_seconds: observed.charged_seconds,
            stream_seconds: observed.stream_seconds,
            forgetting_seconds: context.forgetting_seconds,
            cpu_seconds: observed.learner.cpu_seconds + observed.auditor.cpu_seconds,
            estimated_flops: throughput.flops,
            audit_seconds: observed.audit_seconds,
            tokens_per_second: throughput.tokens_per_second,
            model_flops_per_second: throughput.flops_per_second,
            peak_flops_per_second: throughput.peak.as_ref().map(|peak| peak.flops_per_second),
            model_flops_utilization: throughput.utilization(),
            peak_of: throughput.peak.map(|peak| peak.device),
        },
        data: DataBlock {
            source: context.corpus_source.clone(),
            manifest_sha256: record.hashes.corpus.to_string(),
            stream_bytes: record.stream.bytes,
            covered_bytes: record.measured.bytes,
            consumed_documents: record.measured.completed_documents,
            single_pass: true,
            entropy_floor_bpb: record.entropy_floor_bpb,
        },
        metrics: metrics(record, &context.curve),
        anti_cheat: anti_cheat(record, hints::are_due(&flags)),
        score: score(record, flags),
        hashes: HashesBlock {
            bundle: record.hashes.bundle.to_string(),
            corpus: record.hashes.corpus.to_string(),
            recipe: record.hashes.recipe.to_string(),
            runtime_lock: record.hashes.runtime_lock.clone(),
            runtime_sources: record.hashes.runtime_sources.to_string(),
            record: record_hash.to_string(),
        },
    }
}

fn metrics(record: &Record, curve: &[Point]) -> MetricsBlock {
    let verdict = &record.verdict;
    MetricsBlock {
        online_loss: curve.iter().map(|point| point.claimed_bpb).collect(),
        covered_bytes_cumulative: curve.iter().map(|point| point.covered_bytes).collect(),
        mean_bpb: curve.iter().map(|point| point.mean_bpb).collect(),
        step0_loss: verdict.step0_nats,
        random_init_baseline_nats: verdict.uniform_nats,
        sum_neg_log2_likelihood_bits: verdict.read_bits,
        prequential_bpb: verdict.bpb,
        bpb_se: verdict.bpb_se,
        predicted_tokens: record.measured.targets,
        audits: record.measured.audits,
        hidden_max: verdict.hidden_max_bpb,
        unread_bytes: verdict.unread_bytes,
        bundle_bits: record.bundle_bits,
    }
}

fn score(record: &Record, flags: Vec<String>) -> ScoreBlock {
    let verdict = &record.verdict;
    let kept = record
        .heldout
        .as_ref()
        .and_then(|heldout| heldout.measured.kept.as_ref());
    ScoreBlock {
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
        kept_step: kept.map(|kept| kept.step),
        val_bpb_kept: verdict.val_bpb_kept,
        train_bpb_kept: verdict.train_bpb_kept,
        train_heldout_gap: verdict.gap_bpb,
        train_heldout_gap_se: verdict.gap_se_bpb,
        train_heldout_gap_upper: verdict.gap_upper_bpb,
        memorization_flag: verdict.flags.contains(&Flag::Memorization),
        memorization_penalty: verdict.memorization_penalty,
        anti_cheat_multiplier: verdict.anti_cheat_multiplier,
        flags,
    }
}

fn anti_cheat(record: &Record, advice_is_due: bool) -> AntiCheatBlock {
    let (measured, verdict) = (&record.measured, &record.verdict);
    AntiCheatBlock {
        step0_anomaly: verdict.flags.contains(&Flag::Step0Anomaly),
        claims_differ: verdict.flags.contains(&Flag::ClaimsDiffer),
        claims_differ_count: measured.differing_audits,
        claims_differ_mean_nats: measured.difference_mean_nats,
        claims_differ_sd_nats: measured.difference_sd_nats,
        claims_untrue: verdict.flags.contains(&Flag::ClaimsUntrue),
        claims_rms_nats: measured.difference_rms_nats,
        claims_rms_limit_nats: record.recipe.score.claims_rms_nats,
        invalid_answers: measured.invalid_answers,
        advice: advice_is_due.then(hints::paragraph),
    }
}
