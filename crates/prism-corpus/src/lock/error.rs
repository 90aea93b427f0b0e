//! Why text could not be locked: what, in which line of which file, and what to do.
//!
//! Made by the readers, shown by the command line.

use std::fmt;
use std::path::PathBuf;

use prism_core::advice::{Advice, Hint};
use prism_core::io_error::IoError;

use super::packed::PackedProblem;
use super::parquet::Problem as ParquetProblem;
use super::stand_in::StandIn;
use crate::hub::FETCHED_FILE;
use crate::limits::{INPUT_DEPTH_MAX, INPUT_FILES_MAX, RECORD_BYTES_MAX};
use crate::manifest::Split;
use crate::publish::PublishError;

/// A place in a file, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A line of the file.
    Line(u64),
    /// A row of a table.
    Row(u64),
    /// A section that a text was cut into.
    Section(u64),
    /// The text of the whole file.
    Whole,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(formatter, "line {number}"),
            Self::Row(number) => write!(formatter, "row {number}"),
            Self::Section(number) => write!(formatter, "section {number}"),
            Self::Whole => formatter.write_str("the text"),
        }
    }
}

/// Why a line is no JSON object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum JsonProblem {
    #[error("is no JSON object: {0}")]
    Syntax(String),
    #[error("is no JSON object")]
    NoObject,
    #[error("is no JSON object")]
    Words,
    #[error("is no JSON object: it has a single quote, where JSON has double ones")]
    SingleQuote,
    #[error("is no JSON object: it does not end on its line")]
    Unfinished,
    #[error("has the escape `{0}`, half a character: a surrogate without its other half")]
    LoneSurrogate(String),
}

impl JsonProblem {
    fn hint(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "mend the line or drop it",
            Self::NoObject => "write one object a line, as `jq -c '.[]'` does with a list of them",
            Self::Words => {
                "write each document as an object, `{\"text\": \"...\"}`, or call a file of plain text `.txt`"
            }
            Self::SingleQuote => {
                "write the lines with a JSON library, as `json.dumps` in Python, not with `print`"
            }
            Self::Unfinished => "write each object on one line, as `jq -c .` does, or drop the line",
            Self::LoneSurrogate(_) => {
                r"put `\ufffd` in its place, add the half that is missing, or drop the line"
            }
        }
    }
}

/// Why a record has no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldProblem {
    /// It has no such field, but these, and perhaps more.
    Missing(Vec<String>),
    /// The field holds null.
    Null,
    /// The field holds something else, in words.
    NoText(&'static str),
    /// The field is there more than once.
    Twice,
}

impl FieldProblem {
    /// The problem, after the place.
    fn told(&self, field: &str) -> String {
        match self {
            Self::Missing(others) if others.is_empty() => format!("has no field `{field}`, nor any other"),
            Self::Missing(others) => format!("has no field `{field}`, but `{}`", others.join("`, `")),
            Self::Null => format!("has null in the field `{field}`"),
            Self::NoText(kind) => format!("has {kind} instead of text in the field `{field}`"),
            Self::Twice => format!("has twice the field `{field}`"),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Missing(others) if others.is_empty() => "drop the record",
            Self::Missing(_) | Self::NoText(_) => "name the field that holds the text with `--text-field`",
            Self::Null => {
                "pass over such records with `--skip-empty`, or name another field with `--text-field`"
            }
            Self::Twice => "drop one of them",
        }
    }
}

/// Why text could not be locked.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum LockError {
    #[error("the option `{option}` is not usable: {problem}")]
    Option {
        option: &'static str,
        problem: &'static str,
    },
    /// A file or directory cannot be read.
    #[error(transparent)]
    Io(#[from] IoError),
    #[error("{path} is no `.txt`, `.jsonl`, `.jsonl.gz`, `.jsonl.zst` or `.parquet` file", path = path.display())]
    UnknownSuffix { path: PathBuf },
    #[error("{path} is {what}", path = path.display())]
    StandIn { path: PathBuf, what: StandIn },
    #[error("the inputs hold no `.txt`, `.jsonl`, `.jsonl.gz`, `.jsonl.zst` or `.parquet` file")]
    NoFiles,
    #[error("the inputs hold more than {INPUT_FILES_MAX} files")]
    TooManyFiles,
    #[error("{path} lies more than {INPUT_DEPTH_MAX} directories deep", path = path.display())]
    TooDeep { path: PathBuf },
    #[error("the output directory {out} and the input {input} lie inside one another", out = out.display(), input = input.display())]
    Overlap { input: PathBuf, out: PathBuf },
    #[error("{at} of {path} is not UTF-8", path = path.display())]
    NotUtf8 { path: PathBuf, at: Place },
    #[error("{path} is in UTF-16", path = path.display())]
    Utf16 { path: PathBuf },
    #[error("{at} of {path} is longer than {RECORD_BYTES_MAX} bytes", path = path.display())]
    RecordTooLong { path: PathBuf, at: Place },
    #[error("line {line} of {path} {problem}, at column {column}", path = path.display())]
    Json {
        path: PathBuf,
        /// The line of the file, from 1.
        line: u64,
        /// The character of the line, from 1.
        column: u64,
        problem: JsonProblem,
    },
    #[error("{path} cannot be unpacked beyond line {lines}: {problem}", path = path.display())]
    Packed {
        path: PathBuf,
        lines: u64,
        problem: PackedProblem,
    },
    #[error(
        "cannot read {path}{group}: {problem}",
        path = path.display(),
        group = row_group.map(|number| format!(", row group {number}")).unwrap_or_default()
    )]
    Parquet {
        path: PathBuf,
        /// The row group, from 0, if it is one's.
        row_group: Option<usize>,
        problem: Box<ParquetProblem>,
    },
    #[error("{at} of {path} {problem}", path = path.display(), problem = problem.told(field))]
    Field {
        path: PathBuf,
        at: Place,
        /// The field or column that should hold the text.
        field: String,
        problem: FieldProblem,
    },
    #[error("the inputs hold more than 4,294,967,295 documents")]
    TooManyDocuments,
    #[error("more than {pairs_max} pairs of documents look alike")]
    TooManyAlike { pairs_max: usize },
    #[error("the documents fill {found_bytes} of the {wanted_bytes} bytes of `{split}`", split = split.name())]
    TooFew {
        split: Split,
        found_bytes: u64,
        wanted_bytes: u64,
    },
    #[error("the {documents} documents leave the split `{split}` empty", split = split.name())]
    EmptySplit { split: Split, documents: u64 },
    #[error("{path} is not as `prism data fetch` has noted it in `{FETCHED_FILE}`", path = path.display())]
    NotAsFetched {
        /// The file that is missing, changed, or one too many.
        path: PathBuf,
    },
    #[error("{what}")]
    OtherFiles { what: String },
    #[error("{path} can have no twin: {problem}", path = path.display())]
    NoTwin {
        path: PathBuf,
        problem: &'static str,
        hint: &'static str,
    },
    /// The corpus that a twin was asked for cannot be opened.
    #[error(transparent)]
    Open(#[from] crate::open::OpenError),
    /// There is no salt.
    #[error(transparent)]
    Salt(#[from] crate::secret::SaltError),
    #[error("the lock was cancelled")]
    Cancelled,
    /// The corpus could not be written.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl Advice for LockError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::UnknownSuffix { .. } => "convert it or leave it out".into(),
            Self::StandIn { what, .. } => what.hint().into(),
            Self::NoFiles => "check the path given".into(),
            Self::TooManyFiles => "join them into fewer, as `.jsonl` for example".into(),
            Self::TooDeep { .. } => "move it up".into(),
            Self::Overlap { .. } => "choose an output elsewhere".into(),
            Self::Utf16 { .. } => "convert it with `iconv -f UTF-16 -t UTF-8`".into(),
            Self::NotUtf8 { .. } => "convert the file".into(),
            Self::RecordTooLong { .. } => "split it into several documents".into(),
            Self::Json { problem, .. } => problem.hint().into(),
            Self::Parquet { problem, .. } => return problem.hint(),
            Self::Field { problem, .. } => problem.hint().into(),
            Self::NoTwin { hint, .. } => (*hint).into(),
            Self::Packed { .. } => "fetch or pack it again".into(),
            Self::TooManyDocuments => "lock them in several corpora".into(),
            Self::TooManyAlike { .. } => "drop what repeats from the text, or pass over near duplicates with `--near-duplicates off`".into(),
            Self::TooFew { .. } => "add documents, ask for less, or leave out documents that are longer than a split with `--max-bytes`".into(),
            Self::EmptySplit { .. } => "add documents, give it a larger share or another salt".into(),
            Self::NotAsFetched { .. } => "run the fetch again, or say where the text comes from with `--source` and `--revision`".into(),
            Self::OtherFiles { .. } => "name the files that the corpus was locked from with `--from`".into(),
            Self::Cancelled => "nothing was written".into(),
            Self::Open(error) => return error.hint(),
            Self::Salt(error) => return error.hint(),
            Self::Publish(error) => return error.hint(),
            _ => return None,
        })
    }
}
