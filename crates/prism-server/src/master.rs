//! Whether a request is the master's: its token, compared in constant time, and the name of this challenge.
//!
//! The first thing that every internal route asks. Without a configured token the answer is always no.

use http::{HeaderMap, header};
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use crate::problem::{Code, Problem};
use crate::settings::Settings;

const SLUG_HEADER: &str = "x-base-challenge-slug";
const SCHEME: &[u8] = b"Bearer ";

/// The request comes from the master.
pub(crate) fn check(headers: &HeaderMap, settings: &Settings) -> Result<(), Problem> {
    let Some(token) = &settings.token else {
        return Err(Problem::new(
            Code::TokenNotConfigured,
            "Internal challenge token is not configured",
        ));
    };
    let token = token.expose_secret().as_bytes();
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let sent = values.next().map(http::HeaderValue::as_bytes);
    let is_right = match (sent.and_then(|value| value.strip_prefix(SCHEME)), values.next()) {
        // An empty token is none: it would be everybody's.
        (Some(sent), None) => bool::from(sent.ct_eq(token)) && !token.is_empty(),
        _ => false,
    };
    if !is_right {
        return Err(Problem::new(Code::InvalidToken, "Invalid internal authorization"));
    }
    let slug = headers.get(SLUG_HEADER).map(http::HeaderValue::as_bytes);
    if slug != Some(settings.slug.as_bytes()) {
        return Err(Problem::new(Code::WrongSlug, "Invalid challenge slug header"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::HeaderValue;
    use prism_core::time::Timestamp;
    use secrecy::SecretString;

    use super::*;

    fn code(token: Option<&str>, headers: &[(&'static str, &'static str)]) -> Option<Code> {
        let mut settings = Settings::new(Arc::new(|| Timestamp(0)));
        settings.token = token.map(SecretString::from);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        check(&map, &settings).err().map(|problem| problem.code())
    }

    #[test]
    fn only_the_whole_token_with_the_right_slug_passes() {
        let slug = ("x-base-challenge-slug", "prism");
        let right = ("authorization", "Bearer secret");
        assert_eq!(code(Some("secret"), &[right, slug]), None);
        for value in [
            "bearer secret",
            "Bearer  secret",
            "Bearer secre",
            "Bearer secrets",
            "Bearer ",
            "secret",
            "",
        ] {
            let headers = [("authorization", value), slug];
            assert_eq!(
                code(Some("secret"), &headers),
                Some(Code::InvalidToken),
                "{value}"
            );
        }
        assert_eq!(code(Some("secret"), &[slug]), Some(Code::InvalidToken));
        assert_eq!(
            code(Some("secret"), &[right, right, slug]),
            Some(Code::InvalidToken)
        );
        assert_eq!(
            code(Some(""), &[("authorization", "Bearer "), slug]),
            Some(Code::InvalidToken)
        );
        assert_eq!(code(None, &[right, slug]), Some(Code::TokenNotConfigured));
        for wrong in [
            ("x-base-challenge-slug", "other"),
            ("x-platform-challenge-slug", "prism"),
            ("x-other", ""),
        ] {
            assert_eq!(code(Some("secret"), &[right, wrong]), Some(Code::WrongSlug));
        }
    }
}
