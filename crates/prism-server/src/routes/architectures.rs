//! Families of submissions with one architecture, as the contract shows them.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::State;
use http::HeaderMap;
use prism_core::hash::Sha256Hash;
use prism_store::architectures::{self, Architecture};
use prism_store::submissions::{self, Filter, Submission};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::answer::{PathPart, tagged_json};
use crate::app::{Answer, App};
use crate::cache::Key;
use crate::params::Params;
use crate::problem::Problem;

/// Submissions of one architecture that are looked through for its variants.
const SUBMISSIONS_MAX: u32 = 1000;

/// The architectures of an epoch.
#[derive(Serialize, ToSchema)]
struct ArchitectureList {
    /// Which epoch.
    epoch_id: i64,
    /// The best first.
    architectures: Vec<RankedArchitecture>,
}

/// An architecture with a score.
#[derive(Serialize, ToSchema)]
struct RankedArchitecture {
    /// From 1.
    rank: u32,
    /// The architecture.
    #[serde(flatten)]
    family: ArchitectureFamily,
}

/// All submissions with one architecture.
#[derive(Serialize, ToSchema)]
struct ArchitectureFamily {
    /// The hash of the architecture.
    architecture_id: String,
    /// The same.
    arch_hash: String,
    /// The name that its first submission gives itself.
    name: Option<String>,
    /// Who submitted it first.
    owner_hotkey: String,
    /// Its best score.
    best_final_score: Option<f64>,
    /// Whose that is.
    best_submission_id: Option<String>,
    /// Training scripts that it was submitted with.
    variant_count: u64,
    /// Submissions.
    submission_count: u64,
    /// When one of them last changed.
    updated_at: String,
}

/// One architecture.
#[derive(Serialize, ToSchema)]
struct ArchitectureView {
    /// The architecture.
    #[serde(flatten)]
    family: ArchitectureFamily,
    /// When it was first submitted.
    first_seen_at: String,
}

impl From<Architecture> for ArchitectureFamily {
    fn from(of: Architecture) -> Self {
        let hash = of.architecture_sha256.to_string();
        let (best_final_score, best_submission_id) = of.best.unzip();
        Self {
            architecture_id: hash.clone(),
            arch_hash: hash,
            name: of.name,
            owner_hotkey: of.owner_hotkey,
            best_final_score,
            best_submission_id,
            variant_count: of.variants,
            submission_count: of.submissions,
            updated_at: of.updated_at.to_string(),
        }
    }
}

/// Architectures with a score, the best first; by default of the newest epoch that has one.
#[utoipa::path(
    get, path = "/v1/architectures", tag = "architectures",
    params(("epoch_id" = Option<i64>, Query, description = "the newest with a score if missing", minimum = 0)),
    responses((status = 200, body = ArchitectureList), (status = 422))
)]
pub(super) async fn list(State(app): State<Arc<App>>, params: Params, headers: HeaderMap) -> Answer {
    let asked = params.integer("epoch_id", 0..=i64::MAX)?;
    let present = app.now().epoch_id();
    let kept = app
        .kept(Key::Architectures(asked), move |tx| {
            let epoch_id = match asked {
                Some(epoch_id) => epoch_id,
                None => architectures::newest_scored_epoch(tx)?.unwrap_or(present),
            };
            let scored = architectures::list(tx, Some(epoch_id))?
                .into_iter()
                .filter(|architecture| architecture.best.is_some());
            let architectures = scored
                .zip(1_u32..)
                .map(|(architecture, rank)| RankedArchitecture {
                    rank,
                    family: architecture.into(),
                })
                .collect();
            Ok(ArchitectureList {
                epoch_id,
                architectures,
            })
        })
        .await?;
    Ok(kept.answer(&headers))
}

async fn find(app: &Arc<App>, id: &str) -> Answer<Architecture> {
    let none = || Problem::not_found("architecture not found");
    let hash = Sha256Hash::parse(id).ok_or_else(none)?;
    app.read(move |tx| architectures::get(tx, &hash))
        .await?
        .ok_or_else(none)
}

/// One architecture.
#[utoipa::path(
    get, path = "/v1/architectures/{id}", tag = "architectures",
    params(("id" = String, Path, description = "hash of the architecture")),
    responses((status = 200, body = ArchitectureView), (status = 404))
)]
pub(super) async fn one(State(app): State<Arc<App>>, PathPart(id): PathPart, headers: HeaderMap) -> Answer {
    let architecture = find(&app, &id).await?;
    let first_seen_at = architecture.first_seen_at.to_string();
    let one = ArchitectureView {
        family: architecture.into(),
        first_seen_at,
    };
    tagged_json(&headers, &one)
}

/// The variants of an architecture.
#[derive(Serialize, ToSchema)]
struct ArchitectureVariants {
    /// The hash of the architecture.
    architecture_id: String,
    /// The best first; those with a score only.
    variants: Vec<ArchitectureVariant>,
}

/// An architecture with one training script, by its best submission.
#[derive(Serialize, ToSchema)]
#[allow(clippy::struct_field_names, reason = "the field names are the contract's")]
struct ArchitectureVariant {
    /// The hash of the training script.
    variant_id: String,
    /// The same.
    training_hash: String,
    /// Whose the best submission is.
    owner_hotkey: String,
    /// Its id.
    submission_id: String,
    /// Its score.
    final_score: f64,
    /// Bits per byte.
    metric_mean: f64,
    /// Standard error of that.
    metric_std: f64,
    /// It is the best of the architecture.
    is_current_best: bool,
    /// When it was accepted.
    created_at: String,
}

/// The training scripts that an architecture was submitted with, the best first.
#[utoipa::path(
    get, path = "/v1/architectures/{id}/variants", tag = "architectures",
    params(("id" = String, Path, description = "hash of the architecture")),
    responses((status = 200, body = ArchitectureVariants), (status = 404))
)]
pub(super) async fn variants(
    State(app): State<Arc<App>>,
    PathPart(id): PathPart,
    headers: HeaderMap,
) -> Answer {
    let architecture = find(&app, &id).await?;
    let filter = Filter {
        architecture: Some(architecture.architecture_sha256),
        ..Filter::default()
    };
    let page = app
        .read(move |tx| submissions::list(tx, &filter, None, SUBMISSIONS_MAX))
        .await?;
    let variants = ArchitectureVariants {
        architecture_id: architecture.architecture_sha256.to_string(),
        variants: best_of_each(page.submissions),
    };
    tagged_json(&headers, &variants)
}

fn best_of_each(submissions: Vec<Submission>) -> Vec<ArchitectureVariant> {
    let mut scored: Vec<(f64, Submission)> = submissions
        .into_iter()
        .filter_map(|submission| {
            let score = submission.score.as_ref().filter(|score| !score.rehearsal)?;
            Some((score.standing.final_score()?, submission))
        })
        .collect();
    scored.sort_by(|(a_score, a), (b_score, b)| b_score.total_cmp(a_score).then(a.seq.cmp(&b.seq)));
    let mut seen = HashSet::new();
    let mut variants = Vec::new();
    for (final_score, submission) in scored {
        let (Some(contract), Some(score)) = (&submission.contract, &submission.score) else {
            continue;
        };
        if !seen.insert(contract.training_sha256) {
            continue;
        }
        let training = contract.training_sha256.to_string();
        variants.push(ArchitectureVariant {
            variant_id: training.clone(),
            training_hash: training,
            final_score,
            metric_mean: score.bpb,
            metric_std: score.bpb_se,
            is_current_best: variants.is_empty(),
            created_at: submission.accepted_at.to_string(),
            owner_hotkey: submission.hotkey,
            submission_id: submission.id,
        });
    }
    variants
}

/// A summary in words; this service makes none.
#[utoipa::path(
    get, path = "/v1/architectures/{id}/report", tag = "architectures",
    params(("id" = String, Path, description = "hash of the architecture")),
    responses((status = 200, body = Object), (status = 404))
)]
pub(super) async fn report(
    State(app): State<Arc<App>>,
    PathPart(id): PathPart,
    headers: HeaderMap,
) -> Answer {
    let architecture = find(&app, &id).await?;
    let report = json!({"status": "unavailable", "content": null, "model": null, "generated_at": null});
    let id = architecture.architecture_sha256.to_string();
    tagged_json(&headers, &json!({"architecture_id": id, "report": report}))
}
