//! What can go wrong with the store, in words for whoever runs the challenge. Nothing here is meant for a client.

use std::{
    io,
    path::{Path, PathBuf},
};

use prism_core::{
    advice::{Advice, Hint},
    hash::Sha256Hash,
    submission::IllegalStep,
};
use rusqlite::ErrorCode;
use thiserror::Error;

/// What every function of this crate returns.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why the store did not do what it was asked.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum StoreError {
    #[error("the store {path} is in use by process {pid}")]
    Locked {
        path: PathBuf,
        /// The process that says that it holds the lock.
        pid: String,
    },
    #[error("the store {path} has schema {found} and this version knows {known}")]
    NewerSchema { path: PathBuf, found: u32, known: u32 },
    #[error(
        "migration {version} of the store {path} is not the one of this version: it was written by another program or edited by hand"
    )]
    AlteredSchema { path: PathBuf, version: u32 },
    #[error("{path} is no store of PRISM ({what})")]
    NotAStore { path: PathBuf, what: String },
    /// A file system of another machine, on which write-ahead logs do not work.
    #[error("{path} lies on a network file system ({kind})")]
    NotLocal { path: PathBuf, kind: &'static str },
    #[error("the disk of the store is full ({what}): nothing was stored")]
    Full { what: String },
    /// The states do not allow that.
    #[error(transparent)]
    IllegalStep(#[from] IllegalStep),
    #[error("there is no {what} `{id}`")]
    NotFound { what: &'static str, id: String },
    /// A promise of the store forbids it; the sentence says which.
    #[error("{0}")]
    NotAllowed(String),
    #[error("the blob {0} is not in the store")]
    BlobMissing(Sha256Hash),
    /// The bytes of a blob are not what its name says.
    #[error("the blob {hash} is damaged ({path})")]
    BlobDamaged { hash: Sha256Hash, path: PathBuf },
    #[error("the blob {hash} has {bytes} bytes, more than the {max_bytes} that were asked for")]
    BlobTooLarge {
        hash: Sha256Hash,
        bytes: u64,
        max_bytes: u64,
    },
    #[error("the store is damaged: {0}")]
    Damaged(String),
    #[error("{action} {path}: {source}")]
    Io {
        action: &'static str,
        /// With which file.
        path: PathBuf,
        source: io::Error,
    },
    /// SQLite refused; usually a fault of ours.
    #[error("the database refused: {0}")]
    Database(String),
    #[error("a job of the store panicked: {0}")]
    Panicked(String),
    #[error("the store is closed")]
    Stopped,
}

impl Advice for StoreError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Locked { .. } => "stop that server, or give this one a folder of its own".into(),
            Self::NewerSchema { .. } => "start the newer version, or restore an older backup".into(),
            Self::AlteredSchema { .. } => "start the program that wrote it, or restore a backup".into(),
            Self::NotAStore { .. } => "give the server a folder of its own".into(),
            Self::NotLocal { .. } => "the store needs a local disk".into(),
            Self::Full { .. } => "make room".into(),
            Self::BlobMissing(_) | Self::BlobDamaged { .. } => "restore it from a backup".into(),
            Self::Damaged(_) => "restore a backup".into(),
            Self::Io { .. }
            | Self::IllegalStep(_)
            | Self::NotFound { .. }
            | Self::NotAllowed(_)
            | Self::BlobTooLarge { .. }
            | Self::Database(_)
            | Self::Panicked(_)
            | Self::Stopped => return None,
        })
    }
}

impl StoreError {
    /// Whether there is no room: a server says so to its clients and takes nothing new.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// From a file operation.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::Full {
                    what: format!("{action} {}: {source}", path.display()),
                }
            }
            _ => Self::Io {
                action,
                path: path.to_owned(),
                source,
            },
        }
    }

    /// The same once more, for each job of a group whose commit failed.
    pub(crate) fn of_group(&self) -> Self {
        match self {
            Self::Full { what } => Self::Full { what: what.clone() },
            Self::Damaged(what) => Self::Damaged(what.clone()),
            other => Self::Database(format!("the commit of a group of jobs failed: {other}")),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let what = error.to_string();
        match error {
            rusqlite::Error::SqliteFailure(code, _) => match code.code {
                ErrorCode::DiskFull => Self::Full { what },
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged(what),
                _ => Self::Database(what),
            },
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => Self::Damaged(what),
            _ => Self::Database(what),
        }
    }
}
