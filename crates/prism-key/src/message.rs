//! What is signed, byte for byte.
//!
//! The client signs these texts and the server verifies them; each is here once. Values go in as they stand in the
//! headers: nothing is trimmed, decoded or written anew, since then the two sides could differ. None of the texts can be
//! taken for one of another kind: each begins with its own name.

use prism_core::hash::Sha256Hash;

/// The network number of BASE's subnet.
pub const BASE_NETUID: u16 = 100;
/// The name under which BASE's registry knows this challenge.
pub const BASE_SLUG: &str = "prism";
/// The path of an upload through BASE, on its master.
pub const BASE_UPLOAD_PATH: &str = "/v1/challenges/prism/submissions";

/// Who asks, and when: the three header values that every signed request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp<'a> {
    /// The SS58 address as it was sent.
    pub hotkey: &'a str,
    /// A text that this hotkey uses once.
    pub nonce: &'a str,
    /// Unix seconds, decimal, as they were sent.
    pub timestamp: &'a str,
}

/// An upload straight to the service: `POST /v1/submissions`. `body` is the hash of the bytes on the wire.
pub fn upload(stamp: Stamp<'_>, body: &Sha256Hash) -> String {
    let Stamp {
        hotkey,
        nonce,
        timestamp,
    } = stamp;
    format!("prism:{hotkey}:{nonce}:{timestamp}:{body}")
}

/// A request of a submission's owner: cancel, logs, traceback. `path` is without the query; `body` is the hash of the
/// bytes on the wire, for a GET of none.
pub fn request(method: &str, path: &str, stamp: Stamp<'_>, body: &Sha256Hash) -> String {
    let Stamp {
        hotkey,
        nonce,
        timestamp,
    } = stamp;
    format!("prism-request:{method}:{path}:{hotkey}:{nonce}:{timestamp}:{body}")
}

/// An upload through BASE's master, which verifies it: `POST` of [`BASE_UPLOAD_PATH`] there.
pub fn base_upload(stamp: Stamp<'_>, body: &Sha256Hash) -> String {
    let Stamp {
        hotkey,
        nonce,
        timestamp,
    } = stamp;
    format!(
        "base-upload-v1:{BASE_NETUID}:{BASE_SLUG}:POST:{BASE_UPLOAD_PATH}:{hotkey}:{nonce}:{timestamp}:{body}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp<'_> = Stamp {
        hotkey: "5Hk",
        nonce: "n1",
        timestamp: "1767225600",
    };

    #[test]
    fn the_texts_are_those_of_the_contract() {
        let body = Sha256Hash::of(b"");
        let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(upload(STAMP, &body), format!("prism:5Hk:n1:1767225600:{hash}"));
        assert_eq!(
            request("GET", "/v1/submissions/x/logs", STAMP, &body),
            format!("prism-request:GET:/v1/submissions/x/logs:5Hk:n1:1767225600:{hash}")
        );
        assert_eq!(
            base_upload(STAMP, &body),
            format!(
                "base-upload-v1:100:prism:POST:/v1/challenges/prism/submissions:5Hk:n1:1767225600:{hash}"
            )
        );
    }
}
