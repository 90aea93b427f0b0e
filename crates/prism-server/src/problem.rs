//! Every answer that is not a success, as problem details (RFC 9457): a closed list of codes, one sentence, one form.
//!
//! Made by whoever refuses a request, turned into bytes here and nowhere else. `detail` is a string, since clients of the
//! contract read one; for 422 it is the list that the contract shows. No text here ever holds a token, a signature or a
//! submission's source.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Characters of what was sent that an answer repeats.
const INPUT_CHARACTERS_MAX: usize = 128;

macro_rules! codes {
    ($($variant:ident = $code:literal, $status:ident, $title:literal;)*) => {
        /// Which refusal it is. Codes are stable: programs match on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $variant,)* }

        impl Code {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The status of the answer.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// What the code means, the same for each occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    InvalidJson = "invalid_json", BAD_REQUEST, "The body is not JSON";
    InvalidTimestamp = "invalid_timestamp", BAD_REQUEST, "The time stamp is no integer";
    WrongSlug = "wrong_slug", BAD_REQUEST, "The request is for another challenge";
    HashMismatch = "hash_mismatch", BAD_REQUEST, "The body has another hash than announced";
    BodyIncomplete = "body_incomplete", BAD_REQUEST, "The body ended early";
    NotOffered = "not_offered", NOT_FOUND, "This service does not offer that";
    InvalidToken = "invalid_token", UNAUTHORIZED, "The internal token is missing or wrong";
    StaleSignature = "stale_signature", UNAUTHORIZED, "The signature is too old, or from the future";
    InvalidSignature = "invalid_signature", UNAUTHORIZED, "The signature is not valid";
    ValidatorHotkey = "validator_hotkey", FORBIDDEN, "Validators do not submit";
    NotOwner = "not_owner", FORBIDDEN, "The submission belongs to another hotkey";
    NotYetPublic = "not_yet_public", FORBIDDEN, "Published when the round closes";
    NotPublic = "not_public", FORBIDDEN, "The round does not publish this";
    NotFound = "not_found", NOT_FOUND, "Not found";
    PublicSubmissionsOff = "public_submissions_off", NOT_FOUND, "Direct uploads are switched off";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The request came too slowly";
    NonceUsed = "nonce_used", CONFLICT, "The nonce has been used";
    NoRound = "no_round", CONFLICT, "No round is open";
    WrongState = "wrong_state", CONFLICT, "Not possible in the present state";
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "Too large";
    UnsupportedEncoding = "unsupported_encoding", UNSUPPORTED_MEDIA_TYPE, "Compressed bodies are not taken";
    InvalidRequest = "invalid_request", UNPROCESSABLE_ENTITY, "A part of the request is missing or wrong";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests";
    BudgetSpent = "budget_spent", TOO_MANY_REQUESTS, "The budget of the day is spent";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error";
    TokenNotConfigured = "token_not_configured", SERVICE_UNAVAILABLE, "No internal token is configured";
    Busy = "busy", SERVICE_UNAVAILABLE, "The service is busy";
    TimedOut = "timed_out", SERVICE_UNAVAILABLE, "The answer took too long";
    DiskFull = "disk_full", INSUFFICIENT_STORAGE, "The disk is full";
}

/// One thing that is wrong with a request, in the form that clients of the contract know.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Fault {
    /// Kind of fault, such as `missing`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Where: `header`, `query`, `path` or `body`, then the name.
    loc: Vec<String>,
    /// A sentence.
    msg: String,
    /// The beginning of what was sent, or null.
    #[schema(value_type = Option<String>)]
    input: Value,
    /// The bound that was passed, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    ctx: Option<Value>,
}

impl Fault {
    /// Something is wrong at `place` (`header`, ...), `name`.
    pub fn new(kind: &'static str, place: &str, name: &str, msg: impl Into<String>) -> Self {
        let mut loc = vec![place.to_owned()];
        if !name.is_empty() {
            loc.push(name.to_owned());
        }
        Self {
            kind,
            loc,
            msg: msg.into(),
            input: Value::Null,
            ctx: None,
        }
    }

    /// It is required and not there.
    pub fn missing(place: &str, name: &str) -> Self {
        Self::new("missing", place, name, "Field required")
    }

    /// With the beginning of what was sent. Never call this with a signature.
    #[must_use]
    pub fn with_input(mut self, input: &str) -> Self {
        self.input = Value::from(input.chars().take(INPUT_CHARACTERS_MAX).collect::<String>());
        self
    }

    /// With the bound that was passed.
    #[must_use]
    pub fn with_context(mut self, context: Value) -> Self {
        self.ctx = Some(context);
        self
    }

    /// Where it is, for tests and logs.
    pub fn place(&self) -> String {
        self.loc.join(".")
    }

    /// Which kind it is, for tests.
    pub fn kind(&self) -> &'static str {
        self.kind
    }
}

/// What is told about a refusal.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
enum Detail {
    Sentence(String),
    Faults(Vec<Fault>),
}

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    code: Code,
    detail: Detail,
    retry_after_seconds: Option<u64>,
}

/// A refusal, in the form of RFC 9457.
#[derive(Serialize, ToSchema)]
pub struct ProblemDocument {
    /// `urn:prism:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// What the code means.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// Stable code.
    code: &'static str,
    /// A sentence; for 422 the list of what is wrong.
    detail: Detail,
    /// `urn:prism:request:` and the id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
}

impl Problem {
    /// With one sentence for the client: what is wrong and what to do.
    pub fn new(code: Code, sentence: impl Into<String>) -> Self {
        Self {
            code,
            detail: Detail::Sentence(sentence.into()),
            retry_after_seconds: None,
        }
    }

    /// Parts of the request are missing or wrong.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        Self {
            code: Code::InvalidRequest,
            detail: Detail::Faults(faults),
            retry_after_seconds: None,
        }
    }

    /// Nothing is there, said with the words of the contract.
    pub fn not_found(sentence: &str) -> Self {
        Self::new(Code::NotFound, sentence)
    }

    /// Ours. What happened is in the log under the id of the request, and not in the answer.
    pub fn internal() -> Self {
        Self::new(
            Code::Internal,
            "an internal error; tell the operator the id of this request (`instance`)",
        )
    }

    /// With the seconds after which another try makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds.max(1));
        self
    }

    /// Which refusal it is.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// The body of the answer, without the id of a request: what is stored for a request that is repeated.
    pub fn body(&self) -> Value {
        self.body_with(None)
    }

    fn body_with(&self, instance: Option<&str>) -> Value {
        let body = ProblemDocument {
            kind: format!("urn:prism:problem:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.status().as_u16(),
            code: self.code.as_str(),
            detail: self.detail.clone(),
            instance: instance.map(|id| format!("urn:prism:request:{id}")),
        };
        serde_json::to_value(body).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    /// The id of the request is added by [`with_instance`], outside of the routes.
    fn into_response(self) -> Response {
        let body = self.body().to_string();
        let mut response = (self.status(), body).into_response();
        headers(response.headers_mut(), &self);
        response.extensions_mut().insert(self);
        response
    }
}

fn headers(headers: &mut HeaderMap, problem: &Problem) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = problem.retry_after_seconds {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.status() == StatusCode::UNAUTHORIZED {
        let scheme = match problem.code {
            Code::InvalidToken => "Bearer",
            _ => "Prism-Signature",
        };
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
    }
    if matches!(problem.status(), StatusCode::REQUEST_TIMEOUT) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

/// The same answer with the id of its request, if it is a refusal of ours. Headers set on the way stay.
pub(crate) fn with_instance(mut response: Response, request_id: &str) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    let body = problem.body_with(Some(request_id)).to_string();
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = body.into();
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_of_errors() {
        for (i, &code) in Code::ALL.iter().enumerate() {
            assert!(code.status().is_client_error() || code.status().is_server_error());
            assert!(
                Code::ALL[..i].iter().all(|other| other.as_str() != code.as_str()),
                "{code:?}"
            );
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert!(!code.title().ends_with('.'));
        }
    }

    #[test]
    fn detail_is_a_string_except_where_the_contract_has_a_list() {
        let problem = Problem::new(Code::NonceUsed, "used");
        assert_eq!(problem.body()["detail"], "used");
        assert_eq!(problem.body()["status"], 409);
        assert_eq!(problem.body()["type"], "urn:prism:problem:nonce_used");
        let long = "x".repeat(4000);
        let faults = vec![
            Fault::missing("header", "x-hotkey"),
            Fault::new("greater_than_equal", "query", "days", "small")
                .with_input(&long)
                .with_context(serde_json::json!({"ge": 1})),
        ];
        let body = Problem::invalid(faults).body();
        assert_eq!(
            body["detail"][0]["loc"],
            serde_json::json!(["header", "x-hotkey"])
        );
        assert_eq!(body["detail"][0]["input"], Value::Null);
        assert_eq!(body["detail"][0].get("ctx"), None);
        assert_eq!(
            body["detail"][1]["input"].as_str().map(str::len),
            Some(INPUT_CHARACTERS_MAX)
        );
        assert_eq!(body["detail"][1]["ctx"]["ge"], 1);
    }

    #[test]
    fn the_id_of_the_request_is_added_once_and_headers_stay() {
        let response = Problem::new(Code::RateLimited, "slower")
            .retry_after(0)
            .into_response();
        let response = with_instance(response, "abc");
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert!(response.extensions().get::<Problem>().is_none());
    }
}
