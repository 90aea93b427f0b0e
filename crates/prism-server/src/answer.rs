//! Answers that are made for one request: JSON with an entity tag, and the two ways in which nothing is found.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use tracing::error;

use crate::app::Answer;
use crate::edge::Client;
use crate::network;
use crate::prepared::{Prepared, has_tag, not_modified, tag_of};
use crate::problem::Problem;

/// JSON that nobody keeps.
pub(crate) fn json(value: &impl Serialize) -> Answer {
    Ok(of_type("application/json", text_of(value)?))
}

/// JSON of a public read: whoever has it already is told so.
pub(crate) fn tagged_json(request: &HeaderMap, value: &impl Serialize) -> Answer {
    let text = text_of(value)?;
    let tag = tag_of(&text);
    if has_tag(request, &tag) {
        return Ok(not_modified(&tag));
    }
    let mut response = of_type("application/json", text);
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// JSON of a few kilobytes that may be sent more than once.
pub(crate) fn prepared(value: &impl Serialize) -> Answer<Prepared> {
    text_of(value).map(Prepared::short)
}

fn text_of(value: &impl Serialize) -> Answer<Vec<u8>> {
    serde_json::to_vec(value).map_err(|failure| {
        error!(error = %failure, "an answer has no JSON form");
        Problem::internal()
    })
}

/// Bytes of a type.
pub(crate) fn of_type(kind: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Body::from(body.into()).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// An answer that was given before, word for word.
pub(crate) fn given(status_code: u16, body: Vec<u8>) -> Response {
    let mut response = of_type("application/json", body);
    *response.status_mut() = StatusCode::from_u16(status_code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// There is no submission with this id.
pub(crate) fn no_submission() -> Problem {
    Problem::not_found("submission not found")
}

/// The one variable part of a path. What cannot be decoded names nothing.
pub(crate) struct PathPart(pub(crate) String);

/// The two variable parts of a path.
pub(crate) struct PathParts(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathPart {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::<String>::from_request_parts(parts, state)
            .await
            .map(|part| Self(part.0))
            .map_err(|_| Problem::not_found("Not Found"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathParts {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path((one, other))| Self(one, other))
            .map_err(|_| Problem::not_found("Not Found"))
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(network::UNKNOWN)))
    }
}
