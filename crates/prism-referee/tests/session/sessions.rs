//! What the sessions of these tests are about: a little text, a small recipe, and one session from start to end.
//!
//! The workers that take part in it are in `threads`. Also the truth that a session is held against: the code length of
//! the text under the little model, computed densely and without the referee.

use prism_core::{failure::Failure, hash::Sha256Hash, recipe::Recipe};
use prism_referee::{
    connection::Cancel,
    draws::AuditKey,
    lanes::{Documents, TokenDocument},
    plan::{Event, Hashes, Plan, StreamTotals, TextSource, TokenizerInfo, WorkerPaths},
    record::Record,
    session::{self, Observed},
};

use crate::threads::{Cheat, EOT, Threads, V, VOCAB, nats};

/// Text with structure: the next symbol depends on the last one.
pub(crate) struct Text {
    pub(crate) documents: Vec<TokenDocument>,
    pub(crate) val: Vec<TokenDocument>,
}

impl Text {
    pub(crate) fn new(documents: u64) -> Self {
        let make = |number: u64, salt: u64| {
            let mut state = number * 7919 + salt;
            let mut last = 0_u64;
            let ids: Vec<u32> = (0..60 + number % 50)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    let noise = state >> 60;
                    last = if noise < 12 { (last * 5 + 3) % 16 } else { noise };
                    u32::try_from(last).unwrap()
                })
                .collect();
            TokenDocument {
                number,
                byte_lengths: vec![1; ids.len()],
                ids,
            }
        };
        Self {
            documents: (0..documents).map(|n| make(n, 1)).collect(),
            val: (0..12).map(|n| make(n, 99)).collect(),
        }
    }

    pub(crate) fn totals(&self) -> StreamTotals {
        let bytes: u64 = self.documents.iter().map(|d| d.ids.len() as u64).sum();
        StreamTotals {
            documents: self.documents.len() as u64,
            bytes,
            targets: bytes + self.documents.len() as u64,
        }
    }
}

impl TextSource for Text {
    fn stream(&self) -> Box<dyn Documents + '_> {
        Box::new(self.documents.clone())
    }
    fn val(&self) -> Box<dyn Documents + '_> {
        Box::new(self.val.clone())
    }
}

/// A recipe small enough for a test.
pub(crate) fn recipe() -> Recipe {
    let mut recipe = Recipe::demo();
    recipe.stream.min_targets_per_step = 1;
    recipe.stream.max_step_ppm = 200_000;
    recipe.audit.rate_per_byte = 0.05;
    recipe.heldout.rate_per_byte = 0.2;
    recipe.sandbox.startup_seconds = 20;
    recipe.sandbox.question_seconds = 20;
    recipe.budget.time_limit_seconds = 60;
    recipe
}

/// The true code length of an honest run of the little model, computed densely and without the referee, in nats.
pub(crate) fn dense_nats(text: &Text, batch: u32, seq_len: u32) -> f64 {
    let mut lanes = prism_referee::lanes::Lanes::new(text.documents.clone(), batch, seq_len, EOT);
    let mut step = prism_referee::lanes::Step::default();
    let smoothing = prism_core::nats::Smoothing::new(recipe().score.smoothing, VOCAB);
    let mut counts = vec![0.05_f32; V * V];
    let mut total = 0.0;
    while lanes.next_step(&mut step).unwrap() {
        let table: Vec<f32> = counts.iter().map(|count| count.ln()).collect();
        for (place, &mask) in step.mask.iter().enumerate() {
            if mask == 0 {
                continue;
            }
            let (row, column) = (place / seq_len as usize, place % seq_len as usize);
            let at = row * (seq_len as usize + 1) + column;
            let (input, target) = (step.tokens[at], step.tokens[at + 1]);
            total += smoothing.apply(f64::from(nats(&table, input, target)));
            counts[usize::try_from(input).unwrap() * V + usize::try_from(target).unwrap()] += 1.0;
        }
    }
    total
}

pub(crate) fn tokenizer() -> TokenizerInfo {
    TokenizerInfo {
        name: "test".into(),
        vocab_size: VOCAB,
        end_of_text: EOT,
    }
}

pub(crate) fn paths() -> WorkerPaths {
    WorkerPaths {
        bundle_dir: "/b".into(),
        architecture_file: "architecture.py".into(),
        training_file: "training.py".into(),
        artifacts_dir: "/a".into(),
        data_dir: "/d".into(),
    }
}

pub(crate) struct Ran {
    pub(crate) result: Result<(Record, Vec<u8>), Failure>,
    pub(crate) events: Vec<Event>,
    pub(crate) launcher: Threads,
}

/// Runs one session of the bigram model.
pub(crate) fn run(text: &Text, cheat: Cheat, key: u8, change: impl FnOnce(&mut Recipe)) -> Ran {
    run_threads(text, Threads::new(cheat), tokenizer(), key, change)
}

/// Runs one session of these threads.
pub(crate) fn run_threads(
    text: &Text,
    mut launcher: Threads,
    tokenizer: TokenizerInfo,
    key: u8,
    change: impl FnOnce(&mut Recipe),
) -> Ran {
    let mut recipe = recipe();
    change(&mut recipe);
    let plan = Plan {
        recipe: &recipe,
        seed: 1,
        key: AuditKey::new([key; 32]),
        hashes: Hashes {
            bundle: Sha256Hash([1; 32]),
            corpus: Sha256Hash([2; 32]),
            recipe: recipe.sha256(),
            runtime_lock: "none".into(),
            runtime_sources: Sha256Hash([3; 32]),
        },
        tokenizer,
        totals: text.totals(),
        bundle_bits: 0,
        entropy_floor_bpb: None,
        paths: paths(),
        keep_dir: &std::env::temp_dir(),
        text,
    };
    let mut events = Vec::new();
    let mut targets = Vec::new();
    let result = session::measure(
        &plan,
        &mut launcher,
        &mut targets,
        &Cancel::new(),
        &mut |event| events.push(event),
        &mut Observed::default(),
    )
    .map(|mut record| {
        record.targets_sha256 = Sha256Hash::of(&targets);
        (record, targets)
    });
    Ran {
        result,
        events,
        launcher,
    }
}
