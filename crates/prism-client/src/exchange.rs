//! One request and its answer, bounded in time and bytes.
//!
//! The only place that touches the HTTP library. Knows nothing of submissions: paths and bodies go in, a status and bytes
//! come out, and every way to fail is told apart by whether the request can have arrived.

use std::io::{self, Read as _};
use std::time::Duration;

use ureq::http::header::{CONTENT_ENCODING, LOCATION, RETRY_AFTER};
use ureq::http::{self, HeaderMap, Response};
use ureq::{Agent, Body, Error, Timeout};

use crate::error::{ClientError, Problem, short};
use crate::patience::Patience;
use crate::server::Server;

/// A body that is larger asks first whether it is wanted, so that a refusal is heard and not a broken pipe.
const EXPECT_ABOVE_BYTES: usize = 256 * 1024;
/// Bytes of a refusal that are read.
const REFUSAL_BYTES_MAX: u64 = 256 * 1024;
/// Characters of a header that are shown.
const HEADER_CHARACTERS_MAX: usize = 500;
/// The longest wait that is believed.
const RETRY_AFTER_SECONDS_MAX: u64 = 366 * 86_400;

/// One request, without its server.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'static str,
    /// With its query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: &'a [u8],
    /// Bytes of the answer that are taken.
    pub(crate) answer_bytes_max: u64,
}

/// Settings for requests with an answer that ends soon.
pub(crate) fn agent(server: &Server, patience: &Patience) -> Agent {
    builder(server, patience)
        .timeout_recv_body(Some(patience.body))
        .build()
        .new_agent()
}

/// Settings for streams: they may last, and must not be silent.
pub(crate) fn stream_agent(server: &Server, patience: &Patience) -> Agent {
    builder(server, patience)
        .timeout_per_read(Some(patience.silence))
        .build()
        .new_agent()
}

fn builder(server: &Server, patience: &Patience) -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    let builder = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("prism/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_send_request(Some(patience.send))
        .timeout_send_body(Some(patience.send))
        .timeout_recv_response(Some(patience.answer));
    // What stays on this machine needs no proxy, whatever the environment says.
    if server.is_loopback() {
        builder.proxy(None)
    } else {
        builder
    }
}

/// Sends a request and reads the body of its answer, which is a success.
pub(crate) fn exchange(
    agent: &Agent,
    server: &Server,
    request: &Request<'_>,
) -> Result<Vec<u8>, ClientError> {
    let mut response = send(agent, server, request)?;
    read(server, &mut response, request.answer_bytes_max)
}

/// Sends a request; what comes back is a success whose body is still to be read.
pub(crate) fn send(
    agent: &Agent,
    server: &Server,
    request: &Request<'_>,
) -> Result<Response<Body>, ClientError> {
    let mut built = http::Request::builder()
        .method(request.method)
        .uri(server.at(&request.path));
    for (name, value) in &request.headers {
        built = built.header(*name, value);
    }
    if request.body.len() > EXPECT_ABOVE_BYTES {
        built = built.header("expect", "100-continue");
    }
    let wrong = |error: http::Error| unexpected(server, format!("the request cannot be written: {error}"));
    let sent = if request.method == "GET" {
        agent.run(built.body(()).map_err(wrong)?)
    } else {
        agent.run(built.body(request.body).map_err(wrong)?)
    };
    let mut response = sent.map_err(|error| broken(server, &error))?;
    let status = response.status();
    if status.is_success() {
        let encoding = header(response.headers(), &CONTENT_ENCODING);
        return match encoding.as_str() {
            "" | "identity" => Ok(response),
            other => Err(unexpected(
                server,
                format!("it is compressed ({other}), which nobody asked for"),
            )),
        };
    }
    if status.is_redirection() {
        let to = header(response.headers(), &LOCATION);
        let server = server.to_string();
        return Err(ClientError::Redirected { server, to });
    }
    let retry_after = retry_after(response.headers());
    // A refusal counts by its status, even where its words do not arrive.
    let body = read(server, &mut response, REFUSAL_BYTES_MAX).unwrap_or_default();
    Err(ClientError::Refused {
        server: server.to_string(),
        problem: Box::new(Problem::read(status.as_u16(), retry_after, &body)),
    })
}

fn read(server: &Server, response: &mut Response<Body>, bytes_max: u64) -> Result<Vec<u8>, ClientError> {
    let too_large = || ClientError::TooLarge {
        server: server.to_string(),
        limit_bytes: bytes_max,
    };
    if response
        .body()
        .content_length()
        .is_some_and(|length| length > bytes_max)
    {
        return Err(too_large());
    }
    let mut body = Vec::new();
    response
        .body_mut()
        .as_reader()
        .take(bytes_max + 1)
        .read_to_end(&mut body)
        .map_err(|error| lost(server, cut(&error)))?;
    if body.len() as u64 > bytes_max {
        return Err(too_large());
    }
    Ok(body)
}

/// Why a body could not be read to its end.
pub(crate) fn cut(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(inner) => cause(inner),
        None => error.to_string(),
    }
}

/// A request that was not answered: whether it can have arrived.
fn broken(server: &Server, error: &Error) -> ClientError {
    let never_sent = match error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect)
        | Error::HostNotFound
        | Error::ConnectionFailed
        | Error::ConnectProxyFailed(_)
        | Error::InvalidProxyUrl
        | Error::Tls(_)
        | Error::Rustls(_)
        | Error::TlsRequired
        | Error::BadUri(_)
        | Error::Http(_) => true,
        Error::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::AddrNotAvailable
        ),
        Error::LargeResponseHeader(..) | Error::Protocol(_) => {
            return unexpected(server, cause(error));
        }
        // The library may grow other errors: whatever they are, the request may have arrived.
        _ => false,
    };
    if never_sent {
        let server = server.to_string();
        let cause = cause(error);
        return ClientError::Unreachable { server, cause };
    }
    lost(server, cause(error))
}

/// An error of the library in a few words.
fn cause(error: &Error) -> String {
    match error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
            "no connection within the time limit".to_owned()
        }
        Error::Timeout(Timeout::PerRead) => "nothing came for too long".to_owned(),
        Error::Timeout(Timeout::RecvResponse) => "no answer within the time limit".to_owned(),
        Error::Timeout(Timeout::RecvBody) => "the answer did not end within the time limit".to_owned(),
        Error::Timeout(_) => "the time limit was reached".to_owned(),
        Error::HostNotFound => "there is no host of this name".to_owned(),
        Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

pub(crate) fn lost(server: &Server, cause: String) -> ClientError {
    let server = server.to_string();
    ClientError::Lost { server, cause }
}

pub(crate) fn unexpected(server: &Server, what: String) -> ClientError {
    let server = server.to_string();
    ClientError::Unexpected { server, what }
}

fn header(headers: &HeaderMap, name: &http::HeaderName) -> String {
    let value = headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    short(&value.unwrap_or_default(), HEADER_CHARACTERS_MAX)
}

/// Seconds alone: no server of ours sends a date, and a clock would be needed to understand one.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = header(headers, &RETRY_AFTER).trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(RETRY_AFTER_SECONDS_MAX)))
}
