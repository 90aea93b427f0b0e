//! What every request passes on its way in and out: an id, limits, a log line, headers that protect.
//!
//! Two layers around all routes. [`observe`] is the outer one: the id, the log, the counters and the headers of the answer,
//! whatever happened within. [`protect`] is the inner one: who asks and how often, how long an answer may take, and the id
//! in refusals. Neither ever logs a query, a header or a body.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tracing::{Instrument as _, debug, info, info_span, warn};

use crate::accept::Peer;
use crate::app::App;
use crate::network::{self, client_address};
use crate::problem::{Code, Problem, with_instance};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What the master puts on requests that it passes on.
const BASE_PROXY: &str = "x-base-proxy";
/// No page but ours, and nothing in it unless the page itself says so.
const STRICTEST_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// Shorter answers are not compressed: it would not save a packet.
const COMPRESS_FROM_BYTES: u64 = 1024;
/// Label of requests that match no route.
const NO_ROUTE: &str = "none";

/// The id of a request: in its answer, in the log, in each refusal.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// The address of whoever sent a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) IpAddr);

/// Ids that no other request of this process has, nor one of another process.
pub(crate) struct RequestIds {
    process: String,
    next: AtomicU64,
}

impl RequestIds {
    /// Ids that begin with these digits.
    pub(crate) fn new(process: String) -> Self {
        Self {
            process,
            next: AtomicU64::new(1),
        }
    }

    fn next(&self) -> RequestId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        RequestId(format!("{}-{number:x}", self.process))
    }
}

/// The outer layer.
pub(crate) async fn observe(
    State((app, ids)): State<(Arc<App>, Arc<RequestIds>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let id = ids.next();
    let peer = request
        .extensions()
        .get::<Peer>()
        .map_or(network::UNKNOWN, |peer| peer.0.ip());
    let client = client_address(peer, request.headers(), &app.settings.trusted_proxies);
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(Client(client));
    let is_proxied = request.headers().contains_key(BASE_PROXY);
    let is_internal = request.uri().path().starts_with("/internal/");
    if is_proxied || is_internal {
        // The master decodes what it passes on and leaves the header that says it is encoded.
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(NO_ROUTE, MatchedPath::as_str)
        .to_owned();
    let span = info_span!("request", id = %id.0, method = known_method(&method), route = %route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = began.elapsed();
    let status = response.status();
    app.metrics
        .answered(&route, known_method(&method), status.as_u16(), took);
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let is_usual_read = method.is_safe() && (status.is_success() || status.is_redirection());
    span.in_scope(|| {
        if status.is_server_error() {
            warn!(status = status.as_u16(), took_us, "answered");
        } else if is_usual_read {
            debug!(status = status.as_u16(), took_us, "answered");
        } else {
            info!(status = status.as_u16(), took_us, "answered");
        }
    });
    let headers = response.headers_mut();
    // Hexadecimal digits and a hyphen are a header value.
    if let Ok(value) = HeaderValue::try_from(id.0) {
        headers.insert(REQUEST_ID, value);
    }
    protect_reader(headers);
    if !is_proxied && !is_internal && matches!(method, Method::GET | Method::HEAD | Method::OPTIONS) {
        allow_readers_of_other_pages(headers);
    }
    response
}

/// Labels are a closed set: a method is a text that a stranger chooses.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn protect_reader(headers: &mut HeaderMap) {
    let mut default = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::REFERRER_POLICY, "no-referrer");
    default(header::CONTENT_SECURITY_POLICY, STRICTEST_POLICY);
    default(header::CACHE_CONTROL, "no-store");
}

/// Anybody's page may read what is public. There are no cookies to be sent along.
fn allow_readers_of_other_pages(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("etag, retry-after, x-request-id"),
    );
}

/// The answer to a browser that asks whether it may ask, and to anybody who asks what a path takes: the router adds
/// `Allow` to whatever is answered where a method has no handler. What is no route stays what it is.
fn preflight(routed: Response) -> Response {
    if routed.status() != http::StatusCode::METHOD_NOT_ALLOWED {
        return routed;
    }
    let mut response = http::StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "if-none-match, last-event-id",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "3600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The inner layer.
pub(crate) async fn protect(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let response = match admit(&app, &request) {
        Ok(limit) => {
            let is_preflight =
                request.method() == Method::OPTIONS && !request.uri().path().starts_with("/internal/");
            match tokio::time::timeout(limit, next.run(request)).await {
                Ok(response) if is_preflight => preflight(response),
                Ok(response) => response,
                Err(_) => Problem::new(
                    Code::TimedOut,
                    "the answer took too long; try again, and tell the operator if it stays so",
                )
                .retry_after(5)
                .into_response(),
            }
        }
        Err(problem) => problem.into_response(),
    };
    match id {
        Some(id) => with_instance(response, &id.0),
        None => response,
    }
}

/// Whether the client may ask once more, and how long the answer may take.
fn admit(app: &App, request: &Request) -> Result<Duration, Problem> {
    let limits = &app.settings.limits;
    // The master speaks for everybody; its token is checked by each of these routes, before anything else.
    let is_internal = request.uri().path().starts_with("/internal/");
    let client = request
        .extensions()
        .get::<Client>()
        .map_or(network::UNKNOWN, |client| client.0);
    if !is_internal || crate::master::check(request.headers(), &app.settings).is_err() {
        app.count(&app.rates.requests, client)?;
    }
    Ok(if request.method() == Method::POST {
        limits.answer_timeout + limits.body_timeout
    } else {
        limits.answer_timeout
    })
}

/// Texts that are longer than a packet. Archives and streams are sent as they are.
pub(crate) fn is_worth_compressing(
    _: http::StatusCode,
    _: http::Version,
    headers: &HeaderMap,
    _: &http::Extensions,
) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let kind = text(header::CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_text = kind == "application/json" || (kind.starts_with("text/") && kind != "text/event-stream");
    let bytes = text(header::CONTENT_LENGTH).and_then(|value| value.parse::<u64>().ok());
    is_text && bytes.is_none_or(|bytes| bytes >= COMPRESS_FROM_BYTES)
}

/// The answer to a request whose handler panicked.
pub(crate) fn panicked(app: &App) -> Response {
    app.metrics.panics.inc();
    tracing::error!("a request panicked");
    Problem::internal().into_response()
}
