//! What the service says of itself: the queue, the recipe, the rules, the weights, and what a hotkey has left today.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use prism_key::Hotkey;
use prism_store::{budgets, rounds};

use crate::answer::{json, tagged_json};
use crate::app::{Answer, App};
use crate::challenge::{QueueView, WeightsView};
use crate::params::Params;
use crate::problem::{Fault, Problem};
use crate::wire::BudgetView;

const HOTKEY_CHARACTERS_MAX: usize = 128;

/// Who waits and who runs.
#[utoipa::path(get, path = "/v1/queue", tag = "service", responses((status = 200, body = QueueView)))]
pub(super) async fn queue(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    tagged_json(&headers, &*app.challenge.queue())
}

/// The recipe of the open round, each constant explained.
#[utoipa::path(get, path = "/v1/recipe", tag = "service", responses((status = 200, body = Object)))]
pub(super) async fn recipe(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.challenge.recipe().answer(&headers)
}

/// The rules: what a bundle is, and what the gate and the reviewer refuse.
#[utoipa::path(get, path = "/v1/rules", tag = "service", responses((status = 200, body = Object)))]
pub(super) async fn rules(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.challenge.rules().answer(&headers)
}

/// The weights, and for each hotkey why.
#[utoipa::path(get, path = "/v1/weights", tag = "board", responses((status = 200, body = WeightsView)))]
pub(super) async fn weights(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.challenge.weights().prepared().answer(&headers)
}

/// What a hotkey has used today, of what the open round allows.
#[utoipa::path(
    get, path = "/v1/budget", tag = "submissions",
    params((
        "hotkey" = String, Query, description = "SS58 address", pattern = "^5[1-9A-HJ-NP-Za-km-z]{46,47}$"
    )),
    responses((status = 200, body = BudgetView), (status = 404), (status = 422))
)]
pub(super) async fn budget(State(app): State<Arc<App>>, params: Params) -> Answer {
    let text = params.required("hotkey", HOTKEY_CHARACTERS_MAX)?;
    let Ok(hotkey) = Hotkey::parse(text) else {
        let fault = Fault::new(
            "value_error",
            "query",
            "hotkey",
            "Should be an SS58 address with prefix 42",
        );
        return Err(Problem::invalid(vec![fault.with_input(text)]));
    };
    let now = app.now();
    let found = app
        .read(move |tx| {
            let used = budgets::of(tx, &hotkey.to_string(), now.day())?;
            Ok(rounds::current(tx)?.map(|round| BudgetView::of(used, &round, now)))
        })
        .await?;
    json(&found.ok_or_else(|| Problem::not_found("no round is open"))?)
}
