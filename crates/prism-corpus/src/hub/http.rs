//! One request to the Hub or to where it redirects, bounded in time.
//!
//! The only place here that touches the HTTP library. It follows no redirect by itself, since the token must not go with
//! it: whoever asks decides where to go on.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use prism_core::escape::is_harmful;
use ureq::http::header::{AUTHORIZATION, CONTENT_RANGE, ETAG, LOCATION, RANGE, RETRY_AFTER};
use ureq::http::{HeaderMap, Request, Response, Uri};
use ureq::{Agent, Body};
use zeroize::Zeroizing;

use super::{HubError, Patience};

/// Characters of an answer that are shown.
const SHOWN_CHARACTERS_MAX: usize = 200;
/// How often a wait looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// Why a request brought nothing.
#[derive(Debug)]
pub(super) enum Fault {
    /// It may be tried again, after so long if the server said so.
    Again(HubError, Option<Duration>),
    /// It may not.
    Final(HubError),
}

/// The client, and to whom the token may go.
pub(super) struct Http {
    agent: Agent,
    endpoint: Uri,
    token: Option<Zeroizing<String>>,
    pub(super) patience: Patience,
}

/// An answer whose body is still to be read.
pub(super) struct Answer {
    pub(super) response: Response<Body>,
    pub(super) uri: Uri,
}

impl Http {
    pub(super) fn new(
        endpoint: &str,
        token: Option<Zeroizing<String>>,
        patience: Patience,
    ) -> Result<Self, HubError> {
        let wrong = |problem: &str| HubError::Option {
            option: "HF_ENDPOINT",
            problem: problem.to_owned(),
        };
        let endpoint: Uri = endpoint
            .trim_end_matches('/')
            .parse()
            .map_err(|_| wrong("it is no address"))?;
        let host = endpoint.host().unwrap_or_default().to_owned();
        let is_loopback = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
        match endpoint.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback => {}
            _ => return Err(wrong("it must begin with https://, or lie on this machine")),
        }
        let builder = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("prism/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(patience.connect))
            .timeout_connect(Some(patience.connect))
            .timeout_send_request(Some(patience.connect))
            .timeout_recv_response(Some(patience.answer))
            .timeout_per_read(Some(patience.silence));
        // What stays on this machine needs no proxy, whatever the environment says.
        let builder = if is_loopback { builder.proxy(None) } else { builder };
        Ok(Self {
            agent: builder.build().new_agent(),
            endpoint,
            token,
            patience,
        })
    }

    /// The address of a path of the Hub.
    pub(super) fn at(&self, path: &str) -> String {
        let base = self.endpoint.to_string();
        format!("{}{path}", base.trim_end_matches('/'))
    }

    /// Whether an address is the Hub's own: scheme, host and port.
    pub(super) fn is_hub(&self, uri: &Uri) -> bool {
        uri.scheme() == self.endpoint.scheme() && uri.authority() == self.endpoint.authority()
    }

    /// Asks for an address, perhaps for a range of its bytes: the last one is included.
    pub(super) fn get(&self, address: &str, range: Option<(u64, u64)>) -> Result<Answer, Fault> {
        let uri: Uri = address
            .parse()
            .map_err(|_| Fault::Final(self.unexpected(None, "an address", "it is no address")))?;
        let mut request = Request::builder().method("GET").uri(&uri);
        if let Some((first, last)) = range {
            request = request.header(RANGE, format!("bytes={first}-{last}"));
        }
        if let Some(token) = self.token.as_ref().filter(|_| self.is_hub(&uri)) {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.as_str()));
        }
        let request = request
            .body(())
            .map_err(|_| Fault::Final(self.unexpected(Some(&uri), "an address", "it cannot be asked for")))?;
        match self.agent.run(request) {
            Ok(response) => Ok(Answer { response, uri }),
            Err(error) => {
                let error = HubError::Unreachable {
                    host: host(&uri),
                    cause: short(&error.to_string()),
                };
                Err(Fault::Again(error, None))
            }
        }
    }

    /// Where a redirect leads, if the answer is one.
    pub(super) fn redirect(&self, answer: &Answer, what: &str) -> Result<Option<String>, Fault> {
        if !answer.response.status().is_redirection() {
            return Ok(None);
        }
        let from = &answer.uri;
        let bad = |problem| Err(Fault::Final(self.unexpected(Some(from), what, problem)));
        let Some(to) = text(answer.response.headers(), LOCATION.as_str()) else {
            return bad("a redirect without an address");
        };
        let to = if to.starts_with('/') && !to.starts_with("//") {
            format!(
                "{}://{}{to}",
                from.scheme_str().unwrap_or("https"),
                from.authority().map(ToString::to_string).unwrap_or_default()
            )
        } else {
            to
        };
        let Ok(uri) = to.parse::<Uri>() else {
            return bad("a redirect to what is no address");
        };
        if is_as_safe(from, &uri) {
            Ok(Some(to))
        } else {
            bad("a redirect away from https")
        }
    }

    /// A status that is no success, as an error.
    pub(super) fn refusal(&self, answer: &Answer, what: &str) -> Fault {
        let status = answer.response.status().as_u16();
        let headers = answer.response.headers();
        let (host, what) = (host(&answer.uri), what.to_owned());
        let code = text(headers, "x-error-code").unwrap_or_default();
        match status {
            404 | 410 => Fault::Final(HubError::NotFound { host, what }),
            401 | 403 => Fault::Final(HubError::Forbidden {
                host,
                what,
                why: if code.is_empty() { status.to_string() } else { code },
            }),
            408 | 429 | 500..=599 => {
                let wait = text(headers, RETRY_AFTER.as_str())
                    .and_then(|seconds| seconds.trim().parse().ok())
                    .map(Duration::from_secs);
                if let Some(wait) = wait.filter(|wait| *wait > self.patience.longest_pause) {
                    return Fault::Final(HubError::Busy { host, wait });
                }
                Fault::Again(HubError::Status { host, what, status }, wait)
            }
            _ => Fault::Final(HubError::Unexpected {
                host,
                what,
                problem: format!("status {status}"),
            }),
        }
    }

    pub(super) fn unexpected(&self, uri: Option<&Uri>, what: &str, problem: &str) -> HubError {
        HubError::Unexpected {
            host: host(uri.unwrap_or(&self.endpoint)),
            what: what.to_owned(),
            problem: short(problem),
        }
    }

    /// Asks the Hub for a body of bounded length, again where that may help. The next page's address comes with it.
    pub(super) fn body(
        &self,
        address: &str,
        what: &str,
        bytes_max: u64,
    ) -> Result<(Vec<u8>, Option<String>), HubError> {
        let stop = AtomicBool::new(false);
        patiently(&self.patience, &stop, || {
            let mut address = address.to_owned();
            for _ in 0..5 {
                let mut answer = self.get(&address, None)?;
                if let Some(to) = self.redirect(&answer, what)? {
                    address = to;
                    continue;
                }
                if !answer.response.status().is_success() {
                    return Err(self.refusal(&answer, what));
                }
                let mut body = Vec::new();
                let reader = answer.response.body_mut().as_reader();
                reader
                    .take(bytes_max + 1)
                    .read_to_end(&mut body)
                    .map_err(|error| {
                        let cause = short(&error.to_string());
                        let host = host(&answer.uri);
                        Fault::Again(HubError::Unreachable { host, cause }, None)
                    })?;
                if body.len() as u64 > bytes_max {
                    let problem = format!("more than {bytes_max} bytes");
                    return Err(Fault::Final(self.unexpected(Some(&answer.uri), what, &problem)));
                }
                let next = next_page(answer.response.headers());
                let is_safe = |next: &String| next.parse().is_ok_and(|uri| is_as_safe(&answer.uri, &uri));
                if next.as_ref().is_some_and(|next| !is_safe(next)) {
                    let problem = "a next page away from https";
                    return Err(Fault::Final(self.unexpected(Some(&answer.uri), what, problem)));
                }
                return Ok((body, next));
            }
            Err(Fault::Final(self.unexpected(None, what, "too many redirects")))
        })
    }
}

/// Tries something until it works, is final, or was tried often enough.
pub(super) fn patiently<T>(
    patience: &Patience,
    stop: &AtomicBool,
    mut work: impl FnMut() -> Result<T, Fault>,
) -> Result<T, HubError> {
    let mut tries = 0;
    loop {
        match work() {
            Ok(done) => return Ok(done),
            Err(Fault::Final(error)) => return Err(error),
            Err(Fault::Again(error, wait)) => {
                tries += 1;
                if tries >= patience.tries {
                    return Err(error);
                }
                pause(patience, tries, wait, stop)?;
            }
        }
    }
}

/// Waits before a try: as long as the server asked for, or twice as long as before.
pub(super) fn pause(
    patience: &Patience,
    tries: u32,
    wait: Option<Duration>,
    stop: &AtomicBool,
) -> Result<(), HubError> {
    let doubled = patience
        .first_pause
        .saturating_mul(1u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX));
    let until = Instant::now() + wait.unwrap_or(doubled).min(patience.longest_pause);
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(HubError::Cancelled);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(LOOK));
    }
}

/// A header as text.
pub(super) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    value.to_str().ok().map(str::to_owned)
}

/// An entity tag without its marks.
pub(super) fn etag(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = text(headers, name)?;
    let bare = value.trim().trim_start_matches("W/").trim_matches('"');
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// The entity tag of a body.
pub(super) fn own_etag(headers: &HeaderMap) -> Option<String> {
    etag(headers, ETAG.as_str())
}

/// First and last byte of a part, and the length of the whole.
pub(super) fn content_range(headers: &HeaderMap) -> Option<(u64, u64, u64)> {
    let value = text(headers, CONTENT_RANGE.as_str())?;
    let (range, whole) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, whole.parse().ok()?))
}

/// Whether the way from one address to another stays encrypted, if it was.
fn is_as_safe(from: &Uri, to: &Uri) -> bool {
    matches!(
        (from.scheme_str(), to.scheme_str()),
        (_, Some("https")) | (Some("http"), Some("http"))
    )
}

/// The address of the next page of a listing.
fn next_page(headers: &HeaderMap) -> Option<String> {
    let value = text(headers, "link")?;
    value.split(',').find_map(|link| {
        let (address, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
        rest.contains("rel=\"next\"").then(|| address.to_owned())
    })
}

pub(super) fn host(uri: &Uri) -> String {
    uri.host().unwrap_or("the Hub").to_owned()
}

/// One line of bounded length that is safe to be shown.
pub(super) fn short(text: &str) -> String {
    let plain = text.chars().map(|c| if is_harmful(c) { ' ' } else { c });
    plain.take(SHOWN_CHARACTERS_MAX).collect()
}
