//! Whom to ask, with which key, and within which bounds.
//!
//! Made by the service's configuration and by the commands. A key is read from a variable or a file, wiped from memory, and
//! shown nowhere: no type here prints it.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use thiserror::Error;
use ureq::http::Uri;

/// How the form of the answer is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Structured {
    /// By `response_format` with a JSON schema.
    Schema,
    /// By one tool that must be called, for endpoints without schemas.
    Tool,
}

/// A secret that the endpoint knows us by.
#[derive(Clone)]
pub struct Key(SecretString);

impl Key {
    /// From its text, white space at its ends stripped; `None` for nothing, and for what no header can hold.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = !text.is_empty() && text.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
        fits.then(|| Self(SecretString::from(text.to_owned())))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// A text with the key blanked out: peers repeat what they were sent.
    pub fn blank(&self, text: &str) -> String {
        text.replace(self.expose(), "[key]")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// An address that requests must not go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// It is none.
    #[error(
        "the address of the reviewer must be as `https://openrouter.ai/api/v1`, without user, query and fragment"
    )]
    NotAnAddress,
    /// The key would be readable on the way.
    #[error(
        "the address of the reviewer must begin with `https://`: `http://` is for this machine and for the gateway of BASE"
    )]
    NotEncrypted,
}

/// Where requests go and with which key.
#[derive(Clone, Debug)]
pub struct Access {
    /// Without a slash at its end.
    base_url: String,
    host: String,
    key: Key,
}

impl Access {
    /// Checks the address. `inside` says that it lies in a network of one's own, where `http://` will do.
    pub fn new(base_url: &str, key: Key, inside: bool) -> Result<Self, AddressError> {
        let base_url = base_url.trim().trim_end_matches('/');
        let uri: Uri = base_url.parse().map_err(|_| AddressError::NotAnAddress)?;
        let authority = uri.authority().ok_or(AddressError::NotAnAddress)?;
        if uri.query().is_some() || authority.as_str().contains('@') || base_url.contains('#') {
            return Err(AddressError::NotAnAddress);
        }
        let host = authority.host().trim_matches(['[', ']']).to_ascii_lowercase();
        let is_loopback = host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if inside || is_loopback => {}
            Some("http") => return Err(AddressError::NotEncrypted),
            _ => return Err(AddressError::NotAnAddress),
        }
        Ok(Self {
            base_url: base_url.to_owned(),
            host,
            key,
        })
    }

    /// The address of a chat.
    pub(crate) fn chat_url(&self) -> String {
        format!("{}/chat/completions", self.base_url)
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self
                .host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }

    /// Whether its own fields of a request are understood.
    pub(crate) fn is_openrouter(&self) -> bool {
        self.host == "openrouter.ai" || self.host.ends_with(".openrouter.ai")
    }

    /// For people.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// What can be set about the reviewer. Everything but the key.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The model that reads.
    pub model: String,
    /// The model that refutes.
    pub second_model: String,
    /// How the form is asked for.
    pub structured: Structured,
    /// Only where it was configured: some models refuse it.
    pub temperature: Option<f64>,
    /// Only where it was configured.
    pub seed: Option<i64>,
    /// Most tokens of an answer.
    pub max_answer_tokens: u32,
    /// Tokens that the model takes, question and answer together.
    pub context_tokens: usize,
    /// Most bytes of source.
    pub max_source_bytes: usize,
    /// For a whole call.
    pub timeout: Duration,
    /// US dollars for a million tokens of a question, where the endpoint says no cost.
    pub usd_per_million_input_tokens: f64,
    /// The same of an answer.
    pub usd_per_million_output_tokens: f64,
    /// In one bare call of so many a violation is planted; never where it is 0.
    pub plant_one_in: u64,
}

impl Settings {
    /// The defaults with a model.
    pub fn new(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            second_model: model.to_owned(),
            structured: Structured::Schema,
            temperature: None,
            seed: None,
            max_answer_tokens: 8192,
            context_tokens: 200_000,
            max_source_bytes: 256 * 1024,
            timeout: Duration::from_mins(3),
            usd_per_million_input_tokens: 5.0,
            usd_per_million_output_tokens: 25.0,
            plant_one_in: 10,
        }
    }

    /// What a call costs at most, in US dollars.
    pub fn cost_estimate_usd(&self, input_tokens: usize) -> f64 {
        self.cost_usd(input_tokens as u64, u64::from(self.max_answer_tokens))
    }

    /// What so many tokens cost by the prices that were set, in US dollars.
    pub fn cost_usd(&self, input_tokens: u64, output_tokens: u64) -> f64 {
        (input_tokens as f64 * self.usd_per_million_input_tokens
            + output_tokens as f64 * self.usd_per_million_output_tokens)
            / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_shown() {
        let key = Key::new(" s3cret-key\n").unwrap();
        let access = Access::new("https://example.org/v1/", key.clone(), false).unwrap();
        assert!(!format!("{key:?} {access:?}").contains("s3cret"));
        assert_eq!(key.blank("no: s3cret-key!"), "no: [key]!");
        assert!(Key::new(" ").is_none() && Key::new("a b").is_none() && Key::new("a\r\nX: b").is_none());
    }

    #[test]
    fn a_key_goes_over_no_open_wire() {
        let of = |url: &str, inside| {
            Access::new(url, Key::new("k").unwrap(), inside).map(|access| access.chat_url())
        };
        assert_eq!(
            of("https://a.b/c/", false),
            Ok("https://a.b/c/chat/completions".into())
        );
        assert_eq!(
            of("http://127.0.0.1:1/v1", false),
            Ok("http://127.0.0.1:1/v1/chat/completions".into())
        );
        assert!(of("http://localhost:1", false).is_ok() && of("http://[::1]:1", false).is_ok());
        assert_eq!(of("http://a.b", false), Err(AddressError::NotEncrypted));
        assert!(of("http://gateway:8080/llm/openrouter", true).is_ok());
        for wrong in [
            "",
            "a.b",
            "ftp://a.b",
            "https://u:p@a.b",
            "https://a.b/?x=1",
            "https://a.b/#x",
            "http:///x",
        ] {
            assert_eq!(of(wrong, true), Err(AddressError::NotAnAddress), "{wrong}");
        }
    }
}
