//! Earlier submissions, by the fingerprints of their code.
//!
//! Built from the store's blobs when it is first needed; a submission is added when it enters the queue. What stands elsewhere is
//! nobody's property: whether a submission that was found is still one to be copied is asked of the store each time, so that
//! what is released, requeued, rejected or cancelled later counts as it stands. The later of two is held to account, by the
//! order of acceptance.

use std::collections::HashMap;

use prism_bundle::Bundle;
use prism_core::advice::Advice as _;
use prism_core::outcome::Status;
use prism_core::submission::{Position, Stage};
use prism_gate::similarity::{Fingerprints, Index, Match};
use prism_store::{
    Store,
    submissions::{self, Submission},
};

use crate::problem::Result;

/// Submissions that are read from the store at a time.
const PAGE: u32 = 200;
/// Largest upload that is read back, in bytes.
pub(crate) const UPLOAD_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Resemblances that are told, the gravest first.
const FOUND_MAX: usize = 50;

/// The index.
#[derive(Default)]
pub(crate) struct Similar {
    index: Index,
    known: HashMap<String, Known>,
    is_built: bool,
}

struct Known {
    seq: i64,
    hotkey: String,
}

impl Similar {
    /// Takes in everything that was accepted so far, once.
    fn build(&mut self, store: &Store) -> Result<()> {
        if self.is_built {
            return Ok(());
        }
        let mut from = 0;
        loop {
            let found = store.read(|tx| submissions::after(tx, from, PAGE))?;
            let Some(last) = found.last() else {
                self.is_built = true;
                return Ok(());
            };
            from = last.seq;
            for earlier in found {
                // What may still be released or requeued is in it too; whether it counts is asked when it is found.
                if earlier.contract.is_some() {
                    self.read_in(store, &earlier);
                }
            }
        }
    }

    fn read_in(&mut self, store: &Store, earlier: &Submission) {
        match store.blobs().read(&earlier.zip_sha256, UPLOAD_BYTES_MAX) {
            Ok(bytes) => {
                // It was a bundle when it was accepted; a rule that has changed since makes it nothing to compare with.
                if let Ok(bundle) = Bundle::from_zip(&bytes) {
                    self.add(earlier, &bundle);
                }
            }
            Err(problem) => {
                tracing::error!(submission = %earlier.id, problem = %problem.told(), "an earlier upload cannot be read and is compared with nothing");
            }
        }
    }

    /// Takes in one that has been checked.
    pub(crate) fn add(&mut self, submission: &Submission, bundle: &Bundle) {
        if self.known.contains_key(&submission.id) {
            return;
        }
        if let Ok(fingerprints) = Fingerprints::of(bundle) {
            self.take_in(submission, fingerprints);
        }
    }

    /// Takes in one whose fingerprints are known.
    pub(crate) fn take_in(&mut self, submission: &Submission, fingerprints: Fingerprints) {
        if self.known.contains_key(&submission.id) {
            return;
        }
        if let Err(problem) = self.index.add(&submission.id, fingerprints) {
            tracing::error!(submission = %submission.id, %problem, "later submissions are not compared with this one");
            return;
        }
        let known = Known {
            seq: submission.seq,
            hotkey: submission.hotkey.clone(),
        };
        self.known.insert(submission.id.clone(), known);
    }

    /// Earlier submissions of others that these fingerprints resemble, accepted before this place in the order.
    pub(crate) fn of_others(
        &mut self,
        store: &Store,
        fingerprints: &Fingerprints,
        hotkey: Option<&str>,
        before_seq: i64,
    ) -> Result<Vec<Match>> {
        self.build(store)?;
        let mut counting = Vec::new();
        for found in self.index.query(fingerprints) {
            if counting.len() >= FOUND_MAX {
                break;
            }
            let Some(known) = self.known.get(&found.id) else {
                continue;
            };
            if Some(known.hotkey.as_str()) == hotkey || known.seq >= before_seq {
                continue;
            }
            let stands = store.read(|tx| submissions::find(tx, &found.id))?;
            if stands.is_some_and(|stands| is_anybodys(stands.position)) {
                counting.push(found);
            }
        }
        Ok(counting)
    }
}

/// Whether what stands there came as far as the queue.
fn is_anybodys(position: Position) -> bool {
    match position {
        Position::Pending(stage) => stage >= Stage::Queued,
        Position::Running(_) => true,
        Position::Ended(status) => match status {
            Status::Completed | Status::Failed | Status::Invalidated => true,
            Status::Rejected | Status::Cancelled | Status::Held => false,
        },
    }
}
