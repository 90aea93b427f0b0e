//! Everything that can be wrong with a bundle.
//!
//! One variant per cause, grouped by the module that finds it; the texts are for the person who made the bundle.

use prism_core::advice::{Advice, Hint};

use crate::content::ContentError;
use crate::limits::{BUNDLE_BYTES_MAX, FILES_MAX};
use crate::manifest::ManifestError;
use crate::path::PathError;
use crate::shown::Shown;
use crate::zip::ArchiveError;

/// Why bytes are not a bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum BundleError {
    /// The archive itself is malformed or hides something.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A path is not allowed, alone or together with the others.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A file's content is not allowed.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// `prism.yaml` is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("the bundle has {count} files; at most {FILES_MAX} are allowed")]
    TooManyFiles { count: usize },
    /// Too many bytes in all.
    #[error("the bundle has {bytes} bytes unpacked; at most {BUNDLE_BYTES_MAX} are allowed")]
    TooLarge { bytes: u64 },
    #[error("the {role} script `{path}` is not in the bundle{}", .elsewhere.as_ref().map(|found| format!(", but `{found}` is")).unwrap_or_default())]
    MissingEntrypoint {
        /// `architecture` or `training`.
        role: &'static str,
        path: Shown,
        /// The path of a file of that name elsewhere in the bundle.
        elsewhere: Option<Shown>,
    },
    #[error("`{path}` is declared as both scripts")]
    SameEntrypoint { path: Shown },
    #[error("`{path}` would not be read")]
    ManifestMisnamed { path: Shown },
    /// `tokenizer: bundle` without a tokenizer.
    #[error("prism.yaml declares `tokenizer: bundle`, but `tokenizer.json` is not at the bundle's root")]
    MissingTokenizer,
    #[error("the bundle has a `tokenizer.json`, but prism.yaml does not say which tokenizer to use")]
    UndeclaredTokenizer,
    #[error("pricing the bundle failed: {detail}")]
    Compression { detail: String },
}

impl Advice for BundleError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::MissingEntrypoint { elsewhere: None, .. } => {
                "add it, or declare another one under `entrypoints` in prism.yaml".into()
            }
            Self::MissingEntrypoint { .. } => {
                "archive the files themselves, not the directory above them".into()
            }
            Self::SameEntrypoint { .. } => "`build_model` and `train` must be in two files".into(),
            Self::ManifestMisnamed { .. } => "name the manifest `prism.yaml`, at the bundle's root".into(),
            Self::MissingTokenizer => "add it".into(),
            Self::UndeclaredTokenizer => {
                "add `tokenizer: bundle` to use it, or `tokenizer: bytes` to leave it alone".into()
            }
            Self::Compression { .. } => "free some memory and try again".into(),
            Self::Archive(error) => return error.hint(),
            Self::Path(error) => return error.hint(),
            Self::Content(error) => return error.hint(),
            Self::Manifest(error) => return error.hint(),
            _ => return None,
        })
    }
}
