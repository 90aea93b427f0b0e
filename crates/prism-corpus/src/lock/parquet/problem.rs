//! Why a Parquet file cannot be read, and how errors of the library become such a reason.
//!
//! Made by the other files of this module, shown in an error that names the file and the row group.

use parquet::errors::ParquetError;
use prism_core::advice::{Advice, Hint};
use prism_core::escape::is_harmful;

use super::{EXPANSION_MAX, FOOTER_BYTES_MAX, PAGE_BYTES_MAX, PAGE_VALUES_MAX, ROW_GROUPS_MAX};
use crate::limits::INPUT_FILE_BYTES_MAX;

/// Most columns that are listed where one is missing.
const COLUMNS_LISTED_MAX: usize = 16;
/// Most characters of a name or message that are shown.
const CHARACTERS_MAX: usize = 200;

/// Why a Parquet file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum Problem {
    #[error("it is no Parquet file, or only a part of one")]
    NotParquet,
    #[error("it has more than {INPUT_FILE_BYTES_MAX} bytes")]
    FileTooLong,
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("it is damaged in a way that the Parquet library does not expect: {0}")]
    Panicked(String),
    #[error("it uses {0}, which is not supported")]
    Unsupported(String),
    #[error("it has no column `{column}`, but {there}")]
    NoColumn { column: String, there: String },
    #[error("it has no column `{column}`, but {there}")]
    NoScore { column: String, there: String },
    #[error("its column `{column}` holds {found}, not {wanted}")]
    WrongType {
        column: String,
        found: String,
        wanted: &'static str,
        there: String,
    },
    #[error("it has a page of more than {PAGE_BYTES_MAX} bytes")]
    PageTooLong,
    #[error("it has a page of more than {PAGE_VALUES_MAX} values")]
    TooManyValues,
    #[error("it has a footer of more than {FOOTER_BYTES_MAX} bytes")]
    FooterTooLong,
    #[error("it has more than {ROW_GROUPS_MAX} row groups")]
    TooManyRowGroups,
    #[error("its text is more than {EXPANSION_MAX} times as long as the file; such repetition is no corpus")]
    Expansion,
}

impl Advice for Problem {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::NotParquet => "fetch it again".into(),
            Self::FileTooLong => "write it again as several files".into(),
            Self::Damaged(..) | Self::Panicked(..) => "fetch or write it again".into(),
            Self::Unsupported(..) => "write it again with the usual settings, or as `.jsonl`".into(),
            Self::NoColumn { .. } => "name the column that holds the text with `--text-field`".into(),
            Self::NoScore { .. } => "leave the filter out that needs it".into(),
            Self::WrongType { there, .. } => format!("the columns are {there}").into(),
            Self::PageTooLong | Self::TooManyValues => "write it again with smaller pages".into(),
            Self::FooterTooLong => "write it again with larger row groups".into(),
            Self::TooManyRowGroups => "write it again with larger ones".into(),
            Self::Expansion => return None,
        })
    }
}

/// What ends the reading of a file.
pub(super) enum Stop {
    Problem(Problem),
    Io(std::io::Error),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Problem {
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(short(&what.into()))
    }

    /// As an error of the library, through which it comes back whole: see [`Stop::of_library`].
    pub(super) fn wrapped(self) -> ParquetError {
        ParquetError::External(Box::new(self))
    }
}

impl Stop {
    /// What an error of the library means: one of ours that went through it, one of the system's, or damage.
    pub(super) fn of_library(error: ParquetError) -> Self {
        let inner = match error {
            ParquetError::External(inner) => inner,
            other => return Problem::damaged(other.to_string()).into(),
        };
        let inner = match inner.downcast::<Problem>() {
            Ok(problem) => return (*problem).into(),
            Err(inner) => inner,
        };
        match inner.downcast::<std::io::Error>() {
            Ok(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Problem::damaged("it ends too early").into()
            }
            Ok(error) => Self::Io(*error),
            Err(inner) => Problem::damaged(inner.to_string()).into(),
        }
    }
}

/// One line of bounded length that is safe to be shown.
pub(super) fn short(text: &str) -> String {
    let plain = text.chars().map(|c| if is_harmful(c) { ' ' } else { c });
    plain.take(CHARACTERS_MAX).collect()
}

/// The names of columns in words.
pub(super) fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none at all".to_owned();
    }
    let shown: Vec<_> = names
        .iter()
        .take(COLUMNS_LISTED_MAX)
        .map(|name| format!("`{}`", short(name)))
        .collect();
    let more = names.len().saturating_sub(COLUMNS_LISTED_MAX);
    if more == 0 {
        shown.join(", ")
    } else {
        format!("{} and {more} more", shown.join(", "))
    }
}
