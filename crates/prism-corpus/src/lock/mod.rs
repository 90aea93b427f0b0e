//! `prism data lock`: text files in, a locked corpus out.
//!
//! The command line is the caller. Documents are read once into an unnamed spool file, sorted by the keyed digest
//! that also decides their split, and copied to the shards in that order. So the text of the corpus is a function of the
//! set of documents and of the salt alone: sources are mixed, no file name, order of reading or number of threads matters,
//! documents that are equal or nearly so meet and all but one are dropped, and whoever is measured on the stream has no say
//! in its order.
//!
//! The digest is of a document's words, whatever white space, line ends and byte order marks are between and around them:
//! what was held out is not in the stream in another layout either. Of such copies the shortest is kept, as it is. Copies
//! with other words are [`near`]'s.
//!
//! Memory holds 48 bytes a document, 16 more for each thread while bands are compared, and some documents of at most
//! [`crate::limits::RECORD_BYTES_MAX`] bytes (a Parquet file: its pages, bounded alike); everything else stays on disk,
//! which needs room for the text twice and for 256 bytes a document while this runs. Nothing here may drop, change or
//! reorder the bytes inside a document.

mod cut;
mod error;
mod fields;
mod inputs;
mod intake;
mod jsonl;
pub(crate) mod near;
mod options;
mod packed;
mod parquet;
mod record;
mod spelling;
mod splits;
mod spool;
mod stand_in;
mod text;
mod twin;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::digest::Digester;
use crate::limits::{DOCUMENT_BYTES_MAX, PIECE_BYTES_MIN};
use crate::manifest::{LockSalt, Manifest, Origin, SCHEMA, Shares, Split, SplitRule, Splits, TOOL};
use crate::publish::{PublishError, Staging};
use crate::secret::SALT_FILE;
use crate::writer::CorpusWriter;
pub use error::{FieldProblem, JsonProblem, LockError, Place};
use inputs::Listing;
use intake::{Counts, Intake};
pub use near::{NearDuplicates, NearKind, similarity_permille};
pub use options::{LockOptions, TextFiles};
pub use packed::PackedProblem;
pub use parquet::Problem as ParquetProblem;
pub(crate) use parquet::text_bytes as text_bytes_of_parquet;
pub use record::Filters;
use record::Wanted;
use spool::{Copies, Spool, SpoolIndex, SpoolText};
pub use stand_in::StandIn;
pub use twin::twin;

/// What a lock is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockPhase {
    /// Reading the input files; the amounts are bytes of files.
    Reading,
    /// Comparing documents that look alike; the amounts are pairs.
    Comparing,
    /// Writing the shards; the amounts are bytes of text.
    Writing,
}

/// How far a lock is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockProgress {
    /// What it is doing.
    pub phase: LockPhase,
    /// How much of this phase is done.
    pub done: u64,
    /// How much there is in all.
    pub total: u64,
    /// Files of the inputs that are read.
    pub files: u64,
    /// Files of the inputs that are passed over for their suffix.
    pub files_ignored: u64,
}

/// Told the phase, how much is done and how much there is.
type Report<'a> = dyn FnMut(LockPhase, u64, u64) -> Result<(), LockError> + 'a;

/// Locks the text of files and directories into `out`. The callback may stop the work with
/// [`ControlFlow::Break`]; then, as after any error, nothing is left behind.
pub fn lock(
    paths: &[PathBuf],
    out: &Path,
    options: &LockOptions,
    progress: &mut dyn FnMut(LockProgress) -> ControlFlow<()>,
) -> Result<Manifest, LockError> {
    options.check()?;
    inputs::refuse_overlap(paths, out)?;
    let listing = inputs::list(paths)?;
    let fetched = paths.first().zip(options.fetched.as_ref());
    if let Some((dir, fetched)) = fetched {
        inputs::check_fetched(&listing, dir, fetched)?;
    }
    let staging = Staging::new(out)?;
    let mut report = reporter(&listing, progress);
    let mut taken = take_in(&listing, &staging, options, &mut report)?;
    if let Some((dir, fetched)) = fetched {
        inputs::check_hashes(&taken.files, dir, fetched)?;
    }
    let documents = taken.spool.sorted().len() as u64;
    taken.unused = splits::assign(&mut taken.spool, options.shares)?;
    write(taken, documents, staging, options, paths, &mut report)
}

fn reporter<'a>(
    listing: &Listing,
    progress: &'a mut dyn FnMut(LockProgress) -> ControlFlow<()>,
) -> impl FnMut(LockPhase, u64, u64) -> Result<(), LockError> + use<'a> {
    let (files, files_ignored) = (listing.files.len() as u64, listing.ignored);
    move |phase, done, total| match progress(LockProgress {
        phase,
        done,
        total,
        files,
        files_ignored,
    }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(LockError::Cancelled),
    }
}

/// The documents of all files, without copies, in the order of their digests.
struct Taken {
    spool: Spool,
    files: Vec<crate::manifest::InputHash>,
    counts: Counts,
    copies: Copies,
    near_duplicate: u64,
    unused: u64,
}

fn take_in(
    listing: &Listing,
    staging: &Staging,
    options: &LockOptions,
    report: &mut Report<'_>,
) -> Result<Taken, LockError> {
    let (val, test) = match options.shares {
        Shares::Permille { val, test } => (val, test),
        // Where sizes decide it is the order that matters.
        Shares::Bytes { .. } => (0, 0),
    };
    let intake = Intake {
        wanted: Wanted {
            text_field: &options.text_field,
            skip_empty: options.skip_empty,
            language_score: options.filters.language_score_permille_min.is_some(),
            int_score: options.filters.int_score_min.is_some(),
        },
        text_files: options.text_files,
        filters: options.filters,
        digester: Digester::new(options.salt.text(), val, test),
        with_bands: options.near_duplicates.is_some(),
        threads: options.threads,
    };
    let text = SpoolText::new(staging.dir())?;
    let mut index = SpoolIndex::new(staging.dir(), intake.with_bands)?;
    let total_bytes = listing.files.iter().map(|file| file.bytes).sum();
    report(LockPhase::Reading, 0, total_bytes)?;
    let (counts, files) = intake.run(&listing.files, &text, &mut index, &mut |done_bytes| {
        report(LockPhase::Reading, done_bytes, total_bytes)
    })?;
    let (mut spool, copies) = Spool::sorted_of(text, index)?;
    let near_duplicate = match options.near_duplicates {
        Some(rule) => {
            let dropped = near::dropped(&spool, rule, options.threads, &mut |done, total| {
                report(LockPhase::Comparing, done, total)
            })?;
            spool.drop_those(&dropped)
        }
        None => 0,
    };
    Ok(Taken {
        spool,
        files,
        counts,
        copies,
        near_duplicate,
        unused: 0,
    })
}

/// Writes the corpus and puts it in its place.
fn write(
    taken: Taken,
    documents: u64,
    staging: Staging,
    options: &LockOptions,
    paths: &[PathBuf],
    report: &mut Report<'_>,
) -> Result<Manifest, LockError> {
    let rule = SplitRule::new(options.salt.in_manifest(), options.shares);
    if let LockSalt::Secret(salt) = &options.salt {
        let folder = staging.keep_secret()?;
        let path = folder.join(SALT_FILE);
        salt.write(&path)
            .map_err(|e| PublishError::io("write", &path, e))?;
        twin::remember(&folder, paths)?;
    }
    let mut writer = CorpusWriter::new(staging.dir(), &rule, options.shard_bytes_target, false);
    let documents_cut = write_shards(&taken.spool, &mut writer, report)?;
    let splits = writer.finish()?;
    refuse_empty(&splits, documents)?;
    let Taken { counts, copies, .. } = taken;
    let manifest = Manifest {
        schema: SCHEMA.to_owned(),
        tool: TOOL.to_owned(),
        name: options.name.clone(),
        source: options.source.clone(),
        revision: options.revision.clone(),
        origin: Origin::Locked {
            text_field: options.text_field.clone(),
            text_files: options.text_files,
            files: taken.files,
            filters: options.filters,
            near_duplicates: options.near_duplicates,
            documents_read: counts.read,
            documents_null: counts.null,
            documents_not_utf8: counts.not_utf8,
            documents_filtered: counts.filtered,
            documents_empty: counts.empty,
            documents_duplicate: copies.duplicate,
            documents_respaced: copies.respaced,
            documents_near_duplicate: taken.near_duplicate,
            documents_unused: taken.unused,
            documents_cut,
        },
        split_rule: rule,
        document_bytes_max: DOCUMENT_BYTES_MAX as u64,
        documents: splits.documents(),
        bytes: splits.bytes(),
        splits,
    };
    staging.publish(&manifest)?;
    Ok(manifest)
}

/// Copies the documents from the spool to the shards in sorted order, cutting the long ones.
fn write_shards(spool: &Spool, writer: &mut CorpusWriter, report: &mut Report<'_>) -> Result<u64, LockError> {
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
