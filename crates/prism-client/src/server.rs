//! Which server is asked, and on which road: straight, or through BASE's master.
//!
//! Parses what a person typed. An address with a name and password in it, a query or a fragment is refused: none of it
//! could be meant, and parts of it would end up where addresses are shown.

use std::fmt;
use std::net::IpAddr;

use prism_core::advice::{Advice, Hint};
use ureq::http::Uri;

/// Longest address that is looked at.
const ADDRESS_BYTES_MAX: usize = 2048;

/// How requests reach the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Road {
    /// Straight to it.
    Direct,
    /// Through BASE's master, which hands uploads over and passes reads on.
    ThroughBase,
}

impl Road {
    /// What stands before the paths of the service.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Direct => "",
            Self::ThroughBase => "/challenges/prism",
        }
    }
}

/// The address of a server: scheme, host, port, perhaps a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Without a slash at its end.
    base: String,
    is_loopback: bool,
}

/// Why a text is no address of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// Not an address at all.
    #[error("this is no address of a server")]
    Malformed,
    /// Neither http nor https.
    #[error("an address begins with http:// or https://")]
    Scheme,
    /// A name or a password in it.
    #[error("this address has a user's name in it")]
    User,
    /// A query or a fragment.
    #[error("this address goes on after its path")]
    Query,
}

impl Advice for ServerError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Malformed => "write it like http://127.0.0.1:8080 or https://example.org".into(),
            Self::Scheme => "write it like http://127.0.0.1:8080".into(),
            Self::User => "leave it out, since requests are signed by your hotkey".into(),
            Self::Query => "leave out everything from `?` or `#` on".into(),
        })
    }
}

impl Server {
    /// Parses an address.
    pub fn parse(address: &str) -> Result<Self, ServerError> {
        if address.len() > ADDRESS_BYTES_MAX {
            return Err(ServerError::Malformed);
        }
        if address.contains(['?', '#']) {
            return Err(ServerError::Query);
        }
        let uri: Uri = address.parse().map_err(|_| ServerError::Malformed)?;
        let Some(scheme @ ("http" | "https")) = uri.scheme_str() else {
            return Err(ServerError::Scheme);
        };
        let authority = uri.authority().ok_or(ServerError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(ServerError::User);
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(ServerError::Malformed);
        }
        Ok(Self {
            base: format!("{scheme}://{authority}{}", uri.path().trim_end_matches('/')),
            is_loopback: is_loopback(host),
        })
    }

    /// Whether requests stay on this machine.
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// The address of a path there.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_people_write_them() {
        for (text, shown, is_loopback) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", true),
            ("http://localhost:8080/", "http://localhost:8080", true),
            ("http://[::1]:8080", "http://[::1]:8080", true),
            ("https://example.org", "https://example.org", false),
            ("https://example.org/base//", "https://example.org/base", false),
            (
                "http://127.0.0.1.example.org",
                "http://127.0.0.1.example.org",
                false,
            ),
        ] {
            let server = Server::parse(text).unwrap();
            assert_eq!(
                (server.to_string().as_str(), server.is_loopback()),
                (shown, is_loopback)
            );
            assert_eq!(server.at("/v1/x"), format!("{shown}/v1/x"));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (text, expected) in [
            ("", ServerError::Malformed),
            ("example.org", ServerError::Scheme),
            ("localhost:8080", ServerError::Scheme),
            ("/v1", ServerError::Scheme),
            ("ftp://example.org", ServerError::Scheme),
            ("file:///etc/passwd", ServerError::Malformed),
            ("http://", ServerError::Malformed),
            ("http:///x", ServerError::Malformed),
            ("http://a b", ServerError::Malformed),
            ("http://a\nb", ServerError::Malformed),
            ("http://user@example.org", ServerError::User),
            ("http://user:secret@example.org", ServerError::User),
            ("http://example.org?x=1", ServerError::Query),
            ("http://example.org/#x", ServerError::Query),
        ] {
            assert_eq!(Server::parse(text), Err(expected), "{text}");
        }
        assert_eq!(
            Server::parse(&format!("http://{}", "a".repeat(3000))),
            Err(ServerError::Malformed)
        );
    }
}
