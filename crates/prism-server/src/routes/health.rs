//! Is it there, which contract does it speak, and does everything work.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::json;
use crate::app::{Answer, App};
use crate::challenge::{Readiness, ReviewView};

/// The version of the contract.
const API_VERSION: &str = "1.0";
/// The name of the contract.
const SDK_VERSION: &str = "base-challenge-1";
/// What the master looks for, and what this service is.
const CAPABILITIES: [&str; 4] = ["get_weights", "proxy_routes", "sqlite", "docker_executor"];

/// It is there.
#[derive(Serialize, ToSchema)]
struct Health {
    /// Always `ok`: whether everything works is what `/ready` says.
    status: &'static str,
    /// Name of the challenge.
    slug: String,
    /// Version of this program.
    version: &'static str,
    /// Whether and by whom submissions are reviewed.
    review: ReviewView,
}

/// Which contract it speaks.
#[derive(Serialize, ToSchema)]
#[allow(clippy::struct_field_names, reason = "the field names are the contract's")]
struct Version {
    /// Version of the contract.
    api_version: &'static str,
    /// Version in the registry of BASE.
    challenge_version: String,
    /// Name of the contract.
    sdk_version: &'static str,
    /// What it offers.
    capabilities: [&'static str; 4],
}

/// Whether the service is alive.
#[utoipa::path(get, path = "/health", tag = "service", responses((status = 200, body = Health)))]
pub(super) async fn health(State(app): State<Arc<App>>) -> Answer {
    json(&Health {
        status: "ok",
        slug: app.settings.slug.clone(),
        version: env!("CARGO_PKG_VERSION"),
        review: app.challenge.review(),
    })
}

/// Which contract it speaks.
#[utoipa::path(get, path = "/version", tag = "service", responses((status = 200, body = Version)))]
pub(super) async fn version(State(app): State<Arc<App>>) -> Answer {
    json(&Version {
        api_version: API_VERSION,
        challenge_version: app.settings.challenge_version.clone(),
        sdk_version: SDK_VERSION,
        capabilities: CAPABILITIES,
    })
}

/// Whether everything works; 503 with what does not.
#[utoipa::path(
    get, path = "/ready", tag = "service",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness))
)]
pub(super) async fn ready(State(app): State<Arc<App>>) -> Answer {
    let readiness = app.challenge.readiness();
    let mut response = json(&readiness)?;
    if !readiness.ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}
