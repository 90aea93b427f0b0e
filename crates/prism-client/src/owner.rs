//! What only the owner of a submission may ask: cancel it, appeal, read its logs, its traceback and its review.
//!
//! Each request is signed with a nonce of its own. A cancellation is sent again as it is until its answer is there; a read is
//! sent once, and whoever wants to read again signs again. The header names are ones that pass BASE's proxy, and the path
//! that is signed is the one that the service sees.

use prism_core::hash::Sha256Hash;
use prism_key::message::{self, Stamp};
use prism_key::{Keypair, random};
use serde::Deserialize;

use crate::client::{ANSWER_BYTES_MAX, Again, Client};
use crate::error::ClientError;
use crate::exchange::{self, Request};
use crate::wire::{Got, Id, Submission};

/// A part of what a run has printed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Logs {
    /// Byte at which the text begins; later than asked for where older text is gone.
    pub since: u64,
    /// Byte at which the next part begins; absent where nothing will follow.
    pub next: Option<u64>,
    /// The text, as the run printed it.
    pub text: String,
}

/// What the reviewer said of a submission.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Reviewed {
    /// `enforce`, `advisory` or `off`.
    pub mode: String,
    /// The model that read it.
    pub model: Option<String>,
    /// `passed`, `rejected` or `held`, once it is known.
    pub verdict: Option<String>,
    /// What it is charged with.
    pub charges: Vec<Charge>,
    /// Whether it may be appealed against.
    pub may_appeal: bool,
    /// When it was.
    pub appealed_at: Option<String>,
}

/// A violation of a rule of the reviewer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Charge {
    /// The code of the rule.
    pub rule: String,
    /// Its title.
    pub title: Option<String>,
    /// The file.
    pub path: String,
    /// The line.
    pub line: u64,
    /// That line.
    pub quote: String,
    /// Why, in the words of the model.
    pub why: String,
}

#[derive(Deserialize)]
struct WireTraceback {
    traceback: Option<String>,
}

impl Client {
    /// Cancels a submission. `again` hears of each further try.
    pub fn cancel(
        &self,
        key: &Keypair,
        id: &Id,
        now_seconds: u64,
        again: &mut Again<'_>,
    ) -> Result<Got<Submission>, ClientError> {
        let path = format!("/v1/submissions/{id}/cancel");
        let request = self.signed_by_owner("POST", &path, "", b"", key, now_seconds)?;
        self.understood(&self.insist(&request, again)?)
    }

    /// What its run has printed, from a byte on that an earlier answer named.
    pub fn logs(
        &self,
        key: &Keypair,
        id: &Id,
        since: Option<u64>,
        now_seconds: u64,
    ) -> Result<Logs, ClientError> {
        let query = since.map(|since| format!("?since={since}")).unwrap_or_default();
        let path = format!("/v1/submissions/{id}/logs");
        let request = self.signed_by_owner("GET", &path, &query, b"", key, now_seconds)?;
        let answer = exchange::exchange(&self.agent, &self.server, &request)?;
        Ok(self.understood(&answer)?.value)
    }

    /// The traceback of a run that failed, if it left one.
    pub fn traceback(&self, key: &Keypair, id: &Id, now_seconds: u64) -> Result<Option<String>, ClientError> {
        let path = format!("/v1/submissions/{id}/traceback");
        let request = self.signed_by_owner("GET", &path, "", b"", key, now_seconds)?;
        let answer = exchange::exchange(&self.agent, &self.server, &request)?;
        Ok(self.understood::<WireTraceback>(&answer)?.value.traceback)
    }

    /// Appeals against a rejection by the reviewer. `again` hears of each further try.
    pub fn appeal(
        &self,
        key: &Keypair,
        id: &Id,
        text: &str,
        now_seconds: u64,
        again: &mut Again<'_>,
    ) -> Result<Got<Submission>, ClientError> {
        let path = format!("/v1/submissions/{id}/appeal");
        let body = serde_json::json!({ "text": text }).to_string();
        let request = self.signed_by_owner("POST", &path, "", body.as_bytes(), key, now_seconds)?;
        self.understood(&self.insist(&request, again)?)
    }

    /// What the reviewer said of it.
    pub fn review(&self, key: &Keypair, id: &Id, now_seconds: u64) -> Result<Got<Reviewed>, ClientError> {
        let path = format!("/v1/submissions/{id}/review");
        let request = self.signed_by_owner("GET", &path, "", b"", key, now_seconds)?;
        let answer = exchange::exchange(&self.agent, &self.server, &request)?;
        self.understood(&answer)
    }

    /// A request that is signed over `path` and the body, and not over the query.
    fn signed_by_owner<'b>(
        &self,
        method: &'static str,
        path: &str,
        query: &str,
        body: &'b [u8],
        key: &Keypair,
        now_seconds: u64,
    ) -> Result<Request<'b>, ClientError> {
        let hotkey = key.hotkey().to_string();
        let nonce = random::nonce()?;
        let timestamp = now_seconds.to_string();
        let stamp = Stamp {
            hotkey: &hotkey,
            nonce: &nonce,
            timestamp: &timestamp,
        };
        let text = message::request(method, path, stamp, &Sha256Hash::of(body));
        let signature = key.sign(text.as_bytes()).to_string();
        Ok(Request {
            method,
            path: format!("{}{path}{query}", self.road.prefix()),
            headers: vec![
                ("accept", "application/json".to_owned()),
                ("x-prism-hotkey", hotkey),
                ("x-prism-nonce", nonce),
                ("x-prism-timestamp", timestamp),
                ("x-prism-signature", signature),
            ],
            body,
            answer_bytes_max: ANSWER_BYTES_MAX,
        })
    }
}
