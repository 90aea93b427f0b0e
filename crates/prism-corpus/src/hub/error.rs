//! Why a dataset was not fetched: what, from where, and what to do.
//!
//! Made by the other files of this module, shown by the command line, which takes what follows the last semicolon for the
//! advice. No token and no signed address is ever in one.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use prism_core::advice::{Advice, Hint};
use prism_core::io_error::IoError;

use crate::lock::LockError;

/// Why a dataset was not fetched.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum HubError {
    #[error("the option `{option}` is not usable: {problem}")]
    Option { option: &'static str, problem: String },
    #[error("{host} cannot be reached: {cause}")]
    Unreachable { host: String, cause: String },
    #[error("{host} has no {what}")]
    NotFound { host: String, what: String },
    #[error("{host} does not give out {what}: {why}")]
    Forbidden { host: String, what: String, why: String },
    #[error("{host} answered {status} to a request for {what}, again and again")]
    Status { host: String, what: String, status: u16 },
    #[error("{host} asks to wait {seconds} seconds before it answers again", seconds = wait.as_secs())]
    Busy { host: String, wait: Duration },
    #[error("{host} answered a request for {what} with something unexpected: {problem}")]
    Unexpected {
        host: String,
        what: String,
        problem: String,
    },
    #[error("the dataset has no Parquet files in {tried}")]
    NoConfig { tried: String, there: String },
    /// The bytes are not those of the commit.
    #[error("{path} arrived with another SHA-256 than the Hub has for it, twice")]
    WrongHash { path: String },
    #[error("`{config}` holds {found_bytes} of the {wanted_bytes} bytes of text that were asked for")]
    TooLittle {
        found_bytes: u64,
        wanted_bytes: u64,
        config: String,
    },
    /// A file holds no text.
    #[error(transparent)]
    NoText(Box<LockError>),
    #[error("{path} holds another fetch ({found})", path = path.display())]
    AnotherFetch { path: PathBuf, found: String },
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] IoError),
    #[error("the fetch was cancelled")]
    Cancelled,
}

impl Advice for HubError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Unreachable { .. } => {
                "check the network and HF_ENDPOINT, and run the same command again: what was fetched stays"
                    .into()
            }
            Self::NotFound { .. } => "check the name, and that the token in HF_TOKEN may see it".into(),
            Self::Forbidden { .. } => {
                "accept the dataset's conditions on its page, and put a token that may read it into HF_TOKEN"
                    .into()
            }
            Self::Status { .. } => "try later: what was fetched stays".into(),
            Self::Busy { .. } => "run the same command after that".into(),
            Self::Unexpected { .. } => "check HF_ENDPOINT".into(),
            Self::NoConfig { there, .. } => {
                format!("name a folder that has some with `--config`, as {there}").into()
            }
            Self::WrongHash { .. } => "try again, or from another network".into(),
            Self::TooLittle { .. } => {
                "ask for less with `--bytes`, or for a larger part of the dataset with `--config`".into()
            }
            Self::AnotherFetch { .. } => "name another directory with `--out`".into(),
            Self::Cancelled => "run the same command again to go on from here".into(),
            Self::NoText(error) => return error.hint(),
            _ => return None,
        })
    }
}

impl HubError {
    pub(super) fn io(action: &'static str, path: &std::path::Path, source: io::Error) -> Self {
        Self::Io(IoError::new(action, path, source))
    }
}
