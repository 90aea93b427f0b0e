//! An upload's body to the file in it: JSON with the file as text, or the raw bytes. Pure; a stranger wrote the input.
//!
//! Called for direct uploads and for those that the master hands over, with the whole body and two headers. Bounds come
//! before copies: nothing is decoded that is larger than what may be stored.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD};
use prism_core::hash::Sha256Hash;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::problem::{Code, Fault, Problem};

mod fields;

use fields::{Fields, Text};

/// The name of a file that came without a usable one.
pub const DEFAULT_ARCHIVE_NAME: &str = "submission.zip";
const SCRIPT_SUFFIX: &str = ".py";
const ARCHIVE_SUFFIX: &str = ".zip";
const DEFAULT_JSON_NAME: &str = "model.py";
/// Characters of a file name or a content type.
const NAME_CHARACTERS_MAX: usize = 255;
/// Bytes that are encoded at once for the hash; a multiple of three, so that no padding lies within.
const HASH_CHUNK_BYTES: usize = 48 * 1024;

/// Base64 as people write it: padded or not, and nothing else differs.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What may be stored of one upload.
#[derive(Clone, Copy, Debug)]
pub struct EnvelopeLimits {
    /// Bytes of the file as base64 text (of the source itself where it is a `.py`).
    pub base64_bytes: usize,
    /// Bytes of the metadata as JSON.
    pub metadata_bytes: usize,
}

/// The two headers that tell what a body is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Form<'a> {
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// `X-Submission-Filename`; counts for raw bodies only.
    pub filename: Option<&'a str>,
}

/// The file that was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Its name: letters, digits, `_.-`, and `.py` or `.zip` at its end.
    pub filename: String,
    /// Its bytes: the archive, or the source text.
    pub bytes: Vec<u8>,
    /// Hash of the base64 text that was, or would have been, sent.
    pub code_hash: Sha256Hash,
    /// What was sent along.
    pub metadata: Map<String, Value>,
}

/// Why a body is no upload.
#[derive(Clone, Debug, PartialEq)]
pub enum EnvelopeError {
    /// Not JSON, though it says so.
    Json(String),
    /// A field or a header is missing or wrong.
    Invalid(Box<Fault>),
    /// More than may be stored.
    TooLarge {
        /// So many are allowed.
        limit_bytes: usize,
    },
}

impl From<EnvelopeError> for Problem {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::Json(text) => Self::new(Code::InvalidJson, format!("invalid JSON body: {text}")),
            EnvelopeError::Invalid(fault) => Self::invalid(vec![*fault]),
            EnvelopeError::TooLarge { limit_bytes } => Self::new(
                Code::TooLarge,
                format!(
                    "submission too large: as base64 text it may have {limit_bytes} bytes, which are {} of a zip",
                    limit_bytes / 4 * 3
                ),
            ),
        }
    }
}

/// The upload in a body.
pub fn parse(form: Form<'_>, body: Vec<u8>, limits: EnvelopeLimits) -> Result<Envelope, EnvelopeError> {
    if body.is_empty() {
        return Err(invalid(Fault::missing("body", "code")));
    }
    if is_json(form.content_type) {
        json(&body, limits)
    } else {
        raw(form, body, limits)
    }
}

/// Whether a body of this type is the JSON form.
pub fn is_json(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|value| value.to_ascii_lowercase().contains("application/json"))
}

fn raw(form: Form<'_>, bytes: Vec<u8>, limits: EnvelopeLimits) -> Result<Envelope, EnvelopeError> {
    let filename = match form.filename {
        Some(name) if ends_as_file(name) => checked_name("header", "x-submission-filename", name)?,
        // A name that is neither a script's nor an archive's is not looked at any further, unless it is no name at all.
        Some(_) | None => DEFAULT_ARCHIVE_NAME.to_owned(),
    };
    let base64_bytes = bytes.len().div_ceil(3).saturating_mul(4);
    if base64_bytes > limits.base64_bytes {
        return Err(EnvelopeError::TooLarge {
            limit_bytes: limits.base64_bytes,
        });
    }
    let content_type = form.content_type.map_or(Value::Null, |value| {
        Value::from(value.chars().take(NAME_CHARACTERS_MAX).collect::<String>())
    });
    let metadata = Map::from_iter([
        ("content_type".to_owned(), content_type),
        ("bridge".to_owned(), Value::from(true)),
    ]);
    Ok(Envelope {
        filename,
        code_hash: hash_of_base64(&bytes),
        bytes,
        metadata,
    })
}

fn json(body: &[u8], limits: EnvelopeLimits) -> Result<Envelope, EnvelopeError> {
    let text = std::str::from_utf8(body).map_err(|error| EnvelopeError::Json(error.to_string()))?;
    // The whole text is JSON, before anybody says what is wrong in it.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| EnvelopeError::Json(error.to_string()))?;
    if !text.trim_start().starts_with('{') {
        let message = "Input should be a valid dictionary or object to extract fields from";
        return Err(invalid(Fault::new("model_attributes_type", "body", "", message)));
    }
    let fields: Fields<'_> =
        serde_json::from_str(text).map_err(|error| EnvelopeError::Json(error.to_string()))?;
    let filename = match fields.filename {
        None => DEFAULT_JSON_NAME.to_owned(),
        Some(Text::Text(name)) => checked_name("body", "filename", &name)?,
        Some(Text::Other) => return Err(no_string("filename")),
    };
    let code = match fields.code {
        None => return Err(invalid(Fault::missing("body", "code"))),
        Some(Text::Other) => return Err(no_string("code")),
        Some(Text::Text(code)) if code.is_empty() => {
            let fault = Fault::new(
                "string_too_short",
                "body",
                "code",
                "String should have at least 1 character",
            );
            return Err(invalid(fault.with_context(serde_json::json!({"min_length": 1}))));
        }
        Some(Text::Text(code)) => code,
    };
    let metadata = match fields.metadata {
        None => Map::new(),
        Some(Value::Object(map)) => map,
        Some(_) => {
            let fault = Fault::new(
                "dict_type",
                "body",
                "metadata",
                "Input should be a valid dictionary",
            );
            return Err(invalid(fault));
        }
    };
    // A map of JSON values has a JSON form.
    let metadata_bytes = serde_json::to_vec(&metadata).map_or(usize::MAX, |bytes| bytes.len());
    if metadata_bytes > limits.metadata_bytes {
        let message = format!(
            "Metadata may have at most {} bytes as JSON",
            limits.metadata_bytes
        );
        return Err(invalid(Fault::new("too_long", "body", "metadata", message)));
    }
    if code.len() > limits.base64_bytes {
        return Err(EnvelopeError::TooLarge {
            limit_bytes: limits.base64_bytes,
        });
    }
    let code_hash = Sha256Hash::of(code.as_bytes());
    let bytes = if filename.ends_with(SCRIPT_SUFFIX) {
        code.into_owned().into_bytes()
    } else {
        decoded(&code)?
    };
    Ok(Envelope {
        filename,
        bytes,
        code_hash,
        metadata,
    })
}

fn invalid(fault: Fault) -> EnvelopeError {
    EnvelopeError::Invalid(Box::new(fault))
}

fn no_string(field: &str) -> EnvelopeError {
    invalid(Fault::new(
        "string_type",
        "body",
        field,
        "Input should be a valid string",
    ))
}

fn decoded(code: &str) -> Result<Vec<u8>, EnvelopeError> {
    let bare: Cow<'_, str> = if code.bytes().any(|byte| byte.is_ascii_whitespace()) {
        Cow::Owned(code.split_ascii_whitespace().collect())
    } else {
        Cow::Borrowed(code)
    };
    LENIENT
        .decode(bare.as_bytes())
        .ok()
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| {
            let message = "Should be base64 (standard alphabet) of a zip, since the filename ends in .zip";
            invalid(Fault::new("value_error", "body", "code", message))
        })
}

fn ends_as_file(name: &str) -> bool {
    // A path or a blank is a mistake that is told, whatever the name ends in.
    let is_mistake = |byte: u8| !(byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    has_suffix(name) || name.bytes().any(is_mistake)
}

fn has_suffix(name: &str) -> bool {
    // As the contract has it: lower case only.
    [SCRIPT_SUFFIX, ARCHIVE_SUFFIX]
        .iter()
        .any(|suffix| name.ends_with(suffix))
}

/// `^[A-Za-z0-9_.-]+\.(py|zip)$`
fn checked_name(place: &str, field: &str, name: &str) -> Result<String, EnvelopeError> {
    let stem = name
        .strip_suffix(SCRIPT_SUFFIX)
        .or_else(|| name.strip_suffix(ARCHIVE_SUFFIX));
    let is_plain = |stem: &str| {
        !stem.is_empty()
            && stem
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    };
    if !stem.is_some_and(is_plain) {
        let fault = Fault::new(
            "string_pattern_mismatch",
            place,
            field,
            "String should match pattern '^[A-Za-z0-9_.-]+\\.(py|zip)$'",
        );
        return Err(invalid(fault.with_input(name)));
    }
    if name.len() > NAME_CHARACTERS_MAX {
        let message = format!("String should have at most {NAME_CHARACTERS_MAX} characters");
        return Err(invalid(
            Fault::new("string_too_long", place, field, message).with_input(name),
        ));
    }
    Ok(name.to_owned())
}

/// The hash of the base64 text of these bytes (standard alphabet, padded), which is never there as a whole.
fn hash_of_base64(bytes: &[u8]) -> Sha256Hash {
    let mut hasher = Sha256::new();
    let mut text = String::with_capacity(HASH_CHUNK_BYTES / 3 * 4);
    for chunk in bytes.chunks(HASH_CHUNK_BYTES) {
        text.clear();
        STANDARD.encode_string(chunk, &mut text);
        hasher.update(text.as_bytes());
    }
    Sha256Hash(hasher.finalize().into())
}

#[cfg(test)]
mod tests;
