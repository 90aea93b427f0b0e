//! A JSON answer that is made once and sent many times: its bytes, compressed too where that pays, and its entity tag.
//!
//! Made whenever the board, the weights or the rules change; routes only hand it out. What changes with each request
//! does not belong here.

use std::io::Write as _;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use prism_core::hash::Sha256Hash;
use serde::Serialize;

/// Shorter answers are not compressed: it would not save a packet.
const COMPRESS_FROM_BYTES: usize = 1024;
/// Hexadecimal digits of an entity tag.
const TAG_DIGITS: usize = 32;

/// A JSON text, ready to be sent.
#[derive(Clone, Debug)]
pub struct Prepared {
    plain: Bytes,
    gzip: Option<Bytes>,
    tag: HeaderValue,
}

impl Prepared {
    /// The JSON of a value.
    pub fn json(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::to_vec(value).map(Self::of_json_text)
    }

    /// A text that is JSON already.
    pub fn of_json_text(text: Vec<u8>) -> Self {
        let gzip = (text.len() >= COMPRESS_FROM_BYTES)
            .then(|| compressed(&text))
            .flatten();
        Self {
            gzip,
            ..Self::short(text)
        }
    }

    /// The same for a text that is made while its client waits and is hardly sent again: compressing would cost more than
    /// making it.
    pub(crate) fn short(text: Vec<u8>) -> Self {
        Self {
            tag: tag_of(&text),
            plain: text.into(),
            gzip: None,
        }
    }

    /// The text.
    pub fn text(&self) -> &[u8] {
        &self.plain
    }

    /// The answer to a request with these headers: 304 where it has the same already.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        if has_tag(request, &self.tag) {
            return not_modified(&self.tag);
        }
        // The edge has taken `Accept-Encoding` away where the contract forbids compression.
        let gzip = self.gzip.as_ref().filter(|_| takes_gzip(request));
        let mut response = Body::from(gzip.unwrap_or(&self.plain).clone()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ETAG, self.tag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
        if gzip.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

/// The weak entity tag of a text: compressed or not, it is the same.
pub(crate) fn tag_of(text: &[u8]) -> HeaderValue {
    let digest = Sha256Hash::of(text).to_string();
    // Hexadecimal digits in quotes are a header value.
    HeaderValue::try_from(format!("W/\"{}\"", &digest[..TAG_DIGITS]))
        .unwrap_or_else(|_| HeaderValue::from_static("W/\"\""))
}

/// Whether the client has what this tag stands for.
pub(crate) fn has_tag(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let Ok(tag) = tag.to_str() else { return false };
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim() == "*" || opaque(known) == opaque(tag))
}

/// The client has it already.
pub(crate) fn not_modified(tag: &HeaderValue) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn takes_gzip(request: &HeaderMap) -> bool {
    request
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
            let is_refused = quality
                .trim()
                .strip_prefix("q=")
                .is_some_and(|q| q.trim().parse() == Ok(0.0));
            name.trim().eq_ignore_ascii_case("gzip") && !is_refused
        })
}

fn compressed(text: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn request(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        headers
            .iter()
            .map(|(name, value)| {
                let name = http::HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            })
            .collect()
    }

    #[test]
    fn a_known_tag_is_answered_with_nothing() {
        let prepared = Prepared::json(&[1, 2]).unwrap();
        let tag = prepared.tag.to_str().unwrap().to_owned();
        let strong = tag.trim_start_matches("W/").to_owned();
        for value in [tag.clone(), strong, format!("\"a\", {tag}"), "*".to_owned()] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::try_from(&value).unwrap());
            assert_eq!(
                prepared.answer(&headers).status(),
                StatusCode::NOT_MODIFIED,
                "{value}"
            );
        }
        for value in ["\"a\"", "", "W/"] {
            let headers = request(&[("if-none-match", value)]);
            assert_eq!(prepared.answer(&headers).status(), StatusCode::OK, "{value}");
        }
        assert_ne!(prepared.tag, Prepared::json(&[1, 3]).unwrap().tag);
    }

    #[test]
    fn it_is_compressed_for_who_takes_that_and_if_it_is_long() {
        let long = Prepared::json(&vec![7; 2000]).unwrap();
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&long.gzip.clone().unwrap()[..])
            .read_to_end(&mut text)
            .unwrap();
        assert_eq!(text, long.text());
        let encoding = |prepared: &Prepared, accept| {
            let answer = prepared.answer(&request(&[("accept-encoding", accept)]));
            answer.headers().get(header::CONTENT_ENCODING).is_some()
        };
        assert!(encoding(&long, "deflate, gzip;q=0.5"));
        assert!(encoding(&long, "GZIP"));
        assert!(!encoding(&long, "gzip; q=0"));
        assert!(!encoding(&long, "identity"));
        assert!(!encoding(&Prepared::json(&[7]).unwrap(), "gzip"));
    }
}
