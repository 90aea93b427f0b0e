//! What a submission's run has left: curve, report, findings, manifest; record and source once the round has closed.

use std::sync::Arc;

use axum::extract::State;
use http::{HeaderMap, HeaderValue, header};
use prism_core::hash::Sha256Hash;
use prism_core::outcome::Status;
use prism_core::submission::Position;
use prism_store::rounds::{self, Round};
use tracing::error;

use super::pages::protect;
use super::submissions::{Found, find};
use crate::answer::{PathPart, PathParts, no_submission, of_type, tagged_json};
use crate::app::{Answer, App};
use crate::blob_body;
use crate::challenge::Comparison;
use crate::edge::Client;
use crate::prepared::{has_tag, not_modified};
use crate::problem::{Code, Problem};
use crate::wire::curve::Curve;

/// Bytes of the JSON of a curve.
const CURVE_BYTES_MAX: u64 = 1 << 20;
/// What a report may do: show itself.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'; sandbox";

/// The learning curve of a scored submission.
#[utoipa::path(
    get, path = "/v1/submissions/{id}/curve", tag = "submissions",
    params(("id" = String, Path, description = "id of the submission")),
    responses((status = 200, body = Curve), (status = 404))
)]
pub(super) async fn curve(State(app): State<Arc<App>>, PathPart(id): PathPart, headers: HeaderMap) -> Answer {
    let none = || Problem::not_found("submission curve not found");
    let found = find(&app, id).await.map_err(|problem| match problem.code() {
        Code::NotFound => none(),
        _ => problem,
    })?;
    let result = found.result.ok_or_else(none)?;
    let hash = result.result.files.curve.ok_or_else(none)?;
    let curve = app
        .look(move |app| {
            let points = app.store.blobs().read(&hash, CURVE_BYTES_MAX)?;
            Curve::of(&found.submission.id, &result, &points).map_err(|failure| {
                error!(error = %failure, "a stored curve is damaged");
                Problem::internal()
            })
        })
        .await?;
    tagged_json(&headers, &curve)
}

/// The report of a run, a page of its own.
#[utoipa::path(
    get, path = "/v1/submissions/{id}/report", tag = "submissions",
    params(("id" = String, Path, description = "id of the submission")),
    responses((status = 200, body = String, content_type = "text/html"), (status = 404))
)]
pub(super) async fn report(State(app): State<Arc<App>>, PathPart(id): PathPart) -> Answer {
    let page = app
        .ask(move |challenge| challenge.report(&id))
        .await?
        .ok_or_else(|| Problem::not_found("submission report not found"))?;
    let mut response = of_type("text/html; charset=utf-8", page);
    protect(&mut response, REPORT_POLICY, "no-cache");
    Ok(response)
}

/// What the gate and the comparison with earlier submissions found.
#[utoipa::path(
    get, path = "/v1/submissions/{id}/findings", tag = "submissions",
    params(("id" = String, Path, description = "id of the submission")),
    responses((status = 200, body = Object), (status = 404))
)]
pub(super) async fn findings(
    State(app): State<Arc<App>>,
    PathPart(id): PathPart,
    headers: HeaderMap,
) -> Answer {
    let findings = app.ask(move |challenge| challenge.findings(&id)).await?;
    let none = || Problem::not_found("submission findings not found");
    Ok(findings.ok_or_else(none)?.answer(&headers))
}

/// The manifest of a run, as far as it is public.
#[utoipa::path(
    get, path = "/v1/submissions/{id}/manifest", tag = "submissions",
    params(("id" = String, Path, description = "id of the submission")),
    responses((status = 200, body = Object), (status = 404))
)]
pub(super) async fn manifest(
    State(app): State<Arc<App>>,
    PathPart(id): PathPart,
    headers: HeaderMap,
) -> Answer {
    let manifest = app.ask(move |challenge| challenge.manifest(&id)).await?;
    let none = || Problem::not_found("submission manifest not found");
    Ok(manifest.ok_or_else(none)?.answer(&headers))
}

/// The record of a run, once its round has closed.
#[utoipa::path(
    get, path = "/v1/submissions/{id}/record", tag = "submissions",
    params(("id" = String, Path, description = "id of the submission")),
    responses(
        (status = 200, body = String, content_type = "application/octet-stream"), (status = 403), (status = 404)
    )
)]
pub(super) async fn record(
    State(app): State<Arc<App>>,
    PathPart(id): PathPart,
    headers: HeaderMap,
) -> Answer {
    let (found, _) = of_closed_round(&app, id).await?;
    let hash = found.result.and_then(|stored| stored.result.files.record);
    let hash = hash.ok_or_else(|| Problem::not_found("submission record not found"))?;
    blob(&app, &headers, hash, "application/octet-stream", "record.json").await
}

/// The archive that was submitted, once its round has closed, if the round publishes sources and it was completed.
#[utoipa::path(
    get, path = "/v1/submissions/{id}/source", tag = "submissions",
    params(("id" = String, Path, description = "id of the submission")),
    responses((status = 200, body = String, content_type = "application/zip"), (status = 403), (status = 404))
)]
pub(super) async fn source(
    State(app): State<Arc<App>>,
    PathPart(id): PathPart,
    headers: HeaderMap,
) -> Answer {
    let (found, round) = of_closed_round(&app, id).await?;
    let is_completed = found.submission.position == Position::Ended(Status::Completed);
    if !(round.publish_sources && is_completed) {
        return Err(Problem::new(
            Code::NotPublic,
            "its round does not publish the source of this submission",
        ));
    }
    blob(
        &app,
        &headers,
        found.submission.zip_sha256,
        "application/zip",
        "submission.zip",
    )
    .await
}

async fn of_closed_round(app: &Arc<App>, id: String) -> Answer<(Found, Round)> {
    let found = find(app, id).await?;
    let round_id = found.submission.round_id.clone();
    let round = app.read(move |tx| rounds::get(tx, &round_id)).await?;
    if round.is_open() {
        return Err(Problem::new(
            Code::NotYetPublic,
            format!("published when the round `{}` closes", round.name),
        ));
    }
    Ok((found, round))
}

async fn blob(
    app: &Arc<App>,
    headers: &HeaderMap,
    hash: Sha256Hash,
    kind: &'static str,
    name: &'static str,
) -> Answer {
    let internal = |_| Problem::internal();
    let tag = HeaderValue::try_from(format!("\"{hash}\"")).map_err(internal)?;
    if has_tag(headers, &tag) {
        return Ok(not_modified(&tag));
    }
    let (file, bytes) = app
        .look(move |app| {
            let file = app.store.blobs().open(&hash)?;
            let bytes = file.metadata().map(|found| found.len()).map_err(|failure| {
                error!(error = %failure, "a blob cannot be looked at");
                Problem::internal()
            })?;
            Ok((file, bytes))
        })
        .await?;
    let mut response = of_type(kind, bytes::Bytes::new());
    *response.body_mut() = blob_body::of(file, bytes);
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")).map_err(internal)?;
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// Where one submission is better than another.
#[utoipa::path(
    get, path = "/v1/submissions/{id}/compare/{other}", tag = "submissions",
    params(
        ("id" = String, Path, description = "id of the one"),
        ("other" = String, Path, description = "id of the other"),
    ),
    responses((status = 200, body = Comparison), (status = 404))
)]
pub(super) async fn compare(
    State(app): State<Arc<App>>,
    PathParts(id, other): PathParts,
    Client(client): Client,
    headers: HeaderMap,
) -> Answer {
    app.count(&app.rates.comparisons, client)?;
    for id in [&id, &other] {
        let id = id.clone();
        let is_there = app.read(move |tx| Ok(prism_store::submissions::find(tx, &id)?.is_some()));
        if !is_there.await? {
            return Err(no_submission());
        }
    }
    let comparison = app
        .compute(move |challenge| challenge.compare(&id, &other))
        .await?
        .ok_or_else(|| Problem::not_found("the two were not scored on the same stream"))?;
    tagged_json(&headers, &comparison)
}
