//! What only the owner of a submission may do: stop it, read its log, its traceback and its review, appeal against that.
//!
//! Signed with the `X-Prism-*` headers, which pass the master's proxy. The nonce is used up once the signature is good,
//! whatever the answer; a request that is repeated is refused, except that a lost answer to a cancellation is given again.

use std::sync::Arc;

use axum::extract::{Request, State};
use prism_key::message;
use prism_store::submissions::{self, Submission};
use prism_store::uploads::{self, Nonce, NonceUse};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::submissions::{find, view};
use super::upload::nonce_used;
use crate::answer::{PathPart, json, no_submission};
use crate::app::{Answer, App};
use crate::challenge::{CancelError, Challenge, LogPage};
use crate::params::Params;
use crate::problem::{Code, Fault, Problem};
use crate::signed::{self, Claim};
use crate::wire::SubmissionView;

/// Keeps these nonces apart from those of uploads.
const NONCE_KIND: &str = "owner:";
const OK: u16 = 200;

/// What each of these requests is signed with, for the description: [`signed::OWNER`] reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "nothing but a description")]
struct SignedHeaders {
    /// SS58 address of the owner
    #[param(rename = "X-Prism-Hotkey", min_length = 1, max_length = 128)]
    hotkey: String,
    /// sr25519 in hexadecimal digits
    #[param(rename = "X-Prism-Signature", pattern = "^(0x)?[0-9A-Fa-f]{128}$")]
    signature: String,
    /// a text that the hotkey uses once
    #[param(rename = "X-Prism-Nonce", min_length = 1, max_length = 128)]
    nonce: String,
    /// unix seconds
    #[param(rename = "X-Prism-Timestamp", pattern = "^-?[0-9]+$")]
    timestamp: String,
}

/// Whether the very same request was answered before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    New,
    Repeated,
}

/// The submission, if the request is its owner's, and the body that was signed.
async fn owned(app: &Arc<App>, id: &str, request: Request) -> Answer<(Submission, Seen, Vec<u8>)> {
    let (parts, body) = request.into_parts();
    let claim = Claim::read(&parts.headers, signed::OWNER)?.fresh(&app.settings, true)?;
    let read = app.read_small(&parts.headers, body).await?;
    let (hash, bytes) = (read.sha256, read.bytes);
    let method = parts.method.to_string();
    let path = parts.uri.path().to_owned();
    let signed = app
        .look(move |_| {
            let message = message::request(&method, &path, claim.stamp(), &hash);
            claim.verify(&message)
        })
        .await?;
    let mut used = NonceUse::from(&signed);
    used.nonce.insert_str(0, NONCE_KIND);
    let asked = used.clone();
    if app.read(move |tx| uploads::nonce(tx, &asked)).await? == Nonce::Free {
        // Not before: whoever has seen a request could spend its hotkey's budget by sending it again.
        app.count_hotkey(&app.rates.owners, &signed.hotkey)?;
    }
    let now = app.now();
    let seen = match app
        .write(move |tx| uploads::answer(tx, &used, OK, b"", now))
        .await?
    {
        Nonce::Free => Seen::New,
        Nonce::Repeat(_) => Seen::Repeated,
        Nonce::Used => return Err(nonce_used()),
    };
    let id = id.to_owned();
    let submission = app
        .read(move |tx| submissions::find(tx, &id))
        .await?
        .ok_or_else(no_submission)?;
    if submission.hotkey != signed.hotkey {
        return Err(Problem::new(
            Code::NotOwner,
            "only the hotkey that submitted it may do that",
        ));
    }
    Ok((submission, seen, bytes))
}

async fn owned_once(app: &Arc<App>, id: &str, request: Request) -> Answer<Submission> {
    match owned(app, id, request).await? {
        (submission, Seen::New, _) => Ok(submission),
        (_, Seen::Repeated, _) => Err(nonce_used()),
    }
}

/// Has the service change it, unless that was asked before, and shows how it stands then.
async fn change<F>(app: &Arc<App>, submission: Submission, seen: Seen, job: F) -> Answer
where
    F: FnOnce(&dyn Challenge, &str) -> Result<(), CancelError> + Send + 'static,
{
    if seen == Seen::New {
        let id = submission.id.clone();
        app.work(move |app| job(&*app.challenge, &id).map_err(of_cancel))
            .await?;
    }
    let found = find(app, submission.id).await?;
    json(&view(app, &app.challenge.board(), found))
}

/// Stop a submission.
///
/// Signed over `prism-request:POST:{path}:{hotkey}:{nonce}:{timestamp}:{sha256 hex of the body}`.
#[utoipa::path(
    post, path = "/v1/submissions/{id}/cancel", tag = "owner",
    params(
        ("id" = String, Path, description = "id of the submission"),
        SignedHeaders,
    ),
    responses((status = 200, body = SubmissionView))
)]
pub(super) async fn cancel(State(app): State<Arc<App>>, PathPart(id): PathPart, request: Request) -> Answer {
    let (submission, seen, _) = owned(&app, &id, request).await?;
    change(&app, submission, seen, Challenge::cancel).await
}

/// Appeal against a rejection by the reviewer, once: a person then decides.
///
/// Signed as a cancellation, over the body `{"text": "..."}`.
#[utoipa::path(
    post, path = "/v1/submissions/{id}/appeal", tag = "owner",
    request_body = Appeal,
    params(
        ("id" = String, Path, description = "id of the submission"),
        SignedHeaders,
    ),
    responses((status = 200, body = SubmissionView))
)]
pub(super) async fn appeal(State(app): State<Arc<App>>, PathPart(id): PathPart, request: Request) -> Answer {
    let (submission, seen, text) = owned(&app, &id, request).await?;
    let text = String::from_utf8_lossy(&text);
    let appeal: Appeal = serde_json::from_str(&text).map_err(|error| {
        Problem::invalid(vec![Fault::new(
            "value_error",
            "body",
            "text",
            format!("Should be an object with one text: {error}"),
        )])
    })?;
    change(&app, submission, seen, move |challenge, id| {
        challenge.appeal(id, &appeal.text)
    })
    .await
}

/// An appeal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Appeal {
    /// Why the reviewer is wrong, in at most 4,000 characters.
    text: String,
}

fn of_cancel(failure: CancelError) -> Problem {
    match failure {
        CancelError::NotFound => no_submission(),
        CancelError::WrongState(why) => Problem::new(Code::WrongState, why),
        CancelError::Service(failure) => failure.into(),
    }
}

/// What the reviewer charges it with: rule, place, line and why; and whether it may be appealed against.
///
/// Signed as for the log.
#[utoipa::path(
    get, path = "/v1/submissions/{id}/review", tag = "owner",
    params(
        ("id" = String, Path, description = "id of the submission"),
        SignedHeaders,
    ),
    responses((status = 200, body = Object))
)]
pub(super) async fn review(State(app): State<Arc<App>>, PathPart(id): PathPart, request: Request) -> Answer {
    let submission = owned_once(&app, &id, request).await?;
    let found = app
        .ask(move |challenge| challenge.review_of(&submission.id))
        .await?
        .ok_or_else(no_submission)?;
    json(&found)
}

/// The log of its run, from a byte on.
///
/// Signed over `prism-request:GET:{path}:{hotkey}:{nonce}:{timestamp}:{sha256 hex of no bytes}`; the query is not signed.
#[utoipa::path(
    get, path = "/v1/submissions/{id}/logs", tag = "owner",
    params(
        ("id" = String, Path, description = "id of the submission"),
        ("since" = Option<i64>, Query, description = "`next` of the part before", minimum = 0),
        SignedHeaders,
    ),
    responses((status = 200, body = LogPage))
)]
pub(super) async fn logs(
    State(app): State<Arc<App>>,
    PathPart(id): PathPart,
    params: Params,
    request: Request,
) -> Answer {
    let since = params.integer("since", 0..=i64::MAX)?.unwrap_or(0).unsigned_abs();
    let submission = owned_once(&app, &id, request).await?;
    let page = app
        .ask(move |challenge| challenge.logs(&submission.id, since))
        .await?
        .ok_or_else(|| Problem::not_found("it has no log; there is one once it runs"))?;
    json(&page)
}

/// The traceback that its own code left, or null.
///
/// Signed as for the log.
#[utoipa::path(
    get, path = "/v1/submissions/{id}/traceback", tag = "owner",
    params(
        ("id" = String, Path, description = "id of the submission"),
        SignedHeaders,
    ),
    responses((status = 200, body = Object))
)]
pub(super) async fn traceback(
    State(app): State<Arc<App>>,
    PathPart(id): PathPart,
    request: Request,
) -> Answer {
    let submission = owned_once(&app, &id, request).await?;
    json(&json!({"traceback": submission.traceback}))
}
