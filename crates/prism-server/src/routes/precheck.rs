//! What gate and similarity say of a bundle before it is submitted. Nothing of it is stored.

use std::sync::Arc;

use axum::extract::{Request, State};

use super::upload::OwnedForm;
use crate::answer::json;
use crate::app::{Answer, App};
use crate::challenge::Precheck;
use crate::edge::Client;
use crate::envelope;
use crate::problem::Problem;

/// Check a bundle as an upload would be, without submitting it. Takes no signature and never asks the reviewer.
#[utoipa::path(
    post, path = "/v1/precheck", tag = "submissions",
    params(("X-Submission-Filename" = Option<String>, Header, description = "of a raw body")),
    request_body(content((String = "application/zip"), (super::upload::UploadForm = "application/json"))),
    responses((status = 200, body = Precheck))
)]
pub(super) async fn precheck(
    State(app): State<Arc<App>>,
    Client(client): Client,
    request: Request,
) -> Answer {
    app.count(&app.rates.prechecks, client)?;
    let (parts, body) = request.into_parts();
    let form = OwnedForm::of(&parts.headers);
    let read = app.read_upload(&parts.headers, body).await?;
    let limits = app.envelope_limits();
    let memory = read.memory;
    let envelope = app
        .work(move |_| envelope::parse(form.form(), read.bytes, limits).map_err(Problem::from))
        .await?;
    let precheck = app
        .compute(move |challenge| {
            let _memory = memory;
            challenge.precheck(&envelope.filename, &envelope.bytes)
        })
        .await?;
    json(&precheck)
}
