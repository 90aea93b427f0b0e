//! What only the master asks: weights, uploads that it has verified, work that we do not give away.
//!
//! Each handler first asks whether it is the master ([`crate::master`]); then the master is believed.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use http::HeaderMap;
use prism_core::hash::Sha256Hash;
use prism_key::Hotkey;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::upload::{self, OwnedForm, Upload};
use crate::answer::json;
use crate::app::{Answer, App};
use crate::master;
use crate::metrics::{Outcome, Way};
use crate::problem::{Code, Fault, Problem};
use crate::wire::UploadView;

const HOTKEY_HEADER: &str = "x-base-verified-hotkey";
const HASH_HEADER: &str = "x-base-request-hash";
const HOTKEY_CHARACTERS_MAX: usize = 128;

/// What the master gets.
#[derive(Serialize, ToSchema)]
struct WeightsAnswer {
    /// Name of the challenge.
    challenge_slug: String,
    /// Unix seconds.
    epoch: i64,
    /// Hotkey to weight: finite, above zero, one in sum; empty where nobody qualifies.
    weights: BTreeMap<String, f64>,
    /// When and from what they were computed.
    metadata: BTreeMap<&'static str, String>,
}

/// The weights of the last state of the results. Reads memory only; never an error because something is unscored.
#[utoipa::path(
    get, path = "/internal/v1/get_weights", tag = "master", security(("token" = [])),
    params(("X-Base-Challenge-Slug" = String, Header, description = "the name of this challenge")),
    responses((status = 200, body = WeightsAnswer))
)]
pub(super) async fn get_weights(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    master::check(&headers, &app.settings)?;
    let weights = app.challenge.weights();
    let view = weights.view();
    let mut metadata = BTreeMap::from([
        ("computed_at", view.computed_at.clone()),
        ("policy", view.policy.clone()),
        ("inputs_hash", view.inputs_hash.clone()),
    ]);
    metadata.extend(view.round.clone().map(|round| ("round", round)));
    json(&WeightsAnswer {
        challenge_slug: app.settings.slug.clone(),
        epoch: app.now().seconds(),
        weights: view.weights.clone(),
        metadata,
    })
}

/// An upload of a miner whom the master has verified.
#[utoipa::path(
    post, path = "/internal/v1/bridge/submissions", tag = "master", security(("token" = [])),
    params(
        ("X-Base-Challenge-Slug" = String, Header, description = "the name of this challenge"),
        (
            "X-Base-Verified-Hotkey" = String, Header, description = "SS58 address of the miner",
            min_length = 1, max_length = 128
        ),
        (
            "X-Base-Request-Hash" = Option<String>, Header, description = "sha256 of the body; checked if it is there",
            pattern = "^[0-9a-f]{64}$"
        ),
        ("X-Submission-Filename" = Option<String>, Header, description = "of a raw body"),
    ),
    request_body(content((String = "application/zip"), (upload::UploadForm = "application/json"))),
    responses((status = 200, body = UploadView))
)]
pub(super) async fn bridge(State(app): State<Arc<App>>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    master::check(&parts.headers, &app.settings)?;
    let answer = handed_over(&app, &parts.headers, body).await;
    if answer.is_err() {
        app.metrics.uploaded(Way::Bridge, Outcome::Refused);
    }
    answer
}

/// The master has seen to nonces: what it sends again, after a lost answer, are the same bytes of the same hotkey, and
/// those are one submission.
async fn handed_over(app: &Arc<App>, headers: &HeaderMap, body: axum::body::Body) -> Answer {
    let hotkey = verified_hotkey(headers)?;
    let read = app.read_upload(headers, body).await?;
    if let Some(announced) = headers.get(HASH_HEADER) {
        let announced = announced.to_str().ok().and_then(Sha256Hash::parse);
        if announced != Some(read.sha256) {
            return Err(Problem::new(
                Code::HashMismatch,
                "the body has another hash than X-Base-Request-Hash says; send the same request again",
            ));
        }
    }
    let upload = Upload {
        hotkey,
        nonce: None,
        is_repeat: false,
        form: OwnedForm::of(headers),
        body: read,
    };
    upload::take(app, Way::Bridge, upload).await
}

fn verified_hotkey(headers: &HeaderMap) -> Answer<String> {
    let fault =
        |kind, message: &str| Problem::invalid(vec![Fault::new(kind, "header", HOTKEY_HEADER, message)]);
    let Some(value) = headers.get(HOTKEY_HEADER) else {
        return Err(Problem::invalid(vec![Fault::missing("header", HOTKEY_HEADER)]));
    };
    let text = value.to_str().unwrap_or_default();
    if text.is_empty() {
        return Err(fault(
            "string_too_short",
            "String should have at least 1 character",
        ));
    }
    if text.len() > HOTKEY_CHARACTERS_MAX {
        return Err(fault(
            "string_too_long",
            "String should have at most 128 characters",
        ));
    }
    // Hotkeys become keys of the weights: what is no address gets nowhere.
    Hotkey::parse(text)
        .map(|hotkey| hotkey.to_string())
        .map_err(|_| fault("value_error", "Should be an SS58 address with prefix 42"))
}

/// Work for validators: none, since this service evaluates by itself.
#[utoipa::path(
    get, path = "/internal/v1/work_units", tag = "master", security(("token" = [])),
    responses((status = 200, body = Object))
)]
pub(super) async fn work_units(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    master::check(&headers, &app.settings)?;
    json(&json!({"challenge_slug": app.settings.slug, "work_units": []}))
}

/// Wakes the service, which works off what is pending by itself; so there is never a submission to name.
#[utoipa::path(
    post, path = "/internal/v1/worker/process-next", tag = "master", security(("token" = [])),
    responses((status = 200, body = Object))
)]
pub(super) async fn process_next(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    master::check(&headers, &app.settings)?;
    app.challenge.wake();
    json(&json!({"submission_id": null}))
}

/// Checkpoints of validators: none are taken, since no validator evaluates.
#[utoipa::path(post, path = "/internal/v1/checkpoints", tag = "master", responses((status = 404)))]
pub(super) async fn checkpoints() -> Problem {
    Problem::new(
        Code::NotOffered,
        "this service evaluates by itself and stores no checkpoints",
    )
}
