//! `prism data lock`: text files in, a locked corpus out.
//!
//! The command line is the caller. Documents are read once into an unnamed spool file, sorted by the keyed digest
//! that also decides their split, and copied to the shards in that order. So the corpus is a function of the set
//! of documents and of the salt alone: sources are mixed, no file name or order of reading matters, equal
//! documents meet and all but one are dropped, and whoever is measured on the stream has no say in its order.
//!
//! The digest is of a document's words, whatever white space, line ends and byte order marks are between and around them:
//! what was held out is not in the stream in another layout either. Of such copies the shortest is kept, as it is.
//!
//! Memory holds 40 bytes a document and one document of at most [`RECORD_BYTES_MAX`] bytes (a Parquet file: its
//! pages, bounded alike); everything else stays on disk, which needs room for the text twice while this runs.
//! Nothing here may drop, change or reorder the bytes inside a document.

mod cut;
mod error;
mod fields;
mod inputs;
mod jsonl;
mod packed;
mod parquet;
mod spelling;
mod spool;
mod text;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::digest::Digester;
use crate::limits::{DOCUMENT_BYTES_MAX, LABEL_BYTES_MAX, PIECE_BYTES_MIN, SHARD_BYTES_TARGET};
use crate::manifest::{Manifest, Origin, SCHEMA, Split, SplitRule, SplitRuleKind, Splits};
use crate::publish::Staging;
use crate::writer::CorpusWriter;
pub use error::{FieldProblem, JsonProblem, LockError, Place};
use inputs::{InputFile, InputKind};
pub use packed::PackedProblem;
pub use parquet::Problem as ParquetProblem;
use spool::Spool;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockOptions {
    /// What the corpus is called.
    pub name: String,
    /// Where its text comes from, in words.
    pub source: String,
    /// Which revision of the source it is.
    pub revision: String,
    /// The JSON field and Parquet column that hold the text.
    pub text_field: String,
    /// How `.txt` files become documents.
    pub text_files: TextFiles,
    /// Whether records that have null for their text are passed over and counted; else they are an error.
    pub skip_empty: bool,
    /// How documents find their split.
    pub split_rule: SplitRule,
    /// Length at which a shard is closed.
    pub shard_bytes_target: u64,
}

impl Default for LockOptions {
    fn default() -> Self {
        Self {
            name: "corpus".to_owned(),
            source: "unspecified".to_owned(),
            revision: "unspecified".to_owned(),
            text_field: "text".to_owned(),
            text_files: TextFiles::default(),
            skip_empty: false,
            split_rule: SplitRule::new("prism", 50, 50),
            shard_bytes_target: SHARD_BYTES_TARGET,
        }
    }
}

/// What a lock is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockPhase {
    /// Reading the input files; bytes are bytes of files.
    Reading,
    /// Writing the shards; bytes are bytes of text.
    Writing,
}

/// How far a lock is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockProgress {
    /// What it is doing.
    pub phase: LockPhase,
    /// Bytes of this phase done.
    pub done_bytes: u64,
    /// Bytes of this phase in all.
    pub total_bytes: u64,
    /// Files of the inputs that are read.
    pub files: u64,
    /// Files of the inputs that are passed over for their suffix.
    pub files_ignored: u64,
}

/// What a reader hands over: the text of one document, or nothing for a null that is passed over, and how far it is in its
/// file.
type Sink<'a> = dyn FnMut(Option<&str>, u64) -> Result<(), LockError> + 'a;

/// Locks the text of files and directories into `out`. The callback may stop the work with
/// [`ControlFlow::Break`]; then, as after any error, nothing is left behind.
pub fn lock(
    paths: &[PathBuf],
    out: &Path,
    options: &LockOptions,
    progress: &mut dyn FnMut(LockProgress) -> ControlFlow<()>,
) -> Result<Manifest, LockError> {
    check_options(options)?;
    inputs::refuse_overlap(paths, out)?;
    let listing = inputs::list(paths)?;
    let staging = Staging::new(out)?;
    let mut report = |phase, done_bytes, total_bytes| {
        let (files, files_ignored) = (listing.files.len() as u64, listing.ignored);
        match progress(LockProgress {
            phase,
            done_bytes,
            total_bytes,
            files,
            files_ignored,
        }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(LockError::Cancelled),
        }
    };

    let mut spool = Spool::new(staging.dir(), Digester::new(&options.split_rule))?;
    let total_bytes = listing.files.iter().map(|file| file.bytes).sum();
    let mut before_bytes = 0;
    report(LockPhase::Reading, 0, total_bytes)?;
    for file in &listing.files {
        read(file, options, &mut |document, position_bytes| {
            spool.push(document)?;
            report(
                LockPhase::Reading,
                before_bytes + position_bytes.min(file.bytes),
                total_bytes,
            )
        })?;
        before_bytes += file.bytes;
        report(LockPhase::Reading, before_bytes, total_bytes)?;
    }

    let counts = spool.sort()?;
    let mut writer = CorpusWriter::new(staging.dir(), options.shard_bytes_target, false);
    let documents_cut = write(&spool, &mut writer, &mut report)?;
    let splits = writer.finish()?;
    refuse_empty(&splits, spool.documents())?;
    let manifest = Manifest {
        schema: SCHEMA.to_owned(),
        name: options.name.clone(),
        source: options.source.clone(),
        revision: options.revision.clone(),
        origin: Origin::Locked {
            text_field: options.text_field.clone(),
            text_files: options.text_files,
            documents_read: counts.read,
            documents_null: counts.null,
            documents_empty: counts.empty,
            documents_duplicate: counts.duplicate,
            documents_respaced: counts.respaced,
            documents_cut,
        },
        split_rule: options.split_rule.clone(),
        document_bytes_max: DOCUMENT_BYTES_MAX as u64,
        documents: splits.documents(),
        bytes: splits.bytes(),
        splits,
    };
    staging.publish(&manifest)?;
    Ok(manifest)
}

fn check_options(options: &LockOptions) -> Result<(), LockError> {
    let labels = [
        ("name", &options.name),
        ("source", &options.source),
        ("revision", &options.revision),
        ("text_field", &options.text_field),
    ];
    for (option, label) in labels {
        if label.is_empty() || label.len() > LABEL_BYTES_MAX {
            return Err(LockError::Option {
                option,
                problem: "it is empty or too long",
            });
        }
    }
    if options.split_rule.kind != SplitRuleKind::Blake3KeyedPermilleV2 {
        let problem = "it is the rule of synthetic text, which nobody has copied";
        return Err(LockError::Option {
            option: "split_rule",
            problem,
        });
    }
    if !options.split_rule.is_valid() {
        let problem = "the shares of val and test must leave something for train, and the salt must be short";
        return Err(LockError::Option {
            option: "split_rule",
            problem,
        });
    }
    if !(1..=SHARD_BYTES_TARGET * 8).contains(&options.shard_bytes_target) {
        return Err(LockError::Option {
            option: "shard_bytes_target",
            problem: "it is out of range",
        });
    }
    Ok(())
}

fn read(file: &InputFile, options: &LockOptions, sink: &mut Sink<'_>) -> Result<(), LockError> {
    match (file.kind, options.text_files) {
        (InputKind::Text, TextFiles::Sections) => text::read_sections(&file.path, sink),
        (InputKind::Text, TextFiles::Whole) => text::read_whole(&file.path, sink),
        (InputKind::JsonLines(packing), _) => {
            jsonl::read(&file.path, packing, &options.text_field, options.skip_empty, sink)
        }
        (InputKind::Parquet, _) => parquet::read(&file.path, &options.text_field, options.skip_empty, sink),
    }
}

/// Copies the documents from the spool to the shards in sorted order, cutting the long ones.
fn write(
    spool: &Spool,
    writer: &mut CorpusWriter,
    report: &mut dyn FnMut(LockPhase, u64, u64) -> Result<(), LockError>,
) -> Result<u64, LockError> {
    let (mut done_bytes, mut documents_cut) = (0, 0);
    let mut buffer = Vec::new();
    let total_bytes = spool.text_bytes();
    for entry in spool.sorted() {
        let document = spool.read(entry, &mut buffer)?;
        documents_cut += u64::from(document.len() > DOCUMENT_BYTES_MAX);
        let mut rest = document;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(cut::piece_bytes(rest, PIECE_BYTES_MIN, DOCUMENT_BYTES_MAX));
            writer.push(entry.split, piece, 0)?;
            rest = after;
        }
        done_bytes += document.len() as u64;
        report(LockPhase::Writing, done_bytes, total_bytes)?;
    }
    Ok(documents_cut)
}

/// `train` and `val` are measured on; `test` may be empty, for nothing reads it.
fn refuse_empty(splits: &Splits, documents: u64) -> Result<(), LockError> {
    for (split, part) in [(Split::Train, &splits.train), (Split::Val, &splits.val)] {
        if part.documents == 0 {
            return Err(LockError::EmptySplit { split, documents });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
