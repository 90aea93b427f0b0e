//! The referee's side of a stream on one core: `cargo run --release -p prism-engine --example referee_throughput`.
//!
//! Tokenise, lay on lanes, frame a batch, parse claims, price them, draw: everything between the text and the record
//! but the sockets and the compression. Prints MB of source text a second of processor time, which other work on the
//! machine disturbs less than a clock, medians of interleaved runs.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark")]

use std::{sync::LazyLock, time::Instant};

use prism_core::recipe::Recipe;
use prism_corpus::{
    synth::Grammar,
    tokenizer::{Encoded, Tokenizer, TokenizerSpec},
};
use prism_referee::{
    account::{Account, Run},
    auditor::gather,
    draws::{AuditKey, Purpose},
    frame::Kind,
    lanes::{DocumentError, Documents, Lanes, Step, TokenDocument},
    message::{self, Rows},
};

const TEXT_BYTES: usize = 32_000_000;
const RUNS: usize = 5;
const BATCH_SIZE: u32 = 64;
const SEQ_LEN: u32 = 256;

struct Stream<'a> {
    texts: &'a [String],
    targets: &'a [u64],
    tokenizer: &'a Tokenizer,
}

impl Stream<'_> {
    fn encode(&self, place: usize) -> Result<Encoded, DocumentError> {
        let mut encoded = Encoded::default();
        self.tokenizer
            .encode(&self.texts[place], &mut encoded)
            .map_err(|error| DocumentError(error.to_string()))?;
        Ok(encoded)
    }
}

impl Documents for Stream<'_> {
    fn count(&self) -> u64 {
        self.texts.len() as u64
    }
    fn targets(&self, place: u64) -> u64 {
        self.targets[usize::try_from(place).unwrap()]
    }
    fn document(&self, place: u64) -> Result<TokenDocument, DocumentError> {
        let encoded = self.encode(usize::try_from(place).unwrap())?;
        Ok(TokenDocument {
            number: place,
            ids: encoded.ids,
            byte_lengths: encoded.byte_lengths,
        })
    }
}

fn mb_per_s(texts: &[String], bytes: usize, tokenizer: &Tokenizer) -> f64 {
    let recipe = Recipe::official();
    let targets = targets_of(texts, tokenizer);
    let started_seconds = processor_seconds();
    let vocab = tokenizer.vocab_size();
    let mut account = Account::new(&recipe, vocab, &AuditKey::new([1; 32]), Purpose::Stream);
    let stream = Stream {
        texts,
        targets: &targets,
        tokenizer,
    };
    let mut lanes = Lanes::new(stream, BATCH_SIZE, SEQ_LEN, tokenizer.end_of_text());
    let mut step = Step::default();
    let (mut frame, mut dense) = (Vec::new(), Vec::new());
    let (mut claims, mut byte_lengths) = (Vec::new(), Vec::new());
    let places = (BATCH_SIZE * SEQ_LEN) as usize;
    // What a learner would send: the same plausible claims at every step.
    let mut answer = 0_u64.to_le_bytes().to_vec();
    answer.extend_from_slice(&(BATCH_SIZE * SEQ_LEN).to_le_bytes());
    for place in 0..places {
        answer.extend_from_slice(&(((place * 7919) % 1000) as f32 / 250.0).to_le_bytes());
    }
    let mut drawn = 0;
    while lanes.next_step(&mut step).unwrap() {
        frame.clear();
        let rows = Rows {
            batch_size: BATCH_SIZE,
            seq_len: SEQ_LEN,
            tokens: &step.tokens,
            mask: &step.mask,
        };
        message::write_batch(&mut frame, 0, account.bytes(), &rows);
        message::parse_nats(Kind::Claims, &answer, 0, places, &mut dense).unwrap();
        gather(&step, SEQ_LEN, &dense, &mut claims, &mut byte_lengths);
        drawn += account
            .step(step.segments.iter().map(Run::from), &claims, &byte_lengths)
            .len();
    }
    let seconds = processor_seconds() - started_seconds;
    assert!(drawn > 0 && account.bytes() == bytes as u64);
    bytes as f64 / 1e6 / seconds
}

/// What a run knows of its documents before it begins.
fn targets_of(texts: &[String], tokenizer: &Tokenizer) -> Vec<u64> {
    let stream = Stream {
        texts,
        targets: &[],
        tokenizer,
    };
    (0..texts.len())
        .map(|place| stream.encode(place).unwrap().ids.len() as u64 + 1)
        .collect()
}

/// Seconds that this thread has run so far; on systems that do not tell, seconds since the first call.
fn processor_seconds() -> f64 {
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split(' ').next().and_then(|field| field.parse::<f64>().ok());
    nanoseconds.map_or_else(|| FIRST.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

fn main() {
    let grammar = Grammar::new(1).unwrap();
    let mut texts = Vec::new();
    let mut bytes = 0;
    while bytes < TEXT_BYTES {
        let text = grammar.document(texts.len() as u64).text;
        bytes += text.len();
        texts.push(text);
    }
    let tokenizers = [("bytes", TokenizerSpec::Bytes), ("gpt2", TokenizerSpec::Gpt2)]
        .map(|(name, spec)| (name, Tokenizer::load(&spec).unwrap(), Vec::new()));
    let mut tokenizers = tokenizers;
    for _ in 0..RUNS {
        for (_, tokenizer, results) in &mut tokenizers {
            results.push(mb_per_s(&texts, bytes, tokenizer));
        }
    }
    for (name, _, results) in &mut tokenizers {
        results.sort_by(f64::total_cmp);
        println!(
            "{name}: {:.0} MB/s (median of {RUNS}; {:.0} to {:.0})",
            results[RUNS / 2],
            results[0],
            results[RUNS - 1]
        );
    }
}
