//! The account of one measurement: claims in, draws out, audits in, a code length at the end.
//!
//! The same code runs while a submission is measured and when `prism verify` replays its record, so that both do the
//! same arithmetic in the same order. The order of the calls is the order of the record: claims of a step by row, then
//! column; then its audits in the order of their targets, whatever order the questions were asked in.

use std::collections::BTreeMap;

use prism_core::{
    estimate::{Audit, Estimate, Estimator, Sum, audit_probability},
    nats::{Audited, Smoothing},
    recipe::Recipe,
};

use crate::{
    draws::{AuditKey, Draws, Purpose},
    lanes::Segment,
};

/// Audit probabilities of byte lengths below this come from a table, of longer ones from the formula.
const TABLE_BYTES: usize = 256;

/// A run of targets of one document, in the order of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Which document of its split.
    pub document: u64,
    /// How many targets.
    pub targets: u32,
    /// Whether all of the document is read with them.
    pub completes: bool,
}

impl From<&Segment> for Run {
    fn from(segment: &Segment) -> Self {
        Self {
            document: segment.document,
            targets: segment.targets,
            completes: segment.completes,
        }
    }
}

/// What one document has cost so far, by the claims.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DocumentSum {
    /// Smoothed claims, in nats.
    pub nats: Sum,
    /// Targets read.
    pub targets: u64,
    /// Source bytes read.
    pub bytes: u64,
    /// Whether all of it is read.
    pub complete: bool,
}

/// A target of a step that was drawn: its index among the real targets of the step, and its smoothed claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawn {
    /// Index among the real targets of the step, in the order of the record.
    pub index: usize,
    claimed_nats: f64,
    probability: f64,
}

impl Drawn {
    /// The smoothed claim, in nats.
    pub fn claimed_nats(&self) -> f64 {
        self.claimed_nats
    }
}

/// Accounts for one pass over some text.
pub struct Account {
    smoothing: Smoothing,
    rate_per_byte: f64,
    probabilities: Vec<f64>,
    draws: Draws,
    estimator: Estimator,
    documents: BTreeMap<u64, DocumentSum>,
    completed_documents: u64,
    targets: u64,
    bytes: u64,
    invalid_answers: u64,
    /// The smoothed claims of one step, kept for its memory.
    smoothed: Vec<f64>,
}

impl Account {
    /// An empty account whose draws are those of `purpose` under `key`.
    pub fn new(recipe: &Recipe, vocab_size: u32, key: &AuditKey, purpose: Purpose) -> Self {
        let rate_per_byte = match purpose {
            Purpose::Stream | Purpose::Step0 | Purpose::Repeat | Purpose::KeptSnapshot => {
                recipe.audit.rate_per_byte
            }
            Purpose::ValTrained | Purpose::ValKept | Purpose::TrainKept | Purpose::ValRandomInit => {
                recipe.heldout.rate_per_byte
            }
        };
        let probabilities = (0..u32::try_from(TABLE_BYTES).unwrap_or(0))
            .map(|bytes| audit_probability(rate_per_byte, bytes))
            .collect();
        Self {
            smoothing: Smoothing::new(recipe.score.smoothing, vocab_size),
            rate_per_byte,
            probabilities,
            draws: Draws::new(key, purpose),
            estimator: Estimator::new(
                recipe.score.claims_differ_nats,
                usize::try_from(recipe.audit.hidden_terms).unwrap_or(usize::MAX),
            ),
            documents: BTreeMap::new(),
            completed_documents: 0,
            targets: 0,
            bytes: 0,
            invalid_answers: 0,
            smoothed: Vec::new(),
        }
    }

    /// Takes the claims of one step and only then draws. `claims` and `byte_lengths` hold the real targets alone, in
    /// the order of `runs`. Returns what is to be audited, ascending.
    pub fn step(
        &mut self,
        runs: impl IntoIterator<Item = Run>,
        claims: &[f32],
        byte_lengths: &[u16],
    ) -> Vec<Drawn> {
        // One loop for each kind of work: the sums depend on their own last value, the smoothing and the draws do not.
        let mut smoothed = std::mem::take(&mut self.smoothed);
        self.smoothing.apply_all(claims, &mut smoothed);

        let mut drawn = Vec::new();
        let mut index = 0;
        for run in runs {
            let range = index..index + run.targets as usize;
            let document = self.documents.entry(run.document).or_default();
            let mut nats = document.nats;
            for &claimed_nats in &smoothed[range.clone()] {
                self.estimator.claim(claimed_nats);
                nats.add(claimed_nats);
            }
            document.nats = nats;
            let bytes = byte_lengths[range.clone()]
                .iter()
                .map(|&bytes| u64::from(bytes))
                .sum::<u64>();
            document.bytes += bytes;
            self.bytes += bytes;
            for index in range.clone() {
                let bytes = byte_lengths[index];
                let probability = match self.probabilities.get(usize::from(bytes)) {
                    Some(&probability) => probability,
                    None => audit_probability(self.rate_per_byte, u32::from(bytes)),
                };
                if self.draws.hit(probability) {
                    drawn.push(Drawn {
                        index,
                        claimed_nats: smoothed[index],
                        probability,
                    });
                }
            }
            index = range.end;
            document.targets += u64::from(run.targets);
            if run.completes {
                document.complete = true;
                self.completed_documents += 1;
            }
        }
        self.smoothed = smoothed;
        self.targets += index as u64;
        drawn
    }

    /// Takes the answer about one drawn target.
    pub fn audit(&mut self, drawn: &Drawn, audited: Audited) {
        if matches!(audited, Audited::Invalid(_)) {
            self.invalid_answers += 1;
        }
        self.estimator.audit(Audit {
            claimed_nats: drawn.claimed_nats,
            audited_nats: audited.nats(),
            probability: drawn.probability,
        });
    }

    /// The smoothing of this account.
    pub fn smoothing(&self) -> &Smoothing {
        &self.smoothing
    }

    /// The code length so far.
    pub fn estimate(&self) -> Estimate {
        self.estimator.estimate()
    }

    /// Targets whose claims are in.
    pub fn targets(&self) -> u64 {
        self.targets
    }

    /// Source bytes whose claims are in.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Answers that were charged as uniform.
    pub fn invalid_answers(&self) -> u64 {
        self.invalid_answers
    }

    /// Sums per document, by its number.
    pub fn documents(&self) -> &BTreeMap<u64, DocumentSum> {
        &self.documents
    }

    /// Documents of which every target is read.
    pub fn completed_documents(&self) -> u64 {
        self.completed_documents
    }
}
