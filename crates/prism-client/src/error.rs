//! What can go wrong with a request, and what was not done then.
//!
//! The caller must know whether a request may have arrived: [`ClientError::Unreachable`] says that it has not,
//! [`ClientError::Lost`] that it may. What a server says of a refusal is a [`Problem`]: its words, bounded, not escaped.

use std::time::Duration;

use prism_core::advice::{Advice, Hint};
use prism_key::random::RandomError;
use serde_json::Value;

/// What stands before the id of a request.
const REQUEST_URN: &str = "urn:prism:request:";
/// Characters of a server's sentence that are kept.
const DETAIL_CHARACTERS_MAX: usize = 2000;
/// Characters of its code or request id.
const CODE_CHARACTERS_MAX: usize = 100;
/// Faults of a 422 that are kept.
const FAULTS_MAX: usize = 20;

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum ClientError {
    #[error("cannot reach {server}: {cause}")]
    Unreachable { server: String, cause: String },
    /// It was sent, and the answer did not come; it may have been done.
    #[error("{server} did not answer: {cause}; what was asked may have been done all the same")]
    Lost { server: String, cause: String },
    #[error("{server} refuses: {problem}")]
    Refused { server: String, problem: Box<Problem> },
    #[error("{server} redirects to {to}, and signed requests follow nobody")]
    Redirected { server: String, to: String },
    #[error("the answer of {server} cannot be understood: {what}")]
    Unexpected { server: String, what: String },
    #[error("the answer of {server} has more than {limit_bytes} bytes and was left there")]
    TooLarge { server: String, limit_bytes: u64 },
    /// The kernel gave no nonce.
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error("this is no id of a submission")]
    Id,
}

impl Advice for ClientError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Unreachable { .. } => "is it the right --url, and does the server run?".into(),
            Self::Redirected { .. } => "give the address itself as --url".into(),
            Self::Unexpected { .. } => "is it a PRISM service, and of this version?".into(),
            Self::TooLarge { .. } => "is it a PRISM service?".into(),
            Self::Id => "`prism submit` prints it, like 8f0e7c1e-...".into(),
            Self::Random(error) => return error.hint(),
            _ => return None,
        })
    }
}

/// A refusal, in the words of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its status.
    pub status: u16,
    /// Its stable name, where it has one.
    pub code: Option<String>,
    /// Its sentence.
    pub detail: String,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
    /// The name under which the server knows the request.
    pub request_id: Option<String>,
}

impl ClientError {
    /// What happened, without the advice: for a line that says what is done about it.
    pub fn brief(&self) -> String {
        match self {
            Self::Unreachable { server, cause } | Self::Lost { server, cause } => {
                format!("{server}: {cause}")
            }
            Self::Refused { server, problem } => format!("{server}: {problem}"),
            Self::Redirected { .. }
            | Self::Unexpected { .. }
            | Self::TooLarge { .. }
            | Self::Random(_)
            | Self::Id => self.to_string(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.detail)?;
        let code = self.code.as_deref().unwrap_or("no code");
        write!(f, " ({}, {code})", self.status)?;
        if let Some(pause) = self.retry_after {
            write!(f, "; it asks to wait {} s", pause.as_secs())?;
        }
        Ok(())
    }
}

impl Problem {
    /// What a body says about a refusal, whatever it is.
    pub(crate) fn read(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let object: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| Some(short(object.get(name)?.as_str()?, CODE_CHARACTERS_MAX));
        Self {
            status,
            code: text("code"),
            detail: detail(&object).unwrap_or_else(|| format!("status {status} without a reason")),
            retry_after,
            request_id: text("instance").and_then(|urn| Some(urn.strip_prefix(REQUEST_URN)?.to_owned())),
        }
    }
}

/// The sentence of a refusal: a string, the contract's list of faults, or an object that holds one of these.
fn detail(object: &Value) -> Option<String> {
    let said = object.get("detail").unwrap_or(object);
    let text = match said {
        Value::String(text) => text.clone(),
        Value::Array(faults) => {
            let faults: Vec<_> = faults.iter().take(FAULTS_MAX).filter_map(fault).collect();
            faults.join("; ")
        }
        Value::Object(_) => ["detail", "title"]
            .iter()
            .find_map(|name| said.get(name)?.as_str())?
            .to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    };
    (!text.trim().is_empty()).then(|| short(&text, DETAIL_CHARACTERS_MAX))
}

/// `header x-nonce: field required`.
fn fault(fault: &Value) -> Option<String> {
    let words = fault.get("msg")?.as_str()?;
    let place: Vec<_> = fault
        .get("loc")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|part| part.as_str())
        .collect();
    Some(format!("{}: {words}", place.join(" ")))
}

/// The beginning of a text.
pub(crate) fn short(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Problem {
        Problem::read(422, None, body.as_bytes())
    }

    #[test]
    fn a_refusal_is_read_in_every_form_that_servers_use() {
        let ours = read(
            r#"{"type":"about:blank","title":"T","status":409,"detail":"used","code":"nonce_used","instance":"urn:prism:request:r1"}"#,
        );
        assert_eq!(
            (
                ours.code.as_deref(),
                ours.detail.as_str(),
                ours.request_id.as_deref()
            ),
            (Some("nonce_used"), "used", Some("r1"))
        );
        for (body, expected) in [
            (r#"{"detail":"submission not found"}"#, "submission not found"),
            (
                r#"{"detail":[{"type":"missing","loc":["header","x-nonce"],"msg":"Field required","input":null}, 7]}"#,
                "header x-nonce: Field required",
            ),
            (r#"{"detail":{"code":"a","detail":"b"}}"#, "b"),
            (r#"{"title":"Not Found"}"#, "Not Found"),
            (r#"{"detail":null}"#, "status 422 without a reason"),
            (r#"{"detail":" "}"#, "status 422 without a reason"),
            (r#"{"detail":[]}"#, "status 422 without a reason"),
            ("<html>Bad Gateway</html>", "status 422 without a reason"),
            ("", "status 422 without a reason"),
            ("[1]", "status 422 without a reason"),
        ] {
            assert_eq!(read(body).detail, expected, "{body}");
        }
    }

    #[test]
    fn a_refusal_is_bounded() {
        let long = "é".repeat(1 << 20);
        let problem = read(&format!(r#"{{"detail":"{long}","code":"{long}"}}"#));
        assert_eq!(problem.detail.chars().count(), DETAIL_CHARACTERS_MAX + 1);
        assert_eq!(problem.code.unwrap().chars().count(), CODE_CHARACTERS_MAX + 1);
    }
}
