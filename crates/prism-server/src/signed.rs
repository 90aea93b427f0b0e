//! Requests that a hotkey signs: which headers they have, whether they are fresh, whose they are.
//!
//! Called for direct uploads and for what only an owner may do, in the order that the contract fixes: headers, time
//! stamp, hotkey, signature. Whether a nonce is new is the store's to say. Nothing here repeats a signature.

use http::HeaderMap;
use prism_core::hash::Sha256Hash;
use prism_core::time::Timestamp;
use prism_key::message::Stamp;
use prism_key::{Hotkey, Signature};
use prism_store::uploads::NonceUse;
use serde_json::json;

use crate::problem::{Code, Fault, Problem};
use crate::settings::Settings;

/// Characters of a hotkey or a nonce.
const VALUE_CHARACTERS_MAX: usize = 128;

/// The names of the four headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    hotkey: &'static str,
    signature: &'static str,
    nonce: &'static str,
    timestamp: &'static str,
}

/// Of an upload. The master removes these from what it passes on.
pub(crate) const UPLOAD: Names = Names {
    hotkey: "x-hotkey",
    signature: "x-signature",
    nonce: "x-nonce",
    timestamp: "x-timestamp",
};

/// Of what only an owner may do. These pass through the master.
pub(crate) const OWNER: Names = Names {
    hotkey: "x-prism-hotkey",
    signature: "x-prism-signature",
    nonce: "x-prism-nonce",
    timestamp: "x-prism-timestamp",
};

/// The four headers of a request, all there, nothing verified.
pub(crate) struct Claim {
    hotkey: String,
    signature: String,
    nonce: String,
    timestamp: String,
}

/// A claim that is fresh and well formed; the signature is still to be verified.
pub(crate) struct FreshClaim {
    claim: Claim,
    hotkey: Hotkey,
    signature: Signature,
    expires_at: Timestamp,
}

/// A request that its hotkey signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The address of who signed.
    pub(crate) hotkey: String,
    /// What this hotkey uses once.
    pub(crate) nonce: String,
    /// Hash of the message and the signature: tells a repeated request from another with the same nonce.
    pub(crate) fingerprint: Sha256Hash,
    /// When its time stamp is too old to be taken again.
    pub(crate) expires_at: Timestamp,
}

impl From<&Signed> for NonceUse {
    fn from(signed: &Signed) -> Self {
        Self {
            hotkey: signed.hotkey.clone(),
            nonce: signed.nonce.clone(),
            request_sha256: signed.fingerprint,
            expires_at: signed.expires_at,
        }
    }
}

fn invalid_signature() -> Problem {
    Problem::new(
        Code::InvalidSignature,
        "invalid signature: sign the headers and the hash of the body exactly as they are sent",
    )
}

impl Claim {
    /// The headers of a request; every fault of them is told.
    pub(crate) fn read(headers: &HeaderMap, names: Names) -> Result<Self, Problem> {
        let mut faults = Vec::new();
        let mut text = |name: &'static str, least: usize, most: usize| {
            let Some(value) = headers.get(name) else {
                faults.push(Fault::missing("header", name));
                return String::new();
            };
            let Ok(value) = value.to_str() else {
                faults.push(Fault::new(
                    "string_type",
                    "header",
                    name,
                    "Input should be visible ASCII",
                ));
                return String::new();
            };
            if value.len() < least {
                let message = format!("String should have at least {least} character");
                let context = json!({"min_length": least});
                faults.push(Fault::new("string_too_short", "header", name, message).with_context(context));
            } else if value.len() > most {
                let message = format!("String should have at most {most} characters");
                let context = json!({"max_length": most});
                faults.push(Fault::new("string_too_long", "header", name, message).with_context(context));
            }
            value.to_owned()
        };
        let claim = Self {
            hotkey: text(names.hotkey, 1, VALUE_CHARACTERS_MAX),
            // Any length: what is no signature is told as an invalid one.
            signature: text(names.signature, 0, usize::MAX),
            nonce: text(names.nonce, 1, VALUE_CHARACTERS_MAX),
            timestamp: text(names.timestamp, 0, usize::MAX),
        };
        if faults.is_empty() {
            Ok(claim)
        } else {
            Err(Problem::invalid(faults))
        }
    }

    /// The time stamp is near enough, and hotkey and signature are what they say they are. Validators are refused where
    /// they may not ask, before their signature is looked at.
    pub(crate) fn fresh(self, settings: &Settings, may_be_validator: bool) -> Result<FreshClaim, Problem> {
        let signed_at = check_time(&self.timestamp, settings.now(), settings.signature_ttl_seconds)?;
        if !may_be_validator && settings.validator_hotkeys.contains(&self.hotkey) {
            return Err(Problem::new(
                Code::ValidatorHotkey,
                "validator hotkeys cannot submit; use another hotkey",
            ));
        }
        let hotkey = Hotkey::parse(&self.hotkey).map_err(|_| invalid_signature())?;
        let signature = Signature::parse(&self.signature).map_err(|_| invalid_signature())?;
        Ok(FreshClaim {
            claim: self,
            hotkey,
            signature,
            expires_at: signed_at.plus_seconds(settings.signature_ttl_seconds),
        })
    }
}

/// The time at which a request was signed, if it is near enough.
fn check_time(text: &str, now: Timestamp, ttl_seconds: i64) -> Result<Timestamp, Problem> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_integer {
        return Err(Problem::new(
            Code::InvalidTimestamp,
            "invalid timestamp: send whole unix seconds",
        ));
    }
    // A number that is too large for the type is far from now as well.
    let signed_at = text
        .parse::<i64>()
        .ok()
        .filter(|&seconds| now.seconds().abs_diff(seconds) <= ttl_seconds.unsigned_abs());
    signed_at.map(Timestamp::from_seconds).ok_or_else(|| {
        Problem::new(
            Code::StaleSignature,
            format!(
                "stale signature: the time stamp may be at most {ttl_seconds} seconds from the server's time, which is {}; \
                 set the clock and sign again",
                now.seconds()
            ),
        )
    })
}

impl FreshClaim {
    /// The values that are part of the message.
    pub(crate) fn stamp(&self) -> Stamp<'_> {
        Stamp {
            hotkey: &self.claim.hotkey,
            nonce: &self.claim.nonce,
            timestamp: &self.claim.timestamp,
        }
    }

    /// Verifies the signature over the message. Costs about a tenth of a millisecond.
    pub(crate) fn verify(self, message: &str) -> Result<Signed, Problem> {
        self.hotkey
            .verifies(message.as_bytes(), &self.signature)
            .map_err(|_| invalid_signature())?;
        let mut request = message.as_bytes().to_vec();
        request.push(0);
        request.extend_from_slice(self.signature.as_bytes());
        Ok(Signed {
            hotkey: self.hotkey.to_string(),
            nonce: self.claim.nonce,
            fingerprint: Sha256Hash::of(&request),
            expires_at: self.expires_at,
        })
    }
}

#[cfg(test)]
mod tests;
