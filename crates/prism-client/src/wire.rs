//! What comes back: the objects of the API, as far as a person is shown them.
//!
//! Fields that are not here are kept in [`Got::raw`] and otherwise passed over, so that an older client reads a newer
//! server. A field of a wrong type is an error. Every text is the server's: whoever shows it escapes it.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error::ClientError;

pub mod board;
pub mod weights;

/// Longest id of a submission.
const ID_BYTES_MAX: usize = 64;

/// An object of the server, read and as it came.
#[derive(Clone, Debug)]
pub struct Got<T> {
    /// What is understood of it.
    pub value: T,
    /// All of it.
    pub raw: Value,
}

impl<T: DeserializeOwned> Got<T> {
    /// Reads a JSON body; the error says what is wrong with it.
    pub(crate) fn read(body: &[u8]) -> Result<Self, String> {
        let raw: Value = serde_json::from_slice(body).map_err(|error| format!("it is no JSON: {error}"))?;
        let value = T::deserialize(&raw).map_err(|error| error.to_string())?;
        Ok(Self { value, raw })
    }
}

/// The id of a submission: what may stand in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id(String);

impl Id {
    /// Parses an id: letters, digits and `-`.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if (1..=ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ClientError::Id)
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|_| serde::de::Error::custom("an id that is none"))
    }
}

/// A submission.
#[derive(Clone, Debug, Deserialize)]
pub struct Submission {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub hotkey: String,
    /// `pending`, `running`, or how it ended, in the words of the contract.
    pub status: String,
    /// The same in the words of the service, which knows `cancelled` and `invalidated` too.
    pub state: Option<String>,
    /// Its round.
    pub round: Option<String>,
    /// The name that it gives itself.
    pub name: Option<String>,
    /// Hash of the upload.
    pub code_hash: Option<String>,
    /// When it was accepted.
    pub created_at: Option<String>,
    /// What keeps it from going on, or ended it.
    pub error: Option<String>,
    /// What is done with it, while it is pending or running.
    pub stage: Option<String>,
    /// Stable code of how it stands.
    pub reason: Option<String>,
    /// The same in a sentence.
    pub detail: Option<String>,
    /// Its place in the queue, from 1.
    #[serde(default, deserialize_with = "number_or_nothing")]
    pub position: Option<f64>,
    /// Seconds until it is done, as far as that is known.
    #[serde(default, deserialize_with = "number_or_nothing")]
    pub estimate_seconds: Option<f64>,
    /// Its score.
    pub final_score: Option<f64>,
    /// Bits per byte.
    pub bpb: Option<f64>,
    /// Their standard error.
    pub bpb_se: Option<f64>,
    /// What is remarkable about it.
    #[serde(default, deserialize_with = "or_default")]
    pub flags: Vec<String>,
    /// Its rank.
    pub rank: Option<u64>,
    /// Its tie group.
    pub tie_group: Option<u64>,
    /// Whether its score is still to be confirmed.
    #[serde(default, deserialize_with = "or_default")]
    pub provisional: bool,
    /// Its weight.
    pub weight: Option<f64>,
    /// Bytes of the stream that were read.
    pub covered_bytes: Option<u64>,
    /// Bytes of the stream.
    pub stream_bytes: Option<u64>,
    /// Its evaluations.
    #[serde(default, deserialize_with = "or_default")]
    pub attempts: Vec<Attempt>,
    /// What its hotkey has left today; told with the answer to an upload.
    pub budget: Option<Budget>,
}

impl Submission {
    /// Whether nothing happens to it any more by itself.
    pub fn is_over(&self) -> bool {
        !matches!(self.status.as_str(), "pending" | "running")
    }

    /// How it stands, in the most exact word that the server has for it.
    pub fn standing(&self) -> &str {
        self.state.as_deref().unwrap_or(&self.status)
    }
}

/// One evaluation of a submission.
#[derive(Clone, Debug, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub number: u64,
    /// What it is for.
    pub kind: String,
    /// How it stands.
    pub state: String,
    /// When it began.
    pub started_at: Option<String>,
    /// When it ended.
    pub ended_at: Option<String>,
    /// Why it ended.
    pub reason: Option<String>,
}

/// Something that happened to a submission.
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    /// Its number; events of a submission have rising ones.
    pub seq: u64,
    /// When.
    pub at: String,
    /// The status from then on, in the words of the contract.
    pub status: String,
    /// The same in the words of the service.
    pub state: Option<String>,
    /// The stage from then on.
    pub stage: Option<String>,
    /// Stable code of why.
    pub reason: Option<String>,
    /// The same in a sentence.
    pub detail: Option<String>,
}

/// How far an evaluation is.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Progress {
    /// Bytes that were read.
    pub covered_bytes: u64,
    /// Bytes in all.
    pub stream_bytes: u64,
    /// Bits per byte so far.
    pub mean_bpb: Option<f64>,
    /// Steps so far.
    pub steps: Option<u64>,
}

/// What a hotkey has left of its day.
#[derive(Clone, Debug, Deserialize)]
pub struct Budget {
    /// Uploads.
    pub uploads: Option<Spent>,
    /// Scored runs.
    pub scored_runs: Option<Spent>,
}

/// A part of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Spent {
    /// Spent today.
    pub used: u64,
    /// What there is each day.
    pub limit: u64,
}

/// `null` where a list or a truth value belongs.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A number; a word such as `unknown` counts as none.
fn number_or_nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_is_read_with_few_fields_and_with_many() {
        let few = br#"{"id":"a-1","hotkey":"5x","epoch_id":7,"status":"pending","code_hash":"00","created_at":"t"}"#;
        let got = Got::<Submission>::read(few).unwrap();
        assert!(!got.value.is_over() && got.value.attempts.is_empty());
        assert_eq!(got.raw["epoch_id"], 7);
        let many = br#"{"id":"a","hotkey":"5x","status":"completed","position":null,"estimate_seconds":"unknown",
            "flags":null,"provisional":null,"attempts":[{"number":1,"kind":"main","state":"ended","new":1}],"rank":1}"#;
        let got = Got::<Submission>::read(many).unwrap().value;
        assert!(got.is_over() && got.estimate_seconds.is_none() && got.attempts.len() == 1);
    }

    #[test]
    fn wrong_types_are_errors_and_so_is_an_id_that_leads_elsewhere() {
        for body in [
            "",
            "[]",
            "null",
            "{}",
            r#"{"id":"a","hotkey":"5x","status":7}"#,
            r#"{"id":"a","hotkey":"5x","status":"pending","rank":"first"}"#,
            r#"{"id":"a","hotkey":"5x","status":"pending","rank":-1}"#,
            r#"{"id":"a","hotkey":"5x","status":"pending","attempts":{}}"#,
            r#"{"id":"../admin","hotkey":"5x","status":"pending"}"#,
            r#"{"id":"","hotkey":"5x","status":"pending"}"#,
            r#"{"id":"a?x=1","hotkey":"5x","status":"pending"}"#,
        ] {
            assert!(Got::<Submission>::read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
