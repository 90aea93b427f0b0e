//! Rounds: what counts in them, and their secret once they are closed.

use std::sync::Arc;

use axum::extract::State;
use http::HeaderMap;
use prism_core::hash::Sha256Hash;
use prism_store::rounds::{self, Round, Secret};
use prism_store::{Read, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::{PathPart, tagged_json};
use crate::app::{Answer, App};
use crate::problem::Problem;

/// The id under which the open round is found.
const CURRENT: &str = "current";

/// A round.
#[derive(Serialize, ToSchema)]
struct RoundView {
    /// A UUID of version 4.
    id: String,
    /// 1 for the first.
    number: u32,
    /// What people call it.
    name: String,
    /// `open` or `closed`.
    state: &'static str,
    /// When it opened.
    opened_at: String,
    /// When it closed.
    closed_at: Option<String>,
    /// Hash of the recipe.
    recipe_sha256: String,
    /// Hash of the corpus.
    corpus_sha256: String,
    /// The locked Python runtime.
    runtime_lock: String,
    /// Version of the gate.
    gate_version: String,
    /// Version of the reviewer.
    review_version: String,
    /// Whether and how submissions are reviewed.
    review_mode: String,
    /// SHA-256 of `prism-seed:{seed}:{salt}`, published when the round opened.
    seed_commitment: String,
    /// The seed, decimal; null while the round is open.
    seed: Option<String>,
    /// The salt, in hexadecimal digits; null while the round is open.
    salt: Option<String>,
    /// Scored runs that a hotkey may have in a day.
    scored_runs_per_day: u32,
    /// Uploads that a hotkey may have in a day.
    uploads_per_day: u32,
    /// How ranks become weights.
    weight_policy: String,
    /// Spread of bits per byte between seeds; null until it is measured.
    noise_floor_bpb: Option<f64>,
    /// Hash of the bundle that it is measured with.
    reference_sha256: Option<String>,
    /// Whether sources are published when the round closes.
    publish_sources: bool,
    /// The recipe as text; not in the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe_toml: Option<String>,
}

impl RoundView {
    fn of(round: Round, secret: Option<Secret>, with_recipe: bool) -> Self {
        Self {
            state: if round.is_open() { "open" } else { "closed" },
            id: round.id,
            number: round.number,
            name: round.name,
            opened_at: round.opened_at.to_string(),
            closed_at: round.closed_at.map(|time| time.to_string()),
            recipe_sha256: round.recipe_sha256.to_string(),
            corpus_sha256: round.corpus_sha256.to_string(),
            runtime_lock: round.runtime_lock,
            gate_version: round.gate_version,
            review_version: round.review_version,
            review_mode: round.review_mode,
            seed_commitment: round.seed_commitment,
            seed: secret.map(|secret| secret.seed.to_string()),
            salt: secret.map(|secret| Sha256Hash(secret.salt).to_string()),
            scored_runs_per_day: round.scored_runs_per_day,
            uploads_per_day: round.uploads_per_day,
            weight_policy: round.weight_policy,
            noise_floor_bpb: round.noise_floor_bpb,
            reference_sha256: round.reference.map(|hash| hash.to_string()),
            publish_sources: round.publish_sources,
            recipe_toml: with_recipe.then_some(round.recipe_toml),
        }
    }
}

/// All rounds.
#[derive(Serialize, ToSchema)]
struct RoundList {
    /// The newest first.
    rounds: Vec<RoundView>,
}

fn view(tx: &Read, round: Round, with_recipe: bool) -> prism_store::Result<RoundView> {
    // Gives nothing out while the round is open.
    let secret = rounds::reveal(tx, &round.id)?;
    Ok(RoundView::of(round, secret, with_recipe))
}

/// All rounds, the newest first.
#[utoipa::path(get, path = "/v1/rounds", tag = "rounds", responses((status = 200, body = RoundList)))]
pub(super) async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    let rounds = app
        .read(|tx| {
            let rounds = rounds::list(tx)?.into_iter();
            rounds
                .map(|round| view(tx, round, false))
                .collect::<prism_store::Result<_>>()
        })
        .await?;
    tagged_json(&headers, &RoundList { rounds })
}

/// One round, with its recipe; `current` is the open one.
#[utoipa::path(
    get, path = "/v1/rounds/{id}", tag = "rounds",
    params(("id" = String, Path, description = "id of the round, or `current`")),
    responses((status = 200, body = RoundView), (status = 404))
)]
pub(super) async fn one(State(app): State<Arc<App>>, PathPart(id): PathPart, headers: HeaderMap) -> Answer {
    let found = app
        .read(move |tx| {
            let round = if id == CURRENT {
                rounds::current(tx)?
            } else {
                match rounds::get(tx, &id) {
                    Ok(round) => Some(round),
                    Err(StoreError::NotFound { .. }) => None,
                    Err(error) => return Err(error),
                }
            };
            round.map(|round| view(tx, round, true)).transpose()
        })
        .await?;
    tagged_json(
        &headers,
        &found.ok_or_else(|| Problem::not_found("round not found"))?,
    )
}
