//! What a lock depends on beside the text, and whether it makes sense.
//!
//! The command line and the twin make [`LockOptions`]; the lock checks them before anything is read.

use std::num::NonZero;
use std::thread;

use serde::{Deserialize, Serialize};

use super::{Filters, LockError, NearDuplicates};
use crate::hub::Fetched;
use crate::limits::{LABEL_BYTES_MAX, SHARD_BYTES_TARGET};
use crate::manifest::{LockSalt, Shares, SplitRule};

/// Most threads that digest: each holds a batch.
const THREADS_MAX: usize = 16;

/// How `.txt` files become documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextFiles {
    /// Each run of whole paragraphs of 6 to 8 KiB is a document, so that even one book gives three splits. A copy with
    /// other white space gives sections of the same words.
    #[default]
    Sections,
    /// Each file is a document; the pieces of a long one stay in one split.
    Whole,
}

/// What a lock depends on beside the text.
#[derive(Debug, Clone)]
pub struct LockOptions {
    /// What the corpus is called.
    pub name: String,
    /// Where its text comes from, in words.
    pub source: String,
    /// Which revision of the source it is.
    pub revision: String,
    /// What the directory that is read has noted of its fetch, if the source is known from there: then the files must be
    /// those that were fetched, and no others.
    pub fetched: Option<Fetched>,
    /// The JSON field and Parquet column that hold the text.
    pub text_field: String,
    /// How `.txt` files become documents.
    pub text_files: TextFiles,
    /// Whether records that have null for their text are passed over and counted; else they are an error.
    pub skip_empty: bool,
    /// Which documents are taken.
    pub filters: Filters,
    /// How documents that are nearly the same are found, if they are looked for.
    pub near_duplicates: Option<NearDuplicates>,
    /// What keys the splits and the order.
    pub salt: LockSalt,
    /// What part of the documents each split has.
    pub shares: Shares,
    /// Length at which a shard is closed.
    pub shard_bytes_target: u64,
    /// Threads that digest and compare; nothing of the corpus depends on it.
    pub threads: NonZero<usize>,
}

impl Default for LockOptions {
    fn default() -> Self {
        Self {
            name: "corpus".to_owned(),
            source: "unspecified".to_owned(),
            revision: "unspecified".to_owned(),
            fetched: None,
            text_field: "text".to_owned(),
            text_files: TextFiles::default(),
            skip_empty: false,
            filters: Filters::default(),
            near_duplicates: Some(NearDuplicates::default()),
            salt: LockSalt::Public("prism".to_owned()),
            shares: Shares::Permille { val: 50, test: 50 },
            shard_bytes_target: SHARD_BYTES_TARGET,
            threads: thread::available_parallelism()
                .unwrap_or(NonZero::<usize>::MIN)
                .min(NonZero::new(THREADS_MAX).unwrap_or(NonZero::<usize>::MIN)),
        }
    }
}

impl LockOptions {
    pub(super) fn check(&self) -> Result<(), LockError> {
        let labels = [
            ("name", &self.name),
            ("source", &self.source),
            ("revision", &self.revision),
            ("text_field", &self.text_field),
        ];
        let refused = |option, problem| Err(LockError::Option { option, problem });
        for (option, label) in labels {
            if label.is_empty() || label.len() > LABEL_BYTES_MAX {
                return refused(option, "it is empty or too long");
            }
        }
        if !SplitRule::new(self.salt.in_manifest(), self.shares).is_valid() {
            return refused(
                "split_rule",
                match self.shares {
                    Shares::Permille { .. } => {
                        "the shares of val and test must leave something for train, and the salt must be short"
                    }
                    Shares::Bytes { .. } => "train and val want some bytes each, and the salt must be short",
                },
            );
        }
        if !self.filters.are_possible() {
            return refused("filters", "no document can pass them");
        }
        if self.near_duplicates.is_some_and(|near| !near.is_valid()) {
            return refused(
                "near_duplicates",
                "the similarity from which on documents are nearly the same must lie between 0.3 and 1",
            );
        }
        if !(1..=SHARD_BYTES_TARGET * 8).contains(&self.shard_bytes_target) {
            return refused("shard_bytes_target", "it is out of range");
        }
        if self.threads.get() > THREADS_MAX * 16 {
            return refused("threads", "there are too many");
        }
        Ok(())
    }
}
