//! What the commands have in common that ask a service: its address, whose key signs, and how its refusals end.
//!
//! Reading order: here, `keys` (which key) with `password`, `follow` (a submission on its way), `shown` (a submission in
//! words). Every text of the server passes through [`show::line`] or [`show::quoted`] before anybody sees it.

pub(super) mod follow;
pub(super) mod keys;
mod password;
pub(super) mod shown;

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use prism_client::{Client, ClientError, Problem, Road, Server};

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::show;

/// Where `prism serve` listens when nothing else is said.
pub(super) const DEFAULT_URL: &str = "http://127.0.0.1:8080";
/// Longest code of a server that is passed on.
const CODE_BYTES_MAX: usize = 64;

/// Which service is asked.
#[derive(Debug, Args)]
pub(super) struct ServiceArgs {
    /// The address of the service
    #[arg(long, default_value = DEFAULT_URL, value_name = "URL")]
    url: String,
    /// The address is that of BASE's master, which passes requests on to the service
    #[arg(long)]
    via_base: bool,
}

impl ServiceArgs {
    /// Who is asked.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let server = Server::parse(&self.url).map_err(|error| {
            let text = format!("--url {}: {error}", show::line(&self.url));
            Failure::usage("url", &text)
        })?;
        let road = if self.via_base {
            Road::ThroughBase
        } else {
            Road::Direct
        };
        Ok(Client::new(server, road))
    }

    /// The flags that lead to the same service, for a command that is to be typed next.
    pub(super) fn words(&self) -> String {
        let mut words = String::new();
        if self.url != DEFAULT_URL {
            words.push_str(" --url ");
            words.push_str(&show::line(&self.url));
        }
        if self.via_base {
            words.push_str(" --via-base");
        }
        words
    }
}

/// Now, for a signature. A clock before 1970 signs with 0, and the server says what is wrong with that.
pub(super) fn now_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Tells that a signed request is sent again.
pub(super) fn again(output: Output) -> impl FnMut(&ClientError, Duration) {
    move |error, pause| {
        let line = show::line(&error.brief());
        output.note(format_args!(
            "{line}; the same request goes out again in {:.1} s",
            pause.as_secs_f64()
        ));
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        failure(&error)
    }
}

/// How a command ends that got no answer, or one that it cannot use.
pub(super) fn failure(error: &ClientError) -> Failure {
    let failure = match error {
        ClientError::Unreachable { .. } => Failure::machine("service_unreachable", error),
        ClientError::Lost { .. } => Failure::machine("answer_lost", error),
        ClientError::Redirected { .. } => Failure::usage("service_redirects", error),
        ClientError::Unexpected { .. } | ClientError::TooLarge { .. } => {
            Failure::machine("answer_unexpected", error)
        }
        ClientError::Random(_) => Failure::machine("random", error),
        ClientError::Id => Failure::usage("submission_id", error),
        ClientError::Refused { server, problem } => return refused(server, problem),
    };
    Failure {
        detail: show::line(&failure.detail),
        ..failure
    }
}

/// A refusal in the words of the server. They may hold advice, and are not taken for ours.
fn refused(server: &str, problem: &Problem) -> Failure {
    let detail = show::line(&problem.detail);
    let code = problem
        .code
        .as_deref()
        .filter(|code| is_code(code))
        .map(str::to_owned);
    let named = code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
    let mut text = format!("{server} refuses: {detail} ({}{named})", problem.status);
    if let Some(pause) = problem.retry_after {
        let _ = write!(text, ", and asks to wait {} s", pause.as_secs());
    }
    if let Some(id) = &problem.request_id {
        let _ = write!(text, ", request {}", show::line(id));
    }
    Failure {
        exit: exit_of_refusal(problem.status),
        code: code.map_or("refused".into(), Into::into),
        detail: text,
        hint: None,
    }
}

/// Codes go where programs match on them, so they are words.
fn is_code(text: &str) -> bool {
    (1..=CODE_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whose business a refusal is: the bundle's, what was typed, or nobody's here.
fn exit_of_refusal(status: u16) -> Exit {
    match status {
        413 => Exit::Submission,
        408 | 429 | 500.. => Exit::Machine,
        _ => Exit::Usage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16, code: &str, detail: &str) -> Failure {
        refused(
            "http://s",
            &Problem {
                status,
                code: Some(code.to_owned()),
                detail: detail.to_owned(),
                retry_after: None,
                request_id: None,
            },
        )
    }

    #[test]
    fn a_refusal_keeps_its_code_and_its_words() {
        let failure = problem(401, "stale_signature", "stale signature: too old; set the clock");
        assert_eq!((failure.exit, &*failure.code), (Exit::Usage, "stale_signature"));
        assert_eq!(
            (failure.detail.as_str(), failure.hint.as_deref()),
            (
                "http://s refuses: stale signature: too old; set the clock (401 stale_signature)",
                None
            )
        );
        assert_eq!(problem(413, "too_large", "x").exit, Exit::Submission);
        assert_eq!(problem(507, "disk_full", "x").exit, Exit::Machine);
        assert_eq!(problem(429, "rate_limited", "x").exit, Exit::Machine);
    }

    #[test]
    fn a_refusal_is_one_harmless_line() {
        let failure = problem(400, "Not A Code\n", "a\n\u{1b}[2Jerror: b");
        assert_eq!(&*failure.code, "refused");
        assert_eq!(failure.detail, "http://s refuses: a\\n\\u{1b}[2Jerror: b (400)");
        let lost = super::failure(&ClientError::Lost {
            server: "http://s".into(),
            cause: "x\u{1b}\n".into(),
        });
        assert!(!lost.detail.contains(['\u{1b}', '\n']), "{lost:?}");
    }

    #[test]
    fn a_wait_is_told() {
        let failure = refused(
            "http://s",
            &Problem {
                status: 429,
                code: None,
                detail: "slower".into(),
                retry_after: Some(Duration::from_secs(7)),
                request_id: Some("r1".into()),
            },
        );
        assert_eq!(
            failure.detail,
            "http://s refuses: slower (429), and asks to wait 7 s, request r1"
        );
    }
}
