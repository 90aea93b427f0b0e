//! The description of the interface: made of the routes, completed with the refusals that all of them have in common, shown
//! by a page that loads nothing from elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, header};
use maud::{DOCTYPE, html};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::{Response as Described, ResponseBuilder};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, HttpMethod, OpenApi, Ref, RefOr};
use utoipa_swagger_ui::Config;

use super::pages::{POLICY, protect};
use crate::answer::{PathPart, of_type};
use crate::app::Answer;
use crate::prepared::Prepared;
use crate::problem::{Code, Problem, ProblemDocument};

/// The page of the description has styles in its elements, and only there.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                           connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";
const DESCRIPTION_PATH: &str = "/openapi.json";
const PROBLEM_SCHEMA: &str = "ProblemDocument";

/// What every request may be answered.
const OF_ALL: [u16; 3] = [429, 500, 503];
/// What a request with a body may be answered.
const OF_BODIES: [u16; 5] = [400, 408, 413, 415, 422];
/// What a request that is signed may be answered.
const OF_SIGNED: [u16; 6] = [400, 401, 403, 404, 409, 422];
/// What a request of the master may be answered.
const OF_MASTER: [u16; 2] = [400, 401];

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "PRISM challenge",
        description = "Submissions in, ranked leaderboard and normalised weights out. Refusals are problem details \
                       (RFC 9457) with a stable `code`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(ProblemDocument))
)]
struct Head;

/// The description without any route.
pub(super) fn head() -> OpenApi {
    let mut head = <Head as utoipa::OpenApi>::openapi();
    let token = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    head.components
        .get_or_insert_with(Components::new)
        .add_security_scheme("token", token);
    head
}

/// Adds to each route the refusals that it shares with others.
pub(super) fn complete(description: &mut OpenApi) {
    for item in description.paths.paths.values_mut() {
        for (method, operation) in operations(item) {
            let tag = operation
                .tags
                .iter()
                .flatten()
                .next()
                .cloned()
                .unwrap_or_default();
            let is_submission =
                method == HttpMethod::Post && operation.operation_id.as_deref() == Some("submit");
            let mut statuses = OF_ALL.to_vec();
            if operation.request_body.is_some() {
                statuses.extend(OF_BODIES);
                statuses.push(Code::DiskFull.status().as_u16());
            }
            if tag == "owner" {
                statuses.extend(OF_BODIES);
            }
            if is_submission || tag == "owner" {
                statuses.extend(OF_SIGNED);
            }
            if tag == "master" {
                statuses.extend(OF_MASTER);
                statuses.push(Code::NoRound.status().as_u16());
            }
            add(operation, &statuses);
        }
    }
}

fn operations(item: &mut PathItem) -> Vec<(HttpMethod, &mut Operation)> {
    let mut found = Vec::new();
    found.extend(item.get.as_mut().map(|operation| (HttpMethod::Get, operation)));
    found.extend(item.post.as_mut().map(|operation| (HttpMethod::Post, operation)));
    found
}

fn add(operation: &mut Operation, statuses: &[u16]) {
    let responses = &mut operation.responses.responses;
    for status in statuses {
        responses
            .entry(status.to_string())
            .or_insert_with(|| RefOr::T(Described::new("")));
    }
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        let is_refusal = status.starts_with('4') || status.starts_with('5');
        if is_refusal && response.content.is_empty() {
            *response = refusal(status);
        }
    }
}

fn refusal(status: &str) -> Described {
    let titles: BTreeMap<&str, &str> = Code::ALL
        .iter()
        .filter(|code| code.status().as_str() == status)
        .map(|code| (code.as_str(), code.title()))
        .collect();
    let list: Vec<String> = titles
        .iter()
        .map(|(code, title)| format!("`{code}`: {title}"))
        .collect();
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(PROBLEM_SCHEMA)))
        .build();
    ResponseBuilder::new()
        .description(list.join("; "))
        .content("application/json", content)
        .build()
}

/// The description itself and its pages.
pub(super) fn routes(description: &OpenApi) -> Router {
    // Made of our own code: that it has no JSON form shows at the first start, in every test.
    let prepared = Prepared::json(description).unwrap_or_else(|_| Prepared::of_json_text(b"{}".to_vec()));
    let prepared = Arc::new(prepared);
    let listing = Arc::new(listing(description));
    let config = Arc::new(Config::from(DESCRIPTION_PATH));
    let of_index = Arc::clone(&config);
    Router::new()
        .route(
            DESCRIPTION_PATH,
            get(move |headers: HeaderMap| std::future::ready(prepared.answer(&headers))),
        )
        .route("/docs", get(|| std::future::ready(Redirect::permanent("/docs/"))))
        .route("/docs/", get(move || std::future::ready(page("", of_index))))
        .route(
            "/docs/{*rest}",
            get(move |PathPart(rest): PathPart| std::future::ready(page(&rest, config))),
        )
        .route("/redoc", get(move || std::future::ready(listed(&listing))))
}

fn page(path: &str, config: Arc<Config<'static>>) -> Answer {
    let file = utoipa_swagger_ui::serve(path, config).ok().flatten();
    let file = file.ok_or_else(|| Problem::not_found("Not Found"))?;
    let kind = HeaderValue::try_from(file.content_type).map_err(|_| Problem::internal())?;
    let mut response = Body::from(file.bytes.into_owned()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    protect(&mut response, DOCS_POLICY, "public, max-age=3600");
    Ok(response)
}

/// The same for whoever has no JavaScript: every route in a line.
fn listing(description: &OpenApi) -> String {
    let mut rows = Vec::new();
    for (path, item) in &description.paths.paths {
        for (method, operation) in [("GET", &item.get), ("POST", &item.post)] {
            if let Some(operation) = operation {
                rows.push((method, path, operation.summary.clone().unwrap_or_default()));
            }
        }
    }
    html! {
        (DOCTYPE)
        html lang="en" {
            (super::pages::head("PRISM: the interface"))
            body {
                main {
                    h1 { "The interface" }
                    p {
                        "All of it with its fields: " a href="/openapi.json" { "openapi.json" } ", or "
                        a href="/docs/" { "a page to try it" } "."
                    }
                    table {
                        caption { "Routes" }
                        thead { tr { th scope="col" { "Method" } th scope="col" { "Path" } th scope="col" { "What it is" } } }
                        tbody {
                            @for (method, path, summary) in &rows {
                                tr { td { (method) } td { code { (path) } } td { (summary) } }
                            }
                        }
                    }
                }
            }
        }
    }
    .into_string()
}

fn listed(listing: &str) -> Response {
    let mut response = of_type("text/html; charset=utf-8", listing.to_owned());
    protect(&mut response, POLICY, "no-cache");
    response
}
