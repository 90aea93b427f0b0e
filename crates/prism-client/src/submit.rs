//! An upload: signed once, and sent again as it is until its answer is there.
//!
//! The same bundle of the same hotkey is the same submission: whoever runs the command again loses nothing.

use prism_core::hash::Sha256Hash;
use prism_key::message::{self, BASE_UPLOAD_PATH, Stamp};
use prism_key::{Keypair, random};

use crate::client::{ANSWER_BYTES_MAX, Again, Client};
use crate::error::ClientError;
use crate::exchange::Request;
use crate::server::Road;
use crate::wire::{Got, Submission};

/// Longest file name that is sent.
const FILENAME_BYTES_MAX: usize = 100;

/// What is uploaded.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    /// Who submits.
    pub key: &'a Keypair,
    /// The bundle, as a zip.
    pub archive: &'a [u8],
    /// A name for it; see [`filename`].
    pub filename: &'a str,
    /// Now, in unix seconds.
    pub now_seconds: u64,
}

/// A file name that the service takes, made of any name: letters, digits, `_`, `.`, `-`, and `.zip`.
pub fn filename(name: &str) -> String {
    let plain: String = name
        .strip_suffix(".zip")
        .unwrap_or(name)
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "_.-".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(FILENAME_BYTES_MAX)
        .collect();
    let plain = plain.trim_matches('.');
    let stem = if plain.is_empty() { "submission" } else { plain };
    format!("{stem}.zip")
}

impl Client {
    /// Uploads a bundle. `again` hears of each further try.
    pub fn submit(&self, upload: Upload<'_>, again: &mut Again<'_>) -> Result<Got<Submission>, ClientError> {
        let request = self.signed_upload(upload)?;
        self.understood(&self.insist(&request, again)?)
    }

    fn signed_upload<'a>(&self, upload: Upload<'a>) -> Result<Request<'a>, ClientError> {
        let hotkey = upload.key.hotkey().to_string();
        let nonce = random::nonce()?;
        let timestamp = upload.now_seconds.to_string();
        let stamp = Stamp {
            hotkey: &hotkey,
            nonce: &nonce,
            timestamp: &timestamp,
        };
        let body = Sha256Hash::of(upload.archive);
        let (path, text) = match self.road {
            Road::Direct => ("/v1/submissions", message::upload(stamp, &body)),
            Road::ThroughBase => (BASE_UPLOAD_PATH, message::base_upload(stamp, &body)),
        };
        let signature = upload.key.sign(text.as_bytes()).to_string();
        Ok(Request {
            method: "POST",
            path: path.to_owned(),
            headers: vec![
                ("accept", "application/json".to_owned()),
                ("content-type", "application/zip".to_owned()),
                ("x-submission-filename", filename(upload.filename)),
                ("x-hotkey", hotkey),
                ("x-nonce", nonce),
                ("x-timestamp", timestamp),
                ("x-signature", signature),
            ],
            body: upload.archive,
            answer_bytes_max: ANSWER_BYTES_MAX,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_one_that_is_taken() {
        for (name, expected) in [
            ("transformer-small", "transformer-small.zip"),
            ("a.zip", "a.zip"),
            ("a b/é.zip", "a_b__.zip"),
            ("..", "submission.zip"),
            ("", "submission.zip"),
            (".zip", "submission.zip"),
            ("../../x\r\ny", "_.._x__y.zip"),
        ] {
            assert_eq!(filename(name), expected);
        }
        assert_eq!(filename(&"x".repeat(5000)).len(), FILENAME_BYTES_MAX + 4);
    }
}
