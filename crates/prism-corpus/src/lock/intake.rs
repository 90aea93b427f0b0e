//! From the input files into the spool: one thread reads, others digest.
//!
//! The lock calls it once. What comes of it does not depend on the number of threads: the spool is sorted afterwards. The
//! reading thread hands over batches of about a megabyte, so that memory stays bounded.

use std::fs::File;
use std::io::Read;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;

use prism_core::hex;
use prism_core::io_error::IoError;
use sha2::{Digest, Sha256};

use super::inputs::{InputFile, InputKind};
use super::record::{Filters, Record, Sink, Text, Wanted};
use super::spool::{Digested, SpoolIndex, SpoolText};
use super::{LockError, TextFiles, jsonl, near, parquet, stand_in, text};
use crate::digest::Digester;
use crate::manifest::InputHash;
use crate::normal::normal_form;

/// Text of a batch, unless one document is longer.
const BATCH_BYTES: usize = 1024 * 1024;
/// Documents of a batch.
const BATCH_DOCUMENTS: usize = 4096;
/// Batches that wait, beside those that are worked on.
const BATCHES_WAITING: usize = 2;
/// Text that waits or is worked on, unless one batch alone is longer: what a document of a book's length costs, it does not
/// cost each thread.
const IN_FLIGHT_BYTES_MAX: usize = 32 * 1024 * 1024;
const HASH_BYTES: usize = 1024 * 1024;

/// How files are read and digested.
pub(super) struct Intake<'o> {
    pub(super) wanted: Wanted<'o>,
    pub(super) text_files: TextFiles,
    pub(super) filters: Filters,
    pub(super) digester: Digester,
    pub(super) with_bands: bool,
    pub(super) threads: NonZero<usize>,
}

/// What became of the records before they were compared.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) read: u64,
    /// Nulls that were passed over; they are among those read.
    pub(super) null: u64,
    pub(super) not_utf8: u64,
    pub(super) filtered: u64,
    pub(super) empty: u64,
}

/// Documents one after another.
#[derive(Default)]
struct Batch {
    text: String,
    lengths: Vec<usize>,
}

/// What the threads share.
struct Shared<'s> {
    text: &'s SpoolText,
    index: Mutex<&'s mut SpoolIndex>,
    empty: Mutex<u64>,
    failed: AtomicBool,
    error: Mutex<Option<LockError>>,
    in_flight: InFlight,
}

/// How much text was handed over and is not digested yet.
#[derive(Default)]
struct InFlight {
    bytes: Mutex<usize>,
    fewer: Condvar,
}

/// A batch's part of it, until it is dropped.
struct Flying<'f> {
    in_flight: &'f InFlight,
    bytes: usize,
}

impl InFlight {
    /// Waits until there is room.
    fn enter(&self, bytes: usize) {
        let is_full = |held: &mut usize| *held > 0 && *held + bytes > IN_FLIGHT_BYTES_MAX;
        let held = self.fewer.wait_while(held(&self.bytes), is_full);
        *held.unwrap_or_else(std::sync::PoisonError::into_inner) += bytes;
    }

    /// What leaves when the guard goes, however that is.
    fn leaving(&self, bytes: usize) -> Flying<'_> {
        Flying {
            in_flight: self,
            bytes,
        }
    }
}

impl Drop for Flying<'_> {
    fn drop(&mut self) {
        *held(&self.in_flight.bytes) -= self.bytes;
        self.in_flight.fewer.notify_one();
    }
}

/// A lock of a thread that has panicked: the panic ends the scope, and with it everything that could look at the data.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Intake<'_> {
    /// Reads all files into the spool. The callback is told how many bytes of them are read, and may stop the work.
    pub(super) fn run(
        &self,
        files: &[InputFile],
        text: &SpoolText,
        index: &mut SpoolIndex,
        report: &mut dyn FnMut(u64) -> Result<(), LockError>,
    ) -> Result<(Counts, Vec<InputHash>), LockError> {
        let shared = Shared {
            text,
            index: Mutex::new(index),
            empty: Mutex::new(0),
            failed: AtomicBool::new(false),
            error: Mutex::new(None),
            in_flight: InFlight::default(),
        };
        let (sender, receiver) = sync_channel::<Batch>(BATCHES_WAITING);
        let receiver = Mutex::new(receiver);
        let mut counts = Counts::default();
        let (read, hashes) = thread::scope(|scope| {
            let hashes = scope.spawn(|| hash_files(files, &shared.failed));
            for _ in 0..self.threads.get() {
                scope.spawn(|| self.digest_batches(&receiver, &shared));
            }
            let mut batch = Batch::default();
            let read = self.read_all(files, &shared, report, &mut |record| {
                self.count(&record, &mut counts, &mut batch);
                if batch.text.len() < BATCH_BYTES && batch.lengths.len() < BATCH_DOCUMENTS {
                    return Ok(());
                }
                // Whoever takes them outlives this.
                shared.in_flight.enter(batch.text.len());
                let _taken = sender.send(std::mem::take(&mut batch));
                Ok(())
            });
            if read.is_ok() {
                shared.in_flight.enter(batch.text.len());
                let _taken = sender.send(batch);
            } else {
                shared.failed.store(true, Ordering::Relaxed);
            }
            drop(sender);
            let hashes = hashes
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (read, hashes)
        });
        // What went wrong with the spool comes first: the reader has only noticed it.
        if let Some(error) = held(&shared.error).take() {
            return Err(error);
        }
        read?;
        counts.empty = *held(&shared.empty);
        let mut hashes = hashes?;
        hashes.sort_unstable();
        Ok((counts, hashes))
    }

    fn read_all(
        &self,
        files: &[InputFile],
        shared: &Shared<'_>,
        report: &mut dyn FnMut(u64) -> Result<(), LockError>,
        take: &mut dyn FnMut(Record<'_>) -> Result<(), LockError>,
    ) -> Result<(), LockError> {
        let mut before_bytes = 0;
        for file in files {
            self.read(file, &mut |record, position_bytes| {
                if shared.failed.load(Ordering::Relaxed) {
                    return Err(LockError::Cancelled);
                }
                take(record)?;
                report(before_bytes + position_bytes.min(file.bytes))
            })?;
            before_bytes += file.bytes;
            report(before_bytes)?;
        }
        Ok(())
    }

    fn read(&self, file: &InputFile, sink: &mut Sink<'_>) -> Result<(), LockError> {
        stand_in::refuse(&file.path, file.kind)?;
        match (file.kind, self.text_files) {
            (InputKind::Text, TextFiles::Sections) => text::read_sections(&file.path, sink),
            (InputKind::Text, TextFiles::Whole) => text::read_whole(&file.path, sink),
            (InputKind::JsonLines(packing), _) => jsonl::read(&file.path, packing, &self.wanted, sink),
            (InputKind::Parquet, _) => parquet::read(&file.path, &self.wanted, sink),
        }
    }

    fn count(&self, record: &Record<'_>, counts: &mut Counts, batch: &mut Batch) {
        counts.read += 1;
        match record.text {
            Text::Null => counts.null += 1,
            Text::NotUtf8 => counts.not_utf8 += 1,
            Text::Is(text) if self.filters.take(text, record.scores) => {
                batch.text.push_str(text);
                batch.lengths.push(text.len());
            }
            Text::Is(_) => counts.filtered += 1,
        }
    }

    /// Digests batches until there are no more. After an error they are taken and forgotten, so that nobody waits.
    fn digest_batches(&self, receiver: &Mutex<Receiver<Batch>>, shared: &Shared<'_>) {
        let mut form = String::new();
        loop {
            let Ok(batch) = held(receiver).recv() else { return };
            let _flying = shared.in_flight.leaving(batch.text.len());
            if shared.failed.load(Ordering::Relaxed) {
                continue;
            }
            // What one long document has needed is not kept for the next.
            form.clear();
            form.shrink_to(2 * BATCH_BYTES);
            if let Err(error) = self.digest(&batch, &mut form, shared) {
                held(&shared.error).get_or_insert(error);
                shared.failed.store(true, Ordering::Relaxed);
            }
        }
    }

    fn digest(&self, batch: &Batch, form: &mut String, shared: &Shared<'_>) -> Result<(), LockError> {
        let mut digested = Vec::with_capacity(batch.lengths.len());
        let (mut offset, mut empty) = (0, 0);
        for length in &batch.lengths {
            let text = &batch.text[offset..offset + length];
            normal_form(text, form);
            // White space alone is no document.
            if form.is_empty() {
                empty += 1;
            } else {
                let (id, split) = self.digester.digest(form.as_bytes());
                digested.push(Digested {
                    id,
                    split,
                    tag: self.digester.tag(text.as_bytes()),
                    offset: offset as u64,
                    // The readers bound a document far below 4 GiB.
                    length_bytes: u32::try_from(*length).unwrap_or(u32::MAX),
                    bands: self.with_bands.then(|| near::bands(text)).flatten(),
                });
            }
            offset += length;
        }
        *held(&shared.empty) += empty;
        let offset = shared.text.write(&batch.text)?;
        held(&shared.index).push(&digested, offset)
    }
}

fn hash_files(files: &[InputFile], failed: &AtomicBool) -> Result<Vec<InputHash>, LockError> {
    let mut buffer = vec![0; HASH_BYTES];
    let mut hashes = Vec::with_capacity(files.len());
    for file in files {
        let io = |source| IoError::new("read", &file.path, source);
        let mut opened = File::open(&file.path).map_err(io)?;
        let mut hasher = Sha256::new();
        let mut bytes = 0;
        loop {
            if failed.load(Ordering::Relaxed) {
                return Ok(Vec::new());
            }
            let count = opened.read(&mut buffer).map_err(io)?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
            bytes += count as u64;
        }
        hashes.push(InputHash {
            sha256: hex::encode(&hasher.finalize()),
            bytes,
        });
    }
    Ok(hashes)
}
