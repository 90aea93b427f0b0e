//! One call to the endpoint, bounded in time and bytes. The only place of this crate that touches the network.
//!
//! Blocking: whoever wants several at once has several threads, and whoever waits for its turn has none. No redirect is
//! followed, since the key would go along. No error holds the key, and none what the endpoint said.

use std::io::Read as _;
use std::time::Instant;

use ureq::Agent;
use ureq::http::header::RETRY_AFTER;

use crate::access::{Access, Settings};
use crate::answer::Charge;
use crate::case::{Case, View};
use crate::decision::{Outcome, Purpose, Unreachable};
use crate::judge::NoVote;
use crate::prompt::{Draw, Prompt};
use crate::wire::{self, Understood, Usage};

/// Bytes of an answer that are read.
const BODY_BYTES_MAX: u64 = 1024 * 1024;

/// A call that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Called {
    /// What it is worth.
    pub outcome: Outcome,
    /// What it took.
    pub usage: Usage,
    /// What it cost, in US dollars: as the endpoint says, else by the prices that were set. 0 where no answer came.
    pub cost_usd: f64,
    /// How long it took.
    pub seconds: f64,
    /// The beginning of the model's text, the key blanked out.
    pub raw: Option<String>,
    /// Whether a violation was planted.
    pub planted: bool,
}

/// Asks an endpoint.
pub struct Client {
    access: Access,
    settings: Settings,
    agent: Agent,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("access", &self.access)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Connects to nobody yet.
    pub fn new(access: Access, settings: Settings) -> Self {
        let builder = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("prism/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(settings.timeout))
            .timeout_global(Some(settings.timeout));
        // What stays on this machine needs no proxy, whatever the environment says.
        let builder = if access.is_loopback() {
            builder.proxy(None)
        } else {
            builder
        };
        Self {
            agent: builder.build().new_agent(),
            access,
            settings,
        }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whom it asks.
    pub fn host(&self) -> &str {
        self.access.host()
    }

    /// What would be asked.
    pub fn prompt(case: &Case, purpose: Purpose, charges: &[Charge], draw: &Draw) -> Prompt {
        match purpose {
            Purpose::Bare => Prompt::reading(case, View::Bare, draw),
            Purpose::Full => Prompt::reading(case, View::Full, draw),
            Purpose::Refute => Prompt::refutation(case, charges, draw),
        }
    }

    /// Whether source and prompt fit; if not, in a sentence. Nothing is ever cut.
    pub fn too_large(&self, case: &Case, prompt: &Prompt) -> Option<String> {
        let bytes = case.source_bytes();
        if bytes > self.settings.max_source_bytes {
            return Some(format!(
                "the source has {bytes} bytes; the reviewer reads at most {}",
                self.settings.max_source_bytes
            ));
        }
        let answer = usize::try_from(self.settings.max_answer_tokens).unwrap_or(usize::MAX);
        let tokens = prompt.tokens_estimate();
        (tokens.saturating_add(answer) > self.settings.context_tokens).then(|| {
            format!(
                "the source is up to {tokens} tokens as the reviewer sees it; with {answer} for the answer that is more than the \
                 {} that its model takes: fewer and longer lines are fewer tokens",
                self.settings.context_tokens
            )
        })
    }

    /// Asks, and judges what comes back.
    pub fn call(&self, case: &Case, purpose: Purpose, prompt: &Prompt) -> Called {
        let body = wire::request(&self.access, &self.settings, purpose, prompt);
        let begun = Instant::now();
        let got = self.exchange(&body);
        let seconds = begun.elapsed().as_secs_f64();
        let Understood { outcome, usage, raw } = match got {
            Ok(bytes) => wire::understand(case, &self.settings, purpose, prompt, &bytes),
            Err(outcome) => Understood {
                outcome,
                usage: Usage::default(),
                raw: None,
            },
        };
        let cost_usd = match (&outcome, usage.cost_usd) {
            (_, Some(cost)) => cost,
            (Outcome::Unreachable { .. } | Outcome::Setup { .. }, None) => 0.0,
            (Outcome::Vote(_) | Outcome::NoVote { .. }, None) => self.settings.cost_usd(
                usage.input_tokens.unwrap_or(prompt.tokens_estimate() as u64),
                usage
                    .output_tokens
                    .unwrap_or(u64::from(self.settings.max_answer_tokens)),
            ),
        };
        let blank = |text: Option<String>| text.map(|text| self.access.key().blank(&text));
        let usage = Usage {
            model: blank(usage.model),
            provider: blank(usage.provider),
            ..usage
        };
        Called {
            outcome,
            usage,
            cost_usd,
            seconds,
            raw: blank(raw),
            planted: prompt.planted,
        }
    }

    /// The body of a success, or what became of it.
    fn exchange(&self, body: &[u8]) -> Result<Vec<u8>, Outcome> {
        let unreachable = |why| Outcome::Unreachable {
            why,
            retry_after_seconds: None,
        };
        let of_error = |error: &ureq::Error| match error {
            ureq::Error::Timeout(_) => unreachable(Unreachable::Timeout),
            _ => unreachable(Unreachable::Connection),
        };
        let mut response = self
            .agent
            .post(self.access.chat_url())
            .header("authorization", format!("Bearer {}", self.access.key().expose()))
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .send(body)
            .map_err(|error| of_error(&error))?;
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.trim().parse().ok());
        if let Some(outcome) = wire::of_status(response.status().as_u16(), retry_after) {
            return Err(outcome);
        }
        let mut bytes = Vec::new();
        let read = response
            .body_mut()
            .as_reader()
            .take(BODY_BYTES_MAX + 1)
            .read_to_end(&mut bytes);
        match read {
            Ok(_) if bytes.len() as u64 > BODY_BYTES_MAX => Err(Outcome::NoVote { why: NoVote::TooLong }),
            Ok(_) => Ok(bytes),
            Err(error) => {
                let is_timeout = error.kind() == std::io::ErrorKind::TimedOut
                    || error
                        .get_ref()
                        .and_then(|inner| inner.downcast_ref::<ureq::Error>())
                        .is_some_and(|inner| matches!(inner, ureq::Error::Timeout(_)));
                Err(unreachable(if is_timeout {
                    Unreachable::Timeout
                } else {
                    Unreachable::Connection
                }))
            }
        }
    }
}
